"""The fleet at a glance: sums over the load days of a tenant, computed at most every `FRESH_S`.

"Today" is the local day of the tenant's zone; the strip of days is UTC days, as they are stored.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from nyala.api import describe, describe_alarms
from nyala.api.shapes.fleet import (
    CompletenessOut,
    CountsOut,
    EnergyOut,
    FleetDayOut,
    FleetEventOut,
    FleetOut,
    FleetProfileOut,
    GatewayOut,
)
from nyala.headend.registry import MeterRecord
from nyala.mdm.load_day import from_row
from nyala.store import alarms, commands, devices, gateways, lifecycle, load_days, meters
from nyala.vocab.quality import ESTIMATED, Quality
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S, US_PER_S, day_text, zone

FRESH_S: Final = 5
DAYS: Final = 35
SILENT_REPORTS: Final = 2
"""A meter is silent when it was not heard for so many of its reporting periods, and a quarter of an hour."""
SILENT_GRACE_S: Final = 900
EVENTS: Final = 12
DEFAULT_ZONE: Final = "Asia/Jakarta"
PROFILE_PERIOD_S: Final = 900

Integers = NDArray[np.int64]
_cache: Final[dict[int, tuple[int, FleetOut]]] = {}
_lock: Final = Lock()


def fleet(connection: Connection, tenant: int, now_us: int) -> FleetOut:
    """The fleet of a tenant; at most `FRESH_S` old."""
    now_s = now_us // US_PER_S
    with _lock:
        cached = _cache.get(tenant)
        if cached is not None and 0 <= now_s - cached[0] < FRESH_S:
            return cached[1]
        made = _fleet(connection, tenant, now_us)
        _cache[tenant] = (now_s, made)
        return made


def forget() -> None:
    """Empties the cache: another store is looked at."""
    _cache.clear()


def _fleet(connection: Connection, tenant: int, now_us: int) -> FleetOut:
    now_s = now_us // US_PER_S
    until = lifecycle.uncounted(connection)
    every = [record for record in meters.load_records(connection) if record.tenant_id == tenant]
    records = [record for record in every if record.id not in until]
    counted = [record for record in every if until.get(record.id) != 0]
    """With those that were removed: what they told until then is part of the fleet's past."""
    tz = zone(records[0].zone if records else DEFAULT_ZONE)
    midnight = datetime.fromtimestamp(now_s, tz).replace(hour=0, minute=0, second=0, microsecond=0)
    start_s = int(midnight.timestamp())
    profile, energy, received, estimated = _today(connection, counted, start_s, now_s)
    expected = max(_expected(counted, until, start_s, now_s), received + estimated)
    events = commands.events_of(connection, [record.id for record in counted], EVENTS)
    by_id = {record.id: record for record in counted}
    return FleetOut(
        now_s=now_s,
        zone=tz.key,
        meters=_counts(connection, tenant, records, now_us),
        energy_today=energy,
        today=CompletenessOut(
            expected=expected,
            received=received,
            estimated=estimated,
            missing=max(expected - received - estimated, 0),
        ),
        days=_days(connection, tenant, counted, until, now_s),
        profile_today=profile,
        gateways=[
            GatewayOut(eui=g.eui, last_seen_s=g.last_seen_us // US_PER_S, frames=g.frames)
            for g in gateways.all_gateways(connection)
        ],
        commands_open=commands.count_open(connection, tenant),
        alarms=describe_alarms.counts_out(alarms.counts(connection, tenant)),
        events=[
            FleetEventOut(**describe.event_out(e).model_dump(), meter_id=e.meter_id, serial=by_id[e.meter_id].serial)
            for e in events
            if e.meter_id in by_id
        ],
    )


def is_heard(record: MeterRecord, last_heard_us: int, now_us: int) -> bool:
    """Whether a meter has been heard lately enough not to be silent."""
    limit_s = SILENT_REPORTS * record.report_s + SILENT_GRACE_S
    return last_heard_us > 0 and now_us - last_heard_us <= limit_s * US_PER_S


def _counts(connection: Connection, tenant: int, records: Sequence[MeterRecord], now_us: int) -> CountsOut:
    heard_us = meters.last_heard(connection)
    never = sum(1 for record in records if record.id not in heard_us)
    heard = sum(1 for record in records if is_heard(record, heard_us.get(record.id, 0), now_us))
    silent, lost = len(records) - heard - never, devices.lost_count(connection, tenant)
    return CountsOut(total=len(records), heard=heard, silent=silent, never=never, needs_readmission=lost)


def _expected(records: Sequence[MeterRecord], until: Mapping[int, int], start_s: int, end_s: int) -> int:
    """Intervals that have ended in [start_s, end_s) and were reported, or should have been, by now; of meters that were
    removed those before that.
    """

    def expected(record: MeterRecord) -> int:
        last_s = min(end_s - record.report_s - 60, until.get(record.id, end_s))
        return max(last_s // record.period_s - max(start_s, record.installed_s) // record.period_s, 0)

    return sum(map(expected, records))


def _today(
    connection: Connection, records: Sequence[MeterRecord], start_s: int, now_s: int
) -> tuple[FleetProfileOut, EnergyOut, int, int]:
    """The fleet's intervals since local midnight, summed in slots of `PROFILE_PERIOD_S`; how many came, were estimated.

    Energy is primary, cut to whole Wh per interval.
    """
    slots = DAY_S // PROFILE_PERIOD_S
    days = list(range(start_s // DAY_S, now_s // DAY_S + 1))
    ratios = {record.id: record.ct_ratio for record in records}
    both = (Channel.IMPORT, Channel.EXPORT)
    sums = {channel: np.zeros(slots, np.int64) for channel in both}
    seen = {channel: np.zeros(slots, np.int64) for channel in both}
    received = estimated = 0
    for channel in both:
        for row in load_days.of_days(connection, days, channel):
            if row.key.meter_id not in ratios:
                continue
            day, (primary, secondary) = from_row(row), ratios[row.key.meter_id]
            starts = row.key.day * DAY_S + np.arange(len(day.values)) * row.period_s
            inside = (starts >= start_s) & (starts < start_s + DAY_S)
            known = inside & (day.qualities != Quality.MISSING)
            slot = (starts[known] - start_s) // PROFILE_PERIOD_S
            np.add.at(sums[channel], slot, day.values[known] * primary // secondary)
            np.add.at(seen[channel], slot, 1)
            if channel is Channel.IMPORT:
                guessed = int(np.isin(day.qualities[inside], [int(q) for q in ESTIMATED]).sum())
                received += int(known.sum()) - guessed
                estimated += guessed
    profile = FleetProfileOut(
        start_s=start_s,
        period_s=PROFILE_PERIOD_S,
        import_wh=_nullable(sums[Channel.IMPORT], seen[Channel.IMPORT]),
        export_wh=_nullable(sums[Channel.EXPORT], seen[Channel.EXPORT]),
    )
    energy = EnergyOut(import_wh=int(sums[Channel.IMPORT].sum()), export_wh=int(sums[Channel.EXPORT].sum()))
    return profile, energy, received, estimated


def _nullable(sums: Integers, seen: Integers) -> list[int | None]:
    return [int(value) if count else None for value, count in zip(sums.tolist(), seen.tolist(), strict=True)]


def _days(
    connection: Connection, tenant: int, records: Sequence[MeterRecord], until: Mapping[int, int], now_s: int
) -> list[FleetDayOut]:
    today = now_s // DAY_S
    oldest = min((record.installed_s for record in records), default=now_s) // DAY_S
    first = max(today - DAYS + 1, oldest)
    sums = {(each.day, each.channel): each for each in load_days.day_sums(connection, tenant, first, today + 1)}
    found = []
    for number in range(first, today + 1):
        expected = _expected(records, until, number * DAY_S, min((number + 1) * DAY_S + _report_s(records), now_s))
        imports, exports = sums.get((number, Channel.IMPORT)), sums.get((number, Channel.EXPORT))
        estimated = imports.estimated if imports else 0
        received = imports.values - estimated if imports else 0
        found.append(
            FleetDayOut(
                day=day_text(number),
                expected=max(expected, received + estimated),
                received=received,
                estimated=estimated,
                missing=max(expected - received - estimated, 0),
                import_wh=imports.energy_wh if imports else 0,
                export_wh=exports.energy_wh if exports else 0,
            )
        )
    return found


def _report_s(records: Sequence[MeterRecord]) -> int:
    """What `_expected` takes off for reporting, given back for a day that is over."""
    return max((record.report_s for record in records), default=0) + 60
