"""`nyala telegram encode|decode`: telegrams as JSON and back, for whoever looks at payloads."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from nyala.cli.options import Codecs, print_json
from nyala.telegram import codec
from nyala.telegram.json_form import from_json, to_json
from nyala.vocab.errors import BadArgumentError, UnknownError
from nyala.vocab.time import US_PER_S, instant_from_text, iso

app = typer.Typer(help="Telegrams: hex <-> JSON.", no_args_is_help=True)
At = Annotated[str, typer.Option("--at", help="Instant of reception or sending, ISO 8601 with zone; default now.")]


def _instant_s(text: str) -> int:
    return instant_from_text(text) if text else int(time.time())


@app.command()
def decode(
    port: Annotated[int, typer.Argument(help="FPort.")],
    payload: Annotated[str, typer.Argument(help="Payload, hex.")],
    at: At = "",
    *,
    model: Annotated[str, typer.Option("--model", help="A meter of another maker, by its model: decoded by its codec.")] = "",
    codecs: Codecs = None,
) -> None:
    """A payload as JSON."""
    try:
        data = bytes.fromhex(payload)
    except ValueError:
        raise BadArgumentError(f"payload is not hexadecimal: {payload!r}") from None
    if model:
        print_json(_foreign(model, codecs, port, data, _instant_s(at)))
    else:
        print_json(to_json(codec.decode(port, data, _instant_s(at))))


def _foreign(name: str, codecs: Path | None, port: int, payload: bytes, at_s: int) -> dict[str, Any]:
    """What the codec of another maker says, and the values that its table makes of it."""
    from nyala.headend.foreign.mapping import add_models, foreign_model, foreign_models  # noqa: PLC0415

    if codecs is not None:
        add_models(codecs)
    model = foreign_model(name)
    if model is None:
        raise UnknownError("model of another maker", f"{name} ({', '.join(foreign_models())} are there)")
    data = model.codec.decode_uplink(port, payload, at_s * US_PER_S)
    said = model.decode(port, payload, at_s * US_PER_S)
    return {
        "model": name,
        "values": dict(said.values),
        "at": iso(said.at_s),
        "codec": json.loads(json.dumps(data, default=float)),
    }


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
