"""The Things Stack v3: messages as its documentation prints them, and downlinks."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.gateway.bridge import ItemFate, Note, NoteKind
from nyala.gateway.things_stack import ThingsStack
from nyala.lorawan.network.port import AppUplink, Downlink, Fate
from nyala.lorawan.region import region
from nyala.vocab.errors import GatewayError

NOW_US = 1_790_000_000_000_000
ITEM = "4f1c2f5e"
IDS: dict[str, Any] = {
    "device_id": "house-1",
    "application_ids": {"application_id": "estate"},
    "dev_eui": "00000000000D0001",
    "join_eui": "0000000000000001",
    "dev_addr": "260B1A2C",
}
# shape of the documentation, "Data formats": fields that nyala does not read are there as well
UP: dict[str, Any] = {
    "end_device_ids": IDS,
    "correlation_ids": ["as:up:01H"],
    "received_at": "2026-09-21T14:13:20.123456789Z",
    "uplink_message": {
        "session_key_id": "AXA50f==",
        "f_port": 10,
        "f_cnt": 2,
        "frm_payload": "Af8=",
        "decoded_payload": {"anything": 1},
        "rx_metadata": [
            {"gateway_ids": {"gateway_id": "g1"}, "rssi": -101, "snr": 1.5, "uplink_token": "x"},
            {"gateway_ids": {"gateway_id": "g2"}, "rssi": -88, "snr": 7.25},
        ],
        "settings": {
            "data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 9, "coding_rate": "4/5"}},
            "frequency": "921400000",
        },
        "received_at": "2026-09-21T14:13:19.5Z",
        "consumed_airtime": "0.056576s",
    },
}
AT_US = 1_790_000_000_000_000 - 500_000


def stack():
    return ThingsStack("tts", "estate@acme", region("AS923-2"))


def topic(kind):
    return f"v3/estate@acme/devices/house-1/{kind}"


def said(message):
    return json.dumps(message).encode()


def uplink(**change):
    return said(UP | {"uplink_message": UP["uplink_message"] | change})


def test_an_uplink_is_a_telegram_of_the_best_gateway():
    assert stack().decode(topic("up"), said(UP), NOW_US) == [
        AppUplink(0xD0001, 10, b"\x01\xff", AT_US, 0, "tts", 3, -88.0, 7.25, 2)
    ]


def test_an_uplink_without_a_port_says_nothing():
    assert stack().decode(topic("up"), uplink(f_port=0), NOW_US) == [Note(NoteKind.EMPTY, 0xD0001)]


def test_a_join_is_told():
    message = {"end_device_ids": IDS, "join_accept": {"session_key_id": "A"}}
    assert stack().decode(topic("join"), said(message), NOW_US) == [Note(NoteKind.JOINED, 0xD0001, "DevAddr 260B1A2C")]


FATES: dict[str, tuple[dict[str, Any], Fate]] = {
    "down/sent": ({"downlink_sent": {"correlation_ids": ["nyala:" + ITEM, "as:x"]}}, Fate.SENT),
    "down/ack": ({"downlink_ack": {"correlation_ids": ["nyala:" + ITEM]}}, Fate.ACKNOWLEDGED),
    "down/nack": ({"correlation_ids": ["nyala:" + ITEM], "downlink_nack": {}}, Fate.NOT_ACKNOWLEDGED),
    "down/failed": (
        {"downlink_failed": {"downlink": {"correlation_ids": ["nyala:" + ITEM]}, "error": {"name": "no_session"}}},
        Fate.NO_SESSION,
    ),
}


@pytest.mark.parametrize("kind", FATES)
def test_every_message_about_a_downlink_names_it(kind):
    message, fate = FATES[kind]
    assert stack().decode(topic(kind), said({"end_device_ids": IDS} | message), NOW_US) == [ItemFate(0xD0001, ITEM, fate)]


def test_a_downlink_of_somebody_else_is_not_ours():
    message = {"end_device_ids": IDS, "downlink_sent": {"correlation_ids": ["as:downlink:1"]}}
    assert stack().decode(topic("down/sent"), said(message), NOW_US) == []


def test_a_queued_downlink_has_no_fate_yet():
    assert stack().decode(topic("down/queued"), said({"end_device_ids": IDS}), NOW_US) == []


def test_a_downlink_goes_to_the_name_under_which_the_device_was_heard():
    bridge = stack()
    down = Downlink(0xD0001, 20, b"\x01\x02", confirmed=True)
    assert bridge.encode(down, ITEM) is None
    bridge.decode(topic("up"), said(UP), NOW_US)
    where, message = bridge.encode(down, ITEM) or ("", b"")
    assert where == topic("down/push")
    assert json.loads(message) == {
        "downlinks": [
            {
                "f_port": 20,
                "frm_payload": "AQI=",
                "confirmed": True,
                "priority": "HIGH",
                "correlation_ids": ["nyala:" + ITEM],
            }
        ]
    }


@pytest.mark.parametrize(
    ("where", "payload", "says"),
    [
        ("application/1/device/2/event/up", b"{}", "none of The Things Stack's"),
        (topic("service/data"), b"{}", "none of The Things Stack's"),
        (topic("up"), b"{", "up of house-1"),
        (topic("up"), b"{}", "end_device_ids"),
        (topic("up"), said({"end_device_ids": {"dev_eui": "xyz"}}), "up of house-1"),
        (topic("up"), said({"end_device_ids": IDS}), "without uplink_message"),
        (topic("up"), uplink(frm_payload="%"), "uplink of 00000000000d0001"),
        (topic("up"), uplink(f_port="10"), "f_port"),
        (topic("up"), uplink(settings={"data_rate": {"lora": {"spreading_factor": 5}}}), "unknown data rate"),
        (topic("up"), uplink(received_at="noon"), "no instant"),
    ],
)
def test_what_is_no_message_is_refused_in_one_line(where, payload, says):
    with pytest.raises(GatewayError, match=says) as caught:
        stack().decode(where, payload, NOW_US)
    assert "\n" not in str(caught.value)


@given(st.sampled_from(["up", "join", *FATES]), st.binary(max_size=100))
def test_any_bytes_are_news_or_a_gateway_error(kind, payload):
    with contextlib.suppress(GatewayError):
        stack().decode(topic(kind), payload, NOW_US)
