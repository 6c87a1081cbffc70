"""Slots by synchronised clocks: each meter sends once an hour at an instant of its own, on a channel of its own.

A path is a sequence of slots on one channel.  There are as many as the gateway has demodulators: one for a channel that takes
all spreading factors, or two that share them, so that no two frames of one spreading factor are ever on a channel at once.
On each path the strong come first, so that what is at once on a channel is about equally strong.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from nyala.sim.radio.arrays import Frames, Ints
from nyala.sim.radio.profile import SF_FIRST
from nyala.sim.read_rate.practices import CHANNELS, Place, practice
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.time import US_PER_S

CLOCK_ERROR_US: Final = 35_000
"""A clock is corrected when it is 20 ms off, and drifts less than 15 ms until the next look (4 ppm for an hour)."""
GUARD_US: Final = 2 * CLOCK_ERROR_US
HOUR_US: Final = 3_600 * US_PER_S
RESERVED_US: Final = 300 * US_PER_S
"""The end of the hour: requests, answers and joins."""
PATHS: Final[dict[int, tuple[tuple[int, ...], ...]]] = {8: ((7, 8, 9, 10),), 16: ((7, 8), (9, 10))}
"""Spreading factors of the paths of a channel, by demodulators: halves of about equal time."""


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """Arrays by meter: the begin of its slot in the hour, without the guard before it, and its channel."""

    start_us: Ints
    channel: Ints


def slot_us() -> Ints:
    """Length of a slot at SF7..SF10: a frame, and the guard."""
    lengths: Ints = practice("slotted").air_us() + GUARD_US
    return lengths


def slots_of(place: Place, demodulators: int) -> int:
    """How many meters, from the first, have slots."""
    lengths = slot_us()[place.sf - SF_FIRST]
    room_us = (HOUR_US - RESERVED_US - slot_us().max()) * CHANNELS
    return min(int(np.searchsorted(np.cumsum(lengths * np.isin(place.sf, path)), room_us)) for path in PATHS[demodulators])


def assign(place: Place, demodulators: int) -> SlotPlan:
    """Slots for all meters; BadArgumentError where the hour is too short."""
    start_us, channel = np.zeros(len(place.sf), np.int64), np.zeros(len(place.sf), np.int64)
    for path in PATHS[demodulators]:
        mine = np.flatnonzero(np.isin(place.sf, path))
        mine = mine[np.argsort(-place.rssi_dbm[mine], kind="stable")]
        free_us = np.zeros(CHANNELS, np.int64)
        lengths = slot_us()[place.sf[mine] - SF_FIRST]
        for first in range(0, len(mine), CHANNELS):
            row, length = mine[first : first + CHANNELS], lengths[first : first + CHANNELS]
            order = np.argsort(free_us, kind="stable")[: len(row)]
            start_us[row], channel[row] = free_us[order] + CLOCK_ERROR_US, order
            free_us[order] += length
        if free_us.max(initial=0) > HOUR_US - RESERVED_US:
            raise BadArgumentError(
                f"{len(place.sf)} meters do not fit an hour of {demodulators} paths: {slots_of(place, demodulators)} do"
            )
    return SlotPlan(start_us, channel)


def one_hour(place: Place, plan: SlotPlan, seed: int) -> Frames:
    """The frames of an hour, each clock off by up to `CLOCK_ERROR_US`."""
    error_us = np.random.default_rng(seed).integers(-CLOCK_ERROR_US, CLOCK_ERROR_US, len(place.sf))
    start_us = plan.start_us + error_us
    order = np.argsort(start_us, kind="stable")
    begin_us, sf = start_us[order], place.sf[order]
    end_us = begin_us + practice("slotted").air_us()[sf - SF_FIRST]
    return Frames(begin_us, end_us, plan.channel[order], sf, place.rssi_dbm[None, order], np.zeros(len(order)))
