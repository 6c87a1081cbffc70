"""Which device is to be looked at when: a heap with at most one instant that counts per device.  No clock."""

from heapq import heappop, heappush


class Timers:
    """An instant per key; asking for the next one does not look at all of them."""

    def __init__(self) -> None:
        self._due: dict[int, int] = {}
        self._heap: list[tuple[int, int]] = []
        """(instant, key): those that `_due` does not hold so were moved forward and are passed over."""

    def wake(self, key: int, at_us: int) -> None:
        """Looks at a key at this instant, or earlier where it was due before."""
        due_us = self._due.get(key)
        if due_us is None or at_us < due_us:
            self._due[key] = at_us
            heappush(self._heap, (at_us, key))

    @property
    def next_us(self) -> int | None:
        """The earliest instant; None: nothing is due."""
        heap, due = self._heap, self._due
        while heap and due.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else None

    def take(self, now_us: int) -> list[int]:
        """The keys that are due, the earliest first, each once."""
        taken: list[int] = []
        while (at_us := self.next_us) is not None and at_us <= now_us:
            key = heappop(self._heap)[1]
            del self._due[key]
            taken.append(key)
        return taken
