"""The data sheet of a meter model: every row of the product sheet's section B, type tests, environment, life.

One source each: the model's own figures come from `models/*.toml`, all texts and what is the same for every model from
`models/sheet.csv`.  A row of the table without a value is made here from the model; a row that names a model says what only
the sheet of that model prints.  The portal and the certificate show the same rows.

Not a claim that a test was passed: type tests are figures of the sheet, only temperature, lifetime and clock are modelled.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from nyala.meter.model import MeterModel

GROUPS: Final = {
    "electrical": ("Electrical", "Kelistrikan"),
    "compatibility": ("Electromagnetic compatibility", "Kompatibilitas elektromagnetik"),
    "insulation": ("Insulation and casing", "Isolasi dan kotak"),
    "environment": ("Environment", "Lingkungan"),
    "life": ("Clock and lifetime", "Jam dan umur"),
}
"""The headings, in order."""
Texts = tuple[str, str]
"""English and Indonesian."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row.  `clause`: the standard behind the figure; empty where it is the sheet's own."""

    key: str
    label_en: str
    label_id: str
    value_en: str
    value_id: str
    clause: str


@dataclass(frozen=True, slots=True)
class SheetGroup:
    """The rows under one heading."""

    name: str
    label_en: str
    label_id: str
    rows: tuple[SheetRow, ...]


def datasheet(model: MeterModel) -> tuple[SheetGroup, ...]:
    """The data sheet of a model, in the order of the table."""
    own = {row["key"]: row for row in _table() if row["model"] == model.name}
    made: dict[str, list[SheetRow]] = {name: [] for name in GROUPS}
    for row in _table():
        if row["model"]:
            continue
        said = own.get(row["key"], row)
        value_en, value_id = said["value_en"], said["value_id"]
        if not value_en:
            value_en, value_id = FROM_MODEL[row["key"]](model)
        made[row["group"]].append(
            SheetRow(row["key"], row["label_en"], row["label_id"], value_en, value_id, said["clause"] or row["clause"])
        )
    return tuple(SheetGroup(name, *GROUPS[name], tuple(rows)) for name, rows in made.items())


@cache
def _table() -> tuple[dict[str, str], ...]:
    with files("nyala.meter").joinpath("models", "sheet.csv").open(encoding="utf-8") as table:
        return tuple(csv.DictReader(table))


def _both(text: str) -> Texts:
    """Figures in both languages: Indonesian has a decimal comma."""
    return text, text.replace(".", ",")


def _same(text: str) -> Texts:
    return text, text


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _per_phase(model: MeterModel, text: str) -> Texts:
    english, indonesian = _both(text)
    return (f"{english} per phase", f"{indonesian} per fasa") if model.phases > 1 else (english, indonesian)


def _nominal_voltage(model: MeterModel) -> Texts:
    low_v, high_v = model.nominal_voltage_range_v
    if low_v != high_v:
        return _both(f"{low_v:g}-{high_v:g} V")
    # the sheet prints the customary 400 V for 230 V times the root of 3
    return _same(f"{model.phases}x{low_v:g}/{round(low_v * 3**0.5, -1):g} V")


def _maximum_current(model: MeterModel) -> Texts:
    if len(model.maximum_current_choices_a) > 1:
        return _both(f"{_numbers(model.maximum_current_choices_a)} A")
    return _both(f"{model.minimum_current_a:g}-{model.basic_current_a:g}({model.maximum_current_a:g}) A")


def _starting_current(model: MeterModel) -> Texts:
    current = f"{model.starting_current_a * 1000:g} mA"
    if not model.supply_switch:  # behind transformers the basic current is the order's choice, the starting current is not
        return _both(current)
    return _both(f"{100 * model.starting_current_a / model.basic_current_a:g} % Ib / {current}")


def _frequency(model: MeterModel) -> Texts:
    tolerance = f"Hz ±{model.frequency_tolerance_percent:g} %"
    names = [str(each) for each in model.frequencies_hz]
    return f"{' and '.join(names)} {tolerance}", f"{' dan '.join(names)} {tolerance}"


def _accuracy(model: MeterModel) -> Texts:
    active, reactive = model.active_class, model.reactive_class
    return f"class {active} / class {reactive}", f"kelas {active} / kelas {reactive}".replace(".", ",")


FROM_MODEL: Final[dict[str, Callable[[MeterModel], Texts]]] = {
    "wiring": lambda m: _same("; ".join(m.wiring)),
    "nominal_voltage": _nominal_voltage,
    "operating_range": lambda m: _both("{:g}-{:g} % Un".format(*m.operating_range_percent)),
    "basic_current": lambda m: _both(f"{m.basic_current_a:g} A"),
    "maximum_current": _maximum_current,
    "starting_current": _starting_current,
    "frequency": _frequency,
    "accuracy": _accuracy,
    "pulse_constant": lambda m: _same(f"{m.pulses_per_kwh} imp/kWh, {m.pulses_per_kvarh} imp/kvarh"),
    "voltage_burden": lambda m: _per_phase(m, f"≤ {m.voltage_burden_w:g} W, {m.voltage_burden_va:g} VA"),
    "current_burden": lambda m: _per_phase(m, f"≤ {m.current_burden_va:g} VA"),
    "module_burden": lambda m: _both(f"{m.voltage_burden_with_module_w:g} W"),
    "relay": lambda m: ("yes", "ya") if m.supply_switch else ("no", "tidak"),
    "size": lambda m: _both(" x ".join(f"{side:g}" for side in m.size_mm)),
}
"""The rows that a model's own figures make, by key."""
