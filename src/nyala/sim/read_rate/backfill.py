"""Back-fill over Class C: at the end of each hour the gateway names what is missing, and the meters answer in turn.

A request is a multicast frame to a group of at most 4,096 meters: 3 bytes a meter, 12 bits of address and 12 bits of blocks.
While it is sent the gateway is deaf, so requests and answers take turns in the reserved minutes, where no slot lies.  The
oldest are asked for first; what does not fit waits for the next hour.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.frame import DATA_OVERHEAD
from nyala.sim.radio.arrays import Ints
from nyala.sim.radio.profile import SF_FIRST
from nyala.sim.read_rate.losses import Losses
from nyala.sim.read_rate.parity import Bools
from nyala.sim.read_rate.practices import CHANNELS, Place
from nyala.sim.read_rate.slots import PATHS, RESERVED_US, slot_us

GROUP_METERS: Final = 4_096
MASK_BLOCKS: Final = 12
ENTRY_BYTES: Final = 3
ROOM_BYTES: Final = {8: 125, 9: 53, 10: 11}
"""Of a multicast frame within 400 ms; meters at SF7 listen at SF8."""
TURN_US: Final = 1_000_000
"""Between the last request of a round and the first answer."""
ROUNDS_MAX: Final = 8
NEVER: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Window:
    """The reserved minutes of one hour: cost of asking for (meter, block) pairs."""

    place: Place
    demodulators: int

    def needed_us(self, meters: Ints, blocks: Ints) -> int:
        """Air of the requests, one after the other, and of the answers, on all paths at once."""
        sf = self.place.sf
        entries = np.unique(meters * NEVER + blocks // MASK_BLOCKS) // NEVER
        total_us = TURN_US
        for listen, room in ROOM_BYTES.items():
            mine = entries[np.maximum(sf[entries], min(ROOM_BYTES)) == listen]
            in_group = np.bincount(mine // GROUP_METERS) if len(mine) else np.zeros(0, np.int64)
            frames = int((-(-in_group // (room // ENTRY_BYTES))).sum())
            total_us += frames * airtime_us(DATA_OVERHEAD + room, listen, crc=False)
        lengths = slot_us()[sf[meters] - SF_FIRST]
        paths_us = [int(lengths[np.isin(sf[meters], path)].sum()) // CHANNELS for path in PATHS[self.demodulators]]
        return total_us + max(paths_us) + int(slot_us().max())

    def fitting(self, meters: Ints, blocks: Ints, left_us: int) -> int:
        """How many of the pairs, from the first, fit what is left."""
        most = left_us * self.demodulators // int(slot_us().min())
        meters, blocks = meters[:most], blocks[:most]
        low, high = 0, len(meters)
        if self.needed_us(meters, blocks) <= left_us:
            return high
        while high - low > 1 + len(meters) // 100:
            middle = (low + high) // 2
            low, high = (middle, high) if self.needed_us(meters[:middle], blocks[:middle]) <= left_us else (low, middle)
        return low


def came_hour(place: Place, demodulators: int, losses: Losses, hours: int, seed: int) -> NDArray[np.int16]:
    """Meters x hours: the hour in which the block of each hour was there, `NEVER` if not by the end."""
    numbers, meters = np.random.default_rng(seed), len(place.sf)
    came = np.full((meters, hours), NEVER, np.int16)
    window = _Window(place, demodulators)
    lost = losses.hourly(meters, hours, seed + 1)
    rows, blocks = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for hour in range(hours):
        bad = lost[:, hour]
        came[~bad, hour] = hour
        rows = np.append(rows, np.flatnonzero(bad))
        blocks = np.append(blocks, np.full(int(bad.sum()), hour))
        left_us = RESERVED_US
        for _ in range(ROUNDS_MAX):
            fits = window.fitting(rows, blocks, left_us)
            if not fits:
                break
            asked_rows, asked_blocks = rows[:fits], blocks[:fits]
            left_us -= window.needed_us(asked_rows, asked_blocks)
            answered = ~bad[asked_rows] if losses.bursts else _both_ways(asked_rows, asked_blocks, losses.rate, numbers)
            came[asked_rows[answered], asked_blocks[answered]] = hour
            rest = np.append(~answered, np.ones(len(rows) - fits, np.bool_))
            rows, blocks = rows[rest], blocks[rest]
    return came


def _both_ways(rows: Ints, blocks: Ints, rate: float, numbers: np.random.Generator) -> Bools:
    """A request reaches a meter or not, for all blocks that it names; each answer is lost by itself."""
    _, entry = np.unique(rows * NEVER + blocks // MASK_BLOCKS, return_inverse=True)
    asked = numbers.random(int(entry.max()) + 1) >= rate
    return asked[entry] & (numbers.random(len(rows)) >= rate)
