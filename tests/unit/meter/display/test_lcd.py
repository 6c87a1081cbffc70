"""Frames: what is lit for which state, what blinks, and the full-segment test."""

import json
from typing import Any

import pytest

from nyala.meter.credit import CreditState
from nyala.meter.display.lcd import ARROWS, CREDIT, SWITCHES, Lcd, full, shown_item, to_json
from nyala.meter.display.leds import LEDS, Lamps
from nyala.meter.display.machine import Display, Mode
from nyala.meter.display.segments import all_segments, annunciators
from nyala.meter.supply import SwitchState
from nyala.vocab.alarms import Alarm, alarm_table
from nyala.vocab.errors import BadArgumentError, UnknownError
from nyala.vocab.quantities import RATES
from tests.unit.meter.display.faces import Read, frame, signs

CALM = {"cross", "plus_p", "plus_q", "l1", "l2", "l3", "t1", "relay_closed", "clock"}


@pytest.mark.parametrize("lcd", [full(), frame(Read(), signs(), mode=Mode.TEST), frame(Read(), signs(), mode=Mode.LIST)])
def test_the_full_segment_test_lights_every_segment_of_the_table(lcd):
    assert lcd.segments == all_segments()
    assert lcd.blink == frozenset()


def test_a_dark_display_lights_nothing():
    assert frame(Read(), signs(alarms=1, joined=True), mode=Mode.DARK) == Lcd()
    assert Lcd().segments == frozenset()


def test_a_calm_meter_shows_its_register():
    lcd = frame(Read(), signs(), index=2)
    assert lcd.text == "1.8.0 123456.78 kWh"
    assert lcd.signs == CALM | {"kilo", "watt", "hour"}
    assert {"digit1b", "digit1c", "digit6p", "code5p"} <= lcd.segments
    assert not lcd.segments & {"digit1a", "digit8p", "code7p"}


def state_of(**changes: Any) -> tuple[frozenset[str], frozenset[str]]:
    lcd = frame(Read(), signs(**changes))
    return lcd.signs, lcd.blink


@pytest.mark.parametrize("quadrant", ARROWS)
def test_arrows_tell_the_quadrant_and_blink_in_the_wrong_sequence(quadrant):
    lit, blink = state_of(quadrant=quadrant)
    assert {name for name in lit if name.startswith(("plus", "minus"))} == set(ARROWS[quadrant])
    assert blink == frozenset()
    lit, blink = state_of(quadrant=quadrant, sequence_wrong=True)
    assert blink == {"cross", *ARROWS[quadrant]}
    assert "sequence" in lit


def test_without_load_there_is_no_arrow_and_the_no_load_sign():
    lit, _ = state_of(quadrant=None, no_load=True)
    assert lit == CALM - {"plus_p", "plus_q"} | {"no_load"}


def test_phases_are_lit_if_present_and_blink_when_they_sag():
    lit, blink = state_of(present=(True, True, False), sagging=(False, True, True))
    assert lit & {"l1", "l2", "l3"} == {"l1", "l2"}
    assert blink == {"l2"}


def test_a_single_phase_has_one_phase_sign():
    assert frame(Read(), signs(phases=1)).signs & {"l1", "l2", "l3"} == {"l1"}


@pytest.mark.parametrize("rate", range(1, RATES + 1))
def test_the_rate_is_shown(rate):
    assert {name for name in state_of(rate=rate)[0] if name in {f"t{n}" for n in range(1, 9)}} == {f"t{rate}"}


@pytest.mark.parametrize("switch", SwitchState)
def test_every_switch_state_has_its_sign(switch):
    assert state_of(switch=switch)[0] & {"relay_open", "relay_closed"} == set(SWITCHES[switch])


def test_a_switch_that_waits_for_the_button_blinks():
    assert state_of(switch=SwitchState.OPEN, armed=True)[1] == {"relay_open"}


@pytest.mark.parametrize("row", alarm_table(), ids=lambda row: row.name)
def test_every_alarm_is_seen(row):
    lit, _ = state_of(alarms=1 << row.alarm)
    assert lit - CALM == {each.name for each in annunciators().values() if row.alarm in each.alarms}
    assert "alarm" in lit


@pytest.mark.parametrize(("joined", "talking", "sign"), [(0, 0, "dark"), (1, 0, "lit"), (0, 1, "blinks"), (1, 1, "blinks")])
def test_the_antenna_tells_of_the_network(joined, talking, sign):
    lit, blink = state_of(joined=bool(joined), talking=bool(talking))
    assert ("blinks" if "antenna" in blink else "lit" if "antenna" in lit else "dark") == sign


def test_batteries_and_a_clock_that_is_not_to_be_trusted():
    lit, blink = state_of(internal_battery_low=True, external_battery_low=True, clock_valid=False)
    assert lit - CALM == {"battery_internal", "battery_external"}
    assert blink == {"clock"}


@pytest.mark.parametrize("state", CreditState)
def test_every_credit_state_is_shown_and_low_credit_comes_first(state):
    name = state.name.lower()
    lit, blink = state_of(credit=name)
    assert (lit - CALM, blink) == (CREDIT[name].lit, CREDIT[name].blink)
    reading = Read({"credit_wh": 5_000, "import_wh": 1})
    item = shown_item(Display(Mode.SCROLL), reading, signs(credit=name))
    assert (item is not None and item.name == "credit_wh") == (state is not CreditState.IN_CREDIT)


def test_the_display_knows_no_credit_state_that_the_account_does_not():
    assert CREDIT.keys() == {state.name.lower() for state in CreditState}
    with pytest.raises(UnknownError, match="credit state: rich"):
        frame(Read(), signs(credit="rich"))


def test_from_the_battery_registers_are_read_and_nothing_measured_is_told():
    reading, state = Read(), signs(present=(False,) * 3, no_load=True, alarms=1 << Alarm.MAIN_COVER_OPEN)
    texts = [frame(reading, state, mode=Mode.BATTERY, index=index).text for index in range(5)]
    assert "1.8.0 123456.78 kWh" in texts
    lit = frame(reading, state, mode=Mode.BATTERY, index=4).signs
    assert not lit & {"l1", "l2", "l3", "cross", "no_load"}
    assert {"cover", "tamper", "alarm"} <= lit


def test_blinking_signs_are_seen_half_of_each_second():
    lcd = Lcd(signs=frozenset({"l1", "l2"}), blink=frozenset({"l2"}))
    assert [lcd.visible(at_ms) for at_ms in (0, 499)] == [{"l1", "l2"}] * 2
    assert [lcd.visible(at_ms) for at_ms in (500, 999)] == [{"l1"}] * 2


def test_the_list_comes_round():
    count = len([1 for index in range(200) if frame(Read(), signs(), mode=Mode.LIST, index=index).segments == all_segments()])
    assert count > 1


def test_a_frame_is_json_under_the_names_of_its_fields():
    lcd = frame(Read(), signs(sequence_wrong=True), index=2)
    said = json.loads(json.dumps(to_json(lcd)))
    assert said.pop("text") == lcd.text
    assert set(said.pop("leds").values()) == {"off"}
    assert (
        Lcd(tuple(said["digits"]), tuple(said["code"]), frozenset(said["signs"]), frozenset(said["blink"]), said["backlight"])
        == lcd
    )
    assert said.keys() == set(Lcd.__slots__)


def test_the_json_tells_what_each_led_does():
    leds = to_json(full(), Lamps(alarms=1 << Alarm.MAGNET, no_load=True, system_alive=True))["leds"]
    assert leds.keys() == {led.name for led in LEDS}
    assert [leds[name] for name in ("alarm_1", "active_pulse", "reactive_pulse", "system")] == ["fast", "on", "off", "flash"]


@pytest.mark.parametrize("wrong", [{"present": (True, True)}, {"sagging": (True,)}, {"quadrant": 5}, {"rate": 0}, {"rate": 9}])
def test_signs_of_no_meter_are_refused(wrong):
    with pytest.raises(BadArgumentError):
        signs(**wrong)
