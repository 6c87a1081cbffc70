"""Numbers on the display: exact, cut, rolling over, primary."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.meter.display.number import (
    DASHES,
    FULL_LOAD_H,
    PREFIXES,
    SCALES,
    register_text,
    roll_over,
    scale_for,
    scale_of,
    scaled,
    value_text,
)
from nyala.meter.display.reading import DIRECT, Ratio
from nyala.meter.display.segments import DIGITS, spell
from nyala.meter.model import MODELS, meter_model
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quantities import catalogue, quantity

IMPORT = quantity("import_wh")
RATIOS = st.builds(Ratio, *[st.tuples(st.integers(1, 10**6), st.integers(1, 1000))] * 2)
QUANTITIES = st.sampled_from([each for each in catalogue().values() if each.rate == 0])
LINE = Ratio(ct=(2000, 5), vt=(500_000, 100))
"""A line of 500 kV and 2000 A."""


@given(st.integers(-(10**18), 10**18), QUANTITIES, RATIOS, st.sampled_from(list(PREFIXES)), st.integers(0, 3))
def test_a_value_is_its_exact_product_cut_towards_zero(value, of, ratio, prefix, decimals):
    upper, lower = ratio.of(of.unit)
    exact = Fraction(value) * upper / lower * Fraction(10) ** (of.scaler + decimals - PREFIXES[prefix])
    assert scaled(value, of, ratio, prefix, decimals) == int(exact)


@given(st.integers(0, 10**18), st.integers(0, 3))
def test_a_register_keeps_its_lowest_digits_and_leading_zeros(value, decimals):
    text = register_text(value, IMPORT, DIRECT, "k", decimals)
    assert text.replace(".", "") == f"{value // 10 ** (3 - decimals) % 10**DIGITS:08d}"
    assert float(text) < roll_over(IMPORT, decimals)
    assert register_text(value + roll_over(IMPORT, decimals) * 1000, IMPORT, DIRECT, "k", decimals) == text


@given(st.integers(-(10**12), 10**12), QUANTITIES, RATIOS, st.integers(0, 3))
def test_any_value_fits_the_glass(value, of, ratio, decimals):
    for text in (register_text, value_text):
        spell(text(value if of.signed else abs(value), of, ratio, "k", decimals), DIGITS)


def test_a_value_gives_up_decimals_and_then_is_dashes():
    watts = quantity("p_w")
    texts = [value_text(value, watts, DIRECT, "", 3) for value in (9_999, 10_000, -9_999_999, 10_000_000)]
    assert texts == ["9999.000", "10000.00", "-9999999", DASHES]


@pytest.mark.parametrize(("value", "text"), [(-1, "0.000"), (-1500, "-0.001"), (999_999, "0.999")])
def test_nothing_is_rounded_up(value, text):
    assert value_text(value, quantity("p_w"), DIRECT, "M", 3) == text


def test_a_negative_register_keeps_a_digit_for_its_minus():
    net = quantity("net_wh")
    assert register_text(-12_345_678, net, DIRECT, "k", 2) == "-12345.67"
    assert register_text(-123_456_789, net, DIRECT, "k", 2) == "-23456.78"
    assert roll_over(net, 2) == 100_000


@pytest.mark.parametrize("model", MODELS)
def test_no_model_rolls_over_in_4000_hours_of_full_load(model):
    # Directive 2014/32/EU Annex V: 3 x 230 V x 100 A gives 276 MWh, six digits of kWh (reference metrology.md 1.5).
    each = meter_model(model)
    scale = scale_of(each)
    full_wh = each.phases * each.nominal_voltage_v * each.maximum_current_a * FULL_LOAD_H
    assert scale.prefix == "k"
    assert full_wh / 1000 < roll_over(IMPORT, scale.decimals)
    assert scale.decimals == {"single-phase": 3, "three-phase": 2, "three-phase-ct": 3}[model]


def test_a_line_of_500_kv_shows_mwh_and_its_primary_exactly():
    scale = scale_of(meter_model("three-phase-ct"), LINE)
    assert (scale.prefix, scale.decimals, scale.voltage_prefix) == ("M", 0, "k")
    # 15 years at 57.7 V, 5 A: 113.8 MWh secondary are 227.6 TWh; eight digits of MWh keep the lowest.
    secondary_wh = 113_812_345_678
    assert scaled(secondary_wh, IMPORT, LINE, "M", 0) == secondary_wh * 2_000_000 // 10**6
    assert register_text(secondary_wh, IMPORT, LINE, "M", 0) == f"{secondary_wh * 2 % 10**8:08d}"


@pytest.mark.parametrize(("unit", "factor"), [("A", (2000, 5)), ("V", (500_000, 100)), ("Wh", (10**9, 500)), ("Hz", (1, 1))])
def test_a_ratio_acts_by_unit(unit, factor):
    assert LINE.of(unit) == factor


@given(st.integers(1, 10**13))
def test_the_finest_scale_that_holds_4000_hours_is_taken(full_load_w):
    holds = [
        (prefix, decimals)
        for prefix, decimals in SCALES
        if Fraction(full_load_w * FULL_LOAD_H, 10 ** PREFIXES[prefix]) < roll_over(IMPORT, decimals)
    ]
    if holds:
        scale = scale_for(full_load_w)
        assert (scale.prefix, scale.decimals) == holds[0]
    else:
        with pytest.raises(BadArgumentError, match="roll the display over"):
            scale_for(full_load_w)


@pytest.mark.parametrize("ratio", [{"ct": (0, 5)}, {"ct": (100, 0)}, {"vt": (-1, 1)}])
def test_a_ratio_of_nothing_is_refused(ratio):
    with pytest.raises(BadArgumentError):
        Ratio(**ratio)
