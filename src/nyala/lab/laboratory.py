"""A whole test of one specimen, in the order of a laboratory (metrology.md 1.10): warm-up, starting, no-load, errors,
constant, repeatability, composite errors, influences.  Gives a report; decides nothing but pass or fail of each point.
"""

from typing import Final

from nyala.lab import accuracy, composite, functional, influence
from nyala.lab.accuracy import Scope
from nyala.lab.bench import Bench
from nyala.lab.limits import amperes
from nyala.lab.load import Energy, terminal_load
from nyala.lab.profile import LimitProfile
from nyala.lab.result import Point, Report
from nyala.meter.model import MeterModel

WARM_UP_S: Final = 10
"""The chain's filters settle in seconds, and voltage alone warms nothing that is modelled: no need for the hour."""
UNCALIBRATED: Final = "un-calibrated: no calibration constants, or their checksum is wrong"
HARDWARE_ONLY: Final = (
    "insulation, impulse and AC voltage: need the hardware",
    "electrostatic discharge, RF fields, fast transients, surge, magnetic fields: need the hardware",
    "clock: has a test of its own over 30 days",
)


def rating(model: MeterModel) -> str:
    """Voltage and current of a model as on a plate: "3x57.7 V, 0.01-1(10) A"."""
    times = f"{model.phases}x" if model.phases > 1 else ""
    current = f"{model.minimum_current_a:g}-{model.basic_current_a:g}({model.maximum_current_a:g}) A"
    return f"{times}{model.nominal_voltage_v:g} V, {current}"


def run(bench: Bench, profile: LimitProfile, scope: Scope, seed: int) -> Report:
    """All tests of a profile on the bench's specimen."""
    bench.apply(terminal_load(bench.model, amperes(bench.model, "Ib")), WARM_UP_S, Energy.ACTIVE)
    points: list[Point] = []
    left_out = list(HARDWARE_ONLY)
    if scope.quick:
        left_out.append("quick: starting, no-load, constant, repeatability, self-heating and part of the points")
    else:
        points += functional.starting(bench, profile)
        points += functional.no_load(bench, profile)
    points += accuracy.walk(bench, profile, scope)
    if not scope.quick:
        points += functional.constant(bench, profile)
        points += functional.repeatability(bench, profile)
    points += composite.composite(bench, profile, scope)
    points += influence.influences(bench, profile, quick=scope.quick)
    if not bench.specimen.heats:
        left_out.append("self-heating: not modelled by this specimen")
    return Report(
        model=bench.model.name,
        serial=bench.specimen.serial,
        constants_hash=bench.specimen.constants_hash,
        rating=rating(bench.model),
        profile=profile.name,
        classes=(*profile.active, *profile.reactive),
        seed=seed,
        reference=bench.reference.data.name,
        tested_s=bench.tested_s,
        points=tuple(points),
        left_out=tuple(left_out),
        faults=() if bench.specimen.calibrated else (UNCALIBRATED,),
    )
