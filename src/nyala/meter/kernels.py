"""What happens to a row as time passes: energy into registers, demand and profile at their edges.  Numba kernels on `State`.

Nothing here knows a calendar: a row that comes to its rate switch stops there and says so (`at_switch`).

The signal is a *segment* per row: energy per channel, spread evenly over [start, end).  What a segment gives up to an
instant is cut to whole mW-seconds, and a part is the difference of two such cuts, so that parts sum to the whole exactly
and splitting an advance in two changes nothing.
"""

import numpy as np
from numpy.typing import NDArray

from nyala.meter.alarms import watch
from nyala.meter.crystal import SLEW_PPB
from nyala.meter.state import CHANNELS, DEMANDS, FAR, Integers, State
from nyala.vocab.jit import kernel
from nyala.vocab.quantities import MWS_PER_WH, Channel
from nyala.vocab.time import NS_PER_S

OUTAGE = 1
"""Status bit of an interval, as `nyala.meter.bank.Status`."""
IMPORT, EXPORT, Q1, Q2, Q3, Q4, IMPORT_VA, EXPORT_VA = (int(channel) for channel in Channel)
EDGE, SUB, SWITCH = 1, 2, 4
"""What may be due where a row stops: an edge of the profile, the end of a demand sub-period, a rate switch."""
_DEMAND_OF = np.array([0, 1, 2, 2, 3, 3, 4, 5])
"""Demand that a channel counts in: +R is Q1 + Q2, -R is Q3 + Q4."""


@kernel
def split(p: int, q: int, idle: float, out: NDArray[np.int64]) -> None:
    """Signed active and reactive energy or power into the eight channels; parts below `idle` are nothing."""
    out[:] = 0
    if abs(p) < idle:
        p = 0
    if abs(q) < idle:
        q = 0
    apparent = np.int64(np.rint(np.hypot(float(p), float(q))))
    if p >= 0:
        out[IMPORT], out[IMPORT_VA] = p, apparent
        out[Q1 if q >= 0 else Q4] = abs(q)
    else:
        out[EXPORT], out[EXPORT_VA] = -p, apparent
        out[Q2 if q >= 0 else Q3] = abs(q)


@kernel
def split_phases(s: State, rows: NDArray[np.intp], p_mws: NDArray[np.int64], q_mvars: NDArray[np.int64]) -> None:
    """The segment of each phase: signed energies, rows x 3, into its own channels."""
    for k in range(rows.size):
        row = rows[k]
        length = s.segment_end_s[row] - s.segment_start_s[row]
        idle = s.no_load_w[row] * 1000 * length / s.phases[row]
        for phase in range(3):
            split(p_mws[k, phase], q_mvars[k, phase], idle, s.phase_mws[row, phase])


@kernel
def split_totals(s: State, rows: NDArray[np.intp], p_mws: NDArray[np.int64], q_mvars: NDArray[np.int64]) -> None:
    """The segment of the meter: the net sum over the phases decides the direction (product sheet C4)."""
    for k in range(rows.size):
        row = rows[k]
        idle = s.no_load_w[row] * 1000 * (s.segment_end_s[row] - s.segment_start_s[row])
        split(p_mws[k].sum(), q_mvars[k].sum(), idle, s.segment_mws[row])


@kernel
def _count(whole: NDArray[np.int64], rest: NDArray[np.int64], place: int, taken: int) -> None:
    left = rest[place] + taken
    if left >= MWS_PER_WH:
        whole[place] += left // MWS_PER_WH
        left %= MWS_PER_WH
    rest[place] = left


@kernel
def _integrate(s: State, rows: NDArray[np.intp], stops_s: NDArray[np.int64]) -> None:
    """Adds to each row its share of its segment up to its stop."""
    for k in range(rows.size):
        row, stop_s = rows[k], stops_s[k]
        elapsed_s = stop_s - s.now_s[row]
        if elapsed_s == 0:
            continue
        start_s = s.segment_start_s[row]
        length = max(s.segment_end_s[row] - start_s, 1)
        before, after = s.now_s[row] - start_s, stop_s - start_s
        whole = before == 0 and after == length
        live, rate, phases = s.powered[row] and s.closed[row], s.rate[row], s.phases[row]
        for channel in range(CHANNELS):
            energy = s.segment_mws[row, channel]
            if energy == 0:
                continue
            taken = energy if whole else energy * after // length - energy * before // length
            if live:
                _count(s.wh[row, channel], s.rest_mws[row, channel], 0, taken)
                _count(s.wh[row, channel], s.rest_mws[row, channel], rate, taken)
                s.demand_mws[row, _DEMAND_OF[channel]] += taken
            else:
                s.withheld_mws[row, channel] += taken
        for phase in range(phases if live else 0):
            for channel in range(CHANNELS):
                energy = s.phase_mws[row, phase, channel]
                if energy:
                    taken = energy if whole else energy * after // length - energy * before // length
                    _count(s.phase_wh[row, phase], s.phase_rest_mws[row, phase], channel, taken)
        slewed_ns = min(max(s.slew_ns[row], -elapsed_s * SLEW_PPB), elapsed_s * SLEW_PPB)
        s.slew_ns[row] -= slewed_ns
        s.clock_error_ns[row] += elapsed_s * s.drift_ppb[row] + slewed_ns
        s.now_s[row] = stop_s


@kernel
def read_clock(s: State, row: int) -> None:
    """Takes the drift into the whole seconds of the clock: at edges and switches only, which no split can move."""
    s.offset_s[row] = np.int64(np.rint(s.clock_error_ns[row] / NS_PER_S))


@kernel
def capture(s: State, row: int) -> None:
    """Writes the registers at the next edge of the load profile."""
    slot = s.next_edge[row] % s.edge_wh.shape[1]
    for place in range(s.profiled.size):
        s.edge_wh[row, slot, place] = s.wh[row, s.profiled[place], 0]
    s.edge_status[row, slot] = s.status[row]
    s.status[row] = 0 if s.powered[row] else OUTAGE
    s.next_edge[row] += 1


@kernel
def close_demand(s: State, row: int) -> None:
    """Ends a sub-period of a row."""
    sub_s, subs = s.period_s[1], s.period_s[2]
    slot, end_s, counts = s.next_sub[row] % subs, s.next_sub[row] * sub_s, s.spoiled[row] == 0
    sub_mws, running_mws, demand_w, max_w, max_at_s = (
        s.sub_mws[row],
        s.demand_mws[row],
        s.demand_w[row],
        s.max_w[row],
        s.max_at_s[row],
    )
    _demand(sub_mws, running_mws, demand_w, max_w, max_at_s, slot, subs * sub_s, end_s, s.rate[row], counts)
    s.spoiled[row] = max(s.spoiled[row] - 1, 0)
    s.next_sub[row] += 1


@kernel
def _demand(
    sub_mws: Integers,
    running_mws: Integers,
    demand_w: Integers,
    max_w: Integers,
    max_at_s: Integers,
    slot: int,
    period_s: int,
    end_s: int,
    rate: int,
    counts: bool,  # noqa: FBT001 - Numba knows no keyword-only
) -> None:
    """The demand of the whole period that ends with a sub-period, and the maxima if it `counts`."""
    for demand in range(DEMANDS):
        sub_mws[demand, slot] = running_mws[demand]
        running_mws[demand] = 0
        power_w = sub_mws[demand].sum() // (period_s * 1000)
        demand_w[demand] = power_w
        for column in (0, rate):
            if counts and power_w > max_w[demand, column]:
                max_w[demand, column], max_at_s[demand, column] = power_w, end_s


@kernel
def catch_up_demand(s: State, row: int, spoil: bool) -> None:  # noqa: FBT001 - Numba knows no keyword-only
    """The sub-periods that the clock has jumped over, or that passed without supply, end now; `spoil`: without a maximum."""
    sub_s, subs = s.period_s[1], s.period_s[2]
    running = (s.now_s[row] + s.offset_s[row]) // sub_s + 1
    if spoil:
        s.spoiled[row] = subs + 1
    for _ in range(min(running - s.next_sub[row], subs + 1)):
        close_demand(s, row)
    s.next_sub[row] = running
    if spoil:
        s.spoiled[row] = subs


@kernel
def _stops(s: State, rows: NDArray[np.intp], until_s: int, stops_s: NDArray[np.int64], due: NDArray[np.uint8]) -> int:
    """Where each row stops next and what is due there; rows that have arrived leave `rows`.  Answers how many are left."""
    left = 0
    for k in range(rows.size):
        row = rows[k]
        now_s, offset_s = s.now_s[row], s.offset_s[row]
        edge_s = sub_end_s = FAR
        if s.powered[row]:
            edge_s = s.next_edge[row] * s.period_s[0] - offset_s
            sub_end_s = s.next_sub[row] * s.period_s[1] - offset_s
        if now_s >= until_s and edge_s > now_s:
            continue
        switch_s = s.next_switch_s[row] - offset_s
        stop_s = max(min(edge_s, sub_end_s, switch_s, until_s), now_s)
        rows[left], stops_s[left] = row, stop_s
        due[left] = (
            (EDGE if edge_s <= stop_s else 0) | (SUB if sub_end_s <= stop_s else 0) | (SWITCH if switch_s <= stop_s else 0)
        )
        left += 1
    return left


@kernel
def _act(s: State, rows: NDArray[np.intp], due: NDArray[np.uint8]) -> int:
    """Does what is due at the stops; rows at their rate switch leave `rows`.  Answers how many are left."""
    left, ring, sub_s, subs = 0, s.edge_wh.shape[1], s.period_s[1], s.period_s[2]
    for k in range(rows.size):
        row = rows[k]
        if due[k] & EDGE:
            slot = s.next_edge[row] % ring
            for place in range(s.profiled.size):
                s.edge_wh[row, slot, place] = s.wh[row, s.profiled[place], 0]
            s.edge_status[row, slot] = s.status[row]
            s.status[row] = 0 if s.powered[row] else OUTAGE
            s.next_edge[row] += 1
        if due[k] & SUB:
            slot, end_s, counts = s.next_sub[row] % subs, s.next_sub[row] * sub_s, s.spoiled[row] == 0
            sub_mws, running_mws, demand_w = s.sub_mws[row], s.demand_mws[row], s.demand_w[row]
            max_w, max_at_s = s.max_w[row], s.max_at_s[row]
            _demand(sub_mws, running_mws, demand_w, max_w, max_at_s, slot, subs * sub_s, end_s, s.rate[row], counts)
            s.spoiled[row] = max(s.spoiled[row] - 1, 0)
            s.next_sub[row] += 1
        if due[k] & (EDGE | SWITCH):
            s.offset_s[row] = np.int64(np.rint(s.clock_error_ns[row] / NS_PER_S))
        if due[k] & SWITCH:
            s.at_switch[row] = True
        else:
            rows[left] = row
            left += 1
    return left


@kernel
def advance(s: State, rows: NDArray[np.intp], until_s: int, judged: bool) -> int:  # noqa: FBT001 - Numba knows no keyword-only
    """Takes rows towards `until_s`; answers how many of them stand at a rate switch, and are not there yet.

    All rows go from stop to stop together: a call with a `State` costs as much as the work on several rows.  `judged`:
    somebody else has looked at the alarms of that time.
    """
    under_way, started_s = rows.copy(), s.now_s[rows]
    stops_s, due = np.empty(rows.size, np.int64), np.empty(rows.size, np.uint8)
    while under_way.size:
        under_way = under_way[: _stops(s, under_way, until_s, stops_s, due)]
        _integrate(s, under_way, stops_s)
        under_way = under_way[: _act(s, under_way, due)]
    waiting = 0
    for k in range(rows.size):
        waiting += s.at_switch[rows[k]]
    if not judged:
        watch(s, rows, started_s)
    return waiting
