"""Rules that the device keeps by itself: sticky answers, ADR back-off, limits of payload and counters, windows."""

import pytest

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.effects import Joined, Received, Transmit, UplinkDone, Window
from nyala.lorawan.device.mac import REJOIN_AFTER
from nyala.lorawan.device.procedure import Message
from nyala.lorawan.device.state import Channel
from nyala.lorawan.frame import DlSettings, JoinAccept
from nyala.vocab.errors import BadArgumentError
from tests.unit.lorawan.harness import APP_KEY, SECOND
from tests.unit.lorawan.lone import AS923_2, Lone

STICKY = [
    (mac.RxParamSetupReq(2, 0, 0, 9_214_000), mac.RxParamSetupAns(1, 1, 1)),
    (mac.RxTimingSetupReq(2), mac.RxTimingSetupAns()),
    (mac.TxParamSetupReq(5, 1, 0), mac.TxParamSetupAns()),
    (mac.DlChannelReq(0, 9_214_000), mac.DlChannelAns(1, 1)),
]
ONCE = [
    (mac.DevStatusReq(), mac.DevStatusAns(0, 7)),
    (mac.NewChannelReq(7, 9_228_000, 0, 5), mac.NewChannelAns(1, 1)),
    (mac.LinkAdrReq(0, 5, 3, 1, 0), mac.LinkAdrAns(1, 1, 1)),
    (mac.DutyCycleReq(0), mac.DutyCycleAns()),
]


@pytest.mark.parametrize(("request_", "answer"), STICKY)
def test_a_sticky_answer_is_repeated_until_a_class_a_downlink_comes(request_, answer):
    device = Lone()
    assert device.obey(request_) == [answer]
    device.send()
    assert device.commands() == [answer]
    device.hear(device.downlink(f_port=20, payload=b"class C"), rx=0)
    device.say()
    assert device.commands() == [answer]
    device.hear(device.downlink())
    device.send()
    assert device.commands() == []


@pytest.mark.parametrize(("request_", "answer"), ONCE)
def test_any_other_answer_is_given_once(request_, answer):
    device = Lone()
    assert device.obey(request_) == [answer]
    device.send()
    assert device.commands() == []


def test_sticky_answers_survive_a_power_cut():
    device = Lone()
    device.obey(mac.TxParamSetupReq(5, 1, 0))
    again = Lone()
    again.memory.activation = device.memory.activation
    again.send()
    assert again.commands() == [mac.TxParamSetupAns()]


def test_answers_that_do_not_fit_are_cut_off_after_a_whole_one_and_not_given_later():
    # TS001-1.0.4 section 5: all answers to one frame go into one frame; the network asks again for what was cut off
    device = Lone(data_rate=2)
    requests = [mac.NewChannelReq(index, 9_218_000, 0, 5) for index in range(2, 12)]
    device.say()
    device.hear(device.downlink(f_port=0, payload=mac.encode(requests)))
    answers = []
    for _ in range(4):
        device.send(b"")
        answers += device.commands()
        assert len(device.sent[-1].phy) <= 19 + 5
    assert answers == [mac.NewChannelAns(1, 1)] * 5
    assert len(device.activation.channels) == 8  # carried out all the same, as far as the device has channels


def test_mac_answers_take_their_room_from_the_payload():
    device = Lone(data_rate=2)
    assert device.device.room == 11
    device.say()
    device.hear(device.downlink(commands=[mac.DevStatusReq(), mac.TxParamSetupReq(5, 1, 0)]))
    assert device.device.room == 11 - 3 - 1
    with pytest.raises(BadArgumentError, match="payload of 8 bytes; room is 7"):
        device.say(bytes(8))
    device.send(bytes(7))
    assert device.device.room == 11 - 1


@pytest.mark.parametrize(("data_rate", "room"), [(2, 11), (3, 53), (4, 125), (5, 242)])
def test_the_dwell_limit_holds_for_the_payload(data_rate, room):
    device = Lone(data_rate=data_rate)
    assert device.device.room == room
    with pytest.raises(BadArgumentError, match=f"payload of {room + 1} bytes; room is {room}"):
        device.say(bytes(room + 1))
    assert device.activation.f_cnt_up == 0
    device.send(bytes(room))
    assert (len(device.sent[-1].phy), device.activation.f_cnt_up) == (room + 13, 1)


def test_an_uplink_without_port_takes_no_payload_and_no_counter():
    device = Lone()
    with pytest.raises(BadArgumentError, match="payload without a port"):
        device.say(b"x", port=None)
    assert device.activation.f_cnt_up == 0
    device.send(b"", port=None)
    assert device.frame().f_cnt == 0


def test_adr_back_off_goes_by_the_steps_of_the_standard():
    # lorawan.md section 4: ADRACKReq at 64, full power at 96, a data rate down every 32 from 128, then default channels
    device = Lone(data_rate=4)
    device.activation.tx_power, device.activation.nb_trans = 5, 2
    device.activation.channels = {0: Channel(921_400_000, 0, 5, enabled=False), 7: Channel(922_800_000, 0, 5)}
    seen: dict[int, tuple[bool, int, int]] = {}
    for count in range(226):
        device.send(b"")
        seen[count] = (device.frame().adr_ack_req, (16 - device.sent[-1].eirp_dbm) // 2, device.sent[-1].data_rate)
    expected = {0: (False, 5, 4), 63: (False, 5, 4), 64: (True, 5, 4), 95: (True, 5, 4), 96: (True, 0, 4), 127: (True, 0, 4)}
    expected |= {
        128: (True, 0, 3),
        159: (True, 0, 3),
        160: (True, 0, 2),
        191: (True, 0, 2),
        192: (True, 0, 2),
        225: (True, 0, 2),
    }
    assert {count: seen[count] for count in expected} == expected
    assert device.activation.nb_trans == 1
    assert {index for index, channel in device.activation.channels.items() if channel.enabled} == {0, 1, 7}


def test_repeats_do_not_count_for_the_back_off():
    device = Lone()
    device.activation.nb_trans = 3
    device.send(confirmed=True)
    assert device.activation.adr_ack_count == 1


@pytest.mark.parametrize("confirmed", [False, True])
def test_any_class_a_downlink_ends_the_back_off_and_class_c_does_not(confirmed):
    device = Lone()
    device.activation.adr_ack_count = 70
    device.hear(device.downlink(f_port=20, payload=b"x"), rx=0)
    assert device.activation.adr_ack_count == 70
    device.say(confirmed=confirmed)
    device.hear(device.downlink())
    assert device.activation.adr_ack_count == 0
    device.send()
    assert not device.frame().adr_ack_req


@pytest.mark.parametrize("data_rate", [3, 4, 5])
def test_a_payload_that_fitted_before_a_step_down_never_breaks_the_dwell_limit(data_rate):
    device = Lone(data_rate=data_rate)
    device.activation.adr_ack_count = 127
    device.send()
    try:
        device.say(bytes(device.device.room))
    except BadArgumentError:
        return
    frame = device.sent[-1]
    assert len(frame.phy) - 5 <= AS923_2.mac_payload_max(frame.data_rate, dwell=True)


def test_a_step_down_never_leaves_the_device_without_a_channel():
    device = Lone()
    device.activation.channels = {7: Channel(922_800_000, 5, 5)}
    device.activation.adr_ack_count = 127
    device.send(b"")
    device.send(b"")
    assert device.sent[-1].data_rate in range(2, 6)
    assert device.frame().f_cnt == 1


def test_a_device_that_is_never_answered_joins_again():
    device = Lone(data_rate=2)
    device.activation.adr_ack_count = REJOIN_AFTER - 1
    device.send()
    assert not device.device.joined
    assert device.device.next_us is not None
    (request,) = device.did(device.device.poll(device.device.next_us))
    assert isinstance(request, Transmit)
    assert len(request.phy) == 23


def test_the_end_of_an_uplink_is_told_once_with_its_token():
    device = Lone()
    for confirmed, acknowledged in ((False, None), (True, False)):
        token = object()
        device.did(device.device.send(Message(10, b"", confirmed, token), device.now_us))
        assert device.finish() == [UplinkDone(token, acknowledged)]


@pytest.mark.parametrize("rx", [1, 2])
def test_a_downlink_is_heard_in_either_window(rx):
    device = Lone()
    device.say()
    effects = device.hear(device.downlink(f_port=20, payload=b"x"), rx=rx)
    assert Received(20, b"x", False, Window.RX1 if rx == 1 else Window.RX2) in effects
    assert device.device.idle


def test_the_radio_is_deaf_while_it_sends_and_on_other_channels():
    device = Lone()
    device.say(bytes(100))
    uplink = device.device._uplink
    assert uplink is not None
    assert not device.device.detect(921_400_000, 2, uplink.end_us - 1, uplink.end_us + 9)
    assert device.device.detect(921_400_000, 2, uplink.end_us, uplink.end_us + 9)
    assert not device.device.detect(921_600_000, 2, uplink.end_us, uplink.end_us + 9)
    assert not device.device.detect(921_400_000, 3, uplink.end_us, uplink.end_us + 9)
    assert not device.device.detect(uplink.rx1[1], 4, uplink.rx1[0], uplink.rx1[0] + 9)


def test_a_class_a_device_hears_nothing_outside_its_windows():
    device = Lone(class_c=False)
    assert not device.device.detect(921_400_000, 2, device.now_us, device.now_us + 9)
    device.say()
    uplink = device.device._uplink
    assert uplink is not None
    open_us, hz, rate = uplink.rx1
    assert not device.device.detect(hz, rate, open_us - 20_000, open_us)
    assert device.device.detect(hz, rate, open_us + 5_000, open_us + SECOND)
    assert device.device.next_us == max(uplink.close_us, open_us + SECOND)
    device.finish()
    assert not device.device.detect(921_400_000, 2, device.now_us, device.now_us + 9)


@pytest.mark.parametrize("following", [0xFFFF, 0x10000, 0xFFFDFFFE])
def test_downlink_counters_run_over_the_16_bit_boundary(following):
    device = Lone()
    device.activation.f_cnt_down = device.f_cnt_down = following
    for n in range(3):
        phy = device.downlink(f_port=20, payload=bytes([n]))
        assert len(device.hear(phy, rx=0)) == 1
        assert device.hear(phy, rx=0) == []
    assert device.activation.f_cnt_down == following + 3


def test_a_downlink_at_the_end_of_all_counters_is_dropped_in_silence():
    device = Lone()
    device.activation.f_cnt_down = 0xFFFFFFFF
    device.f_cnt_down = 3
    assert device.hear(device.downlink(f_port=20, payload=b"old"), rx=0) == []


def test_whatever_data_rate_an_accept_gives_rx2_the_device_goes_on_sending():
    for rate in range(16):
        device = Lone()
        device.device.start_join(device.now_us)
        device.did(device.device.poll(device.now_us))
        uplink = device.device._uplink
        assert uplink is not None
        device.now_us = uplink.rx1[0]
        assert device.device.detect(*uplink.rx1[1:], device.now_us, device.now_us + 1)
        accept = JoinAccept(2, 0, 1, DlSettings(rate, 0)).encode(AesKey(APP_KEY))
        if device.did(device.device.receive(accept, 7.0, device.now_us)) == [Joined(1)]:
            device.send()
            assert device.activation.f_cnt_up == 1


def test_a_frame_concerns_a_device_by_its_type_and_address():
    device = Lone()
    phy = device.downlink(f_port=20, payload=b"x")
    assert device.device.concerns(phy)
    assert not device.device.concerns(phy[:1] + b"abcd" + phy[5:])
    assert not device.device.concerns(b"")
    accept = JoinAccept(2, 0, 1, DlSettings(2, 0)).encode(AesKey(APP_KEY))
    assert not device.device.concerns(accept)
    device.device.start_join(device.now_us)
    assert not device.device.concerns(accept)
    device.device.poll(device.now_us)
    assert device.device.concerns(accept)
    assert not device.device.concerns(phy)
