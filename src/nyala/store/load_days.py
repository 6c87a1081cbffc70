"""Load days in the store: for the book, for charts, for bills, for the fleet page."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, bindparam, func, select

from nyala.mdm.load_day import Key, LoadDayRow
from nyala.store import rows, schema
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S

METERS_PER_QUERY: Final = 500
_day, _history = schema.load_day, schema.load_day_history
_BY_KEY: Final = select(_day).where(
    _day.c.meter_id.in_(bindparam("meters", expanding=True)),
    _day.c.day == bindparam("day"),
    _day.c.channel == bindparam("channel"),
)


class LoadDays:
    """The reader of the book: stored rows by key, many at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load_days(self, keys: Iterable[Key]) -> Mapping[Key, LoadDayRow]:
        """The stored rows of these keys; keys without one are left out."""
        groups: dict[tuple[int, int], list[int]] = defaultdict(list)
        for key in keys:
            groups[key.day, key.channel].append(key.meter_id)
        found: dict[Key, LoadDayRow] = {}
        with self._engine.connect() as connection:
            for (day, channel), meters in groups.items():
                for at in range(0, len(meters), METERS_PER_QUERY):
                    wanted = {"meters": meters[at : at + METERS_PER_QUERY], "day": day, "channel": int(channel)}
                    for row in connection.execute(_BY_KEY, wanted).mappings():
                        loaded = rows.load_day_of(row)
                        found[loaded.key] = loaded
        return found


def of_meter(connection: Connection, meter_id: int, channels: Sequence[Channel], first: int, until: int) -> list[LoadDayRow]:
    """The load days of a meter of UTC days first..until-1, by channel and day."""
    query = select(_day).where(_day.c.meter_id == meter_id, _day.c.day >= first, _day.c.day < until)
    query = query.where(_day.c.channel.in_([int(channel) for channel in channels]))
    found = connection.execute(query.order_by(_day.c.channel, _day.c.day))
    return [rows.load_day_of(row) for row in found.mappings()]


def of_versions(connection: Connection, wanted: Iterable[tuple[Key, int]]) -> list[LoadDayRow]:
    """Load days as they were at a version: what a bill of the past was computed from."""
    found: list[LoadDayRow] = []
    for key, version in wanted:
        same = [_c == value for _c, value in zip((_day.c.meter_id, _day.c.day, _day.c.channel), key, strict=True)]
        row = connection.execute(select(_day).where(*same, _day.c.version == version)).mappings().first()
        if row is None:
            old = [_c == v for _c, v in zip((_history.c.meter_id, _history.c.day, _history.c.channel), key, strict=True)]
            row = connection.execute(select(_history).where(*old, _history.c.version == version)).mappings().one()
        found.append(rows.load_day_of(row))
    return found


@dataclass(frozen=True, slots=True)
class DaySum:
    """One UTC day of one channel over all meters of a tenant; `energy_wh` is primary, cut to whole Wh per load day."""

    day: int
    channel: Channel
    values: int
    """Intervals with a value."""
    energy_wh: int
    estimated: int


def day_sums(connection: Connection, tenant: int, first: int, until: int) -> list[DaySum]:
    """Sums of UTC days first..until-1 over the meters of a tenant."""
    meter = schema.meter
    values = func.sum(DAY_S // _day.c.period_s - _day.c.missing)
    energy = func.sum(_day.c.energy_wh * meter.c.ct_primary // meter.c.ct_secondary)
    query = (
        select(_day.c.day, _day.c.channel, values, energy, func.sum(_day.c.estimated))
        .join(meter, meter.c.id == _day.c.meter_id)
        .where(_day.c.day >= first, _day.c.day < until, meter.c.tenant_id == tenant)
        .group_by(_day.c.day, _day.c.channel)
        .order_by(_day.c.day, _day.c.channel)
    )
    return [DaySum(day, Channel(channel), *map(int, rest)) for day, channel, *rest in connection.execute(query)]


def of_days(connection: Connection, days: Sequence[int], channel: Channel) -> list[LoadDayRow]:
    """All load days of a channel on some UTC days."""
    query = select(_day).where(_day.c.day.in_(days), _day.c.channel == channel)
    return [rows.load_day_of(row) for row in connection.execute(query).mappings()]
