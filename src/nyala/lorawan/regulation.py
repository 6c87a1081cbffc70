"""What the law of a place allows on the air, as rows of data (`regulations/*.toml`): band, power, dwell, LBT, duty cycle.

A region says how LoRaWAN works there; a regulation says what may be sent.  They are apart because one region has several
laws, and because some laws are not settled (reference: Indonesia): an operator names the profile that holds for him.
The dwell limit of a data rate is applied by `Region.mac_payload_max`; here stands only whether it applies.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from nyala.lorawan.region import named_row
from nyala.vocab.errors import UnknownError

PER_MILLE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Lbt:
    """Listen before talk: a channel is free where nothing above `threshold_dbm` was on it for `sense_us`."""

    threshold_dbm: float
    sense_us: int


@dataclass(frozen=True, slots=True)
class SubBand:
    """A part of the band with a duty cycle of its own: `per_mille` of the time, 1000 where there is no limit."""

    low_hz: int
    high_hz: int
    per_mille: int
    max_eirp_dbm: int

    def holds(self, frequency_hz: int) -> bool:
        """Whether a frequency lies in it; the upper edge belongs to the next one."""
        return self.low_hz <= frequency_hz < self.high_hz


@dataclass(frozen=True, slots=True)
class Regulation:
    """One law.  `sub_bands` in order; in a gap between them nothing may be sent."""

    name: str
    source: str
    region: str
    uplink_dwell: bool
    downlink_dwell: bool
    lbt: Lbt | None
    sub_bands: tuple[SubBand, ...]

    @property
    def max_eirp_dbm(self) -> int:
        """The least of the sub-bands: what may be sent anywhere."""
        return min(band.max_eirp_dbm for band in self.sub_bands)

    def sub_band(self, frequency_hz: int) -> SubBand:
        """The sub-band of a frequency; UnknownError where nothing may be sent."""
        for band in self.sub_bands:
            if band.holds(frequency_hz):
                return band
        raise UnknownError(f"frequency under {self.name}", frequency_hz)


@cache
def regulation(name: str) -> Regulation:
    """A regulation by name (`indonesia`); UnknownError for one without a file."""
    row = named_row("regulation", name)
    lbt = row.pop("lbt", None)
    bands = tuple(SubBand(**band) for band in row.pop("sub_band"))
    return Regulation(lbt=None if lbt is None else Lbt(**lbt), sub_bands=bands, **row)
