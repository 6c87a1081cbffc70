"""Bursts of interference on a frequency: a Poisson process that can be asked for any span, in any order.  Seeded.

Each frequency and hour has a generator of its own, so that what is asked changes nothing of what is there.
"""

from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Final

from nyala.sim.radio.profile import Bursts
from nyala.vocab.time import US_PER_S

HOUR_US: Final = 3_600 * US_PER_S
HOURS_KEPT: Final = 256
"""Frequency-hours whose bursts are remembered: some hours of sixteen channels."""
LENGTHS_MAX: Final = 20
"""A burst is cut at so many mean lengths (e^-20 of them are longer), so that a span knows how far to look back."""


class Interference:
    """The bursts of one world; none without `bursts`."""

    def __init__(self, bursts: Bursts | None, seed: int) -> None:
        self.bursts = bursts
        self.milliwatts = 0.0 if bursts is None else 10 ** (bursts.level_dbm / 10)
        self._seed = seed
        self._hour = lru_cache(HOURS_KEPT)(self._draw)

    def _draw(self, frequency_hz: int, hour: int) -> tuple[tuple[int, int], ...]:
        assert self.bursts is not None
        dice = Random(f"{self._seed} bursts {frequency_hz} {hour}")
        found: list[tuple[int, int]] = []
        at_us = 0.0
        mean_gap_us = HOUR_US / self.bursts.per_hour
        while True:
            at_us += dice.expovariate(1 / mean_gap_us)
            if at_us >= HOUR_US:
                return tuple(found)
            length_us = min(dice.expovariate(1 / self.bursts.mean_us), LENGTHS_MAX * self.bursts.mean_us)
            start_us = hour * HOUR_US + int(at_us)
            found.append((start_us, start_us + max(int(length_us), 1)))

    def during(self, frequency_hz: int, from_us: int, to_us: int) -> Iterator[tuple[int, int]]:
        """(start, end) of the bursts that overlap a span, in order of their beginning."""
        if self.bursts is None or not self.bursts.per_hour:
            return
        for hour in range((from_us - LENGTHS_MAX * self.bursts.mean_us) // HOUR_US, to_us // HOUR_US + 1):
            for start_us, end_us in self._hour(frequency_hz, hour):
                if start_us < to_us and from_us < end_us:
                    yield start_us, end_us

    def power_mw(self, frequency_hz: int, from_us: int, to_us: int) -> float:
        """Sum of the bursts that overlap a span, in milliwatts at any receiver."""
        return self.milliwatts * sum(1 for _ in self.during(frequency_hz, from_us, to_us))
