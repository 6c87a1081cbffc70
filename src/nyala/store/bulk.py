"""Command campaigns and their members, written with everything else that a group of uplinks led to, and read."""

from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, Select, func, or_, select

from nyala.headend.bulk import BulkOrder, Member, Plan, Step
from nyala.headend.bulk_life import ENDED, BulkState, MemberState
from nyala.headend.commands import Kind
from nyala.store import schema
from nyala.store.rows import Row
from nyala.store.schema_lives import bulk_member, bulk_order
from nyala.vocab.errors import UnknownError

PAGE_MAX = 500
_json = msgspec.json.Encoder().encode
_history = msgspec.json.Decoder(list[Step])
_PLAN = ("pace", "stop_pct", "stop_min", "life_s")


def order_row(order: BulkOrder) -> Row:
    """A campaign without its members."""
    names = ("id", "tenant_id", "name", "created_us", "created_by", "reason", "approved_by", "expires_us", "next_us")
    more = ("updated_us", "forgiven_ended", "forgiven_failed")
    return {
        **{name: getattr(order, name) for name in (*names, *more)},
        **{name: getattr(order.plan, name) for name in _PLAN},
        "kind": order.plan.kind.value,
        "state": order.state.value,
        "history": _json(order.history).decode(),
        "order_key": order.key,
    }


def member_row(bulk_id: int, member: Member) -> Row:
    """A member of a campaign."""
    return {
        "bulk_id": bulk_id,
        "meter_id": member.meter_id,
        "state": member.state.value,
        "command_id": member.command_id,
        "text": member.text,
    }


def _order_of(row: RowMapping) -> BulkOrder:
    life_s = (row["expires_us"] - row["created_us"]) // 1_000_000
    plan = Plan(Kind(row["kind"]), **{name: row[name] for name in _PLAN}, expires_s=life_s)
    return BulkOrder(
        id=row["id"],
        tenant_id=row["tenant_id"],
        name=row["name"],
        plan=plan,
        state=BulkState(row["state"]),
        created_us=row["created_us"],
        created_by=row["created_by"],
        reason=row["reason"],
        expires_us=row["expires_us"],
        next_us=row["next_us"],
        updated_us=row["updated_us"],
        approved_by=row["approved_by"],
        forgiven_ended=row["forgiven_ended"],
        forgiven_failed=row["forgiven_failed"],
        key=row["order_key"],
        history=_history.decode(row["history"]),
    )


def _member_of(row: Any) -> Member:
    return Member(row.meter_id, MemberState(row.state), row.command_id, row.text)


def running(connection: Connection) -> list[BulkOrder]:
    """The campaigns that a centre has to follow, with their members: open ones, and those with commands under way."""
    under_way = select(bulk_member.c.bulk_id).where(bulk_member.c.state == MemberState.ORDERED.value)
    open_ = bulk_order.c.state.not_in([state.value for state in ENDED])
    query = select(bulk_order).where(or_(open_, bulk_order.c.id.in_(under_way))).order_by(bulk_order.c.id)
    orders = [_order_of(row) for row in connection.execute(query).mappings()]
    for order in orders:
        rows = connection.execute(_members(order.id).order_by(bulk_member.c.meter_id))
        order.members = {row.meter_id: _member_of(row) for row in rows}
    return orders


def _members(bulk_id: int) -> Select[Any]:
    return select(bulk_member).where(bulk_member.c.bulk_id == bulk_id)


def next_id(connection: Connection) -> int:
    """The id of the next campaign."""
    return (connection.scalar(select(func.max(bulk_order.c.id))) or 0) + 1


def by_id(connection: Connection, tenant: int, bulk_id: int) -> BulkOrder:
    """A campaign of a tenant with its tally and without members; UnknownError also for one of a neighbour."""
    row = connection.execute(select(bulk_order).where(bulk_order.c.id == bulk_id, bulk_order.c.tenant_id == tenant))
    found = row.mappings().first()
    if found is None:
        raise UnknownError("campaign", bulk_id)
    return _counted(connection, [_order_of(found)])[0]


def by_key(connection: Connection, key: str) -> BulkOrder | None:
    """The campaign that was ordered with an idempotency key, or None."""
    row = connection.execute(select(bulk_order).where(bulk_order.c.order_key == key)).mappings().first()
    return None if row is None else _counted(connection, [_order_of(row)])[0]


def newest(connection: Connection, tenant: int, *, after: int | None, limit: int) -> tuple[list[BulkOrder], int | None]:
    """Campaigns of a tenant, the newest first, before the cursor; the cursor of the next page."""
    query = select(bulk_order).where(bulk_order.c.tenant_id == tenant)
    if after is not None:
        query = query.where(bulk_order.c.id < after)
    limit = min(max(limit, 1), PAGE_MAX)
    rows = connection.execute(query.order_by(bulk_order.c.id.desc()).limit(limit + 1)).mappings().all()
    orders = _counted(connection, [_order_of(row) for row in rows[:limit]])
    return orders, orders[-1].id if len(rows) > limit else None


def _counted(connection: Connection, orders: list[BulkOrder]) -> list[BulkOrder]:
    query = select(bulk_member.c.bulk_id, bulk_member.c.state, func.count()).group_by(
        bulk_member.c.bulk_id, bulk_member.c.state
    )
    known = {order.id: order for order in orders}
    for bulk_id, state, count in connection.execute(query.where(bulk_member.c.bulk_id.in_(list(known)))):
        known[bulk_id].tally[MemberState(state)] = count
    return orders


def members_of(
    connection: Connection, bulk_id: int, state: MemberState | None, *, after: str, limit: int
) -> tuple[list[tuple[str, Member]], str | None]:
    """(serial number, member) of a campaign by serial number after the cursor; the cursor of the next page."""
    query = select(schema.meter.c.serial, bulk_member).join(bulk_member, bulk_member.c.meter_id == schema.meter.c.id)
    query = query.where(bulk_member.c.bulk_id == bulk_id, schema.meter.c.serial > after)
    if state is not None:
        query = query.where(bulk_member.c.state == state.value)
    limit = min(max(limit, 1), PAGE_MAX)
    rows = connection.execute(query.order_by(schema.meter.c.serial).limit(limit + 1)).all()
    found = [(row.serial, _member_of(row)) for row in rows[:limit]]
    return found, found[-1][0] if len(rows) > limit else None
