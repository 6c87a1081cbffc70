"""Random distorted loads: the sampled fidelity against the phasor fidelity, order by order, with the converter's noise and
without.

The phasors of an order are a load of their own: P is the sum over all orders, Q that of the fundamental (the declared
method), U and I are roots of sums of squares.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.meter.chip import Phasors, measure
from nyala.meter.model import meter_model
from nyala.meter.sampled.sensor import Sensor
from nyala.meter.sampled.specimen import SampledMeter
from nyala.meter.sampled.waveform import Harmonic, Signal, Wave
from tests.unit.meter.sampled.specimens import settled

NOISE_LSB = 53  # metrology.md 6.2: a 24-bit converter with 101 dB
CHAIN = 1e-5  # of the apparent power: 0.001 %, what the noiseless chain promises (issue 3)
SIGMAS = 6
TURNS = (0.0, -120.0, 120.0)


@st.composite
def waves(draw, rms, ratio):
    """A wave with some harmonics of 2..40, of any angle; `ratio`: the largest, of the fundamental."""
    orders = draw(st.lists(st.integers(2, 40), max_size=8, unique=True))
    tones = (Harmonic(order, draw(st.floats(0, ratio)), draw(st.floats(-180, 180))) for order in orders)
    return Wave(draw(rms), draw(st.floats(-180, 180)), tuple(tones))


@st.composite
def distorted(draw):
    """A signal: each phase by itself, voltages around their places."""
    voltages = [draw(waves(st.floats(160, 299), 0.15)) for _ in range(3)]
    voltages = [replace(wave, deg=turn + wave.deg / 18) for wave, turn in zip(voltages, TURNS, strict=True)]
    # eight harmonics of 60 % on 24 A are 197 A peak where all meet: the converter ends at 200 A (clipping is no noise)
    currents = [draw(waves(st.floats(0.03, 24), 0.6)) for _ in range(3)]
    return Signal(tuple(voltages), tuple(currents), draw(st.one_of(st.floats(47.5, 52.5), st.floats(57, 63))))


@dataclass
class Truth:
    """Of three phases: P in W, Q of the fundamental in var, U in V, I in A."""

    p_w: np.ndarray
    q_var: np.ndarray
    u_v: np.ndarray
    i_a: np.ndarray


def of_order(wave, order):
    """RMS and angle of an order."""
    if order == 1:
        return wave.rms, wave.deg
    found = next((tone for tone in wave.harmonics if tone.order == order), Harmonic(order, 0.0))
    return wave.rms * found.ratio, found.deg + order * wave.deg


def phasor_truth(given_signal):
    """What the phasor fidelity says of each order, put together."""
    totals = np.zeros((4, 3))
    for order in range(1, 41):
        u, i = (np.array([of_order(wave, order) for wave in three]).T for three in (given_signal.u, given_signal.i))
        angle = np.radians(u[1] - i[1])
        powers = measure(Phasors(u[:1], i[:1], angle[None], np.array([given_signal.f_hz * order])), np.zeros(1))
        totals += [powers.p_w[0], powers.q_var[0] if order == 1 else np.zeros(3), u[0] ** 2, i[0] ** 2]
    return Truth(totals[0], totals[1], np.sqrt(totals[2]), np.sqrt(totals[3]))


def agree(second, truth, noise_w=0.0, u_noise_v=0.0, i_noise_a=0.0):
    """Within the chain's promise and what is given beside it."""
    share = CHAIN * truth.u_v * truth.i_a
    assert np.all(np.abs(second.p_w[0] - truth.p_w) <= share + noise_w)
    assert np.all(np.abs(second.q_var[0] - truth.q_var) <= share + noise_w)
    assert np.all(np.abs(second.u_v[0] - truth.u_v) <= CHAIN * truth.u_v + u_noise_v)
    assert np.all(np.abs(second.i_a[0] - truth.i_a) <= CHAIN * truth.i_a + i_noise_a)


@settings(max_examples=40, deadline=None)
@given(distorted())
def test_without_noise_a_distorted_load_is_read_as_documented(given_signal):
    model = meter_model("three-phase")
    meter = SampledMeter(model, sensor=Sensor.ideal(model))
    second = settled(meter, given_signal)[0]
    truth = phasor_truth(given_signal)
    agree(second, truth)
    assert abs(second.f_hz[0] - given_signal.f_hz) < 1e-3
    if abs(truth.p_w.sum()) > 1.001 * model.no_load_w:  # each mW-second of it is energy, but one that may be carried
        assert np.all(np.abs(second.energy_mws[0, :, 0] - 1000 * second.p_w[0]) <= 1.0)


@settings(max_examples=40, deadline=None)
@given(distorted(), st.integers(0, 2**32))
def test_with_the_converters_noise_a_distorted_load_agrees_within_it(given_signal, seed):
    model = meter_model("three-phase")
    sensor = replace(Sensor.ideal(model), sigma_codes=np.full(7, float(NOISE_LSB)), limit=2.0**23)
    second = settled(SampledMeter(model, sensor=sensor, seed=seed), given_signal)[0]
    truth = phasor_truth(given_signal)
    sigma_v, sigma_a = NOISE_LSB * sensor.lsb[0], NOISE_LSB * sensor.lsb[3]
    sigma_w = np.hypot(sigma_a * truth.u_v, sigma_v * truth.i_a) / math.sqrt(8_000)  # metrology.md 6.2
    # the noise of U and I adds in squares, and its own power stays in (nothing was calibrated)
    sigma_u, bias_v = sigma_v / math.sqrt(8_000), truth.u_v - np.sqrt(truth.u_v**2 - sigma_v**2)
    sigma_i, bias_a = sigma_a / math.sqrt(8_000), np.sqrt(truth.i_a**2 + sigma_a**2) - truth.i_a
    agree(second, truth, SIGMAS * sigma_w, SIGMAS * sigma_u + bias_v, SIGMAS * sigma_i + bias_a)
