"""The LEDs of the module by what the module really does."""

import pytest

from nyala.lorawan.device.module import ModuleState
from nyala.meter.display.leds import lit
from nyala.twin.lamps import SHOWS, twin_lamps
from nyala.vocab.time import HOUR_S, US_PER_S
from tests.unit.twin.wall import Wall


def seen(wall, seconds=20.0, step_us=100_000):
    """LEDs that were lit at some instant of the next seconds."""
    found: set[str] = set()
    for _ in range(int(seconds * US_PER_S / step_us)):
        wall.run(step_us / US_PER_S)
        found |= lit(twin_lamps(wall.twin, wall.now_us), wall.now_us)
    return found


def test_every_state_of_the_module_is_shown():
    assert set(SHOWS) == set(ModuleState)


def test_a_module_that_joins_flashes_and_lights_while_it_speaks():
    wall = Wall()
    assert "system" not in seen(wall, 5)
    wall.twin.start(wall.now_us, 1)
    assert {"system", "communication"} <= seen(wall, 30)
    wall.run(600)
    assert "communication" not in seen(wall, 3)
    assert "system" in seen(wall, 10)


def test_a_module_whose_joins_nobody_answers_shows_that_there_is_no_network():
    wall = Wall()
    wall.listening = False
    wall.twin.start(wall.now_us, 1)
    wall.run(12 * HOUR_S)
    assert wall.twin.mac.module_state(wall.now_us) is ModuleState.NO_NETWORK
    assert "system" not in seen(wall, 10)


@pytest.mark.parametrize("listening", [True, False])
def test_without_supply_nothing_is_lit(listening):
    wall = Wall()
    wall.join()
    wall.listening = listening
    wall.power(on=False)
    assert seen(wall, 10) == set()
    wall.power(on=True)
    assert "system" in seen(wall, 10)
