"""Gaps and back-fill: what a meter has not told is asked for in as little air as can be, the most valuable first.

A gap is a block of intervals that is older than two reports and still missing: the report that carried it was lost.  While
parity of later reports may still bring it, it is not asked for (`PATIENCE_REPORTS`).  One request names all blocks of a
meter that a bitmap holds.  It goes by class C, or, where that is shorter, in the windows of the meter's next report; both
within the share of the gateway (`budget`).

A request that brings nothing is tried again later and later, and given up after `ATTEMPTS_MAX`; estimation then fills what
is left.
"""

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

from nyala.headend.budget import Budget, Share, Turns
from nyala.headend.foreign.mapping import foreign_model
from nyala.headend.profile import channels_of, report_s_of
from nyala.headend.registry import MeterRecord, Registry
from nyala.lorawan.network.port import Downlink, Urgency, Way
from nyala.mdm.book import Book
from nyala.telegram import messages
from nyala.telegram.frame_header import COUNTS
from nyala.telegram.kinds import Opcode, Port
from nyala.telegram.messages import MAP_BLOCKS, SEQUENCES, Command
from nyala.vocab.time import DAY_S, US_PER_S

SCAN_US: Final = 300 * US_PER_S
"""How often all meters are looked at."""
GRACE_S: Final = 300
"""After the period in which a report was due."""
PATIENCE_REPORTS: Final = 3
"""Parity is waited for until the third report after the lost one: it is the first that carries it, and most often enough."""
HOLD_REPORTS: Final = 2
"""A request waits for the windows of so many reports, of which one may be lost, before it goes by class C."""
REQUEST_MAX: Final = 96
"""Intervals of one request: a day of 15 minutes."""
REQUEST_BYTES: Final = 11
"""Of a request on the air."""
ANSWER_US: Final = 60 * US_PER_S
"""Until a request that was sent counts as failed: a day at SF10 takes this long."""
BACK_OFF_US: Final = 120 * US_PER_S
BACK_OFF_MAX_US: Final = 6 * 3_600 * US_PER_S
ATTEMPTS_MAX: Final = 40
"""Requests without any result before a gap is given up: several days of trying."""
BEHIND: Final = 10_000
"""A gap that costs a microsecond of air more for each interval comes so many microseconds later: at SF10 half an hour."""
BEHIND_MAX_US: Final = 3_600 * US_PER_S
"""Nobody is put off for longer: the oldest have their turn, whatever they cost."""


def expected_to(period_s: int, report_s: int, now_us: int) -> int:
    """Every interval before this index should have come by now: those of a report period come in the next one, together."""
    return ((now_us // US_PER_S - GRACE_S) // report_s - 1) * report_s // period_s


@dataclass(frozen=True, slots=True)
class Need:
    """What a meter is asked for: blocks of `each` intervals, bit n of `blocks` the one n after that at `first`."""

    first: int
    each: int
    blocks: int
    missing: int
    """Intervals of them that are not there."""
    closes_day: bool
    """A UTC day that is over lacks nothing any more when they have come."""

    def cost_us(self, way: Way) -> int:
        """Air of the request and of its answers, each about as long as one in a window: it has their data rate."""
        return (1 + self.blocks.bit_count()) * way.window_us

    def turn_us(self, since_us: int, way: Way) -> int:
        """Gaps have their turn in this order: by age, moved by what they are worth."""
        if self.closes_day:
            return since_us - BEHIND_MAX_US
        return since_us + min(self.cost_us(way) // self.missing * BEHIND, BEHIND_MAX_US)


@dataclass(slots=True)
class _Gap:
    """A meter with a gap.  It stands in one place: it waits for its turn, for the network, or for a timer."""

    since_us: int
    attempts: int = 0
    waiting: bool = False
    """The downlink of the request has not left yet."""


class Backfill:
    """The gaps of all meters.  `may_repair`: whether parity may still bring an interval of a meter."""

    def __init__(
        self,
        registry: Registry,
        book: Book,
        budget: Budget | None = None,
        may_repair: Callable[[int, int], bool] = lambda _meter_id, _interval: False,
    ) -> None:
        self.requests = self.given_up = 0
        self._registry, self._book, self._budget, self._may_repair = registry, book, budget or Budget(), may_repair
        self._gaps: dict[int, _Gap] = {}
        self._turns = Turns(self._budget, Share.BACKFILL)
        self._timers: list[tuple[int, int]] = []
        """Heap of (instant, meter) of those that may not be asked yet."""
        self._next_scan_us = 0

    @property
    def next_us(self) -> int:
        """When `poll` has something to do."""
        times = [self._next_scan_us, *[at_us for at_us, _ in self._timers[:1]]]
        if self._turns.next_us is not None:
            times.append(self._turns.next_us)
        return min(times)

    def progressed(self, meter_id: int) -> None:
        """New intervals came: the attempts for this meter are counted anew."""
        gap = self._gaps.get(meter_id)
        if gap is not None:
            gap.attempts = 0

    def poll(self, now_us: int) -> list[Downlink]:
        """Looks for gaps when it is time, and asks for those whose turn it is."""
        if now_us >= self._next_scan_us:
            self._next_scan_us = now_us + SCAN_US
            for meter in self._registry:
                self._look(meter, now_us)
        while self._timers and self._timers[0][0] <= now_us:
            self._wait(self._registry.meter(heappop(self._timers)[1]), now_us)
        downlinks: list[Downlink] = []
        for dev_eui in self._turns.take(now_us):
            asked = self._registry.of_device(dev_eui)
            assert asked is not None
            downlinks += self._turn(asked, now_us)
        return downlinks

    def _look(self, meter: MeterRecord, now_us: int) -> None:
        state = self._registry.state(meter.id)
        expected = expected_to(meter.period_s, report_s_of(meter, state), now_us)
        if state.complete_to >= expected or meter.id in self._gaps or not state.last_heard_us or foreign_model(meter.model):
            return
        self._gaps[meter.id] = _Gap(now_us)
        self._wait(meter, now_us)

    def _wait(self, meter: MeterRecord, now_us: int) -> None:
        """A meter waits for its turn, or is forgotten where it lacks nothing that is to be asked for."""
        need = self._need(meter, now_us)
        if need is None:
            del self._gaps[meter.id]
            return
        way = self._budget.way(meter.dev_eui, REQUEST_BYTES)
        self._turns.put(meter.dev_eui, need.turn_us(self._gaps[meter.id].since_us, way))

    def _turn(self, meter: MeterRecord, now_us: int) -> list[Downlink]:
        gap, need = self._gaps[meter.id], self._need(meter, now_us)
        if need is None:
            del self._gaps[meter.id]
            return []
        if gap.attempts >= ATTEMPTS_MAX:
            self.given_up += 1
            gap.attempts = 0
            heappush(self._timers, (now_us + BACK_OFF_MAX_US, meter.id))
            return []
        gap.waiting = True
        return [self._request(meter, need, now_us)]

    # -- what is asked for

    def _need(self, meter: MeterRecord, now_us: int) -> Need | None:
        """The oldest missing blocks of a meter that are to be asked for, as many as a request holds; None: there are none."""
        state, per_day = self._registry.state(meter.id), DAY_S // meter.period_s
        report_s = report_s_of(meter, state)
        each = max(count for count in COUNTS if count <= max(report_s // meter.period_s, 1))
        first, expected = state.complete_to, expected_to(meter.period_s, report_s, now_us)
        until = min(expected, (first // each + MAP_BLOCKS + PATIENCE_REPORTS) * each + per_day)
        missing = self._missing(meter, first, until)
        patient = {at // each for at in missing if self._is_patient(meter, at, report_s, now_us)}
        asked = sorted({at // each for at in missing} - patient)
        if not asked:
            return None
        blocks = {block for block in asked[: max(REQUEST_MAX // each, 1)] if block - asked[0] < MAP_BLOCKS}
        end = (asked[0] * each // per_day + 1) * per_day
        return Need(
            first=asked[0] * each,
            each=each,
            blocks=sum(1 << block - asked[0] for block in blocks),
            missing=sum(at // each in blocks for at in missing),
            closes_day=end <= until and all(at // each in blocks for at in missing if at < end),
        )

    def _missing(self, meter: MeterRecord, first: int, until: int) -> list[int]:
        """Intervals in [first, until) that are missing in any channel."""
        found: set[int] = set()
        for channel in channels_of(meter, self._registry.state(meter.id)):
            for at, count in self._book.missing_runs(meter.id, channel, meter.period_s, first, until, max(until - first, 0)):
                found.update(range(at, at + count))
        return sorted(found)

    def _is_patient(self, meter: MeterRecord, interval: int, report_s: int, now_us: int) -> bool:
        """Whether parity may still bring an interval, and is not overdue."""
        told_s = (interval * meter.period_s // report_s + 2) * report_s
        overdue_s = told_s + PATIENCE_REPORTS * report_s + GRACE_S
        return now_us < overdue_s * US_PER_S and self._may_repair(meter.id, interval)

    # -- asking

    def _request(self, meter: MeterRecord, need: Need, now_us: int) -> Downlink:
        state, way = self._registry.touch(meter.id), self._budget.way(meter.dev_eui, REQUEST_BYTES)
        state.sequence = state.sequence % (SEQUENCES - 1) + 1
        said = Command(
            state.sequence,
            Opcode.BACKFILL_MAP,
            first=need.first,
            period_s=meter.period_s,
            each=need.each,
            blocks=need.blocks,
        )
        self._budget.spend(Share.BACKFILL, way.gateway, way.window_us, now_us)
        self.requests += 1
        return Downlink(
            meter.dev_eui,
            Port.COMMAND,
            messages.encode_command(said),
            token=("backfill", meter.id),
            urgency=Urgency.WITH_UPLINK if way.waits else Urgency.LATER,
            with_uplink_until_us=now_us + HOLD_REPORTS * report_s_of(meter, state) * US_PER_S if way.waits else 0,
        )

    def left(self, token: object, now_us: int) -> None:
        """A request has left the network, or was not taken by it."""
        match token:
            case ("backfill", int(meter_id)) if meter_id in self._gaps and self._gaps[meter_id].waiting:
                gap = self._gaps[meter_id]
                gap.waiting = False
                pause_us = min(BACK_OFF_US << min(gap.attempts, 16), BACK_OFF_MAX_US) if gap.attempts else 0
                gap.attempts += 1
                heappush(self._timers, (now_us + ANSWER_US + pause_us, meter_id))
            case _:
                pass
