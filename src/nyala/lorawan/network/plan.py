"""The settings of a network: region, channels, windows, limits.  Data; the defaults are conservative for Indonesia.

The regulation of Indonesia is not settled (reference lorawan.md 13): dwell time, EIRP and channels stand here so that an
operator can change them without touching code.
"""

from dataclasses import dataclass, field
from typing import Final

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.region import Region, region

CFLIST_CHANNELS: Final = 5


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """One network.  `channels_hz` are the channels beyond the region's default ones, in the order of their indices."""

    region: Region
    net_id: int = 0
    channels_hz: tuple[int, ...] = ()
    rx_delay_s: int = 1
    rx1_dr_offset: int = 0
    rx2_data_rate: int = 2
    uplink_dwell: bool = True
    downlink_dwell: bool = False
    max_eirp_dbm: int = 16
    adr: bool = True
    adr_margin_db: float = 10.0
    deduplication_us: int = 200_000
    class_c_response_us: int = 8_000_000
    """CLASS_C_RESP_TIMEOUT: until then at most one confirmed downlink of a device is outstanding."""

    uplink_channels_hz: tuple[int, ...] = field(init=False)
    """All uplink channels by index."""
    cf_list: tuple[int, ...] = field(init=False)
    """What goes into the join accept; empty where the downlink dwell limit forbids its length."""
    max_eirp_code: int = field(init=False)
    """Code of TxParamSetupReq: the highest that does not exceed the limit."""

    def __post_init__(self) -> None:
        derived = {
            "uplink_channels_hz": self.region.default_channels_hz + self.channels_hz,
            "cf_list": () if self.downlink_dwell else self.channels_hz[:CFLIST_CHANNELS],
            "max_eirp_code": max(code for code, dbm in enumerate(mac.MAX_EIRP_DBM) if dbm <= self.max_eirp_dbm),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)


def indonesia() -> NetworkPlan:
    """AS923-2 with eight channels of 921.4-922.8 MHz: seven by join accept, the eighth by NewChannelReq."""
    return NetworkPlan(
        region=region("AS923-2"),
        channels_hz=(921_800_000, 922_000_000, 922_200_000, 922_400_000, 922_600_000, 922_800_000),
    )
