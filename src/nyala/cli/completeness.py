"""`nyala completeness` and `nyala meters place`: how complete the data is, by site or otherwise; and where a site is."""

import csv
import sys
import time
from typing import Annotated

import typer

from nyala.cli.options import DEFAULT_DB, DEFAULT_TENANT, AsJson, Db, Tenant, print_json

DAYS = 7
"""Days of a table where nothing is said."""


def completeness(
    *,
    by: Annotated[str, typer.Option(help="site, feeder, group, gateway or meter.")] = "site",
    first: Annotated[str, typer.Option("--from", help="First UTC day, YYYY-MM-DD; default a week ago.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last UTC day; default today.")] = "",
    within: Annotated[str, typer.Option(help="Only the meters of one other line, as site=Kota.")] = "",
    as_json: AsJson = False,
    tenant: Tenant = DEFAULT_TENANT,
    db: Db = DEFAULT_DB,
) -> None:
    """Expected, received, estimated and missing intervals by day as CSV, the worst lines first."""
    from nyala.headend.completeness import By  # noqa: PLC0415
    from nyala.store import completeness, meters  # noqa: PLC0415
    from nyala.store.engine import open_engine  # noqa: PLC0415
    from nyala.vocab.errors import UnknownError  # noqa: PLC0415
    from nyala.vocab.time import day_from_text, day_of, day_text  # noqa: PLC0415

    def kind(name: str) -> By:
        if name not in list(By):
            raise UnknownError("kind of line", name)
        return By(name)

    now_s = time.time()
    until = (day_from_text(last) if last else day_of(int(now_s))) + 1
    start = day_from_text(first) if first else until - DAYS
    place, _, key = within.partition("=")
    engine = open_engine(db)
    tenant_id = meters.tenant_id(engine, tenant)
    with engine.connect() as connection:
        inner = (kind(place), key) if within else None
        table = completeness.table(connection, tenant_id, kind(by), start, until, int(now_s * 1e6), within=inner)
    days = [day_text(table.first_day + n) for n in range(table.days)]
    if as_json:
        lines = [
            {
                "name": line.name,
                "meters": line.meters,
                "silent": line.silent,
                "missing": line.missing,
                **{name: [getattr(day, name) for day in line.days] for name in ("expected", "received", "estimated")},
            }
            for line in table.lines
        ]
        print_json({"by": by, "days": days, "lines": lines, "total": table.total})
        return
    out = csv.writer(sys.stdout)
    out.writerow((by, "meters", "silent", "day", "expected", "received", "estimated", "missing"))
    for line in table.lines:
        for text, day in zip(days, line.days, strict=True):
            out.writerow((line.name, line.meters, line.silent, text, day.expected, day.received, day.estimated, day.missing))


def place(
    site: Annotated[str, typer.Argument(help="Site, as its meters have it.")],
    lat: Annotated[str, typer.Option(help="Degrees north, WGS 84.")],
    lon: Annotated[str, typer.Option(help="Degrees east.")],
    tenant: Tenant = DEFAULT_TENANT,
    db: Db = DEFAULT_DB,
) -> None:
    """Says where a site is: outages then have a place on the map."""
    from nyala.store import meters, places  # noqa: PLC0415
    from nyala.store.engine import open_engine, upgrade, writing  # noqa: PLC0415
    from nyala.vocab.places import parse_place  # noqa: PLC0415

    said, engine = parse_place(lat, lon), open_engine(db)
    upgrade(engine)
    tenant_id = meters.tenant_id(engine, tenant)
    with writing(engine) as connection:
        places.put_known(connection, tenant_id, site, said)
    typer.echo(f"{site} is at {said.lat:.6f}, {said.lon:.6f}")
