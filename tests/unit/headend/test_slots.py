"""Slots never overlap on a lane, never wander without need, and come back when they are left."""

from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.headend.slots import FIRST_MS, GUARD_LEAST_MS, GUARD_MOST_MS, RESERVED_MS, SF_LANES, STEP_MS, WINDOWS, Need, SlotPlan
from nyala.vocab.errors import BadArgumentError

needs = st.builds(
    Need,
    meter_id=st.integers(1, 40),
    cell=st.integers(1, 2),
    sf=st.integers(7, 10),
    air_ms=st.integers(40, 400),
    clock_error_ms=st.integers(0, GUARD_MOST_MS + 50),
)


def given_to(plan, need):
    slot = plan.assign(need)
    assert slot is not None
    return slot


def need(meter_id, sf=7, air_ms=62, clock_error_ms=0, cell=1):
    return Need(meter_id, cell, sf, air_ms, clock_error_ms)


@settings(deadline=None)
@given(st.lists(st.one_of(needs, st.integers(1, 40)), max_size=120), st.sampled_from([(8, 8), (8, 16), (2, 2), (2, 4)]))
def test_whatever_comes_and_goes_no_two_slots_of_a_lane_overlap_and_none_leaves_the_period(steps, gateway):
    plan = SlotPlan(600, *gateway)
    said: dict[int, Need] = {}
    for step in steps:
        if isinstance(step, int):
            plan.release(step)
            said.pop(step, None)
            continue
        slot = plan.assign(step)
        said.pop(step.meter_id, None)
        if slot is not None:
            said[step.meter_id] = step
            assert slot.cell == step.cell
            assert slot.air_ms + 2 * slot.guard_ms >= step.air_ms + 2 * step.guard_ms
            assert slot.guard_ms >= step.clock_error_ms
    assert len(plan) == len(said)
    sets, lanes = SF_LANES[gateway[1] // gateway[0]], defaultdict(list)
    for meter_id, step in said.items():
        slot = plan.slot(meter_id)
        assert slot is not None
        lane = next(index for index, each in enumerate(sets) if step.sf in each)
        lanes[slot.cell, slot.channel, lane].append(slot.span_ms)
        assert 0 <= slot.channel < gateway[0]
    again = SlotPlan(600, *gateway)
    again.restore((step, slot.channel, slot.start_ms) for step in said.values() if (slot := plan.slot(step.meter_id)))
    for spans in lanes.values():
        spans.sort()
        assert spans[0][0] >= FIRST_MS
        assert spans[-1][1] <= 600_000 - RESERVED_MS
        assert all(one[1] <= other[0] for one, other in pairwise(spans))


def test_a_meter_keeps_its_slot_while_its_frame_fits_and_gets_another_where_it_does_not():
    plan = SlotPlan(3_600, 8, 8)
    slot = given_to(plan, need(1, air_ms=100))
    assert given_to(plan, need(1, air_ms=90)) is slot
    assert given_to(plan, need(1, sf=8, air_ms=100)) is slot  # the same lane
    longer = given_to(plan, need(1, air_ms=200))
    assert longer is not slot
    assert given_to(plan, need(1, air_ms=40)) is not longer  # half of it would be wasted
    assert given_to(plan, need(1, air_ms=40, cell=2)).cell == 2


def test_a_lane_of_its_own_for_the_slow_where_there_are_two_demodulators_to_a_channel():
    plan = SlotPlan(3_600, 1, 2)
    fast, slow = given_to(plan, need(1, sf=7)), given_to(plan, need(2, sf=10))
    assert (fast.channel, fast.start_ms) == (slow.channel, slow.start_ms) == (0, FIRST_MS + GUARD_LEAST_MS + 4)
    assert given_to(plan, need(1, sf=10)).start_ms > slow.start_ms


def test_an_hour_of_a_gateway_with_good_clocks_holds_what_its_time_says():
    plan, air_ms = SlotPlan(3_600, 8, 8), 70
    length_ms = -(-(air_ms + 2 * GUARD_LEAST_MS) // STEP_MS) * STEP_MS
    window_ms = (3_600_000 - RESERVED_MS - FIRST_MS) // WINDOWS // STEP_MS * STEP_MS
    expected = 8 * WINDOWS * (window_ms // length_ms)
    given_out = sum(plan.assign(need(meter_id, air_ms=air_ms)) is not None for meter_id in range(expected + 10))
    assert (given_out, len(plan), expected) == (expected, expected, 187_392)
    assert plan.assign(need(expected + 20)) is None
    plan.release(5)
    assert given_to(plan, need(expected + 20)) is not None


def test_a_clock_that_is_too_far_off_has_no_slot_and_gives_up_the_one_it_had():
    plan = SlotPlan(3_600, 8, 8)
    assert given_to(plan, need(1)) is not None
    assert plan.assign(need(1, clock_error_ms=GUARD_MOST_MS + 1)) is None
    assert (len(plan), plan.slot(1)) == (0, None)


def test_holes_that_touch_become_one_and_the_last_gives_the_lane_back():
    plan = SlotPlan(325, 1, 1)  # a single window
    slots = [given_to(plan, need(meter_id)) for meter_id in range(6)]
    for meter_id in (1, 3, 2):
        plan.release(meter_id)
    assert given_to(plan, need(9, air_ms=350)).span_ms[0] == slots[1].span_ms[0]
    plan.release(5)
    plan.release(4)
    assert given_to(plan, need(10)).start_ms == slots[4].start_ms


def test_slots_are_spread_over_the_whole_period():
    plan = SlotPlan(3_600, 8, 8)
    starts = sorted(given_to(plan, need(meter_id)).start_ms for meter_id in range(40))
    assert all(later - earlier > 45_000 for earlier, later in pairwise(starts))


@pytest.mark.parametrize(("period_s", "channels", "demodulators"), [(3_600, 8, 24), (3_600, 8, 4), (300, 8, 8), (3_600, 0, 8)])
def test_a_gateway_or_a_period_without_lanes_is_refused(period_s, channels, demodulators):
    with pytest.raises(BadArgumentError):
        SlotPlan(period_s, channels, demodulators)


def test_a_spreading_factor_of_no_lane_is_refused():
    with pytest.raises(BadArgumentError):
        SlotPlan(3_600, 8, 8).assign(need(1, sf=6))


def test_a_plan_that_begins_anew_goes_on_with_the_slots_that_were_told():
    plan, again = SlotPlan(3_600, 1, 1), SlotPlan(3_600, 1, 1)
    needs = [need(meter_id, air_ms=50 + meter_id) for meter_id in range(9)]
    slots = [given_to(plan, each) for each in needs]
    told = [(each, slot.channel, slot.start_ms) for each, slot in zip(needs, slots, strict=True) if each.meter_id != 4]
    again.restore([*told, (need(20), 7, 20_000)])  # there is no such channel
    assert [again.slot(each.meter_id) for each in needs] == [*slots[:4], None, *slots[5:]]
    assert given_to(again, needs[4]) == slots[4]  # the hole is found again
    assert again.slot(20) is None


def test_a_slot_that_has_become_too_short_is_not_gone_on_with():
    plan, again = SlotPlan(3_600, 1, 1), SlotPlan(3_600, 1, 1)
    slots = [given_to(plan, need(meter_id)) for meter_id in range(2)]
    again.restore([(need(meter_id, clock_error_ms=300), 0, slot.start_ms) for meter_id, slot in enumerate(slots)])
    assert (again.slot(0), again.slot(1)) == (None, None)
