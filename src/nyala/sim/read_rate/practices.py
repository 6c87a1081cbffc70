"""What a meter sends (`practices.toml`), and the place it sends from: one gateway, a fixed mix of spreading factors."""

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from random import Random
from typing import Final

import numpy as np

from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.frame import DATA_OVERHEAD
from nyala.lorawan.network.adr import SNR_FLOOR_DB
from nyala.lorawan.network.plan import NetworkPlan
from nyala.sim.radio.arrays import Floats, Ints
from nyala.sim.radio.links import Links
from nyala.sim.radio.profile import DEFAULT_PROFILE, SF_FIRST, RadioProfile, noise_dbm, radio_profile
from nyala.vocab.errors import UnknownError

SF_SHARE: Final = {7: 0.50, 8: 0.20, 9: 0.15, 10: 0.15}
TX_POWER_STEPS: Final = 7
CHANNELS: Final = 8


@dataclass(frozen=True, slots=True)
class Practice:
    """Each `period_s` a frame, sent `transmissions` times."""

    name: str
    period_s: int
    transmissions: int
    payload_bytes: tuple[int, ...]

    def air_us(self) -> Ints:
        """Of one transmission at SF7..SF10."""
        return np.array([airtime_us(size + DATA_OVERHEAD, sf) for sf, size in zip(SF_SHARE, self.payload_bytes, strict=True)])

    @property
    def mean_air_us(self) -> float:
        """Of one transmission of a meter of the mix."""
        return float(self.air_us() @ np.array(list(SF_SHARE.values())))


@cache
def practice(name: str) -> Practice:
    """A practice by name; UnknownError for one that is not in the table."""
    table = tomllib.loads(files("nyala.sim.read_rate").joinpath("practices.toml").read_text(encoding="utf-8"))
    if name not in table:
        raise UnknownError("practice", f"{name} ({', '.join(table)} are there)")
    row = table[name]
    return Practice(name, row["period_s"], row["transmissions"], tuple(row["payload_bytes"]))


def gateway_profile(capture: str, demodulators: int) -> RadioProfile:
    """The default place without bursts: what else is lost is a figure of its own."""
    return replace(radio_profile(DEFAULT_PROFILE), capture=capture, demodulators=demodulators, bursts=None)


@dataclass(frozen=True, slots=True)
class Place:
    """Arrays by meter: spreading factor and power at the gateway.  Any first meters are a smaller place of the same mix."""

    sf: Ints
    rssi_dbm: Floats

    def first(self, meters: int) -> "Place":
        """The first meters only."""
        return Place(self.sf[:meters], self.rssi_dbm[:meters])


def make_place(plan: NetworkPlan, meters: int, seed: int) -> Place:
    """The best links get SF7, and so on down the mix; who is far above the floor of its data rate is turned down, as by ADR."""
    profile = radio_profile(DEFAULT_PROFILE)
    loss_db = Links(profile, meters, 1, Random(f"{seed} place")).loss_db[0]
    rank = np.empty(meters, np.int64)
    rank[np.argsort(loss_db)] = np.arange(meters)
    bounds = np.cumsum(list(SF_SHARE.values())) * meters
    sf = np.minimum(np.searchsorted(bounds, rank, side="right"), len(SF_SHARE) - 1) + SF_FIRST
    floor_db = np.array([SNR_FLOOR_DB[each] for each in SF_SHARE])[sf - SF_FIRST]
    spare_db = plan.max_eirp_dbm - loss_db - noise_dbm(profile.gateway_noise_figure_db, 125) - floor_db - plan.adr_margin_db
    step_db = plan.region.tx_power_step_db
    down = np.clip(spare_db // step_db, 0, TX_POWER_STEPS) * step_db
    turn = np.empty(meters)  # the spreading factors in turn: each beginning has the mix
    for each, share in SF_SHARE.items():
        mine = np.flatnonzero(sf == each)
        turn[mine] = (np.arange(len(mine)) + 0.5) / share
    order = np.argsort(turn, kind="stable")
    return Place(sf[order], (plan.max_eirp_dbm - down - loss_db)[order])
