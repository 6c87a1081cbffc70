"""EUIs, keys and serial numbers as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.vocab.errors import BadArgumentError
from nyala.vocab.identifiers import eui_text, parse_eui, parse_key, parse_serial


@pytest.mark.parametrize(
    "text",
    ["70b3d57ed0000001", "70B3D57ED0000001", "70-B3-D5-7E-D0-00-00-01", "70:b3:d5:7e:d0:00:00:01", "70 b3 d5 7e d0 00 00 01"],
)
def test_an_eui_is_read_in_every_way_that_it_is_written(text):
    assert parse_eui(text) == 0x70B3D57ED0000001


@given(st.integers(0, 2**64 - 1))
def test_an_eui_is_written_and_read_back(eui):
    assert len(eui_text(eui)) == 16
    assert parse_eui(eui_text(eui)) == eui


@pytest.mark.parametrize("text", ["", "70b3d57ed000000", "70b3d57ed00000", "70b3d57ed000000102"])
def test_an_eui_of_another_length_is_refused(text):
    with pytest.raises(BadArgumentError, match="JoinEUI"):
        parse_eui(text, "JoinEUI")


@pytest.mark.parametrize("text", ["0x70b3d57ed0000001", "70b3d57ed000000g", "\uff170b3d57ed0000001"])
def test_an_eui_that_is_not_hexadecimal_is_refused(text):
    with pytest.raises(BadArgumentError, match="EUI is not hexadecimal"):
        parse_eui(text)


@given(st.binary(min_size=16, max_size=16))
def test_a_key_is_read_most_significant_byte_first(key):
    assert parse_key(key.hex()) == key
    assert parse_key(key.hex("-").upper()) == key


@pytest.mark.parametrize("text", ["", "2b7e151628aed2a6abf7158809cf4f", "2b7e151628aed2a6abf7158809cf4f3c00", "secret"])
def test_a_wrong_key_is_refused_and_its_digits_are_not_told(text):
    with pytest.raises(BadArgumentError) as caught:
        parse_key(text, "AppKey")
    assert str(caught.value) == "AppKey must be 32 hex digits"
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(("text", "serial"), [("abc", "ABC"), (" IK-2026.000_1 ", "IK-2026.000_1"), ("0" * 32, "0" * 32)])
def test_a_serial_number_is_read_in_upper_case(text, serial):
    assert parse_serial(text) == serial


@pytest.mark.parametrize("text", ["", "ab", "0" * 33, "-abc", ".abc", "a b c", "ab/c", "ÄBC", "abc\ndef", "ab\0"])
def test_a_serial_number_of_another_form_is_refused(text):
    with pytest.raises(BadArgumentError, match="serial number must be 3 to 32"):
        parse_serial(text)
