"""Orders of configuration for many meters, as they are said, looked at and answered; and the fleet's settings at a glance."""

from typing import Any, Self

from pydantic import BaseModel, Field, model_validator

from nyala.api.shapes.campaigns import SERIALS_MAX, CampaignStepOut
from nyala.api.shapes.configuration import REASON_MAX, KindName, SettingIn, SettingState
from nyala.headend.bulk import MEMBERS_MAX
from nyala.headend.bulk_life import MemberState, moves
from nyala.headend.config_orders import STOP_MIN, STOP_PCT, ConfigMember, ConfigOrder
from nyala.vocab.time import US_PER_S


class OrderAsked(BaseModel):
    """Which settings for which meters: those of a group, of a site, or listed by id or serial number."""

    settings: list[SettingIn] = Field(min_length=1, max_length=6)
    group: int | None = None
    site: str = Field(default="", max_length=120)
    meters: list[int] = Field(default=[], max_length=MEMBERS_MAX)
    serials: list[str] = Field(default=[], max_length=SERIALS_MAX)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.group is not None) + bool(self.site) + bool(self.meters) + bool(self.serials) != 1:
            raise ValueError("say a group, a site, meters or serial numbers, and one of them only")
        return self


class OrderIn(OrderAsked):
    """An order to be given."""

    expected: int | None = Field(default=None, description="how many meters were seen: a conflict where there are others now")
    reason: str = Field(min_length=1, max_length=REASON_MAX)
    stop_pct: int = Field(default=STOP_PCT, ge=0, le=100, description="stop when more than so many per cent have refused")
    stop_min: int = Field(default=STOP_MIN, ge=1, le=MEMBERS_MAX, description="of at least so many that have ended")


class SettingProblemOut(BaseModel):
    """What is wrong in a setting that was only looked at."""

    kind: KindName
    detail: str


class UnableOut(BaseModel):
    """A meter that cannot have what is asked for, and why."""

    serial: str
    detail: str


class DayPreviewOut(BaseModel):
    """A kind of day: from which local time which rate holds."""

    number: int
    switches: list[tuple[str, int]]


class YearPreviewOut(BaseModel):
    """What a calendar means: from a local date on the number of the day profile of each day."""

    first: str
    days: list[int]
    profiles: list[DayPreviewOut]


class OrderLooked(BaseModel):
    """What an order would do; nothing is ordered.  `bytes`: how long each block is on the air."""

    problems: list[SettingProblemOut]
    meters: int
    unknown: list[str] = Field(description="serial numbers that no meter has")
    unable: int
    unable_first: list[UnableOut]
    needs_approval: bool
    bytes: dict[str, int]
    year: YearPreviewOut | None


class ConfigOrderOut(BaseModel):
    """An order with its progress: `counts` by the state of its meters; `values` by kind in the words of an order."""

    id: int
    name: str
    kinds: list[str]
    values: dict[str, dict[str, Any]]
    state: str
    created_s: int
    created_by: str
    approved_by: str
    reason: str
    stop_pct: int
    stop_min: int
    meters: int
    counts: dict[str, int]
    history: list[CampaignStepOut]
    moves: list[str] = Field(description="what may be said of it now")

    @classmethod
    def of(cls, order: ConfigOrder, values: dict[str, dict[str, Any]]) -> "ConfigOrderOut":
        """An order."""
        return cls(
            id=order.id,
            name=order.name,
            kinds=[kind.name.lower() for kind in order.blocks],
            values=values,
            state=order.state.value,
            created_s=order.created_us // US_PER_S,
            created_by=order.created_by,
            approved_by=order.approved_by,
            reason=order.reason,
            stop_pct=order.stop_pct,
            stop_min=order.stop_min,
            meters=sum(order.tally.values()),
            counts={state.value: order.tally[state] for state in MemberState},
            history=[CampaignStepOut(at_s=s.at_us // US_PER_S, state=s.state, by=s.by, text=s.text) for s in order.history],
            moves=[event.value for event in moves(order.state)],
        )


class ConfigOrdersOut(BaseModel):
    """A page of orders, the newest first."""

    items: list[ConfigOrderOut]
    next: int | None


class ConfigMemberOut(BaseModel):
    """What became of one meter."""

    meter_id: int
    serial: str
    state: str
    versions: dict[str, int]
    text: str

    @classmethod
    def of(cls, serial: str, member: ConfigMember) -> "ConfigMemberOut":
        """A member."""
        return cls(
            meter_id=member.meter_id,
            serial=serial,
            state=member.state.value,
            versions=member.versions,
            text=member.text,
        )


class ConfigMembersOut(BaseModel):
    """A page of the meters of an order, by serial number."""

    items: list[ConfigMemberOut]
    next: str | None


class FleetSettingsOut(BaseModel):
    """Of each kind how many meters stand where; meters of which nothing is wanted are left out."""

    counts: dict[KindName, dict[SettingState, int]]
    meters: int


class MeterSettingOut(BaseModel):
    """One setting of one meter that is not as it is wanted."""

    meter_id: int
    serial: str
    site: str
    kind: KindName
    state: SettingState
    version: int
    reported_version: int | None
    wanted_s: int
    detail: str


class MeterSettingsOut(BaseModel):
    """A page of settings, by serial number and kind."""

    items: list[MeterSettingOut]
    next: str | None
