"""An outage as the centre sees it: last words make an alarm, a feeder's make one incident, silence there is explained."""

import pytest

from nyala.headend import alarms
from nyala.headend.ports import AlarmCleared, AlarmRaised
from nyala.headend.registry import MeterRecord, MeterState
from nyala.headend.storms import Storms
from nyala.headend.storms_shapes import Entry, Origin, Scope, storm_table
from nyala.telegram.kinds import EventCode
from nyala.telegram.messages import Event
from nyala.vocab.centre_alarms import POWER_FAILED
from nyala.vocab.time import US_PER_S

T = 1_762_560_000
METER = MeterRecord(1, 1, "N00001", "single-phase", 1, "UTC", 900, 3_600, 0)
RULE = storm_table()[0][POWER_FAILED]


def failed(number: int, at_s: int) -> Event:
    return Event(number, EventCode.POWER_FAILED, at_s)


def restored(number: int, at_s: int) -> Event:
    return Event(number, EventCode.POWER_RESTORED, at_s, 60)


def heard(state: MeterState, *events: Event) -> list[object]:
    return [change for event in events for change in alarms.on_event(METER, state, event, event.clock_s * US_PER_S)]


RAISED = AlarmRaised(1, 1, POWER_FAILED, T, None, "event", T * US_PER_S)


# -- the alarm of one meter


def test_last_words_are_an_alarm_until_the_supply_is_back():
    state = MeterState(1)
    assert heard(state, failed(1, T)) == [RAISED]
    assert state.alarms[POWER_FAILED].active
    assert alarms.active_bits(state) == 0  # the meter has no such bit
    assert heard(state, restored(2, T + 60)) == [AlarmCleared(1, POWER_FAILED, T + 60, T + 61)]
    assert not state.alarms[POWER_FAILED].active


def test_last_words_that_come_after_the_return_are_history():
    state = MeterState(1)
    assert heard(state, restored(2, T + 60)) == []
    (raised,) = heard(state, failed(1, T))
    assert isinstance(raised, AlarmRaised)
    assert (raised.raised_s, raised.cleared_s) == (T, T + 60)
    assert not state.alarms[POWER_FAILED].active


def test_a_state_that_comes_later_proves_that_the_supply_is_back():
    state = MeterState(1)
    heard(state, failed(1, T))
    assert alarms.on_state(METER, state, 0, T + 900, (T + 901) * US_PER_S) == [AlarmCleared(1, POWER_FAILED, T + 900, T + 901)]


def test_a_state_of_before_proves_nothing():
    state = MeterState(1)
    heard(state, failed(1, T))
    assert alarms.on_state(METER, state, 0, T - 900, T * US_PER_S) == []
    assert state.alarms[POWER_FAILED].active


def test_the_same_words_twice_are_one_alarm():
    state = MeterState(1)
    assert heard(state, failed(1, T), failed(1, T)) == [RAISED]


# -- many


def origin(meter_id: int) -> Origin:
    """A thousand meters of one feeder at forty sites and two gateways; from 5000 on a site of its own without a feeder."""
    if meter_id >= 5_000:
        return Origin(1, f"N{meter_id:05d}", "Elsewhere", "0016c001f0000001")
    return Origin(1, f"N{meter_id:05d}", f"Site {meter_id % 40}", f"0016c001f000000{meter_id % 2}", "F7")


def storms_of(meters: range) -> Storms:
    storms = Storms(origin)
    for place, meter_id in enumerate(meters):
        at_us = T * US_PER_S + place * 20_000_000 // len(meters)
        storms.poll(at_us)
        storms.raised(Entry(meter_id, POWER_FAILED, T, at_us))
    return storms


def test_a_thousand_meters_of_one_feeder_are_one_outage_that_is_told_once():
    storms = storms_of(range(1_000))
    storms.poll((T + 20 + RULE.hold_s) * US_PER_S)
    taken = storms.take()
    (incident,) = taken.incidents
    assert (incident.scope, incident.place, incident.meters, incident.meters_on) == (Scope.FEEDER, "F7", 1_000, 1_000)
    (notice,) = taken.notices
    assert (notice.place, len(notice.sites)) == ("F7", 40)
    for meter_id in range(1_000):
        storms.cleared(meter_id, POWER_FAILED, T + 600, T + 601, (T + 605) * US_PER_S)
    storms.poll((T + 606 + RULE.quiet_s) * US_PER_S)
    taken = storms.take()
    assert taken.incidents[0].ended_us is not None
    assert [(notice.on, notice.meters) for notice in taken.notices] == [(False, 1_000)]


@pytest.mark.parametrize("heard_of", [1, RULE.feeder_meters - 1])
def test_a_house_without_power_is_no_outage_of_the_feeder(heard_of):
    storms = storms_of(range(heard_of))
    storms.poll((T + 300) * US_PER_S)
    taken = storms.take()
    assert taken.incidents == []
    assert len(taken.notices) == heard_of


def test_a_meter_that_is_not_heard_any_more_where_an_outage_is_belongs_to_it():
    storms = storms_of(range(RULE.feeder_meters))
    assert storms.dark(900, T - 1_000, (T + 10_000) * US_PER_S)
    incident = storms.take().incidents[-1]
    assert (incident.meters, incident.first_s) == (RULE.feeder_meters + 1, T)
    storms.cleared(900, POWER_FAILED, T + 20_000, T + 20_000, (T + 20_000) * US_PER_S)
    assert storms.take().incidents[-1].meters_on == RULE.feeder_meters


def test_a_meter_that_has_said_so_itself_is_not_told_as_silent():
    storms = Storms(origin)
    storms.raised(Entry(5_001, POWER_FAILED, T, T * US_PER_S))
    assert storms.dark(5_001, T - 1_000, (T + 10_000) * US_PER_S)
    assert not storms.dark(5_002, T - 1_000, (T + 10_000) * US_PER_S)
