"""Opening a store: from nothing, again, of a newer version, and what is no store."""

from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from nyala.store import schema
from nyala.store.engine import check_version, open_engine, store_url, upgrade, writing
from nyala.vocab.errors import BadArgumentError, SurroundingsError
from tests.unit.store.filled import counts, onboard


@pytest.fixture
def opened():
    engines = []

    def make(where, **said):
        engines.append(open_engine(where, **said))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


def test_an_empty_database_gets_every_table(tmp_path, opened):
    engine = opened(str(tmp_path / "new" / "folder"))
    assert not check_version(engine)
    upgrade(engine)
    assert check_version(engine)
    assert set(inspect(engine).get_table_names()) == set(schema.metadata.tables) | {"alembic_version"}


def test_upgrading_again_changes_nothing(engine):
    onboard(engine)
    before = counts(engine)
    upgrade(engine)
    upgrade(engine)
    assert counts(engine) == before
    assert check_version(engine)


def test_a_store_is_there_when_it_is_opened_again(where, opened):
    onboard(opened(where))
    assert counts(opened(where)) == {"tenant": 1, "meter": 2, "lorawan_device": 2}


def test_a_database_of_a_newer_nyala_is_refused_in_one_line_and_left_alone(engine):
    onboard(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'zz99'"))
    for attempt in (upgrade, check_version):
        with pytest.raises(SurroundingsError, match=r"is of a newer nyala \(schema zz99\); this one knows up to \w+$") as error:
            attempt(engine)
        assert "\n" not in str(error.value)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "zz99"
    assert counts(engine)["meter"] == 2


def test_a_folder_that_cannot_be_made_is_named(tmp_path, opened):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(
        SurroundingsError, match=f"cannot make the folder of {tmp_path}/file/store/nyala.sqlite: Not a directory"
    ):
        opened(str(tmp_path / "file" / "store"))


def test_a_folder_that_cannot_be_written_is_named(opened):
    with pytest.raises(SurroundingsError, match=r"/proc/nowhere/nyala\.sqlite"):
        upgrade(opened("/proc/nowhere"))


def test_a_database_that_cannot_be_opened_is_named(tmp_path, opened):
    (tmp_path / "nyala.sqlite").mkdir()
    with pytest.raises(SurroundingsError, match=r"cannot open the database .*nyala.sqlite.*unable to open database file"):
        upgrade(opened(str(tmp_path)))


@pytest.mark.parametrize("where", ["mysql://host/db", "oracle://x", "foo://bar"])
def test_another_kind_of_database_is_refused(where, opened):
    with pytest.raises(BadArgumentError, match="nyala knows sqlite and postgresql"):
        opened(where)


def test_what_is_neither_url_nor_folder_is_refused(opened):
    with pytest.raises(BadArgumentError, match="not a database URL or a folder: '://'"):
        opened("://")


def test_a_folder_and_the_short_name_of_postgresql_become_urls():
    assert store_url("here") == f"sqlite:///{Path('here') / 'nyala.sqlite'}"
    assert store_url("postgresql://u@h/db") == "postgresql+psycopg://u@h/db"
    assert store_url("sqlite:////a/b.sqlite") == "sqlite:////a/b.sqlite"


@pytest.mark.parametrize(("durable", "synchronous"), [(True, 2), (False, 0)])
def test_a_commit_of_sqlite_is_on_disk_unless_a_simulation_says_otherwise(tmp_path, opened, durable, synchronous):
    with opened(str(tmp_path), durable=durable).connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == synchronous
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_references_are_held(engine):
    row = {"meter_id": 99, "dev_eui": "0" * 16, "join_eui": "0" * 16, "app_key": b"", "dev_addr": 1, "class_c": True}
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(schema.lorawan_device.insert().values(**row, dev_nonce=0, join_nonce=0))


def test_a_transaction_that_fails_leaves_nothing(engine):
    def half() -> None:
        with writing(engine) as connection:
            connection.execute(schema.tenant.insert().values(name="t"))
            raise OSError("power")

    with pytest.raises(OSError, match="power"):
        half()
    assert counts(engine) == {}


def test_a_reader_sees_no_half_of_a_transaction(engine):
    with writing(engine) as connection:
        connection.execute(schema.tenant.insert().values(name="t"))
        assert counts(engine) == {}
    assert counts(engine) == {"tenant": 1}
