"""The migrations lead to the schema of this version, and to nothing else."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from nyala.store.engine import open_engine, upgrade
from nyala.store.schema import metadata


def test_the_migrations_make_the_tables_that_the_code_uses(tmp_path):
    engine = open_engine(str(tmp_path))
    upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
