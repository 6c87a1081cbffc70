"""Adaptive data rate judged by simulation: the default against the rule of a 10 dB margin, side by side in the same worlds."""

import pytest

from nyala.lorawan.network.adr import ALGORITHMS
from nyala.lorawan.network.plan import indonesia
from nyala.sim.adr import FADES_DB, METERS_MAX, ROUNDS_MAX, World, compare
from nyala.vocab.errors import BadArgumentError, UnknownError

PLAN = indonesia()
RULE = "margin"
"""The 10 dB rule."""


def mean(worlds, name, figure):
    return sum(world["algorithms"][name][figure] for world in worlds) / len(worlds)


def test_the_default_delivers_more_than_the_margin_rule_with_less_time_on_the_air():
    worlds = [compare(World(PLAN, fades, meters=60, rounds=200)) for fades in FADES_DB]
    assert PLAN.adr_algorithm != RULE
    for world in worlds:
        ours, rule = world["algorithms"][PLAN.adr_algorithm], world["algorithms"][RULE]
        assert ours["delivery_ratio"] >= rule["delivery_ratio"] - 0.003
        assert ours["requests_per_meter"] <= rule["requests_per_meter"]
    assert mean(worlds, PLAN.adr_algorithm, "delivery_ratio") > mean(worlds, RULE, "delivery_ratio") + 0.02
    assert mean(worlds, PLAN.adr_algorithm, "worst_tenth_delivery") > mean(worlds, RULE, "worst_tenth_delivery")
    assert mean(worlds, PLAN.adr_algorithm, "airtime_ms_per_delivered") < mean(worlds, RULE, "airtime_ms_per_delivered")


def test_the_same_seed_gives_the_same_figures_and_another_one_others():
    world = World(PLAN, meters=20, rounds=60)
    assert compare(world) == compare(world)
    assert compare(world) != compare(World(PLAN, meters=20, rounds=60, seed=2))


def test_every_algorithm_is_measured():
    found = compare(World(PLAN, meters=5, rounds=10))
    assert list(found["algorithms"]) == list(ALGORITHMS)
    assert all(0 < figures["delivery_ratio"] <= 1 for figures in found["algorithms"].values())


@pytest.mark.parametrize("bad", [{"meters": 0}, {"meters": METERS_MAX + 1}, {"rounds": ROUNDS_MAX + 1}])
def test_a_world_out_of_bounds_is_refused(bad):
    with pytest.raises(BadArgumentError):
        compare(World(PLAN, **bad))


def test_fades_that_are_not_there_are_refused():
    with pytest.raises(UnknownError, match="still, town, rough are there"):
        compare(World(PLAN, "storm"))
