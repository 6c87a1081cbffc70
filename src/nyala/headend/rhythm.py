"""When something that is planned happens: every so many minutes, daily at a local time, at the end of each local month.

Written `every 15m`, `daily 06:30` and `month-end`.  Minutes count from 1970 in UTC; a local time that a clock change leaves out
happens an hour later, one that it brings twice happens the first time.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from nyala.vocab.errors import BadArgumentError

EVERY_MIN: Final = (5, 1_440)
"""Shortest and longest pause in minutes: more often is what reports are for."""
_EVERY: Final = re.compile(r"every (\d{1,4})m")
_DAILY: Final = re.compile(r"daily ([01]\d|2[0-3]):([0-5]\d)")
_MONTH_END: Final = "month-end"
_MONTHS: Final = (-1, 0, 1)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A rhythm.  `every_s`: 0 where it is local; `minute`: of the local day; `monthly`: only of a month's first."""

    every_s: int = 0
    minute: int = 0
    monthly: bool = False

    @classmethod
    def parse(cls, text: str) -> "Rhythm":
        """From its text; BadArgumentError."""
        every, daily = _EVERY.fullmatch(text), _DAILY.fullmatch(text)
        if every is not None and EVERY_MIN[0] <= int(every[1]) <= EVERY_MIN[1]:
            return cls(every_s=int(every[1]) * 60)
        if daily is not None:
            return cls(minute=int(daily[1]) * 60 + int(daily[2]))
        if text == _MONTH_END:
            return cls(monthly=True)
        known = f"`every {EVERY_MIN[0]}m` to `every {EVERY_MIN[1]}m`, `daily HH:MM` or `{_MONTH_END}`"
        raise BadArgumentError(f"a rhythm is {known}, not {text!r}")

    def __str__(self) -> str:
        """As `parse` reads it."""
        if self.every_s:
            return f"every {self.every_s // 60}m"
        return _MONTH_END if self.monthly else f"daily {self.minute // 60:02d}:{self.minute % 60:02d}"

    def following(self, after_s: int, tz: tzinfo) -> int:
        """The first instant after another one, seconds UTC."""
        return min(each for each in self._near(after_s, tz) if each > after_s)

    def latest(self, at_s: int, tz: tzinfo) -> int:
        """The last instant that is not after another one."""
        return max(each for each in self._near(at_s, tz) if each <= at_s)

    def _near(self, at_s: int, tz: tzinfo) -> list[int]:
        """Instants around another one: at least one that is not after it, and one that is."""
        if self.every_s:
            return [(at_s // self.every_s + turn) * self.every_s for turn in (0, 1)]
        today = datetime.fromtimestamp(at_s, tz).replace(hour=self.minute // 60, minute=self.minute % 60, second=0, fold=0)
        if not self.monthly:
            return [int((today + timedelta(days=days)).timestamp()) for days in (-2, -1, 0, 1, 2)]
        months = [divmod(today.year * 12 + today.month - 1 + turn, 12) for turn in _MONTHS]
        return [int(today.replace(year=year, month=month + 1, day=1).timestamp()) for year, month in months]
