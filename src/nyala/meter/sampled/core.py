"""The magnetic core of a current transformer: direct current does not pass it, and drives it into saturation.

In amperes of the primary: the flux y and the magnetising current m(y) of a core with a burden obey

    tau y' = i - m(y)        m(y) = y up to the knee; beyond it the inductance is `left` times what it was

and the meter sees i - m.  `tau` is the inductance over the resistance of burden and winding: the angle of the unsaturated
transformer is atan 1/(w tau), so it follows from the delay that the sensor's data state.  That angle, and the ratio error
with it, is in the sensor already; here is only what saturation adds.  Solved for the steady state of a cycle, once for each
signal: how the flux gets there, and bursts that it does not follow, are left out.  No hysteresis.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from nyala.meter.sampled.window import RATE_HZ
from nyala.vocab.jit import kernel

STEPS: Final = 1024
"""Steps of a cycle."""
BISECTIONS: Final = 64
"""Halvings of the flux at the start of a cycle: to the last bit."""
NOMINAL_HZ: Final = 50.0
"""The frequency at which a delay of the data is an angle."""


@dataclass(frozen=True, slots=True)
class Core:
    """Of all current transformers of a model.  `knee_a`: magnetising current, in A of the primary, that begins to saturate."""

    knee_a: float
    inductance_left: float
    source: str
    confidence: str

    def tolerates_dc(self, maximum_a: float) -> bool:
        """Whether it carries a half-wave rectified `maximum_a` (RMS of the whole sine), as IEC 62053-21 tests it."""
        return self.knee_a > maximum_a * math.sqrt(2) / math.pi

    def transferred(self, spectrum: Any, f_hz: float, tau_s: float) -> Any:
        """What passes of currents: `spectrum` n x orders, complex peak A; a saturated core makes orders that were not there."""
        found = spectrum.copy()
        found[:, 0] = 0.0
        magnetising = spectrum / (1.0 + 2j * math.pi * f_hz * tau_s * np.arange(spectrum.shape[1]))
        saturated = np.flatnonzero(np.abs(magnetising).sum(axis=1) > self.knee_a)
        if len(saturated) == 0:
            return found
        step = 1.0 / (2.0 * STEPS * f_hz * tau_s)
        orders = max(math.ceil(RATE_HZ / 2 / f_hz), spectrum.shape[1])
        found, magnetising = (np.pad(rows, ((0, 0), (0, orders - rows.shape[1]))) for rows in (found, magnetising))
        for row in saturated:
            primary = np.fft.irfft(_one_sided(spectrum[row]), STEPS)
            flux = np.empty(STEPS)
            steady(primary, self.knee_a, self.inductance_left, step, flux)
            taken = np.fft.rfft(magnetised(flux, self.knee_a, self.inductance_left))[:orders] * (2.0 / STEPS)
            found[row, 1:] -= (taken - magnetising[row])[1:]
        return found


def time_constant_s(delay_s: float) -> float:
    """`tau` of a transformer that leads by `delay_s` (negative: early) at the nominal frequency; infinite for none."""
    lead = math.tan(-2 * math.pi * NOMINAL_HZ * delay_s)
    return 1.0 / (2 * math.pi * NOMINAL_HZ * lead) if lead > 0 else math.inf


def magnetised(flux: Any, knee_a: float, left: float) -> Any:
    """The magnetising current of a flux."""
    inner = np.clip(flux, -knee_a, knee_a)
    return inner + (flux - inner) / left


@kernel
def around(primary: Any, knee: float, left: float, step: float, start: float, flux: Any) -> float:
    """The flux over a cycle from `start` by the trapezoidal rule, in closed form; `step`: half a step over tau."""
    y = start
    before = primary[len(primary) - 1]
    for n in range(len(primary)):
        m = min(max(y, -knee), knee)
        m += (y - m) / left
        known = y - step * m + step * (before + primary[n])
        y = known / (1.0 + step)
        if abs(y) > knee:
            edge = math.copysign(knee, y)
            y = edge + (known - edge * (1.0 + step)) / (1.0 + step / left)
        flux[n], before = y, primary[n]
    return y


@kernel
def steady(primary: Any, knee: float, left: float, step: float, flux: Any) -> None:
    """The flux of the periodic state: a cycle ends where it began.  That is where a falling function of the start is zero."""
    high = knee + left * np.abs(primary).max()
    low = -high
    for _ in range(BISECTIONS):
        start = (low + high) / 2
        if around(primary, knee, left, step, start, flux) > start:
            low = start
        else:
            high = start


def _one_sided(row: Any) -> Any:
    """A spectrum of peak values as `irfft` wants it."""
    found = np.zeros(STEPS // 2 + 1, np.complex128)
    found[: len(row)] = row * (STEPS / 2)
    found[0] *= 2
    return found
