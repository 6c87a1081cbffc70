"""`nyala telegram encode|decode|codec|train`: telegrams as JSON and back, the decoder for others, tables from load data."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from nyala.cli.options import Codecs, print_json, progress
from nyala.telegram import codec
from nyala.telegram.interval_block import IntervalBlock
from nyala.telegram.json_form import from_json, placed, to_json
from nyala.vocab.errors import BadArgumentError, SurroundingsError, UnknownError
from nyala.vocab.time import US_PER_S, instant_from_text, iso

app = typer.Typer(help="Telegrams: hex <-> JSON; the tables of their coder.", no_args_is_help=True)
At = Annotated[str, typer.Option("--at", help="Instant of reception or sending, ISO 8601 with zone; default now.")]


def _instant_s(text: str) -> int:
    return instant_from_text(text) if text else int(time.time())


@app.command()
def decode(
    port: Annotated[int, typer.Argument(help="FPort.")],
    payload: Annotated[str, typer.Argument(help="Payload, hex.")],
    at: At = "",
    *,
    period_s: Annotated[int, typer.Option("--period", min=0, help="Length of an interval in s: places a frame in time.")] = 0,
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
        return
    at_s = _instant_s(at)
    telegram = codec.decode(port, data, at_s)
    document = to_json(telegram)
    if isinstance(telegram, IntervalBlock) and period_s:
        document = placed(document, telegram, period_s, at_s)
    print_json(document)


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


@app.command("codec")
def javascript_codec(
    out: Annotated[Path | None, typer.Option("--out", help="File to write; default: print it.")] = None,
    epoch: Annotated[list[int] | None, typer.Option("--epoch", help="Load model to put in it; repeatable.")] = None,
    period_s: Annotated[int, typer.Option("--period", min=0, help="Seconds of an interval where `variables` has none.")] = 0,
) -> None:
    """A decoder in JavaScript for ChirpStack v4 and The Things Stack v3: the telegrams without nyala."""
    from nyala.telegram.javascript import SIZE_MAX, source  # noqa: PLC0415
    from nyala.telegram.load_model_file import EPOCH  # noqa: PLC0415

    text = source(epoch or (EPOCH,), period_s)
    if len(text) > SIZE_MAX:
        progress(f"{len(text)} characters: ChirpStack takes it, The Things Stack at most {SIZE_MAX}")
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise SurroundingsError(f"{out} cannot be written: {error.strerror}") from None
    print_json({"out": str(out), "characters": len(text), "fits_the_things_stack": len(text) <= SIZE_MAX})


@app.command()
def train(
    load: Annotated[list[str], typer.Option("--load", help="simbench, synthetic or a CSV file of intervals; repeatable.")],
    out: Annotated[Path, typer.Option("--out", help="File for the tables.")],
    epoch: Annotated[int, typer.Option("--epoch", min=0, max=3, help="What telegrams call these tables, 2 bits.")] = 2,
    licence: Annotated[str, typer.Option("--licence", help="What may be done with the tables; default as the loads say.")] = "",
) -> None:
    """Makes the frequency tables of the interval coder from loads, and says what they cost on loads kept aside."""
    from nyala.bench.telegram import cost_by_kind  # noqa: PLC0415
    from nyala.sim.loads.interval_sets import gathered, load_set  # noqa: PLC0415
    from nyala.telegram import train as trainer  # noqa: PLC0415
    from nyala.telegram.load_model_file import hash_of, to_text  # noqa: PLC0415

    loads = gathered([load_set(name) for name in load])
    progress(f"training on {sum(len(kind.series) for kind in loads.train)} meters: {loads.made_from}")
    model = trainer.train(loads.train, epoch=epoch, made_from=loads.made_from, licence=licence or loads.licence)
    try:
        out.write_text(to_text(model), "utf-8")
    except OSError as error:
        raise SurroundingsError(f"{out} cannot be written: {error.strerror}") from None
    print_json(
        {
            "out": str(out),
            "epoch": epoch,
            "made_from": model.made_from,
            "licence": model.licence,
            "sha256": hash_of(model),
            "size_bytes": model.size_bytes,
            "bits_per_interval": {"train": cost_by_kind(model, loads.train), "test": cost_by_kind(model, loads.test)},
        }
    )
