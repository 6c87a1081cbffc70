"""Where the sites of a tenant are, and where the alarms of an incident are.  A site without a place stays off the map."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, delete, func, select

from nyala.headend.storms_shapes import Incident
from nyala.store import schema, schema_notices
from nyala.store.schema_places import site_place
from nyala.vocab.errors import UnknownError
from nyala.vocab.places import Place

SITES_MAX: Final = 5_000
"""Sites that one map shows: more dots are a blot."""
_meter, _entry = schema.meter, schema_notices.incident_entry


@dataclass(frozen=True, slots=True)
class SiteLine:
    """A site: its meters, those of them that an incident has and that still have its alarm (all meters where it is of none)."""

    site: str
    place: Place | None
    meters: int
    meters_on: int


def put(connection: Connection, tenant: int, places: Mapping[str, Place]) -> None:
    """Says where sites are, in place of what was said before."""
    if places:
        whose = (site_place.c.tenant_id == tenant) & (site_place.c.site == bindparam("name"))
        connection.execute(delete(site_place).where(whose), [{"name": site} for site in places])
        rows = [
            {"tenant_id": tenant, "site": site, "lat_udeg": place.lat_udeg, "lon_udeg": place.lon_udeg}
            for site, place in places.items()
        ]
        connection.execute(site_place.insert(), rows)


def put_known(connection: Connection, tenant: int, site: str, place: Place) -> None:
    """As `put`; UnknownError for a site that no meter of the tenant has."""
    if connection.scalar(select(_meter.c.id).where(_meter.c.tenant_id == tenant, _meter.c.site == site).limit(1)) is None:
        raise UnknownError("site", site)
    put(connection, tenant, {site: place})


def sites_of(connection: Connection, tenant: int) -> list[SiteLine]:
    """The sites of a tenant by name, at most `SITES_MAX`."""
    query = _sites(func.count()).where(_meter.c.tenant_id == tenant, _meter.c.site != "")
    return _lines(connection, query)


def sites_of_incident(connection: Connection, incident: Incident) -> list[SiteLine]:
    """The sites that an incident's meters are at, at most `SITES_MAX`."""
    on = func.count(_meter.c.id.distinct()).filter(_entry.c.cleared_s.is_(None))
    query = _sites(on).join(_entry, _entry.c.meter_id == _meter.c.id)
    return _lines(connection, query.where(_entry.c.incident_id == incident.id, _meter.c.tenant_id == incident.tenant_id))


def _sites(on: Any) -> Any:
    own = and_(site_place.c.tenant_id == _meter.c.tenant_id, site_place.c.site == _meter.c.site)
    where = (site_place.c.lat_udeg, site_place.c.lon_udeg)
    query = select(_meter.c.site, *where, func.count(_meter.c.id.distinct()), on)
    return query.select_from(_meter).outerjoin(site_place, own).group_by(_meter.c.site, *where)


def _lines(connection: Connection, query: Any) -> list[SiteLine]:
    found = connection.execute(query.order_by(_meter.c.site).limit(SITES_MAX))
    return [SiteLine(site, None if lat is None else Place(lat, lon), meters, on) for site, lat, lon, meters, on in found]
