"""`nyala reads add|list|run|remove`: scheduled reads, where no centre runs on the store."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nyala.cli.options import DEFAULT_DB, DEFAULT_TENANT, AsJson, Db, KeyFile, Tenant, print_json
from nyala.vocab.errors import UnknownError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from nyala.headend.reads import ReadPlan, Reads

app = typer.Typer(help="Reads that are planned.", no_args_is_help=True)
BY = "command line"
Number = Annotated[int, typer.Argument(help="Number of the plan, as `list` shows it.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What the plan is called.")],
    quantity: Annotated[list[str], typer.Option(help="A quantity of the catalogue; once for each, at most eight.")],
    rhythm: Annotated[str, typer.Option(help="`every 15m`, `daily 06:30` or `month-end`.")],
    meter: Annotated[str, typer.Option(help="Serial number of the meter to be read ...")] = "",
    group: Annotated[str, typer.Option(help="... or name of the group.")] = "",
    zone: Annotated[str, typer.Option(help="Zone of the local time.")] = "Asia/Jakarta",
    spread_s: Annotated[int, typer.Option(help="The meters are read within so many seconds.")] = 900,
    tenant: Tenant = DEFAULT_TENANT,
    db: Db = DEFAULT_DB,
    key_file: KeyFile = None,
) -> None:
    """Plans reads of a meter or of a group."""
    from nyala.headend.reads import ReadPlan  # noqa: PLC0415
    from nyala.vocab.time import iso  # noqa: PLC0415

    engine, now_us = _opened(db, key_file), _now_us()
    owner, meter_id, group_id = _whose(engine, tenant, meter, group)
    plan = ReadPlan(0, owner, name, tuple(quantity), rhythm, zone, spread_s, meter_id, group_id, now_us, BY)
    _say(engine, lambda reads: reads.add(plan, now_us))
    typer.echo(f"plan {plan.id} {name!r} runs first at {iso(plan.next_s)}")


@app.command("list")
def list_plans(
    *, tenant: Tenant = DEFAULT_TENANT, db: Db = DEFAULT_DB, key_file: KeyFile = None, as_json: AsJson = False
) -> None:
    """Lists the plans that have not ended."""
    from nyala.store import meters, reads  # noqa: PLC0415
    from nyala.vocab.time import iso  # noqa: PLC0415

    engine = _opened(db, key_file)
    owner = meters.tenant_id(engine, tenant)
    with engine.connect() as connection:
        plans = reads.plans_of(connection, owner)
    if as_json:
        print_json({"reads": [_line(plan) for plan in plans]})
        return
    for plan in plans:
        last = f"last {iso(plan.run_s)}: {plan.ordered} ordered, {plan.refused} refused" if plan.run_s else "has not run"
        typer.echo(
            f"{plan.id:>4} {plan.name:<24} {plan.rhythm:<12} {','.join(plan.quantities)}  next {iso(plan.next_s)}  {last}"
        )


@app.command("run")
def run(number: Number, db: Db = DEFAULT_DB, key_file: KeyFile = None) -> None:
    """Lets a plan run as soon as a centre runs, besides its rhythm."""
    _say(_opened(db, key_file), lambda reads: reads.run(number, _now_us()))
    typer.echo(f"plan {number} runs when the centre does")


@app.command("remove")
def remove(number: Number, db: Db = DEFAULT_DB, key_file: KeyFile = None) -> None:
    """Ends a plan; what it has brought stays."""
    _say(_opened(db, key_file), lambda reads: reads.end(number, _now_us()))
    typer.echo(f"plan {number} has ended")


def _now_us() -> int:
    return time.time_ns() // 1_000


def _opened(db: str, key_file: str | None) -> "Engine":
    from nyala.store.engine import open_engine, upgrade  # noqa: PLC0415

    engine = open_engine(db, key_file=key_file)
    upgrade(engine)
    return engine


def _say(engine: "Engine", say: "Callable[[Reads], Any]") -> None:
    from nyala.app import offline_reads  # noqa: PLC0415
    from nyala.store.lock import CentreLock  # noqa: PLC0415

    with CentreLock(engine):
        offline_reads(engine, say)


def _whose(engine: "Engine", tenant: str, serial: str, group: str) -> tuple[int, int | None, int | None]:
    """(tenant, meter, group) by their names; what is not said is None."""
    from nyala.store import groups_of_meters, meters  # noqa: PLC0415

    owner = meters.tenant_id(engine, tenant)
    with engine.connect() as connection:
        ids = {record.serial: record.id for record in meters.load_records(connection) if record.tenant_id == owner}
        groups = {each.name: each.id for each in groups_of_meters.groups_of(connection, owner)}
    for kind, name, known in (("meter", serial, ids), ("group", group, groups)):
        if name and name not in known:
            raise UnknownError(kind, name)
    return owner, ids.get(serial), groups.get(group)


def _line(plan: "ReadPlan") -> dict[str, Any]:
    names = ("id", "name", "quantities", "rhythm", "zone", "spread_s", "meter_id", "group_id", "next_s", "run_s")
    return {name: getattr(plan, name) for name in (*names, "ordered", "refused")}
