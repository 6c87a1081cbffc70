"""Kernels of the measurement chip: codes of the converters to sums over a window.  Every sum has one fixed order.

A sum runs in `LANES` partial sums that are added at the end: the compiler makes vectors of them without having to change
the order, so the result is the same to the bit on any machine (a meter's registers must not depend on the processor).

Rows of `codes`: U1 U2 U3 I1 I2 I3 IN, each `HISTORY` samples of the second before and then those of this second.
"""

import math
from typing import Any, Final

import numpy as np

from nyala.meter.sampled.window import FADE, RATE_HZ, SPAN
from nyala.vocab.jit import kernel

CHANNELS: Final = 7
NEUTRAL: Final = 6
CENTRE: Final = 4
"""All but the compensated current is taken 4 samples late, so that the current can also be moved ahead."""
SHIFT_MIN: Final = -3
SHIFT_MAX: Final = 2
"""Whole samples of phase compensation that the history allows: -375 to 374 us."""
TAPS: Final = 4
HISTORY: Final = FADE + 8
LANES: Final = 32
ROWS: Final = 5
"""Rows of lanes taken in one go, so that partial sums stay in registers for that long."""
STEP: Final = LANES * ROWS
assert SPAN % STEP == 0
assert FADE % STEP == 0
SUMS: Final = 12
"""Of a phase: wU wUU wUc wUs wI wII wIc wIs, and wU times the current at four lags."""
TURN_BLOCK: Final = 160


@kernel
def quantise(wave: Any, per_unit: Any, limit: float, codes: Any) -> None:
    """Terminal waves (7 x 8000, V and A) to whole codes -limit..limit-1, behind the history; `per_unit` 7, codes per V or A."""
    for channel in range(CHANNELS):
        scale, source, target = per_unit[channel], wave[channel], codes[channel]
        for n in range(HISTORY):
            target[n] = target[n + RATE_HZ]
        for n in range(RATE_HZ):
            target[HISTORY + n] = min(max(np.rint(source[n] * scale), -limit), limit - 1.0)


@kernel
def rotate(turns: float, step_turns: float, cosine: Any, sine: Any) -> None:
    """Cos and sin of `turns` + n `step_turns`, n = 0..len-1 (a multiple of 160): products of two short tables, to 3 ulp."""
    fine_c, fine_s = np.empty(TURN_BLOCK), np.empty(TURN_BLOCK)
    for lane in range(TURN_BLOCK):
        angle = 2 * math.pi * (step_turns * lane)
        fine_c[lane], fine_s[lane] = math.cos(angle), math.sin(angle)
    for block in range(len(cosine) // TURN_BLOCK):
        at = turns + step_turns * (block * TURN_BLOCK)
        angle = 2 * math.pi * (at - math.floor(at))
        c, s = math.cos(angle), math.sin(angle)
        to_c, to_s = cosine[block * TURN_BLOCK :], sine[block * TURN_BLOCK :]
        for lane in range(TURN_BLOCK):
            to_c[lane] = c * fine_c[lane] - s * fine_s[lane]
            to_s[lane] = s * fine_c[lane] + c * fine_s[lane]


@kernel
def phase_sums(
    u: Any, i: Any, i0: Any, i1: Any, i2: Any, i3: Any, weight: Any, cosine: Any, sine: Any, lanes: Any, sums: Any
) -> None:
    """The twelve sums of a phase over a window; `u`, `i` and the current at four lags i0..i3: SPAN codes each."""
    lanes[:] = 0.0
    for j in range(0, SPAN, STEP):
        for lane in range(LANES):
            a = b = c = d = e = f = g = h = p = q = r = s = 0.0
            for m in range(ROWS):
                n = j + m * LANES + lane
                w = weight[n]
                wu, wi = w * u[n], w * i[n]
                a += wu
                b += wu * u[n]
                c += wu * cosine[n]
                d += wu * sine[n]
                e += wi
                f += wi * i[n]
                g += wi * cosine[n]
                h += wi * sine[n]
                p += wu * i0[n]
                q += wu * i1[n]
                r += wu * i2[n]
                s += wu * i3[n]
            lanes[lane] += a
            lanes[LANES + lane] += b
            lanes[2 * LANES + lane] += c
            lanes[3 * LANES + lane] += d
            lanes[4 * LANES + lane] += e
            lanes[5 * LANES + lane] += f
            lanes[6 * LANES + lane] += g
            lanes[7 * LANES + lane] += h
            lanes[8 * LANES + lane] += p
            lanes[9 * LANES + lane] += q
            lanes[10 * LANES + lane] += r
            lanes[11 * LANES + lane] += s
    for k in range(SUMS):
        total = 0.0
        for lane in range(LANES):
            total += lanes[k * LANES + lane]
        sums[k] = total


@kernel
def channel_sums(x: Any, weight: Any, cosine: Any, sine: Any, lanes: Any, sums: Any) -> None:
    """The sums w x, w x x, w x cos, w x sin of one channel; the length is a multiple of STEP."""
    lanes[:] = 0.0
    for j in range(0, len(x), STEP):
        own, by, re, im = x[j : j + STEP], weight[j : j + STEP], cosine[j : j + STEP], sine[j : j + STEP]
        for lane in range(LANES):
            a = b = c = d = 0.0
            for m in range(ROWS):
                n = m * LANES + lane
                wx = by[n] * own[n]
                a += wx
                b += wx * own[n]
                c += wx * re[n]
                d += wx * im[n]
            lanes[lane] += a
            lanes[LANES + lane] += b
            lanes[2 * LANES + lane] += c
            lanes[3 * LANES + lane] += d
    for k in range(4):
        total = 0.0
        for lane in range(LANES):
            total += lanes[k * LANES + lane]
        sums[k] = total


@kernel
def window_sums(codes: Any, shifts: Any, phases: int, step: float, weight: Any, tables: Any, lanes: Any, sums: Any) -> None:
    """All sums of a window against a reference of `step` turns per sample, which is left in `tables` (cos, sin).

    `sums` 4 x 12: the phases, and in the last row the four of the neutral's current.
    """
    cosine, sine = tables[0], tables[1]
    rotate(0.0, step, cosine, sine)
    at = HISTORY - FADE - CENTRE
    for phase in range(phases):
        current = codes[3 + phase]
        first = at + 1 - shifts[phase]
        phase_sums(
            codes[phase, at : at + SPAN],
            current[at : at + SPAN],
            current[first : first + SPAN],
            current[first - 1 : first - 1 + SPAN],
            current[first - 2 : first - 2 + SPAN],
            current[first - 3 : first - 3 + SPAN],
            weight,
            cosine,
            sine,
            lanes,
            sums[phase],
        )
    channel_sums(codes[NEUTRAL, at : at + SPAN], weight, cosine, sine, lanes, sums[3])


@kernel
def slope_sums(x: Any, slope: Any, cosine: Any, sine: Any, lanes: Any, sums: Any) -> None:
    """The sums of slope times x times cos and sin (in sums[2:4]) of one channel: the slope lives at the two fades only."""
    ends = np.zeros(2)
    for first in (0, RATE_HZ):
        last = first + FADE
        channel_sums(x[first:last], slope[first:last], cosine[first:last], sine[first:last], lanes, sums)
        ends[0] += sums[2]
        ends[1] += sums[3]
    sums[2], sums[3] = ends[0], ends[1]


@kernel
def crossing_frequency(x: Any, mean: float, floor: float) -> float:
    """Frequency in Hz from the interpolated rising zero crossings of a channel, smoothed over 5 ms; 0 if it has none.

    `floor`: the smoothed wave must have been below -floor since the last crossing.  This only finds the band: the fine
    value comes from the turning of the phasor.
    """
    box = 40
    smooth, first, last, count, armed = 0.0, 0.0, 0.0, 0, False
    for n in range(box):
        smooth += x[n] - mean
    for n in range(box, len(x)):
        before = smooth
        smooth += x[n] - x[n - box]
        if smooth < -floor * box:
            armed = True
        if armed and before < 0.0 <= smooth:
            at = n - smooth / (smooth - before)
            first = at if count == 0 else first
            last, count, armed = at, count + 1, False
    return RATE_HZ * (count - 1) / (last - first) if count > 1 else 0.0
