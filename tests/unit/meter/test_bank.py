"""The metrology core: energy to the last milliwatt-second, edges of the load profile, power cuts and clock corrections."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nyala.meter.bank import CHANNELS, PROFILE_CHANNELS, RING_DAYS, Bank, Status
from nyala.meter.model import meter_model
from nyala.meter.tariff import DayProgram
from nyala.vocab.quantities import MWS_PER_WH, RATES, Channel
from nyala.vocab.time import DAY_S
from tests.unit.meter.banks import NS, START_S, bank, feed, rows_of, total_mws

STATE = ("wh", "rest_mws", "withheld_mws", "edge_wh", "edge_status", "next_edge", "status", "rate", "now_s", "clock_error_ns")
QUARTER_S = 900
energies = st.lists(st.integers(0, 10**11), min_size=CHANNELS, max_size=CHANNELS)
PEAK = DayProgram(((0, 1), (600, 2), (660, 3), (1320, 8)), 7 * 3600)


def watts(power_w: int, seconds: int) -> list[int]:
    """A constant import."""
    return [power_w * 1000 * seconds] + [0] * (CHANNELS - 1)


def state(meters: Bank) -> dict[str, list[object]]:
    return {name: getattr(meters, name).tolist() for name in STATE}


def increments(meters: Bank, first: int, count: int, row: int = 0) -> list[int]:
    """The import intervals of a run."""
    edges, _ = meters.edges(row, first, count)
    return [int(step) for step in np.diff(edges[:, 0])]


def test_a_kilowatt_for_an_hour_is_a_kilowatt_hour_in_four_quarters():
    meters = bank()
    feed(meters, START_S + 3600, watts(1000, 3600))
    meters.advance(rows_of(meters), START_S + 3600)
    assert total_mws(meters, 0, Channel.IMPORT) == 1000 * MWS_PER_WH
    assert increments(meters, START_S // QUARTER_S, 4) == [250] * 4
    assert meters.last_edge(0) == START_S // QUARTER_S + 4


def test_less_than_a_watt_hour_is_kept_and_never_rounded_up():
    meters = bank()
    feed(meters, START_S + 3600, [MWS_PER_WH - 1] + [0] * (CHANNELS - 1))
    meters.advance(rows_of(meters), START_S + 3600)
    assert (meters.wh[0, 0, 0], meters.rest_mws[0, 0, 0]) == (0, MWS_PER_WH - 1)
    feed(meters, START_S + 3601, [1] + [0] * (CHANNELS - 1))
    meters.advance(rows_of(meters), START_S + 3601)
    assert (meters.wh[0, 0, 0], meters.rest_mws[0, 0, 0]) == (1, 0)


cuts = st.lists(st.integers(0, 7200), max_size=6)
errors_ns = st.integers(-3 * NS, 3 * NS) | st.sampled_from([NS // 2, NS // 2 - 1, -NS // 2, 3 * NS // 2])
drifts_ppb = st.integers(-20_000, 20_000)


@given(energies, cuts, errors_ns, drifts_ppb, st.booleans(), st.booleans())
@example([10**11] * CHANNELS, [450], NS // 2 - 5_000, 20, True, True)
@example([10**11] * CHANNELS, [899, 900], 499_990_000, 5_787, True, True)
def test_splitting_an_advance_changes_nothing(energy, instants, error_ns, drift_ppb, powered, closed):
    whole, split = bank(), bank()
    for meters in (whole, split):
        meters.set_program(0, PEAK)
        meters.drift_ppb[:] = drift_ppb
        meters.set_clock(0, error_ns)
        feed(meters, START_S + 7200, energy)
        meters.closed[:] = closed
        meters.set_powered(0, powered=powered)
    whole.advance(rows_of(whole), START_S + 7200)
    for instant in (*sorted(instants), 7200):
        split.advance(rows_of(split), START_S + instant)
    assert state(split) == state(whole)


@given(st.lists(st.tuples(st.integers(1, 4000), energies), min_size=1, max_size=6), cuts)
def test_energy_of_the_segments_is_registered_or_withheld_to_the_last_milliwatt_second(segments, instants):
    meters = bank(2)
    meters.set_program(0, PEAK)
    meters.closed[1] = False
    at_s = START_S
    for length, energy in segments:
        feed(meters, at_s + length, [energy, energy])
        for instant in sorted(instants):
            meters.advance(rows_of(meters), min(at_s + instant, at_s + length))
        at_s += length
        meters.advance(rows_of(meters), at_s)
    for channel in Channel:
        given_mws = sum(energy[channel] for _, energy in segments)
        assert total_mws(meters, 0, channel) == given_mws
        assert sum(total_mws(meters, 0, channel, 1 + rate) for rate in range(RATES)) == given_mws
        assert total_mws(meters, 1, channel) == 0
        assert meters.withheld_mws[1, channel] == given_mws
    assert (meters.rest_mws < MWS_PER_WH).all()
    assert (meters.rest_mws >= 0).all()


@given(energies, st.integers(1, 96))
def test_intervals_sum_to_the_register_at_the_end_of_the_run(energy, quarters):
    meters = bank()
    feed(meters, START_S + quarters * QUARTER_S, energy)
    meters.advance(rows_of(meters), START_S + quarters * QUARTER_S)
    edges, _ = meters.edges(0, START_S // QUARTER_S, quarters)
    steps = np.diff(edges, axis=0)
    assert (steps >= 0).all()
    assert steps.sum(axis=0).tolist() == [int(meters.wh[0, channel, 0]) for channel in PROFILE_CHANNELS]


def test_rows_may_stand_at_different_instants_and_a_row_behind_catches_up():
    meters = bank(3)
    feed(meters, START_S + 3600, [watts(1000, 3600)] * 3)
    meters.advance(rows_of(meters, 1), START_S + 3600)
    meters.advance(rows_of(meters, 2), START_S + 1000)
    assert meters.now_s.tolist() == [START_S, START_S + 3600, START_S + 1000]
    meters.advance(rows_of(meters), START_S + 1800)
    assert meters.now_s.tolist() == [START_S + 1800, START_S + 3600, START_S + 1800]
    meters.advance(rows_of(meters), START_S + 3600)
    assert [total_mws(meters, row, Channel.IMPORT) for row in range(3)] == [1000 * MWS_PER_WH] * 3
    assert meters.edge_wh[0].tolist() == meters.edge_wh[1].tolist() == meters.edge_wh[2].tolist()


def test_a_meter_is_not_advanced_beyond_its_signal():
    meters = bank()
    feed(meters, START_S + 10, watts(1, 10))
    with pytest.raises(AssertionError, match="beyond its signal"):
        meters.advance(rows_of(meters), START_S + 11)


def test_each_rate_counts_in_its_own_hours():
    meters = bank()
    program = DayProgram(((0, 3), (600, 1), (720, 2)))
    meters.set_program(0, program)
    feed(meters, START_S + 86_400, watts(1000, 86_400))
    meters.advance(rows_of(meters), START_S + 86_400)
    assert meters.wh[0, 0, :4].tolist() == [24_000, 2_000, 12_000, 10_000]
    assert int(meters.wh[0, 0, 4:].sum()) == 0


# -- supply and switch


def test_a_power_cut_withholds_the_energy_and_fills_the_edges_with_the_register_that_stood_still():
    meters = bank()
    feed(meters, START_S + 7200, watts(1000, 7200))
    for until_s, on in ((1000, False), (4000, True), (7200, True)):
        meters.advance(rows_of(meters), START_S + until_s)
        meters.set_powered(0, powered=on)
    assert total_mws(meters, 0, Channel.IMPORT) == 4200 * 1_000_000
    assert meters.withheld_mws[0, 0] == 3000 * 1_000_000
    values = increments(meters, START_S // QUARTER_S, 8)
    assert values == [250, 27, 0, 0, 139, 250, 250, 250]
    _, status = meters.edges(0, START_S // QUARTER_S, 8)
    assert [bool(each & Status.OUTAGE) for each in status] == [False, True, True, True, True, False, False, False]


def test_edges_wait_while_there_is_no_supply():
    meters = bank()
    feed(meters, START_S + 7200, watts(1000, 7200))
    meters.set_powered(0, powered=False)
    before = meters.last_edge(0)
    meters.advance(rows_of(meters), START_S + 7200)
    assert meters.last_edge(0) == before
    meters.set_powered(0, powered=True)
    assert meters.last_edge(0) == before + 8


@pytest.mark.parametrize("second", [900, 901, 1799])
def test_an_outage_within_one_interval_marks_that_interval_only(second):
    meters = bank()
    feed(meters, START_S + 2700, watts(1000, 2700))
    meters.advance(rows_of(meters), START_S + second)
    meters.set_powered(0, powered=False)
    meters.set_powered(0, powered=True)
    meters.advance(rows_of(meters), START_S + 2700)
    _, status = meters.edges(0, START_S // QUARTER_S, 3)
    assert status.tolist() == [0, Status.OUTAGE, 0]


def test_an_outage_longer_than_the_memory_leaves_only_what_the_memory_holds():
    meters = bank(ring_days=1)
    feed(meters, START_S + 3600, watts(1000, 3600))
    meters.advance(rows_of(meters), START_S + 3600)
    meters.set_powered(0, powered=False)
    feed(meters, START_S + 3 * DAY_S, watts(1000, 3 * DAY_S - 3600))
    meters.advance(rows_of(meters), START_S + 3 * DAY_S)
    meters.set_powered(0, powered=True)
    assert meters.last_edge(0) == (START_S + 3 * DAY_S) // QUARTER_S
    assert meters.last_edge(0) - meters.oldest_edge(0) == meters.ring - 1
    edges, status = meters.edges(0, meters.oldest_edge(0), meters.ring - 1)
    assert set(edges[:, 0].tolist()) == {1000}
    assert all(each & Status.OUTAGE for each in status)


def test_an_open_switch_withholds_the_energy_and_the_edges_go_on():
    meters = bank()
    feed(meters, START_S + 3600, watts(1000, 3600))
    meters.advance(rows_of(meters), START_S + 1800)
    meters.closed[0] = False
    meters.advance(rows_of(meters), START_S + 3600)
    assert increments(meters, START_S // QUARTER_S, 4) == [250, 250, 0, 0]
    assert meters.withheld_mws[0, 0] == 1800 * 1_000_000


# -- the clock


def test_an_edge_falls_where_the_meters_own_clock_shows_it():
    meters = bank()
    meters.set_clock(0, 10 * NS)
    feed(meters, START_S + 900, watts(3600, 900))
    meters.advance(rows_of(meters), START_S + 890)
    assert increments(meters, START_S // QUARTER_S, 1) == [890]
    assert meters.clock_s(0) == START_S + 900


def test_a_clock_drifts_by_its_parts_per_billion():
    meters = bank()
    meters.drift_ppb[:] = 5_787  # 0.5 s a day, product sheet A9
    feed(meters, START_S + DAY_S, watts(1, DAY_S))
    meters.advance(rows_of(meters), START_S + DAY_S)
    assert meters.clock_error_ns[0] == 5_787 * DAY_S == 499_996_800


@pytest.mark.parametrize("step_s", [-3, -1, 1, 2, 300, -300, 5_000, -5_000, 90_000, -90_000])
def test_a_clock_correction_neither_loses_nor_doubles_energy(step_s):
    meters = bank()
    feed(meters, START_S + 4 * 3600, watts(1000, 4 * 3600))
    meters.advance(rows_of(meters), START_S + 5000)
    meters.set_clock(0, step_s * NS)
    meters.advance(rows_of(meters), START_S + 4 * 3600)
    oldest, last = meters.oldest_edge(0), meters.last_edge(0)
    edges, _ = meters.edges(0, oldest, last - oldest)
    assert (np.diff(edges[:, 0]) >= 0).all()
    assert total_mws(meters, 0, Channel.IMPORT) == 4 * 1000 * MWS_PER_WH
    assert edges[0, 0] == 0
    behind_s = meters.clock_s(0) % QUARTER_S if step_s >= 0 else 0
    if step_s >= 0:
        assert edges[-1, 0] == 4000 - -(-behind_s * 1000 // 3600)
    else:
        assert last == max((START_S + 5000) // QUARTER_S, meters.clock_s(0) // QUARTER_S)


def test_an_interval_that_a_clock_correction_touched_is_marked():
    meters = bank()
    feed(meters, START_S + 3600, watts(1000, 3600))
    meters.advance(rows_of(meters), START_S + 1000)
    meters.set_clock(0, 30 * NS)
    meters.advance(rows_of(meters), START_S + 3600)
    _, status = meters.edges(0, START_S // QUARTER_S, 4)
    assert [bool(each & Status.CLOCK_SET) for each in status] == [False, True, False, False]


def test_a_correction_by_years_writes_no_more_edges_than_the_memory_holds():
    meters = bank(ring_days=1)
    feed(meters, START_S + 3600, watts(1000, 3600))
    meters.edge_status[:] = 0
    meters.set_clock(0, 200 * DAY_S * NS)
    assert int(np.count_nonzero(meters.edge_status)) == meters.ring  # all were written anew, in one turn of the ring
    meters.advance(rows_of(meters), START_S + 3600)
    assert meters.last_edge(0) == (START_S + 200 * DAY_S + 3600) // QUARTER_S


# -- limits of the profile


def test_the_memory_holds_45_days():
    assert RING_DAYS == 45
    assert Bank([meter_model("single-phase")], START_S).ring == 45 * 96


def test_the_oldest_edge_is_the_first_one_until_the_ring_is_full():
    meters = bank(ring_days=1)
    first = START_S // QUARTER_S
    assert (meters.oldest_edge(0), meters.last_edge(0)) == (first, first)
    feed(meters, START_S + 2 * DAY_S, watts(1000, 2 * DAY_S))
    for quarters, oldest in ((1, first), (95, first), (96, first + 1), (97, first + 2), (192, first + 97)):
        meters.advance(rows_of(meters), START_S + quarters * QUARTER_S)
        assert (meters.oldest_edge(0), meters.last_edge(0)) == (oldest, first + quarters)
    assert increments(meters, first + 97, 95) == [250] * 95


@pytest.mark.parametrize(("first", "count"), [(-1, 1), (0, 5), (5, 0)])
def test_edges_that_are_not_held_are_not_given(first, count):
    meters = bank()
    feed(meters, START_S + 3600, watts(1000, 3600))
    meters.advance(rows_of(meters), START_S + 3600)
    with pytest.raises(AssertionError):
        meters.edges(0, START_S // QUARTER_S + first, count)


@pytest.mark.parametrize("period_s", [60, 300, 600, 900, 1800, 3600])
def test_every_period_of_the_product_sheet_has_its_edges(period_s):
    meters = bank(period_s=period_s)
    feed(meters, START_S + 7200, watts(1000, 7200))
    meters.advance(rows_of(meters), START_S + 7200)
    count = 7200 // period_s
    assert meters.last_edge(0) == START_S // period_s + count
    assert sum(increments(meters, START_S // period_s, count)) == 2000


def test_a_meter_that_starts_within_an_interval_has_a_short_first_one():
    meters = bank(start_s=START_S + 600)
    feed(meters, START_S + 1800, watts(3600, 1200))
    meters.advance(rows_of(meters), START_S + 1800)
    assert increments(meters, START_S // QUARTER_S, 2) == [300, 900]


@pytest.mark.parametrize("step_ns", [1_500_000_000, -1_500_000_000])
def test_a_small_correction_is_taken_slowly_and_marks_nothing(step_ns):
    meters = bank()
    feed(meters, START_S + 5 * 3600, watts(1000, 5 * 3600))
    meters.slew_clock(0, step_ns)
    meters.advance(rows_of(meters), START_S + 9_000)
    assert abs(meters.clock_error_ns[0]) == 9_000 * 100_000
    meters.advance(rows_of(meters), START_S + 5 * 3600)
    assert (meters.clock_error_ns[0], meters.state.slew_ns[0]) == (step_ns, 0)
    _, status = meters.edges(0, meters.oldest_edge(0), meters.last_edge(0) - meters.oldest_edge(0))
    assert not status.any()
