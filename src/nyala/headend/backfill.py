"""Gaps and back-fill: what a meter has not told is asked for, one run at a time, within a budget of open requests.

A gap is an interval that is older than two reports and still missing: the report that carried it was lost, and so was the
next one, which repeats it where the data rate allows.  A request that brings nothing is tried again later and later, and
given up after `ATTEMPTS_MAX`; estimation then fills what is left.
"""

from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

from nyala.headend.foreign.mapping import foreign_model
from nyala.headend.registry import MeterRecord, Registry
from nyala.lorawan.network.port import Downlink
from nyala.mdm.book import Book
from nyala.telegram import messages
from nyala.telegram.kinds import Opcode, Port
from nyala.telegram.messages import SEQUENCES, Command
from nyala.vocab.quantities import Channel
from nyala.vocab.time import US_PER_S

PROFILE: Final = (Channel.IMPORT, Channel.EXPORT)
"""Channels that every meter of ours reports."""
SCAN_US: Final = 300 * US_PER_S
"""How often all meters are looked at."""
GRACE_S: Final = 300
"""After the second report was due."""
REQUEST_MAX: Final = 96
"""Intervals of one request: a day of 15 minutes, six telegrams."""
OPEN_MAX: Final = 8
"""Requests that may be open at once: each costs the gateway's ears for a downlink."""
ANSWER_US: Final = 60 * US_PER_S
"""Until an open request counts as failed: a day at SF10 takes this long."""
BACK_OFF_US: Final = 120 * US_PER_S
BACK_OFF_MAX_US: Final = 6 * 3_600 * US_PER_S
ATTEMPTS_MAX: Final = 40
"""Requests without any result before a gap is given up: several days of trying."""


def expected_to(period_s: int, report_s: int, now_us: int) -> int:
    """Every interval before this index should have come by now."""
    return (now_us // US_PER_S - 2 * report_s - GRACE_S) // period_s


def profile_of(meter: MeterRecord) -> tuple[Channel, ...]:
    """The channels of a meter that intervals are expected of."""
    model = foreign_model(meter.model)
    return PROFILE if model is None else tuple(channel for channel in model.channels if channel in PROFILE)


@dataclass(slots=True)
class _Gap:
    """A meter with a gap.  It stands in one place: it has its turn, or a timer."""

    attempts: int = 0
    next_us: int = 0
    """Not asked for again before."""
    open: bool = False
    """A request is open, until its timer ends."""
    waiting: bool = False
    """The downlink of the request has not left yet."""


class Backfill:
    """The gaps of all meters."""

    def __init__(self, registry: Registry, book: Book) -> None:
        self.requests = self.given_up = 0
        self._registry, self._book = registry, book
        self._gaps: dict[int, _Gap] = {}
        self._turns: deque[int] = deque()
        """Meters that may be asked as soon as the budget allows it, in their order."""
        self._timers: list[tuple[int, int]] = []
        """Heap of (instant, meter) of those that may not be asked yet."""
        self._open = 0
        self._next_scan_us = 0

    @property
    def next_us(self) -> int:
        """When `poll` has something to do."""
        if self._turns and self._open < OPEN_MAX:
            return 0
        return min(self._next_scan_us, self._timers[0][0]) if self._timers else self._next_scan_us

    def progressed(self, meter_id: int) -> None:
        """New intervals came: the attempts for this meter are counted anew."""
        gap = self._gaps.get(meter_id)
        if gap is not None:
            gap.attempts = 0

    def poll(self, now_us: int) -> list[Downlink]:
        """Looks for gaps when it is time, and asks for the next ones that the budget allows."""
        if now_us >= self._next_scan_us:
            self._next_scan_us = now_us + SCAN_US
            for meter in self._registry:
                self._look(meter, now_us)
        while self._timers and self._timers[0][0] <= now_us:
            _, meter_id = heappop(self._timers)
            gap = self._gaps[meter_id]
            self._close(gap)
            if gap.next_us > now_us:
                heappush(self._timers, (gap.next_us, meter_id))
            else:
                self._turns.append(meter_id)
        downlinks: list[Downlink] = []
        while self._turns and self._open < OPEN_MAX:
            downlinks += self._turn(self._turns.popleft(), now_us)
        return downlinks

    def _close(self, gap: _Gap) -> None:
        self._open -= gap.open
        gap.open = False

    def _turn(self, meter_id: int, now_us: int) -> list[Downlink]:
        """A meter has its turn: asks it, lets it wait, or forgets it where nothing is missing any more."""
        gap, meter = self._gaps[meter_id], self._registry.meter(meter_id)
        if gap.waiting:
            heappush(self._timers, (now_us + US_PER_S, meter_id))
            return []
        run = self._next_run(meter, now_us)
        if run is None:
            del self._gaps[meter_id]
            return []
        if gap.attempts >= ATTEMPTS_MAX:
            self.given_up += 1
            gap.attempts, gap.next_us = 0, now_us + BACK_OFF_MAX_US
            heappush(self._timers, (gap.next_us, meter_id))
            return []
        return [self._request(meter, gap, run, now_us)]

    def _look(self, meter: MeterRecord, now_us: int) -> None:
        state = self._registry.state(meter.id)
        expected = expected_to(meter.period_s, meter.report_s, now_us)
        if state.complete_to >= expected or meter.id in self._gaps or not state.last_heard_us or foreign_model(meter.model):
            return
        self._gaps[meter.id] = _Gap()
        self._turns.append(meter.id)

    def _next_run(self, meter: MeterRecord, now_us: int) -> tuple[int, int] | None:
        """The oldest missing run of a meter: (first, count), or None where all is there."""
        first, expected = self._registry.state(meter.id).complete_to, expected_to(meter.period_s, meter.report_s, now_us)
        runs = [
            run for channel in PROFILE for run in self._book.missing_runs(meter.id, channel, meter.period_s, first, expected, 1)
        ]
        return min(runs, default=None)

    def _request(self, meter: MeterRecord, gap: _Gap, run: tuple[int, int], now_us: int) -> Downlink:
        state = self._registry.touch(meter.id)
        state.sequence = state.sequence % (SEQUENCES - 1) + 1
        first, count = run
        command = Command(state.sequence, Opcode.BACKFILL, first=first, period_s=meter.period_s, count=min(count, REQUEST_MAX))
        until_us = now_us + ANSWER_US
        heappush(self._timers, (until_us, meter.id))
        gap.next_us = until_us + (min(BACK_OFF_US << min(gap.attempts, 16), BACK_OFF_MAX_US) if gap.attempts else 0)
        gap.attempts += 1
        gap.open = gap.waiting = True
        self._open += 1
        self.requests += 1
        return Downlink(meter.dev_eui, Port.COMMAND, messages.encode_command(command), token=("backfill", meter.id))

    def sent(self, token: object, *, taken: bool = True) -> None:
        """A request has left, or (`taken` False) could not be taken by the network."""
        match token:
            case ("backfill", int(meter_id)) if meter_id in self._gaps:
                self._gaps[meter_id].waiting = False
                if not taken:
                    self._close(self._gaps[meter_id])
            case _:
                pass
