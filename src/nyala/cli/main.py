"""The way in: all commands, and what an error becomes.

Exit codes: 0 done and its own checks hold; 1 a check does not hold; 2 bad input or surroundings, said in one line.
Heavy modules are imported inside the commands: `nyala --help` must be quick.
"""

import sys
from typing import Annotated

import typer

from nyala import __version__
from nyala.cli import (
    bench,
    bills,
    completeness,
    config,
    data,
    firmware,
    joining,
    lab,
    lives,
    lorawan,
    reads,
    running,
    store,
    telegram,
)
from nyala.vocab.errors import NyalaError

app = typer.Typer(
    name="nyala",
    help="Meter-to-cash for LoRaWAN smart electricity meters.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (running.demo, running.serve, running.simulate, store.doctor):
    app.command()(command)
app.add_typer(lab.meter_app, name="meter")
app.add_typer(telegram.app, name="telegram")
app.add_typer(lorawan.app, name="lorawan")
app.add_typer(bills.tariff_app, name="tariff")
app.add_typer(bills.app, name="bill")
app.add_typer(data.import_app, name="import")
app.add_typer(lives.app, name="meters")
app.add_typer(data.export_app, name="export")
app.add_typer(reads.app, name="reads")
app.add_typer(config.app, name="config")
app.add_typer(firmware.app, name="firmware")
app.add_typer(store.db_app, name="db")
app.add_typer(store.user_app, name="user")
app.command("bench")(bench.bench)
lorawan.app.command("readmit")(joining.readmit)
app.command("completeness")(completeness.completeness)
lives.app.command("place")(completeness.place)


@app.callback(invoke_without_command=True)
def root(*, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Meter-to-cash for LoRaWAN smart electricity meters."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Runs the command line."""
    try:
        app()
    except NyalaError as error:
        sys.stderr.write(f"nyala: {error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write("nyala: interrupted\n")
        sys.exit(130)
