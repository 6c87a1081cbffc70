"""What the coder of interval values believes of a load: alphabet, contexts, frequency tables.  No coding here.

Alphabet.  A value is a token and raw low bits: exact to 15, then eight steps in each octave to 2^15; `ESCAPE` stands for
all above, said by the number of its bits.

Contexts.  A value is seen in one of `CONTEXTS` places: the class of the value before it in the frame (`FIRST` where there is
none) x a second class: of the running level of the frame where the channel has no condition, else of the same
interval of its condition, an energy that is coded before it (`SETTINGS`).  Contexts look at nothing outside the frame.

Models.  A setting has up to `MODELS_MAX` models: one byte a context, the number of its distribution in the setting's pool.
A model is of a form: it says the values, or the first and then the differences (signs folded: 0, -1, 1, -2 ...), which
suits large smooth loads.  The encoder tries all, and `plain` bits of one width, which bounds the size.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Final

from nyala.telegram.range_coder import TOTAL
from nyala.vocab.quantities import Channel

EXACT: Final = 16
STEP_BITS: Final = 3
"""Eight steps in each octave above `EXACT`."""
VALUE_BITS: Final = 15
VALUES: Final = 1 << VALUE_BITS
"""Values that have a token; an interval of the largest direct-connected meter is 22,425 Wh."""
ESCAPE: Final = EXACT + (VALUE_BITS - 4 << STEP_BITS)
TOKENS: Final = ESCAPE + 1
REGISTER_BITS: Final = 63
REGISTER_MAX: Final = (1 << REGISTER_BITS) - 1
"""The most that a register holds, and so an interval."""
WIDTH_BITS: Final = 6
"""Says a number of bits, 0 to 63."""
CLASSES: Final = 40
FIRST: Final = CLASSES
CONTEXTS: Final = (CLASSES + 1) * CLASSES
MODELS_MAX: Final = 8
POOL_MAX: Final = 64
LEVEL_BITS: Final = 4
"""Fraction of the running level."""
LEVEL_PACE: Final = 2
"""A value moves the level by a quarter of its distance."""


class Form(IntEnum):
    """What the symbols of a model are.  The running level begins with the symbol of this number."""

    VALUES = 0
    DIFFERENCES = 1


@dataclass(frozen=True, slots=True)
class Setting:
    """How one channel is seen: which tables, on the condition of which channel, and whether only what exceeds it is coded."""

    tables: str
    condition: Channel | None = None
    excess: bool = False


ALONE: Final = Setting("import")
"""How a channel is seen whose condition does not travel with it."""
SETTINGS: Final[Mapping[Channel, Setting]] = {
    Channel.IMPORT: ALONE,
    Channel.EXPORT: Setting("export", Channel.IMPORT),
    Channel.Q1: Setting("reactive", Channel.IMPORT),
    Channel.Q2: Setting("reactive", Channel.EXPORT),
    Channel.Q3: Setting("other_reactive", Channel.Q2),
    Channel.Q4: Setting("other_reactive", Channel.Q1),
    Channel.IMPORT_VA: Setting("apparent", Channel.IMPORT, excess=True),
    Channel.EXPORT_VA: Setting("apparent", Channel.EXPORT, excess=True),
}
"""Channels in the order in which they are coded."""
TABLES: Final = ("import", "export", "reactive", "other_reactive", "apparent")


@dataclass(frozen=True, slots=True)
class Tables:
    """The models of one setting.  `choice`, `pool`: cumulative frequencies; `maps`: a model's distribution by context."""

    choice: tuple[int, ...]
    forms: tuple[Form, ...]
    maps: tuple[bytes, ...]
    pool: tuple[tuple[int, ...], ...]

    @property
    def plain(self) -> int:
        """The choice that stands for plain bits."""
        return len(self.maps)

    @property
    def size_bytes(self) -> int:
        """Bytes in the flash of a module, as `load_model_file` lays them out: 16 bits a frequency."""
        frequencies = sum(len(table) - 1 for table in (self.choice, *self.pool))
        return 2 + len(self.forms) + sum(map(len, self.maps)) + 2 * frequencies


@dataclass(frozen=True, slots=True)
class LoadModel:
    """A prior: its tables by name, and what they were made from.  `epoch` is what a telegram says of it."""

    epoch: int
    made_from: str
    licence: str
    tables: Mapping[str, Tables]

    @property
    def size_bytes(self) -> int:
        """Bytes in the flash of a module."""
        return sum(each.size_bytes for each in self.tables.values())


def is_table(table: tuple[int, ...], symbols: int) -> bool:
    """Whether these are cumulative frequencies of so many symbols, none of them impossible."""
    rises = all(a < b for a, b in pairwise(table))
    return len(table) == symbols + 1 and table[0] == 0 and table[-1] == TOTAL and rises


def is_sound(tables: Tables) -> bool:
    """Whether a coder can work with these tables."""
    return (
        len(tables.maps) == len(tables.forms) <= MODELS_MAX
        and 1 <= len(tables.pool) <= POOL_MAX
        and is_table(tables.choice, tables.plain + 1)
        and all(is_table(table, TOKENS) for table in tables.pool)
        and all(len(each) == CONTEXTS and max(each) < len(tables.pool) for each in tables.maps)
    )


def _token_starts() -> tuple[int, ...]:
    starts = list(range(EXACT))
    for octave in range(EXACT.bit_length() - 1, VALUE_BITS):
        starts += [(1 << octave) + (step << octave - STEP_BITS) for step in range(1 << STEP_BITS)]
    return (*starts, VALUES)


def _class_of_value(value: int) -> int:
    """Exact to 3, steps of 2 to 7, four to the octave to 255, then two."""
    octave = value.bit_length() - 1
    if value < 4:
        return value
    if value < 8:
        return 4 + (value - 4 >> 1)
    if value < 256:
        return 6 + 4 * (octave - 3) + (value >> octave - 2 & 3)
    return 26 + 2 * (octave - 8) + (value >> octave - 1 & 1)


TOKEN_START: Final = _token_starts()
"""The smallest value of each token."""
RAW_BITS: Final = (*[(after - start).bit_length() - 1 for start, after in pairwise(TOKEN_START)], 0)
"""Raw low bits behind each token; behind `ESCAPE` comes the number of bits of the value, and all of them but the highest."""
TOKEN_OF: Final = bytes(at for at, bits in enumerate(RAW_BITS[:ESCAPE]) for _ in range(1 << bits))
"""Token of each value below `VALUES`; a module finds it by its highest bit."""
CLASS_OF: Final = bytes(map(_class_of_value, range(VALUES)))
"""Class of each value below `VALUES`; all above are of the last class."""
