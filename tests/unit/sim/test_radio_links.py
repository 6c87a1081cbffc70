"""Places and shadows: statistics of what was drawn, and the rule of the installer."""

import math
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from nyala.sim.radio.interference import HOUR_US, Interference
from nyala.sim.radio.links import INSTALL_MARGIN_DB, Links, ShadowField
from nyala.sim.radio.profile import PROFILES, Bursts, radio_profile
from nyala.vocab.errors import BadArgumentError


@pytest.mark.parametrize("name", PROFILES)
def test_every_meter_has_a_link_that_carries_sf10_with_the_installers_margin(name):
    profile = radio_profile(name)
    links = Links(profile, 500, 2, Random(1))
    assert (16 - links.loss_db.min(axis=0) - INSTALL_MARGIN_DB >= profile.gateway_floor_dbm(10)).all()
    assert (np.hypot(*links.meter_m.T) <= profile.radius_m).all()


def test_the_same_seed_gives_the_same_place_and_another_another():
    one, same, other = (Links(radio_profile("hata"), 50, 2, Random(seed)) for seed in (1, 1, 2))
    assert (one.loss_db == same.loss_db).all()
    assert one.between_meters_db(3, 9) == same.between_meters_db(3, 9)
    assert (one.loss_db != other.loss_db).any()


def test_a_place_without_reception_is_refused():
    deaf = replace(radio_profile("oulu"), building_loss_db=(200.0, 200.0))
    with pytest.raises(BadArgumentError, match="no place with reception for 3 meters"):
        Links(deaf, 3, 1, Random(1))


def test_shadows_have_their_deviation_and_their_correlation_falls_by_e_at_the_correlation_distance():
    """Over 200 fields of 256 waves: errors below 5 / sqrt(200) of a deviation."""
    x_m = np.array([0.0, 5.0, 20.0, 40.0])
    fields = [ShadowField.draw(8.0, 20.0, np.random.default_rng(seed)).at(x_m, np.zeros(4)) for seed in range(2_000)]
    drawn = np.array(fields)
    assert drawn.std(axis=0) == pytest.approx([8.0] * 4, rel=0.08)
    found = [np.corrcoef(drawn[:, 0], drawn[:, i])[0, 1] for i in (1, 2, 3)]
    assert found == pytest.approx([math.exp(-0.25), math.exp(-1), math.exp(-2)], abs=0.08)


def test_a_link_between_meters_is_the_same_both_ways_and_longer_than_one_to_a_tower():
    profile = replace(radio_profile("oulu"), shadowing_db=0.0)
    links = Links(profile, 20, 1, Random(1))
    for one, other in ((0, 1), (5, 19)):
        found = links.between_meters_db(one, other)
        assert found == links.between_meters_db(other, one)
        distance_m = math.dist(links.meter_m[one], links.meter_m[other])
        expected = profile.distance_loss_db(distance_m) + 13.82 * math.log10(24 / 2)
        assert found == pytest.approx(expected + links.building_db[one] + links.building_db[other])


def test_bursts_are_a_poisson_process_that_does_not_depend_on_who_asks():
    bursts = Bursts(per_hour=60, level_dbm=-100, mean_us=100_000)
    asked, again = Interference(bursts, 7), Interference(bursts, 7)
    whole = list(asked.during(921_400_000, 0, 100 * HOUR_US))
    assert len(whole) == pytest.approx(6_000, abs=5 * math.sqrt(6_000))
    assert np.mean([end - start for start, end in whole]) == pytest.approx(100_000, rel=0.07)
    in_pieces = [
        each for hour in reversed(range(100)) for each in again.during(921_400_000, hour * HOUR_US, (hour + 1) * HOUR_US)
    ]
    assert sorted(set(in_pieces)) == sorted(whole)
    assert list(again.during(921_600_000, 0, 100 * HOUR_US)) != whole
    start_us, end_us = whole[0]
    assert asked.power_mw(921_400_000, start_us, end_us) == pytest.approx(1e-10)
    assert asked.power_mw(921_400_000, start_us - 2, start_us) == 0


@pytest.mark.parametrize("bursts", [None, Bursts(0, -100, 1_000)])
def test_no_bursts_are_no_power(bursts):
    assert Interference(bursts, 1).power_mw(921_400_000, 0, HOUR_US) == 0
