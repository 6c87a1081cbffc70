"""Harmonics 0..40, THD and angles of the channels, on demand: each order demodulated at its multiple of the measured
frequency over the newest second under a Hann window.

For a stationary wave the leakage between orders is below 1e-5 of the larger one from 45 to 66 Hz, so no resampling is
needed.  The phase compensation of the calibration does not act here: the angle between voltage and current comes from the
chip's phasors.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from nyala.meter.sampled.waveform import HARMONICS
from nyala.meter.sampled.window import RATE_HZ, Floats

_HANN: Final = 1.0 - np.cos(2 * np.pi * (np.arange(RATE_HZ) + 0.5) / RATE_HZ)
_HANN.flags.writeable = False


@dataclass(frozen=True, slots=True, eq=False)
class Harmonics:
    """`rms` 7 x 41 in V and A: order 0 is the constant part; `deg` 7 x 41 against each channel's fundamental, as `Harmonic`
    counts them; `thd_percent` 7, of the fundamental, orders 2..40; 0 where there is none.
    """

    rms: Floats
    deg: Floats
    thd_percent: Floats


def harmonics(codes: Floats, f_hz: float, gains: Floats) -> Harmonics:
    """`codes` 7 x 8000 of a second; `gains` 7, V or A per code."""
    orders = np.arange(HARMONICS + 1)
    turn = np.exp(-2j * np.pi * f_hz / RATE_HZ * np.arange(RATE_HZ))
    basis = np.empty((RATE_HZ, len(orders)), np.complex128)
    basis[:, 0] = _HANN
    for order in orders[1:]:
        basis[:, order] = basis[:, order - 1] * turn
    peak: Any = codes @ basis * (2.0 / RATE_HZ * gains)[:, None]
    peak[:, 0] /= 2.0
    rms = np.abs(peak)
    rms[:, 1:] /= np.sqrt(2.0)
    fundamental = rms[:, 1]
    distortion = np.sqrt((rms[:, 2:] ** 2).sum(axis=1))
    thd = np.divide(100.0 * distortion, fundamental, out=np.zeros(len(rms)), where=fundamental > 0)
    angles = np.angle(peak * 1j)
    deg = np.degrees(angles - angles[:, 1:2] * orders)
    return Harmonics(rms, (deg + 180.0) % 360.0 - 180.0, thd)
