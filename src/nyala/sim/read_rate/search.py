"""How many meters a practice carries: completeness over the number of meters, and the number at which it leaves a target."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from nyala.sim.radio.profile import RadioProfile
from nyala.sim.read_rate.aloha import DAY_BLOCKS, heard, hourly_blocks, interval_rate, reading_rate, thinned
from nyala.sim.read_rate.backfill import came_hour
from nyala.sim.read_rate.losses import Losses
from nyala.sim.read_rate.practices import Place, practice
from nyala.sim.read_rate.slots import slots_of

TARGETS: Final = {"99.9": 0.999, "99.99": 0.9999}
LOSSES: Final = (0.0, 0.01, 0.10)
VENDOR_FIRST: Final = 500
CODED_FIRST: Final = 5_000
STEP: Final = 2**0.5
VENDOR_PERIODS: Final = 96
SLOT_TOLERANCE: Final = 1.04
"""The search for a number of meters ends when it is known to this factor."""
SLOT_FIRST: Final = 20_000


@dataclass(frozen=True, slots=True)
class Curve:
    """One practice: numbers of meters, and at each the part of the intervals that is lost for each of `LOSSES`."""

    meters: tuple[int, ...]
    lost: tuple[tuple[float, ...], ...]

    def meets(self, loss: float, target: float) -> int:
        """Where a curve leaves a target, between its points by their logarithms; 0 where it never met it.

        The last point that lost nothing, where the next one already misses it.
        """
        allowed, column = 1 - target, LOSSES.index(loss)
        before = (0, 0.0)
        for meters, row in zip(self.meters, self.lost, strict=True):
            if row[column] > allowed:
                if not before[1]:
                    return before[0]
                share = np.log(allowed / before[1]) / np.log(row[column] / before[1])
                return int(before[0] * (meters / before[0]) ** share)
            before = (meters, row[column])
        return before[0]


def _curve(place: Place, first: int, lost_at: Callable[[Place], tuple[float, ...]]) -> Curve:
    meters: list[int] = []
    lost: list[tuple[float, ...]] = []
    size = float(first)
    while size <= len(place.sf) and not (lost and min(lost[-1]) > 1 - min(TARGETS.values())):
        meters.append(round(size))
        lost.append(lost_at(place.first(meters[-1])))
        size *= STEP
    return Curve(tuple(meters), tuple(lost))


def vendor_curve(profile: RadioProfile, place: Place, seed: int) -> Curve:
    """A register each quarter of an hour, sent three times.  An interval counts if its register came: the vendor's favour."""

    def lost_at(some: Place) -> tuple[float, ...]:
        received = heard(profile, some, practice("vendor"), VENDOR_PERIODS, seed)
        return tuple(1 - reading_rate(thinned(received, loss, seed + 1)) for loss in LOSSES)

    return _curve(place, VENDOR_FIRST, lost_at)


def coded_curve(
    profile: RadioProfile,
    place: Place,
    seed: int,
    *,
    parity_share: Mapping[int, float] | None = None,
    locked: bool = False,
) -> Curve:
    """Hourly frames with parity.  `parity_share`: the part of the frames of a spreading factor that has room for it, else 1."""

    def lost_at(some: Place) -> tuple[float, ...]:
        received = heard(profile, some, practice("coded"), hourly_blocks(), seed, locked=locked)
        share = np.array([(parity_share or {}).get(int(sf), 1.0) for sf in some.sf])[:, None]
        return tuple(1 - interval_rate(thinned(received, loss, seed + 1), share, seed + 2) for loss in LOSSES)

    return _curve(place, CODED_FIRST, lost_at)


def coded_rate(profile: RadioProfile, place: Place, losses: Losses, seed: int) -> float:
    """Hourly frames with parity at one number of meters: the part of the second day known by next morning."""
    received = heard(profile, place, practice("coded"), hourly_blocks(), seed)
    lost = losses.hourly(len(place.sf), hourly_blocks(), seed + 1)
    return interval_rate(received & ~lost[:, :, None])


def slotted_rate(place: Place, demodulators: int, loss: float, seed: int) -> float:
    """Slots and back-fill: the part of the second day that is there by next morning."""
    came = came_hour(place, demodulators, Losses(loss), hourly_blocks(), seed)
    return float((came[:, DAY_BLOCKS : 2 * DAY_BLOCKS] < hourly_blocks()).mean())


def slotted_meters(place: Place, demodulators: int, loss: float, target: float, seed: int) -> int:
    """The most meters that have slots and meet the target, to a factor of `SLOT_TOLERANCE`; 0 for less than `SLOT_FIRST`."""
    low, high = 0, slots_of(place, demodulators)
    if slotted_rate(place.first(high), demodulators, loss, seed) >= target:
        return high
    while high > max(low, SLOT_FIRST) * SLOT_TOLERANCE:
        middle = round((max(low, SLOT_FIRST) * high) ** 0.5)
        meets = slotted_rate(place.first(middle), demodulators, loss, seed) >= target
        low, high = (middle, high) if meets else (low, middle)
    return low


def within_a_day(place: Place, demodulators: int, losses: Losses, seed: int) -> float:
    """Slots and back-fill: the part of the intervals that is there a day after its frame was due."""
    came = came_hour(place, demodulators, losses, 3 * DAY_BLOCKS, seed)[:, DAY_BLOCKS : 2 * DAY_BLOCKS]
    due = np.arange(DAY_BLOCKS, 2 * DAY_BLOCKS)
    return float((came <= due + DAY_BLOCKS).mean())
