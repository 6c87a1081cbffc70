"""`nyala bench NAME`: figures, with the ratio to a stated baseline in the same run."""

from typing import Annotated

import typer

from nyala.cli.options import AsJson, print_json
from nyala.vocab.errors import UnknownError


def bench(
    name: Annotated[str, typer.Argument(help="capacity, commands, downlink, fleet, ingest, lorawan, metrology, telegram.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Runs a benchmark, at most 60 s."""
    from nyala.bench import BENCHES  # noqa: PLC0415

    if name not in BENCHES:
        raise UnknownError("benchmark", f"{name} ({', '.join(sorted(BENCHES))} are there)")
    result = BENCHES[name]()
    if as_json:
        print_json(result)
        return
    typer.echo(f"{name}: {result['baseline']}")
    for key, value in result["figures"].items():
        typer.echo(f"  {key:<28} {value}")
    for key, value in result["conditions"].items():
        typer.echo(f"  ({key}: {value})")
