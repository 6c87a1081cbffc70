"""Downlinks of the application: class C at once, class A in the windows, each told what became of it."""

from dataclasses import replace
from itertools import pairwise

import pytest

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.effects import Received, UplinkDone, Window
from nyala.lorawan.frame import DataFrame, FType, seal
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import Downlink, Uplink
from nyala.lorawan.network.sessions import QUEUE_LIMIT
from nyala.vocab.errors import BadArgumentError, ConflictError
from tests.unit.lorawan.harness import DEV_ADDR, IDENTITY, SECOND, Air, Copy, Gateway


def received(air: Air) -> list[bytes]:
    return [each.payload for each in air.told(Received)]


def met(**kinds) -> Air:
    """A device that the network knows and has nothing more to ask of."""
    air = Air(**kinds)
    air.meet()
    return air


def test_a_class_c_downlink_goes_out_at_once_in_rx2s_channel():
    air = met()
    began = air.now_us
    air.order(b"now", token="t")
    air.run(1)
    assert air.told(Received) == [Received(20, b"now", confirmed=False, window=Window.RXC)]
    assert air.fates == [("t", "sent")]
    begin_us, _, frame = air.on_air[-1]
    assert (begin_us, frame.frequency_hz, frame.data_rate, frame.tmst_us) == (began, 921_400_000, 2, None)


def test_a_confirmed_class_c_downlink_is_acknowledged_by_an_empty_uplink_in_time():
    air = met()
    began, sent = air.now_us, len(air.sent)
    air.order(b"sure", confirmed=True, token="t")
    air.run(8)
    assert air.fates == [("t", "sent"), ("t", "acknowledged")]
    assert air.told(Received) == [Received(20, b"sure", confirmed=True, window=Window.RXC)]
    assert len(air.sent) == sent + 1
    assert air.ended_us[-1] - began < 8 * SECOND
    answer = air.heard(Uplink)[-1]
    assert (answer.port, answer.acknowledges) == (None, "t")
    assert DataFrame.decode(air.sent[-1].phy).ack


def test_an_uplink_that_comes_first_takes_the_acknowledgement_along():
    air = met()
    air.order(b"sure", confirmed=True, token="t")
    air.run(0.35)
    assert received(air) == [b"sure"]
    sent = len(air.sent)
    air.send(b"data")
    air.run(8)
    assert len(air.sent) == sent + 1
    assert air.heard(Uplink)[-1].acknowledges == "t"
    assert air.heard(Uplink)[-1].payload == b"data"


def test_a_confirmed_downlink_that_is_lost_is_told_after_the_response_timeout():
    air = met()
    air.down = lambda _: False
    began = air.now_us
    air.order(b"sure", confirmed=True, token="t")
    air.run(7.9)
    assert air.fates == [("t", "sent")]
    air.run(0.2)
    assert air.fates == [("t", "sent"), ("t", "not_acknowledged")]
    assert air.now_us - began < 9 * SECOND


def test_one_confirmed_downlink_is_outstanding_at_a_time():
    air = met()
    air.down = lambda _: False
    sent = len(air.on_air)
    for token in "ab":
        air.order(b"sure", confirmed=True, token=token)
    air.run(7)
    assert len(air.on_air) == sent + 1
    air.run(10)
    assert air.fates == [("a", "sent"), ("a", "not_acknowledged"), ("b", "sent"), ("b", "not_acknowledged")]


def test_an_unconfirmed_downlink_does_not_wait_for_an_outstanding_confirmed_one():
    # lorawan.md section 4: "Unconfirmed ones need no gap"
    air = met()
    air.down = lambda _: False
    air.order(b"sure", confirmed=True, token="a")
    air.run(1)
    air.order(b"now", token="b")
    air.run(1)
    assert ("b", "sent") in air.fates


def test_an_acknowledgement_frees_the_queue_before_the_timeout():
    air = met()
    for token in "abcd":
        air.order(token.encode(), confirmed=token == "a", token=token)
    air.run(7)
    assert received(air) == [b"a", b"b", b"c", b"d"]


def test_the_end_of_a_wait_is_told_even_where_the_server_was_polled_late():
    air = met()
    air.down = lambda _: False
    air.order(b"sure", confirmed=True, token="a")
    air.order(b"next", confirmed=True, token="b")
    air.run(7.9)
    air.inject(sealed_up(air, air.session.f_cnt_up), copy=Copy(delay_us=0))
    air.run(0)
    air.now_us += 300_000  # the end of the wait and of the window of deduplication are found by one poll
    air.poll_server()
    air.run(20)
    assert air.fates.count(("a", "not_acknowledged")) == 1
    assert air.fates.count(("b", "not_acknowledged")) == 1


def sealed_up(air: Air, f_cnt: int) -> bytes:
    frame = DataFrame(FType.UNCONFIRMED_UP, DEV_ADDR, f_cnt, f_port=10, payload=b"by hand")
    return seal(frame, air.activation.nwk_s_key, air.activation.app_s_key)


def test_a_rejoin_ends_the_wait_for_an_acknowledgement():
    air = met()
    air.down = lambda _: False
    air.order(b"sure", confirmed=True, token="a")
    air.run(0.5)
    air.down = lambda _: True
    air.device.start_join(air.now_us)
    air.run(30)
    assert air.device.joined
    assert air.fates == [("a", "sent"), ("a", "not_acknowledged")]


def test_waiting_downlinks_survive_a_rejoin():
    air = met(class_c=False)
    air.order(b"later", token="t")
    air.device.start_join(air.now_us)
    air.run(10)
    air.send(b"up")
    assert received(air) == [b"later"]


def test_class_c_begins_with_the_first_uplink_after_a_join():
    air = Air()
    air.join()
    air.order(b"early")
    air.run(60)
    assert received(air) == []
    air.send(b"first")
    air.run(5)
    assert received(air) == [b"early"]


def test_class_c_goes_on_after_a_restart_of_the_server_through_the_gateway_that_heard_the_device():
    air = met(gateways=(Gateway(1), Gateway(2)))
    air.up = lambda _: [Copy(1)]
    air.send(b"up")
    air.restart_server()
    air.order(b"after")
    air.run(5)
    assert received(air) == [b"after"]
    assert air.on_air[-1][2].gateway == 2


def test_an_acknowledgement_of_before_a_restart_is_not_taken_for_one_of_a_later_downlink():
    air = met()
    air.order(b"first", confirmed=True, token="first")
    air.run(0.35)
    assert received(air) == [b"first"]
    air.restart_server()
    air.down = lambda _: False
    air.order(b"second", confirmed=True, token="second")
    air.run(20)
    assert ("second", "acknowledged") not in air.fates
    assert ("second", "not_acknowledged") in air.fates


def test_a_class_a_device_is_told_in_the_window_of_its_next_uplink_only():
    air = met(class_c=False)
    air.order(b"waits", token="t")
    air.run(120)
    assert (received(air), air.fates) == ([], [])
    air.send(b"up")
    assert air.told(Received) == [Received(20, b"waits", confirmed=False, window=Window.RX1)]
    assert air.fates == [("t", "sent")]


def test_a_class_a_device_is_told_that_more_is_waiting():
    air = met(class_c=False)
    for payload in (b"one", b"two"):
        air.order(payload)
    first = len(air.on_air)
    air.send()
    air.send()
    assert received(air) == [b"one", b"two"]
    assert [DataFrame.decode(frame.phy).pending for _, _, frame in air.on_air[first:]] == [True, False]


def test_a_class_a_device_may_acknowledge_with_its_next_uplink():
    # lorawan.md section 4: a confirmed class A downlink blocks until the next uplink
    air = met(class_c=False)
    air.order(b"sure", confirmed=True, token="t")
    air.send(b"up")
    air.device._speak_us = air.now_us + 60 * SECOND  # a device that waits for its application
    air.run(61)
    assert air.fates == [("t", "sent"), ("t", "acknowledged")]


def test_nothing_is_sent_while_the_device_is_in_its_windows_but_in_them():
    air = met()
    air.say(b"up")
    end_us = air.ended_us[-1] if len(air.ended_us) == len(air.sent) else 0
    air.run(0.9)
    air.order(b"in the window")
    air.run(0.3)
    air.order(b"after the windows")
    air.run(5)
    windows = [each.window for each in air.told(Received)]
    assert received(air) == [b"in the window", b"after the windows"]
    assert windows in ([Window.RX1, Window.RXC], [Window.RX2, Window.RXC])
    assert air.on_air[-1][0] > end_us + 2 * SECOND


def test_the_queue_of_a_device_is_limited():
    air = Air()
    air.join()
    for n in range(QUEUE_LIMIT):
        air.order(bytes([n]))
    with pytest.raises(ConflictError, match=f"has {QUEUE_LIMIT} downlinks waiting"):
        air.order(b"one too many")


def test_a_device_that_has_not_joined_takes_no_downlink():
    air = Air()
    with pytest.raises(ConflictError, match="70b3d57ed0000001 has not joined"):
        air.order(b"x")


@pytest.mark.parametrize("port", [-1, 0, 256])
def test_a_port_that_is_not_the_applications_is_refused_when_it_is_enqueued(port):
    air = met()
    with pytest.raises(BadArgumentError):
        air.server.enqueue(Downlink(IDENTITY.dev_eui, port, b"x"), air.now_us)


def test_a_waiting_downlink_can_be_taken_back_once():
    air = met(class_c=False)
    air.order(b"no", token="no")
    air.order(b"yes", token="yes")
    assert air.server.cancel(IDENTITY.dev_eui, "no")
    assert not air.server.cancel(IDENTITY.dev_eui, "no")
    assert not air.server.cancel(IDENTITY.dev_eui + 1, "yes")
    air.send()
    assert received(air) == [b"yes"]
    assert not air.server.cancel(IDENTITY.dev_eui, "yes")


@pytest.mark.parametrize(("class_c", "size"), [(True, 116), (False, 243)])
def test_a_downlink_that_no_frame_holds_is_told_and_does_not_block_the_next(class_c, size):
    air = met(class_c=class_c)  # class C: SF10; class A: RX1 at SF7 too
    air.order(bytes(size), token="long")
    air.order(b"short", token="short")
    air.run(1)
    air.send()
    air.run(5)
    air.send()
    assert ("long", "too_long") in air.fates
    assert received(air) == [b"short"]


def test_the_largest_downlink_of_rx2_is_sent():
    air = met()
    air.order(bytes(115), token="t")
    air.run(3)
    assert received(air) == [bytes(115)]


def test_downlink_counters_run_over_the_16_bit_boundary_and_never_repeat():
    air = met()
    air.session.f_cnt_down = air.activation.f_cnt_down = 0xFFFE
    first = len(air.on_air)
    for n in range(4):
        air.order(bytes([n]), confirmed=n % 2 == 0)
        air.run(10)
    assert received(air) == [bytes([n]) for n in range(4)]
    assert air.activation.f_cnt_down >= 0x10002
    frames = [DataFrame.decode(frame.phy).f_cnt for _, _, frame in air.on_air[first:]]
    assert frames[:4] == [0xFFFE, 0xFFFF, 0x0000, 0x0001]


def test_a_replayed_downlink_is_dropped():
    air = met()
    air.order(b"open")
    air.run(1)
    air.order(b"close")
    air.run(1)
    for _, _, frame in air.on_air[1:]:
        air.run(1)
        assert air.device.detect(921_400_000, 2, air.now_us, air.now_us + 1)
        assert air.device.receive(frame.phy, 5.0, air.now_us) == []
    assert received(air) == [b"open", b"close"]


@pytest.mark.parametrize("change", ["mic", "dev_addr", "uplink", "key"])
def test_a_downlink_that_is_not_ours_is_dropped_in_silence(change):
    air = met()
    session = air.session
    frame = DataFrame(FType.UNCONFIRMED_DOWN, DEV_ADDR, session.f_cnt_down, f_port=20, payload=b"x")
    keys = session.nwk_s_key, session.app_s_key
    phy = seal(frame, *keys)
    wrong = {
        "mic": phy[:-1] + bytes([phy[-1] ^ 1]),
        "dev_addr": seal(frame._replace(dev_addr=DEV_ADDR + 1), *keys),
        "uplink": seal(frame._replace(f_type=FType.UNCONFIRMED_UP), *keys),
        "key": seal(frame, AesKey(bytes(16)), keys[1]),
    }[change]
    before = air.activation.f_cnt_down
    assert air.device.detect(921_400_000, 2, air.now_us, air.now_us + 1)
    assert air.device.receive(wrong, 5.0, air.now_us) == []
    assert air.activation.f_cnt_down == before
    assert len(air.device.receive(phy, 5.0, air.now_us)) == 1


def test_a_gateway_sends_one_frame_at_a_time():
    air = met(gateways=(Gateway(1), Gateway(2)))
    for n in range(10):
        air.order(bytes([n]) * 50)
    air.run(30)
    assert received(air) == [bytes([n]) * 50 for n in range(10)]
    spans: dict[int, list[tuple[int, int]]] = {}
    for begin_us, end_us, frame in air.on_air:
        spans.setdefault(frame.gateway, []).append((begin_us, end_us))
    for of_one in spans.values():
        of_one.sort()
        assert all(end_us < begin_us for (_, end_us), (begin_us, _) in pairwise(of_one))


def test_class_a_downlinks_go_through_the_gateway_that_heard_best():
    air = met(gateways=(Gateway(1, 17), Gateway(2, 4_294_967_000), Gateway(3)))
    air.up = lambda _: [Copy(0, snr_db=-2), Copy(1, snr_db=8), Copy(2, snr_db=3)]
    assert air.send(b"who?", confirmed=True).acknowledged
    assert air.on_air[-1][2].gateway == 2


def test_where_the_best_gateway_is_busy_the_next_one_sends():
    air = met(gateways=(Gateway(1), Gateway(2)))
    air.up = lambda _: [Copy(0, snr_db=-2), Copy(1, snr_db=8)]
    air.say(b"who?", confirmed=True)
    air.server._dispatch.schedule.air(2).reserve(air.now_us, 2 * SECOND)
    air.run(5)
    assert air.on_air[-1][2].gateway == 1
    assert air.told(UplinkDone)[-1].acknowledged


def test_the_power_of_a_downlink_is_that_of_the_plan():
    air = met(plan=replace(indonesia(), gateway_eirp_dbm=14))
    air.order(b"x")
    air.run(1)
    assert air.on_air[-1][2].eirp_dbm == 14
