"""Copies of one frame from several gateways become one group.  The window opens with the first copy.

A copy that comes after its group was closed is remembered for `MEMORY_US` and told apart from a replay.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from nyala.lorawan.network.port import Reception

MEMORY_US: Final = 2_000_000
"""How long a closed group is remembered: longer than backhauls differ, shorter than a device takes to repeat (3 s)."""
COPIES_LIMIT: Final = 64
"""Gateways that are kept of one group; further copies count but are not looked at."""


@dataclass(slots=True)
class Group:
    """The copies of one frame."""

    first_us: int
    receptions: list[Reception] = field(default_factory=list)
    closed: bool = False
    late: int = 0


class Deduplicator:
    """Groups by the bytes of the frame.  A device's own repeat (NbTrans) has the same bytes: the window tells it apart."""

    def __init__(self, window_us: int) -> None:
        self.window_us = window_us
        self.duplicates = 0
        self._groups: dict[bytes, Group] = {}
        self._open: deque[Group] = deque()
        self._closed: deque[tuple[int, bytes]] = deque()

    def add(self, reception: Reception, now_us: int) -> bool:
        """Takes a copy; False where it belongs to a group that was closed a short while ago (late copy or repeat)."""
        self._forget(now_us)
        group = self._groups.get(reception.phy)
        if group is None:
            group = self._groups[reception.phy] = Group(now_us)
            self._open.append(group)
        elif group.closed:
            self.duplicates += 1
            group.late += 1
            return False
        else:
            self.duplicates += 1
        if len(group.receptions) < COPIES_LIMIT:
            group.receptions.append(reception)
        return True

    def take_closed(self, now_us: int) -> list[Group]:
        """The groups whose window is over, oldest first, each once."""
        closed = []
        while self._open and self._open[0].first_us + self.window_us <= now_us:
            group = self._open.popleft()
            group.closed = True
            self._closed.append((now_us, group.receptions[0].phy))
            closed.append(group)
        return closed

    @property
    def next_us(self) -> int | None:
        """When the oldest window ends."""
        return self._open[0].first_us + self.window_us if self._open else None

    def oldest_journal(self) -> int | None:
        """The smallest journal number among the copies whose window is still open."""
        return min((r.journal for group in self._open for r in group.receptions), default=None)

    def _forget(self, now_us: int) -> None:
        while self._closed and self._closed[0][0] + MEMORY_US < now_us:
            del self._groups[self._closed.popleft()[1]]
