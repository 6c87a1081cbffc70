"""The kernels of a fleet's second: plain loops over blocks of rows, each with few arrays, so that they become vectors.

Phasors lie phase by phase (phases x n).  Counters and what a block needs in between lie in one array each, at distances
known when the kernel is compiled: that tells the compiler that they do not overlap.  Energies are those of
`nyala.meter.kernels.split` on whole mW-seconds.  Alarms are screened: a row that could change its state, or has one, is
judged exactly as `nyala.meter.alarms` does.  A test holds that both ways give the same registers and the same alarms.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from nyala.meter.alarms import ELECTRICAL, HIGH, LOADED, SOME, electrical_figures, settle, surroundings, three, wanted
from nyala.meter.state import ALARMS, CHANNELS, Floats, Integers, State
from nyala.vocab.alarms import Alarm
from nyala.vocab.jit import kernel

Singles = NDArray[np.float32]
Counters = NDArray[np.uint32]
Energies = NDArray[np.int32]
Phasors = tuple[Singles, Singles, Singles]
Limits = tuple[np.float32, np.float32, np.float32, np.float32, np.float32]
BLOCK: Final = 1040
"""Rows worked on together: what they need in between takes 42 kB; not a power of two, or channels would share cache lines."""
LANES: Final = 16
"""Flags that are looked at together."""
JUDGED: Final = 2 * BLOCK
"""Flagged rows that are judged together at most: passing a `State` costs as much as judging thirty rows."""
GROUPS: Final = 4
"""Total and three phases."""
BLOCK_COUNTERS: Final = GROUPS * CHANNELS * BLOCK
"""Counters of a block: group by group, channel by channel, row by row."""
_P, _Q, _FLAGS, _LIVE = 0, GROUPS, 2 * GROUPS, 2 * GROUPS + 1
"""Places in the scratch of a block, each BLOCK long: P and Q of total and phases, flags, rows with supply."""
SCRATCH: Final = (_LIVE + 1) * BLOCK
SEEN: Final = 9 + 5 + 6
"""What is judged of a row: nine phasor parts, what is around, ratings."""
MARGIN = 1e-3
"""By which the screen is wider than the thresholds: single precision is not to miss what double precision sees."""
_UNBALANCE, _REVERSE, _FACTOR = int(Alarm.CURRENT_UNBALANCE), int(Alarm.CURRENT_REVERSE), int(Alarm.LOW_POWER_FACTOR)
_CURRENT, _VOLTAGE, _POWER = int(Alarm.OVER_CURRENT), int(Alarm.VOLTAGE_UNBALANCE), int(Alarm.OVER_POWER)


@kernel
def _energies(u: Singles, active: Singles, lagging: Singles, live: Energies, p: Energies, q: Energies) -> None:
    """Energies of one second of one phase in whole mW- and mvar-seconds."""
    for k in range(p.size):
        volts = np.float64(u[k])
        p[k] = np.int32(np.rint(volts * np.float64(active[k]) * 1000.0)) * live[k]
        q[k] = np.int32(np.rint(volts * np.float64(lagging[k]) * 1000.0)) * live[k]


@kernel
def _sum(scratch: Energies, first: int, size: int) -> None:
    """The total of three phases, whose places follow it."""
    out = scratch[first * BLOCK :]
    for k in range(size):
        out[k] = out[BLOCK + k] + out[2 * BLOCK + k] + out[3 * BLOCK + k]


@kernel
def _count(into: Counters, p: Energies, q: Energies, idle: np.int32) -> None:
    """One second of one group of a block into its eight channels, in the order of `Channel`; 0 of P is import."""
    none = np.int32(0)
    for k in range(p.size):
        active = p[k] if abs(p[k]) >= idle else none
        reactive = q[k] if abs(q[k]) >= idle else none
        x, y = np.float64(active), np.float64(reactive)
        apparent = np.int32(np.rint(np.sqrt(x * x + y * y)))
        importing, inductive = active >= 0, reactive >= 0
        into[k] += np.uint32(active if importing else none)
        into[BLOCK + k] += np.uint32(none if importing else -active)
        into[2 * BLOCK + k] += np.uint32(reactive if importing & inductive else none)
        into[3 * BLOCK + k] += np.uint32(reactive if (not importing) & inductive else none)
        into[4 * BLOCK + k] += np.uint32(none if importing | inductive else -reactive)
        into[5 * BLOCK + k] += np.uint32(-reactive if importing & (not inductive) else none)
        into[6 * BLOCK + k] += np.uint32(apparent if importing else none)
        into[7 * BLOCK + k] += np.uint32(none if importing else apparent)


@kernel
def _screen_voltages(flags: Energies, first: Singles, second: Singles, third: Singles, limits: Limits) -> None:
    """Begins the flags: a voltage too high, unbalance."""
    highest_v, unbalance = limits[0], limits[1]
    for k in range(flags.size):
        high, low = max(first[k], second[k], third[k]), min(first[k], second[k], third[k])
        flags[k] = np.int32((high > highest_v) | (low < high * unbalance))


@kernel
def _screen_currents(flags: Energies, active: Phasors, lagging: Phasors, limits: Limits) -> None:
    """Squares of currents: unbalance, over current, an open circuit."""
    loaded2, unbalance2, highest2, some2, starting2 = limits
    (a, b, c), (x, y, z) = active, lagging
    for k in range(flags.size):
        first, second, third = a[k] * a[k] + x[k] * x[k], b[k] * b[k] + y[k] * y[k], c[k] * c[k] + z[k] * z[k]
        high2, low2 = max(first, second, third), min(first, second, third)
        unbalanced = (high2 > loaded2) & (low2 < high2 * unbalance2)
        flags[k] |= np.int32(unbalanced | (high2 > highest2) | ((high2 > some2) & (low2 < starting2)))


@kernel
def _screen_powers(scratch: Energies, limit_mw: Singles, active: Integers, pending: Integers, limits: Limits) -> None:
    """Over power, a low factor (by squares), a phase that flows back; and every row that has an alarm or a delay that runs."""
    loaded2, factor2, lowest, share, _ = limits
    for k in range(limit_mw.size):
        p, q = np.float32(scratch[k]), np.float32(scratch[_Q * BLOCK + k])
        p2 = p * p
        s2 = p2 + q * q
        least = np.float32(min(scratch[BLOCK + k], scratch[2 * BLOCK + k], scratch[3 * BLOCK + k]))
        flagged = (p > limit_mw[k] * share) | ((s2 > loaded2) & (p2 < s2 * factor2)) | (least < lowest)
        scratch[_FLAGS * BLOCK + k] |= np.int32(flagged | ((active[k] | pending[k]) != 0))


@kernel
def _gather(scratch: Energies, start: int, size: int, rows: Energies, found: int) -> int:
    """Adds flagged rows with supply to `rows`, without a branch per row; answers how many there are then."""
    flags, live = scratch[_FLAGS * BLOCK :], scratch[_LIVE * BLOCK :]
    for first in range(0, size, LANES):
        last = min(first + LANES, size)
        some = np.int32(0)
        for k in range(first, last):
            some |= flags[k]
        if some:
            for k in range(first, last):
                rows[found] = start + k
                found += (flags[k] != 0) & (live[k] != 0)
    return found


@kernel
def _collect(rows: Energies, phasors: Phasors, around: Floats, ratings: Floats, out: Floats) -> None:
    """What the judgement of each row looks at.  Far memory is read in a loop that does nothing else: reads then overlap."""
    u_v, active_a, lagging_a = phasors
    for k in range(rows.size):
        row = rows[k]
        for phase in range(3):
            out[k, phase] = u_v[phase, row]
            out[k, 3 + phase] = active_a[phase, row]
            out[k, 6 + phase] = lagging_a[phase, row]
        for column in range(5):
            out[k, 9 + column] = around[row, column]
        for column in range(6):
            out[k, 14 + column] = ratings[row, column]


@kernel
def _judge(s: State, rows: Energies, phasors: Phasors, at_s: int) -> None:
    """The alarms of flagged rows of one model, exactly, over the second that ends at `at_s`."""
    figures, seen = np.empty(ALARMS), np.empty((rows.size, SEEN))
    _collect(rows, phasors, s.around, s.ratings, seen)
    for k in range(rows.size):
        row, (u0, u1, u2), (a0, a1, a2), (r0, r1, r2) = rows[k], three(seen[k]), three(seen[k, 3:]), three(seen[k, 6:])
        i = np.sqrt(a0 * a0 + r0 * r0), np.sqrt(a1 * a1 + r1 * r1), np.sqrt(a2 * a2 + r2 * r2)
        p, q = (u0 * a0, u1 * a1, u2 * a2), (u0 * r0, u1 * r1, u2 * r2)
        near, ratings = surroundings(seen[k, 9:], seen[k, 14:])
        electrical_figures(s.phases[rows[0]], (u0, u1, u2), i, p, q, near, ratings, figures)
        wants = wanted(s.alarm_on, s.alarm_off, s.alarm_low, figures, s.alarms[row], ELECTRICAL)
        if wants or s.pending[row]:
            settle(s, row, wants, figures, at_s - 1, at_s)


@kernel
def _limits(s: State, row: int) -> tuple[Limits, Limits, Limits]:
    """What the screens compare with, for the model of a row: of voltages, of squares of currents, of powers in mW."""
    on, un, ib, single = s.alarm_on, s.nominal_v[row], s.basic_a[row], s.phases[row] == 1
    none, wider, narrower = np.float32(0), 1 + MARGIN, 1 - MARGIN
    unbalance_v = none if single else np.float32(wider - on[_VOLTAGE] / 100)
    unbalance = none if single else np.float32(wider - on[_UNBALANCE] / 100)
    starting = none if single else np.float32(s.starting_a[row] * wider)
    loaded, highest = np.float32(LOADED * ib), np.float32(on[_CURRENT] / 100 * s.maximum_a[row] * narrower)
    some, reference_mw = np.float32(SOME * ib), ib * un * 1000
    loaded_mw, factor = np.float32(LOADED * reference_mw * s.phases[row] * narrower), np.float32(on[_FACTOR] * wider)
    lowest, over = np.float32(-on[_REVERSE] / 100 * reference_mw * narrower), np.float32(on[_POWER] / 100 * narrower)
    return (
        (np.float32(HIGH * un * narrower), unbalance_v, none, none, none),
        (loaded * loaded, unbalance * unbalance, highest * highest, some * some, starting * starting),
        (loaded_mw * loaded_mw, factor * factor, lowest, over, none),
    )


@kernel
def step(
    s: State,
    counters: Counters,
    limit_mw: Singles,
    scratch: Energies,
    flagged: Energies,
    phasors: Phasors,
    bounds: tuple[int, int, int],
) -> None:
    """One second of rows first..last of one model, which ends at `at_s`.

    `scratch` and `flagged` (rows to be judged) are there to be written; SCRATCH and JUDGED long.
    """
    (u, a, r), (first, last, at_s) = phasors, bounds
    powered, closed, alarms, pending = s.powered, s.closed, s.alarms, s.pending
    of_voltages, of_currents, of_powers = _limits(s, first)
    idle, part = np.ceil(s.no_load_w[first] * 1000), np.ceil(s.no_load_w[first] * 1000 / s.phases[first])
    lowest_u = (0, 0) if s.phases[first] == 1 else (1, 2)
    found, stop = 0, first
    while stop < last:
        start, stop = stop, min((stop // BLOCK + 1) * BLOCK, last)
        size = stop - start
        live, flags = scratch[_LIVE * BLOCK :][:size], scratch[_FLAGS * BLOCK :][:size]
        for k in range(size):
            live[k] = np.int32(powered[start + k] & closed[start + k])
        for phase in range(3):
            p, q = scratch[(_P + 1 + phase) * BLOCK :][:size], scratch[(_Q + 1 + phase) * BLOCK :][:size]
            _energies(u[phase][start:stop], a[phase][start:stop], r[phase][start:stop], live, p, q)
        _sum(scratch, _P, size)
        _sum(scratch, _Q, size)
        for group in range(GROUPS):
            p, q = scratch[(_P + group) * BLOCK :][:size], scratch[(_Q + group) * BLOCK :][:size]
            place = start // BLOCK * BLOCK_COUNTERS + group * CHANNELS * BLOCK + start % BLOCK
            _count(counters[place:], p, q, np.int32(part if group else idle))
        _screen_voltages(flags, u[0][start:stop], u[lowest_u[0]][start:stop], u[lowest_u[1]][start:stop], of_voltages)
        active, lagging = _phases(a, start, stop), _phases(r, start, stop)
        _screen_currents(flags, active, lagging, of_currents)
        _screen_powers(scratch, limit_mw[start:stop], alarms[start:stop], pending[start:stop], of_powers)
        found = _gather(scratch, start, size, flagged, found)
        if found >= JUDGED - BLOCK or stop == last:
            _judge(s, flagged[:found], phasors, at_s)
            found = 0


@kernel
def _phases(of: Singles, start: int, stop: int) -> Phasors:
    """The three phases of a block."""
    return of[0][start:stop], of[1][start:stop], of[2][start:stop]


@kernel
def grow(s: State, counters: Counters) -> None:
    """Adds the counters to the segment of each row, and empties them."""
    segment_mws, phase_mws = s.segment_mws, s.phase_mws
    for start in range(0, s.now_s.size, BLOCK):
        block = counters[start * GROUPS * CHANNELS :]
        for row in range(start, min(start + BLOCK, s.now_s.size)):
            for channel in range(CHANNELS):
                segment_mws[row, channel] += block[channel * BLOCK + row - start]
            for phase in range(3):
                for channel in range(CHANNELS):
                    phase_mws[row, phase, channel] += block[((1 + phase) * CHANNELS + channel) * BLOCK + row - start]
    counters[:] = 0
