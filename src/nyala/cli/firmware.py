"""`nyala firmware sign|show|list|report`: images as files, and the campaigns that a store has.

A campaign is begun over HTTP or in the portal: a second person approves it.
"""

from pathlib import Path
from typing import Annotated

import typer

from nyala.cli.options import DEFAULT_DB, Db, KeyFile
from nyala.vocab.errors import BadArgumentError, TelegramError

app = typer.Typer(help="Firmware of meters: images and campaigns.", no_args_is_help=True)


@app.command("sign")
def sign(
    code: Annotated[Path, typer.Argument(help="The code, as it is to stand in flash.")],
    out: Annotated[Path, typer.Argument(help="Where the signed image goes.")],
    model: Annotated[str, typer.Option(help="Meter model that it is for.")],
    version: Annotated[str, typer.Option(help="MAJOR.MINOR, each 0 to 255.")],
    key: Annotated[
        Path | None, typer.Option(help="File with the 32 bytes of the maker's key; without it the one of virtual meters.")
    ] = None,
) -> None:
    """Makes an image that meters of a model believe."""
    from nyala.meter.model import meter_model  # noqa: PLC0415
    from nyala.telegram.firmware import VIRTUAL_SEED, Image, sign_image  # noqa: PLC0415

    image = Image(meter_model(model).code, _number(version), _bytes(code))
    body = sign_image(image, VIRTUAL_SEED if key is None else _bytes(key))
    out.write_bytes(body)
    typer.echo(f"{out}: firmware {version} for {model}, {len(body)} bytes")


@app.command("show")
def show(image: Annotated[Path, typer.Argument(help="A signed image.")]) -> None:
    """What an image is, and whether virtual meters would start it."""
    from nyala.meter.model import model_of_code  # noqa: PLC0415
    from nyala.telegram.firmware import VIRTUAL_MAKER, decode_image, signed_by  # noqa: PLC0415

    body = _bytes(image)
    try:
        said = decode_image(body)
    except TelegramError as error:
        raise BadArgumentError(f"{image}: {error}") from None
    whose = "the maker of virtual meters" if signed_by(body, VIRTUAL_MAKER) else "somebody else"
    model = model_of_code(said.model).name
    typer.echo(f"firmware {_text(said.version)} for {model}, {len(said.code)} bytes of code, signed by {whose}")


@app.command("list")
def list_campaigns(db: Db = DEFAULT_DB, key_file: KeyFile = None) -> None:
    """Campaigns of firmware and tables, the newest first."""
    from nyala.store.engine import open_engine  # noqa: PLC0415
    from nyala.store.groups import newest_campaigns  # noqa: PLC0415
    from nyala.vocab.time import US_PER_S, iso  # noqa: PLC0415

    with open_engine(db, key_file=key_file).connect() as connection:
        for row in newest_campaigns(connection):
            counts = ", ".join(f"{count} {step}" for step, count in row.report.get("devices", {}).items())
            what = f"{row.kind.name.lower()} {_text(row.version)}"
            typer.echo(f"{row.id:>5}  {iso(row.created_us // US_PER_S)}  {what:<20} {row.state:<18} {counts}")


@app.command("report")
def report(
    campaign: Annotated[int, typer.Argument(help="Number of a campaign, as `list` shows it.")],
    db: Db = DEFAULT_DB,
    key_file: KeyFile = None,
) -> None:
    """Where each meter of a campaign stands, as it was last stored."""
    from nyala.store.engine import open_engine  # noqa: PLC0415
    from nyala.store.groups import campaign_of_any, members_of  # noqa: PLC0415

    with open_engine(db, key_file=key_file).connect() as connection:
        row = campaign_of_any(connection, campaign)
        known = members_of(connection, row.dev_euis)
    steps = row.report.get("meters", {})
    for dev_eui in row.dev_euis:
        step, missing, why = steps.get(f"{dev_eui:016x}", ("new", None, ""))
        _, serial, firmware = known[dev_eui]
        lacks = f"lacks {missing}" if missing else ""
        runs = "" if firmware is None else _text(firmware)
        typer.echo(f"{serial:<16} {step:<12} {runs:<8} {lacks} {why}".rstrip())


def _number(version: str) -> int:
    major, dot, minor = version.partition(".")
    if not (dot and major.isdecimal() and minor.isdecimal() and int(major) <= 0xFF and int(minor) <= 0xFF):
        raise BadArgumentError(f"a version is written 1.2, not {version!r}")
    return int(major) << 8 | int(minor)


def _text(version: int) -> str:
    return f"{version >> 8}.{version & 0xFF}"


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadArgumentError(f"{path}: {error.strerror}") from None
