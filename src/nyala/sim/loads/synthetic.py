"""Synthetic customers as a load source, in both fidelities.

At 60 s each segment is measured as phasors: voltage from the mains, current and angle from the customer's power.  At
900 s the energy is the sum over the 15 minutes of the same powers, sorted into channels minute by minute.  Both come
from the same whole mW, so they agree to the mW-second; only a minute whose power stands on the creep threshold to the
mW may fall on either side of it.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from nyala.meter.chip import PHASES, Floats, Integers, Phasors, channel_powers, measure
from nyala.meter.model import MeterModel
from nyala.meter.tariff import DAY_MINUTES
from nyala.sim.loads.customers import make_customer
from nyala.sim.loads.days import Days, Minutes
from nyala.sim.loads.mains import Mains
from nyala.sim.loads.source import PHASOR_STEP_S, PROFILE_STEP_S, WIB_S, Segments, checked_models, checked_step, phase_mask
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S, day_of

DAYS_CACHED: Final = 2
"""Days kept: the one that runs and one before or after.  A day takes 12-35 kB per meter at 60 s, 8-11 kB at 900 s."""
ROWS_AT_ONCE: Final = 32
"""Customers whose minutes are sorted into channels together: 3 MB, which stays in the processor's cache."""
_QUARTER: Final = PROFILE_STEP_S // PHASOR_STEP_S
_QUARTERS: Final = DAY_S // PROFILE_STEP_S


@dataclass(frozen=True, slots=True, eq=False)
class _Day:
    """One UTC day.  Powers per step and connected phase (steps x connections); energy steps x n x 8 at 900 s, else None."""

    p: Minutes | Floats
    q: Minutes | Floats
    energy_mws: Integers | None


class SyntheticLoads:
    """Synthetic households, shops and factories behind the meters (`make_customer`)."""

    def __init__(self, models: Sequence[MeterModel], seed: int, step_s: int, *, offset_s: int = WIB_S) -> None:
        self.step_s = checked_step(step_s)
        self.models = checked_models(models)
        self.customers = tuple(make_customer(seed, index, model) for index, model in enumerate(self.models))
        self._days = [Days(customer, seed, offset_s) for customer in self.customers]
        self._mains = Mains(self.models, seed, offset_s=offset_s)
        self._no_load_w = np.array([model.no_load_w for model in self.models])
        mask = phase_mask(self.models)
        self._rows, self._phases = np.nonzero(mask)
        self._first = np.concatenate([[0], np.cumsum(mask.sum(axis=1))]).tolist()
        self._cache: OrderedDict[int, _Day] = OrderedDict()

    def segments(self, start_s: int) -> Segments:
        """The signal over [start_s, start_s + step_s)."""
        assert start_s % self.step_s == 0, "a segment starts at a multiple of the step"
        day = self._day(day_of(start_s))
        step = start_s % DAY_S // self.step_s
        middle_s = start_s + self.step_s // 2
        p_w, q_var = self._spread(day.p[step]), self._spread(day.q[step])
        u_v, f_hz = self._mains.u_v(middle_s), self._mains.f_hz(middle_s)
        if day.energy_mws is not None:
            return Segments(start_s + self.step_s, day.energy_mws[step], u_v, p_w, q_var, f_hz)
        i_a = np.divide(np.hypot(p_w, q_var), u_v, out=np.zeros_like(u_v), where=u_v > 0)
        powers = measure(Phasors(u_v, i_a, np.arctan2(q_var, p_w), f_hz), self._no_load_w)
        return Segments(start_s + self.step_s, powers.channel_mw * self.step_s, u_v, powers.p_w, powers.q_var, f_hz)

    def _spread(self, connections: Minutes | Floats) -> Floats:
        """Powers per connected phase in mW as W, n x 3."""
        spread = np.zeros((len(self.models), PHASES))
        spread[self._rows, self._phases] = connections / 1000
        return spread

    def _day(self, day: int) -> _Day:
        found = self._cache.get(day)
        if found is None:
            found = self._minutes(day) if self.step_s == PHASOR_STEP_S else self._quarters(day)
            self._cache[day] = found
            if len(self._cache) > DAYS_CACHED:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end(day)
        return found

    def _minutes(self, day: int) -> _Day:
        p = np.empty((DAY_MINUTES, self._first[-1]), np.int32)
        q = np.empty_like(p)
        for row, days in enumerate(self._days):
            place = slice(self._first[row], self._first[row + 1])
            active, reactive = days.minutes(day)
            p[:, place], q[:, place] = active.T, reactive.T
        return _Day(p, q, None)

    def _quarters(self, day: int) -> _Day:
        p = np.empty((_QUARTERS, self._first[-1]))
        q = np.empty_like(p)
        energy = np.empty((_QUARTERS, len(self.models), len(Channel)), np.int64)
        for start in range(0, len(self.models), ROWS_AT_ONCE):
            stop = min(start + ROWS_AT_ONCE, len(self.models))
            first, past = self._first[start], self._first[stop]
            customers = [days.minutes(day) for days in self._days[start:stop]]
            totals = []
            for part, means in enumerate((p, q)):
                minutes = np.concatenate([customer[part] for customer in customers])
                sums = minutes.reshape(-1, _QUARTERS, _QUARTER).sum(axis=2)
                means[:, first:past] = sums.T / _QUARTER
                totals.append(np.add.reduceat(minutes, np.array(self._first[start:stop]) - first, axis=0, dtype=np.int64))
            no_load_w = np.repeat(self._no_load_w[start:stop], DAY_MINUTES)
            powers = channel_powers(totals[0].ravel() / 1000, totals[1].ravel() / 1000, no_load_w)
            quarters = powers.reshape(-1, _QUARTERS, _QUARTER, len(Channel)).sum(axis=2)
            energy[:, start:stop] = quarters.transpose(1, 0, 2) * PHASOR_STEP_S
        return _Day(p, q, energy)
