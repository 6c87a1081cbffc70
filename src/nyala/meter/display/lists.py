"""The display's items and their lists: what is shown under which code, and as which text.  The table is `scroll.csv`.

    item        a quantity of the catalogue, or one of `SPECIAL`
    format      number, hex (bits), stamp (month, day, hour, minute of an instant), or the special's own
    auto,button in the list that scrolls by itself, in the list behind the button; the order of the rows is theirs
    prefix      load: as the installation's energies; line: as its voltages; or k, M, none
    decimals    a number, or * as the installation's energies
    register    1: leading zeros and roll-over; 0: neither

The code of a quantity is its OBIS code without medium and channel (1-0:1.8.0 is shown 1.8.0), as the optical port lists it.
An item whose value the meter does not have is passed over.  When an item is shown is `machine`.
"""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Final

from nyala.meter.display.number import PREFIXES, Scale, register_text, value_text
from nyala.meter.display.reading import Reading
from nyala.meter.display.segments import CODE_DIGITS, DIGITS, FULL, annunciators, spell
from nyala.vocab.errors import FileError, UnknownError
from nyala.vocab.quantities import RATED, Quantity, quantity

SPECIAL: Final = {"segment_test": "", "serial": "0.0.0", "date": "0.9.2", "time": "0.9.1", "error": "F.F", "firmware": "0.2.0"}
"""Items that are no quantity, and their codes (reference metrology.md 5)."""
FORMATS: Final = {"number", "hex", "stamp", "test", "serial", "date", "time", "error", "firmware"}
UNITS: Final[dict[str, tuple[str, ...]]] = {
    "": (),
    "1": (),
    "s": (),
    "V": ("volt",),
    "A": ("ampere",),
    "W": ("watt",),
    "var": ("var",),
    "VA": ("volt", "ampere"),
    "Wh": ("watt", "hour"),
    "varh": ("var", "hour"),
    "VAh": ("volt", "ampere", "hour"),
    "Hz": ("hertz",),
    "C": ("celsius",),
    "deg": ("degree",),
}
"""The annunciators of a unit.  Power factors and counters have none; an instant (s) is shown as a date."""
_VERSION: Final = re.compile(r"[0-9]+(\.[0-9]+)*")
_PREFIX_SIGNS: Final[dict[str, tuple[str, ...]]] = {"": (), "k": ("kilo",), "M": ("mega",)}


@dataclass(frozen=True, slots=True)
class Item:
    """One row of the table.  `quantity` is None for the special ones; `decimals` None: as the energies."""

    name: str
    code: str
    format: str
    quantity: Quantity | None
    auto: bool
    button: bool
    prefix: str
    decimals: int | None
    register: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What an item lights: masks of the two fields and annunciators of the unit."""

    digits: tuple[int, ...]
    code: tuple[int, ...]
    signs: frozenset[str]


@cache
def items() -> tuple[Item, ...]:
    """All rows, in their order; FileError for one that the glass cannot show."""
    file = files("nyala.meter.display").joinpath("scroll.csv")
    with file.open(encoding="utf-8") as table:
        return tuple(_item(row, line) for line, row in enumerate(csv.DictReader(table), 2))


def _item(row: dict[str, str], line: int) -> Item:
    name = row["item"]
    try:
        of = None if name in SPECIAL else quantity(name)
    except UnknownError as error:
        raise FileError(str(error), path="scroll.csv", line=line) from error
    fits = row["format"] in FORMATS and row["prefix"] in {"load", "line", *PREFIXES} and (of is None or of.unit in UNITS)
    if not fits or (of is None) != (row["format"] not in {"number", "hex", "stamp"}):
        raise FileError(f"{name}: the display does not show that: {row}", path="scroll.csv", line=line)
    return Item(
        name=name,
        code=SPECIAL[name] if of is None else display_code(of),
        format=row["format"],
        quantity=of,
        auto=row["auto"] == "1",
        button=row["button"] == "1",
        prefix=row["prefix"],
        decimals=None if row["decimals"] == "*" else int(row["decimals"]),
        register=row["register"] == "1",
    )


def display_code(of: Quantity) -> str:
    """The OBIS code as the display writes it: C.D.E, and .F for a value of the past (1-0:1.6.0*1 is 1.6.0.01)."""
    code, _, past = of.obis.partition(":")[2].partition("*")
    return f"{code}.{int(past):02d}" if past else code


def available(reading: Reading, *, button: bool, credit_first: bool = False) -> tuple[Item, ...]:
    """The items of a list that this meter can show now; the credit before all others if it runs low."""
    found = [each for each in items() if (each.button if button else each.auto) and _has(each, reading)]
    if credit_first:
        found.sort(key=lambda each: each.name != "credit_wh")
    return tuple(found)


def _has(item: Item, reading: Reading) -> bool:
    if item.quantity is None:
        return item.name != "error" or error_bits(reading) != 0
    value = reading.value(item.name)
    return value is not None and (item.format != "stamp" or value > 0)


@cache
def _error_mask() -> int:
    return sum(1 << alarm for alarm in annunciators()["error"].alarms)


def error_bits(reading: Reading) -> int:
    """The alarms that are errors of the meter itself: what F.F shows."""
    return (reading.value("alarms") or 0) & _error_mask()


def show(item: Item, reading: Reading, scale: Scale) -> Shown:
    """An item as segments."""
    if item.format == "test":
        return Shown((FULL,) * DIGITS, (FULL,) * CODE_DIGITS, frozenset(annunciators()))
    code = spell(item.code, CODE_DIGITS)
    if item.quantity is None:
        return Shown(spell(_SPECIAL_TEXTS[item.format](reading), DIGITS), code, frozenset())
    value = reading.value(item.name)
    assert value is not None, f"{item.name} was available"
    if item.format == "hex":
        return Shown(spell(_hexadecimal(value), DIGITS), code, frozenset())
    if item.format == "stamp":
        return Shown(spell(_local(value, reading, "%m.%d.%H.%M"), DIGITS), code, frozenset())
    return _number(item, item.quantity, value, scale, code)


def _number(item: Item, of: Quantity, value: int, scale: Scale, code: tuple[int, ...]) -> Shown:
    decimals = scale.decimals if item.decimals is None else item.decimals
    prefix = {"load": scale.prefix, "line": scale.voltage_prefix}.get(item.prefix, item.prefix)
    if item.prefix == "line" and prefix:
        decimals = 3
    text = (register_text if item.register else value_text)(value, of, scale.ratio, prefix, decimals)
    return Shown(spell(text, DIGITS), code, frozenset((*_PREFIX_SIGNS[prefix], *UNITS[of.unit])))


def _local(instant_s: int, reading: Reading, form: str) -> str:
    return datetime.fromtimestamp(instant_s + reading.offset_s, UTC).strftime(form)


def _hexadecimal(bits: int) -> str:
    return f"{bits:08X}".replace("B", "b").replace("D", "d")


def _serial(reading: Reading) -> str:
    """The last eight of the digits of the serial number; letters are on the plate."""
    return "".join(each for each in reading.serial if each in "0123456789")[-DIGITS:] or "-"


def _firmware(reading: Reading) -> str:
    """The numbers that the version begins with, as many whole ones as fit."""
    found = _VERSION.match(reading.firmware)
    numbers = found.group().split(".") if found else ["-"]
    while len("".join(numbers)) > DIGITS:
        numbers.pop()
    return ".".join(numbers) or "-"


_SPECIAL_TEXTS: Final[dict[str, Callable[[Reading], str]]] = {
    "serial": _serial,
    "date": lambda reading: _local(reading.clock_s, reading, "%Y.%m.%d"),
    "time": lambda reading: _local(reading.clock_s, reading, "%H-%M-%S"),
    "error": lambda reading: _hexadecimal(error_bits(reading)),
    "firmware": _firmware,
}


def rolls(of: Quantity) -> bool:
    """Whether a quantity only grows, so that its display rolls over: registers and cumulative demand."""
    return of.kind in {*RATED, "phase"} or of.name.startswith("sum_")
