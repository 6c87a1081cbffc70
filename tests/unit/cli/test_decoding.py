"""`nyala telegram` and `nyala lorawan`: what they print reads back, and what they cannot read they refuse in one line."""

import json

import pytest

from nyala.lorawan.mac_commands import LinkCheckReq
from tests.unit.lorawan.vectors import VECTORS

AT = "2026-09-01T12:00:00Z"
AT_S = 1_788_264_000
TELEGRAMS = [
    {"kind": "hello", "model": 3, "firmware": 258, "period_s": 900, "clock_s": AT_S},
    {"kind": "event", "number": 7, "code": "SWITCH_OPENED", "clock_s": AT_S, "detail": 5},
    {"kind": "answer", "sequence": 9, "opcode": 1, "result": "DONE", "detail": 0},
    {"kind": "values", "at_s": AT_S, "values": {"import_wh": 123_456, "p_w": -230}},
    {
        "kind": "intervals",
        "first": AT_S // 900 - 4,
        "period_s": 900,
        "outages": [1],
        "channels": {"IMPORT": {"values": [1, 0, 3, 400], "anchor": 77}, "EXPORT": {"values": [0, 0, 0, 0], "anchor": None}},
    },
]


FRAME = {
    "kind": "intervalblock",
    "epoch": 1,
    "number": (AT_S // 3600 - 1) % 256,
    "count": 4,
    "rows": {"IMPORT": [31, 28, 44, 61]},
    "coded": True,
    "full": False,
    "register": 4711,
    "parity": "0a0b",
    "pending": False,
    "doubtful": True,
}


@pytest.mark.parametrize("telegram", TELEGRAMS, ids=lambda telegram: telegram["kind"])
def test_a_telegram_is_encoded_and_decoded_to_itself(nyala, telegram):
    encoded = nyala("telegram", "encode", json.dumps(telegram), "--at", AT).json
    assert encoded["bytes"] == len(bytes.fromhex(encoded["payload"]))
    assert nyala("telegram", "decode", encoded["port"], encoded["payload"], "--at", AT).json == telegram


def test_a_frame_decodes_alone_and_is_placed_by_its_period(nyala):
    encoded = nyala("telegram", "encode", json.dumps(FRAME)).json
    said = ["telegram", "decode", encoded["port"], encoded["payload"], "--at", AT]
    assert nyala(*said).json == FRAME
    start_s = AT_S - 3600
    placed = {"first": start_s // 900, "period_s": 900, "start_s": start_s}
    assert nyala(*said, "--period", 900).json == FRAME | placed


def test_the_decoder_for_others_is_printed_and_written(nyala, tmp_path):
    said = nyala("telegram", "codec", "--out", tmp_path / "nyala.js").json
    text = (tmp_path / "nyala.js").read_text("utf-8")
    assert said["fits_the_things_stack"]
    assert said["characters"] == len(text)
    assert nyala("telegram", "codec").out == text
    assert not nyala("telegram", "codec", "--epoch", 0, "--epoch", 1, "--out", tmp_path / "both.js").json[
        "fits_the_things_stack"
    ]
    assert "epoch" in nyala("telegram", "codec", "--epoch", 9).refusal


def test_a_command_telegram_is_encoded_and_decoded_to_itself(nyala):
    said = nyala("telegram", "decode", 20, "000503" + "0a").json
    encoded = nyala("telegram", "encode", json.dumps(said)).json
    assert (encoded["port"], encoded["payload"]) == (20, "0005030a")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["decode", "12", "zz"], "payload is not hexadecimal: 'zz'"),
        (["decode", "99", "00"], "no telegram has port 99"),
        (["decode", "15", "00"], ""),
        (["decode", "12", "00", "--at", "now"], "not an ISO 8601 instant: 'now'"),
        (["decode", "12", "00", "--at", "2026-09-01T12:00:00"], "instant without a zone"),
        (["encode", "{"], "not JSON"),
        (["encode", "[" * 10_000], "not JSON"),
        (["encode", "[]"], "a telegram is a JSON object"),
        (["encode", "{}"], "not a telegram"),
        (["encode", '{"kind": "song"}'], "telegram of unknown kind 'song'"),
        (["encode", '{"kind": "values", "at_s": 0, "values": {"x": 1}}'], "quantity 'x' is not in the catalogue"),
    ],
)
def test_what_is_no_telegram_is_refused_in_one_line(nyala, arguments, why):
    assert why in nyala("telegram", *arguments).refusal


PUBLISHED, ACTIVATION = VECTORS["published"], VECTORS["activation"]


def test_the_published_frame_is_decoded_with_its_keys(nyala):
    keys = ["--nwk-s-key", PUBLISHED["nwk_s_key"], "--app-s-key", PUBLISHED["app_s_key"]]
    said = nyala("lorawan", "decode", PUBLISHED["phy"], *keys).json
    assert said == {
        "type": "UNCONFIRMED_UP",
        "dev_addr": PUBLISHED["dev_addr"],
        "f_cnt": PUBLISHED["f_cnt"],
        "adr": False,
        "adr_ack_req": False,
        "ack": False,
        "f_port": PUBLISHED["f_port"],
        "f_opts": [],
        "payload": PUBLISHED["encrypted"],
        "mic": PUBLISHED["mic"],
        "mic_holds": True,
        "clear": PUBLISHED["payload"].encode().hex(),
    }


def test_without_keys_a_frame_tells_what_is_in_clear(nyala):
    said = nyala("lorawan", "decode", PUBLISHED["phy"]).json
    assert said["dev_addr"] == PUBLISHED["dev_addr"]
    assert not {"mic_holds", "clear"} & set(said)


@pytest.mark.parametrize("wrong", [["--f-cnt", "65538"], ["--nwk-s-key", "0" * 32]])
def test_a_wrong_key_or_counter_does_not_hold(nyala, wrong):
    keys = ["--nwk-s-key", PUBLISHED["nwk_s_key"]]
    assert nyala("lorawan", "decode", PUBLISHED["phy"], *keys, *wrong).json["mic_holds"] is False


def test_a_join_is_decoded_with_its_key(nyala):
    key = ["--app-key", ACTIVATION["app_key"]]
    request = nyala("lorawan", "decode", ACTIVATION["join_request"], *key).json
    assert request == {
        "type": "JOIN_REQUEST",
        "join_eui": ACTIVATION["join_eui"],
        "dev_eui": ACTIVATION["dev_eui"],
        "dev_nonce": ACTIVATION["dev_nonce"],
        "mic_holds": True,
    }
    accept = nyala("lorawan", "decode", ACTIVATION["join_accept_with_cf_list"], *key).json
    assert (accept["join_nonce"], accept["net_id"], accept["dev_addr"]) == (1, 19, ACTIVATION["dev_addr"])
    assert accept["cf_list_hz"] == ACTIVATION["cf_list_hz"]
    closed = nyala("lorawan", "decode", ACTIVATION["join_accept"]).json
    assert closed == {"type": "JOIN_ACCEPT", "encrypted": ACTIVATION["join_accept"][2:]}


def test_mac_commands_of_a_frame_are_named(nyala):
    said = nyala("lorawan", "decode", "40" + "01020304" + "01" + "0000" + "02" + "00000000").json
    assert said["f_opts"] == [str(LinkCheckReq())]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["zz"], "frame is not hexadecimal"),
        ([""], "empty frame"),
        (["e1"], "major version 1"),
        (["40"], "data frame of 1 bytes"),
        (["00" * 22], "join request of 22 bytes"),
        ([PUBLISHED["phy"], "--nwk-s-key", "00"], "NwkSKey must be 32 hex digits"),
        ([PUBLISHED["phy"], "--nwk-s-key", "0" * 32, "--app-s-key", "x"], "AppSKey must be 32 hex digits"),
        ([ACTIVATION["join_accept"], "--app-key", "0" * 32], "join accept with a bad MIC"),
    ],
)
def test_what_is_no_frame_is_refused_in_one_line(nyala, arguments, why):
    assert why in nyala("lorawan", "decode", *arguments).refusal
