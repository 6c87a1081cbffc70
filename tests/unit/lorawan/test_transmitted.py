"""What a gateway says of a frame: errors lead to the next window or gateway, and the sender learns it once."""

from dataclasses import replace
from itertools import pairwise

import pytest

from nyala.lorawan.device.effects import Received, Window
from nyala.lorawan.frame import DataFrame
from nyala.lorawan.network.asking import ASKED_MAX
from nyala.lorawan.network.dispatch import ATTEMPTS_MAX, REFUSALS_MAX
from nyala.lorawan.network.plan import RETRIES_MAX, indonesia
from nyala.lorawan.network.port import Downlink, Transmission, TxResult
from nyala.lorawan.network.schedule import POWER_DROP_MAX_DB, UNSENT
from nyala.vocab.errors import BadArgumentError
from tests.unit.lorawan.harness import IDENTITY, SECOND, Air, Copy, Gateway

UNSENT_RESULTS = sorted(UNSENT)


def met(*, both: bool = True, **kinds) -> Air:
    """A settled device near two gateways (or one), the second heard better."""
    air = Air(gateways=(Gateway(1, 5), Gateway(2, 4_294_960_000)) if both else (Gateway(1),), **kinds)
    air.meet()
    if both:
        air.up = lambda _: [Copy(0, snr_db=-2), Copy(1, snr_db=8)]
    air.run(5)
    return air


def says(air: Air, *results: TxResult | None) -> list[Transmission]:
    """Gateways say this of the next frames, then OK; the list fills with the frames that were handed over."""
    frames: list[Transmission] = []
    told = list(results)

    def say(frame: Transmission) -> TxResult | None:
        frames.append(frame)
        return told.pop(0) if told else TxResult.OK

    air.says = say
    return frames


def counters(frames: list[Transmission]) -> list[int]:
    return [DataFrame.decode(frame.phy).f_cnt for frame in frames]


def received(air: Air) -> list[bytes]:
    return [each.payload for each in air.told(Received)]


def test_every_result_but_two_says_that_a_frame_was_not_sent():
    assert set(TxResult) - UNSENT == {TxResult.OK, TxResult.NO_ANSWER}


def test_every_transmission_has_a_number_of_its_own_and_names_its_device():
    air = met()
    for n in range(3):
        air.order(bytes([n]))
    air.run(5)
    frames = air.heard(Transmission)
    assert len({frame.number for frame in frames}) == len(frames)
    assert 0 not in {frame.number for frame in frames}
    assert {frame.dev_eui for frame in frames} == {IDENTITY.dev_eui}


def test_an_answer_in_a_window_says_how_long_after_the_uplink_and_gives_the_gateway_its_context_back():
    air = met()
    air.send(b"who?", confirmed=True)
    in_window = air.on_air[-1][2]
    assert in_window.delay_us == SECOND
    air.order(b"c")
    air.run(2)
    at_once = air.on_air[-1][2]
    assert (at_once.delay_us, at_once.tmst_us) == (None, None)


@pytest.mark.parametrize("result", UNSENT_RESULTS)
def test_what_the_best_gateway_did_not_send_goes_through_the_next_one_in_the_same_window(result):
    air = met(class_c=False)
    frames = says(air, result)
    assert air.send(b"sure", confirmed=True).acknowledged
    assert [(frame.gateway, frame.delay_us) for frame in frames] == [(2, SECOND), (1, SECOND)]
    assert counters(frames)[0] < counters(frames)[1]


@pytest.mark.parametrize("result", UNSENT_RESULTS)
def test_what_no_gateway_sent_in_the_first_window_goes_into_the_second(result):
    air = met(both=False, class_c=False)
    air.order(b"down", token="t")
    frames = says(air, result)
    air.send(b"up")
    assert [frame.delay_us for frame in frames] == [SECOND, 2 * SECOND]
    assert air.told(Received) == [Received(20, b"down", confirmed=False, window=Window.RX2)]
    assert air.fates == [("t", "sent")]


def test_a_class_a_downlink_that_nobody_sent_waits_for_the_next_uplink_and_is_told_once():
    air = met(both=False, class_c=False)
    air.order(b"down", token="t")
    frames = says(air, TxResult.COLLISION_PACKET, TxResult.COLLISION_BEACON)
    air.send(b"one")
    assert (received(air), len(frames)) == ([], 2)
    air.send(b"two")
    assert (received(air), air.fates) == ([b"down"], [("t", "sent")])
    assert len(set(counters(frames))) == 3


def test_no_window_is_left_where_the_gateway_says_it_too_late():
    air = met(both=False, class_c=False)
    frames = says(air)
    air.say(b"sure", confirmed=True)
    air.run(1.9)
    for frame in frames:
        air.server.transmitted(frame.number, TxResult.TOO_LATE, air.now_us)
    air.run(10)
    assert len(frames) == 1


def test_a_join_accept_that_was_not_sent_goes_into_the_second_window_with_the_same_bytes():
    air = Air()
    frames = says(air, TxResult.COLLISION_PACKET)
    air.join()
    assert [frame.delay_us for frame in frames] == [5 * SECOND, 6 * SECOND]
    assert frames[0].phy == frames[1].phy


@pytest.mark.parametrize("result", UNSENT_RESULTS)
def test_a_class_c_frame_that_was_not_sent_goes_at_once_through_the_next_best_gateway(result):
    air = met()
    air.send()
    air.run(5)
    frames, began = says(air, result), air.now_us
    air.order(b"now", token="t")
    air.run(3)
    assert [frame.gateway for frame in frames] == [2, 1]
    assert air.on_air[-1][0] - began < 100_000
    assert (received(air), air.fates) == ([b"now"], [("t", "sent")])


def test_a_class_c_frame_that_all_gateways_refuse_is_tried_again_and_its_end_is_told_once():
    air = met()
    frames = says(air, *[TxResult.COLLISION_PACKET] * 50)
    air.order(b"never", token="t")
    air.run(60)
    assert air.fates == [("t", "sent"), ("t", "not_sent")]
    assert 2 <= len(frames) <= REFUSALS_MAX
    assert len(set(counters(frames))) == len(frames)


def test_a_class_c_frame_goes_out_when_the_gateway_has_a_path_again():
    air = met(both=False)
    frames = says(air, TxResult.NO_PATH, TxResult.NO_PATH)
    air.order(b"later", token="t")
    air.run(30)
    assert (received(air), air.fates, len(frames)) == ([b"later"], [("t", "sent")], 3)


def test_a_gateway_without_a_path_is_asked_last_for_a_while():
    air = met()
    air.send()
    air.run(5)
    frames = says(air, TxResult.NO_PATH)
    air.order(b"one")
    air.run(3)
    air.order(b"two")
    air.run(3)
    assert [frame.gateway for frame in frames] == [2, 1, 1]


def test_an_unconfirmed_frame_that_may_have_been_sent_is_not_sent_again():
    air = met()
    frames = says(air, TxResult.NO_ANSWER)
    air.order(b"maybe", token="t")
    air.run(30)
    assert (len(frames), air.fates) == (1, [("t", "sent")])


def test_after_an_answer_that_may_have_been_sent_only_the_acknowledgement_is_said_again():
    air = met(both=False, class_c=False)
    air.order(b"down", token="t")
    frames = says(air, TxResult.NO_ANSWER)
    air.down = lambda _: False
    air.say(b"up", confirmed=True)
    air.run(3)
    first, second = (DataFrame.decode(frame.phy) for frame in frames)
    assert (first.f_port, first.ack, second.f_port, second.ack) == (20, True, None, True)
    assert first.f_cnt < second.f_cnt


def test_mac_requests_that_no_gateway_sent_were_never_made():
    air = Air(replace(indonesia(), adr=False))
    air.join()
    says(air, *[TxResult.COLLISION_PACKET] * 4 * ASKED_MAX)
    for _ in range(2 * ASKED_MAX):
        air.send()
    assert air.session.asked == ()
    assert air.refusals == []
    air.says = lambda _: TxResult.OK
    air.send()
    air.send()
    assert air.session.settings.tx_params_known


def test_a_confirmed_frame_that_may_have_been_sent_is_sent_again_with_the_next_counter_within_its_retries():
    air = met()
    air.down = lambda _: False
    frames = says(air, TxResult.NO_ANSWER, TxResult.NO_ANSWER, TxResult.NO_ANSWER)
    air.order(b"sure", confirmed=True, token="t", retries=1)
    air.run(30)
    assert len(frames) == 2
    assert len(set(counters(frames))) == 2
    assert air.fates == [("t", "sent"), ("t", "not_acknowledged")]


@pytest.mark.parametrize("retries", [0, 1, 2, RETRIES_MAX])
def test_a_confirmed_class_c_downlink_is_repeated_so_often_and_then_told_to_be_lost(retries):
    air = met()
    air.down = lambda _: False
    frames = says(air)
    air.order(b"sure", confirmed=True, token="t", retries=retries)
    air.run(9 * (retries + 2))
    assert len(frames) == retries + 1
    assert counters(frames) == list(range(counters(frames)[0], counters(frames)[0] + retries + 1))
    assert air.fates == [("t", "sent"), ("t", "not_acknowledged")]


def test_a_repetition_that_arrives_is_acknowledged_once():
    air = met()
    first = len(air.on_air)
    air.down = lambda n: n > first
    air.order(b"sure", confirmed=True, token="t", retries=2)
    air.order(b"next", confirmed=True, token="n")
    air.run(40)
    assert received(air) == [b"sure", b"next"]
    assert air.fates == [("t", "sent"), ("t", "acknowledged"), ("n", "sent"), ("n", "acknowledged")]


def test_a_repetition_that_waits_can_be_cancelled():
    air = met()
    air.down = lambda _: False
    frames = says(air)
    air.order(b"sure", confirmed=True, token="t", retries=2)
    air.run(7.9)
    air.say(b"up")  # in its windows when the wait is over
    air.run(0.4)
    assert not air.server.cancel(IDENTITY.dev_eui, "t")
    before = len(frames)
    air.run(30)
    assert len(frames) == before


def test_more_retries_than_the_limit_are_refused():
    air = met()
    with pytest.raises(BadArgumentError, match="8 retries"):
        air.order(b"x", confirmed=True, retries=RETRIES_MAX + 1)


def test_a_power_that_a_gateway_cannot_do_is_not_asked_of_it_again_and_a_lower_one_is():
    air = met(both=False)
    frames = says(air, TxResult.TX_POWER, TxResult.TX_POWER)
    air.order(b"one")
    air.run(10)
    air.order(b"two")
    air.run(5)
    assert [frame.eirp_dbm for frame in frames] == [16, 15, 14, 14]
    assert received(air) == [b"one", b"two"]


def test_a_gateway_without_any_usable_power_sends_no_more():
    air = met(both=False)
    frames = says(air, *[TxResult.TX_POWER] * 50)
    air.order(b"one", token="t")
    air.run(60)
    assert len(frames) == POWER_DROP_MAX_DB + 1
    assert air.fates == [("t", "sent"), ("t", "not_sent")]


def test_a_frequency_that_a_gateway_refuses_is_used_through_the_other_one():
    air = met()
    air.send()
    air.run(5)
    frames = says(air, TxResult.TX_FREQ)
    for n in range(3):
        air.order(bytes([n]))
        air.run(3)
    assert [frame.gateway for frame in frames] == [2, 1, 1, 1]


def test_the_time_of_a_frame_that_was_not_sent_is_free_again():
    air = met(both=False)
    says(air, TxResult.COLLISION_PACKET)
    before = air.server._dispatch.schedule.air(1).load_us
    air.order(b"now")
    air.run(0.1)
    assert air.server._dispatch.schedule.air(1).load_us == before


def test_a_result_of_a_frame_that_nobody_knows_and_a_second_result_change_nothing():
    air = met()
    frames = says(air, None)
    air.order(b"now", token="t")
    air.run(1)
    air.server.transmitted(frames[0].number, TxResult.OK, air.now_us)
    for number in (0, frames[0].number, 10**9):
        air.server.transmitted(number, TxResult.TOO_LATE, air.now_us)
    air.run(5)
    assert (len(frames), air.fates) == (1, [("t", "sent")])


def test_only_so_many_frames_wait_for_their_result():
    air = met()
    says(air, *[None] * (ATTEMPTS_MAX + 10))
    for _ in range(ATTEMPTS_MAX + 5):
        air.server.enqueue(Downlink(IDENTITY.dev_eui, 20, b"x"), air.now_us)
        air.now_us += SECOND
        air.server.poll(air.now_us)
    assert len(air.server._dispatch._attempts) == ATTEMPTS_MAX


def test_class_c_frames_of_one_device_leave_one_after_the_other_whichever_gateways_send_them():
    air = Air(gateways=(Gateway(0xA1), Gateway(0xA2)))
    air.meet()
    first = len(air.heard(Transmission))
    for number in range(6):
        air.order(bytes([number]) * 20)
    air.run(30)
    frames = air.heard(Transmission)[first:]
    assert len(frames) == 6
    assert len({frame.gateway for frame in frames}) == 2
    spans = [(f.start_us, f.start_us + air.airtime_us(f.phy, f.data_rate, crc=False)) for f in frames]
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
