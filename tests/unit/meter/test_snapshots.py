"""Billing snapshots: rows that read back, the ring of 15 months, who may reset when."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.meter.snapshots import (
    COLUMNS,
    DEMANDS,
    LOCK_OUT_S,
    MONTHS,
    ROW_BYTES,
    Maximum,
    Reason,
    Snapshot,
    decode_snapshot,
    keep,
    locked_s,
)
from nyala.vocab.errors import BadArgumentError, ForeignError
from nyala.vocab.quantities import Channel, catalogue

AT_S = 1_800_000_000


def table(rows, each):
    return st.tuples(*[st.tuples(*[each] * COLUMNS)] * rows)


SNAPSHOTS = st.builds(
    Snapshot,
    st.integers(0, 2**32 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from(Reason),
    table(len(Channel), st.integers(0, 2**63 - 1)),
    table(len(DEMANDS), st.builds(Maximum, st.integers(0, 2**32 - 1), st.integers(0, 2**40))),
)


def snapshot(number: int) -> Snapshot:
    registers = tuple(tuple(1000 * channel + rate for rate in range(COLUMNS)) for channel in Channel)
    maxima = tuple(tuple(Maximum(10 * place + rate, AT_S) for rate in range(COLUMNS)) for place in range(len(DEMANDS)))
    return Snapshot(number, AT_S, Reason.CALENDAR, registers, maxima)


@settings(max_examples=30)
@given(SNAPSHOTS)
def test_every_snapshot_reads_back(each):
    assert len(each.encode()) == ROW_BYTES
    assert decode_snapshot(each.encode()) == each


@given(st.binary(max_size=40) | st.binary(min_size=ROW_BYTES, max_size=ROW_BYTES))
def test_any_bytes_are_a_snapshot_or_foreign(row):
    try:
        each = decode_snapshot(row)
    except ForeignError:
        return
    assert each.encode() == row


def test_the_row_of_a_snapshot_by_hand():
    row = snapshot(7).encode()
    assert row[:13].hex() == "07000000" + "00d2496b00000000" + "00"
    assert row[13 + 8 : 13 + 16] == (1).to_bytes(8, "little")
    assert row[-12:-8] == (58).to_bytes(4, "little")
    for bad in (row[:-1], row[:12] + b"\3" + row[13:], row[:20] + b"\x80" + row[21:]):
        with pytest.raises(ForeignError):
            decode_snapshot(bad)


def test_the_demands_are_those_of_the_catalogue():
    assert [f"max_{name}" for name in DEMANDS] == [name for name in catalogue() if name.startswith("max_")][: len(DEMANDS)]


REFUSED = {
    "a channel too few": {"registers_wh": snapshot(1).registers_wh[1:]},
    "a rate too few": {"registers_wh": tuple(row[1:] for row in snapshot(1).registers_wh)},
    "a negative register": {"registers_wh": ((-1, *[0] * (COLUMNS - 1)), *snapshot(1).registers_wh[1:])},
    "a demand too few": {"maxima": snapshot(1).maxima[1:]},
    "a maximum beyond 32 bits": {"maxima": ((Maximum(2**32), *[Maximum()] * (COLUMNS - 1)), *snapshot(1).maxima[1:])},
    "a negative number": {"number": -1},
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_a_snapshot_that_is_none_is_refused(change):
    with pytest.raises(BadArgumentError):
        dataclasses.replace(snapshot(1), **change)


def test_the_ring_keeps_fifteen_months_in_order():
    kept: tuple[Snapshot, ...] = ()
    for number in range(40):
        kept = keep(kept, snapshot(number))
        assert [each.number for each in kept] == list(range(max(0, number - MONTHS + 1), number + 1))
    for number in (39, 41, 0):
        with pytest.raises(BadArgumentError):
            keep(kept, snapshot(number))


@pytest.mark.parametrize("source", Reason)
def test_a_source_is_locked_out_for_its_time_and_not_a_second_longer(source):
    lock_s = LOCK_OUT_S[source]
    assert locked_s(source, AT_S, None) == 0
    assert locked_s(source, AT_S, AT_S) == lock_s
    assert locked_s(source, AT_S + lock_s, AT_S) == 0
    if lock_s:
        assert locked_s(source, AT_S + lock_s - 1, AT_S) == 1


def test_the_calendar_always_acts_and_a_button_waits_longest():
    assert LOCK_OUT_S[Reason.CALENDAR] == 0 < LOCK_OUT_S[Reason.COMMAND] < LOCK_OUT_S[Reason.BUTTON]


def test_a_clock_that_was_set_back_locks_nobody_out():
    assert locked_s(Reason.BUTTON, AT_S - 1, AT_S) == 0


def test_the_lock_out_is_a_setting():
    assert locked_s(Reason.BUTTON, AT_S, AT_S, {Reason.BUTTON: 60}) == 60


def test_how_much_is_kept_and_how_long_a_reset_is_locked_out():
    assert MONTHS == 15  # product sheet A: 15 months
    assert LOCK_OUT_S == {Reason.CALENDAR: 0, Reason.BUTTON: 43_200, Reason.COMMAND: 900}


def test_numbers_and_maxima_have_32_bits_and_no_more():
    frozen = snapshot_of(2**32 - 1)
    assert decode_snapshot(frozen.encode()) == frozen
    with pytest.raises(BadArgumentError, match="32 bits"):
        snapshot_of(2**32)


def snapshot_of(number: int) -> Snapshot:
    maxima = ((Maximum(number, AT_S),) * COLUMNS,) * len(DEMANDS)
    return Snapshot(number, AT_S, Reason.BUTTON, ((0,) * COLUMNS,) * len(Channel), maxima)
