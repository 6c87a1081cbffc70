"""What the bench finds of the sensors' physics on the sampled specimen: its own heat, and direct current in its cores."""

from dataclasses import replace

import numpy as np
import pytest

from nyala.lab.bench import QUICK, Bench
from nyala.lab.influence import influences
from nyala.lab.laboratory import rating
from nyala.lab.load import Energy, terminal_load
from nyala.lab.profile import LimitProfile, limit_profile
from nyala.lab.reference import ReferenceStandard, reference_data
from nyala.lab.sampled import SampledSpecimen
from nyala.lab.specimen import PhasorSpecimen
from nyala.meter.model import meter_model
from nyala.meter.sampled.calibration import factory_constants
from nyala.meter.sampled.core import Core
from nyala.meter.sampled.sensor import Sensor

PERFECT = ReferenceStandard(reference_data(), 0.0, 0.0)


def bench_of(model, **sensor):
    """A specimen with the constants of a good laboratory; fields of its sensors may be others."""
    specimen = SampledSpecimen(model, 4)
    own = replace(Sensor.drawn(model, 4), **sensor)
    specimen.meter.sensor = own
    specimen.adjust(factory_constants(model, own, model.nominal_voltage_v))
    return Bench(specimen, PERFECT, QUICK)


def only(model, test):
    """A profile of active energy: the points of one test are wanted, of the first class that has it."""
    whole = limit_profile(model)
    return LimitProfile("test", "test", whole.active[:1], ())


def found(bench, test, *, quick):
    return [point for point in influences(bench, only(bench.model, test), quick=quick) if point.test == test]


def test_a_direct_meter_with_tolerant_transformers_passes_the_half_wave():
    (point,) = found(bench_of(meter_model("three-phase")), "half-wave", quick=True)
    assert point.condition == "half-wave, 45.0 A DC"  # metrology.md 1.8: 0.45 of 100 A
    assert abs(point.value) < 0.1
    assert point.passed


def test_it_fails_the_half_wave_with_transformers_that_are_not():
    # 10 A: enough for the alternating current (70.7 A magnetise with 5.7 A), but not for direct current
    (point,) = found(bench_of(meter_model("three-phase"), core=Core(10.0, 0.001, "test", "declared")), "half-wave", quick=True)
    assert point.value < -80
    assert not point.passed
    (point,) = found(bench_of(meter_model("three-phase"), core=Core(44.0, 0.001, "test", "declared")), "half-wave", quick=True)
    assert -40 < point.value < -3  # a core that is a little too small, as measured by its knee


def heated(name, per_k, current_a):
    bench = bench_of(meter_model(name), per_k=np.full(7, per_k))
    load = terminal_load(bench.model, current_a)
    bench.apply(replace(load, i_a=(0.0, 0.0, 0.0)), 5, Energy.ACTIVE)
    before = bench.measure(load, Energy.ACTIVE).mean_pct
    bench.apply(load, 3600, Energy.ACTIVE)
    return bench.measure(load, Energy.ACTIVE).mean_pct - before


@pytest.mark.parametrize(("name", "rise_k"), [("single-phase", 40), ("three-phase", 15)])
def test_an_hour_at_the_maximum_shows_rise_times_coefficient(name, rise_k):
    assert heated(name, 50e-6, 100.0) == pytest.approx(100 * rise_k * 50e-6, rel=0.06)


def test_self_heating_fails_where_the_coefficient_is_too_large_and_comes_last():
    bench = bench_of(meter_model("single-phase"), per_k=np.array([0.0] * 3 + [220e-6] * 4))
    points = list(influences(bench, only(bench.model, "self-heating")))
    assert [point.test for point in points[-2:]] == ["self-heating"] * 2
    assert "self-heating" not in {point.test for point in points[:-2]}
    assert [point.pf for point in points[-2:]] == ["1", "0.5L"]
    assert [point.passed for point in points[-2:]] == [False, True]
    assert points[-2].value == pytest.approx(100 * 40 * 220e-6, rel=0.06)


def test_what_does_not_warm_is_not_heated():
    assert found(Bench(PhasorSpecimen(meter_model("three-phase")), PERFECT, QUICK), "self-heating", quick=False) == []
    assert found(bench_of(meter_model("three-phase")), "self-heating", quick=True) == []


@pytest.mark.parametrize(("nominal_v", "basic_a"), [(57.7, None), (None, 1.0), (57.7, 1.0)])
def test_a_transformer_meter_is_tested_as_it_was_ordered(nominal_v, basic_a):
    model = meter_model("three-phase-ct").ordered(nominal_v, basic_a)
    bench = bench_of(model)
    for current_a in (model.basic_current_a, model.maximum_current_a):
        assert abs(bench.measure(terminal_load(model, current_a), Energy.ACTIVE).mean_pct) < 0.05
    expected = {(57.7, None): "3x57.7 V, 0.05-5(6) A", (None, 1.0): "3x230 V, 0.01-1(10) A"}
    assert rating(model) == expected.get((nominal_v, basic_a), "3x57.7 V, 0.01-1(10) A")
