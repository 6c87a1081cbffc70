"""The settings of a network: region, law, channels, windows, limits.  Data; the defaults are conservative for Indonesia.

The regulation of Indonesia is not settled (reference lorawan.md 13): dwell time, EIRP and channels stand here so that an
operator can change them without touching code.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.region import Region, region
from nyala.lorawan.regulation import Regulation, regulation
from nyala.vocab.errors import BadArgumentError, UnknownError
from nyala.vocab.time import DAY_S, US_PER_S

CFLIST_CHANNELS: Final = 5
RETRIES_MAX: Final = 7
"""Most repetitions of a confirmed class C downlink that anybody may ask for."""


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """One network.  `channels_hz` are the channels beyond the region's default ones, in the order of their indices."""

    region: Region
    regulation: Regulation
    net_id: int = 0
    channels_hz: tuple[int, ...] = ()
    rx_delay_s: int = 1
    rx1_dr_offset: int = 0
    rx2_data_rate: int = 2
    rx2_hz: int = 0
    """0: the region's."""
    rx1_hz: tuple[tuple[int, int], ...] = ()
    """(channel, frequency) of RX1 where it is not the uplink's: DlChannelReq."""
    uplink_dwell: bool = True
    downlink_dwell: bool = False
    max_eirp_dbm: int = 16
    """Of devices."""
    gateway_eirp_dbm: int = 16
    """Of gateways; the sub-band of the frequency may allow less."""
    max_duty_cycle: int = 0
    """n of the aggregated duty cycle 1 / 2**n that devices are asked to keep: DutyCycleReq."""
    adr: bool = True
    adr_algorithm: str = "spread"
    """One of `adr.ALGORITHMS`."""
    adr_margin_db: float = 10.0
    dev_status_uplinks: int = 200
    """A device is asked for its status after so many uplinks, or after `dev_status_us`; 0: never."""
    dev_status_us: int = DAY_S * US_PER_S
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
            "rx2_hz": self.rx2_hz or self.region.rx2_hz,
            "uplink_channels_hz": self.region.default_channels_hz + self.channels_hz,
            "cf_list": () if self.downlink_dwell else self.channels_hz[:CFLIST_CHANNELS],
            "max_eirp_code": max(code for code, dbm in enumerate(mac.MAX_EIRP_DBM) if dbm <= self.max_eirp_dbm),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, region_name: str, regulation_name: str, channels_hz: Sequence[int] = (), **settings: Any) -> "NetworkPlan":
        """A plan from a region and a law: dwell limits and power are the law's, RX2 the region's, unless `settings` differ.

        UnknownError for a region or regulation without a file; BadArgumentError for a law of another region, and for a
        frequency on which that law lets nobody send.
        """
        place, law = region(region_name), regulation(regulation_name)
        if law.region != place.name:
            raise BadArgumentError(f"regulation {law.name} is for {law.region}, not for {place.name}")
        uplinks = (*place.default_channels_hz, *channels_hz)
        told: dict[str, Any] = {
            "rx2_data_rate": place.rx2_data_rate,
            "uplink_dwell": law.uplink_dwell,
            "downlink_dwell": law.downlink_dwell,
            "max_eirp_dbm": min([place.default_max_eirp_dbm, *(law.sub_band(hz).max_eirp_dbm for hz in uplinks)]),
            "gateway_eirp_dbm": max(band.max_eirp_dbm for band in law.sub_bands),
        }
        plan = cls(place, law, channels_hz=tuple(channels_hz), **told | settings)
        law.sub_band(plan.rx2_hz)
        return plan


PLANS: Final[dict[str, tuple[str, tuple[int, ...]]]] = {
    "indonesia": ("AS923-2", tuple(range(921_800_000, 922_800_001, 200_000))),
    "indonesia-lbt": ("AS923-2", tuple(range(921_800_000, 922_800_001, 200_000))),
    "eu868": ("EU868", tuple(range(867_100_000, 867_900_001, 200_000))),
}
"""Networks of eight channels by the name of their law: region, and the channels beyond its default ones."""


@cache
def network_plan(name: str) -> NetworkPlan:
    """A network by the name of its law; UnknownError for one that is not in `PLANS`."""
    if name not in PLANS:
        raise UnknownError("network", f"{name} ({', '.join(PLANS)} are there)")
    place, channels_hz = PLANS[name]
    return NetworkPlan.of(place, name, channels_hz)


def indonesia() -> NetworkPlan:
    """AS923-2 with eight channels of 921.4-922.8 MHz: seven by join accept, the eighth by NewChannelReq."""
    return network_plan("indonesia")
