"""How complete the intervals of many meters are, by day: what was expected, came, was estimated, is missing.

    expected(counted, day, now)     intervals of one day that should have come by now
    line(...)                       a line of the table: one site, feeder, group, gateway or meter

Of the import channel: every meter has it, and both channels come in the same telegrams.  A day is a UTC day, as load days
are.  What arrives before it is due counts as expected too, so that no share is above the whole.  No I/O: `store` sums.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from nyala.headend.backfill import expected_to
from nyala.headend.storms_shapes import storm_table
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.time import DAY_S, US_PER_S

DAYS_MAX: Final = 62
"""Days of one table: two months side by side."""


class By(StrEnum):
    """What a line of the table is of."""

    SITE = "site"
    FEEDER = "feeder"
    GROUP = "group"
    GATEWAY = "gateway"
    METER = "meter"


@dataclass(frozen=True, slots=True)
class Counted:
    """So many meters of one line that are alike in what is expected of them.  `ended_s`: until when they count."""

    meters: int
    period_s: int
    report_s: int
    installed_s: int
    ended_s: int | None = None


@dataclass(frozen=True, slots=True)
class DayCount:
    """Intervals of one day; `received` does not contain those that were estimated."""

    expected: int
    received: int
    estimated: int

    @property
    def missing(self) -> int:
        """Those that should be there and are not."""
        return self.expected - self.received - self.estimated


@dataclass(frozen=True, slots=True)
class Line:
    """One line.  `key` names it in a question, `name` on a screen; `silent` of its meters are not heard as they should be."""

    key: str
    name: str
    meters: int
    silent: int
    days: tuple[DayCount, ...]

    @property
    def missing(self) -> int:
        """Over all days."""
        return sum(day.missing for day in self.days)


@dataclass(frozen=True, slots=True)
class Table:
    """The lines with most that is missing, worst first, the UTC days they are over, and how many lines there are in all."""

    first_day: int
    days: int
    lines: tuple[Line, ...]
    total: int


def check_days(first_day: int, until_day: int) -> None:
    """BadArgumentError for days that are none, or too many for one table."""
    if not 0 < until_day - first_day <= DAYS_MAX:
        raise BadArgumentError(f"{until_day - first_day} days; a table has 1 to {DAYS_MAX}")


def expected(counted: Counted, day: int, now_us: int) -> int:
    """Intervals of a UTC day that should have come by now."""
    period_s = counted.period_s
    first = max(day * DAY_S, counted.installed_s)
    until = min(
        (day + 1) * DAY_S, expected_to(period_s, counted.report_s, now_us) * period_s, counted.ended_s or (day + 1) * DAY_S
    )
    return max(until // period_s - -(-first // period_s), 0) * counted.meters


def line(
    key: str, name: str, counted: Iterable[Counted], came: Mapping[int, tuple[int, int]], silent: int, days: range, now_us: int
) -> Line:
    """A line.  `came`: of a day how many intervals have a value, and how many of them are estimated."""
    alike, counts = list(counted), []
    for day in days:
        valued, estimated = came.get(day, (0, 0))
        due = sum(expected(each, day, now_us) for each in alike)
        counts.append(DayCount(max(due, valued), valued - estimated, estimated))
    return Line(key, name, sum(each.meters for each in alike), silent, tuple(counts))


def silent_before_us(report_s: int, now_us: int) -> int:
    """A meter that was heard last before this instant is silent, as `storms_silence` has it."""
    rule = storm_table()[1]
    return now_us - (rule.report_periods * report_s + rule.grace_s) * US_PER_S
