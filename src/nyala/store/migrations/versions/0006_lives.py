"""The lives of meters, exchanges, groups and templates of meters, and command campaigns."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the tables."""
    _lives()
    _groups()
    _campaigns()


def _lives() -> None:
    op.create_table(
        "meter_life",
        sa.Column("meter_id", _ID, autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_s", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_meter_life_meter_id")),
        sa.PrimaryKeyConstraint("meter_id", name=op.f("pk_meter_life")),
    )
    op.create_table(
        "meter_life_step",
        sa.Column("id", _ID, nullable=False),
        sa.Column("meter_id", _ID, nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("recorded_us", sa.BigInteger(), nullable=False),
        sa.Column("said_by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_meter_life_step_meter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_life_step")),
    )
    op.create_index(op.f("ix_meter_life_step_meter_id"), "meter_life_step", ["meter_id"])
    op.create_table(
        "meter_exchange",
        sa.Column("id", _ID, nullable=False),
        sa.Column("old_meter_id", _ID, nullable=False),
        sa.Column("new_meter_id", _ID, nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("registers", sa.Text(), nullable=False),
        sa.Column("recorded_us", sa.BigInteger(), nullable=False),
        sa.Column("said_by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["old_meter_id"], ["meter.id"], name=op.f("fk_meter_exchange_old_meter_id")),
        sa.ForeignKeyConstraint(["new_meter_id"], ["meter.id"], name=op.f("fk_meter_exchange_new_meter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_exchange")),
        sa.UniqueConstraint("old_meter_id", name=op.f("uq_meter_exchange_old_meter_id")),
        sa.UniqueConstraint("new_meter_id", name=op.f("uq_meter_exchange_new_meter_id")),
    )


def _groups() -> None:
    op.create_table(
        "meter_group",
        sa.Column("id", _ID, nullable=False),
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("fixed", sa.Boolean(), nullable=False),
        sa.Column("site", sa.String(length=120), nullable=False),
        sa.Column("model", sa.String(length=32), nullable=False),
        sa.Column("tariff", sa.String(length=64), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_meter_group_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_group")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_meter_group_tenant_id_name")),
    )
    op.create_table(
        "meter_group_member",
        sa.Column("group_id", _ID, nullable=False),
        sa.Column("meter_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["meter_group.id"], name=op.f("fk_meter_group_member_group_id")),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_meter_group_member_meter_id")),
        sa.PrimaryKeyConstraint("group_id", "meter_id", name=op.f("pk_meter_group_member")),
    )
    op.create_table(
        "meter_template",
        sa.Column("id", _ID, nullable=False),
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("period_min", sa.Integer(), nullable=False),
        sa.Column("report_min", sa.Integer(), nullable=False),
        sa.Column("tariff", sa.String(length=64), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_meter_template_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_template")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_meter_template_tenant_id_name")),
    )


def _campaigns() -> None:
    op.create_table(
        "bulk_order",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.String(length=64), nullable=False),
        sa.Column("pace", sa.Integer(), nullable=False),
        sa.Column("stop_pct", sa.Integer(), nullable=False),
        sa.Column("stop_min", sa.Integer(), nullable=False),
        sa.Column("life_s", sa.Integer(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("next_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.Column("forgiven_ended", sa.Integer(), nullable=False),
        sa.Column("forgiven_failed", sa.Integer(), nullable=False),
        sa.Column("history", sa.Text(), nullable=False),
        sa.Column("order_key", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_bulk_order_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_order")),
        sa.UniqueConstraint("order_key", name=op.f("uq_bulk_order_order_key")),
    )
    op.create_index("ix_bulk_order_tenant", "bulk_order", ["tenant_id", "id"])
    op.create_table(
        "bulk_member",
        sa.Column("bulk_id", _ID, nullable=False),
        sa.Column("meter_id", _ID, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("command_id", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["bulk_id"], ["bulk_order.id"], name=op.f("fk_bulk_member_bulk_id")),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_bulk_member_meter_id")),
        sa.PrimaryKeyConstraint("bulk_id", "meter_id", name=op.f("pk_bulk_member")),
    )
