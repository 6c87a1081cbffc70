"""The book of load days: takes runs of interval values in, keeps versions, knows what is missing.  No I/O of its own.

A value replaces another only by rank: nothing < estimated < from the meter < edited by a person.  Filling a missing
interval is not a change; replacing a value makes a new version, and the row before it goes to the history (law 4).
The same run twice, late or in another order leads to the same book (law 3).
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from nyala.mdm.load_day import Key, LoadDay, LoadDayRow, empty, from_row, to_row
from nyala.vocab.errors import ConflictError
from nyala.vocab.quality import ESTIMATED, Quality
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S

CACHE_LIMIT: Final = 65_536
"""Load days kept in memory, about 1.3 kB each: two days of two channels for 16,000 meters."""

_MISSING: Final = int(Quality.MISSING)
_RANK: Final = np.zeros(len(Quality), np.uint8)
for _quality in Quality:
    _RANK[_quality] = 2
_RANK[Quality.MISSING] = 0
_RANK[Quality.EDITED] = 3
_ESTIMATED_RANK: Final = 1
for _quality in ESTIMATED:
    _RANK[_quality] = _ESTIMATED_RANK


class LoadDayReader(Protocol):
    """Where stored load days come from."""

    def load_days(self, keys: Iterable[Key]) -> Mapping[Key, LoadDayRow]:
        """The stored rows of these keys; keys without one are left out."""


class Book:
    """All load days, of which the recent ones are in memory."""

    def __init__(self, reader: LoadDayReader, cache_limit: int = CACHE_LIMIT) -> None:
        self.duplicates = self.replaced = 0
        self._reader, self._cache_limit = reader, cache_limit
        self._days: OrderedDict[Key, LoadDay | None] = OrderedDict()
        """None: the store has nothing of it, and only this book could add it."""
        self._changed: dict[Key, LoadDay] = {}
        self._superseded: list[LoadDayRow] = []

    # -- reading

    def fetch(self, keys: Iterable[Key]) -> None:
        """Brings load days into memory, in one question to the store."""
        absent = [key for key in dict.fromkeys(keys) if key not in self._days]
        if absent:
            stored = self._reader.load_days(absent)
            for key in absent:
                row = stored.get(key)
                self._days[key] = None if row is None else from_row(row)

    def day(self, key: Key) -> LoadDay | None:
        """A load day, or None where nothing is known of it.  Do not change it."""
        days = self._days
        if key not in days:
            self.fetch([key])
        days.move_to_end(key)
        return days[key]

    def first_missing(self, meter_id: int, channel: Channel, period_s: int, first: int, until: int) -> int:
        """The first interval without a value in [first, until), or `until`."""
        per_day = DAY_S // period_s
        at = first
        while at < until:
            day_number, offset = divmod(at, per_day)
            day = self.day(Key(meter_id, day_number, channel))
            if day is None or day.period_s != period_s:
                return at
            gap = day.qualities.tobytes().find(_MISSING, offset)
            if gap >= 0:
                return min(at + gap - offset, until)
            at += per_day - offset
        return until

    def missing_runs(
        self, meter_id: int, channel: Channel, period_s: int, first: int, until: int, limit: int
    ) -> list[tuple[int, int]]:
        """Runs (first, count) of intervals without a value in [first, until), oldest first, at most `limit`."""
        per_day = DAY_S // period_s
        missing = np.ones(max(until - first, 0), bool)
        for day_number in range(first // per_day, -(-until // per_day)):
            day = self.day(Key(meter_id, day_number, channel))
            if day is None or day.period_s != period_s:
                continue
            start = day_number * per_day
            low, high = max(first, start), min(until, start + per_day)
            missing[low - first : high - first] = day.qualities[low - start : high - start] == Quality.MISSING
        edges = np.flatnonzero(np.diff(np.concatenate(([False], missing, [False])).astype(np.int8)))
        return [(first + int(a), int(b - a)) for a, b in zip(edges[::2][:limit], edges[1::2][:limit], strict=True)]

    # -- writing

    def merge(
        self, meter_id: int, channel: Channel, period_s: int, first: int, values: Sequence[int], qualities: Sequence[int]
    ) -> int:
        """Takes a run of interval values beginning at index `first`; answers how many intervals it gave something new.

        ConflictError where the day is there with another period: a change of period is not here yet.
        """
        per_day = DAY_S // period_s
        run_values = np.array(values, np.int64)
        run_qualities = np.array(qualities, np.uint8)
        at, added = 0, 0
        while at < len(run_values):
            day_number, offset = divmod(first + at, per_day)
            count = min(per_day - offset, len(run_values) - at)
            piece = slice(at, at + count)
            key = Key(meter_id, day_number, channel)
            added += self._merge_day(key, period_s, offset, run_values[piece], run_qualities[piece])
            at += count
        return added

    def _open(self, key: Key, period_s: int) -> LoadDay:
        day = self.day(key)
        if day is None:
            day = self._days[key] = empty(key, period_s)
        elif day.period_s != period_s:
            raise ConflictError(f"meter {key.meter_id}: day {key.day} has intervals of {day.period_s} s, not {period_s} s")
        return day

    def _merge_day(self, key: Key, period_s: int, offset: int, values: NDArray[np.int64], qualities: NDArray[np.uint8]) -> int:
        day = self._open(key, period_s)
        span = slice(offset, offset + len(values))
        old_values, old_qualities = day.values[span], day.qualities[span]
        new_rank = _RANK[qualities]
        day.estimates |= _ESTIMATED_RANK in new_rank.tobytes()
        if not old_qualities.any() and qualities.all():  # MISSING is 0: nothing was known, all is new
            day.values[span], day.qualities[span] = values, qualities
            self._changed[key] = day
            return len(values)
        old_rank = _RANK[old_qualities]
        same = (old_values == values) & (old_rank >= new_rank)
        taken = (new_rank >= old_rank) & (new_rank > 0) & ~same
        count = int(np.count_nonzero(taken))
        if not count:
            self.duplicates += len(values)
            return 0
        changed = int(np.count_nonzero(taken & (old_rank > 0)))
        if changed:
            self.replaced += changed
            self._superseded.append(to_row(day))
            day.version += 1
        day.values[span] = np.where(taken, values, old_values)
        day.qualities[span] = np.where(taken, qualities, old_qualities)
        self._changed[key] = day
        return count

    def set_register(self, meter_id: int, channel: Channel, period_s: int, at_s: int, wh: int) -> None:
        """Takes a register reading; at a UTC midnight it stands at the two ends of two days.

        Only a day that has intervals, or is about to have some, keeps it: one that has none is not made for it.
        """
        day_number, rest = divmod(at_s, DAY_S)
        if rest:
            return
        for key, end in ((Key(meter_id, day_number - 1, channel), "close"), (Key(meter_id, day_number, channel), "open")):
            day = self.day(key) or (self._open(key, period_s) if end == "open" else None)
            if day is None:
                continue
            known = day.close_wh if end == "close" else day.open_wh
            if known == wh:
                continue
            if end == "close":
                day.close_wh = wh
            else:
                day.open_wh = wh
            self._changed[key] = day

    def take_changes(self) -> tuple[list[LoadDayRow], list[LoadDayRow]]:
        """What to store now: the rows that changed, and the rows that were superseded by them, for the history."""
        rows = [to_row(day) for day in self._changed.values()]
        superseded = self._superseded
        self._changed, self._superseded = {}, []
        while len(self._days) > self._cache_limit:
            self._days.popitem(last=False)
        return rows, superseded
