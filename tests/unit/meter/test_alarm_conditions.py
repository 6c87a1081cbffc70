"""Each alarm of the table: raised from what is at the terminals or the inputs, after its delay, and cleared again."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.meter.bank import Bank
from nyala.meter.chip import Second
from nyala.meter.model import meter_model
from nyala.vocab.alarms import Alarm, alarm_row
from tests.unit.meter.banks import START_S, rows_of

CALM: dict[str, Any] = {"u": (230, 230, 230), "i": (5, 5, 5), "pf": 1.0}


def second(u=(230, 230, 230), i=(5, 5, 5), pf=1.0, signs=(1, 1, 1), **around):
    """One second of one meter; its currents have one power factor, lagging."""
    u_v, i_a = np.array([u], float), np.array([i], float)
    p_w = u_v * i_a * pf * np.array(signs)
    q_var = u_v * i_a * np.sqrt(1 - pf**2)
    energy = np.stack((np.rint(p_w * 1000), np.rint(q_var * 1000)), axis=2).astype(np.int64)
    said = {"neutral_a": 0, "residual_a": 0, "f_hz": 50, "sequence": 1, "u0_v": 0, "dc_percent": 0} | around
    rest = {name: np.array([value], np.int8 if name == "sequence" else float) for name, value in said.items()}
    return Second(u_v=u_v, i_a=i_a, p_w=p_w, q_var=q_var, energy_mws=energy, **rest)


def live(meters: Bank, seconds: int, **signal):
    """Seconds of one signal; answers the changes as (alarm, raised, seconds since the beginning)."""
    for _ in range(seconds):
        meters.take_second(rows_of(meters), second(**signal))
        meters.advance(rows_of(meters), int(meters.now_s[0]) + 1)
    return [(change.alarm, change.raised, change.at_s - START_S) for change in meters.take_changes()]


def three_phase(model="three-phase", **state):
    meters = Bank([meter_model(model)], START_S, ring_days=1)
    for name, value in state.items():
        getattr(meters.state, name)[0] = value
    return meters


# What raises each electrical alarm, and the figure that it is raised with.
ELECTRICAL: dict[Alarm, tuple[dict[str, Any], float]] = {
    Alarm.NEUTRAL_DISTURBANCE: ({"u0_v": 25}, 100 * 25 / 230),
    Alarm.PHASE_SEQUENCE: ({"sequence": -1}, 1),
    Alarm.CURRENT_UNBALANCE: ({"i": (5, 5, 3)}, 40),
    Alarm.CT_BYPASS: ({"residual_a": 2}, 40),
    Alarm.CT_OPEN: ({"i": (5, 0, 5)}, 1),
    Alarm.CURRENT_REVERSE: ({"signs": (1, -1, 1)}, 100),
    Alarm.LOW_POWER_FACTOR: ({"pf": 0.4}, 0.4),
    Alarm.OVER_CURRENT: ({"i": (125, 125, 125)}, 125),
    Alarm.VOLTAGE_UNBALANCE: ({"u": (230, 230, 200)}, 100 * 30 / 230),
    Alarm.OVER_POWER: ({"u": (280, 280, 280), "i": (100, 100, 100)}, 100 * 84_000 / 82_800),
}


@pytest.mark.parametrize("alarm", ELECTRICAL, ids=lambda alarm: alarm.name)
def test_an_electrical_alarm_comes_after_its_delay_and_goes_after_its_delay(alarm):
    signal, figure = ELECTRICAL[alarm]
    row, meters = alarm_row(alarm), three_phase()
    assert live(meters, 5) == []
    assert alarm not in {found for found, _, _ in live(meters, row.on_delay_s - 1, **signal)}
    found = live(meters, 2, **signal)
    assert (alarm, True, 5 + row.on_delay_s) in found
    assert meters.state.figure[0, alarm] == pytest.approx(figure)
    begun = int(meters.now_s[0]) - START_S
    found = live(meters, row.off_delay_s + 1)
    assert (alarm, False, begun + row.off_delay_s) in found
    assert not meters.alarms[0] >> alarm & 1
    assert meters.state.raised[0, alarm] == 1


INPUTS: dict[Alarm, tuple[str, Any, Any]] = {
    Alarm.METER_DISCONNECTED: ("closed", False, True),
    Alarm.MAIN_COVER_OPEN: ("covers", (True, False, False), False),
    Alarm.TERMINAL_COVER_OPEN: ("covers", (False, True, False), False),
    Alarm.MODULE_COVER_OPEN: ("covers", (False, False, True), False),
    Alarm.MAGNET: ("magnet_mt", 150, 0),
    Alarm.INTERNAL_BATTERY_LOW: ("battery_v", (3.0, 3.6), 3.6),
    Alarm.EXTERNAL_BATTERY_LOW: ("battery_v", (3.6, 3.0), 3.6),
    Alarm.UNCALIBRATED: ("calibrated", False, True),
    Alarm.HIGH_TEMPERATURE: ("temperature_c", 76, 40),
}


@pytest.mark.parametrize("alarm", INPUTS, ids=lambda alarm: alarm.name)
def test_an_input_alarm_comes_after_its_delay_and_goes_after_its_delay(alarm):
    name, wrong, right = INPUTS[alarm]
    row, meters = alarm_row(alarm), three_phase()
    live(meters, 3)
    getattr(meters.state, name)[0] = wrong
    found = live(meters, row.on_delay_s + 1)
    assert found == [(alarm, True, 3 + row.on_delay_s)]
    getattr(meters.state, name)[0] = right
    begun = int(meters.now_s[0]) - START_S
    assert live(meters, row.off_delay_s + 1) == [(alarm, False, begun + row.off_delay_s)]


def test_every_alarm_of_the_table_is_tried():
    assert {*ELECTRICAL, *INPUTS} == set(Alarm)


def test_a_condition_that_goes_before_its_delay_ends_raises_nothing():
    meters = three_phase()
    for _ in range(3):
        assert live(meters, 59, u0_v=25) == []
        assert live(meters, 1) == []


def test_between_its_thresholds_an_alarm_stays_as_it_is():
    meters = three_phase()
    assert live(meters, 100, u0_v=0.09 * 230) == []
    assert live(meters, 60, u0_v=0.11 * 230)
    assert live(meters, 100, u0_v=0.09 * 230) == []
    assert live(meters, 60, u0_v=0.07 * 230)


def test_a_lost_phase_leaves_the_sequence_as_it_was_judged():
    meters = three_phase()
    live(meters, 60, sequence=-1)
    assert Alarm.PHASE_SEQUENCE not in {alarm for alarm, _, _ in live(meters, 100, sequence=0, u=(230, 0, 230))}
    assert meters.alarms[0] >> Alarm.PHASE_SEQUENCE & 1


def test_a_net_exporter_has_no_reversed_current_unless_export_was_not_agreed():
    for agreed in (True, False):
        meters = three_phase(export_agreed=agreed)
        found = live(meters, 61, signs=(-1, -1, -1))
        assert ((Alarm.CURRENT_REVERSE, True, 60) in found) is not agreed


def test_a_single_phase_meter_whose_neutral_is_gone_says_so():
    meters = three_phase("single-phase")
    assert (Alarm.NEUTRAL_DISTURBANCE, True, 60) in live(meters, 60, u=(5, 0, 0), i=(5, 0, 0))


def test_a_single_phase_meter_knows_no_alarm_of_several_phases():
    meters = three_phase("single-phase")
    assert live(meters, 400, u=(230, 0, 0), i=(5, 0, 0), sequence=0) == []


def test_a_cover_is_seen_without_supply_and_nothing_else():
    meters = three_phase()
    meters.set_powered(0, powered=False)
    meters.state.covers[0, 1] = True
    meters.state.magnet_mt[0] = 500
    assert live(meters, 100, u=(0, 0, 0), i=(0, 0, 0)) == [(Alarm.TERMINAL_COVER_OPEN, True, 1)]


@given(st.lists(st.integers(1, 200), max_size=5), st.sampled_from(sorted(ELECTRICAL)))
def test_steps_of_any_length_find_the_same_instants(cuts, alarm):
    signal, _ = ELECTRICAL[alarm]
    found = []
    for instants in ([700], [*sorted({min(cut, 700) for cut in cuts}), 700]):
        meters = three_phase()
        for begin, what in ((0, signal), (700, CALM)):
            meters.take_second(rows_of(meters), second(**what))
            meters.segment_end_s[:] = START_S + begin + 700
            for instant in instants:
                meters.advance(rows_of(meters), START_S + begin + instant)
        found.append(meters.take_changes())
    assert found[0] == found[1]
    assert alarm in {change.alarm for change in found[0]}
