"""Closing days: gaps that nothing will fill any more are estimated, so that bills can be made.  Law 1: marked as estimated.

A gap is closed `ESTIMATE_AFTER_S` after it happened; late data still replaces the estimate, as a new version.
"""

from typing import Final

import numpy as np

from nyala.mdm.book import Book
from nyala.mdm.estimate import fill
from nyala.mdm.load_day import Key, LoadDay, empty
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S

ESTIMATE_AFTER_S: Final = 3 * DAY_S
"""Back-fill has tried for three days: what is still missing is estimated."""
CONTEXT_DAYS: Final = 2
"""Days around the asked ones that are looked at for registers and neighbours."""


def estimate_gaps(book: Book, meter_id: int, channel: Channel, period_s: int, first: int, until: int) -> int:
    """Estimates every missing interval of one channel in [first, until); answers how many."""
    runs = book.missing_runs(meter_id, channel, period_s, first, until, limit=until - first)
    if not runs:
        return 0
    per_day = DAY_S // period_s
    first_day, last_day = first // per_day - CONTEXT_DAYS, -(-until // per_day) + CONTEXT_DAYS
    keys = [Key(meter_id, number, channel) for number in range(first_day, last_day)]
    days = [book.day(key) or empty(key, period_s) for key in keys]
    values, qualities = fill(
        np.concatenate([day.values for day in days]), np.concatenate([day.qualities for day in days]), _bounds(days, per_day)
    )
    origin = first_day * per_day
    for start, count in runs:
        piece = slice(start - origin, start - origin + count)
        book.merge(meter_id, channel, period_s, start, values[piece].tolist(), qualities[piece].tolist())
    return sum(count for _, count in runs)


def _bounds(days: list[LoadDay], per_day: int) -> list[tuple[int, int]]:
    """The registers that are known at the ends of days, as (index, Wh)."""
    known: dict[int, int] = {}
    for number, day in enumerate(days):
        if day.open_wh is not None:
            known[number * per_day] = day.open_wh
        if day.close_wh is not None:
            known[(number + 1) * per_day] = day.close_wh
    return sorted(known.items())
