"""The model files, walked against the product sheet, section B."""

import dataclasses
import tomllib
from importlib.resources import files
from typing import Any

import pytest

from nyala.meter.model import MODELS, meter_model, model_of_code
from nyala.vocab.errors import NotAllowedError, UnknownError

# The columns of section B, row by row; `None` where the sheet says nothing.
SHEET: dict[str, dict[str, Any]] = {
    "single-phase": {
        "wiring": {"1P2W LNNL (BS)", "1P2W LLNN (DIN)", "1P3W L1L2 L2L1", "1P3W L1L1 L2L2"},
        "phases": 1,
        "nominal_voltage_range_v": (120, 240),
        "operating_range_percent": (70, 130),
        "basic_current_a": {5},
        "maximum_current_choices_a": (40, 60, 80, 100),
        "minimum_current_a": None,
        "starting_current_a": 0.020,
        "frequencies_hz": (50, 60),
        "active_class": ("1 ", "B (MID)"),
        "pulses": 1000,
        "voltage_burden": (0.75, 1.75),
        "current_burden_va": 0.3,
        "voltage_burden_with_module_w": 3.2,
        "supply_switch": True,
        "size_mm": (217.4, 130.0, 82.5),
    },
    "three-phase": {
        "wiring": {"3P4W L1L1-L2L2-L3L3-NN"},
        "phases": 3,
        "nominal_voltage_range_v": (230, 230),
        "operating_range_percent": (70, 130),
        "basic_current_a": {5},
        "maximum_current_choices_a": (100,),
        "minimum_current_a": 0.25,
        "starting_current_a": 0.020,
        "frequencies_hz": (50,),
        "active_class": ("1 ", "B (MID)"),
        "pulses": 1000,
        "voltage_burden": (0.75, 1.2),
        "current_burden_va": 0.1,
        "voltage_burden_with_module_w": 5,
        "supply_switch": True,
        "size_mm": (300.5, 175.0, 92),
    },
    "three-phase-ct": {
        "wiring": {"3P4W L1L1-L2L2-L3L3-NN"},
        "phases": 3,
        "nominal_voltage_range_v": (230, 230),
        "operating_range_percent": (80, 120),
        "basic_current_a": {1, 5},
        "maximum_current_choices_a": (10, 6),
        "minimum_current_a": 0.05,
        "starting_current_a": 0.001,
        "frequencies_hz": (50,),
        "active_class": ("0.5S ", "C (MID)"),
        "pulses": 10_000,
        "voltage_burden": (0.45, 1.2),
        "current_burden_va": 0.12,
        "voltage_burden_with_module_w": 5,
        "supply_switch": False,
        "size_mm": (300.5, 175.0, 92),
    },
}
NO_LOAD_W = {"single-phase": 2.3, "three-phase": 6.9, "three-phase-ct": 0.345}
"""metrology.md 2.2: half of the power at the starting current."""


@pytest.mark.parametrize("name", MODELS)
def test_a_model_says_what_the_product_sheet_says(name):
    model, sheet = meter_model(name), SHEET[name]
    assert set(model.wiring) == sheet["wiring"]
    for row in ("phases", "nominal_voltage_range_v", "operating_range_percent", "maximum_current_choices_a"):
        assert getattr(model, row) == sheet[row]
    for row in ("starting_current_a", "frequencies_hz", "current_burden_va", "voltage_burden_with_module_w"):
        assert getattr(model, row) == sheet[row]
    assert (model.supply_switch, model.size_mm) == (sheet["supply_switch"], sheet["size_mm"])
    assert model.basic_current_a in sheet["basic_current_a"]
    assert sheet["minimum_current_a"] in {None, model.minimum_current_a}
    assert (model.pulses_per_kwh, model.pulses_per_kvarh) == (sheet["pulses"], sheet["pulses"])
    assert (model.voltage_burden_w, model.voltage_burden_va) == sheet["voltage_burden"]
    iec, mid = sheet["active_class"]
    assert model.active_class.startswith(f"{iec}(IEC")
    assert model.active_class.endswith(mid)
    assert model.reactive_class.startswith("2 ")
    assert model.frequency_tolerance_percent == 5
    assert model.nominal_voltage_v == 230


@pytest.mark.parametrize("name", MODELS)
def test_a_model_fits_itself(name):
    model = meter_model(name)
    assert model.name == name
    assert model.maximum_current_a in model.maximum_current_choices_a
    assert model.starting_current_a < model.minimum_current_a < model.basic_current_a < model.maximum_current_a
    low, high = model.nominal_voltage_range_v
    assert low <= model.nominal_voltage_v <= high
    assert model.title


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_what_its_first_order_is(name):
    model = meter_model(name)
    assert model.ordered() == model
    assert model.ordered(model.nominal_voltage_choices_v[0], model.current_ranges_a[0][1]) == model
    assert {high for *_, high in model.current_ranges_a} <= set(model.maximum_current_choices_a)
    hash(model)


def test_the_transformer_model_is_ordered_for_one_or_five_amperes_and_two_voltages():
    found = meter_model("three-phase-ct").ordered(57.7, 1)
    assert (found.nominal_voltage_v, found.minimum_current_a, found.basic_current_a, found.maximum_current_a) == (
        57.7,
        0.01,
        1,
        10,
    )
    assert found.no_load_w == pytest.approx(3 * 57.7 * 0.001 / 2)


@pytest.mark.parametrize(
    ("name", "order", "refusal"),
    [
        ("three-phase", (57.7, None), "three-phase is made for 230 V, not 57.7 V"),
        ("single-phase", (57.7, None), "single-phase is made for 120, 230 or 240 V, not 57.7 V"),
        ("three-phase-ct", (None, 2), "three-phase-ct has a basic current of 1 or 5 A, not 2 A"),
    ],
)
def test_what_a_model_is_not_made_for_is_refused(name, order, refusal):
    with pytest.raises(NotAllowedError, match=refusal):
        meter_model(name).ordered(*order)


@pytest.mark.parametrize("name", MODELS)
def test_every_key_of_the_file_is_a_field_and_every_field_is_in_the_file(name):
    file = files("nyala.meter").joinpath("models", f"{name.replace('-', '_')}.toml")
    assert tomllib.loads(file.read_text(encoding="utf-8")).keys() == {f.name for f in dataclasses.fields(meter_model(name))}


@pytest.mark.parametrize("name", MODELS)
def test_below_half_of_the_starting_power_nothing_is_registered(name):
    assert meter_model(name).no_load_w == pytest.approx(NO_LOAD_W[name])


def test_the_sheet_has_a_column_for_every_model_and_each_has_its_code():
    assert set(MODELS) == SHEET.keys()
    assert [meter_model(name).code for name in MODELS] == [1, 2, 3]
    assert [model_of_code(code).name for code in (1, 2, 3)] == list(MODELS)


@pytest.mark.parametrize("name", ["", "two-phase", "single_phase", "../meter"])
def test_an_unknown_model_is_refused_by_name(name):
    with pytest.raises(UnknownError) as caught:
        meter_model(name)
    assert (caught.value.kind, caught.value.name) == ("meter model", name)


@pytest.mark.parametrize("code", [0, 4, 255, -1])
def test_an_unknown_model_code_is_refused(code):
    with pytest.raises(UnknownError, match=f"unknown meter model code: {code}"):
        model_of_code(code)
