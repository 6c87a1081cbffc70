"""Completeness of many meters by day, and where sites are."""

from pydantic import BaseModel, Field


class CompletenessLineOut(BaseModel):
    """One line: a value for each day of the table.  `missing` is expected less received and estimated, over all days."""

    key: str
    name: str
    meters: int
    silent: int
    expected: list[int]
    received: list[int]
    estimated: list[int]
    missing: int


class CompletenessTableOut(BaseModel):
    """The lines with most that is missing; `total` counts all, `days` are UTC days."""

    by: str
    days: list[str]
    lines: list[CompletenessLineOut]
    total: int


class SiteOut(BaseModel):
    """A site; degrees of WGS 84, null where nobody has said where it is.

    `meters_on`: of an incident, the meters there that still have its alarm; else all of them.
    """

    site: str
    lat: float | None
    lon: float | None
    meters: int
    meters_on: int


class SitesOut(BaseModel):
    """The sites of a tenant by name."""

    items: list[SiteOut]


class PlaceIn(BaseModel):
    """Where a site is."""

    site: str = Field(min_length=1, max_length=120)
    lat: float = Field(ge=-85, le=85, allow_inf_nan=False)
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
