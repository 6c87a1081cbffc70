"""NbTrans, acknowledgements of both directions, and the pauses between them.  TS001-1.0.4 sections 4.3.1.3, 5.2 and 17."""

from itertools import pairwise
from typing import Any

import pytest

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.device.effects import Received, Transmit, UplinkDone
from nyala.lorawan.device.mac import CLASS_C_RESP_TIMEOUT_US, RESPONSE_US, RETRANSMIT_TIMEOUT_US
from nyala.lorawan.device.profile import LORAWAN_1_0_3
from nyala.lorawan.device.state import Channel
from tests.unit.lorawan.harness import SECOND, Air
from tests.unit.lorawan.lone import Lone, due, on_air

CONFIRMED: dict[str, Any] = {"confirmed": True, "f_port": 20, "payload": b"x"}


def repeater(nb_trans: int, **made: Any) -> Lone:
    device = Lone(**made)
    device.activation.nb_trans = nb_trans
    for index in range(2, 8):
        device.activation.channels[index] = Channel(921_400_000 + 200_000 * index, 0, 5)
    return device


def begins(device: Lone) -> list[int]:
    """Says an uplink that nobody answers; when each of its emissions began."""
    device.say()
    times = [device.now_us]
    while not device.device.idle:
        device.now_us = due(device.device)
        if any(isinstance(effect, Transmit) for effect in device.did(device.device.poll(device.now_us))):
            times.append(device.now_us)
    return times


@pytest.mark.parametrize("confirmed", [False, True])
@pytest.mark.parametrize("nb_trans", [1, 2, 15])
def test_an_uplink_is_sent_nb_trans_times_with_one_counter_and_one_text(confirmed, nb_trans):
    device = repeater(nb_trans)
    device.send(b"same", confirmed=confirmed)
    assert len(device.sent) == nb_trans
    assert len({frame.phy for frame in device.sent}) == 1
    assert device.activation.f_cnt_up == 1
    assert device.done() == [False if confirmed else None]
    if nb_trans == 15:
        assert len({frame.frequency_hz for frame in device.sent}) > 3


def test_a_repeat_waits_for_both_windows_and_a_random_time():
    device = repeater(8)
    times = begins(device)
    airtime_us = device.device.airtime_us // 8
    pauses = [later - earlier - airtime_us for earlier, later in pairwise(times)]
    assert len(set(pauses)) == 7
    assert all(pause >= 2 * SECOND + RETRANSMIT_TIMEOUT_US[0] for pause in pauses)
    assert all(pause <= 2 * SECOND + RETRANSMIT_TIMEOUT_US[1] + 100_000 for pause in pauses)


def test_after_a_missing_acknowledgement_a_new_uplink_waits_too():
    # TS001-1.0.4 4.3.1.3: "repetition or new frame"
    device = Lone()
    device.send()
    assert device.device.ready(device.now_us)
    device.say(confirmed=True)
    rx2_us = on_air(device.device).rx2[0]
    device.finish()
    assert not device.device.ready(device.now_us)
    assert RETRANSMIT_TIMEOUT_US[0] <= device.device.free_us - rx2_us <= RETRANSMIT_TIMEOUT_US[1]
    assert device.device.ready(device.device.free_us)


@pytest.mark.parametrize("confirmed", [False, True])
@pytest.mark.parametrize("rx", [1, 2])
@pytest.mark.parametrize("after", [0, 1])
def test_any_class_a_downlink_ends_the_repeats(confirmed, rx, after):
    device = repeater(3)
    device.say(confirmed=confirmed)
    for _ in range(after):
        for _ in range(2):  # the end of the windows, the end of the pause
            device.now_us = due(device.device)
            device.did(device.device.poll(device.now_us))
    device.hear(device.downlink(ack=confirmed), rx=rx)
    assert device.device.idle
    assert len(device.sent) == 1 + after
    assert device.done() == [True if confirmed else None]


def test_a_class_c_downlink_and_a_bad_frame_do_not_end_the_repeats():
    device = repeater(3)
    device.say()
    device.now_us = due(device.device)
    device.did(device.device.poll(device.now_us))
    assert len(device.hear(device.downlink(f_port=20, payload=b"x"), rx=0)) == 1
    device.finish()
    assert len(device.sent) == 3


def test_a_device_of_1_0_3_repeats_unconfirmed_frames_and_tries_confirmed_ones_eight_times():
    device = repeater(3, profile=LORAWAN_1_0_3)
    device.send()
    assert len(device.sent) == 3
    device.send(confirmed=True)
    assert len(device.sent) == 3 + 8


# -- confirmed downlinks


def test_a_class_c_downlink_is_acknowledged_at_a_random_time_well_within_its_timeout():
    delays = set()
    for seed in range(20):
        device = Lone(seed=seed)
        device.hear(device.downlink(**CONFIRMED), rx=0)
        delays.add(due(device.device) - device.now_us)
        device.now_us = due(device.device)
        device.did(device.device.poll(device.now_us))
        assert (device.frame().ack, device.frame().f_port) == (True, None)
    assert len(delays) == 20
    assert min(delays) >= RESPONSE_US[0]
    assert max(delays) <= RESPONSE_US[1] < CLASS_C_RESP_TIMEOUT_US


def test_an_acknowledgement_travels_with_the_next_uplink_once():
    device = Lone()
    device.hear(device.downlink(**CONFIRMED), rx=0)
    device.send(b"payload")
    device.send(b"more")
    assert [device.frame(index).ack for index in range(2)] == [True, False]
    assert device.device.next_us is None


def test_an_acknowledgement_is_repeated_at_most_nb_trans_times_and_never_after_the_timeout():
    counts = set()
    for seed in range(10):
        device = repeater(6, seed=seed)
        device.hear(device.downlink(**CONFIRMED), rx=0)
        heard_us = device.now_us
        device.now_us = due(device.device)
        begin_us = []
        effects = device.did(device.device.poll(device.now_us))
        while not device.device.idle:
            begin_us += [device.now_us] * sum(isinstance(effect, Transmit) for effect in effects)
            device.now_us = due(device.device)
            effects = device.did(device.device.poll(device.now_us))
        assert all(at_us <= heard_us + CLASS_C_RESP_TIMEOUT_US for at_us in begin_us)
        counts.add(len(begin_us))
    assert counts <= {2, 3}


def test_an_acknowledgement_that_comes_too_late_counts_as_given():
    device = repeater(4)
    device.say(confirmed=True)
    device.now_us = due(device.device)
    device.did(device.device.poll(device.now_us))
    device.hear(device.downlink(**CONFIRMED), rx=0)  # between two repeats, which go on for long
    device.finish()
    assert len(device.sent) == 4
    late_us = due(device.device)
    assert late_us > device.now_us
    assert device.did(device.device.poll(late_us)) == []
    assert device.device.next_us is None
    device.now_us = late_us
    device.say()
    assert not device.frame().ack


def test_a_class_a_downlink_is_acknowledged_with_the_next_uplink_however_late():
    device = Lone(class_c=False)
    device.say()
    device.hear(device.downlink(**CONFIRMED))
    device.now_us += 100 * SECOND
    device.say()
    assert device.frame().ack


def test_a_network_has_one_confirmed_downlink_outstanding_and_gets_both_answers():
    air = Air()
    air.meet()
    for payload in (b"one", b"two"):
        air.order(payload, confirmed=True, token=payload)
    air.run(20)
    assert [received.payload for received in air.told(Received)] == [b"one", b"two"]
    assert [fate for fate in air.fates if fate[1] == "acknowledged"] == [(b"one", "acknowledged"), (b"two", "acknowledged")]


# -- more to come


@pytest.mark.parametrize(("class_c", "early"), [(False, True), (True, False)])
def test_frame_pending_makes_a_class_a_device_ask_again_soon(class_c, early):
    device = Lone(class_c=class_c)
    device.say()
    device.hear(device.downlink(f_port=20, payload=b"x", pending=True))
    assert (device.device.next_us is not None) is early
    if early:
        assert RESPONSE_US[0] <= due(device.device) - device.now_us <= RESPONSE_US[1]
        device.now_us = due(device.device)
        device.did(device.device.poll(device.now_us))
        assert (device.frame().f_port, device.frame().ack) == (None, False)
        device.hear(device.downlink(f_port=20, payload=b"y"))
        assert device.device.next_us is None


def test_a_class_a_device_fetches_a_queue_without_waiting_for_its_own_next_uplink():
    air = Air(class_c=False)
    air.meet()
    for payload in (b"1", b"2", b"3"):
        air.order(payload)
    air.send()
    air.run(20)
    assert [received.payload for received in air.told(Received)] == [b"1", b"2", b"3"]


# -- what is on the air stays whole


def test_nothing_is_sent_while_a_frame_is_being_received():
    device = Lone()
    assert device.device.detect(921_400_000, 2, device.now_us, device.now_us + 300_000)
    assert not device.device.ready(device.now_us + 299_999)
    assert device.device.free_us == device.now_us + 300_000
    assert not device.device.detect(921_400_000, 2, device.now_us + 1, device.now_us + 9)  # it is on the first


def test_rx1_opens_through_a_frame_in_rxc_which_is_lost():
    device = Lone()
    device.say()
    rx1_us = on_air(device.device).rx1[0]
    assert not device.device.detect(921_400_000, 2, rx1_us - 100_000, rx1_us + 100_000)
    assert device.device.detect(921_400_000, 2, rx1_us - 100_000, rx1_us - 50_000)


def test_a_new_join_drops_the_uplink_in_progress():
    device = repeater(3)
    device.say()
    device.now_us = due(device.device)
    device.did(device.device.poll(device.now_us))
    device.device.start_join(device.now_us)
    assert not [effect for effect in device.effects if isinstance(effect, UplinkDone)]
    device.did(device.device.poll(device.now_us))
    assert len(device.sent[-1].phy) == 23


def test_the_battery_is_the_callers():
    device = Lone()
    device.device.battery = 255
    assert device.obey(mac.DevStatusReq()) == [mac.DevStatusAns(255, 7)]
