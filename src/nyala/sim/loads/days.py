"""One customer's day in minutes: complex power per phase from his uses, with chance, noise, his breaker and the sun.

A day is a UTC day of 1440 minutes; habits are local.  A use that reaches over the end of the UTC day goes on at its
beginning: each day is a ring, drawn alone from (seed, index, day), so that days can be made in any order.  Thermostat
cycles run through from day to day.  Powers are whole mW and mvar: sums are exact and the same everywhere.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nyala.meter.tariff import DAY_MINUTES
from nyala.sim.loads.customers import Customer
from nyala.sim.loads.solar import solar_w
from nyala.sim.loads.source import draws

NOISE: Final = 0.04
"""Each minute's power is off by up to this share."""
CYCLES_MAX: Final = 1024
"""Different thermostat cycles that are kept, about 1.5 kB each."""
_MONDAY_FIRST: Final = 3
"""1970-01-01 was the fourth day of its week."""

Minutes = NDArray[np.int32]
Complexes = NDArray[np.complex128]


def day_class(local_day: int) -> int:
    """0 on working days, 1 on Saturdays, 2 on Sundays."""
    return max(0, (local_day + _MONDAY_FIRST) % 7 - 4)


@lru_cache(maxsize=CYCLES_MAX)
def _cycle(period_min: int, on_min: int) -> NDArray[np.bool_]:
    """On or off for a day and a period of minutes, beginning with on."""
    on: NDArray[np.bool_] = np.arange(DAY_MINUTES + period_min) % period_min < on_min
    return on


class Days:
    """The days of one customer."""

    def __init__(self, customer: Customer, seed: int, offset_s: int) -> None:
        self.customer, self.seed, self.offset_min = customer, seed, offset_s // 60
        uses = customer.uses
        self._start = np.array([(use.start_min - self.offset_min) % DAY_MINUTES for use in uses], float)
        self._jitter = np.array([use.jitter_min for use in uses], float)
        self._duration = np.array([use.duration_min for use in uses], float)
        self._duration_jitter = np.array([use.duration_jitter_min for use in uses], float)
        self._chance = np.array([use.chance for use in uses], float)
        self._later = ((self._start + self.offset_min) // DAY_MINUTES).astype(np.int64)
        self._place = [slice(None) if use.phase is None else slice(use.phase, use.phase + 1) for use in uses]
        self._va = [use.va / (customer.phases if use.phase is None else 1) for use in uses]

    def minutes(self, day: int) -> tuple[Minutes, Minutes]:
        """Active and reactive power of a UTC day in mW and mvar, phases x 1440, import and inductive positive."""
        customer = self.customer
        rng = draws(self.seed, customer.index, day)
        chance, shift, stretch, wear = rng.random((4, len(customer.uses)))
        noise = rng.random(DAY_MINUTES, np.float32) * (2 * NOISE) + (1 - NOISE)
        classes = np.array([day_class(day + later) for later in (-1, 0, 1)])[self._later + 1]
        happens = chance < self._chance[np.arange(len(classes)), classes]
        first = np.rint(self._start + self._jitter * (2 * shift - 1)).astype(np.int64) % DAY_MINUTES
        length = np.rint(self._duration + self._duration_jitter * (2 * stretch - 1)).astype(np.int64)
        power = np.zeros((customer.phases, DAY_MINUTES), np.complex128)
        for k in np.flatnonzero(happens).tolist():
            self._run(power[self._place[k]], k, int(first[k]), min(int(length[k]), DAY_MINUTES), day, round(2 * wear[k] - 1))
        power *= noise
        self._limit(power)
        if customer.solar is not None:
            given = solar_w(customer.solar, rng, self.offset_min) * complex(1, customer.solar.tan_phi)
            place = customer.solar.phase
            power[slice(None) if place is None else place] -= given / (customer.phases if place is None else 1)
        return _milli(power.real), _milli(power.imag)

    def _run(self, power: Complexes, k: int, first: int, length: int, day: int, wear_min: int) -> None:
        """Adds use k from minute `first` on, over the end of the ring if need be."""
        use, va = self.customer.uses[k], self._va[k]
        end = first + length
        parts = ((first, min(end, DAY_MINUTES)), (0, end - DAY_MINUTES))
        if not use.period_min:
            for begin, stop in parts:
                if begin < stop:
                    power[:, begin:stop] += va
            return
        ahead = (day * DAY_MINUTES + use.cycle_min) % use.period_min
        on = _cycle(use.period_min, min(max(use.on_min + wear_min, 1), use.period_min))[ahead:]
        for begin, stop in parts:
            if begin < stop:
                power[:, begin:stop] += va * on[begin:stop]

    def _limit(self, power: Complexes) -> None:
        """Holds each phase at what the breaker lets through: people put things off before it trips."""
        square = power.real**2 + power.imag**2
        limit = self.customer.limit_va
        over = square > limit**2
        if over.any():
            power[over] *= limit / np.sqrt(square[over])


def _milli(values: NDArray[np.float64]) -> Minutes:
    whole: Minutes = np.rint(values * 1000).astype(np.int32)
    return whole
