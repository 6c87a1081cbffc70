"""Data sheets: every row of the product sheet's section B, and its type tests, are there for every model."""

import re

import pytest

from nyala.meter.datasheet import FROM_MODEL, GROUPS, _table, datasheet
from nyala.meter.model import MODELS, meter_model

SECTION_B = {
    "wiring": ("1P2W LNNL (BS)", "3P4W L1L1-L2L2-L3L3-NN", "3P4W L1L1-L2L2-L3L3-NN"),
    "nominal voltage": ("120-240 V", "3x230/400 V", "3x230/400 V"),
    "operating range": ("70-130 % Un", "70-130 % Un", "80-120 % Un"),
    "basic current": ("5 A", "5 A", "1 A or 5 A"),
    "maximum current": ("40, 60, 80, 100 A", "0.25-5(100) A", "0.01-1(10) A or 0.05-5(6) A"),
    "starting current": ("0.4 % Ib / 20 mA", "0.4 % Ib / 20 mA", "1 mA"),
    "frequency": ("50 and 60 Hz ±5 %", "50 Hz ±5 %", "50 Hz ±5 %"),
    "accuracy kWh / kvarh": ("class 1 (IEC", "class 1 (IEC", "class 0.5S (IEC"),
    "pulse constant": ("1000 imp/kWh", "1000 imp/kWh", "10000 imp/kWh"),
    "voltage circuit burden": ("≤ 0.75 W, 1.75 VA", "≤ 0.75 W, 1.2 VA per phase", "≤ 0.45 W, 1.2 VA per phase"),
    "current circuit burden": ("≤ 0.3 VA", "≤ 0.1 VA per phase", "≤ 0.12 VA per phase"),
    "voltage circuit with communication module, at most": ("3.2 W", "5 W", "5 W"),
    "relay": ("yes", "yes", "no"),
    "size (mm)": ("217.4 x 130 x 82.5", "300.5 x 175 x 92", "300.5 x 175 x 92"),
}
"""The rows of section B of the product sheet, in its order, and how each begins for the three models."""
FIGURES = """8 kV, 10 kV, 15 kV, 18 kV, 10 V/m, 30 V/m, 4 kV at 100 kHz, 4.3 kV, class II, 6 kV, 6.5 kV, 4 kV at 2 mA, 4.1 kV,
2 kV at 2 mA, 2.5 kV, V0, M1 / E2, -25..+55, -40..+70, 3K7, 95 %, IP54, 0.5 s/day, 15 years"""
"""The type tests and the environment of the product sheet."""


def rows(name):
    return [row for group in datasheet(meter_model(name)) for row in group.rows]


@pytest.mark.parametrize(("place", "name"), list(enumerate(MODELS)))
def test_every_row_of_section_b_is_there(place, name):
    electrical = datasheet(meter_model(name))[0]
    assert [row.label_en.lower() for row in electrical.rows] == [label.lower() for label in SECTION_B]
    for row, values in zip(electrical.rows, SECTION_B.values(), strict=True):
        assert row.value_en.startswith(values[place]), row.label_en


@pytest.mark.parametrize("name", MODELS)
def test_every_type_test_and_figure_of_the_environment_is_there(name):
    said = "; ".join(row.value_en for row in rows(name))
    assert [figure for figure in re.split(r",\s+", FIGURES) if figure not in said] == []


@pytest.mark.parametrize("name", MODELS)
def test_every_row_says_something_in_both_languages_and_the_same_figures(name):
    keys = [row.key for row in rows(name)]
    assert len(keys) == len(set(keys))
    for row in rows(name):
        assert row.label_en
        assert row.label_id
        assert re.findall(r"\d+", row.value_en) == re.findall(r"\d+", row.value_id), row.key
        assert bool(row.value_en) == bool(row.value_id) == bool(row.key)


def test_the_table_is_whole():
    assert [group.name for group in datasheet(meter_model(MODELS[0]))] == list(GROUPS)
    plain = [row for row in _table() if not row["model"]]
    assert {row["key"] for row in plain if not row["value_en"]} == set(FROM_MODEL)
    assert {row["group"] for row in _table()} == set(GROUPS)
    for row in _table():
        assert row["model"] in {"", *MODELS}
        assert row["key"] in {each["key"] for each in plain}


def test_what_only_one_sheet_prints_agrees_with_the_model():
    model = meter_model("three-phase-ct")
    said = {row.key: row.value_en for row in rows(model.name)}
    assert f"{model.minimum_current_a:g}-{model.basic_current_a:g}({model.maximum_current_a:g}) A" in said["maximum_current"]
    assert f"{model.basic_current_a:g} A" in said["basic_current"]
    assert all(f"({choice:g})" in said["maximum_current"] for choice in model.maximum_current_choices_a)
