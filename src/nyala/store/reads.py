"""Scheduled reads: plans written with everything else, read back, and what their last runs have brought."""

from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, func, select

from nyala.headend.reads import ReadPlan
from nyala.store import groups_of_meters as groups
from nyala.store import schema
from nyala.store.rows import Row
from nyala.store.schema_reads import read_plan
from nyala.vocab.errors import UnknownError
from nyala.vocab.quantities import by_code, quantity
from nyala.vocab.time import HOUR_S

PAGE_MAX = 500
CLOCK_S = 60
"""A meter's clock may be behind by so much: its values of a run say so."""
_SAME = tuple(column.name for column in read_plan.columns if column.name not in ("quantities", "idempotency_key"))


def plan_row(plan: ReadPlan) -> Row:
    """A plan."""
    return {name: getattr(plan, name) for name in _SAME} | {
        "quantities": ",".join(plan.quantities),
        "idempotency_key": plan.key,
    }


def _plan_of(row: Any) -> ReadPlan:
    return ReadPlan(
        **{name: row[name] for name in _SAME}, quantities=tuple(row["quantities"].split(",")), key=row["idempotency_key"]
    )


def running(connection: Connection) -> list[ReadPlan]:
    """The plans of all tenants that have not ended."""
    return _plans(connection, select(read_plan).where(read_plan.c.ended_us.is_(None)))


def plans_of(connection: Connection, tenant: int) -> list[ReadPlan]:
    """The plans of a tenant that have not ended, by their names."""
    query = select(read_plan).where(read_plan.c.ended_us.is_(None), read_plan.c.tenant_id == tenant)
    return sorted(_plans(connection, query), key=lambda plan: (plan.name, plan.id))


def by_id(connection: Connection, tenant: int, plan_id: int) -> ReadPlan:
    """A plan of a tenant, ended or not; UnknownError also for one of a neighbour."""
    found = _plans(connection, select(read_plan).where(read_plan.c.id == plan_id, read_plan.c.tenant_id == tenant))
    if not found:
        raise UnknownError("read", plan_id)
    return found[0]


def by_key(connection: Connection, key: str) -> ReadPlan | None:
    """The plan that was made with an idempotency key, or None."""
    return next(iter(_plans(connection, select(read_plan).where(read_plan.c.idempotency_key == key))), None)


def _plans(connection: Connection, query: Select[Any]) -> list[ReadPlan]:
    return [_plan_of(row) for row in connection.execute(query.order_by(read_plan.c.id)).mappings()]


def next_id(connection: Connection) -> int:
    """The id of the next plan."""
    return (connection.scalar(select(func.max(read_plan.c.id))) or 0) + 1


def members(connection: Connection, plan: ReadPlan) -> list[int]:
    """The meters that a plan has now."""
    if plan.group_id is None:
        return [] if plan.meter_id is None else [plan.meter_id]
    return groups.members_of(connection, groups.group_by_id(connection, plan.tenant_id, plan.group_id))


def brought(
    connection: Connection, plan: ReadPlan, *, after: str, limit: int
) -> tuple[list[tuple[int, str, dict[str, tuple[int, int]]]], str | None]:
    """What the last run has brought: (meter, serial number, {quantity: (value, at_s)}) after the cursor; the next cursor."""
    limit, meter, value = min(max(limit, 1), PAGE_MAX), schema.meter, schema.register_reading
    wanted = set(members(connection, plan))
    query = select(meter.c.id, meter.c.serial).where(meter.c.tenant_id == plan.tenant_id, meter.c.serial > after)
    ours = (row for row in connection.execute(query.order_by(meter.c.serial)) if row.id in wanted)
    page = list(islice(ours, limit + 1))
    found: dict[int, dict[str, tuple[int, int]]] = {row.id: {} for row in page[:limit]}
    codes = [quantity(name).code for name in plan.quantities]
    said = select(value).where(value.c.meter_id.in_(list(found)), value.c.quantity.in_(codes))
    said = said.where(value.c.at_s >= plan.run_s - CLOCK_S, value.c.at_s <= plan.run_s + plan.spread_s + 24 * HOUR_S)
    for row in connection.execute(said.order_by(value.c.at_s.desc())):  # the oldest since the run stays
        found[row.meter_id][by_code()[row.quantity].name] = (row.value, row.at_s)
    items = [(row.id, row.serial, found[row.id]) for row in page[:limit]]
    return items, items[-1][1] if len(page) > limit else None
