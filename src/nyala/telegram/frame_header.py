"""The header of a periodic frame: which intervals it carries, by which tables, and what follows.

A frame carries a block: `COUNTS[count]` intervals that begin at a multiple of that count, so that a number names a block:
its first interval is `number * count`.  Said are the low `NUMBER_BITS` bits of the number, resolved by the time of
reception; a back-fill answer says all of it.  The length of an interval is a setting of the meter and is not said.
`FIELDS` is the table: bits, highest first, that fill whole bytes in both forms.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Final

from nyala.telegram.bits import BitWriter
from nyala.telegram.intervals import nearest
from nyala.vocab.errors import BadArgumentError, TelegramError


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the header; `full_width` where the number is said in full."""

    name: str
    width: int
    full_width: int
    meaning: str


def _places(widths: Sequence[int]) -> list[tuple[int, int]]:
    """Shift and mask of fields of these widths, the highest bits first."""
    return [(sum(widths[at + 1 :]), (1 << width) - 1) for at, width in enumerate(widths)]


NUMBER_BITS: Final = 8
FULL_NUMBER_BITS: Final = 32
EPOCH_BITS: Final = 2
MODEL_BITS: Final = 3
OWN_BITS: Final = 5
FIELDS: Final = (
    Field("epoch", EPOCH_BITS, EPOCH_BITS, "epoch of the tables, mod 4"),
    Field("model", MODEL_BITS, MODEL_BITS, "what the body is: RAW, or an id of the coder (tables, channels)"),
    Field("count", 3, 3, "intervals of the block, a code of COUNTS"),
    Field("number", NUMBER_BITS, FULL_NUMBER_BITS, "number of the block, its low bits or all"),
    Field("own", OWN_BITS, OWN_BITS, "bytes of the body, mod 32; not mod 32 where parity follows"),
    Field("parity", 1, 1, "parity of earlier bodies follows the body"),
    Field("pending", 1, 1, "an event waits to be sent"),
    Field("doubtful", 1, 1, "the clock was not set since it stood still"),
)
COUNTS: Final = (1, 2, 4, 6, 8, 12, 24, 60)
"""Intervals of a block by its code: an hour of every period, and what halves and doubles it."""
RAW: Final = 0
"""The model of a body that needs no tables."""
MODELS: Final = 1 << MODEL_BITS
OWN_LIMIT: Final = 1 << OWN_BITS
HEADER_BYTES: Final = sum(field.width for field in FIELDS) // 8
FULL_HEADER_BYTES: Final = sum(field.full_width for field in FIELDS) // 8
_PLACES: Final = _places([field.width for field in FIELDS])
_FULL_PLACES: Final = _places([field.full_width for field in FIELDS])
REACH: Final = 1 << NUMBER_BITS - 1
"""Blocks before or after the time of reception that a short number tells apart."""


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of `FIELDS`, in their order.  `number` is what is said: short or in full."""

    epoch: int
    model: int
    count: int
    number: int
    own: int
    parity: bool = False
    pending: bool = False
    doubtful: bool = False

    @property
    def intervals(self) -> int:
        """Intervals of the block."""
        return COUNTS[self.count]

    @property
    def lead(self) -> int:
        """Epoch, model and count as the first byte says them: parity covers only bodies that agree in it."""
        return self.epoch << 6 | self.model << 3 | self.count


def header_bytes(*, full: bool) -> int:
    """Bytes of the header."""
    return FULL_HEADER_BYTES if full else HEADER_BYTES


def encode_header(header: Header, *, full: bool = False) -> bytes:
    """The wire form; BadArgumentError for a value that does not fit its field."""
    out = BitWriter()
    for field, value in zip(FIELDS, astuple(header), strict=True):
        out.put(int(value), field.full_width if full else field.width)
    return out.to_bytes()


def decode_header(payload: bytes, *, full: bool = False) -> Header:
    """The header at the beginning of a payload; TelegramError where it is cut short."""
    size = header_bytes(full=full)
    if len(payload) < size:
        raise TelegramError(f"frame of {len(payload)} bytes ends within its header")
    word = int.from_bytes(payload[:size], "big")
    epoch, model, count, number, own, *flags = [word >> shift & mask for shift, mask in (_FULL_PLACES if full else _PLACES)]
    return Header(epoch, model, count, number, own, *map(bool, flags))


def block_number(first: int, intervals: int) -> int:
    """Number of the block of so many intervals from the absolute index `first` on; BadArgumentError where none begins."""
    if first % intervals:
        raise BadArgumentError(f"no block of {intervals} intervals begins with interval {first}")
    return first // intervals


def resolved(header: Header, period_s: int, received_s: int) -> int:
    """The whole number of the block of a short header, received at `received_s`, intervals of `period_s` seconds.

    It is the nearest to what ended last before the reception; TelegramError for one before 1970.
    """
    number = nearest(header.number, NUMBER_BITS, received_s // (period_s * header.intervals) - 1)
    if number < 0:
        raise TelegramError(f"block {header.number} of {header.intervals} intervals is before 1970")
    return number
