"""Quality of one interval value, as one small code.  The table is `quality.csv`.

Its CIM (IEC 61968-9), ESPI and NEM12 columns are the mapping of `reference` 7.4: a proposal, not a standard.
"""

import csv
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib.resources import files


class Quality(IntEnum):
    """How a value came to be.  Stored as one byte per interval; the numbers never change."""

    MISSING = 0
    RAW = 1
    OUTAGE = 2
    VALIDATED = 3
    VERIFIED = 4
    LINEAR = 5
    PROFILE = 6
    EDITED = 7


@dataclass(frozen=True, slots=True)
class QualityRow:
    """One row of the table."""

    quality: Quality
    cim: str
    espi: int
    nem12: str
    estimated: bool
    label_en: str
    label_id: str
    meaning: str


@cache
def quality_table() -> dict[Quality, QualityRow]:
    """All rows by code."""
    with files("nyala.vocab").joinpath("quality.csv").open(encoding="utf-8") as table:
        return {
            Quality[row["name"]]: QualityRow(
                quality=Quality[row["name"]],
                cim=row["cim"],
                espi=int(row["espi"]),
                nem12=row["nem12"],
                estimated=row["estimated"] == "1",
                label_en=row["label_en"],
                label_id=row["label_id"],
                meaning=row["meaning"],
            )
            for row in csv.DictReader(table)
        }


ESTIMATED = frozenset(quality for quality, row in quality_table().items() if row.estimated)
"""The codes that bills itemise as estimated."""
