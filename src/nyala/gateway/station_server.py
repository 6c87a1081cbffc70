"""The server's end of Basics Station: an ASGI application for the WebSocket of stations and their CUPS request.

    /router-info        discovery: which URI the station is to connect to
    /router/<eui>       the station's session; one for each gateway, a new one ends the one before
    POST /update-info   CUPS

It opens no port: an ASGI server does, with TLS, pings and one unread message at a time.  The protocol has no
acknowledgement of uplinks: what is on its way when the process ends is lost, as on any station's link.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from nyala.gateway import cups, station
from nyala.gateway.known import Gateway, Gateways, Link
from nyala.gateway.shell import Outbox, UplinkPort
from nyala.gateway.station_access import StationAccess
from nyala.gateway.station_config import router_config
from nyala.gateway.station_frames import to_order, to_reception
from nyala.gateway.station_identity import eui_of, id6_text
from nyala.lorawan.network.plan import NetworkPlan
from nyala.lorawan.network.port import Transmission, TxResult
from nyala.vocab.errors import GatewayError, UnknownError
from nyala.vocab.identifiers import eui_text
from nyala.vocab.time import GPS_EPOCH_S, GPS_LEAP_S, US_PER_S

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

DISCOVERY: Final = "/router-info"
SESSION: Final = "/router/"
MUXS: Final = "muxs-::0"
OUT_MAX: Final = 64
"""Messages that may wait for a slow station: as many as it has room for frames to send."""
HELLO_S: Final = 15.0
"""A connection must say what it is within this time."""
TX_ANSWER_US: Final = 5_000_000
"""After a frame should be on the air: `dntxed` comes once it was sent, and never for one that was not."""
DIID_LIMIT: Final = 1 << 31
OTHERS: Final = frozenset(("alarm", "event", "rmtsh", "runcmd", "getxtime", "jacc", "dndf"))
"""Messages of stations that are counted by their name; any other one is `station_unknown`."""
POLICY_VIOLATION: Final = 1008
REPLACED: Final = 4000
NORMAL: Final = 1000


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """A connection that is answered with an HTTP status."""

    def __init__(self, status: int, detail: str) -> None:
        self.status, self.detail = status, detail
        super().__init__(detail)


class _Session:
    """One connected station: what waits to be sent to it, and whether it was told its configuration."""

    def __init__(self) -> None:
        self.greeted = False
        self.out: asyncio.Queue[bytes | int] = asyncio.Queue(OUT_MAX)

    def put(self, message: station.FromServer) -> bool:
        """Queues a message; False where the station does not read fast enough."""
        if self.out.full():
            return False
        self.out.put_nowait(station.encode(message))
        return True

    def end(self, code: int) -> None:
        """Closes the connection after what is being sent now; what waits is dropped."""
        while not self.out.empty():
            self.out.get_nowait()
        self.out.put_nowait(code)

    async def write(self, send: Send) -> None:
        """Sends what is queued, until the end."""
        while not isinstance(message := await self.out.get(), int):
            await send({"type": "websocket.send", "text": message.decode()})
        await send({"type": "websocket.close", "code": message})


class StationServer:
    """All stations of a network.  `now_us` is the server's clock in microseconds UTC."""

    def __init__(
        self,
        plan: NetworkPlan,
        uplinks: UplinkPort,
        now_us: Callable[[], int],
        gateways: Gateways | None = None,
        access: StationAccess | None = None,
    ) -> None:
        self.gateways = Gateways() if gateways is None else gateways
        self.counts: Counter[str] = Counter()
        self.outbox = Outbox(self.gateways, self.counts)
        self.refused: list[Callable[[str, str], None]] = []
        """Called with the reason and one line of detail for what was not taken."""
        self.access = access or StationAccess()
        self._plan, self._uplinks, self._now_us = plan, uplinks, now_us
        self._open: dict[int, _Session] = {}
        self._diid = 0

    # -- connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A connection."""
        try:
            if scope["type"] == "http":
                await self._http(scope, receive, send)
            elif scope["path"] == DISCOVERY:
                await self._discovery(scope, receive, send)
            elif scope["path"].startswith(SESSION):
                await self._session(scope, receive, send)
            else:
                raise Refused(404, f"no such path {scope['path'][:64]!r}")
        except Refused as refused:
            self._refuse("station_refused", f"from {_peer(scope)}: {refused.detail}")
            await _respond(send, refused.status, websocket=scope["type"] == "websocket")
        except TimeoutError:
            self._refuse("station_silent", f"from {_peer(scope)}: nothing within {HELLO_S:.0f} s")
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})

    def _refuse(self, reason: str, detail: str) -> None:
        self.counts[reason] += 1
        for listener in self.refused:
            listener(reason, detail)

    def _admit(self, scope: Scope, eui: int) -> None:
        if not self.access.admits(eui, _header(scope, b"authorization")):
            raise Refused(401, f"station {eui_text(eui)}: not known, or another token")

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != cups.PATH or scope["method"] != "POST":
            raise Refused(404, f"no such path {scope['path'][:64]!r}")
        body, more = b"", True
        while more and len(body) <= cups.REQUEST_MAX:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        try:
            eui = cups.decode_request(body)
        except GatewayError as error:
            raise Refused(400, str(error)) from None
        self._admit(scope, eui)
        self.counts["cups_no_change"] += 1
        await _respond(send, 200, cups.NO_CHANGE)

    async def _discovery(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        async with asyncio.timeout(HELLO_S):
            message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        try:
            eui = station.decode_discovery(message.get("text") or "")
        except GatewayError as error:
            self._refuse("bad_station_message", f"from {_peer(scope)}: {error}")
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        info = station.RouterInfo(id6_text(eui), MUXS, self._uri(scope, eui))
        if not self.access.admits(eui, _header(scope, b"authorization")):
            self._refuse("station_refused", f"station {eui_text(eui)}: not known, or another token")
            info = station.RouterInfo(id6_text(eui), error="not known here, or another token")
        await send({"type": "websocket.send", "text": station.encode(info).decode()})
        await send({"type": "websocket.close", "code": NORMAL})

    @staticmethod
    def _uri(scope: Scope, eui: int) -> str:
        host = _header(scope, b"host") or ":".join(str(part) for part in scope["server"])
        return f"{scope['scheme']}://{host}{SESSION}{eui_text(eui)}"

    async def _session(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            eui = eui_of(scope["path"].removeprefix(SESSION))
        except GatewayError as error:
            raise Refused(404, str(error)) from None
        self._admit(scope, eui)
        gateway = self.gateways.seen(eui, Link.STATION, self._now_us())
        if gateway is None:
            self.counts["too_many_gateways"] += 1
            raise Refused(503, f"station {eui_text(eui)}: too many gateways")
        await receive()
        await send({"type": "websocket.accept"})
        session, gateway.address, gateway.online_us = _Session(), _peer(scope), 0
        before, self._open[eui] = self._open.get(eui), session
        if before is not None:
            self.counts["station_replaced"] += 1
            before.end(REPLACED)
        writer = asyncio.get_running_loop().create_task(session.write(send))
        try:
            async with asyncio.timeout(HELLO_S) as hello:
                while (message := await receive())["type"] != "websocket.disconnect" and not writer.done():
                    self._message(message.get("text"), gateway, session)
                    if session.greeted:
                        hello.reschedule(None)
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            if self._open.get(eui) is session:
                del self._open[eui]
                gateway.online_us = 0

    # -- messages

    def _message(self, text: str | None, gateway: Gateway, session: _Session) -> None:
        now_us = self._now_us()
        self.outbox.expire(now_us)
        self.gateways.seen(gateway.eui, Link.STATION, now_us)
        if text is None:
            self.counts["station_binary"] += 1
            return
        try:
            message = station.decode_from_station(text)
            match message:
                case station.Version():
                    self._greet(message, gateway, session, now_us)
                case station.Transmitted():
                    self.outbox.answered(message.diid, gateway.eui, TxResult.OK)
                case station.TimeSync():
                    if message.txtime_us is not None:
                        session.put(time_answer(message.txtime_us, now_us))
                case station.Other():
                    self.counts[f"station_{message.msgtype if message.msgtype in OTHERS else 'unknown'}"] += 1
                case _:
                    self._heard(message, gateway, now_us)
        except (GatewayError, UnknownError) as error:
            gateway.not_taken += 1
            self._refuse("bad_station_message", f"gateway {eui_text(gateway.eui)}: {error}")
        gateway.online_us = now_us if session.greeted else 0

    def _greet(self, version: station.Version, gateway: Gateway, session: _Session, now_us: int) -> None:
        if version.protocol != station.PROTOCOL:
            raise GatewayError(f"station protocol {version.protocol}")
        gateway.software = " ".join(filter(None, (version.model, version.station, version.firmware)))[:80]
        config = router_config(self._plan, self.access.region_of(gateway.eui), now_us)
        session.greeted = session.put(config)

    def _heard(self, heard: station.Heard, gateway: Gateway, now_us: int) -> None:
        reception = to_reception(heard, gateway.eui, self._plan.region, now_us)
        if self._uplinks.submit([reception], lambda: None):
            gateway.frames += 1
        else:
            self.counts["overloaded"] += 1

    def transmit(self, transmission: Transmission) -> bool:
        """Orders a station to send; False where it is not connected, reads too slowly, or has no such window."""
        now_us = self._now_us()
        self.outbox.expire(now_us)
        session = self._open.get(transmission.gateway)
        if session is None or not session.greeted:
            self.outbox.ended(transmission, TxResult.NO_PATH)
            return False
        self._diid = self._diid % (DIID_LIMIT - 1) + 1
        try:
            put = session.put(to_order(transmission, self._diid, now_us))
        except GatewayError as error:
            self._refuse("station_order", f"gateway {eui_text(transmission.gateway)}: {error}")
            put = False
        if not put:
            self.outbox.ended(transmission, TxResult.NO_PATH)
            return False
        self.outbox.ordered(self._diid, transmission, max(now_us, transmission.start_us) + TX_ANSWER_US)
        return True


def time_answer(txtime_us: int, now_us: int) -> station.TimeSync:
    """GPS time for a station that asks."""
    gps_us = now_us - (GPS_EPOCH_S - GPS_LEAP_S) * US_PER_S
    return station.TimeSync(txtime_us=txtime_us, gps_us=gps_us, mux_time_s=now_us / US_PER_S)


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name), "")


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return f"{client[0]}:{client[1]}" if client else "?"


async def _respond(send: Send, status: int, body: bytes = b"", *, websocket: bool = False) -> None:
    kind = "websocket.http.response" if websocket else "http.response"
    headers = [(b"content-type", b"application/octet-stream"), (b"content-length", str(len(body)).encode())]
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
