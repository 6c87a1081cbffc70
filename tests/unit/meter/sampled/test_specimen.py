"""What a specimen says of signals and faults, its sensors and noise; the sampled and the phasor fidelity agree."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.meter.chip import Phasors, channel_powers, measure
from nyala.meter.model import MODELS, meter_model
from nyala.meter.sampled import faults
from nyala.meter.sampled.sensor import Sensor, sensor_model
from nyala.meter.sampled.specimen import SampledMeter
from nyala.meter.sampled.waveform import Event, Harmonic, Shape, Wave, series, signal, spectrum
from nyala.vocab.errors import BadArgumentError, UnknownError
from tests.unit.meter.sampled.specimens import ideal, settled

LOAD = signal(230, 5, 30)


def second_of(load, name="three-phase"):
    return settled(ideal(name), load)[0]


def test_a_balanced_load_has_nothing_left_over():
    second = second_of(LOAD)
    assert second.sequence.tolist() == [1]
    for value in (second.neutral_a, second.residual_a, second.u0_v):
        assert value[0] == pytest.approx(0.0, abs=1e-6)


def test_sequence():
    assert second_of(faults.phases_swapped(LOAD, 0, 1)).sequence.tolist() == [-1]
    assert second_of(faults.phase_lost(LOAD, 2)).sequence.tolist() == [0]
    assert second_of(signal(230, 5, phases=1), "single-phase").sequence.tolist() == [0]
    assert second_of(faults.phases_swapped(LOAD, 0, 1)).p_w.sum() == pytest.approx(3450 * math.cos(math.pi / 6), rel=1e-5)


def test_a_lost_phase_and_its_star_point():
    second = second_of(faults.phase_lost(LOAD, 1))
    assert second.u_v[0] == pytest.approx([230, 0, 230], abs=1e-4)
    assert second.u0_v[0] == pytest.approx(230 / 3, rel=1e-5)
    assert second.neutral_a[0] == pytest.approx(5.0, rel=1e-5)
    assert second.residual_a[0] == pytest.approx(0.0, abs=1e-6)


def test_voltages_swapped_turn_the_power_of_two_phases():
    second = second_of(faults.voltages_swapped(LOAD, 0, 1))
    assert second.sequence.tolist() == [-1]
    assert second.p_w[0] == pytest.approx(1150 * np.cos(np.radians([-90, 150, 30])), abs=1e-2)


def test_a_reversed_current_is_export_of_its_phase_and_shows_as_residual():
    second = second_of(faults.current_reversed(LOAD, 2))
    assert second.p_w[0] == pytest.approx(np.array([1, 1, -1]) * 1150 * math.cos(math.pi / 6), rel=1e-5)
    assert second.residual_a[0] == pytest.approx(10.0, rel=1e-5)


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_a_bypass_is_missing_at_the_phase_and_shows_as_residual(share):
    second = second_of(faults.bypassed(LOAD, 0, share))
    assert second.i_a[0] == pytest.approx([5 * (1 - share), 5, 5], abs=1e-4)
    assert second.residual_a[0] == pytest.approx(5 * share, rel=1e-5)


def test_a_bypass_of_a_single_phase_meter_is_seen_by_the_neutral():
    second = second_of(faults.bypassed(signal(230, 5, phases=1), 0, 0.4), "single-phase")
    assert second.i_a[0, 0] == pytest.approx(3.0, rel=1e-5)
    assert second.neutral_a[0] == pytest.approx(5.0, rel=1e-5)


def test_an_open_ct():
    second = second_of(faults.ct_open(LOAD, 1), "three-phase-ct")
    assert second.i_a[0] == pytest.approx([5, 0, 5], abs=1e-4)
    assert second.u_v[0, 1] == pytest.approx(230, rel=1e-5)


def test_a_missing_neutral():
    assert second_of(faults.neutral_missing(signal(230, 5, phases=1)), "single-phase").u_v[0, 0] == pytest.approx(0, abs=1e-6)
    uneven = replace(LOAD, i=(Wave(8.0, 0.0), Wave(2.0, -120.0), Wave(5.0, 120.0)))
    second = second_of(faults.neutral_missing(uneven))
    assert second.u0_v[0] > 23  # the star point has moved by more than a tenth of the nominal voltage
    assert second.neutral_a[0] == pytest.approx(0.0, abs=1e-6)
    assert second.residual_a[0] == pytest.approx(0.0, abs=1e-6)


def test_a_dip_within_a_second_takes_its_share():
    dip = Event(200_000, 300_000, (0.4, 0.4, 0.4, 1, 1, 1, 1))
    meter = ideal()
    settled(meter, LOAD)
    second = meter.second(replace(LOAD, events=(dip,)))
    assert second.u_v[0] == pytest.approx([230 * math.sqrt(0.9 + 0.1 * 0.16)] * 3, rel=1e-3)
    assert second.p_w[0] == pytest.approx([1150 * math.cos(math.pi / 6) * 0.94] * 3, rel=1e-3)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Wave(230, harmonics=(Harmonic(1, 0.1),)),
        lambda: Wave(230, harmonics=(Harmonic(41, 0.1),)),
        lambda: Wave(230, burst=(0, 1)),
        lambda: Event(5, 5, (1,) * 7),
        lambda: Event(0, 1_000_001, (1,) * 7),
        lambda: Event(0, 5, (1,) * 6),
        lambda: spectrum(replace(LOAD, f_hz=20.0)),
        lambda: faults.bypassed(LOAD, 0, 1.2),
        lambda: faults.ct_open(LOAD, 0) and faults.phase_lost(LOAD, 3),
    ],
)
def test_signals_that_cannot_be_are_refused(make):
    with pytest.raises(BadArgumentError):
        make()


@pytest.mark.parametrize("shape", [Shape.HALF, Shape.FIRED])
def test_series_of_cut_waves_are_those_of_a_numeric_transform(shape):
    # 4096 steps of a cycle; where the fired wave jumps, the mean of both sides
    theta = 2 * math.pi * np.arange(4096) / 4096
    sine = np.sin(theta)
    if shape is Shape.HALF:
        wave = np.maximum(sine, 0)
    else:
        wave = np.where(np.sin(2 * theta) < -1e-12, sine, 0.0)
        wave[[1024, 3072]] = [0.5, -0.5]
    numeric = np.fft.rfft(wave)[:60] / 2048
    numeric[0] /= 2
    found = series(Wave(1 / math.sqrt(2), shape=shape), 50.0)[:60]
    assert np.abs(found - numeric).max() < 1e-4


def test_harmonics_are_found_with_amplitude_and_angle():
    tones = (Harmonic(2, 0.02, 40.0), Harmonic(5, 0.1, -70.0), Harmonic(40, 0.01, 10.0))
    meter = ideal()
    for f_hz in (47.5, 50.03, 52.4):
        settled(meter, signal(230, 5, 20, f_hz=f_hz, u_harmonics=tones, i_harmonics=tones))
        found = meter.harmonics()
        for tone in tones:
            assert found.rms[:6, tone.order] == pytest.approx([230 * tone.ratio] * 3 + [5 * tone.ratio] * 3, rel=2e-3)
            assert found.deg[:6, tone.order] == pytest.approx([tone.deg] * 6, abs=0.2)
        thd = 100 * math.sqrt(sum(tone.ratio**2 for tone in tones))
        assert found.thd_percent[:6] == pytest.approx([thd] * 6, rel=1e-3)
        others = [order for order in range(2, 41) if order not in {2, 5, 40}]
        assert found.rms[:3, others].max() < 230 * 1e-5


def test_the_same_seed_gives_the_same_run_and_another_does_not():
    def run(seed):
        meter = SampledMeter(meter_model("three-phase"), seed=seed)
        return [meter.second(LOAD).p_w.tobytes() for _ in range(3)]

    assert run(4) == run(4)
    assert run(4) != run(5)


def test_the_noise_of_the_converter_has_its_size_and_no_memory():
    meter = SampledMeter(meter_model("three-phase"), seed=2)
    silent = signal(0, 0)
    meter.second(silent)
    codes = meter.chip.codes[:, 1608:]
    assert codes.std(axis=1) == pytest.approx([53.0] * 7, rel=0.03)
    codes = codes - codes.mean(axis=1, keepdims=True)
    assert np.corrcoef(codes[:, 1:].ravel(), codes[:, :-1].ravel())[0, 1] == pytest.approx(0, abs=0.02)
    assert np.abs(np.corrcoef(codes) - np.eye(7)).max() < 0.05


def test_a_converter_clips_at_full_scale():
    meter = SampledMeter(meter_model("three-phase-ct"), seed=1)
    second = settled(meter, signal(230, 20))[0]
    assert meter.chip.codes[3].max() == 2**23 - 1
    assert second.i_a[0].max() < 20 * 0.85


@pytest.mark.parametrize("name", MODELS)
def test_every_model_has_sensors_that_reach_beyond_its_range(name):
    model, sensors = meter_model(name), sensor_model(name)
    assert sensors.name == name
    assert sensors.full_scale_a > math.sqrt(2) * 1.2 * max(model.maximum_current_choices_a)
    assert sensors.full_scale_v > math.sqrt(2) * 1.3 * model.nominal_voltage_v
    shares = [point[0] for point in sensors.curve]
    assert shares == sorted(shares)
    assert (1.0, 0.0, 0.0) in sensors.curve


def test_an_unknown_model_has_no_sensors():
    with pytest.raises(UnknownError, match="four-phase"):
        sensor_model("four-phase")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(160, 299), min_size=3, max_size=3),
    st.lists(st.floats(0.03, 100), min_size=3, max_size=3),
    st.lists(st.floats(-180, 180), min_size=3, max_size=3),
    st.floats(47.5, 52.5),
    st.integers(0, 2**32),
)
def test_the_sampled_and_the_phasor_fidelity_agree_within_the_noise(u_v, i_a, phi_deg, f_hz, seed):
    model = meter_model("three-phase")
    quiet = Sensor.ideal(model)
    sensor = replace(quiet, sigma_codes=np.full(7, 53.0), limit=2.0**23)
    meter = SampledMeter(model, sensor=sensor, seed=seed)
    turns = [-120.0 * phase for phase in range(3)]
    load = replace(
        signal(230, 5, f_hz=f_hz),
        u=tuple(Wave(u, turn) for u, turn in zip(u_v, turns, strict=True)),  # type: ignore[arg-type]
        i=tuple(Wave(i, turn - phi) for i, turn, phi in zip(i_a, turns, phi_deg, strict=True)),  # type: ignore[arg-type]
    )
    second = settled(meter, load)[0]
    truth = measure(Phasors(np.array([u_v]), np.array([i_a]), np.radians([phi_deg]), np.array([f_hz])), np.zeros(1))
    sigma_u, sigma_i = 53 * sensor.lsb[0], 53 * sensor.lsb[3]
    # reference metrology.md 6.2: the noise of P over a second, and what the window leaves
    sigma = np.hypot(sigma_i * np.array(u_v), sigma_u * np.array(i_a)) / math.sqrt(8000)
    allowed = 6 * sigma + 1e-6 * np.array(u_v) * np.array(i_a)
    assert np.all(np.abs(second.p_w - truth.p_w)[0] < allowed)
    assert np.all(np.abs(second.q_var - truth.q_var)[0] < allowed)
    channels = channel_powers(second.p_w.sum(axis=1), second.q_var.sum(axis=1), np.zeros(1))
    assert np.abs(channels[0, [0, 1]] - truth.channel_mw[0, [0, 1]]).max() < 1000 * allowed.sum() + 1
