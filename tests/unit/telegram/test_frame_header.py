"""The header of the periodic frame: its table, its two forms, and the whole number of a block."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.telegram.frame_header import (
    COUNTS,
    FIELDS,
    FULL_HEADER_BYTES,
    HEADER_BYTES,
    REACH,
    Header,
    block_number,
    decode_header,
    encode_header,
    resolved,
)
from nyala.telegram.kinds import PERIODS_S
from nyala.vocab.errors import BadArgumentError, TelegramError

NOW_S = 1_760_000_000


@st.composite
def headers(draw: st.DrawFn, *, full: bool = False) -> Header:
    """Any header of a form."""
    *numbers, _, _, _ = (draw(st.integers(0, (1 << (field.full_width if full else field.width)) - 1)) for field in FIELDS)
    flags = tuple(draw(st.booleans()) for _ in range(3))
    return Header(*numbers, *flags)  # type: ignore[arg-type]


def test_the_fields_are_those_of_the_table_and_fill_three_or_six_bytes():
    assert [field.name for field in FIELDS] == list(Header.__dataclass_fields__)
    assert (HEADER_BYTES, FULL_HEADER_BYTES) == (3, 6)
    assert sum(field.width for field in FIELDS) == 24
    assert sum(field.full_width for field in FIELDS) == 48


@given(st.booleans(), st.data())
def test_a_header_reads_back(full, data):
    header = data.draw(headers(full=full))
    assert decode_header(encode_header(header, full=full), full=full) == header


def test_a_header_of_known_bits():
    header = Header(epoch=2, model=1, count=2, number=0x37, own=4, parity=True, pending=False, doubtful=True)
    assert encode_header(header).hex() == f"{0b10_001_010:02x}37{0b00100_1_0_1:02x}"
    assert header.lead == 0b10_001_010
    assert header.intervals == 4


@given(st.binary(max_size=8), st.booleans())
def test_any_bytes_are_a_header_or_a_telegram_error(data, full):
    try:
        header = decode_header(data, full=full)
    except TelegramError:
        assert len(data) < (FULL_HEADER_BYTES if full else HEADER_BYTES)
    else:
        assert data.startswith(encode_header(header, full=full))


@pytest.mark.parametrize("field", [field for field in FIELDS if field.width > 1], ids=lambda field: field.name)
def test_a_value_that_does_not_fit_its_field_is_refused(field):
    values = {each.name: 0 for each in FIELDS} | {field.name: 1 << field.width}
    with pytest.raises(BadArgumentError, match=f"does not fit {field.width} bits"):
        encode_header(Header(**values))


def test_every_count_has_smaller_ones_that_divide_it_down_to_one_interval():
    assert COUNTS[0] == 1
    assert list(COUNTS) == sorted(set(COUNTS))
    assert all(any(count % less == 0 for less in COUNTS if less < count) for count in COUNTS[1:])


@pytest.mark.parametrize("period_s", PERIODS_S)
def test_an_hour_of_every_period_is_a_block(period_s):
    assert 3_600 // period_s in COUNTS


@pytest.mark.parametrize("period_s", PERIODS_S)
@pytest.mark.parametrize("count", range(len(COUNTS)))
def test_a_short_number_is_resolved_within_its_reach_and_not_beyond(period_s, count):
    span_s = period_s * COUNTS[count]
    ended = NOW_S // span_s - 1
    for back in (-REACH + 1, -1, 0, 1, REACH):
        header = Header(0, 1, count, (ended - back) % 256, 0)
        assert resolved(header, period_s, NOW_S) == ended - back
    assert resolved(Header(0, 1, count, (ended - REACH - 1) % 256, 0), period_s, NOW_S) == ended - REACH - 1 + 256


def test_a_number_before_1970_is_refused():
    with pytest.raises(TelegramError, match="before 1970"):
        resolved(Header(0, 1, 0, 255, 0), 60, 60)


def test_a_block_begins_at_a_multiple_of_its_intervals():
    assert block_number(1_955_556, 4) == 488_889
    with pytest.raises(BadArgumentError, match="no block of 4 intervals begins with interval 1955557"):
        block_number(1_955_557, 4)
