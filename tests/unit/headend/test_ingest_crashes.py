"""A centre that is killed in any of its commits, and started again over its store, ends where an undisturbed one ends."""

import asyncio
import contextlib
import shutil
from dataclasses import replace

import pytest
from sqlalchemy import Engine, select

from nyala.app import Centre
from nyala.headend.onboarding import NewMeter
from nyala.headend.ports import Changes
from nyala.lorawan.frame import DataFrame
from nyala.lorawan.network.port import AppUplink, Reception, Transmission
from nyala.mdm.load_day import from_row
from nyala.sim.virtual_time import VirtualTimeLoop
from nyala.store import commands, meters, rows, schema
from nyala.store.engine import open_engine, upgrade, writing
from nyala.store.frames import load_windows
from nyala.store.ingest import InlineWriter
from nyala.store.keys import ring_of
from nyala.telegram import codec
from nyala.telegram.codec import Telegram
from nyala.telegram.kinds import EventCode, Port
from nyala.telegram.messages import Event
from nyala.telegram.values import Values
from nyala.vocab.time import DAY_S, US_PER_S
from tests.unit.headend.fleet import FIRST, START_S, run
from tests.unit.headend.plant import OTHER_GATEWAY, Device, reception, session_row
from tests.unit.headend.test_frames import SAID

METERS = 3
STORY: list[tuple[float, int, Telegram | tuple[Port, bytes], bool]] = [
    (0.00, 1, run(FIRST, [1, 2, 3, 4]), False),
    (0.00, 2, Values(START_S, {"import_wh": 50, "export_wh": 0, "p_w": 7}), False),
    (0.12, 3, run(FIRST + 2, [9]), False),
    (0.15, 2, run(FIRST, [5, 5]), False),
    (0.30, 3, SAID[13], False),
    (0.60, 1, Event(1, EventCode.SWITCH_OPENED, START_S + 9, 0), True),
    (1.20, 3, SAID[3], False),
    (1.90, 1, run(FIRST + 4, [6]), False),
    (1.95, 3, Event(1, EventCode.POWER_RESTORED, START_S + 10, 60), True),
    (2.30, 2, run(FIRST + 2, [8, 8], exports=[1, 0]), False),
    (2.60, 3, SAID[20], False),
]
"""(when, which meter, what it says, whether it asks for an acknowledgement).  The last frame repairs hour 17 of meter 3."""
END_S = 20.0


class KilledError(Exception):
    """The process ends, now."""


class MortalWriter:
    """Writes, and in one commit the process dies: before it, or after it and before anything is told."""

    def __init__(self, engine: Engine, killed_in: int | None, *, before: bool) -> None:
        self.count = 0
        self._inline, self._killed_in, self._before = InlineWriter(engine), killed_in, before

    async def commit(self, changes: Changes) -> None:
        self.count += 1
        doomed = self.count == self._killed_in
        if doomed and self._before:
            raise KilledError
        await self._inline.commit(changes)
        if doomed:
            raise KilledError

    def close(self) -> None:
        self._inline.close()


class Air:
    """What left, over all lives of the centre."""

    def __init__(self) -> None:
        self.counters: dict[int, list[int]] = {}

    def transmit(self, transmission: Transmission) -> bool:
        frame = DataFrame.decode(transmission.phy)
        self.counters.setdefault(frame.dev_addr, []).append(frame.f_cnt)
        return True


class Life:
    """The story, told to a centre that may die once; what it did not acknowledge is said again after it came back."""

    def __init__(self, engine: Engine, killed_in: int | None = None, *, before: bool = False) -> None:
        self.engine, self.loop = engine, asyncio.get_running_loop()
        self.writer = MortalWriter(engine, killed_in, before=before)
        self.air, self.commits, self.deaths = Air(), 0, 0
        self.acknowledged: set[bytes] = set()
        self.said: list[Reception] = []
        self.start()

    def now_us(self) -> int:
        return (START_S + DAY_S) * US_PER_S + round(self.loop.time() * US_PER_S)

    def start(self) -> None:
        self.centre = Centre(self.engine, self.writer, self.now_us)
        self.centre.ingest.radio = self.air
        self.task = self.loop.create_task(self._run())

    async def _run(self) -> None:
        try:
            await self.centre.ingest.run()
        except KilledError:
            self.deaths += 1
            self.writer.close()
            self.writer = MortalWriter(self.engine, None, before=False)
            self.start()
            for each in self.said:
                if each.phy not in self.acknowledged:
                    self.submit(each)

    def submit(self, heard: Reception) -> None:
        self.centre.ingest.submit([heard], lambda: self.acknowledged.add(heard.phy))

    async def tell(self) -> None:
        devices = {number: Device(number) for number in range(1, METERS + 1)}
        for at_s, number, telegram, confirmed in STORY:
            await asyncio.sleep(at_s - self.loop.time())
            phy = devices[number].frame(telegram, self.now_us() / US_PER_S, confirmed=confirmed)
            heard = reception(phy, self.now_us())
            for copy in (heard, replace(heard, gateway=OTHER_GATEWAY, snr_db=-4.0)):
                self.said.append(copy)
                self.submit(copy)
        await asyncio.sleep(END_S - self.loop.time())
        self.commits = self.writer.count
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task
        self.writer.close()


def state_of(engine: Engine) -> dict[str, object]:
    """What a store holds that must not depend on a crash."""
    with engine.connect() as connection:
        days = [from_row(rows.load_day_of(row)) for row in connection.execute(select(schema.load_day)).mappings()]
        events = connection.execute(select(schema.meter_event.c.meter_id, schema.meter_event.c.at_s, schema.meter_event.c.code))
        registers = connection.execute(select(schema.register_reading))
        counters = connection.execute(select(schema.lorawan_session.c.dev_eui, schema.lorawan_session.c.f_cnt_up))
        shadows = meters.load_states(connection)
        return {
            "days": {day.key: (day.values.tolist(), day.qualities.tolist(), day.version, day.open_wh) for day in days},
            "windows": load_windows(connection),
            "history": connection.execute(select(schema.load_day_history)).all(),
            "events": sorted(map(tuple, events)),
            "registers": sorted(map(tuple, registers)),
            "counters": {row.dev_eui: row.f_cnt_up for row in counters},
            "shadows": [(s.meter_id, s.uplinks, s.switch_state, s.live, s.registers, s.complete_to) for s in shadows],
        }


def journal_of(engine: Engine) -> set[bytes]:
    with engine.connect() as connection:
        return set(connection.scalars(select(schema.uplink_journal.c.payload)))


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A store with three meters that have joined."""
    folder = tmp_path_factory.mktemp("template")
    engine = open_engine(str(folder), durable=False)
    upgrade(engine)
    new = [
        NewMeter(f"N{i:04d}", "single-phase", 0xD000 + i, 1, bytes(16), "", "", "UTC", "", 0, (1, 1), START_S, 900, 3_600)
        for i in range(1, METERS + 1)
    ]
    meters.onboard(engine, meters.tenant_id(engine, "t"), new)
    with writing(engine) as connection:
        sessions = [rows.session_row(session_row(i), ring_of(engine)) for i in range(1, METERS + 1)]
        connection.execute(schema.lorawan_session.insert(), sessions)
    engine.dispose()
    return folder


@pytest.fixture
def stores(template, tmp_path):
    """Makes fresh stores from the template."""
    engines: list[Engine] = []

    def make() -> Engine:
        folder = tmp_path / f"store{len(engines)}"
        shutil.copytree(template, folder)
        engines.append(open_engine(str(folder), durable=False))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


def live(engine: Engine, killed_in: int | None = None, *, before: bool = False) -> Life:
    """The story from its beginning to its end."""

    async def play() -> Life:
        life = Life(engine, killed_in, before=before)
        await life.tell()
        return life

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(play())


def test_killed_in_any_commit_the_centre_ends_where_an_undisturbed_one_ends(stores):
    plain = stores()
    undisturbed = live(plain)
    wanted = state_of(plain)
    assert undisturbed.deaths == 0
    assert undisturbed.commits >= 8
    assert len(wanted["days"]) >= 6  # type: ignore[arg-type]
    assert undisturbed.centre.headend.counts["recovered"] == 1
    for killed_in in range(1, undisturbed.commits + 1):
        for before in (True, False):
            engine = stores()
            life = live(engine, killed_in, before=before)
            assert life.deaths == 1
            assert state_of(engine) == wanted, f"killed {'before' if before else 'after'} commit {killed_in}"
            assert life.acknowledged == {each.phy for each in life.said} <= journal_of(engine)
            assert all(used == sorted(set(used)) for used in life.air.counters.values())


def test_a_journal_that_is_played_again_and_again_changes_nothing(stores):
    engine = stores()
    live(engine)
    wanted = state_of(engine)
    for _ in range(3):
        with writing(engine) as connection:
            connection.execute(schema.journal_mark.update().values(worked_off=0))

        async def restart() -> None:
            life = Life(engine)
            await asyncio.sleep(END_S)
            life.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await life.task
            life.writer.close()

        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(restart())
        assert state_of(engine) == wanted


def test_after_the_replay_everything_is_worked_off(stores):
    engine = stores()
    live(engine, 3)
    with engine.connect() as connection:
        assert commands.not_worked_off(connection) == []
        assert commands.next_journal(connection) > 2 * len(STORY)


def test_a_telegram_of_another_network_is_played_again_after_a_crash(stores):
    engine = stores()
    port, payload = codec.encode(run(FIRST, [4, 4]), START_S + DAY_S)
    writer = InlineWriter(engine)
    at_us = (START_S + DAY_S) * US_PER_S
    writer.execute(writer.prepare(Changes(app_journal=[AppUplink(0xD001, port, payload, at_us, journal=1)])))
    writer.close()

    async def restart() -> None:
        life = Life(engine)
        await asyncio.sleep(1)
        life.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await life.task
        life.writer.close()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(restart())
    days = state_of(engine)["days"]
    assert isinstance(days, dict)
    assert [day[0][:3] for key, day in sorted(days.items()) if key.meter_id == 1] == [[4, 4, 0], [0, 0, 0]]
    with engine.connect() as connection:
        assert commands.not_worked_off(connection) == []
