"""The replica of a meter's face over the API: the meter's own renderer over what it reported."""

import pytest

from nyala.api.replica import faces_of
from nyala.headend.alarms import on_state
from nyala.headend.registry import MeterRecord, MeterState
from nyala.meter.display.lcd import Lcd, to_json
from nyala.vocab.alarms import Alarm
from tests.unit.api.estate import is_problem

AT_S = 1_767_225_600
RECORD = MeterRecord(1, 1, "10000001", "three-phase-ct", 1, "Asia/Jakarta", 900, 900, AT_S, ct_ratio=(200, 5))


def shadow(**live):
    values = {"u1_v": 2300, "u2_v": 2300, "u3_v": 1500, "p_w": -800, "q_var": 300, "active_rate": 2} | live
    registers = {"import_wh": (12_345_678, AT_S), "export_wh": (1000, AT_S)}
    return MeterState(1, last_heard_us=1, live_at_s=AT_S, live=values, registers=registers)


def test_a_meter_that_never_reported_has_no_face():
    assert (faces_of(RECORD, MeterState(1)).at, faces_of(RECORD, MeterState(1)).faces) == (None, [])


def test_registers_are_primary_on_the_display():
    texts = [face.text for face in faces_of(RECORD, shadow()).faces]
    assert any(text.startswith("1.8.0 ") and "493827" in text for text in texts)  # 12,345.678 kWh x 40


def test_signs_are_those_of_the_last_values():
    face = faces_of(RECORD, shadow()).faces[0]
    assert {"l1", "l2", "l3", "t2", "minus_p", "plus_q"} <= set(face.signs)
    assert "l3" in face.blink
    assert face.leds["alarm_1"] == "off"


def test_an_alarm_lights_its_sign_and_the_led():
    state = shadow()
    on_state(RECORD, state, 1 << Alarm.TERMINAL_COVER_OPEN, AT_S, 1)
    face = faces_of(RECORD, state).faces[0]
    assert {"cover", "tamper", "alarm"} <= set(face.signs)
    assert face.leds["alarm_1"] == "fast"


def test_over_the_api(readonly):
    [first, *_] = readonly.get("meters", "viewer")["items"]
    said = readonly.get(f"meters/{first['id']}/face", "viewer")
    assert said.keys() == {"at", "item_s", "faces"}
    assert is_problem(readonly.ask("GET", "meters/999999/face"), 404, "unknown")


@pytest.mark.parametrize("field", ["digits", "code", "signs", "blink", "backlight", "text", "leds"])
def test_the_shape_is_the_renderers(field):
    assert field in to_json(Lcd())
