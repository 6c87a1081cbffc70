"""Demand: block and sliding, maxima per rate with their instants, and what power cuts and clock corrections do to them."""

import numpy as np
import pytest

from nyala.meter.bank import Bank
from nyala.meter.model import meter_model
from nyala.meter.tariff import DayProgram
from nyala.vocab.errors import BadArgumentError
from tests.unit.meter.banks import NS, START_S, rows_of

CHANNELS_W = 8


def meter(**settings) -> Bank:
    return Bank([meter_model("three-phase")], START_S, ring_days=1, **settings)


def run(meters: Bank, power_w: int, seconds: int, channel: int = 0) -> None:
    energy = np.zeros((1, CHANNELS_W), np.int64)
    energy[0, channel] = power_w * 1000 * seconds
    end_s = int(meters.now_s[0]) + seconds
    meters.set_segment(rows_of(meters), end_s, energy)
    meters.advance(rows_of(meters), end_s)


def maxima(meters: Bank, demand: int = 0) -> list[int]:
    return [int(power_w) for power_w in meters.state.max_w[0, demand]]


def test_a_demand_is_the_energy_of_a_clock_quarter_over_its_length():
    meters = meter()
    for power_w in (1000, 3000, 2000):
        run(meters, power_w, 900)
    assert meters.state.demand_w[0, 0] == 2000
    assert maxima(meters)[0] == 3000
    assert meters.state.max_at_s[0, 0, 0] == START_S + 1800


def test_a_peak_across_two_quarters_counts_in_each_with_its_part():
    meters = meter()
    run(meters, 0, 600)
    run(meters, 6000, 600)
    run(meters, 0, 600)
    assert maxima(meters)[0] == 2000


def test_a_sliding_demand_sees_the_peak_that_a_block_cuts_in_two():
    meters = meter(demand=(300, 3))
    run(meters, 0, 600)
    run(meters, 6000, 600)
    run(meters, 0, 600)
    assert maxima(meters)[0] == 4000
    assert meters.state.max_at_s[0, 0, 0] == START_S + 1200


@pytest.mark.parametrize(("channel", "demand"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (7, 5)])
def test_every_channel_counts_in_its_demand(channel, demand):
    meters = meter()
    run(meters, 1234, 900, channel)
    assert [maxima(meters, each)[0] for each in range(6)] == [1234 if each == demand else 0 for each in range(6)]


def test_each_rate_has_its_own_maximum():
    meters = meter()
    minute = START_S % 86_400 // 60
    meters.set_program(0, DayProgram(((0, 1), (minute + 15, 2), (minute + 30, 1))))
    for power_w in (1000, 3000, 2000):
        run(meters, power_w, 900)
    assert maxima(meters)[:3] == [3000, 2000, 3000]


def test_a_reset_gives_the_maxima_and_begins_anew():
    meters = meter()
    run(meters, 1000, 900)
    ended = meters.reset_demand(0)
    assert (ended[0, 0, 0], ended[1, 0, 0]) == (1000, START_S + 900)
    assert maxima(meters)[0] == 0
    run(meters, 500, 900)
    assert maxima(meters)[0] == 500


def test_a_power_cut_leaves_the_energy_in_the_periods_where_it_was_taken():
    meters = meter()
    run(meters, 9000, 300)
    meters.set_powered(0, powered=False)
    run(meters, 9000, 1000)
    meters.set_powered(0, powered=True)
    assert maxima(meters)[0] == 3000
    run(meters, 900, 500)
    assert (meters.state.demand_w[0, 0], maxima(meters)[0]) == (500, 3000)


@pytest.mark.parametrize(("step_s", "counts"), [(5, True), (-5, True), (200, False), (-200, False), (5000, False)])
def test_a_period_whose_length_a_clock_correction_changed_makes_no_maximum(step_s, counts):
    meters = meter()
    run(meters, 1000, 450)
    meters.set_clock(0, step_s * NS)
    run(meters, 50_000, 900 - (450 + step_s) % 900)
    assert (maxima(meters)[0] > 20_000) is counts
    run(meters, 2000, 900)
    run(meters, 2000, 900)
    assert maxima(meters)[0] >= 2000


@pytest.mark.parametrize("demand", [(900, 0), (900, 16), (90, 1)])
def test_a_period_that_cannot_be_is_refused(demand):
    with pytest.raises(BadArgumentError, match="demand period"):
        meter(demand=demand)
