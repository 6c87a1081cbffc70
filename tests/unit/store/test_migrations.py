"""The migrations lead to the schema of this version, and to nothing else; what an older nyala stored is kept."""

import re
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from nyala.headend.ports import AlarmRaised, Changes
from nyala.store import alarms, commands, meters
from nyala.store.engine import PLAIN_KEYS, _config, open_engine, upgrade, writing
from nyala.store.keys import ENVIRONMENT, KEY_BYTES
from nyala.store.schema import metadata
from nyala.vocab.errors import SurroundingsError
from tests import postgres
from tests.unit.store.filled import NOW_US, START_S, write

OLD = sorted((Path(__file__).parent / "databases").glob("*.sql"))
"""One database of each schema before this one, as it was dumped then: two meters and one of every row.  Where keys are
wrapped, it is under a key of zeros."""


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
    if dump.stem not in PLAIN_KEYS:
        (tmp_path / "keys").write_text("0" * 2 * KEY_BYTES)
        (tmp_path / "keys").chmod(0o600)
    for _ in range(2):
        engine = open_engine(str(tmp_path))
        upgrade(engine)
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
            [state] = meters.load_states(connection)
            assert [record.serial for record in meters.load_records(connection)] == ["N00001", "N00002"]
            assert [command.id for command in commands.commands_of(connection, 1)] == [1]
            assert len(commands.events_of(connection, None)) == 1
        assert (state.meter_id, state.uplinks, sorted(state.alarms)) == (1, 17, [] if dump.stem == "0001" else [4])
        write(engine, Changes(alarms=[AlarmRaised(1, 1, 4, START_S, 120, "event", NOW_US)]))
        with engine.connect() as connection:
            assert alarms.counts(connection, 1) == {4: 1}
        engine.dispose()


PLAIN = [bytes(range(first, first + 16)) for first in (0x50, 0x60, 0x70, 0x80)]
"""The root keys and session keys of the database of schema 0002."""


@pytest.fixture(params=["sqlite", *(["postgresql"] if postgres.wanted() else [])])
def of_0002(request, tmp_path, monkeypatch):
    """A store of schema 0002 with two devices and a session, its keys plain."""
    if request.param == "sqlite":
        monkeypatch.delenv(ENVIRONMENT, raising=False)
        with sqlite3.connect(tmp_path / "nyala.sqlite") as old:
            old.execute("PRAGMA journal_mode=WAL")
            old.executescript(OLD[1].read_text(encoding="utf-8"))
        old.close()
        yield str(tmp_path)
        return
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "keys"))
    with postgres.server() as url:
        engine = open_engine(url)
        with writing(engine) as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "0002")
        with writing(engine) as connection:
            lines = OLD[1].read_text(encoding="utf-8").splitlines()
            for table in ('"tenant"', '"meter"', '"lorawan_device"', '"lorawan_session"'):
                for line in lines:
                    if line.startswith(f"INSERT INTO {table}"):
                        connection.execute(text(_for_postgresql(line)))
        engine.dispose()
        yield url


def _for_postgresql(line):
    line = re.sub(r"X'([0-9A-F]*)'", r"decode('\1', 'hex')", line).replace(":", r"\:")
    if line.startswith('INSERT INTO "lorawan_device"'):
        return re.sub(r",1,(-?\d+),(\d+)\)", r",true,\1,\2)", line)
    return line.replace("2147483648,1,", "2147483648,true,")


def test_plain_keys_are_wrapped_at_the_upgrade_and_leave_no_trace(of_0002, tmp_path):
    engine = open_engine(of_0002)
    upgrade(engine)
    with engine.connect() as connection:
        sessions = meters.load_sessions(connection)
        roots = meters.load_roots(connection)
    session = sessions.of_device(0xD0001)
    assert session is not None
    assert [root.app_key.value for root in roots] + [session.nwk_s_key.value, session.app_s_key.value] == PLAIN
    assert [(root.dev_nonce, root.join_nonce, root.version, root.used_nonces) for root in roots] == [
        (77, 5, "1.0.4", b""),
        (-1, 0, "1.0.4", b""),
    ]
    assert (session.f_cnt_up, session.f_cnt_down) == (2**32, 2**31)
    found = b"".join(path.read_bytes() for path in tmp_path.glob("nyala.sqlite*"))
    assert [key for key in PLAIN if key in found] == []
    engine.dispose()


def test_an_upgrade_that_finds_no_key_file_for_wrapped_keys_changes_nothing(of_0002, tmp_path):
    engine = open_engine(of_0002)
    upgrade(engine)
    (tmp_path / "keys").unlink()
    engine.dispose()
    again = open_engine(of_0002)
    with pytest.raises(SurroundingsError, match="without it the database cannot be used"):
        upgrade(again)
    assert not (tmp_path / "keys").exists()
    again.dispose()


def test_every_older_schema_has_its_database():
    versions = Path(alarms.__file__).parent / "migrations" / "versions"
    assert [dump.stem for dump in OLD] == sorted(path.stem[:4] for path in versions.glob("0*.py"))[:-1]
