"""One customer's day in minutes: complex power per phase from his uses, with chance, noise, his breaker and the sun.

A day is a UTC day of 1440 minutes; habits are local.  What happens on a day is drawn from (seed, index, day) alone, so
that days can be made in any order.  A use that reaches into the next day is drawn again there: a day has its own uses
and the rest of yesterday's.  Thermostat cycles run through from day to day.  Powers are whole mW and mvar: sums are exact.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from nyala.meter.chip import Floats
from nyala.meter.tariff import DAY_MINUTES
from nyala.sim.loads.customers import Customer
from nyala.sim.loads.solar import solar_w
from nyala.sim.loads.source import draws

NOISE: Final = 0.04
"""Each minute's power is off by up to this share."""
CYCLES_MAX: Final = 1024
"""Different thermostat cycles that are kept, about 1.5 kB each."""
REACH_MIN: Final = 2 * DAY_MINUTES
"""A use ends before this minute of the day on which it is drawn (`habits.csv` keeps to it)."""
_MONDAY_FIRST: Final = 3
"""1970-01-01 was the fourth day of its week."""

Minutes = NDArray[np.int32]
Complexes = NDArray[np.complex128]


class _Run(NamedTuple):
    """A use that happens: which, first and past-last minute from the start of its day, and how its cycle is off."""

    use: int
    first: int
    end: int
    wear_min: int


def day_class(local_day: int) -> int:
    """0 on working days, 1 on Saturdays, 2 on Sundays."""
    return max(0, (local_day + _MONDAY_FIRST) % 7 - 4)


@lru_cache(maxsize=CYCLES_MAX)
def _cycle(period_min: int, on_min: int) -> NDArray[np.bool_]:
    """On or off for a day and a period of minutes, beginning with on."""
    on: NDArray[np.bool_] = np.arange(DAY_MINUTES + period_min) % period_min < on_min
    return on


class Days:
    """The days of one customer; `offset_s` is whole minutes.

    The runs of the last day are kept: they are yesterday's when the next day is asked for.
    """

    def __init__(self, customer: Customer, seed: int, offset_s: int) -> None:
        self.customer, self.seed, self.offset_min = customer, seed, offset_s // 60
        uses = customer.uses
        self._spread = np.array([2 * use.jitter_min for use in uses], float)
        self._earliest = np.array([(use.start_min - use.jitter_min - self.offset_min) % DAY_MINUTES for use in uses], float)
        self._stretch = np.array([2 * use.duration_jitter_min for use in uses], float)
        self._shortest = np.array([use.duration_min - use.duration_jitter_min for use in uses], float)
        self._chance = np.array([use.chance for use in uses], float)
        self._local_day = ((self._earliest + self._spread / 2 + self.offset_min) // DAY_MINUTES).astype(np.int64)
        self._place = [slice(None) if use.phase is None else slice(use.phase, use.phase + 1) for use in uses]
        self._va = [use.va / (customer.phases if use.phase is None else 1) for use in uses]
        self._last: tuple[int, list[_Run]] = (-1, [])

    def minutes(self, day: int) -> tuple[Minutes, Minutes]:
        """Active and reactive power of a UTC day in mW and mvar, phases x 1440, import and inductive positive."""
        customer = self.customer
        yesterday = self._last[1] if self._last[0] == day - 1 else self._runs(day - 1, self._draws(day - 1))
        rng = self._draws(day)
        today = self._runs(day, rng)
        self._last = day, today
        power = np.zeros((customer.phases, DAY_MINUTES), np.complex128)
        for run in yesterday:
            if run.end > DAY_MINUTES:
                self._add(power, run, max(run.first - DAY_MINUTES, 0), run.end - DAY_MINUTES, day)
        for run in today:
            if run.first < DAY_MINUTES:
                self._add(power, run, run.first, min(run.end, DAY_MINUTES), day)
        power *= rng.random(DAY_MINUTES, np.float32) * (2 * NOISE) + (1 - NOISE)
        self._limit(power)
        if customer.solar is not None:
            given = solar_w(customer.solar, rng, self.offset_min) * complex(1, customer.solar.tan_phi)
            phase = customer.solar.phase
            power[slice(None) if phase is None else phase] -= given / (customer.phases if phase is None else 1)
        return _milli(power.real), _milli(power.imag)

    def _draws(self, day: int) -> Generator:
        # Day 0 still has a yesterday, and a last word of 0 would be the same as none.
        return draws(self.seed, self.customer.index, day + 1)

    def _runs(self, day: int, rng: Generator) -> list[_Run]:
        """What happens of the uses whose start is drawn on a day."""
        chance, shift, stretch, wear = rng.random((4, len(self.customer.uses)))
        classes = np.array([day_class(day + ahead) for ahead in range(-1, 3)])[self._local_day + 1]
        happens = np.flatnonzero(chance < self._chance[np.arange(len(classes)), classes])
        first = np.rint(self._earliest + self._spread * shift).astype(np.int64)
        end = first + np.rint(self._shortest + self._stretch * stretch).astype(np.int64)
        wear_min = np.rint(2 * wear - 1).astype(np.int64)
        return [_Run(*each) for each in np.stack([happens, first[happens], end[happens], wear_min[happens]], axis=1).tolist()]

    def _add(self, power: Complexes, run: _Run, begin: int, stop: int, day: int) -> None:
        """Adds what a run takes in the minutes [begin, stop) of a day."""
        use, va = self.customer.uses[run.use], self._va[run.use]
        place = power[self._place[run.use], begin:stop]
        if not use.period_min:
            place += va
            return
        ahead = (day * DAY_MINUTES + use.cycle_min) % use.period_min
        on_min = min(max(use.on_min + run.wear_min, 1), use.period_min)
        place += va * _cycle(use.period_min, on_min)[ahead + begin : ahead + stop]

    def _limit(self, power: Complexes) -> None:
        """Holds each phase at what the breaker lets through: people put things off before it trips."""
        square = power.real**2 + power.imag**2
        limit = self.customer.limit_va
        over = square > limit**2
        if over.any():
            power[over] *= limit / np.sqrt(square[over])


def _milli(values: Floats) -> Minutes:
    whole: Minutes = np.rint(values * 1000).astype(np.int32)
    return whole
