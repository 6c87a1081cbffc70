"""Pulse outputs: constant, place of the edges, queue; start and no-load."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.meter.model import MODELS, meter_model
from nyala.meter.sampled.energy import STOP, Integrator
from nyala.meter.sampled.pulses import PERIOD_US, WIDTH_US, PulseOutput, output
from nyala.meter.sampled.waveform import signal
from nyala.vocab.quantities import MWS_PER_WH
from tests.unit.meter.sampled.specimens import ideal


@pytest.mark.parametrize("name", MODELS)
def test_the_quantum_is_the_constant_of_the_model(name):
    model = meter_model(name)
    assert output(model.pulses_per_kwh).quantum_mws * model.pulses_per_kwh == 1000 * MWS_PER_WH


def test_edges_stand_where_the_energy_crosses():
    # 4 pulses a second, the first after the rest of 0.5 is filled: at 125, 375, 625, 875 ms
    one = PulseOutput(1_000, rest_mws=500)
    assert one.second(4_000) == (125_000, 375_000, 625_000, 875_000)
    assert one.rest_mws == 500
    assert one.second(-4_000) == (125_000, 375_000, 625_000, 875_000)


@pytest.mark.parametrize(
    ("name", "u_v", "i_a"), [("three-phase", 299, 100), ("three-phase-ct", 299, 10), ("single-phase", 299, 100)]
)
def test_at_the_top_of_the_range_no_pulse_is_lost_or_shortened(name, u_v, i_a):
    # 3 x 299 V x 100 A at 1000 imp/kWh: 24.9 pulses a second, 40.1 ms apart (reference metrology.md 1.7)
    meter, edges, energy = ideal(name), [], 0
    for second in range(8):
        found = meter.second(signal(u_v, i_a, phases=meter.model.phases))
        energy += int(found.energy_mws.sum(axis=(0, 1))[0])
        edges += [second * 1_000_000 + at_us for at_us in meter.pulses_us[0]]
    assert len(edges) == energy // meter.active.quantum_mws
    assert meter.active.waiting == 0
    assert np.diff(edges).min() >= PERIOD_US
    expected_us = 3.6e12 / (meter.model.phases * u_v * i_a * meter.model.pulses_per_kwh)
    settled_us = np.diff([edge for edge in edges if edge > 2_000_000])
    assert settled_us == pytest.approx(expected_us, abs=2)


def test_pulse_and_pause_fit_into_the_period():
    assert WIDTH_US == 35_000
    assert PERIOD_US - WIDTH_US >= 5_000


def test_what_comes_too_fast_waits_and_is_shown_later():
    one = PulseOutput(1_000)
    assert len(one.second(60_000)) == 25
    assert one.waiting == 35
    shown = [one.second(0) for _ in range(3)]
    assert [len(edges) for edges in shown] == [25, 10, 0]
    assert one.emitted == 60


@given(st.lists(st.integers(-200_000, 200_000), max_size=40))
def test_each_quantum_gives_one_pulse_in_order(energies):
    one, edges = PulseOutput(9_973), []
    for second, energy in enumerate(energies):
        edges += [second * 1_000_000 + at_us for at_us in one.second(energy)]
        assert 0 <= one.rest_mws < one.quantum_mws
    total = sum(abs(energy) for energy in energies)
    assert len(edges) + one.waiting == total // one.quantum_mws
    assert one.rest_mws == total % one.quantum_mws
    assert all(later - sooner >= PERIOD_US for sooner, later in pairwise(edges))


def test_no_load_and_start():
    meter = ideal()
    for i_a, registers in ((0.0, False), (0.009, False), (0.02, True), (0.0085, True), (0.0075, False), (0.0095, False)):
        for _ in range(3):
            found = meter.second(signal(230, i_a))
        assert bool(found.energy_mws.any()) is registers, i_a


def test_hysteresis_of_the_threshold():
    one = Integrator(10.0)
    levels = [9.9, 10.0, 10 * STOP + 0.1, 10 * STOP - 0.1, 9.9]
    running = [bool(one.second(np.array([[level, 0.0], [0, 0], [0, 0]])).any()) for level in levels]
    assert running == [False, True, True, False, False]


@settings(max_examples=50)
@given(st.lists(st.floats(-1e5, 1e5).filter(lambda power: abs(power) > 1), min_size=1, max_size=50))
def test_nothing_below_a_milliwatt_second_is_dropped(powers_w):
    one, total = Integrator(0.0), 0
    for power in powers_w:
        total += int(one.second(np.array([[power, 0.0], [0, 0], [0, 0]]))[0, 0])
    assert total == pytest.approx(sum(powers_w) * 1000, abs=0.5 + 1e-6)
