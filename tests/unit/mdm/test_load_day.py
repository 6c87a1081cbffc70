"""Load days as blocks of bytes: every width and boundary, properties in pairs, and what is refused."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.mdm.load_day import (
    Key,
    LoadDay,
    decode_qualities,
    decode_values,
    empty,
    encode_qualities,
    encode_values,
    from_row,
    to_row,
)
from nyala.vocab.errors import ForeignError
from nyala.vocab.quality import ESTIMATED, Quality
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S

KEY = Key(7, 20_000, Channel.IMPORT)
TOP = 2**63 - 1
EDGES = [0, 1, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, TOP]
values_of = st.integers(0, TOP) | st.sampled_from(EDGES)
runs = st.sampled_from([1, 4, 24, 96]).flatmap(lambda count: st.lists(values_of, min_size=count, max_size=count))
codes = st.sampled_from(list(Quality))


def array(values, kind=np.int64):
    return np.array(values, kind)


@pytest.mark.parametrize(
    ("highest", "width"),
    [(0, 0), (1, 1), (255, 1), (256, 2), (65_535, 2), (65_536, 4), (2**32 - 1, 4), (2**32, 8), (TOP, 8)],
)
def test_a_block_is_as_wide_as_its_highest_value_needs(highest, width):
    block = encode_values(array([0, highest, 0]))
    assert (block[0], len(block)) == (width, 1 + 3 * width)
    assert decode_values(block, 3).tolist() == [0, highest, 0]


@pytest.mark.parametrize(
    ("block", "values"),
    [
        ("00", [0, 0]),
        ("0101ff", [1, 255]),
        ("020100ffff", [1, 65_535]),
        ("0401000000ffffffff", [1, 2**32 - 1]),
        ("080100000000000000ffffffffffffff7f", [1, TOP]),
    ],
)
def test_blocks_are_little_endian_behind_their_width(block, values):
    assert encode_values(array(values)).hex() == block
    assert decode_values(bytes.fromhex(block), 2).tolist() == values


@given(runs)
def test_values_read_back(values):
    decoded = decode_values(encode_values(array(values)), len(values))
    assert decoded.tolist() == values
    assert decoded.dtype == np.int64


@given(st.lists(codes, min_size=1, max_size=96))
def test_qualities_read_back(said):
    block = encode_qualities(array(said, np.uint8))
    assert decode_qualities(block, len(said)).tolist() == said
    assert len(block) == (1 if len(set(said)) == 1 else len(said))


@given(st.binary(max_size=80), st.integers(1, 16))
def test_any_bytes_are_values_or_foreign(block, count):
    with suppress(ForeignError):
        values = decode_values(block, count)
        assert values.shape == (count,)
        assert values.dtype == np.int64


@given(st.binary(max_size=20), st.integers(1, 16))
def test_any_bytes_are_qualities_or_foreign(block, count):
    with suppress(ForeignError):
        said = decode_qualities(block, count)
        assert said.shape == (count,)
        assert {Quality(code) for code in said.tolist()}


@pytest.mark.parametrize("block", [b"", b"\x00\x00", b"\x03" + bytes(6), b"\x01\x01", b"\x01" + bytes(3), b"\x08" + bytes(15)])
def test_a_value_block_of_another_length_or_width_is_refused(block):
    with pytest.raises(ForeignError, match=f"value block of {len(block)} bytes for 2 intervals"):
        decode_values(block, 2)


@pytest.mark.parametrize("block", [b"", bytes(3), bytes(5)])
def test_a_quality_block_of_another_length_is_refused(block):
    with pytest.raises(ForeignError, match=f"quality block of {len(block)} bytes for 4 intervals"):
        decode_qualities(block, 4)


@pytest.mark.parametrize("block", [b"\x08", b"\x01\x02\xff\x01"])
def test_a_quality_that_is_not_in_the_table_is_refused(block):
    with pytest.raises(ForeignError, match=f"quality block with code {max(block)}"):
        decode_qualities(block, 4)


@pytest.mark.parametrize("code", list(Quality))
def test_every_quality_of_the_table_is_stored(code):
    assert decode_qualities(encode_qualities(array([code, 0], np.uint8)), 2).tolist() == [code, 0]


def test_a_negative_value_is_our_own_mistake():
    with pytest.raises(AssertionError, match="never negative"):
        encode_values(array([5, -1]))


@pytest.mark.parametrize(("period_s", "count"), [(60, 1440), (900, 96), (3600, 24)])
def test_an_empty_day_has_as_many_missing_intervals_as_its_period_says(period_s, count):
    day = empty(KEY, period_s)
    assert (len(day.values), day.missing, day.version) == (count, count, 1)
    assert (day.open_wh, day.close_wh) == (None, None)


registers = st.none() | st.integers(0, TOP)


@st.composite
def days(draw: st.DrawFn) -> LoadDay:
    period_s = draw(st.sampled_from([900, 3600, 21_600]))
    count = DAY_S // period_s
    said = draw(st.lists(codes, min_size=count, max_size=count))
    values = [draw(st.integers(0, 2**33)) if code != Quality.MISSING else 0 for code in said]
    return LoadDay(
        KEY,
        period_s,
        array(values),
        array(said, np.uint8),
        draw(st.integers(1, 99)),
        draw(registers),
        draw(registers),
    )


@given(days())
def test_a_load_day_reads_back_from_its_row(day):
    again = from_row(to_row(day))
    assert again.values.tolist() == day.values.tolist()
    assert again.qualities.tolist() == day.qualities.tolist()
    assert (again.key, again.period_s, again.version) == (day.key, day.period_s, day.version)
    assert (again.open_wh, again.close_wh) == (day.open_wh, day.close_wh)


@given(days())
def test_the_sums_in_a_row_are_those_of_its_blocks(day):
    row = to_row(day)
    said = day.qualities.tolist()
    assert row.energy_wh == sum(day.values.tolist())
    assert row.missing == said.count(Quality.MISSING) == day.missing
    assert row.estimated == sum(1 for code in said if code in ESTIMATED)


@given(days())
def test_what_was_read_can_be_changed_without_touching_the_row(day):
    row = to_row(day)
    again = from_row(row)
    again.values[0], again.qualities[0] = 5, Quality.EDITED
    assert from_row(row).values.tolist() == day.values.tolist()
    assert from_row(row).qualities.tolist() == day.qualities.tolist()


def test_a_row_with_a_block_of_another_period_is_refused():
    row = to_row(empty(KEY, 900))
    with pytest.raises(ForeignError, match="value block"):
        from_row(replace(row, values=b"\x01" + bytes(24)))
    with pytest.raises(ForeignError, match="quality block"):
        from_row(replace(row, qualities=bytes(24)))
