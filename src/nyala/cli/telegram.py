"""`nyala telegram encode|decode`: telegrams as JSON and back, for whoever looks at payloads."""

import json
import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from nyala.cli.options import print_json
from nyala.telegram import codec
from nyala.telegram.json_form import from_json, to_json
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.time import instant_from_text

app = typer.Typer(help="Telegrams: hex <-> JSON.", no_args_is_help=True)
At = Annotated[str, typer.Option("--at", help="Instant of reception or sending, ISO 8601 with zone; default now.")]


def _instant_s(text: str) -> int:
    return instant_from_text(text) if text else int(time.time())


@app.command()
def decode(
    port: Annotated[int, typer.Argument(help="FPort.")],
    payload: Annotated[str, typer.Argument(help="Payload, hex.")],
    at: At = "",
) -> None:
    """A payload as JSON."""
    try:
        data = bytes.fromhex(payload)
    except ValueError:
        raise BadArgumentError(f"payload is not hexadecimal: {payload!r}") from None
    print_json(to_json(codec.decode(port, data, _instant_s(at))))


@app.command()
def encode(telegram: Annotated[str, typer.Argument(help="A telegram as `decode` prints it.")], at: At = "") -> None:
    """A JSON telegram as port and payload."""
    try:
        document: Any = json.loads(telegram)
    except (ValueError, RecursionError) as error:
        raise BadArgumentError(f"not JSON: {error}") from None
    if not isinstance(document, Mapping):
        raise BadArgumentError("a telegram is a JSON object")
    port, payload = codec.encode(from_json(document), _instant_s(at))
    print_json({"port": int(port), "payload": payload.hex(), "bytes": len(payload)})
