"""What a prepayment meter is told: unit, prices, warnings, emergency credit, friendly hours, charges.  Values and rules only.

After the DLMS classes 111 (account), 112 (credit) and 113 (charge), IEC 62056-6-2, in fewer words.  Amounts are whole
numbers of the plan's unit: Wh, or millionths of a currency, so that a price per kWh with three decimals is exact per Wh.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import Any, Final

from nyala.meter.calendar import DateMask, check_offset, local_date, midnight_s
from nyala.meter.calendar_tables import WEEKDAYS, dates_of_text
from nyala.meter.fields import integer, minute, offset, require, rows, table, text, truth
from nyala.meter.tariff import DAY_MINUTES
from nyala.vocab.errors import BadArgumentError, UnknownError
from nyala.vocab.quantities import RATES
from nyala.vocab.time import DAY_S

CREDIT_PLANS: Final = ("estate", "kwh")
"""The files of `credit_plans/`."""
WH: Final = "Wh"
AMOUNT_MAX: Final = 10**15
"""Largest amount and balance: a thousand million of a currency, or 1 PWh; sums of it stay far below 64 bits."""
WARNINGS_MAX: Final = 5
WINDOWS_MAX: Final = 6
"""Friendly windows of a weekday."""
HOLIDAYS_MAX: Final = 100
CHARGES_MAX: Final = 8
WHOLE_PERMILLE: Final = 1000
_CURRENCY: Final = re.compile("[A-Z]{3}")
_NAME: Final = re.compile(r"[a-z0-9-]{1,16}")

Windows = tuple[tuple[int, int], ...]


class Basis(Enum):
    """When a charge is taken (class 113 `charge_type`)."""

    TOP_UP = "top-up"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Charge:
    """One charge.  `rate` is per mille of a top-up, or an amount a local day or month; `month_cap` what a month takes at most.

    A debt ends when what is owed is paid, and its instalment by time never takes what is not there.  Any other charge goes
    on for ever and may take the balance below zero: a service is used in the dark, too.
    """

    name: str
    basis: Basis
    rate: int
    debt: bool
    month_cap: int | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise BadArgumentError(f"charge {self.name!r}: 1..16 of a-z, 0-9 and -")
        most = WHOLE_PERMILLE if self.basis is Basis.TOP_UP else AMOUNT_MAX
        if not 1 <= self.rate <= most:
            raise BadArgumentError(f"charge {self.name}: rate {self.rate}; 1..{most}")
        if self.month_cap is not None and not 1 <= self.month_cap <= AMOUNT_MAX:
            raise BadArgumentError(f"charge {self.name}: cap {self.month_cap}; 1..{AMOUNT_MAX}")


@dataclass(frozen=True, slots=True)
class Emergency:
    """Emergency credit: so much below zero, offered at `threshold` and below; `button`: only to whoever selects it."""

    limit: int
    threshold: int = 0
    button: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= AMOUNT_MAX or not 0 <= self.threshold <= AMOUNT_MAX:
            raise BadArgumentError(f"emergency credit of {self.limit} from {self.threshold} on: 1.. and 0..{AMOUNT_MAX}")


@dataclass(frozen=True, slots=True)
class Friendly:
    """When nobody is disconnected for lack of credit: windows [start, end) in minutes, Monday..Sunday, and whole holidays."""

    week: tuple[Windows, ...] = ((),) * 7
    holidays: tuple[DateMask, ...] = ()

    def __post_init__(self) -> None:
        if len(self.week) != 7 or len(self.holidays) > HOLIDAYS_MAX:
            raise BadArgumentError(f"friendly hours: 7 weekdays and at most {HOLIDAYS_MAX} holidays")
        for windows in self.week:
            edges = [edge for window in windows for edge in window]
            if len(windows) > WINDOWS_MAX or edges != sorted(set(edges)) or not all(0 <= edge <= DAY_MINUTES for edge in edges):
                raise BadArgumentError(
                    f"friendly windows must rise, lie apart and within the day, at most {WINDOWS_MAX}: {windows}"
                )
        if any(mask.open for mask in self.holidays):
            raise BadArgumentError("a holiday that is every day: then nobody is ever disconnected")

    def windows(self, clock_s: int, offset_s: int) -> Windows:
        """The windows of the local day at an instant."""
        day = local_date(clock_s, offset_s)
        holiday = any(mask.matches(day) for mask in self.holidays)
        return ((0, DAY_MINUTES),) if holiday else self.week[day.weekday()]

    def active(self, clock_s: int, offset_s: int) -> bool:
        """Whether an instant is friendly."""
        now = (clock_s + offset_s) % DAY_S // 60
        return any(start <= now < end for start, end in self.windows(clock_s, offset_s))

    def next_s(self, clock_s: int, offset_s: int) -> int:
        """The first edge of a window after an instant, or the local midnight."""
        now = (clock_s + offset_s) % DAY_S // 60
        edges = (edge for window in self.windows(clock_s, offset_s) for edge in window if edge > now)
        return midnight_s(local_date(clock_s, offset_s), offset_s) + min(edges, default=DAY_MINUTES) * 60


@dataclass(frozen=True, slots=True)
class CreditPlan:
    """The terms of an account.  `prices`: units per Wh of rates 1..8; `warnings`: levels that fall."""

    unit: str = WH
    prices: tuple[int, ...] = (1,) * RATES
    warnings: tuple[int, ...] = ()
    emergency: Emergency | None = None
    friendly: Friendly = Friendly()
    charges: tuple[Charge, ...] = ()
    offset_s: int = 0
    balance_max: int = AMOUNT_MAX

    def __post_init__(self) -> None:
        check_offset(self.offset_s)
        if self.unit != WH and not _CURRENCY.fullmatch(self.unit):
            raise BadArgumentError(f"unit {self.unit!r}: {WH} or a currency of three letters")
        if len(self.prices) != RATES or not all(1 <= price <= AMOUNT_MAX for price in self.prices):
            raise BadArgumentError(f"prices {self.prices}: {RATES} of them, above 0")
        if self.unit == WH and set(self.prices) != {1}:
            raise BadArgumentError("in Wh, a Wh costs one")
        if len(self.warnings) > WARNINGS_MAX or list(self.warnings) != sorted(set(self.warnings), reverse=True):
            raise BadArgumentError(f"warnings {self.warnings}: falling, at most {WARNINGS_MAX}")
        if not all(0 <= level <= AMOUNT_MAX for level in self.warnings):
            raise BadArgumentError(f"warnings {self.warnings}: 0..{AMOUNT_MAX}")
        if not 1 <= self.balance_max <= AMOUNT_MAX:
            raise BadArgumentError(f"largest balance {self.balance_max}: 1..{AMOUNT_MAX}")
        self._check_charges()

    def _check_charges(self) -> None:
        names = [charge.name for charge in self.charges]
        if len(names) > CHARGES_MAX or len(names) != len(set(names)):
            raise BadArgumentError(f"charges {names}: each once, at most {CHARGES_MAX}")
        if sum(charge.rate for charge in self.charges if charge.basis is Basis.TOP_UP) > WHOLE_PERMILLE:
            raise BadArgumentError("the shares of a top-up exceed the whole")


@cache
def credit_plan_named(name: str) -> CreditPlan:
    """A plan that comes with the program; UnknownError for another name."""
    if name not in CREDIT_PLANS:
        raise UnknownError("credit plan", name)
    file = files("nyala.meter").joinpath("credit_plans", f"{name}.toml")
    return credit_plan_of_table(tomllib.loads(file.read_text(encoding="utf-8")))


def credit_plan_of_table(read: Mapping[str, Any]) -> CreditPlan:
    """A plan from a table (form: `credit_plans/estate.toml`); BadArgumentError says what is wrong in it."""
    optional = frozenset({"prices", "warnings", "emergency", "friendly", "charges", "balance_max"})
    require("credit plan", read, {"unit", "offset"}, optional)
    return CreditPlan(
        text("unit", read["unit"]),
        tuple(integer("prices", price) for price in rows("prices", read.get("prices", [1] * RATES))),
        tuple(integer("warnings", level) for level in rows("warnings", read.get("warnings", []))),
        _emergency(table("emergency", read["emergency"])) if "emergency" in read else None,
        _friendly(table("friendly", read.get("friendly", {}))),
        tuple(_charge(table("charge", row)) for row in rows("charges", read.get("charges", []))),
        offset("offset", read["offset"]),
        integer("balance_max", read.get("balance_max", AMOUNT_MAX)),
    )


def _emergency(read: Mapping[str, Any]) -> Emergency:
    require("emergency", read, {"limit", "threshold", "button"})
    return Emergency(integer("limit", read["limit"]), integer("threshold", read["threshold"]), truth("button", read["button"]))


def _friendly(read: Mapping[str, Any]) -> Friendly:
    require("friendly", read, set(), frozenset({*WEEKDAYS, "holidays"}))
    week = tuple(tuple(_window(day, window) for window in rows(day, read.get(day, []))) for day in WEEKDAYS)
    return Friendly(week, tuple(dates_of_text(text("holiday", date)) for date in rows("holidays", read.get("holidays", []))))


def _window(day: str, read: object) -> tuple[int, int]:
    edges = rows(day, read)
    if len(edges) != 2:
        raise BadArgumentError(f"{day}: a window has a start and an end: {edges}")
    return minute(day, edges[0]), minute(day, edges[1])


def _charge(read: Mapping[str, Any]) -> Charge:
    require("charge", read, {"name", "basis", "rate", "debt"}, frozenset({"month_cap"}))
    basis = text("basis", read["basis"])
    if basis not in {each.value for each in Basis}:
        raise BadArgumentError(f"basis {basis!r}: one of {', '.join(each.value for each in Basis)}")
    cap = integer("month_cap", read["month_cap"]) if "month_cap" in read else None
    return Charge(text("name", read["name"]), Basis(basis), integer("rate", read["rate"]), truth("debt", read["debt"]), cap)
