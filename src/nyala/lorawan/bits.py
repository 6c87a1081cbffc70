"""Declared bit layouts: a class body *is* the standard's table, lowest bit first, little-endian on the air.

A field is `name: U4`; its order is from bit 0 upwards.  The codec is derived, so that a table cannot disagree with it.
"""

from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, ClassVar, Self, get_type_hints

from nyala.vocab.errors import BadArgumentError, FrameError


@dataclass(frozen=True, slots=True)
class Bits:
    """Width of a field; `signed` is two's complement."""

    width: int
    signed: bool = False


U1 = Annotated[int, Bits(1)]
U2 = Annotated[int, Bits(2)]
U3 = Annotated[int, Bits(3)]
U4 = Annotated[int, Bits(4)]
U8 = Annotated[int, Bits(8)]
U16 = Annotated[int, Bits(16)]
U24 = Annotated[int, Bits(24)]
U32 = Annotated[int, Bits(32)]
S6 = Annotated[int, Bits(6, signed=True)]


@dataclass(frozen=True, slots=True)
class Packed:
    """A group of bit fields that fills whole bytes."""

    SIZE: ClassVar[int] = 0

    def to_bytes(self) -> bytes:
        """The wire form; BadArgumentError for a value that does not fit its field."""
        word, shift = 0, 0
        for name, bits in self.layout():
            value: int = getattr(self, name)
            low = -(1 << bits.width - 1) if bits.signed else 0
            if not low <= value < low + (1 << bits.width):
                raise BadArgumentError(f"{type(self).__name__}.{name}={value} does not fit {bits.width} bits")
            word, shift = word | (value & (1 << bits.width) - 1) << shift, shift + bits.width
        return word.to_bytes(shift // 8, "little")

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The values of the wire form; FrameError for another length."""
        if len(data) != cls.size():
            raise FrameError(f"{cls.__name__} takes {cls.size()} bytes, got {len(data)}")
        word, values = int.from_bytes(data, "little"), {}
        for name, bits in cls.layout():
            value = word & (1 << bits.width) - 1
            values[name] = value - (1 << bits.width) if bits.signed and value >> bits.width - 1 else value
            word >>= bits.width
        return cls(**values)

    @classmethod
    @cache
    def size(cls) -> int:
        """Bytes on the air."""
        width = sum(bits.width for _, bits in cls.layout())
        assert width % 8 == 0, f"{cls.__name__} has {width} bits"
        return width // 8

    @classmethod
    @cache
    def layout(cls) -> tuple[tuple[str, Bits], ...]:
        """Fields with their widths, lowest bit first."""
        hints = get_type_hints(cls, include_extras=True)
        return tuple((field.name, hints[field.name].__metadata__[0]) for field in fields(cls))
