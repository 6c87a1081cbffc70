"""The mains: voltage per phase and frequency as functions of time.  Not a network: a load does not pull its voltage down.

Voltage is 230 V with each meter's own level, a slow daily swing, a sag in the evening and noise; the shares are bounded
so that it stays within 207-250 V.  Frequency is one for all.  Noise is drawn at the points of a time lattice by hashing
and is a straight line between them: any instant costs the same, none needs the one before.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nyala.meter.chip import PHASES, Floats, Integers
from nyala.meter.model import MeterModel
from nyala.sim.loads.source import PROFILE_STEP_S, WIB_S, draws, phase_mask
from nyala.vocab.time import DAY_S, HOUR_S

MAINS_DRAW: Final = 2**32 - 2
"""Stands for the mains in `draws`."""
NOMINAL_V: Final = 230.0
LEVEL_V: Final = 4.0
"""Each meter's own distance from nominal, up and down: where it sits on its feeder."""
UNBALANCE_V: Final = 1.5
SWING_V: Final = (1.0, 3.0)
"""Daily swing, highest at 03:00 local."""
SAG_V: Final = (2.0, 7.0)
"""Evening sag, deepest at 19:30 local."""
NOISE_V: Final = 2.5
NOMINAL_HZ: Final = 50.0
SLOW_HZ: Final = 0.03
FAST_HZ: Final = 0.012
_SWING_PEAK_S: Final = 3 * HOUR_S
_SAG_DEEPEST_S: Final = 19 * HOUR_S + HOUR_S // 2
_SAG_WIDTH_S: Final = 2 * HOUR_S

Keys = NDArray[np.uint64]


def _mix(values: Keys) -> Keys:
    """Scrambles 64 bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _lattice(keys: Keys, cells: Integers) -> Floats:
    """A number in [-1, 1) for each key and cell (broadcast)."""
    bits = _mix(keys + cells.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0


def noise(keys: Keys, instants_s: Integers, cell_s: int) -> Floats:
    """Noise in [-1, 1] at instants, a straight line within each cell of time (broadcast)."""
    cells, inside = np.divmod(instants_s, cell_s)
    share = inside / cell_s
    return _lattice(keys, cells) * (1 - share) + _lattice(keys, cells + 1) * share


class Mains:
    """The mains at n meters.  A meter's voltage depends on (seed, index), not on n."""

    def __init__(self, models: Sequence[MeterModel], seed: int, *, offset_s: int = WIB_S) -> None:
        n = len(models)
        rng = draws(seed, MAINS_DRAW)
        keys = _mix(np.arange(2 + n * PHASES, dtype=np.uint64) + np.uint64(rng.integers(2**63)))
        self._grid_keys, self._keys = keys[:2], keys[2:].reshape(n, PHASES)
        drawn = rng.random((n, 3 + PHASES))
        self._mask = phase_mask(models)
        self._base = NOMINAL_V + LEVEL_V * (2 * drawn[:, :1] - 1) + UNBALANCE_V * (2 * drawn[:, 3:] - 1)
        self._swing = SWING_V[0] + (SWING_V[1] - SWING_V[0]) * drawn[:, 1:2]
        self._sag = SAG_V[0] + (SAG_V[1] - SAG_V[0]) * drawn[:, 2:3]
        self._offset_s = offset_s

    def u_v(self, instant_s: int) -> Floats:
        """RMS voltage per phase, n x 3; a phase that a model does not have is 0.

        In the middle of a segment it is the segment's mean to within 0.01 V: the noise is a straight line there.
        """
        local_s = (instant_s + self._offset_s) % DAY_S
        swing = float(np.cos(2 * np.pi * (local_s - _SWING_PEAK_S) / DAY_S))
        sag = float(np.exp(-(((local_s - _SAG_DEEPEST_S) / _SAG_WIDTH_S) ** 2)))
        rough = noise(self._keys, np.array([[instant_s]], np.int64), PROFILE_STEP_S)
        voltage: Floats = np.where(self._mask, self._base + self._swing * swing - self._sag * sag + NOISE_V * rough, 0.0)
        return voltage

    def f_hz(self, instant_s: int) -> Floats:
        """Frequency, n."""
        slow = noise(self._grid_keys[:1], np.array([instant_s], np.int64), 5 * 60)
        fast = noise(self._grid_keys[1:], np.array([instant_s], np.int64), 60)
        return np.full(len(self._mask), NOMINAL_HZ + SLOW_HZ * float(slow[0]) + FAST_HZ * float(fast[0]))
