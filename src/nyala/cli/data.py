"""`nyala import meters|tariff`, `nyala export readings|bills`."""

import csv
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from nyala.cli.bills import read_text
from nyala.cli.options import DEFAULT_DB, DEFAULT_TENANT, Codecs, Db, KeyFile, Tenant, progress
from nyala.vocab.errors import UnknownError

import_app = typer.Typer(help="Meters and tariffs from files.", no_args_is_help=True)
export_app = typer.Typer(help="Readings and bills to CSV.", no_args_is_help=True)


@import_app.command("meters")
def import_meters(
    file: Annotated[Path, typer.Argument(help="CSV or JSON.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report what is wrong.")] = False,
    codecs: Codecs = None,
    tenant: Tenant = DEFAULT_TENANT,
    db: Db = DEFAULT_DB,
    key_file: KeyFile = None,
) -> None:
    """Onboards meters; a file with a bad row changes nothing and every bad row is named."""
    from nyala.headend.foreign.mapping import add_models, foreign_models  # noqa: PLC0415
    from nyala.headend.onboarding import read_file  # noqa: PLC0415
    from nyala.meter.model import MODELS  # noqa: PLC0415
    from nyala.store import meters  # noqa: PLC0415
    from nyala.store.engine import open_engine, upgrade  # noqa: PLC0415

    if codecs is not None:
        add_models(codecs)
    reading = read_file(read_text(file), str(file), (*MODELS, *foreign_models()), int(time.time()))
    if reading.errors:
        for error in reading.errors:
            progress(f"nyala: {error}")
        progress(f"nyala: {len(reading.errors)} bad rows, nothing was imported")
        raise typer.Exit(2)
    if not reading.meters:
        typer.echo("no meters in the file")
        return
    if dry_run:
        typer.echo(f"{len(reading.meters)} meters are right; nothing was imported (dry run)")
        return
    engine = open_engine(db, key_file=key_file)
    upgrade(engine)
    records = meters.onboard(engine, meters.tenant_id(engine, tenant), reading.meters)
    typer.echo(f"{len(records)} meters onboarded; a running centre knows them after its next start")


@import_app.command("tariff")
def import_tariff(
    file: Annotated[Path, typer.Argument(help="Tariff file, TOML.")], tenant: Tenant = DEFAULT_TENANT, db: Db = DEFAULT_DB
) -> None:
    """Loads a tariff; bills that were made with an earlier text keep it."""
    from nyala.billing.tariff_file import check_tariff  # noqa: PLC0415
    from nyala.store import meters, tariffs  # noqa: PLC0415
    from nyala.store.engine import open_engine, upgrade  # noqa: PLC0415

    text = read_text(file)
    tariff = check_tariff(text, str(file))
    engine = open_engine(db)
    upgrade(engine)
    added = tariffs.add(engine, meters.tenant_id(engine, tenant), tariff.code, text, int(time.time()))
    typer.echo(f"tariff {added.code} loaded (number {added.id})")


@export_app.command("readings")
def export_readings(
    serial: Annotated[str, typer.Argument(help="Serial number of the meter.")],
    month: Annotated[str, typer.Option(help="YYYY-MM, in the meter's zone.")],
    db: Db = DEFAULT_DB,
) -> None:
    """Interval values of a meter as CSV: start, end, unit, value, quality."""
    from nyala.mdm.load_day import from_row  # noqa: PLC0415
    from nyala.store import load_days, meters  # noqa: PLC0415
    from nyala.store.engine import open_engine  # noqa: PLC0415
    from nyala.vocab.identifiers import parse_serial  # noqa: PLC0415
    from nyala.vocab.quality import Quality  # noqa: PLC0415
    from nyala.vocab.quantities import Channel, register  # noqa: PLC0415
    from nyala.vocab.time import DAY_S, iso, local_month, zone  # noqa: PLC0415

    engine, wanted = open_engine(db), parse_serial(serial)
    with engine.connect() as connection:
        record = next((m for m in meters.load_records(connection) if m.serial == wanted), None)
        if record is None:
            raise UnknownError("meter", wanted)
        start_s, end_s = local_month(month, zone(record.zone))
        channels = (Channel.IMPORT, Channel.EXPORT)
        found = load_days.of_meter(connection, record.id, channels, start_s // DAY_S, -(-end_s // DAY_S))
    out = csv.writer(sys.stdout)
    out.writerow(("serial", "quantity", "start", "end", "unit", "value", "quality", "version"))
    for row in found:
        day, quantity = from_row(row), register(row.key.channel)
        for at, (value, quality) in enumerate(zip(day.values.tolist(), day.qualities.tolist(), strict=True)):
            begin_s = row.key.day * DAY_S + at * row.period_s
            if start_s <= begin_s < end_s and quality != Quality.MISSING:
                ends = (iso(begin_s), iso(begin_s + row.period_s))
                said = (value, Quality(quality).name, row.version)
                out.writerow((record.serial, quantity.name, *ends, quantity.unit, *said))


@export_app.command("bills")
def export_bills(
    month: Annotated[str, typer.Option(help="YYYY-MM.")], tenant: Tenant = DEFAULT_TENANT, db: Db = DEFAULT_DB
) -> None:
    """The newest bills of a month as CSV."""
    from nyala.store import bills, meters  # noqa: PLC0415
    from nyala.store.engine import open_engine  # noqa: PLC0415

    engine = open_engine(db)
    tenant_id = meters.tenant_id(engine, tenant)
    out = csv.writer(sys.stdout)
    out.writerow(("serial", "customer", "month", "version", "tariff", "currency", "total", "energy_wh", "estimated_wh"))
    after: int | None = 0
    with engine.connect() as connection:
        while after is not None:
            page, after, _ = bills.list_bills(connection, tenant_id, month, after=after, limit=bills.PAGE_MAX)
            for b in page:
                row = (b.serial, b.customer, b.month, b.version, b.tariff, b.currency, b.total, b.energy_wh, b.estimated_wh)
                out.writerow(row)
