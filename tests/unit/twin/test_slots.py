"""A meter with a slot reports there, in every period, on its channel; what it says besides goes where it likes."""

from nyala.lorawan.device.effects import Transmit
from nyala.lorawan.device.state import Channel
from nyala.telegram.kinds import Result
from nyala.vocab.reporting import ReportingSetting, ReportingSlot
from nyala.vocab.time import DAY_S, HOUR_S, US_PER_S
from tests.unit.twin.test_config import installed, told
from tests.unit.twin.wall import Wall

FIRST_HZ, STEP_HZ = 921_400_000, 200_000


class Listener:
    """Keeps when each uplink of a twin began, and on which channel."""

    def __init__(self, wall: Wall) -> None:
        self.heard: list[tuple[int, int]] = []
        self._wall, self._after = wall, wall.twin._after
        wall.twin._after = self._listen  # type: ignore[method-assign]

    def _listen(self, effects, now_us):
        for effect in effects:
            if isinstance(effect, Transmit):
                self.heard.append((self._wall.now_us, (effect.frequency_hz - FIRST_HZ) // STEP_HZ))
        return self._after(effects, now_us)


def with_slot(slot: ReportingSlot | None) -> tuple[Wall, Listener]:
    wall = installed()
    assert wall.twin.mac.activation is not None
    wall.twin.mac.activation.channels = {at: Channel(FIRST_HZ + STEP_HZ * at, 0, 5) for at in range(8)}
    assert told(wall, ReportingSetting(HOUR_S, DAY_S, slot=slot)).result is Result.DONE
    wall.run(60)
    wall.forget()
    return wall, Listener(wall)


def test_every_report_begins_in_its_slot_and_on_its_channel():
    wall, listener = with_slot(ReportingSlot(1_234_567, 6))
    wall.run(7 * HOUR_S)
    assert len(wall.told_frames) >= 6
    assert len(listener.heard) >= 6
    for at_us, channel in listener.heard:
        clock_us = at_us + wall.meter.clock_error_us
        assert clock_us % (HOUR_S * US_PER_S) == 1_234_567_000
        assert channel == 6


def test_without_a_slot_instants_and_channels_are_drawn():
    wall, listener = with_slot(None)
    wall.run(12 * HOUR_S)
    assert len({at_us % (HOUR_S * US_PER_S) for at_us, _ in listener.heard}) == len(listener.heard) >= 12
    assert len({channel for _, channel in listener.heard}) > 2


def test_a_slot_outlives_a_power_cut():
    wall, _ = with_slot(ReportingSlot(2_000_000, 3))
    wall.twin.power(wall.now_us, on=False)
    wall.run(600)
    wall.twin.power(wall.now_us, on=True)
    wall.run(HOUR_S)
    assert wall.twin.reporting.slot == ReportingSlot(2_000_000, 3)
