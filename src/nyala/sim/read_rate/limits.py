"""What no scheduling and no code can exceed on this channel, as closed forms.  Meters of the stated mix; no capture."""

import math

from nyala.sim.radio.profile import SF_FIRST
from nyala.sim.read_rate.losses import BURST_HOURS
from nyala.sim.read_rate.practices import CHANNELS, SF_SHARE, Practice
from nyala.vocab.time import US_PER_S


def perfect_schedule(how: Practice, demodulators: int, loss: float) -> int:
    """All demodulators busy all the time, no guard, no request; what is lost is sent again once, at once."""
    return int(demodulators * how.period_s * US_PER_S * (1 - loss) / how.mean_air_us)


def ideal_code(how: Practice, loss: float) -> int:
    """Pure ALOHA with an ideal erasure code of the same frames, half of each for repair: every second frame may be lost.

    The spreading factor with the most traffic decides.
    """
    load = math.log(2 * (1 - loss)) / 2
    busiest_us = max(share * how.air_us()[sf - SF_FIRST] for sf, share in SF_SHARE.items())
    return int(load * CHANNELS * how.period_s * US_PER_S / busiest_us)


def aloha_delivery(how: Practice, meters: int, sf: int) -> float:
    """Pure ALOHA (Abramson 1970): the frames of one spreading factor that nothing overlaps, exp(-2 G)."""
    frames = meters * SF_SHARE[sf] * how.transmissions
    load = frames * float(how.air_us()[sf - SF_FIRST]) / (how.period_s * US_PER_S) / CHANNELS
    return math.exp(-2 * load)


def burst_completeness(loss: float, hours: int) -> float:
    """Bursts of `BURST_HOURS` on average, in which nothing comes through: the intervals whose burst ends in so many hours."""
    still: float = (1 - 1 / BURST_HOURS) ** hours
    return 1 - loss * still
