"""A feeder without power: its meters say so with their last energy, and the centre makes one outage of it, with a place.

Through listening before talk, capture and a tenth of all frames lost.
"""

import asyncio
from dataclasses import dataclass

import pytest
from sqlalchemy import func, select

from nyala.headend.notify_loop import Notifier
from nyala.headend.notify_sender import Sender
from nyala.headend.storms_shapes import Incident, Scope
from nyala.sim.setup import Scenario, build
from nyala.sim.virtual_time import VirtualTimeLoop
from nyala.store import incidents, places, schema
from nyala.store.engine import open_engine
from nyala.store.notifications import Notifications
from nyala.twin.last_gasp import SPREAD_US
from nyala.vocab.centre_alarms import POWER_FAILED, SILENT
from nyala.vocab.time import HOUR_S, US_PER_S

METERS = 160
SCENARIO = Scenario(METERS, 1, loss=0.1, gateways=2, commands=0, seed=3, network="indonesia-lbt")
HEARD_MIN = 0.6
"""Of the last words: one frame each, without a repeat."""


@dataclass
class Story:
    """What was there half a minute after the cut, hours later, and when the power was back."""

    dark: int
    at_once: Incident
    said: int
    sites: int
    later: Incident
    silent: int
    ended: Incident
    failed_on: int


def alarm_count(engine, alarm, *, on):
    query = select(func.count()).where(schema.meter_alarm.c.alarm == alarm)
    with engine.connect() as connection:
        return connection.scalar(query.where(schema.meter_alarm.c.cleared_s.is_(None)) if on else query)


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    engine = open_engine(str(tmp_path_factory.mktemp("outage")), durable=False)
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        stage = build(runner.get_loop(), SCENARIO, engine)
        world, host = stage.world, stage.host
        feeder = max({record.feeder for record in stage.records}, key=lambda f: sum(r.feeder == f for r in stage.records))
        dark = [row for row, record in enumerate(stage.records) if record.feeder == feeder]

        async def write(work):
            return work()

        def switch(*, on):
            for row in dark:
                world.power(row, on=on)

        def one():
            with engine.connect() as connection:
                (found,), _ = incidents.list_incidents(connection, 1, only_open=False)
                return found, len(places.sites_of_incident(connection, found))

        async def live():
            host.start()
            world.start()
            notifier = Notifier(Notifications(engine), host.running.fleet(), Sender(), world.now_us, write)
            await asyncio.sleep(2 * HOUR_S)
            await notifier.step()
            switch(on=False)
            for _ in range(SPREAD_US[1] // US_PER_S // 2 + 5):
                await asyncio.sleep(2)
                await notifier.step()
            at_once, sites = one()
            said = alarm_count(engine, POWER_FAILED, on=True)
            for _ in range(6 * 12):
                await asyncio.sleep(HOUR_S / 12)
                await notifier.step()
            later, _ = one()
            switch(on=True)
            for _ in range(90):
                await asyncio.sleep(60)
                await notifier.step()
            ended, _ = one()
            silent, failed = (alarm_count(engine, alarm, on=on) for alarm, on in ((SILENT, False), (POWER_FAILED, True)))
            world.stop()
            await host.stop()
            return Story(len(dark), at_once, said, sites, later, silent, ended, failed)

        told = runner.run(live())
    engine.dispose()
    return told


def test_half_a_minute_after_the_cut_there_is_one_outage_of_the_feeder(story):
    incident = story.at_once
    assert (incident.alarm, incident.scope) == (POWER_FAILED, Scope.FEEDER)
    assert incident.meters == incident.meters_on == story.said
    assert story.said >= HEARD_MIN * story.dark
    assert story.sites > 1
    print({"meters of the feeder": story.dark, "last words heard": story.said, "sites on the map": story.sites})  # noqa: T201


def test_those_that_were_not_heard_join_it_when_they_are_missed_and_nobody_is_told_twice(story):
    assert (story.later.id, story.later.meters_on, story.later.told) == (story.at_once.id, story.dark, True)
    assert story.silent == 0


def test_it_is_over_when_the_power_is_back(story):
    assert story.ended.ended_us is not None
    assert (story.ended.meters, story.ended.meters_on, story.failed_on) == (story.dark, 0, 0)
