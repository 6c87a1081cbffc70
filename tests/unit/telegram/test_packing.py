"""Packing: what a frame of 11 bytes and up carries, nothing lost, never too long; short indices and instants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.telegram import intervals, values
from nyala.telegram.codec import decode, encode
from nyala.telegram.intervals import SHORT_REACH, WIDTHS, ChannelBlock, Intervals, nearest, pack
from nyala.telegram.kinds import PERIODS_S, Port
from nyala.telegram.values import Values
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quantities import Channel, catalogue
from tests.unit.telegram.strategies import energies, instants, periods
from tests.unit.telegram.strategies import values as said_values

DR2_ROOM = 11
LARGEST_QUARTER_WH = 22_425
"""100 A at 1.3 times 230 V, three phases, in 15 minutes."""
rooms = st.integers(DR2_ROOM, 242)


@st.composite
def loads(draw: st.DrawFn) -> tuple[dict[Channel, list[int]], frozenset[int]]:
    """A run of any length of some channels, with intervals without supply."""
    count = draw(st.integers(1, 100))
    channels = draw(st.lists(st.sampled_from(Channel), min_size=1, max_size=4, unique=True))
    rows = {channel: draw(st.lists(energies, min_size=count, max_size=count)) for channel in channels}
    return rows, draw(st.frozensets(st.integers(0, count - 1), max_size=20))


def unpacked(
    payloads: list[bytes], port: Port, received_s: int
) -> tuple[dict[tuple[Channel, int], int], set[tuple[Channel, int]]]:
    """(channel, index) -> value of all payloads, and which of them were without supply."""
    found: dict[tuple[Channel, int], int] = {}
    dark: set[tuple[Channel, int]] = set()
    for payload in payloads:
        run = decode(port, payload, received_s)
        assert isinstance(run, Intervals)
        for channel, block in run.channels.items():
            for place, value in enumerate(block.values):
                assert (channel, run.first + place) not in found, "said twice"
                found[channel, run.first + place] = value
            dark |= {(channel, run.first + place) for place in run.outages}
    return found, dark


@given(loads(), instants, periods, rooms, st.booleans())
def test_packing_never_exceeds_the_room_and_loses_nothing(load, at_s, period_s, room, full_index):
    rows, outages = load
    first = at_s // period_s
    anchors = {channel: 10**9 + channel for channel in rows}
    payloads = pack(first, period_s, rows, anchors, room, outages=outages, full_index=full_index)
    assert all(0 < len(payload) <= room for payload in payloads)
    port = Port.INTERVALS_FULL if full_index else Port.INTERVALS
    found, dark = unpacked(payloads, port, at_s + 50 * period_s)
    assert found == {(channel, first + i): value for channel, row in rows.items() for i, value in enumerate(row)}
    assert dark == {(channel, first + i) for channel in rows for i in outages}


@given(loads(), instants, periods, rooms)
def test_every_anchor_on_the_air_is_the_register_at_the_end_of_its_run(load, at_s, period_s, room):
    rows, _ = load
    first = at_s // period_s
    start = {channel: 10**6 * (1 + channel) for channel in rows}
    anchors = {channel: start[channel] + sum(row) for channel, row in rows.items()}
    for payload in pack(first, period_s, rows, anchors, room):
        run = decode(Port.INTERVALS, payload, at_s)
        assert isinstance(run, Intervals)
        for channel, block in run.channels.items():
            if block.anchor is not None:
                ends = run.first - first + run.count
                assert block.anchor == (start[channel] + sum(rows[channel][:ends])) % 65_536


@pytest.mark.parametrize("period_s", PERIODS_S)
def test_an_hour_of_the_largest_direct_connected_meter_fits_eleven_bytes(period_s):
    per_interval = LARGEST_QUARTER_WH * period_s // 900
    count = min(max(3600 // period_s, 1), 4)
    run = Intervals(1_955_556, period_s, {Channel.IMPORT: ChannelBlock((per_interval,) * count)})
    assert len(intervals.encode(run)) <= DR2_ROOM


def test_four_quarters_of_the_largest_meter_are_one_payload_of_eleven_bytes():
    payloads = pack(0, 900, {Channel.IMPORT: [LARGEST_QUARTER_WH] * 4}, {Channel.IMPORT: 123_456_789}, DR2_ROOM)
    assert [len(payload) for payload in payloads] == [11]


@pytest.mark.parametrize(
    "home",
    [[31, 28, 44, 127], [255, 255, 255, 255], [0, 0, 0, 0], [3, 900, 12, 511]],
    ids=["night", "evening", "away", "kettle"],
)
def test_an_hour_of_a_typical_home_with_import_and_export_fits_eleven_bytes(home):
    rows = {Channel.IMPORT: home, Channel.EXPORT: [0, 0, 0, 0]}
    (payload,) = pack(0, 900, rows, {Channel.IMPORT: 5_000_000, Channel.EXPORT: 77}, DR2_ROOM)
    assert len(payload) <= DR2_ROOM
    assert unpacked([payload], Port.INTERVALS, 3600)[0] == {
        (channel, i): value for channel, row in rows.items() for i, value in enumerate(row)
    }


def test_an_hour_of_a_small_home_has_room_for_its_anchor():
    (payload,) = pack(0, 900, {Channel.IMPORT: [31, 28, 44, 127]}, {Channel.IMPORT: 70_000}, DR2_ROOM)
    run = decode(Port.INTERVALS, payload, 3600)
    assert isinstance(run, Intervals)
    assert run.channels[Channel.IMPORT].anchor == 70_000 - 65_536


def test_a_run_that_fits_one_payload_is_one_payload():
    payloads = pack(0, 900, {Channel.IMPORT: [9] * 16, Channel.EXPORT: [0] * 16}, {}, 242)
    assert len(payloads) == 1


@pytest.mark.parametrize("room", [0, 1, 3])
def test_a_room_that_holds_not_even_one_interval_is_refused(room):
    with pytest.raises(BadArgumentError, match=f"one interval does not fit {room} bytes"):
        pack(0, 900, {Channel.IMPORT: [100]}, {}, room)


@pytest.mark.parametrize(("code", "width"), list(enumerate(WIDTHS)))
def test_every_width_code_holds_its_largest_value_and_no_larger_one(code, width):
    largest = (1 << width) - 1
    run = Intervals(5, 900, {Channel.IMPORT: ChannelBlock((0, largest))})
    payload = intervals.encode(run)
    assert payload[3] >> 4 == code  # behind 20 bits of head, 3 of channel and 1 of anchor
    assert decode(Port.INTERVALS, payload, 0) == run


def test_the_width_codes_fit_four_bits_and_rise():
    assert len(WIDTHS) == 16
    assert list(WIDTHS) == sorted(set(WIDTHS))
    assert LARGEST_QUARTER_WH.bit_length() in WIDTHS


# -- short indices and instants


@given(st.integers(0, 2**32), st.integers(1, 20), st.data())
def test_the_nearest_number_is_found_within_half_of_what_the_bits_tell_apart(about, bits, data):
    half = 1 << bits - 1
    number = about + data.draw(st.integers(-half, half - 1))
    assert nearest(number % (1 << bits), bits, about) == number


@pytest.mark.parametrize("period_s", PERIODS_S)
@pytest.mark.parametrize(
    ("distance", "resolved"), [(0, 0), (SHORT_REACH, 0), (-SHORT_REACH + 1, 0), (SHORT_REACH + 1, 4096), (-SHORT_REACH, -4096)]
)
def test_a_short_index_is_resolved_by_the_time_of_reception_up_to_its_reach(period_s, distance, resolved):
    first = 1_760_000_000 // period_s
    payload = intervals.encode(Intervals(first, period_s, {Channel.IMPORT: ChannelBlock((1,))}))
    run = decode(Port.INTERVALS, payload, (first + distance) * period_s)
    assert isinstance(run, Intervals)
    assert run.first == first + resolved


@pytest.mark.parametrize("received_s", [0, 1, 2**31, 2**32])
def test_a_full_index_does_not_depend_on_the_time_of_reception(received_s):
    run = Intervals(1_955_556, 900, {Channel.IMPORT: ChannelBlock((1,))})
    assert decode(Port.INTERVALS_FULL, intervals.encode(run, full_index=True), received_s) == run


@pytest.mark.parametrize(
    ("age", "port"), [(0, Port.INTERVALS), (1023, Port.INTERVALS), (1024, Port.INTERVALS_FULL), (-1024, Port.INTERVALS_FULL)]
)
def test_from_half_of_the_reach_on_the_index_is_said_in_full(age, port):
    run = Intervals(1_955_556, 900, {Channel.IMPORT: ChannelBlock((1,))})
    assert encode(run, (run.first + age) * 900)[0] is port


@pytest.mark.parametrize(
    ("at_s", "age_s", "form"),
    [
        (1_760_000_040, 0, 0),
        (1_760_000_040, 245_759, 0),
        (1_760_000_040, -245_759, 0),
        (1_760_000_040, 245_760, 2),
        (1_760_000_041, 4_095, 1),
        (1_760_000_041, -4_095, 1),
        (1_760_000_041, 4_096, 2),
    ],
)
def test_an_instant_is_written_short_where_half_of_what_can_be_told_apart_is_enough(at_s, age_s, form):
    said = Values(at_s, {"switch_state": 1})
    payload = values.encode(said, at_s + age_s)
    assert payload[0] >> 6 == form
    for later_s in (-3_600, 0, 3_600):
        assert decode(Port.VALUES, payload, at_s + age_s + later_s) == said


# -- values


@given(said_values(), st.integers(0, 10**6), rooms)
def test_packing_values_never_exceeds_the_room_and_loses_nothing(said, age_s, room):
    now_s = said.at_s + age_s
    try:
        payloads = values.pack(said, now_s, room)
    except BadArgumentError:
        assert room < 16
        return
    assert all(len(payload) <= room for payload in payloads)
    found: list[tuple[str, int]] = []
    for payload in payloads:
        part = decode(Port.VALUES, payload, now_s)
        assert isinstance(part, Values)
        assert part.at_s == said.at_s
        found += part.values.items()
    assert found == list(said.values.items())


def test_all_registers_of_an_old_meter_fit_frames_of_eleven_bytes():
    said = Values(1_760_000_040, {name: 10**9 for name, each in catalogue().items() if each.kind == "energy"})
    payloads = values.pack(said, 1_760_000_050, DR2_ROOM)
    assert all(len(payload) <= DR2_ROOM for payload in payloads)
    assert len(payloads) == len(said.values)


def test_a_value_that_does_not_fit_the_room_is_refused_by_name():
    with pytest.raises(BadArgumentError, match="import_wh does not fit 5 bytes"):
        values.pack(Values(0, {"switch_state": 1, "import_wh": 10**9}), 0, 5)


def test_an_unknown_quantity_is_refused_when_it_is_packed():
    with pytest.raises(BadArgumentError, match="colour"):
        values.pack(Values(0, {"colour": 1}), 0, 11)


def test_the_widths_on_the_air_are_fixed():
    assert intervals.WIDTHS == (0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 20, 32)
