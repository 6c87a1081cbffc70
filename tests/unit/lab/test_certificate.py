"""The certificate: its JSON is the report, its PDF says on every page what it is, and both are the same each time."""

import json
import re
import xml.etree.ElementTree as ET
from datetime import date

import pytest

from nyala.lab import certificate
from nyala.lab.accuracy import Scope
from nyala.lab.bench import Bench
from nyala.lab.certificate import LANGUAGES, Issue, document, layout_input, pdf, texts
from nyala.lab.curves import error_curves
from nyala.lab.laboratory import run
from nyala.lab.load import Energy
from nyala.lab.profile import limit_profile
from nyala.lab.reference import reference_standard
from nyala.lab.specimen import PhasorErrors, PhasorSpecimen
from nyala.meter.model import meter_model
from nyala.vocab.errors import BadArgumentError

MODEL = meter_model("three-phase")
MINUS = "\N{MINUS SIGN}"
ISSUE = Issue(date(2026, 11, 24), "nyala test")


def run_on(errors, scope=None):
    return run(Bench(PhasorSpecimen(MODEL, errors), reference_standard(1)), limit_profile(MODEL), scope or Scope(), 1)


@pytest.fixture(scope="module")
def found():
    return run_on(PhasorErrors((1.5, 1.5, 1.5)), Scope(quick=True)).points


@pytest.fixture(scope="module")
def report():
    return run_on(PhasorErrors((0.05, 0.1, -0.05), (0.01, 0.0, 0.0), temperature_pct_per_k=0.002))


def compiled(report, found=(), language="en"):
    """A fresh compiler: one answers one question."""
    made = document(report, MODEL, Issue(ISSUE.on, ISSUE.program, language=language), found)
    return certificate._compiler(layout_input(made, report, MODEL))


def printed(report, language="en"):
    """The cells of the error tables, as they are printed."""
    return [
        cell for table in json.loads(compiled(report, language=language).query("<printed>", field="value")) for cell in table
    ]


def test_the_json_holds_the_report_and_names_itself(report):
    made = document(report, MODEL, ISSUE)
    assert made["report"] == report.to_json()
    assert made["simulated"] is True
    assert re.fullmatch(r"NYL-20261124-[0-9A-F]{8}", made["number"])
    assert made["number"].endswith(made["sha256"][:8].upper())
    assert json.loads(json.dumps(made)) == made


def test_one_figure_changed_is_another_certificate(report):
    other = run_on(PhasorErrors((0.05, 0.1, -0.06), (0.01, 0.0, 0.0), temperature_pct_per_k=0.002))
    assert document(report, MODEL, ISSUE)["sha256"] != document(other, MODEL, ISSUE)["sha256"]


def test_as_found_stands_beside_as_left(report, found):
    rows = document(report, MODEL, ISSUE, found)["as_found"]
    assert len(rows) > 10
    for row in rows:
        assert row["left_pct"] is not None
    balanced = next(row for row in rows if (row["phases"], row["i_a"], row["pf"], row["energy"]) == ("ABC", 5.0, "1", "active"))
    assert balanced["found_pct"] == pytest.approx(1.5, abs=0.05)
    assert balanced["left_pct"] == pytest.approx(0.033, abs=0.03)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_says_that_the_meter_is_simulated(report, found, language):
    pages = compiled(report, found, language).compile(format="svg")
    marks = json.loads(compiled(report, found, language).query("<simulated>", field="value"))
    assert len(marks) == len(pages) >= 5
    assert set(marks) == {texts(language)["simulated"]}


def test_the_table_is_the_json(report):
    rows = [point for point in report.to_json()["points"] if certificate.section_of(point["test"]) == "errors"]
    cells = printed(report)
    assert len(cells) == 7 * len(rows)
    shown = sorted(tuple(cells[at : at + 7]) for at in range(0, len(cells), 7))
    expected = []
    for row in rows:
        error = f"{row['error_pct']:+.3f}".replace("-", MINUS)
        error = "0.000" if error.strip("+" + MINUS) == "0.000" else error
        expected.append((row["phases"], f"{row['i_a']:g}", row["pf"], error, f"{row['uncertainty_k2']:.3f}",
                         f"{row['limit_pct']:.2f}", "pass"))  # fmt: skip
    assert [cell[:4] + cell[5:] for cell in shown] == [cell[:4] + cell[5:] for cell in sorted(expected)]


def test_composite_errors_are_printed_part_by_part(report):
    rows = [point for point in report.to_json()["points"] if certificate.section_of(point["test"]) == "composite"]
    (cells,) = json.loads(compiled(report).query("<composites>", field="value"))
    assert len(cells) == 12 * len(rows) > 0
    assert cells[:4] == ["ABC", "0.25", "1", "5 … 30"]
    assert cells[15] == f"{MINUS}10 … 5, 30 … 40"
    assert [cells[at + 8] for at in range(0, len(cells), 12)] == [f"{row['error_pct']:.3f}" for row in rows]
    assert set(cells[11::12]) == {"pass"}


def test_indonesian_has_a_decimal_comma(report):
    cells = printed(report, "id")
    assert "lulus" in cells
    assert "pass" not in cells
    assert any(re.fullmatch(rf"[+{MINUS}]0,\d{{3}}", cell) for cell in cells)
    assert not any(re.fullmatch(rf"[+{MINUS}]?\d+\.\d+", cell) for cell in cells)


def test_both_languages_have_every_word():
    for language in LANGUAGES:
        assert all(said.strip() for said in texts(language).values())
    used = set(re.findall(r'say\("([^"]+)"\)', certificate.source().decode()))
    assert used <= set(texts("en"))


def test_the_same_report_gives_the_same_bytes(report):
    made = document(report, MODEL, ISSUE)
    first, second = pdf(made, report, MODEL), pdf(made, report, MODEL)
    assert first == second
    assert first.startswith(b"%PDF-")


def test_a_quick_report_and_a_failed_one_can_be_certified_too():
    failed = run_on(PhasorErrors((2.5, 2.5, 2.5)), Scope(quick=True))
    made = document(failed, MODEL, ISSUE)
    assert made["report"]["pass"] is False
    assert pdf(made, failed, MODEL).startswith(b"%PDF-")
    assert "pass" not in printed(failed)[:7]


def test_a_language_without_texts_is_refused():
    with pytest.raises(BadArgumentError, match="written in en or id, not 'fr'"):
        Issue(ISSUE.on, "nyala", language="fr")


def test_the_curves_draw_every_point(report):
    points = [point for point in report.points if point.test == "basic" and point.energy is Energy.ACTIVE]
    root = ET.fromstring(error_curves(points))
    tags = [element.tag.rpartition("}")[2] for element in root.iter()]
    factors = {point.pf for point in points}
    assert tags.count("circle") + tags.count("rect") - 1 == len(points) + len(factors)
    assert {element.text for element in root.iter() if element.text} >= factors | {"I / A", "e / %"}
