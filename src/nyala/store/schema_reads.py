"""The table of scheduled reads; conventions of `schema`.  What they bring stands in `register_reading`."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table, Text

from nyala.store.schema import Id, metadata

read_plan = Table(
    "read_plan",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False, index=True),
    Column("name", String(64), nullable=False),
    Column("quantities", Text, nullable=False),  # names, comma between
    Column("rhythm", String(16), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("spread_s", Integer, nullable=False),
    Column("meter_id", ForeignKey("meter.id")),
    Column("group_id", ForeignKey("meter_group.id")),
    Column("created_us", BigInteger, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("next_s", BigInteger, nullable=False),
    Column("run_s", BigInteger, nullable=False),
    Column("begun_us", BigInteger, nullable=False),
    Column("issued_us", BigInteger, nullable=False),
    Column("ordered", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("ended_us", BigInteger),
    Column("idempotency_key", String(80), unique=True),
)
