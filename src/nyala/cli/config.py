"""`nyala config set|show|drift`: the configuration of meters, where no centre runs on the store."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nyala.cli.options import DEFAULT_DB, DEFAULT_TENANT, AsJson, Db, KeyFile, Tenant, print_json
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.settings import Setting
from nyala.vocab.time import US_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from nyala.headend.registry import ConfigShadow, MeterRecord

app = typer.Typer(help="What is wanted of meters, and what they report.", no_args_is_help=True)
BY = "command line"
SAID = 'A setting as in the API: `{"kind": "billing", "day": 1, "hour": 0}`, or @FILE with one or a list of them.'
Serial = Annotated[str, typer.Argument(help="Serial number of the meter.")]


@app.command("set")
def set_(
    settings: Annotated[list[str], typer.Argument(help=SAID)],
    meter: Annotated[list[str] | None, typer.Option(help="Serial number of a meter; once for each.")] = None,
    group: Annotated[str, typer.Option(help="Or the name of a group ...")] = "",
    site: Annotated[str, typer.Option(help="... or a site.")] = "",
    reason: Annotated[str, typer.Option(help="Why; it stands in the history of each meter.")] = "",
    tenant: Tenant = DEFAULT_TENANT,
    db: Db = DEFAULT_DB,
    key_file: KeyFile = None,
) -> None:
    """Wants settings of meters; a centre that begins then sends them.  A limit for many waits for a second person."""
    from nyala.api.describe_configuration import blocks_of  # noqa: PLC0415
    from nyala.app import offline_configuration  # noqa: PLC0415
    from nyala.headend.config_orders import ConfigOrder  # noqa: PLC0415
    from nyala.store import meters  # noqa: PLC0415
    from nyala.store.lock import CentreLock  # noqa: PLC0415

    now_us = time.time_ns() // 1_000
    blocks = blocks_of(_said(settings), now_us // US_PER_S)
    engine = _opened(db, key_file)
    owner = meters.tenant_id(engine, tenant)
    name, ids = _chosen(engine, owner, meter or [], group, site)
    order = ConfigOrder(0, owner, name, blocks, now_us, BY, reason)
    with CentreLock(engine):
        offline_configuration(engine, lambda orders: orders.create(order, ids))
    typer.echo(f"order {order.id} for {len(ids)} meters is {order.state}")


@app.command("show")
def show(
    serial: Serial,
    *,
    tenant: Tenant = DEFAULT_TENANT,
    db: Db = DEFAULT_DB,
    key_file: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """Shows what is wanted of a meter, what it reported last, and what was ordered before."""
    from nyala.api.describe_configuration import configuration_out, history_out  # noqa: PLC0415
    from nyala.headend.registry import MeterState  # noqa: PLC0415
    from nyala.store import config_orders, meters  # noqa: PLC0415
    from nyala.vocab.time import iso  # noqa: PLC0415

    engine = _opened(db, key_file)
    with engine.connect() as connection:
        record = meters.meter_of_serial(connection, meters.tenant_id(engine, tenant), serial)
        state = meters.state_of_meter(connection, record.id) or MeterState(record.id)
        history = history_out(config_orders.of_meter(connection, record.id))
    items = configuration_out(state, None).items
    if as_json:
        print_json({"serial": serial, "items": [_plain(each) for each in items], "history": [_plain(each) for each in history]})
        return
    for item in items:
        wanted = "nothing is wanted" if item.wanted is None else f"version {item.wanted.version} wanted by {item.wanted.by}"
        told = item.reported
        has = "never reported" if told is None else f"has version {told.version} ({iso(told.at_s)})"
        typer.echo(f"{item.kind:<10} {item.state:<10} {wanted}; {has}{f'; {item.detail}' if item.detail else ''}")
        if item.wanted is not None:
            typer.echo(f"{'':<10} {json.dumps(item.wanted.value, ensure_ascii=False)}")
    for each in history:
        typer.echo(f"order {each.order_id:<5} {iso(each.at_s)} {each.kind} version {each.version} by {each.by}: {each.reason}")


@app.command("drift")
def drift(*, tenant: Tenant = DEFAULT_TENANT, db: Db = DEFAULT_DB, key_file: KeyFile = None, as_json: AsJson = False) -> None:
    """Lists settings that are not as they are wanted: drifted, refused, on their way."""
    from nyala.api.describe_configuration import state_of  # noqa: PLC0415

    engine = _opened(db, key_file)
    found = [
        {
            "serial": record.serial,
            "kind": kind.name.lower(),
            "state": state_of(kind, shadow),
            "version": shadow.version,
            "reported_version": shadow.reported_version,
            "detail": shadow.refused,
        }
        for record, kind, shadow in _managed(engine, tenant)
    ]
    out = [each for each in found if each["state"] != "in_step"]
    if as_json:
        print_json({"settings": len(found), "in_step": len(found) - len(out), "items": out})
        return
    for each in out:
        versions = f"version {each['version']} wanted, {each['reported_version']} reported"
        typer.echo(f"{each['serial']:<16} {each['kind']:<10} {each['state']:<8} {versions} {each['detail']}".rstrip())
    typer.echo(f"{len(found) - len(out)} of {len(found)} settings are in step")


def _managed(engine: "Engine", tenant: str) -> "Iterator[tuple[MeterRecord, Setting, ConfigShadow]]":
    """Every setting that is wanted of a meter, by serial number."""
    from nyala.store import meters  # noqa: PLC0415

    owner = meters.tenant_id(engine, tenant)
    with engine.connect() as connection:
        records = [record for record in meters.load_records(connection) if record.tenant_id == owner]
        states = {state.meter_id: state for state in meters.load_states(connection)}
    for record in sorted(records, key=lambda each: each.serial):
        config = states[record.id].config if record.id in states else {}
        yield from ((record, Setting(kind), shadow) for kind, shadow in sorted(config.items()) if shadow.wanted)


def _plain(shape: Any) -> dict[str, Any]:
    said: dict[str, Any] = shape.model_dump()
    return said


def _opened(db: str, key_file: str | None) -> "Engine":
    from nyala.store.engine import open_engine, upgrade  # noqa: PLC0415

    engine = open_engine(db, key_file=key_file)
    upgrade(engine)
    return engine


def _said(texts: list[str]) -> list[Any]:
    """Settings of JSON texts and files; BadArgumentError says which is none."""
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415

    from nyala.api.shapes.configuration import SettingIn  # noqa: PLC0415

    adapter, found = TypeAdapter(SettingIn), []
    for text in texts:
        try:
            read = json.loads(Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text)
            found += [adapter.validate_python(each) for each in (read if isinstance(read, list) else [read])]
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(each) for each in first["loc"])
            raise BadArgumentError(f"setting {text}: {where}: {first['msg']}") from None
        except (OSError, ValueError) as error:
            raise BadArgumentError(f"setting {text}: {error}") from None
    return found


def _chosen(engine: "Engine", owner: int, serials: list[str], group: str, site: str) -> tuple[str, list[int]]:
    """(what they are called, meters) of serial numbers, a group or a site; one of them."""
    from nyala.store import groups_of_meters as groups  # noqa: PLC0415
    from nyala.vocab.errors import UnknownError  # noqa: PLC0415

    if bool(serials) + bool(group) + bool(site) != 1:
        raise BadArgumentError("say --meter, --group or --site, and one of them only")
    with engine.connect() as connection:
        if serials:
            ids, unknown = groups.by_serials(connection, owner, serials)
            if unknown:
                raise UnknownError("meter", unknown[0])
            return serials[0], ids
        wanted = groups.Group(0, owner, site, fixed=False, site=site)
        if group:
            wanted = next((each for each in groups.groups_of(connection, owner) if each.name == group), wanted)
            if wanted.name != group:
                raise UnknownError("group", group)
        return wanted.name, groups.members_of(connection, wanted)
