"""Auxiliary contacts: each function follows the meter, and opens with the supply."""

import pytest

from nyala.meter.bank import Bank
from nyala.meter.contacts import Function, closed
from nyala.meter.meter import Meter
from nyala.meter.model import meter_model
from nyala.meter.supply import ControlState, Reason, SwitchEvent
from nyala.vocab.alarms import Alarm


@pytest.fixture
def meter():
    return Meter(Bank([meter_model("three-phase")], 0, ring_days=1), 0)


def to_armed(meter):
    meter.operation.switch(SwitchEvent.LOCAL_DISCONNECT, Reason.POWER)
    meter.operation.switch(SwitchEvent.LOCAL_RELEASE, Reason.POWER)
    assert meter.operation.supply.state is ControlState.READY


def set_alarm(meter, alarm):
    meter.bank.alarms[0] = 1 << alarm


MOVES = {
    Function.ALARM: lambda meter: set_alarm(meter, Alarm.MAGNET),
    Function.RATE: lambda meter: meter.bank.rate.__setitem__(0, 2),
    Function.SUPPLY: lambda meter: meter.switch(SwitchEvent.REMOTE_DISCONNECT),
    Function.ARMED: to_armed,
}


@pytest.mark.parametrize("function", Function)
def test_a_contact_follows_its_function_and_opens_with_the_supply(meter, function):
    before = closed(meter, function)
    assert before is (function is Function.SUPPLY)
    MOVES[function](meter)
    assert closed(meter, function) is not before
    meter.set_powered(powered=False)
    assert not closed(meter, function)


def test_a_low_alarm_moves_no_contact(meter):
    set_alarm(meter, Alarm.OVER_CURRENT)
    assert not closed(meter, Function.ALARM)
