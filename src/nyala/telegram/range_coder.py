"""An integer range coder: symbols with 16-bit frequencies, and uniform bits, to the shortest byte string and back.

32 bits of range, bytes leave when it falls below 2^24 (Martin 1979).  `low` is here one integer of any length, so that a
carry needs no care; in C the bytes already written take it (add one, walk back over 0xFF).  The last symbol of a table
also gets what the division cut off, so that every byte string decodes to symbols: the decoder cannot fail, only its
caller can find a value that makes no sense.

The end is the shortest byte string that, followed by zeros for ever, lies within the final range.  A decoder reads the
missing bytes as zeros, so bytes padded with zeros (parity) decode alike.

Size: each `put` costs -log2(frequency / 65536) bits, or `width` bits, and at most `LOSS_BITS` more, because a range of at
least 2^24 is cut to whole multiples of 2^16; b bits in all take at most ceil(b / 8) bytes, because a range of 2^-8m holds a
multiple of 2^-8m.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from math import log2
from typing import Final

TOTAL_BITS: Final = 16
TOTAL: Final = 1 << TOTAL_BITS
"""The sum of the frequencies of a table."""
RANGE_BITS: Final = 32
WHOLE: Final = (1 << RANGE_BITS) - 1
"""The range at the beginning: fits a register of 32 bits."""
RENORM: Final = 1 << RANGE_BITS - 8
CHUNK_BITS: Final = 16
"""Uniform bits that are written at once."""
LOSS_BITS: Final = -log2(1 - 2.0**-8)
"""What the cut of the range may cost a symbol at most: 0.0057 bits."""


class Encoder:
    """Takes symbols; `finish` gives the bytes.  Trials go on from a `fork` and are compared."""

    __slots__ = ("low", "shift", "width")

    def __init__(self, low: int = 0, width: int = WHOLE, shift: int = 0) -> None:
        self.low, self.width, self.shift = low, width, shift

    def fork(self) -> "Encoder":
        """An encoder that goes on from here by itself."""
        return Encoder(self.low, self.width, self.shift)

    def is_shorter(self, other: "Encoder") -> bool:
        """Whether what was written here has cost less than what was written there: exact, no logarithm."""
        return self.width << other.shift > other.width << self.shift

    def put(self, table: Sequence[int], symbol: int) -> None:
        """A symbol of a table of cumulative frequencies (0, ..., 65536); its frequency is not 0."""
        unit, first, end = self.width >> TOTAL_BITS, table[symbol], table[symbol + 1]
        self.low += unit * first
        width = self.width - unit * first if end == TOTAL else unit * (end - first)
        while width < RENORM:
            self.low <<= 8
            width <<= 8
            self.shift += 8
        self.width = width

    def put_bits(self, value: int, bits: int) -> None:
        """A number below 2^bits, every value as likely as any other."""
        assert 0 <= value < 1 << bits
        while bits > 0:
            part = min(bits, CHUNK_BITS)
            bits -= part
            unit = self.width >> part
            self.low += unit * (value >> bits & (1 << part) - 1)
            while unit < RENORM:
                self.low <<= 8
                unit <<= 8
                self.shift += 8
            self.width = unit

    def put_each(self, steps: Iterable[tuple[Sequence[int], int, int, int]]) -> None:
        """`put` and `put_bits` for each (table, symbol, value, bits), at most `CHUNK_BITS`: one loop, for trials."""
        low, width, shift = self.low, self.width, self.shift
        for table, symbol, value, bits in steps:
            unit, first, end = width >> TOTAL_BITS, table[symbol], table[symbol + 1]
            low += unit * first
            width = width - unit * first if end == TOTAL else unit * (end - first)
            while width < RENORM:
                low <<= 8
                width <<= 8
                shift += 8
            if bits:
                width >>= bits
                low += width * value
                while width < RENORM:
                    low <<= 8
                    width <<= 8
                    shift += 8
        self.low, self.width, self.shift = low, width, shift

    def finish(self) -> bytes:
        """The shortest byte string within the range."""
        space = RANGE_BITS + self.shift
        for size in range(space // 8 + 1):
            rest = space - 8 * size
            head = -(-self.low >> rest)
            if head << rest < self.low + self.width:
                return head.to_bytes(size, "big")
        raise AssertionError("the range is empty")


class Decoder:
    """Takes symbols off a byte string, in the order in which they were put; never fails."""

    __slots__ = ("_at", "_code", "_data", "_width")

    def __init__(self, data: bytes) -> None:
        self._data, self._at, self._width = data, RANGE_BITS // 8, WHOLE
        self._code = min(int.from_bytes(data[: self._at].ljust(self._at, b"\0"), "big"), WHOLE - 1)

    @property
    def excess(self) -> int:
        """Bytes that no symbol so far has looked at: an encoder writes none."""
        return max(0, len(self._data) - self._at)

    def take(self, table: Sequence[int]) -> int:
        """The next symbol, of a table of cumulative frequencies."""
        unit = self._width >> TOTAL_BITS
        place = self._code // unit
        symbol = bisect_right(table, place) - 1 if place < TOTAL else len(table) - 2
        first, end = table[symbol], table[symbol + 1]
        self._code -= unit * first
        width = self._width - unit * first if end == TOTAL else unit * (end - first)
        self._narrow(width)
        return symbol

    def take_bits(self, bits: int) -> int:
        """The next number of so many uniform bits."""
        value = 0
        while bits > 0:
            part = min(bits, CHUNK_BITS)
            bits -= part
            unit = self._width >> part
            digit = min(self._code // unit, (1 << part) - 1)
            self._code = min(self._code - unit * digit, unit - 1)
            self._narrow(unit)
            value = value << part | digit
        return value

    def _narrow(self, width: int) -> None:
        while width < RENORM:
            data, at = self._data, self._at
            self._code = self._code << 8 | (data[at] if at < len(data) else 0)
            self._at = at + 1
            width <<= 8
        self._width = width
