"""Layouts: fields to bits and back, codes, repeats, and what each rule refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.telegram import frame_header, intervals, messages, values
from nyala.telegram.javascript import LAYOUTS
from nyala.telegram.kinds import EventCode
from nyala.telegram.layout import Field, Layout, Repeat, codes_of
from nyala.vocab.errors import BadArgumentError, TelegramError

PLAIN = Layout(
    Field("colour", 3, "", {1: "red", 6: "blue"}),
    Field("count", 5, "", plus=1),
    Field("number", 11, ""),
)
BYTES = Layout(repeat=Repeat("numbers", (Field("number", 8, ""),), 3))
ROWS = Layout(Field("head", 8, ""), repeat=Repeat("rows", (Field("a", 3, ""), Field("b", 5, "")), 2))
said = st.fixed_dictionaries(
    {"colour": st.sampled_from(["red", "blue"]), "count": st.integers(1, 32), "number": st.integers(0, 2**11 - 1)}
)


@given(said)
def test_what_is_said_reads_back(values_of):
    assert PLAIN.decode(PLAIN.encode(values_of)) == values_of


@given(st.binary(max_size=4))
def test_any_bytes_read_and_write_the_same_or_are_a_telegram_error(data):
    for layout in (PLAIN, BYTES, ROWS):
        try:
            found = layout.decode(data)
        except TelegramError:
            continue
        assert layout.encode(found) == data


def test_the_first_field_is_in_the_highest_bits():
    assert PLAIN.encode({"colour": "blue", "count": 2, "number": 3}).hex() == f"{0b110_00001_00000000011_00000:06x}"


def test_one_repeated_field_is_a_list_and_more_are_rows():
    assert ROWS.decode(b"\x07\x25\xff") == {"head": 7, "rows": [{"a": 1, "b": 5}, {"a": 7, "b": 31}]}
    assert BYTES.decode(b"\x01\x02\x03") == {"numbers": [1, 2, 3]}


@pytest.mark.parametrize(
    "wrong",
    [{"colour": "green"}, {"count": 0}, {"count": 33}, {"number": -1}, {"number": 2**11}],
)
def test_what_cannot_be_said_is_refused(wrong):
    with pytest.raises(BadArgumentError, match="cannot be said"):
        PLAIN.encode({"colour": "red", "count": 1, "number": 0} | wrong)


@pytest.mark.parametrize("rows", [[], [{"a": 1, "b": 1}] * 3])
def test_none_and_too_many_rows_are_refused(rows):
    with pytest.raises(BadArgumentError, match="1 to 2"):
        ROWS.encode({"head": 1, "rows": rows})


@pytest.mark.parametrize("data", [b"", b"\x07", b"\x07\x25\xff\x25"])
def test_bytes_of_no_and_too_many_rows_are_refused(data):
    with pytest.raises(TelegramError):
        ROWS.decode(data)


def test_an_unknown_code_and_a_byte_behind_the_end_are_refused():
    with pytest.raises(TelegramError, match="colour 0 is unknown"):
        PLAIN.decode(b"\0\0\0")
    with pytest.raises(TelegramError, match="behind the end"):
        PLAIN.decode(b"\x20\0\0\0")


ALL = [layout for _, layout in LAYOUTS.values()] + list(messages.ARGUMENTS.values())
ALL += [intervals.HEAD, intervals.HEAD_FULL, intervals.BLOCK, values.ITEM]


def test_the_layouts_name_each_field_once_and_every_code_fits():
    for layout in ALL:
        assert len(set(layout.names)) == len(layout.names)
        for field in (*layout.fields, *(layout.repeat.fields if layout.repeat else ())):
            assert all(0 <= code < 1 << field.width for code in field.codes or ())
            assert field.meaning


def test_telegrams_and_headers_fill_whole_bytes():
    assert all(layout.width % 8 == 0 for layout in [*(each for _, each in LAYOUTS.values()), *messages.ARGUMENTS.values()])
    assert sum(each.width for each in frame_header.FIELDS) % 8 == sum(each.full_width for each in frame_header.FIELDS) % 8 == 0


def test_the_codes_of_an_enumeration_are_its_members():
    assert codes_of(EventCode)[2] is EventCode.SWITCH_OPENED
