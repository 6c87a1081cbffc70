"""EUIs as stations write them; the ID6 vectors are those of Basics Station's own self-test (selftest_ujenc.c)."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.gateway.station_identity import dashed_eui, eui_of, id6_text, router_eui
from nyala.vocab.errors import GatewayError

ID6 = [
    (0x0000000000000000, "::0"),
    (0x0000000000000001, "::1"),
    (0x0000000000020001, "::2:1"),
    (0x0004000000000001, "4::1"),
    (0x0004000300000000, "4:3::"),
    (0x0004000000000000, "4::"),
    (0x0000000300020000, "0:3:2:0"),
]
euis = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize(("eui", "text"), ID6)
def test_id6_is_written_and_read_as_stations_do(eui, text):
    assert id6_text(eui) == text
    assert router_eui(text) == eui


@pytest.mark.parametrize(
    ("said", "eui"),
    [
        ("b827:ebff:fe01:203", 0xB827EBFFFE010203),
        ("::", 0),
        ("1100:1", 0x0000000011000001),
        ("B8-27-EB-FF-FE-01-02-03", 0xB827EBFFFE010203),
        ("b827ebfffe010203", 0xB827EBFFFE010203),
        ("b8:27:eb:ff:fe:01:02:03", 0xB827EBFFFE010203),
        (0xB827EBFFFE010203, 0xB827EBFFFE010203),
        (-1, 0xFFFFFFFFFFFFFFFF),
        (1, 1),
    ],
)
def test_a_station_may_write_its_identity_in_any_of_these_forms(said, eui):
    assert router_eui(said) == eui


@pytest.mark.parametrize(
    "said", ["", ":", "1::2::3", "::1::", "12345::", "1:2:3:4:5", "g::1", "+1::", "b827ebfffe0102", 1 << 64, -(1 << 63) - 1]
)
def test_what_is_no_identity_is_refused(said):
    with pytest.raises(GatewayError):
        router_eui(said)


@given(euis)
def test_every_eui_reads_back_from_every_form(eui):
    assert router_eui(id6_text(eui)) == router_eui(dashed_eui(eui)) == router_eui(eui) == eui_of(dashed_eui(eui)) == eui


@given(st.text(alphabet="0123456789abcdef:-g", max_size=24))
def test_any_text_is_an_identity_or_a_gateway_error(said):
    with suppress(GatewayError):
        assert 0 <= router_eui(said) < 1 << 64
