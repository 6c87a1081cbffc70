"""What the tests of the store share: meters, and one of every row that a unit of work may hold."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from sqlalchemy import Engine, Table, func, select

from nyala.headend.bulk import BulkOrder, Member, Plan, Step
from nyala.headend.bulk_life import BulkState, MemberState
from nyala.headend.campaign_life import CampaignRow, Order
from nyala.headend.command_life import CommandState
from nyala.headend.commands import CommandRow, CommandStep, Kind
from nyala.headend.config_orders import ConfigMember, ConfigOrder
from nyala.headend.exchange import Exchange
from nyala.headend.lifecycle import Life, LifeEvent, LifeRow, LifeStep
from nyala.headend.onboarding import NewMeter
from nyala.headend.ports import AlarmRaised, Changes, EventRow, GatewayRow, RegisterRow
from nyala.headend.reads import ReadPlan
from nyala.headend.registry import AlarmShadow, MeterRecord, MeterState
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.network.multicast import MulticastGroup
from nyala.lorawan.network.port import AppUplink, Reception
from nyala.lorawan.network.sessions import Counted, Root, SessionRow
from nyala.lorawan.packages import campaign as packages
from nyala.mdm.load_day import Key, LoadDay, LoadDayRow, to_row
from nyala.store import meters, schema
from nyala.store.ingest import InlineWriter
from nyala.vocab.quality import Quality
from nyala.vocab.quantities import Channel
from nyala.vocab.settings import Setting
from nyala.vocab.time import DAY_S, US_PER_S

DAY: Final = 20_400
START_S: Final = DAY * DAY_S
NOW_US: Final = (START_S + 5_000) * US_PER_S
GATEWAY: Final = 0x0016C001F0000001
TOP: Final = 2**63 - 1
"""The largest integer that both databases hold."""
SETTINGS: Final[dict[str, Any]] = {"data_rate": 5, "channels": (0, 1, 2), "battery": None, "nb_trans": 1}


def new_meter(number: int, **said: Any) -> NewMeter:
    """A meter to be onboarded."""
    plain: dict[str, Any] = {
        "serial": f"N{number:05d}",
        "model": "single-phase",
        "dev_eui": 0xD0000 + number,
        "join_eui": 1,
        "app_key": number.to_bytes(16, "big"),
        "customer": "",
        "site": "",
        "zone": "Asia/Jakarta",
        "tariff": "",
        "contracted_va": 1_300,
        "ct_ratio": (1, 1),
        "installed_s": START_S,
        "period_s": 900,
        "report_s": 3_600,
    }
    return NewMeter(**(plain | said))


def onboard(engine: Engine, count: int = 2, *, tenant: str = "t") -> list[MeterRecord]:
    """The first meters of a store."""
    return meters.onboard(engine, meters.tenant_id(engine, tenant), [new_meter(number) for number in range(1, count + 1)])


def load_day(
    values: Sequence[int],
    *,
    meter_id: int = 1,
    day: int = DAY,
    channel: Channel = Channel.IMPORT,
    quality: int = Quality.RAW,
    version: int = 1,
    open_wh: int | None = None,
    close_wh: int | None = None,
    period_s: int = 900,
) -> LoadDayRow:
    """A stored load day whose first intervals are known."""
    count = DAY_S // period_s
    padded = np.zeros(count, np.int64)
    codes = np.zeros(count, np.uint8)
    padded[: len(values)], codes[: len(values)] = values, quality
    return to_row(LoadDay(Key(meter_id, day, channel), period_s, padded, codes, version, open_wh, close_wh))


def reception(journal: int = 1) -> Reception:
    return Reception(GATEWAY, b"\x40frame", NOW_US, 921_400_000, 2, -101.5, -7.25, 2**32 - 1, journal)


def session(number: int = 1) -> SessionRow:
    heard_by = ((GATEWAY, 7.5), (GATEWAY + 1, -3.25))
    return SessionRow(0xD0000 + number, number, bytes(16), bytes(range(16)), 2**32, 2**31, True, dict(SETTINGS), heard_by)


def state(number: int = 1) -> MeterState:
    return MeterState(
        meter_id=number,
        last_heard_us=NOW_US,
        data_rate=3,
        rssi_dbm=-99.5,
        snr_db=2.25,
        gateways=2,
        uplinks=17,
        live_at_s=START_S,
        live={"p_w": -230, "u1_v": 2_300},
        registers={"import_wh": (TOP, START_S), "export_wh": (0, START_S)},
        switch_state=1,
        switch_at_s=START_S + 1,
        complete_to=DAY * 96 + 5,
        sequence=65_535,
        model_code=3,
        firmware=0x0100,
        alarms={4: AlarmShadow(active=True, at_s=START_S, number=7, since_s=START_S, off_s=START_S - 60, dated=True)},
        alarms_at_s=START_S - 60,
    )


def command(
    number: int = 1, *, meter_id: int = 1, state: CommandState = CommandState.SENT, key: str | None = "1:key"
) -> CommandRow:
    return CommandRow(
        id=number,
        meter_id=meter_id,
        sequence=5,
        kind=Kind.READ,
        state=state,
        created_us=NOW_US,
        created_by="ani",
        reason="why; ünïcode",
        expires_us=NOW_US + 9,
        updated_us=NOW_US + 1,
        key=key,
        attempts=3,
        next_us=NOW_US + 5,
        quantities=("p_w", "u1_v"),
    )


def group(mc_addr: int = 0x01FF0000, **said: Any) -> MulticastGroup:
    """A multicast group of two devices."""
    keys = AesKey(bytes(range(0xA0, 0xB0))), AesKey(bytes(range(0xB0, 0xC0)))
    return MulticastGroup(mc_addr, *keys, 921_400_000, 2, (0xD0001, 0xD0002), **({"f_cnt": 2**31} | said))


def campaign(number: int = 1, **said: Any) -> CampaignRow:
    """A campaign over the group of its number."""
    plan = packages.Plan(b"\0block", 1 << 24, 5, 0x01FEFFFF + number, bytes(range(0xC0, 0xD0)), 0, 921_400_000, 2, 2_000_000)
    order = Order(1, "all", "why", NOW_US + 2, needs_approval=True, key=f"1:blocks {number}")
    fresh = CampaignRow(number, plan, (0xD0001, 0xD0002), NOW_US, "ani", NOW_US + 1, order=order, approved_by="budi")
    return replace(fresh, **({"report": {"phase": "send"}} | said))


def bulk_order(number: int = 1, **said: Any) -> BulkOrder:
    """A campaign that runs."""
    plan = Plan(Kind.READ, 30, 10, 5, 600, 9_000)
    order = BulkOrder(
        number, 1, "all", plan, BulkState.RUNNING, NOW_US, "ani", "why", NOW_US + 9_000 * US_PER_S, NOW_US, NOW_US
    )
    return replace(order, **({"key": "1:bulk", "history": [Step(NOW_US, "running", "ani", "why")]} | said))


def exchange() -> Exchange:
    """Meter 2 takes the place of meter 1."""
    old, new = (
        MeterRecord(n, 1, f"N{n:05d}", "single-phase", 0xD0000 + n, "Asia/Jakarta", 900, 3_600, START_S) for n in (1, 2)
    )
    return Exchange(old, new, START_S + 900, {"import_wh": 7}, {"import_wh": 0}, NOW_US, "ani", "broken")


def read_plan(number: int = 1, **said: Any) -> ReadPlan:
    """A plan for a meter, in the middle of a run."""
    plan = ReadPlan(number, 1, "night", ("p_w", "max_import_w"), "daily 06:30", "Asia/Jakarta", 600, 1, None, NOW_US, "ani")
    now_s = NOW_US // US_PER_S
    run = {"next_s": now_s + 86_400, "run_s": now_s, "begun_us": NOW_US, "issued_us": NOW_US + 5, "ordered": 2, "refused": 1}
    return replace(plan, **({"key": "1:reads"} | run | said))


def config_order(number: int = 1, **said: Any) -> ConfigOrder:
    """An order of configuration that runs."""
    blocks = {Setting.BILLING: b"\1\0", Setting.ZONE: b""}
    order = ConfigOrder(number, 1, "all", blocks, NOW_US, "ani", "why; ünïcode", BulkState.RUNNING, NOW_US, 5, 3)
    more: dict[str, Any] = {"approved_by": "budi", "forgiven_ended": 2, "forgiven_failed": 1, "key": f"1:config-{number}"}
    return replace(order, **(more | {"history": [Step(NOW_US, "running", "ani", "why")]} | said))


def everything() -> Changes:
    """One of each, for the two meters of `onboard`."""
    return Changes(
        journal=[reception(1), reception(2)],
        app_journal=[AppUplink(0xD0001, 12, b"\0\xff", NOW_US, 3)],
        worked_off=1,
        roots=[Root(0xD0001, 1, AesKey((1).to_bytes(16, "big")), 1, True, 77, 5)],
        sessions=[session()],
        states=[state()],
        load_days=[load_day([1, 2**40, 3], version=2, open_wh=0, close_wh=TOP)],
        superseded=[load_day([1, 2], open_wh=0)],
        windows=[(1, bytes(range(256))), (2, b"")],
        registers=[RegisterRow(1, 10, START_S, TOP), RegisterRow(1, 11, START_S, 0)],
        events=[EventRow(1, START_S, 2, 2**32 - 1, 255, NOW_US)],
        alarms=[AlarmRaised(1, 1, 4, START_S, 120, "event", NOW_US)],
        commands=[command(), command(2, meter_id=2, state=CommandState.VERIFIED, key=None)],
        steps=[CommandStep(1, NOW_US, CommandState.QUEUED, "ordered"), CommandStep(1, NOW_US + 1, CommandState.SENT, "left")],
        gateways=[GatewayRow(GATEWAY, NOW_US, 2)],
        groups=[group()],
        campaigns=[campaign()],
        bulk_orders=[bulk_order()],
        bulk_members=[(1, Member(1, MemberState.ORDERED, 1)), (1, Member(2, MemberState.FAILED, None, "no; ünïcode"))],
        lives=[LifeRow(1, Life.REPLACED, NOW_US, START_S + 900), LifeRow(2, Life.ACTIVE, NOW_US)],
        life_steps=[LifeStep(1, LifeEvent.REPLACE, Life.REPLACED, START_S + 900, NOW_US, "ani", "broken")],
        exchanges=[exchange()],
        read_plans=[read_plan()],
        config_orders=[config_order()],
        config_members=[
            (1, ConfigMember(1, MemberState.ORDERED, {"billing": 7})),
            (1, ConfigMember(2, MemberState.FAILED, {}, "no; ünïcode")),
        ],
    )


def write(engine: Engine, *units: Changes) -> None:
    """Writes units of work, one after the other."""
    writer = InlineWriter(engine)
    try:
        for unit in units:
            writer.execute(writer.prepare(unit))
    finally:
        writer.close()


def counts(engine: Engine, tables: Iterable[Table] = schema.metadata.sorted_tables) -> dict[str, int]:
    """How many rows each table has; tables without one are left out."""
    with engine.connect() as connection:
        found = {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
    return {name: count for name, count in found.items() if count}


def counted(f_cnt_up: int) -> Counted:
    return Counted(0xD0001, f_cnt_up, ((GATEWAY + 5, 1.0),))
