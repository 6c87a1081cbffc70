"""Slots: each meter of a cell reports at an instant and on a channel of its own, as far as clocks can be trusted.

A cell is what hears each other: all gateways of a small network, or one.  It has lanes: a channel, and the spreading factors
that share it.  There are as many lanes as a gateway has demodulators, so that slots of different lanes may overlap and no
frame is turned away, and no lane shares a spreading factor with another of its channel.  A lane begins anew in each of some
windows of the period, the emptiest of which is filled first: what a meter says besides its report follows it at random, and
needs air around the slots.  In a window slots follow each other; a slot is the frame and a guard before and behind it, as
long as the clock may be off.  The end of the period is kept free for what is not planned: requests, answers, joins.

A meter keeps its slot while its frame fits into it.  Who has none, because all are taken or the clock is not known, goes on
at the instants of a hash.  The law is not changed by a slot: a meter listens before it talks and counts its air.

Not here: how a slot reaches a meter (`slotting`), and how a clock is measured (`health`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

from nyala.vocab.errors import BadArgumentError

SF_LANES: Final[dict[int, tuple[tuple[int, ...], ...]]] = {
    1: ((7, 8, 9, 10, 11, 12),),
    2: ((7, 8), (9, 10, 11, 12)),
}
"""Spreading factors of the lanes of a channel, by how many demodulators it has: halves of about equal time on the air."""
FIRST_MS: Final = 15_000
"""After an interval edge, at least: the registers of the edge are there, whatever the clock."""
RESERVED_MS: Final = 300_000
"""The end of each period."""
WINDOWS: Final = 64
"""Of a period, where they are long enough."""
WINDOW_LEAST_MS: Final = 10_000
"""Two of the longest slots."""
STEP_MS: Final = 10
"""Slots begin at multiples of it: a slot is said in so many."""
GUARD_LEAST_MS: Final = 35
"""Answers of the network's clock are good to 1/256 s, and 4 ppm are 15 ms in an hour."""
GUARD_MOST_MS: Final = 2_000
"""A clock that is further off is set before it gets a slot."""
_SPREAD: Final = (5**0.5 - 1) / 2
"""The golden section: windows in the order of its multiples leave the widest gaps between those that were begun."""
HOLES_MAX: Final = 64
"""Places of a lane that meters have left; more, and the shortest are not used again until the plan is made anew."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in the period of a cell.  `start_ms`: when the frame is to begin, after the begin of the period."""

    cell: int
    channel: int
    start_ms: int
    air_ms: int
    """The longest frame that it holds."""
    guard_ms: int

    @property
    def span_ms(self) -> tuple[int, int]:
        """From the begin of the guard before it to the end of the one behind it."""
        return self.start_ms - self.guard_ms, self.start_ms + self.air_ms + self.guard_ms


@dataclass(frozen=True, slots=True)
class Need:
    """What a meter needs: its cell, its spreading factor, the air of its report, and its clock."""

    meter_id: int
    cell: int
    sf: int
    air_ms: int
    clock_error_ms: int

    @property
    def guard_ms(self) -> int:
        """How far its clock may be off, and never less than what no clock is better than."""
        return max(self.clock_error_ms, GUARD_LEAST_MS)

    @property
    def length_ms(self) -> int:
        """Of its slot."""
        return -(-(self.air_ms + 2 * self.guard_ms) // STEP_MS) * STEP_MS


class _Lane:
    """What is taken of a lane in a window: all up to `end_ms`, but for the holes."""

    __slots__ = ("begin_ms", "channel", "end_ms", "holes", "until_ms")

    def __init__(self, channel: int, begin_ms: int, until_ms: int) -> None:
        self.channel, self.begin_ms, self.until_ms = channel, begin_ms, until_ms
        self.end_ms = begin_ms
        self.holes: list[tuple[int, int]] = []

    @property
    def taken_ms(self) -> int:
        """Of the window, holes and all."""
        return self.end_ms - self.begin_ms

    def place(self, length_ms: int) -> int | None:
        """The first free instant for so long, or None."""
        for index, (start_ms, end_ms) in enumerate(self.holes):
            if end_ms - start_ms >= length_ms:
                rest = (start_ms + length_ms, end_ms)
                self.holes[index : index + 1] = [rest] if rest[0] < end_ms else []
                return start_ms
        if self.end_ms + length_ms > self.until_ms:
            return None
        self.end_ms += length_ms
        return self.end_ms - length_ms

    def leave(self, start_ms: int, end_ms: int) -> None:
        """So much is free again; neighbouring holes become one."""
        holes: list[tuple[int, int]] = []
        for hole in sorted([*self.holes, (start_ms, end_ms)]):
            if holes and holes[-1][1] == hole[0]:
                holes[-1] = holes[-1][0], hole[1]
            else:
                holes.append(hole)
        if holes and holes[-1][1] == self.end_ms:
            self.end_ms = holes.pop()[0]
        while len(holes) > HOLES_MAX:
            holes.remove(min(holes, key=lambda hole: (hole[1] - hole[0], hole)))
        self.holes = holes


class SlotPlan:
    """The slots of all meters that report every `period_s`, in cells of `channels` channels and so many demodulators."""

    def __init__(self, period_s: int, channels: int, demodulators: int) -> None:
        lanes = demodulators // channels if channels else 0
        if lanes not in SF_LANES:
            raise BadArgumentError(
                f"{demodulators} demodulators for {channels} channels: {' or '.join(map(str, SF_LANES))} each"
            )
        room_ms = period_s * 1_000 - RESERVED_MS - FIRST_MS
        if room_ms < WINDOW_LEAST_MS:
            raise BadArgumentError(f"a period of {period_s} s has no room for slots")
        self._windows = min(room_ms // WINDOW_LEAST_MS, WINDOWS)
        self._window_ms = room_ms // self._windows // STEP_MS * STEP_MS
        self._channels, self._sets = channels, SF_LANES[lanes]
        self._lanes: dict[int, list[dict[tuple[int, int], _Lane]]] = {}
        """By cell and set: lanes by channel and begin of their window, in the order in which they are begun."""
        self._emptiest: dict[tuple[int, int], list[tuple[int, int, _Lane]]] = {}
        """By cell and set: heap of (taken, place in the order, lane), each lane once; what is taken may have moved since."""
        self._slots: dict[int, tuple[Slot, int]] = {}
        """By meter: its slot, and which set it is of."""

    def __len__(self) -> int:
        return len(self._slots)

    def slot(self, meter_id: int) -> Slot | None:
        """The slot of a meter."""
        kept = self._slots.get(meter_id)
        return None if kept is None else kept[0]

    def assign(self, need: Need) -> Slot | None:
        """The slot of a meter: the one it has where that still serves, or a new one; None where its clock is too far off, or
        all are taken.
        """
        kept, lanes = self._slots.get(need.meter_id), self._set_of(need.sf)
        if need.guard_ms > GUARD_MOST_MS:
            self.release(need.meter_id)
            return None
        if kept is not None and kept[1] == lanes and _serves(kept[0], need):
            return kept[0]
        self.release(need.meter_id)
        length_ms = need.length_ms
        self._cell(need.cell)
        waiting, tried, slot = self._emptiest[need.cell, lanes], list[tuple[int, int, _Lane]](), None
        while waiting and slot is None:
            taken_ms, place, lane = heappop(waiting)
            if taken_ms != lane.taken_ms:  # it moved since: it waits again where it belongs
                heappush(waiting, (lane.taken_ms, place, lane))
                continue
            begin_ms = lane.place(length_ms)
            slot = None if begin_ms is None else self._give(need, lanes, lane.channel, begin_ms)
            tried.append((lane.taken_ms, place, lane))
        for each in tried:
            heappush(waiting, each)
        return slot

    def restore(self, kept: Iterable[tuple[Need, int, int]]) -> None:
        """Goes on with slots that meters were told: (need, channel, start_ms) of each, into a plan that gave none yet.

        One that overlaps another, because what a meter needs is more now, is not kept.
        """
        for need, channel, start_ms in sorted(kept, key=lambda each: (each[1:], each[0].meter_id)):
            begin_ms, lanes = start_ms - (need.length_ms - need.air_ms) // 2, self._set_of(need.sf)
            lane = self._lane(need.cell, lanes, channel, begin_ms)
            if lane is not None and lane.end_ms <= begin_ms and begin_ms + need.length_ms <= lane.until_ms:
                if lane.end_ms < begin_ms:
                    lane.holes.append((lane.end_ms, begin_ms))
                lane.end_ms = begin_ms + need.length_ms
                self._give(need, lanes, channel, begin_ms)

    def _cell(self, cell: int) -> list[dict[tuple[int, int], _Lane]]:
        if cell not in self._lanes:
            windows = sorted(range(self._windows), key=lambda window: window * _SPREAD % 1)
            begins_ms = [FIRST_MS + window * self._window_ms for window in windows]
            order = [
                ((place + turn) % self._channels, begin)
                for turn in range(self._channels)
                for place, begin in enumerate(begins_ms)
            ]
            self._lanes[cell] = [
                {(channel, begin): _Lane(channel, begin, begin + self._window_ms) for channel, begin in order}
                for _ in self._sets
            ]
            for lanes, mine in enumerate(self._lanes[cell]):
                self._emptiest[cell, lanes] = [(0, place, lane) for place, lane in enumerate(mine.values())]
        return self._lanes[cell]

    def _lane(self, cell: int, lanes: int, channel: int, begin_ms: int) -> _Lane | None:
        """The lane of a slot that begins at an instant; None where there is none."""
        return self._cell(cell)[lanes].get((channel, begin_ms - (begin_ms - FIRST_MS) % self._window_ms))

    def _give(self, need: Need, lanes: int, channel: int, begin_ms: int) -> Slot:
        guard_ms = (need.length_ms - need.air_ms) // 2
        slot = Slot(need.cell, channel, begin_ms + guard_ms, need.air_ms, guard_ms)
        self._slots[need.meter_id] = slot, lanes
        return slot

    def release(self, meter_id: int) -> None:
        """A meter needs its slot no more."""
        kept = self._slots.pop(meter_id, None)
        if kept is not None:
            slot, lanes = kept
            begin_ms = slot.start_ms - slot.guard_ms
            length_ms = -(-(slot.air_ms + 2 * slot.guard_ms) // STEP_MS) * STEP_MS
            lane = self._lane(slot.cell, lanes, slot.channel, begin_ms)
            assert lane is not None
            lane.leave(begin_ms, begin_ms + length_ms)

    def _set_of(self, sf: int) -> int:
        for index, each in enumerate(self._sets):
            if sf in each:
                return index
        raise BadArgumentError(f"no lane takes spreading factor {sf}")


def _serves(slot: Slot, need: Need) -> bool:
    """A slot goes on serving: of the same cell, long enough, and no more than twice as long as needed."""
    has_ms, needs_ms = slot.air_ms + 2 * slot.guard_ms, need.air_ms + 2 * need.guard_ms
    return slot.cell == need.cell and needs_ms <= has_ms and slot.guard_ms >= need.guard_ms and has_ms <= 2 * needs_ms + STEP_MS
