"""Test loads: power factors, and the true power of each wave against the reference's closed forms and against quadrature."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.lab.load import SHARES, Energy, TerminalLoad, Wave, lag_of, phases_of, terminal_load
from nyala.meter.model import meter_model
from nyala.vocab.errors import BadArgumentError

MODEL, SINGLE = meter_model("three-phase"), meter_model("single-phase")
UNIT = TerminalLoad((1.0, 0.0, 0.0), (1.0, 0.0, 0.0))


@pytest.mark.parametrize(
    ("factor", "energy", "lag"),
    [
        ("1", Energy.ACTIVE, 0),
        ("0.5L", Energy.ACTIVE, 60),
        ("0.8C", Energy.ACTIVE, -36.8699),
        ("-1", Energy.ACTIVE, 180),
        ("1", Energy.REACTIVE, 90),
        ("0.5L", Energy.REACTIVE, 30),
        ("0.25C", Energy.REACTIVE, -14.4775),
    ],
)
def test_a_factor_is_an_angle(factor, energy, lag):
    assert lag_of(factor, energy) == pytest.approx(lag, abs=1e-4)


@pytest.mark.parametrize("factor", ["", "L", "x", "0", "1.1", "0.5X", "--1"])
def test_what_is_no_factor_is_refused(factor):
    with pytest.raises(BadArgumentError, match="power factor"):
        lag_of(factor, Energy.ACTIVE)


@pytest.mark.parametrize(  # metrology.md 1.8: true values of the distortion tests
    ("wave", "p", "q1"),
    [
        (Wave.SINE, 1.0, 0.0),
        (Wave.FIFTH, 1.040, 0.0),
        (Wave.FIRED, 0.5, 0.318310),
        (Wave.HALF, 0.5, 0.0),
        (Wave.BURST, 0.5, 0.0),
    ],
)
def test_the_true_power_of_a_wave(wave, p, q1):
    found = replace(UNIT, wave=wave).powers()
    assert found == pytest.approx((p, q1), abs=1e-6)


def test_every_wave_has_its_true_power():
    assert set(SHARES) == set(Wave)


def test_the_fired_wave_agrees_with_quadrature():
    turn = (np.arange(200_000) + 0.5) / 200_000 * 2 * math.pi
    voltage, current = math.sqrt(2) * np.sin(turn), math.sqrt(2) * np.sin(turn)
    current[turn % math.pi < math.pi / 2] = 0
    p = float(np.mean(voltage * current))
    q1 = float(np.mean(current * -math.sqrt(2) * np.cos(turn)))
    assert replace(UNIT, wave=Wave.FIRED).powers() == pytest.approx((p, q1), abs=1e-6)


def test_distorted_waves_are_defined_at_unity_only():
    with pytest.raises(BadArgumentError, match="unity power factor only"):
        replace(UNIT, wave=Wave.HALF, lag_deg=(60.0, 0.0, 0.0))


@pytest.mark.parametrize("change", [{"u_v": (-1.0, 0.0, 0.0)}, {"i_a": (0.0, -1.0, 0.0)}, {"f_hz": 0.0}])
def test_a_load_that_cannot_be_is_refused(change):
    with pytest.raises(BadArgumentError, match="no negative U or I"):
        replace(UNIT, **change)


def test_one_phase_is_loaded_while_all_have_voltage():
    load = terminal_load(MODEL, 5.0, "0.5L", phases="B")
    assert load.u_v == (230.0, 230.0, 230.0)
    assert load.i_a == (0.0, 5.0, 0.0)
    assert load.powers()[0] == pytest.approx(575.0)
    assert terminal_load(SINGLE, 5.0).u_v == (230.0, 0.0, 0.0)
    assert (phases_of(MODEL), phases_of(SINGLE)) == ("ABC", "A")


@given(st.floats(0.1, 100), st.sampled_from(["1", "0.5L", "0.8C", "0.25L"]), st.floats(0.7, 1.3))
def test_power_follows_voltage_and_factor(current_a, factor, ratio):
    load = terminal_load(MODEL, current_a, factor).with_voltage(ratio)
    cosine = float(factor.rstrip("LC"))
    assert load.power(Energy.ACTIVE) == pytest.approx(3 * 230 * ratio * current_a * cosine)
    p, q = load.powers()
    assert math.hypot(p, q) == pytest.approx(3 * 230 * ratio * current_a)
