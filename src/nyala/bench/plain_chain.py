"""The arithmetic of the measurement chip in plain NumPy and SciPy: the baseline of `nyala bench metrology`, and the oracle that
tests hold the kernels of `nyala.meter.sampled` to.

Written as one would write it by hand, whole arrays at a time: round and clip, window, FIR phase compensation by `lfilter`,
products by `np.dot`.  Not here: synthesis, energy.
"""

import math
from typing import Any

import numpy as np

from nyala.meter.sampled.chain import VALUES
from nyala.meter.sampled.constants import CalibrationConstants
from nyala.meter.sampled.kernels import CENTRE, CHANNELS, HISTORY
from nyala.meter.sampled.window import FADE, RATE_HZ, SLOPE, SPAN, WEIGHT, Floats, response


class PlainChip:
    """As `nyala.meter.sampled.chain.Chip`, for three phases and a frequency that is near the reference."""

    def __init__(self, lsb: Floats, f_hz: float, constants: CalibrationConstants) -> None:
        self.lsb, self.f_hz = lsb, f_hz
        self.constants = constants.array()
        self.gains = np.concatenate([self.constants[:, 0], self.constants[:, 1], [constants.gain_n]]) * lsb
        self.codes = np.zeros((CHANNELS, HISTORY + RATE_HZ))
        self.taps = [self._fir(float(delay)) for delay in self.constants[:, 2] * RATE_HZ]

    @staticmethod
    def _fir(delay: float) -> Floats:
        """Impulse response of a delay of CENTRE + `delay` samples: cubic Lagrange."""
        whole = math.floor(delay)
        d, nodes = delay - whole, (-1, 0, 1, 2)
        taps = np.zeros(CENTRE + whole + 3)
        for node in nodes:
            others = [other for other in nodes if other != node]
            taps[CENTRE + whole + node] = math.prod((d - other) / (node - other) for other in others)
        return taps

    def second(self, wave: Floats, limit: float) -> tuple[Floats, Any, float]:
        """A second of terminal waves (7 x 8000, V and A): values 3 x 6, the phasors of U and I, the neutral in A."""
        from scipy.signal import lfilter  # noqa: PLC0415 - SciPy comes with the tests

        fresh = np.clip(np.rint(wave / self.lsb[:, None]), -limit, limit - 1)
        self.codes = np.concatenate([self.codes[:, RATE_HZ:], fresh], axis=1)
        first = HISTORY - FADE
        late = self.codes[:, first - CENTRE : first - CENTRE + SPAN]
        angle = 2 * np.pi * self.f_hz / RATE_HZ * np.arange(SPAN)
        cosine, sine = np.cos(angle), np.sin(angle)
        offset = self._offset(late, cosine, sine)
        tone = 2 / RATE_HZ / response(offset)
        values, phasors = np.zeros((3, VALUES)), np.zeros(6, np.complex128)
        for phase in range(3):
            u, i = late[phase], late[3 + phase]
            delayed = lfilter(self.taps[phase], 1.0, self.codes[3 + phase])[first : first + SPAN]
            windowed, current = WEIGHT * u, WEIGHT * i
            mean_u, mean_i = windowed.sum() / RATE_HZ, current.sum() / RATE_HZ
            in_v, in_a, row = self.gains[phase], self.gains[3 + phase], self.constants[phase]
            delay = (2 * np.pi * self.f_hz + offset * RATE_HZ) * row[2]
            phasors[phase] = complex(np.dot(windowed, cosine), -np.dot(windowed, sine)) * tone * in_v
            turned = complex(np.dot(current, cosine), -np.dot(current, sine)) * tone * in_a
            phasors[3 + phase] = turned * complex(math.cos(delay), -math.sin(delay))
            power = phasors[phase] * phasors[3 + phase].conjugate() / 2
            values[phase] = (
                math.sqrt(max((np.dot(windowed, u) / RATE_HZ - mean_u**2) * in_v**2 - row[5], 0.0)),
                math.sqrt(max((np.dot(current, i) / RATE_HZ - mean_i**2) * in_a**2 - row[6], 0.0)),
                (np.dot(windowed, delayed) / RATE_HZ - mean_u * mean_i) * in_v * in_a + row[3],
                power.imag + row[4],
                mean_u * in_v,
                mean_i * in_a,
            )
        neutral = WEIGHT * late[6]
        square = np.dot(neutral, late[6]) / RATE_HZ - (neutral.sum() / RATE_HZ) ** 2
        self.f_hz += offset * RATE_HZ / (2 * math.pi)
        return values, phasors, math.sqrt(max(square, 0.0)) * self.gains[6]

    def _offset(self, late: Floats, cosine: Floats, sine: Floats) -> float:
        """Frequency of the strongest voltage against the reference, radians per sample."""
        strongest = int(np.argmax([np.dot(WEIGHT * late[p], late[p]) * self.gains[p] ** 2 for p in range(3)]))
        wave = late[strongest]
        windowed, sloped = WEIGHT * wave, SLOPE * wave
        whole = complex(np.dot(windowed, cosine), -np.dot(windowed, sine))
        slope = complex(np.dot(sloped, cosine), -np.dot(sloped, sine))
        return math.asin(-(slope / whole).imag)
