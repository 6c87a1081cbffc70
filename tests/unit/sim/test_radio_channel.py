"""The air: each rule of hearing by numbers that can be worked out by hand."""

import math
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from nyala.lorawan.airtime import airtime_us, symbol_us
from nyala.lorawan.region import region
from nyala.sim.radio import OnAir, RadioWorld, radio_profile
from nyala.sim.radio.profile import Bursts, capture_matrix, noise_dbm

REGION = region("AS923-2")
F1, F2 = 921_400_000, 921_600_000
DR_OF_SF = {12 - index: index for index in range(6)}
QUIET = replace(radio_profile("oulu"), early_symbols=0)


class Air:
    """A world with links that are set by hand; SF7 unless said."""

    def __init__(self, losses_db, *, profile=QUIET):
        losses = np.array(losses_db, float)
        self.world = RadioWorld(losses.shape[1], losses.shape[0], Random(1), profile=profile)
        self.world.links.loss_db = losses

    def send(self, sender, start_us=0, *, sf=7, frequency_hz=F1, dbm=14.0, size=20) -> OnAir:
        times = (start_us, start_us + airtime_us(size, sf, crc=sender >= 0))
        return self.world.begin(sender, bytes(size), frequency_hz, REGION.data_rate(DR_OF_SF[sf]), dbm, times)

    def fate(self, frame, gateway=0) -> str:
        before = self.world.counts.copy()
        self.world.at_gateway(frame, gateway)
        return next(iter(self.world.counts - before))


@pytest.mark.parametrize("sf", range(7, 13))
def test_a_frame_is_heard_down_to_the_floor_of_its_spreading_factor_and_no_further(sf):
    floor_dbm = -124.5 - 2.5 * (sf - 7)
    air = Air([[14 - floor_dbm - 0.1, 14 - floor_dbm + 0.1]])
    heard = air.world.at_gateway(air.send(0, sf=sf), 0)
    assert heard is not None
    assert heard.rssi_dbm == pytest.approx(floor_dbm + 0.1, abs=0.06)
    assert heard.snr_db == pytest.approx(floor_dbm + 0.1 - noise_dbm(6, 125), abs=0.06)
    assert air.fate(air.send(1, 60_000_000, sf=sf)) == "faint"


@pytest.mark.parametrize("profile", ["oulu", "hata", "lorasim"])
@pytest.mark.parametrize(("wanted", "rival"), [(7, 7), (7, 12), (9, 7), (10, 10), (12, 8)])
def test_a_frame_survives_at_the_ratio_of_the_matrix_and_dies_below_it(profile, wanted, rival):
    least_db = capture_matrix(radio_profile(profile).capture)[wanted - 7][rival - 7]
    if least_db == -math.inf:
        least_db = -60
        fates = ("heard", "heard")
    else:
        fates = ("heard", "collided")
    quiet = replace(radio_profile(profile), early_symbols=0, bursts=None)
    for difference_db, fate in zip((0.01, -0.01), fates, strict=True):
        air = Air([[100.0, 100.0 + least_db + difference_db]], profile=quiet)
        frame = air.send(0, sf=wanted)
        air.send(1, 1_000, sf=rival)
        assert air.fate(frame) == fate


def test_interferers_of_one_spreading_factor_add_up_and_other_channels_do_not_count():
    air = Air([[100.0, 107.0, 107.0]])
    frame = air.send(0)
    air.send(1, 1_000)
    air.send(2, 1_000, frequency_hz=F2)
    assert air.fate(frame) == "heard"
    air.send(2, 2_000)
    assert air.fate(frame) == "collided"


def test_frames_that_only_touch_do_not_disturb_each_other():
    air = Air([[100.0, 90.0]])
    frame = air.send(0)
    after = air.send(1, frame.end_us)
    assert (air.fate(frame), air.fate(after)) == ("heard", "heard")


@pytest.mark.parametrize(("symbols", "fate"), [(3, "heard"), (4, "collided")])
def test_what_ends_within_the_first_symbols_of_a_preamble_disturbs_nothing(symbols, fate):
    air = Air([[100.0, 90.0]], profile=replace(QUIET, early_symbols=3))
    early = air.send(1)
    frame = air.send(0, early.end_us - symbols * symbol_us(7, 125))
    assert air.fate(frame) == fate


def test_a_gateway_is_deaf_while_it_sends_and_the_frame_that_it_was_receiving_is_lost():
    air = Air([[100.0], [100.0]])
    before = air.send(0)
    sent = air.send(~0, before.end_us - 1, frequency_hz=F2)
    after = air.send(0, sent.end_us - 1)
    free = air.send(0, sent.end_us + 10_000_000)
    assert [air.fate(frame) for frame in (before, after, free)] == ["deaf", "deaf", "heard"]
    assert air.fate(before, gateway=1) == "heard"


@pytest.mark.parametrize("demodulators", [8, 16])
def test_a_gateway_has_so_many_demodulators_for_all_its_channels_and_those_of_another_are_its_own(demodulators):
    count = demodulators + 1
    losses = [[100.0] * count, [100.0] * demodulators + [200.0]]
    air = Air(losses, profile=replace(QUIET, demodulators=demodulators, capture="orthogonal"))
    frames = [air.send(row, row, frequency_hz=F1 + 200_000 * row) for row in range(count)]
    assert [air.fate(frame) for frame in frames] == ["heard"] * demodulators + ["no_path"]
    assert air.fate(frames[-1], gateway=1) == "faint"
    again = air.send(0, frames[0].end_us)
    assert air.fate(again) == "heard"


def test_a_frame_below_the_floor_takes_no_demodulator():
    air = Air([[100.0, 200.0]], profile=replace(QUIET, demodulators=1))
    air.send(1)
    assert air.fate(air.send(0, 1, frequency_hz=F2)) == "heard"


def test_a_burst_counts_as_noise():
    always = Bursts(per_hour=36_000, level_dbm=-80, mean_us=1_000_000)
    air = Air([[100.0, 80.0]], profile=replace(QUIET, bursts=always))
    assert air.fate(air.send(0, 3_600_000_000)) == "disturbed"
    quiet = Air([[100.0]])
    assert quiet.fate(quiet.send(0, 3_600_000_000)) == "heard"


def test_gateways_that_send_at_once_disturb_each_others_downlinks_and_no_uplink():
    air = Air([[100.0, 105.0], [103.0, 120.0]])
    frame, rival = air.send(~0), air.send(~1, 10)
    assert air.world.at_meter(frame, 0) is None
    heard = air.world.at_meter(frame, 1)
    assert heard is not None
    assert heard.rssi_dbm == -91.0
    assert air.world.counts["downlink_collided"] == 1
    assert list(air.world.reachable(rival)) == [0, 1]
    assert air.fate(air.send(0, frame.end_us)) == "heard"


def test_a_downlink_that_a_burst_covers_is_not_heard():
    always = Bursts(per_hour=36_000, level_dbm=-80, mean_us=1_000_000)
    air = Air([[100.0]], profile=replace(QUIET, bursts=always))
    assert air.world.at_meter(air.send(~0, 3_600_000_000), 0) is None


def test_a_frame_lost_by_the_draw_is_heard_nowhere():
    world = RadioWorld(1, 1, Random(1), loss=0.999_999)
    rate = REGION.data_rate(5)
    uplink = world.begin(0, b"", F1, rate, 14.0, (0, 1_000))
    downlink = world.begin(~0, b"", F1, rate, 14.0, (2_000, 3_000))
    assert world.at_gateway(uplink, 0) is None
    assert world.at_meter(downlink, 0) is None


# -- listening before talking


def test_a_meter_senses_its_own_noise_gateways_by_their_link_and_meters_by_the_link_between_them():
    air = Air([[100.0, 100.0, 100.0]])
    assert air.world.power_dbm_at_meter(0, F1, 0, 5_000) == pytest.approx(noise_dbm(6, 125))
    sent = air.send(~0, dbm=16.0)
    assert air.world.power_dbm_at_meter(0, F1, 0, 5_000) == pytest.approx(-84, abs=0.01)
    later = sent.end_us
    air.send(1, later)
    between_dbm = 14 - air.world.links.between_meters_db(0, 1)
    found = air.world.power_dbm_at_meter(0, F1, later, later + 5_000)
    assert 10 ** (found / 10) == pytest.approx(10 ** (noise_dbm(6, 125) / 10) + 10 ** (between_dbm / 10))
    assert air.world.power_dbm_at_meter(1, F1, later, later + 5_000) == pytest.approx(noise_dbm(6, 125))
    assert air.world.power_dbm_at_meter(0, F2, later, later + 5_000) == pytest.approx(noise_dbm(6, 125))
    assert air.world.power_dbm_at_meter(0, F1, later - 5_000, later) == pytest.approx(-84, abs=0.01)


def test_a_gateway_senses_meters_and_no_other_gateway():
    air = Air([[90.0], [120.0]])
    air.send(~1, dbm=16.0)
    assert air.world.power_dbm_at_gateway(0, F1, 0, 5_000) == pytest.approx(noise_dbm(6, 125))
    air.send(0)
    assert air.world.power_dbm_at_gateway(0, F1, 0, 5_000) == pytest.approx(-76, abs=0.01)


def test_some_meters_that_one_gateway_hears_are_hidden_from_each_other_at_minus_80_dbm():
    world = RadioWorld(40, 1, Random(3))
    hidden = sum(16 - world.links.between_meters_db(0, other) < -80 for other in range(1, 40))
    assert hidden > 30
