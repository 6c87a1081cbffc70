"""Scheduled reads, as they are said and answered."""

from pydantic import BaseModel, Field

from nyala.headend.reads import SPREAD_MAX_S, ReadPlan
from nyala.telegram.messages import READ_MAX
from nyala.vocab.time import US_PER_S

SPREAD_S = 900


class ReadIn(BaseModel):
    """A plan to be made, for a meter or for a group."""

    name: str = Field(min_length=1, max_length=64)
    quantities: list[str] = Field(min_length=1, max_length=READ_MAX)
    rhythm: str = Field(max_length=16, description="`every 15m`, `daily 06:30` or `month-end`")
    zone: str = Field(default="Asia/Jakarta", max_length=64)
    spread_s: int = Field(default=SPREAD_S, ge=0, le=SPREAD_MAX_S, description="the meters are read within so many seconds")
    meter: int | None = None
    group: int | None = None


class ReadOut(BaseModel):
    """A plan.  `run_s` is null before its first run; `ordered` and `refused` count the meters of the last one."""

    id: int
    name: str
    quantities: list[str]
    rhythm: str
    zone: str
    spread_s: int
    meter: int | None
    group: int | None
    created_s: int
    created_by: str
    next_s: int
    run_s: int | None
    ordered: int
    refused: int
    ended_s: int | None

    @classmethod
    def of(cls, plan: ReadPlan) -> "ReadOut":
        """A plan."""
        same = ("id", "name", "rhythm", "zone", "spread_s", "created_by", "next_s", "ordered", "refused")
        return cls(
            **{name: getattr(plan, name) for name in same},
            quantities=list(plan.quantities),
            meter=plan.meter_id,
            group=plan.group_id,
            created_s=plan.created_us // US_PER_S,
            run_s=plan.run_s or None,
            ended_s=None if plan.ended_us is None else plan.ended_us // US_PER_S,
        )


class ReadsOut(BaseModel):
    """The plans that have not ended, by their names."""

    items: list[ReadOut]


class ReadValueOut(BaseModel):
    """A value in the integer of its catalogue row, at an instant of the meter's clock."""

    value: int
    at_s: int


class ReadMeterOut(BaseModel):
    """What the last run has brought from one meter; what is missing has not come."""

    meter_id: int
    serial: str
    values: dict[str, ReadValueOut]


class ReadValuesOut(BaseModel):
    """A page of meters, by serial number."""

    items: list[ReadMeterOut]
    next: str | None
