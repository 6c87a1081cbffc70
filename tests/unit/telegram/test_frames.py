"""Frames: parts to bytes and back, what fits which room, and the bound under which a block is never refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.telegram.frame_header import COUNTS, RAW, Header, header_bytes, resolved
from nyala.telegram.frames import (
    Built,
    Frame,
    Run,
    build,
    decode,
    decode_raw,
    encode,
    encode_raw,
    missing_wh,
    rows_of,
    value_bits_max,
)
from nyala.telegram.parity import SentBodies, xor
from nyala.vocab.errors import BadArgumentError, TelegramError
from nyala.vocab.quantities import Channel
from tests.unit.telegram.frame_coder import WidthCoder

CODER = WidthCoder()
HOUR_S = 3_600
FIRST = 1_955_556
DR2_ROOM = 11
ROOM_MIN = 7
LARGEST_WH = 89_700
"""100 A at 1.3 times 230 V, three phases, in an hour: 17 bits."""
energies = st.integers(0, 3) | st.integers(0, 400) | st.integers(0, LARGEST_WH)


def said(built: list[Built], received_s: int, period_s: int = 900) -> dict[tuple[Channel, int], int]:
    """(channel, absolute index) -> value of all frames; nothing may be said twice."""
    found: dict[tuple[Channel, int], int] = {}
    for each in built:
        frame = decode(each.payload, full=each.full, has_sum=each.has_sum)
        header = frame.header
        number = header.number if each.full else resolved(header, period_s, received_s)
        for channel, row in rows_of(header.lead, frame.body, CODER).items():
            for place, value in enumerate(row, start=number * header.intervals):
                assert (channel, place) not in found
                found[channel, place] = value
    return found


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """A run of any beginning and length of some channels."""
    count = draw(st.integers(1, 70))
    channels = draw(st.lists(st.sampled_from(Channel), min_size=1, max_size=4, unique=True))
    rows = {channel: draw(st.lists(energies, min_size=count, max_size=count)) for channel in channels}
    return Run(draw(st.integers(FIRST, FIRST + 120)), rows, draw(st.none() | st.integers(10**7, 10**9)))


@given(runs(), st.integers(ROOM_MIN, 60) | st.just(242), st.booleans())
def test_a_run_is_said_once_within_the_room_whatever_its_values(run, room, full):
    room += 3 * full
    built = build(run, CODER, room, SentBodies(), full=full)
    assert all(len(each.payload) <= room for each in built)
    # A single interval has the shortest reach of a short number: 128 periods.
    assert said(built, (run.first + 70) * 900) == {
        (channel, place): value for channel, row in run.rows.items() for place, value in enumerate(row, start=run.first)
    }


@given(runs(), st.integers(12, 60))
def test_every_register_on_the_air_is_that_of_the_end_of_its_block(run, room):
    if run.end_wh is None:
        return
    for each in build(run, CODER, room, SentBodies()):
        frame = decode(each.payload, has_sum=each.has_sum)
        if frame.register is not None:
            end = (resolved(frame.header, 900, (run.first + 70) * 900) + 1) * frame.header.intervals - run.first
            later = sum(run.rows[Channel.IMPORT][end:]) if Channel.IMPORT in run.rows else 0
            assert frame.register == (run.end_wh - later) % 65_536


@pytest.mark.parametrize("room", range(6, 40))
@pytest.mark.parametrize("full", [False, True])
def test_the_largest_value_of_the_bound_fits_and_the_next_bit_does_not(room, full):
    bits = value_bits_max(room, full=full)
    if bits < 1:
        return
    run = Run(FIRST, {Channel.Q3: [(1 << bits) - 1]})
    (built,) = build(run, CODER, room, SentBodies(), full=full)
    assert len(built.payload) <= room
    with pytest.raises(BadArgumentError, match="does not fit"):
        build(Run(FIRST, {Channel.Q3: [1 << bits]}), CODER, room, SentBodies(), full=full)


def test_the_bound_holds_an_hour_of_the_largest_meter_in_seven_bytes():
    assert value_bits_max(ROOM_MIN, full=False) == 18 > LARGEST_WH.bit_length()
    assert value_bits_max(DR2_ROOM, full=False) == 50
    assert value_bits_max(DR2_ROOM, full=True) == 26


def history(bodies: int, body: list[int]) -> SentBodies:
    """What a meter has that has sent hours of such values."""
    sent = SentBodies()
    for hour in range(bodies):
        build(Run(FIRST - 4 * (bodies - hour), {Channel.IMPORT: body}), CODER, 242, sent)
    return sent


def test_at_eleven_bytes_an_hour_of_a_typical_home_carries_parity_and_a_larger_one_goes_alone():
    typical, evening = [31, 28, 44, 61], [200, 255, 180, 201]
    (with_parity,) = build(Run(FIRST, {Channel.IMPORT: typical}), CODER, DR2_ROOM, history(17, typical))
    frame = decode(with_parity.payload)
    assert (len(with_parity.payload), frame.header.parity, frame.parity) == (11, True, frame.body)
    (alone,) = build(Run(FIRST, {Channel.IMPORT: evening}), CODER, DR2_ROOM, history(17, evening))
    assert (len(alone.payload), decode(alone.payload).header.parity) == (8, False)


def test_the_register_goes_before_parity_where_only_one_fits():
    (built,) = build(Run(FIRST, {Channel.IMPORT: [31, 28, 44, 61]}, 70_000), CODER, DR2_ROOM, history(17, [31, 28, 44, 61]))
    frame = decode(built.payload, has_sum=built.has_sum)
    assert (frame.register, frame.parity) == (70_000 - 65_536, None)


def test_parity_is_the_sum_of_the_bodies_three_seven_and_seventeen_blocks_before():
    sent, bodies = SentBodies(), []
    for hour in range(18):
        (built,) = build(Run(FIRST + 4 * hour, {Channel.IMPORT: [hour, 3 * hour, 9, 250 - hour]}), CODER, 53, sent)
        frame = decode(built.payload)
        bodies.append(frame.body)
        assert frame.header.parity == (hour == 17)
    assert frame.parity == xor([bodies[14], bodies[10], bodies[0]])


def test_a_frame_that_is_packed_anew_has_the_same_parity():
    run, sent = Run(FIRST, {Channel.IMPORT: [31, 28, 44, 61]}), history(17, [9, 8, 7, 6])
    first, again = (build(run, CODER, 53, sent) for _ in range(2))
    assert first == again
    assert decode(first[0].payload).header.parity


def test_without_parity_wanted_none_is_sent():
    (built,) = build(Run(FIRST, {Channel.IMPORT: [9] * 4}), CODER, 53, history(17, [9] * 4), parity=False)
    assert decode(built.payload).parity is None


@pytest.mark.parametrize("rows", [{}, {Channel.IMPORT: []}, {Channel.IMPORT: [1], Channel.EXPORT: [1, 2]}])
def test_no_or_unequal_channels_are_refused(rows):
    with pytest.raises(BadArgumentError, match="no or unequal channels"):
        build(Run(FIRST, rows), CODER, 53, SentBodies())


def test_a_negative_interval_is_refused():
    with pytest.raises(BadArgumentError, match="below 0"):
        encode_raw({Channel.IMPORT: [-1]})


# -- bytes


@given(st.binary(max_size=60), st.booleans(), st.booleans())
def test_any_bytes_are_a_frame_that_reads_the_same_or_a_telegram_error(data, full, has_sum):
    try:
        frame = decode(data, full=full, has_sum=has_sum)
    except TelegramError:
        return
    assert encode(frame, full=full) == data
    try:
        rows = rows_of(frame.header.lead, frame.body, CODER)
    except TelegramError:
        return
    assert {len(row) for row in rows.values()} == {frame.header.intervals}


@given(st.binary(max_size=6), st.sampled_from(COUNTS))
def test_any_bytes_are_a_raw_body_or_a_telegram_error(data, count):
    try:
        rows = decode_raw(data, count)
    except TelegramError:
        return
    assert all(len(row) == count for row in rows.values())


@given(st.binary(max_size=70), st.none() | st.integers(0, 65_535), st.none() | st.binary(max_size=40), st.booleans())
def test_a_frame_reads_back(body, register, parity, full):
    header = Header(1, 1, 2, 7, len(body) % 32, parity is not None)
    frame = Frame(header, body, register, parity)
    if parity is not None and len(body) > 31:
        with pytest.raises(BadArgumentError, match="no parity can follow"):
            encode(frame, full=full)
        return
    payload = encode(frame, full=full)
    assert decode(payload, full=full, has_sum=register is not None) == frame
    assert len(payload) == header_bytes(full=full) + len(body) + len(parity or b"") + (0 if register is None else 2)


def test_a_body_of_another_length_than_said_is_refused():
    payload = encode(Frame(Header(0, 1, 0, 0, 4), bytes(4)))
    for cut in (payload[:-1], payload + b"\0"):
        with pytest.raises(TelegramError):
            decode(cut)
    with pytest.raises(TelegramError, match="within its register"):
        decode(payload[:4], has_sum=True)
    with pytest.raises(BadArgumentError, match="is not that of its parts"):
        encode(Frame(Header(0, 1, 0, 0, 3), bytes(4)))


def test_tables_of_another_epoch_are_refused_and_raw_bodies_are_not():
    with pytest.raises(TelegramError, match="epoch 2"):
        rows_of(Header(2, 1, 0, 0, 0).lead, b"", CODER)
    assert rows_of(Header(2, RAW, 0, 0, 0).lead, encode_raw({Channel.Q1: [5]}), CODER) == {Channel.Q1: (5,)}


@given(st.integers(0, 10**9), st.lists(st.integers(0, 400), max_size=30), st.integers(0, 65_535))
def test_two_registers_prove_the_intervals_between_and_close_one_gap_below_65_kwh(before, known, lost):
    after = before + sum(known) + lost
    assert missing_wh(before % 65_536, after % 65_536, sum(known)) == lost
