"""`nyala lorawan readmit`: lets a meter that lost its memory join again, where no centre runs."""

import getpass
import time
from typing import Annotated

import typer

from nyala.cli.options import DEFAULT_DB, Db, KeyFile
from nyala.vocab.time import US_PER_S


def readmit(
    serial: Annotated[str, typer.Argument(help="Serial number of the meter.")], db: Db = DEFAULT_DB, key_file: KeyFile = None
) -> None:
    """Lets a meter that lost its memory join again.  While a centre runs on the store, do it in the portal."""
    from nyala.store.devices import readmit as run  # noqa: PLC0415
    from nyala.store.engine import open_engine, upgrade  # noqa: PLC0415
    from nyala.store.lock import CentreLock  # noqa: PLC0415
    from nyala.vocab.identifiers import parse_serial  # noqa: PLC0415

    engine = open_engine(db, key_file=key_file)
    with CentreLock(engine):
        upgrade(engine)
        wanted = parse_serial(serial)
        done = run(engine, wanted, f"cli:{getpass.getuser()}", int(time.time() * US_PER_S))
    typer.echo(f"{wanted} may join again: its last DevNonce was {done.dev_nonce}, it asks with {done.refused_nonce}")
