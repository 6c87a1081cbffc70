"""Voltage and frequency."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.meter.model import MODELS, meter_model
from nyala.sim.loads.mains import Mains, noise
from nyala.vocab.time import DAY_S

MODEL_ROWS = [meter_model(name) for name in MODELS] * 4
START_S = 1_767_225_600


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**70), instant_s=st.integers(0, 2**32))
def test_voltage_and_frequency_stay_within_their_bounds(seed: int, instant_s: int) -> None:
    mains = Mains(MODEL_ROWS, seed)
    u_v, f_hz = mains.u_v(instant_s), mains.f_hz(instant_s)
    for row, model in enumerate(MODEL_ROWS):
        assert np.all((u_v[row, : model.phases] > 207) & (u_v[row, : model.phases] < 250))
        assert np.all(u_v[row, model.phases :] == 0)
    assert np.all(np.abs(f_hz - 50) <= 0.05)


def test_the_same_seed_gives_the_same_mains_and_a_meter_keeps_its_voltage_in_another_fleet() -> None:
    one, few, other = Mains(MODEL_ROWS, 5), Mains(MODEL_ROWS[:2], 5), Mains(MODEL_ROWS, 6)
    assert np.array_equal(one.u_v(START_S)[:2], few.u_v(START_S))
    assert one.f_hz(START_S)[0] == few.f_hz(START_S)[0]
    assert not np.array_equal(one.u_v(START_S), other.u_v(START_S))


def test_voltage_sags_in_the_evening() -> None:
    mains = Mains(MODEL_ROWS, 1)
    evening, night = (np.mean([mains.u_v(START_S + day * DAY_S + hour * 3600)[:, 0] for day in range(20)]) for hour in (12, 20))
    assert evening < night - 3


def test_the_middle_of_a_segment_is_its_mean() -> None:
    mains = Mains(MODEL_ROWS, 3)
    for start_s in range(START_S, START_S + DAY_S, 900):
        minutes = np.mean([mains.u_v(start_s + 60 * minute + 30) for minute in range(15)], axis=0)
        assert np.allclose(minutes, mains.u_v(start_s + 450), atol=0.01)


def test_noise_is_continuous() -> None:
    keys = np.array([7], np.uint64)
    values = noise(keys, np.arange(START_S, START_S + 7200), 900)
    assert np.max(np.abs(np.diff(values))) <= 2 / 900 + 1e-12
    assert np.std(values) > 0.1
