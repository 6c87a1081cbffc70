"""Self-heating of a current sensor: its temperature rises with the square of the current, with one time constant.

First order, exact for a current that is steady over a step: rise' = (end - rise) / tau with end = rise_k (I / at_a)**2.  The
specimen takes it forward once a second, outside the kernels; the temperature coefficient of the sensor acts on it.
Not here: heat from the other phases, from the terminals or from the electronics.
"""

import math
from dataclasses import dataclass

from nyala.meter.sampled.window import Floats


@dataclass(frozen=True, slots=True)
class Heating:
    """Of all current sensors of a model: `rise_k` above the ambient at `at_a` A RMS, when settled."""

    rise_k: float
    at_a: float
    time_constant_s: float
    source: str
    confidence: str

    def after(self, rise_k: Floats, squares_a2: Floats, seconds: float = 1.0) -> Floats:
        """Rises in K after some seconds at a steady mean square of the currents (A**2); one of each channel."""
        end = self.rise_k / self.at_a**2 * squares_a2
        return end + (rise_k - end) * math.exp(-seconds / self.time_constant_s)
