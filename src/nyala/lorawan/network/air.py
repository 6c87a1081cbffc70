"""The transmit plan of one gateway: it is half-duplex, sends one frame at a time, and keeps the duty cycle of each sub-band.

Times are microseconds of the server.  Which gateway sends what is for `schedule`.
"""

from bisect import insort
from collections import deque
from collections.abc import Iterable
from typing import Final

from nyala.lorawan.regulation import PER_MILLE, SubBand
from nyala.vocab.time import US_PER_S

GUARD_US: Final = 5_000
"""Kept free between two frames of one gateway, and where gateways hear each other between theirs (the time to sense)."""
PLAN_LIMIT: Final = 256
"""Frames that may be planned at one gateway; beyond it nothing is free."""
DUTY_US: Final = 3_600 * US_PER_S
"""Over which a duty cycle is counted (ETSI EN 300 220-1 5.4: one hour)."""
LOAD_US: Final = 60 * US_PER_S
"""Over which the load of a gateway is looked at."""

Span = tuple[int, int, int]
"""Beginning, end, frequency in Hz."""


class GatewayAir:
    """When a gateway will be sending, and what it has sent."""

    def __init__(self) -> None:
        self.queued_until_us = 0
        """When the frames that wait for this gateway will be through."""
        self.listen_until_us = 0
        """A device that was told something urgent answers until then: only in windows is anything sent."""
        self.avoid_until_us = 0
        """It did not answer, or has no path: others are better until then."""
        self.unfit: dict[tuple[str, int], int] = {}
        """What it said it cannot do ("hz" or "dbm", value), and until when that is believed."""
        self.load_us = 0
        """Time on air within `LOAD_US`, what is planned included."""
        self._planned: list[Span] = []
        self._recent: deque[tuple[int, int]] = deque()
        self._duty: dict[SubBand, deque[tuple[int, int]]] = {}

    def is_free(self, start_us: int, length_us: int, others: Iterable[Span] = ()) -> bool:
        """Whether a frame of this length fits at this instant beside the plan and the frames of `others`."""
        return len(self._planned) < PLAN_LIMIT and self.earliest(start_us, length_us, others) == start_us

    def earliest(self, start_us: int, length_us: int, others: Iterable[Span] = ()) -> int:
        """The first instant at or after `start_us` where a frame of this length fits."""
        at_us = start_us
        for begin, end, _ in sorted([*self._planned, *others]):
            if at_us + length_us + GUARD_US <= begin:
                break
            at_us = max(at_us, end + GUARD_US)
        return at_us

    def allowed(self, band: SubBand, start_us: int, length_us: int) -> int | None:
        """The first instant at or after `start_us` where the duty cycle of a sub-band leaves room; None: it never does."""
        if band.per_mille >= PER_MILLE:
            return start_us
        budget_us = DUTY_US * band.per_mille // PER_MILLE - length_us
        if budget_us < 0:
            return None
        sent = self._duty.get(band, ())
        used_us, at_us = sum(size for end, size in sent if end + DUTY_US > start_us), start_us
        for end, size in sent:
            if used_us <= budget_us:
                break
            if end + DUTY_US > start_us:
                used_us, at_us = used_us - size, end + DUTY_US
        return at_us

    def reserve(self, start_us: int, length_us: int, frequency_hz: int = 0, band: SubBand | None = None) -> None:
        """Plans a frame."""
        end_us = start_us + length_us
        insort(self._planned, (start_us, end_us, frequency_hz))
        self._recent.append((end_us, length_us))
        self.load_us += length_us
        if band is not None and band.per_mille < PER_MILLE:
            self._duty.setdefault(band, deque()).append((end_us, length_us))

    def release(self, start_us: int, length_us: int, frequency_hz: int = 0, band: SubBand | None = None) -> None:
        """Takes a frame out of the plan that was certainly not sent."""
        end_us = start_us + length_us
        if (start_us, end_us, frequency_hz) in self._planned:
            self._planned.remove((start_us, end_us, frequency_hz))
        if (end_us, length_us) in self._recent:
            self._recent.remove((end_us, length_us))
            self.load_us -= length_us
        sent = self._duty.get(band) if band is not None else None
        if sent and (end_us, length_us) in sent:
            sent.remove((end_us, length_us))

    def spans(self, frequency_hz: int, width_hz: int) -> list[Span]:
        """What is planned on a channel."""
        return [span for span in self._planned if abs(span[2] - frequency_hz) < width_hz]

    def forget(self, now_us: int) -> None:
        """Drops what is over."""
        while self._planned and self._planned[0][1] < now_us:
            self._planned.pop(0)
        while self._recent and self._recent[0][0] + LOAD_US < now_us:
            self.load_us -= self._recent.popleft()[1]
        for sent in self._duty.values():
            while sent and sent[0][0] + DUTY_US < now_us:
                sent.popleft()
        if self.unfit:
            self.unfit = {what: until_us for what, until_us in self.unfit.items() if until_us > now_us}
