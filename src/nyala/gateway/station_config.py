"""What a Basics Station is told when it connects: `router_config` from region, channels and regulation.

The name of the region decides what a station does with power, carrier sense and duty cycle, and stations know few names.
Under another one (`AS923-2`, `AS923`) a station 2.0.6 hears everything and drops every downlink, "before router_config".
So the name is chosen from those that fielded stations know, by what they do under it; channels and data rates are in the
rest of the message and do not depend on it.  Source: Basics Station 2.0.6 (s2e.c); basicstation#162, #173, #200.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from nyala.gateway.station import RouterConfig
from nyala.lorawan.network.plan import NetworkPlan
from nyala.lorawan.regulation import PER_MILLE
from nyala.vocab.errors import BadArgumentError, UnknownError
from nyala.vocab.time import US_PER_S

HWSPEC: Final = "sx1301/1"
"""One concentrator; stations with an SX1302 take it as well."""
DATA_RATES: Final = 16
NO_RATE: Final = (-1, 0, 0)
MULTI_SF_CHANNELS: Final = 8
IF_MAX_HZ: Final = 400_000
"""How far a channel may lie from its radio's frequency."""


@dataclass(frozen=True, slots=True)
class StationRegion:
    """What a station does under a region's name.  `max_eirp_dbm` is its own limit, which `router_config` can only lower."""

    name: str
    max_eirp_dbm: int
    carrier_sense: bool
    per_mille: int
    """Its own duty cycle on each channel, or over all; 1000: none."""
    frequencies: str = "any"
    """Where its own rules look at frequencies: of which region they must be."""


STATION_REGIONS: Final = (
    StationRegion("EU868", 16, carrier_sense=False, per_mille=1_000, frequencies="EU868"),  # its sub-bands' own duty cycles
    StationRegion("AU915", 30, carrier_sense=False, per_mille=1_000),
    StationRegion("US915", 26, carrier_sense=False, per_mille=1_000),
    StationRegion("IL915", 14, carrier_sense=False, per_mille=10),
    StationRegion("KR920", 23, carrier_sense=True, per_mille=20),
    StationRegion("AS923-1", 13, carrier_sense=True, per_mille=100),
)
"""The first that does what a regulation asks is the default for it.  EU863, US902 and AS923JP are older names of three."""


def station_region(name: str) -> StationRegion:
    """A row by name; UnknownError for a name under which a station would drop every downlink."""
    for row in STATION_REGIONS:
        if row.name == name:
            return row
    raise UnknownError(f"region of Basics Station (it knows {', '.join(row.name for row in STATION_REGIONS)})", name)


def default_region(plan: NetworkPlan) -> StationRegion:
    """The name under which a station does what a regulation asks: carrier sense if and only if it is demanded, the full
    power if possible, no duty cycle of its own where the law has none.
    """
    fitting = [row for row in STATION_REGIONS if row.frequencies in ("any", plan.region.name)]
    return max(
        fitting,
        key=lambda row: (
            row.frequencies == plan.region.name,
            row.carrier_sense == (plan.regulation.lbt is not None),
            min(row.max_eirp_dbm, plan.gateway_eirp_dbm),
            row.per_mille,
        ),
    )


def router_config(plan: NetworkPlan, name: str | None, now_us: int) -> RouterConfig:
    """The configuration of all stations of a network; `name`: another region's name than the default.

    `nocca`, `nodc` and `nodwell` are heeded by development builds of a station only.
    """
    law = plan.regulation
    row = default_region(plan) if name is None else station_region(name)
    rates = [(rate.sf, rate.bandwidth_khz, 0) for rate in plan.region.data_rates]
    return RouterConfig(
        region=row.name,
        hwspec=HWSPEC,
        freq_range_hz=plan.region.band_hz,
        data_rates=[*rates, *[NO_RATE] * (DATA_RATES - len(rates))],
        sx1301_conf=[sx1301_conf(plan.uplink_channels_hz)],
        max_eirp_dbm=float(plan.gateway_eirp_dbm),
        no_cca=law.lbt is None,
        no_duty_cycle=all(band.per_mille == PER_MILLE for band in law.sub_bands),
        no_dwell=not law.downlink_dwell,
        mux_time_s=now_us / US_PER_S,
    )


def sx1301_conf(channels_hz: Sequence[int]) -> dict[str, Any]:
    """Two radios and up to eight channels of 125 kHz, each within 400 kHz of its radio; BadArgumentError where they do not fit.

    Of all ways to cut the sorted channels in two, the one that leaves the most room at the edges.
    """
    channels = sorted(channels_hz)
    if not 1 <= len(channels) <= MULTI_SF_CHANNELS:
        raise BadArgumentError(f"{len(channels)} channels; a concentrator has {MULTI_SF_CHANNELS}")
    cut = min(range(1, len(channels) + 1), key=lambda at: max(_reach_hz(channels[:at]), _reach_hz(channels[at:])))
    groups = (channels[:cut], channels[cut:])
    if max(map(_reach_hz, groups)) > IF_MAX_HZ:
        raise BadArgumentError(f"channels from {channels[0]} to {channels[-1]} Hz do not fit two radios of +-{IF_MAX_HZ} Hz")
    conf: dict[str, Any] = {
        f"radio_{radio}": {"enable": bool(group), "freq": _centre_hz(group) if group else 0}
        for radio, group in enumerate(groups)
    }
    placed = [(radio, hz - _centre_hz(group)) for radio, group in enumerate(groups) for hz in group]
    for index in range(MULTI_SF_CHANNELS):
        used = index < len(placed)
        radio, offset_hz = placed[index] if used else (0, 0)
        conf[f"chan_multiSF_{index}"] = {"enable": used, "radio": radio, "if": offset_hz}
    return conf | {"chan_Lora_std": {"enable": False}, "chan_FSK": {"enable": False}}


def _centre_hz(group: Sequence[int]) -> int:
    return (group[0] + group[-1]) // 2


def _reach_hz(group: Sequence[int]) -> int:
    """How far the outermost channel lies from the middle; 0 for none."""
    return group[-1] - _centre_hz(group) if group else 0
