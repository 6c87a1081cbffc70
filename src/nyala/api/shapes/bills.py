"""Bills, their lines, and the intervals behind them."""

from pydantic import BaseModel, Field


class BillLineOut(BaseModel):
    """A bill in a list.  Energies are secondary: primary = secondary x `ct_ratio`, exactly; lines are primary."""

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
    ct_ratio: tuple[int, int]


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
    less: str
    """What other lines have charged of it already: amount = quantity x price, rounded, less this."""
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
    ct_ratio: tuple[int, int]


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
