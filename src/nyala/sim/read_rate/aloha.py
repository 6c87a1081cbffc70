"""Pure ALOHA: each frame at an instant and on a channel of its own, no downlink.  Who of them reaches the gateway.

An instant is drawn for each frame anew (a hash of DevEUI and block number): at one instant of every hour the same neighbours
would meet again and again, and what is lost is lost together with its repair.
"""

from typing import Final

import numpy as np

from nyala.sim.radio.arrays import Frames, Ints, Sends, fates
from nyala.sim.radio.fate import Fate
from nyala.sim.radio.profile import SF_FIRST, RadioProfile
from nyala.sim.read_rate.parity import Bools, repaired
from nyala.sim.read_rate.practices import CHANNELS, Place, Practice
from nyala.vocab.time import US_PER_S

DAY_BLOCKS: Final = 24
MORNING_BLOCKS: Final = 8
"""Next morning: 08:00, when bills and reports of the day before are begun."""
RETRY_MIN_US: Final = 3_000_000
RETRY_SPREAD_US: Final = 2_000_000
"""A repetition waits for its receive windows and then 1 to 3 s (LoRaWAN 1.0.4, RETRANSMIT_TIMEOUT)."""
SILENT: Final = Sends(*(np.zeros(0, np.int64) for _ in range(3)))


def heard(
    profile: RadioProfile, place: Place, how: Practice, periods: int, seed: int, sends: Sends = SILENT, *, locked: bool = False
) -> Bools:
    """Meters x periods x transmissions: what the gateway hears while it sends `sends`.

    `locked`: each meter at the same instant of every period.
    """
    numbers, meters = np.random.default_rng(seed), len(place.sf)
    shape = (meters, periods, how.transmissions)
    start_us = (np.arange(periods) + numbers.random((meters, 1 if locked else periods))) * how.period_s * US_PER_S
    waits_us = RETRY_MIN_US + numbers.random((meters, periods, how.transmissions - 1)) * RETRY_SPREAD_US
    air_us = how.air_us()[place.sf - SF_FIRST]
    starts_us = np.broadcast_to(start_us[:, :, None], shape).astype(np.int64)
    starts_us[:, :, 1:] += (np.cumsum(waits_us + air_us[:, None, None], axis=2)).astype(np.int64)
    flat_us = starts_us.ravel()
    order = np.argsort(flat_us)
    sender = order // (periods * how.transmissions)
    begin_us = flat_us[order]
    frames = Frames(
        begin_us,
        begin_us + air_us[sender],
        numbers.integers(0, CHANNELS, len(order)),
        place.sf[sender],
        place.rssi_dbm[None, sender],
        np.zeros(len(order)),
    )
    found = np.empty(len(order), np.bool_)
    found[order] = fates(profile, frames, sends)[0] == Fate.HEARD
    return found.reshape(shape)


def thinned(received: Bools, loss: float, seed: int) -> Bools:
    """What is left when so many more are lost, each by itself."""
    return received & (np.random.default_rng(seed).random(received.shape, np.float32) >= loss)


def reading_rate(received: Bools) -> float:
    """Registers every quarter of an hour: the part of them that came at least once."""
    return float(received.any(axis=2).mean())


def interval_rate(received: Bools, parity_share: Ints | float = 1.0, seed: int = 0) -> float:
    """Coded hourly frames: the part of the second day known by next morning, decoded over two days."""
    first = received[:, :, 0]
    parity = np.random.default_rng(seed).random(first.shape, np.float32) < parity_share
    return float(repaired(first, parity)[:, DAY_BLOCKS : 2 * DAY_BLOCKS].mean())


def hourly_blocks() -> int:
    """Frames of a run: the day before, the day, and the morning after."""
    return 2 * DAY_BLOCKS + MORNING_BLOCKS
