"""What is lost beside the radio of the model: each frame by itself, or all of a burst (Gilbert 1960)."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from nyala.sim.read_rate.parity import Bools

BURST_HOURS: Final = 5


@dataclass(frozen=True, slots=True)
class Losses:
    """`rate` of the frames, in either direction; in bursts, whole hours of a meter, `BURST_HOURS` on average."""

    rate: float
    bursts: bool = False

    def hourly(self, meters: int, hours: int, seed: int) -> Bools:
        """Meters x hours: what is lost of one frame an hour."""
        numbers = np.random.default_rng(seed)
        draw = numbers.random((meters, hours), np.float32)
        lost: Bools = draw < self.rate
        if self.bursts:
            ends = 1 / BURST_HOURS
            for hour in range(1, hours):
                begins = ends * self.rate / (1 - self.rate)
                lost[:, hour] = np.where(lost[:, hour - 1], draw[:, hour] >= ends, draw[:, hour] < begins)
        return lost
