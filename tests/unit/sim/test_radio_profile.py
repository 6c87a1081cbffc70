"""Radio profiles and capture matrices: every row, and the closed forms behind them."""

import math

import pytest

from nyala.lorawan.network.adr import SNR_FLOOR_DB
from nyala.sim.radio.profile import (
    PROFILES,
    SPREADING_FACTORS,
    capture_matrix,
    hata_mobile_db,
    noise_dbm,
    radio_profile,
)
from nyala.vocab.errors import UnknownError

INF = math.inf
GOURSAUD = """6 -16 -18 -19 -19 -20 | -24 6 -20 -22 -22 -22 | -27 -27 6 -23 -25 -25
 | -30 -30 -30 6 -26 -28 | -33 -33 -33 -33 6 -29 | -36 -36 -36 -36 -36 6"""
CROCE = """1 -8 -9 -9 -9 -9 | -11 1 -11 -12 -13 -13 | -15 -13 1 -13 -14 -15
 | -19 -18 -17 1 -17 -18 | -22 -22 -21 -20 1 -20 | -25 -25 -25 -24 -23 1"""


def written(text: str) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(map(float, row.split())) for row in text.split("|"))


def diagonal(value: float) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(value if row == column else -INF for column in range(6)) for row in range(6))


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("goursaud", written(GOURSAUD)),
        ("croce", written(CROCE)),
        ("orthogonal", diagonal(6)),
        ("aloha", diagonal(INF)),
    ],
)
def test_every_row_of_a_capture_matrix_is_the_published_one(name, rows):
    assert capture_matrix(name) == rows


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_whole_and_says_where_it_comes_from(name):
    profile = radio_profile(name)
    assert profile.name == name
    assert profile.source
    assert profile.confidence
    assert len(capture_matrix(profile.capture)) == 6
    assert profile.demodulators in (8, 16)
    assert 0 <= profile.early_symbols <= 3
    assert profile.building_loss_db[0] <= profile.building_loss_db[1]
    for row in (profile.gateway_sensitivity_dbm, profile.meter_sensitivity_dbm):
        assert len(row) == len(SPREADING_FACTORS)
        assert list(row) == sorted(row, reverse=True)


@pytest.mark.parametrize(
    ("name", "distance_m", "loss_db"),
    [
        ("oulu", 1_000, 128.95),
        ("oulu", 100, 128.95 - 23.2),
        ("oulu", 2_000, 128.95 + 23.2 * math.log10(2)),
        ("lorasim", 40, 127.41),
        ("lorasim", 400, 127.41 + 20.8),
        ("ns3", 1_000, 7.7 + 3 * 37.6),
    ],
)
def test_path_loss_is_log_distance(name, distance_m, loss_db):
    assert radio_profile(name).distance_loss_db(distance_m) == pytest.approx(loss_db, abs=1e-9)


def test_nearer_than_the_model_holds_nothing_is_won():
    profile = radio_profile("oulu")
    assert profile.distance_loss_db(0) == profile.distance_loss_db(20)


@pytest.mark.parametrize("distance_km", [1, 2, 5])
def test_the_hata_profile_is_the_formula_of_a_small_city(distance_km):
    """Hata 1980: 69.55 + 26.16 log f - 13.82 log hb - a(hm) + (44.9 - 6.55 log hb) log d."""
    hb = math.log10(30)
    formula = 69.55 + 26.16 * math.log10(922) - 13.82 * hb - hata_mobile_db(1.5) + (44.9 - 6.55 * hb) * math.log10(distance_km)
    assert radio_profile("hata").distance_loss_db(1_000 * distance_km) == pytest.approx(formula, abs=0.01)


def test_antenna_heights_are_corrected_by_the_terms_of_hata():
    profile = radio_profile("oulu")
    assert profile.height_loss_db(24, 2) == 0
    assert profile.height_loss_db(240, 2) == pytest.approx(-13.82)
    assert profile.height_loss_db(24, 3) == pytest.approx(-(1.1 * math.log10(922) - 0.7))
    assert hata_mobile_db(1.5) == pytest.approx(0.0168, abs=1e-3)


@pytest.mark.parametrize("sf", SPREADING_FACTORS)
def test_a_receiver_with_a_noise_figure_of_6_db_hears_to_the_thermal_limit(sf):
    """Reference lorawan.md 8: -124.5 dBm at SF7 to -137 at SF12."""
    profile = radio_profile("oulu")
    assert profile.gateway_floor_dbm(sf) == pytest.approx(-124.5 - 2.5 * (sf - 7))
    assert noise_dbm(6, 125) + SNR_FLOOR_DB[sf] == pytest.approx(-124.53 - 2.5 * (sf - 7), abs=0.01)
    assert profile.meter_floor_dbm(sf, 250) == pytest.approx(profile.meter_floor_dbm(sf) + 3.01, abs=0.05)


def test_the_gateway_of_ns3_hears_better_than_its_meters():
    profile = radio_profile("ns3")
    assert [profile.gateway_floor_dbm(sf) for sf in SPREADING_FACTORS] == [-130, -132.5, -135, -137.5, -140, -142.5]
    assert [profile.meter_floor_dbm(sf) for sf in (7, 10)] == [pytest.approx(-124), pytest.approx(-132.03, abs=0.01)]


@pytest.mark.parametrize(("what", "name"), [(radio_profile, "moon"), (radio_profile, "../oulu"), (capture_matrix, "luck")])
def test_an_unknown_name_is_refused(what, name):
    with pytest.raises(UnknownError, match=name):
        what(name)
