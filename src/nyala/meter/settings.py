"""Putting settings into force at a meter: when a block comes, and when its memory is read again.

Effects on an operation, nothing of the air and of the memory.  What no block says is as the factory has set it: its calendar,
its billing dates, its limiter and its credit plan.  A zone holds for the calendars and the billing dates together.
"""

from dataclasses import dataclass, replace
from typing import Final

from nyala.meter import limiter
from nyala.meter.calendar import BillingSchedule, Calendars
from nyala.meter.calendar_tables import calendar_named
from nyala.meter.credit_plan import CreditPlan
from nyala.meter.limiter import LimiterPlan
from nyala.meter.operation import Operation, Timetable
from nyala.meter.settings_codec import (
    BillingSetting,
    CalendarSetting,
    CreditSetting,
    Settings,
    SettingValue,
    ZoneSetting,
    decode_setting,
    decode_settings,
)
from nyala.vocab.errors import BadArgumentError, NotAllowedError
from nyala.vocab.reporting import ReportingSetting
from nyala.vocab.settings import Setting, SettingBlock

_OF_TIME: Final = frozenset((Setting.CALENDAR, Setting.BILLING, Setting.ZONE))
"""Settings that make the timetable together."""


@dataclass(frozen=True, slots=True)
class Factory:
    """What a meter was set to before the first block came."""

    calendars: Calendars | None
    schedule: BillingSchedule
    limiter_plan: LimiterPlan | None
    credit_plan: CreditPlan | None


def take(operation: Operation, kind: Setting, block: SettingBlock) -> SettingValue:
    """Puts a block into force, now, and answers what it says.

    TelegramError for bytes that are no such setting; BadArgumentError where they do not fit this meter; NotAllowedError where
    it has nothing to be set.  After any error everything is as it was.
    """
    value = decode_setting(kind, block.body)
    check(operation, value)
    old = operation.settings.blocks.get(Setting.CALENDAR)
    before = operation.settings.before
    if kind is Setting.CALENDAR and old is not None and _activation_s(old) <= operation.clock_s:
        before = old
    settings = operation.settings.having(kind, block, before)
    operation.at_switch()
    _remember_factory(operation)
    operation.settings = settings
    _apply(operation, _OF_TIME if kind in _OF_TIME else {kind}, operation.clock_s)
    if isinstance(value, CalendarSetting) and value.activate_s <= operation.clock_s:
        operation.log("calendar_activated", block.version)
    return value


def check(operation: Operation, value: SettingValue) -> None:
    """NotAllowedError or BadArgumentError where a meter cannot obey."""
    if isinstance(value, LimiterPlan) and value.limits and not operation.supply.fitted:
        raise NotAllowedError("a limiter without a supply switch")
    if isinstance(value, ReportingSetting):
        absent = set(value.channels).difference(operation.bank.profiled)
        if absent:
            raise BadArgumentError(f"the load profile does not have {', '.join(each.name for each in sorted(absent))}")
    if isinstance(value, CreditSetting):
        if operation.credit_plan is None:
            raise NotAllowedError("the meter is postpaid")
        replace(operation.credit_plan, warnings=value.warnings, emergency=value.emergency)


def restore(operation: Operation, image: bytes | None) -> None:
    """The memory was read: its settings hold, and those of the factory where it has none."""
    if image is None and operation.factory is None:
        return
    _remember_factory(operation)
    operation.settings = Settings() if image is None else decode_settings(image)
    _apply(operation, set(Setting), operation.dates[0])


def _activation_s(block: SettingBlock) -> int:
    value = decode_setting(Setting.CALENDAR, block.body)
    assert isinstance(value, CalendarSetting)
    return value.activate_s


def _remember_factory(operation: Operation) -> None:
    if operation.factory is not None:
        return
    table = operation.timetable
    calendars, schedule = (None, BillingSchedule()) if table is None else (table.calendars, table.schedule)
    operation.factory = Factory(calendars, schedule, operation.plan, operation.credit_plan)


def _apply(operation: Operation, kinds: frozenset[Setting] | set[Setting], seen_s: int) -> None:
    """Makes the settings of these kinds true.  `seen_s`: activations up to this instant of the clock have been."""
    if kinds & _OF_TIME:
        _apply_time(operation, seen_s)
    if Setting.LIMITER in kinds:
        _apply_limiter(operation)
    if Setting.CREDIT in kinds:
        assert operation.factory is not None
        value, plan = operation.settings.value(Setting.CREDIT), operation.factory.credit_plan
        if isinstance(value, CreditSetting) and plan is not None:
            plan = replace(plan, warnings=value.warnings, emergency=value.emergency)
        operation.credit_plan = plan


def _apply_time(operation: Operation, seen_s: int) -> None:
    factory, settings = operation.factory, operation.settings
    assert factory is not None
    calendar, billing, zone = (settings.value(kind) for kind in (Setting.CALENDAR, Setting.BILLING, Setting.ZONE))
    if calendar is billing is zone is None and factory.calendars is None:
        operation.timetable = None
        return
    calendars = (factory.calendars or Calendars(calendar_named("flat"))).at(seen_s)[0]
    if isinstance(calendar, CalendarSetting):
        calendars = _calendars(settings, calendar, calendars, seen_s)
    schedule = factory.schedule
    if isinstance(billing, BillingSetting):
        schedule = replace(schedule, day=billing.day, hour=billing.hour)
    if isinstance(zone, ZoneSetting):
        schedule, calendars = replace(schedule, offset_s=zone.offset_s), _moved(calendars, zone.offset_s)
    if operation.timetable is None:  # billing dates count from now, not from when the meter was made
        operation.dates = (operation.clock_s, operation.clock_s, operation.dates[2])
    operation.timetable = Timetable(calendars, schedule)
    operation.bank.set_program(operation.row, operation.timetable)


def _calendars(settings: Settings, newest: CalendarSetting, before: Calendars, seen_s: int) -> Calendars:
    """The newest calendar active, or passive behind the one that was in force when it came."""
    if newest.activate_s <= seen_s:
        return Calendars(newest.calendar)
    if settings.before is None:
        active = before.active
    else:
        value = decode_setting(Setting.CALENDAR, settings.before.body)
        assert isinstance(value, CalendarSetting)
        active = value.calendar
    return Calendars(active, newest.calendar, newest.activate_s)


def _moved(calendars: Calendars, offset_s: int) -> Calendars:
    passive = calendars.passive
    return replace(
        calendars,
        active=replace(calendars.active, offset_s=offset_s),
        passive=None if passive is None else replace(passive, offset_s=offset_s),
    )


def _apply_limiter(operation: Operation) -> None:
    """Another plan goes on where the limiter stands: what it holds open, it gives back; without a plan the button may."""
    assert operation.factory is not None
    value, plan, before = operation.settings.value(Setting.LIMITER), operation.factory.limiter_plan, operation.limits
    if isinstance(value, LimiterPlan):
        plan = value if value.limits else None
    if plan is None and before is not None and before.phase is not limiter.Phase.WATCHING:
        operation.release_limiter()
    operation.plan = plan
    now_s = int(operation.bank.now_s[operation.row])
    operation.limits = None if plan is None else limiter.start(plan, now_s, before=before)
