"""Where something is on the earth: WGS 84, in whole millionths of a degree.  Maps and distances are made of it elsewhere."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from nyala.vocab.errors import BadArgumentError

UDEG_PER_DEG: Final = 1_000_000
LAT_MAX_DEG: Final = 85
"""Beyond it no map of ours is right, and nobody has a meter."""
LON_MAX_DEG: Final = 180


@dataclass(frozen=True, slots=True)
class Place:
    """A point.  North and east are positive."""

    lat_udeg: int
    lon_udeg: int

    @property
    def lat(self) -> float:
        """Degrees north, for a screen."""
        return self.lat_udeg / UDEG_PER_DEG

    @property
    def lon(self) -> float:
        """Degrees east."""
        return self.lon_udeg / UDEG_PER_DEG


def parse_place(lat: str, lon: str) -> Place:
    """A place from two decimal numbers of degrees; BadArgumentError."""
    return Place(_udeg(lat, "lat", LAT_MAX_DEG), _udeg(lon, "lon", LON_MAX_DEG))


def _udeg(text: str, what: str, limit_deg: int) -> int:
    try:
        degrees = Decimal(text.strip())
    except InvalidOperation:
        raise BadArgumentError(f"{what}: not a number of degrees: {text!r}") from None
    if not degrees.is_finite() or abs(degrees) > limit_deg:
        raise BadArgumentError(f"{what}: {text} is not -{limit_deg}..{limit_deg} degrees")
    return round(degrees * UDEG_PER_DEG)
