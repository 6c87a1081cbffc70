"""A tariff calendar for eight meters as one multicast block: it holds from one instant on all of them, and no drift shows."""

import asyncio
from typing import Any

from nyala.headend.campaign_life import CampaignState
from nyala.lorawan.frame import DataFrame, FType, frame_type
from nyala.meter.calendar_tables import calendar_named
from nyala.meter.logs import LogGroup, event_id
from nyala.meter.settings_codec import CalendarSetting, encode_setting
from nyala.sim.laws import CounterWatch
from nyala.sim.setup import Scenario, build
from nyala.sim.simulation import Run
from nyala.sim.virtual_time import VirtualTimeLoop
from nyala.store import groups, meters
from nyala.store.engine import open_engine
from nyala.telegram.kinds import Port
from nyala.vocab.settings import Setting

METERS = 8
SCENARIO = Scenario(METERS, 1, loss=0.1, gateways=2, commands=0, seed=5)
BEGIN_S = 2 * 3_600
HOLDS_S = BEGIN_S + 6 * 3_600
"""From when the calendar holds."""


def test_a_calendar_reaches_all_meters_and_is_sent_to_none_alone(tmp_path):
    engine = open_engine(str(tmp_path), durable=False)
    value = CalendarSetting(calendar_named("pln-wbp"), SCENARIO.start_s + HOLDS_S)
    body = encode_setting(value)[1]
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        run = Run(SCENARIO, build(runner.get_loop(), SCENARIO, engine), CounterWatch())
        parts: list[int] = []

        def watch(frame: Any) -> None:
            if frame_type(frame.phy) in {FType.UNCONFIRMED_DOWN, FType.CONFIRMED_DOWN}:
                data = DataFrame.decode(frame.phy)
                parts.extend([data.dev_addr] if data.f_port == Port.CONFIG else [])

        run.stage.world.watchers.append(watch)

        def begin() -> None:
            ids = [record.id for record in run.stage.records]
            run.stage.host.running.start_settings(Setting.CALENDAR, body, ids, by="ani")

        run.stage.world.loop.call_at(BEGIN_S, begin)
        runner.run(run.live(lambda _: None))
    with engine.connect() as connection:
        [row] = groups.newest_campaigns(connection)
        shadows = [state.config[Setting.CALENDAR] for state in meters.load_states(connection)]
    engine.dispose()
    assert (row.state, row.report["devices"]) == (CampaignState.OVER, {"whole": METERS})
    assert {(shadow.version, shadow.wanted, shadow.in_step(Setting.CALENDAR)) for shadow in shadows} == {(1, body, True)}
    assert parts == []
    activated = event_id("calendar_activated")
    for twin in run.stage.world.twins:
        [entry] = [each for each in twin.meter.operation.logs.of(LogGroup.STANDARD) if each.event == activated]
        assert abs(entry.clock_s - SCENARIO.start_s - HOLDS_S) <= 1
