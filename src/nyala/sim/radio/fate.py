"""What becomes of a frame at a gateway: the order is the order in which it is found out."""

from enum import IntEnum


class Fate(IntEnum):
    """The fate of one frame at one gateway."""

    HEARD = 0
    FAINT = 1
    """Below the floor of its spreading factor."""
    DEAF = 2
    """The gateway was sending (half duplex)."""
    NO_PATH = 3
    """All demodulators were busy when it began."""
    COLLIDED = 4
    """Another frame was too strong for the capture matrix."""
    DISTURBED = 5
    """A burst of interference lifted the noise above it."""
