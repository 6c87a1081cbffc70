"""Incidents: many alarms as one thing."""

from pydantic import BaseModel

from nyala.api.shapes.completeness import SiteOut


class IncidentOut(BaseModel):
    """One incident.  `scope` is `feeder`, `site` or `gateway`, `place` its name or EUI; `ended_s` null: it goes on.

    `first_s` and `last_s`: when the first and the last of its alarms went on, by the clocks of the meters.
    """

    id: int
    alarm: str
    severity: str
    scope: str
    place: str
    meters: int
    meters_on: int
    first_s: int
    last_s: int
    opened_s: int
    updated_s: int
    ended_s: int | None


class IncidentsOut(BaseModel):
    """A page of incidents, newest first."""

    items: list[IncidentOut]
    next: str | None


class MemberOut(BaseModel):
    """One alarm of an incident."""

    meter_id: int
    serial: str
    site: str
    raised_s: int
    value: int | None
    cleared_s: int | None


class IncidentDetailOut(IncidentOut):
    """One incident with its first alarms (`meters` says how many there are), and all its sites."""

    members: list[MemberOut]
    sites: list[SiteOut]
