"""Between settings as JSON and settings as blocks, both ways, and the shadow of a configuration as it is shown."""

from dataclasses import asdict
from typing import Any, Final

from nyala.api.shapes.configuration import (
    BillingIn,
    CalendarIn,
    ConfigurationOut,
    CreditIn,
    LimiterIn,
    LimitIn,
    ReportedOut,
    ReportingIn,
    SettingIn,
    SettingOut,
    WantedOut,
    ZoneIn,
)
from nyala.headend.registry import ConfigShadow, MeterRecord, MeterState
from nyala.meter.calendar_tables import CALENDARS, calendar_named, calendar_of_table, table_of_calendar
from nyala.meter.credit_plan import WH, CreditPlan, Emergency
from nyala.meter.fields import offset, offset_text
from nyala.meter.limiter import Limit, LimiterPlan
from nyala.meter.model import meter_model
from nyala.meter.settings_codec import (
    BillingSetting,
    CalendarSetting,
    CreditSetting,
    ReportingSetting,
    SettingValue,
    ZoneSetting,
    decode_setting,
    encode_setting,
)
from nyala.meter.supply import Reason
from nyala.vocab.errors import BadArgumentError, NotAllowedError
from nyala.vocab.settings import Setting, SettingBlock, checksum
from nyala.vocab.time import US_PER_S, instant_from_text

CALENDAR_FUTURE_S: Final = 366 * 86_400
"""How far ahead a calendar may be told: later it would be forgotten by those who told it."""


def block_of(said: SettingIn, now_s: int) -> tuple[Setting, bytes]:
    """Kind and bytes of an ordered setting; BadArgumentError and UnknownError say what is wrong in it."""
    return encode_setting(_value(said, now_s))


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
            return ReportingSetting(said.report_s, said.live_s)
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


def check_model(record: MeterRecord, kind: Setting) -> None:
    """NotAllowedError where the model of a meter has nothing to be set."""
    if kind is Setting.LIMITER and not meter_model(record.model).supply_switch:
        raise NotAllowedError(f"meter {record.serial} ({record.model}) has no supply switch to limit with")


def configuration_out(shadow: MeterState) -> ConfigurationOut:
    """Wanted and reported of each kind."""
    items = [_setting_out(kind, shadow.config.get(kind, ConfigShadow())) for kind in Setting]
    return ConfigurationOut(items=items, calendars=list(CALENDARS))


def _setting_out(kind: Setting, shadow: ConfigShadow) -> SettingOut:
    wanted = reported = None
    if shadow.wanted:
        block = SettingBlock(shadow.version, shadow.wanted)
        wanted = WantedOut(
            version=block.version,
            check=f"{checksum(kind, block):08x}",
            value=_json(decode_setting(kind, block.body)),
            since_s=shadow.wanted_us // US_PER_S,
            by=shadow.by,
        )
    if shadow.reported_us:
        at_s = shadow.reported_us // US_PER_S
        reported = ReportedOut(version=shadow.reported_version, check=f"{shadow.reported_check:04x}", at_s=at_s)
    return SettingOut(
        kind=kind.name.lower(), state=_state(kind, shadow), wanted=wanted, reported=reported, detail=shadow.refused
    )


def _state(kind: Setting, shadow: ConfigShadow) -> Any:
    if not shadow.wanted:
        return "unmanaged"
    if shadow.in_step(kind):
        return "in_step"
    if shadow.refused:
        return "refused"
    return "drift" if shadow.was_in_step else "sending"


def _json(value: SettingValue) -> dict[str, Any]:
    """A setting in the words of an order."""
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
        case _:
            return asdict(value)
