"""When a twin reports: once in each period, never twice, spread over it, and found again by whoever begins anew."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.twin.instants import mixed, next_report_us
from nyala.vocab.time import US_PER_S

EUI = 0x70B3D57ED0000001
REPORTS_S = (60, 900, 3_600, 14_400)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**51), st.sampled_from(REPORTS_S), st.integers(0, 40))
def test_each_period_has_exactly_one_report_and_the_next_is_behind_the_last(dev_eui, after_us, report_s, least_s):
    period_us, told = report_s * US_PER_S, []
    at_us = after_us
    for _ in range(5):
        before, at_us = at_us, next_report_us(dev_eui, at_us, report_s, least_s)
        assert at_us > before
        assert next_report_us(dev_eui, (before + at_us) // 2, report_s, least_s) == at_us
        if 2 * least_s < report_s:
            assert least_s * US_PER_S <= at_us % period_us < period_us - least_s * US_PER_S
        told.append(at_us // period_us)
    assert told == list(range(told[0], told[0] + 5))
    assert told[0] - after_us // period_us in (0, 1)


@pytest.mark.parametrize("step", [1, 2, 256, 3_600])
def test_neighbours_and_following_hours_are_spread_alike(step):
    for words in ([mixed(EUI + step * at, 500_000) for at in range(4_000)], [mixed(EUI, step * at) for at in range(4_000)]):
        tenths = [sum(word * 10 >> 64 == tenth for word in words) for tenth in range(10)]
        assert all(330 < each < 470 for each in tenths)
        steps = [(after - before) % 2**64 * 10 >> 64 for before, after in pairwise(words)]
        assert all(330 < steps.count(tenth) < 470 for tenth in range(10))


def test_two_meters_that_met_do_not_meet_in_the_next_hour():
    first, second = ([mixed(EUI + at, number) * 3_600 >> 64 for number in range(20_000)] for at in (0, 1))
    meetings = [number for number, (a, b) in enumerate(zip(first, second, strict=True)) if a == b]
    assert 1 <= len(meetings) < 20
    assert not any(after - before == 1 for before, after in pairwise(meetings))


def test_a_vector():
    assert next_report_us(EUI, 1_760_054_400 * US_PER_S, 3_600, 10) == 1_760_056_880_011_179
