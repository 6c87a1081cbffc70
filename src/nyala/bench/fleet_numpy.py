"""The fleet's second in plain vectorised NumPy: the baseline of `nyala bench fleet`, and the oracle of its test.

The same arithmetic as `nyala.meter.fleet`: whole mW-seconds into 32 counters per meter, and eight debounced alarms.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nyala.meter.alarms import HIGH, LOADED, PRESENT, SOME
from nyala.meter.model import MeterModel
from nyala.meter.state import CHANNELS, OVER_POWER_PERCENT
from nyala.vocab.alarms import Alarm, alarm_table

JUDGED: Final = (
    Alarm.NEUTRAL_DISTURBANCE,
    Alarm.CURRENT_UNBALANCE,
    Alarm.CT_OPEN,
    Alarm.CURRENT_REVERSE,
    Alarm.LOW_POWER_FACTOR,
    Alarm.OVER_CURRENT,
    Alarm.VOLTAGE_UNBALANCE,
    Alarm.OVER_POWER,
)


class NumpyFleet:
    """n three-phase meters of one model."""

    def __init__(self, model: MeterModel, count: int) -> None:
        self.model = model
        self.energy_mws = np.zeros((4, CHANNELS, count), np.int64)
        self.alarms = np.zeros((len(JUDGED), count), bool)
        self.held_s = np.zeros((len(JUDGED), count), np.int32)

    def second(self, u_v: Any, active_a: Any, lagging_a: Any) -> None:
        """One second of phasors, 3 x n each, as `Fleet.second`."""
        p_w = u_v.astype(float) * active_a
        q_var = u_v.astype(float) * lagging_a
        p_mws, q_mvars = np.rint(p_w * 1000).astype(np.int64), np.rint(q_var * 1000).astype(np.int64)
        idle = self.model.no_load_w * 1000
        self._count(0, p_mws.sum(axis=0), q_mvars.sum(axis=0), idle)
        for phase in range(3):
            self._count(1 + phase, p_mws[phase], q_mvars[phase], idle / 3)
        self._judge(u_v.astype(float), np.hypot(active_a.astype(float), lagging_a), p_w, q_var)

    def _count(self, group: int, p: NDArray[np.int64], q: NDArray[np.int64], idle: float) -> None:
        p, q = np.where(np.abs(p) < idle, 0, p), np.where(np.abs(q) < idle, 0, q)
        apparent = np.rint(np.sqrt(p.astype(float) ** 2 + q.astype(float) ** 2)).astype(np.int64)
        importing, inductive = p >= 0, q >= 0
        into = self.energy_mws[group]
        into[0] += np.where(importing, p, 0)
        into[1] += np.where(importing, 0, -p)
        into[2] += np.where(importing & inductive, q, 0)
        into[3] += np.where(~importing & inductive, q, 0)
        into[4] += np.where(~importing & ~inductive, -q, 0)
        into[5] += np.where(importing & ~inductive, -q, 0)
        into[6] += np.where(importing, apparent, 0)
        into[7] += np.where(importing, 0, apparent)

    def _judge(self, u_v: Any, i_a: Any, p_w: Any, q_var: Any) -> None:
        for place, (alarm, figure) in enumerate(zip(JUDGED, self._figures(u_v, i_a, p_w, q_var), strict=True)):
            row = alarm_table()[alarm]
            active = self.alarms[place]
            over = (figure < row.on) if row.on < row.off else (figure >= row.on)
            under = (figure > row.off) if row.on < row.off else (figure <= row.off)
            wants = np.where(active, under, over)
            self.held_s[place] = np.where(wants, self.held_s[place] + 1, 0)
            flips = self.held_s[place] >= np.where(active, row.off_delay_s, row.on_delay_s)
            flips &= wants
            active ^= flips
            self.held_s[place][flips] = 0

    def _figures(self, u_v: Any, i_a: Any, p_w: Any, q_var: Any) -> tuple[Any, ...]:
        model = self.model
        nominal_v, basic_a = model.nominal_voltage_v, model.basic_current_a
        u_high, u_low, i_high, i_low = u_v.max(axis=0), u_v.min(axis=0), i_a.max(axis=0), i_a.min(axis=0)
        total_w, total_var = p_w.sum(axis=0), q_var.sum(axis=0)
        apparent = np.sqrt(total_w**2 + total_var**2)
        reference_w = basic_a * nominal_v
        still = (i_a < model.starting_current_a) & (u_v > PRESENT * nominal_v)
        maximum_w = 3 * nominal_v * model.maximum_current_a * OVER_POWER_PERCENT / 100
        with np.errstate(invalid="ignore", divide="ignore"):
            return (
                np.where(u_high > HIGH * nominal_v, 100.0, 0.0),
                np.where(i_high > LOADED * basic_a, 100 * (i_high - i_low) / i_high, 0.0),
                np.where(i_high > SOME * basic_a, still.sum(axis=0), 0),
                np.where(total_w >= 0, np.maximum(-100 * p_w.min(axis=0) / reference_w, 0), 0.0),
                np.where(apparent > LOADED * reference_w * 3, np.abs(total_w) / apparent, 1.0),
                100 * i_high / model.maximum_current_a,
                np.where(u_high > 0, 100 * (u_high - u_low) / u_high, 0.0),
                100 * total_w / maximum_w,
            )
