"""The Things Stack v3 over MQTT: messages of its application server to news, downlinks to `down/push`.  No client.

    v3/<application>[@tenant]/devices/<device>/<join|up|down/queued|sent|ack|nack|failed|...>
    v3/<application>[@tenant]/devices/<device>/down/push

Devices are named, not numbered: which name a DevEUI has is learnt from its messages.  A downlink carries our item in its
correlation ids, which come back with every message about it.  Source: The Things Stack v3 documentation, MQTT server;
reference lorawan.md 10.2.
"""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from nyala.gateway.bridge import DETAIL_MAX, DEVICES_MAX, ItemFate, News, Note, NoteKind, instant_us
from nyala.lorawan.network.port import AppUplink, Downlink, Fate
from nyala.lorawan.region import Region
from nyala.vocab.errors import GatewayError, UnknownError

ITEM_PREFIX: Final = "nyala:"
_TOPIC: Final = re.compile(r"v3/([^/]+)/devices/([^/]+)/(join|up|down/queued|down/sent|down/ack|down/nack|down/failed)\Z")
_FATES: Final = {
    "down/sent": ("downlink_sent", Fate.SENT),
    "down/ack": ("downlink_ack", Fate.ACKNOWLEDGED),
    "down/nack": ("downlink_nack", Fate.NOT_ACKNOWLEDGED),
    "down/failed": ("downlink_failed", Fate.NO_SESSION),
}


class _Ids(msgspec.Struct):
    dev_eui: str = ""
    device_id: str = ""
    dev_addr: str = ""


class _Rx(msgspec.Struct):
    rssi: float = 0.0
    snr: float = 0.0


class _Lora(msgspec.Struct):
    bandwidth: int = 125_000
    spreading_factor: int = 0


class _DataRate(msgspec.Struct):
    lora: _Lora | None = None


class _Settings(msgspec.Struct):
    data_rate: _DataRate = msgspec.field(default_factory=_DataRate)


class _Up(msgspec.Struct):
    f_port: int = 0
    frm_payload: str = ""
    received_at: str = ""
    rx_metadata: list[_Rx] = []
    settings: _Settings = msgspec.field(default_factory=_Settings)


class _Down(msgspec.Struct):
    correlation_ids: list[str] = []


class _Failed(msgspec.Struct):
    downlink: _Down = msgspec.field(default_factory=_Down)
    error: dict[str, Any] = {}


class _Message(msgspec.Struct):
    end_device_ids: _Ids
    received_at: str = ""
    correlation_ids: list[str] = []
    uplink_message: _Up | None = None
    downlink_sent: _Down | None = None
    downlink_ack: _Down | None = None
    downlink_nack: _Down | None = None
    downlink_failed: _Failed | None = None


_decode: Final = msgspec.json.Decoder(_Message, strict=True).decode


class ThingsStack:
    """One application of a Things Stack; `application` with its tenant, as in the user name."""

    def __init__(self, name: str, application: str, region: Region) -> None:
        self.name, self._application, self._region = name, application, region
        self.topics: Sequence[str] = tuple(f"v3/{application}/devices/+/{kind}" for kind in ("join", "up", *_FATES))
        self._names: dict[int, str] = {}

    def decode(self, topic: str, payload: bytes, now_us: int) -> list[News]:
        """What a message says."""
        found = _TOPIC.match(topic)
        if found is None:
            raise GatewayError(f"{self.name}: topic {topic[:DETAIL_MAX]!r} is none of The Things Stack's")
        kind = found[3]
        try:
            message = _decode(payload)
            dev_eui = int(message.end_device_ids.dev_eui, 16)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
            raise GatewayError(f"{self.name}: {kind} of {found[2]}: {str(error)[:DETAIL_MAX]}") from None
        while len(self._names) >= DEVICES_MAX:
            del self._names[next(iter(self._names))]
        self._names[dev_eui] = found[2]
        if kind == "join":
            return [Note(NoteKind.JOINED, dev_eui, f"DevAddr {message.end_device_ids.dev_addr}")]
        if kind == "up":
            return [self._up(dev_eui, message, now_us)]
        return self._fates(dev_eui, kind, message)

    def _up(self, dev_eui: int, message: _Message, now_us: int) -> News:
        up = message.uplink_message
        if up is None:
            raise GatewayError(f"{self.name}: an uplink of {dev_eui:016x} without uplink_message")
        if not up.f_port:
            return Note(NoteKind.EMPTY, dev_eui)
        lora = up.settings.data_rate.lora
        best = max(up.rx_metadata, key=lambda rx: rx.snr, default=_Rx())
        try:
            text = "" if lora is None else f"SF{lora.spreading_factor}BW{lora.bandwidth // 1000}"
            data_rate = self._region.data_rate_of(text).index if lora is not None and lora.spreading_factor else 0
            payload = base64.b64decode(up.frm_payload, validate=True)
        except (UnknownError, binascii.Error, ValueError) as error:
            raise GatewayError(f"{self.name}: uplink of {dev_eui:016x}: {error}") from None
        received_us = instant_us(up.received_at or message.received_at, now_us)
        gateways = len(up.rx_metadata)
        return AppUplink(dev_eui, up.f_port, payload, received_us, 0, self.name, data_rate, best.rssi, best.snr, gateways)

    def _fates(self, dev_eui: int, kind: str, message: _Message) -> list[News]:
        if kind not in _FATES:
            return []
        part, fate = _FATES[kind]
        said = getattr(message, part)
        said = said.downlink if isinstance(said, _Failed) else said
        ids = [*message.correlation_ids, *(said.correlation_ids if said is not None else ())]
        items = dict.fromkeys(each.removeprefix(ITEM_PREFIX) for each in ids if each.startswith(ITEM_PREFIX))
        return [ItemFate(dev_eui, item, fate) for item in items]

    def encode(self, downlink: Downlink, item: str) -> tuple[str, bytes] | None:
        """The message that queues a downlink; None before the device's first message."""
        device = self._names.get(downlink.dev_eui)
        if device is None:
            return None
        said = {
            "f_port": int(downlink.port),
            "frm_payload": base64.b64encode(downlink.payload).decode(),
            "confirmed": downlink.confirmed,
            "priority": "HIGH",
            "correlation_ids": [ITEM_PREFIX + item],
        }
        return f"v3/{self._application}/devices/{device}/down/push", json.dumps({"downlinks": [said]}).encode()
