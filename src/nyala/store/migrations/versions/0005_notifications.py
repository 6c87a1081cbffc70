"""Incidents, what they were made of, and notifications: alarm changes not worked off, targets, the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "alarm_change",
        sa.Column("id", _ID, nullable=False),
        sa.Column("meter_id", sa.BigInteger(), nullable=False),
        sa.Column("alarm", sa.SmallInteger(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("before_s", sa.BigInteger(), nullable=False),
        sa.Column("cleared_s", sa.BigInteger(), nullable=True),
        sa.Column("received_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_change")),
        sa.UniqueConstraint("meter_id", "alarm", "at_s", "before_s", name=op.f("uq_alarm_change_meter_id_alarm_at_s_before_s")),
    )
    op.create_table(
        "incident",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("alarm", sa.SmallInteger(), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("place", sa.String(length=120), nullable=False),
        sa.Column("first_s", sa.BigInteger(), nullable=False),
        sa.Column("last_s", sa.BigInteger(), nullable=False),
        sa.Column("meters", sa.Integer(), nullable=False),
        sa.Column("meters_on", sa.Integer(), nullable=False),
        sa.Column("opened_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_incident_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    op.create_index("ix_incident_tenant", "incident", ["tenant_id", "id"])
    op.create_table(
        "incident_entry",
        sa.Column("meter_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("alarm", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("raised_s", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("cleared_s", sa.BigInteger(), nullable=True),
        sa.Column("incident_id", _ID, nullable=True),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_incident_entry_incident_id")),
        sa.PrimaryKeyConstraint("meter_id", "alarm", "raised_s", name=op.f("pk_incident_entry")),
    )
    op.create_index(op.f("ix_incident_entry_incident_id"), "incident_entry", ["incident_id"])
    op.create_table(
        "notify_target",
        sa.Column("id", _ID, nullable=False),
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("severities", sa.String(length=32), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("place", sa.String(length=120), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("removed_us", sa.BigInteger(), nullable=True),
        sa.Column("order_key", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_notify_target_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notify_target")),
        sa.UniqueConstraint("order_key", name=op.f("uq_notify_target_order_key")),
    )
    op.create_table(
        "notify_outbox",
        sa.Column("id", _ID, nullable=False),
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("target_id", _ID, nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.Column("next_us", sa.BigInteger(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("order_key", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_notify_outbox_tenant_id")),
        sa.ForeignKeyConstraint(["target_id"], ["notify_target.id"], name=op.f("fk_notify_outbox_target_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notify_outbox")),
        sa.UniqueConstraint("target_id", "subject", name=op.f("uq_notify_outbox_target_id_subject")),
        sa.UniqueConstraint("order_key", name=op.f("uq_notify_outbox_order_key")),
    )
    op.create_index("ix_notify_outbox_due", "notify_outbox", ["state", "next_us"])
    op.create_index("ix_notify_outbox_tenant", "notify_outbox", ["tenant_id", "id"])
