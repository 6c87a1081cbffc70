"""Intervals on their way into the book: those that a meter says, those that are made of its registers, and estimates.

No telegrams here: who decodes them calls with values.  What is taken moves `complete_to` on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from nyala.headend.backfill import Backfill
from nyala.headend.foreign import edges
from nyala.headend.foreign.mapping import ForeignModel
from nyala.headend.profile import channels_of
from nyala.headend.registry import MeterRecord, MeterState, Registry
from nyala.mdm.book import Book
from nyala.mdm.closing import ESTIMATE_AFTER_S, estimate_gaps, reconcile
from nyala.mdm.load_day import Key
from nyala.telegram.intervals import ANCHOR_BITS, Intervals
from nyala.telegram.values import Values
from nyala.vocab.errors import TelegramError
from nyala.vocab.quality import Quality
from nyala.vocab.quantities import Channel, catalogue, register
from nyala.vocab.time import DAY_S, US_PER_S

FUTURE_S: Final = 3_600
"""Readings that are later than the server's clock by more than this are refused: a meter's clock is off, or a forgery."""
SCAN_MAX: Final = 100_000
"""Intervals that one look for the first gap goes over: nearly three years of 15 minutes."""
_RAW: Final = int(Quality.RAW)
_OUTAGE: Final = int(Quality.OUTAGE)


class Readings:
    """What the meters of one process have consumed, as it comes."""

    def __init__(self, registry: Registry, book: Book, backfill: Backfill, counts: Counter[str]) -> None:
        self._registry, self._book, self._backfill, self._counts = registry, book, backfill, counts

    def telegram(self, meter: MeterRecord, state: MeterState, run: Intervals, received_us: int) -> None:
        """An interval telegram.  TelegramError for another period than the meter's, and for the future."""
        if run.period_s != meter.period_s:
            raise TelegramError(f"intervals of {run.period_s} s from a meter that is set to {meter.period_s} s")
        if (run.first + run.count) * run.period_s > received_us // US_PER_S + FUTURE_S:
            raise TelegramError("intervals from the future")
        rows = {channel: block.values for channel, block in run.channels.items()}
        self.take(meter, state, run.first, rows, [_OUTAGE if i in run.outages else _RAW for i in range(run.count)])
        for channel, block in run.channels.items():
            if block.anchor is not None:
                self.prove(meter, channel, run.first + run.count, block.anchor)

    def take(
        self,
        meter: MeterRecord,
        state: MeterState,
        first: int,
        rows: Mapping[Channel, Sequence[int]],
        qualities: Sequence[int] | None = None,
    ) -> None:
        """A run of intervals from the index `first` on; without `qualities` as the meter has measured them."""
        count = len(next(iter(rows.values())))
        marks = [_RAW] * count if qualities is None else qualities
        added = sum([self._book.merge(meter.id, channel, meter.period_s, first, row, marks) for channel, row in rows.items()])
        if not added:
            return
        self._counts["intervals"] += added
        self._backfill.progressed(meter.id)
        per_day = DAY_S // meter.period_s
        for day in range(first // per_day, (first + count - 1) // per_day + 1):
            for channel in rows:
                reconcile(self._book, Key(meter.id, day, channel))
        self._move_on(meter, state)

    def prove(self, meter: MeterRecord, channel: Channel, end: int, anchor: int) -> None:
        """A register mod 65,536 at the index `end`, against that of the day's start plus the intervals since: the sum."""
        per_day = DAY_S // meter.period_s
        day = self._book.day(Key(meter.id, (end - 1) // per_day, channel))
        if day is None or day.open_wh is None:
            return
        until = (end - 1) % per_day + 1
        if not day.qualities[:until].all():  # MISSING is 0
            return
        register_wh = day.open_wh + int(day.values[:until].sum())
        self._counts["anchors_right" if register_wh % (1 << ANCHOR_BITS) == anchor else "anchors_wrong"] += 1

    def foreign(self, meter: MeterRecord, state: MeterState, model: ForeignModel, said: Values) -> None:
        """Values of another maker's meter: its registers make the intervals."""
        period_s = meter.period_s
        for name in (register(channel).name for channel in model.channels):
            if name not in said.values:
                continue
            channel, last = catalogue()[name].channel, state.edges.get(name)
            assert channel is not None
            if last is None:
                state.edges[name] = edges.begin(said.at_s, said.values[name], period_s)
                continue
            state.edges[name], run = edges.follow(last, said.at_s, said.values[name], period_s)
            if run is None:
                continue
            standing_wh = run.open_wh
            for interval, value in enumerate(run.values, start=run.first):
                self._book.set_register(meter.id, channel, period_s, interval * period_s, standing_wh)
                standing_wh += value
            self._book.set_register(meter.id, channel, period_s, (run.first + len(run.values)) * period_s, standing_wh)
            self._counts["intervals"] += self._book.merge(meter.id, channel, period_s, run.first, run.values, run.qualities)
            self._move_on(meter, state)

    def _move_on(self, meter: MeterRecord, state: MeterState) -> None:
        """Finds the first gap anew."""
        first, book = state.complete_to, self._book
        state.complete_to = min(
            book.first_missing(meter.id, channel, meter.period_s, first, first + SCAN_MAX)
            for channel in channels_of(meter, state)
        )

    def close_old_gaps(self, now_us: int) -> int:
        """Estimates gaps that are older than back-fill goes on trying; answers how many intervals."""
        count = 0
        for meter in self._registry:
            until = (now_us // US_PER_S - ESTIMATE_AFTER_S) // meter.period_s
            state = self._registry.state(meter.id)
            first = state.complete_to
            if first < until and state.last_heard_us:
                for channel in channels_of(meter, state):
                    count += estimate_gaps(self._book, meter.id, channel, meter.period_s, first, until)
                self._move_on(meter, self._registry.touch(meter.id))
        self._counts["estimated"] += count
        return count
