"""Closing days: gaps are estimated, and late data and late registers still count.  Law 1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.mdm.book import Book
from nyala.mdm.closing import estimate_gaps, reconcile
from nyala.vocab.quality import ESTIMATED
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S
from tests.unit.mdm.books import (
    DAY,
    EDITED,
    FIRST,
    LINEAR,
    METER,
    PER_DAY,
    PERIOD_S,
    RAW,
    Shelf,
    found,
    key,
    merge,
    sums,
)

START_WH = 5_000


@pytest.fixture
def book():
    return Book(Shelf())


def register(book: Book, day: int, wh: int) -> None:
    """A register reading at the start of a day."""
    book.set_register(METER, Channel.IMPORT, PERIOD_S, day * DAY_S, wh)


def close(book: Book, first: int = FIRST, until: int = FIRST + PER_DAY) -> int:
    return estimate_gaps(book, METER, Channel.IMPORT, PERIOD_S, first, until)


def test_a_gap_in_a_day_with_its_registers_gets_exactly_what_is_left(book):
    merge(book, FIRST, [10, 20])
    merge(book, FIRST + 6, [30, 40])
    register(book, DAY, 1_000)
    register(book, DAY + 1, 1_145)
    assert close(book) == 4
    day = found(book)
    assert day.values.tolist() == [10, 20, 12, 11, 11, 11, 30, 40]
    assert [code in ESTIMATED for code in day.qualities.tolist()] == [False] * 2 + [True] * 4 + [False] * 2


def test_filling_a_gap_for_the_first_time_is_no_version(book):
    merge(book, FIRST, [10])
    close(book)
    rows, superseded = book.take_changes()
    assert ([row.version for row in rows], superseded) == ([1], [])


def test_only_the_asked_intervals_are_estimated(book):
    merge(book, FIRST, [8])
    register(book, DAY, 0)
    register(book, DAY + 1, 80)
    assert close(book, FIRST + 2, FIRST + 4) == 2
    codes = found(book).qualities.tolist()
    assert [at for at, code in enumerate(codes) if code in ESTIMATED] == [2, 3]
    assert codes.count(0) == 5


def test_where_nothing_is_missing_nothing_happens(book):
    merge(book, FIRST, [1] * PER_DAY)
    book.take_changes()
    assert close(book) == 0
    assert book.take_changes() == ([], [])


@pytest.mark.parametrize("until", [FIRST, FIRST - 3])
def test_an_empty_span_is_nothing_to_do(book, until):
    assert close(book, FIRST, until) == 0


def test_a_day_of_which_nothing_came_is_estimated_from_the_registers_around_it(book):
    merge(book, FIRST - 1, [9])
    merge(book, FIRST + PER_DAY, [9])
    register(book, DAY, 100)
    register(book, DAY + 1, 180)
    close(book)
    assert found(book).values.tolist() == [10] * 8


def test_a_value_of_the_meter_replaces_an_estimate_and_the_others_are_scaled_again(book):
    register(book, DAY, 0)
    register(book, DAY + 1, 80)
    close(book)
    assert merge(book, FIRST + 3, [45]) == 1
    reconcile(book, key())
    assert found(book).values.tolist() == [5, 5, 5, 45, 5, 5, 5, 5]
    _, superseded = book.take_changes()
    assert [row.version for row in superseded] == [1, 2]


def test_a_late_register_scales_the_estimates_again(book):
    merge(book, FIRST, [10] * 4)
    register(book, DAY, 0)
    close(book)
    assert sums(book, [DAY]) == 80
    register(book, DAY + 1, 120)
    reconcile(book, key())
    assert found(book).values.tolist() == [10] * 4 + [20] * 4


def test_what_a_person_edited_is_not_scaled(book):
    register(book, DAY, 0)
    register(book, DAY + 1, 80)
    close(book)
    merge(book, FIRST, [1], EDITED)
    reconcile(book, key())
    assert (found(book).values[0], sums(book, [DAY])) == (1, 80)


def test_without_an_estimate_there_is_nothing_to_reconcile(book):
    merge(book, FIRST, [1, 2])
    register(book, DAY, 0)
    register(book, DAY + 1, 80)
    book.take_changes()
    reconcile(book, key())
    reconcile(book, key(DAY + 9))
    assert book.take_changes() == ([], [])


def test_reconciling_twice_changes_nothing_the_second_time(book):
    register(book, DAY, 0)
    register(book, DAY + 1, 83)
    close(book)
    merge(book, FIRST, [3])
    reconcile(book, key())
    book.take_changes()
    reconcile(book, key())
    assert book.take_changes() == ([], [])


@st.composite
def late_stories(draw: st.DrawFn) -> tuple[list[int], set[int], list[set[int]], set[int]]:
    """Two days between known registers: the truth, what came in time, what comes late, piece by piece, and midnights."""
    count = 2 * PER_DAY
    truth = draw(st.lists(st.integers(0, 500), min_size=count, max_size=count))
    places = st.integers(0, count - 1)
    return truth, draw(st.sets(places)), draw(st.lists(st.sets(places, min_size=1), max_size=3)), draw(st.sets(st.just(1)))


def say(book: Book, truth: list[int], places: set[int]) -> None:
    for at in sorted(places):
        merge(book, FIRST + at, [truth[at]])


@given(late_stories())
def test_known_and_estimated_values_sum_to_the_registers_whatever_comes_late(story):
    truth, early, late, middle = story
    book = Book(Shelf())
    say(book, truth, early)
    for day in sorted({0, 2} | middle):
        register(book, DAY + day, START_WH + sum(truth[: day * PER_DAY]))
    close(book, FIRST, FIRST + 2 * PER_DAY)
    seen = set(early)
    for places in late:
        say(book, truth, places)
        for day in sorted({at // PER_DAY for at in places}):
            reconcile(book, key(DAY + day))
        seen |= places
        assert sums(book, [DAY, DAY + 1]) == sum(truth)
        if middle:
            assert sums(book, [DAY]) == sum(truth[:PER_DAY])
    for at in range(2 * PER_DAY):
        day = found(book, DAY + at // PER_DAY)
        code = day.qualities[at % PER_DAY]
        assert code == (RAW if at in seen else LINEAR)
        assert at not in seen or day.values[at % PER_DAY] == truth[at]


@given(late_stories())
def test_when_all_has_come_nothing_is_estimated_and_every_version_is_kept(story):
    truth, early, late, _ = story
    shelf = Shelf()
    book = Book(shelf)
    register(book, DAY, 0)
    register(book, DAY + 2, sum(truth))
    for places in (early, *late, set(range(2 * PER_DAY))):
        say(book, truth, places)
        close(book, FIRST, FIRST + 2 * PER_DAY)
        reconcile(book, key(DAY))
        shelf.keep(book)
    for number in (0, 1):
        day = found(book, DAY + number)
        assert day.values.tolist() == truth[number * PER_DAY : (number + 1) * PER_DAY]
        assert set(day.qualities.tolist()) == {RAW}
        kept = [row.version for row in shelf.history if row.key == day.key]
        assert kept == list(range(1, day.version))
