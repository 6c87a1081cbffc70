"""Bit strings, most significant bit first, as all telegrams are written."""

from nyala.vocab.errors import BadArgumentError, TelegramError


class BitWriter:
    """Appends fields; `to_bytes` pads the last byte with zero bits."""

    __slots__ = ("_word", "width")

    def __init__(self) -> None:
        self._word, self.width = 0, 0

    def put(self, value: int, width: int) -> None:
        """Appends an unsigned field; BadArgumentError for a value that does not fit."""
        if value < 0 or value >> width:
            raise BadArgumentError(f"{value} does not fit {width} bits")
        self._word = self._word << width | value
        self.width += width

    def put_signed(self, value: int, width: int) -> None:
        """Appends a two's complement field; BadArgumentError for a value that does not fit."""
        if not -(1 << width - 1) <= value < 1 << width - 1:
            raise BadArgumentError(f"{value} does not fit {width} bits with sign")
        self.put(value & (1 << width) - 1, width)

    def to_bytes(self) -> bytes:
        """All that was written."""
        size = (self.width + 7) // 8
        return (self._word << 8 * size - self.width).to_bytes(size, "big")


class BitReader:
    """Takes fields off a byte string; TelegramError where it is too short."""

    __slots__ = ("_word", "left")

    def __init__(self, data: bytes) -> None:
        self._word, self.left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, width: int) -> int:
        """An unsigned field."""
        left = self.left - width
        if left < 0:
            raise TelegramError(f"telegram is cut short: {width} bits wanted, {self.left} left")
        self.left = left
        return self._word >> left & (1 << width) - 1

    def take_signed(self, width: int) -> int:
        """A two's complement field."""
        value = self.take(width)
        return value - (1 << width) if value >> width - 1 else value

    def expect_padding(self) -> None:
        """What is left must be the zero bits that fill the last byte."""
        if self.left >= 8 or self._word & (1 << self.left) - 1:
            raise TelegramError(f"{self.left} bits behind the end of the telegram")
