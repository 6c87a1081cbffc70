"""Algorithms of adaptive data rate side by side in the same radio world: what each delivers, and what it spends on the air.

Array level: in each round every meter sends one uplink, with its repetitions, over its own link to each gateway.  A link has
a path loss (a radio profile), a slow swing and a fade of each frame; frames of one spreading factor collide by the load that
all meters of it make.  The network decides by the product's own code; its request may be lost on the way down, and a meter
that hears nothing for long backs off as the standard says.  All algorithms meet the same draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.network.adr import ALGORITHMS, SNR_FLOOR_DB, Link
from nyala.lorawan.network.history import read, remember
from nyala.lorawan.network.plan import NetworkPlan
from nyala.sim.radio.links import Links
from nyala.sim.radio.profile import DEFAULT_PROFILE, noise_dbm, radio_profile
from nyala.vocab.errors import BadArgumentError, UnknownError
from nyala.vocab.time import US_PER_S

FADES_DB: Final = {"still": (0.5, 1.0), "town": (2.0, 3.0), "rough": (3.0, 5.0)}
"""Standard deviation of the slow swing and of the fade of each frame."""
SWING: Final = 0.95
"""Correlation of the slow swing from one uplink to the next."""
SNR_MAX_DB: Final = 12.0
"""What a gateway reports at most."""
NB_TRANS_MAX: Final = 3
FRAME_BYTES: Final = 24
"""An uplink of 11 bytes."""
ROUNDS_MAX: Final = 5_000
METERS_MAX: Final = 5_000
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class World:
    """`each_stands_for`: meters of the town that one simulated meter stands for, in the load on the air."""

    plan: NetworkPlan
    fades: str = "town"
    meters: int = 200
    gateways: int = 2
    rounds: int = 400
    report_s: int = 900
    each_stands_for: int = 5
    profile: str = DEFAULT_PROFILE
    seed: int = 1

    def checked(self) -> "World":
        """The world; BadArgumentError for a value out of bounds, UnknownError for fades that are not there."""
        if self.fades not in FADES_DB:
            raise UnknownError("fades", f"{self.fades} ({', '.join(FADES_DB)} are there)")
        for name, value, most in (("meters", self.meters, METERS_MAX), ("rounds", self.rounds, ROUNDS_MAX)):
            if not 1 <= value <= most:
                raise BadArgumentError(f"{name} {value}: 1 to {most}")
        return self


@dataclass(slots=True)
class _Meters:
    """The meters' own state, and what the network knows of each."""

    data_rate: NDArray[np.int64]
    tx_power: NDArray[np.int64]
    nb_trans: NDArray[np.int64]
    unheard: NDArray[np.int64]
    """Uplinks since the last downlink: ADR_ACK_CNT."""
    known: list[Link]
    history: list[bytes]
    missed: list[int]


def compare(world: World, names: Sequence[str] = tuple(ALGORITHMS)) -> dict[str, Any]:
    """The figures of each algorithm, by its name; of the second half of the rounds, when they have settled."""
    world.checked()
    return {
        "fades": world.fades,
        "profile": world.profile,
        "meters": world.meters,
        "gateways": world.gateways,
        "rounds": world.rounds,
        "seed": world.seed,
        "algorithms": {name: _live(world, name) for name in names},
    }


def _live(world: World, name: str) -> dict[str, float]:
    region, profile = world.plan.region, radio_profile(world.profile)
    numbers = np.random.default_rng(world.seed)
    loss_db = Links(profile, world.meters, world.gateways, Random(f"{world.seed} adr")).loss_db
    noise = noise_dbm(profile.gateway_noise_figure_db, 125)
    swing_db, fade_db = FADES_DB[world.fades]
    floors = np.array([SNR_FLOOR_DB[rate.sf] for rate in region.data_rates])
    airtimes = np.array([airtime_us(FRAME_BYTES, rate.sf, rate.bandwidth_khz) for rate in region.data_rates])
    first = next(r.index for r in region.data_rates if region.mac_payload_max(r.index, dwell=world.plan.uplink_dwell))
    count = world.meters
    zeros = np.zeros(count, np.int64)
    known = [Link(first, 0, 1)] * count
    meters = _Meters(zeros + first, zeros.copy(), zeros + 1, zeros.copy(), known, [b""] * count, [0] * count)
    swing = numbers.normal(0, swing_db, loss_db.shape)
    delivered, sent_us, requests = np.zeros(count), 0.0, 0
    for round_number in range(world.rounds):
        swing = SWING * swing + numbers.normal(0, swing_db * (1 - SWING**2) ** 0.5, loss_db.shape)
        fades = numbers.normal(0, fade_db, (NB_TRANS_MAX + 1, *loss_db.shape))
        spared = numbers.random((NB_TRANS_MAX, count))
        power_dbm = world.plan.max_eirp_dbm - region.tx_power_step_db * meters.tx_power
        snr_db = power_dbm - loss_db - noise + swing
        best_db, heard = _uplinks(meters, snr_db, fades, spared, floors, airtimes, world)
        if round_number >= world.rounds // 2:
            delivered += heard
            sent_us += float((airtimes[meters.data_rate] * meters.nb_trans).sum())
        down_db = (world.plan.max_eirp_dbm - loss_db - noise + swing + fades[-1]).max(axis=0)
        requests += _decide(meters, name, world, best_db, heard, down_db > floors[meters.data_rate])
        _back_off(meters, world, first)
    uplinks = count * (world.rounds - world.rounds // 2)
    per_meter = delivered / (world.rounds - world.rounds // 2)
    return {
        "delivery_ratio": round(float(per_meter.mean()), 5),
        "worst_tenth_delivery": round(float(np.sort(per_meter)[: max(count // 10, 1)].mean()), 5),
        "airtime_ms_per_uplink": round(sent_us / uplinks / 1_000, 2),
        "airtime_ms_per_delivered": round(sent_us / max(float(delivered.sum()), 1) / 1_000, 2),
        "mean_nb_trans": round(float(meters.nb_trans.mean()), 3),
        "mean_data_rate": round(float(meters.data_rate.mean()), 3),
        "requests_per_meter": round(requests / count, 2),
    }


def _uplinks(
    meters: _Meters, snr_db: Floats, fades: Floats, spared: Floats, floors: Floats, airtimes: NDArray[np.int64], world: World
) -> tuple[Floats, NDArray[np.bool_]]:
    """(best SNR of the copies that were heard, whether any was) of one uplink of each meter."""
    share = airtimes[meters.data_rate] * meters.nb_trans / (world.report_s * US_PER_S * len(world.plan.uplink_channels_hz))
    load = np.bincount(meters.data_rate, share * world.each_stands_for, minlength=len(floors))
    clear = np.exp(-2 * load[meters.data_rate])
    best_db = np.full(snr_db.shape[1], -np.inf)
    for copy in range(NB_TRANS_MAX):
        copy_db = (snr_db + fades[copy]).max(axis=0)
        heard = (copy_db >= floors[meters.data_rate]) & (spared[copy] < clear) & (copy < meters.nb_trans)
        best_db = np.where(heard, np.maximum(best_db, copy_db), best_db)
    return np.minimum(best_db, SNR_MAX_DB), best_db > -np.inf


def _decide(
    meters: _Meters, name: str, world: World, best_db: Floats, heard: NDArray[np.bool_], down: NDArray[np.bool_]
) -> int:
    """What the network asks of each meter that it heard, and which of them heard that; answers the number of requests."""
    requests, limit = 0, world.plan.region.adr_ack_limit
    for row, came in enumerate(heard.tolist()):
        meters.unheard[row] += 1
        if not came:
            meters.missed[row] += 1
            continue
        rate = int(meters.data_rate[row])
        if rate != meters.known[row].data_rate:
            meters.known[row] = Link(rate, meters.known[row].tx_power, meters.known[row].nb_trans)
        meters.history[row] = remember(meters.history[row], float(best_db[row]), meters.missed[row])
        meters.missed[row] = 0
        wanted = ALGORITHMS[name](world.plan.region, meters.known[row], read(meters.history[row]), world.plan.adr_margin_db)
        if wanted != meters.known[row]:
            requests += 1
            if down[row]:
                meters.known[row], meters.history[row] = wanted, b""
                meters.data_rate[row], meters.tx_power[row] = wanted.data_rate, wanted.tx_power
                meters.nb_trans[row] = wanted.nb_trans
        if down[row] and (wanted != meters.known[row] or meters.unheard[row] > limit or meters.history[row] == b""):
            meters.unheard[row] = 0
    return requests


def _back_off(meters: _Meters, world: World, first: int) -> None:
    """What meters do that hear nothing: full power, then slower step by step, then one transmission."""
    region = world.plan.region
    over = meters.unheard - region.adr_ack_limit
    step = (over > 0) & (over % region.adr_ack_delay == 0)
    lowest = step & (meters.data_rate == first) & (meters.tx_power == 0)
    meters.nb_trans[lowest] = 1
    slower = step & (meters.tx_power == 0) & (meters.data_rate > first)
    meters.data_rate[slower] -= 1
    meters.tx_power[step] = 0
