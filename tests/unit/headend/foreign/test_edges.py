"""Registers at any instants become intervals whose sum is the register's rise, to the watt-hour."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from nyala.headend.foreign.edges import SNAP_S, SPAN_MAX, Run, begin, follow
from nyala.vocab.quality import Quality

PERIOD_S = 900
EDGE_S = 2_000 * PERIOD_S
RAW, LINEAR = int(Quality.RAW), int(Quality.LINEAR)


def feed(readings):
    """The runs of a series of readings, and the last state."""
    [(first_s, first_wh), *later] = readings
    last, runs = begin(first_s, first_wh, PERIOD_S), list[Run]()
    for at_s, wh in later:
        last, run = follow(last, at_s, wh, PERIOD_S)
        if run is not None:
            runs.append(run)
    return last, runs


def test_readings_on_the_edges_are_intervals_as_read():
    _, runs = feed([(EDGE_S, 100), (EDGE_S + 900, 130), (EDGE_S + 1800, 150)])
    assert [(run.first, run.open_wh, run.values, run.qualities) for run in runs] == [
        (2_000, 100, (30,), (RAW,)),
        (2_001, 130, (20,), (RAW,)),
    ]


def test_a_reading_close_to_an_edge_stands_for_it():
    _, runs = feed([(EDGE_S + SNAP_S, 100), (EDGE_S + 900 - SNAP_S, 130)])
    assert [(run.first, run.values, run.qualities) for run in runs] == [(2_000, (30,), (RAW,))]


def test_a_reading_between_edges_is_spread_in_a_straight_line_and_marked():
    _, runs = feed([(EDGE_S, 0), (EDGE_S + 1350, 30), (EDGE_S + 2250, 60)])
    assert [(run.first, run.values, run.qualities) for run in runs] == [(2_000, (20,), (LINEAR,)), (2_001, (25,), (LINEAR,))]


def test_counting_begins_at_the_edge_after_a_first_reading_between_edges():
    _, runs = feed([(EDGE_S + 450, 10), (EDGE_S + 900, 20), (EDGE_S + 1800, 50)])
    assert [(run.first, run.open_wh, run.values) for run in runs] == [(2_001, 20, (30,))]


def test_several_readings_within_an_interval_are_one():
    last, runs = feed([(EDGE_S, 0), (EDGE_S + 300, 5), (EDGE_S + 600, 6), (EDGE_S + 900, 9)])
    assert [(run.values, run.qualities) for run in runs] == [((9,), (RAW,))]
    assert (last.edge, last.edge_wh) == (2_001, 9)


def test_a_silence_is_filled_and_marked():
    _, runs = feed([(EDGE_S, 0), (EDGE_S + 4 * 900, 10)])
    assert [(run.first, run.values, run.qualities) for run in runs] == [(2_000, (2, 3, 2, 3), (LINEAR,) * 4)]


def test_a_reading_that_is_not_newer_changes_nothing():
    last, _ = feed([(EDGE_S, 0), (EDGE_S + 900, 10)])
    for at_s, wh in ((EDGE_S + 900, 10), (EDGE_S + 900, 99), (EDGE_S, 0), (EDGE_S + 450, 7)):
        assert follow(last, at_s, wh, PERIOD_S) == (last, None)


def test_a_register_that_fell_begins_anew():
    last, runs = feed([(EDGE_S, 5_000), (EDGE_S + 900, 3), (EDGE_S + 1800, 8)])
    assert [(run.first, run.open_wh, run.values) for run in runs] == [(2_001, 3, (5,))]
    assert last.edge_wh == 8


def test_a_silence_of_months_is_not_made_up():
    _, runs = feed([(EDGE_S, 0), (EDGE_S + (SPAN_MAX + 1) * 900, 10**6)])
    assert not runs
    _, runs = feed([(EDGE_S, 0), (EDGE_S + SPAN_MAX * 900, 10**6)])
    assert len(runs[0].values) == SPAN_MAX
    assert sum(runs[0].values) == 10**6


@given(st.integers(0, 899), st.lists(st.tuples(st.integers(1, 20_000), st.integers(0, 10**7)), max_size=30))
def test_intervals_are_whole_in_order_and_sum_to_the_register(offset, steps):
    readings = [(EDGE_S + offset, 1_000)]
    for span_s, rise_wh in steps:
        readings.append((readings[-1][0] + span_s, readings[-1][1] + rise_wh))
    last, runs = feed(readings)
    assert all(value >= 0 for run in runs for value in run.values)
    assert all(len(run.values) == len(run.qualities) for run in runs)
    for before, after in itertools.pairwise(runs):
        assert after.first == before.first + len(before.values)
        assert after.open_wh == before.open_wh + sum(before.values)
    if runs:
        assert runs[0].open_wh + sum(value for run in runs for value in run.values) == last.edge_wh
        assert last.edge == runs[-1].first + len(runs[-1].values)
        assert 1_000 <= runs[0].open_wh <= last.edge_wh <= last.wh
