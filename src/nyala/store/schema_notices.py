"""The tables of incidents and notifications: changes not worked off, whom to tell, the outbox; conventions of `schema`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from nyala.store.schema import Id, metadata

alarm_change = Table(
    "alarm_change",
    metadata,
    Column("id", Id, primary_key=True),  # in the order of what happened; a row goes when storms have worked it off
    Column("meter_id", BigInteger, nullable=False),
    Column("alarm", SmallInteger, nullable=False),
    Column("at_s", BigInteger, nullable=False),
    Column("value", BigInteger),
    Column("before_s", BigInteger, nullable=False),  # 0: it went on
    Column("cleared_s", BigInteger),
    Column("received_us", BigInteger),
    UniqueConstraint("meter_id", "alarm", "at_s", "before_s"),
)

incident = Table(
    "incident",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False),
    Column("alarm", SmallInteger, nullable=False),
    Column("scope", String(8), nullable=False),
    Column("place", String(120), nullable=False),
    Column("first_s", BigInteger, nullable=False),
    Column("last_s", BigInteger, nullable=False),
    Column("meters", Integer, nullable=False),  # rises
    Column("meters_on", Integer, nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Column("told", Boolean, nullable=False),
    Index("ix_incident_tenant", "tenant_id", "id"),
)

incident_entry = Table(
    "incident_entry",
    metadata,
    Column("meter_id", BigInteger, primary_key=True, autoincrement=False),
    Column("alarm", SmallInteger, primary_key=True, autoincrement=False),
    Column("raised_s", BigInteger, primary_key=True, autoincrement=False),
    Column("value", BigInteger),
    Column("received_us", BigInteger, nullable=False),
    Column("cleared_s", BigInteger),
    Column("incident_id", ForeignKey("incident.id"), index=True),  # null: alone; such a row goes when it is over
    Column("told", Boolean, nullable=False),
)

notify_target = Table(
    "notify_target",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("address", String(500), nullable=False),
    Column("secret", LargeBinary, nullable=False),  # wrapped under its order_key
    Column("severities", String(32), nullable=False),  # separated by blanks; empty: all, as the two below
    Column("kinds", Text, nullable=False),
    Column("place", String(120), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("removed_us", BigInteger),
    Column("order_key", String(80), nullable=False, unique=True),
)

notify_outbox = Table(
    "notify_outbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.id"), nullable=False),
    Column("target_id", ForeignKey("notify_target.id"), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("body", Text, nullable=False),  # JSON
    Column("state", String(12), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
    Column("next_us", BigInteger, nullable=False),
    Column("problem", Text, nullable=False),
    Column("order_key", String(80), unique=True),  # of the last re-send
    UniqueConstraint("target_id", "subject"),
    Index("ix_notify_outbox_due", "state", "next_us"),
    Index("ix_notify_outbox_tenant", "tenant_id", "id"),
)
