"""Event logs: the tables row by row, capacities, counters that only rise, rows and images."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.meter.logs import (
    COUNT_MAX,
    DETAIL_MAX,
    DETAIL_MIN,
    ROW_BYTES,
    Entry,
    LogBook,
    LogGroup,
    decode_counts,
    decode_entry,
    event_id,
    event_row,
    event_table,
    group_table,
    recovered,
)
from nyala.vocab.alarms import alarm_table
from nyala.vocab.errors import BadArgumentError, ForeignError, UnknownError

AT_S = 1_800_000_000
MAGNET = event_id("magnet")
EVENTS = st.sampled_from(sorted(event_table()))
ENTRIES = st.builds(
    Entry, st.integers(-(2**63), 2**63 - 1), EVENTS, st.integers(DETAIL_MIN, DETAIL_MAX), st.integers(0, COUNT_MAX)
)


@pytest.mark.parametrize("row", group_table().values(), ids=lambda row: row.group.value)
def test_every_group_has_labels_and_at_least_the_capacity_of_the_reference(row):
    assert row.label_en
    assert row.label_id
    assert row.capacity >= 60  # metrology.md 4: 60 current-related, 20 voltage, 100 other, 1..10 cover
    assert [row for row in event_table().values() if row.group is row.group]


def test_the_groups_are_all_and_their_codes_are_in_order():
    assert list(group_table()) == list(LogGroup)
    assert [row.code for row in group_table().values()] == list(range(len(LogGroup)))


@pytest.mark.parametrize("row", event_table().values(), ids=lambda row: row.name)
def test_every_event_has_an_id_of_its_source(row):
    assert event_row(row.event) is row
    assert event_id(row.name) == row.event
    assert row.source == ("IS 15959" if row.event < 301 else "own")


def test_ids_rise_and_every_group_has_events():
    assert list(event_table()) == sorted(event_table())
    assert {row.group for row in event_table().values()} == set(LogGroup)


@pytest.mark.parametrize("alarm", alarm_table(), ids=lambda row: row.name)
def test_every_alarm_is_logged_when_it_comes_and_goes_in_the_same_group(alarm):
    on, off = event_row(alarm.event_on), event_row(alarm.event_off)
    assert (on.name, off.name) == (alarm.name, f"{alarm.name}_end")
    assert on.group is off.group


def test_a_group_keeps_its_newest_entries_and_the_counter_goes_on():
    book = LogBook()
    capacity = group_table()[LogGroup.FRAUD].capacity
    for turn in range(capacity + 7):
        book, entry = book.record(MAGNET, AT_S + turn, turn)
        assert entry == Entry(AT_S + turn, MAGNET, turn, turn + 1)
    kept = book.of(LogGroup.FRAUD)
    assert [entry.detail for entry in kept] == list(range(7, capacity + 7))
    assert book.count(MAGNET) == capacity + 7
    assert book.of(LogGroup.CLOCK) == ()
    assert book.count(event_id("clock_set")) == 0


def test_a_full_counter_stays():
    book, entry = LogBook(counts={MAGNET: COUNT_MAX}).record(MAGNET, AT_S)
    assert (book.count(MAGNET), entry.count) == (COUNT_MAX, COUNT_MAX)


@pytest.mark.parametrize("detail", [DETAIL_MIN - 1, DETAIL_MAX + 1])
def test_a_detail_beyond_its_row_is_refused(detail):
    with pytest.raises(BadArgumentError):
        LogBook().record(MAGNET, AT_S, detail)


def test_an_unknown_event_is_refused():
    for refused in (lambda: LogBook().record(9999, AT_S), lambda: LogBook().count(9999), lambda: event_id("eclipse")):
        with pytest.raises(UnknownError):
            refused()


@given(ENTRIES)
def test_every_entry_reads_back(entry):
    assert decode_entry(entry.encode()) == entry
    assert len(entry.encode()) == ROW_BYTES


@given(st.binary(max_size=ROW_BYTES + 1) | st.binary(min_size=ROW_BYTES, max_size=ROW_BYTES))
def test_any_bytes_are_an_entry_or_foreign(row):
    try:
        entry = decode_entry(row)
    except ForeignError:
        return
    assert entry.encode() == row


@given(st.dictionaries(EVENTS, st.integers(1, COUNT_MAX)))
def test_counters_read_back(counts):
    assert decode_counts(LogBook(counts=counts).encode_counts()) == counts


@given(st.binary(max_size=24))
def test_any_bytes_are_counters_or_foreign(image):
    try:
        counts = decode_counts(image)
    except ForeignError:
        return
    assert LogBook(counts=counts).encode_counts() == image


def test_images_that_are_no_counters_are_foreign():
    good = LogBook(counts={101: 1, 102: 2}).encode_counts()
    for bad in (good[:-1], good[6:] + good[:6], good[:6] * 2, b"\xff\xff\1\0\0\0", good[:2] + bytes(4)):
        with pytest.raises(ForeignError):
            decode_counts(bad)


@given(st.lists(EVENTS, max_size=40), st.integers(0, 40))
def test_a_counter_never_falls_when_its_image_is_older_than_the_rows(events, saved):
    book, image = LogBook(), b""
    rows: dict[LogGroup, list[bytes]] = {group: [] for group in LogGroup}
    for turn, event in enumerate(events):
        if turn == saved:
            image = book.encode_counts()
        book, entry = book.record(event, AT_S + turn)
        rows[event_row(event).group].append(entry.encode())
    again = recovered(decode_counts(image), rows)
    assert again.counts == book.counts
    assert all(again.of(group) == book.of(group) for group in LogGroup)
