"""A simulated gateway: a concentrator in the radio world with a Semtech UDP packet forwarder behind it.

It says what a real forwarder says (`semtech_udp`), with the same faults: no retry of PUSH_DATA, a frame that is too late or
overlaps another is refused by TX_ACK, and an outage loses what comes.  It has no GPS.  It runs over any datagram transport.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
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
LATE_US: Final = 32_500
"""A frame for an instant nearer than this is too late (forwarder 4.0.1: start delay, margin and a turn of its queue)."""
EARLY_US: Final = 512 * US_PER_S
"""A frame for an instant further than this is too early; so is one for the past, because its counter wraps."""
QUEUE_MAX: Final = 32
"""Frames that wait to be sent; one more is refused as a collision."""
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
        self.counts: Counter[str] = Counter()
        """What its `stat` tells: rxok, rxfw, acked, dwnb, txnb."""
        self._token = 0
        self._pending: dict[int, list[bytes]] = {}
        self._planned: list[tuple[int, int]] = []
        self._keepalive: asyncio.TimerHandle | None = None
        self._stat: asyncio.TimerHandle | None = None

    # -- the link to the server

    def attach(self, server: Address, stat_s: float = 0.0) -> None:
        """Where the server is; the transport is there already.  Begins to keep the downlink path open.

        `stat_s`: how often it tells its counters; 0: never.
        """
        self._server = server
        self._pull()
        if stat_s:
            self._tell_counters(stat_s)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = transport  # type: ignore[assignment]

    @property
    def peer(self) -> Address:
        """The other end of a connected socket."""
        assert self._transport is not None
        address: Address = self._transport.get_extra_info("peername")
        return address

    def close(self) -> None:
        """Ends the link."""
        for timer in (self._keepalive, self._stat):
            if timer is not None:
                timer.cancel()
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _pull(self) -> None:
        if self.up:
            self._send(udp.encode_pull_data(self._next_token(), self.eui))
        self._keepalive = self._loop.call_later(KEEPALIVE_S, self._pull)

    def _tell_counters(self, every_s: float) -> None:
        if self.up:
            counts = self.counts
            time = datetime.fromtimestamp(self._now_us() // US_PER_S, UTC).strftime("%Y-%m-%d %H:%M:%S GMT")
            rates = round(100 * counts["acked"] / max(counts["pushed"], 1), 1)
            stat = udp.Stat(time, counts["rxok"], counts["rxok"], counts["rxfw"], rates, counts["dwnb"], counts["txnb"])
            self._send(udp.encode_push_data(self._next_token(), self.eui, [], stat))
        self._stat = self._loop.call_later(every_s, self._tell_counters, every_s)

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
                frames = self._pending.pop(token, [])
                self.counts["acked"] += bool(frames)
                self.acknowledged += [(self.eui, phy) for phy in frames]
            case udp.PullResp():
                error = self._plan(message.txpk)
                self.counts["dwnb"] += 1
                self.counts[f"tx_{error.lower()}"] += 1
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
        self.counts.update(("rxok", "rxfw", "pushed"))
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
        if txpk.imme:
            start_us = now_us + START_DELAY_US
        elif txpk.tmst is None:
            return "GPS_UNLOCKED"
        else:
            ahead_us = (txpk.tmst - now_us) % TMST_WRAP
            if ahead_us > EARLY_US or ahead_us < LATE_US:
                return "TOO_EARLY" if ahead_us > EARLY_US else "TOO_LATE"
            start_us = now_us + ahead_us
        end_us = start_us + airtime_us(len(phy), rate.sf, rate.bandwidth_khz, crc=not txpk.ncrc)
        self._planned = [(start, end) for start, end in self._planned if end > now_us]
        if len(self._planned) >= QUEUE_MAX or any(start < end_us and start_us < end for start, end in self._planned):
            return "COLLISION_PACKET"
        self._planned.append((start_us, end_us))
        order = (phy, round(txpk.freq * 1e6), rate.index, float(txpk.powe), start_us, end_us)
        self._loop.call_later((start_us - now_us) / US_PER_S, self._start, order)
        return "NONE"

    def _start(self, order: tuple[bytes, int, int, float, int, int]) -> None:
        if self.up:
            self.counts["txnb"] += 1
            self._emit(self.index, *order)
