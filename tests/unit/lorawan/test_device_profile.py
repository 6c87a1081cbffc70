"""What a make of device can and does: its channels, its spreading factors, the version of the standard it keeps."""

import pytest

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.effects import Joined, NoncesUsedUp
from nyala.lorawan.device.module import ModuleState
from nyala.lorawan.device.profile import LORAWAN_1_0_3, LORAWAN_1_0_4, PROFILES, narrowed
from nyala.lorawan.frame import DlSettings, JoinAccept, JoinRequest
from nyala.lorawan.region import region
from tests.unit.lorawan.harness import APP_KEY, Air
from tests.unit.lorawan.lone import Lone, due

ROWS = {"lorawan-1.0.4": (4, None, 115, 2), "lorawan-1.0.3": (3, 8, 51, 1)}
"""Sticky answers, tries of confirmed uplinks, largest payload at DR2 without dwell limit, TS004 version."""


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_is_as_its_standard_says(name):
    profile = PROFILES[name]
    sticky, tries, payload, fragmentation = ROWS[name]
    assert (len(profile.sticky), profile.confirmed_tries, profile.fragmentation_version) == (sticky, tries, fragmentation)
    device = Lone(data_rate=2, profile=profile)
    device.activation.uplink_dwell = False
    assert device.device.room == payload
    device.activation.uplink_dwell = True
    assert device.device.room == 11


def test_a_device_of_1_0_3_says_tx_param_setup_ans_once():
    device = Lone(profile=LORAWAN_1_0_3)
    assert device.obey(mac.TxParamSetupReq(5, 1, 0)) == [mac.TxParamSetupAns()]
    device.send()
    assert device.commands() == []
    assert device.obey(mac.RxTimingSetupReq(1)) == [mac.RxTimingSetupAns()]
    device.send()
    assert device.commands() == [mac.RxTimingSetupAns()]


@pytest.mark.parametrize(("name", "joins"), [("AS923-2", (2, 5)), ("EU868", (2, 5))])
def test_a_device_sends_at_sf7_to_sf10_only(name, joins):
    there = narrowed(region(name), LORAWAN_1_0_4)
    usable = [rate.sf for rate in there.data_rates if there.mac_payload_max(rate.index, dwell=False)]
    assert sorted(set(usable)) == [7, 8, 9, 10]
    assert there.join_data_rates == joins
    assert narrowed(there, LORAWAN_1_0_4) == there


def test_a_data_rate_that_the_device_does_not_have_is_refused_and_the_back_off_stops_before_it():
    device = Lone(data_rate=2)
    device.activation.uplink_dwell = False
    assert device.obey(mac.LinkAdrReq(0, 1, 3, 1, 0)) == [mac.LinkAdrAns(1, 0, 1)]
    device.activation.adr_ack_count = 127
    device.send()
    assert device.activation.data_rate == 2


def test_a_ninth_channel_is_refused_wherever_it_is_numbered():
    device = Lone()
    for index in (2, 3, 4, 5, 6, 15):
        assert device.obey(mac.NewChannelReq(index, 9_228_000, 0, 5)) == [mac.NewChannelAns(1, 1)]
    assert device.obey(mac.NewChannelReq(8, 9_226_000, 0, 5)) == [mac.NewChannelAns(0, 1)]
    assert device.obey(mac.NewChannelReq(15, 9_226_000, 0, 5)) == [mac.NewChannelAns(1, 1)]  # one of the eight may move
    assert device.obey(mac.NewChannelReq(15, 0, 0, 5)) == [mac.NewChannelAns(1, 1)]
    assert device.obey(mac.NewChannelReq(8, 9_226_000, 0, 5)) == [mac.NewChannelAns(1, 1)]
    assert len(device.activation.channels) == 8


def test_a_region_without_tx_param_setup_is_silent_about_it():
    device = Lone(where=region("EU868"))
    before = device.activation.max_eirp_dbm
    assert device.obey(mac.TxParamSetupReq(0, 1, 1), mac.DevStatusReq()) == [mac.DevStatusAns(0, 7)]
    assert device.activation.max_eirp_dbm == before


# -- joining


def asking(where: str = "AS923-2", **memory: int) -> Lone:
    device = Lone(where=region(where))
    for name, value in memory.items():
        setattr(device.memory, name, value)
    device.device.start_join(device.now_us)
    device.did(device.device.poll(device.now_us))
    return device


def offered(device: Lone, accept: JoinAccept) -> bool:
    """Hears an accept in RX1; whether it was taken."""
    uplink = device.device._uplink
    assert uplink is not None
    assert device.device.detect(*uplink.rx1[1:], uplink.rx1[0], uplink.rx1[0])
    return device.did(device.device.receive(accept.encode(AesKey(APP_KEY)), 7.0, uplink.rx1[0])) == [Joined(accept.dev_addr)]


def test_the_last_nonce_is_used_and_then_the_device_stops_and_says_so():
    device = asking(dev_nonce=0xFFFF)
    assert JoinRequest.decode(device.sent[-1].phy).dev_nonce == 0xFFFF
    assert device.memory.dev_nonce == 0x10000
    for _ in range(2):  # the end of the windows, the next attempt
        device.now_us = due(device.device)
        device.did(device.device.poll(device.now_us))
    assert device.effects[-1] == NoncesUsedUp()
    assert (len(device.sent), device.device.next_us) == (1, None)
    assert device.device.module_state(device.now_us) is ModuleState.NO_NETWORK
    device.device.start_join(device.now_us)  # told again, never a nonce twice
    assert device.did(device.device.poll(device.now_us)) == [NoncesUsedUp()]


def test_a_nonce_is_in_the_memory_before_its_request_leaves():
    air = Air()
    air.up = lambda _: []
    air.device.start_join(air.now_us)
    for _ in range(20):
        air.run(20)
        assert all(JoinRequest.decode(frame.phy).dev_nonce < air.memory.dev_nonce for frame in air.sent)


@pytest.mark.parametrize(("join_nonce", "taken"), [(4, False), (5, False), (6, True), (0xFFFFFF, True)])
def test_a_join_nonce_must_rise(join_nonce, taken):
    device = asking(join_nonce=5)
    assert offered(device, JoinAccept(join_nonce, 0, 1, DlSettings(2, 0))) is taken
    assert device.memory.join_nonce == (join_nonce if taken else 5)


def test_a_list_of_channels_is_taken_where_each_may_lie():
    device = asking()
    listed = (921_800_000, 0, 868_100_000, 922_400_000, 922_600_000)
    assert offered(device, JoinAccept(2, 0, 1, DlSettings(2, 0), cf_list=listed))
    found = {index: channel.frequency_hz for index, channel in device.activation.channels.items()}
    assert found == {0: 921_400_000, 1: 921_600_000, 2: 921_800_000, 5: 922_400_000, 6: 922_600_000}


@pytest.mark.parametrize("offset", range(8))
@pytest.mark.parametrize(("where", "known"), [("AS923-2", 8), ("EU868", 6)])
def test_whatever_offset_an_accept_gives_rx1_the_device_goes_on_sending(where, known, offset):
    device = asking(where)
    assert offered(device, JoinAccept(2, 0, 1, DlSettings(2, offset)))
    device.send()
    assert device.activation.rx1_dr_offset == (offset if offset < known else 0)


@pytest.mark.parametrize(("offset", "acks"), [(5, (1, 1, 1)), (6, (1, 1, 0)), (7, (1, 1, 0))])
def test_an_offset_that_the_region_does_not_have_is_refused_whole(offset, acks):
    device = Lone(where=region("EU868"))
    assert device.obey(mac.RxParamSetupReq(3, offset, 0, 8_681_000)) == [mac.RxParamSetupAns(*acks)]
    taken = (device.activation.rx2_data_rate, device.activation.rx1_dr_offset, device.activation.rx2_hz)
    assert taken == ((3, 5, 868_100_000) if acks[2] else (0, 0, 869_525_000))
