"""When plans run: the three rhythms, across changes of the clock, and what is no rhythm."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.headend.rhythm import Rhythm
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.time import instant_from_text, iso

JAKARTA, BERLIN = ZoneInfo("Asia/Jakarta"), ZoneInfo("Europe/Berlin")
zones = st.sampled_from([JAKARTA, BERLIN, ZoneInfo("UTC"), ZoneInfo("America/Santiago"), ZoneInfo("Australia/Lord_Howe")])
instants = st.integers(1_600_000_000, 2_000_000_000)
rhythms = st.one_of(
    st.integers(5, 1_440).map("every {}m".format),
    st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda at: f"daily {at[0]:02d}:{at[1]:02d}"),
    st.just("month-end"),
)


@given(rhythms)
def test_what_is_written_reads_back(text):
    assert str(Rhythm.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "every 4m", "every 1441m", "every m", "every 15", "daily 24:00", "daily 6:30", "daily 06:60", "month", "daily 06:30 "],
)
def test_what_is_no_rhythm_is_refused(text):
    with pytest.raises(BadArgumentError, match="a rhythm is"):
        Rhythm.parse(text)


@given(st.text(max_size=16))
def test_any_text_is_a_rhythm_or_is_refused(text):
    try:
        Rhythm.parse(text)
    except BadArgumentError:
        return
    assert str(Rhythm.parse(text)).split()[0] == text.split()[0]


@given(rhythms, zones, instants)
def test_the_latest_is_not_later_and_nothing_lies_between_it_and_the_following(text, tz, at_s):
    rhythm = Rhythm.parse(text)
    latest, following = rhythm.latest(at_s, tz), rhythm.following(at_s, tz)
    assert latest <= at_s < following
    assert rhythm.latest(following - 1, tz) == latest
    assert rhythm.following(latest, tz) == following
    assert following - latest <= 31 * 86_400 + 3_600


@given(st.integers(0, 23), st.integers(0, 59), instants)
def test_a_daily_read_is_at_its_local_time(hour, minute, at_s):
    following = Rhythm(minute=hour * 60 + minute).following(at_s, JAKARTA)
    local = datetime.fromtimestamp(following, JAKARTA)
    assert (local.hour, local.minute, local.second) == (hour, minute, 0)
    assert following - at_s <= 86_400


@pytest.mark.parametrize(
    ("text", "tz", "after", "following"),
    [
        ("every 15m", JAKARTA, "2026-03-01T00:00:00Z", "2026-03-01T00:15:00Z"),
        ("daily 06:30", JAKARTA, "2026-03-01T00:00:00Z", "2026-03-01T23:30:00Z"),
        ("month-end", JAKARTA, "2026-02-03T00:00:00Z", "2026-02-28T17:00:00Z"),
        ("month-end", JAKARTA, "2026-12-31T17:00:00Z", "2027-01-31T17:00:00Z"),
        ("daily 02:30", BERLIN, "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"),  # left out: 03:30 of the new time
        ("daily 02:30", BERLIN, "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),  # twice: the first
        ("daily 02:30", BERLIN, "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
    ],
)
def test_rhythms_by_hand(text, tz, after, following):
    assert iso(Rhythm.parse(text).following(instant_from_text(after), tz)) == following
