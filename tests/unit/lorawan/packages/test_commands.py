"""Every command of the packages: its bytes by the standard, back, and cut short."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.lorawan.packages import firmware_layouts as fw
from nyala.lorawan.packages import layouts as c
from nyala.lorawan.packages.commands import TO_DEVICE, TO_SERVER, Open, PackagePort, decode, encode
from nyala.vocab.errors import BadArgumentError, FrameError

CLOCK, FRAG, MC = PackagePort.CLOCK_SYNC, PackagePort.FRAGMENTATION, PackagePort.MULTICAST
FW = PackagePort.FIRMWARE
KEY = bytes(range(16))
# direction, package and version, command, its bytes by the tables of TS003, TS004, TS005, TS006
ROWS = [
    (TO_DEVICE, CLOCK, 1, c.PackageVersionReq(), "00"),
    (TO_SERVER, CLOCK, 1, c.PackageVersionAns(1, 1), "000101"),
    (TO_SERVER, CLOCK, 1, c.AppTimeReq(0x01020304, 5, 1), "010403020115"),
    (TO_DEVICE, CLOCK, 1, c.AppTimeAns(-2, 5), "01feffffff05"),
    (TO_DEVICE, CLOCK, 1, c.PeriodicityReq(7), "0207"),
    (TO_SERVER, CLOCK, 1, c.PeriodicityAns(1, 0, 0, 0x01020304), "020104030201"),
    (TO_DEVICE, CLOCK, 1, c.ForceResyncReq(3), "0303"),
    (TO_DEVICE, FRAG, 1, c.FragStatusReq(1, 2), "0105"),
    (TO_SERVER, FRAG, 1, c.FragStatusAns(0x123, 2, 7, 1), "0123810701"),
    (TO_DEVICE, FRAG, 1, c.FragSetupReq(0b0001, 2, 0, 100, 50, 3, 0, 0, 7, 0x01020304), "0221640032030704030201"),
    (
        TO_DEVICE,
        FRAG,
        2,
        c.FragSetupReqV2(1, 2, 0, 100, 50, 3, 0, 1, 0, 7, 0x01020304, 0x0506, 0x0708090A),
        "022164003243070403020106050a090807",
    ),
    (TO_SERVER, FRAG, 1, c.FragSetupAns(1, 0, 0, 0, 0, 0, 2), "0281"),
    (TO_SERVER, FRAG, 2, c.FragSetupAns(0, 0, 0, 0, 1, 0, 2), "0290"),
    (TO_DEVICE, FRAG, 1, c.FragDeleteReq(2), "0302"),
    (TO_SERVER, FRAG, 1, c.FragDeleteAns(2, 1), "0306"),
    (TO_SERVER, FRAG, 2, c.BlockReceivedReq(2, 1), "0406"),
    (TO_DEVICE, FRAG, 2, c.BlockReceivedAns(2), "0402"),
    (TO_DEVICE, FRAG, 1, Open(c.DataFragment(11, 2), b"\x01\x02"), "080b800102"),
    (TO_DEVICE, MC, 1, c.McStatusReq(0b1111), "010f"),
    (TO_SERVER, MC, 1, Open(c.McStatusAns(0b0010, 1), b"\x01\x04\x03\x02\x01"), "01120104030201"),
    (TO_DEVICE, MC, 1, c.McSetupReq.of(1, 0x01020304, KEY, (5, 500)), "020104030201" + KEY.hex() + "05000000f4010000"),
    (TO_SERVER, MC, 1, c.McSetupAns(1, 1), "0205"),
    (TO_DEVICE, MC, 1, c.McDeleteReq(3), "0303"),
    (TO_SERVER, MC, 1, c.McDeleteAns(3, 1), "0307"),
    (TO_DEVICE, MC, 1, c.McClassCSessionReq(1, 0, 0, 0x01020304, 6, 0, 9_214_000, 3), "04010403020106" + "30988c03"),
    (TO_SERVER, MC, 1, Open(c.McClassCSessionAns(1, 0, 0, 0, 0), b"\x10\x00\x00"), "0401100000"),
    (TO_DEVICE, FW, 1, fw.DevVersionReq(), "01"),
    (TO_SERVER, FW, 1, fw.DevVersionAns(0x01020304, 0x05060708), "010403020108070605"),
    (TO_DEVICE, FW, 1, fw.DevRebootTimeReq(0x01020304), "0204030201"),
    (TO_SERVER, FW, 1, fw.DevRebootTimeAns(3_600), "02100e0000"),
    (TO_DEVICE, FW, 1, fw.DevRebootCountdownReq(3_600), "03100e00"),
    (TO_SERVER, FW, 1, fw.DevRebootCountdownAns(0xFFFFFF), "03ffffff"),
    (TO_DEVICE, FW, 1, fw.DevUpgradeImageReq(), "04"),
    (TO_SERVER, FW, 1, fw.DevUpgradeImageAns(1), "0401"),
    (TO_SERVER, FW, 1, Open(fw.DevUpgradeImageAns(3), b"\x04\x02\x01\x00"), "040304020100"),
    (TO_DEVICE, FW, 1, fw.DevDeleteImageReq(0x0102), "0502010000"),
    (TO_SERVER, FW, 1, fw.DevDeleteImageAns(0, 1), "0502"),
]
IDS = [
    f"{port.name} {version} {type(said.head if isinstance(said, Open) else said).__name__}"
    for _, port, version, said, _ in ROWS
]


@pytest.mark.parametrize(("table", "port", "version", "said", "octets"), ROWS, ids=IDS)
def test_every_command_has_the_bytes_of_the_standard(table, port, version, said, octets):
    assert encode([said]).hex() == octets
    assert decode(bytes.fromhex(octets), table[port, version]) == [said]


@pytest.mark.parametrize(("table", "port", "version", "said", "octets"), ROWS, ids=IDS)
def test_every_command_that_is_cut_short_is_refused(table, port, version, said, octets):
    head = said.head if isinstance(said, Open) else said
    for size in range(1, 1 + head.size() + (head.tail or 0)):
        with pytest.raises(FrameError, match="cut short"):
            decode(bytes.fromhex(octets)[:size], table[port, version])


def test_every_row_of_the_tables_is_tried_here():
    tried = {(id(table), port, version, type(getattr(said, "head", said))) for table, port, version, said, _ in ROWS}
    classes = {cls for _, _, _, cls in tried}
    for tables in (TO_DEVICE, TO_SERVER):
        for table in tables.values():
            assert set(table.values()) <= classes


def test_a_key_is_kept_octet_by_octet():
    assert c.McSetupReq.of(0, 0, KEY, (0, 0)).mc_key == KEY


@pytest.mark.parametrize("port", PackagePort)
@pytest.mark.parametrize("cid", [0x06, 0x09, 0x7F, 0xFF])
def test_an_unknown_command_is_refused(port, cid):
    for tables in (TO_DEVICE, TO_SERVER):
        with pytest.raises(FrameError, match=f"{cid:02x} is unknown"):
            decode(bytes([cid, 0, 0]), tables[port, 2])


def test_octets_that_a_command_does_not_have_are_refused_and_a_fragment_ends_its_message():
    fragment = Open(c.DataFragment(1, 0), b"x")
    with pytest.raises(BadArgumentError, match="cannot stand there"):
        encode([fragment, c.FragDeleteReq(0)])
    with pytest.raises(BadArgumentError, match="cannot stand there"):
        encode([Open(c.FragDeleteReq(0), b"x")])


def test_several_commands_are_one_message():
    said = [c.PackageVersionReq(), c.McStatusReq(15), c.McDeleteReq(1)]
    assert decode(encode(said), TO_DEVICE[MC, 1]) == said


@given(st.sampled_from([*TO_DEVICE.values(), *TO_SERVER.values()]), st.binary(max_size=60))
def test_any_bytes_are_commands_that_write_back_or_a_frame_error(table, message):
    with contextlib.suppress(FrameError):
        assert encode(decode(message, table)) == message
