"""Listen before talk: which channel is listened to next, and when it is given up.  Values only; the radio listens outside.

An emission tries each of its channels once, in the order given; where all are busy it waits for a random time and tries
them again, `ROUNDS` times.  What the law asks for (threshold, time) stands in `Regulation.lbt`.
"""

from dataclasses import dataclass, field
from typing import Final

from nyala.lorawan.device.procedure import Emission

ROUNDS: Final = 8
"""Passes over all channels before an emission is given up."""
BACK_OFF_US: Final = (100_000, 1_000_000)
"""Between two passes, random: longer than most frames, so that who sends now is done."""
ANSWER_LIMIT_US: Final = 1_000_000
"""A radio that does not say in this time what it heard counts as a busy channel."""


@dataclass(slots=True)
class Listening:
    """One emission's way to a free channel."""

    rounds_left: int = ROUNDS
    channels: list[Emission] = field(default_factory=list)
    """Still to be listened to in this pass; the first is listened to now."""
    until_us: int = 0

    def begin(self, channels: list[Emission]) -> None:
        """Begins a pass over channels in random order."""
        self.channels = channels
        self.rounds_left -= 1
