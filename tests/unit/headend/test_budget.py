"""The downlink budget: each gateway keeps its share, whatever waits, and none waits for another gateway."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.headend.budget import ELSEWHERE, PER_CENT, SHARE_PCT, UNKNOWN_US, Budget, Seats, Share, Turns
from nyala.lorawan.network.port import Way
from nyala.vocab.time import US_PER_S

AIR_US = 370_000


class Town:
    """Ways to devices: the gateway by DevEUI; each payload is as long on the air as was said."""

    def __init__(self, gateways: dict[int, int], *, window_us: int = AIR_US, at_once_us: int | None = AIR_US) -> None:
        self.gateways, self.window_us, self.at_once_us = gateways, window_us, at_once_us

    def way(self, dev_eui: int, payload_bytes: int) -> Way | None:
        assert payload_bytes >= 0
        gateway = self.gateways.get(dev_eui)
        return None if gateway is None else Way(gateway, self.window_us, self.at_once_us)


def test_the_shares_leave_a_gateway_most_of_its_time():
    assert set(SHARE_PCT) == set(Share)
    assert all(per_cent > 0 for per_cent in SHARE_PCT.values())
    assert sum(SHARE_PCT.values()) <= PER_CENT // 2


@pytest.mark.parametrize("share", Share)
def test_after_a_downlink_the_gateway_is_closed_for_as_long_as_its_share_asks(share):
    budget = Budget(Town({1: 7}))
    assert budget.free_us(share, 7) == 0
    budget.spend_at_once(share, 1, 11, 5_000)
    assert budget.free_us(share, 7) == 5_000 + AIR_US * PER_CENT // SHARE_PCT[share]


def test_kinds_and_gateways_do_not_wait_for_each_other():
    budget = Budget(Town({1: 7, 2: 8}))
    budget.spend_at_once(Share.ORDERS, 1, 11, 5_000)
    assert budget.free_us(Share.BACKFILL, 7) == 0
    assert budget.free_us(Share.ORDERS, 8) == 0


def test_a_device_without_class_c_takes_the_air_of_its_window():
    budget = Budget(Town({1: 7}, window_us=60_000, at_once_us=None))
    budget.spend_at_once(Share.ORDERS, 1, 11, 0)
    assert budget.free_us(Share.ORDERS, 7) == 60_000 * PER_CENT // SHARE_PCT[Share.ORDERS]


def test_devices_of_which_no_gateway_is_known_share_one_budget():
    for budget in (Budget(), Budget(Town({}))):
        assert budget.way(1, 11) == Way(ELSEWHERE, UNKNOWN_US, UNKNOWN_US)
        budget.spend_at_once(Share.ORDERS, 1, 11, 0)
        assert budget.free_us(Share.ORDERS, budget.gateway(2)) == UNKNOWN_US * PER_CENT // SHARE_PCT[Share.ORDERS]


# -- turns

sends = st.lists(
    st.tuples(st.integers(1, 12), st.integers(30_000, 400_000), st.integers(0, 3 * US_PER_S), st.sampled_from(Share)),
    max_size=60,
)


@given(sends)
def test_in_no_stretch_of_time_does_a_gateway_exceed_its_share_by_what_can_wait(asked):
    town = Town({dev_eui: dev_eui % 3 + 1 for dev_eui in range(1, 13)})
    budget = Budget(town)
    turns = {share: Turns(budget, share) for share in Share}
    airs: dict[tuple[Share, int], int] = {}
    sent: defaultdict[tuple[Share, int], list[tuple[int, int]]] = defaultdict(list)

    def poll(now_us: int) -> None:
        for share, waiting in turns.items():
            for dev_eui in waiting.take(now_us):
                air_us = airs.pop((share, dev_eui))
                gateway = budget.gateway(dev_eui)
                budget.spend(share, gateway, air_us, now_us)
                sent[share, gateway].append((now_us, air_us))

    now_us = 0
    for dev_eui, air_us, pause_us, share in asked:
        if (share, dev_eui) not in airs:
            airs[share, dev_eui] = air_us
            turns[share].put(dev_eui, now_us)
        poll(now_us)
        now_us += pause_us
    while due := [each.next_us for each in turns.values() if each.next_us is not None]:
        now_us = max(now_us, min(due))
        poll(now_us)
    assert not airs
    for (share, _), frames in sent.items():
        for first, (begin_us, _) in enumerate(frames):
            for last in range(first + 1, len(frames)):
                spent_us = sum(air_us for _, air_us in frames[first:last])
                assert spent_us * PER_CENT <= (frames[last][0] - begin_us) * SHARE_PCT[share]


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 50)), max_size=40, unique=True))
def test_each_gateway_takes_the_smallest_key_first(asked):
    town = Town({dev_eui: dev_eui % 2 + 1 for dev_eui in range(1, 7)})
    budget = Budget(town)
    turns, now_us = Turns(budget, Share.BACKFILL), 0
    for dev_eui, key in asked:
        turns.put(dev_eui, key)
    found: defaultdict[int, list[int]] = defaultdict(list)
    while turns.next_us is not None:
        now_us = max(now_us, turns.next_us)
        for dev_eui in turns.take(now_us):
            budget.spend(Share.BACKFILL, budget.gateway(dev_eui), AIR_US, now_us)
            found[budget.gateway(dev_eui)].append(dev_eui)
    for gateway in (1, 2):
        model = sorted((key, dev_eui) for dev_eui, key in asked if town.gateways[dev_eui] == gateway)
        assert found[gateway] == [dev_eui for _, dev_eui in model]


def test_a_gateway_that_has_sent_holds_up_nobody_below_another_one():
    budget = Budget(Town({1: 7, 2: 7, 3: 8}))
    turns = Turns(budget, Share.ORDERS)
    for dev_eui in (1, 2, 3):
        turns.put(dev_eui, dev_eui)
    found = []
    for dev_eui in turns.take(0):
        budget.spend_at_once(Share.ORDERS, dev_eui, 11, 0)
        found.append(dev_eui)
    assert found == [1, 3]
    assert turns.next_us == budget.free_us(Share.ORDERS, 7)


def test_a_device_that_is_heard_better_elsewhere_by_now_waits_there():
    town = Town({1: 7, 2: 8})
    budget = Budget(town)
    turns = Turns(budget, Share.ORDERS)
    turns.put(1, 1)
    budget.spend_at_once(Share.ORDERS, 2, 11, 0)
    town.gateways[1] = 8
    assert list(turns.take(0)) == []
    assert turns.next_us == budget.free_us(Share.ORDERS, 8)
    assert list(turns.take(turns.next_us)) == [1]


def test_who_does_not_spend_leaves_the_turn_to_the_next():
    turns = Turns(Budget(Town({1: 7, 2: 7})), Share.ORDERS)
    turns.put(1, 1)
    turns.put(2, 2)
    assert list(turns.take(0)) == [1, 2]
    assert turns.next_us is None


# -- seats


def test_so_many_sit_at_each_gateway_and_the_next_one_is_called_when_one_leaves():
    seats = Seats(2)
    assert [seats.take(who, 7) for who in (1, 2, 3, 4)] == [True, True, False, False]
    assert seats.take(5, 8)
    assert seats.take(1, 7), "who sits goes on sitting"
    assert seats.leave(5) is None
    assert seats.leave(2) == 3
    assert seats.take(3, 7)
    assert seats.leave(4) is None, "who waits may go, and frees no seat"
    assert seats.leave(1) is None
    assert seats.leave(9) is None


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 9)), max_size=80), st.integers(1, 3))
def test_nobody_waits_where_a_seat_is_free(steps, most):
    seats, sitting, waiting = Seats(most), set(), list[int]()
    for comes, who in steps:
        called = None
        if comes:
            if seats.take(who, who % 2):
                sitting.add(who)
                waiting = [each for each in waiting if each != who]
            elif who not in waiting:
                waiting.append(who)
        else:
            called = seats.leave(who)
            sitting.discard(who)
            waiting = [each for each in waiting if each != who]
        if called is not None:
            assert called == next(each for each in waiting if each % 2 == who % 2)
            assert seats.take(called, called % 2)
            sitting.add(called)
            waiting.remove(called)
        for gateway in (0, 1):
            full = sum(each % 2 == gateway for each in sitting) == most
            assert sum(each % 2 == gateway for each in sitting) <= most
            assert full or not any(each % 2 == gateway for each in waiting)
