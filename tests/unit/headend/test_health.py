"""Clocks against ours, numbers of events, and what modules tell of themselves; events against a simple model."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.headend.health import LOST_MAX, NAMES, POLICY, Health, error_ms, is_off
from nyala.headend.registry import MeterRecord, MeterState
from nyala.lorawan.packages.commands import TO_DEVICE, PackagePort, decode
from nyala.lorawan.packages.layouts import ForceResyncReq
from nyala.telegram.kinds import EventCode
from nyala.telegram.messages import EVENTS, Event
from nyala.telegram.values import Values
from nyala.twin.diagnostics import DAILY, JOINED
from nyala.vocab.quantities import catalogue
from nyala.vocab.time import DAY_S, HOUR_S, US_PER_S

T = 20_400 * DAY_S + 5 * HOUR_S
METER = MeterRecord(1, 1, "N00001", "single-phase", 0xD0001, "UTC", 900, 3_600, 0)


class Centre:
    """One meter whose clock is off by so much, and what is ordered of it."""

    def __init__(self, off_s: float = 0.0) -> None:
        self.health, self.state, self.now_s, self.off_s = Health(), MeterState(1), float(T), off_s
        self.orders: list[bytes] = []

    def heard(self, times: int = 1, *, wait_s: float = 0.7) -> None:
        """It says its instant, which comes after a wait; an hour goes by."""
        for _ in range(times):
            self.health.said(METER, self.state, int(self.now_s + self.off_s), int((self.now_s + wait_s) * US_PER_S))
            self.orders += [order.payload for order in self.health.poll()]
            self.now_s += HOUR_S

    @property
    def error_ms(self) -> int | None:
        return error_ms(self.state.health)


def test_a_clock_that_is_right_is_left_alone():
    centre = Centre()
    centre.heard(48)
    assert centre.error_ms is not None
    assert -1_000 <= centre.error_ms <= 0
    assert centre.orders == []


@pytest.mark.parametrize("off_s", [5, 3_000, -90])
def test_a_clock_that_is_off_is_told_to_ask_for_the_time_and_not_at_every_word(off_s):
    centre = Centre(off_s)
    centre.heard(POLICY.seen - 1)
    assert centre.orders == []
    centre.heard(6)
    [order] = centre.orders
    assert decode(order, TO_DEVICE[PackagePort.CLOCK_SYNC, 1]) == [ForceResyncReq(1)]
    centre.heard(6)
    assert len(centre.orders) == 2


def test_a_telegram_that_waited_says_nothing_of_the_clock():
    centre = Centre()
    for wait_s in (50, 0.5, 4_000, 90):
        centre.heard(wait_s=wait_s)
    assert centre.error_ms is not None
    assert centre.error_ms >= -1_000
    assert centre.orders == []


def test_what_was_known_of_a_day_holds_until_enough_is_known_of_the_next():
    centre = Centre(1.5)
    centre.heard(10)
    known = centre.error_ms
    centre.now_s, centre.off_s = T + DAY_S, 0
    centre.heard(POLICY.seen - 1)
    assert centre.error_ms == known
    centre.heard()
    assert centre.error_ms is not None
    assert known is not None
    assert centre.error_ms < known


@pytest.mark.parametrize(("ms", "off"), [(None, False), (2_000, False), (2_001, True), (-60_000, False), (-60_001, True)])
def test_the_policy_has_its_edges(ms, off):
    assert is_off(ms) is off


# -- events


def event(number: int, code: EventCode = EventCode.CLOCK_SET) -> Event:
    return Event(number % EVENTS, code, T)


def lost(*numbers: int, code: EventCode = EventCode.CLOCK_SET) -> tuple[int, ...]:
    health, state = Health(), MeterState(1)
    for number in numbers:
        health.event(state, event(number, code))
    return state.health.lost


def test_a_number_that_is_left_out_is_an_event_that_was_lost():
    assert lost(7, 8, 9) == ()
    assert lost(7, 10) == (8, 9)
    assert lost(254, 257) == (255, 0)  # they wrap
    assert lost(7, 10, 8) == (9,)  # late
    assert lost(7, 10, 10, 9, 8) == ()
    assert lost(7, 6) == ()


def test_the_last_word_before_a_return_of_the_supply_is_not_missed():
    assert lost(7, 9, code=EventCode.POWER_RESTORED) == ()
    assert lost(7, 10, code=EventCode.POWER_RESTORED) == (8,)


def test_a_count_of_events_shows_that_the_last_ones_were_lost():
    health, state = Health(), MeterState(1)
    health.told(state, Values(T, {"event_count": 3}))  # none was heard yet: the meter may have lived before us
    assert list(state.health.lost) == []
    health.event(state, event(7))
    health.told(state, Values(T, {"event_count": 256 + 9}))
    assert list(state.health.lost) == [8, 9]
    health.told(state, Values(T, {"event_count": 256 + 9}))
    assert list(state.health.lost) == [8, 9]
    health.event(state, event(9))
    assert list(state.health.lost) == [8]


@given(st.lists(st.booleans(), max_size=300))
def test_of_events_in_order_just_those_that_did_not_come_are_lost(came):
    health, state = Health(), MeterState(1)
    heard = [number for number, there in enumerate(came) if there]
    for number in heard:
        health.event(state, event(number))
    gaps = [number for number, there in enumerate(came) if heard and heard[0] < number < heard[-1] and not there]
    longest = max((b - a for a, b in pairwise(heard)), default=0)
    if longest < EVENTS // 2:
        assert state.health.lost == tuple(number % EVENTS for number in gaps[-LOST_MAX:])


# -- diagnostics


def test_the_newest_of_each_is_kept_whatever_comes_late():
    health, state = Health(), MeterState(1)
    health.told(state, Values(T, {"battery_v": 360, "p_w": 5}))
    health.told(state, Values(T - 9, {"battery_v": 300, "uptime_s": 4}))
    assert state.health.told == {"battery_v": (360, T), "uptime_s": (4, T - 9)}


def test_what_a_module_tells_is_kept_as_diagnostics():
    assert {*DAILY, *JOINED} <= set(NAMES) <= set(catalogue())
