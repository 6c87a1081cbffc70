"""MAC commands: each row of TS001-1.0.4 section 5 by bytes that were written by hand from the standard's tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.frame import DlSettings
from nyala.vocab.errors import BadArgumentError, FrameError
from tests.unit.lorawan.vectors import VECTORS, unhex

# Bytes with CID, least significant octet first.  Bit places beside each row are the standard's.
UPLINK_ROWS = [
    ("02", mac.LinkCheckReq()),
    ("03 05", mac.LinkAdrAns(ch_mask_ack=1, data_rate_ack=0, power_ack=1)),  # bit 0 mask, 1 data rate, 2 power
    ("03 07", mac.LinkAdrAns(1, 1, 1)),
    ("04", mac.DutyCycleAns()),
    ("05 04", mac.RxParamSetupAns(channel_ack=0, rx2_data_rate_ack=0, rx1_dr_offset_ack=1)),  # bit 0 channel, 1 DR, 2 offset
    ("05 02", mac.RxParamSetupAns(0, 1, 0)),
    ("06 ff 20", mac.DevStatusAns(battery=255, margin=-32)),  # margin: 6 bits with sign
    ("06 00 1f", mac.DevStatusAns(battery=0, margin=31)),
    ("06 fe 3f", mac.DevStatusAns(battery=254, margin=-1)),
    ("07 01", mac.NewChannelAns(frequency_ack=1, data_rate_range_ack=0)),  # bit 0 frequency, 1 data rates
    ("07 02", mac.NewChannelAns(0, 1)),
    ("08", mac.RxTimingSetupAns()),
    ("09", mac.TxParamSetupAns()),
    ("0a 01", mac.DlChannelAns(frequency_ack=1, uplink_frequency_exists=0)),  # bit 0 frequency, 1 uplink exists
    ("0a 02", mac.DlChannelAns(0, 1)),
    ("0d", mac.DeviceTimeReq()),
]
DOWNLINK_ROWS = [
    ("02 14 03", mac.LinkCheckAns(margin=20, gateway_count=3)),
    ("03 52 ff00 61", mac.LinkAdrReq(tx_power=2, data_rate=5, ch_mask=0x00FF, nb_trans=1, ch_mask_cntl=6)),
    ("03 ff 0180 0f", mac.LinkAdrReq(tx_power=15, data_rate=15, ch_mask=0x8001, nb_trans=15, ch_mask_cntl=0)),
    ("04 0a", mac.DutyCycleReq(max_duty_cycle=10)),
    ("05 32 30988c", mac.RxParamSetupReq(rx2_data_rate=2, rx1_dr_offset=3, rfu=0, frequency_100hz=9_214_000)),
    ("06", mac.DevStatusReq()),
    ("07 07 e0ce8c 50", mac.NewChannelReq(index=7, frequency_100hz=9_228_000, min_data_rate=0, max_data_rate=5)),
    ("07 03 000000 20", mac.NewChannelReq(index=3, frequency_100hz=0, min_data_rate=0, max_data_rate=2)),
    ("08 05", mac.RxTimingSetupReq(delay_s=5)),
    ("09 35", mac.TxParamSetupReq(max_eirp=5, uplink_dwell_time=1, downlink_dwell_time=1)),  # bit 5 down, bit 4 up
    ("09 1f", mac.TxParamSetupReq(max_eirp=15, uplink_dwell_time=1, downlink_dwell_time=0)),
    ("09 28", mac.TxParamSetupReq(max_eirp=8, uplink_dwell_time=0, downlink_dwell_time=1)),
    ("0a 02 d0a78c", mac.DlChannelReq(index=2, frequency_100hz=9_218_000)),
    ("0d 78563412 80", mac.DeviceTimeAns(gps_s=0x12345678, fraction_256=128)),
]
# Octets behind the CID, TS001-1.0.4 section 5 (lorawan.md section 5).
UPLINK_SIZES = {2: 0, 3: 1, 4: 0, 5: 1, 6: 2, 7: 1, 8: 0, 9: 0, 10: 1, 13: 0}
DOWNLINK_SIZES = {2: 2, 3: 4, 4: 1, 5: 4, 6: 0, 7: 5, 8: 1, 9: 1, 10: 4, 13: 5}
ALL = [(mac.UPLINK, *row) for row in UPLINK_ROWS] + [(mac.DOWNLINK, *row) for row in DOWNLINK_ROWS]
CLASSES = [*mac.UPLINK.values(), *mac.DOWNLINK.values()]


def names(value: object) -> str | None:
    return type(value).__name__ if isinstance(value, mac.Command) else value if isinstance(value, str) else None


@st.composite
def commands(draw: st.DrawFn, classes: tuple[type[mac.Command], ...]) -> mac.Command:
    """Any command of some classes with any values that fit, reserved bits too."""
    cls = draw(st.sampled_from(classes))
    lows = {name: -(1 << bits.width - 1) if bits.signed else 0 for name, bits in cls.layout()}
    return cls(**{name: draw(st.integers(lows[name], lows[name] + (1 << bits.width) - 1)) for name, bits in cls.layout()})


@pytest.mark.parametrize(("table", "wire", "command"), ALL, ids=names)
def test_a_command_reads_and_writes_as_the_standard_prints_it(table, wire, command):
    assert mac.encode([command]) == unhex(wire)
    assert mac.decode(unhex(wire), table) == [command]


def test_every_row_of_the_standard_is_there_and_was_tried():
    assert {cid: cls.size() for cid, cls in mac.UPLINK.items()} == UPLINK_SIZES
    assert {cid: cls.size() for cid, cls in mac.DOWNLINK.items()} == DOWNLINK_SIZES
    assert {type(command) for _, command in UPLINK_ROWS} == set(mac.UPLINK.values())
    assert {type(command) for _, command in DOWNLINK_ROWS} == set(mac.DOWNLINK.values())
    assert all(cid == cls.CID for table in (mac.UPLINK, mac.DOWNLINK) for cid, cls in table.items())


@pytest.mark.parametrize("cls", CLASSES)
def test_a_command_of_another_length_is_refused(cls):
    for size in {cls.size() - 1, cls.size() + 1, cls.size() + 16} - {-1}:
        with pytest.raises(FrameError, match=rf"{cls.__name__} takes {cls.size()} bytes, got {size}"):
            cls.from_bytes(bytes(size))


@pytest.mark.parametrize("cls", CLASSES)
def test_a_value_that_does_not_fit_its_bits_is_refused_by_name(cls):
    fitting = dict.fromkeys((name for name, _ in cls.layout()), 0)
    for name, bits in cls.layout():
        low = -(1 << bits.width - 1) if bits.signed else 0
        high = low + (1 << bits.width) - 1
        assert cls.from_bytes(cls(**fitting | {name: low}).to_bytes()) == cls(**fitting | {name: low})
        assert cls.from_bytes(cls(**fitting | {name: high}).to_bytes()) == cls(**fitting | {name: high})
        for value in (low - 1, high + 1):
            with pytest.raises(BadArgumentError, match=rf"{cls.__name__}.{name}={value} does not fit {bits.width} bits"):
                cls(**fitting | {name: value}).to_bytes()


@given(st.lists(commands(tuple(mac.UPLINK.values())), max_size=8))
def test_answers_of_a_device_read_back(said):
    assert mac.decode(mac.encode(said), mac.UPLINK) == said


@given(st.lists(commands(tuple(mac.DOWNLINK.values())), max_size=8))
def test_requests_of_a_network_read_back(said):
    assert mac.decode(mac.encode(said), mac.DOWNLINK) == said


@given(st.binary(max_size=60), st.sampled_from([mac.UPLINK, mac.DOWNLINK]))
def test_any_bytes_are_commands_that_write_back_or_a_frame_error(data, table):
    try:
        said = mac.decode(data, table)
    except FrameError:
        return
    written = mac.encode(said)
    assert data[: len(written)] == written
    assert len(written) == len(data) or data[len(written)] not in table


@pytest.mark.parametrize("unknown", ["00", "01", "0b", "0c", "0e", "10", "80", "ff"])
@pytest.mark.parametrize("table", [mac.UPLINK, mac.DOWNLINK], ids=["uplink", "downlink"])
def test_an_unknown_command_ends_the_list(unknown, table):
    known = mac.encode([table[6](*([0] * len(table[6].layout())))])
    assert [type(command) for command in mac.decode(known + unhex(unknown) + known, table)] == [table[6]]


@pytest.mark.parametrize(("table", "wire", "command"), [row for row in ALL if len(unhex(row[1])) > 1], ids=names)
def test_a_command_that_is_cut_short_is_refused(table, wire, command):
    whole = unhex(wire)
    for size in range(1, len(whole)):
        with pytest.raises(FrameError, match=f"{type(command).__name__} is cut short: {size - 1} of {len(whole) - 1} bytes"):
            mac.decode(b"\x06\0\0"[: 1 + table[6].size()] + whole[:size], table)


def test_no_bytes_are_no_commands():
    assert mac.decode(b"", mac.UPLINK) == []
    assert mac.encode([]) == b""


def test_the_block_that_lora_mac_node_answers_is_read_as_its_three_requests():
    block = VECTORS["mac_block"]
    assert mac.decode(unhex(block["requests"]), mac.DOWNLINK) == [
        mac.LinkAdrReq(tx_power=2, data_rate=4, ch_mask=0x7F, nb_trans=1, ch_mask_cntl=0),
        mac.TxParamSetupReq(max_eirp=5, uplink_dwell_time=1, downlink_dwell_time=1),
        mac.DevStatusReq(),
    ]
    answers = mac.decode(unhex(block["answers_but_battery_and_margin"]) + b"\xc8\x07", mac.UPLINK)
    assert answers == [mac.LinkAdrAns(1, 1, 1), mac.TxParamSetupAns(), mac.DevStatusAns(200, 7)]


@pytest.mark.parametrize("bits", range(8))
def test_a_link_adr_block_is_accepted_by_all_three_bits_only(bits):
    assert mac.LinkAdrAns.from_bytes(bytes([bits])).accepted == (bits == 7)


def test_the_windows_of_rx_param_setup_are_those_of_a_join_accept():
    request = mac.RxParamSetupReq.from_bytes(unhex("32 30988c"))
    assert request.dl_settings == DlSettings(rx2_data_rate=2, rx1_dr_offset=3)
    assert DlSettings.from_bytes(b"\x32") == request.dl_settings
    assert DlSettings(2, 3, 1).to_bytes() == b"\xb2"


def test_max_eirp_codes_are_the_standards():
    # TS001-1.0.4 table of TxParamSetupReq
    assert mac.MAX_EIRP_DBM == (8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36)


def test_four_answers_are_sticky():
    # TS001-1.0.4: RXParamSetupAns, RXTimingSetupAns, DlChannelAns and, new in 1.0.4, TxParamSetupAns
    assert {cls.CID for cls in mac.STICKY} == {0x05, 0x08, 0x09, 0x0A}
