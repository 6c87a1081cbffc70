"""A face in a terminal: golden text, and that no sign is forgotten."""

import re

from hypothesis import given
from hypothesis import strategies as st

from nyala.meter.display.lcd import Lcd, full
from nyala.meter.display.leds import LEDS
from nyala.meter.display.segments import CODE_DIGITS, DIGITS, annunciators
from nyala.meter.display.text import CROSS, STATE, TOP, TROUBLE, UNIT, Face, render
from nyala.meter.supply import SwitchState
from nyala.vocab.alarms import Alarm
from tests.unit.meter.display.faces import Read, frame, signs

EVERY_LED = frozenset(led.name for led in LEDS)
REGISTER = """\
┌ three-phase ─────────────────────────────────────────────────┐
│ L1 L2 L3      T2                   CLOCK ANTENNA             │
│                    _   _       _   _   _   _                 │
│                 |  _|  _| |_| |_  |_    | |_|             +→ │
│ 1.8.0           | |_   _|   |  _| |_|.  | |_|  kWh        ↓  │
│ CLOSED                                                       │
│ ALARM             MAGNET TAMPER                              │
└──────────────────────────────────────────────────────────────┘
  ● alarm  ● alarm  ○ P  ○ Q  │  ○ system  ○ communication
"""
FULL = """\
┌──────────────────────────────────────────────────────────────┐
│ L1 L2 L3 ↺ T1 T2 T3 T4 T5 T6 T7 T8 CLOCK ANTENNA             │
│                _   _   _   _   _   _   _   _              ↑  │
│               |_| |_| |_| |_| |_| |_| |_| |_|  Hz°C°     ←+→ │
│ 8.8.8.8.8.8.8.|_|.|_|.|_|.|_|.|_|.|_|.|_|.|_|. MkVAWvarh  ↓  │
│ CLOSED OPEN BAT.INT BAT.EXT CREDIT EMERGENCY NO LOAD         │
│ ALARM ERROR COVER MAGNET TAMPER REVERSE OVERLOAD             │
└──────────────────────────────────────────────────────────────┘
  ● alarm  ● alarm  ● P  ● Q  │  ● system  ● communication
"""
POWER = """\
┌──────────────────────────────────────────────────────────────┐
│ L1            T2                   CLOCK                     │
│                                _   _       _              ↑  │
│                        _    |  _|  _| |_| |_             ←+  │
│ 16.7.0                      | |_ . _|   |  _|  kW            │
│                                                              │
│                                                              │
└──────────────────────────────────────────────────────────────┘
  ○ alarm  ○ alarm  ○ P  ○ Q  │  ○ system  ○ communication
"""


def test_a_register_with_an_alarm():
    lcd = frame(Read(), signs(rate=2, quadrant=4, joined=True, alarms=1 << Alarm.MAGNET), index=2)
    assert render(Face(lcd, frozenset({"alarm_1", "alarm_2"})), 0, title="three-phase") == REGISTER


def test_all_segments():
    assert render(Face(full(), EVERY_LED), 0) == FULL


def test_exported_power_with_a_sagging_phase_and_an_open_switch_in_the_dark_half():
    state = signs(
        present=(True, True, False), sagging=(False, True, True), quadrant=2, rate=2, switch=SwitchState.OPEN, armed=True
    )
    assert render(Face(frame(Read(), state, index=3)), 700) == POWER


def test_a_dark_display_is_an_empty_box():
    assert re.sub(r"[┌┐└┘│─\s]", "", "".join(render(Face(Lcd()), 0).splitlines()[:-1])) == ""


def test_every_annunciator_has_a_place():
    placed = [name for row in (TOP, STATE, TROUBLE, *CROSS, *UNIT) for name in row if name != " "]
    assert sorted(placed) == sorted(annunciators())


@given(
    st.tuples(*[st.integers(0, 255)] * DIGITS),
    st.tuples(*[st.integers(0, 255)] * CODE_DIGITS),
    st.frozensets(st.sampled_from(sorted(annunciators()))),
    st.integers(0, 2000),
)
def test_nothing_moves_whatever_is_lit(digits, code, lit, at_ms):
    lines = render(Face(Lcd(digits, code, lit, lit)), at_ms).splitlines()
    assert [len(line) for line in lines[:-1]] == [64] * 8


def test_colours_are_asked_for():
    plain, coloured = (render(Face(full(), EVERY_LED), 0, ansi=ansi) for ansi in (False, True))
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[\d*m", "", coloured) == plain
    assert [coloured.count(f"\x1b[{code}m") for code in (31, 34, 32)] == [4, 1, 1]
