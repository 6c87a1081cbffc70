"""Bit strings, most significant bit first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.telegram.bits import BitReader, BitWriter
from nyala.vocab.errors import BadArgumentError, TelegramError


@st.composite
def fields(draw: st.DrawFn) -> list[tuple[int, int, bool]]:
    """(value, width, signed) of a row of fields."""
    row = []
    for _ in range(draw(st.integers(0, 12))):
        width, signed = draw(st.integers(1, 40)), draw(st.booleans())
        low = -(1 << width - 1) if signed else 0
        row.append((draw(st.integers(low, low + (1 << width) - 1)), width, signed))
    return row


@given(fields())
def test_what_is_put_is_taken_back_and_nothing_is_behind_it(row):
    out = BitWriter()
    for value, width, signed in row:
        (out.put_signed if signed else out.put)(value, width)
    data = out.to_bytes()
    width = sum(width for _, width, _ in row)
    assert (out.width, len(data)) == (width, (width + 7) // 8)
    bits = BitReader(data)
    assert [(bits.take_signed if signed else bits.take)(width) for _, width, signed in row] == [value for value, _, _ in row]
    bits.expect_padding()


def test_the_first_bit_is_the_most_significant_one():
    out = BitWriter()
    out.put(1, 1)
    out.put(0b01, 2)
    out.put_signed(-1, 3)
    assert out.to_bytes() == bytes([0b10111100])


@pytest.mark.parametrize(("value", "width"), [(-1, 8), (256, 8), (1, 0), (2, 1)])
def test_a_value_that_does_not_fit_is_refused(value, width):
    with pytest.raises(BadArgumentError, match=f"{value} does not fit {width} bits"):
        BitWriter().put(value, width)


@pytest.mark.parametrize(("value", "width"), [(-129, 8), (128, 8), (1, 1), (-9, 4)])
def test_a_signed_value_that_does_not_fit_is_refused(value, width):
    with pytest.raises(BadArgumentError, match=f"{value} does not fit {width} bits with sign"):
        BitWriter().put_signed(value, width)


def test_nothing_is_taken_beyond_the_end():
    bits = BitReader(b"\xff")
    assert bits.take(5) == 31
    with pytest.raises(TelegramError, match="cut short: 4 bits wanted, 3 left"):
        bits.take(4)
    assert bits.left == 3


@pytest.mark.parametrize(("data", "taken"), [(b"\x01", 7), (b"\x80", 0), (b"\x00", 0), (b"\xff\x00", 8), (b"\xf8", 4)])
def test_anything_but_the_padding_behind_the_end_is_refused(data, taken):
    bits = BitReader(data)
    bits.take(taken)
    with pytest.raises(TelegramError, match="behind the end of the telegram"):
        bits.expect_padding()
