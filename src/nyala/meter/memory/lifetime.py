"""What 15 years do to a meter (product sheet B): wear of its memory and the height of its registers.  Pure, printed by the cli.

Wear of a place is the number of its cycles: write cycles of a page of an image slot, erases of a flash sector.

    image  cycles = saves / slots                      saves = planned ones, one a power fail, one a torn slot
    log    cycles = rows / rows per sector / sectors

Every power fail is taken to tear a slot, which needs one more save.  Saves and rows a day are the design figures of
`layout.toml`.  Registers are worked at 1.3 Un and Imax on all phases without a pause, which no meter is.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from nyala.meter.memory.layout import ImagePlace, Layout, LogPlace, standard_layout
from nyala.meter.model import MeterModel
from nyala.vocab.errors import BadArgumentError

POWER_FAILS_PER_DAY: Final = 1.0
"""Design figure; a distribution network has a few a month."""
DAYS_PER_YEAR: Final = Fraction(1461, 4)
REGISTER_MAX: Final = 2**63 - 1
"""Registers are int64 of whole Wh."""
WORST_VOLTAGE: Final = Fraction(13, 10)
"""Of Un: the top of the operating range (product sheet B)."""
LINE_V, LINE_A = 500_000, 2_000
"""The largest line of the CT model: 500 kV and 2000 A primary (product sheet A12)."""
VT_SECONDARY_V: Final = 100
"""Phase to phase, at a VT; a meter of 57.7 V stands behind it."""


@dataclass(frozen=True, slots=True)
class LifetimeRow:
    """One thing that is used up: `used` of `limit` after the years asked for, in `unit`.

    `kind`: memory image, memory log or register.  `per_day`: what happens a day, over all `places` that share it.
    """

    kind: str
    name: str
    unit: str
    per_day: float
    places: int
    used: int
    limit: int
    years: int

    @property
    def share(self) -> float:
        """Part of the limit that is used."""
        return self.used / self.limit

    @property
    def years_until_worn(self) -> float:
        """Years until the limit at this rate; infinite where nothing is used."""
        return self.years * self.limit / self.used if self.used else float("inf")

    @property
    def passes(self) -> bool:
        """The limit is not passed within the years."""
        return self.used <= self.limit

    def to_json(self) -> dict[str, Any]:
        """Plain values; `years_until_worn` is null where nothing is used."""
        return {
            "kind": self.kind,
            "name": self.name,
            "unit": self.unit,
            "per_day": round(self.per_day, 3),
            "places": self.places,
            "used": self.used,
            "limit": self.limit,
            "share": self.share,
            "years_until_worn": round(self.years_until_worn, 1) if self.used else None,
            "pass": self.passes,
        }


@dataclass(frozen=True, slots=True)
class Lifetime:
    """The table of one model."""

    model: str
    period_s: int
    years: int
    rows: tuple[LifetimeRow, ...]

    @property
    def passes(self) -> bool:
        """Every row does."""
        return all(row.passes for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        rows = [row.to_json() for row in self.rows]
        return {"model": self.model, "period_s": self.period_s, "years": self.years, "rows": rows, "pass": self.passes}


def image_cycles(place: ImagePlace, days: float, power_fails_per_day: float = POWER_FAILS_PER_DAY) -> float:
    """Write cycles of a page of an image in so many days."""
    saves_per_day = place.saves_per_day + power_fails_per_day * (1 + place.power_fail)
    return days * saves_per_day / place.slots


def log_cycles(place: LogPlace, days: float) -> float:
    """Erases of a sector of a log in so many days."""
    return days * place.rows_per_day / place.rows_per_sector / place.sectors


def registered_wh(model: MeterModel, years: int) -> int:
    """What the largest register holds after years at 1.3 Un and Imax on all phases; at the meter's terminals, whole Wh."""
    power_w = model.phases * WORST_VOLTAGE * Fraction(model.nominal_voltage_v) * Fraction(model.maximum_current_a)
    return int(power_w * years * DAYS_PER_YEAR * 24)


def primary_ratio(model: MeterModel) -> Fraction:
    """Exact ratio from the terminals to the largest line, for a model behind transformers; Ib is the secondary current."""
    return Fraction(LINE_V, VT_SECONDARY_V) * Fraction(LINE_A) / Fraction(model.basic_current_a)


def lifetime(model: MeterModel, period_s: int = 900, years: int = 15) -> Lifetime:
    """The table of a model with a load profile of this period over these years.  BadArgumentError for what cannot be."""
    if years < 1:
        raise BadArgumentError(f"a life is a year or more: {years}")
    layout, days = standard_layout(period_s), float(years * DAYS_PER_YEAR)
    rows = _wear(layout, days, years)
    secondary_wh = registered_wh(model, years)
    rows.append(_register("energy at the terminals, int64", secondary_wh, years))
    if not model.supply_switch:
        primary_wh = int(secondary_wh * primary_ratio(model))
        rows.append(_register(f"primary energy at {LINE_V // 1000} kV, {LINE_A} A, as int64", primary_wh, years))
    return Lifetime(model.name, period_s, years, tuple(rows))


def _wear(layout: Layout, days: float, years: int) -> list[LifetimeRow]:
    rows = []
    for group, image in layout.images.items():
        limit = layout.parts[image.part].endurance
        saves = image.saves_per_day + POWER_FAILS_PER_DAY * image.power_fail
        used = -int(-image_cycles(image, days) // 1)
        rows.append(LifetimeRow("image", group.value, "cycles a page", saves, image.slots, used, limit, years))
    for log, ring in layout.logs.items():
        limit, used = layout.parts[ring.part].endurance, -int(-log_cycles(ring, days) // 1)
        rows.append(LifetimeRow("log", log.value, "erases a sector", ring.rows_per_day, ring.sectors, used, limit, years))
    return rows


def _register(name: str, used_wh: int, years: int) -> LifetimeRow:
    per_day = float(used_wh / (years * DAYS_PER_YEAR))
    return LifetimeRow("register", name, "Wh", per_day, 1, used_wh, REGISTER_MAX, years)
