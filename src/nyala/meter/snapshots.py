"""Billing snapshots: registers and maximum demands frozen at a reset, 15 months of them; and who may reset when.  Pure.

The energy registers are frozen whole (total and rates of all channels, whole Wh); the maxima are those of the period
that ends.  The registers run on; the maxima begin again, which is the caller's.

    row: number u32, clock i64, reason u8, then 8 x 9 registers i64, then 6 x 9 maxima (value u32, end of its period i64)

A reset is refused within the lock-out time of its source after the last reset (DIN 43863-3 knows such a time; its
length is a setting of the meter).  Clauses are recalled.
"""

from collections.abc import Sequence, Sized
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import Final, TypeVar

from nyala.vocab.errors import BadArgumentError, ForeignError
from nyala.vocab.quantities import RATES, Channel
from nyala.vocab.time import HOUR_S

MONTHS: Final = 15
"""Snapshots that a meter keeps: a year and a quarter."""
DEMANDS: Final = ("import_w", "export_w", "plus_var", "minus_var", "import_va", "export_va")
"""Demand quantities in the order of the catalogue (`max_import_w` ...)."""
T = TypeVar("T")
COLUMNS: Final = 1 + RATES
"""Total and rates."""
_HEAD = Struct("<IqB")
_REGISTERS = Struct(f"<{len(Channel) * COLUMNS}q")
_MAXIMUM = Struct("<Iq")
ROW_BYTES: Final = _HEAD.size + _REGISTERS.size + len(DEMANDS) * COLUMNS * _MAXIMUM.size


class Reason(IntEnum):
    """What froze the values."""

    CALENDAR = 0
    BUTTON = 1
    COMMAND = 2


LOCK_OUT_S: Final = {Reason.CALENDAR: 0, Reason.BUTTON: 12 * HOUR_S, Reason.COMMAND: 900}
"""Seconds after the last reset, whatever its source, within which this one is refused.

The calendar is the contract and always acts.  A button is at everybody's hand and is kept from splitting a month twice
in one visit; a command repeated within one demand period of 15 minutes is one command.
"""


@dataclass(frozen=True, slots=True)
class Maximum:
    """A maximum demand, in W, var or VA, and the end of its period by the meter's clock; 0, 0: none yet."""

    value: int = 0
    at_s: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a billing period ended with.  `registers_wh` 8 channels x 9, `maxima` 6 demands x 9: total first, then rates."""

    number: int
    clock_s: int
    reason: Reason
    registers_wh: tuple[tuple[int, ...], ...]
    maxima: tuple[tuple[Maximum, ...], ...]

    def __post_init__(self) -> None:
        if [len(row) for row in self.registers_wh] != [COLUMNS] * len(Channel):
            raise BadArgumentError(f"a snapshot has {len(Channel)} x {COLUMNS} registers")
        if [len(row) for row in self.maxima] != [COLUMNS] * len(DEMANDS):
            raise BadArgumentError(f"a snapshot has {len(DEMANDS)} x {COLUMNS} maxima")
        if not 0 <= self.number < 2**32 or any(not 0 <= each.value < 2**32 for row in self.maxima for each in row):
            raise BadArgumentError("number and maxima of a snapshot have 32 bits")
        if any(not 0 <= wh < 2**63 for row in self.registers_wh for wh in row):
            raise BadArgumentError("registers of a snapshot are int64 and not negative")

    def encode(self) -> bytes:
        """A row of `ROW_BYTES`."""
        registers = _REGISTERS.pack(*(wh for row in self.registers_wh for wh in row))
        maxima = b"".join(_MAXIMUM.pack(each.value, each.at_s) for row in self.maxima for each in row)
        return _HEAD.pack(self.number, self.clock_s, self.reason) + registers + maxima


def decode_snapshot(row: bytes) -> Snapshot:
    """The snapshot of a row; ForeignError for bytes that are none."""
    if len(row) != ROW_BYTES:
        raise ForeignError(f"a snapshot has {ROW_BYTES} bytes, got {len(row)}")
    number, clock_s, reason = _HEAD.unpack_from(row)
    registers = _REGISTERS.unpack_from(row, _HEAD.size)
    maxima = [Maximum(*pair) for pair in _MAXIMUM.iter_unpack(row[_HEAD.size + _REGISTERS.size :])]
    if reason not in set(Reason) or min(registers) < 0:
        raise ForeignError(f"snapshot {number}: reason {reason} or a register is none")
    return Snapshot(number, clock_s, Reason(reason), _table(registers, Channel), _table(maxima, DEMANDS))


def _table(flat: Sequence[T], names: Sized) -> tuple[tuple[T, ...], ...]:
    return tuple(tuple(flat[at * COLUMNS : (at + 1) * COLUMNS]) for at in range(len(names)))


def keep(snapshots: tuple[Snapshot, ...], new: Snapshot) -> tuple[Snapshot, ...]:
    """The ring with a new snapshot, the oldest first.  BadArgumentError where its number does not follow."""
    if snapshots and new.number != snapshots[-1].number + 1:
        raise BadArgumentError(f"snapshot {new.number} does not follow {snapshots[-1].number}")
    return (*snapshots, new)[-MONTHS:]


def locked_s(source: Reason, clock_s: int, last_s: int | None, lock_out_s: dict[Reason, int] | None = None) -> int:
    """Seconds for which a reset by this source is still refused; 0: it may.  `last_s`: clock at the last reset, if any.

    After a clock was set back behind the last reset nothing is locked: the lock-out protects a period, not a date.
    """
    lock_s = (LOCK_OUT_S if lock_out_s is None else lock_out_s)[source]
    if last_s is None or clock_s < last_s:
        return 0
    return max(last_s + lock_s - clock_s, 0)
