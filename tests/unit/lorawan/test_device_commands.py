"""What the device does with each MAC command; a refused one changes nothing."""

from copy import deepcopy
from dataclasses import asdict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.device.effects import LinkChecked, Received
from nyala.lorawan.device.state import Channel
from tests.unit.lorawan.harness import SECOND
from tests.unit.lorawan.lone import Lone
from tests.unit.lorawan.test_mac_commands import commands
from tests.unit.lorawan.vectors import VECTORS, unhex

KEEP = mac.KEEP
FREQUENCY = 9_228_000


def settings(device: Lone) -> dict[str, object]:
    """The activation but for counters and answers."""
    found = {name: getattr(device.activation, name) for name in ("data_rate", "tx_power", "nb_trans", "rx1_dr_offset")}
    found |= {name: getattr(device.activation, name) for name in ("rx2_data_rate", "rx2_hz", "rx_delay_s", "max_eirp_dbm")}
    found |= {name: getattr(device.activation, name) for name in ("uplink_dwell", "downlink_dwell", "max_duty_cycle")}
    return deepcopy(found | {"channels": {index: asdict(channel) for index, channel in device.activation.channels.items()}})


def with_channels(count: int = 8) -> Lone:
    device = Lone()
    for index in range(2, count):
        device.activation.channels[index] = Channel(921_400_000 + 200_000 * index, 0, 5)
    return device


def test_link_adr_sets_rate_power_repeats_and_mask():
    device = with_channels()
    assert device.obey(mac.LinkAdrReq(tx_power=3, data_rate=4, ch_mask=0b10000101, nb_trans=2, ch_mask_cntl=0)) == [
        mac.LinkAdrAns(1, 1, 1)
    ]
    assert (device.activation.data_rate, device.activation.tx_power, device.activation.nb_trans) == (4, 3, 2)
    assert [index for index, channel in device.activation.channels.items() if channel.enabled] == [0, 2, 7]
    assert {frame.frequency_hz for frame in device.sent[-2:]} <= {921_400_000, 921_800_000, 922_800_000}
    assert device.sent[-1].data_rate == 4
    assert device.sent[-1].eirp_dbm == 16 - 6


def test_link_adr_keeps_what_is_fifteen_and_no_repeats_mean_one():
    device = with_channels()
    device.activation.tx_power, device.activation.nb_trans = 2, 3
    assert device.obey(mac.LinkAdrReq(KEEP, KEEP, 0xFF, 0, 0)) == [mac.LinkAdrAns(1, 1, 1)]
    assert (device.activation.data_rate, device.activation.tx_power, device.activation.nb_trans) == (5, 2, 1)


def test_link_adr_with_control_6_switches_every_defined_channel_on():
    device = with_channels()
    device.obey(mac.LinkAdrReq(KEEP, KEEP, 1, 1, 0))
    assert sum(channel.enabled for channel in device.activation.channels.values()) == 1
    assert device.obey(mac.LinkAdrReq(KEEP, KEEP, 0, 1, 6)) == [mac.LinkAdrAns(1, 1, 1)]
    assert all(channel.enabled for channel in device.activation.channels.values())


def test_a_block_of_link_adr_is_atomic_and_answered_once_for_each_request():
    device = with_channels()
    block = [mac.LinkAdrReq(0, 2, 0, 1, 6), mac.LinkAdrReq(4, 3, 0b11, 2, 0)]
    assert device.obey(*block) == [mac.LinkAdrAns(1, 1, 1)] * 2
    assert (device.activation.data_rate, device.activation.tx_power, device.activation.nb_trans) == (3, 4, 2)
    assert [channel.enabled for channel in device.activation.channels.values()] == [True, True] + [False] * 6
    before = settings(device)
    assert device.obey(mac.LinkAdrReq(0, 4, 0xFF, 1, 0), mac.LinkAdrReq(9, 4, 0xFF, 1, 0)) == [mac.LinkAdrAns(1, 1, 0)] * 2
    assert settings(device) == before


REFUSED_LINK_ADR = {
    "a channel that is not defined": (mac.LinkAdrReq(0, 5, 0x01FF, 1, 0), (0, 1, 1)),
    "no channel at all": (mac.LinkAdrReq(0, 5, 0, 1, 0), (0, 0, 1)),
    "a control that the region does not have": (mac.LinkAdrReq(0, 5, 0xFF, 1, 1), (0, 1, 1)),
    "a data rate that the region does not have": (mac.LinkAdrReq(0, 9, 0xFF, 1, 0), (1, 0, 1)),
    "a data rate that the dwell limit forbids": (mac.LinkAdrReq(0, 1, 0xFF, 1, 0), (1, 0, 1)),
    "a data rate that no channel carries": (mac.LinkAdrReq(0, 6, 0xFF, 1, 0), (1, 0, 1)),
    "a power that the region does not have": (mac.LinkAdrReq(8, 5, 0xFF, 1, 0), (1, 1, 0)),
}


@pytest.mark.parametrize(("request_", "acks"), REFUSED_LINK_ADR.values(), ids=REFUSED_LINK_ADR)
def test_link_adr_is_refused_whole(request_, acks):
    device = with_channels()
    before = settings(device)
    assert device.obey(request_) == [mac.LinkAdrAns(*acks)]
    assert settings(device) == before


def test_duty_cycle_holds_the_next_uplink_back():
    device = Lone()
    assert device.obey(mac.DutyCycleReq(4)) == [mac.DutyCycleAns()]
    began = device.now_us
    device.send(b"one")
    airtime = device.device._duty_free_us
    assert device.activation.max_duty_cycle == 4
    assert not device.device.ready(began + 15 * (airtime - began) // 16 - 1)
    assert device.device.ready(max(airtime, device.now_us))


def test_rx_param_setup_moves_both_windows():
    device = Lone()
    assert device.obey(mac.RxParamSetupReq(3, 2, 0, FREQUENCY)) == [mac.RxParamSetupAns(1, 1, 1)]
    assert (device.activation.rx2_data_rate, device.activation.rx2_hz, device.activation.rx1_dr_offset) == (3, 922_800_000, 2)
    device.say()
    assert device.device._uplink is not None
    assert device.device._uplink.rx1[2] == 3
    assert device.device._uplink.rx2[1:] == (922_800_000, 3)


@pytest.mark.parametrize(
    ("request_", "acks"),
    [(mac.RxParamSetupReq(2, 0, 0, 8_681_000), (0, 1, 1)), (mac.RxParamSetupReq(9, 0, 0, FREQUENCY), (1, 0, 1))],
)
def test_rx_param_setup_is_refused_whole(request_, acks):
    device = Lone()
    before = settings(device)
    assert device.obey(request_) == [mac.RxParamSetupAns(*acks)]
    assert settings(device) == before


@pytest.mark.parametrize(("snr_db", "margin"), [(7.4, 7), (-3.6, -4), (-40.0, -32), (50.0, 31)])
def test_dev_status_tells_external_power_and_the_snr_of_the_request(snr_db, margin):
    assert Lone().obey(mac.DevStatusReq(), snr_db=snr_db) == [mac.DevStatusAns(0, margin)]


def test_new_channel_makes_changes_and_deletes_a_channel():
    device = Lone()
    assert device.obey(mac.NewChannelReq(7, FREQUENCY, 2, 5)) == [mac.NewChannelAns(1, 1)]
    assert device.activation.channels[7] == Channel(922_800_000, 2, 5)
    assert device.obey(mac.NewChannelReq(7, FREQUENCY + 2000, 0, 3)) == [mac.NewChannelAns(1, 1)]
    assert device.activation.channels[7] == Channel(923_000_000, 0, 3)
    assert device.obey(mac.NewChannelReq(7, 0, 0, 5)) == [mac.NewChannelAns(1, 1)]
    assert sorted(device.activation.channels) == [0, 1]


REFUSED_CHANNELS = {
    "a default channel": (mac.NewChannelReq(0, FREQUENCY, 0, 5), (0, 1)),
    "the other default channel": (mac.NewChannelReq(1, 0, 0, 5), (0, 1)),
    "a seventeenth channel": (mac.NewChannelReq(16, FREQUENCY, 0, 5), (0, 1)),
    "a frequency outside the band": (mac.NewChannelReq(7, 8_681_000, 0, 5), (0, 1)),
    "data rates the wrong way round": (mac.NewChannelReq(7, FREQUENCY, 5, 2), (1, 0)),
    "a data rate that the region does not have": (mac.NewChannelReq(7, FREQUENCY, 0, 9), (1, 0)),
}


@pytest.mark.parametrize(("request_", "acks"), REFUSED_CHANNELS.values(), ids=REFUSED_CHANNELS)
def test_a_channel_is_refused_whole(request_, acks):
    device = Lone()
    before = settings(device)
    assert device.obey(request_) == [mac.NewChannelAns(*acks)]
    assert settings(device) == before


@pytest.mark.parametrize(("asked", "delay_s"), [(0, 1), (1, 1), (15, 15)])
def test_rx_timing_setup_moves_the_first_window(asked, delay_s):
    device = Lone()
    assert device.obey(mac.RxTimingSetupReq(asked)) == [mac.RxTimingSetupAns()]
    device.say()
    uplink = device.device._uplink
    assert uplink is not None
    assert uplink.rx1[0] - uplink.end_us == delay_s * SECOND
    assert uplink.rx2[0] - uplink.rx1[0] == SECOND


@pytest.mark.parametrize(("up", "down", "code", "dbm"), [(0, 0, 0, 8), (1, 0, 5, 16), (0, 1, 8, 21), (1, 1, 15, 36)])
def test_tx_param_setup_sets_dwell_limits_and_power(up, down, code, dbm):
    device = Lone(data_rate=2)
    assert device.obey(mac.TxParamSetupReq(code, up, down)) == [mac.TxParamSetupAns()]
    assert (device.activation.uplink_dwell, device.activation.downlink_dwell) == (bool(up), bool(down))
    assert device.activation.max_eirp_dbm == dbm
    assert device.device.room == (10 if up else 114)  # one byte of it is the sticky answer
    assert device.sent[-1].eirp_dbm == min(dbm, 24)  # 22 dBm at the pin and the antenna's gain


def test_dl_channel_moves_rx1_of_one_channel():
    device = Lone()
    assert device.obey(mac.DlChannelReq(0, FREQUENCY)) == [mac.DlChannelAns(1, 1)]
    assert device.obey(mac.DlChannelReq(1, FREQUENCY)) == [mac.DlChannelAns(1, 1)]
    device.say()
    assert device.device._uplink is not None
    assert device.device._uplink.rx1[1] == 922_800_000
    assert device.sent[-1].frequency_hz != 922_800_000


@pytest.mark.parametrize(("index", "frequency", "acks"), [(5, FREQUENCY, (1, 0)), (0, 8_681_000, (0, 1))])
def test_dl_channel_is_refused_whole(index, frequency, acks):
    device = Lone()
    before = settings(device)
    assert device.obey(mac.DlChannelReq(index, frequency)) == [mac.DlChannelAns(*acks)]
    assert settings(device) == before


def test_a_link_check_answer_is_told():
    device = Lone()
    device.device.check_link()
    device.device.check_link()
    device.say()
    assert device.commands() == [mac.LinkCheckReq()]
    assert LinkChecked(20, 3) in device.hear(device.downlink(commands=[mac.LinkCheckAns(20, 3)]))


def test_commands_on_port_zero_are_carried_out_too():
    device = Lone()
    device.say()
    device.hear(device.downlink(f_port=0, payload=mac.encode([mac.TxParamSetupReq(3, 0, 0)])))
    assert device.activation.max_eirp_dbm == 13
    assert not [effect for effect in device.effects if isinstance(effect, Received)]


ORDERS = [mac.TxParamSetupReq(3, 0, 0), mac.LinkAdrReq(1, 2, 1, 1, 0)]


@pytest.mark.parametrize(
    "said", [{"commands": ORDERS, "f_port": 20, "payload": b"x"}, {"f_port": 0, "payload": mac.encode(ORDERS)}]
)
def test_a_frame_with_commands_in_class_c_is_dropped_whole_and_its_counter_is_used(said):
    device = Lone()
    before = settings(device)
    phy = device.downlink(confirmed=True, **said)
    assert device.hear(phy, rx=0) == []
    assert settings(device) == before
    device.say()
    assert (device.commands(), device.frame().ack) == ([], False)
    assert device.hear(phy) == []  # played again where commands are taken
    assert settings(device) == before


def test_answers_stand_in_the_order_of_their_requests():
    # what LoRaMac-node answers to the same block (lorawan.md section 5)
    block = VECTORS["mac_block"]
    device = with_channels(7)
    device.say()
    device.hear(device.downlink(f_opts=unhex(block["requests"])))
    device.say()
    assert device.frame().f_opts == unhex(block["answers_but_battery_and_margin"]) + bytes([0, 7])


@pytest.mark.parametrize("cut", [b"\x03", b"\x09", b"\x06\x07\x02"])
def test_a_command_that_is_cut_short_loses_neither_payload_nor_acknowledgement(cut):
    device = Lone()
    device.say(confirmed=True)
    device.hear(device.downlink(f_opts=cut, f_port=20, payload=b"good", ack=True))
    assert [effect.payload for effect in device.effects if isinstance(effect, Received)] == [b"good"]
    assert device.done() == [True]


rates = st.integers(0, 6)
plausible = st.one_of(
    st.builds(mac.NewChannelReq, st.integers(0, 5), st.sampled_from([0, FREQUENCY, FREQUENCY - 4000]), rates, rates),
    st.builds(
        mac.LinkAdrReq,
        st.integers(0, 8),
        st.sampled_from([2, 3, 4, 5, KEEP]),
        st.integers(0, 15),
        rates,
        st.sampled_from([0, 6]),
    ),
    st.builds(mac.RxParamSetupReq, rates, rates, st.just(0), st.just(FREQUENCY)),
    st.builds(mac.TxParamSetupReq, st.integers(0, 15), st.integers(0, 1), st.integers(0, 1)),
    st.builds(mac.DlChannelReq, st.integers(0, 5), st.just(FREQUENCY)),
    st.builds(mac.DutyCycleReq, st.integers(0, 15)),
    commands(tuple(mac.DOWNLINK.values())),
)


@given(st.lists(st.lists(plausible, min_size=1, max_size=3), min_size=1, max_size=6))
@example([[mac.NewChannelReq(3, FREQUENCY, 0, 5), mac.LinkAdrReq(KEEP, KEEP, 8, 1, 0)], [mac.NewChannelReq(3, 0, 0, 5)]])
@example(
    [[mac.NewChannelReq(3, FREQUENCY, 0, 5), mac.LinkAdrReq(KEEP, KEEP, 8, 1, 0)], [mac.NewChannelReq(3, FREQUENCY, 0, 2)]]
)
@example([[mac.TxParamSetupReq(5, 0, 0), mac.LinkAdrReq(0, 0, 3, 1, 0)], [mac.TxParamSetupReq(5, 1, 0)]])
def test_whatever_the_network_orders_the_device_goes_on_sending(orders):
    device = Lone()
    for order in orders:
        device.say(b"", port=None)
        short = len(mac.encode(order)) <= 15
        device.hear(device.downlink(commands=order) if short else device.downlink(f_port=0, payload=mac.encode(order)))
        device.now_us = max(device.now_us, device.device._duty_free_us)
    device.say(b"", port=None)
    assert device.frame().f_cnt == len(orders)
    assert len(device.sent[-1].phy) - 5 <= device.device.region.mac_payload_max(
        device.activation.data_rate, dwell=device.activation.uplink_dwell
    )
