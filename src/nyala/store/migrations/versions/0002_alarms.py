"""The history of alarms: one row for each time that one went on."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the table and its indices."""
    op.create_table(
        "meter_alarm",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("meter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("alarm", sa.SmallInteger(), nullable=False),
        sa.Column("raised_s", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("cleared_s", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_us", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=64), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("acknowledge_key", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_meter_alarm_tenant_id")),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_meter_alarm_meter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_alarm")),
        sa.UniqueConstraint("meter_id", "alarm", "raised_s", name=op.f("uq_meter_alarm_meter_id_alarm_raised_s")),
        sa.UniqueConstraint("acknowledge_key", name=op.f("uq_meter_alarm_acknowledge_key")),
    )
    op.create_index("ix_meter_alarm_meter", "meter_alarm", ["meter_id", "raised_s", "id"])
    op.create_index("ix_meter_alarm_tenant", "meter_alarm", ["tenant_id", "raised_s", "id"])
    for name, condition in (("on", "cleared_s IS NULL"), ("open", "acknowledged_us IS NULL")):
        op.create_index(
            f"ix_meter_alarm_{name}",
            "meter_alarm",
            ["tenant_id", "raised_s", "id", "alarm"],
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )
