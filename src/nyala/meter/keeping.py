"""What a meter keeps: images of its registers, billing, state and counters in the modelled memory, and its return from them.

    tick    after time has passed: appends what was logged, saves a change of state at once, registers at each quarter of
            an hour, maxima and counters at each hour
    cut     the supply goes: saves everything within the hold-up energy, drops the working memory, and begins with what
            the memory holds.  Nothing that a meter does without supply changes that, so it is read at once

Energy since the last confirmed image is lost when even the power-fail save was cut; none is ever invented.  The load
profile of a bank stands for its ring in the flash: an edge in it proves its registers, as a log row proves its count.  The
clock goes on by its battery.  Settings are an image of their own, saved when one comes (`nyala.meter.settings`); what the
factory has set needs none.  Layout, parts and crash safety are in `nyala.meter.memory`.  A module keeps an image of its own
here, whose content is its business.
"""

from collections.abc import Callable
from functools import cache
from struct import Struct
from typing import Any, Final, TypeVar

import msgspec
import numpy as np

from nyala.meter import limiter, settings
from nyala.meter.credit import Account
from nyala.meter.logs import Entry, LogBook, LogGroup, decode_counts, event_row, recovered
from nyala.meter.memory.device import Device, SupplyLostError
from nyala.meter.memory.device import Supply as MemorySupply
from nyala.meter.memory.hold_up import HoldUp
from nyala.meter.memory.layout import Group, Log, standard_layout
from nyala.meter.memory.parts import part
from nyala.meter.memory.records import RecordStore, new_devices
from nyala.meter.meter import Meter
from nyala.meter.operation import DAILY_MAX, Daily, Operation, decode_daily
from nyala.meter.settings_codec import encode_settings
from nyala.meter.snapshots import MONTHS, Snapshot, decode_snapshot
from nyala.meter.state import Integers
from nyala.meter.supply import Supply
from nyala.vocab.errors import ForeignError
from nyala.vocab.quantities import MWS_PER_WH
from nyala.vocab.time import HOUR_S

Kept = TypeVar("Kept")
SAVE_S: Final = 900
"""Registers are saved at each quarter of an hour."""
_REGISTERS: Final = (
    ("wh", "<i8"),
    ("rest_mws", "<u4"),
    ("phase_wh", "<i8"),
    ("phase_rest_mws", "<u4"),
    ("demand_mws", "<i8"),
    ("sub_mws", "<i8"),
)
_BILLING: Final = (("max_w", "<u4"), ("max_at_s", "<u4"), ("raised", "<u4"))
_WORKING: Final = ("demand_w", "spoiled", "slew_ns")
"""Working memory that no image keeps."""
_CLOCK: Final = Struct("<qqq")
HOLD_UP_BYTES: Final = HoldUp().bytes_within(part("eeprom"))
"""What the capacitor of the design has the energy for; a tired one less."""
_LAYOUT: Final = cache(standard_layout)
_LOGS: Final = {group: Log(group.value) for group in LogGroup}


class _State(msgspec.Struct):
    """What the operation keeps beside registers."""

    supply: Supply
    account: Account | None
    reset_count: int
    previous: tuple[int, ...]
    cumulative: tuple[int, ...]
    dates: tuple[int, int, int | None]
    limits: limiter.LimiterState | None = None


class _Whole(msgspec.Struct):
    """Everything of an operation that is not in the bank's arrays."""

    state: _State
    logs: LogBook
    snapshots: tuple[Snapshot, ...]
    daily: tuple[Daily, ...]
    settings: bytes | None = None


def _state_of(operation: Operation) -> _State:
    return _State(
        operation.supply,
        operation.account,
        operation.reset_count,
        operation.previous,
        operation.cumulative,
        operation.dates,
        operation.limits,
    )


def _take_state(operation: Operation, kept: _State) -> None:
    operation.supply, operation.account = kept.supply, kept.account
    operation.reset_count, operation.previous, operation.cumulative = kept.reset_count, kept.previous, kept.cumulative
    operation.dates = kept.dates
    if operation.plan is not None:
        operation.limits = limiter.start(operation.plan, int(operation.bank.now_s[operation.row]), before=kept.limits)
    else:
        operation.limits = kept.limits
    operation.bank.closed[operation.row] = operation.supply.output.value != 0


def whole(operation: Operation) -> bytes:
    """Everything of an operation, for whoever keeps the arrays of the bank too: a simulated world between two runs."""
    blocks = encode_settings(operation.settings) if operation.settings.blocks else None
    return msgspec.msgpack.encode(_Whole(_state_of(operation), operation.logs, operation.snapshots, operation.daily, blocks))


def take_whole(operation: Operation, image: bytes) -> None:
    """Goes on with what `whole` gave; ForeignError for other bytes."""
    kept = _decoded(image, _Whole)
    _take_state(operation, kept.state)
    operation.logs, operation.snapshots, operation.daily = kept.logs, kept.snapshots, kept.daily
    settings.restore(operation, kept.settings)


def _decoded(image: bytes, kind: type[Kept]) -> Kept:
    try:
        return msgspec.msgpack.decode(image, type=kind)
    except msgspec.MsgspecError as error:
        raise ForeignError(f"an image of the state: {error}") from None


class Keeper:
    """The memory of one meter.  Its parts are made at the first `tick`, and then hold all that the meter remembers."""

    def __init__(self, meter: Meter, *, seed: int = 0) -> None:
        self.meter, self.seed = meter, seed
        self.power = MemorySupply()
        self.devices: dict[str, Device] = {}
        self.store: RecordStore
        self.cuts = self.torn = 0
        """Power-fail saves, and those of them that did not end."""
        self.saved_s = meter.clock_s
        """Clock of the newest image of the registers."""
        self._state = self._state_key()
        self._settings = meter.operation.settings
        self._snapshots = self._day_s = 0

    @property
    def begun(self) -> bool:
        """It has parts."""
        return bool(self.devices)

    def tick(self, *, registers: bool = False) -> list[Entry]:
        """After time has passed; answers what was logged since the last time.  `registers`: save them in any case."""
        operation, happened = self.meter.operation, self.meter.operation.take_happened()
        if not self.begun:
            self._begin()
            return happened
        for entry in happened:
            self.store.append(_LOGS[event_row(entry.event).group], entry.encode())
        self._append_rows()
        state, clock_s = self._state_key(), self.meter.clock_s
        hour = clock_s // HOUR_S != self.saved_s // HOUR_S
        quarter = clock_s // SAVE_S != self.saved_s // SAVE_S
        if registers or quarter or state != self._state:
            self._save_registers()
        if hour or state[0] != self._state[0]:
            self._save_counted()
        if state != self._state or (quarter and operation.account is not None):
            self._save_state()
        if operation.settings is not self._settings:
            self._save_settings()
        return happened

    def save_module(self, image: bytes) -> None:
        """The module's own."""
        self.store.save(Group.TWIN, image)

    def cut(self, module: bytes, hold_up_bytes: int = HOLD_UP_BYTES) -> bytes:
        """The supply goes, and `hold_up_bytes` can still be written; answers what is left of the module's image."""
        self.cuts += 1
        self.power.fail_after(hold_up_bytes)
        try:
            self.fall(module)
        except SupplyLostError:
            self.torn += 1
        self.power.restore()
        forget(self.meter)
        kept = self.rise()
        assert kept is not None, "a module saves its image before it speaks"
        return kept

    def fall(self, module: bytes) -> None:
        """Saves what a power fail saves, in the order of the layout.  SupplyLostError where the hold-up energy ends before."""
        self._save_registers()
        self._save_counted()
        self.store.save(Group.TWIN, module)
        self.store.save(Group.CONFIGURATION, self.state())

    def rise(self) -> bytes | None:
        """Begins with what the memory holds; a group that was never saved is as it left the factory.  The module's image."""
        self.store = RecordStore(self.store.layout, self.devices)
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
        rows = {group: found for group, log in _LOGS.items() if (found := self.store.rows(log))}
        operation.logs = recovered(decode_counts(counts) if counts else {}, rows)
        operation.snapshots = tuple(decode_snapshot(row) for row in self.store.rows(Log.SNAPSHOTS))[-MONTHS:]
        operation.daily = tuple(decode_daily(row) for row in self.store.rows(Log.DAILY))[-DAILY_MAX:]
        settings.restore(operation, self.store.load(Group.SETTINGS))
        self._state, self._settings = self._state_key(), operation.settings
        return self.store.load(Group.TWIN)

    # -- writing

    def _begin(self) -> None:
        """Makes the parts, and writes everything into them."""
        layout = _LAYOUT(self.meter.period_s)
        self.devices = new_devices(layout, self.power, seed=self.seed)
        self.store = RecordStore(layout, self.devices)
        self.store.recover()
        for group, log in _LOGS.items():
            for entry in self.meter.operation.logs.of(group):
                self.store.append(log, entry.encode())
        self._append_rows()
        self._save_registers()
        self._save_counted()
        self._save_state()
        if self.meter.operation.settings.blocks:
            self._save_settings()

    def _append_rows(self) -> None:
        for snapshot in self.meter.operation.snapshots:
            if snapshot.number > self._snapshots:
                self.store.append(Log.SNAPSHOTS, snapshot.encode())
                self._snapshots = snapshot.number
        for row in self.meter.operation.daily:
            if row.clock_s > self._day_s:
                self.store.append(Log.DAILY, row.encode())
                self._day_s = row.clock_s

    def _save_registers(self) -> None:
        self.store.save(Group.REGISTERS, self.registers())
        self.saved_s = self.meter.clock_s

    def _save_counted(self) -> None:
        self.store.save(Group.BILLING, self.billing())
        self.store.save(Group.COUNTERS, self.meter.operation.logs.encode_counts())

    def _state_key(self) -> tuple[object, ...]:
        """What makes a save of the state due; an account moves with the registers, and is saved with them.

        First the demand resets: one that were kept without its maxima would give the old ones to the new period.
        """
        operation, limits = self.meter.operation, self.meter.operation.limits
        standing = None if limits is None else (limits.phase, limits.recloses_s)
        return operation.reset_count, operation.supply, operation.dates, standing

    def _save_state(self) -> None:
        self.store.save(Group.CONFIGURATION, self.state())
        self._state = self._state_key()

    def _save_settings(self) -> None:
        self.store.save(Group.SETTINGS, encode_settings(self.meter.operation.settings))
        self._settings = self.meter.operation.settings

    # -- images

    def registers(self) -> bytes:
        """Energies and their remainders, demand that runs, and the clock."""
        s, row = self.meter.bank.state, self.meter.row
        head = _CLOCK.pack(self.meter.clock_s, int(s.next_sub[row]), int(s.rate[row]))
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
        self.saved_s, s.next_sub[row], s.rate[row] = _CLOCK.unpack_from(image)
        proven = s.edge_wh[row, (s.next_edge[row] - 1) % s.edge_wh.shape[1]]
        for channel, edge_wh in zip(s.profiled.tolist(), proven.tolist(), strict=True):
            if edge_wh > s.wh[row, channel, 0]:
                _raise_total(s.wh[row, channel], s.rest_mws[row, channel], edge_wh, int(s.rate[row]))

    def _take_state(self, image: bytes) -> None:
        _take_state(self.meter.operation, _decoded(image, _State))


def _raise_total(wh: Integers, rest_mws: Integers, total_wh: int, rate: int) -> None:
    """A total is raised to what an edge proves, and the difference belongs to the rate that ran."""
    missing_mws = (total_wh - int(wh[0])) * MWS_PER_WH - int(rest_mws[0])
    wh[0], rest_mws[0] = total_wh, 0
    wh[rate], rest_mws[rate] = divmod(int(wh[rate]) * MWS_PER_WH + int(rest_mws[rate]) + missing_mws, MWS_PER_WH)


def forget(meter: Meter) -> None:
    """The working memory of a row is gone: what only it held falls to 0."""
    s, row = meter.bank.state, meter.row
    for name in (*(name for name, _ in (*_REGISTERS, *_BILLING)), *_WORKING):
        getattr(s, name)[row] = 0
    meter.operation.forget()
