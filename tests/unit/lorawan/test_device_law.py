"""What the law holds a device to: duty cycle, listening before talk, power, dwell, channels."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.device.effects import Sense, Transmit, UplinkDone
from nyala.lorawan.device.law import HOUR_US, SLOT_US, Account
from nyala.lorawan.device.listening import ANSWER_LIMIT_US, BACK_OFF_US, ROUNDS
from nyala.lorawan.device.mac import DeviceMac
from nyala.lorawan.device.procedure import Message
from nyala.lorawan.device.profile import LORAWAN_1_0_4
from nyala.lorawan.device.state import Channel, DeviceMemory
from nyala.lorawan.region import region
from nyala.lorawan.regulation import SubBand, regulation
from tests.unit.lorawan.harness import IDENTITY, SECOND, START_US, Air
from tests.unit.lorawan.lone import Lone, due, on_air

LBT = regulation("indonesia-lbt")
LISTENS = replace(LBT, sub_bands=tuple(replace(band, per_mille=1000) for band in LBT.sub_bands))
"""Without the duty cycle."""
EU868 = regulation("eu868")


def listener(**made: Any) -> Lone:
    device = Lone(**({"regulation": LISTENS} | made))
    for index in range(2, 8):
        device.activation.channels[index] = Channel(921_400_000 + 200_000 * index, 0, 5)
    return device


def senses(device: Lone) -> list[Sense]:
    return [effect for effect in device.effects if isinstance(effect, Sense)]


def answer(device: Lone, *, free: bool) -> None:
    device.now_us = senses(device)[-1].until_us
    device.did(device.device.sensed(free, device.now_us))


def all_busy(device: Lone) -> None:
    """Every channel is busy until the device has nothing more to try or is done."""
    while not device.device.idle:
        heard = len(senses(device))
        while heard and device.device._sending.phase.value == "sensing":
            answer(device, free=False)
        if not device.device.idle:
            device.now_us = due(device.device)
            device.did(device.device.poll(device.now_us))


# -- duty cycle


@given(st.lists(st.tuples(st.integers(0, 20 * 60 * SECOND), st.integers(1, 400_000)), max_size=120), st.sampled_from([1, 10]))
def test_no_hour_ever_holds_more_than_the_duty_cycle(wishes, per_mille):
    account = Account(SubBand(0, 1, per_mille, 16))
    now_us, sent = START_US, []
    for pause_us, airtime_us in wishes:
        now_us = account.free_us(airtime_us, now_us + pause_us)
        assert account.free_us(airtime_us, now_us) == now_us
        account.book(airtime_us, now_us)
        sent.append((now_us, airtime_us))
        now_us += airtime_us
    for end_us, _ in sent:
        window = sum(airtime for begin, airtime in sent if end_us - HOUR_US < begin <= end_us)
        assert window <= HOUR_US * per_mille // 1000


def test_a_burst_is_free_and_a_full_account_waits_until_its_oldest_slot_is_an_hour_old():
    account = Account(SubBand(0, 1, 10, 16))
    begin_us = START_US // SLOT_US * SLOT_US
    for _ in range(36):
        assert account.free_us(SECOND, begin_us) == begin_us
        account.book(SECOND, begin_us)
    assert account.used_us == account.budget_us == 36 * SECOND
    assert account.free_us(SECOND, begin_us) == begin_us + HOUR_US + SLOT_US


def test_a_full_sub_band_sends_the_device_to_the_others_and_then_makes_it_wait():
    memory = Lone().memory
    device = DeviceMac(IDENTITY, region("EU868"), memory, Random(1), regulation=EU868)
    assert memory.activation is not None
    memory.activation.channels = {0: Channel(868_100_000, 0, 5), 3: Channel(867_100_000, 0, 5)}
    device.law.book(868_100_000, 36 * SECOND - 1, START_US)
    (sent,) = device.send(Message(10, b"x"), START_US)
    assert isinstance(sent, Transmit)
    assert sent.frequency_hz == 867_100_000
    device.law.book(867_100_000, 36 * SECOND, START_US)
    now_us = due(device)
    device.poll(now_us)
    assert device.send(Message(10, b"x"), now_us) == []
    assert (device.idle, device.next_us) == (False, (START_US // SLOT_US + 13) * SLOT_US)
    (sent,) = device.poll(due(device))
    assert isinstance(sent, Transmit)


def test_an_acknowledgement_that_the_duty_cycle_forbids_counts_as_given():
    device = Lone(regulation=LBT)
    device.hear(device.downlink(confirmed=True, f_port=20, payload=b"x"), rx=0)
    device.device.law.book(921_400_000, 36 * SECOND, device.now_us)
    device.now_us = due(device.device)
    assert device.did(device.device.poll(device.now_us)) == [UplinkDone(None, None, sent=False)]
    assert device.device.idle
    assert device.device.next_us is None


# -- listening before talk


def test_a_device_listens_before_it_talks_with_threshold_and_time_of_the_law():
    device = listener()
    device.say()
    (sense,) = senses(device)
    assert (sense.threshold_dbm, sense.until_us) == (-80.0, device.now_us + 5_000)
    assert not device.device.detect(921_400_000, 2, device.now_us, device.now_us + 9)  # it listens there, not to RXC
    answer(device, free=True)
    assert device.sent[-1].frequency_hz == sense.frequency_hz
    assert on_air(device.device).start_us == sense.until_us


def test_a_busy_channel_leads_to_the_next_and_each_is_tried_once_in_random_order():
    orders = set()
    for seed in range(5):
        device = listener(seed=seed)
        device.say()
        for _ in range(7):
            answer(device, free=False)
        tried = [sense.frequency_hz for sense in senses(device)]
        assert sorted(tried) == sorted(channel.frequency_hz for channel in device.activation.channels.values())
        orders.add(tuple(tried))
        answer(device, free=True)
        assert device.sent[-1].frequency_hz == tried[-1]
    assert len(orders) > 1


def test_where_all_are_busy_it_waits_for_a_random_time_and_tries_all_again():
    device = listener()
    device.say()
    for _ in range(8):
        answer(device, free=False)
    assert BACK_OFF_US[0] <= due(device.device) - device.now_us <= BACK_OFF_US[1]
    assert device.device.detect(921_400_000, 2, device.now_us, device.now_us)
    device.now_us = due(device.device)
    device.did(device.device.poll(device.now_us))
    answer(device, free=True)
    assert len(device.sent) == 1


@pytest.mark.parametrize(("confirmed", "nb_trans"), [(False, 1), (True, 1), (False, 3)])
def test_an_uplink_that_finds_no_channel_ends_unsent_after_so_many_rounds(confirmed, nb_trans):
    device = listener()
    device.activation.nb_trans = nb_trans
    device.say(confirmed=confirmed)
    all_busy(device)
    assert len(senses(device)) == ROUNDS * 8 * nb_trans
    assert device.sent == []
    done = [effect for effect in device.effects if isinstance(effect, UplinkDone)]
    assert done == [UplinkDone(None, False if confirmed else None, sent=False)]


def test_a_radio_that_does_not_say_what_it_heard_counts_as_busy():
    device = listener()
    device.say()
    first = senses(device)[0]
    assert device.device.next_us == first.until_us + ANSWER_LIMIT_US
    device.did(device.device.poll(due(device.device)))
    assert senses(device)[1].frequency_hz != first.frequency_hz


def test_an_answer_that_nobody_waits_for_is_ignored():
    device = listener()
    assert device.device.sensed(True, device.now_us) == []
    device.say()
    answer(device, free=True)
    assert device.device.sensed(True, device.now_us) == []
    assert len(device.sent) == 1


def test_a_join_listens_too_and_a_busy_band_keeps_the_join_back_off():
    air = Air(regulation=LISTENS)
    air.quiet = lambda _: False
    air.device.start_join(air.now_us)
    air.run(3600)
    assert air.sent == []
    assert {sense.frequency_hz for sense in air.told(Sense)} == set(air.plan.region.default_channels_hz)
    assert ROUNDS * 2 < len(air.told(Sense)) < 3600  # not without end
    air.quiet = lambda hz: hz == 921_600_000
    air.run(3600)
    assert air.device.joined
    assert {frame.frequency_hz for frame in air.sent} == {921_600_000}


def test_a_device_that_listens_does_all_that_one_without_does():
    air = Air(regulation=LISTENS)
    air.quiet = lambda hz: hz in {921_400_000, 922_000_000, 922_800_000}
    air.meet()
    assert air.send(b"heard", confirmed=True).acknowledged
    assert air.payloads[-1] == b"heard"
    assert {frame.frequency_hz for frame in air.sent} <= {921_400_000, 922_000_000, 922_800_000}


# -- power, dwell, channels


@pytest.mark.parametrize(
    ("law", "code", "tx_power", "eirp_dbm"),
    [(None, 5, 0, 16), (None, 9, 0, 24), (None, 15, 0, 24), (None, 15, 7, 22), (LISTENS, 15, 0, 16), (LISTENS, 15, 7, 16)],
)
def test_power_is_the_least_of_network_law_and_radio(law, code, tx_power, eirp_dbm):
    device = Lone(regulation=law)
    device.activation.max_eirp_dbm, device.activation.tx_power = mac.MAX_EIRP_DBM[code], tx_power
    device.say()
    if law is not None:
        answer(device, free=True)
    assert device.sent[-1].eirp_dbm == eirp_dbm


def test_22_dbm_conducted_are_24_dbm_with_the_antenna():
    assert LORAWAN_1_0_4.max_eirp_dbm == 24
    assert replace(LORAWAN_1_0_4, loss_db=3.0).max_eirp_dbm == 21
    assert 22 not in mac.MAX_EIRP_DBM


def test_a_power_below_what_the_radio_can_do_is_refused():
    device = Lone(profile=replace(LORAWAN_1_0_4, conducted_min_dbm=-1.0))
    assert device.obey(mac.LinkAdrReq(7, 5, 3, 1, 0)) == [mac.LinkAdrAns(1, 1, 1)]  # 2 dBm EIRP
    assert device.obey(mac.TxParamSetupReq(0, 1, 0)) == [mac.TxParamSetupAns()]
    assert device.obey(mac.LinkAdrReq(7, 5, 3, 1, 0)) == [mac.LinkAdrAns(1, 1, 0)]  # -6 dBm


def test_the_laws_dwell_limit_stays_whatever_the_network_says():
    law = replace(LISTENS, lbt=None)
    assert law.uplink_dwell
    device = Lone(data_rate=2, regulation=law)
    device.obey(mac.TxParamSetupReq(5, 0, 0))
    assert device.activation.uplink_dwell
    assert device.obey(mac.LinkAdrReq(0, 1, 3, 1, 0))[0] == mac.LinkAdrAns(1, 0, 1)


def test_a_channel_in_a_gap_of_the_law_is_refused():
    memory = DeviceMemory(activation=Lone().memory.activation)
    device = DeviceMac(IDENTITY, region("EU868"), memory, Random(1), regulation=EU868)
    for hz, allowed in ((868_100_000, True), (868_650_000, False), (869_300_000, False), (862_000_000, False)):
        assert device.law.allows(hz) is allowed


def test_an_emission_never_begins_outside_the_laws_hour_over_six_hours_of_sending():
    device = Lone(regulation=replace(LBT, lbt=None))
    begins = []
    while device.now_us < START_US + 6 * HOUR_US:
        device.say(bytes(200))
        if not on_air(device.device).emissions:
            device.now_us = due(device.device)
            device.did(device.device.poll(device.now_us))
        begins.append((device.now_us, device.device._sending.length_us))
        device.finish()
        device.activation.adr_ack_count = 0
    assert len(begins) > 500
    for end_us, _ in begins:
        assert sum(length for begin, length in begins if end_us - HOUR_US < begin <= end_us) <= 36 * SECOND
