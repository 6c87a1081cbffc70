"""Instants, days and local months."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.vocab.errors import BadArgumentError, UnknownError
from nyala.vocab.time import (
    DAY_S,
    day_from_text,
    day_of,
    day_text,
    gps_from_utc_us,
    instant_from_text,
    iso,
    local_month,
    utc_from_gps_us,
    zone,
)

YEAR_9000_S = 221_845_305_600
instants = st.integers(0, YEAR_9000_S)

# Source: GPS time runs 18 s ahead of UTC since 2017-01-01; the GPS epoch is 1980-01-06T00:00:00Z (IS-GPS-200).
GPS_INSTANTS = [
    ("2017-01-01T00:00:00Z", 1_167_264_018),
    ("2024-07-01T12:34:56Z", 1_403_872_514),
]


@pytest.mark.parametrize(("text", "gps_s"), GPS_INSTANTS)
def test_gps_time_is_ahead_of_utc_by_the_leap_seconds(text, gps_s):
    utc_us = instant_from_text(text) * 1_000_000
    assert gps_from_utc_us(utc_us) == gps_s * 1_000_000
    assert utc_from_gps_us(gps_s * 1_000_000) == utc_us


@given(st.integers(-(2**62), 2**62))
def test_gps_time_goes_there_and_back(instant_us):
    assert utc_from_gps_us(gps_from_utc_us(instant_us)) == instant_us


@given(instants)
def test_an_instant_is_written_and_read_back(instant_s):
    assert instant_from_text(iso(instant_s)) == instant_s


def test_an_instant_is_written_in_utc_and_its_fraction_is_cut():
    assert iso(0) == "1970-01-01T00:00:00Z"
    assert iso(1_767_225_599.999) == "2025-12-31T23:59:59Z"


def test_an_instant_with_an_offset_is_read_in_utc():
    assert instant_from_text("2026-01-01T07:00:00+07:00") == instant_from_text("2026-01-01T00:00:00Z")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01T25:00:00Z", "12"])
def test_a_text_that_is_no_instant_is_refused(text):
    with pytest.raises(BadArgumentError, match="not an ISO 8601 instant"):
        instant_from_text(text)


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00", "2026-01-01"])
def test_an_instant_without_a_zone_is_refused(text):
    with pytest.raises(BadArgumentError, match="without a zone"):
        instant_from_text(text)


@given(instants)
def test_a_day_holds_its_instants(instant_s):
    day = day_of(instant_s)
    assert day * DAY_S <= instant_s < (day + 1) * DAY_S
    assert day_text(day) == iso(instant_s)[:10]
    assert day_from_text(day_text(day)) == day


def test_the_instants_before_1970_belong_to_negative_days():
    assert day_of(-1) == -1
    assert day_text(-1) == "1969-12-31"


@pytest.mark.parametrize("text", ["", "2026-02-30", "26-01-01", "2026-01", "2026-01-01T00:00:00Z", "20260101", "2026-W01-1"])
def test_a_text_that_is_no_date_is_refused(text):
    with pytest.raises(BadArgumentError, match="not a date YYYY-MM-DD"):
        day_from_text(text)


@pytest.mark.parametrize("name", ["", "Asia/Nowhere", "../etc/passwd", "/etc/passwd", "Asia", "WIB\0"])
def test_an_unknown_zone_is_refused_by_name(name):
    with pytest.raises(UnknownError) as caught:
        zone(name)
    assert (caught.value.kind, caught.value.name) == ("time zone", name)


MONTHS = [
    ("Asia/Jakarta", "2026-03", "2026-02-28T17:00:00Z", "2026-03-31T17:00:00Z", 31 * 24),
    ("Asia/Jayapura", "2026-12", "2026-11-30T15:00:00Z", "2026-12-31T15:00:00Z", 31 * 24),
    ("UTC", "2024-02", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z", 29 * 24),
    # daylight saving begins and ends inside these months (EU directive 2000/84/EC: last Sunday of March and October)
    ("Europe/Berlin", "2026-03", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z", 31 * 24 - 1),
    ("Europe/Berlin", "2026-10", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z", 31 * 24 + 1),
    # half an hour of daylight saving, southern hemisphere
    ("Australia/Lord_Howe", "2026-04", "2026-03-31T13:00:00Z", "2026-04-30T13:30:00Z", 30 * 24 + 0.5),
]


@pytest.mark.parametrize(("name", "month", "start", "end", "hours"), MONTHS)
def test_a_local_month_begins_and_ends_at_local_midnight(name, month, start, end, hours):
    begin_s, end_s = local_month(month, zone(name))
    assert (iso(begin_s), iso(end_s)) == (start, end)
    assert end_s - begin_s == hours * 3600


@given(st.integers(1971, 2099), st.integers(1, 12), st.sampled_from(["Asia/Jakarta", "Europe/Berlin", "America/New_York"]))
def test_local_months_follow_each_other_without_gap(year, month, name):
    tz = zone(name)
    begin_s, end_s = local_month(f"{year}-{month:02}", tz)
    following = datetime(year, month, 15, tzinfo=UTC) + timedelta(days=30)
    assert local_month(following.strftime("%Y-%m"), tz)[0] == end_s
    assert datetime.fromtimestamp(begin_s, tz).strftime("%Y-%m-%d %H:%M") == f"{year}-{month:02}-01 00:00"


@pytest.mark.parametrize("month", ["", "2026", "2026-00", "2026-13", "2026-03-01", "March", "2026-3", "9999-12"])
def test_a_text_that_is_no_month_is_refused(month):
    with pytest.raises(BadArgumentError, match="not a month YYYY-MM"):
        local_month(month, zone("UTC"))
