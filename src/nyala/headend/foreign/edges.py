"""Registers that come at any instant become intervals: the register at each interval edge, whole Wh, never more than was read.

A reading within `SNAP_S` of an edge stands for the edge; between two readings the register is taken to rise in a straight
line.  So the intervals sum to the register exactly, whatever comes when: what one interval has too much its neighbour has
too little, and each that is not between two readings on its edges is marked as estimated.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from nyala.vocab.quality import Quality

SNAP_S: Final = 30
"""A meter that reports on the hour is heard some seconds later."""
SPAN_MAX: Final = 4_096
"""Interval edges between two readings; beyond it (six weeks of 15 minutes) nothing is made up, and the count begins anew."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A register as it was read, and what it stood at on the last interval edge: `edge` is the index of that edge."""

    at_s: int
    wh: int
    edge: int
    edge_wh: int | None
    """None: not known, the first reading was later."""
    edge_read: bool
    """The edge's register was read, not interpolated."""


@dataclass(frozen=True, slots=True)
class Run:
    """Whole intervals that a reading completed; the register stood at `open_wh` where the first begins."""

    first: int
    open_wh: int
    values: tuple[int, ...]
    qualities: tuple[int, ...]


def begin(at_s: int, wh: int, period_s: int) -> Reading:
    """The first reading of a register: counting begins here where it is an edge, else at the next one."""
    at_s, on_edge = _snapped(at_s, period_s)
    return Reading(at_s, wh, at_s // period_s, wh if on_edge else None, on_edge)


def follow(last: Reading, at_s: int, wh: int, period_s: int) -> tuple[Reading, Run | None]:
    """The next reading, and the intervals that it completed; None where there are none.

    A reading that is not newer changes nothing; a register that fell, or a silence of more than `SPAN_MAX` edges, begins
    anew: the register was exchanged, or nobody knows how its energy was spread.
    """
    at_s, on_edge = _snapped(at_s, period_s)
    edge = at_s // period_s
    if at_s <= last.at_s:
        return last, None
    if wh < last.wh or edge - last.edge > SPAN_MAX:
        return begin(at_s, wh, period_s), None
    if edge == last.edge:
        return Reading(at_s, wh, edge, last.edge_wh, last.edge_read), None
    rise_wh, span_s = wh - last.wh, at_s - last.at_s
    edges_wh = [last.wh + rise_wh * (e * period_s - last.at_s) // span_s for e in range(last.edge + 1, edge + 1)]
    known = last.edge_wh is not None
    standing = edges_wh if last.edge_wh is None else [last.edge_wh, *edges_wh]
    values = tuple(after - before for before, after in pairwise(standing))
    read = last.edge_read and on_edge and len(values) == 1
    run = Run(last.edge + (not known), standing[0], values, (int(Quality.RAW if read else Quality.LINEAR),) * len(values))
    return Reading(at_s, wh, edge, edges_wh[-1], on_edge), run if values else None


def _snapped(at_s: int, period_s: int) -> tuple[int, bool]:
    """The instant, moved onto an edge that is near; whether it stands on one."""
    off_s = (at_s + SNAP_S) % period_s - SNAP_S
    return (at_s - off_s, True) if off_s <= SNAP_S else (at_s, False)
