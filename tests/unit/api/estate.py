"""A small estate with a neighbour, its API in this process, and requests as somebody.

Tenant `ours` has meter 1 (single phase: data, a bill, a session), 2 (with current transformers, never heard), 3 (never
heard); tenant `theirs` has meter 4 (data, a bill).  Commands 1 (of meter 1) and 2 (of meter 4) have ended.
"""

import shutil
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from nyala.api import auth, fleet
from nyala.api.application import PREFIX, create_app
from nyala.api.auth import COOKIE, token_hash
from nyala.api.permissions import ROLES
from nyala.api.state import ApiState
from nyala.app import Centre
from nyala.billing.run import run_month
from nyala.billing.tariff_file import shipped_text
from nyala.headend.bulk import BulkOrder, Member, Plan
from nyala.headend.bulk_life import BulkState, MemberState
from nyala.headend.campaign_life import CampaignState, Order
from nyala.headend.command_life import CommandState
from nyala.headend.commands import CommandStep, Kind
from nyala.headend.config_orders import ConfigMember
from nyala.headend.notify import Happened, Target, TargetKind, moved
from nyala.headend.ports import AlarmRaised, Changes, EventRow, GatewayRow
from nyala.headend.registry import MeterState
from nyala.headend.storms_shapes import Entry, Incident, Notice, Scope, Taken
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.sessions import SessionRow
from nyala.store import groups_of_meters, meters, notifications, rows, schema, tariffs, users
from nyala.store.bills import TenantBills
from nyala.store.engine import open_engine, upgrade, writing
from nyala.store.groups_of_meters import Group
from nyala.store.ingest import InlineWriter
from nyala.store.keys import ring_of
from nyala.telegram.firmware import VIRTUAL_SEED, Image, sign_image
from nyala.vocab.alarms import Alarm
from nyala.vocab.time import US_PER_S, day_from_text, instant_from_text
from tests.unit.store.filled import (
    GATEWAY,
    SETTINGS,
    START_S,
    campaign,
    command,
    config_order,
    group,
    load_day,
    new_meter,
    read_plan,
    state,
    write,
)

PASSWORD: Final = "correct horse"
QUICK: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""A hash says by itself how dear it is to check: these are cheap, so that tests may log in often."""
MONTH: Final = "2025-10"
TARIFF: Final = "pln-r1-1300"
INSTALLED_S: Final = instant_from_text("2025-09-30T00:00:00Z")
FIRST_DAY: Final = day_from_text("2025-09-30")
NOW_S: Final = instant_from_text("2025-11-05T03:00:00Z")
DAYS: Final = NOW_S // 86_400 - FIRST_DAY
OURS, CT_METER, SILENT, THEIRS = 1, 2, 3, 4
OUR_COMMAND, THEIR_COMMAND = 1, 2
OUR_BILL, THEIR_BILL = 1, 2
OUR_ALARM, THEIR_ALARM = 1, 2
OUR_INCIDENT, THEIR_INCIDENT = 1, 2
OUR_TARGET, THEIR_TARGET = 1, 2
OUR_MESSAGE, THEIR_MESSAGE = 1, 2
OUR_GROUP, THEIR_GROUP = 1, 2
OUR_CAMPAIGN, THEIR_CAMPAIGN = 1, 2
OUR_READ, THEIR_READ = 1, 2
OUR_CONFIG, THEIR_CONFIG = 1, 2
OUR_BLOCK, THEIR_BLOCK = 1, 2
IMAGE: Final = b64encode(sign_image(Image(1, 0x0101, b"\1code"), VIRTUAL_SEED)).decode()
"""Firmware 1.1 for single-phase meters."""
WH: Final = 5
"""Energy of every interval."""


def build(folder: Path) -> None:
    """The store of the estate."""
    engine = open_engine(str(folder), durable=False)
    upgrade(engine)
    ours, theirs = meters.tenant_id(engine, "ours"), meters.tenant_id(engine, "theirs")
    plain: dict[str, Any] = {"installed_s": INSTALLED_S, "tariff": TARIFF, "customer": "Ibu Sri", "site": "A-1"}
    ct = plain | {"model": "three-phase-ct", "ct_ratio": (200, 5), "customer": "Pabrik", "site": "B-2"}
    meters.onboard(engine, ours, [new_meter(1, **plain), new_meter(2, **ct), new_meter(3, **plain)])
    meters.onboard(engine, theirs, [new_meter(4, **plain)])
    password = QUICK.hash(PASSWORD)
    for tenant, names in ((ours, ROLES), (theirs, ["neighbour"])):
        tariffs.add(engine, tenant, TARIFF, shipped_text(TARIFF), NOW_S - 1_000)
        for name in names:
            users.add(engine, tenant, name, password, name if name in ROLES else "admin", "en", NOW_S)
    with engine.connect() as connection:
        known = [users.by_name(connection, name)[0] for name in (*ROLES, "neighbour")]
    for user in known:
        users.log_in(engine, user.id, token_hash(user.name), NOW_S - 60, NOW_S + auth.LOGIN_S)
    days = [load_day([WH] * 96, meter_id=number, day=FIRST_DAY + day) for number in (OURS, THEIRS) for day in range(DAYS)]
    steps = [CommandStep(number, NOW_S * US_PER_S, CommandState.VERIFIED, "seen") for number in (1, 2)]
    ended = [
        command(number, meter_id=meter, state=CommandState.VERIFIED, key=None) for number, meter in ((1, OURS), (2, THEIRS))
    ]
    write(
        engine,
        Changes(
            states=[_heard(OURS), _heard(THEIRS)],
            load_days=days,
            commands=ended,
            steps=steps,
            events=[EventRow(number, NOW_S - 60, 2, 9, 1, NOW_S * US_PER_S) for number in (OURS, THEIRS)],
            alarms=[
                AlarmRaised(tenant, number, Alarm.MAGNET, START_S, 120, "event", START_S * US_PER_S)
                for tenant, number in ((ours, OURS), (theirs, THEIRS))
            ],
            gateways=[GatewayRow(GATEWAY, NOW_S * US_PER_S, 7)],
        ),
    )
    for tenant, number in ((ours, OURS), (theirs, THEIRS)):
        _outage(engine, tenant, number)
        _ended_campaign(engine, tenant, number)
    session = SessionRow(0xD0001, 1, bytes(16), bytes(16), 5, 5, True, dict(SETTINGS), ((GATEWAY, 5.0),))
    with writing(engine) as connection:
        connection.execute(schema.lorawan_session.insert(), [rows.session_row(session, ring_of(engine))])
    for tenant in (ours, theirs):
        assert run_month(TenantBills(engine, tenant, NOW_S), MONTH, NOW_S).stored == 1
    engine.dispose()


def _outage(engine: Engine, tenant: int, number: int) -> None:
    """An incident of one meter, a target, and a message that was not delivered."""
    target = Target(0, tenant, "ops", TargetKind.EMAIL, "ops@utility.example", bytes(32))
    notifications.add_target(engine, target, by="ani", key=f"{tenant}:first", now_us=NOW_S * US_PER_S)
    now_us = NOW_S * US_PER_S
    incident = Incident(tenant, tenant, Alarm.MAGNET, Scope.SITE, "A-1", START_S, START_S, now_us, now_us, 1, 1)
    entry = Entry(number, Alarm.MAGNET, START_S, now_us, 120, None, incident.id, told=True)
    notice = Notice(f"incident-{tenant}-raised", tenant, Alarm.MAGNET, True, Scope.SITE, "A-1", ("A-1",), START_S, START_S, 1)
    outbox = notifications.Notifications(engine)
    outbox.keep(Taken([entry], [], [incident], [notice]), 10**9, [], now_us)
    [(message, _)] = outbox.begin(now_us, 1)
    outbox.end(moved(message, Happened.REFUSED, now_us, "550 no such user"))


def _ended_campaign(engine: Engine, tenant: int, number: int) -> None:
    """A group of one meter, and a campaign that is over."""
    groups_of_meters.add_group(engine, Group(0, tenant, "all", fixed=True), [number], by="ani", now_us=NOW_S * US_PER_S)
    over = campaign(tenant, dev_euis=(0xD0000 + number,), state=CampaignState.OVER, order=Order(tenant, "all", "why"))
    write(engine, Changes(groups=[group(over.plan.mc_addr, ended=True)], campaigns=[over]))
    order = BulkOrder(tenant, tenant, "all", Plan(Kind.READ), BulkState.DONE, 0, "ani", "why", 10**9, 0, 0)
    write(engine, Changes(bulk_orders=[order], bulk_members=[(tenant, Member(number, MemberState.VERIFIED, number))]))
    plan = read_plan(tenant, tenant_id=tenant, meter_id=number, next_s=2**40, key=f"{tenant}:first")
    write(engine, Changes(read_plans=[plan]))
    said = config_order(tenant, tenant_id=tenant, state=BulkState.DONE)
    write(engine, Changes(config_orders=[said], config_members=[(tenant, ConfigMember(number, MemberState.VERIFIED))]))


def _heard(number: int) -> MeterState:
    shadow = state(number)
    shadow.last_heard_us = (NOW_S - 60) * US_PER_S
    shadow.complete_to = (NOW_S - 7_200) // 900
    shadow.registers = {"import_wh": (123_456, NOW_S - 60), "export_wh": (0, NOW_S - 60)}
    return shadow


class Estate:
    """The running API.  `now_us` is its clock; who asks is a role, `neighbour` or nobody (None)."""

    def __init__(self, engine: Engine, *, centre: bool = True) -> None:
        self.engine, self.now_us = engine, NOW_S * US_PER_S
        self.writer = InlineWriter(engine)
        self.centre = Centre(engine, self.writer, lambda: self.now_us, plan=indonesia()) if centre else None
        self.state = ApiState(engine, lambda: self.now_us, self.centre)
        self.app = create_app(self.state)
        self.client = TestClient(self.app, raise_server_exceptions=False)

    def later(self, seconds: float) -> None:
        """Time passes."""
        self.now_us += int(seconds * US_PER_S)

    def ask(self, method: str, path: str, who: str | None = "admin", *, token: str | None = None, **said: Any) -> Any:
        """A request; its response.  Paths without a leading `/` are those of the API."""
        headers = dict(said.pop("headers", {}))
        if token or who:
            headers["Cookie"] = f"{COOKIE}={token or who}"
        return self.client.request(method, path if path.startswith("/") else f"{PREFIX}/{path}", headers=headers, **said)

    def get(self, path: str, who: str | None = "admin", **said: Any) -> Any:
        """The body of a GET that must succeed."""
        response = self.ask("GET", path, who, **said)
        assert response.status_code == 200, response.text
        return response.json()

    def order(self, meter: int, kind: str, who: str = "operator", *, key: str = "key-0001", reason: str = "") -> Any:
        """Orders a command."""
        body = {"kind": kind, "reason": reason}
        return self.ask("POST", f"meters/{meter}/commands", who, json=body, headers={"Idempotency-Key": key})

    def log_in(self, name: str, password: str = PASSWORD) -> Any:
        """Logs in."""
        return self.ask("POST", "session", None, json={"name": name, "password": password})

    @property
    def running(self) -> Centre:
        """The centre; there must be one."""
        assert self.centre is not None
        return self.centre


@contextmanager
def opened(folder: Path, *, centre: bool = True) -> Iterator[Estate]:
    """An estate whose ingest runs, over a store that `build` made."""
    auth._failures.clear()
    fleet.forget()
    engine = open_engine(str(folder), durable=False)
    estate = Estate(engine, centre=centre)
    with estate.client as client:
        assert client.portal is not None
        task = client.portal.start_task_soon(estate.running.ingest.run) if centre else None
        try:
            yield estate
        finally:
            if task is not None:
                task.cancel()
                with suppress(CancelledError):
                    task.result()
            estate.writer.close()
            engine.dispose()


def copied(template: Path, folder: Path) -> Path:
    """A copy of a built store."""
    shutil.copytree(template, folder)
    return folder


def is_problem(response: Any, status: int, kind: str) -> dict[str, Any]:
    """The body of a response that must be a problem (RFC 9457)."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert set(body) == {"type", "title", "status", "detail"}
    assert (body["type"], body["title"], body["status"]) == (kind, kind.replace("-", " "), status)
    assert body["detail"]
    return body
