"""The noiseless chain against closed forms (reference metrology.md 1.8 and 6.2)."""

import math
from dataclasses import replace

import numpy as np
import pytest

from nyala.meter.sampled.waveform import Harmonic, Shape, Wave, signal
from tests.unit.meter.sampled.specimens import ideal, mean_powers, settled, true_powers

LIMIT = 1e-5  # 0.001 %
PHI_DEG = {"1": 0.0, "0.5L": 60.0, "0.8C": -math.degrees(math.acos(0.8)), "0.25L": math.degrees(math.acos(0.25))}
FREQUENCIES_HZ = (47.5, 48.37, 49.6, 50.0, 50.31, 52.5, 57.0, 59.9, 60.0, 63.0)
CURRENTS_A = (0.05, 0.25, 5.0, 100.0)  # 0.01 Ib, Imin, Ib, Imax of the direct-connected model


@pytest.mark.parametrize("f_hz", FREQUENCIES_HZ)
@pytest.mark.parametrize("pf", PHI_DEG)
def test_the_noiseless_chain_is_within_a_thousandth_of_a_percent(f_hz, pf):
    meter = ideal()
    for i_a, share in zip(CURRENTS_A, (0.7, 1.3, 1.0, 0.85), strict=True):
        second = settled(meter, signal(230 * share, i_a, PHI_DEG[pf], f_hz=f_hz))[0]
        p, q = true_powers(230 * share, i_a, PHI_DEG[pf], phases=1)
        assert second.p_w[0] == pytest.approx([p] * 3, rel=LIMIT)
        assert second.q_var[0] == pytest.approx([q] * 3, rel=LIMIT, abs=LIMIT * 230 * i_a)
        assert second.u_v[0] == pytest.approx([230 * share] * 3, rel=LIMIT)
        assert second.i_a[0] == pytest.approx([i_a] * 3, rel=LIMIT)
        assert second.f_hz[0] == pytest.approx(f_hz, abs=1e-4)


@pytest.mark.parametrize(("u_v", "currents_a"), [(230.0, (0.01, 0.05, 5.0, 6.0)), (57.7, (0.05, 5.0))])
def test_the_ct_model_at_both_voltages(u_v, currents_a):
    meter = ideal("three-phase-ct", nominal_v=u_v)
    for i_a in currents_a:
        for phi_deg in PHI_DEG.values():
            p, q = true_powers(u_v, i_a, phi_deg)
            found_p, found_q = mean_powers(meter, signal(u_v, i_a, phi_deg, f_hz=50.2), 4)
            assert found_p == pytest.approx(p, rel=LIMIT, abs=5e-4)  # a mW-second of each phase may still be carried
            assert found_q == pytest.approx(q, rel=LIMIT, abs=5e-4)


def test_energy_over_a_test_has_the_error_of_the_windows():
    p, q = mean_powers(ideal(), signal(230, 5, 60, f_hz=49.7), 10)
    assert p == pytest.approx(1725.0, rel=LIMIT)
    assert q == pytest.approx(3450 * math.sin(math.pi / 3), rel=LIMIT)


def test_every_sample_counts_once_when_a_load_comes_and_goes():
    # 50 Hz, on for 3 s from a zero crossing: 3 x 230 x 5 x 3 J, whatever the windows
    meter, on = ideal(), signal(230, 5, 0)
    off = replace(on, i=(Wave(),) * 3)
    seconds = [meter.second(given) for given in (off, off, on, on, on, off, off)]
    total = np.sum([second.energy_mws[0, :, 0] for second in seconds])
    assert total == pytest.approx(3 * 230 * 5 * 3 * 1000, rel=1e-5)


def test_the_fifth_harmonic_adds_what_the_closed_form_says():
    given = signal(230, 5, u_harmonics=(Harmonic(5, 0.1),), i_harmonics=(Harmonic(5, 0.4),))
    second = settled(ideal(), given)[0]
    assert second.p_w[0] / 1150 == pytest.approx([1.0400] * 3, abs=5e-4)
    assert second.p_w[0] / 1150 == pytest.approx([1.0400] * 3, abs=1e-6)
    assert second.q_var[0] / 1150 == pytest.approx([0.0] * 3, abs=1e-6)
    assert second.i_a[0] / 5 == pytest.approx([1.07703] * 3, abs=1e-5)
    assert second.u_v[0] / 230 == pytest.approx([1.004988] * 3, abs=1e-6)


def shaped(**kind):
    given = signal(230, 5)
    first, second, third = (replace(wave, **kind) for wave in given.i)
    return replace(given, i=(first, second, third))


@pytest.mark.parametrize("f_hz", [47.5, 50.0, 50.2])
def test_the_fired_wave(f_hz):
    second = settled(ideal(), replace(shaped(shape=Shape.FIRED), f_hz=f_hz))[0]
    assert second.p_w[0] / 1150 == pytest.approx([0.5] * 3, abs=1e-6)
    assert second.q_var[0] / 1150 == pytest.approx([0.318310] * 3, abs=1e-6)
    assert second.i_a[0] / 5 == pytest.approx([0.707107] * 3, rel=3e-3)  # the series ends below half the sampling rate


def test_the_half_wave_and_its_constant_part():
    second = settled(ideal(), shaped(shape=Shape.HALF))[0]
    assert second.p_w[0] / 1150 == pytest.approx([0.5] * 3, abs=1e-6)
    assert second.q_var[0] / 1150 == pytest.approx([0.0] * 3, abs=1e-6)
    assert second.dc_percent[0] == pytest.approx(100 * 0.450158 / 0.707107, rel=1e-4)


def test_bursts_of_two_cycles_are_half_the_energy():
    # 12.5 periods of the burst in a second: two seconds are whole periods
    p, q = mean_powers(ideal(), shaped(burst=(2, 2)), 4)
    assert p / 3450 == pytest.approx(0.5, abs=2e-4)
    assert q / 3450 == pytest.approx(0.0, abs=2e-4)


def test_flicker_adds_the_power_of_its_side_bands():
    given = replace(signal(230, 5), flicker=0.05, flicker_hz=8.0)
    second = settled(ideal(), given)[0]
    assert second.u_v[0] / 230 == pytest.approx([math.sqrt(1 + 0.05**2 / 2)] * 3, rel=1e-5)
    assert second.p_w[0] / 1150 == pytest.approx([1.0] * 3, rel=1e-4)


def test_a_constant_part_of_voltage_and_current_is_no_energy():
    given = signal(230, 5)
    u = tuple(replace(wave, dc=20.0) for wave in given.u)
    i = tuple(replace(wave, dc=1.0) for wave in given.i)
    given = replace(given, u=u, i=i)  # type: ignore[arg-type]
    second = settled(ideal(), given)[0]
    assert second.p_w[0] == pytest.approx([1150.0] * 3, rel=LIMIT)
    assert second.i_a[0] == pytest.approx([5.0] * 3, rel=LIMIT)


def test_the_phase_runs_on_across_seconds_off_nominal():
    meter = ideal("single-phase")
    given = signal(230, 5, f_hz=49.37, phases=1)
    meter.second(given)
    meter.second(given)
    wave = meter.chip.codes[0] * meter.sensor.lsb[0]
    n = np.arange(len(wave)) + 2 * 8000 - len(wave)
    expected = 230 * math.sqrt(2) * np.sin(2 * math.pi * 49.37 / 8000 * n)
    assert np.abs(wave - expected).max() < 1e-8


@pytest.mark.parametrize(("before_hz", "after_hz"), [(50.0, 50.3), (50.0, 52.5), (47.5, 63.0)])
def test_a_step_of_frequency_is_followed(before_hz, after_hz):
    meter = ideal()
    settled(meter, signal(230, 5, 60, f_hz=before_hz))
    second = settled(meter, signal(230, 5, 60, f_hz=after_hz))[0]
    assert second.f_hz[0] == pytest.approx(after_hz, abs=1e-4)
    assert second.q_var[0] == pytest.approx([1150 * math.sin(math.pi / 3)] * 3, rel=LIMIT)
