"""Three-point calibration of drawn specimens, accuracy afterwards, temperature; constants as bytes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.meter.model import meter_model
from nyala.meter.sampled.calibration import Found, factory_constants, gain_and_phase, noise, offsets
from nyala.meter.sampled.constants import SIZE, CalibrationConstants, PhaseConstants
from nyala.meter.sampled.sensor import Sensor
from nyala.meter.sampled.specimen import SampledMeter
from nyala.meter.sampled.waveform import signal
from nyala.vocab.errors import BadArgumentError, ForeignError
from tests.unit.meter.sampled.specimens import mean_powers, settled, true_powers

MODELS_AND_SMALL_A = [("single-phase", 0.1), ("three-phase", 0.1), ("three-phase-ct", 0.01)]
RANGE_A = {"single-phase": (0.02, 0.25, 5, 100), "three-phase": (0.02, 0.25, 5, 100), "three-phase-ct": (0.0012, 0.05, 1, 6)}
PER_KELVIN = {"single-phase": 0.05e-2, "three-phase": 0.05e-2, "three-phase-ct": 0.03e-2}  # IEC 62053-21/-22, PF 1


def powers(meter, load, seconds):
    """Mean P and Q per phase, and U, over some seconds."""
    found = settled(meter, load, seconds)
    return [np.mean([getattr(second, name)[0] for second in found], axis=0) for name in ("p_w", "q_var", "u_v", "i_a")]


def calibrated(name, seed, small_a):
    model = meter_model(name)
    meter = SampledMeter(model, seed=seed)
    phases, u_v, i_a = model.phases, model.nominal_voltage_v, model.basic_current_a
    unity, _, voltage, _ = powers(meter, signal(u_v, i_a, phases=phases), 2)
    lagging = powers(meter, signal(u_v, i_a, 60, phases=phases), 2)[0]
    constants = meter.constants
    for phase in range(phases):
        found = Found(voltage[phase] / u_v - 1, unity[phase] / (u_v * i_a) - 1, lagging[phase] / (u_v * i_a / 2) - 1)
        constants = constants.with_phase(phase, gain_and_phase(constants.phases[phase], found, 50.0))
    meter.constants = constants
    p, q, _, _ = powers(meter, signal(u_v, small_a, phases=phases), 20)
    open_a = powers(meter, signal(u_v, 0.0, phases=phases), 4)[3]
    for phase in range(phases):
        own = offsets(constants.phases[phase], float(p[phase] - u_v * small_a), float(q[phase]))
        constants = constants.with_phase(phase, noise(own, 0.0, float(open_a[phase])))
    meter.constants = constants
    return meter


@pytest.mark.parametrize(("name", "small_a"), MODELS_AND_SMALL_A)
@pytest.mark.parametrize("seed", [1, 2])
def test_after_calibration_the_default_sensor_is_good_over_5000_to_1(name, small_a, seed):
    meter = calibrated(name, seed, small_a)
    u_v, phases = meter.model.nominal_voltage_v, meter.model.phases
    for i_a in RANGE_A[name]:
        seconds = 40 if i_a < 0.1 else 4
        for phi_deg in (0.0, 60.0, -math.degrees(math.acos(0.8))):
            p, _ = mean_powers(meter, signal(u_v, i_a, phi_deg, phases=phases), seconds)
            assert p / true_powers(u_v, i_a, phi_deg, phases)[0] == pytest.approx(1.0, abs=1e-3), (i_a, phi_deg)
        for phi_deg in (90.0, 30.0):
            _, q = mean_powers(meter, signal(u_v, i_a, phi_deg, phases=phases), seconds)
            assert q / true_powers(u_v, i_a, phi_deg, phases)[1] == pytest.approx(1.0, abs=2e-3), (i_a, phi_deg)


@pytest.mark.parametrize(("name", "small_a"), MODELS_AND_SMALL_A)
def test_temperature_stays_within_the_coefficient_of_the_class(name, small_a):
    model = meter_model(name)
    meter = SampledMeter(model, seed=5)
    meter.constants = factory_constants(model, meter.sensor)
    found = {}
    for temperature_c in (23.0, 55.0, -25.0):
        meter.temperature_c = temperature_c
        load = signal(model.nominal_voltage_v, model.basic_current_a, phases=model.phases)
        found[temperature_c] = mean_powers(meter, load, 2)[0]
    for temperature_c in (55.0, -25.0):
        change = found[temperature_c] / found[23.0] - 1
        assert 0 < abs(change) / abs(temperature_c - 23.0) < PER_KELVIN[name]


def test_factory_constants_are_what_a_good_laboratory_finds():
    model = meter_model("three-phase")
    sensor = Sensor.drawn(model, 9)
    meter = SampledMeter(model, sensor=sensor, constants=factory_constants(model, sensor), seed=9)
    for i_a, phi_deg in ((0.02, 0.0), (5.0, 60.0), (100.0, -36.87)):
        p, _ = mean_powers(meter, signal(230, i_a, phi_deg), 20 if i_a < 1 else 2)
        assert p / true_powers(230, i_a, phi_deg)[0] == pytest.approx(1.0, abs=1e-3)


def test_an_uncalibrated_specimen_is_off_by_more_than_its_class():
    meter = SampledMeter(meter_model("three-phase"), seed=1)
    p, _ = mean_powers(meter, signal(230, 5, 60), 2)
    assert abs(p / 1725 - 1) > 0.02


@given(st.floats(-0.05, 0.05), st.floats(-0.05, 0.05), st.floats(-0.08, 0.08))
def test_gain_and_phase_are_solved_exactly(gain_u, gain_i, late_rad):
    w = 2 * math.pi * 50
    gain = (1 + gain_u) * (1 + gain_i)
    found = Found(gain_u, gain * math.cos(late_rad) - 1, gain * math.cos(math.pi / 3 + late_rad) / 0.5 - 1)
    new = gain_and_phase(PhaseConstants(), found, 50.0)
    assert new.gain_u * (1 + gain_u) == pytest.approx(1.0)
    assert new.gain_i * (1 + gain_i) == pytest.approx(1.0)
    assert new.phase_s == pytest.approx(-late_rad / w, abs=1e-12)


@pytest.mark.parametrize("found", [Found(0.6, 0, 0), Found(0, -0.51, 0), Found(0, 0, 0.9)])
def test_a_broken_meter_is_not_calibrated(found):
    with pytest.raises(BadArgumentError, match="not for calibration"):
        gain_and_phase(PhaseConstants(), found, 50.0)


VALUES = st.floats(-1e3, 1e3)
CONSTANTS = st.builds(CalibrationConstants, st.tuples(*[st.builds(PhaseConstants, *[VALUES] * 7)] * 3), VALUES)


@given(CONSTANTS)
def test_constants_read_back(constants):
    data = constants.to_bytes()
    assert len(data) == SIZE
    assert CalibrationConstants.from_bytes(data) == constants


@given(CONSTANTS, st.integers(0, SIZE * 8 - 1))
def test_any_flipped_bit_is_found(constants, bit):
    data = bytearray(constants.to_bytes())
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ForeignError):
        CalibrationConstants.from_bytes(bytes(data))


@given(st.binary(max_size=SIZE + 4))
def test_any_bytes_are_constants_or_refused(data):
    with pytest.raises(ForeignError):
        CalibrationConstants.from_bytes(data)


def test_another_version_is_refused():
    import struct
    import zlib

    body = b"\x02" + CalibrationConstants().to_bytes()[1:-4]
    with pytest.raises(ForeignError, match="version 2"):
        CalibrationConstants.from_bytes(body + struct.pack("<I", zlib.crc32(body)))


def test_the_checksum_names_the_constants():
    assert CalibrationConstants().checksum() != CalibrationConstants(gain_n=1.001).checksum()
