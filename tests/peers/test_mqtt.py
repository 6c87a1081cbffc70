"""Bridges over a real broker: events made by ChirpStack's own package reach the store before they are acknowledged, commands
go back, and what came while we were away comes later.
"""

import asyncio
import contextlib
import functools
import json
import queue
import time
from typing import Any

import paho.mqtt.client as paho
import pytest
from chirpstack_api.integration import integration_pb2 as integration
from google.protobuf.json_format import MessageToJson
from paho.mqtt.enums import CallbackAPIVersion

from nyala.gateway.chirpstack import ChirpStack
from nyala.gateway.mqtt import MqttBridge, bridge_of, broker_of
from nyala.gateway.things_stack import ThingsStack
from nyala.lorawan.network.port import AppUplink, Downlink, DownlinkFate, Fate
from nyala.lorawan.region import region
from nyala.vocab.errors import BadArgumentError
from tests import mosquitto

EUI = "00000000000d0001"
TOPIC = f"application/a/device/{EUI}"
INFO = integration.DeviceInfo(application_id="a", dev_eui=EUI)
PATIENCE_S = 20.0
NOW_US = 1_790_000_000_000_000


def up(number):
    return MessageToJson(integration.UplinkEvent(device_info=INFO, f_port=10, f_cnt=number, data=bytes([number]))).encode()


class Server:
    """What another network server does at its broker: publishes events, gets commands."""

    def __init__(self, port, commands, *, user="", password=""):
        self.heard: queue.Queue[tuple[str, bytes | bytearray]] = queue.Queue()
        self._subscribed: queue.Queue[None] = queue.Queue()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        if user:
            self._client.username_pw_set(user, password)
        self._client.on_connect = lambda client, *_: client.subscribe(commands, 1)
        self._client.on_subscribe = lambda *_: self._subscribed.put(None)
        self._client.on_message = lambda _, __, message: self.heard.put((message.topic, message.payload))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._subscribed.get(timeout=PATIENCE_S)

    def says(self, topic, payload, qos=1):
        self._client.publish(topic, payload, qos).wait_for_publish(PATIENCE_S)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


class Port:
    """Where telegrams go; `hold` keeps the acknowledgements back, as a slow disk does."""

    def __init__(self, *, hold=False):
        self.uplinks: list[AppUplink] = []
        self.fates: list[DownlinkFate] = []
        self.held: list[Any] = []
        self._hold = hold

    def submit_app(self, uplinks, acknowledge):
        self.uplinks += uplinks
        self.held.append(acknowledge) if self._hold else acknowledge()
        return True

    def submit_fates(self, fates):
        self.fates += fates


@contextlib.asynccontextmanager
async def bridge(dialect, broker, port, *, url=None, client_id="nyala-test"):
    made = MqttBridge(dialect, broker_of(url or f"mqtt://127.0.0.1:{broker.port}"), port, lambda: NOW_US, client_id, mqtt5=True)
    made.start()
    try:
        yield made
    finally:
        await made.stop()


def on_a_loop(test):
    """Runs an asynchronous test on a loop of its own."""

    @functools.wraps(test)
    def run():
        asyncio.run(test())

    return run


async def until(condition, what):
    """Waits for something that another thread or process brings about."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.01)


@on_a_loop
async def test_an_uplink_comes_and_a_command_goes_back_and_its_fate_is_known():
    with mosquitto.broker() as broker, contextlib.closing(Server(broker.port, f"{TOPIC}/command/down")) as server:
        port = Port()
        async with bridge(ChirpStack("cs"), broker, port) as made:
            await until(lambda: made.connected, "no connection")
            await until(lambda: server.says(f"{TOPIC}/event/up", up(1)) or port.uplinks, "no uplink")
            assert port.uplinks[0] == AppUplink(0xD0001, 10, b"\x01", NOW_US, via="cs")
            assert made.send(Downlink(0xD0001, 20, b"\x07", confirmed=True, token="t"))
            topic, payload = await asyncio.to_thread(server.heard.get, timeout=PATIENCE_S)
            command = json.loads(payload)
            assert (topic, command["fPort"], command["data"]) == (f"{TOPIC}/command/down", 20, "Bw==")
            sent = integration.TxAckEvent(device_info=INFO, queue_item_id=command["id"])
            acked = integration.AckEvent(device_info=INFO, queue_item_id=command["id"], acknowledged=True)
            server.says(f"{TOPIC}/event/txack", sent.SerializeToString())
            server.says(f"{TOPIC}/event/ack", acked.SerializeToString())
            await until(lambda: len(port.fates) == 2, "no fate")
            assert [(fate.token, fate.fate) for fate in port.fates] == [("t", Fate.SENT), ("t", Fate.ACKNOWLEDGED)]


@on_a_loop
async def test_what_was_not_committed_comes_again_after_a_crash():
    with mosquitto.broker() as broker, contextlib.closing(Server(broker.port, "nothing")) as server:
        slow = Port(hold=True)
        async with bridge(ChirpStack("cs"), broker, slow) as made:
            await until(lambda: made.connected, "no connection")
            await until(lambda: server.says(f"{TOPIC}/event/up", up(7)) or slow.uplinks, "no uplink")
        server.says(f"{TOPIC}/event/up", up(8))  # while we are away
        again = Port()
        async with bridge(ChirpStack("cs"), broker, again):
            await until(lambda: {u.payload for u in again.uplinks} >= {b"\x07", b"\x08"}, "it did not come again")
            server.says(f"{TOPIC}/event/up", up(10))
            await until(lambda: again.uplinks[-1].payload == b"\x0a", "no uplink after those")
        third = Port()
        async with bridge(ChirpStack("cs"), broker, third) as made:
            await until(lambda: made.connected, "no connection")
            server.says(f"{TOPIC}/event/up", up(9))
            await until(lambda: third.uplinks and third.uplinks[-1].payload == b"\x09", "no uplink")
            assert not {u.payload for u in third.uplinks} & {b"\x07", b"\x08"}  # what was acknowledged does not come again


@on_a_loop
async def test_a_broker_that_goes_and_comes_back_is_found_again():
    with mosquitto.broker() as broker:
        port = Port()
        async with bridge(ChirpStack("cs"), broker, port) as made:
            await until(lambda: made.connected, "no connection")
            broker.stop()
            await until(lambda: not made.connected, "the loss was not seen")
            assert not made.send(Downlink(0xD0001, 20, b"\x07"))
            broker.start()
            await until(lambda: made.connected, "no connection after the restart")
            with contextlib.closing(Server(broker.port, "nothing")) as server:
                await until(lambda: server.says(f"{TOPIC}/event/up", up(3)) or port.uplinks, "no uplink after the restart")


@on_a_loop
async def test_a_message_that_is_not_understood_is_counted_and_does_not_stop_the_rest():
    with mosquitto.broker() as broker, contextlib.closing(Server(broker.port, "nothing")) as server:
        port, told = Port(), []
        async with bridge(ChirpStack("cs"), broker, port) as made:
            made.refused.append(lambda reason, detail: told.append((reason, detail)))
            await until(lambda: made.connected, "no connection")
            await until(lambda: server.says(f"{TOPIC}/event/up", b"{") or told, "nothing was refused")
            await until(lambda: server.says(f"{TOPIC}/event/up", up(1)) or port.uplinks, "no uplink")
            assert told[0][0] == "bad_mqtt_message"
            assert made.counts["bad_mqtt_message"] >= 1


@on_a_loop
async def test_a_wrong_password_is_told_and_the_right_one_works():
    with mosquitto.broker(password="s3cret/1") as broker:
        port, told = Port(), []
        async with bridge(ChirpStack("cs"), broker, port, url=f"mqtt://nyala:wrong@127.0.0.1:{broker.port}") as made:
            made.refused.append(lambda reason, detail: told.append(reason))
            await until(lambda: told, "nothing was told")
            assert (told[0], made.connected) == ("mqtt_refused", False)
        async with bridge(ChirpStack("cs"), broker, port, url=f"mqtt://nyala:s3cret%2F1@127.0.0.1:{broker.port}") as made:
            await until(lambda: made.connected, "no connection")


@on_a_loop
async def test_the_things_stack_is_spoken_to_in_the_same_way():
    device = "v3/estate@acme/devices/house-1"
    ids = {"end_device_ids": {"dev_eui": EUI.upper(), "device_id": "house-1"}}
    said = json.dumps(ids | {"uplink_message": {"f_port": 10, "frm_payload": "AQ=="}})
    with mosquitto.broker() as broker, contextlib.closing(Server(broker.port, f"{device}/down/push")) as server:
        port = Port()
        async with bridge(ThingsStack("tts", "estate@acme", region("AS923-2")), broker, port) as made:
            await until(lambda: made.connected, "no connection")
            await until(lambda: server.says(f"{device}/up", said, 0) or port.uplinks, "no uplink")
            assert made.send(Downlink(0xD0001, 20, b"\x07", token="t"))
            _, payload = await asyncio.to_thread(server.heard.get, timeout=PATIENCE_S)
            [downlink] = json.loads(payload)["downlinks"]
            sent = ids | {"downlink_sent": {"correlation_ids": downlink["correlation_ids"]}}
            server.says(f"{device}/down/sent", json.dumps(sent), 0)
            await until(lambda: port.fates, "no fate")
            assert port.fates == [DownlinkFate(0xD0001, "t", Fate.SENT)]


@pytest.mark.parametrize("url", ["http://host", "mqtt://", "mqtt:/host", "mqtt://host:x", "mqtt://host:70000", ""])
def test_a_broker_that_is_no_address_is_refused(url):
    with pytest.raises(BadArgumentError, match="broker"):
        broker_of(url)


@pytest.mark.parametrize(
    "text", ["", "cs", "cs=mqtt://h", "=chirpstack+mqtt://h", "cs=lorix+mqtt://h", "cs=tts+mqtt://h", "c s=tts+mqtt://u:p@h"]
)
def test_a_bridge_that_is_not_described_is_refused(text):
    with pytest.raises(BadArgumentError, match="bridge"):
        bridge_of(text, region("AS923-2"), Port(), lambda: NOW_US)


@pytest.mark.parametrize(
    ("text", "name", "topic"),
    [
        ("cs=chirpstack+mqtt://h", "cs", "application/+/device/+/event/+"),
        ("cs=chirpstack+mqtts://h:8884/9f3a", "cs", "application/9f3a/device/+/event/+"),
        ("tts=tts+mqtts://estate%40acme:NNSXS@h", "tts", "v3/estate@acme/devices/+/join"),
    ],
)
def test_a_bridge_is_made_of_a_name_a_kind_and_a_broker(text, name, topic):
    made = bridge_of(text, region("AS923-2"), Port(), lambda: NOW_US)
    assert (made.name, made.topics[0]) == (name, topic)
