"""`nyala demo`, `nyala serve`, `nyala simulate`."""

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from nyala.cli.options import DEFAULT_DB, AsJson, Db, print_json, progress
from nyala.vocab.errors import BadArgumentError, FileError


class Role(StrEnum):
    """Roles of a server process."""

    ALL = "all"


CONFIG_KEYS = ("db", "host", "port", "udp_host", "udp_port")


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Start, check health and a login, stop.")] = False,
    meters: Annotated[int, typer.Option(help="Meters of a new world.")] = 200,
    history_days: Annotated[int, typer.Option(help="Days of history of a new world.")] = 35,
    port: Annotated[int, typer.Option(help="Port of the portal.")] = 8000,
    db: Db = DEFAULT_DB,
) -> None:
    """World, network, head-end and portal in one process; prints URL and logins."""
    from nyala.cli.logging import configure  # noqa: PLC0415
    from nyala.sim.demo import DemoOptions, run_demo  # noqa: PLC0415

    configure()
    options = DemoOptions(meters=meters, history_days=history_days, port=port, where=db, once=once)
    raise typer.Exit(run_demo(options))


def serve(
    *,
    config: Annotated[Path | None, typer.Option(help="TOML file with db, host, port, udp_host, udp_port.")] = None,
    role: Annotated[Role, typer.Option(help="What this process does.")] = Role.ALL,
    host: Annotated[str, typer.Option(help="Address of API and portal.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of API and portal.")] = 8000,
    udp_host: Annotated[str, typer.Option(help="Address of the gateway port.")] = "0.0.0.0",  # noqa: S104 - gateways are elsewhere
    udp_port: Annotated[int, typer.Option(help="UDP port of the gateways (Semtech).")] = 1700,
    db: Db = DEFAULT_DB,
) -> None:
    """The centre: network server, head-end, API and portal over a store."""
    from nyala.cli.logging import configure  # noqa: PLC0415
    from nyala.cli.server import run_server  # noqa: PLC0415

    configure()
    assert role is Role.ALL
    said: dict[str, Any] = {"db": db, "host": host, "port": port, "udp_host": udp_host, "udp_port": udp_port}
    run_server(said | _read_config(config), progress)


def _read_config(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FileError(str(error), path=str(path)) from None
    unknown = [key for key in said if key not in CONFIG_KEYS]
    if unknown:
        raise FileError(f"unknown settings {', '.join(unknown)}; known are {', '.join(CONFIG_KEYS)}", path=str(path))
    for key, kind in (("db", str), ("host", str), ("port", int), ("udp_host", str), ("udp_port", int)):
        if key in said and type(said[key]) is not kind:
            raise FileError(f"{key} must be {kind.__name__}", path=str(path))
    return said


def simulate(
    *,
    meters: Annotated[int, typer.Option(help="Meters.")],
    days: Annotated[int, typer.Option(help="Days.")],
    model: Annotated[str, typer.Option(help="mix, single-phase, three-phase or three-phase-ct.")] = "mix",
    load: Annotated[str, typer.Option(help="synthetic, simbench or FILE.csv.")] = "synthetic",
    loss: Annotated[float, typer.Option(help="Probability that a transmission is lost at all receivers.")] = 0.0,
    gateways: Annotated[int, typer.Option(help="Gateways.")] = 2,
    outages: Annotated[int, typer.Option(help="Outages: meter, gateway, head-end in turn.")] = 0,
    commands: Annotated[int | None, typer.Option(help="Supply-switch commands; default one per 20 meters and day.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same run.")] = 1,
    db: Annotated[str, typer.Option("--db", help="Keep the store there; default: a temporary one.")] = "",
    as_json: AsJson = False,
) -> None:
    """A world and its centre on virtual time; reports the laws.  Exit 1 where one is broken."""
    from nyala.sim.loads import first_start_s  # noqa: PLC0415
    from nyala.sim.setup import START_S, Scenario  # noqa: PLC0415
    from nyala.sim.simulation import simulate as run  # noqa: PLC0415

    scenario = Scenario(
        meters=meters,
        days=days,
        model=model,
        load=load,
        loss=loss,
        gateways=gateways,
        outages=outages,
        commands=commands,
        seed=seed,
        start_s=first_start_s(load) or START_S,
    )
    if scenario.start_s % 900:
        raise BadArgumentError(f"{load} does not begin at a quarter of an hour")
    report = run(scenario, db or None, lambda share: progress(f"{share:4.0%}"))
    if as_json:
        print_json(report)
    else:
        _print_report(report)
    raise typer.Exit(0 if all(law["holds"] for law in report["laws"]) else 1)


def _print_report(report: dict[str, Any]) -> None:
    for law in report["laws"]:
        typer.echo(f"law {law['law']} {law['name']:<9} {'holds' if law['holds'] else 'BROKEN':<7} {law['checked']} checked")
        for line in law["broken"]:
            typer.echo(f"    {line}")
    for name, wh in report["energy_wh"].items():
        typer.echo(f"{name:<13} import {wh['import']:>14} Wh   export {wh['export']:>14} Wh")
    for name in ("intervals", "commands", "wall"):
        typer.echo(f"{name}: " + ", ".join(f"{key} {value}" for key, value in report[name].items()))
    typer.echo(f"uplinks {report['uplinks']}, duplicates {report['duplicates']}, airtime {report['airtime_s']} s")
