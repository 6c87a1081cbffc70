"""Which group of a meter's memory stands where: `layout.toml` turned into addresses.  Data in, places out.

Every image slot begins at a page and every log at a sector, so that groups share no place that wears.
"""

import tomllib
from dataclasses import dataclass
from enum import Enum
from importlib.resources import files
from typing import Final

from nyala.meter.memory.parts import Kind, Part, part
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.time import DAY_S

IMAGE_OVERHEAD: Final = 10
"""Sequence number, length and CRC-32 of an image."""
ROW_OVERHEAD: Final = 5
"""Mark and CRC-32 of a row."""
HEADER_BYTES: Final = 16
"""Generation, row size and CRC-32 at the head of a sector, with room to the next even address."""
LOG_PART: Final = "flash"


class Group(Enum):
    """Groups that are saved whole."""

    REGISTERS = "registers"
    BILLING = "billing"
    CONFIGURATION = "configuration"
    SETTINGS = "settings"
    COUNTERS = "counters"
    TWIN = "twin"


class Log(Enum):
    """Groups that grow by rows."""

    PROFILE = "profile"
    DAILY = "daily"
    SNAPSHOTS = "snapshots"
    STANDARD = "standard"
    FRAUD = "fraud"
    SWITCH = "switch"
    QUALITY = "quality"
    DEMAND = "demand"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class ImagePlace:
    """Slots of one group from `address` on, `slot_bytes` apart; `size_bytes` of content at most."""

    part: str
    address: int
    slots: int
    slot_bytes: int
    size_bytes: int
    saves_per_day: float
    power_fail: bool


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Sectors of one log from `address` on.  `rows` newest ones are always kept; `rows_per_day` for the wear budget."""

    part: str
    address: int
    sectors: int
    sector_bytes: int
    row_bytes: int
    rows: int
    rows_per_day: float

    @property
    def rows_per_sector(self) -> int:
        """Rows between two erases."""
        return (self.sector_bytes - HEADER_BYTES) // (self.row_bytes + ROW_OVERHEAD)


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole memory.  `parts` by the names that the places use."""

    parts: dict[str, Part]
    images: dict[Group, ImagePlace]
    logs: dict[Log, LogPlace]


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image of the table, without its address."""

    part: str
    slots: int
    size_bytes: int
    saves_per_day: float = 1
    power_fail: bool = False


@dataclass(frozen=True, slots=True)
class LogRow:
    """A log of the table, without its address."""

    row_bytes: int
    rows: int
    rows_per_day: float = 1


def place(parts: dict[str, Part], images: dict[Group, ImageRow], logs: dict[Log, LogRow]) -> Layout:
    """Gives every group its addresses, one after another.  BadArgumentError where a row cannot work or a part is full."""
    free = dict.fromkeys(parts, 0)
    image_places = {group: _image_place(group, row, parts[row.part], free) for group, row in images.items()}
    log_places = {log: _log_place(log, row, parts[LOG_PART], free) for log, row in logs.items()}
    for name, used in free.items():
        if used > parts[name].size_bytes:
            raise BadArgumentError(f"the layout needs {used} bytes of {name}; it has {parts[name].size_bytes}")
    return Layout(parts, image_places, log_places)


def _image_place(group: Group, row: ImageRow, part: Part, free: dict[str, int]) -> ImagePlace:
    if row.slots < 2 or part.kind is Kind.FLASH:
        raise BadArgumentError(f"{group.value}: an image needs two slots or more, in a part that takes any byte")
    slot_bytes = -(-(row.size_bytes + IMAGE_OVERHEAD) // part.page_bytes) * part.page_bytes
    address = free[row.part]
    free[row.part] += slot_bytes * row.slots
    return ImagePlace(row.part, address, row.slots, slot_bytes, row.size_bytes, row.saves_per_day, row.power_fail)


def _log_place(log: Log, row: LogRow, part: Part, free: dict[str, int]) -> LogPlace:
    """One sector more than the rows fill: the oldest one is gone as soon as a new one is begun."""
    one = LogPlace(LOG_PART, free[LOG_PART], 0, part.sector_bytes, row.row_bytes, row.rows, row.rows_per_day)
    if one.rows_per_sector < 1 or row.rows < 1:
        raise BadArgumentError(f"{log.value}: a row of {row.row_bytes} bytes does not fit a sector of {part.sector_bytes}")
    sectors = -(-row.rows // one.rows_per_sector) + 1
    free[LOG_PART] += sectors * part.sector_bytes
    return LogPlace(LOG_PART, one.address, sectors, part.sector_bytes, row.row_bytes, row.rows, row.rows_per_day)


def standard_layout(period_s: int = 900) -> Layout:
    """The layout of `layout.toml` for a load profile of this period; BadArgumentError for one that no day is made of."""
    if not 60 <= period_s <= DAY_S or DAY_S % period_s:
        raise BadArgumentError(f"a profile period is 60 s or more and fills a day: {period_s}")
    table = tomllib.loads(files("nyala.meter.memory").joinpath("layout.toml").read_text(encoding="utf-8"))
    images = {Group(name): ImageRow(**row) for name, row in table["images"].items()}
    daily, logs = DAY_S // period_s, {}
    for name, row in table["logs"].items():
        rows = row["rows"] if "rows" in row else row["days"] * daily
        logs[Log(name)] = LogRow(row["row_bytes"], rows, row["rows_per_day"] or daily)
    names = dict.fromkeys([row.part for row in images.values()] + [LOG_PART])
    return place({name: part(name) for name in names}, images, logs)
