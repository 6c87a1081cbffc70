"""The server's end of Semtech UDP: an asyncio datagram protocol around `semtech_udp`.

PUSH_ACK leaves only when the uplink journal has the frames (law 2): the ingest calls `acknowledge` back after its commit.
Datagrams that are not understood, and frames that no rule can take, are counted and answered with nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from nyala.gateway import semtech_udp as udp
from nyala.lorawan.network.port import Reception, Transmission
from nyala.lorawan.region import Region
from nyala.vocab.errors import GatewayError, UnknownError

Address = tuple[str | Any, int]
GATEWAYS_MAX: Final = 10_000
"""Gateways whose downlink path is kept: the EUI of a datagram is not proven, so strangers must not fill the memory."""
AWAITED_MAX: Final = 1_024
"""PULL_RESP whose TX_ACK is awaited."""


class UplinkPort(Protocol):
    """Where receptions go."""

    def submit(self, receptions: Sequence[Reception], acknowledge: Callable[[], None]) -> bool:
        """Takes receptions; calls `acknowledge` once they are safe.  False: too many wait, nothing was taken."""


@dataclass(slots=True)
class GatewayState:
    """What is known of a gateway since the start."""

    address: Address | None = None
    last_seen_us: int = 0
    frames: int = 0
    tx_errors: int = 0


class SemtechUdpServer(asyncio.DatagramProtocol):
    """One UDP port for any number of gateways.  `now_us` is the server's clock in microseconds UTC."""

    def __init__(self, region: Region, uplinks: UplinkPort, now_us: Callable[[], int]) -> None:
        self.gateways: dict[int, GatewayState] = {}
        self.counts: Counter[str] = Counter()
        self.refused: list[Callable[[str, str], None]] = []
        """Called with the reason and one line of detail for what was not taken."""
        self._region, self._uplinks, self._now_us = region, uplinks, now_us
        self._transport: asyncio.DatagramTransport | None = None
        self._token = 0
        self._awaited: dict[int, Transmission] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        assert hasattr(transport, "sendto")
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """A datagram of a gateway."""
        try:
            message = udp.decode_from_gateway(data)
        except GatewayError as error:
            self._refuse("bad_datagram", f"from {addr[0]}: {error}")
            return
        gateway = self._gateway(message.gateway)
        if gateway is None:
            self.counts["too_many_gateways"] += 1
            return
        gateway.last_seen_us = self._now_us()
        match message:
            case udp.PushData():
                self._push(message, gateway, addr)
            case udp.PullData():
                gateway.address = addr
                self._send(udp.encode_ack(udp.Kind.PULL_ACK, message.token), addr)
            case udp.TxAck():
                self._tx_ack(message, gateway)

    def _refuse(self, reason: str, detail: str) -> None:
        self.counts[reason] += 1
        for listener in self.refused:
            listener(reason, detail)

    def _gateway(self, eui: int) -> GatewayState | None:
        if eui not in self.gateways and len(self.gateways) >= GATEWAYS_MAX:
            return None
        return self.gateways.setdefault(eui, GatewayState())

    def _push(self, message: udp.PushData, gateway: GatewayState, address: Address) -> None:
        now_us = gateway.last_seen_us
        receptions: list[Reception] = []
        for rxpk in message.rxpk:
            try:
                reception = udp.to_reception(rxpk, message.gateway, self._region, now_us)
            except (GatewayError, UnknownError) as error:
                self._refuse("bad_rxpk", f"gateway {message.gateway:016x}: {error}")
                continue
            if reception is None:
                self.counts["bad_crc"] += 1
            else:
                receptions.append(reception)
        gateway.frames += len(receptions)
        acknowledgement = udp.encode_ack(udp.Kind.PUSH_ACK, message.token)
        if not receptions:
            self._send(acknowledgement, address)
        elif not self._uplinks.submit(receptions, lambda: self._send(acknowledgement, address)):
            self.counts["overloaded"] += 1

    def _tx_ack(self, message: udp.TxAck, gateway: GatewayState) -> None:
        if self._awaited.pop(message.token, None) is None:
            self.counts["tx_ack_unknown"] += 1
        elif message.error != "NONE":
            gateway.tx_errors += 1
            self.counts[f"tx_{message.error.lower()}"] += 1
        else:
            self.counts["tx_ok"] += 1

    def transmit(self, transmission: Transmission) -> bool:
        """Orders a gateway to send; False where its downlink path is not known."""
        gateway = self.gateways.get(transmission.gateway)
        if gateway is None or gateway.address is None:
            self.counts["tx_no_path"] += 1
            return False
        self._token = self._token + 1 & 0xFFFF
        if len(self._awaited) >= AWAITED_MAX:
            self._awaited.pop(next(iter(self._awaited)))
            self.counts["tx_ack_missing"] += 1
        self._awaited[self._token] = transmission
        self._send(udp.encode_pull_resp(self._token, udp.to_txpk(transmission, self._region)), gateway.address)
        return True

    def _send(self, datagram: bytes, address: Address) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(datagram, address)
