"""The fleet's second against the bank's own: the same registers, the same alarms; and against plain NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.bench.fleet import phasors
from nyala.bench.fleet_numpy import JUDGED, NumpyFleet
from nyala.meter.bank import Bank
from nyala.meter.chip import Second
from nyala.meter.fleet import Fleet
from nyala.meter.fleet_kernels import BLOCK
from nyala.meter.model import meter_model
from nyala.vocab.alarms import Alarm
from tests.unit.meter.banks import START_S, rows_of

REGISTERS = ("wh", "rest_mws", "phase_wh", "phase_rest_mws", "max_w", "demand_w", "edge_wh", "alarms", "changed_s", "raised")


def as_second(u_v, active_a, lagging_a) -> Second:
    u, a, r = (np.ascontiguousarray(each.T, float) for each in (u_v, active_a, lagging_a))
    p_w, q_var = u * a, u * r
    zero = np.zeros(len(u))
    energy = np.stack((np.rint(p_w * 1000), np.rint(q_var * 1000)), axis=2).astype(np.int64)
    return Second(u, np.sqrt(a**2 + r**2), p_w, q_var, energy, zero, zero, zero + 50, zero.astype(np.int8), zero, zero)


def check(models, signals, prepare=lambda bank: None):
    fleet_bank, plain = (Bank([meter_model(model) for model in models], START_S, ring_days=1) for _ in range(2))
    prepare(fleet_bank)
    prepare(plain)
    fleet = Fleet(fleet_bank)
    for signal in signals:
        fleet.second(*signal)
        plain.take_second(rows_of(plain), as_second(*signal))
        plain.advance(rows_of(plain), int(plain.now_s[0]) + 1)
    fleet.flush()
    for name in REGISTERS:
        assert getattr(fleet_bank.state, name).tolist() == getattr(plain.state, name).tolist(), name
    assert fleet_bank.now_s.tolist() == plain.now_s.tolist()


currents = st.sampled_from([0.0, 0.001, 0.02, 0.3, 0.5, 1.0, 4.9, 5.0, 60.0, 125.0, 140.0])
three = st.tuples(currents, currents, currents)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(three, three, st.sampled_from([-1.0, 1.0]), st.sampled_from([0.0, 150.0, 205.0, 230.0, 305.0])),
        min_size=1,
        max_size=4,
    )
)
def test_any_signal_leads_to_the_same_registers_and_alarms(kinds):
    signals = []
    for active, lagging, sign, lowest_v in kinds:
        u_v = np.array([[230.0, 230.0], [230.0, 0.0], [lowest_v, 0.0]], np.float32)
        a = np.array([active, (active[0], 0, 0)], np.float32).T * np.float32(sign)
        r = np.array([lagging, (lagging[0], 0, 0)], np.float32).T
        signals += [(u_v, np.ascontiguousarray(a), np.ascontiguousarray(r))] * 70
    check(["three-phase", "single-phase"], signals)


def test_a_quarter_of_an_hour_of_a_mixed_fleet_with_its_edges():
    signals = phasors(40, 3, 7)
    check(["three-phase"] * 20 + ["three-phase-ct"] * 20, [signals[second % 3] for second in range(1000)])


def test_runs_that_end_within_a_block_keep_to_their_rows():
    count = BLOCK + 40
    models = ["three-phase"] * (BLOCK - 7) + ["three-phase-ct"] * (count - BLOCK + 7)
    check(models, phasors(count, 35, 11))


def test_an_alarm_of_every_row_is_seen_by_the_screen_below_the_threshold_of_the_table():
    def prepare(bank):
        bank.set_alarm(Alarm.OVER_POWER, 0.2, 0.1, 60)

    check(["three-phase"] * (2 * BLOCK + 5), phasors(2 * BLOCK + 5, 1, 5) * 70, prepare)


@pytest.mark.parametrize("count", [1, 1500])
def test_plain_numpy_counts_the_same(count):
    model = meter_model("three-phase")
    bank, plain, signals = Bank([model] * count, START_S, ring_days=1), NumpyFleet(model, count), phasors(count, 4, 3)
    fleet = Fleet(bank)
    for second in range(310):
        fleet.second(*signals[second % 4])
        plain.second(*signals[second % 4])
    fleet.flush()
    counted = bank.wh[:, :, 0] * 3_600_000 + bank.rest_mws[:, :, 0]
    assert counted.T.tolist() == plain.energy_mws[0].tolist()
    phases = bank.state.phase_wh * 3_600_000 + bank.state.phase_rest_mws
    assert phases.transpose(1, 2, 0).tolist() == plain.energy_mws[1:].tolist()
    active = np.array([bank.alarms >> alarm & 1 for alarm in JUDGED], bool)
    assert active.tolist() == plain.alarms.tolist()
    assert count == 1 or active.any()
