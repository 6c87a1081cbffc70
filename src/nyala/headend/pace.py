"""The pace of what can wait: orders of campaigns and blocks of configuration, each of them for the whole centre."""

from typing import Final

from nyala.vocab.time import US_PER_S

PACE_US: Final = 3 * US_PER_S // 2
"""Between two downlinks: a gateway that goes on sending hears no answer; so it keeps three quarters of its ears at DR2."""
