"""`nyala db upgrade|verify|rekey`, `nyala user add`, `nyala doctor`."""

import shutil
import sys
import time
from typing import Annotated

import typer

from nyala.cli.options import DEFAULT_DB, DEFAULT_TENANT, Db, KeyFile, Tenant
from nyala.vocab.errors import BadArgumentError, NyalaError

db_app = typer.Typer(help="The database.", no_args_is_help=True)
user_app = typer.Typer(help="Users.", no_args_is_help=True)


@user_app.callback()
def user_group() -> None:
    """Users."""


@db_app.command()
def upgrade(db: Db = DEFAULT_DB, key_file: KeyFile = None) -> None:
    """Brings the schema to this version of nyala."""
    from nyala.store.engine import open_engine  # noqa: PLC0415
    from nyala.store.engine import upgrade as run  # noqa: PLC0415

    engine = open_engine(db, key_file=key_file)
    run(engine)
    typer.echo(f"{engine.url.render_as_string()} is up to date")


@db_app.command()
def rekey(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Make no new key: wrap under the first one of the file.")] = False,
    db: Db = DEFAULT_DB,
    key_file: KeyFile = None,
) -> None:
    """Wraps all LoRaWAN keys anew, under a new key at the head of the key file, in one transaction.

    The file keeps its older keys: backups need them.  Take them out when no such backup is left.
    """
    from nyala.store.engine import open_engine  # noqa: PLC0415
    from nyala.store.engine import upgrade as run  # noqa: PLC0415
    from nyala.store.keys import ring_of  # noqa: PLC0415
    from nyala.store.lock import CentreLock  # noqa: PLC0415
    from nyala.store.rekey import rekey as wrap_again  # noqa: PLC0415

    engine = open_engine(db, key_file=key_file)
    with CentreLock(engine):
        run(engine)
        count = wrap_again(engine, fresh=not keep)
    typer.echo(f"{count} keys wrapped under key {ring_of(engine).current.hex()}")


@db_app.command()
def verify(db: Db = DEFAULT_DB) -> None:
    """Reads every load day and holds it against its registers and its history.  Exit 1 where something is wrong."""
    from nyala.store.engine import open_engine  # noqa: PLC0415
    from nyala.store.verify import verify as run  # noqa: PLC0415

    result = run(open_engine(db))
    for line in result.wrong:
        typer.echo(line)
    typer.echo(f"{result.load_days} load days read, {result.proven} proven by their registers, {len(result.wrong)} wrong")
    raise typer.Exit(1 if result.wrong else 0)


@user_app.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="Name to log in with.")],
    role: Annotated[str, typer.Option(help="viewer, operator, billing or admin.")] = "viewer",
    language: Annotated[str, typer.Option(help="en or id.")] = "en",
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, envvar="NYALA_PASSWORD")
    ] = "",
    tenant: Tenant = DEFAULT_TENANT,
    db: Db = DEFAULT_DB,
) -> None:
    """Adds a user."""
    from nyala.api.auth import hash_password  # noqa: PLC0415
    from nyala.api.permissions import permissions_of  # noqa: PLC0415
    from nyala.store import meters, users  # noqa: PLC0415
    from nyala.store.engine import open_engine  # noqa: PLC0415
    from nyala.store.engine import upgrade as run  # noqa: PLC0415

    permissions_of(role)
    if language not in ("en", "id"):
        raise BadArgumentError(f"language {language!r}; en and id are there")
    engine = open_engine(db)
    run(engine)
    stored = hash_password(password)
    users.add(engine, meters.tenant_id(engine, tenant), name, stored, role, language, int(time.time()))
    typer.echo(f"user {name} ({role}) added")


def doctor(db: Db = DEFAULT_DB) -> None:
    """Looks at the surroundings: Python, database, disk, portal, ports.  Exit 1 where something will not work."""
    from nyala.api.application import STATIC  # noqa: PLC0415
    from nyala.serving import check_port  # noqa: PLC0415
    from nyala.store.engine import check_version, open_engine  # noqa: PLC0415

    bad = 0

    def say(good: bool, text: str) -> None:  # noqa: FBT001 - reads as an assertion
        nonlocal bad
        bad += not good
        typer.echo(f"{'ok ' if good else 'BAD'} {text}")

    say(sys.version_info >= (3, 11), f"Python {sys.version.split()[0]}")
    free_gb = shutil.disk_usage(".").free / 1e9
    say(free_gb > 1, f"{free_gb:.0f} GB free on this disk")
    say((STATIC / "index.html").is_file(), "portal is built" if (STATIC / "index.html").is_file() else "portal is not built")
    try:
        state = "is up to date" if check_version(open_engine(db)) else "is empty or older: `nyala db upgrade`"
        say(True, f"database {db} {state}")
    except NyalaError as error:
        say(False, str(error))
    try:
        check_port("127.0.0.1", 8000)
        say(True, "port 8000 is free")
    except NyalaError as error:
        say(False, str(error))
    raise typer.Exit(1 if bad else 0)
