"""The measurement chip: four quadrants by hand, creep threshold, phases."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.meter.chip import PHASES, Phasors, channel_powers, measure
from nyala.vocab.quantities import Channel

U_V, I_A = 230.0, 10.0
S_MVA = 2_300_000
COS_60, SIN_60 = 1_150_000, 1_991_858  # mW and mvar of 2,300 VA at 60 degrees


def one(angle_deg: float, *, i_a: float = I_A, no_load_w: float = 2.3) -> dict[str, int]:
    """The channels that a single-phase load gives to, in mW, mvar and mVA."""
    u_v, currents, angles = (np.array([[value, 0.0, 0.0]]) for value in (U_V, i_a, math.radians(angle_deg)))
    phasors = Phasors(u_v, currents, angles, np.array([50.0]))
    powers = measure(phasors, np.array([no_load_w]))
    return {channel.name: int(powers.channel_mw[0, channel]) for channel in Channel if powers.channel_mw[0, channel]}


# The current lags by the angle.  IEC 62053-23 annex C: Q1 import inductive, Q2 export capacitive, Q3 export inductive,
# Q4 import capacitive.
QUADRANTS = {
    0: {"IMPORT": S_MVA, "IMPORT_VA": S_MVA},
    60: {"IMPORT": COS_60, "Q1": SIN_60, "IMPORT_VA": S_MVA},
    120: {"EXPORT": COS_60, "Q2": SIN_60, "EXPORT_VA": S_MVA},
    180: {"EXPORT": S_MVA, "EXPORT_VA": S_MVA},
    240: {"EXPORT": COS_60, "Q3": SIN_60, "EXPORT_VA": S_MVA},
    300: {"IMPORT": COS_60, "Q4": SIN_60, "IMPORT_VA": S_MVA},
    -60: {"IMPORT": COS_60, "Q4": SIN_60, "IMPORT_VA": S_MVA},
    90: {"Q1": S_MVA, "IMPORT_VA": S_MVA},
    270: {"Q4": S_MVA, "IMPORT_VA": S_MVA},
}


@pytest.mark.parametrize(("angle_deg", "channels"), list(QUADRANTS.items()))
def test_each_quadrant_gives_to_its_own_channels(angle_deg, channels):
    assert one(angle_deg) == channels


@pytest.mark.parametrize(("i_a", "registered"), [(0.0099, False), (0.01001, True), (0.02, True)])
def test_below_the_creep_threshold_nothing_is_registered(i_a, registered):
    # 2.3 W at 230 V are 10 mA, half of the starting current
    assert bool(one(0, i_a=i_a)) is registered
    assert bool(one(180, i_a=i_a)) is registered
    assert bool(one(90, i_a=i_a)) is registered


def test_active_and_reactive_creep_are_judged_apart():
    assert one(89.99) == {"Q1": S_MVA, "IMPORT_VA": S_MVA}
    assert one(0.01) == {"IMPORT": S_MVA, "IMPORT_VA": S_MVA}


def test_the_phases_are_summed_before_the_direction_is_judged():
    u_v, i_a = np.full((1, PHASES), U_V), np.array([[10.0, 4.0, 1.0]])
    angles = np.radians([[0.0, 180.0, 180.0]])
    powers = measure(Phasors(u_v, i_a, angles, np.array([50.0])), np.array([6.9]))
    assert powers.p_w[0] == pytest.approx([2300, -920, -230])
    assert powers.channel_mw[0, Channel.IMPORT] == 1_150_000
    assert powers.channel_mw[0, Channel.EXPORT] == 0


def test_apparent_power_is_the_vector_sum():
    channels = channel_powers(np.array([3.0e3]), np.array([-4.0e3]), np.array([6.9]))[0]
    assert channels[Channel.IMPORT_VA] == 5_000_000


def test_meters_do_not_mix():
    powers = channel_powers(np.array([1000.0, -2000.0, 0.0]), np.array([0.0, 500.0, 0.0]), np.array([2.3, 2.3, 2.3]))
    assert powers[:, Channel.IMPORT].tolist() == [1_000_000, 0, 0]
    assert powers[:, Channel.EXPORT].tolist() == [0, 2_000_000, 0]
    assert powers[:, Channel.Q2].tolist() == [0, 500_000, 0]


@given(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5), st.floats(0, 10))
def test_energy_goes_to_one_direction_and_one_quadrant_and_none_is_negative(p_w, q_var, no_load_w):
    channels = channel_powers(np.array([p_w]), np.array([q_var]), np.array([no_load_w]))[0]
    assert (channels >= 0).all()
    assert np.count_nonzero(channels[[Channel.IMPORT, Channel.EXPORT]]) <= 1
    assert np.count_nonzero(channels[[Channel.Q1, Channel.Q2, Channel.Q3, Channel.Q4]]) <= 1
    assert np.count_nonzero(channels[[Channel.IMPORT_VA, Channel.EXPORT_VA]]) <= 1
    net_mw = int(channels[Channel.IMPORT]) - int(channels[Channel.EXPORT])
    assert net_mw == (0 if abs(p_w) < no_load_w else round(p_w * 1000))
