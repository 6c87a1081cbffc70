"""The certificate of a test: one JSON document, and the same as PDF by Typst, in English or Indonesian.

Contents as ISO/IEC 17025 7.8 asks (metrology.md 1.10): item, method, conditions, table with error, U (k = 2), limit and
verdict, curves, uncertainty budgets, as-found and as-left, what was not tested.  Every page says that the meter is
simulated.  The same report, date and language give the same bytes: fonts are those that Typst carries.

`data/certificate.typ` is the layout, `data/texts.csv` the words; neither holds a figure.  The document carries a digest
of itself, from which its number is made.  It is no signature: a simulated laboratory has nobody to sign.
"""

import csv
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from nyala.lab.curves import error_curves
from nyala.lab.load import Energy
from nyala.lab.reference import reference_data
from nyala.lab.result import Point, Report
from nyala.meter.datasheet import datasheet
from nyala.meter.model import MeterModel
from nyala.vocab.errors import BadArgumentError, SurroundingsError

LANGUAGES: Final = ("en", "id")
GROUPS: Final = {
    "errors": ("basic", "single-phase load", "export", "difference"),
    "functional": ("starting", "no load", "constant", "repeatability"),
    "composite": ("composite",),
}
"""Which tests stand in which section; all others are influences."""
BUDGETS_SHOWN: Final = 4


@dataclass(frozen=True, slots=True)
class Issue:
    """Who asks, when, by which program, in which language.  BadArgumentError for a language that has no texts."""

    on: date
    program: str
    customer: str = "-"
    language: str = "en"

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise BadArgumentError(f"certificates are written in {' or '.join(LANGUAGES)}, not {self.language!r}")


@cache
def texts(language: str) -> dict[str, str]:
    """The words of a language by key."""
    with files("nyala.lab").joinpath("data", "texts.csv").open(encoding="utf-8") as table:
        return {row["key"]: row[language] for row in csv.DictReader(table)}


@cache
def phrases(language: str) -> tuple[tuple[str, str], ...]:
    """Words inside the texts that a test writes (conditions, units, distributions), English to a language."""
    return tuple((key.removeprefix("~"), said) for key, said in texts(language).items() if key.startswith("~"))


def document(report: Report, model: MeterModel, issue: Issue, as_found: tuple[Point, ...] = ()) -> dict[str, Any]:
    """The certificate as JSON.  `as_found`: the errors before calibration; empty where nothing was adjusted."""
    data = reference_data()
    body: dict[str, Any] = {
        "certificate": "test of a simulated meter",
        "simulated": True,
        "language": issue.language,
        "date": issue.on.isoformat(),
        "customer": issue.customer,
        "item": {
            "model": model.name,
            "title": model.title,
            "serial": report.serial,
            "classes": [str(of) for of in report.classes],
            "nominal_voltage_v": model.nominal_voltage_v,
            "basic_current_a": model.basic_current_a,
            "maximum_current_a": model.maximum_current_a,
            "minimum_current_a": model.minimum_current_a,
            "phases": model.phases,
            "frequencies_hz": list(model.frequencies_hz),
            "pulses_per_kwh": model.pulses_per_kwh,
            "pulses_per_kvarh": model.pulses_per_kvarh,
            "constants_hash": report.constants_hash or None,
            "program": issue.program,
        },
        "conditions": {
            "reference": data.name,
            "reference_accuracy_pct": data.accuracy_pct,
            "reference_angle_deg": data.angle_deg,
            "temperature_c": data.temperature_c,
            "temperature_band_k": data.temperature_band_k,
        },
        "as_found": _found_and_left(report, as_found),
        "report": report.to_json(),
    }
    canonical = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return {"number": f"NYL-{issue.on:%Y%m%d}-{digest[:8].upper()}", "sha256": digest} | body


def _found_and_left(report: Report, as_found: tuple[Point, ...]) -> list[dict[str, Any]]:
    """Errors before and after adjustment at the points that both have."""
    left = {_where(point): point for point in report.points}
    return [
        {
            "energy": point.energy.value,
            "phases": point.phases,
            "i_a": round(point.i_a, 6),
            "pf": point.pf,
            "found_pct": None if point.value is None else round(point.value, 3),
            "left_pct": left[_where(point)].to_json()["error_pct"],
            "limit_pct": round(left[_where(point)].limit, 4),
        }
        for point in as_found
        if _where(point) in left and section_of(point.test) == "errors"
    ]


def _where(point: Point) -> tuple[str, Energy, str, str, float]:
    return point.test, point.energy, point.phases, point.pf, round(point.i_a, 6)


def section_of(test: str) -> str:
    """The section of the certificate that a test belongs to."""
    return next((section for section, tests in GROUPS.items() if test in tests), "influence")


def _curves(report: Report) -> list[dict[str, str]]:
    found = []
    for energy in Energy:
        points = [point for point in report.points if point.test == "basic" and point.energy is energy]
        if len({point.i_a for point in points}) > 1:
            found.append({"energy": energy.value, "svg": error_curves(points)})
    return found


def _budgets(report: Report, model: MeterModel) -> list[dict[str, Any]]:
    """The budgets that the PDF shows: balanced load at the reference current."""
    at_reference = [
        point
        for point in report.points
        if point.test == "basic" and round(point.i_a, 6) == round(model.basic_current_a, 6) and point.budget is not None
    ]
    chosen = [point for point in at_reference if point.pf in {"1", "0.5L"}] or at_reference
    return [
        point.to_json() | {"combined": point.budget.combined_pct, "degrees": min(point.budget.degrees, 1e6)}
        for point in chosen[:BUDGETS_SHOWN]
        if point.budget is not None
    ]


def _summary(report: Report) -> list[dict[str, Any]]:
    """One line per test and energy: how many points, and how much of the limit the worst one takes."""
    groups: dict[tuple[str, str], list[Point]] = {}
    for point in report.points:
        groups.setdefault((point.test, point.energy.value), []).append(point)
    return [
        {
            "test": test,
            "energy": energy,
            "points": len(points),
            "share_pct": _worst_share(points),
            "pass": all(point.passed for point in points),
        }
        for (test, energy), points in groups.items()
    ]


def _worst_share(points: list[Point]) -> float | None:
    """Largest |value| in % of its limit; None where a point gave no value or only counts."""
    if any(point.value is None or point.unit == "pulses" for point in points):
        return None
    return round(max(100 * abs(point.value or 0.0) / point.limit for point in points), 1)


def _sheet(model: MeterModel, language: str) -> list[dict[str, Any]]:
    def said(thing: Any, field: str) -> str:
        return str(getattr(thing, f"{field}_{language}"))

    return [
        {
            "group": said(group, "label"),
            "rows": [[said(row, "label"), said(row, "value"), row.clause] for row in group.rows],
        }
        for group in datasheet(model)
    ]


def layout_input(certificate: dict[str, Any], report: Report, model: MeterModel) -> dict[str, Any]:
    """What the layout gets: the document, the words, and what only the PDF shows."""
    language = certificate["language"]
    sections: dict[str, list[dict[str, Any]]] = {section: [] for section in (*GROUPS, "influence")}
    for row in certificate["report"]["points"]:
        sections[section_of(row["test"])].append(row)
    return {
        "certificate": certificate,
        "texts": texts(language),
        "phrases": phrases(language),
        "sections": sections,
        "summary": _summary(report),
        "curves": _curves(report),
        "budgets": _budgets(report, model),
        "sheet": _sheet(model, language),
    }


def source() -> bytes:
    """The Typst layout."""
    return files("nyala.lab").joinpath("data", "certificate.typ").read_bytes()


def pdf(certificate: dict[str, Any], report: Report, model: MeterModel) -> bytes:
    """The certificate as PDF.  SurroundingsError where Typst is not installed (extra `bills`)."""
    compiler = _compiler(layout_input(certificate, report, model))
    issued = datetime.fromisoformat(certificate["date"]).replace(tzinfo=UTC)
    return bytes(compiler.compile(format="pdf", timestamp=int(issued.timestamp())))


def as_text(certificate: dict[str, Any]) -> str:
    """The certificate's JSON as a file."""
    return json.dumps(certificate, indent=1, ensure_ascii=False) + "\n"


def need_typst() -> Any:
    """The Typst module; SurroundingsError where it is not installed: better before a test than after it."""
    try:
        import typst  # noqa: PLC0415 - an extra: only certificates and bills need it
    except ImportError:
        raise SurroundingsError("a certificate as PDF needs Typst: install the extra `bills`") from None
    return typst


def _compiler(data: dict[str, Any]) -> Any:
    typst = need_typst()
    return typst.Compiler(source(), ignore_system_fonts=True, sys_inputs={"data": json.dumps(data, ensure_ascii=False)})
