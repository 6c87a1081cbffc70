"""`nyala demo`: a simulated world and its centre in one process, with a history, then live at real-time speed.

    1 only for a new store: meters, tariffs, users; weeks of history by the faster path of `sim.history`.  It is made in a
      folder of its own and renamed when it is whole, so that a run that was interrupted leaves nothing half
    2 the meters go on where their memory was saved, and live through the time between
    3 up to `WARM_UP_S` in full: joins, frames, radio, gateways, on virtual time as fast as the machine can
    4 live: the same loop on real time, gateways on real UDP sockets of the loopback, the portal on HTTP

Virtual time ends where the wall clock is, so that live begins without a gap.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy import Engine

from nyala.app import Centre
from nyala.billing.run import run_month
from nyala.lorawan.network.plan import indonesia
from nyala.meter.warm import is_cached, warm_bank
from nyala.serving import Serving, StationPort, check_port, people
from nyala.sim import memory
from nyala.sim.datagrams import Backhaul, DatagramNetwork
from nyala.sim.fleet import models_of
from nyala.sim.history import History
from nyala.sim.host import CENTRE_ADDRESS, Host
from nyala.sim.loads import load_source
from nyala.sim.setup import TENANT, Scenario, build_world, fill_store
from nyala.sim.virtual_time import VirtualTimeLoop
from nyala.sim.world import World
from nyala.store import DEFAULT, meters, users
from nyala.store.bills import TenantBills
from nyala.store.engine import open_engine, upgrade
from nyala.store.ingest import InlineWriter
from nyala.store.lock import CentreLock
from nyala.twin.state import Reporting
from nyala.vocab.alarms import Alarm
from nyala.vocab.errors import FileError, NyalaError
from nyala.vocab.time import DAY_S, US_PER_S

WARM_UP_S: Final = 5_400
"""Lived in full before the clock is met: every meter joins and reports some times."""
WARM_UP_STEPS_MAX: Final = 100_000
"""Steps of at most a minute: virtual time meets the clock long before."""
CLOSE_ENOUGH_S: Final = 0.05
"""Virtual time never quite reaches a clock that runs: the rest is jumped over."""
QUARTER_S: Final = 900
REPORTING: Final = Reporting(report_s=900, live_s=900)
SAVE_S: Final = 60.0
"""How often the meters' memory is written."""
PASSWORD: Final = "nyala-demo"  # noqa: S105 - the demo listens on this machine only and prints it
LOGINS: Final = (("admin", "admin"), ("operator", "operator"), ("viewer", "viewer"))
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What `nyala demo` is asked for."""

    meters: int = 200
    history_days: int = 35
    port: int = 8000
    where: str = DEFAULT
    once: bool = False
    seed: int = 1
    gateways: int = 2
    station_port: int | None = None


@dataclass(slots=True)
class Demo:
    """One demo."""

    options: DemoOptions
    engine: Engine
    say: Say
    loop: VirtualTimeLoop
    world: World = field(init=False)
    scenario: Scenario = field(init=False)
    saved_executions: int = 0

    @property
    def memory_path(self) -> Path:
        """Where the meters' memory is kept."""
        database = self.engine.url.database or ""
        folder = Path(database).parent if self.engine.dialect.name == "sqlite" else Path(DEFAULT)
        return folder / "world.npz"

    async def make(self) -> int:
        """A new store with its history."""
        upgrade(self.engine)
        self._build(fresh=True)
        await self._make_history()
        self._save(clean=True)
        return 0

    async def go_on(self) -> int:
        """From the store that is there to the end; answers the exit code."""
        upgrade(self.engine)
        self._build(fresh=False)
        self._save(clean=False)
        self._catch_up()
        await self._warm_up()
        return await self._live()

    def _save(self, *, clean: bool) -> None:
        memory.save(self.memory_path, self.world.bank, self.world.twins, self.options.seed, clean=clean)

    # -- building

    def _build(self, *, fresh: bool) -> None:
        options, now_s = self.options, int(time.time())
        start_s = (now_s - options.history_days * DAY_S) // DAY_S * DAY_S
        count = options.meters
        if not fresh:
            with self.engine.connect() as connection:
                records = meters.load_records(connection)
            start_s, count = records[0].installed_s, len(records)
        days = max((now_s - start_s) // DAY_S, 1)
        self.scenario = Scenario(
            meters=count,
            days=min(days, 366),
            gateways=options.gateways,
            seed=options.seed,
            start_s=start_s,
            step_s=60,
            reporting=REPORTING,
        ).checked()
        models, plan = models_of("mix", count), indonesia()
        loads = load_source("synthetic", models, options.seed, 60, start_s)
        self.world = build_world(self.loop, self.scenario, models, plan, loads)
        if fresh:
            fill_store(self.engine, self.scenario, models)
            with self.engine.connect() as connection:
                nobody = not users.count(connection)
            if nobody:
                people(self.engine, meters.tenant_id(self.engine, TENANT), LOGINS, PASSWORD, now_s)
            return
        try:
            _, clean = memory.load(self.memory_path, self.world.bank, self.world.twins)
        except FileError as error:
            raise FileError(
                f"{error.what}; this store is not of a demo that can go on: choose another --db", path=error.path
            ) from None
        if not clean:
            self.say("the last run did not end cleanly: the meters join again")

    # -- the time before

    def _target_s(self) -> int:
        """Where the full simulation begins: a quarter of an hour, `WARM_UP_S` before now."""
        return (int(time.time()) - WARM_UP_S) // QUARTER_S * QUARTER_S

    async def _make_history(self) -> None:
        if not is_cached():
            self.say("compiling the kernels of the meters, once on this machine ...")
        warm_bank()
        options, until_s = self.options, self._target_s()
        world, sixty = self.world, self.world.loads
        world.loads = load_source("synthetic", world.bank.models, options.seed, QUARTER_S, self.scenario.start_s)
        self.say(f"history: {options.history_days} days of {options.meters} meters by the faster path (no radio) ...")
        writer = InlineWriter(self.engine)
        centre = Centre(self.engine, writer, world.now_us)
        shown = [0.0]

        def progress(share: float) -> None:
            if share - shown[0] >= 0.1 or share >= 1:
                shown[0] = share
                self.say(f"  {share:4.0%}")

        await History(world, centre, options.seed).make(until_s, progress)
        self._tamper()
        centre.headend.readings.close_old_gaps(world.now_us())
        await centre.ingest.close_group(silent=True)
        writer.close()
        world.loads = sixty
        self._bill_last_month()

    def _tamper(self) -> None:
        """Some meters have something to report: a cover left open, a battery at its end, a magnet on the case."""
        state, count = self.world.bank.state, len(self.world.bank)
        state.covers[count // 9, Alarm.TERMINAL_COVER_OPEN - Alarm.MAIN_COVER_OPEN] = True
        state.battery_v[count // 5, 1] = 3.05
        state.magnet_mt[count // 3] = 180.0

    def _bill_last_month(self) -> None:
        now = time.gmtime()
        month = f"{now.tm_year - (now.tm_mon == 1)}-{(now.tm_mon - 2) % 12 + 1:02d}"
        tenant = meters.tenant_id(self.engine, TENANT)
        try:
            result = run_month(TenantBills(self.engine, tenant, int(time.time())), month, int(time.time()))
        except NyalaError as error:
            self.say(f"  no bills of {month}: {error}")
        else:
            self.say(f"  {result.stored} bills of {month}; {len(result.refused)} meters wait for missing intervals")

    def _catch_up(self) -> None:
        """The meters live through the time in which nobody simulated them; what they recorded is asked for over the air."""
        world, bank = self.world, self.world.bank
        behind_s = int(time.time()) - int(bank.now_s.max())
        self.say(f"the meters live through the last {behind_s // 60} minutes ...")
        quarter = load_source("synthetic", bank.models, self.options.seed, QUARTER_S, self.scenario.start_s)
        sixty, until_s = world.loads, self._target_s()
        everyone = world.everyone
        at_s = int(bank.segment_end_s.max())
        bank.advance(everyone, at_s)
        while at_s < until_s:
            world.loads = quarter if at_s % QUARTER_S == 0 else sixty
            world.signal(at_s)
            at_s += world.loads.step_s
            bank.advance(everyone, at_s)
        world.loads = sixty

    async def _warm_up(self) -> None:
        """From where the meters stand to now, in full, on virtual time."""
        world = self.world
        begin_s = max(int(world.bank.now_s.max()), int(world.now_us() // US_PER_S))
        self.loop.jump_to(max(begin_s - self.scenario.start_s, self.loop.time()))
        self.say("and from here in full: joins, frames, radio, gateways ...")
        network = DatagramNetwork(self.loop, Random(f"{self.options.seed} backhaul"), Backhaul())
        engine = open_engine(self.options.where, durable=False)
        host = Host(world, network, engine, Random(self.options.seed))
        host.start()
        for forwarder in world.forwarders:
            network.open(("gateway", forwarder.index), forwarder)
            forwarder.attach(CENTRE_ADDRESS)
        world.start()
        for _ in range(WARM_UP_STEPS_MAX):
            behind_s = time.time() - world.now_us() / US_PER_S
            if behind_s < CLOSE_ENOUGH_S:
                break
            await asyncio.sleep(min(behind_s, 60))
        await host.stop()
        for forwarder in world.forwarders:
            forwarder.close()
        engine.dispose()

    # -- live

    async def _live(self) -> int:
        self.loop.go_live(max(time.time() - self.world.now_us() / US_PER_S, 0))
        world, options = self.world, self.options
        stations = None if options.station_port is None else StationPort("127.0.0.1", options.station_port)
        serving = Serving(self.engine, world.now_us, host="127.0.0.1", port=options.port, udp_port=0, stations=stations)
        async with serving:
            udp = serving.udp_address
            for forwarder in world.forwarders:
                await self.loop.create_datagram_endpoint(lambda f=forwarder: f, local_addr=("127.0.0.1", 0))  # type: ignore[misc]
                forwarder.attach(udp)
            saver = self.loop.create_task(self._save_often())
            self._greet(serving.url)
            try:
                code = await self._check_once(serving) if options.once else await serving.until_stopped()
            finally:
                saver.cancel()
                world.stop()
                self._save(clean=True)
        self.say("stopped; `nyala demo` goes on from here")
        return code

    def _greet(self, url: str) -> None:
        self.say("")
        self.say(f"nyala is live: {url}")
        for name, role in LOGINS:
            self.say(f"  log in as {name:<9} password {PASSWORD}   ({role})")
        self.say(
            f"  {len(self.world.bank)} meters, {len(self.world.forwarders)} gateways; Ctrl-C stops, starting again goes on"
        )

    async def _save_often(self) -> None:
        """Writes the meters' memory every minute, and at once after a command was carried out."""
        while True:
            self._save(clean=False)
            self.saved_executions = len(self.world.executed)
            for _ in range(int(SAVE_S)):
                await asyncio.sleep(1)
                if len(self.world.executed) != self.saved_executions:
                    break

    async def _check_once(self, serving: Serving) -> int:
        """`--once`: health, a login and the fleet over HTTP, then the end."""
        answers = await serving.probe(LOGINS[0][0], PASSWORD)
        for line in answers:
            self.say(f"  {line}")
        return 0


def run_demo(options: DemoOptions, say: Say | None = None) -> int:
    """Runs the demo; answers the exit code.  SurroundingsError for a busy port or a store that another nyala uses."""
    began = time.monotonic()

    def to_stderr(text: str) -> None:
        sys.stderr.write(f"[{time.monotonic() - began:6.1f} s] {text}\n" if text else "\n")
        sys.stderr.flush()

    check_port("127.0.0.1", options.port)
    told = say or to_stderr
    if not _is_made(options.where):
        _make(options, told)
    return _run(options, told, Demo.go_on)


def _is_made(where: str) -> bool:
    """Whether there is a demo's store already."""
    if "://" not in where:
        return (Path(where) / "nyala.sqlite").exists()
    engine = open_engine(where)
    upgrade(engine)
    with engine.connect() as connection:
        made = bool(meters.load_records(connection))
    engine.dispose()
    return made


def _make(options: DemoOptions, say: Say) -> None:
    """A new store: in a folder beside its place, moved there when it is whole."""
    if "://" in options.where:
        _run(options, say, Demo.make)
        return
    place = Path(options.where)
    unfinished = place.with_name(place.name + ".new")
    for left_over in unfinished.glob("*"):
        left_over.unlink()
    _run(replace(options, where=str(unfinished)), say, Demo.make)
    place.mkdir(parents=True, exist_ok=True)
    for file in sorted(unfinished.glob("*")):
        file.replace(place / file.name)
    unfinished.rmdir()


def _run(options: DemoOptions, say: Say, what: Callable[[Demo], Coroutine[Any, Any, int]]) -> int:
    engine = open_engine(options.where)
    with CentreLock(engine), asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        loop: Any = runner.get_loop()
        code = runner.run(what(Demo(options, engine, say, loop)))
    engine.dispose()
    return code
