"""Multicast groups and campaigns, written and read.  Keys are wrapped under the address of their group."""

from dataclasses import fields
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, RowMapping, Select, func, select

from nyala.headend.campaigns import CampaignRow, CampaignState
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.network.multicast import MulticastGroup
from nyala.lorawan.packages.campaign import Plan
from nyala.store import schema
from nyala.store.keys import KeyRing, ring_of
from nyala.store.rows import Row
from nyala.vocab.identifiers import eui_text

LIST_MAX: Final = 200
_group, _campaign = schema.multicast_group, schema.campaign
_APART: Final = frozenset({"block", "mc_key"})
"""Fields of a plan that are in columns of their own only."""
_PLAN: Final = tuple(each.name for each in fields(Plan) if each.name not in _APART)
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
    }


def load_groups(connection: Connection) -> list[MulticastGroup]:
    """All groups that there ever were: an address is used once.  SurroundingsError where a key does not unwrap."""
    ring = ring_of(connection)
    return [_group_of(row, ring) for row in connection.execute(select(_group).order_by(_group.c.mc_addr)).mappings()]


def running_campaigns(connection: Connection) -> list[CampaignRow]:
    """The campaigns that have not ended."""
    running = _campaign.c.state == CampaignState.RUNNING.value
    return _campaigns(connection, select(_campaign).where(running).order_by(_campaign.c.id))


def newest_campaigns(connection: Connection, limit: int = 50) -> list[CampaignRow]:
    """The last campaigns, the newest first."""
    return _campaigns(connection, select(_campaign).order_by(_campaign.c.id.desc()).limit(min(limit, LIST_MAX)))


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
    return CampaignRow(
        id=row["id"],
        plan=plan,
        dev_euis=_euis_of(row["devices"]),
        created_us=row["created_us"],
        created_by=row["created_by"],
        updated_us=row["updated_us"],
        state=CampaignState(row["state"]),
        report=msgspec.json.decode(row["report"]),
    )
