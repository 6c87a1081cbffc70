"""What a centre keeps of frames, plans and places: one function for each concern."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the tables and columns."""
    _frames()
    _places()
    _reads()
    _configuration()
    _firmware()


def _places() -> None:
    op.add_column("meter", sa.Column("feeder", sa.String(length=120), nullable=False, server_default=""))
    op.create_table(
        "site_place",
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("site", sa.String(length=120), nullable=False),
        sa.Column("lat_udeg", sa.Integer(), nullable=False),
        sa.Column("lon_udeg", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_site_place_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "site", name=op.f("pk_site_place")),
    )


def _frames() -> None:
    op.create_table(
        "frame_window",
        sa.Column("meter_id", _ID, autoincrement=False, nullable=False),
        sa.Column("kept", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_frame_window_meter_id")),
        sa.PrimaryKeyConstraint("meter_id", name=op.f("pk_frame_window")),
    )


def _reads() -> None:
    counts = ("next_s", "run_s", "begun_us", "issued_us")
    op.create_table(
        "read_plan",
        sa.Column("id", _ID, nullable=False),
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("quantities", sa.Text(), nullable=False),
        sa.Column("rhythm", sa.String(length=16), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("spread_s", sa.Integer(), nullable=False),
        sa.Column("meter_id", _ID, nullable=True),
        sa.Column("group_id", _ID, nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in counts),
        sa.Column("ordered", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.Column("idempotency_key", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_read_plan_tenant_id")),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_read_plan_meter_id")),
        sa.ForeignKeyConstraint(["group_id"], ["meter_group.id"], name=op.f("fk_read_plan_group_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_read_plan")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_read_plan_idempotency_key")),
    )
    op.create_index(op.f("ix_read_plan_tenant_id"), "read_plan", ["tenant_id"])


def _firmware() -> None:
    with op.batch_alter_table("campaign") as campaign:
        campaign.add_column(sa.Column("tenant_id", _ID, nullable=True))
        campaign.add_column(sa.Column("said", sa.Text(), nullable=False, server_default="{}"))
        campaign.add_column(sa.Column("idempotency_key", sa.String(length=80), nullable=True))
        campaign.create_foreign_key(op.f("fk_campaign_tenant_id"), "tenant", ["tenant_id"], ["id"])
        campaign.create_unique_constraint(op.f("uq_campaign_idempotency_key"), ["idempotency_key"])
        campaign.create_index(op.f("ix_campaign_tenant_id"), ["tenant_id"])


def _configuration() -> None:
    counts = ("stop_pct", "stop_min", "forgiven_ended", "forgiven_failed", "meters")
    op.create_table(
        "config_order",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("blocks", sa.LargeBinary(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("created_us", "updated_us")),
        *(sa.Column(name, sa.String(length=64), nullable=False) for name in ("created_by", "approved_by")),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in counts),
        sa.Column("history", sa.Text(), nullable=False),
        sa.Column("order_key", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_config_order_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_config_order")),
        sa.UniqueConstraint("order_key", name=op.f("uq_config_order_order_key")),
    )
    op.create_index("ix_config_order_tenant", "config_order", ["tenant_id", "id"])
    op.create_table(
        "config_member",
        sa.Column("order_id", _ID, nullable=False),
        sa.Column("meter_id", _ID, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["config_order.id"], name=op.f("fk_config_member_order_id")),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name=op.f("fk_config_member_meter_id")),
        sa.PrimaryKeyConstraint("order_id", "meter_id", name=op.f("pk_config_member")),
    )
    op.create_index(op.f("ix_config_member_meter_id"), "config_member", ["meter_id"])
