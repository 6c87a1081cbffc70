"""Every MAC command of the network, row by row: what it changes when it is obeyed, and that it changes nothing when not.

The rows are TS001-1.0.4 section 5; a command that is missing here fails the first test.
"""

import pytest

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.device.effects import LinkChecked, TimeReceived
from nyala.lorawan.device.state import Channel
from tests.unit.lorawan.lone import Lone, on_air
from tests.unit.lorawan.test_device_commands import settings

HZ = 9_228_000
OBEYED = {
    "LinkADRReq": (mac.LinkAdrReq(1, 4, 0b11, 2, 0), mac.LinkAdrAns(1, 1, 1), {"data_rate": 4, "tx_power": 1, "nb_trans": 2}),
    "DutyCycleReq": (mac.DutyCycleReq(1), mac.DutyCycleAns(), {"max_duty_cycle": 1}),
    "RXParamSetupReq": (
        mac.RxParamSetupReq(3, 1, 0, HZ),
        mac.RxParamSetupAns(1, 1, 1),
        {"rx2_data_rate": 3, "rx1_dr_offset": 1, "rx2_hz": 922_800_000},
    ),
    "DevStatusReq": (mac.DevStatusReq(), mac.DevStatusAns(0, 7), {}),
    "NewChannelReq": (
        mac.NewChannelReq(2, HZ, 2, 5),
        mac.NewChannelAns(1, 1),
        {"channels.2": Channel(922_800_000, 2, 5)},
    ),
    "RXTimingSetupReq": (mac.RxTimingSetupReq(7), mac.RxTimingSetupAns(), {"rx_delay_s": 7}),
    "TxParamSetupReq": (mac.TxParamSetupReq(3, 0, 1), mac.TxParamSetupAns(), {"max_eirp_dbm": 13, "downlink_dwell": True}),
    "DlChannelReq": (
        mac.DlChannelReq(1, HZ),
        mac.DlChannelAns(1, 1),
        {"channels.1": Channel(921_600_000, 0, 5, True, 922_800_000)},
    ),
}
REFUSED = {
    "LinkADRReq": (mac.LinkAdrReq(8, 9, 0b100, 2, 5), mac.LinkAdrAns(0, 0, 0)),
    "RXParamSetupReq": (mac.RxParamSetupReq(9, 1, 0, 8_681_000), mac.RxParamSetupAns(0, 0, 1)),
    "NewChannelReq": (mac.NewChannelReq(0, 8_681_000, 5, 2), mac.NewChannelAns(0, 0)),
    "DlChannelReq": (mac.DlChannelReq(9, 8_681_000), mac.DlChannelAns(0, 0)),
}
NO_BITS = {mac.DutyCycleReq, mac.DevStatusReq, mac.RxTimingSetupReq, mac.TxParamSetupReq}
"""Their answers have no bit to refuse with."""
ANSWERS = {mac.LinkCheckAns, mac.DeviceTimeAns}
CUT = [mac.encode([row[0]])[:-1] for row in OBEYED.values() if len(mac.encode([row[0]])) > 1]


def test_every_command_has_its_rows():
    obeyed = {type(row[0]) for row in OBEYED.values()}
    assert obeyed | ANSWERS == set(mac.DOWNLINK.values())
    assert {type(row[0]) for row in REFUSED.values()} == obeyed - NO_BITS


@pytest.mark.parametrize("port", [None, 0])
@pytest.mark.parametrize(("request_", "answer", "changed"), OBEYED.values(), ids=OBEYED)
def test_a_command_is_obeyed_in_f_opts_and_on_port_0(request_, answer, changed, port):
    device = Lone()
    device.say()
    said = mac.encode([request_])
    device.hear(device.downlink(f_opts=said) if port is None else device.downlink(f_port=0, payload=said))
    for name, value in changed.items():
        what, _, index = name.partition(".")
        assert (device.activation.channels[int(index)] if index else getattr(device.activation, what)) == value
    device.say()
    assert device.commands() == [answer]


@pytest.mark.parametrize(("request_", "answer"), REFUSED.values(), ids=REFUSED)
def test_a_command_is_refused_with_its_bits_and_changes_nothing(request_, answer):
    device = Lone()
    before = settings(device)
    assert device.obey(request_) == [answer]
    assert settings(device) == before


@pytest.mark.parametrize("request_", [row[0] for row in OBEYED.values()], ids=OBEYED)
def test_a_command_in_class_c_or_with_a_bad_mic_changes_nothing(request_):
    device = Lone()
    before = settings(device)
    assert device.hear(device.downlink(commands=[request_]), rx=0) == []
    device.say()
    phy = device.downlink(commands=[request_])
    device.hear(phy[:-1] + bytes([phy[-1] ^ 1]))
    device.finish()
    device.say()
    assert (settings(device), device.commands()) == (before, [])


@pytest.mark.parametrize("cut", CUT)
def test_a_command_that_is_cut_short_changes_nothing(cut):
    device = Lone()
    before = settings(device)
    device.say()
    device.hear(device.downlink(f_opts=cut))
    device.say()
    assert (settings(device), device.commands()) == (before, [])


def test_what_follows_an_unknown_command_is_not_read():
    device = Lone()
    device.say()
    device.hear(device.downlink(f_opts=mac.encode([mac.DevStatusReq()]) + b"\x80" + mac.encode([mac.TxParamSetupReq(0, 0, 0)])))
    device.say()
    assert device.commands() == [mac.DevStatusAns(0, 7)]
    assert device.activation.max_eirp_dbm == 16


def test_the_time_is_taken_only_by_the_uplink_that_asked_for_it():
    device = Lone()
    ask = [mac.DeviceTimeAns(1_000_000_000, 128)]
    device.say()
    assert not [each for each in device.hear(device.downlink(commands=ask)) if isinstance(each, TimeReceived)]
    device.device.ask_time()
    device.say()
    end_us = on_air(device.device).end_us
    (told,) = [each for each in device.hear(device.downlink(commands=ask)) if isinstance(each, TimeReceived)]
    assert told == TimeReceived((1_000_000_000 + 315_964_800 - 18) * 1_000_000 + 500_000, end_us)


def test_a_link_check_is_told_and_a_request_is_not_repeated():
    device = Lone()
    device.device.check_link()
    device.send()
    device.send()
    assert [device.commands(index) for index in range(2)] == [[mac.LinkCheckReq()], []]
    device.say()
    assert LinkChecked(254, 3) in device.hear(device.downlink(commands=[mac.LinkCheckAns(254, 3)]))
