"""Meters per gateway: reports of 11 bytes in the measured world against pure ALOHA, and what the telegrams of nyala carry.

`meters_*` of the second part: the most meters of which 99.9 % of the 15-minute intervals (slots: 99.99 %) are complete at 08:00
of the next day, with 1 % of the frames lost beside the radio; `loss_0` and `loss_10` for other losses.  `matrix`: spreading
factors disturb each other (Goursaud).  `sf10_room`: parity at SF10 only where 11 bytes have room; `locked`: each meter at the
same instant of every hour.  `error_*`: half of the range of the seeds.
"""

import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from nyala.lorawan.network.plan import indonesia
from nyala.sim.radio.arrays import fates
from nyala.sim.radio.capacity import FRAMES_WANTED, TARGETS, Question, Study, meets
from nyala.sim.radio.fate import Fate
from nyala.sim.radio.traffic import Mix
from nyala.sim.read_rate import limits, search, slots
from nyala.sim.read_rate.aloha import MORNING_BLOCKS, SILENT
from nyala.sim.read_rate.losses import BURST_HOURS, Losses
from nyala.sim.read_rate.parity import DISTANCES
from nyala.sim.read_rate.practices import SF_SHARE, Place, gateway_profile, make_place, practice
from nyala.vocab.time import DAY_S, US_PER_S

METERS: Final = 1_000
ROUNDS: Final = 5
SEEDS: Final = (1, 2)
THREADS: Final = 2
LOSS: Final = 0.01
HEAVY: Final = 0.10
METERS_DRAWN: Final = 260_000
"""More than have slots."""
MANY: Final = 10_000
"""Meters of the completeness figures."""
SF10_ROOM: Final = 0.69
"""Frames at SF10 whose 8 bytes carry body and parity, by the lengths 3, 4, 5, 6 of bodies at 50, 35, 12, 3 % (H0)."""


def run() -> dict[str, Any]:
    """The benchmark."""
    frames, question, study = _frames()
    with ThreadPoolExecutor(THREADS) as threads:
        waiting = {name: threads.submit(task) for name, task in _tasks().items()}
        intervals = _intervals(waiting)
    return {
        "bench": "capacity",
        "figures": {**frames, **intervals},
        "baseline": "frames: pure ALOHA, exp(-2 G) of the same mean airtime on the same channels, one spreading factor, no "
        "capture, nothing below the floor, a gateway that never sends; intervals: an 11-byte register frame every 15 minutes, "
        "sent three times, on the same gateway",
        "conditions": {
            "profile": question.profile,
            "gateways": question.gateways,
            "report_s": question.report_s,
            "payload_bytes": question.payload_bytes,
            "answered": question.answered,
            "frames": FRAMES_WANTED,
            "sf_share": {f"SF{sf}": share for sf, share in SF_SHARE.items()},
            "practice_bytes": {name: list(practice(name).payload_bytes) for name in ("vendor", "coded", "slotted")},
            "loss": LOSS,
            "parity": list(DISTANCES),
            "complete_at": f"{MORNING_BLOCKS:02}:00 of the next day",
            "guard_ms": slots.GUARD_US / 1_000,
            "burst_hours": BURST_HOURS,
            "channels": study.mix.channels,
            "seeds": list(SEEDS),
        },
    }


def _frames() -> tuple[dict[str, Any], Question, Study]:
    """Single frames, nothing repaired."""
    question = Question(indonesia())
    study = Study(question)
    curve = study.curve()
    airtime_s = study.fleet.first(curve[-1].meters).report_us / US_PER_S
    meters = {name: meets(curve, target) for name, target in TARGETS.items()}
    aloha = {name: _aloha_meters(target, study.mix, airtime_s) for name, target in TARGETS.items()}
    rates = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        point = study.measure(METERS)
        rates.append(point.frames / (time.perf_counter() - began))
    figures = {
        "meters_99": meters["99"],
        "meters_99_9": meters["99.9"],
        "aloha_meters_99": aloha["99"],
        "ratio_to_aloha_99": round(meters["99"] / aloha["99"], 3),
        "delivery_ratio_1000": round(point.delivery_ratio, 5),
        "frames_per_s": round(max(rates)),
    }
    return figures, question, study


def _aloha_meters(target: float, mix: Mix, airtime_s: float) -> int:
    return int(-math.log(target) / 2 * mix.channels * mix.report_s / airtime_s)


def _tasks() -> Mapping[str, Callable[[], Any]]:
    """The runs, by name; the longest first."""
    orthogonal, matrix = gateway_profile("orthogonal", 8), gateway_profile("goursaud", 8)
    places = {seed: make_place(indonesia(), METERS_DRAWN, seed) for seed in SEEDS}
    place, target = places[1], search.TARGETS["99.99"]
    many = place.first(MANY)
    return {
        "slotted_16_heavy": partial(search.slotted_meters, place, 16, HEAVY, target, 1),
        **{f"coded {seed}": partial(search.coded_curve, orthogonal, places[seed], seed) for seed in SEEDS},
        "coded matrix": partial(search.coded_curve, matrix, place, 1),
        "coded tight": partial(search.coded_curve, orthogonal, place, 1, parity_share={10: SF10_ROOM}),
        "coded locked": partial(search.coded_curve, orthogonal, place, 1, locked=True),
        **{f"vendor {seed}": partial(search.vendor_curve, orthogonal, places[seed], seed) for seed in SEEDS},
        "vendor matrix": partial(search.vendor_curve, matrix, place, 1),
        "vendor 16": partial(search.vendor_curve, gateway_profile("orthogonal", 16), place, 1),
        "slotted_8_heavy": partial(search.slotted_meters, place, 8, HEAVY, target, 1),
        "slotted_8": partial(search.slotted_meters, place, 8, LOSS, target, 1),
        "slotted_16": partial(search.slotted_meters, place, 16, LOSS, target, 1),
        "slots_lost_16": partial(_slots_lost, place, 16),
        "independent": partial(search.within_a_day, many, 8, Losses(HEAVY), 1),
        "bursts": partial(search.within_a_day, many, 8, Losses(HEAVY, bursts=True), 1),
        "coded independent": partial(search.coded_rate, orthogonal, many, Losses(HEAVY), 1),
        "coded bursts": partial(search.coded_rate, orthogonal, many, Losses(HEAVY, bursts=True), 1),
    }


def _slots_lost(place: Place, demodulators: int) -> float:
    """Frames of a full hour of slots that the capture matrix takes."""
    full = place.first(slots.slots_of(place, demodulators))
    frames = slots.one_hour(full, slots.assign(full, demodulators), 1)
    return float((fates(gateway_profile("goursaud", demodulators), frames, SILENT) != Fate.HEARD).mean())


def _intervals(waiting: Mapping[str, Future[Any]]) -> dict[str, Any]:
    found = {name: future.result() for name, future in waiting.items()}
    vendor, vendor_error = _mean([found[f"vendor {seed}"].meets(LOSS, search.TARGETS["99.9"]) for seed in SEEDS])
    coded, coded_error = _mean([found[f"coded {seed}"].meets(LOSS, search.TARGETS["99.9"]) for seed in SEEDS])
    vendor_16 = found["vendor 16"].meets(LOSS, search.TARGETS["99.9"])
    slotted, slotted_16 = found["slotted_8"], found["slotted_16"]
    matrix = {name: found[f"{name} matrix"].meets(LOSS, search.TARGETS["99.9"]) for name in ("vendor", "coded")}
    tight = found["coded tight"].meets(LOSS, search.TARGETS["99.9"])
    return {
        "meters_vendor": vendor,
        "meters_aloha": coded,
        "meters_slotted": slotted,
        "meters_slotted_16": slotted_16,
        "ratio_aloha": round(coded / vendor, 1),
        "ratio_slotted": round(slotted / vendor, 1),
        "ratio_slotted_16": round(slotted_16 / vendor_16, 1),
        "error_vendor": vendor_error,
        "error_aloha": coded_error,
        "limit": limits.perfect_schedule(practice("slotted"), 8, LOSS),
        "limit_vendor": limits.perfect_schedule(practice("vendor"), 8, LOSS),
        "limit_aloha": limits.ideal_code(practice("coded"), LOSS),
        "limit_slotted": limits.perfect_schedule(practice("slotted"), 8, LOSS),
        "limit_slotted_16": limits.perfect_schedule(practice("slotted"), 16, LOSS),
        "meters_vendor_16": vendor_16,
        "meters_aloha_99_99": found["coded 1"].meets(LOSS, search.TARGETS["99.99"]),
        "meters_aloha_sf10_room": tight,
        "ratio_aloha_sf10_room": round(tight / vendor, 1),
        "meters_aloha_locked": found["coded locked"].meets(LOSS, search.TARGETS["99.9"]),
        **_other_losses(found),
        "meters_vendor_matrix": matrix["vendor"],
        "meters_aloha_matrix": matrix["coded"],
        "ratio_aloha_matrix": round(matrix["coded"] / matrix["vendor"], 1),
        "slots_lost_matrix_16": round(found["slots_lost_16"], 6),
        "completeness_independent": round(found["independent"], 6),
        "completeness_bursts": round(found["bursts"], 6),
        "limit_bursts": round(limits.burst_completeness(HEAVY, DAY_S // 3_600), 6),
        "completeness_aloha_independent": round(found["coded independent"], 6),
        "completeness_aloha_bursts": round(found["coded bursts"], 6),
        **{f"airtime_s_day_{name}": _airtime_s_day(name) for name in ("vendor", "coded", "slotted")},
    }


def _other_losses(found: Mapping[str, Any]) -> dict[str, Any]:
    named = {}
    for label, loss in (("loss_0", 0.0), ("loss_10", HEAVY)):
        for name, run in (("vendor", "vendor 1"), ("aloha", "coded 1")):
            named[f"meters_{name}_{label}"] = found[run].meets(loss, search.TARGETS["99.9"])
    return {**named, "meters_slotted_loss_10": found["slotted_8_heavy"], "meters_slotted_16_loss_10": found["slotted_16_heavy"]}


def _mean(numbers: list[int]) -> tuple[int, float]:
    """The mean over the seeds, and half of their range as a part of it."""
    mean = sum(numbers) / len(numbers)
    return round(mean), round((max(numbers) - min(numbers)) / 2 / mean, 4)


def _airtime_s_day(name: str) -> float:
    how = practice(name)
    return round(how.mean_air_us * how.transmissions * DAY_S / how.period_s / US_PER_S, 2)
