"""The configuration of a meter: settings as they are ordered, and wanted against reported as it is shown."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

NAME_MAX: Final = 40
REASON_MAX: Final = 200
KindName = Literal["calendar", "limiter", "billing", "credit", "reporting", "zone"]
Whole = Annotated[int, Field(ge=0, le=(1 << 63) - 1)]


class CalendarIn(BaseModel):
    """A calendar that comes with the program (`named`), or a table of the same form; takes over at `activate`, or at once."""

    kind: Literal["calendar"]
    named: str | None = Field(default=None, max_length=NAME_MAX)
    table: dict[str, Any] | None = None
    activate: str | None = Field(default=None, max_length=NAME_MAX)
    """ISO 8601 with a zone."""


class LimitIn(BaseModel):
    """A limit in W, A or V."""

    quantity: Literal["power", "current", "over_voltage", "under_voltage"]
    normal: float = Field(gt=0, le=4_000_000)
    emergency: float | None = Field(default=None, gt=0, le=4_000_000)
    over_s: Whole = 60
    under_s: Whole = 10


class LimiterIn(BaseModel):
    """Limits; none: the limiter is taken away."""

    kind: Literal["limiter"]
    limits: list[LimitIn] = Field(max_length=4)
    reclose_delay_s: Whole = 60
    recloses_per_hour: Whole = 3
    recloses_per_day: Whole = 6


class BillingIn(BaseModel):
    """Day (1..28, 0 for the last) and hour of the demand reset, local time."""

    kind: Literal["billing"]
    day: Whole
    hour: Whole = 0


class EmergencyIn(BaseModel):
    """Emergency credit, in the unit of the meter's account."""

    limit: Whole
    threshold: Whole = 0
    button: bool = True


class CreditIn(BaseModel):
    """Warnings, falling, and emergency credit of a prepaid meter."""

    kind: Literal["credit"]
    warnings: list[Whole] = Field(max_length=8)
    emergency: EmergencyIn | None = None


class ReportingIn(BaseModel):
    """Seconds between reports, and between live values; intervals of which channels, and whether with parity."""

    kind: Literal["reporting"]
    report_s: Whole
    live_s: Whole
    channels: list[str] = Field(default=["import", "export"], max_length=16)
    parity: bool = True


class ZoneIn(BaseModel):
    """Local time minus UTC, as +07:00."""

    kind: Literal["zone"]
    offset: str = Field(max_length=NAME_MAX)


SettingIn = Annotated[
    CalendarIn | LimiterIn | BillingIn | CreditIn | ReportingIn | ZoneIn,
    Field(discriminator="kind"),
]


class NewConfiguration(BaseModel):
    """Settings that are wanted from now on; kinds that are not named stay as they are."""

    settings: list[SettingIn] = Field(min_length=1, max_length=6)
    reason: str = Field(default="", max_length=REASON_MAX)


class Accepted(BaseModel):
    """Why a setting is left as the meter has it."""

    reason: str = Field(default="", max_length=REASON_MAX)


class WantedOut(BaseModel):
    """What is wanted: version, full checksum (8 hex digits), what it says, since when and by whom."""

    version: int
    check: str
    value: dict[str, Any]
    since_s: int
    by: str


class ReportedOut(BaseModel):
    """What the meter said that it has; version 0: nothing.  `check`: the lower 4 hex digits."""

    version: int
    check: str
    at_s: int


SettingState = Literal["unmanaged", "in_step", "sending", "refused", "drift"]


class SettingOut(BaseModel):
    """One kind.  `state`: unmanaged (nothing is wanted), in_step, sending, refused (`detail` says why) or drift (the meter has
    something else, though it had this).
    """

    kind: KindName
    state: SettingState
    wanted: WantedOut | None
    reported: ReportedOut | None
    detail: str
    sent_pct: int | None = Field(default=None, description="how much of the block has left; null where nothing is in flight")


class ConfigurationOut(BaseModel):
    """All kinds of one meter."""

    items: list[SettingOut]


class ChoicesOut(BaseModel):
    """What settings are chosen from: calendars that come with the program, powers in VA, channels that go together."""

    calendars: list[dict[str, Any]] = Field(description="tables, each with its name")
    contracted_va: list[int]
    channels: list[list[str]]


class HistoryItemOut(BaseModel):
    """One order that a meter was in.  `value` null: nothing is wanted of the kind from then on."""

    order_id: int
    kind: KindName
    version: int | None
    value: dict[str, Any] | None
    at_s: int
    by: str
    approved_by: str
    reason: str
    state: str
    text: str


class HistoryOut(BaseModel):
    """What was ordered of a meter, the newest first."""

    items: list[HistoryItemOut]
