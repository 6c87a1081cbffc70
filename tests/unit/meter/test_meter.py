"""One meter as its device sees it: registers and live values by catalogue name, profile, clock, switch."""

import numpy as np
import pytest

from nyala.meter.bank import CHANNELS
from nyala.meter.meter import Meter
from nyala.meter.supply import SwitchEvent, SwitchState
from nyala.meter.tariff import DayProgram
from nyala.vocab.quantities import Channel, catalogue, register
from tests.unit.meter.banks import START_S, bank, feed

QUARTER_S = 900


def meter(model: str = "single-phase") -> Meter:
    return Meter(bank(model=model), 0)


def phasors(each: Meter, *, u_v: list[float], p_w: list[float], q_var: list[float], f_hz: float = 50.0) -> Meter:
    u, p, q = (np.array([values], float) for values in (u_v, p_w, q_var))
    each.bank.set_terminals(np.array([0]), u, p, q, np.array([f_hz]))
    return each


def test_registers_are_the_totals_and_the_rates_that_ever_counted():
    each = meter()
    each.bank.set_program(0, DayProgram(((0, 4),)))
    feed(each.bank, START_S + 3600, [channel * 3_600_000_000 for channel in range(CHANNELS)])
    each.advance(START_S + 3600)
    expected = {register(channel).name: 1000 * channel for channel in Channel}
    expected |= {register(channel, 4).name: 1000 * channel for channel in Channel if channel}
    assert each.registers() == expected
    assert each.total_wh(Channel.EXPORT) == 1000


def test_live_values_of_a_single_phase_are_catalogue_integers():
    each = phasors(meter(), u_v=[231.26, 0, 0], p_w=[-1840.4, 0, 0], q_var=[-771.9, 0, 0], f_hz=49.987)
    assert each.live() == {
        "u1_v": 2313,
        "i1_a": round(np.hypot(1840.4, 771.9) / 231.26 * 1000),
        "p_w": -1840,
        "q_var": -772,
        "s_va": 1996,
        "pf": -922,
        "f_hz": 4999,
        "switch_state": 1,
        "active_rate": 1,
        "alarms": 0,
    }


def test_live_values_of_three_phases_have_every_phase_and_their_sums():
    each = phasors(meter("three-phase"), u_v=[230, 231, 229], p_w=[1000, 2000, -500], q_var=[0, 300, 100])
    live = each.live()
    assert [live[f"u{n}_v"] for n in (1, 2, 3)] == [2300, 2310, 2290]
    assert [live[f"p{n}_w"] for n in (1, 2, 3)] == [1000, 2000, -500]
    assert (live["p_w"], live["q_var"], live["s_va"], live["pf"]) == (2500, 400, 2532, 987)
    assert live.keys() <= catalogue().keys()


def test_without_load_the_power_factor_is_one():
    each = phasors(meter(), u_v=[230, 0, 0], p_w=[0, 0, 0], q_var=[0, 0, 0])
    assert (each.live()["pf"], each.live()["i1_a"], each.live()["p_w"]) == (1000, 0, 0)


def test_behind_an_open_switch_there_is_voltage_and_no_current():
    each = phasors(meter(), u_v=[230, 0, 0], p_w=[1000, 0, 0], q_var=[0, 0, 0])
    assert each.switch(SwitchEvent.REMOTE_DISCONNECT)
    live = each.live()
    assert (live["u1_v"], live["i1_a"], live["p_w"], live["switch_state"]) == (2300, 0, 0, 0)


def test_the_switch_moves_once_and_stops_the_energy():
    each = meter()
    feed(each.bank, START_S + 3600, [3_600_000_000] * CHANNELS)
    assert each.live()["switch_state"] == SwitchState.CLOSED.value
    assert not each.switch(SwitchEvent.REMOTE_RECONNECT)
    assert each.switch(SwitchEvent.REMOTE_DISCONNECT)
    assert not each.switch(SwitchEvent.REMOTE_DISCONNECT)
    assert each.live()["switch_state"] == SwitchState.OPEN.value
    each.advance(START_S + 1800)
    assert each.switch(SwitchEvent.REMOTE_RECONNECT)
    each.advance(START_S + 3600)
    assert each.total_wh(Channel.IMPORT) == 500


@pytest.mark.parametrize("event", [SwitchEvent.REMOTE_DISCONNECT, SwitchEvent.REMOTE_RECONNECT])
def test_a_model_without_switch_does_not_move(event):
    each = meter("three-phase-ct")
    assert each.switch_state is SwitchState.NONE
    assert not each.switch(event)
    assert each.bank.closed[0]
    assert each.live()["switch_state"] == 2


def test_a_run_of_the_profile_sums_to_the_registers_at_its_ends():
    each = meter()
    feed(each.bank, START_S + 3600, [4_000_000_000, 1_000_000_000] + [0] * (CHANNELS - 2))
    each.advance(START_S + 3600)
    first = START_S // QUARTER_S
    run = each.profile(first + 1, 3)
    assert (run.first, run.outages) == (first + 1, frozenset())
    for channel in (Channel.IMPORT, Channel.EXPORT):
        begin, end = each.edge_registers(first + 1)[channel], each.edge_registers(first + 4)[channel]
        assert sum(run.values[channel]) == end - begin
        assert run.ends_wh[channel] == end
    assert (each.oldest_edge, each.last_edge) == (first, first + 4)


def test_outages_are_told_by_their_place_in_the_run():
    each = meter()
    feed(each.bank, START_S + 3600, [0] * CHANNELS)
    each.advance(START_S + 1000)
    each.set_powered(powered=False)
    each.advance(START_S + 2000)
    each.set_powered(powered=True)
    each.advance(START_S + 3600)
    assert each.profile(START_S // QUARTER_S, 4).outages == {1, 2}
    assert each.profile(START_S // QUARTER_S + 2, 2).outages == {0}


def test_the_clock_is_set_by_the_error_that_remains():
    each = meter()
    each.set_clock(2_300_000)
    assert (each.clock_error_us, each.clock_s) == (2_300_000, START_S + 2)
    each.set_clock(-700_000)
    assert (each.clock_error_us, each.clock_s) == (-700_000, START_S - 1)
