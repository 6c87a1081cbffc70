"""The history of alarms in the store: how a unit of work writes it, the list of the portal, acknowledgement.

One row for each time that an alarm went on.  What a late telegram says sets the instants of a row right; nothing else of it
changes, but for the one acknowledgement.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Engine,
    RowMapping,
    Update,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from nyala.headend.ports import AlarmCleared, AlarmDated, AlarmRaised
from nyala.store import schema
from nyala.store.engine import writing
from nyala.store.meters import PAGE_MAX
from nyala.store.rows import Row
from nyala.vocab.errors import BadArgumentError, ConflictError, UnknownError

_alarm, _meter = schema.meter_alarm, schema.meter


class Which(Enum):
    """Which rows of the history a list shows."""

    ACTIVE = "active"
    """On now."""
    OPEN = "open"
    """Nobody has acknowledged them yet, on or over."""
    ALL = "all"


# -- writing


def raised_row(raised: AlarmRaised) -> Row:
    """An occurrence."""
    return {
        "tenant_id": raised.tenant_id,
        "meter_id": raised.meter_id,
        "alarm": raised.alarm,
        "raised_s": raised.raised_s,
        "value": raised.value,
        "source": raised.source,
        "received_us": raised.received_us,
        "cleared_s": raised.cleared_s,
        "acknowledged_us": None,
        "acknowledged_by": None,
        "note": None,
        "acknowledge_key": None,
    }


def cleared_row(cleared: AlarmCleared) -> Row:
    """Parameters of `clearing`."""
    return {"meter": cleared.meter_id, "bit": cleared.alarm, "at": cleared.at_s, "before": cleared.before_s}


def dated_row(dated: AlarmDated) -> Row:
    """Parameters of `dating`."""
    return {
        "meter": dated.meter_id,
        "bit": dated.alarm,
        "shown": dated.shown_s,
        "raised": dated.raised_s,
        "said": dated.value,
    }


def noted_row(change: AlarmRaised | AlarmCleared) -> Row:
    """A change as `headend/storms` works it off: in the unit of work of its alarm, so that neither is there alone."""
    whose: Row = {"meter_id": change.meter_id, "alarm": change.alarm}
    if isinstance(change, AlarmCleared):
        empty = {"value": None, "cleared_s": None, "received_us": None}
        return whose | empty | {"at_s": change.at_s, "before_s": change.before_s}
    said = {"value": change.value, "cleared_s": change.cleared_s, "received_us": change.received_us}
    return whose | said | {"at_s": change.raised_s, "before_s": 0}


def clearing() -> Update:
    """The newest occurrence that was raised before `before` ends at `at`, where it does not end earlier."""
    other = _alarm.alias("other")
    newest = select(func.max(other.c.raised_s)).where(
        other.c.meter_id == bindparam("meter"), other.c.alarm == bindparam("bit"), other.c.raised_s < bindparam("before")
    )
    return (
        update(_alarm)
        .where(
            _alarm.c.meter_id == bindparam("meter"),
            _alarm.c.alarm == bindparam("bit"),
            _alarm.c.raised_s == newest.scalar_subquery(),
            or_(_alarm.c.cleared_s.is_(None), _alarm.c.cleared_s > bindparam("at")),
        )
        .values(cleared_s=bindparam("at"))
    )


def dating() -> Update:
    """The occurrence that a state showed at `shown` went on at `raised`."""
    return (
        update(_alarm)
        .where(
            _alarm.c.meter_id == bindparam("meter"),
            _alarm.c.alarm == bindparam("bit"),
            _alarm.c.raised_s == bindparam("shown"),
            _alarm.c.source == literal_column("'state'"),
        )
        .values(raised_s=bindparam("raised"), value=bindparam("said"), source=literal_column("'event'"))
    )


# -- reading


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """One occurrence with its meter.  `alarm` is the bit; instants of the meter's clock but for `_us`."""

    id: int
    meter_id: int
    serial: str
    customer: str
    site: str
    alarm: int
    raised_s: int
    value: int | None
    source: str
    received_us: int
    cleared_s: int | None
    acknowledged_us: int | None
    acknowledged_by: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class AlarmPage:
    """A page of the list; `next` is the cursor of the one after it, `total` counts all pages."""

    items: tuple[AlarmLine, ...]
    next: str | None
    total: int


_LINE: Final = (
    _alarm.c.id,
    _alarm.c.meter_id,
    _meter.c.serial,
    _meter.c.customer,
    _meter.c.site,
    _alarm.c.alarm,
    _alarm.c.raised_s,
    _alarm.c.value,
    _alarm.c.source,
    _alarm.c.received_us,
    _alarm.c.cleared_s,
    _alarm.c.acknowledged_us,
    _alarm.c.acknowledged_by,
    _alarm.c.note,
)


def _line(row: Any) -> AlarmLine:
    return AlarmLine(*row)


def list_alarms(
    connection: Connection,
    tenant: int,
    which: Which = Which.ACTIVE,
    *,
    bits: Collection[int] | None = None,
    meter_id: int | None = None,
    after: str = "",
    limit: int = 50,
) -> AlarmPage:
    """Alarms of a tenant, newest first by when they went on, after the cursor; of some bits, of one meter.

    BadArgumentError for a cursor that is none.
    """
    limit = min(max(limit, 1), PAGE_MAX)
    wanted: list[Any] = [_alarm.c.tenant_id == tenant]
    if which is Which.ACTIVE:
        wanted.append(_alarm.c.cleared_s.is_(None))
    elif which is Which.OPEN:
        wanted.append(_alarm.c.acknowledged_us.is_(None))
    if bits is not None:
        wanted.append(_alarm.c.alarm.in_(sorted(bits)))
    if meter_id is not None:
        wanted.append(_alarm.c.meter_id == meter_id)
    query = select(*_LINE).join(_meter, _meter.c.id == _alarm.c.meter_id).where(*wanted)
    if after:
        query = query.where(tuple_(_alarm.c.raised_s, _alarm.c.id) < tuple_(*_cursor(after)))
    found = connection.execute(query.order_by(_alarm.c.raised_s.desc(), _alarm.c.id.desc()).limit(limit + 1)).all()
    total = connection.scalar(select(func.count()).select_from(_alarm).where(*wanted)) or 0
    items = tuple(_line(row) for row in found[:limit])
    return AlarmPage(items, f"{items[-1].raised_s}-{items[-1].id}" if len(found) > limit else None, total)


def _cursor(after: str) -> tuple[int, int]:
    raised, _, number = after.partition("-")
    if not (raised.isdecimal() and number.isdecimal()):
        raise BadArgumentError(f"not a cursor of a list of alarms: {after!r}")
    return int(raised), int(number)


def counts(connection: Connection, tenant: int) -> dict[int, int]:
    """How many meters of a tenant have each alarm now, by bit; alarms that none has are left out."""
    query = select(_alarm.c.alarm, func.count()).where(_alarm.c.tenant_id == tenant, _alarm.c.cleared_s.is_(None))
    return {bit: count for bit, count in connection.execute(query.group_by(_alarm.c.alarm))}  # noqa: C416 - rows are no tuples to mypy


def alarm_by_id(connection: Connection, tenant: int, alarm_id: int) -> AlarmLine:
    """One occurrence of a tenant; UnknownError also for one of a neighbour."""
    query = select(*_LINE).join(_meter, _meter.c.id == _alarm.c.meter_id)
    row = connection.execute(query.where(_alarm.c.id == alarm_id, _alarm.c.tenant_id == tenant)).first()
    if row is None:
        raise UnknownError("alarm", alarm_id)
    return _line(row)


# -- acknowledgement


def acknowledge(engine: Engine, tenant: int, alarm_id: int, *, by: str, note: str, key: str, now_us: int) -> AlarmLine:
    """Notes who has seen an occurrence; with the same key again nothing more happens.

    UnknownError; ConflictError where it is acknowledged already, or the key was used for another one.
    """
    with writing(engine) as connection:
        before = alarm_by_id(connection, tenant, alarm_id)
        used: RowMapping | None = (
            connection.execute(select(_alarm.c.id).where(_alarm.c.acknowledge_key == key)).mappings().first()
        )
        if used is not None and used["id"] != alarm_id:
            raise ConflictError("this idempotency key was used for another alarm")
        if used is not None:
            return before
        if before.acknowledged_us is not None:
            raise ConflictError(f"alarm {alarm_id} was acknowledged already, by {before.acknowledged_by}")
        said = {"acknowledged_us": now_us, "acknowledged_by": by, "note": note, "acknowledge_key": key}
        connection.execute(update(_alarm).where(_alarm.c.id == alarm_id).values(**said))
        return alarm_by_id(connection, tenant, alarm_id)
