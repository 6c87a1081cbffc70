"""The bench against a specimen whose errors are known: it must find them within its stated uncertainty."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.lab.bench import QUICK, READ_NOTHING_PCT, Bench, Effort
from nyala.lab.load import Energy, terminal_load
from nyala.lab.reference import ReferenceStandard, reference_data, reference_standard
from nyala.lab.result import Reading
from nyala.lab.specimen import PhasorErrors, PhasorSpecimen, Pulses
from nyala.lab.uncertainty import Budget, Component
from nyala.meter.model import meter_model
from nyala.vocab.errors import BadArgumentError

MODEL = meter_model("three-phase")
PERFECT = ReferenceStandard(reference_data(), 0.0, 0.0)


def true_error_pct(specimen, load, energy):
    true = load.power(energy)
    return 100 * (specimen.measured(load)[0 if energy is Energy.ACTIVE else 1] - true) / true


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*[st.floats(-3, 3)] * 3),
    st.tuples(*[st.floats(-0.5, 0.5)] * 3),
    st.sampled_from(["1", "0.5L", "0.8C", "0.25L"]),
    st.floats(0.25, 100),
    st.sampled_from(list(Energy)),
    st.integers(0, 1000),
)
def test_known_errors_are_found_within_the_uncertainty(gains, angles, factor, current_a, energy, seed):
    specimen = PhasorSpecimen(MODEL, PhasorErrors(gains, angles))
    bench = Bench(specimen, reference_standard(seed))
    load = terminal_load(MODEL, current_a, factor if energy is Energy.ACTIVE else "0.5L", energy=energy)
    reading = bench.measure(load, energy)
    expanded = bench.budget(load, energy, reading, 0.0).expanded_pct
    # the reference of a seed may be off by its whole expanded figure, while the budget adds the two in squares
    assert abs(reading.mean_pct - true_error_pct(specimen, load, energy)) <= 2 * expanded


def test_a_perfect_pair_shows_no_error():
    for energy in Energy:
        bench = Bench(PhasorSpecimen(MODEL), PERFECT)
        reading = bench.measure(terminal_load(MODEL, 5.0, "0.5L", energy=energy), energy)
        assert abs(reading.mean_pct) < 1e-5  # a microsecond in 42 s
        assert len(reading.errors_pct) == 4
        assert reading.seconds >= 40


def test_no_phase_hides_behind_another():
    specimen = PhasorSpecimen(MODEL, PhasorErrors(gain_pct=(0.6, -0.6, 0.0)))
    bench = Bench(specimen, PERFECT)
    found = {name: bench.measure(terminal_load(MODEL, 5.0, phases=name), Energy.ACTIVE).mean_pct for name in ("ABC", "A", "B")}
    assert found == pytest.approx({"ABC": 0.0, "A": 0.6, "B": -0.6}, abs=1e-5)


def test_an_offset_weighs_more_the_smaller_the_current():
    bench = Bench(PhasorSpecimen(MODEL, PhasorErrors(offset_w=(0.1, 0.1, 0.1))), PERFECT)
    errors = [bench.measure(terminal_load(MODEL, current), Energy.ACTIVE).mean_pct for current in (0.25, 2.5)]
    assert errors == pytest.approx([100 * 0.1 / 57.5, 100 * 0.1 / 575], abs=1e-4)


def test_export_is_measured_like_import():
    bench = Bench(PhasorSpecimen(MODEL, PhasorErrors(gain_pct=(0.3, 0.3, 0.3))), PERFECT)
    assert bench.measure(terminal_load(MODEL, 5.0, "-1"), Energy.ACTIVE).mean_pct == pytest.approx(0.3, abs=1e-5)
    assert bench.specimen.readings().export_wh > 0


class Dead(PhasorSpecimen):
    """Gives no pulses at all."""

    def apply(self, load, seconds):
        super().apply(load, seconds)
        return Pulses(np.zeros(0, np.int64), np.zeros(0, np.int64))


def test_a_specimen_without_pulses_reads_nothing_and_the_bench_does_not_wait_for_ever():
    bench = Bench(Dead(MODEL), PERFECT)
    assert bench.measure(terminal_load(MODEL, 5.0), Energy.ACTIVE).errors_pct == (READ_NOTHING_PCT,)
    assert bench.tested_s < 1000


def test_a_specimen_that_reads_a_quarter_is_judged_by_what_comes():
    bench = Bench(PhasorSpecimen(MODEL, PhasorErrors(gain_pct=(-75.0,) * 3)), PERFECT)
    assert bench.measure(terminal_load(MODEL, 5.0), Energy.ACTIVE).mean_pct == pytest.approx(-75, abs=1e-3)


def test_the_temperature_coefficient_is_found_once():
    bench = Bench(PhasorSpecimen(MODEL, PhasorErrors(temperature_pct_per_k=0.03)), PERFECT)
    load = terminal_load(MODEL, 5.0)
    assert bench.drift_pct_per_k(load, Energy.ACTIVE) == pytest.approx(0.03, abs=1e-5)
    before = bench.tested_s
    assert bench.drift_pct_per_k(load, Energy.ACTIVE) == pytest.approx(0.03, abs=1e-5)
    assert bench.tested_s == before


def test_pulses_of_a_split_time_are_those_of_the_whole():
    load = terminal_load(MODEL, 7.3, "0.8C")
    whole = PhasorSpecimen(MODEL).apply(load, 100)
    part = PhasorSpecimen(MODEL)
    parts = [part.apply(load, seconds) for seconds in (1, 2, 30, 67)]
    for energy in Energy:
        joined = np.concatenate([pulses.of(energy) for pulses in parts])
        assert np.max(np.abs(joined - whole.of(energy))) <= 1
        assert np.all(np.diff(joined) > 0)


def test_below_the_creep_threshold_nothing_is_registered():
    specimen = PhasorSpecimen(MODEL)
    assert len(specimen.apply(terminal_load(MODEL, 0.009), 10_000).active_us) == 0
    assert specimen.readings().import_wh == 0


def test_a_load_is_applied_for_a_time():
    with pytest.raises(BadArgumentError, match="whole seconds"):
        PhasorSpecimen(MODEL).apply(terminal_load(MODEL, 1.0), 0)


# -- uncertainty


def test_the_budget_is_that_of_the_textbook():
    # metrology.md 1.10, example B: .025, .01, .01, .02 give u = .035 and U = .07
    budget = Budget(tuple(Component(str(u), u, "normal", 1.0) for u in (0.025, 0.01, 0.01, 0.02)))
    assert budget.combined_pct == pytest.approx(0.035, abs=5e-4)
    assert budget.expanded_pct == pytest.approx(0.07, abs=1e-3)
    assert budget.degrees == math.inf


def test_effective_degrees_of_freedom():
    budget = Budget((Component("a", 1.0, "type A", 1.0, 3), Component("b", 1.0, "normal", 1.0)))
    assert budget.degrees == pytest.approx(12)


def test_every_component_comes_from_the_measurement():
    bench = Bench(PhasorSpecimen(MODEL), PERFECT)
    load, reading = terminal_load(MODEL, 5.0, "0.5L"), Reading((0.1, 0.3, 0.2, 0.2), 40, 40.0)
    parts = {part.name: part for part in bench.budget(load, Energy.ACTIVE, reading, 0.04).components}
    assert parts["reference standard"].standard_pct == pytest.approx(0.01)
    assert parts["reference angle"].half_width_pct == pytest.approx(100 * math.radians(0.005) * math.sqrt(3))
    assert parts["pulse timing"].half_width_pct == pytest.approx(100e-6 / 40)
    assert parts["repeatability"].standard_pct == pytest.approx(0.08165 / 2, rel=1e-3)
    assert parts["repeatability"].degrees == 3
    assert parts["temperature"].standard_pct == pytest.approx(0.04 * 0.5 / math.sqrt(3))


def test_what_is_common_falls_out_of_a_difference():
    bench = Bench(PhasorSpecimen(MODEL), PERFECT)
    load = terminal_load(MODEL, 5.0)
    budget = bench.budget(load, Energy.ACTIVE, bench.measure(load, Energy.ACTIVE), 0.0)
    names = [part.name for part in budget.minus(budget).components]
    assert "reference standard" not in names
    assert names.count("repeatability") == 2
    assert budget.minus(budget).scaled(0.05).expanded_pct == pytest.approx(0.05 * budget.minus(budget).expanded_pct)


def test_a_reference_stays_within_its_figures_and_is_the_seeds():
    data = reference_data()
    drawn = [reference_standard(seed) for seed in range(300)]
    assert all(abs(one.gain_pct) <= data.accuracy_pct and abs(one.angle_deg) <= data.angle_deg for one in drawn)
    assert np.std([one.gain_pct for one in drawn]) == pytest.approx(data.accuracy_pct / 2, rel=0.2)
    assert reference_standard(7) == reference_standard(7) != reference_standard(8)


def test_the_effort_sets_readings_and_their_length():
    bench = Bench(PhasorSpecimen(MODEL), PERFECT, Effort(3, 20.0))
    reading = bench.measure(terminal_load(MODEL, 100.0), Energy.ACTIVE)
    assert len(reading.errors_pct) == 3
    assert reading.seconds >= 60
    assert len(bench.measure(terminal_load(MODEL, 100.0), Energy.ACTIVE, QUICK).errors_pct) == 2


def test_a_turned_reference_is_wrong_where_the_angle_counts():
    turned = replace(PERFECT, angle_deg=0.1)
    load = terminal_load(MODEL, 5.0, "0.5L")
    error = 100 * (turned.power(load, Energy.ACTIVE) / load.power(Energy.ACTIVE) - 1)
    assert error == pytest.approx(-100 * math.radians(0.1) * math.tan(math.radians(60)), rel=1e-3)
