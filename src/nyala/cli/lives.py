"""`nyala meters replace|activate`: the lives of meters, where no centre runs on the store."""

import time
from typing import Annotated

import typer

from nyala.cli.options import DEFAULT_DB, Db, KeyFile
from nyala.vocab.errors import BadArgumentError

app = typer.Typer(help="The lives of meters.", no_args_is_help=True)
BY = "command line"


@app.command("replace")
def replace_meter(
    old: Annotated[str, typer.Argument(help="Serial number of the meter that goes.")],
    new: Annotated[str, typer.Argument(help="Serial number of the one that comes; it was imported before.")],
    at: Annotated[str, typer.Option(help="When, ISO 8601 with zone: the edge of an interval.")],
    final: Annotated[list[str], typer.Option(help="A register of the old meter, NAME=WH; once for each.")],
    start: Annotated[list[str], typer.Option(help="A register of the new meter, NAME=WH; once for each.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    db: Db = DEFAULT_DB,
    key_file: KeyFile = None,
) -> None:
    """Puts a meter in the place of another one: customer, site and tariff move along."""
    from nyala.app import offline_exchange  # noqa: PLC0415
    from nyala.store.engine import open_engine, upgrade  # noqa: PLC0415
    from nyala.store.lock import CentreLock  # noqa: PLC0415
    from nyala.vocab.time import instant_from_text, iso  # noqa: PLC0415

    engine = open_engine(db, key_file=key_file)
    at_s, said = instant_from_text(at), (_registers(final), _registers(start))
    with CentreLock(engine):
        upgrade(engine)
        offline_exchange(engine, old, new, at_s, *said, now_us=int(time.time() * 1e6), by=BY, reason=reason)
    typer.echo(f"{new} has the place of {old} since {iso(at_s)}")


@app.command("activate")
def activate(
    serial: Annotated[str, typer.Argument(help="Serial number.")],
    reason: Annotated[str, typer.Option(help="Why: its checks are not looked at here.")],
    db: Db = DEFAULT_DB,
    key_file: KeyFile = None,
) -> None:
    """Lets a meter that is being commissioned count from now on."""
    from nyala.app import offline_activate  # noqa: PLC0415
    from nyala.store.engine import open_engine, upgrade  # noqa: PLC0415
    from nyala.store.lock import CentreLock  # noqa: PLC0415

    engine = open_engine(db, key_file=key_file)
    with CentreLock(engine):
        upgrade(engine)
        offline_activate(engine, serial, now_us=int(time.time() * 1e6), by=BY, reason=reason)
    typer.echo(f"{serial} is active")


def _registers(said: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for text in said:
        name, equals, value = text.partition("=")
        if not equals or not value.isdecimal():
            raise BadArgumentError(f"a register is written import_wh=1234, not {text!r}")
        found[name] = int(value)
    return found
