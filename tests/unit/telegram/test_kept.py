"""Kept bodies: from values to bytes and back, from any bytes a value or a refusal, and the room they take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.telegram.kept import BODY_MAX, LATEST_BYTES, Blocks, Mark, entry, mark_of, read, write
from nyala.vocab.errors import TelegramError

NEWEST = 488_889
bodies = st.binary(max_size=BODY_MAX)
numbers = st.integers(NEWEST - 254, NEWEST)


@st.composite
def blocks(draw):
    """Entries of one lead."""
    its = Blocks()
    marks = st.sampled_from([Mark.HEARD, Mark.RECOVERED])
    its.bodies = {number: entry(number, draw(marks), draw(bodies)) for number in draw(st.sets(numbers, min_size=1, max_size=9))}
    its.waiting = {number: entry(number, Mark.PARITY, draw(bodies)) for number in draw(st.sets(numbers, max_size=9))}
    return its


leads = st.dictionaries(st.integers(0, 255), blocks(), max_size=4)


def plain(found):
    return {lead: (its.bodies, its.waiting) for lead, its in found.items()}


@given(leads, st.integers(0, 2**40 - 1))
def test_what_is_written_reads_back(kept, latest_s):
    found, latest = read(write(kept, latest_s))
    assert (plain(found), latest) == (plain(kept), latest_s)
    assert list(found) == list(kept)  # the order says which was used last


@given(st.binary(max_size=60))
def test_any_bytes_are_entries_or_refused(data):
    try:
        found, _ = read(data)
    except TelegramError:
        return
    assert all(len(said) >= 2 for its in found.values() for said in its.bodies.values())


@given(leads, st.integers(0, 200))
def test_no_more_is_written_than_there_is_room_for(kept, most):
    data = write(kept, most=LATEST_BYTES + most)
    assert len(data) <= LATEST_BYTES + most
    found = plain(read(data)[0])
    assert found.items() <= plain(kept).items()
    assert list(found) == list(kept)[len(kept) - len(found) :]


def test_nothing_is_read_from_no_bytes_and_from_none_written():
    assert read(b"") == ({}, 0)
    assert read(write({})) == ({}, 0)
    assert read(write({7: Blocks()})) == ({}, 0)


def test_a_vector():
    its = Blocks()
    its.bodies = {600: entry(600, Mark.HEARD, b"\xaa"), 599: entry(599, Mark.RECOVERED, b"")}
    its.waiting = {601: entry(601, Mark.PARITY, b"\x01\x02")}
    assert write({0x0A: its}, 5).hex(" ") == "00 00 00 00 05 0a 00 00 02 59 02 01 58 01 aa 57 40 59 82 01 02"
    assert [mark_of(said) for said in (*its.bodies.values(), *its.waiting.values())] == [0, 1, 2]


def test_bytes_that_are_cut_short_are_refused():
    its = Blocks()
    its.bodies = {600: entry(600, Mark.HEARD, b"\xaa\xbb")}
    data = write({1: its})
    for size in range(LATEST_BYTES + 1, len(data)):
        with pytest.raises(TelegramError, match="cut short"):
            read(data[:size])


@pytest.mark.parametrize("oldest", [90, 200, 1_000])
def test_what_is_forgotten_is_gone_with_the_parities_that_reach_behind_it(oldest):
    its = Blocks()
    its.bodies = {number: entry(number, Mark.HEARD, b"\1") for number in range(80, 300)}
    its.waiting = {number: entry(number, Mark.PARITY, b"\1") for number in range(97, 300)}
    its.forget(80, 17)
    its.forget(oldest, 17)
    assert sorted(its.bodies) == list(range(oldest, 300))
    assert sorted(its.waiting) == list(range(oldest + 17, 300))
    its.forget(80, 17)
    assert its.oldest == oldest
