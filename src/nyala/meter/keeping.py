"""What a meter keeps: images of its registers, billing, state and counters in the modelled memory, and its return from them.

    tick    after time has passed: saves the registers at each quarter of an hour, appends what was logged
    fall    the supply is gone: saves everything that a power fail saves, in the order of the layout; it may be cut
    rise    the supply is back, working memory lost: the row begins with what the memory holds

Energy since the last confirmed image is lost when even the power-fail save was cut; none is ever invented.  The load
profile of a bank stands for its ring in the flash.  Layout, parts and crash safety are in `nyala.meter.memory`.
"""

from collections.abc import Callable
from struct import Struct
from typing import Any, Final, TypeVar

import msgspec
import numpy as np

from nyala.meter.credit import Account
from nyala.meter.logs import LogBook, LogGroup, decode_counts, event_row, recovered
from nyala.meter.memory.layout import Group, Log
from nyala.meter.memory.records import RecordStore
from nyala.meter.meter import Meter
from nyala.meter.operation import DAILY_MAX, Daily, Operation, decode_daily
from nyala.meter.snapshots import Snapshot, decode_snapshot
from nyala.meter.supply import Supply
from nyala.vocab.errors import ForeignError

Kept = TypeVar("Kept")
SAVE_S: Final = 900
"""Registers are saved at each quarter of an hour (96 saves a day in the wear budget)."""
_REGISTERS: Final = (
    ("wh", "<i8"),
    ("rest_mws", "<u4"),
    ("phase_wh", "<i8"),
    ("phase_rest_mws", "<u4"),
    ("demand_mws", "<i8"),
    ("sub_mws", "<i8"),
)
_BILLING: Final = (("max_w", "<u4"), ("max_at_s", "<u4"), ("raised", "<u4"))
_CLOCK: Final = Struct("<qqqq")
_LOGS: Final = {group: Log(group.value) for group in LogGroup}


class _State(msgspec.Struct):
    """What the operation keeps beside registers."""

    supply: Supply
    account: Account | None
    reset_count: int
    previous: tuple[int, ...]
    cumulative: tuple[int, ...]
    dates: tuple[int, int, int | None]


class _Whole(msgspec.Struct):
    """Everything of an operation that is not in the bank's arrays."""

    state: _State
    logs: LogBook
    snapshots: tuple[Snapshot, ...]
    daily: tuple[Daily, ...]


def _state_of(operation: Operation) -> _State:
    return _State(
        operation.supply,
        operation.account,
        operation.reset_count,
        operation.previous,
        operation.cumulative,
        operation.dates,
    )


def _take_state(operation: Operation, kept: _State) -> None:
    operation.supply, operation.account = kept.supply, kept.account
    operation.reset_count, operation.previous, operation.cumulative = kept.reset_count, kept.previous, kept.cumulative
    operation.dates = kept.dates
    operation.bank.closed[operation.row] = operation.supply.output.value != 0


def whole(operation: Operation) -> bytes:
    """Everything of an operation, for whoever keeps the arrays of the bank too: a simulated world between two runs."""
    return msgspec.msgpack.encode(_Whole(_state_of(operation), operation.logs, operation.snapshots, operation.daily))


def take_whole(operation: Operation, image: bytes) -> None:
    """Goes on with what `whole` gave; ForeignError for other bytes."""
    kept = _decoded(image, _Whole)
    _take_state(operation, kept.state)
    operation.logs, operation.snapshots, operation.daily = kept.logs, kept.snapshots, kept.daily


def _decoded(image: bytes, kind: type[Kept]) -> Kept:
    try:
        return msgspec.msgpack.decode(image, type=kind)
    except msgspec.MsgspecError as error:
        raise ForeignError(f"an image of the state: {error}") from None


class Keeper:
    """The memory of one meter."""

    def __init__(self, meter: Meter, store: RecordStore) -> None:
        self.meter, self.store = meter, store
        self._saved_s = meter.clock_s
        self._snapshots = 0
        self._day_s = 0

    def tick(self) -> None:
        """After time has passed."""
        operation = self.meter.operation
        for happened in operation.take_happened():
            entry = next(e for e in reversed(operation.logs.of(event_row(happened.event).group)) if e.event == happened.event)
            self.store.append(_LOGS[event_row(happened.event).group], entry.encode())
        for snapshot in operation.snapshots:
            if snapshot.number > self._snapshots:
                self.store.append(Log.SNAPSHOTS, snapshot.encode())
                self._snapshots = snapshot.number
        for row in operation.daily:
            if row.clock_s > self._day_s:
                self.store.append(Log.DAILY, row.encode())
                self._day_s = row.clock_s
        if self.meter.clock_s // SAVE_S != self._saved_s // SAVE_S:
            self._saved_s = self.meter.clock_s
            self.store.save(Group.REGISTERS, self.registers())

    def fall(self) -> None:
        """The supply is gone; what the hold-up energy allows is written.  SupplyLostError where it ends before."""
        self.store.save(Group.REGISTERS, self.registers())
        self.store.save(Group.BILLING, self.billing())
        self.store.save(Group.COUNTERS, self.meter.operation.logs.encode_counts())
        self.store.save(Group.CONFIGURATION, self.state())

    def rise(self) -> None:
        """Begins with what the memory holds; a group that was never saved is as it left the factory."""
        self.store.recover()
        images: tuple[tuple[Group, Callable[[bytes], None]], ...] = (
            (Group.REGISTERS, self._take_registers),
            (Group.BILLING, lambda image: self._unpack(_BILLING, image)),
            (Group.CONFIGURATION, self._take_state),
        )
        for group, take in images:
            image = self.store.load(group)
            if image is not None:
                take(image)
        operation = self.meter.operation
        counts = self.store.load(Group.COUNTERS)
        rows = {group: self.store.rows(log) for group, log in _LOGS.items()}
        operation.logs = recovered(decode_counts(counts) if counts else {}, rows)
        operation.snapshots = tuple(decode_snapshot(row) for row in self.store.rows(Log.SNAPSHOTS))[-15:]
        self._snapshots = operation.snapshots[-1].number if operation.snapshots else 0
        operation.daily = tuple(decode_daily(row) for row in self.store.rows(Log.DAILY))[-DAILY_MAX:]
        self._day_s = operation.daily[-1].clock_s if operation.daily else 0

    # -- images

    def registers(self) -> bytes:
        """Energies and their remainders, demand that runs, and the clock."""
        s, row = self.meter.bank.state, self.meter.row
        head = _CLOCK.pack(int(s.now_s[row]), int(s.clock_error_ns[row]), int(s.next_sub[row]), int(s.rate[row]))
        return head + self._pack(_REGISTERS)

    def billing(self) -> bytes:
        """Maxima and how often each alarm was raised."""
        return self._pack(_BILLING)

    def state(self) -> bytes:
        """Supply switch, account and demand resets."""
        return msgspec.msgpack.encode(_state_of(self.meter.operation))

    def _pack(self, layout: tuple[tuple[str, str], ...]) -> bytes:
        s, row = self.meter.bank.state, self.meter.row
        return b"".join(getattr(s, name)[row].astype(kind).tobytes() for name, kind in layout)

    def _unpack(self, layout: tuple[tuple[str, str], ...], image: bytes) -> None:
        s, row, at = self.meter.bank.state, self.meter.row, 0
        sizes = [getattr(s, name)[row].size * np.dtype(kind).itemsize for name, kind in layout]
        if len(image) != sum(sizes):
            raise ForeignError(f"an image of {len(image)} bytes, not {sum(sizes)}")
        for (name, kind), size in zip(layout, sizes, strict=True):
            target: Any = getattr(s, name)
            target[row] = np.frombuffer(image[at : at + size], kind).reshape(target[row].shape)
            at += size

    def _take_registers(self, image: bytes) -> None:
        self._unpack(_REGISTERS, image[_CLOCK.size :])
        s, row = self.meter.bank.state, self.meter.row
        _, s.clock_error_ns[row], s.next_sub[row], s.rate[row] = _CLOCK.unpack_from(image)

    def _take_state(self, image: bytes) -> None:
        _take_state(self.meter.operation, _decoded(image, _State))


def forget(meter: Meter) -> None:
    """The working memory of a row is gone: what only it held falls to 0."""
    s, row = meter.bank.state, meter.row
    for name, _ in (*_REGISTERS, *_BILLING):
        getattr(s, name)[row] = 0
    meter.operation.forget()
