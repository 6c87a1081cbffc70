"""Estimation of one run of intervals: bounded by registers where two are known, else by the neighbours."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.mdm.estimate import fill, spread
from nyala.vocab.quality import Quality

M, R, L = Quality.MISSING, Quality.RAW, Quality.LINEAR


def filled(values, qualities, bounds=()):
    done, marks = fill(np.array(values, np.int64), np.array(qualities, np.uint8), bounds)
    return done.tolist(), marks.tolist()


@given(st.integers(0, 2**62), st.integers(1, 2_000))
def test_a_spread_sums_and_differs_by_one_at_most_the_larger_first(total, count):
    values = spread(total, count).tolist()
    assert (len(values), sum(values)) == (count, total)
    assert max(values) - min(values) <= 1
    assert values == sorted(values, reverse=True)


def test_a_gap_between_two_registers_gets_exactly_what_is_left():
    assert filled([3, 0, 0, 0, 4], [R, M, M, M, R], [(0, 100), (5, 115)]) == ([3, 3, 3, 2, 4], [R, L, L, L, R])


def test_each_pair_of_registers_bounds_its_own_part():
    values, _ = filled([0, 0, 5, 0, 0, 1], [M, M, R, M, M, R], [(0, 0), (3, 9), (6, 10)])
    assert values == [2, 2, 5, 0, 0, 1]


def test_beyond_the_registers_a_gap_gets_the_mean_of_its_neighbours():
    assert filled([4, 0, 0, 8], [R, M, M, R]) == ([4, 6, 6, 8], [R, L, L, R])
    assert filled([0, 0, 8], [M, M, R]) == ([8, 8, 8], [L, L, R])
    assert filled([5, 0], [R, M], [(0, 7)]) == ([5, 5], [R, L])


def test_where_nothing_is_known_a_gap_gets_nothing():
    assert filled([0, 0], [M, M]) == ([0, 0], [L, L])


def test_registers_that_say_less_than_the_values_bound_nothing():
    assert filled([9, 0, 9], [R, M, R], [(0, 100), (3, 110)]) == ([9, 9, 9], [R, L, R])


def test_an_outage_is_a_value():
    assert filled([0, 0, 6], [Quality.OUTAGE, M, R], [(0, 0), (3, 10)]) == ([0, 4, 6], [Quality.OUTAGE, L, R])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[int], list[bool], list[int]]:
    """True values, which of them are known, and at which indices the register is known."""
    truth = draw(st.lists(st.integers(0, 1_000), min_size=1, max_size=24))
    known = draw(st.lists(st.booleans(), min_size=len(truth), max_size=len(truth)))
    return truth, known, sorted(draw(st.sets(st.integers(0, len(truth)))))


@given(worlds(), st.integers(0, 10**9))
def test_known_and_estimated_values_sum_to_the_registers_to_the_watt_hour(world, start_wh):
    truth, known, places = world
    bounds = [(at, start_wh + sum(truth[:at])) for at in places]
    given_values = [value if k else 0 for value, k in zip(truth, known, strict=True)]
    values, marks = filled(given_values, [R if k else M for k in known], bounds)
    assert marks == [R if k else L for k in known]
    assert [v for v, k in zip(values, known, strict=True) if k] == [v for v, k in zip(truth, known, strict=True) if k]
    assert min(values) >= 0
    for (a, a_wh), (b, b_wh) in pairwise(bounds):
        assert sum(values[a:b]) == b_wh - a_wh
        guessed = [values[at] for at in range(a, b) if not known[at]]
        assert not guessed or max(guessed) - min(guessed) <= 1


@given(worlds())
def test_what_came_in_is_not_changed(world):
    truth, known, places = world
    values = np.array([v if k else 0 for v, k in zip(truth, known, strict=True)], np.int64)
    qualities = np.array([R if k else M for k in known], np.uint8)
    before = values.copy(), qualities.copy()
    fill(values, qualities, [(at, sum(truth[:at])) for at in places])
    assert (values == before[0]).all()
    assert (qualities == before[1]).all()


@pytest.mark.parametrize("quality", [q for q in Quality if q is not M])
def test_only_what_is_missing_is_estimated(quality):
    assert filled([7, 0], [quality, M], [(0, 0), (2, 9)]) == ([7, 2], [quality, L])
