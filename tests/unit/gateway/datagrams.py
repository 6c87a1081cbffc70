"""What the tests of the gateway port share: datagrams of PROTOCOL.TXT, a transport that keeps what is sent, an uplink port."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from nyala.gateway import semtech_udp as udp
from nyala.gateway.udp_server import SemtechUdpServer
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import Reception, Transmission, TxResult

REGION: Final = indonesia().region
EUI: Final = 0xAA555A0000000101
ADDRESS: Final = ("192.0.2.7", 41_000)
NOW_US: Final = 1_760_000_000_000_000

TX_ERRORS: Final = (
    "TOO_LATE",
    "TOO_EARLY",
    "COLLISION_PACKET",
    "COLLISION_BEACON",
    "TX_FREQ",
    "TX_POWER",
    "GPS_UNLOCKED",
)
"""PROTOCOL.TXT 1.5 section 5.5."""


def head(kind: int, token: int = 0xBEEF, *, version: int = 2) -> bytes:
    """Octets 0 to 3."""
    return bytes([version, token >> 8, token & 0xFF, kind])


def from_gateway(kind: int, body: bytes | str = b"", *, token: int = 0xBEEF, version: int = 2, eui: int = EUI) -> bytes:
    """A datagram of a gateway, put together by hand."""
    return head(kind, token, version=version) + eui.to_bytes(8, "big") + (body.encode() if isinstance(body, str) else body)


def rxpk(**said: Any) -> udp.RxPk:
    """A frame of four bytes at SF10."""
    return udp.RxPk(**{"tmst": 1_000, "freq": 921.4, "datr": "SF10BW125", "data": "QAECAw==", **said})


def transmission(gateway: int = EUI, **said: Any) -> Transmission:
    """A frame for a gateway, at once."""
    plain = {"frequency_hz": 921_400_000, "data_rate": 2, "eirp_dbm": 16, "tmst_us": None, "start_us": NOW_US}
    return Transmission(**{"gateway": gateway, "phy": b"\x60\x01\x02\x03", **plain, **said})


class Sent(asyncio.DatagramTransport):
    """Keeps what the server sends."""

    def __init__(self) -> None:
        super().__init__()
        self.datagrams: list[tuple[bytes, Any]] = []
        self.closed = False

    def sendto(self, data: Any, addr: Any = None) -> None:
        assert not self.closed, "sent on a closed socket"
        self.datagrams.append((bytes(data), addr))

    def is_closing(self) -> bool:
        return self.closed


class Uplinks:
    """An uplink port that acknowledges when the test says so; `full`: it takes nothing."""

    def __init__(self) -> None:
        self.full = False
        self.taken: list[Reception] = []
        self.acknowledge: list[Callable[[], None]] = []

    def submit(self, receptions: Sequence[Reception], acknowledge: Callable[[], None]) -> bool:
        if self.full:
            return False
        self.taken += receptions
        self.acknowledge.append(acknowledge)
        return True


class Port:
    """A server with its fakes around it."""

    def __init__(self) -> None:
        self.now_us = NOW_US
        self.uplinks, self.transport = Uplinks(), Sent()
        self.server = SemtechUdpServer(REGION, self.uplinks, lambda: self.now_us)
        self.server.connection_made(self.transport)
        self.results: list[tuple[Transmission, TxResult]] = []
        self.server.outbox.on_result = lambda sent, result: self.results.append((sent, result))

    def comes(self, datagram: bytes, address: Any = ADDRESS) -> None:
        """A datagram comes from an address."""
        self.server.datagram_received(datagram, address)

    def push(self, *frames: udp.RxPk, token: int = 1, eui: int = EUI, address: Any = ADDRESS) -> None:
        """A PUSH_DATA comes."""
        self.comes(udp.encode_push_data(token, eui, list(frames)), address)

    def pull(self, *, token: int = 2, eui: int = EUI, address: Any = ADDRESS) -> None:
        """A PULL_DATA comes."""
        self.comes(udp.encode_pull_data(token, eui), address)

    def sent(self) -> list[tuple[udp.PullResp | udp.Ack, Any]]:
        """What was sent since the last question, with where to."""
        found = [(udp.decode_from_server(data), address) for data, address in self.transport.datagrams]
        self.transport.datagrams.clear()
        return found

    @property
    def counts(self) -> dict[str, int]:
        """What the server counted."""
        return dict(self.server.counts)
