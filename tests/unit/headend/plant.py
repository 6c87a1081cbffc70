"""An ingest on virtual time: meters that seal real frames, a disk that can be held or broken, a radio that keeps notes."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from nyala.headend.commands import CommandTracker
from nyala.headend.ingest import Ingest
from nyala.headend.ports import Changes
from nyala.headend.registry import Registry
from nyala.headend.service import HeadEnd
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.frame import DataFrame, FType, seal
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import Reception, Transmission
from nyala.lorawan.network.server import NetworkServer
from nyala.lorawan.network.sessions import Root, SessionRow, Sessions
from nyala.mdm.book import Book
from nyala.sim.virtual_time import VirtualTimeLoop
from nyala.telegram import codec
from nyala.telegram.codec import Telegram
from nyala.telegram.kinds import Port
from nyala.vocab.time import US_PER_S
from tests.unit.headend.fleet import GATEWAY, START_S, record
from tests.unit.mdm.books import Shelf

SETTINGS: Final[dict[str, Any]] = {"data_rate": 5, "tx_params_known": True, "channels": list(range(8)), "max_eirp_code": 5}
"""A device of which the network wants nothing more."""
APP_KEY: Final = AesKey(bytes(16))
OTHER_GATEWAY: Final = GATEWAY + 1


def keys(number: int) -> tuple[AesKey, AesKey]:
    """The session keys of a meter."""
    return AesKey(bytes([number]) * 16), AesKey(bytes([number, 1]) * 8)


def session_row(number: int) -> SessionRow:
    """The session of a meter that was heard by one gateway."""
    network, app = keys(number)
    return SessionRow(0xD000 + number, number, network.value, app.value, 0, 0, True, dict(SETTINGS), ((GATEWAY, 5.0),))


class Device:
    """What a meter says on the air."""

    def __init__(self, number: int) -> None:
        self.number, self.f_cnt = number, 0

    def frame(self, telegram: Telegram | tuple[Port, bytes], at_s: float, *, confirmed: bool = False) -> bytes:
        """A telegram, or any payload, as the next frame."""
        port, payload = telegram if isinstance(telegram, tuple) else codec.encode(telegram, int(at_s))
        f_type = FType.CONFIRMED_UP if confirmed else FType.UNCONFIRMED_UP
        frame = DataFrame(f_type, self.number, self.f_cnt, f_port=port, payload=payload, adr=True)
        self.f_cnt += 1
        return seal(frame, *keys(self.number))


def reception(phy: bytes, received_us: int, *, gateway: int = GATEWAY, snr_db: float = 9.0) -> Reception:
    """A frame as a gateway heard it."""
    return Reception(gateway, phy, received_us, 921_400_000, 5, -80.0, snr_db, received_us % (1 << 32))


@dataclass(frozen=True)
class Written:
    """What one commit held."""

    journal: tuple[int, ...]
    worked_off: int | None
    intervals: int
    f_cnt_down: dict[int, int]
    commands: tuple[str, ...]


class Disk:
    """A writer: `gate` closed, a commit hangs; `fails`: it raises."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails: Exception | None = None
        self.commits: list[Written] = []

    async def commit(self, changes: Changes) -> None:
        said = Written(
            tuple([r.journal for r in changes.journal] + [a.journal for a in changes.app_journal]),
            changes.worked_off,
            sum(96 - row.missing for row in changes.load_days if row.key.channel == 0),
            {row.dev_eui: row.f_cnt_down for row in changes.sessions},
            tuple(str(row.state) for row in changes.commands),
        )
        await self.gate.wait()
        if self.fails is not None:
            raise self.fails
        self.commits.append(said)

    @property
    def journal(self) -> set[int]:
        """The journal rows that are on disk."""
        return {seq for each in self.commits for seq in each.journal}


class Radio:
    """Notes what leaves, and what was on disk then."""

    def __init__(self, disk: Disk) -> None:
        self.left: list[tuple[Transmission, int]] = []
        self._disk = disk

    def transmit(self, transmission: Transmission) -> bool:
        self.left.append((transmission, len(self._disk.commits)))
        return True


class Plant:
    """Everything of an ingest, on the running loop."""

    def __init__(self, meters: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.devices = {number: Device(number) for number in range(1, meters + 1)}
        sessions = Sessions()
        for number in self.devices:
            sessions.add_root(Root(0xD000 + number, 1, APP_KEY, number))
            sessions.restore(session_row(number))
        self.registry = Registry([record(number) for number in self.devices])
        self.tracker = CommandTracker(self.registry, [], 1)
        self.network = NetworkServer(indonesia(), sessions)
        self.headend = HeadEnd(self.registry, Book(Shelf()), self.tracker)
        self.disk = Disk()
        self.ingest = Ingest(self.network, self.headend, self.disk, self.now_us)
        self.radio = self.ingest.radio = Radio(self.disk)
        self.acknowledged: list[object] = []

    def now_us(self) -> int:
        return START_S * US_PER_S + round(self.loop.time() * US_PER_S)

    @property
    def now_s(self) -> float:
        return self.now_us() / US_PER_S

    def frame(self, telegram: Telegram, *, number: int = 1, confirmed: bool = False) -> bytes:
        return self.devices[number].frame(telegram, self.now_s, confirmed=confirmed)

    def hears(self, phy: bytes, token: object = None, *, gateways: tuple[int, ...] = (GATEWAY,)) -> list[bool]:
        """Gateways bring a frame; its acknowledgement is noted under `token`."""
        return [
            self.ingest.submit(
                [reception(phy, self.now_us(), gateway=gateway, snr_db=float(-place))], lambda: self.acknowledged.append(token)
            )
            for place, gateway in enumerate(gateways)
        ]


Story = Callable[[Plant], Awaitable[None]]


def played(meters: int = 1) -> Callable[[Story], Callable[[], None]]:
    """A test that is a story on virtual time while the ingest runs."""

    def test_of(story: Story) -> Callable[[], None]:
        async def play() -> None:
            plant = Plant(meters)
            task = plant.loop.create_task(plant.ingest.run())
            try:
                await story(plant)
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, OSError):
                    await task

        def test() -> None:
            with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
                runner.run(play())

        test.__name__ = test.__qualname__ = getattr(story, "__name__", "story")
        return test

    return test_of
