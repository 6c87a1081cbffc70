"""Orders of configuration and their meters, written with everything else that a group of uplinks led to, and read."""

from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, func, or_, select

from nyala.headend.bulk import Step
from nyala.headend.bulk_life import ENDED, BulkState, MemberState
from nyala.headend.config_orders import ConfigMember, ConfigOrder
from nyala.store import schema
from nyala.store.rows import Row
from nyala.store.schema_configuration import config_member, config_order
from nyala.vocab.errors import UnknownError
from nyala.vocab.settings import Setting

PAGE_MAX = 500
HISTORY_MAX = 100
"""Orders of a meter that are shown, the newest."""
_json = msgspec.json.Encoder().encode
_history = msgspec.json.Decoder(list[Step])
_versions = msgspec.json.Decoder(dict[str, int])
_blocks = msgspec.msgpack.Decoder(dict[Setting, bytes])
_SAME = ("id", "tenant_id", "name", "created_us", "created_by", "reason", "updated_us", "stop_pct", "stop_min", "approved_by")
_COUNTS = ("forgiven_ended", "forgiven_failed")


def order_row(order: ConfigOrder) -> Row:
    """An order without its members."""
    return {name: getattr(order, name) for name in (*_SAME, *_COUNTS)} | {
        "blocks": msgspec.msgpack.encode(dict(order.blocks)),
        "state": order.state.value,
        "meters": sum(order.tally.values()),
        "history": _json(order.history).decode(),
        "order_key": order.key,
    }


def member_row(order_id: int, member: ConfigMember) -> Row:
    """A member of an order."""
    return {
        "order_id": order_id,
        "meter_id": member.meter_id,
        "state": member.state.value,
        "versions": _json(member.versions).decode(),
        "text": member.text,
    }


def _order_of(row: RowMapping) -> ConfigOrder:
    return ConfigOrder(
        **{name: row[name] for name in (*_SAME, *_COUNTS)},
        blocks=_blocks.decode(row["blocks"]),
        state=BulkState(row["state"]),
        history=_history.decode(row["history"]),
        key=row["order_key"],
    )


def _member_of(row: Any) -> ConfigMember:
    return ConfigMember(row.meter_id, MemberState(row.state), _versions.decode(row.versions), row.text)


def running(connection: Connection) -> list[ConfigOrder]:
    """The orders that a centre has to follow, with their members: open ones, and those with meters on the way."""
    on_the_way = select(config_member.c.order_id).where(config_member.c.state == MemberState.ORDERED.value)
    open_ = config_order.c.state.not_in([state.value for state in ENDED])
    query = select(config_order).where(or_(open_, config_order.c.id.in_(on_the_way))).order_by(config_order.c.id)
    orders = [_order_of(row) for row in connection.execute(query).mappings()]
    for order in orders:
        rows = select(config_member).where(config_member.c.order_id == order.id).order_by(config_member.c.meter_id)
        order.members = {row.meter_id: _member_of(row) for row in connection.execute(rows)}
    return orders


def next_id(connection: Connection) -> int:
    """The id of the next order."""
    return (connection.scalar(select(func.max(config_order.c.id))) or 0) + 1


def by_id(connection: Connection, tenant: int, order_id: int) -> ConfigOrder:
    """An order of a tenant with its tally and without members; UnknownError also for one of a neighbour."""
    query = select(config_order).where(config_order.c.id == order_id, config_order.c.tenant_id == tenant)
    found = connection.execute(query).mappings().first()
    if found is None:
        raise UnknownError("configuration", order_id)
    return _counted(connection, [_order_of(found)])[0]


def by_key(connection: Connection, key: str) -> ConfigOrder | None:
    """The order that was given with an idempotency key, or None."""
    row = connection.execute(select(config_order).where(config_order.c.order_key == key)).mappings().first()
    return None if row is None else _counted(connection, [_order_of(row)])[0]


def newest(connection: Connection, tenant: int, *, after: int | None, limit: int) -> tuple[list[ConfigOrder], int | None]:
    """Orders of a tenant over more than one meter, the newest first, before the cursor; the cursor of the next page."""
    query = select(config_order).where(config_order.c.tenant_id == tenant, config_order.c.meters > 1)
    if after is not None:
        query = query.where(config_order.c.id < after)
    limit = min(max(limit, 1), PAGE_MAX)
    rows = connection.execute(query.order_by(config_order.c.id.desc()).limit(limit + 1)).mappings().all()
    orders = _counted(connection, [_order_of(row) for row in rows[:limit]])
    return orders, orders[-1].id if len(rows) > limit else None


def _counted(connection: Connection, orders: list[ConfigOrder]) -> list[ConfigOrder]:
    known = {order.id: order for order in orders}
    columns = config_member.c.order_id, config_member.c.state
    query = select(*columns, func.count()).where(columns[0].in_(list(known))).group_by(*columns)
    for order_id, state, count in connection.execute(query):
        known[order_id].tally[MemberState(state)] = count
    return orders


def members_of(
    connection: Connection, order_id: int, state: MemberState | None, *, after: str, limit: int
) -> tuple[list[tuple[str, ConfigMember]], str | None]:
    """(serial number, member) of an order by serial number after the cursor; the cursor of the next page."""
    query = select(schema.meter.c.serial, config_member).join(config_member, config_member.c.meter_id == schema.meter.c.id)
    query = query.where(config_member.c.order_id == order_id, schema.meter.c.serial > after)
    if state is not None:
        query = query.where(config_member.c.state == state.value)
    limit = min(max(limit, 1), PAGE_MAX)
    rows = connection.execute(query.order_by(schema.meter.c.serial).limit(limit + 1)).all()
    found = [(row.serial, _member_of(row)) for row in rows[:limit]]
    return found, found[-1][0] if len(rows) > limit else None


def of_meter(connection: Connection, meter_id: int) -> list[tuple[ConfigOrder, ConfigMember]]:
    """The orders that a meter was in, the newest first, each with what became of the meter."""
    members = select(config_member).where(config_member.c.meter_id == meter_id)
    rows = connection.execute(members.order_by(config_member.c.order_id.desc()).limit(HISTORY_MAX)).all()
    query = select(config_order).where(config_order.c.id.in_([row.order_id for row in rows]))
    orders = {row["id"]: _order_of(row) for row in connection.execute(query).mappings()}
    return [(orders[row.order_id], _member_of(row)) for row in rows]
