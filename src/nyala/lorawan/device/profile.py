"""What one make of device does where the standard leaves a choice or has changed, as rows of data.

A region says how LoRaWAN works somewhere, a regulation what the law allows there, a profile what the device itself can
and does: its radio, its number of channels, and the version of the standard that its firmware was written to.
"""

from dataclasses import dataclass, replace
from functools import cache
from math import floor
from typing import Final

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.region import DataRate, Region


@dataclass(frozen=True, slots=True)
class DeviceProfile:
    """One make.  Power in dBm, gain and loss in dB."""

    name: str
    spreading_factors: tuple[int, int] = (7, 10)
    """What it sends at, lowest and highest; it receives at all."""
    channels_max: int = 8
    """Channels that it holds at once, of the 16 that a region numbers."""
    conducted_min_dbm: float = -9.0
    conducted_max_dbm: float = 22.0
    antenna_gain_dbi: float = 2.15
    loss_db: float = 0.0
    """Between the radio's pin and the antenna."""
    sticky: tuple[type[mac.Command], ...] = mac.STICKY
    """Answers that every uplink repeats until a class A downlink comes."""
    confirmed_tries: int | None = None
    """Emissions of a confirmed uplink without acknowledgement; None: NbTrans, as for any uplink."""
    payload_max: tuple[tuple[int, int], ...] = ()
    """(data rate, M) where an older edition of the regional parameters had another limit without the dwell limit."""
    fragmentation_version: int = 2
    """TS004: v1 and v2 draw their parity lines differently."""

    @property
    def max_eirp_dbm(self) -> int:
        """What leaves the antenna at most, cut to whole dBm: 24 of 22 conducted.  A limit beside MaxEIRP, no code of it."""
        return floor(self.conducted_max_dbm + self.antenna_gain_dbi - self.loss_db)

    @property
    def min_eirp_dbm(self) -> float:
        """What leaves the antenna at the least power of the radio."""
        return self.conducted_min_dbm + self.antenna_gain_dbi - self.loss_db


LORAWAN_1_0_4: Final = DeviceProfile("lorawan-1.0.4")
LORAWAN_1_0_3: Final = DeviceProfile(
    "lorawan-1.0.3",
    sticky=tuple(answer for answer in mac.STICKY if answer is not mac.TxParamSetupAns),
    confirmed_tries=8,
    payload_max=((2, 59),),
    fragmentation_version=1,
)
PROFILES: Final = {profile.name: profile for profile in (LORAWAN_1_0_4, LORAWAN_1_0_3)}


@cache
def narrowed(region: Region, profile: DeviceProfile) -> Region:
    """The region as a device of this profile sends in it: data rates that it does not have carry no payload.

    Narrowing twice changes nothing.
    """
    low_sf, high_sf = profile.spreading_factors
    older = dict(profile.payload_max)

    def row(rate: DataRate) -> DataRate:
        if not low_sf <= rate.sf <= high_sf:
            return replace(rate, payload=0, payload_dwell=0)
        return replace(rate, payload=min(rate.payload, older.get(rate.index, rate.payload)))

    rows = tuple(row(rate) for rate in region.data_rates)
    low, high = region.join_data_rates
    joining = [rate.index for rate in rows[low : high + 1] if rate.payload]
    return replace(region, data_rates=rows, join_data_rates=(joining[0], joining[-1]))
