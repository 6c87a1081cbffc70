"""The transmit plan of one gateway: it is half-duplex and sends one frame at a time.  Times in microseconds of the server."""

from bisect import insort
from typing import Final

GUARD_US: Final = 5_000
"""Kept free between two frames of one gateway."""
PLAN_LIMIT: Final = 256
"""Frames that may be planned at one gateway; beyond it nothing is free."""


class GatewayAir:
    """When a gateway will be sending."""

    def __init__(self) -> None:
        self._planned: list[tuple[int, int]] = []

    def is_free(self, start_us: int, length_us: int) -> bool:
        """Whether a frame of this length fits at this instant."""
        end_us = start_us + length_us
        if len(self._planned) >= PLAN_LIMIT:
            return False
        return all(end_us + GUARD_US <= begin or end + GUARD_US <= start_us for begin, end in self._planned)

    def earliest(self, start_us: int, length_us: int) -> int:
        """The first instant at or after `start_us` where a frame of this length fits."""
        at_us = start_us
        for begin, end in self._planned:
            if at_us + length_us + GUARD_US <= begin:
                break
            at_us = max(at_us, end + GUARD_US)
        return at_us

    def reserve(self, start_us: int, length_us: int) -> None:
        """Plans a frame."""
        insort(self._planned, (start_us, start_us + length_us))

    def forget(self, before_us: int) -> None:
        """Drops what is over."""
        while self._planned and self._planned[0][1] < before_us:
            self._planned.pop(0)
