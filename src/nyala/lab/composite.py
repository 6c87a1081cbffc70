"""The composite error of the MID: what a meter may be off at its rated operating conditions, per range of temperature.

At each load the error at reference conditions is combined with what temperature, voltage and frequency change of it, each
alone and at its worst: e = sqrt(base**2 + temperature**2 + voltage**2 + frequency**2), as EN 50470-3 and 2014/32/EU Annex V
(MI-003) have it (metrology.md 1.5).  Temperature is measured at the ends of each range that lies within the operating range
of the sheet; a range is judged against its own maximum permissible error.

The reference standard's part is common to a reading and its base, and falls out of the change.  What a specimen warms itself
at Imax meanwhile stays in, as it does on a real bench.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from nyala.lab.accuracy import Scope
from nyala.lab.bench import Bench, Effort
from nyala.lab.influence import TEMPERATURES_C
from nyala.lab.limits import CompositeRow, amperes, composite_rows
from nyala.lab.load import Energy, TerminalLoad, phases_of, terminal_load
from nyala.lab.profile import LimitProfile
from nyala.lab.result import Limit, Point, Reading
from nyala.lab.uncertainty import Budget

TEST: Final = "composite"
CURRENTS: Final = ("Imin", "Itr", "Ib", "Imax")
VOLTAGES: Final = (0.9, 1.1)
FREQUENCIES: Final = (0.98, 1.02)
"""Rated operating conditions of the MID (metrology.md 1.5), as ratios to nominal."""
OPERATING_C: Final = (TEMPERATURES_C[0], TEMPERATURES_C[-1])
EFFORT: Final = Effort(2, 10.0)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a composite error: its name, its worst value in % and the uncertainty of that."""

    name: str
    value_pct: float
    budget: Budget


def combined(parts: Sequence[Part]) -> tuple[float, Budget]:
    """The composite error in % and its budget: each part weighs by its share of the error."""
    error = math.hypot(*(part.value_pct for part in parts))
    if not error:
        return 0.0, parts[0].budget
    weighed = (part.budget.scaled(part.value_pct / error) for part in parts)
    return error, Budget(tuple(component for budget in weighed for component in budget.components))


def composite(bench: Bench, profile: LimitProfile, scope: Scope) -> Iterator[Point]:
    """All loads of the table, balanced and of each phase alone; quick: balanced load at Ib and unity factor."""
    model = bench.model
    rows = [row for row in composite_rows() if row.mpe.of in profile.active and row.lies_within(*OPERATING_C)]
    groups = [("balanced", phases_of(model))]
    if model.phases > 1 and not scope.quick:
        groups += [("single", name) for name in phases_of(model)]
    for loaded, phases in groups:
        for factor in ("1",) if scope.quick else ("1", "0.5L", "0.8C"):
            for current in ("Ib",) if scope.quick else CURRENTS:
                current_a = amperes(model, current)
                here = [row for row in rows if row.mpe.loaded == loaded and factor in row.mpe.factors]
                here = [row for row in here if row.mpe.covers(model, current_a)]
                if here:
                    bench.say(f"{TEST}: {phases} {current_a:g} A {factor}")
                    load = terminal_load(model, current_a, factor, phases=phases)
                    yield from _at_load(bench, load, phases, factor, here)


def _at_load(bench: Bench, load: TerminalLoad, phases: str, factor: str, rows: Sequence[CompositeRow]) -> Iterator[Point]:
    base = bench.measure(load, Energy.ACTIVE, EFFORT)
    own = Part("base", base.mean_pct, bench.budget(load, Energy.ACTIVE, base, 0.0))
    voltage = _worst(bench, load, base, "voltage", [load.with_voltage(ratio) for ratio in VOLTAGES])
    frequency = _worst(bench, load, base, "frequency", [replace(load, f_hz=load.f_hz * ratio) for ratio in FREQUENCIES])
    ranges = dict.fromkeys(row.bands_c for row in rows)
    for bands_c in ranges:
        ends = [replace(load, temperature_c=at_c) for at_c in sorted({end for band in bands_c for end in band})]
        parts = (own, _worst(bench, load, base, "temperature", ends), voltage, frequency)
        error, budget = combined(parts)
        yield Point(
            test=TEST,
            energy=Energy.ACTIVE,
            phases=phases,
            i_a=max(load.i_a),
            pf=factor,
            u_v=load.u_v[0],
            f_hz=load.f_hz,
            temperature_c=load.temperature_c,
            value=error,
            limits=tuple(
                Limit(row.mpe.of, row.mpe.limit_pct, row.mpe.source, row.mpe.confidence)
                for row in rows
                if row.bands_c == bands_c
            ),
            condition=", ".join(f"{low:g} to {high:g} C" for low, high in bands_c),
            budget=budget,
            parts=tuple((part.name, part.value_pct) for part in parts),
        )


def _worst(bench: Bench, load: TerminalLoad, base: Reading, name: str, loads: Sequence[TerminalLoad]) -> Part:
    """The largest change of the error among some conditions."""
    found = [bench.measure(each, Energy.ACTIVE, EFFORT) for each in loads]
    worst = max(found, key=lambda reading: abs(reading.mean_pct - base.mean_pct))
    budgets = [bench.budget(load, Energy.ACTIVE, reading, 0.0) for reading in (worst, base)]
    return Part(name, worst.mean_pct - base.mean_pct, budgets[0].minus(budgets[1]))
