"""The fleet at a glance."""

from pydantic import BaseModel

from nyala.api.shapes.alarms import AlarmCountsOut
from nyala.api.shapes.meters import EventOut


class CountsOut(BaseModel):
    """Meters by when they were heard."""

    total: int
    heard: int
    silent: int
    never: int
    needs_readmission: int


class EnergyOut(BaseModel):
    """Energy of both directions."""

    import_wh: int
    export_wh: int


class CompletenessOut(BaseModel):
    """Intervals of a day or part of it."""

    expected: int
    received: int
    estimated: int
    missing: int


class FleetDayOut(CompletenessOut):
    """One UTC day of the fleet."""

    day: str
    import_wh: int
    export_wh: int


class FleetProfileOut(BaseModel):
    """The fleet's intervals of the local day; null where nothing has come yet."""

    start_s: int
    period_s: int
    import_wh: list[int | None]
    export_wh: list[int | None]


class GatewayOut(BaseModel):
    """A gateway."""

    eui: str
    last_seen_s: int
    frames: int


class FleetEventOut(EventOut):
    """An event with its meter."""

    meter_id: int
    serial: str


class FleetOut(BaseModel):
    """The fleet at a glance."""

    now_s: int
    zone: str
    meters: CountsOut
    energy_today: EnergyOut
    today: CompletenessOut
    days: list[FleetDayOut]
    profile_today: FleetProfileOut
    gateways: list[GatewayOut]
    commands_open: int
    alarms: AlarmCountsOut
    events: list[FleetEventOut]
