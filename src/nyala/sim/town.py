"""The town that simulated meters stand in: a place for each site, and the feeder that supplies it.  Seeded.

A street has a place of its own, and its numbers go along it.  Each quarter of the town has one feeder, so that an outage has an
area.  The radio links do not know of it: they are drawn by their own distances.
"""

import math
from random import Random
from typing import Final

from nyala.vocab.places import UDEG_PER_DEG, Place

CENTRE: Final = Place(-6_200_000, 106_816_666)
"""Jakarta."""
RADIUS_DEG: Final = 0.03
"""Streets begin within 3 km of the centre."""
STREET_DEG: Final = 0.006
"""And are as long."""
FEEDERS: Final = ("Timur 1", "Utara 2", "Barat 3", "Selatan 4")
"""By the quarters of the town, counter-clockwise from the east."""


def where(seed: int, site: str) -> tuple[Place, str]:
    """(place, feeder) of a site."""
    street = Random(f"{seed} street {site.rstrip('0123456789')}")
    turn, way, far = street.random(), street.random(), RADIUS_DEG * math.sqrt(street.random())
    along = Random(f"{seed} house {site}").uniform(-STREET_DEG / 2, STREET_DEG / 2)
    east = far * math.cos(math.tau * turn) + along * math.cos(math.tau * way)
    north = far * math.sin(math.tau * turn) + along * math.sin(math.tau * way)
    place = Place(CENTRE.lat_udeg + round(north * UDEG_PER_DEG), CENTRE.lon_udeg + round(east * UDEG_PER_DEG))
    quarter = round(4 * math.atan2(north, east) / math.tau) % 4
    return place, f"Penyulang {FEEDERS[quarter]}"
