"""What the tests of meter data share: a store of load days in a dict, and the book as one would write it with dicts."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Final

from nyala.mdm.book import Book
from nyala.mdm.load_day import Key, LoadDay, LoadDayRow
from nyala.vocab.quality import ESTIMATED, Quality
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S

METER: Final = 7
PERIOD_S: Final = 10_800
"""Eight intervals a day: runs meet each other often."""
PER_DAY: Final = DAY_S // PERIOD_S
DAY: Final = 20_000
FIRST: Final = DAY * PER_DAY
"""Index of the first interval of `DAY`."""
RAW, OUTAGE, LINEAR, EDITED, MISSING = Quality.RAW, Quality.OUTAGE, Quality.LINEAR, Quality.EDITED, Quality.MISSING


class Shelf:
    """Where load days are kept between books: rows by key, the history beside them."""

    def __init__(self) -> None:
        self.rows: dict[Key, LoadDayRow] = {}
        self.history: list[LoadDayRow] = []
        self.questions = 0

    def load_days(self, keys: Iterable[Key]) -> Mapping[Key, LoadDayRow]:
        self.questions += 1
        return {key: self.rows[key] for key in keys if key in self.rows}

    def keep(self, book: Book) -> None:
        """Stores what changed in a book."""
        rows, superseded = book.take_changes()
        self.rows |= {row.key: row for row in rows}
        self.history += superseded


def key(day: int = DAY, channel: Channel = Channel.IMPORT, meter_id: int = METER) -> Key:
    return Key(meter_id, day, channel)


def merge(
    book: Book, first: int, values: Sequence[int], quality: int | Sequence[int] = RAW, *, period_s: int = PERIOD_S
) -> int:
    """Merges a run of the import of `METER`; one quality stands for all."""
    qualities = [quality] * len(values) if isinstance(quality, int) else quality
    return book.merge(METER, Channel.IMPORT, period_s, first, values, qualities)


def found(book: Book, day: int = DAY) -> LoadDay:
    """A load day that must be there."""
    there = book.day(key(day))
    assert there is not None
    return there


def sums(book: Book, days: Iterable[int]) -> int:
    """Energy of some days."""
    return sum(int(day.values.sum()) for number in days if (day := book.day(key(number))) is not None)


def rank(quality: int) -> int:
    """Nothing < estimated < from the meter < edited."""
    if quality == MISSING:
        return 0
    return 1 if quality in ESTIMATED else 3 if quality == EDITED else 2


@dataclass
class PlainDay:
    """A load day as lists."""

    period_s: int
    cells: list[tuple[int, int]]
    version: int = 1
    open_wh: int | None = None
    close_wh: int | None = None
    earlier: list[tuple[int, list[tuple[int, int]]]] = field(default_factory=list)
    """(version, cells) of the versions before."""


class PlainBook:
    """The rules of the book, one interval after the other."""

    def __init__(self) -> None:
        self.days: dict[Key, PlainDay] = {}

    def copy(self) -> "PlainBook":
        return deepcopy(self)

    def open(self, at: Key, period_s: int) -> PlainDay:
        return self.days.setdefault(at, PlainDay(period_s, [(0, int(MISSING))] * (DAY_S // period_s)))

    def merge(self, meter_id: int, channel: Channel, first: int, run: Sequence[tuple[int, int]]) -> int:
        added = 0
        by_day: dict[int, list[tuple[int, tuple[int, int]]]] = {}
        for at, cell in enumerate(run, start=first):
            by_day.setdefault(at // PER_DAY, []).append((at % PER_DAY, cell))
        for number, cells in by_day.items():
            day = self.open(Key(meter_id, number, channel), PERIOD_S)
            before, changed = list(day.cells), False
            for at, (value, quality) in cells:
                old_value, old_quality = day.cells[at]
                better = rank(quality) > rank(old_quality)
                other = rank(quality) == rank(old_quality) != 0 and value != old_value
                if better or other:
                    day.cells[at] = (value, quality)
                    added += 1
                    changed |= old_quality != MISSING
            if changed:
                day.earlier.append((day.version, before))
                day.version += 1
        return added

    def set_register(self, meter_id: int, channel: Channel, number: int, wh: int) -> None:
        """At the start of a UTC day."""
        before = self.days.get(Key(meter_id, number - 1, channel))
        if before is not None:
            before.close_wh = wh
        self.open(Key(meter_id, number, channel), PERIOD_S).open_wh = wh
