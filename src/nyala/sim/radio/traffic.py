"""What a fleet puts on the air, as arrays: who sends at which data rate and power, and frames at random instants.  Seeded.

Data rate and power are what the network's ADR ends at for the link budget of each meter; a report that a data rate does
not carry is sent in several frames.  Each frame takes a random instant of its period and a random channel, as reports at
offsets drawn from the DevEUI do on average; a share of them is answered in RX1 by the best gateway.
"""

import math
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final

import numpy as np

from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.frame import DATA_OVERHEAD
from nyala.lorawan.network.adr import ALGORITHMS, Link
from nyala.lorawan.network.history import UPLINKS, Heard
from nyala.lorawan.network.plan import NetworkPlan
from nyala.lorawan.region import FHDR_AND_PORT
from nyala.sim.radio.arrays import Floats, Frames, Ints, Sends, critical_us, overlaps
from nyala.sim.radio.channel import SNR_MAX_DB
from nyala.sim.radio.interference import Interference
from nyala.sim.radio.links import Links
from nyala.sim.radio.profile import SF_FIRST, SPREADING_FACTORS, RadioProfile, noise_dbm
from nyala.vocab.time import US_PER_S

ADR_ROUNDS_MAX: Final = 20
"""Requests until a link stands still: each moves it at least one step of six data rates and eight powers."""
ANSWER_BYTES: Final = 17
"""An answer in RX1: a header and some MAC commands."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """How each meter sends.  Arrays by meter; `rssi_dbm` is gateways x meters."""

    sf: Ints
    frames: Ints
    """Frames of one report."""
    airtime_us: Ints
    """Of one frame."""
    rssi_dbm: Floats

    def first(self, count: int) -> "Fleet":
        """The first meters only."""
        return Fleet(self.sf[:count], self.frames[:count], self.airtime_us[:count], self.rssi_dbm[:, :count])

    @property
    def report_us(self) -> float:
        """Mean airtime of a report."""
        return float((self.frames * self.airtime_us).mean())


def settled_link(plan: NetworkPlan, snr_db: float) -> Link:
    """Where ADR ends for a meter whose best gateway hears it so well at full power, if it begins at the slowest join rate.

    What a plan must count on.  In a young fleet many are faster: they joined with less than the margin, and ADR takes no
    data rate back.
    """
    algorithm, now = ALGORITHMS[plan.adr_algorithm], Link(plan.region.join_data_rates[0], 0, 1)
    for _ in range(ADR_ROUNDS_MAX):
        told_db = min(snr_db - plan.region.tx_power_step_db * now.tx_power, SNR_MAX_DB)
        wanted = algorithm(plan.region, now, Heard((told_db,) * UPLINKS), plan.adr_margin_db)
        if wanted == now:
            return now
        now = wanted
    return now


def make_fleet(plan: NetworkPlan, links: Links, payload_bytes: int) -> Fleet:
    """The meters of a place, each with the link that ADR gives it."""
    region, loss_db = plan.region, links.loss_db
    best_snr_db = plan.max_eirp_dbm - loss_db.min(axis=0) - noise_dbm(links.profile.gateway_noise_figure_db, 125)

    @cache
    def sending(snr_tenths: int) -> tuple[int, int, int, int]:
        link = settled_link(plan, snr_tenths / 10)
        rate = region.data_rate(link.data_rate)
        room = region.mac_payload_max(link.data_rate, dwell=plan.uplink_dwell) - FHDR_AND_PORT
        frames = max(math.ceil(payload_bytes / room), 1)
        length = math.ceil(payload_bytes / frames) + DATA_OVERHEAD
        return rate.sf, frames, airtime_us(length, rate.sf, rate.bandwidth_khz), link.tx_power

    columns = np.array([sending(math.floor(snr * 10)) for snr in best_snr_db], np.int64).T
    sf, frames, time_us, power = columns
    eirp_dbm = plan.max_eirp_dbm - region.tx_power_step_db * power
    return Fleet(sf, frames, time_us, eirp_dbm - loss_db)


@dataclass(frozen=True, slots=True)
class Mix:
    """How often a fleet speaks: a report every `report_s`, `answered` of the frames with a downlink in RX1."""

    report_s: float
    answered: float
    channels: int
    rx_delay_s: int = 1
    locked: bool = False
    """Each frame at the same instant of every period: the same neighbours meet again and again.  The mean is the same."""


def draw_traffic(profile: RadioProfile, fleet: Fleet, mix: Mix, periods: int, seed: int) -> tuple[Frames, Sends]:
    """All frames of so many periods, and what the gateways send meanwhile."""
    numbers = np.random.default_rng(seed)
    sender = np.repeat(np.tile(np.arange(len(fleet.sf)), periods), np.tile(fleet.frames, periods))
    period = np.repeat(np.arange(periods), int(fleet.frames.sum()))
    offset = np.tile(numbers.random(len(sender) // periods), periods) if mix.locked else numbers.random(len(sender))
    start_us = ((period + offset) * mix.report_s * US_PER_S).astype(np.int64)
    order = np.argsort(start_us, kind="stable")
    start_us, sender = start_us[order], sender[order]
    frames = Frames(
        start_us=start_us,
        end_us=start_us + fleet.airtime_us[sender],
        channel=numbers.integers(0, mix.channels, len(sender)),
        sf=fleet.sf[sender],
        rssi_dbm=fleet.rssi_dbm[:, sender],
        burst_mw=np.zeros(len(sender)),
    )
    _add_bursts(profile, frames, Interference(profile.bursts, Random(seed).getrandbits(64)), mix.channels)
    return frames, _answers(frames, mix, numbers.random(len(sender)) < mix.answered)


def _answers(frames: Frames, mix: Mix, answered: np.ndarray) -> Sends:
    air_us = np.array([airtime_us(ANSWER_BYTES, sf, crc=False) for sf in SPREADING_FACTORS])
    start_us = frames.end_us[answered] + mix.rx_delay_s * US_PER_S
    end_us = start_us + air_us[frames.sf[answered] - SF_FIRST]
    gateway = frames.rssi_dbm[:, answered].argmax(axis=0)
    order = np.lexsort((start_us, gateway))
    return Sends(gateway[order], start_us[order], end_us[order])


def _add_bursts(profile: RadioProfile, frames: Frames, interference: Interference, channels: int) -> None:
    if interference.bursts is None or not len(frames.start_us):
        return
    critical = critical_us(profile, frames)
    for channel in range(channels):
        bursts = list(interference.during(channel, int(frames.start_us[0]), int(frames.end_us.max())))
        mine = np.flatnonzero(frames.channel == channel)
        if bursts and len(mine):
            start_us, end_us = np.array(sorted(bursts), np.int64).T
            count = overlaps(critical[mine], frames.end_us[mine], start_us, end_us)
            frames.burst_mw[mine] = count * interference.milliwatts
