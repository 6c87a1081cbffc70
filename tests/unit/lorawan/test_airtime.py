"""Time on air against the table of lorawan.md section 8 (three implementations agreed on it)."""

import pytest

from nyala.lorawan.airtime import airtime_us, preamble_us, symbol_us

SPREADING_FACTORS = range(7, 13)
TABLE_MS = {
    12: (41.2, 82.4, 144.4, 288.8, 577.5, 1155.1),
    23: (61.7, 113.2, 205.8, 370.7, 823.3, 1482.8),
    33: (71.9, 133.6, 246.8, 452.6, 987.1, 1810.4),
    66: (123.1, 215.6, 390.1, 739.3, 1560.6, 2957.3),
    138: (225.5, 399.9, 717.8, 1312.8, 2871.3, 5251.1),
    255: (399.6, 707.1, 1250.3, 2295.8, 5001.2, 9019.4),
}
CELLS = [(size, sf, ms) for size, row in TABLE_MS.items() for sf, ms in zip(SPREADING_FACTORS, row, strict=True)]
# M + 5 bytes of PHYPayload at the dwell limit, lorawan.md section 7: the largest frame below 400 ms
DWELL_LIMITS = [(10, 19 + 5, 370.7), (9, 61 + 5, 390.1), (8, 133 + 5, 399.9), (7, 250 + 5, 399.6)]


@pytest.mark.parametrize(("size", "sf", "ms"), CELLS)
def test_every_cell_of_the_table_is_met(size, sf, ms):
    assert round(airtime_us(size, sf) / 1000, 1) == ms


@pytest.mark.parametrize(("sf", "size", "ms"), DWELL_LIMITS)
def test_the_payload_limits_are_the_largest_frames_below_the_dwell_limit(sf, size, ms):
    assert round(airtime_us(size, sf) / 1000, 1) == ms
    assert airtime_us(size, sf) <= 400_000
    if size < 255:
        assert airtime_us(size + 1, sf) > 400_000


def test_one_byte_more_than_the_limit_at_sf10_takes_411_ms():
    assert round(airtime_us(25, 10) / 1000, 1) == 411.6


@pytest.mark.parametrize(
    ("sf", "bandwidth", "us"), [(7, 125, 1024), (10, 125, 8192), (12, 125, 32768), (7, 250, 512), (12, 500, 8192)]
)
def test_a_symbol_lasts_two_to_the_spreading_factor_over_the_bandwidth(sf, bandwidth, us):
    assert symbol_us(sf, bandwidth) == us


@pytest.mark.parametrize("sf", SPREADING_FACTORS)
def test_the_preamble_has_twelve_and_a_quarter_symbols(sf):
    assert preamble_us(sf) == 12.25 * symbol_us(sf, 125)


@pytest.mark.parametrize("sf", SPREADING_FACTORS)
def test_a_downlink_without_crc_is_never_longer_and_twice_the_bandwidth_never_slower(sf):
    for size in range(12, 256):
        assert airtime_us(size, sf, crc=False) <= airtime_us(size, sf) <= airtime_us(size + 1, sf)
        assert airtime_us(size, sf, 250) < airtime_us(size, sf)


def test_a_downlink_without_crc_by_hand():
    # 13 bytes at SF7: ceil((104 - 28 + 28) / 28) = 4 groups of 5, with CRC 5; 8 + 20 + 12.25 symbols of 1,024 us
    assert airtime_us(13, 7, crc=False) == 40.25 * 1024
    assert airtime_us(13, 7, crc=True) == 45.25 * 1024
    # 16 bytes at SF12, low data rate optimised: ceil((128 - 48 + 28) / 40) = 3 groups, with CRC 4; 8 + 15 + 12.25 symbols
    assert airtime_us(16, 12, crc=False) == 35.25 * 32768
    assert airtime_us(16, 12, crc=True) == 40.25 * 32768
