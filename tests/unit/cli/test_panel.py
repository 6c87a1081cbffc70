"""`nyala meter panel`: frames as text, keys as hands, and the terminal given back."""

import os
import pty
import subprocess
import sys

import pytest

from nyala.cli.panel import FRAMES, HELP, KEYS, QUIT, Action, keys_pressed
from nyala.cli.panel_world import TableWorld
from nyala.meter.display.machine import Mode
from nyala.meter.model import MODELS
from nyala.vocab.alarms import Alarm
from nyala.vocab.errors import BadArgumentError

FRAME_LINES = 10


def world(model: str = "three-phase", seconds: int = 12) -> TableWorld:
    """A meter that scrolls."""
    made = TableWorld(model, 1)
    return passed(made, seconds)


def passed(made: TableWorld, seconds: int) -> TableWorld:
    for _ in range(seconds):
        made.step()
    return made


def value(made: TableWorld, name: str) -> int:
    found = made.meter.value(name)
    assert found is not None
    return found


def done(made: TableWorld, keys: str, seconds: int = 2) -> TableWorld:
    for action in keys_pressed(keys):
        made.act(action)
    return passed(made, seconds)


def lcd(made: TableWorld):
    return made.face(made.now_ms).lcd


@pytest.mark.parametrize("model", MODELS)
def test_once_prints_one_frame_of_the_register_and_ends(nyala, model):
    said = nyala("meter", "panel", "--model", model, "--once")
    lines = said.out.splitlines()
    assert (said.code, said.err, len(lines)) == (0, "", FRAME_LINES)
    assert "1.8.0" in lines[4]
    assert "kWh" in lines[4]
    assert "\x1b" not in said.out
    assert nyala("meter", "panel", "--model", model, "--once").out == said.out


@pytest.mark.parametrize(("arguments", "frames"), [([], FRAMES), (["--frames", "3", "--keys", "dm"], 3)])
def test_where_there_is_no_terminal_frames_follow_each_other(nyala, arguments, frames):
    out = nyala("meter", "panel", "--model", "single-phase", *arguments).out
    assert out.count("┌") == frames
    assert ("main cover" in out) == bool(arguments)


def test_what_the_panel_does_not_have_is_refused_in_one_line(nyala):
    assert nyala("meter", "panel", "--model", "four-phase", "--once").refusal == "unknown meter model: four-phase"
    assert "no such key: 'x'" in nyala("meter", "panel", "--model", "single-phase", "--keys", "dx").refusal


def test_every_action_has_a_key_and_stands_in_the_help():
    assert set(KEYS.values()) == set(Action)
    assert [key for key in (*KEYS, QUIT) if f" {key} " not in f" {HELP} "] == []
    with pytest.raises(BadArgumentError):
        keys_pressed(QUIT)


def test_the_display_button_opens_the_list_and_a_long_press_the_segment_test():
    made = done(world(), "dd", 0)
    assert made._display.mode is Mode.LIST
    assert lcd(made).text == "0.0.0 00000001"
    assert done(world(), "D", 0)._display.mode is Mode.TEST


@pytest.mark.parametrize(
    ("key", "sign", "alarm", "seconds"),
    [
        ("m", "cover", Alarm.MAIN_COVER_OPEN, 2),
        ("t", "cover", Alarm.TERMINAL_COVER_OPEN, 2),
        ("o", "cover", Alarm.MODULE_COVER_OPEN, 2),
        ("g", "magnet", Alarm.MAGNET, 6),
    ],
)
def test_hands_on_covers_and_a_magnet_raise_an_alarm_that_ends_with_them(key, sign, alarm, seconds):
    made = done(world(), key, seconds)
    assert value(made, "alarms") == 1 << alarm
    assert {sign, "tamper", "alarm"} <= lcd(made).signs
    assert {"alarm_1", "alarm_2"} <= made.face(made.now_ms).leds
    done(made, key, seconds)
    assert value(made, "alarms") == 0
    assert sign not in lcd(made).signs


def test_load_up_and_down_move_the_register():
    idle = done(world(), "---", 60)
    assert "no_load" in lcd(idle).signs
    assert {"active_pulse", "reactive_pulse"} <= idle.face(idle.now_ms).leds
    before = value(idle, "import_wh")
    assert value(passed(idle, 60), "import_wh") == before
    loaded = done(world(), "++++", 60)
    assert value(loaded, "import_wh") > before
    assert lcd(loaded).signs >= {"plus_p", "plus_q"}


def test_without_supply_the_display_is_dark_and_the_button_reads_it():
    made = done(world(), "p", 5)
    assert lcd(made).segments == frozenset()
    assert made.face(made.now_ms).leds == frozenset()
    register = value(made, "import_wh")
    done(made, "d", 1)
    assert made._display.mode is Mode.BATTERY
    done(made, "p", 1)
    assert (made._display.mode, value(made, "power_fail_count")) == (Mode.TEST, 1)
    assert value(made, "import_wh") - register <= 4


def test_the_reset_button_begins_a_new_demand_period():
    made = passed(world("single-phase"), 1800)
    assert value(made, "max_import_w") > 0
    done(made, "r", 0)
    assert (value(made, "max_import_w"), value(made, "reset_count")) == (0, 1)
    done(made, "pr", 0)
    assert value(made, "reset_count") == 1


def test_pulses_are_seen_within_their_second():
    made = done(world(), "++++", 2)
    seen = [("active_pulse" in made.face(at_ms).leds) for at_ms in range(made.now_ms - 1000, made.now_ms)]
    assert 0 < sum(seen) < 1000
    assert sum(after and not before for before, after in zip([False, *seen], seen, strict=False)) >= 15


def test_a_terminal_gets_pictures_until_q_and_is_given_back():
    ours, theirs = pty.openpty()
    program = "from nyala.cli.main import main; main()"
    command = [sys.executable, "-c", program, "meter", "panel", "--model", "single-phase", "--frames", "30"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as shown:
        os.close(theirs)
        said = b""
        try:
            while part := os.read(ours, 65536):
                # The keys go down when the first picture stands: what was typed before is not the panel's.
                keys = b"" if HELP.splitlines()[-1].encode() in said else b"mq"
                said += part
                if HELP.splitlines()[-1].encode() in said:
                    os.write(ours, keys)
        except OSError:
            pass  # the other side has closed
        code = shown.wait(60)
    os.close(ours)
    text = said.decode()
    assert code == 0
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    assert "display" in text
    assert "┌ Single phase" in text
