"""Between settings as JSON and settings as blocks, both ways, and the shadow of a configuration as it is shown."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from nyala.api.shapes.config_orders import DayPreviewOut, YearPreviewOut
from nyala.api.shapes.configuration import (
    BillingIn,
    CalendarIn,
    ChoicesOut,
    ConfigurationOut,
    CreditIn,
    HistoryItemOut,
    KindName,
    LimiterIn,
    LimitIn,
    ReportedOut,
    ReportingIn,
    SettingIn,
    SettingOut,
    SettingState,
    WantedOut,
    ZoneIn,
)
from nyala.headend.config_orders import ConfigMember, ConfigOrder
from nyala.headend.registry import ConfigShadow, MeterState
from nyala.meter.calendar import Calendar, local_date
from nyala.meter.calendar_tables import CALENDARS, calendar_named, calendar_of_table, table_of_calendar
from nyala.meter.credit_plan import WH, CreditPlan, Emergency
from nyala.meter.fields import offset, offset_text
from nyala.meter.limiter import Limit, LimiterPlan
from nyala.meter.settings_codec import (
    BillingSetting,
    CalendarSetting,
    CreditSetting,
    SettingValue,
    ZoneSetting,
    decode_setting,
    encode_setting,
)
from nyala.meter.supply import Reason
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quantities import Channel
from nyala.vocab.reporting import REPORTED, ReportingSetting
from nyala.vocab.settings import Setting, SettingBlock, checksum
from nyala.vocab.time import US_PER_S, instant_from_text

CALENDAR_FUTURE_S: Final = 366 * 86_400
"""How far ahead a calendar may be told: later it would be forgotten by those who told it."""
CONTRACTED_VA: Final = (450, 900, 1_300, 2_200, 3_500, 4_400, 5_500, 6_600, 7_700, 10_600, 11_000, 13_200, 16_500, 23_000)
"""Powers that PLN contracts up to a direct meter's 100 A: what a limit is chosen from."""
KIND_NAMES: Final[dict[Setting, KindName]] = {
    Setting.CALENDAR: "calendar",
    Setting.LIMITER: "limiter",
    Setting.BILLING: "billing",
    Setting.CREDIT: "credit",
    Setting.REPORTING: "reporting",
    Setting.ZONE: "zone",
}
YEAR_DAYS: Final = 366
"""Days of the preview of a calendar: one of each date."""


def block_of(said: SettingIn, now_s: int) -> tuple[Setting, bytes]:
    """Kind and bytes of an ordered setting; BadArgumentError and UnknownError say what is wrong in it."""
    return encode_setting(_value(said, now_s))


def blocks_of(said: Iterable[SettingIn], now_s: int) -> dict[Setting, bytes]:
    """The blocks of an order by kind; as `block_of`, and BadArgumentError for a kind that is said twice."""
    blocks = [block_of(each, now_s) for each in said]
    if len({kind for kind, _ in blocks}) != len(blocks):
        raise BadArgumentError("a setting is ordered twice")
    return dict(blocks)


def _value(said: SettingIn, now_s: int) -> SettingValue:
    match said:
        case CalendarIn():
            return _calendar(said, now_s)
        case LimiterIn():
            limits = tuple(_limit(each) for each in said.limits)
            return LimiterPlan(limits, said.reclose_delay_s, said.recloses_per_hour, said.recloses_per_day)
        case BillingIn():
            return BillingSetting(said.day, said.hour)
        case CreditIn():
            emergency = None if said.emergency is None else Emergency(**said.emergency.model_dump())
            plan = CreditPlan(WH, warnings=tuple(said.warnings), emergency=emergency)  # its rules are these
            return CreditSetting(plan.warnings, plan.emergency)
        case ReportingIn():
            return ReportingSetting(said.report_s, said.live_s, _channels(said.channels), said.parity)
        case ZoneIn():
            return ZoneSetting(offset("offset", said.offset))


def _calendar(said: CalendarIn, now_s: int) -> CalendarSetting:
    if (said.named is None) == (said.table is None):
        raise BadArgumentError("a calendar has a name of the program's or a table, not both and not neither")
    calendar = calendar_named(said.named) if said.named is not None else calendar_of_table(said.table or {})
    activate_s = 0 if said.activate is None else instant_from_text(said.activate)
    if activate_s and not now_s <= activate_s <= now_s + CALENDAR_FUTURE_S:
        raise BadArgumentError(f"activation {said.activate}: from now to a year ahead")
    return CalendarSetting(calendar, activate_s)


def _limit(said: LimitIn) -> Limit:
    return Limit(Reason[said.quantity.upper()], said.normal, said.over_s, said.under_s, said.emergency)


def _channels(names: Iterable[str]) -> tuple[Channel, ...]:
    known = {channel.name.lower(): channel for channel in Channel}
    strange = next((name for name in names if name not in known), None)
    if strange is not None:
        raise BadArgumentError(f"channel {strange!r}: one of {', '.join(known)}")
    return tuple(sorted({known[name] for name in names}))


def configuration_out(shadow: MeterState, under_way: tuple[Setting, int, int] | None) -> ConfigurationOut:
    """Wanted and reported of each kind.  `under_way`: as `Configuration.under_way`."""
    items = {kind: _setting_out(kind, shadow.config.get(kind, ConfigShadow())) for kind in Setting}
    if under_way is not None:
        kind, sent, size = under_way
        items[kind].sent_pct = 100 * sent // size
    return ConfigurationOut(items=list(items.values()))


def choices_out() -> ChoicesOut:
    """What settings are chosen from."""
    calendars = [table_of_calendar(calendar_named(name)) for name in CALENDARS]
    channels = [[channel.name.lower() for channel in row] for row in REPORTED]
    return ChoicesOut(calendars=calendars, contracted_va=list(CONTRACTED_VA), channels=channels)


def _setting_out(kind: Setting, shadow: ConfigShadow) -> SettingOut:
    wanted = reported = None
    if shadow.wanted:
        block = SettingBlock(shadow.version, shadow.wanted)
        wanted = WantedOut(
            version=block.version,
            check=f"{checksum(kind, block):08x}",
            value=value_out(kind, block.body),
            since_s=shadow.wanted_us // US_PER_S,
            by=shadow.by,
        )
    if shadow.reported_us:
        at_s = shadow.reported_us // US_PER_S
        reported = ReportedOut(version=shadow.reported_version, check=f"{shadow.reported_check:04x}", at_s=at_s)
    return SettingOut(
        kind=KIND_NAMES[kind], state=state_of(kind, shadow), wanted=wanted, reported=reported, detail=shadow.refused
    )


def state_of(kind: Setting, shadow: ConfigShadow) -> SettingState:
    """Where one setting of one meter stands."""
    if not shadow.wanted:
        return "unmanaged"
    if shadow.in_step(kind):
        return "in_step"
    if shadow.refused:
        return "refused"
    return "drift" if shadow.was_in_step else "sending"


def history_out(told: Iterable[tuple[ConfigOrder, ConfigMember]]) -> list[HistoryItemOut]:
    """The orders that a meter was in, kind by kind."""
    return [
        HistoryItemOut(
            order_id=order.id,
            kind=KIND_NAMES[kind],
            version=member.versions.get(kind.name.lower()),
            value=value_out(kind, body) if body else None,
            at_s=order.created_us // US_PER_S,
            by=order.created_by,
            approved_by=order.approved_by,
            reason=order.reason,
            state=member.state.value,
            text=member.text,
        )
        for order, member in told
        for kind, body in order.blocks.items()
    ]


def year_out(calendar: Calendar, now_s: int) -> YearPreviewOut:
    """What a calendar means from today on, day by day."""
    first = local_date(now_s, calendar.offset_s)
    days = [calendar.day_profile(first + timedelta(number)).number for number in range(YEAR_DAYS)]
    profiles = [
        DayPreviewOut(number=day.number, switches=[(_local(minute), rate) for minute, rate in day.switches])
        for day in calendar.days
    ]
    return YearPreviewOut(first=first.isoformat(), days=days, profiles=profiles)


def _local(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def values_out(blocks: Mapping[Setting, bytes]) -> dict[str, dict[str, Any]]:
    """The settings of an order by kind, in its words."""
    return {kind.name.lower(): value_out(kind, body) for kind, body in blocks.items() if body}


def value_out(kind: Setting, body: bytes) -> dict[str, Any]:
    """A setting in the words of an order."""
    value = decode_setting(kind, body)
    match value:
        case CalendarSetting(calendar, activate_s):
            table = table_of_calendar(calendar)
            return {"name": calendar.name, "activate_s": activate_s or None, "table": table}
        case LimiterPlan():
            limits = [
                {
                    "quantity": limit.quantity.name.lower(),
                    "normal": limit.normal,
                    "emergency": limit.emergency,
                    "over_s": limit.over_s,
                    "under_s": limit.under_s,
                }
                for limit in value.limits
            ]
            return {
                "limits": limits,
                "reclose_delay_s": value.reclose_delay_s,
                "recloses_per_hour": value.recloses_per_hour,
                "recloses_per_day": value.recloses_per_day,
            }
        case ZoneSetting(offset_s):
            return {"offset": offset_text(offset_s)}
        case ReportingSetting():
            return asdict(value) | {"channels": [channel.name.lower() for channel in value.channels]}
        case _:
            return asdict(value)
