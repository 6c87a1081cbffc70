"""Data uplinks: what a device sends is delivered once, proven and in order; everything else is refused by name."""

from dataclasses import replace

import pytest

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.effects import Received
from nyala.lorawan.device.state import Identity
from nyala.lorawan.frame import DataFrame, FType, seal
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import Refusal, Uplink
from nyala.lorawan.network.sessions import SessionRow
from tests.unit.lorawan.harness import APP_KEY, DEV_ADDR, IDENTITY, SECOND, Air, Copy, Gateway


def sealed(air: Air, f_cnt: int, **said) -> bytes:
    """A frame that the device could have sent."""
    frame = DataFrame(FType.UNCONFIRMED_UP, DEV_ADDR, f_cnt, f_port=10, payload=b"by hand")._replace(**said)
    return seal(frame, air.activation.nwk_s_key, air.activation.app_s_key)


def counters(air: Air) -> list[int]:
    return [DataFrame.decode(frame.phy).f_cnt for frame in air.sent if frame.phy[0]]


def test_uplinks_are_delivered_once_in_order_and_open():
    air = Air()
    air.join()
    for n in range(5):
        done = air.send(bytes([n]) * 20, port=10 + n)
        assert done.acknowledged is None
    uplinks = air.heard(Uplink)
    assert [(up.port, up.payload, up.f_cnt, up.confirmed) for up in uplinks] == [
        (10 + n, bytes([n]) * 20, n, False) for n in range(5)
    ]
    assert {up.dev_eui for up in uplinks} == {IDENTITY.dev_eui}
    assert air.refusals == []


def test_an_uplink_tells_how_and_when_it_was_heard():
    air = Air()
    air.join()
    air.send()
    (uplink,) = air.heard(Uplink)
    assert uplink.received_us == air.ended_us[-1] + 20_000
    assert uplink.data_rate == air.sent[-1].data_rate
    assert [(r.frequency_hz, r.snr_db) for r in uplink.receptions] == [(air.sent[-1].frequency_hz, 5.0)]


def test_a_confirmed_uplink_is_acknowledged_in_the_first_window():
    air = Air()
    air.join()
    assert air.send(b"sure", confirmed=True).acknowledged is True
    begin_us, _, frame = air.on_air[-1]
    assert begin_us == air.ended_us[-1] + 1 * SECOND
    assert (frame.frequency_hz, frame.data_rate) == (air.sent[-1].frequency_hz, air.sent[-1].data_rate)
    assert air.heard(Uplink)[-1].confirmed
    assert len(air.sent) == 2


def test_a_confirmed_uplink_is_acknowledged_in_the_second_window_where_the_first_is_over():
    air = Air(replace(indonesia(), deduplication_us=950_000))
    air.join()
    assert air.send(b"sure", confirmed=True).acknowledged is True
    begin_us, _, frame = air.on_air[-1]
    assert begin_us == air.ended_us[-1] + 2 * SECOND
    assert (frame.frequency_hz, frame.data_rate) == (921_400_000, 2)


def test_no_downlink_leaves_where_both_windows_are_over():
    air = Air(replace(indonesia(), deduplication_us=2 * SECOND))
    air.join()
    sent = len(air.on_air)
    assert air.send(b"sure", confirmed=True).acknowledged is False
    assert (len(air.on_air), air.payloads, air.too_late) == (sent, [b"sure"], [])


def test_a_confirmed_uplink_that_nobody_hears_ends_without_acknowledgement():
    air = Air()
    air.join()
    air.up = lambda _: []
    assert air.send(b"lost", confirmed=True).acknowledged is False
    assert air.payloads == []


def test_repeats_have_one_counter_new_channels_and_wait_for_both_windows():
    air = Air()
    air.meet()
    first = len(air.sent)
    air.activation.nb_trans = 6
    air.up = lambda _: []
    assert air.send(b"again", confirmed=True).acknowledged is False
    repeats = air.sent[first:]
    assert len(repeats) == 6
    assert len({frame.phy for frame in repeats}) == 1
    assert len({frame.frequency_hz for frame in repeats}) > 1
    gaps = [later - sooner for sooner, later in zip(air.ended_us[first:], air.ended_us[first + 1 :], strict=False)]
    # RX2 opens 2 s after the end; then RETRANSMIT_TIMEOUT of 2 s +- 1 s
    assert all(3 * SECOND < gap < 5.5 * SECOND for gap in gaps)
    assert len(set(gaps)) == len(gaps)


def test_repeats_of_an_unconfirmed_uplink_are_delivered_once():
    air = Air()
    air.meet()
    air.send(b"first")
    air.activation.nb_trans = 3
    assert air.send(b"thrice").acknowledged is None
    assert air.payloads[-2:] == [b"first", b"thrice"]
    assert air.refusals == ["repeated", "repeated"]
    assert air.server.refusals[Refusal.REPEATED] == 2
    assert air.send(b"next").acknowledged is None
    assert air.payloads[-1] == b"next"


def test_a_downlink_in_a_window_stops_the_repeats():
    air = Air(class_c=False)
    air.meet()
    first = len(air.sent)
    air.activation.nb_trans = 5
    air.order(b"stop")
    air.send(b"once")
    assert len(air.sent) == first + 1
    assert [received.payload for received in air.told(Received)] == [b"stop"]


def test_a_lost_acknowledgement_is_given_again_with_a_new_counter_and_the_payload_is_delivered_once():
    air = Air()
    air.meet()
    air.activation.nb_trans = 4
    sent = len(air.on_air)
    air.down = lambda n: n >= sent + 2
    assert air.send(b"sure", confirmed=True).acknowledged is True
    assert air.payloads.count(b"sure") == 1
    acks = [DataFrame.decode(frame.phy) for _, _, frame in air.on_air[sent:]]
    assert [ack.ack for ack in acks] == [True, True, True]
    assert len({ack.f_cnt for ack in acks}) == 3
    assert "repeated" not in air.refusals


def test_copies_of_two_gateways_are_one_uplink_with_the_best_first():
    air = Air(gateways=(Gateway(1), Gateway(2), Gateway(3)))
    air.join()
    air.up = lambda _: [Copy(0, 30_000, snr_db=-4), Copy(2, 120_000, snr_db=9), Copy(1, 190_000, snr_db=2)]
    air.send(b"loud")
    assert air.payloads == [b"loud"]
    assert [reception.gateway for reception in air.heard(Uplink)[-1].receptions] == [3, 2, 1]
    assert air.heard(Uplink)[-1].received_us == air.ended_us[-1] + 30_000
    assert air.refusals == []


@pytest.mark.parametrize("delay_us", [230_000, 900_000, 1_900_000])
def test_a_late_copy_is_counted_and_forgotten(delay_us):
    air = Air(gateways=(Gateway(1), Gateway(2)))
    air.join()
    before = air.server.duplicates
    air.up = lambda _: [Copy(0, 20_000), Copy(1, delay_us)]
    air.send(b"one")
    air.run(5)
    assert (air.payloads, air.refusals, air.server.duplicates) == ([b"one"], [], before + 1)


@pytest.mark.parametrize("behind", [1, 2, 5])
def test_a_replayed_frame_is_refused(behind):
    air = Air()
    air.join()
    for n in range(6):
        air.send(bytes([n]))
    air.run(10)
    air.inject(air.sent[-behind].phy)
    air.run(1)
    assert air.refusals == ["repeated" if behind == 1 else "replayed"]
    assert len(air.payloads) == 6
    assert (air.session.f_cnt_up, air.store.rows[IDENTITY.dev_eui].f_cnt_up) == (6, 6)


def test_a_frame_that_was_overtaken_is_refused_as_a_replay():
    air = Air()
    air.join()
    air.up = lambda n: [Copy(delay_us=9 * SECOND if n == 1 else 20_000)]
    air.send(b"slow")
    air.send(b"fast")
    air.run(10)
    assert (air.payloads, air.refusals) == ([b"fast"], ["replayed"])


@pytest.mark.parametrize("following", [0xFFFE, 0xFFFF, 0x10000, 0x1FFFF, 0x12345FFFE])
def test_uplink_counters_run_over_the_16_bit_boundary(following):
    following &= 0xFFFFFFFF
    air = Air()
    air.join()
    air.activation.f_cnt_up = air.session.f_cnt_up = following
    for n in range(3):
        assert air.send(bytes([n]), confirmed=True).acknowledged
    assert [uplink.f_cnt for uplink in air.heard(Uplink)] == [following, following + 1, following + 2]
    air.run(10)
    air.inject(air.sent[-3].phy)
    air.run(1)
    assert air.refusals == ["replayed"]


@pytest.mark.parametrize("missed", [1, 16_384, 65_535])
def test_a_device_is_heard_again_after_many_lost_uplinks(missed):
    # MAX_FCNT_GAP is gone in 1.0.4
    air = Air()
    air.join()
    air.send(b"before")
    air.activation.f_cnt_up += missed
    air.send(b"after")
    assert air.payloads == [b"before", b"after"]
    assert air.heard(Uplink)[-1].f_cnt == 1 + missed


def test_the_first_uplink_may_have_counter_zero_or_one():
    for first in (0, 1):
        air = Air()
        air.join()
        air.activation.f_cnt_up = first
        air.send(b"hi")
        assert air.payloads == [b"hi"]


def test_a_bare_frame_is_an_uplink_without_port():
    air = Air()
    air.join()
    air.send(b"", port=None)
    (uplink,) = air.heard(Uplink)
    assert (uplink.port, uplink.payload) == (None, b"")


def test_an_adr_ack_request_is_answered_with_a_downlink():
    air = Air()
    air.meet()
    air.activation.adr_ack_count = air.plan.region.adr_ack_limit
    sent = len(air.on_air)
    air.send(b"still there?")
    assert DataFrame.decode(air.sent[-1].phy).adr_ack_req
    assert len(air.on_air) == sent + 1
    assert air.activation.adr_ack_count == 0


REFUSED = {
    "flipped bit": (lambda air: bytes([*sealed(air, 5)[:-1], sealed(air, 5)[-1] ^ 1]), Refusal.BAD_MIC),
    "another network's DevAddr": (
        lambda air: sealed(air, 5).replace(DEV_ADDR.to_bytes(4, "little"), b"abcd"),
        Refusal.UNKNOWN_DEVICE,
    ),
    "a downlink": (lambda air: b"\x60" + sealed(air, 5)[1:], Refusal.WRONG_TYPE),
    "a join accept": (lambda _: b"\x20" + bytes(16), Refusal.NOT_A_FRAME),
    "a proprietary frame": (lambda _: b"\xe0" + bytes(20), Refusal.NOT_A_FRAME),
    "another major version": (lambda air: b"\x41" + sealed(air, 5)[1:], Refusal.NOT_A_FRAME),
    "no bytes": (lambda _: b"", Refusal.NOT_A_FRAME),
    "a short frame": (lambda air: sealed(air, 5)[:11], Refusal.NOT_A_FRAME),
}


@pytest.mark.parametrize(("make", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_uplink_of_ours_is_refused_by_name_and_changes_nothing(make, reason):
    air = Air()
    air.join()
    air.send(b"one")
    row = SessionRow.of(air.session)
    sent = len(air.on_air)
    air.inject(make(air))
    air.run(3)
    assert air.refusals == [reason.value]
    assert air.server.refusals == {reason: 1}
    assert (air.payloads, SessionRow.of(air.session), len(air.on_air)) == ([b"one"], row, sent)


def test_mac_commands_that_are_cut_short_are_refused_but_the_payload_is_delivered():
    air = Air()
    air.join()
    air.inject(sealed(air, 0, f_opts=b"\x03", payload=b"good"))
    air.run(3)
    assert (air.refusals, air.payloads) == (["bad_mac_command"], [b"good"])


def test_a_device_that_asks_for_more_answers_than_a_frame_holds_is_still_answered():
    air = Air()
    air.join()
    air.inject(sealed(air, 0, f_opts=mac.encode([mac.LinkCheckReq()] * 15)))
    air.inject(sealed(air, 1, f_port=0, payload=mac.encode([mac.DeviceTimeReq()] * 40)), copy=Copy(delay_us=3 * SECOND))
    air.run(10)
    assert [uplink.f_cnt for uplink in air.heard(Uplink)] == [0, 1]


def test_port_zero_carries_mac_commands_and_no_payload():
    air = Air()
    air.join()
    air.inject(sealed(air, 0, f_port=0, payload=mac.encode([mac.LinkCheckReq()])))
    air.run(3)
    assert [(uplink.port, uplink.payload) for uplink in air.heard(Uplink)] == [(0, b"")]
    answer = DataFrame.decode(air.on_air[-1][2].phy)
    assert mac.decode(answer.f_opts, mac.DOWNLINK)[0] == mac.LinkCheckAns(20, 1)


def test_devices_that_share_an_address_are_told_apart_by_their_keys():
    other = Identity(0x70B3D57ED0000002, IDENTITY.join_eui, APP_KEY)
    air = Air()
    air.store.add(other)
    air.join()
    keys = bytes([7] * 16), bytes([8] * 16)
    row = replace(air.store.rows[IDENTITY.dev_eui], dev_eui=other.dev_eui, nwk_s_key=keys[0], app_s_key=keys[1])
    air.store.rows[other.dev_eui] = row
    air.restart_server()
    frame = DataFrame(FType.UNCONFIRMED_UP, DEV_ADDR, 3, f_port=10, payload=b"other")
    air.inject(seal(frame, AesKey(keys[0]), AesKey(keys[1])))
    air.send(b"ours")
    assert [(uplink.dev_eui, uplink.payload) for uplink in air.heard(Uplink)] == [
        (other.dev_eui, b"other"),
        (IDENTITY.dev_eui, b"ours"),
    ]
    assert [session.f_cnt_up for session in air.server.sessions.of_address(DEV_ADDR)] == [1, 4]


def test_an_uplink_is_delivered_once_across_a_restart_of_the_server():
    air = Air()
    air.meet()
    air.down = lambda _: False
    air.activation.nb_trans = 2
    air.say(b"once", confirmed=True)
    air.run(1)
    air.restart_server()
    air.run(20)
    assert air.payloads.count(b"once") == 1
    assert air.told(Received) == []
