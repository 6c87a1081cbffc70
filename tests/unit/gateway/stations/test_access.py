"""Who may connect, from the operator's file; and the answer of CUPS."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.gateway import cups
from nyala.gateway.station_access import StationAccess, StationRow, read_access, token_hash
from nyala.vocab.errors import FileError, GatewayError

GOOD = f"""
region = "AS923-1"
[[gateway]]
eui = "b8-27-eb-ff-fe-01-02-03"
token_sha256 = "{token_hash("secret").upper()}"
[[gateway]]
eui = "0000000000000002"
token_sha256 = "{token_hash("other")}"
region = "KR920"
"""
EUI = 0xB827EBFFFE010203


def written(tmp_path, text):
    path = tmp_path / "stations.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_file_names_stations_tokens_and_regions(tmp_path):
    access = read_access(written(tmp_path, GOOD))
    assert access == StationAccess(
        {EUI: StationRow(token_hash("secret")), 2: StationRow(token_hash("other"), "KR920")}, "AS923-1"
    )
    assert (access.region_of(EUI), access.region_of(2), access.region_of(3)) == ("AS923-1", "KR920", "AS923-1")
    assert str(access) == "2 with a token"


@pytest.mark.parametrize("said", ["Bearer secret", "bearer secret ", "secret"])
def test_a_station_with_its_token_may_connect(tmp_path, said):
    assert read_access(written(tmp_path, GOOD)).admits(EUI, said)


@pytest.mark.parametrize(
    ("eui", "said"), [(EUI, ""), (EUI, "Bearer other"), (2, "Bearer secret"), (3, "Bearer secret"), (EUI, "\ud800")]
)
def test_a_station_without_it_or_with_anothers_may_not(tmp_path, eui, said):
    assert not read_access(written(tmp_path, GOOD)).admits(eui, said)


def test_a_file_without_gateways_lets_nobody_in_and_no_file_everybody(tmp_path):
    assert not read_access(written(tmp_path, "")).admits(EUI, "")
    assert StationAccess().admits(EUI, "")
    assert StationAccess().region_of(EUI) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"\xff", "utf-8"),
        ("region =", "Invalid value"),
        ('region = "AS923-2"', "it knows EU868"),
        ("region = 1", "region must be a text"),
        ("gateways = []", "unknown settings gateways"),
        ("gateway = [1]", "gateway 1 is no table"),
        ('[[gateway]]\ntoken_sha256 = "00"', "gateway 1: eui must be a text"),
        ('[[gateway]]\neui = "00"', "EUI takes 8 bytes"),
        ('[[gateway]]\neui = "0000000000000002"\ntoken_sha256 = "secret"', "64 hex digits"),
        (GOOD + '[[gateway]]\neui = "2"\n', "EUI"),
        (GOOD + f'[[gateway]]\neui = "0000000000000002"\ntoken_sha256 = "{token_hash("x")}"\n', "there twice"),
        ('[[gateway]]\ntoken = "secret"', "unknown settings token"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path, text, why):
    with pytest.raises(FileError, match=why) as refused:
        read_access(written(tmp_path, text))
    assert refused.value.path == str(tmp_path / "stations.toml")


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(FileError, match="No such file"):
        read_access(tmp_path / "none.toml")


REQUEST = (
    b'{"router":"::1","cupsUri":"https://cups:443","tcUri":"wss://lns:8887","cupsCredCrc":1,"tcCredCrc":2,'
    b'"station":"2.0.6(linux/std)","model":"linux","package":"1.0","keys":[3]}'
)


def test_a_cups_request_names_its_station_and_the_answer_changes_nothing():
    assert cups.decode_request(REQUEST) == 1
    answer, fields = cups.NO_CHANGE, []
    for size in (1, 1, 2, 2, 4, 4):
        fields.append(int.from_bytes(answer[:size], "little"))
        answer = answer[size:]
    assert (fields, answer) == ([0] * 6, b"")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"router":"x"}', b'{"router":1.5}', b"[" * 9_000, b" " * 20_000 + REQUEST]
)
def test_what_is_no_cups_request_is_refused(body):
    with pytest.raises(GatewayError):
        cups.decode_request(body)


@given(st.binary(max_size=40))
def test_any_body_is_a_cups_request_or_a_gateway_error(body):
    with suppress(GatewayError):
        cups.decode_request(body)
