"""The shell of a bridge: an MQTT client around a dialect.  Uplinks are acknowledged to the broker after the commit (law 2).

The client (paho) has a thread of its own; everything else happens on the loop.  The session is persistent and messages are
acknowledged by hand: what was not committed when the process died comes again from the broker, where its quality of service
is at least 1.  Messages that are not understood are counted, acknowledged, and told to `refused`.
"""

import asyncio
import re
import ssl
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from nyala.gateway.bridge import Dialect, ItemFate, News, Note
from nyala.gateway.chirpstack import ChirpStack
from nyala.gateway.things_stack import ThingsStack
from nyala.lorawan.network.port import AppUplink, Downlink, DownlinkFate, Fate
from nyala.lorawan.region import Region
from nyala.vocab.errors import BadArgumentError, GatewayError

KEEPALIVE_S: Final = 30
RECONNECT_S: Final = (1, 60)
SESSION_S: Final = 7 * 86_400
"""How long a broker keeps what came while we were away (MQTT 5)."""
ITEMS_MAX: Final = 10_000
"""Downlinks whose fate is awaited; the oldest is forgotten, and its command chased by the head-end."""
_NAME: Final = re.compile(r"[a-z0-9-]{1,32}")
PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class UplinkPort(Protocol):
    """Where telegrams and fates go."""

    def submit_app(self, uplinks: Sequence[AppUplink], acknowledge: Callable[[], None]) -> bool:
        """Takes telegrams; calls `acknowledge` once they are safe.  False: too many wait, nothing was taken."""

    def submit_fates(self, fates: Sequence[DownlinkFate]) -> None:
        """Takes what became of downlinks."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker is, and who we are to it.  `application` is the path of the URL."""

    host: str
    port: int
    tls: bool
    user: str
    password: str
    application: str


def broker_of(url: str) -> Broker:
    """`mqtt[s]://[user:password@]host[:port][/application]`; BadArgumentError for another."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadArgumentError(f"broker: {error}") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise BadArgumentError(f"a broker is mqtt[s]://[user:password@]host[:port][/application], not {parts.scheme}:...")
    return Broker(
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        tls=parts.scheme == "mqtts",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        application=unquote(parts.path.strip("/")),
    )


def bridge_of(text: str, region: Region, uplinks: UplinkPort, now_us: Callable[[], int]) -> "MqttBridge":
    """A bridge as it is written on a command line, `NAME=chirpstack+BROKER` or `NAME=tts+BROKER`; BadArgumentError.

    ChirpStack: the broker's path is an application id, all without one.  The Things Stack: the user is the application.
    """
    name, _, address = text.partition("=")
    kind, plus, url = address.partition("+")
    if not _NAME.fullmatch(name) or kind not in ("chirpstack", "tts") or not plus:
        raise BadArgumentError(f"a bridge is written NAME=chirpstack+mqtt://... or NAME=tts+mqtts://..., not {name}=...")
    broker = broker_of(url)
    if kind == "tts" and not broker.user:
        raise BadArgumentError(f"bridge {name}: The Things Stack wants its application as the user of the broker")
    client = f"nyala-{name}"
    if kind == "tts":
        return MqttBridge(ThingsStack(name, broker.user, region), broker, uplinks, now_us, client, mqtt5=False)
    return MqttBridge(ChirpStack(name, broker.application or "+"), broker, uplinks, now_us, client, mqtt5=True)


class MqttBridge:
    """One broker and what speaks behind it.  `client_id` names the session that the broker keeps."""

    def __init__(
        self, dialect: Dialect, broker: Broker, uplinks: UplinkPort, now_us: Callable[[], int], client_id: str, *, mqtt5: bool
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.refused: list[Callable[[str, str], None]] = []
        """Called with the reason and one line of detail for what was not taken."""
        self.connected = False
        self._dialect, self._broker, self._uplinks, self._now_us = dialect, broker, uplinks, now_us
        self._items: dict[str, object] = {}
        """Item of a downlink -> its token."""
        self._loop: asyncio.AbstractEventLoop | None = None
        version = MQTTProtocolVersion.MQTTv5 if mqtt5 else MQTTProtocolVersion.MQTTv311
        session: dict[str, Any] = {} if mqtt5 else {"clean_session": False}
        self._mqtt5 = mqtt5
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=version, manual_ack=True, **session
        )
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(*RECONNECT_S)
        if broker.user:
            self._client.username_pw_set(broker.user, broker.password)
        if broker.tls:
            self._client.tls_set_context(ssl.create_default_context())

    @property
    def name(self) -> str:
        """The bridge's name, which uplinks carry as `via`."""
        return self._dialect.name

    @property
    def topics(self) -> Sequence[str]:
        """What it subscribes to."""
        return self._dialect.topics

    # -- life

    def start(self) -> None:
        """Begins to connect, and goes on trying; call on the loop."""
        self._loop = asyncio.get_running_loop()
        properties = None
        if self._mqtt5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_S
        clean: dict[str, Any] = {"clean_start": False, "properties": properties} if self._mqtt5 else {}
        self._client.connect_async(self._broker.host, self._broker.port, KEEPALIVE_S, **clean)
        self._client.loop_start()

    async def stop(self) -> None:
        """Disconnects; the broker keeps the session."""
        self._loop = None
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def _soon(self, call: Callable[..., None], *arguments: object) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(call, *arguments)

    # -- on the client's thread

    def _on_connect(self, client: paho.Client, _: Any, __: Any, reason: Any, ___: Any) -> None:
        if reason.is_failure:
            self._soon(self._refuse, "mqtt_refused", f"{self.name}: the broker says {reason}")
            return
        client.subscribe([(topic, 1) for topic in self._dialect.topics])
        self._soon(self._linked, True)

    def _on_disconnect(self, _: paho.Client, __: Any, ___: Any, ____: Any, _____: Any) -> None:
        self._soon(self._linked, False)

    def _on_message(self, _: paho.Client, __: Any, message: paho.MQTTMessage) -> None:
        self._soon(self._arrived, message.topic, bytes(message.payload), message.mid, message.qos)

    # -- on the loop

    def _linked(self, up: bool) -> None:  # noqa: FBT001 - as above
        self.connected = up
        self.counts["mqtt_connected" if up else "mqtt_disconnected"] += 1

    def _refuse(self, reason: str, detail: str) -> None:
        self.counts[reason] += 1
        for listener in self.refused:
            listener(reason, detail)

    def _arrived(self, topic: str, payload: bytes, mid: int, qos: int) -> None:
        def acknowledge() -> None:
            self._client.ack(mid, qos)

        self.counts["mqtt_messages"] += 1
        try:
            news = self._dialect.decode(topic, payload, self._now_us())
        except GatewayError as error:
            self._refuse("bad_mqtt_message", str(error))
            acknowledge()
            return
        uplinks = [each for each in news if isinstance(each, AppUplink)]
        self._told(news)
        if not uplinks:
            acknowledge()
        elif not self._uplinks.submit_app(uplinks, acknowledge):
            self.counts["overloaded"] += 1

    def _told(self, news: Sequence[News]) -> None:
        fates: list[DownlinkFate] = []
        for each in news:
            match each:
                case Note(kind=kind):
                    self.counts[f"mqtt_{kind}"] += 1
                case ItemFate(dev_eui=dev_eui, item=item, fate=fate):
                    token = self._items.get(item) if fate is Fate.SENT else self._items.pop(item, None)
                    if token is not None:
                        fates.append(DownlinkFate(dev_eui, token, fate))
                case _:
                    pass
        if fates:
            self._uplinks.submit_fates(fates)

    def send(self, downlink: Downlink) -> bool:
        """Hands a downlink to the other server; False where the broker or the way to the device is not there."""
        item = str(uuid.uuid4())
        message = self._dialect.encode(downlink, item) if self.connected else None
        if message is None:
            self.counts["mqtt_no_path"] += 1
            return False
        while len(self._items) >= ITEMS_MAX:
            del self._items[next(iter(self._items))]
        self._items[item] = downlink.token
        self._client.publish(*message, qos=1)
        self.counts["mqtt_downlinks"] += 1
        return True
