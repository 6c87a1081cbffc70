"""The migrations lead to the schema of this version, and to nothing else; what an older nyala stored is kept."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from nyala.headend.ports import AlarmRaised, Changes
from nyala.store import alarms, commands, meters
from nyala.store.engine import open_engine, upgrade
from nyala.store.schema import metadata
from tests.unit.store.filled import NOW_US, START_S, write

OLD = sorted((Path(__file__).parent / "databases").glob("*.sql"))
"""One database of each schema before this one, as it was dumped then: two meters and one of every row."""


def test_the_migrations_make_the_tables_that_the_code_uses(tmp_path):
    engine = open_engine(str(tmp_path))
    upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


@pytest.mark.parametrize("dump", OLD, ids=lambda dump: dump.stem)
def test_an_old_database_is_opened_twice_and_keeps_what_it_had(tmp_path, dump):
    with sqlite3.connect(tmp_path / "nyala.sqlite") as old:
        old.executescript(dump.read_text(encoding="utf-8"))
    old.close()
    for _ in range(2):
        engine = open_engine(str(tmp_path))
        upgrade(engine)
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
            [state] = meters.load_states(connection)
            assert [record.serial for record in meters.load_records(connection)] == ["N00001", "N00002"]
            assert [command.id for command in commands.commands_of(connection, 1)] == [1]
            assert len(commands.events_of(connection, None)) == 1
        assert (state.meter_id, state.uplinks, state.alarms, state.alarms_at_s) == (1, 17, {}, 0)
        write(engine, Changes(alarms=[AlarmRaised(1, 1, 4, START_S, 120, "event", NOW_US)]))
        with engine.connect() as connection:
            assert alarms.counts(connection, 1) == {4: 1}
        engine.dispose()


def test_every_older_schema_has_its_database():
    versions = Path(alarms.__file__).parent / "migrations" / "versions"
    assert [dump.stem for dump in OLD] == sorted(path.stem[:4] for path in versions.glob("0*.py"))[:-1]
