"""The second region is a data file: EU868 row by row against RP002-1.0.4 section 2.4, its law, and a device on its network."""

from itertools import pairwise

import pytest

from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.device.effects import Received
from nyala.lorawan.network.plan import NetworkPlan
from nyala.lorawan.network.port import Transmission
from nyala.lorawan.region import region
from nyala.lorawan.regulation import PER_MILLE, regulation
from nyala.vocab.errors import UnknownError
from tests.unit.lorawan.harness import SECOND, Air

EU868 = region("EU868")
LAW = regulation("eu868")
# data rate: spreading factor, bandwidth in kHz, M, no repeater
DATA_RATES = [(12, 125, 59), (11, 125, 59), (10, 125, 59), (9, 125, 123), (8, 125, 250), (7, 125, 250), (7, 250, 250)]
OFFSETS = range(6)


@pytest.mark.parametrize(("index", "row"), list(enumerate(DATA_RATES)))
def test_every_data_rate_has_its_modulation_and_payload_limit(index, row):
    rate = EU868.data_rate(index)
    assert (rate.sf, rate.bandwidth_khz, rate.payload) == row
    assert EU868.mac_payload_max(index, dwell=False) == EU868.mac_payload_max(index, dwell=True) == row[2]


@pytest.mark.parametrize("data_rate", range(len(DATA_RATES)))
@pytest.mark.parametrize("offset", OFFSETS)
def test_rx1_is_slower_by_the_offset_but_never_below_the_slowest(data_rate, offset):
    assert EU868.rx1_data_rate(data_rate, offset, dwell=False) == max(data_rate - offset, 0)
    assert EU868.rx1_data_rate(data_rate, offset, dwell=True) == max(data_rate - offset, 0)


@pytest.mark.parametrize(("data_rate", "offset"), [(7, 0), (0, 6), (0, 7), (-1, 0)])
def test_a_cell_beside_the_rx1_table_is_refused(data_rate, offset):
    with pytest.raises(UnknownError, match="RX1 row of EU868"):
        EU868.rx1_data_rate(data_rate, offset, dwell=False)


def test_channels_windows_and_power_are_the_standards():
    assert EU868.default_channels_hz == (868_100_000, 868_300_000, 868_500_000)
    assert (EU868.rx2_hz, EU868.rx2_data_rate) == (869_525_000, 0)
    assert (EU868.channel_limit, EU868.channel_data_rates, EU868.join_data_rates) == (16, (0, 5), (0, 5))
    assert (EU868.receive_delay1_s, EU868.join_accept_delay1_s, EU868.tx_param_setup, EU868.dwell_ms) == (1, 5, False, 0)
    assert [EU868.eirp_dbm(power, 16) for power in range(8)] == [16, 14, 12, 10, 8, 6, 4, 2]


# CEPT ERC/REC 70-03 annex 1: frequency in Hz, duty cycle in per mille, EIRP in dBm (ERP + 2.15)
LIMITS = [
    (863_000_000, 1, 16),
    (867_100_000, 10, 16),
    (868_100_000, 10, 16),
    (868_599_999, 10, 16),
    (868_800_000, 1, 16),
    (869_525_000, 100, 29),
    (869_700_000, 10, 16),
]


@pytest.mark.parametrize(("hz", "per_mille", "eirp_dbm"), LIMITS)
def test_each_sub_band_has_its_duty_cycle_and_power(hz, per_mille, eirp_dbm):
    band = LAW.sub_band(hz)
    assert (band.per_mille, band.max_eirp_dbm) == (per_mille, eirp_dbm)


@pytest.mark.parametrize("hz", [862_999_999, 868_600_000, 869_300_000, 869_650_000, 870_000_000, 0])
def test_where_nothing_may_be_sent_there_is_no_sub_band(hz):
    with pytest.raises(UnknownError, match="frequency under eu868"):
        LAW.sub_band(hz)


@pytest.mark.parametrize("name", ["indonesia", "indonesia-lbt", "eu868"])
def test_every_law_is_whole_and_names_a_region_whose_channels_it_allows(name):
    law = regulation(name)
    place = region(law.region)
    for hz in (*place.default_channels_hz, place.rx2_hz):
        assert 0 < law.sub_band(hz).per_mille <= PER_MILLE
    edges = [(band.low_hz, band.high_hz) for band in law.sub_bands]
    assert all(low < high for low, high in edges)
    assert all(before[1] <= after[0] for before, after in pairwise(edges))
    assert law.max_eirp_dbm == min(band.max_eirp_dbm for band in law.sub_bands)
    assert law.source


@pytest.mark.parametrize("name", ["", "eu", "EU868", "../regions/eu868", "indonesia_lbt"])
def test_a_law_without_a_file_is_refused_by_name(name):
    with pytest.raises(UnknownError) as caught:
        regulation(name)
    assert (caught.value.kind, caught.value.name) == ("regulation", name)


def test_a_join_request_of_the_slowest_data_rate_takes_one_and_a_half_seconds():
    assert airtime_us(23, 12) == 1_482_752  # lorawan.md section 8


# -- a device and a network that know Europe by these files only

CHANNELS_HZ = (867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)
PLAN = NetworkPlan.of("EU868", "eu868", CHANNELS_HZ)


def test_a_device_joins_and_has_the_eight_channels_of_the_network():
    air = Air(PLAN, regulation=LAW)
    air.meet()
    assert [air.activation.channels[index].frequency_hz for index in range(8)] == [*EU868.default_channels_hz, *CHANNELS_HZ]
    assert air.session.settings.channels == tuple(range(8))
    assert {frame.frequency_hz for frame in air.sent} <= {*EU868.default_channels_hz, *CHANNELS_HZ}
    assert not air.refusals


def test_payloads_go_both_ways_and_class_c_answers_in_the_tenth_percent_band():
    air = Air(PLAN, regulation=LAW)
    air.meet()
    air.send(b"up", confirmed=True)
    air.order(b"down", confirmed=True, token="t")
    air.run(40)
    assert air.payloads[-1] == b"up"
    assert [each.payload for each in air.told(Received)] == [b"down"]
    assert ("t", "acknowledged") in air.fates
    order = next(frame for frame in reversed(air.heard(Transmission)) if frame.tmst_us is None)
    assert (order.frequency_hz, order.data_rate) == (869_525_000, 0)
    assert order.eirp_dbm == 29


def test_a_device_keeps_the_duty_cycle_of_each_sub_band():
    air = Air(PLAN, regulation=LAW)
    air.meet()
    first = len(air.sent)
    for _ in range(200):
        air.send(b"x" * 40)
    sent = list(zip(air.sent[first:], air.ended_us[first:], strict=True))
    for low_hz, high_hz, per_mille in ((865_000_000, 868_000_000, 10), (868_000_000, 868_600_000, 10)):
        ended = [
            (end_us, air.airtime_us(frame.phy, frame.data_rate, crc=True))
            for frame, end_us in sent
            if low_hz <= frame.frequency_hz < high_hz
        ]
        for end_us, _ in ended:
            hour_us = sum(each_us for at_us, each_us in ended if end_us - 3_600 * SECOND < at_us <= end_us)
            assert hour_us <= 3_600 * SECOND * per_mille // PER_MILLE
