"""The quality codes: every row is walked."""

import csv
import re
from importlib.resources import files

import pytest

from nyala.vocab.quality import ESTIMATED, Quality, quality_table

with files("nyala.vocab").joinpath("quality.csv").open(encoding="utf-8") as _table:
    ROWS = list(csv.DictReader(_table))


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_every_row_is_complete_and_becomes_its_code(row):
    quality = Quality(int(row["code"]))
    assert quality.name == row["name"]
    read = quality_table()[quality]
    assert read.quality is quality
    assert (read.cim, read.espi, read.nem12) == (row["cim"], int(row["espi"]), row["nem12"])
    assert (read.label_en, read.label_id, read.meaning) == (row["label_en"], row["label_id"], row["meaning"])
    assert row["estimated"] in {"0", "1"}
    assert read.estimated == (row["estimated"] == "1")
    assert re.fullmatch(r"2\.\d{1,2}\.\d{1,3}|3\.\d{1,2}\.\d{1,3}", read.cim)
    assert re.fullmatch(r"[AFN]|[EFS]\d\d", read.nem12)
    assert read.label_en
    assert read.label_id
    assert read.meaning


def test_the_table_and_the_codes_cover_each_other():
    assert list(quality_table()) == list(Quality)
    assert [int(row["code"]) for row in ROWS] == list(range(len(Quality)))
    assert len({row["label_en"] for row in ROWS}) == len(ROWS)
    assert len({row["label_id"] for row in ROWS}) == len(ROWS)


def test_exactly_the_estimates_are_itemised_as_estimated():
    assert frozenset({Quality.LINEAR, Quality.PROFILE}) == ESTIMATED


def test_the_stored_numbers_never_change():
    stored = {"MISSING": 0, "RAW": 1, "OUTAGE": 2, "VALIDATED": 3, "VERIFIED": 4, "LINEAR": 5, "PROFILE": 6, "EDITED": 7}
    assert {quality.name: quality.value for quality in Quality} == stored
