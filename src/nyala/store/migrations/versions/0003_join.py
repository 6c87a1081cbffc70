"""Keys wrapped where they lay plain; what the join server remembers of a device beyond its nonces; who was re-admitted."""

import sqlalchemy as sa
from alembic import op

from nyala.store.rekey import wrap_plain

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Adds columns, makes the table, wraps the keys."""
    for column in (
        sa.Column("lorawan_version", sa.String(length=8), nullable=False, server_default="1.0.4"),
        sa.Column("joined_us", sa.BigInteger(), nullable=True),
        sa.Column("refused_us", sa.BigInteger(), nullable=True),
        sa.Column("refused_nonce", sa.Integer(), nullable=True),
        sa.Column("used_nonces", sa.LargeBinary(), nullable=True),
    ):
        op.add_column("lorawan_device", column)
    op.create_table(
        "lorawan_readmission",
        sa.Column("dev_eui", sa.String(length=16), nullable=False),
        sa.Column("at_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("admitted_by", sa.String(length=64), nullable=False),
        sa.Column("dev_nonce", sa.Integer(), nullable=False),
        sa.Column("refused_nonce", sa.Integer(), nullable=True),
        sa.Column("order_key", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("dev_eui", "at_us", name=op.f("pk_lorawan_readmission")),
    )
    wrap_plain(op.get_bind())
