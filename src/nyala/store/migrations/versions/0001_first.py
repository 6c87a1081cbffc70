"""The first schema: meters, sessions, journal, load days, commands, tariffs, bills, users."""

from alembic import op

from nyala.store.schema import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes every table."""
    metadata.create_all(op.get_bind(), checkfirst=False)
