"""Meters in the store: onboarding, loading the registry and the network's sessions, the list of the portal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, or_, select

from nyala.headend.backfill import expected_to
from nyala.headend.lifecycle import Life
from nyala.headend.onboarding import NewMeter
from nyala.headend.registry import MeterRecord, MeterState
from nyala.lorawan.network.multicast import MC_ADDRS
from nyala.lorawan.network.sessions import Root, Sessions
from nyala.mdm.load_day import decode_qualities
from nyala.store import places, rows, schema
from nyala.store.engine import writing
from nyala.store.groups_of_meters import Group, members
from nyala.store.keys import KeyRing, ring_of
from nyala.store.schema_lives import meter_life
from nyala.vocab.errors import ConflictError, UnknownError
from nyala.vocab.identifiers import eui_text
from nyala.vocab.quality import Quality
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S, US_PER_S

DEV_ADDR_LIMIT: Final = MC_ADDRS.start
"""NwkAddr has 25 bits with a NetID of type 0; the end of them is for multicast groups."""
PAGE_MAX: Final = 500
MISSING_SPAN_S: Final = 40 * DAY_S
"""How far back missing intervals are counted for a screen."""
_meter, _device, _state = schema.meter, schema.lorawan_device, schema.meter_state


def tenant_id(engine: Engine, name: str) -> int:
    """The id of a tenant, made where it is not there."""
    with writing(engine) as connection:
        found = connection.scalar(select(schema.tenant.c.id).where(schema.tenant.c.name == name))
        if found is None:
            found = connection.execute(schema.tenant.insert().values(name=name)).inserted_primary_key[0]  # type: ignore[index]
        return int(found)


def onboard(engine: Engine, tenant: int, meters: Sequence[NewMeter]) -> list[MeterRecord]:
    """Adds meters, all or none.  ConflictError names the serial numbers and DevEUIs that are there already."""
    with writing(engine) as connection:
        _refuse_known(connection, meters)
        first_id = (connection.scalar(select(func.max(_meter.c.id))) or 0) + 1
        first_addr = (connection.scalar(select(func.max(_device.c.dev_addr))) or 0) + 1
        if first_addr + len(meters) > DEV_ADDR_LIMIT:
            raise ConflictError(f"the network has {first_addr - 1} of {DEV_ADDR_LIMIT} addresses in use")
        numbered = list(enumerate(meters, start=first_id))
        connection.execute(_meter.insert(), [_meter_row(number, tenant, meter) for number, meter in numbered])
        connection.execute(
            _device.insert(),
            [_device_row(number, first_addr + number - first_id, meter, ring_of(connection)) for number, meter in numbered],
        )
        lives = [
            {"meter_id": number, "state": meter.life.value, "since_us": meter.installed_s * US_PER_S, "ended_s": None}
            for number, meter in numbered
            if meter.life is not Life.ACTIVE
        ]
        if lives:
            connection.execute(meter_life.insert(), lives)
        places.put(connection, tenant, {meter.site: meter.place for meter in meters if meter.place is not None})
        return load_records(connection, first_id)


def _refuse_known(connection: Connection, meters: Sequence[NewMeter]) -> None:
    serials = {meter.serial for meter in meters}
    euis = {eui_text(meter.dev_eui) for meter in meters}
    known = [s for s in connection.scalars(select(_meter.c.serial)) if s in serials]
    known += [e for e in connection.scalars(select(_device.c.dev_eui)) if e in euis]
    if known:
        more = f" and {len(known) - 5} more" if len(known) > 5 else ""
        raise ConflictError(f"there already: {', '.join(known[:5])}{more}")


def _meter_row(number: int, tenant: int, meter: NewMeter) -> dict[str, Any]:
    return {
        "id": number,
        "tenant_id": tenant,
        "serial": meter.serial,
        "model": meter.model,
        "customer": meter.customer,
        "site": meter.site,
        "zone": meter.zone,
        "period_s": meter.period_s,
        "report_s": meter.report_s,
        "installed_s": meter.installed_s,
        "tariff": meter.tariff,
        "contracted_va": meter.contracted_va,
        "ct_primary": meter.ct_ratio[0],
        "ct_secondary": meter.ct_ratio[1],
        "feeder": meter.feeder,
    }


def _device_row(number: int, dev_addr: int, meter: NewMeter, ring: KeyRing) -> dict[str, Any]:
    dev_eui = eui_text(meter.dev_eui)
    return {
        "meter_id": number,
        "dev_eui": dev_eui,
        "join_eui": eui_text(meter.join_eui),
        "app_key": ring.wrap(meter.app_key, "app_key", dev_eui),
        "dev_addr": dev_addr,
        "class_c": meter.class_c,
        "dev_nonce": -1,
        "join_nonce": 0,
        "lorawan_version": meter.lorawan_version,
    }


def load_records(connection: Connection, from_id: int = 0) -> list[MeterRecord]:
    """All meters with an id of at least `from_id`."""
    query = select(_meter, _device.c.dev_eui).join(_device, _device.c.meter_id == _meter.c.id)
    found = connection.execute(query.where(_meter.c.id >= from_id).order_by(_meter.c.id))
    return [rows.meter_of(row) for row in found.mappings()]


def load_states(connection: Connection) -> list[MeterState]:
    """The shadows of all meters that were ever heard."""
    return [rows.state_of(row) for row in connection.execute(select(_state.c.shadow)).mappings()]


def load_roots(connection: Connection, from_id: int = 0) -> list[Root]:
    """The LoRaWAN devices of all meters with an id of at least `from_id`."""
    query = select(_device).where(_device.c.meter_id >= from_id).order_by(_device.c.meter_id)
    ring = ring_of(connection)
    return [rows.root_of(row, ring) for row in connection.execute(query).mappings()]


def load_sessions(connection: Connection) -> Sessions:
    """The network's devices and sessions.  SurroundingsError where a key does not unwrap."""
    sessions, ring = Sessions(), ring_of(connection)
    for root in load_roots(connection):
        sessions.add_root(root)
    for row in connection.execute(select(schema.lorawan_session)).mappings():
        sessions.restore(rows.session_of(row, ring))
    return sessions


@dataclass(frozen=True, slots=True)
class MeterLine:
    """A meter as a list shows it."""

    id: int
    serial: str
    customer: str
    site: str
    model: str
    switch_state: int | None
    last_heard_us: int | None
    p_w: int | None
    import_wh: int | None
    refused_us: int | None
    """Since when it needs re-admission."""
    life: str
    ct_ratio: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list; `next` is the cursor of the one after it, `total` counts all pages."""

    items: tuple[MeterLine, ...]
    next: str | None
    total: int


def list_meters(
    connection: Connection,
    tenant: int,
    *,
    search: str = "",
    lost: bool = False,
    life: Life | None = None,
    group: Group | None = None,
    after: str = "",
    limit: int = 50,
) -> Page:
    """Meters of a tenant by serial number, after the cursor; `search` looks in serial, customer and site.

    `lost`: only those that need re-admission; `life`: where they stand in it; `group`: its meters that are on a wall.
    """
    limit = min(max(limit, 1), PAGE_MAX)
    stands = func.coalesce(meter_life.c.state, Life.ACTIVE.value)
    base = select(_meter.c.id).where(_meter.c.tenant_id == tenant)
    query = (
        select(
            _meter.c.id,
            _meter.c.serial,
            _meter.c.customer,
            _meter.c.site,
            _meter.c.model,
            _state.c.switch_state,
            _state.c.last_heard_us,
            _state.c.p_w,
            _state.c.import_wh,
            _device.c.refused_us,
            stands,
            _meter.c.ct_primary,
            _meter.c.ct_secondary,
        )
        .join(_device, _device.c.meter_id == _meter.c.id)
        .outerjoin(_state, _state.c.meter_id == _meter.c.id)
        .outerjoin(meter_life, meter_life.c.meter_id == _meter.c.id)
        .where(_meter.c.tenant_id == tenant)
    )
    if life is not None:
        base = base.outerjoin(meter_life, meter_life.c.meter_id == _meter.c.id).where(stands == life.value)
        query = query.where(stands == life.value)
    if group is not None:
        base, query = (each.where(_meter.c.id.in_(members(group))) for each in (base, query))
    if lost:
        query = query.where(_device.c.refused_us.is_not(None))
        base = base.join(_device, _device.c.meter_id == _meter.c.id).where(_device.c.refused_us.is_not(None))
    base, query = _searched(base, search), _searched(query, search)
    if after:
        query = query.where(_meter.c.serial > after)
    found = connection.execute(query.order_by(_meter.c.serial).limit(limit + 1)).all()
    total = connection.scalar(select(func.count()).select_from(base.subquery())) or 0
    items = tuple(MeterLine(*with_ratio(row)) for row in found[:limit])
    return Page(items, items[-1].serial if len(found) > limit else None, total)


def with_ratio(row: Any) -> tuple[Any, ...]:
    """A row whose last two columns are a ratio, with the ratio as one value."""
    *values, primary, secondary = row
    return *values, (primary, secondary)


def _searched(query: Any, search: str) -> Any:
    text = search.strip()
    if not text:
        return query
    columns = (_meter.c.serial, _meter.c.customer, _meter.c.site)
    return query.where(or_(*(column.icontains(text, autoescape=True) for column in columns)))


def meter_of_tenant(connection: Connection, tenant: int, meter_id: int) -> MeterRecord:
    """A meter of a tenant; UnknownError also for one of a neighbour."""
    query = select(_meter, _device.c.dev_eui).join(_device, _device.c.meter_id == _meter.c.id)
    row = connection.execute(query.where(_meter.c.id == meter_id, _meter.c.tenant_id == tenant)).mappings().first()
    if row is None:
        raise UnknownError("meter", meter_id)
    return rows.meter_of(row)


def meter_of_serial(connection: Connection, tenant: int, serial: str) -> MeterRecord:
    """A meter of a tenant by its serial number; UnknownError also for one of a neighbour."""
    query = select(_meter.c.id).where(_meter.c.serial == serial, _meter.c.tenant_id == tenant)
    found = connection.scalar(query)
    if found is None:
        raise UnknownError("meter", serial)
    return meter_of_tenant(connection, tenant, found)


def state_of_meter(connection: Connection, meter_id: int) -> MeterState | None:
    """The shadow of a meter, or None where it was never heard."""
    row = connection.execute(select(_state.c.shadow).where(_state.c.meter_id == meter_id)).mappings().first()
    return None if row is None else rows.state_of(row)


def last_heard(connection: Connection) -> dict[int, int]:
    """When each meter was last heard, in microseconds; meters that never were are left out."""
    query = select(_state.c.meter_id, _state.c.last_heard_us).where(_state.c.last_heard_us > 0)
    return {meter_id: heard_us for meter_id, heard_us in connection.execute(query)}  # noqa: C416 - rows are no tuples to mypy


def missing_of(connection: Connection, meter_ids: Sequence[int], now_us: int) -> dict[int, int]:
    """How many intervals of each meter should have come by now and have not; meters that lack none are left out."""
    columns = (_meter.c.id, _meter.c.period_s, _meter.c.report_s, _meter.c.installed_s, _state.c.complete_to)
    query = select(*columns).outerjoin(_state, _state.c.meter_id == _meter.c.id)
    counted = or_(meter_life.c.state.is_(None), meter_life.c.state == Life.ACTIVE.value)
    query = query.outerjoin(meter_life, meter_life.c.meter_id == _meter.c.id).where(_meter.c.id.in_(list(meter_ids)), counted)
    found: dict[int, int] = {}
    for meter_id, period_s, report_s, installed_s, complete_to in connection.execute(query):
        first = -(-installed_s // period_s) if complete_to is None else complete_to
        until = expected_to(period_s, report_s, now_us)
        first = max(first, until - MISSING_SPAN_S // period_s)
        if first < until:
            found[meter_id] = until - first - _known(connection, meter_id, period_s, first, until)
    return {meter_id: count for meter_id, count in found.items() if count}


def _known(connection: Connection, meter_id: int, period_s: int, first: int, until: int) -> int:
    """Intervals of the import with a value in [first, until)."""
    day = schema.load_day
    per_day = DAY_S // period_s
    query = select(day.c.day, day.c.period_s, day.c.qualities).where(
        day.c.meter_id == meter_id,
        day.c.channel == int(Channel.IMPORT),
        day.c.day >= first // per_day,
        day.c.day <= (until - 1) // per_day,
    )
    known = 0
    for number, stored_period_s, block in connection.execute(query):
        if stored_period_s == period_s:
            start = number * per_day
            qualities = decode_qualities(block, per_day)[max(first - start, 0) : until - start]
            known += int((qualities != Quality.MISSING).sum())
    return known
