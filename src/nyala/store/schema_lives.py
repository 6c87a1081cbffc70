"""The tables of the lives of meters, of groups and templates of meters, and of command campaigns; conventions of `schema`."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from nyala.store.schema import Id, metadata

meter_life = Table(
    "meter_life",
    metadata,
    Column("meter_id", ForeignKey("meter.id"), primary_key=True, autoincrement=False),  # without a row: active
    Column("state", String(16), nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("ended_s", BigInteger),  # until when it counts; null while it does
)

meter_life_step = Table(
    "meter_life_step",
    metadata,
    Column("id", Id, primary_key=True),
    Column("meter_id", ForeignKey("meter.id"), nullable=False, index=True),
    Column("event", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("at_s", BigInteger, nullable=False),  # when it took place
    Column("recorded_us", BigInteger, nullable=False),  # when it was said
    Column("said_by", String(64), nullable=False),
    Column("reason", Text, nullable=False),
)

meter_exchange = Table(
    "meter_exchange",
    metadata,
    Column("id", Id, primary_key=True),
    Column("old_meter_id", ForeignKey("meter.id"), nullable=False, unique=True),
    Column("new_meter_id", ForeignKey("meter.id"), nullable=False, unique=True),
    Column("at_s", BigInteger, nullable=False),
    Column("registers", Text, nullable=False),  # JSON: {"final": {register: Wh}, "start": {register: Wh}}
    Column("recorded_us", BigInteger, nullable=False),
    Column("said_by", String(64), nullable=False),
    Column("reason", Text, nullable=False),
)

meter_group = Table(
    "meter_group",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("fixed", Boolean, nullable=False),  # members are listed; else the three below choose them, empty: all
    Column("site", String(120), nullable=False),
    Column("model", String(32), nullable=False),
    Column("tariff", String(64), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("created_by", String(64), nullable=False),
    UniqueConstraint("tenant_id", "name"),
)

meter_group_member = Table(
    "meter_group_member",
    metadata,
    Column("group_id", ForeignKey("meter_group.id"), primary_key=True),
    Column("meter_id", ForeignKey("meter.id"), primary_key=True),
)

meter_template = Table(
    "meter_template",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("period_min", Integer, nullable=False),
    Column("report_min", Integer, nullable=False),
    Column("tariff", String(64), nullable=False),
    Column("zone", String(64), nullable=False),
    UniqueConstraint("tenant_id", "name"),
)

bulk_order = Table(
    "bulk_order",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("approved_by", String(64), nullable=False),
    Column("pace", Integer, nullable=False),  # meters per minute
    Column("stop_pct", Integer, nullable=False),
    Column("stop_min", Integer, nullable=False),
    Column("life_s", Integer, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("next_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    Column("forgiven_ended", Integer, nullable=False),
    Column("forgiven_failed", Integer, nullable=False),
    Column("history", Text, nullable=False),  # JSON
    Column("order_key", String(80), unique=True),
    Index("ix_bulk_order_tenant", "tenant_id", "id"),
)

bulk_member = Table(
    "bulk_member",
    metadata,
    Column("bulk_id", ForeignKey("bulk_order.id"), primary_key=True),
    Column("meter_id", ForeignKey("meter.id"), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("command_id", BigInteger),
    Column("text", Text, nullable=False),
)
