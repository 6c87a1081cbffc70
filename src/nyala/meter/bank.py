"""The metrology core of many meters as arrays: registers, rates, load profile, clock, supply switch.  Pure.

A meter is a bank of one.  Rows may stand at different instants: `advance(rows, until)` takes each row from where it
stands to `until`, through every interval edge and rate switch on the way.  Splitting an advance in two changes nothing.

The signal is a *segment* per row: energy per channel, spread evenly over [start, end).  What a segment gives up to an
instant is cut to whole mW-seconds, and a part is the difference of two such cuts, so that parts sum to the whole exactly.
Phasor fidelity gives a segment constant powers; profile fidelity gives it the energies of a load series.

    energy   int64 whole Wh in `wh`, int64 remainder below 1 Wh in `rest_mws`; total (column 0) and rates 1..8
    time     whole seconds of true time in `now_s`; the meter's clock is off by `clock_error_ns`, grown by `drift_ppb`
    profile  ring of register readings in whole Wh at each interval edge of the meter's clock, with status bits

A row without supply measures nothing and its edges wait: when the power is back they are filled with the register that
did not move, marked OUTAGE.  Energy that was asked for while the switch was open or the supply gone is `withheld_mws`.
"""

from collections.abc import Sequence
from enum import IntFlag
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nyala.meter.chip import PHASES, Integers
from nyala.meter.model import MeterModel
from nyala.meter.tariff import FLAT, DayProgram
from nyala.vocab.quantities import MWS_PER_WH, RATES, Channel
from nyala.vocab.time import DAY_S, NS_PER_S

CHANNELS: Final = len(Channel)
RING_DAYS: Final = 45
"""Days of interval edges that the memory holds (reference telegrams.md 5: at least 45)."""
PROFILE_CHANNELS: Final = (Channel.IMPORT, Channel.EXPORT)
"""Channels of the load profile."""
Rows = NDArray[np.intp]
_FAR: Final = np.iinfo(np.int64).max // 4


class Status(IntFlag):
    """Status bits of an interval, set at the edge that ends it."""

    OUTAGE = 1
    CLOCK_SET = 2


class Bank:
    """State of n meters.  Arrays are indexed by row; nothing else may change them."""

    def __init__(self, models: Sequence[MeterModel], start_s: int, *, period_s: int = 900, ring_days: int = RING_DAYS) -> None:
        n = len(models)
        self.models = tuple(models)
        self.period_s = period_s
        self.ring = ring_days * DAY_S // period_s
        self.now_s = np.full(n, start_s, np.int64)
        self.wh = np.zeros((n, CHANNELS, 1 + RATES), np.int64)
        self.rest_mws = np.zeros((n, CHANNELS, 1 + RATES), np.int64)
        self.rate = np.ones(n, np.int64)
        self.programs: list[DayProgram] = [FLAT] * n
        self.closed = np.ones(n, bool)
        self.powered = np.ones(n, bool)
        self.withheld_mws = np.zeros((n, CHANNELS), np.int64)
        self.segment_start_s = np.full(n, start_s, np.int64)
        self.segment_end_s = np.full(n, start_s, np.int64)
        self.segment_mws = np.zeros((n, CHANNELS), np.int64)
        self.u_v = np.zeros((n, PHASES))
        self.p_w = np.zeros((n, PHASES))
        self.q_var = np.zeros((n, PHASES))
        self.f_hz = np.full(n, 50.0)
        self.clock_error_ns = np.zeros(n, np.int64)
        self.drift_ppb = np.zeros(n, np.int64)
        self.offset_s = np.zeros(n, np.int64)
        self.status = np.zeros(n, np.uint8)
        self.edge_wh = np.zeros((n, self.ring, len(PROFILE_CHANNELS)), np.int64)
        self.edge_status = np.zeros((n, self.ring), np.uint8)
        self.next_edge = np.full(n, start_s // period_s, np.int64)
        self.first_edge = self.next_edge.copy()
        self.next_switch_s = np.full(n, _FAR, np.int64)
        self.no_load_w = np.array([model.no_load_w for model in models])
        self._capture(np.arange(n))

    def __len__(self) -> int:
        return len(self.models)

    def set_program(self, row: int, program: DayProgram) -> None:
        """Gives a row its rates, from now on."""
        self.programs[row] = program
        self._read_clock(np.array([row]))
        self._apply_rate(row)

    def set_segment(self, rows: Rows, end_s: int, energy_mws: Integers) -> None:
        """The signal of rows from where they stand until `end_s`: `energy_mws` rows x channels over that time."""
        self.segment_start_s[rows] = self.now_s[rows]
        self.segment_end_s[rows] = end_s
        self.segment_mws[rows] = energy_mws

    def clock_s(self, row: int) -> int:
        """What the clock of a row shows, whole seconds."""
        return int(self.now_s[row] + self.offset_s[row])

    def set_clock(self, row: int, error_ns: int) -> None:
        """Corrects the clock of a row: `error_ns` is what remains of clock minus true time."""
        self.clock_error_ns[row] = error_ns
        before = int(self.offset_s[row])
        self._read_clock(np.array([row]))
        if self.offset_s[row] != before:
            self.status[row] |= Status.CLOCK_SET
        if self.powered[row] and self.clock_s(row) // self.period_s - self.next_edge[row] > self.ring:
            self._fill(row, Status.CLOCK_SET)
        self._apply_rate(row)

    # -- time

    def advance(self, rows: Rows, until_s: int) -> None:
        """Takes rows to `until_s` of true time (never back), within their segments."""
        rows = rows[self.now_s[rows] < until_s]
        assert np.all(self.segment_end_s[rows] >= until_s), "a meter was advanced beyond its signal"
        while rows.size:
            edge_s, switch_s = self._next_stops(rows)
            stop_s = np.maximum(np.minimum(np.minimum(edge_s, switch_s), until_s), self.now_s[rows])
            self._integrate(rows, stop_s)
            self._capture(rows[edge_s <= stop_s])
            self._read_clock(rows[(edge_s <= stop_s) | (switch_s <= stop_s)])
            for row in rows[switch_s <= stop_s]:
                self._apply_rate(int(row))
            edge_s, _ = self._next_stops(rows)
            rows = rows[(self.now_s[rows] < until_s) | (edge_s <= self.now_s[rows])]

    def _next_stops(self, rows: Rows) -> tuple[Integers, Integers]:
        """True time of the next interval edge and of the next rate switch of each row."""
        offset_s = self.offset_s[rows]
        edge_s = self.next_edge[rows] * self.period_s - offset_s
        return np.where(self.powered[rows], edge_s, _FAR), self.next_switch_s[rows] - offset_s

    def set_powered(self, row: int, *, powered: bool) -> None:
        """Takes away or gives back the supply of a row, now."""
        if self.powered[row] == powered:
            return
        self.powered[row] = powered
        self.status[row] |= Status.OUTAGE
        if powered:
            self._read_clock(np.array([row]))
            self._fill(row, Status.OUTAGE)
            self.status[row] |= Status.OUTAGE
            self._apply_rate(row)

    def _read_clock(self, rows: Rows) -> None:
        """Takes the drift into the whole seconds of the clock: at edges and switches only, which no split can move."""
        self.offset_s[rows] = np.rint(self.clock_error_ns[rows] / NS_PER_S).astype(np.int64)

    def _integrate(self, rows: Rows, stop_s: Integers) -> None:
        """Adds each row's share of its segment up to `stop_s`."""
        start_s, energy = self.segment_start_s[rows], self.segment_mws[rows]
        length = np.maximum(self.segment_end_s[rows] - start_s, 1)[:, None]
        before, after = (self.now_s[rows] - start_s)[:, None], (stop_s - start_s)[:, None]
        taken = energy * after // length - energy * before // length
        live = (self.powered[rows] & self.closed[rows])[:, None]
        self.withheld_mws[rows] += np.where(live, 0, taken)
        taken = np.where(live, taken, 0)
        self._add(rows, np.zeros(len(rows), np.int64), taken)
        self._add(rows, self.rate[rows], taken)
        elapsed = stop_s - self.now_s[rows]
        self.clock_error_ns[rows] += elapsed * self.drift_ppb[rows]
        self.now_s[rows] = stop_s

    def _add(self, rows: Rows, column: Integers, energy_mws: Integers) -> None:
        whole, rest = np.divmod(self.rest_mws[rows, :, column] + energy_mws, MWS_PER_WH)
        self.wh[rows, :, column] += whole
        self.rest_mws[rows, :, column] = rest

    # -- load profile

    def _capture(self, rows: Rows) -> None:
        """Writes the registers at the next edge of each row."""
        slot = self.next_edge[rows] % self.ring
        self.edge_wh[rows, slot] = self.wh[rows][:, PROFILE_CHANNELS, 0]
        self.edge_status[rows, slot] = self.status[rows]
        self.status[rows] = np.where(self.powered[rows], 0, Status.OUTAGE)
        self.next_edge[rows] += 1

    def _fill(self, row: int, why: Status) -> None:
        """Fills the edges that passed without supply, or that a clock correction jumped over; the register did not move."""
        last = self.clock_s(row) // self.period_s
        self.next_edge[row] = max(int(self.next_edge[row]), last - self.ring + 1)
        while self.next_edge[row] <= last:
            self.status[row] |= why
            self._capture(np.array([row]))

    def last_edge(self, row: int) -> int:
        """The newest edge of a row's profile: the end of its last whole interval."""
        return int(self.next_edge[row]) - 1

    def oldest_edge(self, row: int) -> int:
        """The oldest edge that the ring still holds."""
        return max(int(self.first_edge[row]), int(self.next_edge[row]) - self.ring)

    def edges(self, row: int, first: int, count: int) -> tuple[Integers, NDArray[np.uint8]]:
        """Register readings (count + 1 x profile channels) at edges first..first+count, and the status of the intervals.

        Interval i is between edge i and i + 1.  The caller stays within `oldest_edge` and `last_edge`.
        """
        assert self.oldest_edge(row) <= first
        assert first + count <= self.last_edge(row)
        slots = np.arange(first, first + count + 1) % self.ring
        return self.edge_wh[row, slots], self.edge_status[row, slots[1:]]

    def _apply_rate(self, row: int) -> None:
        clock_s = self.clock_s(row)
        self.rate[row] = self.programs[row].rate_at(clock_s)
        self.next_switch_s[row] = self.programs[row].next_switch_s(clock_s)
