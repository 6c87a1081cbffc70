"""Multicast groups of a device: what is taken from whom, and where it listens."""

from dataclasses import replace
from typing import Any

import pytest

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.effects import Received, Window
from nyala.lorawan.device.multicast import GROUPS, ClassCWindow, group
from nyala.lorawan.frame import DataFrame, FType, seal
from nyala.vocab.errors import BadArgumentError, ConflictError, UnknownError
from tests.unit.lorawan.harness import SECOND
from tests.unit.lorawan.lone import Lone, on_air

ADDRESS = 0x01020304
MC_KEYS = (b"n" * 16, b"a" * 16)
WINDOW_HZ = 922_600_000


def member(*, class_c: bool = True, low: int = 5, high: int = 100) -> Lone:
    device = Lone(class_c=class_c)
    device.device.set_multicast(1, group(ADDRESS, MC_KEYS, low, high))
    return device


def said(f_cnt: int, payload: bytes = b"all", **other: Any) -> bytes:
    given: dict[str, Any] = {"f_type": FType.UNCONFIRMED_DOWN, "f_opts": b"", "f_port": 201, "payload": payload} | other
    f_type, f_opts = given.pop("f_type"), given.pop("f_opts")
    return seal(DataFrame(f_type, ADDRESS, f_cnt, f_opts, **given), AesKey(MC_KEYS[0]), AesKey(MC_KEYS[1]))


def test_a_frame_of_a_group_is_received_with_the_groups_address_and_leaves_the_session_alone():
    device = member()
    device.activation.adr_ack_count = 70
    phy = said(5)
    assert device.device.concerns(phy)
    assert device.hear(phy, rx=0) == [Received(201, b"all", False, Window.RXC, ADDRESS)]
    assert (device.activation.f_cnt_down, device.activation.adr_ack_count) == (0, 70)
    assert device.device.next_us is None


def test_a_frame_for_us_alone_has_no_group():
    device = member()
    assert device.hear(device.downlink(f_port=20, payload=b"x"), rx=0) == [Received(20, b"x", False, Window.RXC, None)]


REFUSED = {
    "confirmed": {"f_type": FType.CONFIRMED_DOWN},
    "an acknowledgement": {"ack": True},
    "MAC commands in FOpts": {"f_opts": mac.encode([mac.DevStatusReq()])},
    "MAC commands on port 0": {"f_port": 0, "payload": mac.encode([mac.DevStatusReq()])},
    "no port": {"f_port": None, "payload": b""},
}


@pytest.mark.parametrize("other", REFUSED.values(), ids=REFUSED)
def test_a_frame_that_a_group_may_not_send_is_dropped(other):
    device = member()
    assert device.hear(said(5, **other), rx=0) == []
    assert device.memory.multicast[1].f_cnt == 5
    device.send()
    assert (device.commands(), device.frame().ack) == ([], False)


def test_a_frame_with_another_key_is_dropped():
    device = member()
    frame = DataFrame(FType.UNCONFIRMED_DOWN, ADDRESS, 5, f_port=201, payload=b"x")
    assert device.hear(seal(frame, AesKey(bytes(16)), AesKey(MC_KEYS[1])), rx=0) == []


def test_a_group_is_heard_from_its_first_counter_to_its_last_and_each_frame_once():
    device = member(low=5, high=8)
    assert device.hear(said(4), rx=0) == []
    for f_cnt in (5, 7):
        assert len(device.hear(said(f_cnt), rx=0)) == 1
        assert device.hear(said(f_cnt), rx=0) == []
    assert device.hear(said(6), rx=0) == []
    assert device.hear(said(8), rx=0) == []


def test_counters_of_a_group_have_32_bits():
    device = member(low=0x1FFFE, high=0x20004)
    for f_cnt in (0x1FFFE, 0x1FFFF, 0x20000, 0x20003):
        assert len(device.hear(said(f_cnt), rx=0)) == 1
    assert device.hear(said(0x20004), rx=0) == []


def test_rx1_is_the_devices_own():
    device = member()
    device.say()
    assert device.device._uplink is not None
    assert on_air(device.device).rx1[1:] != (device.activation.rx2_hz, device.activation.rx2_data_rate)
    assert device.hear(said(5), rx=1) == []
    assert len(device.hear(said(5), rx=2)) == 1  # where RXC is RX2, a group cannot know that it fell into the window


def test_a_running_window_moves_rxc_and_gives_it_back():
    device = member()
    start_us = device.now_us + 10 * SECOND
    window = ClassCWindow(WINDOW_HZ, 4, start_us, start_us + 60 * SECOND)
    device.device.start_class_c(1, window)
    heard = []
    for at_us in (start_us - 1, start_us, window.end_us - 1, window.end_us):
        unicast = device.device.detect(921_400_000, 2, at_us, at_us)
        heard.append((unicast, device.device.detect(WINDOW_HZ, 4, at_us, at_us)))
    assert heard == [(True, False), (False, True), (False, True), (True, False)]


def test_the_windows_of_an_uplink_stay_where_they_are_while_a_group_is_listened_to():
    device = member()
    device.device.start_class_c(1, ClassCWindow(WINDOW_HZ, 4, device.now_us, device.now_us + 60 * SECOND))
    device.say()
    uplink = device.device._uplink
    assert uplink is not None
    for open_us, hz, rate in (uplink.rx1, uplink.rx2):
        assert not device.device.detect(WINDOW_HZ, 4, open_us, open_us)
        assert device.device.detect(hz, rate, open_us, open_us)


def test_a_class_a_device_listens_for_a_group_in_its_window_only():
    device = member(class_c=False)
    assert not device.device.detect(921_400_000, 2, device.now_us, device.now_us)
    device.device.start_class_c(1, ClassCWindow(WINDOW_HZ, 2, device.now_us, device.now_us + SECOND))
    assert device.device.detect(WINDOW_HZ, 2, device.now_us, device.now_us)
    assert len(device.did(device.device.receive(said(5), 5.0, device.now_us))) == 1
    assert not device.device.detect(WINDOW_HZ, 2, device.now_us + SECOND, device.now_us + SECOND)


def test_of_two_running_windows_the_later_one_holds():
    device = member()
    device.device.set_multicast(2, group(ADDRESS + 1, MC_KEYS, 0, 9))
    first = ClassCWindow(WINDOW_HZ, 2, device.now_us, device.now_us + 9 * SECOND)
    device.device.start_class_c(1, first)
    device.device.start_class_c(2, replace(first, frequency_hz=922_000_000, start_us=device.now_us + SECOND))
    at_us = device.now_us + 2 * SECOND
    assert not device.device.detect(WINDOW_HZ, 2, at_us, at_us)
    assert device.device.detect(922_000_000, 2, at_us, at_us)


def test_groups_survive_a_power_cut_and_a_new_session():
    device = member()
    device.hear(said(5), rx=0)
    again = Lone()
    again.memory.multicast.update(device.memory.multicast)
    assert again.hear(said(5), rx=0) == []
    assert len(again.hear(said(6), rx=0)) == 1
    again.device.start_join(again.now_us)
    assert again.memory.multicast[1].f_cnt == 7


def test_a_dropped_group_is_not_heard():
    device = member()
    assert device.device.drop_multicast(1)
    assert not device.device.drop_multicast(1)
    assert not device.device.concerns(said(5))
    assert device.hear(said(5), rx=0) == []


def test_what_no_group_or_window_can_be_is_refused():
    device = member()
    good = ClassCWindow(WINDOW_HZ, 2, 0, 1)
    with pytest.raises(BadArgumentError, match=r"multicast group 4 is not 0\.\.3"):
        device.device.set_multicast(GROUPS, group(9, MC_KEYS, 0, 1))
    with pytest.raises(ConflictError, match="01020304 is another group's"):
        device.device.set_multicast(0, group(ADDRESS, MC_KEYS, 0, 1))
    with pytest.raises(UnknownError, match="multicast group"):
        device.device.start_class_c(0, good)
    with pytest.raises(UnknownError, match="data rate"):
        device.device.start_class_c(1, replace(good, data_rate=9))
    for bad in (replace(good, frequency_hz=868_100_000), replace(good, end_us=0)):
        with pytest.raises(BadArgumentError, match="class C window"):
            device.device.start_class_c(1, bad)
    for low, high in ((5, 5), (-1, 5), (0, 1 << 32)):
        with pytest.raises(BadArgumentError, match="multicast group"):
            group(ADDRESS, MC_KEYS, low, high)
    assert list(device.memory.multicast) == [1]
