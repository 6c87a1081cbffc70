"""A current transformer under direct current: what passes its core, against closed forms, and what its meter then reads."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.meter.model import MODELS, meter_model
from nyala.meter.sampled.calibration import factory_constants
from nyala.meter.sampled.core import Core, time_constant_s
from nyala.meter.sampled.sensor import Sensor, sensor_model
from nyala.meter.sampled.specimen import SampledMeter
from nyala.meter.sampled.waveform import Harmonic, Shape, Wave, series, signal
from tests.unit.meter.sampled.specimens import mean_powers

F_HZ = 50.0


def core(knee_a, left=1e-6):
    return Core(knee_a, left, "test", "declared")


def passed(own, wave, tau_s, f_hz=F_HZ):
    return own.transferred(series(wave, f_hz)[None], f_hz, tau_s)[0]


def in_phase(row):
    """The part of a fundamental that gives P with a sine of the same angle."""
    return float(-row[1].imag)


def hard_saturation(peak_a, knee_a):
    """P of a half wave through an ideal core over P of the half wave itself; closed form.

    The core carries `knee_a` (a) until the flux is used up at `a`, (b) again from `b`, where the current falls below it, to the
    next half wave; between them nothing passes.  What passed must have the mean zero, which gives `a`.
    """
    b = math.pi - math.asin(knee_a / peak_a)
    late = peak_a * (1 + math.cos(b)) - knee_a * (math.pi - b)

    def mean(a):
        return peak_a * (1 - math.cos(a)) - knee_a * a + late - knee_a * math.pi

    low, high = 0.0, b
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if mean(middle) < 0 else (low, middle)

    def power(start, end):
        squares = (end - start) / 2 - (math.sin(2 * end) - math.sin(2 * start)) / 4
        return peak_a * squares - knee_a * (math.cos(start) - math.cos(end))

    return (power(0, low) + power(b, math.pi) + 2 * knee_a) / (peak_a * math.pi / 2)


@pytest.mark.parametrize("knee_a", [1.0, 5.0, 20.0, 40.0])
def test_a_half_wave_through_an_ideal_core_that_saturates_gives_what_the_closed_form_says(knee_a):
    wave = Wave(100.0, shape=Shape.HALF)
    share = in_phase(passed(core(knee_a, 1e-12), wave, 1_000.0)) / in_phase(series(wave, F_HZ))
    assert share == pytest.approx(hard_saturation(100 * math.sqrt(2), knee_a), abs=3e-5)


def test_a_core_that_only_might_saturate_changes_nothing():
    # the peaks of fundamental and third harmonic do not meet: their sum is above the knee, the magnetising current is not
    wave, tau_s = Wave(20.0, harmonics=(Harmonic(3, 0.9, 180.0),), dc=0.5), time_constant_s(-180e-6)
    row = series(wave, F_HZ)
    magnetising = row / (1 + 2j * math.pi * F_HZ * tau_s * np.arange(4))
    turns = np.exp(2j * math.pi * np.outer(np.arange(4), np.arange(1024) / 1024))
    peak = np.abs((magnetising @ turns).real).max()
    knee_a = 1.01 * peak
    assert knee_a < np.abs(magnetising).sum()
    found = passed(core(knee_a), wave, tau_s)
    assert len(found) > 4  # it was solved
    assert np.abs(found[1:4] - row[1:]).max() < 1e-5 * abs(row[1])
    assert np.abs(found[4:]).max() < 1e-9 * abs(row[1])


@settings(max_examples=40, deadline=None)
@given(st.floats(0.1, 100), st.floats(-40, 40), st.floats(47.5, 52.5))
def test_below_the_knee_only_the_constant_part_is_lost(rms, dc, f_hz):
    wave = Wave(rms, 20.0, dc=dc)
    tau_s = time_constant_s(-180e-6)
    peak = abs(dc) + rms * math.sqrt(2) / math.hypot(1, 2 * math.pi * f_hz * tau_s)
    given_row = series(wave, f_hz)
    found = passed(core(peak * 1.001), wave, tau_s, f_hz)
    assert found[0] == 0
    assert np.array_equal(found[1:], given_row[1:])


@pytest.mark.parametrize("dc", [3.0, -3.0])
def test_beyond_the_knee_a_core_begins_softly_and_both_ways_alike(dc):
    wave, tau_s = Wave(10.0, dc=dc), time_constant_s(-180e-6)
    share = [in_phase(passed(core(knee), wave, tau_s)) / in_phase(series(wave, F_HZ)) for knee in (4.0, 3.5, 3.0, 1.0, 0.3)]
    assert share[0] == 1.0  # 3 A, and 0.8 A of magnetising alternating current
    assert share == sorted(share, reverse=True)
    assert share[1] > 0.98
    assert share[-1] < 0.5


def test_direct_current_makes_a_transformer_lead():
    wave, tau_s = Wave(10.0, dc=3.0), time_constant_s(-180e-6)
    leads = np.angle([passed(core(knee), wave, tau_s)[1] / series(wave, F_HZ)[1] for knee in (4.0, 3.3, 2.0)])
    assert leads[0] == 0
    assert 0 < leads[1] < leads[2]


def test_too_much_alternating_current_saturates_too():
    tau_s = time_constant_s(-180e-6)  # 20 A magnetise with 1.6 A peak
    found = passed(core(1.0), Wave(20.0), tau_s)
    assert abs(found[3]) > 0.01 * abs(found[1])  # odd harmonics, as the core is symmetric
    assert abs(found[2]) < 1e-6 * abs(found[1])
    assert in_phase(found) < in_phase(series(Wave(20.0), F_HZ))


def test_the_time_constant_is_that_of_the_angle():
    for delay_s in (-180e-6, -9e-6):
        assert math.atan(1 / (2 * math.pi * 50 * time_constant_s(delay_s))) == pytest.approx(-2 * math.pi * 50 * delay_s)
    assert time_constant_s(0.0) == math.inf


@pytest.mark.parametrize("name", MODELS)
def test_the_data_say_who_tolerates_direct_current(name):
    own, maximum_a = sensor_model(name), meter_model(name).maximum_current_a
    assert (own.core is None) == (own.kind == "shunt")
    if own.core is not None:
        assert own.core.tolerates_dc(maximum_a) == (name == "three-phase")
        assert own.core.source
        assert own.core.confidence in {"verified", "recalled", "declared"}


def half_wave_error(name, own):
    model = meter_model(name)
    sensor = replace(Sensor.drawn(model, 3), core=own)
    meter = SampledMeter(model, sensor=sensor, constants=factory_constants(model, sensor), seed=3)
    given_signal = signal(230, model.maximum_current_a, phases=model.phases)
    halves = [replace(wave, shape=Shape.HALF) for wave in given_signal.i]
    given_signal = replace(given_signal, i=(halves[0], halves[1], halves[2]))
    p, _ = mean_powers(meter, given_signal, 2)
    return p / (model.phases * 230 * model.maximum_current_a / 2) - 1, meter


def test_a_meter_with_tolerant_transformers_reads_a_half_wave_and_one_without_reads_next_to_nothing():
    error, meter = half_wave_error("three-phase", sensor_model("three-phase").core)
    assert abs(error) < 1e-3
    assert meter._dc_percent(meter.window) < 0.01  # a transformer does not show it: a tamper by DC is not seen
    assert half_wave_error("three-phase", core(0.5, 1e-5))[0] < -0.9
    error, shunt = half_wave_error("single-phase", None)
    assert abs(error) < 1e-3
    assert shunt._dc_percent(shunt.window) == pytest.approx(100 * 0.450158 / 0.707107, rel=2e-2)
