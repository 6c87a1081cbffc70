"""Command campaigns and groups of meters, as they are said and answered."""

from typing import Final, Literal, Self

from pydantic import BaseModel, Field, model_validator

from nyala.headend.bulk import LIFE_MAX_S, MEMBERS_MAX, PACE_MAX, BulkOrder, Member
from nyala.headend.bulk_life import MemberState, moves
from nyala.store.groups_of_meters import Group
from nyala.vocab.time import US_PER_S

SERIALS_MAX: Final = 10_000
"""Serial numbers that one pastes at a time."""
Kinds = Literal["read", "switch_open", "switch_close", "demand_reset"]


class GroupIn(BaseModel):
    """A group to be made: meters by id or by serial number, or a filter."""

    name: str = Field(min_length=1, max_length=64)
    meters: list[int] = Field(default=[], max_length=MEMBERS_MAX)
    serials: list[str] = Field(default=[], max_length=SERIALS_MAX)
    site: str = Field(default="", max_length=120)
    model: str = Field(default="", max_length=32)
    tariff: str = Field(default="", max_length=64)


class GroupOut(BaseModel):
    """A group; `meters` counts those that are on a wall now."""

    id: int
    name: str
    fixed: bool
    site: str
    model: str
    tariff: str
    meters: int

    @classmethod
    def of(cls, group: Group, meters: int) -> "GroupOut":
        """A group with its count."""
        return cls(
            id=group.id,
            name=group.name,
            fixed=group.fixed,
            site=group.site,
            model=group.model,
            tariff=group.tariff,
            meters=meters,
        )


class GroupLooked(BaseModel):
    """What a group would be: how many meters, and the serial numbers that no meter has."""

    meters: int
    unknown: list[str]


class GroupsOut(BaseModel):
    """All groups."""

    items: list[GroupOut]


class TemplateIO(BaseModel):
    """What the meters of an onboarding file are where the file does not say."""

    name: str = Field(min_length=1, max_length=64)
    period_min: int = Field(default=15, ge=1, le=60)
    report_min: int = Field(default=60, ge=1, le=1_440)
    tariff: str = Field(default="", max_length=64)
    zone: str = Field(default="Asia/Jakarta", max_length=64)


class TemplatesOut(BaseModel):
    """All templates."""

    items: list[TemplateIO]


class CampaignAsked(BaseModel):
    """Which order for which meters: those of a group, of a site, or listed."""

    kind: Kinds
    group: int | None = None
    site: str = Field(default="", max_length=120)
    meters: list[int] = Field(default=[], max_length=MEMBERS_MAX)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.group is not None) + bool(self.site) + bool(self.meters) != 1:
            raise ValueError("say a group, a site or meters, and one of them only")
        return self


class CampaignLooked(BaseModel):
    """What a campaign would be over."""

    meters: int
    unable: int = Field(description="meters that cannot do it: they will fail by themselves")
    needs_approval: bool


class CampaignIn(CampaignAsked):
    """A campaign to be ordered."""

    expected: int | None = Field(default=None, description="how many meters were seen: a conflict where there are others now")
    reason: str = Field(min_length=1, max_length=200)
    pace: int = Field(default=60, ge=1, le=PACE_MAX, description="meters per minute")
    stop_pct: int = Field(default=20, ge=0, le=100, description="stop when more than so many per cent have failed")
    stop_min: int = Field(default=10, ge=1, le=MEMBERS_MAX, description="of at least so many that have ended")
    life_s: int = Field(default=3_600, ge=1, le=LIFE_MAX_S, description="how long each command lives")
    expires_s: int = Field(default=86_400, ge=1, le=LIFE_MAX_S, description="how long the campaign lives")


class CampaignSaid(BaseModel):
    """What a person says to a campaign."""

    reason: str = Field(default="", max_length=200)


class CampaignStepOut(BaseModel):
    """One step in the life of a campaign."""

    at_s: int
    state: str
    by: str
    text: str


class CampaignOut(BaseModel):
    """A campaign with its progress: `counts` by the state of its meters."""

    id: int
    name: str
    kind: str
    state: str
    created_s: int
    created_by: str
    approved_by: str
    reason: str
    pace: int
    stop_pct: int
    stop_min: int
    life_s: int
    expires_s: int
    meters: int
    counts: dict[str, int]
    history: list[CampaignStepOut]
    moves: list[str] = Field(description="what may be said of it now")

    @classmethod
    def of(cls, order: BulkOrder) -> "CampaignOut":
        """A campaign."""
        return cls(
            id=order.id,
            name=order.name,
            kind=order.plan.kind.value,
            state=order.state.value,
            created_s=order.created_us // US_PER_S,
            created_by=order.created_by,
            approved_by=order.approved_by,
            reason=order.reason,
            pace=order.plan.pace,
            stop_pct=order.plan.stop_pct,
            stop_min=order.plan.stop_min,
            life_s=order.plan.life_s,
            expires_s=order.expires_us // US_PER_S,
            meters=sum(order.tally.values()),
            counts={state.value: order.tally[state] for state in MemberState},
            history=[CampaignStepOut(at_s=s.at_us // US_PER_S, state=s.state, by=s.by, text=s.text) for s in order.history],
            moves=[event.value for event in moves(order.state)],
        )


class CampaignsOut(BaseModel):
    """A page of campaigns, newest first."""

    items: list[CampaignOut]
    next: int | None


class CampaignMeterOut(BaseModel):
    """What became of one meter."""

    meter_id: int
    serial: str
    state: str
    command_id: int | None
    text: str

    @classmethod
    def of(cls, serial: str, member: Member, said: str) -> "CampaignMeterOut":
        """A member.  `said`: what its command said last."""
        return cls(
            meter_id=member.meter_id,
            serial=serial,
            state=member.state.value,
            command_id=member.command_id,
            text=member.text or said,
        )


class CampaignMetersOut(BaseModel):
    """A page of meters of a campaign, by serial number."""

    items: list[CampaignMeterOut]
    next: str | None
