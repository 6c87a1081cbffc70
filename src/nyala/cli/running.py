"""`nyala demo`, `nyala serve`, `nyala simulate`."""

import time
import tomllib
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from nyala.cli.options import DEFAULT_DB, AsJson, Db, KeyFile, print_json, progress
from nyala.vocab.errors import BadArgumentError, FileError
from nyala.vocab.time import DAY_S, US_PER_S

if TYPE_CHECKING:
    from nyala.sim.setup import Scenario


NetworkName = Annotated[str, typer.Option(help="Region, law and channels: indonesia, indonesia-lbt or eu868.")]


class Role(StrEnum):
    """Roles of a server process."""

    ALL = "all"


SETTINGS = {
    "db": str,
    "key_file": str,
    "host": str,
    "port": int,
    "udp_host": str,
    "udp_port": int,
    "station_host": str,
    "station_port": int,
    "station_cert": str,
    "station_key": str,
    "stations": str,
    "bridge": list,
    "codecs": str,
    "network": str,
    "mail_server": str,
    "mail_from": str,
    "webhook_private": bool,
    "slots": bool,
}
"""What a configuration file may say."""


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Start, check health and a login, stop.")] = False,
    meters: Annotated[int, typer.Option(help="Meters of a new world.")] = 200,
    history_days: Annotated[int, typer.Option(help="Days of history of a new world.")] = 35,
    port: Annotated[int, typer.Option(help="Port of the portal.")] = 8000,
    station_port: Annotated[int | None, typer.Option(help="Port for Basics Stations (ws); none: closed.")] = None,
    db: Db = DEFAULT_DB,
) -> None:
    """World, network, head-end and portal in one process; prints URL and logins."""
    from nyala.cli.logging import configure  # noqa: PLC0415
    from nyala.sim.demo import DemoOptions, run_demo  # noqa: PLC0415

    configure()
    options = DemoOptions(meters=meters, history_days=history_days, port=port, where=db, once=once, station_port=station_port)
    raise typer.Exit(run_demo(options))


def serve(
    *,
    config: Annotated[Path | None, typer.Option(help="TOML file with these settings (udp_port = 1700).")] = None,
    role: Annotated[Role, typer.Option(help="What this process does.")] = Role.ALL,
    host: Annotated[str, typer.Option(help="Address of API and portal.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of API and portal.")] = 8000,
    udp_host: Annotated[str, typer.Option(help="Address of the gateway port.")] = "0.0.0.0",  # noqa: S104 - gateways are elsewhere
    udp_port: Annotated[int, typer.Option(help="UDP port of the gateways (Semtech).")] = 1700,
    station_host: Annotated[str, typer.Option(help="Address of the Basics Station port.")] = "0.0.0.0",  # noqa: S104
    station_port: Annotated[int | None, typer.Option(help="Port for Basics Stations (LNS and CUPS); none: closed.")] = None,
    station_cert: Annotated[str | None, typer.Option(help="Certificate chain of that port (PEM): with it, wss.")] = None,
    station_key: Annotated[str | None, typer.Option(help="Private key of that certificate (PEM).")] = None,
    stations: Annotated[str | None, typer.Option(help="TOML file of the stations that may connect, by EUI and token.")] = None,
    bridge: Annotated[
        list[str] | None, typer.Option(help="Another network server: NAME=chirpstack+mqtt://... or NAME=tts+mqtts://...")
    ] = None,
    codecs: Annotated[
        str | None, typer.Option(help="Folder of payload codecs of other makers' meters, and their tables.")
    ] = None,
    network: NetworkName = "indonesia",
    mail_server: Annotated[
        str | None,
        typer.Option(help="Where mail leaves: smtp://[USER@]HOST[:PORT] (STARTTLS), smtps://, or smtp+plain://."),
    ] = None,
    mail_from: Annotated[str, typer.Option(help="Sender of mail.")] = "nyala@localhost",
    slots: Annotated[bool, typer.Option(help="Meters report in slots: no two of the network at once on a channel.")] = False,
    webhook_private: Annotated[bool, typer.Option(help="Webhooks may lead to this machine and into private networks.")] = False,
    db: Db = DEFAULT_DB,
    key_file: KeyFile = None,
) -> None:
    """The centre: network server, head-end, API and portal over a store."""
    from nyala.cli.logging import configure  # noqa: PLC0415
    from nyala.cli.server import run_server  # noqa: PLC0415

    configure()
    assert role is Role.ALL
    said: dict[str, Any] = {
        "db": db,
        "key_file": key_file,
        "host": host,
        "port": port,
        "udp_host": udp_host,
        "udp_port": udp_port,
        "station_host": station_host,
        "station_port": station_port,
        "station_cert": station_cert,
        "station_key": station_key,
        "stations": stations,
        "bridge": bridge or [],
        "codecs": codecs,
        "network": network,
        "mail_server": mail_server,
        "mail_from": mail_from,
        "webhook_private": webhook_private,
        "slots": slots,
    }
    run_server(said | _read_config(config), progress)


def _read_config(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FileError(str(error), path=str(path)) from None
    unknown = [key for key in said if key not in SETTINGS]
    if unknown:
        raise FileError(f"unknown settings {', '.join(unknown)}; known are {', '.join(SETTINGS)}", path=str(path))
    for key, value in said.items():
        if type(value) is not SETTINGS[key]:
            raise FileError(f"{key} must be {SETTINGS[key].__name__}", path=str(path))
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
    profile: Annotated[str, typer.Option(help="Radio profile: oulu, hata, ns3 or lorasim.")] = "oulu",
    network: NetworkName = "indonesia",
    slots: Annotated[bool, typer.Option(help="Meters report in slots that the centre gives them.")] = False,
    gateway_udp: Annotated[str, typer.Option(help="HOST:PORT of another network server: the world alone, in real time.")] = "",
    devices: Annotated[Path | None, typer.Option(help="With --gateway-udp: write the devices' keys there (CSV).")] = None,
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
        profile=profile,
        network=network,
        slots=slots,
    )
    if gateway_udp:
        _attach(scenario, gateway_udp, devices, as_json=as_json)
    if scenario.start_s % 900:
        raise BadArgumentError(f"{load} does not begin at a quarter of an hour")
    report = run(scenario, db or None, lambda share: progress(f"{share:4.0%}"))
    if as_json:
        print_json(report)
    else:
        _print_report(report)
    raise typer.Exit(0 if all(law["holds"] for law in report["laws"]) else 1)


def _attach(scenario: "Scenario", target: str, devices: Path | None, *, as_json: bool) -> NoReturn:
    """The world as test devices of another network server.  Exit 1 where a counter did not rise."""
    from nyala.lorawan.network.plan import network_plan  # noqa: PLC0415
    from nyala.sim.attached import Attachment, devices_csv, run_attached  # noqa: PLC0415

    to = Attachment.parse(target, scenario.days * DAY_S)
    now_us = time.time_ns() // 1_000
    scenario = replace(scenario.checked(), start_s=now_us // US_PER_S // 60 * 60)
    table = devices_csv(scenario)
    if devices is None:
        progress(table)
    else:
        try:
            devices.write_text(table, encoding="utf-8")
        except OSError as error:
            raise FileError(str(error), path=str(devices)) from None
    progress(f"{scenario.meters} meters join by UDP to {target}; Ctrl-C ends")
    report = run_attached(scenario, to, network_plan(scenario.network), now_us)
    if as_json:
        print_json(report)
    else:
        for name, value in report.items():
            typer.echo(f"{name}: {value}")
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
