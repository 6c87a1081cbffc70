"""Meters, their shadows, profiles and events."""

from typing import Final, Literal

from pydantic import BaseModel

SwitchName = Literal["open", "closed", "none", "unknown"]
SWITCH_NAMES: Final[dict[int | None, SwitchName]] = {None: "unknown", 0: "open", 1: "closed", 2: "none"}


class MeterLineOut(BaseModel):
    """A meter in a list.  `p_w` and `import_wh` are secondary: primary = secondary x `ct_ratio`, exactly."""

    id: int
    serial: str
    customer: str
    site: str
    model: str
    ct_ratio: tuple[int, int]
    switch_state: SwitchName
    last_heard_s: int | None
    p_w: int | None
    import_wh: int | None
    missing: int
    needs_readmission: bool
    life: str


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


class ActiveAlarmOut(BaseModel):
    """An alarm that is on, as the meter last said.  `since_s`: its event, or the first state that showed it."""

    alarm: str
    severity: str
    since_s: int


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
    alarms: list[ActiveAlarmOut]
    missing: int
    complete_to_s: int
    needs_readmission: bool


class ProfileOut(BaseModel):
    """Intervals in columns; null where nothing is known."""

    period_s: int
    start_s: int
    import_wh: list[int | None]
    export_wh: list[int | None]
    quality: list[int]


class EventOut(BaseModel):
    """An event of a meter.  `alarm` and `value` (an integer in the alarm's unit and scaler) where it speaks of one."""

    at_s: int
    code: int
    text: str
    detail: int
    alarm: str | None = None
    value: int | None = None


class EventsOut(BaseModel):
    """Events of a meter, newest first."""

    items: list[EventOut]
