"""The server's end of Semtech UDP: an asyncio datagram protocol around `semtech_udp`.

PUSH_ACK leaves only when the uplink journal has the frames (law 2): the ingest calls `acknowledge` back after its commit.
Datagrams that are not understood, and frames that no rule can take, are counted and answered with nothing.

A gateway is its EUI, not its address: many may stand behind one, and PUSH and PULL come from different ports.  Downlinks
go to where the last PULL_DATA came from.  A PUSH_DATA that comes again, since its acknowledgement was lost or the network
doubled it, is acknowledged again and not handed on again.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, Final

from nyala.gateway import semtech_udp as udp
from nyala.gateway.known import Gateway, Gateways, Link
from nyala.gateway.shell import Outbox, UplinkPort
from nyala.lorawan.network.port import Reception, Transmission, TxResult
from nyala.lorawan.region import Region
from nyala.vocab.errors import GatewayError, UnknownError

Address = tuple[str | Any, int]
RECENT_MAX: Final = 16_384
"""PUSH_DATA that are remembered to be known again: a second of the highest load, hours of an estate."""
TX_ANSWER_US: Final = 3_000_000
"""A TX_ACK comes as soon as the frame is queued: after this the PULL_RESP or its answer was lost."""
POWER_DOWN_MAX_DB: Final = 6
"""How far the power is lowered for a forwarder that has no such row in its gain table."""


class SemtechUdpServer(asyncio.DatagramProtocol):
    """One UDP port for any number of gateways.  `now_us` is the server's clock in microseconds UTC."""

    def __init__(
        self, region: Region, uplinks: UplinkPort, now_us: Callable[[], int], gateways: Gateways | None = None
    ) -> None:
        self.gateways = Gateways() if gateways is None else gateways
        self.counts: Counter[str] = Counter()
        self.outbox = Outbox(self.gateways, self.counts)
        self.refused: list[Callable[[str, str], None]] = []
        """Called with the reason and one line of detail for what was not taken."""
        self._region, self._uplinks, self._now_us = region, uplinks, now_us
        self._transport: asyncio.DatagramTransport | None = None
        self._token = 0
        self._pulled: dict[int, Address] = {}
        self._recent: OrderedDict[bytes, bool] = OrderedDict()

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
        now_us = self._now_us()
        self.outbox.expire(now_us)
        gateway = self.gateways.seen(message.gateway, Link.SEMTECH_UDP, now_us)
        if gateway is None:
            self.counts["too_many_gateways"] += 1
            return
        match message:
            case udp.PushData():
                self._push(message, data, gateway, addr)
            case udp.PullData():
                self._pulled[message.gateway] = addr
                gateway.online_us, gateway.address = now_us, f"{addr[0]}:{addr[1]}"
                self._send(udp.encode_ack(udp.Kind.PULL_ACK, message.token), addr)
            case udp.TxAck():
                self._tx_ack(message, gateway)

    def _refuse(self, reason: str, detail: str) -> None:
        self.counts[reason] += 1
        for listener in self.refused:
            listener(reason, detail)

    # -- up

    def _push(self, message: udp.PushData, datagram: bytes, gateway: Gateway, address: Address) -> None:
        if message.stat is not None:
            gateway.status = udp.to_status(message.stat, gateway.last_seen_us)
            gateway.position = udp.to_position(message.stat) or gateway.position
        acknowledgement = udp.encode_ack(udp.Kind.PUSH_ACK, message.token)
        safe = self._recent.get(datagram)
        if safe is not None:
            self.counts["repeated_push"] += 1
            if safe:
                self._send(acknowledgement, address)
            return
        receptions = self._receptions(message, gateway)
        if not receptions:
            self._send(acknowledgement, address)
            return

        def acknowledge() -> None:
            if datagram in self._recent:
                self._recent[datagram] = True
            self._send(acknowledgement, address)

        if not self._uplinks.submit(receptions, acknowledge):
            self.counts["overloaded"] += 1
            return
        gateway.frames += len(receptions)
        self._recent[datagram] = False
        if len(self._recent) > RECENT_MAX:
            self._recent.popitem(last=False)

    def _receptions(self, message: udp.PushData, gateway: Gateway) -> list[Reception]:
        found: list[Reception] = []
        for rxpk in message.rxpk:
            try:
                reception = udp.to_reception(rxpk, message.gateway, self._region, gateway.last_seen_us)
            except (GatewayError, UnknownError) as error:
                self._refuse("bad_rxpk", f"gateway {message.gateway:016x}: {error}")
                reception = None
            else:
                if reception is None:
                    self.counts[udp.not_received(rxpk)] += 1
            if reception is None:
                gateway.not_taken += 1
            else:
                found.append(reception)
        return found

    # -- down

    def _tx_ack(self, message: udp.TxAck, gateway: Gateway) -> None:
        result = message.result
        if self.outbox.answered(message.token, message.gateway, result) is None:
            return
        if message.warn:
            gateway.tx_warnings += 1
            self.counts["tx_warned"] += 1
        if result is TxResult.TX_POWER:
            gateway.power_down_db = min(gateway.power_down_db + 1, POWER_DOWN_MAX_DB)

    def transmit(self, transmission: Transmission) -> bool:
        """Orders a gateway to send; False where no downlink path to it is open."""
        now_us = self._now_us()
        self.outbox.expire(now_us)
        gateway, address = self.gateways.get(transmission.gateway), self._pulled.get(transmission.gateway)
        if gateway is None or address is None or not gateway.online(now_us):
            self.outbox.ended(transmission, TxResult.NO_PATH)
            return False
        self._token = self._token + 1 & 0xFFFF
        self.outbox.ordered(self._token, transmission, now_us + TX_ANSWER_US)
        txpk = udp.to_txpk(transmission, self._region, gateway.power_down_db)
        self._send(udp.encode_pull_resp(self._token, txpk), address)
        return True

    def _send(self, datagram: bytes, address: Address) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(datagram, address)
