"""Law 6: the same seed gives the same run, byte for byte."""

import json

from nyala.sim.setup import Scenario
from nyala.sim.simulation import simulate


def report(seed):
    found = simulate(Scenario(meters=8, days=2, loss=0.15, outages=3, seed=seed))
    del found["wall"]
    return json.dumps(found)


def test_two_runs_with_one_seed_are_the_same():
    assert report(11) == report(11)


def test_another_seed_is_another_run():
    assert report(11) != report(12)
