"""Influence quantities: how much the error changes when the conditions do.  Metrology.md 1.8.

Voltage and frequency at the levels of `levels.csv` (wider ones at a declared multiple of the limit), distorted waves,
reversed phase sequence, phases lost, self-heating; temperature as a mean coefficient over spans of 20 K.  The change is
against the same load without the influence: the reference standard's part is common to both and falls out.

Electromagnetic influences (magnet, RF field, bursts on the mains) need the hardware: they are data sheet figures only.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from nyala.lab.bench import Bench, Effort
from nyala.lab.limits import InfluenceRow, amperes, connection_of, influence_rows, level_rows
from nyala.lab.load import Energy, TerminalLoad, Wave, phases_of, terminal_load
from nyala.lab.profile import LimitProfile
from nyala.lab.result import Limit, Point, Reading
from nyala.lab.uncertainty import Budget

TEMPERATURES_C: Final = (-25.0, -5.0, 15.0, 35.0, 55.0)
"""Edges of the 20 K spans over the operating range of the sheet."""
WARM_UP_S: Final = 3600
"""Time at Imax after which self-heating is judged."""
TEMPERATURE_SHARE: Final = Effort(2, 10.0)
HEATING: Final = "self-heating"


@dataclass(frozen=True, slots=True)
class Condition:
    """A load under an influence: its name, and the multiple of the limit that holds there."""

    name: str
    load: TerminalLoad
    multiple: float = 1.0


Maker = Callable[[TerminalLoad, Bench], list[Condition]]


def _voltage(load: TerminalLoad, bench: Bench) -> list[Condition]:
    low, high = bench.model.operating_range_percent
    rows = [row for row in level_rows() if row.influence == "voltage" and low <= round(100 * row.level) <= high]
    return [Condition(f"{row.level:g} Un", load.with_voltage(row.level), row.multiple) for row in rows]


def _frequency(load: TerminalLoad, bench: Bench) -> list[Condition]:
    wide = bench.model.frequency_tolerance_percent
    rows = [row for row in level_rows() if row.influence == "frequency" and abs(round(100 * row.level) - 100) <= wide]
    return [Condition(f"{row.level:g} fn", replace(load, f_hz=load.f_hz * row.level), row.multiple) for row in rows]


def _wave(wave: Wave) -> Maker:
    return lambda load, _: [Condition(wave.value, replace(load, wave=wave))]


def _chopped(wave: Wave) -> Maker:
    """Waves that let half of the power through: the undistorted sine is larger, so that the table's current flows."""

    def conditions(load: TerminalLoad, _: Bench) -> list[Condition]:
        a, b, c = load.i_a
        root = 2**0.5
        direct = f", {2 * max(load.i_a) / math.pi:.1f} A DC" if wave is Wave.HALF else ""
        return [Condition(wave.value + direct, replace(load, i_a=(a * root, b * root, c * root), wave=wave))]

    return conditions


def _sequence(load: TerminalLoad, bench: Bench) -> list[Condition]:
    return [Condition("reversed", replace(load, reversed_sequence=True))] if bench.model.phases > 1 else []


def _unbalance(load: TerminalLoad, bench: Bench) -> list[Condition]:
    if bench.model.phases == 1:
        return []
    a, b, c = load.u_v
    lost = {"L3 lost": (a, b, 0.0), "L2 and L3 lost": (a, 0.0, 0.0), "L1 lost": (0.0, b, c)}
    return [Condition(name, replace(load, u_v=u_v)) for name, u_v in lost.items()]


MAKERS: Final[dict[str, Maker]] = {
    "voltage": _voltage,
    "frequency": _frequency,
    "phase sequence": _sequence,
    "voltage unbalance": _unbalance,
    "fifth harmonic": _wave(Wave.FIFTH),
    "half-wave": _chopped(Wave.HALF),
    "phase-fired": _chopped(Wave.FIRED),
    "burst": _chopped(Wave.BURST),
}
"""How the load of each influence is made.  Temperature and self-heating have procedures of their own."""


def influences(bench: Bench, profile: LimitProfile, *, quick: bool = False) -> Iterator[Point]:
    """All influence tests of a profile; quick: at unity factor, at the outermost levels only, and without self-heating."""
    for (influence, energy, factor, current), rows in _groups(bench, profile).items():
        if quick and (factor != "1" or energy is Energy.REACTIVE or influence == HEATING):
            continue
        frequencies = bench.model.frequencies_hz if influence == "frequency" else bench.model.frequencies_hz[:1]
        for f_hz in frequencies:
            load = terminal_load(bench.model, amperes(bench.model, current), factor, energy=energy, f_hz=float(f_hz))
            if influence == "temperature":
                yield from _temperature(bench, load, energy, factor, rows)
            elif influence == HEATING:
                yield from _self_heating(bench, load, energy, factor, rows)
            else:
                conditions = MAKERS[influence](load, bench)
                yield from _changes(bench, load, energy, factor, rows, conditions[-2:] if quick else conditions)


def _groups(bench: Bench, profile: LimitProfile) -> dict[tuple[str, Energy, str, str], list[InfluenceRow]]:
    """Rows that hold for the specimen, by what is measured once for all of them; self-heating last: the next would be warm."""
    found: dict[tuple[str, Energy, str, str], list[InfluenceRow]] = {}
    for row in influence_rows():
        fits = row.of in profile.classes(row.energy) and row.connection in {"", connection_of(bench.model)}
        if fits and (row.influence != HEATING or bench.specimen.heats):
            found.setdefault((row.influence, row.energy, row.factor, row.current), []).append(row)
    return dict(sorted(found.items(), key=lambda item: item[0][0] == HEATING))


def _limits(rows: list[InfluenceRow], multiple: float = 1.0) -> tuple[Limit, ...]:
    times = "" if multiple == 1 else f"{multiple:g} x "
    return tuple(Limit(row.of, multiple * row.limit, times + row.source, row.confidence) for row in rows)


def _changes(
    bench: Bench, load: TerminalLoad, energy: Energy, factor: str, rows: list[InfluenceRow], conditions: list[Condition]
) -> Iterator[Point]:
    if not conditions:
        return
    bench.say(f"{rows[0].influence}: {energy.value} {max(load.i_a):g} A {factor}")
    before = bench.measure(load, energy)
    for condition in conditions:
        after = bench.measure(condition.load, energy)
        budget = _change_budget(bench, load, energy, before, after)
        limits = _limits(rows, condition.multiple)
        value = after.mean_pct - before.mean_pct
        yield _point(
            bench,
            rows[0].influence,
            energy,
            condition.load,
            max(load.i_a),
            factor,
            condition.name,
            value,
            limits,
            after,
            budget,
        )


def _change_budget(bench: Bench, load: TerminalLoad, energy: Energy, before: Reading, after: Reading) -> Budget:
    return bench.budget(load, energy, after, 0.0).minus(bench.budget(load, energy, before, 0.0))


def _point(
    bench: Bench,
    test: str,
    energy: Energy,
    load: TerminalLoad,
    current_a: float,
    factor: str,
    condition: str,
    value: float,
    limits: tuple[Limit, ...],
    reading: Reading,
    budget: Budget,
    unit: str = "%",
) -> Point:
    return Point(
        test=test,
        energy=energy,
        phases=phases_of(bench.model),
        i_a=current_a,
        pf=factor,
        u_v=max(load.u_v),
        f_hz=load.f_hz,
        temperature_c=load.temperature_c,
        value=value,
        limits=limits,
        unit=unit,
        condition=condition,
        reading=reading,
        budget=budget,
    )


def _temperature(bench: Bench, load: TerminalLoad, energy: Energy, factor: str, rows: list[InfluenceRow]) -> Iterator[Point]:
    """Mean coefficient of each span, %/K."""
    bench.say(f"temperature: {energy.value} {factor}")
    readings = {at_c: bench.measure(replace(load, temperature_c=at_c), energy, TEMPERATURE_SHARE) for at_c in TEMPERATURES_C}
    for low, high in pairwise(TEMPERATURES_C):
        value = (readings[high].mean_pct - readings[low].mean_pct) / (high - low)
        budget = _change_budget(bench, load, energy, readings[low], readings[high]).scaled(1 / (high - low))
        at = replace(load, temperature_c=(low + high) / 2)
        name = f"{low:g} to {high:g} C"
        yield _point(
            bench, "temperature", energy, at, max(load.i_a), factor, name, value, _limits(rows), readings[high], budget, "%/K"
        )


def _self_heating(bench: Bench, load: TerminalLoad, energy: Energy, factor: str, rows: list[InfluenceRow]) -> Iterator[Point]:
    """Error at Imax after an hour at Imax, against that right after it was switched on from no current."""
    bench.say(f"self-heating: {energy.value} {factor}")
    idle = replace(load, i_a=(0.0, 0.0, 0.0))
    bench.apply(idle, WARM_UP_S, energy)
    before = bench.measure(load, energy)
    bench.apply(load, WARM_UP_S, energy)
    after = bench.measure(load, energy)
    budget = _change_budget(bench, load, energy, before, after)
    value = after.mean_pct - before.mean_pct
    yield _point(bench, HEATING, energy, load, max(load.i_a), factor, "1 h at Imax", value, _limits(rows), after, budget)
