"""The shapes of requests and responses.  Energies in whole Wh, instants in seconds UTC, money as text of a decimal number."""

from typing import Literal

from pydantic import BaseModel, Field

from nyala.headend.commands import CommandRow, CommandStep
from nyala.vocab.time import US_PER_S

REASON_MAX = 200
SwitchName = Literal["open", "closed", "none", "unknown"]
SWITCH_NAMES: dict[int | None, SwitchName] = {None: "unknown", 0: "open", 1: "closed", 2: "none"}


class Login(BaseModel):
    """Name and password."""

    name: str = Field(max_length=64)
    password: str = Field(max_length=200)


class UserOut(BaseModel):
    """Who is logged in."""

    name: str
    role: str
    tenant: str
    language: str
    permissions: list[str]


class SessionOut(BaseModel):
    """A login."""

    user: UserOut


class QuantityOut(BaseModel):
    """A row of the catalogue."""

    name: str
    obis: str
    unit: str
    scaler: int
    kind: str
    label_en: str
    label_id: str


class QualityOut(BaseModel):
    """A quality code."""

    code: int
    name: str
    label_en: str
    label_id: str
    estimated: bool


class CatalogueOut(BaseModel):
    """The tables that labels come from."""

    quantities: list[QuantityOut]
    qualities: list[QualityOut]


class CountsOut(BaseModel):
    """Meters by when they were heard."""

    total: int
    heard: int
    silent: int
    never: int


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


class EventOut(BaseModel):
    """An event of a meter."""

    at_s: int
    code: int
    text: str
    detail: int


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
    events: list[FleetEventOut]


class MeterLineOut(BaseModel):
    """A meter in a list."""

    id: int
    serial: str
    customer: str
    site: str
    model: str
    switch_state: SwitchName
    last_heard_s: int | None
    p_w: int | None
    import_wh: int | None
    missing: int


class MetersOut(BaseModel):
    """A page of meters."""

    items: list[MeterLineOut]
    next: str | None
    total: int


class ModelOut(BaseModel):
    """A meter model."""

    name: str
    title: str
    phases: int
    supply_switch: bool


class RadioOut(BaseModel):
    """How a meter was last heard."""

    data_rate: str
    rssi_dbm: float
    snr_db: float
    gateways: int


class LiveOut(BaseModel):
    """Instantaneous values as catalogue integers."""

    at_s: int
    values: dict[str, int]


class RegisterOut(BaseModel):
    """A register reading."""

    name: str
    value: int
    at_s: int


class SwitchOut(BaseModel):
    """The supply switch."""

    state: SwitchName
    at_s: int | None


class MeterOut(BaseModel):
    """One meter."""

    id: int
    serial: str
    customer: str
    site: str
    zone: str
    model: ModelOut
    dev_eui: str
    tariff: str
    contracted_va: int
    ct_ratio: tuple[int, int]
    period_s: int
    installed_s: int
    last_heard_s: int | None
    radio: RadioOut | None
    live: LiveOut | None
    registers: list[RegisterOut]
    switch: SwitchOut
    missing: int
    complete_to_s: int


class ProfileOut(BaseModel):
    """Intervals in columns; null where nothing is known."""

    period_s: int
    start_s: int
    import_wh: list[int | None]
    export_wh: list[int | None]
    quality: list[int]


class EventsOut(BaseModel):
    """Events of a meter, newest first."""

    items: list[EventOut]


class StepOut(BaseModel):
    """A step in the life of a command."""

    at_s: int
    state: str
    text: str


class CommandOut(BaseModel):
    """A command and its history."""

    id: int
    meter_id: int
    kind: str
    state: str
    created_s: int
    created_by: str
    reason: str
    expires_s: int
    steps: list[StepOut]

    @classmethod
    def of(cls, command: CommandRow, steps: list[CommandStep]) -> "CommandOut":
        """A command with its steps."""
        return cls(
            id=command.id,
            meter_id=command.meter_id,
            kind=command.kind.value,
            state=command.state.value,
            created_s=command.created_us // US_PER_S,
            created_by=command.created_by,
            reason=command.reason,
            expires_s=command.expires_us // US_PER_S,
            steps=[StepOut(at_s=s.at_us // US_PER_S, state=s.state.value, text=s.text) for s in steps],
        )


class CommandsOut(BaseModel):
    """Commands of a meter, newest first."""

    items: list[CommandOut]


class NewCommand(BaseModel):
    """An order."""

    kind: Literal["switch_open", "switch_close", "read"]
    reason: str = Field(default="", max_length=REASON_MAX)


class BillLineOut(BaseModel):
    """A bill in a list."""

    id: int
    meter_id: int
    serial: str
    customer: str
    month: str
    version: int
    tariff: str
    total: str
    currency: str
    energy_wh: int
    estimated_wh: int


class BillsOut(BaseModel):
    """A page of bills."""

    items: list[BillLineOut]
    next: str | None
    total: int


class MonthsOut(BaseModel):
    """Months that have bills, newest first."""

    items: list[str]


class BillTariffOut(BaseModel):
    """The tariff of a bill."""

    code: str
    title: str
    title_id: str
    version: str


class BillItemOut(BaseModel):
    """A line of a bill."""

    n: int
    code: str
    label_en: str
    label_id: str
    quantity: str
    unit: str
    price: str
    amount: str
    has_intervals: bool


class DemandOut(BaseModel):
    """The highest mean power of an interval."""

    w: int
    at_s: int


class BillOut(BaseModel):
    """One bill."""

    id: int
    meter_id: int
    serial: str
    customer: str
    month: str
    version: int
    tariff: BillTariffOut
    total: str
    currency: str
    energy_wh: int
    estimated_wh: int
    zone: str
    start_s: int
    end_s: int
    created_s: int
    lines: list[BillItemOut]
    max_demand: DemandOut | None
    inputs: int


class IntervalOut(BaseModel):
    """One interval behind a line."""

    start_s: int
    wh: int
    quality: int
    version: int


class IntervalsOut(BaseModel):
    """The intervals behind a line, and their sum."""

    items: list[IntervalOut]
    sum_wh: int


class BillRunOut(BaseModel):
    """What a bill run did."""

    month: str
    meters: int
    stored: int
    unchanged: int
    refused: list[tuple[str, str]]


class NewBillRun(BaseModel):
    """A month to bill."""

    month: str = Field(pattern=r"^\d{4}-\d{2}$")


class HealthOut(BaseModel):
    """Alive, and which version."""

    status: str
    version: str
    now_s: int
    meters: int
