"""`nyala simulate`: a world and its centre on virtual time, through faults and commands, to a report on the laws.

The run is [start, start + days).  Then the world drains: consumers are idle, and everything outstanding - frames, gaps,
commands - has its time.  What the meters said at the end of the run is then held against the store.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from nyala.app import settle_memory
from nyala.headend.commands import Kind
from nyala.sim.faults import Fault, Order, Outage, default_orders, draw_faults, draw_orders
from nyala.sim.laws import CounterWatch
from nyala.sim.outcome import Outcome, report
from nyala.sim.setup import Scenario, Stage, build
from nyala.sim.virtual_time import VirtualTimeLoop
from nyala.store.engine import open_engine
from nyala.vocab.errors import CallerError
from nyala.vocab.quantities import MWS_PER_WH, Channel
from nyala.vocab.time import DAY_S, US_PER_S

DRAIN_STEP_S: Final = 600
DRAIN_MAX_S: Final = 4 * DAY_S
"""How long the drain waits for what is outstanding."""
SETTLE_S: Final = 60
"""After the end of the run: until every meter has written its last interval, whatever its clock says."""

Progress = Callable[[float], None]


@dataclass(slots=True)
class Run:
    """A simulation under way."""

    scenario: Scenario
    stage: Stage
    watch: CounterWatch = field(default_factory=CounterWatch)
    ends_wh: dict[tuple[int, Channel], int] = field(default_factory=dict)
    not_supplied_wh: dict[str, int] = field(default_factory=dict)
    refused_orders: int = 0

    async def live(self, progress: Progress) -> None:
        """From the start to the end of the drain."""
        world, host, scenario = self.stage.world, self.stage.host, self.scenario
        world.watchers.append(self.watch.watch)
        world.on_join.append(self.watch.joined)
        host.start()
        world.start()
        self._plan()
        for day in range(scenario.days):
            progress(day / scenario.days)
            await asyncio.sleep(DAY_S)
        await asyncio.sleep(SETTLE_S)
        self._note_ends()
        await self._drain()
        progress(1.0)
        if not host.kills:
            host.kill(SETTLE_S)
            await asyncio.sleep(DRAIN_STEP_S + SETTLE_S)
        world.stop()
        await host.stop()

    # -- what happens

    def _plan(self) -> None:
        scenario, models = self.scenario, self.stage.models
        direct = [row for row, model in enumerate(models) if model.supply_switch]
        count = scenario.commands if scenario.commands is not None else default_orders(len(direct), scenario.days)
        random = Random(f"{scenario.seed} faults")
        span = (scenario.start_s, scenario.end_s)
        for order in draw_orders(random, count, *span, direct):
            self._at(order.at_s, self._order, order)
        drawn = draw_faults(random, scenario.outages, *span, scenario.meters, scenario.gateways)
        for fault in (*drawn, *scenario.faults):
            self._at(fault.at_s, self._fault, fault, False)
            self._at(fault.until_s, self._fault, fault, True)

    def _at(self, at_s: int, call: Callable[..., None], *arguments: object) -> None:
        self.stage.world.loop.call_at(at_s - self.scenario.start_s, call, *arguments)

    def _fault(self, fault: Fault, over: bool) -> None:  # noqa: FBT001 - called by a timer
        match fault.outage:
            case Outage.METER:
                self.stage.world.power(fault.which, on=over, hold_up_bytes=fault.hold_up_bytes)
            case Outage.GATEWAY:
                self.stage.world.forwarders[fault.which].power(up=over)
            case Outage.CENTRE if not over:
                self.stage.host.kill(fault.until_s - fault.at_s)
            case Outage.CENTRE:
                pass  # it comes back by itself, so long after it died

    def _order(self, order: Order) -> None:
        """An operator gives a command; while the centre is down or the meter is busy he tries again in a minute."""
        centre, meter = self.stage.host.centre, self.stage.records[order.row]
        if centre is not None:
            try:
                centre.headend.tracker.issue(
                    meter, Kind(order.kind), has_switch=True, by="simulation", reason="drawn", now_us=centre.now_us()
                )
            except CallerError:
                self.refused_orders += 1
            else:
                centre.ingest.nudge()
                return
        again = Order(self._now_s() + 60, order.row, order.kind)
        self._at(again.at_s, self._order, again)

    def _now_s(self) -> int:
        return self.stage.world.now_us() // US_PER_S

    # -- the end

    def _note_ends(self) -> None:
        """What the registers say at the end of the run, by the meters' own clocks, and what was not supplied until then."""
        bank = self.stage.world.bank
        edge = self.scenario.end_s // self.scenario.period_s
        for row, record in enumerate(self.stage.records):
            meter = self.stage.world.twins[row].meter
            at_edge = meter.edge_registers(edge) if meter.last_edge >= edge else None
            for channel in (Channel.IMPORT, Channel.EXPORT):
                self.ends_wh[record.id, channel] = at_edge[channel] if at_edge else meter.total_wh(channel)
        withheld = bank.withheld_mws.sum(axis=0)
        self.not_supplied_wh = {
            "import": int(withheld[Channel.IMPORT]) // MWS_PER_WH,
            "export": int(withheld[Channel.EXPORT]) // MWS_PER_WH,
        }

    async def _drain(self) -> None:
        for _ in range(DRAIN_MAX_S // DRAIN_STEP_S):
            if self._settled():
                return
            await asyncio.sleep(DRAIN_STEP_S)

    def _settled(self) -> bool:
        centre = self.stage.host.centre
        if centre is None or centre.headend.tracker.open:
            return False
        end = self.scenario.end_s // self.scenario.period_s
        return all(centre.registry.state(record.id).complete_to >= end for record in self.stage.records)


def simulate(scenario: Scenario, where: str | None = None, progress: Progress = lambda _: None) -> dict[str, Any]:
    """Runs a scenario and answers its report (the shape of DESIGN 7).  `where`: its store; None: a temporary one."""
    began = time.perf_counter()
    scenario = scenario.checked()
    with tempfile.TemporaryDirectory(prefix="nyala-") as folder:
        engine = open_engine(where or str(Path(folder)), durable=False)
        outcome = _run(scenario, engine, progress)
        engine.dispose()
    seconds = time.perf_counter() - began
    result = report(scenario, outcome)
    result["wall"] = {"seconds": round(seconds, 2), "speed": round(scenario.days * DAY_S / seconds, 1)}
    return result


def _run(scenario: Scenario, engine: Any, progress: Progress) -> Outcome:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        run = Run(scenario, build(runner.get_loop(), scenario, engine))
        settle_memory(for_good=False)
        runner.run(run.live(progress))
    return Outcome.of(run.stage, run.scenario, run.watch, run.ends_wh, run.not_supplied_wh, engine)
