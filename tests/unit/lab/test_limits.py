"""The tables of limits: every row is sound, and says what the reference says."""

import math
from itertools import pairwise

import pytest

from nyala.lab.influence import MAKERS
from nyala.lab.limits import (
    ClassOf,
    amperes,
    composite_rows,
    connection_of,
    influence_rows,
    level_rows,
    limit_rows,
    no_load_rows,
    profile_table,
    starting_rows,
)
from nyala.lab.load import Energy, lag_of
from nyala.lab.profile import declared_classes, limit_profile, profile_names
from nyala.meter.model import MODELS, meter_model
from nyala.vocab.errors import NotAllowedError, UnknownError

CONFIDENCE = {"verified", "recalled", "declared"}
DIRECT, CT, SINGLE = meter_model("three-phase"), meter_model("three-phase-ct"), meter_model("single-phase")


@pytest.mark.parametrize("row", limit_rows(), ids=lambda row: f"{row.of} {row.connection} {row.loaded} {row.lower}")
def test_every_row_of_the_error_table_is_sound(row):
    model = CT if row.connection == "ct" else DIRECT
    assert row.connection in {"direct", "ct"}
    assert row.loaded in {"balanced", "single", "difference"}
    assert 0 < row.limit_pct <= 4
    assert row.source
    assert row.confidence in CONFIDENCE
    assert amperes(model, row.lower) <= amperes(model, row.upper)
    assert row.covers(model, amperes(model, row.lower))
    for factor in row.factors:
        assert -90 <= lag_of(factor, row.energy) <= 90


@pytest.mark.parametrize(
    "row",
    [*influence_rows(), *level_rows(), *starting_rows(), *no_load_rows(), *(row.mpe for row in composite_rows())],
    ids=lambda row: type(row).__name__,
)
def test_every_other_row_names_its_source(row):
    assert row.source
    assert row.confidence in CONFIDENCE


@pytest.mark.parametrize("row", influence_rows(), ids=lambda row: f"{row.influence} {row.of} {row.factor}")
def test_every_influence_has_a_procedure_and_a_current(row):
    assert row.influence in {*MAKERS, "temperature", "self-heating"}
    assert row.unit == ("%/K" if row.influence == "temperature" else "%")
    assert amperes(CT if row.connection == "ct" else DIRECT, row.current) > 0
    assert lag_of(row.factor, row.energy) >= 0
    assert row.limit > 0


def test_levels_beyond_the_standard_have_three_times_the_limit():
    for row in level_rows():
        outside = abs(row.level - 1) > (0.1001 if row.influence == "voltage" else 0.0201)
        assert row.multiple == (3 if outside else 1), row


@pytest.mark.parametrize("of", sorted({row.of for row in limit_rows()}, key=str), ids=str)
def test_ranges_of_a_class_follow_each_other_without_gap_or_overlap(of):
    rows = [row for row in limit_rows() if row.of == of and row.loaded == "balanced"]
    for connection in ("direct", "ct"):
        model = CT if connection == "ct" else DIRECT
        for factor in {factor for row in rows for factor in row.factors}:
            here = [row for row in rows if row.connection == connection and factor in row.factors]
            here.sort(key=lambda row: amperes(model, row.lower))
            for row, after in pairwise(here):
                assert amperes(model, row.upper) == pytest.approx(amperes(model, after.lower))
                assert not row.upper_included
                assert not row.covers(model, amperes(model, after.lower))


@pytest.mark.parametrize(  # metrology.md 1.2, 1.3, 1.4, 1.5
    ("standard", "accuracy_class", "model", "loaded", "factor", "current", "limit"),
    [
        ("IEC 62053-21", "1", DIRECT, "balanced", "1", "0.05 Ib", 1.5),
        ("IEC 62053-21", "1", DIRECT, "balanced", "1", "0.1 Ib", 1.0),
        ("IEC 62053-21", "1", DIRECT, "balanced", "0.8C", "0.1 Ib", 1.5),
        ("IEC 62053-21", "1", DIRECT, "balanced", "0.25L", "Ib", 3.5),
        ("IEC 62053-21", "2", DIRECT, "balanced", "1", "Imax", 2.0),
        ("IEC 62053-21", "2", DIRECT, "balanced", "0.8C", "Imax", None),
        ("IEC 62053-21", "1", DIRECT, "single", "0.5L", "0.2 Ib", 2.0),
        ("IEC 62053-22", "0.5S", CT, "balanced", "1", "0.01 Ib", 1.0),
        ("IEC 62053-22", "0.5S", CT, "balanced", "0.5L", "0.1 Ib", 0.6),
        ("IEC 62053-22", "0.2S", CT, "single", "0.5L", "Imax", 0.4),
        ("IEC 62053-23", "2", DIRECT, "balanced", "0.25L", "Imax", 2.5),
        ("IEC 62053-23", "3", DIRECT, "single", "1", "Imax", 4.0),
        ("EN 50470-3", "B", DIRECT, "balanced", "1", "Imin", 1.5),
        ("EN 50470-3", "B", DIRECT, "balanced", "1", "Itr", 1.0),
        ("EN 50470-3", "C", CT, "balanced", "0.8C", "Itr", 0.6),
        ("EN 50470-3", "A", DIRECT, "difference", "1", "Ib", 2.5),
    ],
)
def test_the_table_says_what_the_reference_says(standard, accuracy_class, model, loaded, factor, current, limit):
    found = [
        row.limit_pct
        for row in limit_rows()
        if row.of == ClassOf(standard, accuracy_class)
        and (row.loaded, row.connection) == (loaded, connection_of(model))
        and factor in row.factors
        and row.covers(model, amperes(model, current))
    ]
    assert found == ([] if limit is None else [limit])


@pytest.mark.parametrize(  # metrology.md 1.7, computed; single phase at 100 A
    ("model", "formula", "standard", "minutes"),
    [
        (SINGLE, "maximum current", "IEC 62053-21", 26.1),
        (SINGLE, "maximum current", "IEC 62053-23", 20.9),
        (SINGLE, "starting current", "IEC 62053-21", 47.4),
        (SINGLE, "starting current", "EN 50470-3", 45.4),
        (DIRECT, "maximum current", "IEC 62053-21", 8.7),
        (DIRECT, "starting current", "IEC 62053-21", 15.8),
        (DIRECT, "starting current", "EN 50470-3", 15.1),
        (CT, "maximum current", "IEC 62053-22", 14.5),
        (CT, "starting current", "IEC 62053-22", 31.6),
    ],
)
def test_the_time_of_the_no_load_test(model, formula, standard, minutes):
    classes = {"IEC 62053-21": "1", "IEC 62053-22": "0.5S", "IEC 62053-23": "2", "EN 50470-3": "B"}
    of = ClassOf(standard, classes[standard])
    row = next(row for row in no_load_rows() if row.of == of and row.formula == formula)
    assert row.minutes(model) == pytest.approx(minutes, abs=0.06)


def test_a_current_that_no_table_has_is_refused():
    with pytest.raises(UnknownError, match="current: 2 Iref"):
        amperes(DIRECT, "2 Iref")


def test_transition_current_of_direct_and_transformer_connection():
    assert amperes(DIRECT, "Itr") == pytest.approx(0.5)
    assert amperes(CT, "Itr") == pytest.approx(0.25)
    assert math.isclose(amperes(DIRECT, "0.5 Imax"), 50)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_declares_classes_that_have_limits(name):
    model = meter_model(name)
    profile = limit_profile(model)
    assert profile.active
    assert profile.reactive
    for energy in Energy:
        covered = {row.of for row in profile.limits(model, energy, "balanced")}
        assert covered == set(profile.classes(energy))


def test_profiles_choose_among_the_declared_classes():
    assert [str(of) for of in limit_profile(DIRECT, "iec").active] == ["IEC 62053-21 class 1"]
    assert [str(of) for of in limit_profile(DIRECT, "mid").active] == ["EN 50470-3 class B"]
    assert [str(of) for of in limit_profile(CT).active] == ["IEC 62053-22 class 0.5S", "EN 50470-3 class C"]
    assert [str(of) for of in limit_profile(DIRECT, accuracy_class="2").active] == ["IEC 62053-21 class 2"]
    assert set(profile_names()) == {row["name"] for row in profile_table()["profile"]}


def test_what_no_table_has_is_refused():
    with pytest.raises(UnknownError, match="limit profile: decree"):
        limit_profile(DIRECT, "decree")
    with pytest.raises(UnknownError, match=r"accuracy class of active energy: 0\.1"):
        limit_profile(DIRECT, accuracy_class="0.1")
    with pytest.raises(UnknownError, match="accuracy class of a sheet"):
        declared_classes("1 (IEC 62053-21), D (MID)")
    with pytest.raises(NotAllowedError, match="no limits for a direct connected"):
        limit_profile(DIRECT, accuracy_class="0.2S")
