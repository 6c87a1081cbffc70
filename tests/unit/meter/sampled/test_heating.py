"""Self-heating of the current sensors, against the exponential of one time constant, and in the readings of a meter."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.meter.model import MODELS, meter_model
from nyala.meter.sampled.calibration import factory_constants
from nyala.meter.sampled.heating import Heating
from nyala.meter.sampled.sensor import Sensor, sensor_model
from nyala.meter.sampled.specimen import SampledMeter
from nyala.meter.sampled.waveform import Shape, signal

OWN = Heating(40.0, 100.0, 600.0, "test", "declared")
LIMIT_PCT = {"single-phase": 0.7, "three-phase": 0.7, "three-phase-ct": 0.2}  # metrology.md 1.8, PF 1


@given(st.floats(0, 60), st.floats(0, 130), st.integers(1, 200))
def test_steps_of_a_second_are_the_exponential(start_k, current_a, seconds):
    rise = np.full(7, start_k)
    for _ in range(seconds):
        rise = OWN.after(rise, np.full(7, current_a**2))
    end = 40.0 * (current_a / 100) ** 2
    assert rise == pytest.approx(end + (start_k - end) * math.exp(-seconds / 600), abs=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_warms_within_its_class(name):
    own, model = sensor_model(name), meter_model(name)
    assert own.heating.source
    assert own.heating.confidence in {"verified", "recalled", "declared"}
    rise = own.heating.rise_k * (model.maximum_current_a / own.heating.at_a) ** 2
    assert 0 < 100 * rise * own.temperature_spread_ppm_per_k * 1e-6 < LIMIT_PCT[name]
    assert own.heating.time_constant_s < 3600 / 3  # the hour of the test is enough


def heated(name="single-phase", **own):
    """A specimen that warms fast, without noise, and by a coefficient that is known."""
    model = meter_model(name)
    sensor = replace(Sensor.drawn(model, 1), per_k=np.full(7, 50e-6), heating=Heating(40.0, 100.0, 20.0, "test", "declared"))
    sensor = replace(sensor, sigma_codes=np.zeros(7), **own)
    return SampledMeter(model, sensor=sensor, constants=factory_constants(model, sensor))


def powers(meter, load, seconds):
    return [float(meter.second(load).p_w[0, 0]) for _ in range(seconds)]


def test_the_reading_follows_the_temperature_of_the_shunt():
    meter, load = heated(), signal(230, 100, phases=1)
    found = powers(meter, load, 100)
    # the window is 0.1 s late; what a second warms counts from the next one on
    for second in (10, 40, 99):
        rise = 40.0 * (1 - math.exp(-(second - 0.1) / 20.0))
        assert found[second] / found[1] - 1 == pytest.approx(50e-6 * (rise - 40 * (1 - math.exp(-0.9 / 20))), abs=3e-6)
    assert found[-1] / found[1] - 1 == pytest.approx(50e-6 * 40, rel=0.06)


def test_it_cools_again_and_voltage_alone_warms_nothing():
    meter = heated()
    powers(meter, signal(230, 100, phases=1), 60)
    assert meter.rise_k[3] == pytest.approx(40 * (1 - math.exp(-3)), rel=1e-6)
    powers(meter, signal(230, 0, phases=1), 200)
    assert meter.rise_k.max() < 0.01
    assert np.all(meter.rise_k[:3] == 0)


def test_only_the_loaded_phase_warms_and_harmonics_and_direct_current_count():
    meter = heated("three-phase", core=None)
    given_signal = signal(230, 70)
    first, second, third = given_signal.i
    load = replace(given_signal, i=(first, replace(second, rms=0.0), replace(third, shape=Shape.HALF)))
    powers(meter, load, 400)
    # the series of a half wave ends below half the sampling rate
    assert meter.rise_k[3:6] == pytest.approx([40 * 0.49, 0.0, 40 * 0.245], rel=1e-3)


def test_a_burst_warms_by_the_share_that_flows():
    meter = heated()
    load = signal(230, 100, phases=1)
    wave = replace(load.i[0], burst=(1, 1))
    powers(meter, replace(load, i=(wave, load.i[1], load.i[2])), 400)
    assert meter.rise_k[3] == pytest.approx(20.0, rel=1e-3)


def test_an_ideal_sensor_stays_cold():
    meter = SampledMeter(meter_model("single-phase"), sensor=Sensor.ideal(meter_model("single-phase")))
    powers(meter, signal(230, 100, phases=1), 5)
    assert not meter.rise_k.any()
