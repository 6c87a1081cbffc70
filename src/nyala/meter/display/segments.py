"""The glass of the LCD: every segment it has, as data, and characters as masks of seven segments.  Nothing is lit here.

Eight large digits with a point each, a field of seven small digits with a point each for the OBIS code, and the
annunciators of `segments.csv` (name, group, mark in text, alarms that light it, meaning).

    -a-      a digit is an integer, bit 0 = a ... bit 6 = g, bit 7 = the point behind it
    f   b
    -g-
    e   c
    -d-  .
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from nyala.vocab.alarms import Alarm
from nyala.vocab.errors import BadArgumentError

DIGITS: Final = 8
"""Large digits: the value (IEC 62052-31 asks for no number; reference metrology.md 5: 8)."""
CODE_DIGITS: Final = 7
"""Small digits: the OBIS code C.D.E, or C.D.E.F of a value of the past."""
SEGMENT_NAMES: Final = "abcdefgp"
POINT: Final = 0x80
FULL: Final = 0xFF
FONT: Final[dict[str, str]] = {
    " ": "",
    "-": "g",
    "_": "d",
    "0": "abcdef",
    "1": "bc",
    "2": "abdeg",
    "3": "abcdg",
    "4": "bcfg",
    "5": "acdfg",
    "6": "acdefg",
    "7": "abc",
    "8": "abcdefg",
    "9": "abcdfg",
    "A": "abcefg",
    "b": "cdefg",
    "C": "adef",
    "c": "deg",
    "d": "bcdeg",
    "E": "adefg",
    "F": "aefg",
    "H": "bcefg",
    "h": "cefg",
    "L": "def",
    "n": "ceg",
    "o": "cdeg",
    "P": "abefg",
    "r": "eg",
    "t": "defg",
    "U": "bcdef",
}
"""Which segments make a character.  A character that is not here cannot be shown."""


def mask(segments: str) -> int:
    """The integer of a digit whose named segments are lit."""
    return sum(1 << SEGMENT_NAMES.index(name) for name in segments)


MASKS: Final = {character: mask(segments) for character, segments in FONT.items()}
CHARACTERS: Final = {pattern: character for character, pattern in MASKS.items()}


@dataclass(frozen=True, slots=True)
class Annunciator:
    """One sign of the glass.  `alarms` light it; empty where something else does."""

    name: str
    group: str
    mark: str
    alarms: frozenset[Alarm]
    meaning: str


@cache
def annunciators() -> dict[str, Annunciator]:
    """All annunciators by name, in the order of the table."""
    with files("nyala.meter.display").joinpath("segments.csv").open(encoding="utf-8") as table:
        return {
            row["name"]: Annunciator(row["name"], row["group"], row["mark"], _alarms(row["alarms"]), row["meaning"])
            for row in csv.DictReader(table)
        }


def _alarms(text: str) -> frozenset[Alarm]:
    return frozenset(Alarm) if text == "*" else frozenset(Alarm[name.upper()] for name in text.split())


@cache
def all_segments() -> frozenset[str]:
    """Names of all segments: `digit1a`..`digit8p`, `code1a`..`code7p`, and the annunciators."""
    fields = (("digit", DIGITS), ("code", CODE_DIGITS))
    made = {f"{field}{n}{name}" for field, count in fields for n in range(1, count + 1) for name in SEGMENT_NAMES}
    return frozenset(made | annunciators().keys())


def spell(text: str, places: int) -> tuple[int, ...]:
    """Text, right-aligned, as `places` masks, the leftmost first; a point goes to the character before it.

    BadArgumentError for a character that seven segments do not make, and for a text that is too long.
    """
    cells: list[int] = []
    for character in text:
        if character == "." and cells and not cells[-1] & POINT:
            cells[-1] |= POINT
        elif character in MASKS:
            cells.append(MASKS[character])
        else:
            raise BadArgumentError(f"seven segments do not show {character!r} of {text!r}")
    if len(cells) > places:
        raise BadArgumentError(f"{text!r} takes {len(cells)} digits, there are {places}")
    return (0,) * (places - len(cells)) + tuple(cells)


def read(masks: tuple[int, ...]) -> str:
    """What masks say, without the blanks before it: the inverse of `spell`; `?` for a pattern that is no character."""
    text = "".join(CHARACTERS.get(each & ~POINT, "?") + ("." if each & POINT else "") for each in masks)
    return text.lstrip()
