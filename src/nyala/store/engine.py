"""Opening a store: URL to engine, settings of the connection, version of the schema.

SQLite: write-ahead log, full synchronisation (a commit is on disk), one writer at a time, immediate transactions.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from nyala.store import keys
from nyala.vocab.errors import BadArgumentError, SurroundingsError

BUSY_TIMEOUT_MS: Final = 30_000
PLAIN_KEYS: Final = ("0001", "0002")
"""Schemas that stored keys as they are."""
KEY_TABLES: Final = ("lorawan_device", "lorawan_session")
"""Of every schema; groups have keys too, and there are none without devices."""
GROUP_TABLES: Final = ("multicast_group", "campaign")
_MIGRATIONS: Final = "nyala.store:migrations"


def store_url(where: str) -> str:
    """A database URL from what a person gives: a URL, or a folder that holds `nyala.sqlite`."""
    if "://" in where:
        return where.replace("postgresql://", "postgresql+psycopg://", 1)
    return f"sqlite:///{Path(where) / 'nyala.sqlite'}"


def open_engine(where: str, *, durable: bool = True, key_file: str | None = None) -> Engine:
    """An engine for a URL or folder.  `durable` False: SQLite leaves flushing to the system (simulations).

    `key_file`: where the wrapping keys are (`keys`); None: where the environment says, else beside the database.

    BadArgumentError for another URL; SurroundingsError where the folder cannot be made.
    """
    url = store_url(where)
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadArgumentError(f"not a database URL or a folder: {where!r}") from error
    sqlite = parsed.get_backend_name() == "sqlite"
    options = {keys.OPTION: keys.key_file(parsed.database, key_file, sqlite=sqlite)}
    if sqlite:
        _make_folder(parsed.database)
        arguments = {"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}
        engine = create_engine(url, connect_args=arguments, execution_options=options)
        _set_up_sqlite(engine, durable=durable)
        return engine
    if parsed.get_backend_name() == "postgresql":
        return create_engine(url, pool_pre_ping=True, execution_options=options)
    raise BadArgumentError(f"database {parsed.get_backend_name()!r}; nyala knows sqlite and postgresql")


def _make_folder(database: str | None) -> None:
    if not database or database == ":memory:":
        return
    try:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SurroundingsError(f"cannot make the folder of {database}: {error.strerror}") from error


def _set_up_sqlite(engine: Engine, *, durable: bool) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say, below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: committed at the end, rolled back on an error."""
    with engine.connect().execution_options(writing=True) as connection, connection.begin():
        yield connection


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("nyala.store").joinpath("migrations")))
    return config


def upgrade(engine: Engine) -> None:
    """Brings the schema to this version of nyala, and makes the key file of a new database.

    SurroundingsError for a database of a newer version, and where its key file is not there.
    """
    before = _revision(engine)
    config, key_file = _config(), keys.key_file_of(engine)
    if before in (None, *PLAIN_KEYS) or not _has_keys(engine):
        key_file.make()
    keys.ring_of(engine)  # an error now, before anything is changed
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    if before in PLAIN_KEYS:
        scrub(engine)


def _has_keys(engine: Engine) -> bool:
    with engine.connect() as connection:
        return any(connection.execute(text(f"SELECT 1 FROM {name} LIMIT 1")).first() for name in KEY_TABLES)  # noqa: S608


def check_version(engine: Engine) -> bool:
    """True where the schema is of this version, False where it is older or empty; SurroundingsError where it is newer."""
    return _revision(engine) == ScriptDirectory.from_config(_config()).get_current_head()


def _revision(engine: Engine) -> str | None:
    """The schema that is there, None where there is none; SurroundingsError where it is newer than this nyala."""
    scripts = ScriptDirectory.from_config(_config())
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        raise SurroundingsError(f"cannot open the database {engine.url!r}: {error.orig}") from error
    known = {revision.revision for revision in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise SurroundingsError(
            f"the database {engine.url.database} is of a newer nyala (schema {current}); this one knows up to "
            f"{scripts.get_current_head()}"
        )
    return current


def scrub(engine: Engine) -> None:
    """Overwrites what replaced rows of keys left in the files of the database."""
    if engine.dialect.name == "sqlite":
        connection = engine.raw_connection()
        connection.cursor().execute("VACUUM")
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        for name in (*KEY_TABLES, *GROUP_TABLES):
            session.execute(text(f"VACUUM FULL {name}"))
