"""The error tables of the standards: balanced load, one phase loaded, their difference, and export.

Every row of the limit table that holds for the model is walked: at both ends of its range, at Ib, half of Imax and Imax
where they lie within.  A point is measured once and gets the limits of all classes that cover it.  Export (power factor
"-1", "-0.5L") is held to the limits of import: the standards ask it of a meter for both directions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from nyala.lab.bench import Bench
from nyala.lab.limits import LimitRow, amperes
from nyala.lab.load import Energy, TerminalLoad, phases_of, terminal_load
from nyala.lab.profile import LimitProfile
from nyala.lab.result import Limit, Point
from nyala.meter.model import MeterModel

EVERY: Final = ("Ib", "0.5 Imax", "Imax")
"""Currents tested in every range that holds them, beside its ends."""
EXPORT: Final = (("-1", "Ib"), ("-1", "Imax"), ("-0.5L", "Ib"))


@dataclass(frozen=True, slots=True)
class Planned:
    """A point to be measured."""

    energy: Energy
    loaded: str
    phases: str
    factor: str
    current_a: float
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """How much of the table: `quick` leaves only the lower end, Ib and Imax; `on_request` adds the rows of that name."""

    quick: bool = False
    on_request: bool = False


def limits_at(rows: Sequence[LimitRow], model: MeterModel, factor: str, current_a: float) -> tuple[Limit, ...]:
    """The limits of all classes that cover a factor and a current."""
    factor = factor.removeprefix("-")
    return tuple(
        Limit(row.of, row.limit_pct, row.source, row.confidence)
        for row in rows
        if factor in row.factors and row.covers(model, current_a)
    )


def _currents(rows: Sequence[LimitRow], model: MeterModel, factor: str, scope: Scope) -> list[float]:
    """Currents to test at a factor, rising."""
    of_factor = [row for row in rows if factor in row.factors]
    ends = [amperes(model, text) for row in of_factor for text in (row.lower, row.upper)]
    found = {round(a, 9) for a in ends} | {round(amperes(model, text), 9) for text in EVERY}
    covered = sorted(a for a in found if any(row.covers(model, a) for row in of_factor))
    if scope.quick:
        kept = {covered[0], round(amperes(model, "Ib"), 9), covered[-1]}
        covered = [a for a in covered if a in kept]
    return covered


def plan(model: MeterModel, profile: LimitProfile, scope: Scope) -> Iterator[Planned]:
    """All points of the tables for a model, in the order of a laboratory: balanced, then each phase."""
    for energy in Energy:
        for loaded in ("balanced", "single") if model.phases > 1 else ("balanced",):
            rows = [row for row in profile.limits(model, energy, loaded) if scope.on_request or not row.on_request]
            groups = list(phases_of(model)) if loaded == "single" else [phases_of(model)]
            for phases in groups:
                for factor in dict.fromkeys(factor for row in rows for factor in row.factors):
                    for current_a in _currents(rows, model, factor, scope):
                        limits = limits_at(rows, model, factor, current_a)
                        yield Planned(energy, loaded, phases, factor, current_a, limits)
    rows = list(profile.limits(model, Energy.ACTIVE, "balanced"))
    for factor, current in EXPORT[:1] if scope.quick else EXPORT:
        limits = limits_at(rows, model, factor, amperes(model, current))
        yield Planned(Energy.ACTIVE, "export", phases_of(model), factor, amperes(model, current), limits)


TEST_NAMES: Final = {"balanced": "basic", "single": "single-phase load", "export": "export"}


def walk(bench: Bench, profile: LimitProfile, scope: Scope) -> Iterator[Point]:
    """Measures all points of the tables, then judges the difference between single-phase and balanced load."""
    measured: dict[tuple[Energy, str, str, float], Point] = {}
    for planned in plan(bench.model, profile, scope):
        load = terminal_load(bench.model, planned.current_a, planned.factor, energy=planned.energy, phases=planned.phases)
        found = measured_point(bench, TEST_NAMES[planned.loaded], load, planned)
        measured[planned.energy, planned.phases, planned.factor, planned.current_a] = found
        yield found
    for energy in Energy:
        yield from _differences(bench.model, profile, energy, measured)


def measured_point(bench: Bench, test: str, load: TerminalLoad, planned: Planned) -> Point:
    """One error, with its budget."""
    bench.say(f"{test}: {planned.energy.value} {planned.phases} {planned.current_a:g} A {planned.factor}")
    reading = bench.measure(load, planned.energy)
    drift = bench.drift_pct_per_k(
        terminal_load(bench.model, amperes(bench.model, "Ib"), planned.factor, energy=planned.energy), planned.energy
    )
    return Point(
        test=test,
        energy=planned.energy,
        phases=planned.phases,
        i_a=planned.current_a,
        pf=planned.factor,
        u_v=load.u_v[0],
        f_hz=load.f_hz,
        temperature_c=load.temperature_c,
        value=reading.mean_pct,
        limits=planned.limits,
        reading=reading,
        budget=bench.budget(load, planned.energy, reading, drift),
    )


def _differences(
    model: MeterModel, profile: LimitProfile, energy: Energy, measured: dict[tuple[Energy, str, str, float], Point]
) -> Iterator[Point]:
    """Single-phase minus balanced error at the reference current, unity factor."""
    rows = profile.limits(model, energy, "difference") if model.phases > 1 else ()
    current_a = round(amperes(model, "Ib"), 9)
    balanced = measured.get((energy, phases_of(model), "1", current_a))
    limits = limits_at(rows, model, "1", current_a)
    for phase in phases_of(model):
        single = measured.get((energy, phase, "1", current_a))
        if balanced is None or single is None or not limits:
            continue
        assert single.budget is not None and balanced.budget is not None  # noqa: PT018
        assert single.value is not None and balanced.value is not None  # noqa: PT018
        yield Point(
            test="difference",
            energy=energy,
            phases=phase,
            i_a=current_a,
            pf="1",
            u_v=single.u_v,
            f_hz=single.f_hz,
            temperature_c=single.temperature_c,
            value=single.value - balanced.value,
            limits=limits,
            condition="single-phase minus balanced load",
            budget=single.budget.minus(balanced.budget),
        )
