"""The transmit plans of all gateways: which gateway sends a frame, when, with what power.  No device, no counter, no queue.

Among the gateways that hear a device within `MARGIN_DB` of the best, the one with the least airtime sends.  No frame is
planned on top of another of the same gateway, beyond the duty cycle of its sub-band, or where the law allows nothing; and on
one channel not at the same time as another gateway that would be in the way:

* without listening before talk, one that the same device hears within the capture threshold;
* with it, one that has heard an uplink in common and so, very likely, hears it: it would sense the other and stay silent.

A multicast group uses the same three steps for each of its gateways: `at_once` (or `in_window`), `place`, `told`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, count
from typing import Final, TypeVar

from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.network.air import GUARD_US, GatewayAir, Span
from nyala.lorawan.network.pending import Reply, Window
from nyala.lorawan.network.plan import NetworkPlan
from nyala.lorawan.network.port import Reception, Transmission, TxResult
from nyala.lorawan.network.sessions import HeardBy
from nyala.lorawan.regulation import SubBand
from nyala.vocab.errors import UnknownError
from nyala.vocab.time import US_PER_S

LEAD_US: Final = 80_000
"""A frame for a window must be ready this much before it: the commit, the backhaul and the gateway's own queue."""
MARGIN_DB: Final = 4.0
"""Gateways that hear a device so much worse than the best still share the load."""
CAPTURE_DB: Final = 6.0
"""A device hears the stronger of two frames where it is stronger by this (Goursaud; reference lorawan.md 8)."""
CHANNEL_HZ: Final = 200_000
"""Frames closer than this are on one channel."""
ANSWER_BYTES: Final = 24
"""A short answer: a header and eleven bytes."""
ANSWER_GAP_US: Final = 100_000
"""From the end of a frame that is answered at once to the beginning of its answer, at most: the module's own time."""
AVOID_US: Final = 30 * US_PER_S
"""How long a gateway without a path, or without an answer, is asked last."""
UNFIT_US: Final = 3_600 * US_PER_S
"""How long a power or a frequency that a gateway refused is not asked of it again."""
POWER_DROP_MAX_DB: Final = 4
"""A gateway that has no step for a power is asked for up to so much less."""
NEIGHBOURS_MAX: Final = 64
TMST_WRAP: Final = 1 << 32
UNSENT: Final = frozenset(TxResult) - {TxResult.OK, TxResult.NO_ANSWER}
"""Results after which a frame is certainly not on the air."""
Way = TypeVar("Way")


@dataclass(frozen=True, slots=True)
class Slot:
    """Where and when a frame can go."""

    gateway: int
    frequency_hz: int
    data_rate: int
    eirp_dbm: int
    start_us: int
    tmst_us: int | None = None
    delay_us: int | None = None
    context: bytes = b""


class Schedule:
    """All gateways."""

    def __init__(self, plan: NetworkPlan) -> None:
        self._plan = plan
        self._air: dict[int, GatewayAir] = {}
        self._neighbours: dict[int, set[int]] = defaultdict(set)
        self._numbers = count(1)

    def air(self, gateway: int) -> GatewayAir:
        """The plan of one gateway."""
        return self._air.setdefault(gateway, GatewayAir())

    def airtime_us(self, phy_bytes: int, data_rate: int) -> int:
        """Time on air of a downlink in microseconds."""
        row = self._plan.region.data_rate(data_rate)
        return airtime_us(phy_bytes, row.sf, row.bandwidth_khz, crc=False)

    def heard(self, receptions: Iterable[Reception]) -> None:
        """Learns which gateways are near each other, where the law makes them listen to each other."""
        if self._plan.regulation.lbt is None:
            return
        for one, other in combinations({reception.gateway: None for reception in receptions}, 2):
            for here, there in ((one, other), (other, one)):
                if len(self._neighbours[here]) < NEIGHBOURS_MAX:
                    self._neighbours[here].add(there)

    # -- finding a slot

    def in_window(self, reply: Reply, window: Window, phy_bytes: int, now_us: int) -> Slot | None:
        """A slot in a window of an uplink; None where no gateway is free in it, or no time is left."""
        length_us = self.airtime_us(phy_bytes, window.data_rate)
        ways = [(copy.gateway, copy.snr_db) for copy in reply.receptions]
        found: list[tuple[float, GatewayAir, Slot]] = []
        for copy in reply.receptions:
            start_us = copy.received_us + window.delay_us
            air, power = self._fit(copy.gateway, window.frequency_hz, now_us)
            if power is None or (copy.gateway, window.delay_us) in reply.tried or now_us + LEAD_US > start_us:
                continue
            band, eirp_dbm = power
            rivals = self._rivals(copy.gateway, copy.snr_db, ways, window.frequency_hz)
            if not air.is_free(start_us, length_us, rivals) or air.allowed(band, start_us, length_us) != start_us:
                continue
            tmst_us = (copy.tmst_us + window.delay_us) % TMST_WRAP
            where = window.frequency_hz, window.data_rate
            slot = Slot(copy.gateway, *where, eirp_dbm, start_us, tmst_us, window.delay_us, copy.context)
            found.append((copy.snr_db, air, slot))
        return _least_loaded(found, now_us)

    def at_once(
        self,
        ways: HeardBy,
        where: tuple[int, int],
        phy_bytes: int,
        now_us: int,
        tried: Sequence[int] = (),
        *,
        first: bool = False,
    ) -> Slot | None:
        """A slot now, or the place of this frame in the queue of the gateway that comes first; None: there is no gateway.

        `where` is (frequency in Hz, data rate).  A slot that is not now is not reserved: ask again at `start_us`.  `first`:
        it waits for what is on the air, and for nothing that waits itself.
        """
        length_us = self.airtime_us(phy_bytes, where[1])
        found: list[tuple[float, GatewayAir, Slot]] = []
        for gateway, snr_db in ways:
            air, power = self._fit(gateway, where[0], now_us)
            if power is None or gateway in tried:
                continue
            band, eirp_dbm = power
            allowed_us = air.allowed(band, max(now_us, air.listen_until_us), length_us)
            if allowed_us is None:
                continue
            start_us = air.earliest(allowed_us, length_us, self._rivals(gateway, snr_db, ways, where[0]))
            found.append((snr_db, air, Slot(gateway, *where, eirp_dbm, start_us)))
        best = _least_loaded([each for each in found if each[2].start_us <= now_us], now_us)
        if best is not None or not found:
            return best
        _, air, slot = min(found, key=lambda each: (max(each[2].start_us, 0 if first else each[1].queued_until_us), -each[0]))
        start_us = slot.start_us if first else max(slot.start_us, air.queued_until_us)
        air.queued_until_us = max(air.queued_until_us, start_us + length_us + GUARD_US)
        return Slot(slot.gateway, *where, slot.eirp_dbm, start_us)

    def listen(self, ways: HeardBy, over_us: int, data_rate: int) -> None:
        """A frame is on the air until an instant and answered at once: who hears the device is not to be deaf then."""
        until_us = over_us + ANSWER_GAP_US + self.airtime_us(ANSWER_BYTES, data_rate)
        for gateway, _ in ways:
            air = self.air(gateway)
            air.listen_until_us = max(air.listen_until_us, until_us)

    def _fit(self, gateway: int, frequency_hz: int, now_us: int) -> tuple[GatewayAir, tuple[SubBand, int] | None]:
        """The plan of a gateway, and the sub-band and power of what it may and can send on a frequency."""
        air = self.air(gateway)
        air.forget(now_us)
        try:
            band = self._plan.regulation.sub_band(frequency_hz)
        except UnknownError:
            return air, None
        if ("hz", frequency_hz) in air.unfit:
            return air, None
        most_dbm = min(band.max_eirp_dbm, self._plan.gateway_eirp_dbm)
        powers = range(most_dbm, most_dbm - POWER_DROP_MAX_DB - 1, -1)
        eirp_dbm = next((dbm for dbm in powers if ("dbm", dbm) not in air.unfit), None)
        return air, None if eirp_dbm is None else (band, eirp_dbm)

    def _rivals(self, gateway: int, snr_db: float, ways: Sequence[tuple[int, float]], frequency_hz: int) -> list[Span]:
        """What gateways in the way of this one have planned on a channel."""
        if self._plan.regulation.lbt is not None:
            near: Iterable[int] = self._neighbours[gateway]
        else:
            near = [other for other, heard_db in ways if other != gateway and heard_db > snr_db - CAPTURE_DB]
        return [span for other in near for span in self.air(other).spans(frequency_hz, CHANNEL_HZ)]

    # -- taking it

    def place(self, slot: Slot, phy: bytes, token: object = None, dev_eui: int = 0) -> Transmission:
        """Plans a frame in its slot."""
        band = self._plan.regulation.sub_band(slot.frequency_hz)
        length_us = self.airtime_us(len(phy), slot.data_rate)
        self.air(slot.gateway).reserve(slot.start_us, length_us, slot.frequency_hz, band)
        return Transmission(
            gateway=slot.gateway,
            phy=phy,
            frequency_hz=slot.frequency_hz,
            data_rate=slot.data_rate,
            eirp_dbm=slot.eirp_dbm,
            tmst_us=slot.tmst_us,
            start_us=slot.start_us,
            token=token,
            number=next(self._numbers),
            dev_eui=dev_eui,
            delay_us=slot.delay_us,
            context=slot.context,
        )

    def told(self, transmission: Transmission, result: TxResult, now_us: int) -> None:
        """What a gateway said of a frame: frees its time where it was not sent, and remembers what the gateway cannot do."""
        air = self.air(transmission.gateway)
        if result in UNSENT:
            length_us = self.airtime_us(len(transmission.phy), transmission.data_rate)
            band = self._plan.regulation.sub_band(transmission.frequency_hz)
            air.release(transmission.start_us, length_us, transmission.frequency_hz, band)
        match result:
            case TxResult.TX_POWER:
                air.unfit["dbm", transmission.eirp_dbm] = now_us + UNFIT_US
            case TxResult.TX_FREQ:
                air.unfit["hz", transmission.frequency_hz] = now_us + UNFIT_US
            case TxResult.NO_PATH | TxResult.NO_ANSWER:
                air.avoid_until_us = now_us + AVOID_US
            case _:
                pass


def _least_loaded(found: Sequence[tuple[float, GatewayAir, Slot]], now_us: int) -> Slot | None:
    """Of the slots (SNR in dB, plan, slot) whose gateway is within the margin of the best, that of the least loaded one."""
    answering = [each for each in found if each[1].avoid_until_us <= now_us] or list(found)
    if not answering:
        return None
    best_db = max(snr_db for snr_db, _, _ in answering)
    near = [each for each in answering if each[0] > best_db - MARGIN_DB]
    return min(near, key=lambda each: (each[1].load_us, -each[0], each[2].gateway))[2]
