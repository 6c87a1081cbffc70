"""Rooftop solar: a clear-sky bell between fixed hours of sunrise and sunset, dimmed by clouds.  Not an irradiance model.

Near the equator the day hardly changes over the year: sunrise and sunset are constants.  At night it gives exactly zero.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.random import Generator

from nyala.meter.chip import Floats
from nyala.meter.tariff import DAY_MINUTES

SUNRISE_MIN: Final = 5 * 60 + 50
"""Local minute of sunrise; mean of Java."""
SUNSET_MIN: Final = 17 * 60 + 50
PERFORMANCE: Final = 0.8
"""AC power at clear noon per rated power: heat, dust, cable, inverter."""
CLOUD_CELL_MIN: Final = 12
"""Clouds change over about this time."""


@dataclass(frozen=True, slots=True)
class Solar:
    """One installation.  `rated_w` at the meter's terminals; `tan_phi` >= 0: var given per W given, like a capacitor.

    `phase` 0..2 of a single-phase inverter, None for one on all phases.
    """

    rated_w: float
    tan_phi: float
    phase: int | None


@cache
def clear_sky(offset_min: int) -> Floats:
    """Share of the clear noon power per minute of the UTC day (1440); `offset_min` is local time minus UTC."""
    local = (np.arange(DAY_MINUTES) + offset_min) % DAY_MINUTES
    height = np.sin(np.pi * (local - SUNRISE_MIN) / (SUNSET_MIN - SUNRISE_MIN))
    day = (local > SUNRISE_MIN) & (local < SUNSET_MIN)
    bell: Floats = np.where(day, np.maximum(height, 0) ** 1.2, 0.0)
    bell.flags.writeable = False
    return bell


def solar_w(solar: Solar, rng: Generator, offset_min: int) -> Floats:
    """Power given in W per minute of one UTC day (1440).  `rng` gives the weather of that day."""
    clear = rng.beta(5, 2)
    cells = rng.random(DAY_MINUTES // CLOUD_CELL_MIN + 1)
    cover = np.interp(np.arange(DAY_MINUTES), np.arange(len(cells)) * CLOUD_CELL_MIN, cells)
    sky = 1 - (1 - clear) * (0.5 + cover)
    power: Floats = solar.rated_w * PERFORMANCE * clear_sky(offset_min) * np.clip(sky, 0.08, 1)
    return power
