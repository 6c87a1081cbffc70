"""A firmware image for twenty meters by multicast, through an air that loses a tenth of everything, while readings go on.

All start it at one instant, and run it.  In the second story the centre is killed while it sends, a gateway is away at the
instant, and four meters lose their supply: while fragments come, at the instant itself, while they copy, and before they are
heard.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from nyala.app import Centre
from nyala.headend.campaign_life import CampaignRow, CampaignState, Order
from nyala.headend.campaigns import PORTS
from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.frame import DataFrame, FType, frame_type
from nyala.lorawan.network.multicast import MC_ADDRS
from nyala.meter.logs import LogGroup, event_id
from nyala.sim.laws import CounterWatch
from nyala.sim.outcome import Outcome, report
from nyala.sim.setup import Scenario, build
from nyala.sim.simulation import Run
from nyala.sim.virtual_time import VirtualTimeLoop
from nyala.store import commands, groups, meters
from nyala.store.engine import open_engine, upgrade
from nyala.store.ingest import InlineWriter
from nyala.telegram.blocks import descriptor_of
from nyala.telegram.firmware import VIRTUAL_SEED, Image, firmware_block, sign_image
from nyala.telegram.kinds import EventCode
from nyala.twin.state import Boot
from nyala.vocab.errors import NotAllowedError, UnknownError
from nyala.vocab.time import US_PER_S
from tests.unit.store.filled import NOW_US, new_meter

METERS = 20
VERSION = 0x0101
BLOCK = firmware_block(sign_image(Image(1, VERSION, Random(3).randbytes(5_924)), VIRTUAL_SEED))
SCENARIO = Scenario(METERS, 1, "single-phase", loss=0.1, gateways=2, commands=2, seed=4)
BEGIN_S = 2 * 3_600
"""After the start: everybody has joined and was heard."""
START_S = BEGIN_S + 2 * 3_600
"""When the image is to run."""
CUTS = ((BEGIN_S + 400, 3, 200), (START_S - 5, 5, 20), (START_S + 1, 7, 60), (START_S + 10, 9, 30))
"""(instant, meter, seconds without supply)."""
FRAME_BYTES = 13 + 3 + 100
"""A fragment on the air."""


@dataclass
class Air:
    """What went to groups."""

    frames: list[tuple[int, int, int, bytes]] = field(default_factory=list)
    """(begin, counter, gateway, frame)."""
    airtime_us: Counter[str] = field(default_factory=Counter)
    """Of `fragments`, `orders` and `answers`."""

    def watch(self, frame: Any) -> None:
        f_type = frame_type(frame.phy)
        data = None if f_type in {FType.JOIN_REQUEST, FType.JOIN_ACCEPT} else DataFrame.decode(frame.phy)
        if data is None or data.f_port not in PORTS:
            return
        what = "answers" if f_type.uplink else "fragments" if data.dev_addr in MC_ADDRS else "orders"
        self.airtime_us[what] += frame.end_us - frame.start_us
        if what == "fragments":
            self.frames.append((frame.start_us, data.f_cnt, frame.sender, frame.phy))


@dataclass
class Story:
    """The run, and what it left."""

    run: Run
    air: Air
    outcome: dict[str, Any]
    row: CampaignRow
    told: list[int]
    said: set[int | None]
    """Versions that the centre believes to run."""
    kills: int


def troubled(run: Run) -> None:
    """The centre dies, a gateway is away, four meters lose their supply."""
    world = run.stage.world
    world.loop.call_at(BEGIN_S + 300, run.stage.host.kill, 30)
    for up, at_s in ((False, START_S - 600), (True, START_S + 1_800)):
        world.loop.call_at(at_s, partial(world.forwarders[0].power, up=up))
    for at_s, row, length_s in CUTS:
        world.loop.call_at(at_s, partial(world.power, row, on=False))
        world.loop.call_at(at_s + length_s, partial(world.power, row, on=True))


def played(folder: Path, *, trouble: bool) -> Story:
    """Plays the run."""
    engine, air = open_engine(str(folder), durable=False), Air()
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        run = Run(SCENARIO, build(runner.get_loop(), SCENARIO, engine), CounterWatch())
        world, host = run.stage.world, run.stage.host
        world.watchers.append(air.watch)

        def begin() -> None:
            order = Order(run.stage.records[0].tenant_id, activate_us=(SCENARIO.start_s + START_S) * US_PER_S)
            meter_ids = [record.id for record in run.stage.records]
            host.running.start_campaign(BLOCK, meter_ids, by="ani", mc_key=bytes(range(16)), order=order)

        world.loop.call_at(BEGIN_S, begin)
        if trouble:
            troubled(run)
        runner.run(run.live(lambda _: None))
    outcome = report(SCENARIO, Outcome.of(run.stage, SCENARIO, run.watch, run.ends_wh, run.not_supplied_wh, engine))
    with engine.connect() as connection:
        [row] = groups.newest_campaigns(connection)
        said = {state.firmware for state in meters.load_states(connection)}
        told = [event.detail for event in commands.events_of(connection, None, 200) if event.code == EventCode.BLOCK_STAGED]
    engine.dispose()
    return Story(run, air, outcome, row, told, said, host.kills)


@pytest.fixture(scope="module", params=[False, True], ids=["in one life", "with all that can happen"])
def story(request, tmp_path_factory):
    """The run, once for all that is looked at."""
    return played(tmp_path_factory.mktemp("campaign"), trouble=request.param)


def test_every_meter_runs_the_image_byte_for_byte_and_says_so(story):
    assert story.row.report["failed"] == {}
    slots = [twin.memory.flash.slots for twin in story.run.stage.world.twins]
    assert [(each.running, each.boot, each.codes[each.active]) for each in slots] == [
        (VERSION, Boot.STEADY, BLOCK.body)
    ] * METERS
    assert set(story.told) == {descriptor_of(BLOCK.kind, BLOCK.version)}
    assert story.row.state is CampaignState.OVER
    assert (story.row.report["devices"], story.row.report["failed"]) == ({"verified": METERS}, {})
    assert story.said == {VERSION}


def test_they_change_at_their_instant_and_not_before(story):
    changed = event_id("firmware_changed")
    logs = [twin.meter.operation.logs for twin in story.run.stage.world.twins]
    times = [
        entry.clock_s - SCENARIO.start_s - START_S
        for log in logs
        for entry in log.of(LogGroup.STANDARD)
        if entry.event == changed
    ]
    assert METERS <= len(times) <= METERS + len(CUTS)
    assert min(times) >= -1, "by clocks that are wrong by less than a second"
    assert max(times) < 900


def test_the_laws_hold_and_readings_go_on(story):
    assert [law["law"] for law in story.outcome["laws"] if not law["holds"]] == []
    assert story.outcome["intervals"] == {
        "expected": METERS * 96 * 2,
        "received": METERS * 96 * 2,
        "estimated": 0,
        "missing": 0,
    }
    assert story.outcome["commands"]["verified"] == story.outcome["commands"]["issued"] == 2


def test_frames_of_the_group_leave_in_order_through_all_gateways(story):
    frames = sorted(story.air.frames)
    assert {gateway for _, _, gateway, _ in frames} == {~0, ~1}
    assert all(one[1] <= other[1] for one, other in pairwise(frames))
    assert len({phy for *_, phy in frames}) == len({f_cnt for _, f_cnt, *_ in frames})


def test_the_air_costs_less_than_block_by_block(story):
    """Against the same fragments said to each meter by itself, at the same data rate, without its orders and answers."""
    report, plan, region = story.row.report, story.row.plan, story.run.stage.plan.region
    fragments = -(-len(plan.block) // plan.fragment_bytes)
    rate = region.data_rate(plan.data_rate)
    one_s = airtime_us(FRAME_BYTES, rate.sf, rate.bandwidth_khz, crc=False) / US_PER_S
    unicast_s = METERS * fragments * one_s / (1 - SCENARIO.loss)
    begun_us, verified_us = story.row.created_us, story.row.updated_us
    figures = {
        "fragments": fragments,
        "sent": report["fragments"],
        "emissions": len(story.air.frames),
        "orders": report["orders"],
        "minutes_to_the_instant": START_S / 60 - BEGIN_S / 60,
        "minutes_until_all_are_verified": (verified_us - begun_us) / US_PER_S / 60,
        **{f"{what}_s": time_us / US_PER_S for what, time_us in sorted(story.air.airtime_us.items())},
        "unicast_s": unicast_s,
    }
    print({name: round(value, 1) for name, value in figures.items()})  # noqa: T201 - what docs/evidence.md says
    assert story.air.airtime_us.total() / US_PER_S < unicast_s / 2
    assert report["orders"] < METERS * 20


def test_another_makers_meter_has_keys_that_are_not_ours_to_make(tmp_path):
    engine = open_engine(str(tmp_path))
    upgrade(engine)
    tenant = meters.tenant_id(engine, "t")
    [own, other] = meters.onboard(engine, tenant, [new_meter(1), new_meter(2, model="milesight-ws52x")])
    centre = Centre(engine, InlineWriter(engine), lambda: NOW_US)
    with pytest.raises(NotAllowedError, match=r"N00002 \(milesight-ws52x\): its multicast keys are not ours"):
        centre.start_campaign(BLOCK, [own.id, other.id], by="ani")
    with pytest.raises(UnknownError, match="meter"):
        centre.start_campaign(BLOCK, [99], by="ani")
    engine.dispose()
