"""Alarms of a meter: one figure for each row of the alarm table, compared with its thresholds, held for its delays.

A figure is what an alarm looks at, in the unit of the table's description.  A condition that is not to be judged now
(no current, no voltage) has a figure that is right; one that is to stay as it is has NaN, which no threshold compares to.
The condition is constant over a segment, so the instant at which a delay ends is exact whatever the steps.

Not here: what an alarm leads to (log, LED, LCD, telegram).
"""

import numpy as np
from numpy.typing import NDArray

from nyala.meter.state import ALARMS, State
from nyala.vocab.alarms import Alarm
from nyala.vocab.jit import kernel

Three = tuple[float, float, float]
Around = tuple[float, float, float, float, float]
Ratings = tuple[float, float, float, float, float, float]
ELECTRICAL = int(Alarm.NEUTRAL_DISTURBANCE)
"""The alarms from here on look at voltages and currents; those below at inputs."""
COVERS = sum(1 << int(alarm) for alarm in (Alarm.MAIN_COVER_OPEN, Alarm.TERMINAL_COVER_OPEN, Alarm.MODULE_COVER_OPEN))
PRESENT = 0.6
"""A voltage above this share of the nominal one is there."""
GONE = 0.05
HIGH = 1.3
LOADED = 0.1
"""A phase above this share of the basic current carries load."""
SOME = 0.05
_DISCONNECTED, _COVER, _MAGNET = int(Alarm.METER_DISCONNECTED), int(Alarm.MAIN_COVER_OPEN), int(Alarm.MAGNET)
_BATTERY, _UNCALIBRATED, _HOT = int(Alarm.INTERNAL_BATTERY_LOW), int(Alarm.UNCALIBRATED), int(Alarm.HIGH_TEMPERATURE)
_NEUTRAL, _SEQUENCE, _UNBALANCE = ELECTRICAL, int(Alarm.PHASE_SEQUENCE), int(Alarm.CURRENT_UNBALANCE)
_BYPASS, _OPEN, _REVERSE = int(Alarm.CT_BYPASS), int(Alarm.CT_OPEN), int(Alarm.CURRENT_REVERSE)
_FACTOR, _CURRENT, _VOLTAGE = int(Alarm.LOW_POWER_FACTOR), int(Alarm.OVER_CURRENT), int(Alarm.VOLTAGE_UNBALANCE)
_POWER = int(Alarm.OVER_POWER)


@kernel
def electrical_figures(
    phases: int, u_v: Three, i_a: Three, p_w: Three, q_var: Three, around: Around, ratings: Ratings, out: NDArray[np.float64]
) -> None:
    """Figures of what is at the terminals; a phase that the meter does not have is 0.

    `around`: neutral current, residual current, U0, DC in percent, sequence.  `ratings`: nominal voltage, basic, maximum
    and starting current, power limit, 1 where export is agreed.
    """
    neutral_a, residual_a, u0_v, dc_percent, sequence = around
    nominal_v, basic_a, maximum_a, starting_a, limit_w, export_agreed = ratings
    u_high, i_high = max(u_v[0], u_v[1], u_v[2]), max(i_a[0], i_a[1], i_a[2])
    u_low, i_low, p_lowest = u_high, i_high, p_w[0]
    if phases == 3:
        u_low, i_low, p_lowest = min(u_v[0], u_v[1], u_v[2]), min(i_a[0], i_a[1], i_a[2]), min(p_w[0], p_w[1], p_w[2])
    total_w, total_var = p_w[0] + p_w[1] + p_w[2], q_var[0] + q_var[1] + q_var[2]
    reference_w = basic_a * nominal_v
    out[_NEUTRAL] = max(100 * u0_v / nominal_v, dc_percent)
    if u_high > HIGH * nominal_v or (phases == 1 and u_high < GONE * nominal_v and i_high > starting_a):
        out[_NEUTRAL] = 100.0
    all_present = u_low > PRESENT * nominal_v
    out[_SEQUENCE] = np.nan
    if phases == 1 or (all_present and sequence > 0):
        out[_SEQUENCE] = 0.0
    elif all_present and sequence < 0:
        out[_SEQUENCE] = 1.0
    out[_UNBALANCE] = 100 * (i_high - i_low) / i_high if i_high > LOADED * basic_a else 0.0
    out[_BYPASS] = 100 * residual_a / max(i_high, neutral_a) if residual_a > SOME * basic_a else 0.0
    out[_OPEN] = 0.0
    if max(i_high, neutral_a if phases == 1 else 0.0) > SOME * basic_a:
        for phase in range(phases):
            if i_a[phase] < starting_a and u_v[phase] > PRESENT * nominal_v:
                out[_OPEN] += 1.0
    out[_REVERSE] = max(-100 * p_lowest / reference_w, 0.0) if total_w >= 0 or export_agreed == 0 else 0.0
    apparent = np.sqrt(total_w * total_w + total_var * total_var)
    out[_FACTOR] = abs(total_w) / apparent if apparent > LOADED * reference_w * phases else 1.0
    out[_CURRENT] = 100 * i_high / maximum_a
    out[_VOLTAGE] = 100 * (u_high - u_low) / u_high if u_high > 0 else 0.0
    out[_POWER] = 100 * total_w / limit_w


@kernel
def three(values: NDArray[np.float64]) -> Three:
    """The figures of the phases."""
    return values[0], values[1], values[2]


@kernel
def surroundings(near: NDArray[np.float64], ratings: NDArray[np.float64]) -> tuple[Around, Ratings]:
    """A row of `around` and one of `ratings`, as `electrical_figures` takes them."""
    return (
        (near[0], near[1], near[2], near[3], near[4]),
        (ratings[0], ratings[1], ratings[2], ratings[3], ratings[4], ratings[5]),
    )


@kernel
def wanted(
    on: NDArray[np.float64],
    off: NDArray[np.float64],
    too_low: NDArray[np.bool_],
    figures: NDArray[np.float64],
    active: int,
    first: int,
) -> int:
    """The bits from `first` on whose condition asks for the other state."""
    found = 0
    for bit in range(first, ALARMS):
        figure, low = figures[bit], too_low[bit]
        if active >> bit & 1:
            flips = figure > off[bit] if low else figure <= off[bit]
        else:
            flips = figure < on[bit] if low else figure >= on[bit]
        if flips:
            found |= 1 << bit
    return found


@kernel
def settle(s: State, row: int, wants: int, figures: NDArray[np.float64], start_s: int, until_s: int) -> None:
    """Lets the delays run from `start_s` to `until_s`; a bit whose delay has ended changes, at that instant."""
    pending, active = s.pending[row], s.alarms[row]
    for bit in range(ALARMS):
        one = 1 << bit
        if not wants & one:
            continue
        if not pending & one:
            s.since_s[row, bit] = start_s
        at_s = max(s.since_s[row, bit] + s.alarm_delay_s[bit, active >> bit & 1], start_s)
        if at_s > until_s:
            pending |= one
            continue
        active ^= one
        wants &= ~one
        s.flipped[row] |= one
        s.changed_s[row, bit], s.figure[row, bit] = at_s, figures[bit]
        s.raised[row, bit] += active >> bit & 1
    s.alarms[row] = active
    s.pending[row] = pending & wants


@kernel
def watch(s: State, rows: NDArray[np.intp], starts_s: NDArray[np.int64]) -> None:
    """Judges all alarms of rows over [start, now]; without supply only the covers, which a battery watches."""
    figures = np.empty(ALARMS)
    for k in range(rows.size):
        row = rows[k]
        figures[_DISCONNECTED] = 0.0 if s.closed[row] else 1.0
        for cover in range(3):
            figures[_COVER + cover] = 1.0 if s.covers[row, cover] else 0.0
        figures[_MAGNET], figures[_HOT] = s.magnet_mt[row], s.temperature_c[row]
        figures[_BATTERY], figures[_BATTERY + 1] = s.battery_v[row, 0], s.battery_v[row, 1]
        figures[_UNCALIBRATED] = 0.0 if s.calibrated[row] else 1.0
        around, ratings = surroundings(s.around[row], s.ratings[row])
        u_v, i_a, p_w, q_var = three(s.u_v[row]), three(s.i_a[row]), three(s.p_w[row]), three(s.q_var[row])
        electrical_figures(s.phases[row], u_v, i_a, p_w, q_var, around, ratings, figures)
        wants = wanted(s.alarm_on, s.alarm_off, s.alarm_low, figures, s.alarms[row], 0)
        if not s.powered[row]:
            wants &= COVERS
        if wants or s.pending[row]:
            settle(s, row, wants, figures, starts_s[k], s.now_s[row])
