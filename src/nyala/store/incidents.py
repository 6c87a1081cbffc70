"""Incidents in the store, with the alarms that they are made of; and the list of the portal."""

from typing import Any, Final

from sqlalchemy import Connection, delete, func, or_, select

from nyala.headend.storms_shapes import Entry, Incident, Scope, Taken
from nyala.store import schema, schema_notices
from nyala.store.ingest import upsert
from nyala.store.meters import PAGE_MAX
from nyala.vocab.errors import BadArgumentError, UnknownError

MEMBERS_MAX: Final = 200
"""Members that one answer lists."""
_incident, _entry, _meter = schema_notices.incident, schema_notices.incident_entry, schema.meter
_INCIDENT: Final = [column.name for column in _incident.columns]
_ENTRY: Final = [column.name for column in _entry.columns]
_KEY: Final = ("meter_id", "alarm", "raised_s")


def write(connection: Connection, taken: Taken) -> None:
    """Stores what changed."""
    dialect = connection.dialect
    if taken.incidents:
        rows = [{name: getattr(each, name) for name in _INCIDENT} for each in taken.incidents]
        connection.execute(upsert(dialect, _incident, ["id"], [name for name in _INCIDENT if name != "id"]), rows)
    if taken.entries:
        rows = [{name: getattr(each, name) for name in _ENTRY} for each in taken.entries]
        connection.execute(upsert(dialect, _entry, _KEY, [name for name in _ENTRY if name not in _KEY]), rows)
    for entry in taken.gone:
        own = (_entry.c.meter_id == entry.meter_id) & (_entry.c.alarm == entry.alarm) & (_entry.c.raised_s == entry.raised_s)
        connection.execute(delete(_entry).where(own))


def open_incidents(connection: Connection) -> list[Incident]:
    """Those that are not over."""
    return [_of(row) for row in connection.execute(select(_incident).where(_incident.c.ended_us.is_(None))).mappings()]


def open_entries(connection: Connection) -> list[Entry]:
    """Alarms that are alone, or of an open incident."""
    query = select(_entry).outerjoin(_incident, _incident.c.id == _entry.c.incident_id)
    query = query.where(or_(_entry.c.incident_id.is_(None), _incident.c.ended_us.is_(None)))
    return [Entry(**row) for row in connection.execute(query).mappings()]


def next_incident(connection: Connection) -> int:
    """The id of the next incident."""
    return (connection.scalar(select(func.max(_incident.c.id))) or 0) + 1


def list_incidents(
    connection: Connection, tenant: int, *, only_open: bool, after: str = "", limit: int = 50
) -> tuple[list[Incident], str | None]:
    """Incidents of a tenant, newest first, and the cursor of the page behind.  BadArgumentError for a cursor that is none."""
    limit = min(max(limit, 1), PAGE_MAX)
    query = select(_incident).where(_incident.c.tenant_id == tenant)
    if only_open:
        query = query.where(_incident.c.ended_us.is_(None))
    if after:
        if not after.isdecimal():
            raise BadArgumentError(f"not a cursor of a list of incidents: {after!r}")
        query = query.where(_incident.c.id < int(after))
    found = [_of(row) for row in connection.execute(query.order_by(_incident.c.id.desc()).limit(limit + 1)).mappings()]
    return found[:limit], str(found[limit - 1].id) if len(found) > limit else None


def incident_by_id(connection: Connection, tenant: int, incident_id: int) -> Incident:
    """One incident of a tenant; UnknownError also for one of a neighbour."""
    query = select(_incident).where(_incident.c.id == incident_id, _incident.c.tenant_id == tenant)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise UnknownError("incident", incident_id)
    return _of(row)


def members_of(connection: Connection, incident: Incident, limit: int = MEMBERS_MAX) -> list[tuple[Entry, str, str]]:
    """The alarms of an incident with serial number and site of their meters, in the order in which they came."""
    query = select(_entry, _meter.c.serial, _meter.c.site).join(_meter, _meter.c.id == _entry.c.meter_id)
    query = query.where(_entry.c.incident_id == incident.id, _meter.c.tenant_id == incident.tenant_id)
    found = connection.execute(query.order_by(_entry.c.received_us, _entry.c.meter_id).limit(limit)).mappings()
    return [(Entry(**{name: row[name] for name in _ENTRY}), row["serial"], row["site"]) for row in found]


def _of(row: Any) -> Incident:
    return Incident(**dict(row) | {"scope": Scope(row["scope"])})
