"""The settings of a network: region, channels, windows, limits.  Data; the defaults are conservative for Indonesia.

The regulation of Indonesia is not settled (reference lorawan.md 13): dwell time, EIRP and channels stand here so that an
operator can change them without touching code.
"""

from dataclasses import dataclass
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

    @property
    def uplink_channels_hz(self) -> tuple[int, ...]:
        """All uplink channels by index."""
        return self.region.default_channels_hz + self.channels_hz

    @property
    def cf_list(self) -> tuple[int, ...]:
        """What goes into the join accept; empty where the downlink dwell limit forbids its length."""
        return () if self.downlink_dwell else self.channels_hz[:CFLIST_CHANNELS]

    @property
    def max_eirp_code(self) -> int:
        """Code of TxParamSetupReq: the highest that does not exceed the limit."""
        return max(code for code, dbm in enumerate(mac.MAX_EIRP_DBM) if dbm <= self.max_eirp_dbm)


def indonesia() -> NetworkPlan:
    """AS923-2 with eight channels of 921.4-922.8 MHz: seven by join accept, the eighth by NewChannelReq."""
    return NetworkPlan(
        region=region("AS923-2"),
        channels_hz=(921_800_000, 922_000_000, 922_200_000, 922_400_000, 922_600_000, 922_800_000),
    )
