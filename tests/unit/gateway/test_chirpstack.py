"""ChirpStack v4: events made by the official package, as protobuf, as JSON with and without default fields; and downlinks."""

import base64
import contextlib
import json

import pytest
from chirpstack_api.integration import integration_pb2 as integration
from google.protobuf.json_format import MessageToJson, Parse
from hypothesis import given
from hypothesis import strategies as st

from nyala.gateway.bridge import ItemFate, Note, NoteKind
from nyala.gateway.chirpstack import EVENTS, LOG_CODES, ChirpStack
from nyala.lorawan.network.port import AppUplink, Downlink, Fate
from nyala.vocab.errors import GatewayError

EUI = "00000000000d0001"
NOW_US = 1_790_000_000_000_000
APPLICATION = "9f3ad7f6-17c5-4e4b-8e5a-0f5d0f5d0f5d"
ITEM = "4f1c2f5e-5bd5-4b6e-9f8d-3f4d6f1c2f5e"
INFO = integration.DeviceInfo(application_id=APPLICATION, device_name="house 1", dev_eui=EUI)


def topic(kind, eui=EUI):
    return f"application/{APPLICATION}/device/{eui}/event/{kind}"


def up(**said):
    event = integration.UplinkEvent(device_info=INFO, dev_addr="00000001", dr=3, f_cnt=7, f_port=10, data=b"\x01\xff", **said)
    event.time.FromMicroseconds(NOW_US - 5)
    for gateway, rssi, snr in (("0016c001f0000001", -101, 1.5), ("0016c001f0000002", -88, 7.25)):
        event.rx_info.add(gateway_id=gateway, rssi=rssi, snr=snr)
    return event


def as_server(event):
    """JSON as the server writes it: with default values."""
    return MessageToJson(event, always_print_fields_with_no_presence=True).encode()


def as_others(event):
    """JSON as the documentation's examples: without."""
    return MessageToJson(event).encode()


def as_protobuf(event):
    return event.SerializeToString()


FORMS = pytest.mark.parametrize("form", [as_server, as_others, as_protobuf])


@FORMS
def test_an_uplink_is_a_telegram_of_the_best_gateway(form):
    assert ChirpStack("cs").decode(topic("up"), form(up()), NOW_US) == [
        AppUplink(0xD0001, 10, b"\x01\xff", NOW_US - 5, 0, "cs", 3, -88.0, 7.25, 2)
    ]


@FORMS
def test_an_uplink_of_defaults_only_is_read(form):
    event = integration.UplinkEvent(device_info=INFO, f_port=1)
    assert ChirpStack("cs").decode(topic("up"), form(event), NOW_US) == [AppUplink(0xD0001, 1, b"", NOW_US, via="cs")]


@FORMS
def test_an_uplink_without_a_port_says_nothing(form):
    event = integration.UplinkEvent(device_info=INFO)
    assert ChirpStack("cs").decode(topic("up"), form(event), NOW_US) == [Note(NoteKind.EMPTY, 0xD0001)]


OTHERS = {
    "join": (
        integration.JoinEvent(device_info=INFO, dev_addr="01020304"),
        [Note(NoteKind.JOINED, 0xD0001, "DevAddr 01020304")],
    ),
    "ack": (
        integration.AckEvent(device_info=INFO, queue_item_id=ITEM, acknowledged=True, f_cnt_down=3),
        [ItemFate(0xD0001, ITEM, Fate.ACKNOWLEDGED)],
    ),
    "txack": (integration.TxAckEvent(device_info=INFO, queue_item_id=ITEM), [ItemFate(0xD0001, ITEM, Fate.SENT)]),
    "status": (
        integration.StatusEvent(device_info=INFO, margin=-4, battery_level=66.5),
        [Note(NoteKind.STATUS, 0xD0001, "margin -4 dB, battery 66 %")],
    ),
    "log": (
        integration.LogEvent(
            device_info=INFO, level="ERROR", code="DOWNLINK_PAYLOAD_SIZE", description="big", context={"queue_item_id": ITEM}
        ),
        [Note(NoteKind.WARNING, 0xD0001, "DOWNLINK_PAYLOAD_SIZE: big"), ItemFate(0xD0001, ITEM, Fate.TOO_LONG)],
    ),
}


@FORMS
@pytest.mark.parametrize("kind", OTHERS)
def test_every_other_event_is_told(form, kind):
    event, news = OTHERS[kind]
    assert ChirpStack("cs").decode(topic(kind), form(event), NOW_US) == news


@FORMS
def test_a_downlink_that_was_not_acknowledged_says_so(form):
    event = integration.AckEvent(device_info=INFO, queue_item_id=ITEM)
    assert ChirpStack("cs").decode(topic("ack"), form(event), NOW_US) == [ItemFate(0xD0001, ITEM, Fate.NOT_ACKNOWLEDGED)]


def test_the_log_codes_are_those_of_the_official_package():
    assert dict(enumerate(LOG_CODES)) == {number: name for name, number in integration.LogCode.items()}


def test_every_event_of_the_table_is_tried_here():
    assert {"up", *OTHERS} == set(EVENTS)


@pytest.mark.parametrize("kind", ["location", "integration"])
def test_what_has_no_effect_is_passed_over(kind):
    assert ChirpStack("cs").decode(topic(kind), b"{}", NOW_US) == []


# -- downlinks


def test_there_is_no_way_to_a_device_that_was_never_heard():
    assert ChirpStack("cs").encode(Downlink(0xD0001, 20, b"\x01"), ITEM) is None


@FORMS
def test_a_downlink_goes_out_in_the_form_in_which_the_device_was_heard(form):
    bridge = ChirpStack("cs")
    bridge.decode(topic("up"), form(up()), NOW_US)
    said = bridge.encode(Downlink(0xD0001, 20, b"\x01\x02", confirmed=True), ITEM)
    assert said is not None
    assert said[0] == f"application/{APPLICATION}/device/{EUI}/command/down"
    command = integration.DownlinkCommand()
    if form is as_protobuf:
        command.ParseFromString(said[1])
    else:
        Parse(said[1], command)
    assert (command.id, command.dev_eui, command.confirmed, command.f_port, command.data) == (ITEM, EUI, True, 20, b"\x01\x02")


# -- what is refused

GOOD = json.loads(as_server(up()))


@pytest.mark.parametrize(
    ("where", "payload", "says"),
    [
        ("application/1/device/xyz/event/up", b"{}", "none of ChirpStack's"),
        ("v3/a/devices/b/up", b"{}", "none of ChirpStack's"),
        (topic("dance"), b"{}", "unknown event 'dance'"),
        (topic("up"), b"{", "not JSON"),
        (topic("up"), b"{" * 100_000, "not JSON"),
        (topic("up"), b"{}", "device '' under the topic"),
        (topic("up", "00000000000d0002"), as_server(up()), "under the topic of 00000000000d0002"),
        (topic("up"), json.dumps(GOOD | {"data": "%"}).encode(), "not base64"),
        (topic("up"), json.dumps(GOOD | {"fPort": "10"}).encode(), "wrong type"),
        (topic("up"), json.dumps(GOOD | {"fPort": True}).encode(), "wrong type"),
        (topic("up"), json.dumps(GOOD | {"dr": -1}).encode(), "negative"),
        (topic("up"), json.dumps(GOOD | {"time": "yesterday"}).encode(), "no instant"),
        (topic("up"), json.dumps(GOOD | {"time": "2026-01-01T00:00:00"}).encode(), "no zone"),
        (topic("up"), json.dumps(GOOD | {"rxInfo": 7}).encode(), "rxInfo is no list"),
        (topic("up"), json.dumps(GOOD | {"rxInfo": [7]}).encode(), "object is expected"),
        (topic("up"), json.dumps(GOOD | {"deviceInfo": []}).encode(), "object is expected"),
        (topic("up"), b"\x0a", "cut short"),
    ],
)
def test_what_is_no_event_is_refused_in_one_line(where, payload, says):
    with pytest.raises(GatewayError, match=says) as caught:
        ChirpStack("cs").decode(where, payload, NOW_US)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@given(st.sampled_from(sorted(EVENTS)), st.binary(max_size=200))
def test_any_bytes_are_news_or_a_gateway_error(kind, payload):
    with contextlib.suppress(GatewayError):
        ChirpStack("cs").decode(topic(kind), payload, NOW_US)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(EVENTS)), st.dictionaries(st.sampled_from(sorted(GOOD)), json_values, max_size=4))
def test_any_json_is_news_or_a_gateway_error(kind, change):
    with contextlib.suppress(GatewayError):
        ChirpStack("cs").decode(topic(kind), json.dumps(GOOD | change).encode(), NOW_US)


@given(st.binary(max_size=242), st.integers(1, 223))
def test_every_payload_comes_through(payload, port):
    event = json.dumps(GOOD | {"data": base64.b64encode(payload).decode(), "fPort": port}).encode()
    [uplink] = ChirpStack("cs").decode(topic("up"), event, NOW_US)
    assert isinstance(uplink, AppUplink)
    assert (uplink.port, uplink.payload) == (port, payload)
