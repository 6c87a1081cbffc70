"""A relay command among 2,000 meters, from the order until the meter's own report shows it, in virtual time.

Two gateways, the whole stack of the simulation, and everything else goes on: hourly reports of all meters, back-fill of what
collisions and one per cent of loss took, and a campaign that sends a new setting to half of the meters.  Latency is a figure of
the air and of the rules, not of this machine: the same seed gives the same seconds.
"""

import asyncio
import statistics
import tempfile
import time
from random import Random
from typing import Any, Final

from nyala.app import settle_memory
from nyala.headend.command_life import CommandState
from nyala.headend.commands import CommandRow, Kind
from nyala.meter.settings_codec import encode_setting
from nyala.sim.history import History
from nyala.sim.settled import settle
from nyala.sim.setup import START_S, Scenario, Stage, build
from nyala.sim.virtual_time import VirtualTimeLoop
from nyala.store.engine import open_engine
from nyala.vocab.reporting import ReportingSetting
from nyala.vocab.time import HOUR_S, US_PER_S

METERS: Final = 2_000
GATEWAYS: Final = 2
LOSS: Final = 0.01
HISTORY_S: Final = 6 * HOUR_S
"""Told by the faster path; of every `GAP_EVERY`-th meter it is lost, and is asked for over the air while orders go out."""
GAP_EVERY: Final = 4
SETTLE_S: Final = 120
"""From the beginning of campaign and back-fill to the first order."""
ORDERS: Final = 200
EVERY_S: Final = 2
"""Between two orders: thirty a minute."""
END_S: Final = 180
"""After the last order, for those that are under way."""
MEDIAN_S: Final = 5.0
P99_S: Final = 30.0
SEED: Final = 1


def run() -> dict[str, Any]:
    """The benchmark."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="nyala-bench-") as folder:
        engine = open_engine(folder, durable=False)
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            scenario = Scenario(METERS, 1, loss=LOSS, gateways=GATEWAYS, seed=SEED)
            stage = build(runner.get_loop(), scenario, engine)
            settle_memory(for_good=False)
            ordered, load = runner.run(_live(stage))
        engine.dispose()
    took = sorted((c.updated_us - c.created_us) / US_PER_S for c in ordered if c.state is CommandState.VERIFIED)
    median_s, p99_s = statistics.median(took), took[len(took) * 99 // 100]
    figures: dict[str, Any] = {
        "relay_median_s": round(median_s, 3),
        "relay_p99_s": round(p99_s, 3),
        "relay_max_s": round(took[-1], 3),
        "verified": len(took),
        "under_limits": median_s <= MEDIAN_S and p99_s <= P99_S and len(took) == len(ordered),
        **load,
    }
    return {
        "bench": "commands",
        "figures": figures,
        "baseline": f"required: median {MEDIAN_S:g} s, 99 % {P99_S:g} s, all verified",
        "conditions": {
            "meters": METERS,
            "gateways": GATEWAYS,
            "orders": ORDERS,
            "every_s": EVERY_S,
            "loss": LOSS,
            "wall_s": round(time.perf_counter() - began, 1),
        },
    }


async def _live(stage: Stage) -> tuple[list[CommandRow], dict[str, int]]:
    """Orders under load; answers the commands, and what else went on while they were under way."""
    world, centre = stage.world, stage.host.start()
    headend, random = centre.headend, Random(f"{SEED} orders")
    await History(world, centre, SEED, loses=lambda row: row % GAP_EVERY == 0).make(START_S + HISTORY_S, lambda _: None)
    settle(world, centre.network.sessions, stage.records, stage.plan, [each.eui for each in world.forwarders])
    world.start()
    kind, body = encode_setting(ReportingSetting(HOUR_S, 6 * HOUR_S))
    for record in stage.records[::2]:
        headend.configuration.want(record.id, kind, body, by="bench", now_us=world.now_us())
    centre.ingest.nudge()
    await asyncio.sleep(SETTLE_S)
    before = _load(centre.headend)
    rows = [row for row, model in enumerate(stage.models) if model.supply_switch]
    ordered: list[CommandRow] = []
    for row in random.sample(rows, ORDERS):
        await asyncio.sleep(random.uniform(0, 2 * EVERY_S))
        record = stage.records[row]
        ordered.append(
            headend.tracker.issue(record, Kind.SWITCH_OPEN, has_switch=True, by="bench", reason="", now_us=world.now_us())
        )
        centre.ingest.nudge()
    await asyncio.sleep(END_S)
    after = _load(centre.headend)
    world.stop()
    await stage.host.stop()
    return ordered, {name: after[name] - before[name] for name in after}


def _load(headend: Any) -> dict[str, int]:
    return {
        "uplinks": headend.counts["uplinks"],
        "backfill_requests": headend.backfill.requests,
        "configuration_exchanges": headend.configuration.exchanges,
    }
