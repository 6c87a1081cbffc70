"""The configuration of a meter: settings as they are ordered, and wanted against reported as it is shown."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

METERS_MAX: Final = 500
"""Meters of one order."""
NAME_MAX: Final = 40
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
    """Seconds between reports, and between live values."""

    kind: Literal["reporting"]
    report_s: Whole
    live_s: Whole


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


class NewConfigurations(NewConfiguration):
    """The same of several meters: of all, or of none where one of them cannot have it."""

    meters: list[int] = Field(min_length=1, max_length=METERS_MAX)


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


class SettingOut(BaseModel):
    """One kind.  `state`: unmanaged (nothing is wanted), in_step, sending, refused (`detail` says why) or drift (the meter has
    something else, though it had this).
    """

    kind: str
    state: Literal["unmanaged", "in_step", "sending", "refused", "drift"]
    wanted: WantedOut | None
    reported: ReportedOut | None
    detail: str


class ConfigurationOut(BaseModel):
    """All kinds of one meter, and the calendars that can be chosen by name."""

    items: list[SettingOut]
    calendars: list[str]


class OrderedOut(BaseModel):
    """What was ordered of each meter: id -> kind -> version."""

    versions: dict[int, dict[str, int]]
