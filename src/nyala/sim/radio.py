"""The radio world: path loss, sensitivity, collisions with capture, half-duplex gateways, seeded loss.  Pure, seeded.

Path loss is log-distance with log-normal shadowing per link: 128.95 dB at 1 km, exponent 2.32, sigma 7.8 dB (measured at
868 MHz in Oulu: Petajajarvi et al., ITST 2015), plus the loss of the cabinet or building a meter stands in.  A frame is
heard where its SNR is above the demodulation floor of its spreading factor and every interferer on its frequency is weaker
by the capture threshold (Goursaud and Gorce 2015, as in the LoRaWAN module of ns-3).  Time on air is exact.

Not here yet: LBT, correlated shadowing, antenna heights, interference bursts.
"""

import math
from collections import defaultdict, deque
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nyala.lorawan.network.adr import SNR_FLOOR_DB

NOISE_DBM: Final = -174 + 10 * math.log10(125_000) + 6
"""Thermal noise in 125 kHz and a noise figure of 6 dB."""
PATH_LOSS_1KM_DB: Final = 128.95
PATH_LOSS_EXPONENT: Final = 2.32
SHADOWING_DB: Final = 7.8
BUILDING_LOSS_DB: Final = (5.0, 15.0)
TOWN_RADIUS_KM: Final = 1.0
DISTANCE_MIN_KM: Final = 0.02
DEMODULATORS: Final = 8
"""Frames that a gateway demodulates at a time (SX1301)."""
CAPTURE_DB: Final = (
    (6, -16, -18, -19, -19, -20),
    (-24, 6, -20, -22, -22, -22),
    (-27, -27, 6, -23, -25, -25),
    (-30, -30, -30, 6, -26, -28),
    (-33, -33, -33, -33, 6, -29),
    (-36, -36, -36, -36, -36, 6),
)
"""Rows: wanted SF7..12; columns: interferer SF7..12; the least signal-to-interference ratio in dB."""
MEMORY_US: Final = 10_000_000
"""Frames that ended longer ago than this can overlap nothing that still ends."""


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


@dataclass(frozen=True, slots=True)
class Heard:
    """How a receiver heard it."""

    rssi_dbm: float
    snr_db: float


class RadioWorld:
    """All links between meters and gateways, and what is on the air."""

    def __init__(self, meters: int, gateways: int, random: Random, *, loss: float = 0.0) -> None:
        self.loss = loss
        self.collisions = self.transmissions = self.airtime_us = 0
        self.path_loss_db = _links(meters, gateways, random)
        self._random = random
        self._by_frequency: dict[int, deque[OnAir]] = defaultdict(deque)
        self._gateway_sends: dict[int, deque[tuple[int, int]]] = defaultdict(deque)

    def begin(
        self, sender: int, phy: bytes, frequency_hz: int, rate: tuple[int, int], eirp_dbm: float, times_us: tuple[int, int]
    ) -> OnAir:
        """A transmission begins.  `rate` is (data rate, spreading factor), `times_us` its first and last instant."""
        start_us, end_us = times_us
        lost = self.loss > 0 and self._random.random() < self.loss
        frame = OnAir(sender, phy, frequency_hz, rate[1], rate[0], eirp_dbm, start_us, end_us, lost)
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

    def at_gateway(self, frame: OnAir, gateway: int) -> Heard | None:
        """How a gateway heard a meter's frame that has just ended, or None."""
        if frame.lost:
            return None
        loss_db = self.path_loss_db[gateway]
        heard = self._above_floor(frame, float(loss_db[frame.sender]))
        if heard is None:
            return None
        if any(start < frame.end_us and frame.start_us < end for start, end in self._gateway_sends[gateway]):
            return None
        interference: dict[int, float] = defaultdict(float)
        overlapping = 0
        for other in self._by_frequency[frame.frequency_hz]:
            if other is frame or other.end_us <= frame.start_us or other.start_us >= frame.end_us or other.sender < 0:
                continue
            overlapping += 1
            interference[other.sf] += 10 ** ((other.eirp_dbm - float(loss_db[other.sender])) / 10)
        row = CAPTURE_DB[frame.sf - 7]
        for sf, milliwatts in interference.items():
            if heard.rssi_dbm - 10 * math.log10(milliwatts) < row[sf - 7]:
                self.collisions += 1
                return None
        return None if overlapping >= DEMODULATORS else heard

    def at_meter(self, frame: OnAir, meter: int) -> Heard | None:
        """How a meter hears a gateway's frame, or None.  Gateways that send at once on one frequency disturb each other."""
        if frame.lost:
            return None
        heard = self._above_floor(frame, float(self.path_loss_db[~frame.sender, meter]))
        if heard is None:
            return None
        for other in self._by_frequency[frame.frequency_hz]:
            if other is frame or other.sender >= 0 or other.end_us <= frame.start_us or other.start_us >= frame.end_us:
                continue
            rival_dbm = other.eirp_dbm - float(self.path_loss_db[~other.sender, meter])
            if heard.rssi_dbm - rival_dbm < CAPTURE_DB[frame.sf - 7][other.sf - 7]:
                self.collisions += 1
                return None
        return heard

    def reachable(self, frame: OnAir) -> NDArray[np.intp]:
        """The meters above the floor of a gateway's frame."""
        snr_db = frame.eirp_dbm - self.path_loss_db[~frame.sender] - NOISE_DBM
        return np.flatnonzero(snr_db >= SNR_FLOOR_DB[frame.sf])

    @staticmethod
    def _above_floor(frame: OnAir, path_loss_db: float) -> Heard | None:
        rssi_dbm = frame.eirp_dbm - path_loss_db
        snr_db = rssi_dbm - NOISE_DBM
        return Heard(round(rssi_dbm, 1), round(min(snr_db, 12.0), 1)) if snr_db >= SNR_FLOOR_DB[frame.sf] else None


def _links(meters: int, gateways: int, random: Random) -> NDArray[np.float64]:
    """Path loss in dB, gateways x meters.  A meter whose best link would not carry SF10 is placed anew: an installer would."""
    limit_db = 16 - NOISE_DBM - SNR_FLOOR_DB[10] - 3
    ring_km = TOWN_RADIUS_KM / 2 if gateways > 1 else 0.0
    turns = [2 * math.pi * g / gateways for g in range(gateways)]
    towers = [(ring_km * math.cos(turn), ring_km * math.sin(turn)) for turn in turns]
    losses = np.empty((gateways, meters))
    for meter in range(meters):
        while True:
            radius, angle = TOWN_RADIUS_KM * math.sqrt(random.random()), 2 * math.pi * random.random()
            x, y = radius * math.cos(angle), radius * math.sin(angle)
            building_db = random.uniform(*BUILDING_LOSS_DB)
            for g, (tower_x, tower_y) in enumerate(towers):
                distance_km = max(math.hypot(x - tower_x, y - tower_y), DISTANCE_MIN_KM)
                loss_db = PATH_LOSS_1KM_DB + 10 * PATH_LOSS_EXPONENT * math.log10(distance_km)
                losses[g, meter] = loss_db + building_db + random.gauss(0, SHADOWING_DB)
            if losses[:, meter].min() <= limit_db:
                break
    return losses
