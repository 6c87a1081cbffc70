"""One uplink's way onto the air: duty cycle, listening before talk, waiting, emission.  What it says is not known here.

start/emit -> Transmit                      nothing in the way
           -> Sense -> sensed -> Transmit   the law asks to listen first
           -> WAITING -> emit               no channel is free yet
           -> GIVEN_UP                      none became free, or it would be too late
"""

from collections.abc import Callable
from enum import Enum
from random import Random

from nyala.lorawan.device.effects import Effect, Sense, Transmit
from nyala.lorawan.device.law import Law
from nyala.lorawan.device.listening import ANSWER_LIMIT_US, BACK_OFF_US, Listening
from nyala.lorawan.device.procedure import Emission, UplinkInProgress
from nyala.lorawan.region import Region


class Phase(Enum):
    """Where the radio procedure stands."""

    IDLE = "idle"
    WAITING = "waiting"
    """For a repeat, the duty cycle or a free channel."""
    SENSING = "sensing"
    WINDOWS = "windows"
    """On the air, and until RX2 is over."""
    GIVEN_UP = "given up"
    """This emission does not take place."""


class Sending:
    """The uplink in progress and its phase.  `emissions` tells how it may go out: one for each usable channel."""

    def __init__(
        self, law: Law, region: Region, random: Random, emissions: Callable[[UplinkInProgress], list[Emission]]
    ) -> None:
        self.phase = Phase.IDLE
        self.uplink: UplinkInProgress | None = None
        self.length_us = 0
        """Airtime of one emission of the uplink."""
        self._law, self._region, self._random, self._emissions = law, region, random, emissions
        self._listening = Listening()
        self._retry_us = 0

    @property
    def next_us(self) -> int | None:
        """When the phase ends by itself."""
        if self.phase is Phase.WINDOWS:
            assert self.uplink is not None
            return self.uplink.close_us
        if self.phase is Phase.SENSING:
            return self._listening.until_us + ANSWER_LIMIT_US
        return self._retry_us if self.phase is Phase.WAITING else None

    def end(self) -> None:
        """The procedure is over."""
        self.phase, self.uplink, self._listening = Phase.IDLE, None, Listening()

    def start(self, uplink: UplinkInProgress, now_us: int) -> list[Effect]:
        """Begins with an uplink."""
        self.uplink = uplink
        return self.emit(now_us)

    def emit(self, now_us: int) -> list[Effect]:
        """Puts the uplink on the air, now or as soon as duty cycle and listening let it."""
        uplink, law = self.uplink, self._law
        assert uplink is not None
        emissions = self._emissions(uplink)
        self.length_us = uplink.airtime_us(emissions[0], self._region)
        free_us = [law.free_us(emission.frequency_hz, self.length_us, now_us) for emission in emissions]
        due = [emission for emission, at_us in zip(emissions, free_us, strict=True) if at_us <= now_us]
        if not due or uplink.too_late(now_us):
            return self.wait(min(free_us))
        if law.lbt is None:
            return [self._transmit(self._random.choice(due), now_us)]
        self._listening.begin(self._random.sample(due, len(due)))
        return [self._sense(now_us)]

    def sensed(self, now_us: int, *, free: bool) -> list[Effect]:
        """What the radio heard: goes on the air there, or tries the next channel, or waits and tries all again."""
        emission = self._listening.channels.pop(0)
        if free:
            return [self._transmit(emission, now_us)]
        if self._listening.channels:
            return [self._sense(now_us)]
        if self._listening.rounds_left > 0:
            return self.wait(now_us + self._random.randint(*BACK_OFF_US))
        assert self.uplink is not None
        self.uplink.repeats_left -= 1
        self.phase, self._listening = Phase.GIVEN_UP, Listening()
        return []

    def wait(self, until_us: int) -> list[Effect]:
        """Waits until an instant, and gives up with all repeats where that is too late."""
        assert self.uplink is not None
        self.phase, self._retry_us, self.uplink.channel = Phase.WAITING, until_us, None
        if self.uplink.too_late(until_us):
            self.phase, self.uplink.repeats_left = Phase.GIVEN_UP, 0
        return []

    def _sense(self, now_us: int) -> Sense:
        lbt = self._law.lbt
        assert lbt is not None
        self.phase, self._listening.until_us = Phase.SENSING, now_us + lbt.sense_us
        return Sense(self._listening.channels[0].frequency_hz, lbt.threshold_dbm, self._listening.until_us)

    def _transmit(self, emission: Emission, now_us: int) -> Transmit:
        assert self.uplink is not None
        self.uplink.emit(emission, self._region, now_us)
        self._law.book(emission.frequency_hz, self.length_us, now_us)
        self.phase, self._listening = Phase.WINDOWS, Listening()
        return Transmit(self.uplink.phy, emission.frequency_hz, emission.data_rate, emission.eirp_dbm)
