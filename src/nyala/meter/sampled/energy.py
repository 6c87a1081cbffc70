"""Energy of the windows in whole mW-seconds, and the no-load threshold with hysteresis.

The sum over the phases decides whether the meter registers, for P and for Q apart (as `nyala.meter.chip` judges creep).
Once it registers it goes on until the sum falls below `STOP` of the threshold.  What is below a mW-second is carried.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from nyala.meter.chip import PHASES, Integers
from nyala.meter.sampled.window import Floats

STOP: Final = 0.8
"""Share of the no-load threshold below which registering ends."""


def _rest() -> Floats:
    return np.zeros((PHASES, 2))


@dataclass(slots=True, eq=False)
class Integrator:
    """Turns powers of a second into energies; `threshold` W and var."""

    threshold: float
    rest_mws: Floats = field(default_factory=_rest)
    running: list[bool] = field(default_factory=lambda: [False, False])

    def second(self, powers: Floats) -> Integers:
        """Energies, 3 x 2 mWs and mvars, of `powers` (3 x 2: P W, Q var) over one second."""
        totals = np.abs(powers.sum(axis=0))
        self.running = [
            bool(total >= self.threshold * (STOP if on else 1.0)) for total, on in zip(totals, self.running, strict=True)
        ]
        exact = np.where(self.running, powers * 1_000.0 + self.rest_mws, self.rest_mws)
        whole = np.where(self.running, np.rint(exact), 0.0)
        self.rest_mws = exact - whole
        return whole.astype(np.int64)
