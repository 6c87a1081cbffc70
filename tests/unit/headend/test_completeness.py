"""What is expected of meters by day, against counting by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.headend.backfill import expected_to
from nyala.headend.completeness import DAYS_MAX, Counted, DayCount, check_days, expected, line
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.time import DAY_S, US_PER_S

DAY = 20_400
START_S = DAY * DAY_S
HOUR_S = 3_600
instants = st.integers(START_S - 2 * DAY_S, START_S + 3 * DAY_S)


@given(instants, st.none() | instants, instants, st.sampled_from([900, 1_800, 3_600]), st.sampled_from([900, 3_600, 14_400]))
def test_what_is_expected_is_what_one_counts_by_hand(installed_s, ended_s, now_s, period_s, report_s):
    by_hand = sum(
        start_s >= installed_s
        and start_s // period_s < expected_to(period_s, report_s, now_s * US_PER_S)
        and (ended_s is None or start_s + period_s <= ended_s)
        for start_s in range(START_S, START_S + DAY_S, period_s)
    )
    assert expected(Counted(3, period_s, report_s, installed_s, ended_s), DAY, now_s * US_PER_S) == 3 * by_hand


def test_a_line_adds_meters_that_are_not_alike():
    now_us = (START_S + 5 * DAY_S) * US_PER_S
    alike = [Counted(2, 900, HOUR_S, START_S), Counted(1, 3_600, HOUR_S, START_S + 12 * HOUR_S)]
    found = line("k", "Kota", alike, {DAY: (200, 10)}, 1, range(DAY - 1, DAY + 1), now_us)
    assert (found.meters, found.silent) == (3, 1)
    assert found.days == (DayCount(0, 0, 0), DayCount(2 * 96 + 12, 190, 10))
    assert (found.days[1].missing, found.missing) == (4, 4)


def test_what_came_before_it_was_due_is_expected():
    found = line(
        "k", "k", [Counted(1, 900, HOUR_S, START_S)], {DAY: (7, 0)}, 0, range(DAY, DAY + 1), (START_S + 900) * US_PER_S
    )
    assert found.days == (DayCount(7, 7, 0),)


@pytest.mark.parametrize("days", [0, -1, DAYS_MAX + 1])
def test_days_that_are_none_or_too_many_are_refused(days):
    with pytest.raises(BadArgumentError, match="days"):
        check_days(DAY, DAY + days)
