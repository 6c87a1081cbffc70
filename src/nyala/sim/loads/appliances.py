"""The tables of who consumes what and when, read once.  No customer is made here: see `customers`.

    kinds.csv       kinds of customers: meter model, weight among those of the model, contracts in VA, rooftop solar
    equipment.csv   what a kind owns: chance, from which contract on, how many (units + per_kva x contract)
    habits.csv      when it runs: local start, length, chance on working days, Saturdays, Sundays
    appliances.csv  what it takes: W of one unit, power factor and its nature, phases, on_min of each period_min (0: always)

The figures are typical for Indonesia and chosen, not measured: a household of 900-2200 VA takes 3-12 kWh a day.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

NATURE_SIGNS: Final = {"inductive": 1.0, "resistive": 0.0, "capacitive": -1.0}
"""Sign of the reactive power that an appliance takes."""


@dataclass(frozen=True, slots=True)
class Appliance:
    """One row of `appliances.csv`.  `va` is complex power of one unit: W + j var."""

    name: str
    va: complex
    spread: float
    phases: int
    period_min: int
    on_min: int


@dataclass(frozen=True, slots=True)
class Equipment:
    """One row of `equipment.csv`."""

    appliance: Appliance
    owned: float
    min_va: int
    units: float
    per_kva: float


@dataclass(frozen=True, slots=True)
class Habit:
    """One row of `habits.csv`.  Minutes of the local day; `chance` on working days, Saturdays, Sundays."""

    appliance: str
    start_min: int
    jitter_min: int
    duration_min: int
    duration_jitter_min: int
    chance: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of `kinds.csv` with its equipment and habits.  Solar: share of customers, rated share of the contract."""

    name: str
    model: str
    weight: int
    contracts_va: tuple[int, ...]
    solar_share: float
    solar_rating: tuple[float, float]
    shift_min: int
    equipment: tuple[Equipment, ...]
    habits: tuple[Habit, ...]


def _rows(table: str) -> list[dict[str, str]]:
    with files("nyala.sim.loads").joinpath(table).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@cache
def appliances() -> dict[str, Appliance]:
    """All appliances by name."""
    found = {}
    for row in _rows("appliances.csv"):
        power_w, pf = float(row["power_w"]), float(row["pf"])
        q_var = NATURE_SIGNS[row["nature"]] * power_w * (1 / pf**2 - 1) ** 0.5
        found[row["name"]] = Appliance(
            name=row["name"],
            va=complex(power_w, q_var),
            spread=float(row["spread_percent"]) / 100,
            phases=int(row["phases"]),
            period_min=int(row["period_min"]),
            on_min=int(row["on_min"]),
        )
    return found


def _equipment(row: dict[str, str]) -> Equipment:
    return Equipment(
        appliance=appliances()[row["appliance"]],
        owned=int(row["owned_percent"]) / 100,
        min_va=int(row["min_va"]),
        units=float(row["units"]),
        per_kva=float(row["per_kva"]),
    )


def _habit(row: dict[str, str]) -> Habit:
    hours, minutes = row["start"].split(":")
    return Habit(
        appliance=row["appliance"],
        start_min=60 * int(hours) + int(minutes),
        jitter_min=int(row["jitter_min"]),
        duration_min=int(row["duration_min"]),
        duration_jitter_min=int(row["duration_jitter_min"]),
        chance=(int(row["work_percent"]) / 100, int(row["saturday_percent"]) / 100, int(row["sunday_percent"]) / 100),
    )


@cache
def kinds() -> dict[str, Kind]:
    """All kinds of customers by name."""
    equipment, habits = _rows("equipment.csv"), _rows("habits.csv")
    return {
        row["name"]: Kind(
            name=row["name"],
            model=row["model"],
            weight=int(row["weight"]),
            contracts_va=tuple(map(int, row["contracts_va"].split())),
            solar_share=int(row["solar_percent"]) / 100,
            solar_rating=(int(row["solar_min_percent"]) / 100, int(row["solar_max_percent"]) / 100),
            shift_min=int(row["shift_min"]),
            equipment=tuple(_equipment(each) for each in equipment if each["kind"] == row["name"]),
            habits=tuple(_habit(each) for each in habits if each["kind"] == row["name"]),
        )
        for row in _rows("kinds.csv")
    }


@cache
def kinds_of(model: str) -> tuple[Kind, ...]:
    """The kinds of customers that a meter model serves."""
    return tuple(kind for kind in kinds().values() if kind.model == model)
