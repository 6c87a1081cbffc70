"""Who stands where, and what each link loses: gateways x meters as an array, meter to meter on demand.  Seeded.

Shadows are Gaussian in dB.  With a correlation distance they are a field per gateway, exp(-distance / correlation) between
two meters, made of plane waves (spectral method); without one, and between meters, each link has its own draw.  A meter
whose best link would not carry SF10 is placed anew: an installer would.
"""

import math
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nyala.sim.radio.profile import RadioProfile
from nyala.vocab.errors import BadArgumentError

INSTALL_EIRP_DBM: Final = 16
INSTALL_SF: Final = 10
INSTALL_MARGIN_DB: Final = 3
PLACEMENTS_MAX: Final = 1_000
"""Rounds of placing anew: a profile that needs more describes a place without reception."""
WAVES: Final = 256
"""Plane waves of a shadow field: the error of its correlation is about 1/sqrt(WAVES)."""
WAVES_CHUNK: Final = 4_096
"""Points at which a field is computed at a time: bounds the memory."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ShadowField:
    """A Gaussian field of standard deviation `sigma_db` with exponential correlation, as a sum of plane waves."""

    sigma_db: float
    wave_x: Floats
    wave_y: Floats
    phase: Floats

    @classmethod
    def draw(cls, sigma_db: float, correlation_m: float, random: np.random.Generator) -> "ShadowField":
        """Wave numbers from the spectrum of exp(-d/a) in the plane: F(k) = 1 - 1/sqrt(1 + (a k)^2)."""
        number = np.sqrt(1 / (1 - random.random(WAVES)) ** 2 - 1) / correlation_m
        turn = 2 * math.pi * random.random(WAVES)
        return cls(sigma_db, number * np.cos(turn), number * np.sin(turn), 2 * math.pi * random.random(WAVES))

    def at(self, x_m: Floats, y_m: Floats) -> Floats:
        """The shadow in dB at points."""
        found = np.empty(len(x_m))
        for begin in range(0, len(x_m), WAVES_CHUNK):
            part = slice(begin, begin + WAVES_CHUNK)
            waves = np.cos(np.outer(x_m[part], self.wave_x) + np.outer(y_m[part], self.wave_y) + self.phase)
            found[part] = waves.sum(axis=1)
        return found * (self.sigma_db * math.sqrt(2 / WAVES))


class Links:
    """All links of a place.  `loss_db` is gateways x meters."""

    def __init__(self, profile: RadioProfile, meters: int, gateways: int, random: Random) -> None:
        self.profile = profile
        self._pair_seed = random.randrange(1 << 64)
        self._numbers = np.random.default_rng(random.randrange(1 << 64))
        ring_m = profile.radius_m / 2 if gateways > 1 else 0.0
        turns = 2 * math.pi * np.arange(gateways) / gateways
        self.gateway_m = np.column_stack((ring_m * np.cos(turns), ring_m * np.sin(turns)))
        self._fields = (
            [ShadowField.draw(profile.shadowing_db, profile.correlation_m, self._numbers) for _ in range(gateways)]
            if profile.correlation_m
            else []
        )
        self.meter_m = np.empty((meters, 2))
        self.building_db = np.empty(meters)
        self.loss_db = np.empty((gateways, meters))
        self._place(meters)

    def _place(self, meters: int) -> None:
        limit_db = INSTALL_EIRP_DBM - self.profile.gateway_floor_dbm(INSTALL_SF) - INSTALL_MARGIN_DB
        open_rows = np.arange(meters)
        for _ in range(PLACEMENTS_MAX):
            self._draw(open_rows)
            open_rows = open_rows[self.loss_db[:, open_rows].min(axis=0) > limit_db]
            if not len(open_rows):
                return
        raise BadArgumentError(f"radio profile {self.profile.name}: no place with reception for {len(open_rows)} meters")

    def _draw(self, rows: NDArray[np.intp]) -> None:
        profile, numbers, count = self.profile, self._numbers, len(rows)
        radius_m = profile.radius_m * np.sqrt(numbers.random(count))
        turn = 2 * math.pi * numbers.random(count)
        x_m, y_m = radius_m * np.cos(turn), radius_m * np.sin(turn)
        self.meter_m[rows, 0], self.meter_m[rows, 1] = x_m, y_m
        self.building_db[rows] = numbers.uniform(*profile.building_loss_db, count)
        height_db = profile.height_loss_db(profile.gateway_height_m, profile.meter_height_m)
        for gateway, (tower_x, tower_y) in enumerate(self.gateway_m):
            distance_m = np.hypot(x_m - tower_x, y_m - tower_y)
            shadow_db = self._fields[gateway].at(x_m, y_m) if self._fields else numbers.normal(0, profile.shadowing_db, count)
            losses_db = np.array([profile.distance_loss_db(each) for each in distance_m])
            self.loss_db[gateway, rows] = losses_db + height_db + self.building_db[rows] + shadow_db

    def between_meters_db(self, one: int, other: int) -> float:
        """Loss from meter to meter, the same both ways: two low antennas, two buildings, a shadow of the pair's own."""
        profile = self.profile
        low, high = sorted((one, other))
        distance_m = math.dist(self.meter_m[low], self.meter_m[high])
        height_db = profile.height_loss_db(profile.meter_height_m, profile.meter_height_m)
        shadow_db = Random(self._pair_seed ^ (low << 32 | high)).gauss(0, profile.shadowing_db)
        buildings_db = float(self.building_db[low] + self.building_db[high])
        return profile.distance_loss_db(distance_m) + height_db + buildings_db + shadow_db
