"""The tables of orders of configuration; conventions of `schema`.  What is wanted of a meter now stands in its shadow."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from nyala.store.schema import Id, metadata

config_order = Table(
    "config_order",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("blocks", LargeBinary, nullable=False),  # MessagePack: {kind: bytes}
    Column("created_us", BigInteger, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    Column("stop_pct", Integer, nullable=False),
    Column("stop_min", Integer, nullable=False),
    Column("approved_by", String(64), nullable=False),
    Column("forgiven_ended", Integer, nullable=False),
    Column("forgiven_failed", Integer, nullable=False),
    Column("meters", Integer, nullable=False),
    Column("history", Text, nullable=False),  # JSON
    Column("order_key", String(80), unique=True),
    Index("ix_config_order_tenant", "tenant_id", "id"),
)

config_member = Table(
    "config_member",
    metadata,
    Column("order_id", ForeignKey("config_order.id"), primary_key=True),
    Column("meter_id", ForeignKey("meter.id"), primary_key=True, index=True),
    Column("state", String(16), nullable=False),
    Column("versions", Text, nullable=False),  # JSON: {kind: version}
    Column("text", Text, nullable=False),
)
