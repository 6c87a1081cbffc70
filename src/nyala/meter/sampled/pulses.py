"""The pulse output of one quantity: each 1/k of energy gives a pulse of 35 ms; none is ever dropped.

Energy is taken as spread evenly over its second, so an edge has a place within the second (in whole microseconds; a test
bench times it).  A pulse needs `PERIOD_US`: edges that come sooner wait.  At 1.3 Un and Imax the period of the sheet's meters
is 40.1 ms (reference metrology.md 1.7), so none waits for long there; beyond, the queue grows and runs off afterwards.
"""

from dataclasses import dataclass
from typing import Final

from nyala.vocab.quantities import MWS_PER_WH
from nyala.vocab.time import US_PER_S

WIDTH_US: Final = 35_000
"""Product sheet D: 35 ms."""
PERIOD_US: Final = 40_000
"""Shortest distance of two pulses: 35 ms on, 5 ms off."""


@dataclass(slots=True)
class PulseOutput:
    """One output.  `quantum_mws`: energy of a pulse; `rest_mws` since the last edge; `waiting`: edges not yet shown."""

    quantum_mws: int
    rest_mws: int = 0
    waiting: int = 0
    free_us: int = 0
    """When the output can begin its next pulse, from the start of the next second."""
    emitted: int = 0

    def second(self, energy_mws: int) -> tuple[int, ...]:
        """Takes the energy of a second (its magnitude counts) and gives the starts of its pulses in us, 0..999,999."""
        energy = abs(energy_mws)
        edges = [0] * self.waiting
        before, self.rest_mws = self.rest_mws, self.rest_mws + energy
        count, self.rest_mws = divmod(self.rest_mws, self.quantum_mws)
        edges += [-((before - k * self.quantum_mws) * US_PER_S // energy) for k in range(1, count + 1)]
        starts: list[int] = []
        for edge_us in edges:
            start_us = max(edge_us, self.free_us)
            if start_us >= US_PER_S:
                break
            starts.append(start_us)
            self.free_us = start_us + PERIOD_US
        self.waiting = len(edges) - len(starts)
        self.free_us = max(self.free_us - US_PER_S, 0)
        self.emitted += len(starts)
        return tuple(starts)


def output(pulses_per_kwh: int) -> PulseOutput:
    """An output of so many pulses per kWh or kvarh; the constant divides 3.6e9 mWs for every model."""
    quantum, left = divmod(1_000 * MWS_PER_WH, pulses_per_kwh)
    assert not left, "a pulse is not a whole number of mWs"
    return PulseOutput(quantum)
