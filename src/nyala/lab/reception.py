"""How a specimen comes to the bench: made from a model and a seed, and calibrated, or given constants, or left as it is."""

from collections.abc import Callable
from dataclasses import dataclass

from nyala.lab.bench import Bench, Effort
from nyala.lab.calibrate import Calibration, calibrate
from nyala.lab.profile import LimitProfile
from nyala.lab.reference import reference_standard
from nyala.lab.sampled import SampledSpecimen
from nyala.meter.model import MeterModel
from nyala.meter.sampled.constants import CalibrationConstants


@dataclass(frozen=True, slots=True, eq=False)
class Received:
    """A specimen on its bench; `calibration` None where nothing was adjusted."""

    specimen: SampledSpecimen
    bench: Bench
    calibration: Calibration | None = None


def receive(model: MeterModel, seed: int, effort: Effort | None = None, say: Callable[[str], None] | None = None) -> Received:
    """The specimen of a seed, un-calibrated, on a bench with the reference standard of that seed."""
    specimen = SampledSpecimen(model, seed)
    return Received(specimen, Bench(specimen, reference_standard(seed), effort, say))


def adjusted(received: Received, profile: LimitProfile) -> Received:
    """The same after the three-point calibration."""
    done = calibrate(received.bench, received.specimen, profile)
    return Received(received.specimen, received.bench, done)


def given(received: Received, constants: CalibrationConstants) -> Received:
    """The same with constants that were stored before."""
    received.specimen.adjust(constants)
    return received
