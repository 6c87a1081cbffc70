"""`nyala simulate --gateway-udp`: the simulated world as test devices of somebody else's network server, in real time.

Meters, radio and gateways are simulated; each gateway is a Semtech UDP forwarder on a socket of its own.  There is no centre
here and so no law of it: only the counters of the frames (law 5) are looked at.  The keys of the devices are printed as the
CSV that `nyala import meters` takes, so that they can be registered before they join.
"""

import asyncio
import contextlib
import csv
import io
import socket
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from nyala.headend.onboarding import REQUIRED
from nyala.lorawan.network.plan import NetworkPlan
from nyala.sim.fleet import models_of, new_meters
from nyala.sim.laws import CounterWatch
from nyala.sim.loads import load_source
from nyala.sim.radio import OnAir
from nyala.sim.setup import Scenario, build_world
from nyala.sim.virtual_time import VirtualTimeLoop
from nyala.sim.world import JOIN_SPREAD_S, World
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.identifiers import eui_text
from nyala.vocab.quantities import Channel
from nyala.vocab.time import US_PER_S

STAT_S: Final = 30.0
"""How often a gateway tells its counters: the default of Semtech's forwarder."""
STEP_S: Final = 60
PORT_MAX: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Attachment:
    """Where the network server is, and how long to live."""

    host: str
    port: int
    seconds: float
    join_spread_s: float = JOIN_SPREAD_S

    @classmethod
    def parse(cls, target: str, seconds: float) -> "Attachment":
        """From `HOST:PORT`, `[ADDRESS]:PORT` for IPv6; BadArgumentError for anything else."""
        host, _, port = target.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not host or not port.isdecimal() or not 0 < int(port) <= PORT_MAX:
            raise BadArgumentError(f"gateway-udp {target!r} is not HOST:PORT")
        return cls(host, int(port), seconds)


def devices_csv(scenario: Scenario) -> str:
    """The devices with their keys, one a line: what a network server must know of them."""
    models, text = models_of(scenario.model, scenario.meters), io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(REQUIRED)
    for meter in new_meters(models, scenario.seed, scenario.start_s, scenario.reporting, scenario.period_s):
        table.writerow((meter.serial, meter.model, eui_text(meter.dev_eui), eui_text(meter.join_eui), meter.app_key.hex()))
    return text.getvalue()


@dataclass(slots=True)
class Attached:
    """One run: a world on the loop's real time."""

    scenario: Scenario
    world: World
    watch: CounterWatch
    counts: Counter[str]

    @classmethod
    def build(cls, loop: VirtualTimeLoop, scenario: Scenario, plan: NetworkPlan, now_us: int) -> "Attached":
        """The world at its start, which is in the minute of `now_us`; the loop's time is moved to that instant."""
        assert now_us // US_PER_S - scenario.start_s < STEP_S
        models = models_of(scenario.model, scenario.meters)
        loads = load_source(scenario.load, models, scenario.seed, STEP_S, scenario.start_s)
        world = build_world(loop, scenario, models, plan, loads)
        world.signal(scenario.start_s)
        loop.jump_to(now_us / US_PER_S - scenario.start_s)
        found = cls(scenario, world, CounterWatch(), Counter())
        world.watchers += [found.watch.watch, found._count]
        world.on_join += [found.watch.joined, lambda _: found.counts.update(("joined",))]
        return found

    def _count(self, frame: OnAir) -> None:
        self.counts["uplinks" if frame.sender >= 0 else "downlinks"] += 1

    async def live(self, loop: VirtualTimeLoop, to: Attachment) -> None:
        """Connects the gateways and lives; BadArgumentError for a host that is not known."""
        loop.go_live()
        world = self.world
        try:
            infos = await loop.getaddrinfo(to.host, to.port, type=socket.SOCK_DGRAM)
        except OSError as error:
            raise BadArgumentError(f"gateway-udp {to.host}: {error}") from None
        address = str(infos[0][4][0]), to.port
        try:
            for forwarder in world.forwarders:
                await loop.create_datagram_endpoint(lambda f=forwarder: f, remote_addr=address)  # type: ignore[misc]
                forwarder.attach(forwarder.peer, STAT_S)
            world.start(join_spread_s=to.join_spread_s)
            await asyncio.sleep(to.seconds)
        finally:
            world.stop()

    def report(self) -> dict[str, Any]:
        """What happened, by name."""
        world = self.world
        gateways: Counter[str] = Counter()
        for forwarder in world.forwarders:
            gateways += forwarder.counts
        registers = {
            name: sum(twin.meter.total_wh(channel) for twin in world.twins)
            for name, channel in (("import", Channel.IMPORT), ("export", Channel.EXPORT))
        }
        return {
            "seed": self.scenario.seed,
            "meters": self.scenario.meters,
            "joined": self.counts["joined"],
            "uplinks": self.counts["uplinks"],
            "downlinks": self.counts["downlinks"],
            "commands": len(world.executed),
            "airtime_s": round(sum(twin.mac.airtime_us for twin in world.twins) / US_PER_S, 3),
            "energy_wh": {"meters": registers},
            "gateways": dict(sorted(gateways.items())),
            "radio": dict(sorted(world.radio.counts.items())),
            "laws": [self.watch.verdict.report()],
        }


def run_attached(scenario: Scenario, to: Attachment, plan: NetworkPlan, now_us: int) -> dict[str, Any]:
    """Lives `to.seconds` from `now_us` (UTC, the wall clock of the caller) and answers the report; Ctrl-C ends it earlier."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        loop: Any = runner.get_loop()
        attached = Attached.build(loop, scenario.checked(), plan, now_us)
        with contextlib.suppress(KeyboardInterrupt):
            runner.run(attached.live(loop, to))
        return attached.report()
