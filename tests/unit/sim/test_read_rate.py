"""Meters whose intervals are complete by next morning: parity, ALOHA, slots and back-fill against tables and closed forms."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.network.plan import indonesia
from nyala.sim.radio.arrays import Sends, fates
from nyala.sim.radio.fate import Fate
from nyala.sim.read_rate import limits, search, slots
from nyala.sim.read_rate.aloha import SILENT, heard, interval_rate, reading_rate, thinned
from nyala.sim.read_rate.backfill import NEVER, came_hour
from nyala.sim.read_rate.losses import Losses
from nyala.sim.read_rate.parity import repaired
from nyala.sim.read_rate.practices import SF_SHARE, gateway_profile, make_place, practice
from nyala.vocab.errors import BadArgumentError, UnknownError

PLAN = indonesia()
PLACE = make_place(PLAN, 20_000, 1)
ORTHOGONAL = gateway_profile("orthogonal", 8)
TWO_DAYS = 48

# -- parity: the published enumeration (loss that still gives 99.9 %; incomplete at 10 % loss; at 10 % in bursts of 5)


def incomplete(distances, losses, meters=150_000):
    received = ~losses.hourly(meters, 2 * TWO_DAYS + 1, 7)
    return 1 - repaired(received, np.ones_like(received), distances)[:, TWO_DAYS].mean()


@pytest.mark.parametrize(
    ("distances", "loss", "lost"),
    [
        ((1,), 0.10, 0.010),
        ((1,), 0.031, 0.001),
        ((1, 2, 4), 0.10, 0.0005),
        ((1, 2, 4), 0.119, 0.001),
        ((3, 7, 17), 0.10, 0.00011),
        ((3, 7, 17), 0.168, 0.001),
        ((3, 7, 17), 0.097, 0.0001),
    ],
)
def test_what_parity_leaves_is_what_the_enumeration_says(distances, loss, lost):
    meters = 150_000 if lost > 0.0002 else 600_000
    found = incomplete(distances, Losses(loss), meters)
    deviation = math.sqrt(lost / meters)
    assert found == pytest.approx(lost, rel=0.15, abs=3 * deviation)


@pytest.mark.parametrize(("distances", "lost"), [((1,), 0.079), ((1, 2, 4), 0.043), ((3, 7, 17), 0.006)])
def test_spread_distances_stand_bursts_that_near_ones_do_not(distances, lost):
    assert incomplete(distances, Losses(0.10, bursts=True)) == pytest.approx(lost, rel=0.25)


def peeled_plainly(received, parity, distances):
    known = set(np.flatnonzero(received))
    before = None
    while known != before:
        before = set(known)
        for block in range(max(distances), len(received)):
            unknown = [block - each for each in distances if block - each not in known]
            if received[block] and parity[block] and len(unknown) == 1:
                known.add(unknown[0])
    return [block in known for block in range(len(received))]


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=20, max_size=60))
def test_the_kernel_peels_as_sets_do(blocks):
    received, parity = (np.array(column) for column in zip(*blocks, strict=True))
    assert repaired(received[None], parity[None])[0].tolist() == peeled_plainly(received, parity, (3, 7, 17))


def test_an_equation_that_reaches_before_the_first_block_or_has_no_room_says_nothing():
    received = np.ones((1, 30), np.bool_)
    received[0, [2, 20]] = False
    everywhere = np.ones_like(received)
    assert repaired(received, everywhere)[0, [2, 20]].tolist() == [True, True]
    assert repaired(received[:, :10], everywhere[:, :10])[0, 2] == np.False_
    assert repaired(received, ~everywhere)[0, [2, 20]].tolist() == [False, False]


# -- ALOHA


def test_without_capture_the_kernel_is_pure_aloha_at_each_spreading_factor():
    """exp(-2 G), less the meter's own frame; a frame can be disturbed from its first symbol on."""
    profile = replace(gateway_profile("aloha", 1_000), early_symbols=0)
    received = heard(profile, PLACE, practice("coded"), 12, 3)[:, :, 0]
    for sf in SF_SHARE:
        expected = limits.aloha_delivery(practice("coded"), len(PLACE.sf), sf)
        assert received[PLACE.sf == sf].mean() == pytest.approx(expected, abs=0.006)


def test_a_gateway_that_sends_hears_nothing_meanwhile():
    """Half duplex: it sends for the first half of an hour."""
    half_us = slots.HOUR_US // 2
    sends = Sends(np.zeros(1, np.int64), np.zeros(1, np.int64), np.array([half_us]))
    few = PLACE.first(200)
    deaf = heard(ORTHOGONAL, few, practice("coded"), 1, 1, sends)
    free = heard(ORTHOGONAL, few, practice("coded"), 1, 1)
    assert free.mean() > 0.99
    assert deaf.mean() == pytest.approx(0.5, abs=0.12)
    assert not (deaf & ~free).any()


def test_meters_that_keep_their_instant_lose_frames_together_with_their_repair():
    """As many frames are lost as of meters that move each hour, and ten times as many intervals."""
    keep, move = (heard(ORTHOGONAL, PLACE, practice("coded"), 56, 1, locked=locked) for locked in (True, False))
    assert keep.mean() == pytest.approx(move.mean(), abs=0.002)
    assert 1 - interval_rate(keep) > 5 * (1 - interval_rate(move))


def test_a_reading_sent_three_times_is_there_if_one_came():
    received = np.array([[[False, False, True], [False, False, False]]])
    assert reading_rate(received) == 0.5
    assert not thinned(received, 1.0, 1).any()
    assert (thinned(received, 0.0, 1) == received).all()


def test_only_the_second_day_counts_and_what_comes_later_repairs_it():
    received = np.ones((1, 56, 1), np.bool_)
    received[0, 5] = False
    assert interval_rate(received) == 1.0
    received[0, [30, 47, 50]] = False
    assert interval_rate(received) == 1.0
    assert interval_rate(received, parity_share=0.0) == pytest.approx(22 / 24)


# -- slots


@pytest.mark.parametrize("demodulators", slots.PATHS)
def test_slots_never_collide_and_never_want_more_paths_than_there_are(demodulators):
    """All clocks wrong by as much as they may: no frame of an hour is lost, whatever its power."""
    plan = slots.assign(PLACE, demodulators)
    frames = slots.one_hour(PLACE, plan, 5)
    nothing_survives = replace(gateway_profile("aloha", demodulators), early_symbols=0)
    assert (fates(nothing_survives, frames, SILENT) == Fate.HEARD).all()
    assert frames.end_us.max() <= slots.HOUR_US - slots.RESERVED_US


def test_clocks_that_are_wrong_by_more_than_the_guard_collide():
    plan = slots.assign(PLACE, 8)
    wrong_us = np.random.default_rng(1).integers(0, 2 * slots.GUARD_US, len(PLACE.sf))
    frames = slots.one_hour(PLACE, replace(plan, start_us=plan.start_us + wrong_us), 5)
    assert (fates(gateway_profile("aloha", 8), frames, SILENT) == Fate.COLLIDED).sum() > 100


@pytest.mark.parametrize("demodulators", slots.PATHS)
def test_as_many_have_slots_as_are_said_and_more_are_refused(demodulators):
    large = make_place(PLAN, 260_000, 2)
    most = slots.slots_of(large, demodulators)
    slots.assign(large.first(most), demodulators)
    with pytest.raises(BadArgumentError, match=r"meters do not fit an hour of"):
        slots.assign(large.first(round(most * 1.01)), demodulators)


# -- back-fill


def test_without_loss_all_is_there_in_its_hour():
    came = came_hour(PLACE, 8, Losses(0.0), 3, 1)
    assert (came == np.arange(3)).all()


def test_what_the_reserved_minutes_cannot_carry_waits():
    """At 10 % loss 20,000 meters are repaired in the hour; twelve times as many are not, and what came is what fits."""
    assert (came_hour(PLACE, 8, Losses(0.10), 4, 1) == np.arange(4)).mean() > 0.999
    many = make_place(PLAN, 240_000, 1)
    first = came_hour(many, 16, Losses(0.10), 1, 1)
    assert 0.91 < (first == 0).mean() < 0.97


def test_a_meter_in_a_burst_answers_when_it_is_over():
    losses, seed = Losses(0.10, bursts=True), 3
    came = came_hour(PLACE.first(500), 8, losses, 48, seed)
    lost = losses.hourly(500, 48, seed + 1)
    for meter in range(500):
        for block in range(48):
            over = next((hour for hour in range(block, 48) if not lost[meter, hour]), NEVER)
            assert came[meter, block] == over


def test_bursts_keep_the_rate_and_last_five_hours_on_average():
    lost = Losses(0.10, bursts=True).hourly(20_000, 48, 1)
    begins = lost[:, 1:] & ~lost[:, :-1]
    assert lost.mean() == pytest.approx(0.10, abs=0.003)
    assert lost[:, 1:].sum() / begins.sum() == pytest.approx(5, rel=0.1)


def test_after_a_day_what_is_missing_is_what_no_method_could_have_brought():
    found = search.within_a_day(PLACE, 8, Losses(0.10, bursts=True), 1)
    assert 1 - found == pytest.approx(1 - limits.burst_completeness(0.10, 24), rel=0.35)


# -- the answers


def test_a_curve_is_read_between_its_points():
    curve = search.Curve((100, 200, 400), ((0.0, 0.0, 0.01), (1e-4, 2e-4, 0.02), (1e-2, 2e-2, 0.03)))
    assert curve.meets(0.0, 0.999) == pytest.approx(283, abs=1)
    assert curve.meets(0.01, 0.9999) == 100
    assert curve.meets(0.10, 0.999) == 0


def test_seeds_reproduce_and_others_differ():
    few = PLACE.first(2_000)
    first, again, other = (heard(ORTHOGONAL, few, practice("coded"), 4, seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    assert (make_place(PLAN, 500, 4).rssi_dbm == make_place(PLAN, 500, 4).rssi_dbm).all()
    losses = Losses(0.10)
    assert (came_hour(few, 8, losses, 4, 1) == came_hour(few, 8, losses, 4, 1)).all()


def test_parity_hourly_carries_many_times_the_meters_of_three_registers_a_quarter():
    """At 20,000 meters hourly frames lose less than registers of 4,000 meters."""
    vendor = 1 - reading_rate(thinned(heard(ORTHOGONAL, PLACE.first(4_000), practice("vendor"), 24, 1), 0.01, 1))
    coded = 1 - search.coded_rate(ORTHOGONAL, PLACE, Losses(0.01), 1)
    assert coded < 0.001 < vendor


def test_the_mix_is_as_stated_and_the_strong_are_fast():
    for sf, share in SF_SHARE.items():
        assert (PLACE.sf == sf).mean() == pytest.approx(share, abs=1e-4)
        assert (PLACE.first(1_000).sf == sf).mean() == pytest.approx(share, abs=0.002)
    assert PLACE.rssi_dbm[PLACE.sf == 7].min() > PLACE.rssi_dbm[PLACE.sf == 9].max()
    floors = np.array([ORTHOGONAL.gateway_floor_dbm(sf) for sf in SF_SHARE])
    assert (PLACE.rssi_dbm >= floors[PLACE.sf - 7]).all()


@pytest.mark.parametrize("name", ["vendor", "coded", "slotted"])
def test_every_practice_fits_its_data_rates(name):
    how = practice(name)
    assert how.air_us().tolist() == [airtime_us(size + 13, sf) for sf, size in zip(SF_SHARE, how.payload_bytes, strict=True)]
    assert how.payload_bytes[-1] <= 11
    assert how.air_us().max() < 400_000


def test_a_practice_that_is_not_in_the_table_is_refused():
    with pytest.raises(UnknownError, match="semaphore"):
        practice("semaphore")


def test_limits_are_beyond_what_was_found():
    assert limits.perfect_schedule(practice("slotted"), 8, 0.0) == pytest.approx(218_000, rel=0.06)
    assert limits.ideal_code(practice("coded"), 0.01) > 100_000
    assert limits.burst_completeness(0.10, 0) == pytest.approx(0.9)
