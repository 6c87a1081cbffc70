"""Phasor fidelity, every second, for all meters of a bank at once: the hot step of a fleet.

A second touches 128 bytes of energy per meter: 32-bit counters of mW-seconds, total and per phase.  Each half minute they
grow the segment of their row, and at the next edge (profile, demand, rate) the bank takes the segment into its registers.
Alarms are judged each second; only a row that could change its state costs more.  Currents come as parts in phase with
the voltage and lagging it by a quarter turn, as a phasor has them: no angle is computed.

All rows stand at the same instant, `now_s`; registers are current after `flush`.
"""

from itertools import pairwise
from typing import Final

import numpy as np

from nyala.meter.bank import Bank
from nyala.meter.fleet_kernels import BLOCK, BLOCK_COUNTERS, JUDGED, SCRATCH, Counters, Singles, grow, step

FOLD_S: Final = 30
"""A 32-bit counter holds this long at 140 kVA, beyond 1.3 Un and Imax of the largest model."""


class Fleet:
    """A bank that lives second by second.  Rows of one model are best kept together: they are worked on in runs."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.now_s = int(bank.now_s[0])
        self._all = np.arange(len(bank))
        self._counted_s = 0
        models = bank.models
        bounds = [0, *(i for i in range(1, len(models)) if models[i] is not models[i - 1]), len(models)]
        self._runs = list(pairwise(bounds))
        self._counters: Counters = np.zeros(-(-len(bank) // BLOCK) * BLOCK_COUNTERS, np.uint32)
        self._limit_mw = np.empty(len(bank), np.float32)
        self._scratch, self._flagged = np.zeros(SCRATCH, np.int32), np.zeros(JUDGED, np.int32)
        self._begin()

    def second(self, u_v: Singles, active_a: Singles, lagging_a: Singles) -> None:
        """One second of phasors, 3 x n each: voltage RMS, current in phase and lagging by a quarter turn."""
        self.now_s += 1
        s, phasors = self.bank.state, (u_v, active_a, lagging_a)
        for run in self._runs:
            step(s, self._counters, self._limit_mw, self._scratch, self._flagged, phasors, (*run, self.now_s))
        self._counted_s += 1
        if self.now_s >= self._stop_s:
            self.flush()
        elif self._counted_s == FOLD_S:
            self._fold()

    def flush(self) -> None:
        """Takes everything into the registers, through the edges and switches on the way."""
        self._fold()
        self.bank.segment_end_s[:] = self.now_s
        self.bank.advance(self._all, self.now_s, judged=True)
        self._begin()

    def _fold(self) -> None:
        grow(self.bank.state, self._counters)
        self._counted_s = 0

    def _begin(self) -> None:
        """A new segment for all rows, which ends at the first edge of any."""
        s = self.bank.state
        np.multiply(s.limit_w, 1000, out=self._limit_mw, casting="same_kind")
        s.segment_start_s[:] = self.now_s
        s.segment_mws[:] = 0
        s.phase_mws[:] = 0
        clock_s = np.stack((s.next_edge * s.period_s[0], s.next_sub * s.period_s[1], s.next_switch_s))
        self._stop_s = int((clock_s - s.offset_s).min())
