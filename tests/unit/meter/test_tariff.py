"""Day programs: rates, switches, refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.meter.tariff import DAY_MINUTES, FLAT, SPAN_DAYS_MAX, SWITCHES_MAX, DayProgram, switches_between
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.time import DAY_S

WIB_S = 7 * 3600
PEAK = DayProgram(((0, 1), (17 * 60, 2), (22 * 60, 1)), WIB_S)
"""LWBP with WBP from 17 to 22 h local time, as PLN has it."""


@st.composite
def programs(draw: st.DrawFn) -> DayProgram:
    minutes = draw(st.lists(st.integers(1, DAY_MINUTES - 1), unique=True, max_size=SWITCHES_MAX - 1))
    switches = [(minute, draw(st.integers(1, 8))) for minute in (0, *sorted(minutes))]
    return DayProgram(tuple(switches), draw(st.integers(-12 * 4, 14 * 4)) * 900)


@pytest.mark.parametrize(
    ("utc", "rate"), [("09:59:59", 1), ("10:00:00", 2), ("14:59:59", 2), ("15:00:00", 1), ("00:00:00", 1), ("23:59:59", 1)]
)
def test_the_peak_rate_is_active_in_its_local_hours(utc, rate):
    hours, minutes, seconds = map(int, utc.split(":"))
    assert PEAK.rate_at(20_000 * DAY_S + 3600 * hours + 60 * minutes + seconds) == rate


@pytest.mark.parametrize(("utc_h", "next_h"), [(0, 10), (9.999, 10), (10, 15), (15, 17), (16.9, 17), (17, 24 + 10)])
def test_the_next_switch_is_the_first_after_an_instant_and_midnight_counts(utc_h, next_h):
    day_s = 20_000 * DAY_S
    assert PEAK.next_switch_s(day_s + int(utc_h * 3600)) == day_s + int(next_h * 3600)


def test_a_day_has_24_switches_at_most():
    assert SWITCHES_MAX == 24


@given(programs(), st.integers(0, 2**32))
def test_the_rate_is_that_of_the_last_switch_of_the_local_day(program, clock_s):
    minute = (clock_s + program.offset_s) % DAY_S // 60
    assert program.rate_at(clock_s) == [rate for at, rate in program.switches if at <= minute][-1]


@given(programs(), st.integers(0, 2**32))
def test_the_rate_does_not_change_before_the_next_switch(program, clock_s):
    next_s = program.next_switch_s(clock_s)
    assert clock_s < next_s <= clock_s + DAY_S
    assert (next_s + program.offset_s) % 60 == 0
    for between in {clock_s, (clock_s + next_s) // 2, next_s - 1}:
        assert program.rate_at(between) == program.rate_at(clock_s)
    minute = (next_s + program.offset_s) % DAY_S // 60
    assert minute in {at for at, _ in program.switches}


def test_a_flat_program_has_rate_one_all_day():
    assert {FLAT.rate_at(clock_s) for clock_s in range(0, DAY_S, 60)} == {1}


REFUSED = {
    "no switches": (),
    "not from midnight": ((1, 1),),
    "not in order": ((0, 1), (600, 2), (300, 1)),
    "one minute twice": ((0, 1), (600, 2), (600, 1)),
    "beyond the day": ((0, 1), (1440, 2)),
    "a negative minute": ((0, 1), (-1, 2)),
    "rate 0": ((0, 0),),
    "rate 9": ((0, 9),),
    "too many": tuple((minute, 1) for minute in range(SWITCHES_MAX + 1)),
}


@pytest.mark.parametrize("switches", REFUSED.values(), ids=REFUSED)
def test_a_day_program_that_is_none_is_refused(switches):
    with pytest.raises(BadArgumentError):
        DayProgram(switches)


# -- what was missed in a power cut


@given(programs(), st.integers(0, 2**31), st.integers(0, 3 * DAY_S))
def test_the_switches_between_two_instants_lead_from_the_one_rate_to_the_other(program, after_s, length_s):
    found = switches_between(program, after_s, after_s + length_s)
    rate = program.rate_at(after_s)
    for at_s, new in found:
        assert after_s < at_s <= after_s + length_s
        assert (program.rate_at(at_s - 1), program.rate_at(at_s)) == (rate, new)
        rate = new
    assert rate == program.rate_at(after_s + length_s)


@given(programs(), st.integers(0, 2**31), st.integers(0, DAY_S), st.integers(0, DAY_S))
def test_the_switches_of_two_parts_are_those_of_the_whole(program, after_s, one_s, two_s):
    middle_s = after_s + one_s
    parts = switches_between(program, after_s, middle_s) + switches_between(program, middle_s, middle_s + two_s)
    assert parts == switches_between(program, after_s, middle_s + two_s)


def test_the_end_belongs_to_a_span_and_its_start_does_not():
    switch_s = 20_000 * DAY_S + 10 * 3600
    assert switches_between(PEAK, switch_s - 1, switch_s) == ((switch_s, 2),)
    assert switches_between(PEAK, switch_s, switch_s + 1) == ()


def test_a_clock_that_went_back_passed_no_switch():
    assert switches_between(PEAK, 20_001 * DAY_S, 20_000 * DAY_S) == ()


def test_at_most_a_year_of_switches_is_caught_up():
    until_s = 20_000 * DAY_S
    found = switches_between(PEAK, 0, until_s)
    assert len(found) == 2 * SPAN_DAYS_MAX
    assert found[0][0] > until_s - (SPAN_DAYS_MAX + 1) * DAY_S
