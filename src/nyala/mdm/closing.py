"""Closing days: gaps that nothing will fill any more are estimated, so that bills can be made.  Law 1: marked as estimated.

A gap is closed `ESTIMATE_AFTER_S` after it happened.  Late data and late registers still count: a value of the meter
replaces an estimate, and the estimates that remain are scaled again, so that known and estimated values between two known
registers always sum to their difference.  Each change is a new version.
"""

from typing import Final

import numpy as np

from nyala.mdm.book import Book
from nyala.mdm.estimate import fill
from nyala.mdm.load_day import Key, LoadDay, empty
from nyala.vocab.quality import ESTIMATED, Quality
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S

ESTIMATE_AFTER_S: Final = 3 * DAY_S
"""Back-fill has tried for three days: what is still missing is estimated."""
CONTEXT_DAYS: Final = 2
"""Days around the asked ones that are looked at for registers and neighbours."""
_ESTIMATED: Final = np.array(sorted(ESTIMATED), np.uint8)


def estimate_gaps(book: Book, meter_id: int, channel: Channel, period_s: int, first: int, until: int) -> int:
    """Estimates every missing interval of one channel in [first, until); answers how many."""
    runs = book.missing_runs(meter_id, channel, period_s, first, until, limit=max(until - first, 0))
    if runs:
        _estimate(book, meter_id, channel, period_s, (first, until))
    return sum(count for _, count in runs)


def reconcile(book: Book, key: Key) -> None:
    """Scales estimates again, after values or registers of a day have come: its own, and those between its registers."""
    day = book.day(key)
    if day is None:
        return
    together = [day]
    for step, open_end in ((-1, day.open_wh is None), (1, day.close_wh is None)):
        for away in range(1, CONTEXT_DAYS + 1) if open_end else ():
            neighbour = book.day(Key(key.meter_id, key.day + step * away, key.channel))
            if neighbour is None:
                break
            together.append(neighbour)
    if any(day.estimates for day in together):
        per_day = DAY_S // day.period_s
        start = key.day * per_day
        _estimate(book, key.meter_id, key.channel, day.period_s, (start, start + per_day), only_again=True)


def _estimate(
    book: Book, meter_id: int, channel: Channel, period_s: int, span: tuple[int, int], *, only_again: bool = False
) -> None:
    """Fills what is missing in a span of intervals (not with `only_again`), and what was estimated around it again."""
    per_day = DAY_S // period_s
    first_day, until_day = span[0] // per_day - CONTEXT_DAYS, -(-span[1] // per_day) + CONTEXT_DAYS
    keys = [Key(meter_id, number, channel) for number in range(first_day, until_day)]
    days = [book.day(key) or empty(key, period_s) for key in keys]
    values = np.concatenate([day.values for day in days])
    qualities = np.concatenate([day.qualities for day in days])
    again = np.isin(qualities, _ESTIMATED)
    wanted = again.copy()
    if not only_again:
        inside = slice(span[0] - first_day * per_day, span[1] - first_day * per_day)
        wanted[inside] |= qualities[inside] == Quality.MISSING
    values[again], qualities[again] = 0, Quality.MISSING
    filled, marks = fill(values, qualities, _bounds(days, per_day))
    for number, day in enumerate(days):
        here = slice(number * per_day, (number + 1) * per_day)
        cells = wanted[here]
        if cells.any():
            said = np.where(cells, marks[here], Quality.MISSING)
            book.merge(meter_id, channel, period_s, day.key.day * per_day, filled[here].tolist(), said.tolist())


def _bounds(days: list[LoadDay], per_day: int) -> list[tuple[int, int]]:
    """The registers that are known at the ends of days, as (index, Wh)."""
    known: dict[int, int] = {}
    for number, day in enumerate(days):
        if day.open_wh is not None:
            known[number * per_day] = day.open_wh
        if day.close_wh is not None:
            known[(number + 1) * per_day] = day.close_wh
    return sorted(known.items())
