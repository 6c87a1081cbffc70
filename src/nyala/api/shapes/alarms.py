"""Alarms: the list, counts, acknowledgement."""

from typing import Final

from pydantic import BaseModel, Field

NOTE_MAX: Final = 500


class AlarmCountsOut(BaseModel):
    """Alarms that are on now, by severity."""

    high: int
    medium: int
    low: int


class AlarmOut(BaseModel):
    """One time that an alarm went on.  Instants `raised_s` and `cleared_s` by the meter's clock.

    `value` is an integer in the unit and scaler of the catalogue; null where only the state `alarms` showed the alarm
    (`source` is `state`), whose event telegram was lost.  `cleared_s` null: it is on.
    """

    id: int
    meter_id: int
    serial: str
    customer: str
    site: str
    alarm: str
    severity: str
    raised_s: int
    value: int | None
    source: str
    received_s: int
    cleared_s: int | None
    acknowledged_s: int | None
    acknowledged_by: str | None
    note: str | None


class AlarmsOut(BaseModel):
    """A page of alarms, newest first; `counts` are those of the whole tenant, whatever the filter."""

    items: list[AlarmOut]
    next: str | None
    total: int
    counts: AlarmCountsOut


class Acknowledgement(BaseModel):
    """What the one who has seen an alarm has to say."""

    note: str = Field(default="", max_length=NOTE_MAX)
