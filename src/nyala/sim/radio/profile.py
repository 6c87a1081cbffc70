"""A radio profile: how far and how well one hears in a place, as data (`profiles/*.toml`, `captures.toml`).

Path loss is log-distance; other antenna heights than those of the measurement are corrected by the height terms of Hata
(IEEE Trans. VT-29, 1980, small and medium city).  What a frame survives is a capture matrix, chosen by name.
"""

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from nyala.lorawan.network.adr import SNR_FLOOR_DB
from nyala.vocab.errors import UnknownError

PROFILES: Final = ("oulu", "hata", "ns3", "lorasim")
DEFAULT_PROFILE: Final = "oulu"
SF_FIRST: Final = 7
SPREADING_FACTORS: Final = range(SF_FIRST, 13)
DISTANCE_MIN_M: Final = 20.0
"""Nearer than this no path-loss model holds."""
HEIGHT_MHZ: Final = 922.0
"""The frequency of the height terms: the middle of AS923-2."""
THERMAL_DBM_HZ: Final = -174.0
Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Bursts:
    """Interference: bursts on each frequency by a Poisson process, at one level for everybody, of exponential length."""

    per_hour: float
    level_dbm: float
    mean_us: int


@dataclass(frozen=True, slots=True)
class RadioProfile:
    """One place.  Sensitivities by SF7..SF12 at 125 kHz.

    `correlation_m`: the distance at which the correlation of shadows is 1/e, 0 for independent links.  `early_symbols`:
    symbols at the start of a preamble that a receiver can do without (LoRaSim: 3 of 8).
    """

    name: str
    source: str
    confidence: str
    reference_m: float
    reference_loss_db: float
    exponent: float
    shadowing_db: float
    correlation_m: float
    building_loss_db: tuple[float, float]
    radius_m: float
    gateway_height_m: float
    meter_height_m: float
    measured_gateway_height_m: float
    measured_meter_height_m: float
    gateway_noise_figure_db: float
    meter_noise_figure_db: float
    gateway_sensitivity_dbm: tuple[float, ...]
    meter_sensitivity_dbm: tuple[float, ...]
    capture: str
    demodulators: int
    early_symbols: int
    bursts: Bursts | None = None

    def distance_loss_db(self, distance_m: float) -> float:
        """Median loss at a distance, between antennas at the heights of the measurement."""
        return self.reference_loss_db + 10 * self.exponent * math.log10(max(distance_m, DISTANCE_MIN_M) / self.reference_m)

    def height_loss_db(self, gateway_height_m: float, meter_height_m: float) -> float:
        """What antennas at these heights lose more (or gain, below 0) than those of the measurement."""
        return (
            -13.82 * math.log10(gateway_height_m / self.measured_gateway_height_m)
            - hata_mobile_db(meter_height_m)
            + hata_mobile_db(self.measured_meter_height_m)
        )

    def gateway_floor_dbm(self, sf: int, bandwidth_khz: int = 125) -> float:
        """The weakest frame that a gateway demodulates without interference."""
        noise = noise_dbm(self.gateway_noise_figure_db, bandwidth_khz)
        return max(_wider(self.gateway_sensitivity_dbm[sf - SF_FIRST], bandwidth_khz), noise + SNR_FLOOR_DB[sf])

    def meter_floor_dbm(self, sf: int, bandwidth_khz: int = 125) -> float:
        """The weakest frame that a meter demodulates without interference."""
        noise = noise_dbm(self.meter_noise_figure_db, bandwidth_khz)
        return max(_wider(self.meter_sensitivity_dbm[sf - SF_FIRST], bandwidth_khz), noise + SNR_FLOOR_DB[sf])


def hata_mobile_db(height_m: float, frequency_mhz: float = HEIGHT_MHZ) -> float:
    """a(h_m) of Hata: what an antenna at this height gains over one at 1.5 m."""
    log_f = math.log10(frequency_mhz)
    return (1.1 * log_f - 0.7) * height_m - (1.56 * log_f - 0.8)


@cache
def noise_dbm(figure_db: float, bandwidth_khz: int) -> float:
    """Thermal noise of a receiver in a bandwidth."""
    return THERMAL_DBM_HZ + 10 * math.log10(bandwidth_khz * 1_000) + figure_db


def _wider(sensitivity_dbm: float, bandwidth_khz: int) -> float:
    return sensitivity_dbm + 10 * math.log10(bandwidth_khz / 125)


@cache
def radio_profile(name: str) -> RadioProfile:
    """A profile by name; UnknownError for one without a file."""
    if name not in PROFILES:
        raise UnknownError("radio profile", f"{name} ({', '.join(PROFILES)} are there)")
    row = _toml("profiles", f"{name}.toml")
    bursts = row.pop("bursts", None)
    row = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return RadioProfile(bursts=None if bursts is None else Bursts(**bursts), **row)


@cache
def capture_matrix(name: str) -> Matrix:
    """A capture matrix by name, rows wanted SF7..12, columns interferer; UnknownError for one that is not there."""
    for row in _toml("captures.toml")["capture"]:
        if row["name"] == name:
            return tuple(tuple(float(value) for value in line) for line in row["least_db"])
    raise UnknownError("capture matrix", name)


def _toml(*path: str) -> dict[str, Any]:
    return tomllib.loads(files("nyala.sim.radio").joinpath(*path).read_text(encoding="utf-8"))
