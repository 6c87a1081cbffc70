"""Makes docs/telegram.md and the pages of docs/reference from the tables and the program: `python docs/make.py`.

`--check` fails on stale ones.  A page here is never edited by hand.  State diagrams are drawn from the transition tables.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import telegram_page
import typer
from md import diagram, table
from sqlalchemy import create_engine

from nyala.api.application import create_app
from nyala.api.permissions import ROLES, Permission
from nyala.api.state import ApiState
from nyala.cli.main import app as command_line
from nyala.headend import command_life
from nyala.lorawan import mac_commands
from nyala.lorawan.device import budget
from nyala.lorawan.device import module as lora_module
from nyala.lorawan.device.profile import LORAWAN_1_0_4
from nyala.lorawan.packages import commands as packages
from nyala.lorawan.region import region
from nyala.lorawan.regulation import regulation
from nyala.meter import supply
from nyala.vocab.alarms import alarm_table
from nyala.vocab.quality import quality_table
from nyala.vocab.quantities import RATES, catalogue

DOCS: Final = Path(__file__).parent
REFERENCE: Final = DOCS / "reference"
NOTE: Final = "<!-- Made by docs/make.py: do not edit. -->\n"


def quantities() -> str:
    """The catalogue."""
    rows = [
        (f"`{q.name}`", q.code, q.obis, q.unit, q.scaler, q.kind, q.label_en, q.description)
        for q in catalogue().values()
        if not q.rate
    ]
    text = "# Quantities\n\nEvery number that a meter can say. "
    text += f"An energy register has {RATES} rates besides its total: name `_t1`.. `_t{RATES}`, code + rate, OBIS group E.\n\n"
    return text + table(("name", "code", "OBIS", "unit", "scaler", "kind", "label", "meaning"), rows)


def qualities() -> str:
    """Quality codes."""
    rows = [(r.quality.value, f"`{r.quality.name}`", r.cim, r.espi, r.nem12, r.meaning) for r in quality_table().values()]
    text = "# Quality of an interval value\n\nThe mapping to CIM, ESPI and NEM12 is ours, not a standard's.\n\n"
    return text + table(("code", "name", "CIM", "ESPI", "NEM12", "meaning"), rows)


def commands() -> str:
    """The life of a command and of the supply switch."""
    text = "# Commands\n\n## The life of a command\n\n"
    text += diagram(command_life.TRANSITIONS, command_life.CommandState.QUEUED, command_life.FINAL)
    rows = [(s.value, e.value, t.value) for (s, e), t in command_life.TRANSITIONS.items()]
    text += "\n" + table(("state", "what happens", "next state"), rows)
    text += "\n## The supply switch\n\n"
    text += "Letters are those of IEC 62056-6-2, class 70; a control mode has only some of them.\n\n"
    lettered = supply.TRANSITIONS.items()
    rows = [(each, state.name.lower(), event.value, to.name.lower(), code) for each, (state, event, to, code) in lettered]
    text += table(("letter", "from", "what happens", "to", "log code"), rows)
    text += "\n" + table(("control mode", "transitions"), [(mode, " ".join(kept)) for mode, kept in enumerate(supply.MODES)])
    return text


def alarm_pages() -> str:
    """The alarms of a meter."""
    rows = [
        (
            a.alarm.value,
            f"`{a.name}`",
            a.severity.value,
            a.on,
            a.off,
            a.unit,
            f"{a.on_delay_s}/{a.off_delay_s}",
            a.event_on,
            a.description,
        )
        for a in alarm_table()
    ]
    head = ("bit", "alarm", "severity", "on", "off", "unit", "delays s", "event", "what it looks at")
    return "# Alarms\n\nThresholds and delays are defaults; countries' profiles differ.\n\n" + table(head, rows)


def lorawan() -> str:
    """Regions, laws, MAC commands, packages, and what the module shows and takes."""
    text = "# LoRaWAN\n\nRegions and laws are data files: `src/nyala/lorawan/regions`, `src/nyala/lorawan/regulations`.\n"
    for place in (region("AS923-2"), region("EU868")):
        channels = ", ".join(f"{hz / 1e6:g}" for hz in place.default_channels_hz)
        text += f"\n## Region {place.name}\n\n{place.source}. Default channels {channels} MHz; RX2 {place.rx2_hz / 1e6:g} MHz, "
        text += f"DR{place.rx2_data_rate}; {place.default_max_eirp_dbm} dBm EIRP, "
        text += f"{place.tx_power_step_db} dB less with each TXPower step.\n\n"
        rates = [(f"DR{r.index}", r.text, r.payload, r.payload_dwell if place.dwell_ms else "") for r in place.data_rates]
        text += table(("data rate", "modulation", "M, bytes", "M under the dwell limit"), rates)
    text += "\n## Laws\n\n"
    bands = [
        (
            law.name,
            f"{band.low_hz / 1e6:g} to {band.high_hz / 1e6:g}",
            f"{band.per_mille / 10:g} %",
            band.max_eirp_dbm,
            "" if law.lbt is None else f"{law.lbt.threshold_dbm:g} dBm, {law.lbt.sense_us / 1000:g} ms",
            law.source,
        )
        for law in (regulation("indonesia"), regulation("indonesia-lbt"), regulation("eu868"))
        for band in law.sub_bands
    ]
    text += table(("law", "MHz", "duty cycle", "EIRP dBm", "listen before talk", "source"), bands)
    for title, said in (("device", mac_commands.UPLINK), ("network", mac_commands.DOWNLINK)):
        text += f"\n## MAC commands of the {title}\n\n" + table(*_layouts(said.values()))
    for (port, version), commands_of in packages.TO_DEVICE.items():
        both = [*commands_of.values(), *packages.TO_SERVER[port, version].values()]
        text += f"\n## {port.name.replace('_', ' ').capitalize()}, version {version}, port {port.value}\n\n" + table(
            *_layouts(both)
        )
    text += "\n## What the module shows\n\n"
    text += diagram(lora_module.TRANSITIONS, lora_module.ModuleState.OFF, ())
    text += "\n## What the MAC's state takes\n\nOf 64 KB RAM and 256 KB flash, in bytes, as it would lie there in C.\n\n"
    parts = budget.budget(LORAWAN_1_0_4)
    rows: list[tuple[object, ...]] = [(row.what, row.count, row.size, row.ram_bytes, row.flash_bytes) for row in parts]
    rows.append(("all", "", "", sum(row.ram_bytes for row in parts), sum(row.flash_bytes for row in parts)))
    return text + table(("what", "count", "bytes each", "RAM", "flash"), rows)


def _layouts(classes: Iterable[Any]) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    rows: list[tuple[object, ...]] = [
        (f"{cls.CID:02X}", f"`{cls.__name__}`", cls.size(), _bits(cls), (cls.__doc__ or "").partition("\n")[0])
        for cls in classes
    ]
    return ("CID", "command", "bytes", "fields, lowest bit first", "what it says"), rows


def _bits(cls: Any) -> str:
    return " ".join(f"{name}:{bits.width}" for name, bits in cls.layout() if not name.startswith("rfu"))


def permissions() -> str:
    """Roles and permissions."""
    rows = [(f"`{p.value}`", *("yes" if p in held else "" for held in ROLES.values())) for p in Permission]
    return "# Permissions\n\n" + table(("permission", *ROLES), rows)


def api() -> str:
    """The routes."""
    app = create_app(ApiState(create_engine("sqlite://"), lambda: 0))
    rows = []
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            rows.append((method.upper(), f"`{path}`", operation.get("description", "").split("\n")[0]))
    text = "# The API\n\nOpenAPI 3.1 at `/api/v1/openapi.json`. Errors are `application/problem+json`.\n\n"
    return text + table(("method", "path", "what it does"), sorted(rows, key=lambda row: (row[1], row[0])))


def cli() -> str:
    """Every command with its options."""
    group: Any = typer.main.get_command(command_line)
    text = "# The command line\n\nExit codes: 0 done; 1 a check does not hold; 2 bad input, said in one line.\n"
    return text + "".join(_command(["nyala"], group))


def _command(path: list[str], command: Any) -> Iterable[str]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield f"\n## `{' '.join(path)}`\n\n{(command.help or '').strip()}\n\n"
        rows = []
        for parameter in command.params:
            if parameter.name != "help":
                names = " ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
                default = "" if parameter.default is None or callable(parameter.default) else parameter.default
                rows.append((names, "" if default is False else default, getattr(parameter, "help", "") or ""))
        yield table(("option", "default", ""), rows) if rows else ""
        return
    for name, each in inner.items():
        yield from _command([*path, name], each)


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "alarms": alarm_pages,
    "quantities": quantities,
    "qualities": qualities,
    "commands": commands,
    "lorawan": lorawan,
    "permissions": permissions,
    "api": api,
    "cli": cli,
}


def main(*, check: bool) -> int:
    """Writes the pages, or says which are stale."""
    REFERENCE.mkdir(exist_ok=True)
    stale = []
    pages = {REFERENCE / f"{name}.md": make for name, make in PAGES.items()} | {DOCS / "telegram.md": telegram_page.page}
    for file, make in pages.items():
        text = NOTE + make()
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            stale.append(file.name)
            if not check:
                file.write_text(text, encoding="utf-8")
    if check and stale:
        sys.stderr.write(f"stale pages: {', '.join(stale)}; run `make docs`\n")
        return 1
    return 0


if __name__ == "__main__":
    os.environ.setdefault("COLUMNS", "120")
    sys.exit(main(check="--check" in sys.argv))
