"""Layouts as tables: the fields of a telegram, most significant bit first, and what their codes stand for.

One table is read by the codec, by the specification (`docs/telegram.md`) and by the decoder in JavaScript (`javascript`).
Not here: the values of intervals and quantities, whose widths depend on what came before (`intervals`, `values`, `frames`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from nyala.telegram.bits import BitReader, BitWriter
from nyala.vocab.errors import BadArgumentError, TelegramError

Said = dict[str, Any]
"""The values of a telegram by the names of their fields."""


@dataclass(frozen=True, slots=True)
class Field:
    """A number of so many bits; `plus` is what is added to it, `codes` what it stands for (None: itself)."""

    name: str
    width: int
    meaning: str
    codes: Mapping[int, Any] | None = None
    plus: int = 0


@dataclass(frozen=True, slots=True)
class Repeat:
    """Fields that come 1 to `most` times, to the end of the telegram.  One field alone is a list of its values."""

    name: str
    fields: tuple[Field, ...]
    most: int


class Layout:
    """Fields, and what is repeated behind them."""

    __slots__ = ("_codes", "_plan", "_row", "fields", "repeat", "width")

    def __init__(self, *fields: Field, repeat: Repeat | None = None) -> None:
        self.fields, self.repeat = fields, repeat
        self.width = sum(each.width for each in fields)
        # Read for every telegram: what does not change is reckoned once.
        left, plan = self.width, []
        for each in fields:
            left -= each.width
            plan.append((each.name, left, (1 << each.width) - 1, each.codes, each.plus))
        self._plan = tuple(plan)
        self._codes = {each.name: {value: code for code, value in (each.codes or {}).items()} for each in fields}
        self._row = Layout(*repeat.fields) if repeat is not None else None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all that it says."""
        return (*(each.name for each in self.fields), *([self.repeat.name] if self.repeat else []))

    def put(self, out: BitWriter, said: Mapping[str, Any]) -> None:
        """Appends the values; BadArgumentError for one that cannot be said."""
        word = 0
        for name, shift, most, codes, plus in self._plan:
            number = said[name] - plus if codes is None else self._codes[name].get(said[name], -1)
            if not 0 <= number <= most:
                raise BadArgumentError(f"{name} {said[name]!r} cannot be said in {most.bit_length()} bits")
            word |= number << shift
        out.put(word, self.width)
        if self.repeat is not None and self._row is not None:
            rows, (first, *others) = said[self.repeat.name], self.repeat.fields
            if not 1 <= len(rows) <= self.repeat.most:
                raise BadArgumentError(f"{len(rows)} {self.repeat.name}; 1 to {self.repeat.most} can be said")
            for row in rows:
                self._row.put(out, row if others else {first.name: row})

    def take(self, bits: BitReader) -> Said:
        """Takes the values and with a repeat all that is left; TelegramError for any other bits."""
        word = bits.take(self.width)
        said: Said = {}
        for name, shift, most, codes, plus in self._plan:
            number = word >> shift & most
            if codes is None:
                said[name] = number + plus
            elif number in codes:
                said[name] = codes[number]
            else:
                raise TelegramError(f"{name} {number} is unknown")
        if self.repeat is not None and self._row is not None:
            count, rest = divmod(bits.left, self._row.width)
            if rest or not 1 <= count <= self.repeat.most:
                raise TelegramError(f"{bits.left} bits of {self.repeat.name}")
            rows, (first, *others) = [self._row.take(bits) for _ in range(count)], self.repeat.fields
            said[self.repeat.name] = rows if others else [row[first.name] for row in rows]
        return said

    def encode(self, said: Mapping[str, Any]) -> bytes:
        """A payload that is this and nothing else."""
        out = BitWriter()
        self.put(out, said)
        return out.to_bytes()

    def decode(self, payload: bytes) -> Said:
        """The values of a payload that is this and nothing else; TelegramError for any other bytes."""
        bits = BitReader(payload)
        said = self.take(bits)
        bits.expect_padding()
        return said


def codes_of(codes: Iterable[IntEnum]) -> Mapping[int, Any]:
    """The codes of an enumeration."""
    return {each.value: each for each in codes}
