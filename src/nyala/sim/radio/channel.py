"""The air of the simulated world: who sends when, and who hears it.  Pure, seeded; instants in microseconds.

A gateway hears a frame that is above the floor of its spreading factor, while it does not itself send, with a demodulator
free, stronger than the interferers on its frequency by the capture matrix, and above the noise of bursts by the floor.
Interferers of one spreading factor add up.  Downlinks are inverted (IQ): they disturb only downlinks, uplinks only uplinks.
What disturbs is counted for the whole frame except the first symbols of the preamble, which a receiver can do without.
"""

import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nyala.lorawan.airtime import symbol_us
from nyala.lorawan.network.adr import SNR_FLOOR_DB
from nyala.lorawan.region import DataRate
from nyala.sim.radio.fate import Fate
from nyala.sim.radio.interference import Interference
from nyala.sim.radio.links import Links
from nyala.sim.radio.profile import DEFAULT_PROFILE, SF_FIRST, RadioProfile, capture_matrix, noise_dbm, radio_profile

MEMORY_US: Final = 10_000_000
"""Frames that ended longer ago than this can overlap nothing that still ends."""
SNR_MAX_DB: Final = 12.0
"""More than this a receiver does not tell (SX1276: the estimate saturates)."""


@dataclass(frozen=True, slots=True)
class OnAir:
    """One transmission.  `sender` is a meter's row, or ~index of a gateway."""

    sender: int
    phy: bytes
    frequency_hz: int
    sf: int
    data_rate: int
    eirp_dbm: float
    start_us: int
    end_us: int
    lost: bool
    """Lost at all receivers, by the draw of the run's loss."""
    bandwidth_khz: int = 125
    turned_away: int = 0
    """Bit g: gateway g had no demodulator free when it began."""


@dataclass(frozen=True, slots=True)
class Heard:
    """How a receiver heard it."""

    rssi_dbm: float
    snr_db: float


class RadioWorld:
    """All links between meters and gateways, and what is on the air."""

    def __init__(
        self, meters: int, gateways: int, random: Random, *, loss: float = 0.0, profile: RadioProfile | None = None
    ) -> None:
        self.profile = profile or radio_profile(DEFAULT_PROFILE)
        self.loss = loss
        self.counts: Counter[str] = Counter()
        """Fates of uplinks at gateways by name, and `downlink_collided`."""
        self.transmissions = self.airtime_us = 0
        self.links = Links(self.profile, meters, gateways, random)
        self.interference = Interference(self.profile.bursts, random.randrange(1 << 64))
        self._capture = capture_matrix(self.profile.capture)
        self._random = random
        self._by_frequency: dict[int, deque[OnAir]] = defaultdict(deque)
        self._gateway_sends: dict[int, deque[tuple[int, int]]] = defaultdict(deque)
        self._paths: list[list[int]] = [[] for _ in range(gateways)]
        """For each gateway when its busy demodulators come free."""

    # -- sending

    def begin(
        self, sender: int, phy: bytes, frequency_hz: int, rate: DataRate, eirp_dbm: float, times_us: tuple[int, int]
    ) -> OnAir:
        """A transmission begins.  `times_us`: its first and last instant; transmissions come in the order of the first."""
        start_us, end_us = times_us
        lost = self.loss > 0 and self._random.random() < self.loss
        away = self._take_paths(sender, rate, eirp_dbm, times_us) if sender >= 0 else 0
        frame = OnAir(
            sender, phy, frequency_hz, rate.sf, rate.index, eirp_dbm, start_us, end_us, lost, rate.bandwidth_khz, away
        )
        on_air = self._by_frequency[frequency_hz]
        while on_air and on_air[0].end_us + MEMORY_US < start_us:
            on_air.popleft()
        on_air.append(frame)
        self.transmissions += 1
        self.airtime_us += end_us - start_us
        if sender < 0:
            sends = self._gateway_sends[~sender]
            while sends and sends[0][1] + MEMORY_US < start_us:
                sends.popleft()
            sends.append((start_us, end_us))
        return frame

    def _take_paths(self, meter: int, rate: DataRate, eirp_dbm: float, times_us: tuple[int, int]) -> int:
        """Occupies a demodulator of each gateway in reach; answers the gateways that had none, as bits."""
        away, floor_dbm = 0, self.profile.gateway_floor_dbm(rate.sf, rate.bandwidth_khz)
        for gateway, paths in enumerate(self._paths):
            if eirp_dbm - self.links.loss_db[gateway, meter] < floor_dbm:
                continue
            paths[:] = [end_us for end_us in paths if end_us > times_us[0]]
            if len(paths) < self.profile.demodulators:
                paths.append(times_us[1])
            else:
                away |= 1 << gateway
        return away

    # -- hearing

    def at_gateway(self, frame: OnAir, gateway: int) -> Heard | None:
        """How a gateway heard a meter's frame that has just ended, or None."""
        if frame.lost:
            return None
        rssi_dbm = frame.eirp_dbm - float(self.links.loss_db[gateway, frame.sender])
        noise = noise_dbm(self.profile.gateway_noise_figure_db, frame.bandwidth_khz)
        noise_mw = self.interference.power_mw(frame.frequency_hz, self._critical_us(frame), frame.end_us)
        if noise_mw:
            noise = 10 * math.log10(10 ** (noise / 10) + noise_mw)
        fate = self._fate(frame, gateway, rssi_dbm, rssi_dbm - noise)
        self.counts[fate.name.lower()] += 1
        return _heard(rssi_dbm, rssi_dbm - noise) if fate is Fate.HEARD else None

    def _fate(self, frame: OnAir, gateway: int, rssi_dbm: float, snr_db: float) -> Fate:
        critical_us = self._critical_us(frame)
        if rssi_dbm < self.profile.gateway_floor_dbm(frame.sf, frame.bandwidth_khz):
            return Fate.FAINT
        if any(start < frame.end_us and critical_us < end for start, end in self._gateway_sends[gateway]):
            return Fate.DEAF
        if frame.turned_away >> gateway & 1:
            return Fate.NO_PATH
        loss_db = self.links.loss_db[gateway]
        rivals = ((other.sf, other.eirp_dbm - float(loss_db[other.sender])) for other in self._rivals(frame, uplink=True))
        if not self._survives(frame.sf, rssi_dbm, rivals):
            return Fate.COLLIDED
        return Fate.HEARD if snr_db >= SNR_FLOOR_DB[frame.sf] else Fate.DISTURBED

    def at_meter(self, frame: OnAir, meter: int) -> Heard | None:
        """How a meter hears a gateway's frame, or None."""
        if frame.lost:
            return None
        rssi_dbm = frame.eirp_dbm - float(self.links.loss_db[~frame.sender, meter])
        if rssi_dbm < self.profile.meter_floor_dbm(frame.sf, frame.bandwidth_khz):
            return None
        rivals = (
            (other.sf, other.eirp_dbm - float(self.links.loss_db[~other.sender, meter]))
            for other in self._rivals(frame, uplink=False)
        )
        if not self._survives(frame.sf, rssi_dbm, rivals):
            self.counts["downlink_collided"] += 1
            return None
        noise_mw = 10 ** (noise_dbm(self.profile.meter_noise_figure_db, frame.bandwidth_khz) / 10)
        noise_mw += self.interference.power_mw(frame.frequency_hz, self._critical_us(frame), frame.end_us)
        snr_db = rssi_dbm - 10 * math.log10(noise_mw)
        return _heard(rssi_dbm, snr_db) if snr_db >= SNR_FLOOR_DB[frame.sf] else None

    def reachable(self, frame: OnAir) -> NDArray[np.intp]:
        """The meters above the floor of a gateway's frame."""
        rssi_dbm = frame.eirp_dbm - self.links.loss_db[~frame.sender]
        return np.flatnonzero(rssi_dbm >= self.profile.meter_floor_dbm(frame.sf, frame.bandwidth_khz))

    def _critical_us(self, frame: OnAir) -> int:
        """From here on a frame can be disturbed."""
        return frame.start_us + self.profile.early_symbols * symbol_us(frame.sf, frame.bandwidth_khz)

    def _rivals(self, frame: OnAir, *, uplink: bool) -> Iterator[OnAir]:
        """The other frames of a direction that overlap the part of a frame that matters."""
        critical_us = self._critical_us(frame)
        for other in self._by_frequency[frame.frequency_hz]:
            overlaps = other.start_us < frame.end_us and critical_us < other.end_us
            if overlaps and (other.sender >= 0) == uplink and other is not frame:
                yield other

    def _survives(self, sf: int, rssi_dbm: float, rivals: Iterator[tuple[int, float]]) -> bool:
        milliwatts: dict[int, float] = defaultdict(float)
        for rival_sf, rival_dbm in rivals:
            milliwatts[rival_sf] += 10 ** (rival_dbm / 10)
        row = self._capture[sf - SF_FIRST]
        return all(rssi_dbm - 10 * math.log10(mw) >= row[rival_sf - SF_FIRST] for rival_sf, mw in milliwatts.items())

    # -- listening before talking

    def power_dbm_at_meter(self, meter: int, frequency_hz: int, from_us: int, to_us: int) -> float:
        """The most that a meter may have sensed on a frequency in a span, with its own noise.  Hidden nodes stay hidden."""
        return self._power_dbm(meter, frequency_hz, (from_us, to_us), self.profile.meter_noise_figure_db)

    def power_dbm_at_gateway(self, gateway: int, frequency_hz: int, from_us: int, to_us: int) -> float:
        """The same for a gateway.  Other gateways are not heard: their antennas stand too far apart to have a link here."""
        return self._power_dbm(~gateway, frequency_hz, (from_us, to_us), self.profile.gateway_noise_figure_db)

    def _power_dbm(self, listener: int, frequency_hz: int, span_us: tuple[int, int], figure_db: float) -> float:
        from_us, to_us = span_us
        total_mw = 10 ** (noise_dbm(figure_db, 125) / 10) + self.interference.power_mw(frequency_hz, from_us, to_us)
        for other in self._by_frequency[frequency_hz]:
            if other.start_us < to_us and from_us < other.end_us and other.sender != listener:
                loss_db = self._loss_db(listener, other.sender)
                total_mw += 10 ** ((other.eirp_dbm - loss_db) / 10)
        return 10 * math.log10(total_mw)

    def _loss_db(self, one: int, other: int) -> float:
        if one >= 0 and other >= 0:
            return self.links.between_meters_db(one, other)
        if one < 0 and other < 0:
            return math.inf
        return float(self.links.loss_db[~min(one, other), max(one, other)])


def _heard(rssi_dbm: float, snr_db: float) -> Heard:
    return Heard(round(rssi_dbm, 1), round(min(snr_db, SNR_MAX_DB), 1))
