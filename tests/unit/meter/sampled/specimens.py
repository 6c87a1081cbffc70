"""Specimens and true values for the tests of the sampled fidelity."""

import math

import numpy as np

from nyala.meter.model import meter_model
from nyala.meter.sampled.sensor import Sensor
from nyala.meter.sampled.specimen import SampledMeter

SETTLE_S = 2
"""Seconds until nothing of an earlier signal is in the window."""


def ideal(name="three-phase", **options):
    model = meter_model(name)
    return SampledMeter(model, sensor=Sensor.ideal(model), **options)


def settled(meter, given, seconds=1):
    """The seconds of a signal, after it has settled."""
    for _ in range(SETTLE_S):
        meter.second(given)
    return [meter.second(given) for _ in range(seconds)]


def mean_powers(meter, given, seconds):
    """Total P and Q (W, var) by energy over a test of some seconds."""
    found = settled(meter, given, seconds)
    total = np.sum([second.energy_mws[0].sum(axis=0) for second in found], axis=0)
    return total / 1_000.0 / seconds


def true_powers(u_v, i_a, phi_deg, phases=3):
    s = phases * u_v * i_a
    return s * math.cos(math.radians(phi_deg)), s * math.sin(math.radians(phi_deg))
