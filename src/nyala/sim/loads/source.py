"""What every load source is: the signal at the terminals of all meters, one segment of time after another.  Pure.

A source is a function of (seed, start): asked twice, or in another order, it says the same.  A meter's signal depends on
its index and model, not on who else is in the fleet.  Sign convention and channels as `nyala.meter.chip`.

Two steps of the world: 60 s is phasor fidelity, 900 s is profile fidelity.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.random import Generator, Philox, SeedSequence
from numpy.typing import NDArray

from nyala.meter.chip import PHASES, Floats, Integers
from nyala.meter.model import MeterModel
from nyala.vocab.errors import BadArgumentError

PHASOR_STEP_S: Final = 60
PROFILE_STEP_S: Final = 900
STEPS_S: Final = (PHASOR_STEP_S, PROFILE_STEP_S)
WIB_S: Final = 7 * 3600
"""Local time minus UTC in western Indonesia.  Habits are local; Indonesia has no daylight saving."""
METERS_MAX: Final = 1_000_000
"""Meters of one source: the arrays of one step alone then take 150 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """The signal of n meters from the asked start until `end_s`.  Arrays are read-only.

    `energy_mws` n x 8 channels, mW-, mvar- and mVA-seconds over the segment, never negative.  `u_v`, `p_w`, `q_var`
    n x 3, means per phase (a phase that a model does not have is 0).  `f_hz` n.
    """

    end_s: int
    energy_mws: Integers
    u_v: Floats
    p_w: Floats
    q_var: Floats
    f_hz: Floats

    def __post_init__(self) -> None:
        for array in (self.energy_mws, self.u_v, self.p_w, self.q_var, self.f_hz):
            array.flags.writeable = False


class LoadSource(Protocol):
    """The load side of the simulated world."""

    step_s: int

    def segments(self, start_s: int) -> Segments:
        """The signal over [start_s, start_s + step_s); `start_s` (UTC) is a multiple of `step_s`."""
        ...


def checked_step(step_s: int) -> int:
    """The step itself; BadArgumentError for one that is not in `STEPS_S`."""
    if step_s not in STEPS_S:
        raise BadArgumentError(f"a load source steps by {' or '.join(map(str, STEPS_S))} s, not {step_s}")
    return step_s


def checked_models(models: Sequence[MeterModel]) -> tuple[MeterModel, ...]:
    """The models as a tuple; BadArgumentError for more than `METERS_MAX`."""
    if len(models) > METERS_MAX:
        raise BadArgumentError(f"{len(models)} meters; at most {METERS_MAX}")
    return tuple(models)


def draws(seed: int, *path: int) -> Generator:
    """The random numbers of one thing in the world; BadArgumentError for a negative seed."""
    if seed < 0:
        raise BadArgumentError(f"a seed is never negative: {seed}")
    return Generator(Philox(SeedSequence([seed, *path])))


def phase_mask(models: Sequence[MeterModel]) -> NDArray[np.bool_]:
    """Which phases each model has, n x 3."""
    counts = np.array([model.phases for model in models], np.int64).reshape(-1, 1)
    mask: NDArray[np.bool_] = np.arange(PHASES) < counts
    return mask


def split_evenly(total: Floats, mask: NDArray[np.bool_]) -> Floats:
    """A total per meter (n) shared by the phases that it has, n x 3."""
    shared: Floats = np.where(mask, (total / mask.sum(axis=1))[:, None], 0.0)
    return shared
