"""The region file of AS923-2, row by row against RP002-1.0.4 (lorawan.md section 7)."""

import pytest

from nyala.lorawan.region import FHDR_AND_PORT, region
from nyala.vocab.errors import BadArgumentError, UnknownError

AS923_2 = region("AS923-2")
# data rate: spreading factor, bandwidth in kHz, M without and with the 400 ms dwell limit, no repeater
DATA_RATES = [
    (12, 125, 59, 0),
    (11, 125, 59, 0),
    (10, 125, 123, 19),
    (9, 125, 123, 61),
    (8, 125, 250, 133),
    (7, 125, 250, 250),
    (7, 250, 250, 250),
]
# RX1 data rates as lorawan.md prints them: uplink DR, then the result for RX1DROffset 0..7 (TTS band/testdata)
RX1 = {
    False: "0:00000012 1:10000023 2:21000034 3:32100045 4:43210056 5:54321067 6:65432177",
    True: "0:22222222 1:22222223 2:22222234 3:32222245 4:43222256 5:54322267 6:65432277",
}
CELLS = [
    (dwell, int(row[0]), offset, int(cell))
    for dwell, table in RX1.items()
    for row in table.split()
    for offset, cell in enumerate(row[2:])
]
FSK = 7
"""DR7 is FSK at 50 kbit/s, which nyala does not have."""


@pytest.mark.parametrize(("index", "row"), list(enumerate(DATA_RATES)))
def test_every_data_rate_has_its_modulation_and_payload_limits(index, row):
    rate = AS923_2.data_rate(index)
    assert (rate.index, rate.sf, rate.bandwidth_khz, rate.payload, rate.payload_dwell) == (index, *row)
    assert AS923_2.mac_payload_max(index, dwell=False) == row[2]
    assert AS923_2.mac_payload_max(index, dwell=True) == row[3]
    assert AS923_2.data_rate_of(f"SF{row[0]}BW{row[1]}") is rate
    assert rate.text == f"SF{row[0]}BW{row[1]}"


def test_there_is_no_data_rate_beside_the_table():
    assert len(AS923_2.data_rates) == len(DATA_RATES)


@pytest.mark.parametrize(("data_rate", "payload"), [(2, 11), (3, 53), (4, 125), (5, 242), (6, 242)])
def test_the_application_payload_under_the_dwell_limit_is_eight_bytes_less(data_rate, payload):
    assert AS923_2.mac_payload_max(data_rate, dwell=True) - FHDR_AND_PORT == payload


@pytest.mark.parametrize(("dwell", "data_rate", "offset", "cell"), CELLS)
def test_every_cell_of_the_rx1_tables_is_the_standards(dwell, data_rate, offset, cell):
    assert AS923_2.rx1_data_rates[dwell][data_rate][offset] == cell
    if cell < FSK:
        assert AS923_2.rx1_data_rate(data_rate, offset, dwell=dwell) == cell


def test_the_rx1_tables_are_whole():
    assert [[len(row) for row in AS923_2.rx1_data_rates[dwell]] for dwell in (False, True)] == [[8] * 7] * 2


def test_channels_windows_and_band_are_those_of_group_2():
    # the group's offset is -1.8 MHz from 923.2 and 923.4 MHz
    assert AS923_2.default_channels_hz == (923_200_000 - 1_800_000, 923_400_000 - 1_800_000) == (921_400_000, 921_600_000)
    assert (AS923_2.rx2_hz, AS923_2.rx2_data_rate) == (921_400_000, 2)
    assert AS923_2.band_hz == (920_000_000, 923_000_000)
    assert (AS923_2.channel_limit, AS923_2.channel_data_rates, AS923_2.join_data_rates) == (16, (0, 5), (2, 5))
    assert (AS923_2.receive_delay1_s, AS923_2.join_accept_delay1_s) == (1, 5)
    assert (AS923_2.adr_ack_limit, AS923_2.adr_ack_delay) == (64, 32)
    assert (AS923_2.dwell_ms, AS923_2.tx_param_setup, AS923_2.cf_list) == (400, True, "frequencies")
    assert AS923_2.name == "AS923-2"
    assert AS923_2.source.startswith("RP002-1.0.4")


def test_each_power_step_takes_two_decibels_from_the_maximum():
    assert (AS923_2.default_max_eirp_dbm, AS923_2.tx_power_limit) == (16, 7)
    assert [AS923_2.eirp_dbm(power, 16) for power in range(8)] == [16, 14, 12, 10, 8, 6, 4, 2]


@pytest.mark.parametrize("power", [-1, 8, 15])
def test_a_power_index_beside_the_table_is_refused(power):
    with pytest.raises(BadArgumentError, match=rf"TXPower {power} is not 0\.\.7"):
        AS923_2.eirp_dbm(power, 16)


@pytest.mark.parametrize("index", [-1, 7, 15])
def test_a_data_rate_that_the_region_does_not_have_is_refused(index):
    with pytest.raises(UnknownError, match="unknown data rate of AS923-2"):
        AS923_2.data_rate(index)


@pytest.mark.parametrize("text", ["", "SF6BW125", "SF10BW250", "50000", "sf10bw125"])
def test_a_data_rate_text_that_the_region_does_not_have_is_refused(text):
    with pytest.raises(UnknownError, match="unknown data rate of AS923-2"):
        AS923_2.data_rate_of(text)


@pytest.mark.parametrize(("data_rate", "offset"), [(-1, 0), (7, 0), (0, -1), (0, 8)])
def test_a_cell_beside_the_rx1_table_is_refused(data_rate, offset):
    with pytest.raises(UnknownError, match="RX1 row of AS923-2"):
        AS923_2.rx1_data_rate(data_rate, offset, dwell=False)


@pytest.mark.parametrize(
    ("hz", "inside"),
    [(919_999_900, False), (920_000_000, True), (921_400_000, True), (923_000_000, True), (923_000_100, False), (0, False)],
)
def test_the_band_has_two_edges(hz, inside):
    assert AS923_2.allows(hz) is inside


@pytest.mark.parametrize("name", ["", "AS923", "AS923-3", "US915", "../regions/as923_2", "as923_2"])
def test_a_region_without_a_file_is_refused_by_name(name):
    with pytest.raises(UnknownError) as caught:
        region(name)
    assert (caught.value.kind, caught.value.name) == ("region", name)
