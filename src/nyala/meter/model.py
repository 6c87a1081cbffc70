"""Meter models as data: `models/*.toml`, one file per column of the product sheet's section B."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from nyala.vocab.errors import UnknownError

MODELS = ("single-phase", "three-phase", "three-phase-ct")


@dataclass(frozen=True, slots=True)
class MeterModel:
    """One model.  Voltages phase to neutral; currents at the meter's terminals; `code` stands for it in telegrams."""

    name: str
    code: int
    title: str
    wiring: tuple[str, ...]
    phases: int
    nominal_voltage_v: float
    nominal_voltage_range_v: tuple[float, float]
    operating_range_percent: tuple[float, float]
    basic_current_a: float
    maximum_current_a: float
    maximum_current_choices_a: tuple[float, ...]
    minimum_current_a: float
    starting_current_a: float
    frequencies_hz: tuple[int, ...]
    frequency_tolerance_percent: float
    active_class: str
    reactive_class: str
    pulses_per_kwh: int
    pulses_per_kvarh: int
    voltage_burden_w: float
    voltage_burden_va: float
    current_burden_va: float
    voltage_burden_with_module_w: float
    supply_switch: bool
    size_mm: tuple[float, float, float]

    @property
    def no_load_w(self) -> float:
        """Below this active power, and as much reactive, nothing is registered.

        Half of the power at the starting current of all phases (reference metrology.md 2.2: 2.3 of 4.6 W, 6.9 of 13.8 W).
        """
        return self.phases * self.nominal_voltage_v * self.starting_current_a / 2


@cache
def meter_model(name: str) -> MeterModel:
    """A model by name; UnknownError for another."""
    if name not in MODELS:
        raise UnknownError("meter model", name)
    file = files("nyala.meter").joinpath("models", f"{name.replace('-', '_')}.toml")
    row: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return MeterModel(**fields)


def model_of_code(code: int) -> MeterModel:
    """A model by its telegram code; UnknownError for another."""
    for name in MODELS:
        if meter_model(name).code == code:
            return meter_model(name)
    raise UnknownError("meter model code", code)
