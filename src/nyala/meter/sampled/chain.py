"""The measurement chip: a second of codes to U, I, P, Q per phase, phasors and frequency.  Stateful, without noise of its own.

    DC          the mean over the window is taken from voltage and current alike: no filter bends gain or phase
    P, U, I     every sample; the current at four lags, weighted by a cubic Lagrange interpolator, is the phase compensation
    Q           of the fundamental: both are demodulated at the measured frequency, so no quarter period is assumed
    frequency   by how fast the phasor of the strongest voltage turns within the window; zero crossings find the band first
    S           the vector sum sqrt(P**2 + Q**2), as `nyala.meter.chip` declares

Shapes: phases 0..2, channels U1 U2 U3 I1 I2 I3 IN.  Not here: sensors (`sensor.py`), energy and no-load (`energy.py`).
The same arithmetic in plain NumPy, which tests hold it to, is `nyala.bench.plain_chain`.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from nyala.meter.sampled import kernels
from nyala.meter.sampled.constants import CalibrationConstants
from nyala.meter.sampled.kernels import CENTRE, CHANNELS, HISTORY, LANES, NEUTRAL, SUMS, window_sums
from nyala.meter.sampled.window import FADE, RATE_HZ, SLOPE, SPAN, WEIGHT, Floats, response
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.jit import kernel

PRESENT: Final = 0.05
"""A voltage below this share of the nominal has no frequency."""
LOCK_HZ: Final = 0.25
"""The reference of the demodulation may be off by this much; beyond it the second is taken again with a better one."""
FREQUENCIES_HZ: Final = (40.0, 70.0)
"""What is believed to be a mains frequency."""
TRIES: Final = 3
VALUES: Final = 6
"""Of a phase: U V, I A, P W, Q var, DC of U V, DC of I A."""
_AT: Final = HISTORY - FADE - CENTRE


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What the chip says of one window.

    `values` 3 x 6 (U V, I A, P W, Q var, DC of U V, DC of I A), `phasors` 7 complex peak values (V, A) at the middle of the
    window, `neutral_a` RMS, `f_hz` (the last known while no voltage is present).
    """

    values: Floats
    phasors: Any
    neutral_a: float
    f_hz: float


@kernel
def lagrange(fraction: float, taps: Any) -> None:
    """Weights of samples at -1, 0, 1, 2 for a point `fraction` of a sample after 0 (cubic: below 1e-7 at mains frequency)."""
    d = fraction
    taps[0] = -d * (d - 1) * (d - 2) / 6
    taps[1] = (d + 1) * (d - 1) * (d - 2) / 2
    taps[2] = -(d + 1) * d * (d - 2) / 2
    taps[3] = (d + 1) * d * (d - 1) / 6


@kernel
def frequency_offset(x: Any, sums: Any, slope: Any, cosine: Any, sine: Any, lanes: Any, work: Any) -> float:
    """How far a tone is beside the reference, radians per sample.  `x` SPAN codes; `sums` of it: [.., .., w x cos, w x sin].

    With s[n] = (w[n+1] - w[n-1]) / 2 the sum of s[n] x[n] is -j sin(offset) times the sum of w[n] x[n]: exact for one tone.
    """
    kernels.slope_sums(x, slope, cosine, sine, lanes, work)
    re, im, slope_re, slope_im = sums[2], -sums[3], work[2], -work[3]
    power = re * re + im * im
    if power == 0.0:
        return 0.0
    ratio_im = (slope_im * re - slope_re * im) / power
    return math.asin(min(max(-ratio_im, -1.0), 1.0))


@kernel
def evaluate(
    sums: Any,
    phases: int,
    lsb: Any,
    constants: Any,
    taps: Any,
    reference_rad: float,
    offset_rad: float,
    values: Any,
    phasors: Any,
) -> float:
    """Sums to values and phasors; the neutral's RMS in A.  `lsb` 7: V or A per code, gain included; `taps` 3 x 4."""
    share = 1.0 / RATE_HZ
    tone = 2.0 * share / response(offset_rad)
    for phase in range(phases):
        own = sums[phase]
        in_v, in_a = lsb[phase], lsb[3 + phase]
        mean_u, mean_i = own[0] * share, own[4] * share
        power = 0.0
        for k in range(4):
            power += taps[phase, k] * own[8 + k]
        power = (power * share - mean_u * mean_i) * in_v * in_a
        square_u = (own[1] * share - mean_u * mean_u) * in_v * in_v - constants[phase, 5]
        square_i = (own[5] * share - mean_i * mean_i) * in_a * in_a - constants[phase, 6]
        delay = (reference_rad + offset_rad) * constants[phase, 2] * RATE_HZ
        turn = complex(math.cos(delay), -math.sin(delay))
        voltage = complex(own[2], -own[3]) * (tone * in_v)
        current = complex(own[6], -own[7]) * (tone * in_a) * turn
        values[phase, 0] = math.sqrt(max(square_u, 0.0))
        values[phase, 1] = math.sqrt(max(square_i, 0.0))
        values[phase, 2] = power + constants[phase, 3]
        values[phase, 3] = (voltage.imag * current.real - voltage.real * current.imag) / 2 + constants[phase, 4]
        values[phase, 4], values[phase, 5] = mean_u * in_v, mean_i * in_a
        phasors[phase], phasors[3 + phase] = voltage, current
    neutral = sums[3]
    mean = neutral[0] * share
    phasors[NEUTRAL] = complex(neutral[2], -neutral[3]) * (tone * lsb[NEUTRAL])
    neutral_a: float = math.sqrt(max(neutral[1] * share - mean * mean, 0.0)) * lsb[NEUTRAL]
    return neutral_a


@kernel
def conclude(
    codes: Any, sums: Any, phases: int, f_hz: float, lsb: Any, constants: Any, taps: Any, nominal_v: float, tables: Any,
    slope: Any, lanes: Any, values: Any, phasors: Any,
) -> tuple[float, float]:  # fmt: skip
    """From the sums of a window at reference `f_hz`: (neutral in A, frequency found in Hz; 0 without voltage)."""
    strongest = 0
    for phase in range(1, phases):
        if sums[phase, 1] * lsb[phase] ** 2 > sums[strongest, 1] * lsb[strongest] ** 2:
            strongest = phase
    mean = sums[strongest, 0] / RATE_HZ
    square = (sums[strongest, 1] / RATE_HZ - mean * mean) * lsb[strongest] ** 2
    offset, found = 0.0, 0.0
    if square > (PRESENT * nominal_v) ** 2:
        wave = codes[strongest, _AT : _AT + SPAN]
        offset = frequency_offset(wave, sums[strongest], slope, tables[0], tables[1], lanes, np.empty(4))
        found = f_hz + offset * RATE_HZ / (2 * math.pi)
        if abs(found - f_hz) > LOCK_HZ:
            floor = 0.2 * math.sqrt(square) / lsb[strongest]
            found = kernels.crossing_frequency(wave, mean, floor)
            offset = 0.0
    reference_rad = 2 * math.pi * f_hz / RATE_HZ
    neutral_a = evaluate(sums, phases, lsb, constants, taps, reference_rad, offset, values, phasors)
    return neutral_a, found


class Chip:
    """The chip of one meter: history of codes, the frequency last seen, constants.  Mutable; not shared by threads."""

    def __init__(self, lsb: Floats, phases: int, nominal_v: float, nominal_hz: float, constants: CalibrationConstants) -> None:
        """`lsb`: 7, V or A per code by the design of the sensors (without their errors)."""
        self.phases = phases
        self.nominal_v = nominal_v
        self.f_hz = nominal_hz
        self.codes = np.zeros((CHANNELS, HISTORY + RATE_HZ))
        self._lsb = lsb
        self._tables = np.empty((2, SPAN))
        self._lanes = np.empty(SUMS * LANES)
        self.sums = np.zeros((4, SUMS))
        self.load(constants)

    def load(self, constants: CalibrationConstants) -> None:
        """Takes constants, from the next window on; BadArgumentError if a delay is beyond what the chip can compensate."""
        rows = constants.array()
        delay = rows[:, 2] * RATE_HZ
        whole = np.floor(delay)
        if not (np.all(whole >= kernels.SHIFT_MIN) and np.all(whole <= kernels.SHIFT_MAX)):
            raise BadArgumentError(f"a phase compensation of {rows[:, 2].tolist()} s; the chip moves by -375 to 375 us")
        self.constants = constants
        self._rows = rows
        self._shifts = whole.astype(np.int64)
        self._taps = np.empty((3, 4))
        for phase in range(3):
            lagrange(float(delay[phase] - whole[phase]), self._taps[phase])
        self.gains = np.concatenate([rows[:, 0], rows[:, 1], [constants.gain_n]]) * self._lsb

    def measure(self) -> Window:
        """Measures the window that ends with the newest sample in `codes`."""
        values, phasors = np.zeros((3, VALUES)), np.zeros(CHANNELS, np.complex128)
        neutral_a = 0.0
        for _ in range(TRIES):
            window_sums(
                self.codes, self._shifts, self.phases, self.f_hz / RATE_HZ, WEIGHT, self._tables, self._lanes, self.sums
            )
            neutral_a, found = conclude(
                self.codes, self.sums, self.phases, self.f_hz, self.gains, self._rows, self._taps, self.nominal_v,
                self._tables, SLOPE, self._lanes, values, phasors,
            )  # fmt: skip
            if not FREQUENCIES_HZ[0] <= found <= FREQUENCIES_HZ[1]:
                break
            change, self.f_hz = abs(found - self.f_hz), found
            if change <= LOCK_HZ:
                break
        return Window(values, phasors, neutral_a, self.f_hz)
