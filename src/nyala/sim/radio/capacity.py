"""How many meters a gateway carries: delivery against the number of meters, and the number that still meets a target.

A frame is delivered if any gateway hears it; one that none hears is counted under the fate it had at its best gateway.
Nothing is repeated and nothing repaired here: what parity and back-fill add comes on top.
"""

from dataclasses import dataclass
from random import Random
from typing import Any, Final

import numpy as np

from nyala.lorawan.network.plan import NetworkPlan
from nyala.sim.radio.arrays import fates
from nyala.sim.radio.fate import Fate
from nyala.sim.radio.links import Links
from nyala.sim.radio.profile import DEFAULT_PROFILE, radio_profile
from nyala.sim.radio.traffic import Fleet, Mix, draw_traffic, make_fleet
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.time import DAY_S, US_PER_S

TARGETS: Final = {"99": 0.99, "99.9": 0.999}
METERS_MAX: Final = 200_000
"""Where the curve ends at the latest."""
FRAMES_WANTED: Final = 300_000
"""Frames of one point: a loss of 0.1 % is then known to 6 %."""
SPAN_MAX_S: Final = 500 * DAY_S
CURVE_FIRST: Final = 10
CURVE_STEP: Final = 2**0.5
CURVE_END: Final = 0.90
"""The curve ends where less than this is delivered."""
REPORT_S: Final = (10, DAY_S)
PAYLOAD_MAX: Final = 222
GATEWAYS_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Question:
    """`meters` are there already.  `answered`: the part of the uplinks that is answered by a downlink."""

    plan: NetworkPlan
    meters: int = 0
    report_s: int = 3_600
    payload_bytes: int = 11
    gateways: int = 1
    profile: str = DEFAULT_PROFILE
    answered: float = 0.02
    seed: int = 1

    def checked(self) -> "Question":
        """The question; BadArgumentError for a value out of bounds."""
        bounds = {
            "meters": (self.meters, 0, METERS_MAX),
            "seconds between reports": (self.report_s, *REPORT_S),
            "payload bytes": (self.payload_bytes, 1, PAYLOAD_MAX),
            "gateways": (self.gateways, 1, GATEWAYS_MAX),
            "answered": (self.answered, 0, 1),
        }
        for name, (value, low, high) in bounds.items():
            if not low <= value <= high:
                raise BadArgumentError(f"{name} {value}: {low} to {high}")
        radio_profile(self.profile)
        return self


@dataclass(frozen=True, slots=True)
class Point:
    """One number of meters.  Ratios of all frames; `load` in Erlang per channel, `gateway_duty` of the busiest gateway."""

    meters: int
    frames: int
    delivery_ratio: float
    collision_ratio: float
    demodulator_ratio: float
    deaf_ratio: float
    burst_ratio: float
    load: float
    gateway_duty: float

    @property
    def aloha_ratio(self) -> float:
        """What pure ALOHA would deliver at this load: no capture, no spreading factors."""
        return float(np.exp(-2 * self.load))

    def report(self) -> dict[str, Any]:
        """The figures by name."""
        named = {name: getattr(self, name) for name in self.__dataclass_fields__}
        rounded = {name: round(value, 6) if isinstance(value, float) else value for name, value in named.items()}
        return {**rounded, "aloha_ratio": round(self.aloha_ratio, 6)}


class Study:
    """The meters of one place, drawn once: a smaller fleet is the beginning of a larger one."""

    def __init__(self, question: Question, meters_max: int = METERS_MAX) -> None:
        self.question = question.checked()
        self.profile = radio_profile(question.profile)
        self.links = Links(self.profile, meters_max, question.gateways, Random(f"{question.seed} capacity"))
        self.fleet = make_fleet(question.plan, self.links, question.payload_bytes)
        plan = question.plan
        self.mix = Mix(question.report_s, question.answered, len(plan.uplink_channels_hz), plan.rx_delay_s)

    def measure(self, meters: int) -> Point:
        """Lives through enough periods of a fleet."""
        return measure(self.question, self.fleet.first(meters), self.mix)

    def curve(self) -> list[Point]:
        """Fleets of rising size, until too little is delivered."""
        points, size = [], float(CURVE_FIRST)
        while size <= METERS_MAX:
            points.append(self.measure(round(size)))
            if points[-1].delivery_ratio < CURVE_END:
                break
            size *= CURVE_STEP
        return points


def measure(question: Question, fleet: Fleet, mix: Mix, frames_wanted: int = FRAMES_WANTED) -> Point:
    """One fleet on the air for so many frames."""
    profile = radio_profile(question.profile)
    meters = len(fleet.sf)
    span_max = max(int(SPAN_MAX_S / mix.report_s), 1)
    periods = min(max(-(-frames_wanted // int(fleet.frames.sum())), 1), span_max)
    frames, sends = draw_traffic(profile, fleet, mix, periods, Random(f"{question.seed} traffic {meters}").getrandbits(64))
    found = fates(profile, frames, sends)
    heard = (found == Fate.HEARD).any(axis=0)
    at_best = found[frames.rssi_dbm.argmax(axis=0), np.arange(len(heard))]
    share = np.bincount(at_best[~heard], minlength=len(Fate)) / len(heard)
    span_us = periods * mix.report_s * US_PER_S
    sent_us = np.bincount(sends.gateway, sends.end_us - sends.start_us, minlength=len(found))
    return Point(
        meters=meters,
        frames=len(heard),
        delivery_ratio=float(heard.mean()),
        collision_ratio=float(share[Fate.COLLIDED]),
        demodulator_ratio=float(share[Fate.NO_PATH]),
        deaf_ratio=float(share[Fate.DEAF]),
        burst_ratio=float(share[Fate.DISTURBED]),
        load=float((frames.end_us - frames.start_us).sum()) / span_us / mix.channels,
        gateway_duty=float(sent_us.max()) / span_us,
    )


def meets(points: list[Point], target: float) -> int:
    """The number of meters at which the curve leaves a target, between its points by their logarithms.

    0 where already the first point misses it; the last number measured where the curve stays above it.
    """
    allowed = 1 - target
    for i, point in enumerate(points):
        lost = 1 - point.delivery_ratio
        if lost > allowed:
            if i == 0:
                return 0
            before = points[i - 1]
            lost_before = max(1 - before.delivery_ratio, 0.5 / before.frames)
            share = np.log(allowed / lost_before) / np.log(lost / lost_before)
            return int(before.meters * (point.meters / before.meters) ** share)
    return points[-1].meters


def capacity(question: Question) -> dict[str, Any]:
    """The answer: the curve, the numbers that meet the targets, and how many more that is than `meters`."""
    study = Study(question)
    points = study.curve()
    numbers = {name: meets(points, target) for name, target in TARGETS.items()}
    reached = study.fleet.first(points[-1].meters)
    now = study.measure(question.meters).report() if question.meters else None
    return {
        "profile": question.profile,
        "gateways": question.gateways,
        "meters": question.meters,
        "report_s": question.report_s,
        "payload_bytes": question.payload_bytes,
        "answered": question.answered,
        "channels": study.mix.channels,
        "seed": question.seed,
        "sf_share": {f"SF{sf}": round(float((reached.sf == sf).mean()), 4) for sf in range(7, 13)},
        "frames_per_report": round(float(reached.frames.mean()), 4),
        "airtime_ms_per_report": round(reached.report_us / 1_000, 3),
        "device_duty": round(reached.report_us / US_PER_S / question.report_s, 8),
        "capacity": numbers,
        "more": {name: max(number - question.meters, 0) for name, number in numbers.items()},
        "now": now,
        "curve": [point.report() for point in points],
    }
