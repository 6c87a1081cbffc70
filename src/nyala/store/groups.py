"""Multicast groups and campaigns, written and read.  Keys are wrapped under the address of their group."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, RowMapping, Select, func, select

from nyala.headend.campaign_life import OPEN, CampaignRow, CampaignState, Order
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.network.multicast import MulticastGroup
from nyala.lorawan.packages.campaign import Plan
from nyala.store import schema
from nyala.store.keys import KeyRing, ring_of
from nyala.store.rows import Row, state_of
from nyala.vocab.errors import UnknownError
from nyala.vocab.identifiers import eui_text

LIST_MAX: Final = 200
_group, _campaign = schema.multicast_group, schema.campaign
_APART: Final = frozenset({"block", "mc_key"})
"""Fields of a plan that are in columns of their own only."""
_PLAN: Final = tuple(each.name for each in fields(Plan) if each.name not in _APART)
_SAID: Final = tuple(each.name for each in fields(Order) if each.name not in {"tenant_id", "key"})
"""Fields of an order that have no column."""
_json: Final = msgspec.json.Encoder().encode


def address_text(mc_addr: int) -> str:
    """An address as it is stored."""
    return f"{mc_addr:08x}"


def group_row(group: MulticastGroup, ring: KeyRing) -> Row:
    """A group, its keys wrapped."""
    address = address_text(group.mc_addr)
    return {
        "mc_addr": address,
        "nwk_s_key": ring.wrap(group.nwk_s_key.value, "nwk_s_key", address),
        "app_s_key": ring.wrap(group.app_s_key.value, "app_s_key", address),
        "frequency_hz": group.frequency_hz,
        "data_rate": group.data_rate,
        "f_cnt": group.f_cnt,
        "ended": group.ended,
        "members": _euis_text(group.members),
    }


def campaign_row(campaign: CampaignRow, ring: KeyRing) -> Row:
    """A campaign, the key of its group wrapped."""
    address = address_text(campaign.plan.mc_addr)
    return {
        "id": campaign.id,
        "mc_addr": address,
        "mc_key": ring.wrap(campaign.plan.mc_key, "mc_key", address),
        "state": campaign.state.value,
        "created_us": campaign.created_us,
        "created_by": campaign.created_by,
        "updated_us": campaign.updated_us,
        "block": campaign.plan.block,
        "plan": _json({name: getattr(campaign.plan, name) for name in _PLAN}).decode(),
        "devices": _euis_text(campaign.dev_euis),
        "report": _json(campaign.report).decode(),
        "tenant_id": campaign.order.tenant_id or None,
        "said": _json(
            {"approved_by": campaign.approved_by, **{name: getattr(campaign.order, name) for name in _SAID}}
        ).decode(),
        "idempotency_key": campaign.order.key,
    }


def load_groups(connection: Connection) -> list[MulticastGroup]:
    """All groups that there ever were: an address is used once.  SurroundingsError where a key does not unwrap."""
    ring = ring_of(connection)
    return [_group_of(row, ring) for row in connection.execute(select(_group).order_by(_group.c.mc_addr)).mappings()]


def running_campaigns(connection: Connection) -> list[CampaignRow]:
    """The campaigns that have not ended."""
    running = _campaign.c.state.in_([state.value for state in OPEN])
    return _campaigns(connection, select(_campaign).where(running).order_by(_campaign.c.id))


def campaign_by_key(connection: Connection, key: str) -> CampaignRow | None:
    """The campaign of an idempotency key."""
    return next(iter(_campaigns(connection, select(_campaign).where(_campaign.c.idempotency_key == key))), None)


def campaign_by_id(connection: Connection, tenant_id: int, campaign_id: int) -> CampaignRow:
    """A campaign of a tenant; UnknownError for none, and for another tenant's."""
    found = campaign_of_any(connection, campaign_id)
    if found.order.tenant_id != tenant_id:
        raise UnknownError("block", campaign_id)
    return found


def campaign_of_any(connection: Connection, campaign_id: int) -> CampaignRow:
    """A campaign, whosever it is; UnknownError."""
    found = _campaigns(connection, select(_campaign).where(_campaign.c.id == campaign_id))
    if not found:
        raise UnknownError("block", campaign_id)
    return found[0]


def newest_campaigns(
    connection: Connection, limit: int = 50, *, tenant_id: int | None = None, before: int | None = None
) -> list[CampaignRow]:
    """The last campaigns, the newest first: of a tenant, and before an id, where they are said."""
    query = select(_campaign).order_by(_campaign.c.id.desc()).limit(min(limit, LIST_MAX))
    if tenant_id is not None:
        query = query.where(_campaign.c.tenant_id == tenant_id)
    return _campaigns(connection, query if before is None else query.where(_campaign.c.id < before))


def members_of(connection: Connection, dev_euis: Sequence[int]) -> dict[int, tuple[int, str, int | None]]:
    """(meter, serial number, firmware as it was last told) of devices."""
    device, meter, state = schema.lorawan_device, schema.meter, schema.meter_state
    query = (
        select(device.c.dev_eui, meter.c.id, meter.c.serial, state.c.shadow)
        .join(meter, meter.c.id == device.c.meter_id)
        .outerjoin(state, state.c.meter_id == meter.c.id)
        .where(device.c.dev_eui.in_([eui_text(each) for each in dev_euis]))
    )
    found = connection.execute(query).mappings()
    return {
        int(row["dev_eui"], 16): (row["id"], row["serial"], None if row["shadow"] is None else state_of(row).firmware)
        for row in found
    }


def next_campaign_id(connection: Connection) -> int:
    """The id of the next campaign."""
    return (connection.scalar(select(func.max(_campaign.c.id))) or 0) + 1


def _group_of(row: RowMapping, ring: KeyRing) -> MulticastGroup:
    address = row["mc_addr"]
    return MulticastGroup(
        mc_addr=int(address, 16),
        nwk_s_key=AesKey(ring.unwrap(row["nwk_s_key"], "nwk_s_key", address)),
        app_s_key=AesKey(ring.unwrap(row["app_s_key"], "app_s_key", address)),
        frequency_hz=row["frequency_hz"],
        data_rate=row["data_rate"],
        members=_euis_of(row["members"]),
        f_cnt=row["f_cnt"],
        ended=row["ended"],
    )


def _euis_text(dev_euis: tuple[int, ...]) -> str:
    return " ".join(map(eui_text, dev_euis))


def _euis_of(text: str) -> tuple[int, ...]:
    return tuple(int(each, 16) for each in text.split())


def _campaigns(connection: Connection, query: Select[Any]) -> list[CampaignRow]:
    ring = ring_of(connection)
    return [_campaign_of(row, ring) for row in connection.execute(query).mappings()]


def _campaign_of(row: RowMapping, ring: KeyRing) -> CampaignRow:
    mc_key = ring.unwrap(row["mc_key"], "mc_key", row["mc_addr"])
    plan = Plan(block=bytes(row["block"]), mc_key=mc_key, **msgspec.json.decode(row["plan"]))
    said = msgspec.json.decode(row["said"])
    approved_by = said.pop("approved_by", "")
    return CampaignRow(
        id=row["id"],
        plan=plan,
        dev_euis=_euis_of(row["devices"]),
        created_us=row["created_us"],
        created_by=row["created_by"],
        updated_us=row["updated_us"],
        state=CampaignState(row["state"]),
        report=msgspec.json.decode(row["report"]),
        order=Order(tenant_id=row["tenant_id"] or 0, key=row["idempotency_key"], **said),
        approved_by=approved_by,
    )
