"""Meter models as data: `models/*.toml`, one file per column of the product sheet's section B."""

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from nyala.vocab.errors import NotAllowedError, UnknownError

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
    nominal_voltage_choices_v: tuple[float, ...]
    current_ranges_a: tuple[tuple[float, float, float], ...]
    """What is ordered of the model: nominal voltages, and minimum, basic and maximum current together."""

    @property
    def no_load_w(self) -> float:
        """Below this active power, and as much reactive, nothing is registered.

        Half of the power at the starting current of all phases (reference metrology.md 2.2: 2.3 of 4.6 W, 6.9 of 13.8 W).
        """
        return self.phases * self.nominal_voltage_v * self.starting_current_a / 2

    def ordered(self, nominal_v: float | None = None, basic_a: float | None = None) -> "MeterModel":
        """The model at another of its nominal voltages, or with another of its current ranges; NotAllowedError for others."""
        found = self
        if nominal_v is not None:
            if nominal_v not in self.nominal_voltage_choices_v:
                raise NotAllowedError(
                    f"{self.name} is made for {_either(self.nominal_voltage_choices_v)} V, not {nominal_v:g} V"
                )
            found = replace(found, nominal_voltage_v=nominal_v)
        if basic_a is not None:
            ranges = {row[1]: row for row in self.current_ranges_a}
            if basic_a not in ranges:
                raise NotAllowedError(f"{self.name} has a basic current of {_either(tuple(ranges))} A, not {basic_a:g} A")
            low, basic, high = ranges[basic_a]
            found = replace(found, minimum_current_a=low, basic_current_a=basic, maximum_current_a=high)
        return found


def _either(values: tuple[float, ...]) -> str:
    *others, last = (f"{value:g}" for value in sorted(values))
    return f"{', '.join(others)} or {last}" if others else last


def _frozen(value: Any) -> Any:
    """Lists of a file as tuples, all the way down."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


@cache
def meter_model(name: str) -> MeterModel:
    """A model by name; UnknownError for another."""
    if name not in MODELS:
        raise UnknownError("meter model", name)
    file = files("nyala.meter").joinpath("models", f"{name.replace('-', '_')}.toml")
    row: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    return MeterModel(**{key: _frozen(value) for key, value in row.items()})


def model_of_code(code: int) -> MeterModel:
    """A model by its telegram code; UnknownError for another."""
    for name in MODELS:
        if meter_model(name).code == code:
            return meter_model(name)
    raise UnknownError("meter model code", code)
