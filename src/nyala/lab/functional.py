"""Starting, no-load, meter constant and repeatability: metrology.md 1.7.

No time is skipped: the no-load test runs its whole time on the specimen.  The starting test begins at a pulse edge, so
that the next one closes a whole pulse: it must come within 1.2 times the theoretical time of one pulse.
"""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from nyala.lab.bench import SETTLE_S, WS_PER_KWH, Bench, Effort
from nyala.lab.limits import NoLoadRow, amperes, connection_of, no_load_rows, starting_rows
from nyala.lab.load import Energy, TerminalLoad, phases_of, terminal_load
from nyala.lab.profile import LimitProfile
from nyala.lab.result import Limit, Point
from nyala.lab.specimen import US_PER_S, pulse_constant

START_FACTOR: Final = 1.2
"""How much longer than in theory the first pulse may take (metrology.md 1.7: M90E26 rule)."""
NO_LOAD_PULSES: Final = 1
"""More than one pulse during the no-load test fails."""
CONSTANT_STEPS: Final = 4
"""Register steps of 1 Wh within the limit of the constant test: one step more or less must not decide."""
CONSTANT_SHARE: Final = 0.1
REPEATABILITY_SHARE: Final = 0.1
"""Constant and repeatability are held to a tenth of the class's limit at the reference point."""
REPEATABILITY: Final = Effort(10, 10.0)
START_SOURCE: Final = "1.2 x theoretical time (metrology.md 1.7)"


def _point(bench: Bench, test: str, energy: Energy, load: TerminalLoad, **what: object) -> Point:
    fields: dict[str, object] = {
        "test": test,
        "energy": energy,
        "phases": phases_of(bench.model),
        "i_a": max(load.i_a),
        "pf": "1",
        "u_v": load.u_v[0],
        "f_hz": load.f_hz,
        "temperature_c": load.temperature_c,
    }
    return Point(**(fields | what))  # type: ignore[arg-type]


def starting(bench: Bench, profile: LimitProfile) -> Iterator[Point]:
    """The specimen must register at its starting current (of the sheet where that is lower than the standard's)."""
    model = bench.model
    for energy in Energy:
        rows = [row for row in starting_rows() if row.of in profile.classes(energy)]
        rows = [row for row in rows if row.connection == connection_of(model)]
        if not rows:
            continue
        current_a = min([model.starting_current_a, *(amperes(model, row.current) for row in rows)])
        if energy is Energy.REACTIVE:
            current_a = min(amperes(model, row.current) for row in rows)
        load = terminal_load(model, current_a, energy=energy)
        theory_s = WS_PER_KWH / (pulse_constant(model, energy) * load.power(energy))
        limit_s = START_FACTOR * theory_s
        bench.say(f"starting: {energy.value} {current_a:g} A, a pulse in {theory_s:.0f} s")
        taken_s = _one_pulse_s(bench, load, energy, limit_s)
        limits = tuple(Limit(row.of, limit_s, START_SOURCE, row.confidence) for row in rows)
        yield _point(bench, "starting", energy, load, value=taken_s, unit="s", limits=limits, condition=f"{theory_s:.1f} s")


def _one_pulse_s(bench: Bench, load: TerminalLoad, energy: Energy, limit_s: float) -> float | None:
    """Time from one pulse to the next at a load; None where it does not come within the limit."""
    bench.apply(load, SETTLE_S, energy)
    first = np.zeros(0, np.int64)
    for _ in range(2):
        edges = bench.apply(load, math.ceil(limit_s), energy)
        found = np.concatenate([first, edges])
        if len(found) > 1:
            return float(found[1] - found[0]) / US_PER_S
        first = found
    return None


def no_load(bench: Bench, profile: LimitProfile) -> Iterator[Point]:
    """Voltage alone: at most one pulse in the time of each formula.  Rows of one voltage share one run, the longest."""
    model = bench.model
    rows = [row for row in no_load_rows() if row.of in profile.classes(row.energy)]
    for voltage in sorted({row.voltage for row in rows}):
        here = [row for row in rows if row.voltage == voltage]
        minutes = max(row.minutes(model) for row in here)
        load = terminal_load(model, 0.0).with_voltage(voltage)
        bench.say(f"no load: {voltage:g} Un for {minutes:.1f} min")
        bench.tested_s += SETTLE_S
        bench.specimen.apply(load, SETTLE_S)
        seconds = math.ceil(60 * minutes)
        bench.tested_s += seconds
        pulses = bench.specimen.apply(load, seconds)
        for energy in Energy:
            edges_us = pulses.of(energy)
            for formula, of_formula in _by_formula(here, energy):
                needed = max(row.minutes(model) for row in of_formula)
                start_us = edges_us[0] if len(edges_us) else 0
                within = int(np.count_nonzero(edges_us - start_us <= needed * 60 * US_PER_S))
                limits = tuple(Limit(row.of, NO_LOAD_PULSES, row.source, row.confidence) for row in of_formula)
                condition = f"{formula}, {voltage:g} Un, {needed:.1f} min"
                yield _point(
                    bench, "no load", energy, load, value=float(within), unit="pulses", limits=limits, condition=condition
                )


def _by_formula(rows: list[NoLoadRow], energy: Energy) -> list[tuple[str, list[NoLoadRow]]]:
    formulas = dict.fromkeys(row.formula for row in rows if row.energy is energy)
    return [(formula, [row for row in rows if row.formula == formula and row.energy is energy]) for formula in formulas]


def class_limits(bench: Bench, profile: LimitProfile, energy: Energy, share: float) -> tuple[Limit, ...]:
    """A share of each class's limit at the reference current and unity factor."""
    rows = profile.limits(bench.model, energy, "balanced")
    current_a = amperes(bench.model, "Ib")
    return tuple(
        Limit(row.of, share * row.limit_pct, f"{share:g} x {row.source} (metrology.md 1.7)", "recalled")
        for row in rows
        if "1" in row.factors and row.covers(bench.model, current_a)
    )


def constant(bench: Bench, profile: LimitProfile) -> Iterator[Point]:
    """Pulses at Imax against the advance of the register, over so much energy that its resolution does not count."""
    for energy in Energy:
        limits = class_limits(bench, profile, energy, CONSTANT_SHARE)
        if not limits:
            continue
        load = terminal_load(bench.model, amperes(bench.model, "Imax"), energy=energy)
        energy_wh = CONSTANT_STEPS * 100 / min(limit.limit for limit in limits)
        seconds = math.ceil(3600 * energy_wh / load.power(energy))
        bench.say(f"constant: {energy.value}, {seconds} s at {max(load.i_a):g} A")
        before = bench.specimen.readings().of(energy)
        pulses = len(bench.apply(load, seconds, energy))
        advance_wh = bench.specimen.readings().of(energy) - before
        by_pulses_wh = 1000 * pulses / pulse_constant(bench.model, energy)
        value = 100 * (by_pulses_wh - advance_wh) / advance_wh if advance_wh else None
        condition = f"{pulses} pulses, {advance_wh} {'Wh' if energy is Energy.ACTIVE else 'varh'}"
        yield _point(bench, "constant", energy, load, value=value, limits=limits, condition=condition)


def repeatability(bench: Bench, profile: LimitProfile) -> Iterator[Point]:
    """Standard deviation of ten readings at Ib, unity and 0.5 lagging, against a tenth of the class."""
    for energy in Energy:
        limits = class_limits(bench, profile, energy, REPEATABILITY_SHARE)
        for factor in ("1", "0.5L") if limits else ():
            load = terminal_load(bench.model, amperes(bench.model, "Ib"), factor, energy=energy)
            bench.say(f"repeatability: {energy.value} {factor}")
            reading = bench.measure(load, energy, REPEATABILITY)
            yield _point(
                bench,
                "repeatability",
                energy,
                load,
                pf=factor,
                value=reading.deviation_pct,
                limits=limits,
                reading=reading,
                condition=f"s of {len(reading.errors_pct)} readings",
            )
