"""Multicast groups with their counters, and campaigns that bring a block to many meters."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "multicast_group",
        sa.Column("mc_addr", sa.String(length=8), nullable=False),
        sa.Column("nwk_s_key", sa.LargeBinary(), nullable=False),
        sa.Column("app_s_key", sa.LargeBinary(), nullable=False),
        sa.Column("frequency_hz", sa.BigInteger(), nullable=False),
        sa.Column("data_rate", sa.SmallInteger(), nullable=False),
        sa.Column("f_cnt", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("members", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("mc_addr", name=op.f("pk_multicast_group")),
    )
    op.create_table(
        "campaign",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("mc_addr", sa.String(length=8), nullable=False),
        sa.Column("mc_key", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.LargeBinary(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("devices", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("mc_addr", name=op.f("uq_campaign_mc_addr")),
    )
