"""`nyala meter test|calibrate|certificate`: the laboratory.  Tables on stdout, progress on stderr, exit 0 only if all pass."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nyala import __version__
from nyala.cli.meter import meter_app as meter_app  # noqa: PLC0414 - the group with these commands in it
from nyala.cli.options import AsJson, print_json, progress
from nyala.vocab.errors import BadArgumentError, FileError, SurroundingsError

if TYPE_CHECKING:
    from nyala.lab.profile import LimitProfile
    from nyala.lab.reception import Received
    from nyala.meter.model import MeterModel

Model = Annotated[str, typer.Option("--model", help="single-phase, three-phase or three-phase-ct.")]
Seed = Annotated[int, typer.Option("--seed", help="Which specimen: its sensors and the bench's reference are drawn from it.")]
Un = Annotated[float | None, typer.Option("--un", help="Another nominal voltage of the model, V: 57.7 of three-phase-ct.")]
In = Annotated[float | None, typer.Option("--in", help="Another current range, by its basic current, A: 1 of three-phase-ct.")]
Profile = Annotated[str, typer.Option("--profile", help="Limits: sheet (all that the model declares), iec or mid.")]
Class = Annotated[str, typer.Option("--class", help="Test active energy against this class instead: 1, 2, 0.5S, B ...")]
Constants = Annotated[str, typer.Option("--constants", help="File that `calibrate` wrote; default: calibrate first.")]
Quick = Annotated[bool, typer.Option("--quick", help="A subset: fewer points and readings, errors and influences only.")]


@meter_app.command("test")
def type_test(
    model: Model,
    *,
    un: Un = None,
    basic: In = None,
    seed: Seed = 1,
    profile: Profile = "sheet",
    accuracy_class: Class = "",
    constants: Constants = "",
    uncalibrated: Annotated[bool, typer.Option("--uncalibrated", help="Test it as it came.")] = False,
    quick: Quick = False,
    on_request: Annotated[bool, typer.Option("--on-request", help="Also the rows that are tested on request.")] = False,
    lifetime: Annotated[bool, typer.Option("--lifetime", help="Only print the wear budget of 15 years.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tests a meter against the tables of its class, on its pulse output."""
    from nyala.lab import laboratory, text  # noqa: PLC0415
    from nyala.lab.accuracy import Scope  # noqa: PLC0415

    own, limits = _model(model, un, basic, profile, accuracy_class)
    if lifetime:
        _lifetime(own, as_json=as_json)
        return
    received = _received(own, limits, seed, constants, quick=quick, adjust=not uncalibrated)
    report = laboratory.run(received.bench, limits, Scope(quick, on_request), seed)
    _say(report.to_json(), text.report_lines(report), as_json=as_json)
    raise typer.Exit(0 if report.passed else 1)


@meter_app.command()
def calibrate(
    model: Model,
    *,
    un: Un = None,
    basic: In = None,
    seed: Seed = 1,
    profile: Profile = "sheet",
    out: Annotated[str, typer.Option("--out", help="File for the constants.")] = "",
    as_json: AsJson = False,
) -> None:
    """Calibrates an un-calibrated meter by the three-point procedure; shows the errors as found and as left."""
    from nyala.lab import constants_file, reception, text  # noqa: PLC0415

    own, limits = _model(model, un, basic, profile, "")
    received = reception.adjusted(reception.receive(own, seed, say=progress), limits)
    done, specimen = received.calibration, received.specimen
    assert done is not None
    if out:
        _write(out, constants_file.written(done.constants, specimen).encode())
    document = {
        "model": own.name,
        "serial": specimen.serial,
        "seed": seed,
        "constants_hash": specimen.constants_hash,
        "constants": done.constants.to_bytes().hex(),
        "as_found": [point.to_json() for point in done.as_found],
        "as_left": [point.to_json() for point in done.as_left],
        "pass": done.passed,
    }
    _say(document, text.calibration_lines(done), as_json=as_json)
    raise typer.Exit(0 if done.passed else 1)


@meter_app.command()
def certificate(
    model: Model,
    *,
    un: Un = None,
    basic: In = None,
    seed: Seed = 1,
    profile: Profile = "sheet",
    accuracy_class: Class = "",
    constants: Constants = "",
    out: Annotated[
        str, typer.Option("--out", help="PDF to write, JSON beside it; a name with .json: JSON alone.")
    ] = "certificate.pdf",
    language: Annotated[str, typer.Option("--language", help="en or id.")] = "en",
    on: Annotated[str, typer.Option("--date", help="Date of test and issue, YYYY-MM-DD; default today.")] = "",
    customer: Annotated[str, typer.Option("--customer", help="Who asked for it.")] = "-",
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """Tests a meter and writes its certificate: PDF by Typst, and JSON."""
    from nyala.lab import certificate as paper  # noqa: PLC0415
    from nyala.lab import laboratory  # noqa: PLC0415
    from nyala.lab.accuracy import Scope  # noqa: PLC0415

    issue = paper.Issue(_date(on), f"nyala {__version__}", customer, language)
    target = Path(out)
    if target.suffix not in {".pdf", ".json"}:
        raise BadArgumentError(f"a certificate is a .pdf or .json file, not {out!r}")
    if target.suffix == ".pdf":
        paper.need_typst()
    own, limits = _model(model, un, basic, profile, accuracy_class)
    received = _received(own, limits, seed, constants, quick=quick, adjust=True)
    report = laboratory.run(received.bench, limits, Scope(quick), seed)
    found = received.calibration.as_found if received.calibration else ()
    document = paper.document(report, own, issue, found)
    if target.suffix == ".pdf":
        _write(out, paper.pdf(document, report, own))
    _write(str(target.with_suffix(".json")), paper.as_text(document).encode())
    lines = [f"{document['number']}: {'pass' if report.passed else 'FAIL'}, {out}"]
    _say(document, lines, as_json=as_json)
    raise typer.Exit(0 if report.passed else 1)


def _model(
    name: str, nominal_v: float | None, basic_a: float | None, profile: str, accuracy_class: str
) -> "tuple[MeterModel, LimitProfile]":
    from nyala.lab.profile import limit_profile  # noqa: PLC0415
    from nyala.meter.model import meter_model  # noqa: PLC0415

    model = meter_model(name).ordered(nominal_v, basic_a)
    return model, limit_profile(model, profile, accuracy_class)


def _received(
    model: "MeterModel", limits: "LimitProfile", seed: int, constants: str, *, quick: bool, adjust: bool
) -> "Received":
    """The specimen of a seed with constants of a file, or calibrated, or as it came."""
    from nyala.lab import constants_file, reception  # noqa: PLC0415
    from nyala.lab.bench import QUICK  # noqa: PLC0415

    received = reception.receive(model, seed, QUICK if quick else None, progress)
    if constants:
        found = constants_file.read(_read(constants), received.specimen, constants)
        if found is not None:
            return reception.given(received, found)
        progress(f"{constants}: the checksum of the constants is wrong: the meter is UN-CALIBRATED")
        return received
    return reception.adjusted(received, limits) if adjust else received


def _lifetime(model: "MeterModel", *, as_json: bool) -> None:
    from nyala.lab import text  # noqa: PLC0415
    from nyala.meter.memory.lifetime import lifetime  # noqa: PLC0415

    table = lifetime(model)
    _say({"model": model.name, "lifetime": table.to_json(), "pass": table.passes}, text.lifetime_lines(table), as_json=as_json)
    raise typer.Exit(0 if table.passes else 1)


def _say(document: dict[str, Any], lines: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    for line in lines:
        typer.echo(line)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text) if text else datetime.now(UTC).date()
    except ValueError:
        raise BadArgumentError(f"not a date: {text!r}; YYYY-MM-DD") from None


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"cannot be read: {error}", path=path) from None


def _write(path: str, data: bytes) -> None:
    try:
        Path(path).write_bytes(data)
    except OSError as error:
        raise SurroundingsError(f"{path} cannot be written: {error.strerror}") from None
