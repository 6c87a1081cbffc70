"""Calendars as bytes and as tables: both directions, and what is refused."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.meter.calendar_codec import decode_calendar, encode_calendar
from nyala.meter.calendar_tables import (
    CALENDARS,
    calendar_named,
    calendar_of_table,
    dates_of_text,
    table_of_calendar,
    text_of_dates,
)
from nyala.meter.fields import offset, offset_text
from nyala.vocab.errors import BadArgumentError, TelegramError, UnknownError
from tests.unit.meter.calendars import calendars, masks

ESTATE = calendar_named("estate")
FLAT_BYTES = bytes.fromhex("01 01a4 04666c6174 01 01 01 0001 01 03616c6c 01010101010101 01 0479656172 01 01 00 00")
"""`flat.toml` written by hand from the layout in the codec's opening."""


@pytest.mark.parametrize("name", CALENDARS)
def test_the_calendars_of_the_program_can_be_read_and_kept(name):
    calendar = calendar_named(name)
    assert calendar.name == name
    assert decode_calendar(encode_calendar(calendar)) == calendar
    assert len(encode_calendar(calendar)) <= 128


def test_the_bytes_are_those_of_the_layout():
    assert encode_calendar(calendar_named("flat")) == FLAT_BYTES


@given(calendars())
def test_a_calendar_reads_back_from_its_bytes(calendar):
    assert decode_calendar(encode_calendar(calendar)) == calendar


@given(st.binary(max_size=80))
def test_any_bytes_are_a_calendar_or_a_telegram_error(data):
    try:
        calendar = decode_calendar(data)
    except TelegramError:
        return
    assert encode_calendar(calendar) == data


@given(calendars(), st.data())
def test_bytes_with_one_changed_are_another_calendar_or_refused(calendar, data):
    octets = bytearray(encode_calendar(calendar))
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        read = decode_calendar(bytes(octets))
    except TelegramError:
        return
    assert encode_calendar(read) == octets
    assert read != calendar


@pytest.mark.parametrize("end", range(len(FLAT_BYTES)))
def test_bytes_that_end_too_soon_are_refused(end):
    with pytest.raises(TelegramError):
        decode_calendar(FLAT_BYTES[:end])


@pytest.mark.parametrize(
    ("place", "octet", "says"),
    [(0, 2, "version 2"), (4, 0xFF, "utf-8"), (11, 0x19, "switches"), (-4, 13, "month 13"), (-2, 5, "week 5 of 1")],
)
def test_bytes_that_break_a_rule_are_refused(place, octet, says):
    octets = bytearray(FLAT_BYTES)
    octets[place] = octet
    with pytest.raises(TelegramError, match=says):
        decode_calendar(bytes(octets))


def test_bytes_after_a_calendar_are_refused():
    with pytest.raises(TelegramError, match="1 bytes after"):
        decode_calendar(FLAT_BYTES + b"\0")


# -- tables


@given(calendars())
def test_a_calendar_reads_back_from_its_table_and_from_json(calendar):
    table = table_of_calendar(calendar)
    assert calendar_of_table(table) == calendar
    assert calendar_of_table(json.loads(json.dumps(table))) == calendar


@given(masks)
def test_a_date_with_wildcards_reads_back_from_its_text(mask):
    assert dates_of_text(text_of_dates(mask)) == mask


@given(st.integers(-14 * 60, 14 * 60))
def test_an_offset_reads_back_from_its_text(minutes):
    assert offset("offset", offset_text(minutes * 60)) == minutes * 60


def broken(path: str, value: object) -> dict[str, Any]:
    """The estate's table with one value changed; `path` is keys with slashes, `value` ... takes it away."""
    table = deepcopy(table_of_calendar(ESTATE))
    *way, last = path.split("/")
    inner: Any = table
    for key in way:
        inner = inner[int(key) if isinstance(inner, list) else key]
    place = int(last) if isinstance(inner, list) else last
    if value is ...:
        del inner[place]
    else:
        inner[place] = value
    return table


BROKEN = [
    ("name", ..., "without name"),
    ("colour", "red", "unknown colour"),
    ("name", 5, "not a text"),
    ("offset", "7", "not an offset"),
    ("days", [], "not a table"),
    ("days/one", {"00:00": 1}, "not a number"),
    ("days/1", 5, "not a table"),
    ("days/1/24:01", 1, "not a time"),
    ("days/1/24:00", 1, "switches must rise"),
    ("days/1/00:00", "1", "not a whole number"),
    ("days/1/00:00", True, "not a whole number"),
    ("weeks/dry", "all", "not a list"),
    ("weeks/dry/0", 1.5, "not a whole number"),
    ("seasons", {}, "not a list"),
    ("seasons/0/start", "1 April", "not a month and day"),
    ("seasons/0/start", ..., "without start"),
    ("special_days/0", 5, "not a table"),
    ("special_days/0/date", "01-01", "not a date"),
    ("special_days/0/date", "*-02-30", "there is none"),
    ("special_days/0/index", ..., "without index"),
]


@pytest.mark.parametrize(("path", "value", "says"), BROKEN, ids=[f"{path}={value}" for path, value, _ in BROKEN])
def test_a_table_that_is_none_is_refused_with_the_reason(path, value, says):
    with pytest.raises(BadArgumentError, match=says):
        calendar_of_table(broken(path, value))


def test_a_calendar_of_another_name_is_unknown():
    with pytest.raises(UnknownError):
        calendar_named("nowhere")
