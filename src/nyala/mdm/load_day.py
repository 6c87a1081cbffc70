"""The load day: one meter, one channel, one UTC day of interval values with a quality each.  The unit of meter data.

Values are whole Wh (varh, VAh): differences of the register's whole units, so that a day stands alone and sums to the
register.  A value that is not there has quality MISSING and counts 0.  The registers at the two ends of the day, where
known, prove the sum.

Stored as two blocks: values = one byte of width (0, 1, 2, 4 or 8) and little-endian integers of that width; width 0 is
all zero.  Qualities = one byte each, or one byte in all where they are equal.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nyala.vocab.errors import ForeignError
from nyala.vocab.quality import ESTIMATED, Quality
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S

_WIDTHS: Final = (0, 1, 2, 4, 8)
_TYPES: Final[dict[int, np.dtype[Any]]] = {
    width: np.dtype(f"<{kind}{width}") for width, kind in ((1, "u"), (2, "u"), (4, "u"), (8, "i"))
}
_LIMITS: Final = {0: 0, 1: (1 << 8) - 1, 2: (1 << 16) - 1, 4: (1 << 32) - 1}
_MISSING: Final = int(Quality.MISSING)
_ESTIMATED: Final = tuple(int(quality) for quality in ESTIMATED)


class Key(NamedTuple):
    """Which load day."""

    meter_id: int
    day: int
    """UTC day number."""
    channel: Channel


@dataclass(slots=True)
class LoadDay:
    """A load day in memory.  `values` and `qualities` have one entry per interval of the day."""

    key: Key
    period_s: int
    values: NDArray[np.int64]
    qualities: NDArray[np.uint8]
    version: int = 1
    open_wh: int | None = None
    """Register at the start of the day."""
    close_wh: int | None = None
    """Register at the end of the day."""
    estimates: bool = False
    """Some values are estimates, or were."""

    @property
    def missing(self) -> int:
        """Intervals without a value."""
        return self.qualities.tobytes().count(_MISSING)


@dataclass(frozen=True, slots=True)
class LoadDayRow:
    """A load day as it is stored."""

    key: Key
    version: int
    period_s: int
    open_wh: int | None
    close_wh: int | None
    values: bytes
    qualities: bytes
    energy_wh: int = 0
    """Sum of the values; with the two counts below what lists need without opening the blocks.  Written, never read back."""
    missing: int = 0
    estimated: int = 0


def empty(key: Key, period_s: int) -> LoadDay:
    """A load day of which nothing is known."""
    count = DAY_S // period_s
    return LoadDay(key, period_s, np.zeros(count, np.int64), np.zeros(count, np.uint8))


def encode_values(values: NDArray[np.int64]) -> bytes:
    """The value block."""
    highest = int(values.view(np.uint64).max())
    assert highest < 1 << 63, "interval values are never negative"
    width = next(width for width in _WIDTHS if width == 8 or highest <= _LIMITS[width])
    return bytes([width]) + (values.astype(_TYPES[width]).tobytes() if width else b"")


def decode_values(block: bytes, count: int) -> NDArray[np.int64]:
    """The values of a block of `count` intervals; ForeignError for another length or width."""
    width = block[0] if block else -1
    if width not in _WIDTHS or len(block) != 1 + width * count:
        raise ForeignError(f"value block of {len(block)} bytes for {count} intervals of width {width}")
    if width == 0:
        return np.zeros(count, np.int64)
    values: NDArray[np.int64] = np.frombuffer(block, _TYPES[width], offset=1).astype(np.int64)
    return values


def encode_qualities(qualities: NDArray[np.uint8]) -> bytes:
    """The quality block."""
    block = qualities.tobytes()
    return block[:1] if block == block[:1] * len(block) else block


def decode_qualities(block: bytes, count: int) -> NDArray[np.uint8]:
    """The qualities of a block of `count` intervals; ForeignError for another length or code."""
    if len(block) not in (1, count):
        raise ForeignError(f"quality block of {len(block)} bytes for {count} intervals")
    codes = np.frombuffer(block * count if len(block) == 1 else block, np.uint8).copy()
    if codes.max() > max(Quality):
        raise ForeignError(f"quality block with code {codes.max()}")
    return codes


def to_row(day: LoadDay) -> LoadDayRow:
    """The stored form."""
    codes = day.qualities.tobytes()
    return LoadDayRow(
        key=day.key,
        version=day.version,
        period_s=day.period_s,
        open_wh=day.open_wh,
        close_wh=day.close_wh,
        values=encode_values(day.values),
        qualities=encode_qualities(day.qualities),
        energy_wh=int(day.values.sum()),
        missing=codes.count(_MISSING),
        estimated=sum([codes.count(code) for code in _ESTIMATED]),
    )


def from_row(row: LoadDayRow) -> LoadDay:
    """The form in memory; ForeignError for blocks that are not such."""
    count = DAY_S // row.period_s
    return LoadDay(
        key=row.key,
        period_s=row.period_s,
        values=decode_values(row.values, count),
        qualities=decode_qualities(row.qualities, count),
        version=row.version,
        open_wh=row.open_wh,
        close_wh=row.close_wh,
        estimates=any(code in row.qualities for code in _ESTIMATED),
    )
