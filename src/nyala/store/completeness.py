"""Completeness in the store: sums of load days by site, feeder, group, gateway or meter, made by the database.

Two questions, whatever the size of the fleet: what is expected (meters that are alike, counted) and what came (load days,
summed by line and day over their covering index).  A meter that belongs to several groups counts in each of them.
"""

from collections import defaultdict
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, cast, false, func, not_, or_, select, union_all
from sqlalchemy import String as Text

from nyala.headend.completeness import By, Counted, Table, check_days, line, silent_before_us
from nyala.headend.lifecycle import GONE, Life
from nyala.store import schema
from nyala.store.schema_lives import meter_group, meter_group_member, meter_life
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S

LINES_MAX: Final = 500
"""Lines of one table."""
EUI_CHARS: Final = 16
_meter, _day, _state = schema.meter, schema.load_day, schema.meter_state
_device, _session = schema.lorawan_device, schema.lorawan_session


def table(
    connection: Connection,
    tenant: int,
    by: By,
    first_day: int,
    until_day: int,
    now_us: int,
    *,
    within: tuple[By, str] | None = None,
    limit: int = LINES_MAX,
) -> Table:
    """The completeness of a tenant's meters on UTC days first..until-1; `within`: only the meters of one other line.

    BadArgumentError for days as `check_days`.
    """
    check_days(first_day, until_day)
    members = _members(by, tenant)
    if within is not None:
        inner = _members(within[0], tenant).subquery("within")
        members = members.where(_meter.c.id.in_(select(inner.c.meter_id).where(inner.c.key == within[1])))
    line_of = members.subquery("line_of")
    counted, silent, names = _expected(connection, line_of, now_us)
    came = _came(connection, line_of, first_day, until_day)
    days = range(first_day, until_day)
    lines = [line(key, names[key], counted[key], came.get(key, {}), silent[key], days, now_us) for key in counted]
    lines.sort(key=lambda each: (-each.missing, each.name))
    return Table(first_day, len(days), tuple(lines[: min(limit, LINES_MAX)]), len(lines))


def _members(by: By, tenant: int) -> Select[Any]:
    """(key, name, meter_id) of all meters of a tenant that count, or did."""
    query = _named(by, tenant).outerjoin(meter_life, meter_life.c.meter_id == _meter.c.id)
    gone = and_(meter_life.c.state.in_([each.value for each in GONE]), meter_life.c.ended_s.is_not(None))
    counts = or_(meter_life.c.state.is_(None), meter_life.c.state == Life.ACTIVE.value, gone)
    return query.where(_meter.c.tenant_id == tenant, counts)


def _named(by: By, tenant: int) -> Select[Any]:
    match by:
        case By.SITE | By.FEEDER:
            column = _meter.c[by.value]
            return _select(column, column)
        case By.METER:
            return _select(cast(_meter.c.id, Text), _meter.c.serial)
        case By.GATEWAY:  # the best one of the last uplink
            best = func.coalesce(func.substr(_session.c.heard_by, 1, EUI_CHARS), "")
            query = _select(best, best).join(_device, _device.c.meter_id == _meter.c.id)
            return query.outerjoin(_session, _session.c.dev_eui == _device.c.dev_eui)
        case By.GROUP:
            belongs = _belongs(tenant).subquery("belongs")
            query = _select(cast(meter_group.c.id, Text), meter_group.c.name)
            return query.join(belongs, belongs.c.meter_id == _meter.c.id).join(
                meter_group, meter_group.c.id == belongs.c.group_id
            )


def _belongs(tenant: int) -> Any:
    """(group_id, meter_id): those that are listed, and those that fit a filter."""
    listed = select(meter_group_member.c.group_id, meter_group_member.c.meter_id)
    listed = listed.join(meter_group, and_(meter_group.c.id == meter_group_member.c.group_id, meter_group.c.fixed))
    fits = [or_(meter_group.c[name] == "", meter_group.c[name] == _meter.c[name]) for name in ("site", "model", "tariff")]
    own = and_(not_(meter_group.c.fixed), meter_group.c.tenant_id == tenant, _meter.c.tenant_id == tenant, *fits)
    chosen = select(meter_group.c.id.label("group_id"), _meter.c.id.label("meter_id")).where(own)
    return union_all(listed.where(meter_group.c.tenant_id == tenant), chosen)


def _select(key: Any, name: Any) -> Select[Any]:
    return select(key.label("key"), name.label("name"), _meter.c.id.label("meter_id")).select_from(_meter)


def _expected(
    connection: Connection, line_of: Any, now_us: int
) -> tuple[dict[str, list[Counted]], dict[str, int], dict[str, str]]:
    """What is expected of each line, how many of its meters are silent, and its name."""
    alike = (_meter.c.period_s, _meter.c.report_s, _meter.c.installed_s, meter_life.c.ended_s)
    reports = connection.scalars(select(_meter.c.report_s).distinct()).all()
    late = [and_(_meter.c.report_s == each, _state.c.last_heard_us < silent_before_us(each, now_us)) for each in reports]
    silent = and_(_state.c.last_heard_us > 0, meter_life.c.ended_s.is_(None), or_(false(), *late))
    query = (
        select(line_of.c.key, line_of.c.name, *alike, func.count(), func.count().filter(silent))
        .join(_meter, _meter.c.id == line_of.c.meter_id)
        .outerjoin(meter_life, meter_life.c.meter_id == _meter.c.id)
        .outerjoin(_state, _state.c.meter_id == _meter.c.id)
        .group_by(line_of.c.key, line_of.c.name, *alike)
    )
    counted: dict[str, list[Counted]] = defaultdict(list)
    quiet: dict[str, int] = defaultdict(int)
    names: dict[str, str] = {}
    for key, name, period_s, report_s, installed_s, ended_s, meters, silent_meters in connection.execute(query):
        counted[key].append(Counted(meters, period_s, report_s, installed_s, ended_s))
        quiet[key] += silent_meters
        names[key] = name
    return counted, quiet, names


def _came(connection: Connection, line_of: Any, first_day: int, until_day: int) -> dict[str, dict[int, tuple[int, int]]]:
    """Of each line and day: intervals with a value, and those of them that are estimated."""
    values = func.sum(DAY_S // _day.c.period_s - _day.c.missing)
    query = (
        select(line_of.c.key, _day.c.day, values, func.sum(_day.c.estimated))
        .join(_day, _day.c.meter_id == line_of.c.meter_id)
        .where(_day.c.day >= first_day, _day.c.day < until_day, _day.c.channel == int(Channel.IMPORT))
        .group_by(line_of.c.key, _day.c.day)
    )
    came: dict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
    for key, day, valued, estimated in connection.execute(query):
        came[key][day] = int(valued), int(estimated)
    return came
