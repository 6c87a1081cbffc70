"""Reports as text for a terminal: one line per point, then the verdict."""

from collections.abc import Iterator

from nyala.lab.calibrate import Calibration
from nyala.lab.result import Point, Report
from nyala.meter.memory.lifetime import Lifetime

HEADER = f"{'test':<18}{'energy':<9}{'ph.':<5}{'I / A':>8}  {'pf':<6}{'value':>10} {'unit':<7}{'U (k=2)':>8}{'limit':>10}  "


def point_line(point: Point) -> str:
    """One point."""
    digits = {"%/K": 4, "s": 1, "pulses": 0}.get(point.unit, 3)
    value = "nothing" if point.value is None else f"{round(point.value, digits) + 0.0:.{digits}f}"
    uncertainty = "" if point.uncertainty is None else f"{point.uncertainty:.3f}"
    verdict = "pass" if point.passed else "FAIL"
    parts = "".join(f"; {name} {round(value, 3) + 0.0:.3f}" for name, value in point.parts)
    return (
        f"{point.test:<18}{point.energy.value:<9}{point.phases:<5}{point.i_a:>8.4g}  {point.pf:<6}{value:>10} "
        f"{point.unit:<7}{uncertainty:>8}{point.limit:>10.3f}  {verdict}  {point.condition}{parts}"
    ).rstrip()


def report_lines(report: Report) -> Iterator[str]:
    """A whole report."""
    yield f"{report.model}, {report.rating}, serial {report.serial}, constants {report.constants_hash or 'none: un-calibrated'}"
    yield f"limits: {'; '.join(map(str, report.classes))}; simple acceptance; {report.reference}"
    yield HEADER.rstrip()
    yield from map(point_line, report.points)
    for fault in report.faults:
        yield f"fault: {fault}"
    for line in report.left_out:
        yield f"not tested: {line}"
    bad = sum(not point.passed for point in report.points)
    hours = report.tested_s / 3600
    yield f"{len(report.points)} points, {bad} failed, {hours:.1f} h of the meter's time: {'pass' if report.passed else 'FAIL'}"


def calibration_lines(done: Calibration) -> Iterator[str]:
    """As found and as left."""
    yield f"{'energy':<9}{'ph.':<5}{'I / A':>8}  {'pf':<6}{'as found %':>12}{'as left %':>12}{'U (k=2)':>9}{'limit':>8}"
    for found, left in zip(done.as_found, done.as_left, strict=True):
        assert found.value is not None
        assert left.value is not None
        yield (
            f"{left.energy.value:<9}{left.phases:<5}{left.i_a:>8.4g}  {left.pf:<6}{found.value:>12.3f}{left.value:>12.3f}"
            f"{left.uncertainty:>9.3f}{left.limit:>8.2f}"
        )
    yield f"constants {done.constants.checksum():08x}: {'pass' if done.passed else 'FAIL'}"


def lifetime_lines(table: Lifetime) -> Iterator[str]:
    """What the years use up."""
    yield f"{table.model}: {table.years} years, load profile of {table.period_s} s"
    yield f"{'kind':<9}{'name':<48}{'unit':<16}{'used':>22}{'limit':>22}{'share':>9}"
    for row in table.rows:
        verdict = "" if row.passes else "  FAIL"
        yield f"{row.kind:<9}{row.name:<48}{row.unit:<16}{row.used:>22,}{row.limit:>22,}{row.share:>9.1%}{verdict}"
    yield "pass" if table.passes else "FAIL"
