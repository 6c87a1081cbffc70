"""What each kind of setting says, and its bytes; and all settings of a meter as one image.  Rules of a value are its own.

    CALENDAR   activation u32 (POSIX s by the meter's clock; 0 at once), then `calendar_codec`
    LIMITER    reclose delay u32, reclosings an hour u8 and a day u8, then for each limit: quantity u8, normal and emergency
               threshold u32 in thousandths (0: none), seconds over and under u32.  Without a limit it is taken away
    BILLING    day u8, hour u8, local time
    CREDIT     emergency: limit u64, threshold u64, button u8 (limit 0: none); then warnings u64, falling
    REPORTING  as `vocab/reporting.py` has it
    ZONE       minutes of local time minus UTC i16

Big-endian.  What decodes, encodes to the same bytes.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from struct import Struct
from typing import Final

import msgspec

from nyala.meter.calendar import BillingSchedule, Calendar, check_offset
from nyala.meter.calendar_codec import decode_calendar, encode_calendar
from nyala.meter.credit_plan import Emergency
from nyala.meter.limiter import Limit, LimiterPlan
from nyala.meter.supply import Reason
from nyala.vocab.errors import BadArgumentError, ForeignError, TelegramError
from nyala.vocab.reporting import ReportingSetting, decode_reporting, encode_reporting
from nyala.vocab.settings import Setting, SettingBlock

IMAGE_MAX: Final = 4_086
"""What the memory has room for (`memory/layout.toml`)."""
THOUSANDTHS: Final = 1_000
_U32_MAX: Final = (1 << 32) - 1
_ACTIVATION, _BILLING, _ZONE = Struct(">I"), Struct(">BB"), Struct(">h")
_PLAN, _LIMIT = Struct(">IBB"), Struct(">BIIII")
_EMERGENCY, _WARNING = Struct(">QQB"), Struct(">Q")


@dataclass(frozen=True, slots=True)
class CalendarSetting:
    """A calendar and when it takes over; 0: at once."""

    calendar: Calendar
    activate_s: int = 0


@dataclass(frozen=True, slots=True)
class BillingSetting:
    """When the demand is reset, in local time."""

    day: int
    hour: int

    def __post_init__(self) -> None:
        BillingSchedule(self.day, self.hour)


@dataclass(frozen=True, slots=True)
class CreditSetting:
    """What of a credit plan may be told over the air; prices belong to the plan."""

    warnings: tuple[int, ...]
    emergency: Emergency | None = None


@dataclass(frozen=True, slots=True)
class ZoneSetting:
    """Local time minus UTC."""

    offset_s: int

    def __post_init__(self) -> None:
        check_offset(self.offset_s)


SettingValue = CalendarSetting | LimiterPlan | BillingSetting | CreditSetting | ReportingSetting | ZoneSetting


def encode_setting(value: SettingValue) -> tuple[Setting, bytes]:
    """Kind and bytes of a setting; BadArgumentError for a threshold or an emergency group that they cannot say."""
    match value:
        case CalendarSetting(calendar, activate_s):
            if not 0 <= activate_s <= _U32_MAX:
                raise BadArgumentError(f"activation {activate_s}: POSIX seconds of 32 bits")
            return Setting.CALENDAR, _ACTIVATION.pack(activate_s) + encode_calendar(calendar)
        case LimiterPlan():
            return Setting.LIMITER, _encode_plan(value)
        case BillingSetting(day, hour):
            return Setting.BILLING, _BILLING.pack(day, hour)
        case CreditSetting(warnings, emergency):
            head = (0, 0, False) if emergency is None else (emergency.limit, emergency.threshold, emergency.button)
            return Setting.CREDIT, _EMERGENCY.pack(*head) + b"".join(map(_WARNING.pack, warnings))
        case ReportingSetting():
            return Setting.REPORTING, encode_reporting(value)
        case ZoneSetting(offset_s):
            return Setting.ZONE, _ZONE.pack(offset_s // 60)


def _encode_plan(plan: LimiterPlan) -> bytes:
    if plan.groups:
        raise BadArgumentError("emergency groups of a limiter do not go over the air")
    head = _PLAN.pack(plan.reclose_delay_s, plan.recloses_per_hour, plan.recloses_per_day)
    return head + b"".join(
        _LIMIT.pack(
            limit.quantity.value, _thousandths(limit.normal), _thousandths(limit.emergency or 0), limit.over_s, limit.under_s
        )
        for limit in plan.limits
    )


def _thousandths(threshold: float) -> int:
    found = round(threshold * THOUSANDTHS)
    if found > _U32_MAX or (threshold and not found):
        raise BadArgumentError(f"threshold {threshold}: from a thousandth to {_U32_MAX // THOUSANDTHS}")
    return found


def decode_setting(kind: Setting, body: bytes) -> SettingValue:
    """What a block says; TelegramError for other bytes, and for values against the rules."""
    try:
        value = _decode(kind, body)
        same = encode_setting(value) == (kind, body)
    except (struct.error, ValueError, BadArgumentError) as error:
        raise TelegramError(f"not a {kind.name.lower()} setting: {error}") from None
    if not same:
        raise TelegramError(f"not a {kind.name.lower()} setting: another form of {body.hex()}")
    return value


def _decode(kind: Setting, body: bytes) -> SettingValue:
    match kind:
        case Setting.CALENDAR:
            return CalendarSetting(decode_calendar(body[_ACTIVATION.size :]), *_ACTIVATION.unpack(body[: _ACTIVATION.size]))
        case Setting.LIMITER:
            return LimiterPlan(
                tuple(_limit(*row) for row in _LIMIT.iter_unpack(body[_PLAN.size :])), *_PLAN.unpack(body[: _PLAN.size])
            )
        case Setting.BILLING:
            return BillingSetting(*_BILLING.unpack(body))
        case Setting.CREDIT:
            limit, threshold, button = _EMERGENCY.unpack(body[: _EMERGENCY.size])
            warnings = tuple(level for (level,) in _WARNING.iter_unpack(body[_EMERGENCY.size :]))
            return CreditSetting(warnings, Emergency(limit, threshold, bool(button)) if limit else None)
        case Setting.REPORTING:
            return decode_reporting(body)
        case Setting.ZONE:
            return ZoneSetting(_ZONE.unpack(body)[0] * 60)


def _limit(quantity: int, normal: int, emergency: int, over_s: int, under_s: int) -> Limit:
    above = emergency / THOUSANDTHS if emergency else None
    return Limit(Reason(quantity), normal / THOUSANDTHS, over_s, under_s, above)


@dataclass(frozen=True, slots=True)
class Settings:
    """All blocks of a meter.  `before`: the calendar's block that was in force when the newest one came."""

    blocks: Mapping[Setting, SettingBlock] = field(default_factory=dict)
    before: SettingBlock | None = None

    def having(self, kind: Setting, block: SettingBlock, before: SettingBlock | None) -> "Settings":
        """These with another block; BadArgumentError where the memory has no room for it."""
        found = replace(self, blocks={**self.blocks, kind: block}, before=before)
        size = len(encode_settings(found))
        if size > IMAGE_MAX:
            raise BadArgumentError(f"settings of {size} bytes; the memory has room for {IMAGE_MAX}")
        return found

    def value(self, kind: Setting) -> SettingValue | None:
        """What the block of a kind says; None where there is none."""
        return decode_setting(kind, self.blocks[kind].body) if kind in self.blocks else None


def encode_settings(settings: Settings) -> bytes:
    """The image of all settings."""
    return msgspec.msgpack.encode([dict(sorted(settings.blocks.items())), settings.before])


def decode_settings(image: bytes) -> Settings:
    """The settings of an image; ForeignError for other bytes."""
    try:
        blocks, before = msgspec.msgpack.decode(image, type=tuple[dict[Setting, SettingBlock], SettingBlock | None])
        found = Settings(blocks, before)
        for kind in blocks:
            found.value(kind)
    except (msgspec.MsgspecError, BadArgumentError, TelegramError) as error:
        raise ForeignError(f"an image of settings: {error}") from None
    return found
