"""Alembic's entry: migrates the connection that `nyala.store.engine.upgrade` gives it, inside its transaction."""

from alembic import context

from nyala.store import schema_frames, schema_lives, schema_places, schema_reads  # noqa: F401 - their tables are of the schema
from nyala.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
