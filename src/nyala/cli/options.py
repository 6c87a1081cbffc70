"""Options that several commands share, and printing."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from nyala.store import DEFAULT

Db = Annotated[str, typer.Option("--db", help="Database URL, or a folder for SQLite.")]
KeyFile = Annotated[
    str | None,
    typer.Option(
        "--key-file", help="File of the keys that wrap LoRaWAN keys; default NYALA_KEY_FILE, or `keys` beside SQLite."
    ),
]
Codecs = Annotated[
    Path | None, typer.Option("--codecs", help="Folder of payload codecs of other makers' meters, and their tables.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")]
Tenant = Annotated[str, typer.Option("--tenant", help="Tenant by name; made where it is not there.")]
DEFAULT_DB = DEFAULT
DEFAULT_TENANT = "demo"


def print_json(document: Any) -> None:
    """One JSON object on stdout."""
    typer.echo(json.dumps(document, indent=None, ensure_ascii=False))


def progress(text: str) -> None:
    """A line of progress on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
