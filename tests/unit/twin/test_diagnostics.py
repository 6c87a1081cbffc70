"""What a module tells of itself: once a day, after a join, and when it is asked."""

import pytest

from nyala.telegram.kinds import Opcode
from nyala.telegram.messages import Command
from nyala.telegram.values import Values
from nyala.twin.diagnostics import DAILY, DRIFT_SPAN_US, JOINED, Capability, Diagnostics
from nyala.vocab.time import DAY_S, HOUR_S
from tests.unit.twin.wall import Wall


def met(model: str = "single-phase", **said) -> Wall:
    wall = Wall(model, **said)
    wall.join()
    return wall


def told(wall: Wall, name: str) -> list[int]:
    return [said.values[name] for said in wall.told(Values) if name in said.values]


def read(wall: Wall, *names: str) -> dict[str, int]:
    wall.forget()
    wall.order(Command(9, Opcode.READ, names))
    wall.run(60)
    return {name: value for said in wall.told(Values) for name, value in said.values.items()}


@pytest.mark.parametrize(("model", "switch"), [("single-phase", True), ("three-phase-ct", False)])
def test_after_a_join_it_says_what_it_can(model, switch):
    wall = met(model)
    wall.run(60)
    [bits] = told(wall, "capabilities")
    assert bool(bits & Capability.SWITCH) is switch
    assert bits & Capability.LAST_WORDS
    assert {*JOINED} <= {name for said in wall.told(Values) for name in said.values}


def test_once_a_day_it_says_how_it_is():
    wall = met()
    wall.run(2 * DAY_S + HOUR_S)
    assert len(told(wall, "battery_v")) == 2
    for name in set(DAILY) - {"clock_drift_ppb"}:
        assert told(wall, name)
    assert told(wall, "uptime_s")[-1] > 1.9 * DAY_S
    assert told(wall, "downlink_snr_db")[-1] == 50  # the wall's network is heard at 5 dB


def test_it_answers_what_it_is_asked_of_itself_and_of_its_meter():
    wall = met()
    found = read(wall, "uplink_count", "join_count", "temperature_c", "event_count")
    assert found["uplink_count"] == wall.counters[-1]
    assert found["join_count"] == 1
    assert "temperature_c" in found
    assert found["event_count"] == wall.twin.memory.event_number


def test_a_power_cut_begins_its_time_anew():
    wall = met()
    wall.run(HOUR_S)
    wall.power(on=False)
    wall.run(600)
    wall.power(on=True)
    wall.run(100)
    assert read(wall, "uptime_s")["uptime_s"] <= 160


def test_the_drift_of_a_clock_is_what_two_settings_far_enough_apart_show():
    module = Diagnostics(0)
    module.synced(300_000, 0)
    assert (module.step_us, module.drift_ppb) == (300_000, None)
    module.synced(-1_000, DRIFT_SPAN_US - 1)  # too soon after the last
    assert (module.step_us, module.drift_ppb) == (-1_000, None)
    module.synced(-432_000, DAY_S * 1_000_000)
    assert module.drift_ppb == 5_000  # 0.432 s a day, fast
