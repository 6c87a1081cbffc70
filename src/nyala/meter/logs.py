"""Event logs: what happened to a meter, by group, each with its capacity; and a counter for every event.  Pure.

Groups are `log_groups.csv`, events `log_events.csv`: ids of IS 15959 where it has one (below 301), else our own.  Capacities
are at least those that reference metrology.md 4 names (60 current-related, 20 voltage, 100 other, 1..10 cover).

An entry carries the count of its event after it.  A row that outlived its image of counters thus proves the count:
`recovered` takes the larger of the two, and a counter never falls.

    row      count u32, event u16, clock i64, detail i32 (little-endian)
    counters event u16, count u32, for each event that ever came, by id
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache
from importlib.resources import files
from struct import Struct
from typing import Final

from nyala.vocab.errors import BadArgumentError, ForeignError, UnknownError

_ROW = Struct("<IHqi")
_COUNT = Struct("<HI")
ROW_BYTES: Final = _ROW.size
COUNT_MAX: Final = 2**32 - 1
"""A counter stays there: 15 years of one event a second are 473 million."""
DETAIL_MIN, DETAIL_MAX = -(2**31), 2**31 - 1


class LogGroup(Enum):
    """Groups of events; the memory's logs have the same names."""

    STANDARD = "standard"
    FRAUD = "fraud"
    SWITCH = "switch"
    QUALITY = "quality"
    DEMAND = "demand"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group: its number for the centre, how many entries it keeps, what a person reads."""

    group: LogGroup
    code: int
    capacity: int
    label_en: str
    label_id: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event: where it is logged, where its id comes from, what its detail says."""

    event: int
    name: str
    group: LogGroup
    source: str
    description: str


@cache
def group_table() -> dict[LogGroup, GroupRow]:
    """All groups."""
    with files("nyala.meter").joinpath("log_groups.csv").open(encoding="utf-8") as table:
        rows = [
            GroupRow(LogGroup(row["group"]), int(row["code"]), int(row["capacity"]), row["label_en"], row["label_id"])
            for row in csv.DictReader(table)
        ]
    return {row.group: row for row in rows}


@cache
def event_table() -> dict[int, EventRow]:
    """All events by id."""
    with files("nyala.meter").joinpath("log_events.csv").open(encoding="utf-8") as table:
        rows = [
            EventRow(int(row["event"]), row["name"], LogGroup(row["group"]), row["source"], row["description"])
            for row in csv.DictReader(table)
        ]
    return {row.event: row for row in rows}


def event_row(event: int) -> EventRow:
    """The row of an event; UnknownError for an id that is not in the table."""
    if event not in event_table():
        raise UnknownError("event", event)
    return event_table()[event]


@cache
def _ids() -> dict[str, int]:
    return {row.name: row.event for row in event_table().values()}


def event_id(name: str) -> int:
    """The id of a named event; UnknownError for another name."""
    if name not in _ids():
        raise UnknownError("event", name)
    return _ids()[name]


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened: when by the meter's clock (UTC seconds), which event, its detail, and how often so far."""

    clock_s: int
    event: int
    detail: int = 0
    count: int = 1

    def encode(self) -> bytes:
        """A row of `ROW_BYTES`."""
        return _ROW.pack(self.count, self.event, self.clock_s, self.detail)


def decode_entry(row: bytes) -> Entry:
    """The entry of a row; ForeignError for one of another size or with an unknown event."""
    if len(row) != ROW_BYTES:
        raise ForeignError(f"a log row has {ROW_BYTES} bytes, got {len(row)}")
    count, event, clock_s, detail = _ROW.unpack(row)
    if event not in event_table():
        raise ForeignError(f"log row of an unknown event {event}")
    return Entry(clock_s, event, detail, count)


@dataclass(frozen=True, slots=True)
class LogBook:
    """All logs of a meter, the oldest entry first, and its counters."""

    entries: dict[LogGroup, tuple[Entry, ...]] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)

    def record(self, event: int, clock_s: int, detail: int = 0) -> tuple["LogBook", Entry]:
        """The book after an event, and the entry, which is to be appended to the memory.

        UnknownError for an event that is not in the table, BadArgumentError for a detail beyond 32 bits.
        """
        group = event_row(event).group
        if not DETAIL_MIN <= detail <= DETAIL_MAX:
            raise BadArgumentError(f"the detail of event {event} is beyond 32 bits: {detail}")
        entry = Entry(clock_s, event, detail, min(self.counts.get(event, 0) + 1, COUNT_MAX))
        kept = (*self.entries.get(group, ()), entry)[-group_table()[group].capacity :]
        return replace(self, entries=self.entries | {group: kept}, counts=self.counts | {event: entry.count}), entry

    def of(self, group: LogGroup) -> tuple[Entry, ...]:
        """The entries of a group, the oldest first."""
        return self.entries.get(group, ())

    def count(self, event: int) -> int:
        """How often an event came in the meter's life; UnknownError."""
        return self.counts.get(event_row(event).event, 0)

    def encode_counts(self) -> bytes:
        """The image of the counters."""
        return b"".join(_COUNT.pack(event, count) for event, count in sorted(self.counts.items()))


def decode_counts(image: bytes) -> dict[int, int]:
    """The counters of an image; ForeignError for bytes that are none."""
    if len(image) % _COUNT.size:
        raise ForeignError(f"an image of counters has {_COUNT.size} bytes each, got {len(image)}")
    pairs = list(_COUNT.iter_unpack(image))
    counts = dict(pairs)
    if list(counts.items()) != sorted(pairs) or not counts.keys() <= event_table().keys() or 0 in counts.values():
        raise ForeignError("an image of counters names each known event once, in order, with a count")
    return counts


def recovered(counts: dict[int, int], rows: Mapping[LogGroup, Iterable[bytes]]) -> LogBook:
    """The book that a memory holds: the counters of its image, raised to what the rows prove.  ForeignError for bad rows."""
    entries = {group: tuple(map(decode_entry, encoded))[-group_table()[group].capacity :] for group, encoded in rows.items()}
    risen = dict(counts)
    for kept in entries.values():
        for entry in kept:
            risen[entry.event] = max(risen.get(entry.event, 0), entry.count)
    return LogBook(entries, risen)
