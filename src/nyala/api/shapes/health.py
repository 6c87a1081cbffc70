"""How meters themselves are: clocks, lost events, diagnostics."""

from pydantic import BaseModel


class ToldOut(BaseModel):
    """One quantity of a module, in the unit and scaler of the catalogue, and when it was said by the meter's clock."""

    name: str
    value: int
    at_s: int


class ClockOut(BaseModel):
    """The clock of a meter.

    `error_ms`: at least so far ahead of ours (negative: behind, by the wait for the air at most less); null: not known yet.
    `step_ms`: what its last synchronisation had to correct, `drift_ppb` its drift, as the meter says.  `resync_s`: when it was
    told to ask for the time.
    """

    error_ms: int | None
    off: bool
    step_ms: int | None
    drift_ppb: int | None
    resync_s: int | None


class HealthOut(BaseModel):
    """One meter."""

    clock: ClockOut
    lost_events: list[int]
    told: list[ToldOut]


class ClockLineOut(ClockOut):
    """The clock of one of many meters."""

    meter_id: int
    serial: str
    site: str


class ClocksOut(BaseModel):
    """The clocks that are furthest off; `off` counts those outside the policy, `known` those that something is known of."""

    items: list[ClockLineOut]
    off: int
    known: int
