"""The book of load days: ranks, versions, registers, what is missing, and its memory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.mdm.book import Book
from nyala.mdm.load_day import Key
from nyala.vocab.errors import ConflictError
from nyala.vocab.quality import ESTIMATED, Quality
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S
from tests.unit.mdm.books import (
    DAY,
    EDITED,
    FIRST,
    LINEAR,
    METER,
    MISSING,
    OUTAGE,
    PER_DAY,
    PERIOD_S,
    RAW,
    Shelf,
    found,
    key,
    merge,
    rank,
)


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def book(shelf):
    return Book(shelf)


# -- merging


def test_a_run_that_crosses_midnight_stands_in_two_days(book):
    assert merge(book, FIRST + PER_DAY - 1, [5, 6]) == 2
    assert found(book).values.tolist() == [0] * 7 + [5]
    assert found(book, DAY + 1).values.tolist() == [6] + [0] * 7
    assert (found(book).missing, found(book, DAY + 1).missing) == (7, 7)


def test_the_same_run_again_gives_nothing_new(book, shelf):
    run = [1, 2, 3]
    assert merge(book, FIRST, run) == 3
    shelf.keep(book)
    assert merge(book, FIRST, run) == 0
    assert (book.duplicates, book.replaced) == (3, 0)
    assert book.take_changes() == ([], [])


def test_filling_a_gap_is_not_a_version(book):
    merge(book, FIRST, [1, 2])
    merge(book, FIRST + 4, [5])
    merge(book, FIRST + 1, [2, 3, 4])
    assert found(book).values.tolist() == [1, 2, 3, 4, 5, 0, 0, 0]
    rows, superseded = book.take_changes()
    assert ([row.version for row in rows], superseded, book.replaced) == ([1], [], 0)


def test_a_change_is_a_version_and_the_row_before_it_is_kept(book):
    merge(book, FIRST, [1, 2], [RAW, LINEAR])
    assert merge(book, FIRST, [1, 7], [RAW, RAW]) == 1
    rows, superseded = book.take_changes()
    assert [(row.version, row.values[1:3]) for row in rows] == [(2, b"\1\7")]
    assert [(row.version, row.values[1:3], row.estimated) for row in superseded] == [(1, b"\1\2", 1)]


def test_each_change_is_a_version_of_its_own(book):
    for value in (1, 2, 3):
        merge(book, FIRST, [value], LINEAR)
    rows, superseded = book.take_changes()
    assert [row.version for row in rows] == [3]
    assert [(row.version, row.values[1]) for row in superseded] == [(1, 1), (2, 2)]


LADDER = [LINEAR, RAW, EDITED]


@pytest.mark.parametrize("old", range(3))
@pytest.mark.parametrize("new", range(3))
def test_a_value_gives_way_only_to_its_own_rank_or_a_higher_one(book, old, new):
    merge(book, FIRST, [10], LADDER[old])
    assert merge(book, FIRST, [20], LADDER[new]) == (new >= old)
    day = found(book)
    assert (day.values[0], day.qualities[0]) == ((20, LADDER[new]) if new >= old else (10, LADDER[old]))


@pytest.mark.parametrize(("old", "new"), [(LINEAR, RAW), (RAW, EDITED), (LINEAR, EDITED)])
def test_the_same_value_of_a_higher_rank_is_taken(book, old, new):
    merge(book, FIRST, [10], old)
    assert merge(book, FIRST, [10], new) == 1
    assert (found(book).qualities[0], found(book).version) == (new, 2)


def test_an_outage_counts_as_a_value_of_the_meter(book):
    merge(book, FIRST, [3], OUTAGE)
    assert merge(book, FIRST, [9], LINEAR) == 0
    assert (found(book).values[0], found(book).qualities[0]) == (3, OUTAGE)


def test_intervals_that_a_run_does_not_know_take_nothing_away(book):
    merge(book, FIRST, [1, 2, 3])
    assert merge(book, FIRST, [0, 0, 0, 4], [MISSING, MISSING, MISSING, RAW]) == 1
    assert found(book).values.tolist() == [1, 2, 3, 4, 0, 0, 0, 0]


def test_channels_and_meters_are_kept_apart(book):
    merge(book, FIRST, [1])
    book.merge(METER, Channel.EXPORT, PERIOD_S, FIRST, [2], [RAW])
    book.merge(METER + 1, Channel.IMPORT, PERIOD_S, FIRST, [3], [RAW])
    keys = [key(), key(channel=Channel.EXPORT), key(meter_id=METER + 1)]
    assert [day.values[0] for each in keys if (day := book.day(each)) is not None] == [1, 2, 3]


def test_another_period_within_a_day_is_refused_and_changes_nothing(book, shelf):
    merge(book, FIRST, [1])
    shelf.keep(book)
    with pytest.raises(ConflictError, match="has intervals of 10800 s, not 900 s"):
        merge(book, DAY * 96, [5], period_s=900)
    assert book.take_changes() == ([], [])


def test_values_are_as_large_as_a_register(book, shelf):
    merge(book, FIRST, [2**63 - 1, 2**32])
    shelf.keep(book)
    assert found(Book(shelf)).values.tolist()[:2] == [2**63 - 1, 2**32]


runs_of_truth = st.lists(st.tuples(st.integers(0, 2 * PER_DAY - 1), st.integers(1, PER_DAY)), min_size=1, max_size=8)


@given(runs_of_truth, st.randoms(use_true_random=False), st.integers(0, 99))
def test_measured_runs_lead_to_the_same_book_in_any_order(spans, random, seed):
    truth = [(seed + 7 * at) % 50 for at in range(3 * PER_DAY)]
    books = []
    for _ in range(2):
        book = Book(Shelf())
        for first, count in spans:
            merge(book, FIRST + first, truth[first : first + count])
        books.append(sorted(book.take_changes()[0], key=lambda row: row.key))
        spans = spans + spans[:1]
        random.shuffle(spans)
    assert books[0] == books[1]
    assert {row.version for row in books[0]} == {1}


@given(
    st.lists(st.tuples(st.integers(0, PER_DAY - 1), st.integers(0, 3), st.sampled_from([LINEAR, RAW, EDITED])), max_size=12),
    st.randoms(use_true_random=False),
)
def test_in_any_order_the_highest_rank_stays(said, random):
    random.shuffle(said)
    book = Book(Shelf())
    merge(book, FIRST, [0], RAW)
    for at, value, quality in said:
        merge(book, FIRST + at, [value], quality)
    for at in range(PER_DAY):
        ranks = [rank(quality) for place, _, quality in said if place == at] + [rank(RAW)] * (at == 0)
        assert rank(found(book).qualities[at]) == max(ranks, default=0)


def test_every_estimated_quality_is_below_what_the_meter_said(book):
    for code in Quality:
        assert rank(code) == (0 if code is MISSING else 1 if code in ESTIMATED else 3 if code is EDITED else 2)
    for at, code in enumerate(sorted(ESTIMATED)):
        merge(book, FIRST + at, [1], code)
        assert merge(book, FIRST + at, [2], RAW) == 1


# -- registers


def test_a_register_at_midnight_stands_at_the_ends_of_two_days(book):
    merge(book, FIRST - 1, [1])
    book.set_register(METER, Channel.IMPORT, PERIOD_S, DAY * DAY_S, 500)
    assert (found(book, DAY - 1).close_wh, found(book).open_wh) == (500, 500)
    assert (found(book, DAY - 1).open_wh, found(book).close_wh) == (None, None)


def test_a_register_makes_the_day_that_begins_but_not_the_one_that_ends(book):
    book.set_register(METER, Channel.IMPORT, PERIOD_S, DAY * DAY_S, 500)
    assert book.day(key(DAY - 1)) is None
    assert found(book).missing == PER_DAY
    assert [row.key.day for row in book.take_changes()[0]] == [DAY]


@pytest.mark.parametrize("at_s", [DAY * DAY_S + 1, DAY * DAY_S - 1, DAY * DAY_S + PERIOD_S])
def test_a_register_at_another_time_proves_no_day(book, at_s):
    merge(book, FIRST, [1])
    book.take_changes()
    book.set_register(METER, Channel.IMPORT, PERIOD_S, at_s, 500)
    assert book.take_changes() == ([], [])


def test_the_same_register_again_is_no_change(book):
    book.set_register(METER, Channel.IMPORT, PERIOD_S, DAY * DAY_S, 500)
    book.take_changes()
    book.set_register(METER, Channel.IMPORT, PERIOD_S, DAY * DAY_S, 500)
    assert book.take_changes() == ([], [])


def test_a_register_is_no_version(book, shelf):
    merge(book, FIRST, [1])
    shelf.keep(book)
    book.set_register(METER, Channel.IMPORT, PERIOD_S, DAY * DAY_S, 500)
    rows, superseded = book.take_changes()
    assert ([(row.version, row.open_wh) for row in rows], superseded) == ([(1, 500)], [])


# -- what is missing


def plain_missing(known, first, until):
    return [at for at in range(first, until) if at not in known]


def runs_of(indices):
    runs: list[tuple[int, int]] = []
    for at in indices:
        if runs and sum(runs[-1]) == at:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((at, 1))
    return runs


spans = st.integers(-PER_DAY, 4 * PER_DAY)


@given(st.sets(st.integers(0, 3 * PER_DAY - 1)), spans, spans, st.integers(0, 6))
def test_what_is_missing_is_what_a_list_says(known, first, until, limit):
    book = Book(Shelf(), cache_limit=1)
    for at in known:
        merge(book, FIRST + at, [0])
    expected = plain_missing({FIRST + at for at in known}, FIRST + first, FIRST + until)
    arguments = (METER, Channel.IMPORT, PERIOD_S, FIRST + first, FIRST + until)
    assert book.missing_runs(*arguments, limit=limit) == runs_of(expected)[:limit]
    assert book.first_missing(*arguments) == (expected[0] if expected else FIRST + until)


def test_a_day_of_another_period_counts_as_missing(book):
    merge(book, DAY * 96, [1] * 96, period_s=900)
    assert book.first_missing(METER, Channel.IMPORT, PERIOD_S, FIRST, FIRST + 4) == FIRST
    assert book.missing_runs(METER, Channel.IMPORT, PERIOD_S, FIRST, FIRST + 4, 9) == [(FIRST, 4)]


def test_an_estimate_is_not_missing(book):
    merge(book, FIRST, [1] * PER_DAY, LINEAR)
    assert book.first_missing(METER, Channel.IMPORT, PERIOD_S, FIRST, FIRST + PER_DAY) == FIRST + PER_DAY


# -- memory


def test_many_days_are_brought_in_one_question(book, shelf):
    for day in range(DAY, DAY + 5):
        merge(book, day * PER_DAY, [1])
    shelf.keep(book)
    fresh = Book(shelf)
    shelf.questions = 0
    wanted = [key(day) for day in range(DAY - 1, DAY + 5)]
    fresh.fetch([*wanted, *wanted])
    assert [fresh.day(each) is not None for each in wanted] == [False] + [True] * 5
    assert shelf.questions == 1


def test_the_days_that_were_not_used_for_longest_leave_memory_first(shelf):
    book = Book(shelf, cache_limit=2)
    for day in range(DAY, DAY + 3):
        merge(book, day * PER_DAY, [day % 100])
    book.day(key(DAY))
    shelf.keep(book)
    shelf.questions = 0
    found(book, DAY)
    found(book, DAY + 2)
    assert shelf.questions == 0
    assert found(book, DAY + 1).values[0] == (DAY + 1) % 100
    assert shelf.questions == 1


def test_nothing_leaves_memory_before_it_was_handed_out(shelf):
    book = Book(shelf, cache_limit=1)
    for day in range(DAY, DAY + 4):
        merge(book, day * PER_DAY, [1])
    assert len(book.take_changes()[0]) == 4


def test_rows_that_were_handed_out_do_not_change_any_more(book):
    merge(book, FIRST, [1])
    [row], _ = book.take_changes()
    merge(book, FIRST + 1, [2])
    assert (row.missing, row.energy_wh, row.key) == (PER_DAY - 1, 1, Key(METER, DAY, Channel.IMPORT))
    assert np.frombuffer(row.values[1:], np.uint8).tolist() == [1] + [0] * 7
