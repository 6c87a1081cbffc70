"""ChirpStack v4 over MQTT: events of its integration to news, downlinks to its command.  JSON and protobuf; no client.

    application/<application>/device/<DevEUI>/event/<up|join|ack|txack|status|log|location|integration>
    application/<application>/device/<DevEUI>/command/down

JSON comes with default values (the server itself) or without (other encoders): both are read.  A message is JSON where it
begins with a brace, which no protobuf event does.  Downlinks are sent in the form in which the device's last event came.
Source: ChirpStack v4 integration documentation, `integration.proto`; reference lorawan.md 10.1.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from nyala.gateway import protobuf
from nyala.gateway.bridge import DETAIL_MAX, DEVICES_MAX, ItemFate, News, Note, NoteKind, instant_us
from nyala.gateway.protobuf import DEFAULTS, Kind, Many, Table
from nyala.lorawan.network.port import AppUplink, Downlink, Fate
from nyala.vocab.errors import GatewayError
from nyala.vocab.time import US_PER_S

LOG_CODES: Final = (
    "UNKNOWN",
    "DOWNLINK_PAYLOAD_SIZE",
    "UPLINK_CODEC",
    "DOWNLINK_CODEC",
    "OTAA",
    "UPLINK_F_CNT_RESET",
    "UPLINK_MIC",
    "UPLINK_F_CNT_RETRANSMISSION",
    "DOWNLINK_GATEWAY",
    "RELAY_NEW_END_DEVICE",
    "F_CNT_DOWN",
    "EXPIRED",
)
_TOPIC: Final = re.compile(r"application/([^/]+)/device/([0-9a-fA-F]{16})/event/([a-z]+)\Z")

_TIME: Final[Table] = {1: ("seconds", Kind.INT), 2: ("nanos", Kind.INT)}
_DEVICE: Final[Table] = {3: ("applicationId", Kind.STRING), 7: ("deviceName", Kind.STRING), 8: ("devEui", Kind.STRING)}
_HEAD: Final[Table] = {2: ("time", _TIME), 3: ("deviceInfo", _DEVICE)}
_RX: Final[Table] = {1: ("gatewayId", Kind.STRING), 6: ("rssi", Kind.INT), 7: ("snr", Kind.FLOAT)}
_ENTRY: Final[Table] = {1: ("key", Kind.STRING), 2: ("value", Kind.STRING)}
_LOG: Final[Table] = {
    1: ("time", _TIME),
    2: ("deviceInfo", _DEVICE),
    4: ("code", Kind.UINT),
    5: ("description", Kind.STRING),
    6: ("context", Many(_ENTRY)),
}
EVENTS: Final[Mapping[str, Table]] = {
    "up": {**_HEAD, 6: ("dr", Kind.UINT), 7: ("fCnt", Kind.UINT), 8: ("fPort", Kind.UINT)}
    | {9: ("confirmed", Kind.BOOL), 10: ("data", Kind.BYTES), 12: ("rxInfo", Many(_RX))},
    "join": {**_HEAD, 4: ("devAddr", Kind.STRING)},
    "ack": {**_HEAD, 4: ("queueItemId", Kind.STRING), 5: ("acknowledged", Kind.BOOL), 6: ("fCntDown", Kind.UINT)},
    "txack": {2: ("time", _TIME), 3: ("deviceInfo", _DEVICE), 4: ("queueItemId", Kind.STRING), 5: ("fCntDown", Kind.UINT)},
    "status": {**_HEAD, 5: ("margin", Kind.INT), 6: ("externalPowerSource", Kind.BOOL), 8: ("batteryLevel", Kind.FLOAT)},
    "log": _LOG,
}
"""Fields of `integration.proto` that are read, by event; JSON has the same names."""
DOWN: Final[Table] = {
    1: ("id", Kind.STRING),
    2: ("devEui", Kind.STRING),
    3: ("confirmed", Kind.BOOL),
    4: ("fPort", Kind.UINT),
    5: ("data", Kind.BYTES),
}
_UNREAD: Final = frozenset({"location", "integration"})
_TYPES: Final[Mapping[Kind, type | tuple[type, ...]]] = {
    Kind.UINT: int,
    Kind.INT: int,
    Kind.BOOL: bool,
    Kind.FLOAT: (int, float),
    Kind.STRING: str,
    Kind.BYTES: str,
}


class ChirpStack:
    """One ChirpStack, or one application of it."""

    def __init__(self, name: str, application: str = "+") -> None:
        self.name = name
        self.topics: Sequence[str] = (f"application/{application}/device/+/event/+",)
        self._known: dict[int, tuple[str, bool]] = {}
        """DevEUI -> application, and whether its events are JSON."""

    def decode(self, topic: str, payload: bytes, now_us: int) -> list[News]:
        """What an event says."""
        found = _TOPIC.match(topic)
        if found is None:
            raise GatewayError(f"{self.name}: topic {topic[:DETAIL_MAX]!r} is none of ChirpStack's events")
        application, dev_eui, kind = found[1], int(found[2], 16), found[3]
        if kind in _UNREAD:
            return []
        if kind not in EVENTS:
            raise GatewayError(f"{self.name}: unknown event {kind!r} of device {dev_eui:016x}")
        is_json = payload[:1] == b"{"
        event = _from_json(payload, EVENTS[kind]) if is_json else protobuf.decode(payload, EVENTS[kind])
        said = (event["deviceInfo"] or {}).get("devEui") or ""
        if said.lower() != found[2].lower():
            raise GatewayError(f"{self.name}: an event of device {said!r} under the topic of {found[2]}")
        while len(self._known) >= DEVICES_MAX:
            del self._known[next(iter(self._known))]
        self._known[dev_eui] = application, is_json
        return _READ[kind](self.name, dev_eui, event, now_us)

    def encode(self, downlink: Downlink, item: str) -> tuple[str, bytes] | None:
        """The command that queues a downlink; None before the device's first event."""
        known = self._known.get(downlink.dev_eui)
        if known is None:
            return None
        application, is_json = known
        eui = f"{downlink.dev_eui:016x}"
        command = {"id": item, "devEui": eui, "confirmed": downlink.confirmed, "fPort": int(downlink.port)}
        topic = f"application/{application}/device/{eui}/command/down"
        if is_json:
            return topic, json.dumps(command | {"data": base64.b64encode(downlink.payload).decode()}).encode()
        return topic, protobuf.encode(command | {"data": downlink.payload}, DOWN)


def _up(name: str, dev_eui: int, event: Mapping[str, Any], now_us: int) -> list[News]:
    if not event["fPort"]:
        return [Note(NoteKind.EMPTY, dev_eui)]
    heard = max(event["rxInfo"], key=lambda rx: rx["snr"], default={"rssi": 0, "snr": 0.0})
    uplink = AppUplink(
        dev_eui=dev_eui,
        port=event["fPort"],
        payload=event["data"],
        received_us=_instant(event["time"], now_us),
        via=name,
        data_rate=event["dr"],
        rssi_dbm=float(heard["rssi"]),
        snr_db=round(float(heard["snr"]), 2),
        gateways=len(event["rxInfo"]),
    )
    return [uplink]


def _join(_: str, dev_eui: int, event: Mapping[str, Any], __: int) -> list[News]:
    return [Note(NoteKind.JOINED, dev_eui, f"DevAddr {event['devAddr']}")]


def _ack(_: str, dev_eui: int, event: Mapping[str, Any], __: int) -> list[News]:
    fate = Fate.ACKNOWLEDGED if event["acknowledged"] else Fate.NOT_ACKNOWLEDGED
    return [ItemFate(dev_eui, event["queueItemId"], fate)]


def _txack(_: str, dev_eui: int, event: Mapping[str, Any], __: int) -> list[News]:
    return [ItemFate(dev_eui, event["queueItemId"], Fate.SENT)]


def _status(_: str, dev_eui: int, event: Mapping[str, Any], __: int) -> list[News]:
    power = "external power" if event["externalPowerSource"] else f"battery {event['batteryLevel']:.0f} %"
    return [Note(NoteKind.STATUS, dev_eui, f"margin {event['margin']} dB, {power}")]


def _log(_: str, dev_eui: int, event: Mapping[str, Any], __: int) -> list[News]:
    """A log event may end a downlink: its context names the item."""
    code = event["code"]
    said = LOG_CODES[code] if isinstance(code, int) and code < len(LOG_CODES) else str(code)
    news: list[News] = [Note(NoteKind.WARNING, dev_eui, f"{said}: {event['description']}"[:DETAIL_MAX])]
    context = {each["key"]: each["value"] for each in event["context"]}
    item = context.get("queue_item_id", "")
    if item and said == "DOWNLINK_PAYLOAD_SIZE":
        news.append(ItemFate(dev_eui, item, Fate.TOO_LONG))
    return news


_READ: Final[Mapping[str, Callable[[str, int, Mapping[str, Any], int], list[News]]]] = {
    "up": _up,
    "join": _join,
    "ack": _ack,
    "txack": _txack,
    "status": _status,
    "log": _log,
}


def _instant(time: Any, now_us: int) -> int:
    """A protobuf Timestamp or the text of JSON, in microseconds UTC; `now_us` where there is none."""
    if isinstance(time, dict):
        return int(time["seconds"]) * US_PER_S + int(time["nanos"]) // 1_000
    return instant_us(time or "", now_us)


def _from_json(payload: bytes, table: Table) -> dict[str, Any]:
    """A JSON event with every field of its table; GatewayError for what is not one."""
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise GatewayError(f"not JSON: {str(error)[:DETAIL_MAX]}") from None
    return _filled(document, table)


def _filled(document: Any, table: Table) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise GatewayError("a JSON object is expected")
    event: dict[str, Any] = {}
    for name, kind in table.values():
        value = document.get(name)
        if table is not _TIME and kind is _TIME:
            event[name] = _typed(value or "", Kind.STRING, name)
        elif isinstance(kind, Kind):
            event[name] = DEFAULTS[kind] if value is None else _typed(value, kind, name)
        elif isinstance(kind, Many):
            event[name] = [_filled(each, kind.table) for each in _listed(value, name)]
        else:
            event[name] = None if value is None else _filled(value, kind)
    return event


def _listed(value: Any, name: str) -> list[Any]:
    """A list; a map, as JSON writes it, becomes a list of its entries."""
    if isinstance(value, dict):
        return [{"key": key, "value": str(each)} for key, each in value.items()]
    if value is None or isinstance(value, list):
        return value or []
    raise GatewayError(f"{name} is no list")


def _typed(value: Any, kind: Kind, name: str) -> Any:
    if name == "code" and isinstance(value, str):
        return value
    right_type = isinstance(value, _TYPES[kind]) and (kind is Kind.BOOL or not isinstance(value, bool))
    if not right_type:
        raise GatewayError(f"{name} {str(value)[:40]!r} has the wrong type")
    if kind is Kind.UINT and value < 0:
        raise GatewayError(f"{name} {value} is negative")
    if kind is Kind.BYTES:
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise GatewayError(f"{name} is not base64: {value[:40]!r}") from None
    return value
