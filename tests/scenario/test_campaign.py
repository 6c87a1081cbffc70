"""A firmware image for twenty meters by multicast, through an air that loses a tenth of everything, while readings go on.

The centre is killed in the middle: the campaign goes on from its stored plan.
"""

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from nyala.headend.campaigns import CampaignRow, CampaignState
from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.frame import DataFrame, FType, frame_type
from nyala.lorawan.network.multicast import MC_ADDRS
from nyala.sim.laws import CounterWatch
from nyala.sim.outcome import Outcome, report
from nyala.sim.setup import Scenario, build
from nyala.sim.simulation import Run
from nyala.sim.virtual_time import VirtualTimeLoop
from nyala.store import commands, groups
from nyala.store.engine import open_engine
from nyala.telegram.blocks import Block, BlockKind, descriptor_of, encode_block
from nyala.telegram.kinds import EventCode
from nyala.vocab.time import US_PER_S

METERS = 20
BLOCK = Block(BlockKind.FIRMWARE, 0x0101, Random(3).randbytes(3_000))
SCENARIO = Scenario(METERS, 1, loss=0.1, gateways=2, commands=2, seed=4)
BEGIN_S = 2 * 3_600
"""After the start: everybody has joined and was heard."""
FRAME_BYTES = 13
DATA_RATE_OF_RX2 = 2


@dataclass
class Air:
    """What went to groups."""

    frames: list[tuple[int, int, int, bytes]] = field(default_factory=list)
    """(begin, counter, gateway, frame)."""
    airtime_us: int = 0

    def watch(self, frame: Any) -> None:
        if frame_type(frame.phy) is not FType.UNCONFIRMED_DOWN:
            return
        data = DataFrame.decode(frame.phy)
        if data.dev_addr in MC_ADDRS:
            self.frames.append((frame.start_us, data.f_cnt, frame.sender, frame.phy))
            self.airtime_us += frame.end_us - frame.start_us


@dataclass
class Story:
    """The run, and what it left."""

    run: Run
    air: Air
    outcome: dict[str, Any]
    row: CampaignRow
    told: list[int]
    kills: int


def played(tmp_path, *, kill_s: int | None) -> Story:
    engine, air = open_engine(str(tmp_path), durable=False), Air()
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


if __name__ == "__main__":
    import sys, tempfile, time
    t = time.time()
    s = played(tempfile.mkdtemp(), kill_s=int(sys.argv[1]) if len(sys.argv) > 1 else None)
    print(time.time() - t)
    print(s.row.state, s.row.report, s.row.plan.data_rate, s.row.plan.interval_us, s.kills)
    print((s.row.updated_us - s.row.created_us) / 1e6)
    print(len(s.air.frames), s.air.airtime_us / 1e6, len(s.told))
    print([len(t.memory.flash.staged) for t in s.run.stage.world.twins])
    print(s.outcome["laws"], s.outcome["intervals"], s.outcome["commands"])
