"""The kernels hold to the same arithmetic in plain NumPy, to the last digits; the window; the benchmark's shape."""

import math

import numpy as np
import pytest

from nyala.bench import BENCHES, metrology
from nyala.bench.plain_chain import PlainChip
from nyala.meter.model import meter_model
from nyala.meter.sampled.calibration import factory_constants
from nyala.meter.sampled.chain import Chip
from nyala.meter.sampled.constants import CalibrationConstants, PhaseConstants
from nyala.meter.sampled.kernels import quantise
from nyala.meter.sampled.sensor import Sensor
from nyala.meter.sampled.synthesis import BLOCK, combine, finish, key, noise_keys, shared_basis, synthesise, uniform
from nyala.meter.sampled.window import FADE, RATE_HZ, SPAN, WEIGHT, response
from nyala.vocab.errors import BadArgumentError


def waves(seed, f_hz=50.07, seconds=3):
    """Waves with harmonics, noise and constant parts: seconds x 7 x 8000."""
    random = np.random.default_rng(seed)
    angle = 2 * math.pi * f_hz / RATE_HZ * np.arange(seconds * RATE_HZ)
    peaks = np.array([325.0] * 3 + [20.0] * 4)
    found = random.normal(0, 0.01, (7, len(angle))) * peaks[:, None] + random.uniform(-0.02, 0.02, (7, 1)) * peaks[:, None]
    for order in (1, 3, 5, 11):
        found += peaks[:, None] / order**2 * np.sin(order * angle + random.uniform(0, 6, (7, 1)))
    return found.reshape(7, seconds, RATE_HZ).transpose(1, 0, 2)


def some_constants():
    phases = [PhaseConstants(1.01 + p / 100, 0.98, 1e-6 * (-130 + 200 * p), 0.1 * p, -0.2, 1e-3, 1e-6) for p in range(3)]
    return CalibrationConstants(tuple(phases), 1.003)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(3))
def test_kernels_and_plain_numpy_give_the_same_numbers(seed):
    lsb = Sensor.ideal(meter_model("three-phase")).lsb
    chip = Chip(lsb, 3, 230.0, 50.0, some_constants())
    plain = PlainChip(lsb, 50.0, some_constants())
    for wave in waves(seed):
        quantise(np.ascontiguousarray(wave), 1 / lsb, 2.0**23, chip.codes)
        window = chip.measure()
        values, phasors, neutral_a = plain.second(wave, 2.0**23)
        assert np.array_equal(plain.codes, chip.codes)
        assert np.allclose(window.values, values, rtol=1e-9, atol=1e-7)
        assert np.allclose(window.phasors[:6], phasors, rtol=1e-9, atol=1e-7)
        assert window.neutral_a == pytest.approx(neutral_a, rel=1e-9)
        assert window.f_hz == pytest.approx(plain.f_hz, rel=1e-9)


def test_the_same_codes_give_the_same_bits():
    lsb = Sensor.ideal(meter_model("three-phase")).lsb
    results = []
    for _ in range(2):
        chip = Chip(lsb, 3, 230.0, 50.0, some_constants())
        for wave in waves(1):
            quantise(np.ascontiguousarray(wave), 1 / lsb, 2.0**23, chip.codes)
            window = chip.measure()
        results.append((window.values.tobytes(), window.phasors.tobytes(), window.neutral_a, window.f_hz))
    assert results[0] == results[1]


def test_codes_are_rounded_and_clipped():
    codes = np.zeros((7, 8 + FADE + RATE_HZ))
    wave = np.zeros((7, RATE_HZ))
    wave[0, :4] = [0.4, 0.6, 1e9, -1e9]
    quantise(wave, np.ones(7), 2.0**23, codes)
    assert codes[0, 8 + FADE :][:4].tolist() == [0, 1, 2**23 - 1, -(2**23)]


@pytest.mark.parametrize("delay_us", [-376.0, 375.0, 1e6])
def test_a_delay_beyond_the_history_is_refused(delay_us):
    constants = CalibrationConstants().with_phase(1, PhaseConstants(phase_s=delay_us * 1e-6))
    with pytest.raises(BadArgumentError, match="phase compensation"):
        Chip(np.ones(7), 3, 230.0, 50.0, constants)


def test_a_weight_and_its_complement_sum_to_one_exactly():
    assert len(WEIGHT) == SPAN
    assert np.array_equal(WEIGHT[:FADE] + WEIGHT[RATE_HZ:], np.ones(FADE))
    assert WEIGHT.sum() == RATE_HZ


@pytest.mark.parametrize("offset_hz", [0.0, 0.1, -0.3, 2.5])
def test_the_response_of_the_window_is_its_closed_form(offset_hz):
    n = np.arange(SPAN) - (SPAN - 1) / 2
    offset = 2 * math.pi * offset_hz / RATE_HZ
    assert response(offset) == pytest.approx(float((WEIGHT * np.cos(offset * n)).sum()) / RATE_HZ, abs=1e-6)


def test_what_leaks_from_twice_the_mains_frequency():
    n = np.arange(SPAN)
    worst = max(abs((WEIGHT * np.exp(2j * math.pi * f / RATE_HZ * n)).sum()) for f in np.arange(90, 132, 0.37)) / RATE_HZ
    assert worst < 2e-7


def test_shared_and_exact_synthesis_agree_within_a_code():
    model = meter_model("three-phase")
    sensor = Sensor.drawn(model, 3)
    seen = metrology._codes(sensor)
    angle = 2 * math.pi * 50 / RATE_HZ * np.arange(RATE_HZ)
    codes = [np.zeros((7, 8 + FADE + RATE_HZ)) for _ in range(2)]
    common = noise_keys(3, 0), sensor.sigma_codes, sensor.offset_codes, sensor.limit
    parts = np.ascontiguousarray(seen.real), np.ascontiguousarray(seen.imag)
    synthesise(*parts, np.cos(angle), np.sin(angle), np.empty((7, 0)), *common, codes[0])  # type: ignore[arg-type]
    orders = seen.shape[1]
    basis, shared = np.empty((RATE_HZ // BLOCK, 2 * orders, BLOCK), np.float32), np.empty((7, RATE_HZ), np.float32)
    history = np.zeros((7, 8 + FADE), np.float32)
    shared_basis(0.0, 50 / RATE_HZ, orders, basis)
    combine(np.concatenate([parts[0], -parts[1]], axis=1).astype(np.float32), basis, shared)
    finish(shared, history, *common, codes[1])
    assert np.abs(codes[0] - codes[1]).max() <= 2
    assert np.array_equal(history, codes[1][:, RATE_HZ:])


def test_noise_keys_are_their_own_and_stay_what_they_are():
    keys = {int(value) for seed in range(20) for second in range(20) for value in noise_keys(seed, second)}
    assert len(keys) == 20 * 20 * 7
    assert key(1, 2) == key(1, 2) != key(2, 1)
    assert [round(uniform(1, c), 6) for c in range(3)] == [round(uniform(1, c), 6) for c in range(3)]
    assert abs(np.mean([uniform(7, n) for n in range(2000)])) < 0.05


def test_the_benchmark_gives_its_figures(monkeypatch):
    monkeypatch.setattr(metrology, "ROUNDS", 1)
    monkeypatch.setattr(metrology, "PER_ROUND", 2)
    result = BENCHES["metrology"]()
    assert result["bench"] == "metrology"
    assert {
        "channel_samples_per_s",
        "ratio_to_numpy",
        "synthesis_samples_per_s_exact",
        "synthesis_samples_per_s_shared",
    } <= set(result["figures"])
    assert all(figure > 0 for figure in result["figures"].values())


def test_factory_constants_undo_the_gain():
    model = meter_model("three-phase")
    sensor = Sensor.drawn(model, 1)
    constants = factory_constants(model, sensor)
    assert constants.phases[0].gain_u * sensor.gain[0] == pytest.approx(1.0)
    assert constants.gain_n * sensor.gain[6] == pytest.approx(1.0)
