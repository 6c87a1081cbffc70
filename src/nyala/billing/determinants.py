"""Billing determinants: what load days of one meter say of a billing period, for each time-of-use period.  No prices here.

An interval belongs to the billing period and to the time-of-use period that hold its *start*: one that a boundary cuts
is never shared out, so that energies sum to the watt-hour.  The start is taken in local wall time of the tariff's zone:
a local day with 23 or 25 hours counts the hours that it had.

Energies and demands are those at the meter's terminals (secondary); `lines` applies the transformer ratios.  Reactive
energy and demand windows other than the load day's own interval are not here yet.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from nyala.billing.tariff import DAY_MINUTES, TariffProfile
from nyala.mdm.load_day import LoadDay
from nyala.vocab.errors import BadArgumentError, ConflictError
from nyala.vocab.quality import ESTIMATED, Quality
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S, HOUR_S, day_of, day_text, iso

SPAN_S_MAX: Final = 400 * DAY_S
"""A billing period is a month or so; a year is the longest that anybody bills."""
VALUE_WH_MAX: Final = 1 << 40
"""Far above any interval of any meter, and 400 days of minutes of it still sum below 2**63."""
_LOCAL_DAYS_KEPT: Final = 2048
"""Clock times of UTC days that are kept for the next meter: five years of days of one zone, or a month of sixty."""
_QUALITY_MAX: Final = max(Quality)
_IS_ESTIMATED: Final = np.isin(np.arange(256), [int(quality) for quality in ESTIMATED])


class Input(NamedTuple):
    """A load day that was used: what to fetch to compute the same again."""

    day: int
    channel: Channel
    version: int


class Demand(NamedTuple):
    """The highest mean power of an interval, in whole W at the meter's terminals, and where; the earliest of equals."""

    power_w: int
    start_s: int


class Gap(NamedTuple):
    """A run of intervals without a value: instants [start_s, end_s)."""

    start_s: int
    end_s: int
    intervals: int


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """Interval values in columns, one row each, oldest first.  `version` is that of the load day; 0: there is none."""

    start_s: NDArray[np.int64]
    period_s: NDArray[np.int64]
    value_wh: NDArray[np.int64]
    quality: NDArray[np.uint8]
    version: NDArray[np.int64]

    def where(self, mask: NDArray[np.bool_]) -> "Intervals":
        """The rows of a mask, read-only."""
        rows = Intervals(self.start_s[mask], self.period_s[mask], self.value_wh[mask], self.quality[mask], self.version[mask])
        for column in (rows.start_s, rows.period_s, rows.value_wh, rows.quality, rows.version):
            column.flags.writeable = False
        return rows


@dataclass(frozen=True, slots=True)
class Determinant:
    """One time-of-use period in one billing period.  Two are equal when their numbers are."""

    code: str
    energy_wh: int
    estimated_wh: int
    """The part of `energy_wh` whose quality is an estimate."""
    intervals: int
    missing: int
    demand: Demand | None
    """None where no interval has a value."""
    source: Intervals | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Determinants:
    """All of one meter and channel in a billing period: `energy` in the order of the tariff's periods."""

    meter_id: int
    channel: Channel
    start_s: int
    end_s: int
    energy: tuple[Determinant, ...]
    gaps: tuple[Gap, ...]
    inputs: tuple[Input, ...]

    @property
    def energy_wh(self) -> int:
        """Energy of the whole billing period."""
        return sum(each.energy_wh for each in self.energy)

    @property
    def intervals(self) -> int:
        """Intervals that the billing period has, with or without a value."""
        return sum(each.intervals for each in self.energy)

    @property
    def missing(self) -> int:
        """Intervals without a value."""
        return sum(each.missing for each in self.energy)

    @property
    def demand(self) -> Demand | None:
        """The highest of all."""
        known = [each.demand for each in self.energy if each.demand is not None]
        return min(known, key=lambda demand: (-demand.power_w, demand.start_s)) if known else None


def intervals(determinant: Determinant) -> Intervals:
    """The intervals that sum to a determinant, exactly.

    BadArgumentError for one of a bill that was read back: `measure` the load days of its inputs again.
    """
    if determinant.source is None:
        raise BadArgumentError(f"{determinant.code} was read from a bill and has no intervals; measure its load days again")
    return determinant.source


def measure(
    profile: TariffProfile,
    tz: ZoneInfo,
    period: tuple[int, int],
    load_days: Iterable[LoadDay],
    channel: Channel = Channel.IMPORT,
) -> Determinants:
    """The determinants of one channel in the billing period [start_s, end_s).

    Load days of other channels, or outside the period, are not used.  A UTC day without a load day counts as missing,
    with the interval length of the day before it.  BadArgumentError: a period that is empty or too long, load days of two
    meters or with impossible contents.  ConflictError: two load days for one day, or none at all.
    """
    start_s, end_s = period
    if not 0 < end_s - start_s <= SPAN_S_MAX:
        raise BadArgumentError(f"billing period of {end_s - start_s} s; 1 to {SPAN_S_MAX}")
    days = _days(period, load_days, channel)
    meter_id = next(iter(days.values())).key.meter_id
    pieces: list[Intervals] = []
    minutes: list[NDArray[np.int16]] = []
    inputs: list[Input] = []
    period_s = days[min(days)].period_s
    for day in range(day_of(start_s), day_of(end_s - 1) + 1):
        load_day = days.get(day)
        period_s = load_day.period_s if load_day else period_s
        columns = _columns(day, period_s, load_day)
        inside = (columns.start_s >= start_s) & (columns.start_s < end_s)
        if inside.any():
            pieces.append(columns.where(inside))
            minutes.append(_local_minutes(tz, day, period_s)[inside])
            if load_day:
                inputs.append(Input(day, channel, load_day.version))
    if not pieces:
        raise BadArgumentError(f"no interval starts in the billing period {iso(start_s)} to {iso(end_s)}")
    whole = _joined(pieces)
    owners = _owner_of_minute(profile)[np.concatenate(minutes)]
    energy = tuple(_determinant(charge.period, whole.where(owners == i)) for i, charge in enumerate(profile.energy))
    return Determinants(meter_id, channel, start_s, end_s, energy, _gaps(whole), tuple(inputs))


def _days(period: tuple[int, int], load_days: Iterable[LoadDay], channel: Channel) -> dict[int, LoadDay]:
    """The load days that may be used, by UTC day."""
    first, last = day_of(period[0]), day_of(period[1] - 1)
    days: dict[int, LoadDay] = {}
    meters: set[int] = set()
    for load_day in load_days:
        meters.add(load_day.key.meter_id)
        day = load_day.key.day
        if load_day.key.channel is not channel or not first <= day <= last:
            continue
        if day in days:
            raise ConflictError(f"meter {load_day.key.meter_id} has two load days of {channel.name} on {day_text(day)}")
        _check(load_day)
        days[day] = load_day
    if len(meters) > 1:
        raise BadArgumentError(f"load days of {len(meters)} meters: {sorted(meters)[:2]} ...")
    if not days:
        raise ConflictError(f"no load day of {channel.name} from {day_text(first)} to {day_text(last)}: all is missing")
    return days


def _check(load_day: LoadDay) -> None:
    where = f"load day {day_text(load_day.key.day)} of meter {load_day.key.meter_id}"
    if load_day.period_s <= 0 or HOUR_S % load_day.period_s:
        raise BadArgumentError(f"{where}: an interval of {load_day.period_s} s does not divide the hour")
    count = DAY_S // load_day.period_s
    if load_day.values.shape != (count,) or load_day.qualities.shape != (count,):
        raise BadArgumentError(f"{where}: {load_day.values.size} values and {load_day.qualities.size} qualities; {count} each")
    if load_day.values.min() < 0 or load_day.values.max() > VALUE_WH_MAX:
        raise BadArgumentError(f"{where}: a value is below 0 or above {VALUE_WH_MAX} Wh")
    if load_day.qualities.max() > _QUALITY_MAX:
        raise BadArgumentError(f"{where}: quality code {load_day.qualities.max()}")


def _columns(day: int, period_s: int, load_day: LoadDay | None) -> Intervals:
    """All intervals of a UTC day; what is missing counts 0."""
    start_s = np.arange(day * DAY_S, (day + 1) * DAY_S, period_s, dtype=np.int64)
    count = len(start_s)
    quality = load_day.qualities if load_day else np.full(count, Quality.MISSING, np.uint8)
    values = load_day.values if load_day else np.zeros(count, np.int64)
    return Intervals(
        start_s=start_s,
        period_s=np.full(count, period_s, np.int64),
        value_wh=np.where(quality == Quality.MISSING, 0, values),
        quality=quality,
        version=np.full(count, load_day.version if load_day else 0, np.int64),
    )


def _joined(pieces: list[Intervals]) -> Intervals:
    return Intervals(
        start_s=np.concatenate([piece.start_s for piece in pieces]),
        period_s=np.concatenate([piece.period_s for piece in pieces]),
        value_wh=np.concatenate([piece.value_wh for piece in pieces]),
        quality=np.concatenate([piece.quality for piece in pieces]),
        version=np.concatenate([piece.version for piece in pieces]),
    )


@lru_cache(_LOCAL_DAYS_KEPT)
def _local_minutes(tz: ZoneInfo, day: int, period_s: int) -> NDArray[np.int16]:
    """The minute of the local day (0..1439) at the start of each interval of a UTC day.

    Each start is asked for by itself, because a zone may change its offset anywhere in a UTC day.
    """
    moments = [datetime.fromtimestamp(start_s, tz) for start_s in range(day * DAY_S, (day + 1) * DAY_S, period_s)]
    minutes = np.array([moment.hour * 60 + moment.minute for moment in moments], np.int16)
    minutes.flags.writeable = False
    return minutes


def _owner_of_minute(profile: TariffProfile) -> NDArray[np.int16]:
    """For each minute of the local day, the index of its period in `profile.energy`."""
    names = [charge.period for charge in profile.energy]
    owners = np.full(DAY_MINUTES, -1, np.int16)
    for interval in profile.intervals:
        owners[interval.minutes()] = names.index(interval.period)
    assert owners.min() >= 0, "the file's check: the periods hold the whole day"
    return owners


def _determinant(code: str, rows: Intervals) -> Determinant:
    known = rows.quality != Quality.MISSING
    demand = None
    if known.any():
        power_w = np.where(known, rows.value_wh * (HOUR_S // rows.period_s), -1)
        highest = int(power_w.argmax())
        demand = Demand(int(power_w[highest]), int(rows.start_s[highest]))
    return Determinant(
        code=code,
        energy_wh=int(rows.value_wh.sum()),
        estimated_wh=int(rows.value_wh[_IS_ESTIMATED[rows.quality]].sum()),
        intervals=len(known),
        missing=int(np.count_nonzero(~known)),
        demand=demand,
        source=rows,
    )


def _gaps(rows: Intervals) -> tuple[Gap, ...]:
    missing = np.concatenate(([False], rows.quality == Quality.MISSING, [False]))
    edges = np.flatnonzero(missing[1:] != missing[:-1]).reshape(-1, 2)
    ends = rows.start_s + rows.period_s
    return tuple(Gap(int(rows.start_s[a]), int(ends[b - 1]), int(b - a)) for a, b in edges)
