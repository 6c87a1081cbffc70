"""What storms are made of: where a meter is, an alarm, an incident, a notice; and the rules, which are data (`storms.toml`)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files

from nyala.vocab.centre_alarms import alarm_kinds


class Scope(StrEnum):
    """What an incident, or a notice, is of."""

    METER = "meter"
    FEEDER = "feeder"
    SITE = "site"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class StormRule:
    """The parameters of one kind."""

    window_s: int
    feeder_meters: int
    site_meters: int
    gateway_meters: int
    hold_s: int
    quiet_s: int

    def enough(self, scope: Scope) -> int:
        """How many meters of one place make an incident there."""
        return {Scope.FEEDER: self.feeder_meters, Scope.SITE: self.site_meters, Scope.GATEWAY: self.gateway_meters}[scope]


@dataclass(frozen=True, slots=True)
class SilenceRule:
    """When a meter (report periods, and a grace), and a gateway, is silent."""

    report_periods: int
    grace_s: int
    gateway_s: int


@cache
def storm_table() -> tuple[Mapping[int, StormRule], SilenceRule]:
    """The rules of every kind by code, and that of silence."""
    said = tomllib.loads(files("nyala.headend").joinpath("storms.toml").read_text(encoding="utf-8"))
    default, silence = said.pop("default"), SilenceRule(**said.pop("silence"))
    rules = {code: StormRule(**(default | said.pop(kind.name, {}))) for code, kind in alarm_kinds().items()}
    assert not said, f"storms.toml: no such alarms: {list(said)}"
    return rules, silence


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a meter is.  `gateway`: the EUI as text of the one that heard it best; empty: not known."""

    tenant_id: int
    serial: str
    site: str = ""
    gateway: str = ""
    feeder: str = ""


@dataclass(slots=True)
class Entry:
    """One time that an alarm of a meter went on."""

    meter_id: int
    alarm: int
    raised_s: int
    received_us: int
    value: int | None = None
    cleared_s: int | None = None
    incident_id: int | None = None
    told: bool = False

    @property
    def key(self) -> tuple[int, int, int]:
        """Its name in the store."""
        return self.meter_id, self.alarm, self.raised_s


@dataclass(slots=True)
class Incident:
    """Many alarms as one thing.  `place`: a feeder, a site, or the EUI of a gateway; `meters_on` have the alarm now."""

    id: int
    tenant_id: int
    alarm: int
    scope: Scope
    place: str
    first_s: int
    last_s: int
    opened_us: int
    updated_us: int
    meters: int = 0
    meters_on: int = 0
    ended_us: int | None = None
    told: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell, once.  `subject` names it; `on`: it began, or it is over; `sites` are those of its meters."""

    subject: str
    tenant_id: int
    alarm: int
    on: bool
    scope: Scope
    place: str
    sites: tuple[str, ...]
    first_s: int
    at_s: int
    meters: int
    value: int | None = None


@dataclass(slots=True)
class Taken:
    """What changed: `gone` entries are over and were alone."""

    entries: list[Entry] = field(default_factory=list)
    gone: list[Entry] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
