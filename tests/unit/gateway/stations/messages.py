"""What the tests of Basics Station share: messages as a station writes them, and a connection without a socket."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any, Final

from nyala.gateway import station
from nyala.gateway.station_access import StationAccess
from nyala.gateway.station_server import StationServer
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import Transmission, TxResult
from tests.unit.gateway.datagrams import NOW_US, Uplinks

PLAN: Final = indonesia()
REGION: Final = PLAN.region
EUI: Final = 0xB827EBFFFE010203
XTIME: Final = 62487445098202099
"""Of a station in the field; more than 2**53."""

UPINFO: Final = {"rctx": 0, "xtime": XTIME, "gpstime": 1292245486000123, "fts": -1, "rssi": -41, "snr": 9.25, "rxtime": 1.5}
RADIO: Final = {"RefTime": 1565859000.75, "DR": 2, "Freq": 921400000, "upinfo": UPINFO}
JREQ: Final = {
    "msgtype": "jreq",
    "MHdr": 0,
    "JoinEui": "70-B3-D5-7E-D0-00-00-01",
    "DevEui": "91-A2-B3-C4-D5-E6-F7-08",
    "DevNonce": 258,
    "MIC": -559038737,
    **RADIO,
}
JREQ_PHY: Final = bytes.fromhex("00 010000d07ed5b370 08f7e6d5c4b3a291 0201 efbeadde".replace(" ", ""))
UPDF: Final = {
    "msgtype": "updf",
    "MHdr": 128,
    "DevAddr": -197975535,
    "FCtrl": 161,
    "FCnt": 65535,
    "FOpts": "02",
    "FPort": 11,
    "FRMPayload": "AABB",
    "MIC": 1,
    **RADIO,
}
UPDF_PHY: Final = bytes.fromhex("80 112233f4 a1 ffff 02 0b aabb 01000000".replace(" ", ""))
"""Both put together by hand from TS001 4 and 6.2."""
VERSION: Final = {
    "msgtype": "version",
    "station": "2.0.6(linux/std)",
    "firmware": None,
    "package": None,
    "model": "linux",
    "protocol": 2,
    "features": "rmtsh gps",
}


def text(said: dict[str, Any], **different: Any) -> str:
    """A message as JSON, with other values for some keys; None leaves a key out."""
    return json.dumps({key: value for key, value in {**said, **different}.items() if key not in different or value is not None})


class Connection:
    """One connection to a server, as an ASGI server would bring it."""

    def __init__(
        self, server: StationServer, path: str, *, token: str = "", kind: str = "websocket", method: str = "", body: bytes = b""
    ) -> None:
        headers = [(b"host", b"lns.example:8887"), *([(b"authorization", f"Bearer {token}".encode())] if token else [])]
        scope = {
            "type": kind,
            "path": path,
            "headers": headers,
            "scheme": "wss",
            "server": ("192.0.2.1", 1),
            "client": ("192.0.2.7", 2),
        }
        self.into: asyncio.Queue[Any] = asyncio.Queue()
        self.out: asyncio.Queue[Any] = asyncio.Queue()
        start = {"type": "websocket.connect"} if kind == "websocket" else {"type": "http.request", "body": body}
        self.into.put_nowait(start)
        self.task = asyncio.get_running_loop().create_task(server(scope | {"method": method}, self.into.get, self.out.put))

    def says(self, message: str | bytes) -> None:
        """The station sends a message."""
        key = "text" if isinstance(message, str) else "bytes"
        self.into.put_nowait({"type": "websocket.receive", key: message})

    async def accepted(self) -> "Connection":
        """Waits until the server took the connection."""
        assert (await self.out.get())["type"] == "websocket.accept"
        return self

    async def hears(self) -> Any:
        """The next message of the server: text, or the whole ASGI message for another kind."""
        message = await self.out.get()
        return message.get("text", message)

    async def leaves(self) -> None:
        """The station goes."""
        self.into.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await self.task


class Net:
    """A server with its fakes around it."""

    def __init__(self, access: StationAccess | None = None) -> None:
        self.now_us, self.uplinks = NOW_US, Uplinks()
        self.stations: list[Connection] = []
        """Held, since a loop does not hold its tasks."""
        self.server = StationServer(PLAN, self.uplinks, lambda: self.now_us, access=access)
        self.results: list[tuple[Transmission, TxResult]] = []
        self.server.outbox.on_result = lambda sent, result: self.results.append((sent, result))

    async def station(self, eui: int = EUI, *, token: str = "") -> Connection:
        """A station that has its configuration."""
        connection = await Connection(self.server, f"/router/{eui:016x}", token=token).accepted()
        connection.says(text(VERSION))
        assert isinstance(station.decode_from_server(await connection.hears()), station.RouterConfig)
        self.stations.append(connection)
        return connection


def run(test: Callable[[Net], Coroutine[Any, Any, None]], access: StationAccess | None = None) -> Net:
    """Runs a test on a loop of its own."""
    net = Net(access)
    asyncio.run(test(net))
    return net
