"""A whole test: every limit is walked, known errors give the verdict they deserve, and the report is what was promised."""

import json
from collections import Counter

import pytest

from nyala.lab.accuracy import Scope, plan
from nyala.lab.bench import QUICK, Bench
from nyala.lab.influence import influences
from nyala.lab.laboratory import run
from nyala.lab.limits import ClassOf, limit_rows
from nyala.lab.load import Energy
from nyala.lab.profile import limit_profile
from nyala.lab.reference import reference_standard
from nyala.lab.result import Limit, Point, Report
from nyala.lab.specimen import PhasorErrors, PhasorSpecimen, Readings
from nyala.meter.model import MODELS, meter_model


def run_on(name, errors=None, scope=None, seed=1, specimen=PhasorSpecimen):
    model = meter_model(name)
    bench = Bench(specimen(model, errors), reference_standard(seed), QUICK if scope and scope.quick else None)
    return run(bench, limit_profile(model), scope or Scope(), seed)


@pytest.fixture(scope="module")
def reports():
    return {name: run_on(name, PhasorErrors((0.05, 0.1, -0.05), (0.01, 0.0, 0.0))) for name in MODELS}


@pytest.mark.parametrize("name", MODELS)
def test_a_good_meter_passes_every_point(reports, name):
    report = reports[name]
    assert [point for point in report.points if not point.passed] == []
    assert report.passed
    assert report.tested_s > 10_000


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("on_request", [False, True])
def test_every_limit_of_the_profile_is_walked(name, on_request):
    model = meter_model(name)
    profile = limit_profile(model)
    planned = list(plan(model, profile, Scope(on_request=on_request)))
    walked = {(limit.of, point.loaded, point.factor, limit.limit) for point in planned for limit in point.limits}
    loads = ("balanced", "single") if model.phases > 1 else ("balanced",)
    for energy in Energy:
        for loaded in loads:
            for row in profile.limits(model, energy, loaded):
                for factor in row.factors:
                    assert ((row.of, loaded, factor, row.limit_pct) in walked) == (on_request or not row.on_request)


def test_both_ends_of_each_range_and_every_phase_are_tested():
    model = meter_model("three-phase")
    planned = list(plan(model, limit_profile(model), Scope()))
    active = [point for point in planned if point.energy is Energy.ACTIVE and point.factor == "1"]
    assert [point.current_a for point in active if point.loaded == "balanced"] == [0.25, 0.5, 5, 50, 100]
    assert {point.phases for point in active if point.loaded == "single"} == {"A", "B", "C"}
    assert all(point.limits for point in planned)


def test_a_single_phase_meter_has_no_single_phase_load():
    planned = list(plan(meter_model("single-phase"), limit_profile(meter_model("single-phase")), Scope()))
    assert {point.loaded for point in planned} == {"balanced", "export"}


@pytest.mark.parametrize("name", MODELS)
def test_every_kind_of_test_is_there(reports, name):
    counted = Counter((point.test, point.energy) for point in reports[name].points)
    for test in ("starting", "no load", "basic", "constant", "repeatability", "voltage", "frequency", "temperature"):
        for energy in Energy:
            assert counted[test, energy], (test, energy)
    poly = meter_model(name).phases > 1
    for test in ("single-phase load", "difference", "phase sequence", "voltage unbalance"):
        assert bool(counted[test, Energy.ACTIVE]) == poly or test in {"single-phase load", "difference"}
    assert bool(counted["half-wave", Energy.ACTIVE]) == (name != "three-phase-ct")
    assert counted["fifth harmonic", Energy.ACTIVE] == counted["burst", Energy.ACTIVE] == 1


def test_both_no_load_formulas_run_in_full(reports):
    conditions = [point.condition for point in reports["three-phase"].points if point.test == "no load"]
    assert "maximum current, 1.15 Un, 8.7 min" in conditions
    assert "starting current, 1.1 Un, 15.8 min" in conditions
    assert "starting current, 1.15 Un, 15.1 min" in conditions


def test_frequency_is_tested_around_each_nominal_one(reports):
    single = {round(point.f_hz, 2) for point in reports["single-phase"].points if point.test == "frequency"}
    assert single == {47.5, 49.0, 51.0, 52.5, 57.0, 58.8, 61.2, 63.0}


def test_the_difference_is_that_of_its_two_points(reports):
    points = reports["three-phase"].points
    wanted = {"basic", "single-phase load"}
    at_ib = {
        point.phases: point.value
        for point in points
        if (point.i_a, point.pf, point.energy) == (5, "1", Energy.ACTIVE) and point.test in wanted
    }
    for point in points:
        if point.test == "difference" and point.energy is Energy.ACTIVE:
            assert point.value == pytest.approx(at_ib[point.phases] - at_ib["ABC"])


# -- meters that must fail, and where


def failed(report):
    return {point.test for point in report.points if not point.passed}


def test_a_wrong_gain_fails():
    report = run_on("three-phase", PhasorErrors((2.5, 2.5, 2.5)), Scope(quick=True))
    assert not report.passed
    assert {"basic", "single-phase load", "export"} <= failed(report)


def test_one_bad_phase_fails_even_if_the_sum_is_right():
    report = run_on("three-phase", PhasorErrors((2.4, -2.4, 0.0)), Scope(quick=True))
    bad = {(point.test, point.phases) for point in report.points if not point.passed}
    assert ("single-phase load", "A") in bad
    assert ("difference", "B") in bad
    assert not [test for test, _ in bad if test == "basic"]


def test_a_wrong_angle_fails_at_half_power_factor_only():
    report = run_on("three-phase", PhasorErrors(phase_deg=(0.5, 0.5, 0.5)), Scope(quick=True))
    bad = {point.pf for point in report.points if point.test == "basic" and point.energy is Energy.ACTIVE and not point.passed}
    assert bad == {"0.5L"}


def test_a_drifting_meter_fails_the_temperature_test():
    report = run_on("three-phase", PhasorErrors(temperature_pct_per_k=0.06), Scope(quick=True))
    assert failed(report) == {"temperature"}


def test_the_wrong_class_fails_what_the_declared_one_passes():
    model = meter_model("three-phase-ct")
    errors = PhasorErrors((0.4, 0.4, 0.4))
    verdicts = {}
    for accuracy_class in ("0.5S", "0.2S"):
        profile = limit_profile(model, accuracy_class=accuracy_class)
        verdicts[accuracy_class] = run(
            Bench(PhasorSpecimen(model, errors), reference_standard(1)), profile, Scope(quick=True), 1
        )
    assert verdicts["0.5S"].passed
    assert not verdicts["0.2S"].passed


class Creeping(PhasorSpecimen):
    """Registers half of its starting power with nothing connected."""

    def measured(self, load):
        p, q = super().measured(load)
        return p + 0.5 * self.model.phases * 230 * self.model.starting_current_a, q


class Deaf(PhasorSpecimen):
    """Starts at three times the current that it should."""

    def measured(self, load):
        return (0.0, 0.0) if max(load.i_a) < 3 * self.model.starting_current_a else super().measured(load)


class Miscounting(PhasorSpecimen):
    """Its register runs 0.2 % ahead of its pulses."""

    def readings(self):
        found = super().readings()
        return Readings(int(found.import_wh * 1.002), found.export_wh, found.reactive_varh)


@pytest.mark.parametrize(("specimen", "test"), [(Creeping, "no load"), (Deaf, "starting"), (Miscounting, "constant")])
def test_functional_faults_are_found(specimen, test):
    report = run_on("three-phase", specimen=specimen)
    assert test in failed(report)
    assert not report.passed


class Warming(PhasorSpecimen):
    """Reads more the longer it carries current."""

    heats = True
    carried_s = 0

    def measured(self, load):
        p, q = super().measured(load)
        return p * (1 + 2e-6 * self.carried_s), q

    def apply(self, load, seconds):
        pulses = super().apply(load, seconds)
        self.carried_s = self.carried_s + seconds if max(load.i_a) > 50 else 0
        return pulses


def test_self_heating_is_tested_where_it_is_modelled():
    model = meter_model("three-phase")
    points = influences(Bench(Warming(model), reference_standard(1)), limit_profile(model))
    found = [point for point in points if point.test == "self-heating"]
    assert {point.pf for point in found} == {"1", "0.5L"}
    assert all(point.value == pytest.approx(0.72, abs=0.03) for point in found)
    assert [point.passed for point in found] == [False, True]


# -- the report


def test_the_json_is_what_the_command_line_promises(reports):
    found = json.loads(json.dumps(reports["three-phase"].to_json()))
    assert found["model"] == "three-phase"
    assert found["pass"] is True
    for point in found["points"]:
        assert {"test", "i_a", "pf", "phases", "error_pct", "limit_pct", "pass"} <= set(point)
        if point["unit"] == "%":
            assert point["pass"] == (abs(point["value"]) <= point["limit"])
    first = next(point for point in found["points"] if point["test"] == "basic")
    assert (first["i_a"], first["pf"], first["phases"], first["limit_pct"]) == (0.25, "1", "ABC", 1.5)
    assert [limit["class"] for limit in first["limits"]] == ["IEC 62053-21 class 1", "EN 50470-3 class B"]
    assert all(limit["source"] and limit["confidence"] for point in found["points"] for limit in point["limits"])


def test_the_same_seed_gives_the_same_report():
    assert run_on("single-phase", seed=3).to_json() == run_on("single-phase", seed=3).to_json()
    assert run_on("single-phase", seed=3).to_json() != run_on("single-phase", seed=4).to_json()


def test_a_report_without_points_has_shown_nothing():
    report = Report(
        model="m",
        serial="s",
        constants_hash="",
        rating="r",
        profile="p",
        classes=(),
        seed=1,
        reference="r",
        tested_s=0,
        points=(),
    )
    assert not report.passed


def test_a_point_without_a_value_fails():
    limit = Limit(ClassOf("IEC 62053-21", "1"), 1.0, "source", "recalled")
    point = Point(test="starting", energy=Energy.ACTIVE, phases="A", i_a=0.02, pf="1", u_v=230.0, f_hz=50.0, temperature_c=23.0,
                  value=None, limits=(limit,), unit="s")  # fmt: skip
    assert not point.passed
    assert point.to_json()["error_pct"] is None


def test_quick_says_what_it_left_out():
    report = run_on("three-phase", scope=Scope(quick=True))
    assert any(line.startswith("quick:") for line in report.left_out)
    assert 20 < len(report.points) < 100
    assert report.tested_s < 6000


def test_every_standard_of_the_table_is_used_by_a_model():
    used = {of.standard for name in MODELS for of in limit_profile(meter_model(name)).active}
    used |= {of.standard for name in MODELS for of in limit_profile(meter_model(name)).reactive}
    assert used == {row.of.standard for row in limit_rows()}
