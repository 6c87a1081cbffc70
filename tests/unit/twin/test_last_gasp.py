"""The last words of a meter: what is said, when, and when there is nothing to say them with."""

import pytest

from nyala.lorawan.device.effects import Sense, Transmit
from nyala.lorawan.regulation import regulation
from nyala.telegram.kinds import EventCode
from nyala.telegram.messages import Event
from nyala.twin.last_gasp import SPREAD_US, Reserve
from nyala.vocab.time import HOUR_S, US_PER_S
from tests.unit.twin.wall import Wall

WITHIN_S = SPREAD_US[1] // US_PER_S + 1
FULL_US = 60_000_000
"""Charged for so long, the reserve is full."""


def met(**kinds) -> Wall:
    wall = Wall(**kinds)
    wall.join()
    wall.run(100)
    wall.forget()
    return wall


def test_a_meter_says_that_its_supply_is_gone_and_when():
    wall = met()
    cut_s = wall.meter.clock_s
    wall.power(on=False)
    before = len(wall.frames)
    wall.run(WITHIN_S)
    (event,) = wall.told(Event)
    assert (event.code, event.clock_s, event.detail) == (EventCode.POWER_FAILED, cut_s, 0)
    assert not wall.frames[-1].f_type.confirmed
    assert len(wall.frames) == before + 1
    assert wall.twin.next_us is None


def test_its_counter_and_number_are_never_used_again():
    wall = met()
    for _ in range(3):
        wall.power(on=False)
        wall.run(100)
        wall.power(on=True)
        wall.run(200)
    assert wall.counters == sorted(set(wall.counters))
    assert [each.code for each in wall.told(Event)] == [EventCode.POWER_FAILED, EventCode.POWER_RESTORED] * 3
    assert [each.number for each in wall.told(Event)] == [1, 2, 3, 4, 5, 6]


def test_a_street_does_not_say_it_at_once():
    moments = set()
    for seed in range(8):
        wall = met(seed=seed)
        cut_us = wall.now_us
        wall.power(on=False)
        at_us = wall.twin.next_us
        assert at_us is not None
        assert SPREAD_US[0] <= at_us - cut_us <= SPREAD_US[1]
        moments.add(at_us - cut_us)
    assert len(moments) == 8


def test_a_dip_is_no_outage():
    wall = met()
    wall.power(on=False)
    wall.run(0.9)
    wall.power(on=True)
    wall.run(100)
    assert [each.code for each in wall.told(Event)] == [EventCode.POWER_RESTORED]


@pytest.mark.parametrize("hold_up_bytes", [0, 700, 2_000])
def test_where_the_saving_does_not_end_nothing_is_said(hold_up_bytes):
    wall = met()
    wall.twin.power(wall.now_us, on=False, hold_up_bytes=hold_up_bytes)
    assert wall.twin.next_us is None
    wall.run(HOUR_S)
    assert wall.told(Event) == []


def test_at_a_slow_data_rate_the_charge_does_not_suffice():
    wall = met()
    assert wall.twin.mac.activation is not None
    wall.twin.mac.activation.uplink_dwell = False
    wall.set_data_rate(0)
    wall.power(on=False)
    assert wall.twin.next_us is None
    assert wall.twin.memory.event_number == 0  # and no number is lost


def test_a_reserve_that_was_just_emptied_must_be_charged_first():
    wall = met(data_rate=2)
    for _ in range(2):
        wall.power(on=False)
        wall.run(30)
        wall.power(on=True)
        wall.run(2)
    wall.run(100)
    assert [each.code for each in wall.told(Event)].count(EventCode.POWER_FAILED) == 1


def test_what_has_no_room_is_not_said():
    wall = met(data_rate=0)  # under the dwell limit
    wall.power(on=False)
    assert wall.twin.next_us is None


def test_a_module_without_a_session_says_nothing():
    wall = Wall()
    wall.power(on=False)
    assert wall.twin.next_us is None


def sensing() -> Wall:
    """A wall whose twin listens before its last words."""
    wall = met()
    wall.twin.regulation = regulation("indonesia-lbt")
    assert wall.twin.regulation.lbt is not None
    wall.power(on=False)
    assert wall.twin.next_us is not None
    wall.now_us = wall.twin.next_us
    return wall


def test_it_listens_before_it_talks():
    wall = sensing()
    (sense,) = wall.twin.wake(wall.now_us)
    assert isinstance(sense, Sense)
    (sent,) = wall.twin.sensed(sense.until_us, free=True)
    assert isinstance(sent, Transmit)
    assert wall.twin.next_us is None
    assert wall.twin.sensed(sense.until_us + 1, free=True) == []


def test_where_no_channel_is_ever_free_the_charge_ends_it():
    wall = sensing()
    asked = 0
    while (at_us := wall.twin.next_us) is not None:
        effects = wall.twin.wake(at_us)
        while effects:
            (sense,) = effects
            assert isinstance(sense, Sense)
            asked += 1
            effects = wall.twin.sensed(sense.until_us, free=False)
    assert asked >= 2
    assert wall.told(Event) == []


def test_charge_is_what_counts():
    reserve = Reserve()
    lasts_us = reserve.wait_us(400_000, FULL_US)
    assert lasts_us == reserve.wait_us(400_000, 10 * FULL_US)  # no more than full
    assert reserve.wait_us(400_000, FULL_US // 10) < 0 < lasts_us
    assert reserve.wait_us(1_500_000, FULL_US) < 0
    charge_mc = 100 * 0.8 * 1.4
    assert lasts_us * 0.3e-6 + 130 * 0.4 == pytest.approx(charge_mc, rel=1e-6)
