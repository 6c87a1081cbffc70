"""Meter-steps of one second per second of wall time: registers, demand, profile and alarms of 100,000 three-phase meters.

Phasors are given, another set each second; a share of the meters has an alarm or a delay that runs.  One quarter of an
hour is lived, so that folds, demand and profile edges are in it.  The baseline is the same second in vectorised NumPy
without those edges; the roof is the time in which the necessary bytes could be copied.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from nyala.bench.fleet_numpy import NumpyFleet
from nyala.meter.bank import Bank
from nyala.meter.fleet import Fleet
from nyala.meter.fleet_kernels import GROUPS, Singles
from nyala.meter.model import meter_model
from nyala.meter.state import CHANNELS, State

METERS: Final = 100_000
START_S: Final = 1_760_000_400
SECONDS: Final = 900
NUMPY_SECONDS: Final = 15
SETS: Final = 4
UNBALANCED: Final = 0.02
"""Share of the meters whose unbalance is above its threshold."""
ROUNDS: Final = 3
COPY_BYTES: Final = 160_000_000
STEP_BYTES: Final = 2 * 4 * GROUPS * CHANNELS + 3 * 3 * 4 + 2 * 8 + 2 + 4
"""Bytes that a step must move: counters both ways, nine phasor parts, alarm bits and delays, supply, limit."""
APART: Final = ("edge_wh", "edge_status", "around", "ratings")
"""History rings, and arrays whose columns are counted by themselves."""


def phasors(count: int, sets: int, seed: int) -> list[tuple[Singles, Singles, Singles]]:
    """Sets of voltage, current in phase and lagging current, 3 x n each."""
    random = np.random.default_rng(seed)
    share = np.where(random.random(count) < UNBALANCED, 0.4, 1.0)
    found = []
    for _ in range(sets):
        u_v = 230 + 3 * random.standard_normal((3, count))
        active_a = random.uniform(0.5, 40, count) * random.uniform(0.9, 1.1, (3, count))
        active_a[1] *= share
        found.append((_single(u_v), _single(active_a), _single(active_a * random.uniform(0.1, 0.5, count))))
    return found


def _single(values: Any) -> Singles:
    return np.ascontiguousarray(values, np.float32)


def _timed(work: Callable[[int], None], count: int) -> float:
    begin = time.perf_counter()
    for number in range(count):
        work(number)
    return (time.perf_counter() - begin) / count


def core_bytes(state: State, count: int) -> float:
    """Bytes per meter of everything but the history rings."""
    return sum(int(array.nbytes) for name, array in state._asdict().items() if name not in APART) / count


def run() -> dict[str, Any]:
    """The benchmark."""
    model = meter_model("three-phase")
    bank = Bank([model] * METERS, START_S, ring_days=1)
    fleet, plain, sets = Fleet(bank), NumpyFleet(model, METERS), phasors(METERS, SETS, 1)
    source, target = np.ones(COPY_BYTES // 8), np.ones(COPY_BYTES // 8)
    fleet.second(*sets[0])
    fleet.flush()
    steps, planes, copies = [], [], []
    for _ in range(ROUNDS):
        planes.append(_timed(lambda number: plain.second(*sets[number % SETS]), NUMPY_SECONDS))
        copies.append(_timed(lambda _: np.copyto(target, source), 5))
        steps.append(_timed(lambda number: fleet.second(*sets[number % SETS]), SECONDS))
    step_s, plain_s, copy_s = min(steps), min(planes), min(copies)
    return {
        "bench": "fleet",
        "figures": {
            "meter_steps_per_s": round(METERS / step_s),
            "ratio_to_numpy": round(plain_s / step_s, 2),
            "ratio_to_copy_roof": round((STEP_BYTES * METERS / step_s) / (2 * COPY_BYTES / copy_s), 3),
            "bytes_per_meter": round(core_bytes(bank.state, METERS) + 4 * GROUPS * CHANNELS),
            "hot_bytes_per_meter": 4 * GROUPS * CHANNELS + 2 * 8 + 2 + 4,
        },
        "baseline": "the same second in vectorised NumPy; the roof counts the bytes that must move against a copy",
        "conditions": {
            "meters": METERS,
            "seconds": SECONDS,
            "step_bytes": STEP_BYTES,
            "copy_gb_per_s": round(2 * COPY_BYTES / copy_s / 1e9, 1),
            "alarms_active": int(np.count_nonzero(bank.state.alarms)),
        },
    }
