"""The metrology core of many meters: registers, rates, demand, load profile, alarms, clock, supply switch.  Pure.

A meter is a bank of one.  Rows may stand at different instants: `advance(rows, until)` takes each row from where it
stands to `until`, through every interval edge and rate switch on the way.  Splitting an advance in two changes nothing.
The arrays are in `nyala.meter.state`, what happens to them in `nyala.meter.kernels` and `nyala.meter.alarms`.

    set_segment    a signal of known energy per channel (profile fidelity); `set_terminals` adds what the phases see
    take_second    a second that the measurement chip has measured (phasor and sampled fidelity)

A row without supply measures nothing and its edges wait: when the power is back they are filled with the register that
did not move, marked OUTAGE.  Energy that was asked for while the switch was open or the supply gone is `withheld_mws`.
"""

from collections.abc import Callable, Sequence
from enum import IntFlag
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from nyala.meter import kernels
from nyala.meter.chip import Floats, Integers, Second
from nyala.meter.model import MeterModel
from nyala.meter.state import CHANNELS, FAR, SUBS_MAX, new_state
from nyala.meter.tariff import FLAT
from nyala.vocab.alarms import Alarm
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quantities import Channel

__all__ = ["CHANNELS", "PROFILE_CHANNELS", "RING_DAYS", "Bank", "Change", "RateProgram", "Status"]

RING_DAYS: Final = 45
"""Days of interval edges that the memory holds (reference telegrams.md 5: at least 45)."""
PROFILE_CHANNELS: Final = (Channel.IMPORT, Channel.EXPORT)
"""Channels of the load profile, unless others are asked for."""
DEMAND: Final = (900, 1)
"""Demand over 15 minutes (product sheet C6), block: sub-period in seconds, sub-periods in a period."""
DEMAND_TOLERANCE_PERCENT: Final = 1
"""A clock correction above this share of a sub-period spoils its demand."""
Rows = NDArray[np.intp]


class Status(IntFlag):
    """Status bits of an interval, set at the edge that ends it."""

    OUTAGE = kernels.OUTAGE
    CLOCK_SET = 2


class RateProgram(Protocol):
    """What a bank asks a calendar."""

    def rate_at(self, clock_s: int) -> int:
        """The rate (1..8) at an instant of the meter's clock."""

    def next_switch_s(self, clock_s: int) -> int:
        """The first instant after that at which something may change, local midnight included."""


class Change(NamedTuple):
    """An alarm that was raised or cleared.  `at_s` true time; `figure` in the unit of the alarm table."""

    row: int
    alarm: Alarm
    raised: bool
    at_s: int
    figure: float


class Bank:
    """n meters.  Arrays are indexed by row; they are changed in place and never replaced."""

    def __init__(
        self,
        models: Sequence[MeterModel],
        start_s: int,
        *,
        period_s: int = 900,
        ring_days: int = RING_DAYS,
        profiled: Sequence[Channel] = PROFILE_CHANNELS,
        demand: tuple[int, int] = DEMAND,
    ) -> None:
        if not 1 <= demand[1] <= SUBS_MAX or demand[0] % 60:
            raise BadArgumentError(f"a demand period of {demand[1]} times {demand[0]} s; 1 to {SUBS_MAX} of whole minutes")
        n = len(models)
        self.models, self.period_s, self.profiled, self.demand = tuple(models), period_s, tuple(profiled), demand
        self.programs: list[RateProgram] = [FLAT] * n
        self.state = s = new_state(models, start_s, profiled=profiled, period_s=period_s, ring_days=ring_days, demand=demand)
        self.ring = s.edge_wh.shape[1]
        self.now_s, self.wh, self.rest_mws, self.rate = s.now_s, s.wh, s.rest_mws, s.rate
        self.closed, self.powered, self.withheld_mws = s.closed, s.powered, s.withheld_mws
        self.segment_start_s, self.segment_end_s, self.segment_mws = s.segment_start_s, s.segment_end_s, s.segment_mws
        self.u_v, self.i_a, self.p_w, self.q_var, self.f_hz = s.u_v, s.i_a, s.p_w, s.q_var, s.f_hz
        self.clock_error_ns, self.drift_ppb, self.offset_s = s.clock_error_ns, s.drift_ppb, s.offset_s
        self.edge_wh, self.edge_status, self.status = s.edge_wh, s.edge_status, s.status
        self.next_edge, self.first_edge, self.next_switch_s = s.next_edge, s.first_edge, s.next_switch_s
        self.alarms = s.alarms
        self.listeners: dict[int, Callable[[], None]] = {}
        """Who is called when a row stands at a switch of its program, or its supply is back."""
        for row in range(n):
            kernels.capture(s, row)

    def __len__(self) -> int:
        return len(self.models)

    def set_program(self, row: int, program: RateProgram) -> None:
        """Gives a row its rates, from now on."""
        self.programs[row] = program
        kernels.read_clock(self.state, row)
        self._apply_rate(row)

    # -- the signal

    def set_segment(self, rows: Rows, end_s: int, energy_mws: Integers) -> None:
        """The signal of rows from where they stand until `end_s`: `energy_mws` rows x channels over that time."""
        self.segment_start_s[rows] = self.now_s[rows]
        self.segment_end_s[rows] = end_s
        self.segment_mws[rows] = energy_mws
        self.state.phase_mws[rows] = 0

    def set_terminals(self, rows: Rows, u_v: Floats, p_w: Floats, q_var: Floats, f_hz: Floats) -> None:
        """What stands at the terminals over the segment of rows: means per phase, rows x 3; currents follow from them."""
        self.u_v[rows], self.p_w[rows], self.q_var[rows], self.f_hz[rows] = u_v, p_w, q_var, f_hz
        self.i_a[rows] = np.divide(np.hypot(p_w, q_var), u_v, out=np.zeros_like(u_v), where=u_v > 0)
        length = (self.segment_end_s[rows] - self.segment_start_s[rows])[:, None]
        p_mws = np.rint(p_w * 1000).astype(np.int64) * length
        q_mvars = np.rint(q_var * 1000).astype(np.int64) * length
        kernels.split_phases(self.state, rows, p_mws, q_mvars)

    def take_second(self, rows: Rows, second: Second) -> None:
        """The signal of rows for one second from where they stand, as the chip has measured it."""
        s = self.state
        self.segment_start_s[rows] = self.now_s[rows]
        self.segment_end_s[rows] = self.now_s[rows] + 1
        kernels.split_totals(s, rows, second.energy_mws[:, :, 0], second.energy_mws[:, :, 1])
        kernels.split_phases(s, rows, second.energy_mws[:, :, 0], second.energy_mws[:, :, 1])
        s.u_v[rows], s.i_a[rows], s.p_w[rows], s.q_var[rows] = second.u_v, second.i_a, second.p_w, second.q_var
        s.neutral_a[rows], s.residual_a[rows], s.f_hz[rows] = second.neutral_a, second.residual_a, second.f_hz
        s.sequence[rows], s.u0_v[rows], s.dc_percent[rows] = second.sequence, second.u0_v, second.dc_percent

    # -- the clock

    def clock_s(self, row: int) -> int:
        """What the clock of a row shows, whole seconds."""
        return int(self.now_s[row] + self.offset_s[row])

    def set_clock(self, row: int, error_ns: int) -> None:
        """Corrects the clock of a row: `error_ns` is what remains of clock minus true time."""
        self.clock_error_ns[row], self.state.slew_ns[row] = error_ns, 0
        before = int(self.offset_s[row])
        kernels.read_clock(self.state, row)
        step_s = abs(int(self.offset_s[row]) - before)
        if step_s:
            self.status[row] |= Status.CLOCK_SET
            if self.powered[row]:
                kernels.catch_up_demand(self.state, row, step_s * 100 > self.demand[0] * DEMAND_TOLERANCE_PERCENT)
        if self.powered[row] and self.clock_s(row) // self.period_s - self.next_edge[row] > self.ring:
            self._fill(row, Status.CLOCK_SET)
        self._apply_rate(row)

    def slew_clock(self, row: int, step_ns: int) -> None:
        """Corrects the clock of a row by a small step, slowly: no interval is marked."""
        self.state.slew_ns[row] = step_ns

    # -- time

    def advance(self, rows: Rows, until_s: int, *, judged: bool = False) -> None:
        """Takes rows to `until_s` of true time (never back), within their segments.

        `judged`: whoever made the segment has looked at the alarms of that time.
        """
        rows = rows[self.now_s[rows] < until_s]
        assert np.all(self.segment_end_s[rows] >= until_s), "a meter was advanced beyond its signal"
        while rows.size and kernels.advance(self.state, rows, until_s, judged):
            rows = rows[self.state.at_switch[rows]]
            for row in rows.tolist():
                self.state.at_switch[row] = False
                self._stand_at_switch(row)

    def set_powered(self, row: int, *, powered: bool) -> None:
        """Takes away or gives back the supply of a row, now."""
        if self.powered[row] == powered:
            return
        self.powered[row] = powered
        self.status[row] |= Status.OUTAGE
        if powered:
            kernels.read_clock(self.state, row)
            self._fill(row, Status.OUTAGE)
            self.status[row] |= Status.OUTAGE
            kernels.catch_up_demand(self.state, row, False)
            self._stand_at_switch(row)

    # -- load profile

    def _fill(self, row: int, why: Status) -> None:
        """Fills the edges that passed without supply, or that a clock correction jumped over; the register did not move."""
        last = self.clock_s(row) // self.period_s
        self.next_edge[row] = max(int(self.next_edge[row]), last - self.ring + 1)
        while self.next_edge[row] <= last:
            self.status[row] |= why
            kernels.capture(self.state, row)

    def last_edge(self, row: int) -> int:
        """The newest edge of a row's profile: the end of its last whole interval."""
        return int(self.next_edge[row]) - 1

    def oldest_edge(self, row: int) -> int:
        """The oldest edge that the ring still holds."""
        oldest: int = max(int(self.first_edge[row]), int(self.next_edge[row]) - self.ring)
        return oldest

    def edges(self, row: int, first: int, count: int) -> tuple[Integers, NDArray[np.uint8]]:
        """Register readings (count + 1 x profile channels) at edges first..first+count, and the status of the intervals.

        Interval i is between edge i and i + 1.  The caller stays within `oldest_edge` and `last_edge`.
        """
        assert self.oldest_edge(row) <= first
        assert first + count <= self.last_edge(row)
        slots = np.arange(first, first + count + 1) % self.ring
        return self.edge_wh[row, slots], self.edge_status[row, slots[1:]]

    def _stand_at_switch(self, row: int) -> None:
        if row in self.listeners:
            self.listeners[row]()
        self._apply_rate(row)

    def _apply_rate(self, row: int) -> None:
        clock_s = self.clock_s(row)
        self.rate[row] = self.programs[row].rate_at(clock_s)
        self.next_switch_s[row] = min(self.programs[row].next_switch_s(clock_s), FAR)

    # -- demand and alarms

    def reset_demand(self, row: int) -> Integers:
        """Begins a new billing period: the maxima fall to 0; answers (2 x demands x columns) them and their clock times."""
        s = self.state
        ended = np.stack((s.max_w[row], s.max_at_s[row]))
        s.max_w[row] = s.max_at_s[row] = 0
        return ended

    def set_alarm(self, alarm: Alarm, on: float, off: float, delay_s: int) -> None:
        """Other thresholds and delays of an alarm, for all rows."""
        s = self.state
        if (on < off) != bool(s.alarm_low[alarm]) or on == off or delay_s < 0:
            raise BadArgumentError(f"{alarm.name}: on {on}, off {off}, delay {delay_s} s")
        s.alarm_on[alarm], s.alarm_off[alarm], s.alarm_delay_s[alarm] = on, off, delay_s

    def take_changes(self) -> list[Change]:
        """Alarms that were raised or cleared since this was asked last, in order of time."""
        s = self.state
        found: list[Change] = []
        for row in np.flatnonzero(s.flipped).tolist():
            flipped, active = int(s.flipped[row]), int(s.alarms[row])
            s.flipped[row] = 0
            found += [
                Change(row, bit, bool(active >> bit & 1), int(s.changed_s[row, bit]), float(s.figure[row, bit]))
                for bit in Alarm
                if flipped >> bit & 1
            ]
        return sorted(found, key=lambda change: change.at_s)
