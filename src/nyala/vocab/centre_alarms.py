"""Alarms that the centre itself raises, beside those of the meter (`alarms`): no state of a meter shows them.

The table is `centre_alarms.csv`; codes begin where the bits of a meter's state end.  `Kind` is what both tables have.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from nyala.vocab.alarms import Severity, alarm_table
from nyala.vocab.errors import UnknownError

SILENT: Final = 64
"""A meter was not heard for so many report periods."""
GATEWAY_SILENT: Final = 65
"""A gateway was not heard; of no meter: only incidents have it."""
POWER_FAILED: Final = 66
"""A meter said with its last energy that its supply is gone, and has not come back since."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of alarm, a meter's or the centre's.  `code` is the bit, or the code of the centre's table."""

    code: int
    name: str
    severity: Severity
    unit: str
    scaler: int
    label_en: str
    label_id: str


@cache
def alarm_kinds() -> dict[int, Kind]:
    """All kinds by code: the meter's, then the centre's."""
    kinds = [
        Kind(int(row.alarm), row.name, row.severity, row.unit, row.scaler, row.label_en, row.label_id) for row in alarm_table()
    ]
    with files("nyala.vocab").joinpath("centre_alarms.csv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table):
            severity = Severity(row["severity"])
            kinds.append(Kind(int(row["code"]), row["name"], severity, "", 0, row["label_en"], row["label_id"]))
    assert len({kind.code for kind in kinds}) == len({kind.name for kind in kinds}) == len(kinds)
    return {kind.code: kind for kind in kinds}


def alarm_kind(code: int) -> Kind:
    """The kind of a code; UnknownError."""
    try:
        return alarm_kinds()[code]
    except KeyError:
        raise UnknownError("alarm", str(code)) from None


def kind_named(name: str) -> Kind:
    """The kind of a name; UnknownError."""
    for kind in alarm_kinds().values():
        if kind.name == name:
            return kind
    raise UnknownError("alarm", name)
