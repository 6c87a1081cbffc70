"""Logging in, the catalogue, health."""

from pydantic import BaseModel, Field


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


class AlarmKindOut(BaseModel):
    """A row of the alarm table.  A value is an integer: times 10 to the scaler, in the unit; `unit` null: it has none."""

    name: str
    severity: str
    label_en: str
    label_id: str
    unit: str | None
    scaler: int


class CatalogueOut(BaseModel):
    """The tables that labels come from."""

    quantities: list[QuantityOut]
    qualities: list[QualityOut]
    alarms: list[AlarmKindOut]


class HealthOut(BaseModel):
    """Alive, and which version."""

    status: str
    version: str
    now_s: int
    meters: int
