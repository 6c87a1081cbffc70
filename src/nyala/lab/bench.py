"""The bench: source, reference standard and pulse comparator around one specimen.

An error is measured on the pulse output as a laboratory does: after a change of load the specimen settles, then whole
numbers of pulses are timed from edge to edge, several readings in a row.  Energy by pulses against the reference's energy
of the same time: e = (E_pulses - E_ref) / E_ref.  Nothing is known of the specimen but its edges.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nyala.lab.load import Energy, TerminalLoad
from nyala.lab.reference import ReferenceStandard
from nyala.lab.result import Reading
from nyala.lab.specimen import US_PER_S, Specimen, pulse_constant
from nyala.lab.uncertainty import STATED_DIGITS, Budget, Component
from nyala.vocab.quantities import MWS_PER_WH

SETTLE_S: Final = 4
"""Time for the filters of a specimen after a change of load."""
PATIENCE: Final = 3
"""How many times the expected duration the bench waits for pulses."""
READ_NOTHING_PCT: Final = -100.0
WS_PER_KWH: Final = MWS_PER_WH
"""3.6 million: watt-seconds of a kWh, as milliwatt-seconds of a Wh."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long the bench measures: readings per point, and the least duration of one in seconds."""

    readings: int = 4
    reading_s: float = 10.0


QUICK: Final = Effort(2, 5.0)


class Bench:
    """One specimen under test."""

    def __init__(
        self,
        specimen: Specimen,
        reference: ReferenceStandard,
        effort: Effort | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self.specimen, self.reference, self.effort = specimen, reference, effort or Effort()
        self.model = specimen.model
        self.tested_s = 0
        self.say = progress or (lambda _: None)
        self._drift: dict[tuple[Energy, int], float] = {}

    def apply(self, load: TerminalLoad, seconds: int, energy: Energy) -> NDArray[np.int64]:
        """Puts a load on the specimen; the edges of one output in that time."""
        self.tested_s += seconds
        return self.specimen.apply(load, seconds).of(energy)

    def measure(self, load: TerminalLoad, energy: Energy, effort: Effort | None = None) -> Reading:
        """The error under a load: several readings in a row, each over whole pulses.

        A specimen that gives too few pulses within three times the expected duration is judged by what came, or reads -100 %.
        """
        effort = effort or self.effort
        rate = abs(load.power(energy)) * pulse_constant(self.model, energy) / WS_PER_KWH
        per_reading = max(1, math.ceil(rate * effort.reading_s))
        wanted = effort.readings * per_reading + 1
        self.apply(load, SETTLE_S, energy)
        edges, expected_s = np.zeros(0, np.int64), (wanted + 1) / rate
        waited_s, step_s = 0, math.ceil(expected_s) + 1
        while len(edges) < wanted and waited_s < PATIENCE * expected_s:
            edges = np.concatenate([edges, self.apply(load, step_s, energy)])
            waited_s, step_s = waited_s + step_s, max(1, math.ceil((wanted - len(edges)) / rate))
        if len(edges) < wanted:
            per_reading = len(edges) - 1
        marks = edges[:wanted:per_reading] if per_reading > 0 else edges[:0]
        errors = tuple(self._error_pct(load, energy, per_reading, int(b - a)) for a, b in pairwise(marks))
        if not errors:
            return Reading((READ_NOTHING_PCT,), len(edges), float(waited_s))
        return Reading(errors, per_reading * len(errors), float(marks[-1] - marks[0]) / US_PER_S)

    def _error_pct(self, load: TerminalLoad, energy: Energy, pulses: int, time_us: int) -> float:
        measured_ws = pulses * WS_PER_KWH / pulse_constant(self.model, energy)
        reference_ws = abs(self.reference.power(load, energy)) * time_us / US_PER_S
        return 100 * (measured_ws - reference_ws) / reference_ws

    def drift_pct_per_k(self, load: TerminalLoad, energy: Energy) -> float:
        """The specimen's temperature coefficient under a load, measured once per angle, 10 K below and above."""
        tangent = _tangent(load, energy)
        key = (energy, round(100 * tangent))
        if key not in self._drift:
            cold, warm = (replace(load, temperature_c=load.temperature_c + step) for step in (-10.0, 10.0))
            found = [self.measure(at, energy, QUICK).mean_pct for at in (cold, warm)]
            self._drift[key] = (found[1] - found[0]) / 20.0
        return self._drift[key]

    def budget(self, load: TerminalLoad, energy: Energy, reading: Reading, drift_pct_per_k: float) -> Budget:
        """The uncertainty budget of a reading."""
        data, n = self.reference.data, len(reading.errors_pct)
        angle_pct = 100 * math.radians(data.angle_deg) * _tangent(load, energy)
        timing_pct = 100 * data.timer_resolution_us / (US_PER_S * max(reading.seconds, 1e-6))
        band_pct = abs(drift_pct_per_k) * data.temperature_band_k
        return Budget(
            (
                Component("reference standard", data.accuracy_pct, "normal, k = 2", 2.0, common=True),
                Component("reference angle", angle_pct, "normal, k = 2", 2.0, common=True),
                Component("pulse timing", timing_pct, "triangular", math.sqrt(6)),
                Component("repeatability", reading.deviation_pct, "type A", math.sqrt(n), max(n - 1, 1)),
                Component("temperature", band_pct, "rectangular", math.sqrt(3)),
                Component("rounding", 0.5 * 10**-STATED_DIGITS, "rectangular", math.sqrt(3)),
            )
        )


def _tangent(load: TerminalLoad, energy: Energy) -> float:
    p, q = (abs(power) for power in load.powers())
    above, below = (q, p) if energy is Energy.ACTIVE else (p, q)
    return above / below
