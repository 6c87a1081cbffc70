"""The lives of meters: where one stands, its checks and steps, exchanges, and files of new meters."""

from typing import Literal

from pydantic import BaseModel, Field

ROWS_TEXT_MAX = 20_000_000
"""Characters of an onboarding file that comes over HTTP."""


class CheckOut(BaseModel):
    """One check of commissioning."""

    name: str
    holds: bool
    seen: str


class LifeStepOut(BaseModel):
    """One step: what, from when, said when, who, why."""

    event: str
    state: str
    at_s: int
    recorded_s: int
    by: str
    reason: str


class ExchangeOut(BaseModel):
    """An exchange that a meter took part in; registers in whole Wh at the terminals."""

    old_meter_id: int
    new_meter_id: int
    at_s: int
    final: dict[str, int]
    start: dict[str, int]
    by: str
    reason: str


class LifeOut(BaseModel):
    """Where a meter stands in its life; `ended_s`: until when it counts."""

    meter_id: int
    state: str
    since_s: int | None
    ended_s: int | None
    checks: list[CheckOut]
    steps: list[LifeStepOut]
    exchanges: list[ExchangeOut]
    moves: list[str] = Field(description="what may be said of it now; `replace`: it can be exchanged")


class LifeSaid(BaseModel):
    """What a person says; `at_s`: since when, now where it is left out."""

    event: Literal["activate", "suspend", "resume", "remove"]
    reason: str = Field(min_length=1, max_length=200)
    at_s: int | None = Field(default=None, ge=0)
    despite_checks: bool = Field(default=False, description="activate although a check does not hold")


class ExchangeIn(BaseModel):
    """A meter takes the place of another one at the edge of an interval."""

    new_meter_id: int
    at_s: int = Field(ge=0)
    final: dict[str, int] = Field(description="registers of the old meter, whole Wh by name: import_wh, export_wh")
    start: dict[str, int] = Field(description="registers of the new meter")
    reason: str = Field(min_length=1, max_length=200)


class ExchangeAsked(BaseModel):
    """An exchange that is only looked at: the new meter by its serial number, registers as far as they are known."""

    new_serial: str = Field(min_length=1, max_length=40)
    at_s: int = Field(ge=0)
    final: dict[str, int] = {}
    start: dict[str, int] = {}


class RegisterAsked(BaseModel):
    """A register that an exchange wants: its last reading, and where its meter's intervals lead to at the instant."""

    name: str
    last_wh: int | None
    last_s: int | None
    leads_to_wh: int | None


class SideOut(BaseModel):
    """One of the two meters of an exchange."""

    meter_id: int
    serial: str
    model: str
    state: str
    registers: list[RegisterAsked]


class ExchangeLooked(BaseModel):
    """What an exchange would do.  `refused`: what does not fit; `estimated`: intervals of the old meter, by register."""

    old: SideOut
    new: SideOut
    edge_s: int = Field(description="the last edge of an interval of both meters, not after the instant")
    refused: str
    estimated: dict[str, int]


class MetersIn(BaseModel):
    """A file of new meters, as `nyala import meters` takes it."""

    text: str = Field(max_length=ROWS_TEXT_MAX)
    template: str = Field(default="", max_length=64)
    dry_run: bool = True


class ImportedOut(BaseModel):
    """What a file of new meters led to: nothing where a row is bad."""

    meters: int
    taken: bool
    errors: list[str]
