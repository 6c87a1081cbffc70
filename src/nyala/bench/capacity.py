"""Meters per gateway: hourly reports of 11 bytes in the measured world, against the formula of pure ALOHA."""

import math
import time
from typing import Any, Final

from nyala.lorawan.network.plan import indonesia
from nyala.sim.radio.capacity import FRAMES_WANTED, TARGETS, Question, Study, meets
from nyala.vocab.time import US_PER_S

METERS: Final = 1_000
ROUNDS: Final = 5


def run() -> dict[str, Any]:
    """The benchmark."""
    question = Question(indonesia())
    study = Study(question)
    curve = study.curve()
    airtime_s = study.fleet.first(curve[-1].meters).report_us / US_PER_S
    meters = {name: meets(curve, target) for name, target in TARGETS.items()}
    aloha = {
        name: int(-math.log(target) / 2 * study.mix.channels * question.report_s / airtime_s)
        for name, target in TARGETS.items()
    }
    rates = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        point = study.measure(METERS)
        rates.append(point.frames / (time.perf_counter() - began))
    return {
        "bench": "capacity",
        "figures": {
            "meters_99": meters["99"],
            "meters_99_9": meters["99.9"],
            "aloha_meters_99": aloha["99"],
            "ratio_to_aloha_99": round(meters["99"] / aloha["99"], 3),
            "delivery_ratio_1000": round(point.delivery_ratio, 5),
            "frames_per_s": round(max(rates)),
        },
        "baseline": "pure ALOHA: exp(-2 G) of the same mean airtime on the same channels, one spreading factor, no capture, "
        "nothing below the floor, a gateway that never sends",
        "conditions": {
            "profile": question.profile,
            "gateways": question.gateways,
            "report_s": question.report_s,
            "payload_bytes": question.payload_bytes,
            "answered": question.answered,
            "frames": FRAMES_WANTED,
        },
    }
