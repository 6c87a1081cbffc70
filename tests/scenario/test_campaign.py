"""A firmware image for twenty meters by multicast, through an air that loses a tenth of everything, while readings go on.

The centre is killed in the middle: the campaign goes on from its stored plan.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from nyala.app import Centre
from nyala.headend.campaigns import PORTS, CampaignRow, CampaignState
from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.frame import DataFrame, FType, frame_type
from nyala.lorawan.network.multicast import MC_ADDRS
from nyala.sim.laws import CounterWatch
from nyala.sim.outcome import Outcome, report
from nyala.sim.setup import Scenario, build
from nyala.sim.simulation import Run
from nyala.sim.virtual_time import VirtualTimeLoop
from nyala.store import commands, groups, meters
from nyala.store.engine import open_engine, upgrade
from nyala.store.ingest import InlineWriter
from nyala.telegram.blocks import Block, BlockKind, descriptor_of, encode_block
from nyala.telegram.kinds import EventCode
from nyala.vocab.errors import NotAllowedError, UnknownError
from nyala.vocab.time import US_PER_S
from tests.unit.store.filled import NOW_US, new_meter

METERS = 20
BLOCK = Block(BlockKind.FIRMWARE, 0x0101, Random(3).randbytes(3_000))
SCENARIO = Scenario(METERS, 1, loss=0.1, gateways=2, commands=2, seed=4)
BEGIN_S = 2 * 3_600
"""After the start: everybody has joined and was heard."""
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
    kills: int


def played(folder: Path, *, kill_s: int | None) -> Story:
    """Plays the run; the centre dies `kill_s` after the campaign began."""
    engine, air = open_engine(str(folder), durable=False), Air()
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        run = Run(SCENARIO, build(runner.get_loop(), SCENARIO, engine), CounterWatch())
        world, host = run.stage.world, run.stage.host
        world.watchers.append(air.watch)

        def begin() -> None:
            host.running.start_campaign(BLOCK, [record.id for record in run.stage.records], by="ani", mc_key=bytes(range(16)))

        world.loop.call_at(BEGIN_S, begin)
        if kill_s is not None:
            world.loop.call_at(BEGIN_S + kill_s, host.kill, 30)
        runner.run(run.live(lambda _: None))
    outcome = report(SCENARIO, Outcome.of(run.stage, SCENARIO, run.watch, run.ends_wh, run.not_supplied_wh, engine))
    with engine.connect() as connection:
        [row] = groups.newest_campaigns(connection)
        told = [event.detail for event in commands.events_of(connection, None, 200) if event.code == EventCode.BLOCK_STAGED]
    engine.dispose()
    return Story(run, air, outcome, row, told, host.kills)


@pytest.fixture(scope="module", params=[None, 300], ids=["in one life", "killed in the middle"])
def story(request, tmp_path_factory):
    """The run, once for all that is looked at."""
    return played(tmp_path_factory.mktemp("campaign"), kill_s=request.param)


def test_every_meter_has_the_block_byte_for_byte_and_says_so(story):
    staged = [twin.memory.flash.staged for twin in story.run.stage.world.twins]
    assert staged == [{BlockKind.FIRMWARE: encode_block(BLOCK)}] * METERS
    assert story.told == [descriptor_of(BLOCK.kind, BLOCK.version)] * METERS
    assert story.row.state is CampaignState.OVER
    assert (story.row.report["devices"], story.row.report["failed"]) == ({"whole": METERS}, {})


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
    figures = {
        "fragments": fragments,
        "sent": report["fragments"],
        "emissions": len(story.air.frames),
        "orders": report["orders"],
        "minutes": (story.row.updated_us - story.row.created_us) / US_PER_S / 60,
        **{f"{what}_s": time_us / US_PER_S for what, time_us in sorted(story.air.airtime_us.items())},
        "unicast_s": unicast_s,
    }
    print({name: round(value, 1) for name, value in figures.items()})  # noqa: T201 - what docs/evidence.md says
    assert story.air.airtime_us.total() / US_PER_S < unicast_s / 2
    assert report["orders"] < METERS * 12


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
