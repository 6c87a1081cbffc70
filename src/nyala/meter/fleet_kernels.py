"""The kernels of a fleet's second: plain loops over blocks of rows, each with few arrays, so that they become vectors.

Arrays lie phase by phase (phases x n) or channel by channel (channels x n).  Energies are those of
`nyala.meter.kernels.split` on whole mW-seconds.  Alarms are screened: a row that could change its state, or has one, is
judged exactly as `nyala.meter.alarms` does.  A test holds that both ways give the same registers and the same alarms.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from nyala.meter.alarms import ELECTRICAL, HIGH, LOADED, SOME, electrical_figures, settle, surroundings, wanted
from nyala.meter.state import ALARMS, CHANNELS, State
from nyala.vocab.alarms import Alarm
from nyala.vocab.jit import kernel

Singles = NDArray[np.float32]
Counters = NDArray[np.uint32]
Energies = NDArray[np.int32]
BLOCK: Final = 1024
"""Rows worked on together: what they need in between takes 20 kB."""
LANES = 16
"""Flags that are looked at together."""
GROUPS: Final = 4
"""Total and three phases."""
MARGIN = 1e-3
"""By which the screen is wider than the thresholds: single precision is not to miss what double precision sees."""
_UNBALANCE, _REVERSE, _FACTOR = int(Alarm.CURRENT_UNBALANCE), int(Alarm.CURRENT_REVERSE), int(Alarm.LOW_POWER_FACTOR)
_CURRENT, _VOLTAGE, _POWER = int(Alarm.OVER_CURRENT), int(Alarm.VOLTAGE_UNBALANCE), int(Alarm.OVER_POWER)


@kernel
def _energies(u: Singles, current: Singles, live: Energies, out: Energies) -> None:
    """Energy of one second of one phase in whole mW-seconds."""
    for k in range(out.size):
        out[k] = np.int32(np.rint(np.float64(u[k]) * np.float64(current[k]) * 1000.0)) * live[k]


@kernel
def _sum(out: Energies, first: Energies, second: Energies, third: Energies) -> None:
    for k in range(out.size):
        out[k] = first[k] + second[k] + third[k]


@kernel
def _creep(energy: Energies, idle: float) -> None:
    for k in range(energy.size):
        energy[k] = 0 if abs(energy[k]) < idle else energy[k]


@kernel
def _apparent(p: Energies, q: Energies, out: Energies) -> None:
    for k in range(out.size):
        active, reactive = np.float64(p[k]), np.float64(q[k])
        out[k] = np.int32(np.rint(np.sqrt(active * active + reactive * reactive)))


@kernel
def _add(into: Counters, energy: Energies, sign: int, p: Energies, direction: int) -> None:
    """Adds `energy` where it has this sign and P this direction (1 or -1; 0 of P is import)."""
    for k in range(energy.size):
        signed = energy[k] * np.int32(sign)
        into[k] += np.uint32(signed if (signed > 0) & ((p[k] >= 0) == (direction > 0)) else 0)


@kernel
def _count(counters: Counters, group: int, start: int, p: Energies, q: Energies, apparent: Energies, idle: float) -> None:
    """One second of one group of rows from `start` on into its eight channels, in the order of `Channel`."""
    _creep(p, idle)
    _creep(q, idle)
    _apparent(p, q, apparent)
    base, stop = CHANNELS * group, start + p.size
    _add(counters[base][start:stop], p, 1, p, 1)
    _add(counters[base + 1][start:stop], p, -1, p, -1)
    _add(counters[base + 2][start:stop], q, 1, p, 1)
    _add(counters[base + 3][start:stop], q, 1, p, -1)
    _add(counters[base + 4][start:stop], q, -1, p, -1)
    _add(counters[base + 5][start:stop], q, -1, p, 1)
    _add(counters[base + 6][start:stop], apparent, 1, p, 1)
    _add(counters[base + 7][start:stop], apparent, 1, p, -1)


@kernel
def _squares(active: Singles, lagging: Singles, out: Singles) -> None:
    for k in range(out.size):
        out[k] = active[k] * active[k] + lagging[k] * lagging[k]


@kernel
def _extremes(first: Singles, second: Singles, third: Singles, high: Singles, low: Singles) -> None:
    for k in range(high.size):
        high[k] = max(first[k], second[k], third[k])
        low[k] = min(first[k], second[k], third[k])


@kernel
def _screen_voltages(flags: Energies, high: Singles, low: Singles, highest_v: float, unbalance: float) -> None:
    for k in range(flags.size):
        flags[k] |= np.int32((high[k] > highest_v) | (low[k] < high[k] * unbalance))


@kernel
def _screen_currents(flags: Energies, high2: Singles, low2: Singles, limits: tuple[float, float, float, float, float]) -> None:
    """Squares of currents: unbalance, over current, an open circuit."""
    loaded2, unbalance2, highest2, some2, starting2 = limits
    for k in range(flags.size):
        unbalanced = (high2[k] > loaded2) & (low2[k] < high2[k] * unbalance2)
        flags[k] |= np.int32(unbalanced | (high2[k] > highest2) | ((high2[k] > some2) & (low2[k] < starting2)))


@kernel
def _screen_power(flags: Energies, p: Energies, apparent: Energies, limit_w: Singles, factor: float, loaded: float) -> None:
    for k in range(flags.size):
        power, s = np.float32(p[k]), np.float32(apparent[k])
        flags[k] |= np.int32(((s > loaded) & (abs(power) < s * factor)) | (power > limit_w[k]))


@kernel
def _screen_direction(flags: Energies, p: Energies, lowest: float) -> None:
    for k in range(flags.size):
        flags[k] |= np.int32(p[k] < lowest)


@kernel
def _screen_states(flags: Energies, active: NDArray[np.int64], pending: NDArray[np.int64]) -> None:
    for k in range(flags.size):
        flags[k] |= np.int32((active[k] | pending[k]) != 0)


@kernel
def _flagged(flags: Energies, live: Energies, places: Energies) -> Energies:
    """The places of flagged rows with supply, without a branch per row; `places` takes them."""
    found = 0
    for first in range(0, flags.size, LANES):
        last = min(first + LANES, flags.size)
        some = np.int32(0)
        for k in range(first, last):
            some |= flags[k]
        if some:
            for k in range(first, last):
                places[found] = k
                found += (flags[k] != 0) & (live[k] != 0)
    return places[:found]


@kernel
def _judge(s: State, start: int, energies: Energies, phasors: tuple[Singles, Singles, Singles], size: int, at_s: int) -> None:
    """The alarms of the flagged rows of a block, exactly, over the second that ends at `at_s`.

    One call for a block: passing a `State` costs as much as judging thirty rows.
    """
    u_v, active_a, lagging_a = phasors
    figures = np.empty(ALARMS)
    for row in _flagged(energies[9][:size], energies[10][:size], energies[8]):
        row += start  # noqa: PLW2901 - places become rows
        u = np.float64(u_v[0, row]), np.float64(u_v[1, row]), np.float64(u_v[2, row])
        a = np.float64(active_a[0, row]), np.float64(active_a[1, row]), np.float64(active_a[2, row])
        r = np.float64(lagging_a[0, row]), np.float64(lagging_a[1, row]), np.float64(lagging_a[2, row])
        i = (
            np.sqrt(a[0] * a[0] + r[0] * r[0]),
            np.sqrt(a[1] * a[1] + r[1] * r[1]),
            np.sqrt(a[2] * a[2] + r[2] * r[2]),
        )
        p = u[0] * a[0], u[1] * a[1], u[2] * a[2]
        q = u[0] * r[0], u[1] * r[1], u[2] * r[2]
        near, ratings = surroundings(s.around[row], s.ratings[row])
        electrical_figures(s.phases[row], u, i, p, q, near, ratings, figures)
        wants = wanted(s.alarm_on, s.alarm_off, s.alarm_low, figures, s.alarms[row], ELECTRICAL)
        if wants or s.pending[row]:
            settle(s, row, wants, figures, at_s - 1, at_s)


@kernel
def _screen(
    s: State,
    start: int,
    scratch: Singles,
    energies: Energies,
    limit_mw: Singles,
    u_v: Singles,
    active_a: Singles,
    lagging_a: Singles,
) -> None:
    """Flags (the last row of `energies`) the rows of a block whose alarms are to be judged exactly."""
    size = limit_mw.size
    stop, flags = start + size, energies[9][:size]
    flags[:] = 0
    on, un, ib = s.alarm_on, s.nominal_v[start], s.basic_a[start]
    _extremes(u_v[0][start:stop], u_v[1][start:stop], u_v[2][start:stop], scratch[3][:size], scratch[4][:size])
    if s.phases[start] > 1:
        _screen_voltages(flags, scratch[3][:size], scratch[4][:size], HIGH * un * (1 - MARGIN), 1 + MARGIN - on[_VOLTAGE] / 100)
    else:
        _screen_voltages(flags, u_v[0][start:stop], u_v[0][start:stop], HIGH * un * (1 - MARGIN), 0.0)
    for phase in range(3):
        _squares(active_a[phase][start:stop], lagging_a[phase][start:stop], scratch[phase][:size])
    _extremes(scratch[0][:size], scratch[1][:size], scratch[2][:size], scratch[3][:size], scratch[4][:size])
    unbalance = (1 + MARGIN - on[_UNBALANCE] / 100) if s.phases[start] > 1 else 0.0
    highest = on[_CURRENT] / 100 * s.maximum_a[start] * (1 - MARGIN)
    starting = s.starting_a[start] * (1 + MARGIN) if s.phases[start] > 1 else 0.0
    limits = (LOADED * ib) ** 2, unbalance**2, highest**2, (SOME * ib) ** 2, starting**2
    _screen_currents(flags, scratch[3][:size], scratch[4][:size], limits)
    reference_mw = ib * un * 1000
    factor, loaded = on[_FACTOR] * (1 + MARGIN), LOADED * reference_mw * s.phases[start] * (1 - MARGIN)
    _screen_power(flags, energies[0][:size], energies[8][:size], limit_mw, factor, loaded)
    for phase in range(3):
        _screen_direction(flags, energies[1 + phase][:size], -on[_REVERSE] / 100 * reference_mw * (1 - MARGIN))
    _screen_states(flags, s.alarms[start:stop], s.pending[start:stop])


@kernel
def step(
    s: State,
    counters: Counters,
    limit_mw: Singles,
    singles: Singles,
    energies: Energies,
    phasors: tuple[Singles, Singles, Singles],
    bounds: tuple[int, int, int],
) -> None:
    """One second of rows start..stop of one model, which ends at `at_s`.

    `singles` 5 x BLOCK and `energies` 11 x BLOCK are scratch: P of total and phases, Q of them, apparent, flags, live.
    """
    u_v, active_a, lagging_a = phasors
    first, last, at_s = bounds
    for start in range(first, last, BLOCK):
        stop = min(start + BLOCK, last)
        size = stop - start
        live = energies[10][:size]
        for k in range(size):
            live[k] = np.int32(s.powered[start + k] & s.closed[start + k])
        for phase in range(3):
            _energies(u_v[phase][start:stop], active_a[phase][start:stop], live, energies[1 + phase][:size])
            _energies(u_v[phase][start:stop], lagging_a[phase][start:stop], live, energies[5 + phase][:size])
        for place in (0, 4):
            _sum(energies[place][:size], energies[place + 1][:size], energies[place + 2][:size], energies[place + 3][:size])
        idle = s.no_load_w[start] * 1000
        for group in range(GROUPS - 1, -1, -1):
            part = idle if group == 0 else idle / s.phases[start]
            _count(counters, group, start, energies[group][:size], energies[4 + group][:size], energies[8][:size], part)
        _screen(s, start, singles, energies, limit_mw[start:stop], u_v, active_a, lagging_a)
        _judge(s, start, energies, phasors, size, at_s)


@kernel
def grow(s: State, counters: Counters) -> None:
    """Adds the counters to the segment of each row, and empties them."""
    for start in range(0, s.now_s.size, BLOCK):
        stop = min(start + BLOCK, s.now_s.size)
        for row in range(start, stop):
            for channel in range(CHANNELS):
                s.segment_mws[row, channel] += counters[channel, row]
                for phase in range(3):
                    s.phase_mws[row, phase, channel] += counters[CHANNELS * (1 + phase) + channel, row]
    counters[:] = 0
