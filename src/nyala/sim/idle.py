"""A load source that falls idle: what a world lives on while a simulation drains, after the run has ended."""

import numpy as np

from nyala.sim.loads.source import LoadSource, Segments


class IdleAfter:
    """Another source until `end_s`; then its last voltages and no power.  A file need not be longer than the run."""

    def __init__(self, loads: LoadSource, end_s: int) -> None:
        self.step_s = loads.step_s
        self._loads, self._end_s = loads, end_s

    def segments(self, start_s: int) -> Segments:
        """The signal over [start_s, start_s + step_s)."""
        if start_s < self._end_s:
            return self._loads.segments(start_s)
        last = self._loads.segments(self._end_s - self.step_s)
        zero = np.zeros_like(last.p_w)
        return Segments(start_s + self.step_s, np.zeros_like(last.energy_mws), last.u_v, zero, zero.copy(), last.f_hz)
