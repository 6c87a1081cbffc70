"""What a twin tells of its meter's alarms: which, when, how often, and what its meter does by itself."""

import pytest

from nyala.meter.bank import Change
from nyala.meter.limiter import Limit, LimiterPlan
from nyala.meter.logs import LogGroup
from nyala.meter.supply import Reason
from nyala.telegram.kinds import ALARM_VALUE_BITS, EventCode
from nyala.twin.alarm_telling import ALARM_PAUSE_S
from nyala.vocab.alarms import Alarm, alarm_row
from tests.unit.meter.banks import feed
from tests.unit.twin.wall import MIDNIGHT_S as START_S
from tests.unit.twin.wall import Wall


@pytest.fixture
def twin():
    return Wall().twin


def change(alarm, *, raised=True, at_s=START_S, figure=1.0):
    return Change(0, alarm, raised, at_s, figure)


@pytest.mark.parametrize("alarm", [each for each in Alarm if each is not Alarm.METER_DISCONNECTED])
def test_every_alarm_is_an_event_with_its_bit_and_its_figure_in_the_tables_steps(twin, alarm):
    event = twin.telling.alarm(change(alarm, figure=3.07))
    assert event.code is EventCode.ALARM_RAISED
    assert event.detail >> ALARM_VALUE_BITS == alarm
    assert event.detail & (1 << ALARM_VALUE_BITS) - 1 == round(3.07 * 10 ** -alarm_row(alarm).scaler)
    assert event.clock_s == twin.meter.clock_s - int(twin.meter.bank.now_s[0]) + START_S


def test_a_disconnection_is_told_by_its_own_event(twin):
    assert twin.telling.alarm(change(Alarm.METER_DISCONNECTED)) is None


def test_a_low_alarm_that_comes_and_goes_is_said_once_an_hour(twin):
    said = [twin.telling.alarm(change(Alarm.OVER_CURRENT, raised=bool(n % 2), at_s=START_S + 600 * n)) for n in range(13)]
    assert [n for n, event in enumerate(said) if event is not None] == [0, 6, 12]
    assert ALARM_PAUSE_S == 3600


def test_a_medium_alarm_is_said_each_time(twin):
    assert all(twin.telling.alarm(change(Alarm.MAGNET, raised=bool(n % 2), at_s=START_S + n)) for n in range(10))


def test_an_alarm_is_in_the_log_even_where_it_is_not_said(twin):
    for n in range(3):
        twin.alarm(change(Alarm.CT_OPEN, raised=n % 2 == 0, at_s=START_S + n))
    assert [entry.event for entry in twin.meter.operation.logs.of(LogGroup.FRAUD)] == [57, 58, 57]


def test_a_limiter_that_trips_opens_the_switch_and_says_so(twin):
    operation, bank = twin.meter.operation, twin.meter.bank
    operation.limit(LimiterPlan((Limit(Reason.POWER, 1000, over_s=0, under_s=60),)))
    before = twin.memory.event_number
    feed(bank, int(bank.now_s[0]) + 60, [0] * 8)
    bank.p_w[0, 0] = 2000
    twin.operate((int(bank.now_s[0]) + 10) * 1_000_000)
    assert not bank.closed[0]
    assert operation.supply.last_reason is Reason.POWER
    assert twin.memory.event_number == before + 1
