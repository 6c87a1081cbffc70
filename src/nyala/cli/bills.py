"""`nyala tariff check`, `nyala bill run|show`."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from nyala.cli.options import DEFAULT_DB, DEFAULT_TENANT, AsJson, Db, Tenant, print_json, progress
from nyala.vocab.errors import FileError, SurroundingsError, UnknownError

tariff_app = typer.Typer(help="Tariffs.", no_args_is_help=True)
app = typer.Typer(help="Bills.", no_args_is_help=True)


@tariff_app.callback()
def tariff_group() -> None:
    """Tariffs."""


def read_text(path: Path) -> str:
    """The text of a file; FileError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"cannot be read: {error}", path=str(path)) from None


@tariff_app.command()
def check(file: Annotated[Path, typer.Argument(help="Tariff file, TOML.")]) -> None:
    """Reads a tariff file and says what it is."""
    from nyala.billing.tariff_file import check_tariff  # noqa: PLC0415

    tariff = check_tariff(read_text(file), str(file))
    versions = ", ".join(version.effective_from.isoformat() for version in tariff.versions)
    typer.echo(f"{tariff.code}: {tariff.title}; {tariff.currency}, {tariff.zone}; versions from {versions}")


@app.command()
def run(
    *,
    month: Annotated[str, typer.Option(help="YYYY-MM, local, over.")],
    tenant: Tenant = DEFAULT_TENANT,
    db: Db = DEFAULT_DB,
    as_json: AsJson = False,
) -> None:
    """Bills every meter for a month.  Missing intervals are estimated first, unless a centre runs on the store."""
    from nyala.app import close_gaps  # noqa: PLC0415
    from nyala.billing.run import run_month  # noqa: PLC0415
    from nyala.store import meters  # noqa: PLC0415
    from nyala.store.bills import TenantBills  # noqa: PLC0415
    from nyala.store.engine import open_engine, upgrade  # noqa: PLC0415
    from nyala.store.lock import CentreLock  # noqa: PLC0415
    from nyala.vocab.time import local_month, zone  # noqa: PLC0415

    engine = open_engine(db)
    now_s = int(time.time())
    estimated: int | None = None
    try:
        with CentreLock(engine):
            upgrade(engine)
            with engine.connect() as connection:
                records = meters.load_records(connection)
            spans = [local_month(month, zone(record.zone)) for record in records]
            if spans and max(end for _, end in spans) <= now_s:
                estimated = close_gaps(engine, records, min(s for s, _ in spans), max(e for _, e in spans))
    except SurroundingsError as error:
        progress(f"{error}: nothing is estimated here")
    tenant_id = meters.tenant_id(engine, tenant)
    result = run_month(TenantBills(engine, tenant_id, now_s), month, now_s, lambda at: progress(f"{at.done} of {at.meters}"))
    said: dict[str, Any] = {
        "month": month,
        "meters": result.meters,
        "stored": result.stored,
        "unchanged": result.unchanged,
        "estimated_intervals": estimated,
        "refused": [{"serial": serial, "why": why} for serial, why in result.refused],
    }
    if as_json:
        print_json(said)
        return
    typer.echo(f"{month}: {result.meters} meters, {result.stored} new bills, {result.unchanged} unchanged")
    for serial, why in result.refused:
        typer.echo(f"  {serial}: {why}")


@app.command()
def show(
    serial: Annotated[str, typer.Argument(help="Serial number of the meter.")],
    *,
    month: Annotated[str, typer.Option(help="YYYY-MM.")],
    explain: Annotated[bool, typer.Option("--explain", help="Down to determinants and load days.")] = False,
    version: Annotated[int | None, typer.Option(help="An older version.")] = None,
    tenant: Tenant = DEFAULT_TENANT,
    db: Db = DEFAULT_DB,
    as_json: AsJson = False,
) -> None:
    """A bill, as stored."""
    from nyala.billing import bill, bill_json  # noqa: PLC0415
    from nyala.store import bills, meters  # noqa: PLC0415
    from nyala.store.engine import open_engine  # noqa: PLC0415
    from nyala.vocab.identifiers import parse_serial  # noqa: PLC0415

    engine = open_engine(db)
    wanted = parse_serial(serial)
    tenant_id = meters.tenant_id(engine, tenant)
    with engine.connect() as connection:
        found = [m for m in meters.load_records(connection) if (m.serial, m.tenant_id) == (wanted, tenant_id)]
        if not found:
            raise UnknownError("meter", wanted)
        row = bills.of_meter(connection, found[0].id, month, version)
    if as_json:
        print_json({"id": row.id, "version": row.version, "bill": row.document})
        return
    made = bill_json.from_json(row.document)
    if explain:
        typer.echo(bill.explain(made), nl=False)
        return
    typer.echo(f"{found[0].serial} {found[0].customer}, {month}, version {row.version}, {made.tariff_code}")
    for line in made.lines:
        typer.echo(f"  {line.label_en:<40} {line.quantity:>16,f} {line.unit:<6} {line.amount:>18,f}")
    typer.echo(f"  {'total':<40} {'':>16} {made.currency:<6} {made.total:>18,f}")
