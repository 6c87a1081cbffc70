"""A simulated gateway: a concentrator in the radio world with a Semtech UDP packet forwarder behind it.

It says what a real forwarder says (`semtech_udp`), with the same faults: no retry of PUSH_DATA, a frame that is too late or
overlaps another is refused by TX_ACK, and an outage loses what comes.  It runs over any datagram transport.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from nyala.gateway import semtech_udp as udp
from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.network.port import Reception
from nyala.lorawan.region import Region
from nyala.sim.radio import Heard, OnAir
from nyala.vocab.errors import GatewayError, UnknownError
from nyala.vocab.time import US_PER_S

Address = tuple[str | Any, int]
KEEPALIVE_S: Final = 60.0
"""Often enough for the address translation of common routers."""
START_DELAY_US: Final = 2_000
"""From a frame's hand-over to its emission at once."""
PENDING_MAX: Final = 4_096
"""PUSH_DATA whose acknowledgement is awaited; older ones count as lost."""
TMST_WRAP: Final = 1 << 32

Emit = Callable[[int, bytes, int, int, float, int, int], None]


class PacketForwarder(asyncio.DatagramProtocol):
    """One gateway.  `emit(index, phy, frequency_hz, data_rate, eirp_dbm, start_us, end_us)` puts a frame on the air."""

    def __init__(
        self, index: int, eui: int, region: Region, loop: asyncio.AbstractEventLoop, now_us: Callable[[], int], emit: Emit
    ) -> None:
        self.index, self.eui, self.up = index, eui, True
        self.acknowledged: list[tuple[int, bytes]] = []
        """(gateway, PHYPayload) of every frame that the server said it has: what law 2 is checked with."""
        self._region, self._loop, self._now_us, self._emit = region, loop, now_us, emit
        self._transport: asyncio.DatagramTransport | None = None
        self._server: Address = ("", 0)
        self._token = 0
        self._pending: dict[int, list[bytes]] = {}
        self._planned: list[tuple[int, int]] = []
        self._keepalive: asyncio.TimerHandle | None = None

    # -- the link to the server

    def attach(self, server: Address) -> None:
        """Where the server is; the transport is there already.  Begins to keep the downlink path open."""
        self._server = server
        self._pull()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = transport  # type: ignore[assignment]

    def close(self) -> None:
        """Ends the link."""
        if self._keepalive is not None:
            self._keepalive.cancel()
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _pull(self) -> None:
        if self.up:
            self._send(udp.encode_pull_data(self._next_token(), self.eui))
        self._keepalive = self._loop.call_later(KEEPALIVE_S, self._pull)

    def _next_token(self) -> int:
        self._token = self._token + 1 & 0xFFFF
        return self._token

    def _send(self, datagram: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(datagram, self._server)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """A datagram of the server."""
        if not self.up or addr[1] != self._server[1]:
            return
        try:
            message = udp.decode_from_server(data)
        except GatewayError:
            return
        match message:
            case udp.Ack(kind=udp.Kind.PUSH_ACK, token=token):
                self.acknowledged += [(self.eui, phy) for phy in self._pending.pop(token, ())]
            case udp.PullResp():
                error = self._plan(message.txpk)
                self._send(udp.encode_tx_ack(message.token, self.eui, error))
            case _:
                pass

    # -- the concentrator

    def power(self, *, up: bool) -> None:
        """The gateway fails or comes back."""
        self.up = up
        self._pending.clear()
        self._planned.clear()

    def heard(self, frame: OnAir, how: Heard) -> None:
        """A frame was demodulated: passes it on."""
        if not self.up:
            return
        reception = Reception(
            gateway=self.eui,
            phy=frame.phy,
            received_us=frame.end_us,
            frequency_hz=frame.frequency_hz,
            data_rate=frame.data_rate,
            rssi_dbm=how.rssi_dbm,
            snr_db=how.snr_db,
            tmst_us=frame.end_us % TMST_WRAP,
        )
        token = self._next_token()
        while len(self._pending) >= PENDING_MAX:
            del self._pending[next(iter(self._pending))]
        self._pending[token] = [frame.phy]
        self._send(udp.encode_push_data(token, self.eui, [udp.to_rxpk(reception, self._region)]))

    def _plan(self, txpk: udp.TxPk) -> str:
        """Plans an order to send; answers the error of TX_ACK."""
        now_us = self._now_us()
        try:
            phy, rate = udp.payload_bytes(txpk.data), self._region.data_rate_of(txpk.datr)
        except (GatewayError, UnknownError):
            return "TX_FREQ"
        if txpk.imme or txpk.tmst is None:
            start_us = now_us + START_DELAY_US
        else:
            ahead_us = (txpk.tmst - now_us) % TMST_WRAP
            if ahead_us > TMST_WRAP // 2:
                return "TOO_LATE"
            start_us = now_us + ahead_us
        end_us = start_us + airtime_us(len(phy), rate.sf, rate.bandwidth_khz, crc=False)
        self._planned = [(start, end) for start, end in self._planned if end > now_us]
        if any(start < end_us and start_us < end for start, end in self._planned):
            return "COLLISION_PACKET"
        self._planned.append((start_us, end_us))
        order = (phy, round(txpk.freq * 1e6), rate.index, float(txpk.powe), start_us, end_us)
        self._loop.call_later((start_us - now_us) / US_PER_S, self._start, order)
        return "NONE"

    def _start(self, order: tuple[bytes, int, int, float, int, int]) -> None:
        if self.up:
            self._emit(self.index, *order)
