"""The three-point procedure on a specimen: gain at Ib and unity, phase at Ib and 0.5L, offset at Imin (metrology.md 1.10).

Each phase alone, the currents of the others off.  The voltage's gain and the noise come from what the meter displays;
the gain of power, the phase and the offsets from its pulses against the reference standard.  Gain and phase are found
twice: the second pass takes what the first one left.

Not here: the arithmetic (`nyala.meter.sampled.calibration`) and files (`nyala.lab.constants_file`).
"""

from dataclasses import dataclass, replace
from typing import Final, Protocol

from nyala.lab.accuracy import limits_at
from nyala.lab.bench import Bench, Effort
from nyala.lab.limits import amperes
from nyala.lab.load import Energy, TerminalLoad, phases_of, terminal_load
from nyala.lab.profile import LimitProfile
from nyala.lab.result import Point
from nyala.lab.specimen import Specimen
from nyala.meter.sampled.calibration import Found, gain_and_phase, noise, offsets
from nyala.meter.sampled.constants import CalibrationConstants

PASSES: Final = 2
EFFORT: Final = Effort(2, 20.0)
DISPLAY_S: Final = 5
"""Seconds of which a displayed value is the mean (metrology.md 1.10: mean of 5)."""
NOISE_S: Final = 20


@dataclass(frozen=True, slots=True)
class Displayed:
    """Mean of displayed values: U in V and I in A of each phase (squares averaged), current of the neutral."""

    u_v: tuple[float, ...]
    i_a: tuple[float, ...]
    neutral_a: float


class Adjustable(Specimen, Protocol):
    """A specimen that takes constants and shows U and I."""

    @property
    def constants(self) -> CalibrationConstants:
        """Those in force."""

    def adjust(self, constants: CalibrationConstants) -> None:
        """Takes new ones."""

    def displayed(self, load: TerminalLoad, seconds: int) -> Displayed:
        """What it shows under a load."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was done: errors as found and as left at the same points, and the constants that were stored."""

    as_found: tuple[Point, ...]
    as_left: tuple[Point, ...]
    constants: CalibrationConstants

    @property
    def passed(self) -> bool:
        """Every point as left is within its limits."""
        return all(point.passed for point in self.as_left)


def calibrate(bench: Bench, specimen: Adjustable, profile: LimitProfile) -> Calibration:
    """Calibrates the bench's specimen.  BadArgumentError where it reads so wrong that it needs repair."""
    assert bench.specimen is specimen
    as_found = errors(bench, profile)
    if not specimen.constants_hash:
        specimen.adjust(CalibrationConstants())
    _noise(bench, specimen)
    for phase, name in enumerate(phases_of(bench.model)):
        bench.say(f"calibration of phase {name}")
        for _ in range(PASSES):
            _gain_and_phase(bench, specimen, phase, name)
        _offsets(bench, specimen, phase, name)
    _neutral_gain(bench, specimen)
    return Calibration(as_found, errors(bench, profile), specimen.constants)


def _relative_error(bench: Bench, name: str, current: str, factor: str, energy: Energy = Energy.ACTIVE) -> float:
    load = terminal_load(bench.model, amperes(bench.model, current), factor, energy=energy, phases=name)
    return bench.measure(load, energy, EFFORT).mean_pct / 100


def _displayed(bench: Bench, specimen: Adjustable, load: TerminalLoad, seconds: int) -> Displayed:
    bench.tested_s += seconds
    return specimen.displayed(load, seconds)


def _noise(bench: Bench, specimen: Adjustable) -> None:
    """Voltage terminals shorted, current terminals open: what is shown then is noise."""
    nothing = terminal_load(bench.model, 0.0).with_voltage(0.0)
    shown = _displayed(bench, specimen, nothing, NOISE_S)
    for phase in range(bench.model.phases):
        old = specimen.constants.phases[phase]
        specimen.adjust(specimen.constants.with_phase(phase, noise(old, shown.u_v[phase], shown.i_a[phase])))


def _gain_and_phase(bench: Bench, specimen: Adjustable, phase: int, name: str) -> None:
    load = terminal_load(bench.model, amperes(bench.model, "Ib"), phases=name)
    shown = _displayed(bench, specimen, load, DISPLAY_S)
    found = Found(
        voltage=shown.u_v[phase] / load.u_v[phase] - 1,
        gain=_relative_error(bench, name, "Ib", "1"),
        phase=_relative_error(bench, name, "Ib", "0.5L"),
    )
    new = gain_and_phase(specimen.constants.phases[phase], found, load.f_hz)
    specimen.adjust(specimen.constants.with_phase(phase, new))


def _offsets(bench: Bench, specimen: Adjustable, phase: int, name: str) -> None:
    power = bench.model.nominal_voltage_v * amperes(bench.model, "Imin")
    error_w = power * _relative_error(bench, name, "Imin", "1")
    error_var = power * _relative_error(bench, name, "Imin", "1", Energy.REACTIVE)
    new = offsets(specimen.constants.phases[phase], error_w, error_var)
    specimen.adjust(specimen.constants.with_phase(phase, new))


def _neutral_gain(bench: Bench, specimen: Adjustable) -> None:
    load = terminal_load(bench.model, amperes(bench.model, "Ib"), phases="A")
    shown = _displayed(bench, specimen, load, DISPLAY_S)
    if shown.neutral_a:
        specimen.adjust(replace(specimen.constants, gain_n=specimen.constants.gain_n * load.i_a[0] / shown.neutral_a))


def errors(bench: Bench, profile: LimitProfile) -> tuple[Point, ...]:
    """The points of a certificate's as-found and as-left: each phase and all, at Imin, Ib and Imax."""
    model, found = bench.model, []
    groups = [phases_of(model), *(phases_of(model) if model.phases > 1 else "")]
    for energy in Energy:
        for phases in groups:
            loaded = "balanced" if phases == phases_of(model) else "single"
            rows = profile.limits(model, energy, loaded)
            for factor in ("1", "0.5L"):
                for current in ("Itr", "Ib", "Imax"):
                    current_a = amperes(model, current)
                    limits = limits_at(rows, model, factor, current_a)
                    if not limits:
                        continue
                    load = terminal_load(model, current_a, factor, energy=energy, phases=phases)
                    bench.say(f"errors: {energy.value} {phases} {current_a:g} A {factor}")
                    reading = bench.measure(load, energy, EFFORT)
                    found.append(
                        Point(
                            test="basic" if loaded == "balanced" else "single-phase load",
                            energy=energy,
                            phases=phases,
                            i_a=current_a,
                            pf=factor,
                            u_v=load.u_v[0],
                            f_hz=load.f_hz,
                            temperature_c=load.temperature_c,
                            value=reading.mean_pct,
                            limits=limits,
                            reading=reading,
                            budget=bench.budget(load, energy, reading, 0.0),
                        )
                    )
    return tuple(found)
