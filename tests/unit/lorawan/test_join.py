"""Over-the-air activation: device and join server together."""

from dataclasses import replace

import pytest

from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.effects import Joined
from nyala.lorawan.device.state import DeviceMemory, Identity
from nyala.lorawan.frame import DlSettings, JoinAccept, JoinRequest
from nyala.lorawan.network import nonces
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import JoinedDevice, Refusal
from tests.unit.lorawan.harness import APP_KEY, DEV_ADDR, IDENTITY, SECOND, Air, Copy, Gateway

HOUR_S = 3_600
LATE_S = nonces.LATE_US // SECOND + 1


def requests(air: Air) -> list[JoinRequest]:
    return [JoinRequest.decode(frame.phy) for frame in air.sent if frame.phy[0] == 0]


def test_a_device_joins_and_both_sides_have_the_same_session():
    air = Air()
    air.join()
    assert air.told(Joined) == [Joined(DEV_ADDR)]
    assert [(joined.dev_eui, joined.dev_addr) for joined in air.heard(JoinedDevice)] == [(IDENTITY.dev_eui, DEV_ADDR)]
    assert air.activation.nwk_s_key.value == air.session.nwk_s_key.value
    assert air.activation.app_s_key.value == air.session.app_s_key.value
    assert air.activation.nwk_s_key.value != air.activation.app_s_key.value
    assert (air.activation.f_cnt_up, air.activation.f_cnt_down) == (air.session.f_cnt_up, air.session.f_cnt_down) == (0, 0)


def test_a_join_gives_seven_channels_and_the_windows_of_the_plan():
    air = Air(replace(indonesia(), rx_delay_s=5, rx1_dr_offset=1, rx2_data_rate=3))
    air.join()
    frequencies = [channel.frequency_hz for _, channel in sorted(air.activation.channels.items())]
    assert frequencies == list(air.plan.uplink_channels_hz[:7])
    assert all((c.data_rate_min, c.data_rate_max, c.enabled) == (0, 5, True) for c in air.activation.channels.values())
    windows = (air.activation.rx_delay_s, air.activation.rx1_dr_offset, air.activation.rx2_data_rate)
    assert windows == (5, 1, 3)
    assert air.activation.rx2_hz == 921_400_000
    assert air.send(b"ack me", confirmed=True).acknowledged


def test_a_session_begins_at_the_data_rate_of_the_join_and_with_the_dwell_limit():
    air = Air()
    air.up = lambda n: [] if n < 2 else [Copy()]
    air.join()
    assert [frame.data_rate for frame in air.sent] == [5, 4, 3]
    assert (air.activation.data_rate, air.activation.uplink_dwell, air.activation.max_eirp_dbm) == (3, True, 16)


def test_join_requests_cycle_through_the_join_data_rates_and_use_the_two_default_channels():
    air = Air()
    air.up = lambda _: []
    air.device.start_join(air.now_us)
    air.run(600)
    assert [frame.data_rate for frame in air.sent[:6]] == [5, 4, 3, 2, 5, 4]
    assert {frame.frequency_hz for frame in air.sent} == set(air.plan.region.default_channels_hz)
    assert {frame.eirp_dbm for frame in air.sent} == {16}


def test_dev_nonces_count_from_zero_and_survive_a_power_cut():
    air = Air()
    air.up = lambda _: []
    for _ in range(2):
        air.device.start_join(air.now_us)
        air.run(60)
        air.restart_device()
    nonces = [request.dev_nonce for request in requests(air)]
    assert nonces == list(range(len(nonces)))
    assert len(nonces) >= 4


def test_join_requests_keep_the_join_duty_cycle():
    # TS001-1.0.4 7 (lorawan.md section 3): 36 s of airtime in the first hour, 36 s in the next ten, then 8.7 s a day
    air = Air()
    air.up = lambda _: []
    air.device.start_join(air.now_us)
    begin_us, spent = air.now_us, {"first hour": 0, "next ten hours": 0, "day 1": 0, "day 2": 0}
    edges = {"first hour": HOUR_S, "next ten hours": 11 * HOUR_S, "day 1": 35 * HOUR_S, "day 2": 59 * HOUR_S}
    seen = 0
    for name, until_s in edges.items():
        air.run((begin_us + until_s * SECOND - air.now_us) / SECOND)
        rates = [air.plan.region.data_rate(frame.data_rate) for frame in air.sent[seen:]]
        spent[name] = sum(airtime_us(23, rate.sf, rate.bandwidth_khz) for rate in rates)
        seen = len(air.sent)
    assert spent["first hour"] <= 36 * SECOND
    assert spent["next ten hours"] <= 36 * SECOND
    assert spent["day 1"] <= 8.7 * SECOND
    assert spent["day 2"] <= 8.7 * SECOND
    assert all(used > 4 * SECOND for used in spent.values())
    assert len(requests(air)) == air.device.transmissions == len({request.dev_nonce for request in requests(air)})


def test_two_devices_that_begin_together_spread_their_next_requests():
    times = set()
    for seed in range(5):
        air = Air(seed=seed)
        air.up = lambda _: []
        air.device.start_join(air.now_us)
        air.run(7)
        assert air.device.next_us is not None
        times.add(air.device.next_us)
    assert len(times) == 5


def test_a_lost_accept_leads_to_a_new_request_and_new_keys():
    air = Air()
    air.down = lambda n: n > 0
    air.join()
    assert [request.dev_nonce for request in requests(air)] == [0, 1]
    assert len(air.heard(JoinedDevice)) == 2
    assert air.memory.join_nonce == 2
    assert air.activation.nwk_s_key.value == air.session.nwk_s_key.value
    assert air.send(b"after", confirmed=True).acknowledged


def test_an_accept_comes_in_the_second_window_where_the_first_is_over():
    air = Air(replace(indonesia(), deduplication_us=5 * SECOND))
    air.join()
    assert len(air.sent) == 1
    (begin_us, _, accept) = air.on_air[0]
    assert (accept.frequency_hz, accept.data_rate) == (921_400_000, 2)
    assert begin_us == air.ended_us[0] + 6 * SECOND


def test_an_accept_comes_in_the_first_window_on_the_channel_and_data_rate_of_the_request():
    air = Air()
    air.join()
    (begin_us, _, accept) = air.on_air[0]
    assert (accept.frequency_hz, accept.data_rate, accept.eirp_dbm) == (air.sent[0].frequency_hz, 5, 16)
    assert begin_us == air.ended_us[0] + 5 * SECOND


def test_copies_of_one_request_through_two_gateways_are_one_join():
    air = Air(gateways=(Gateway(1), Gateway(2, counter_us=4_294_000_000)))
    air.up = lambda _: [Copy(0, 20_000, snr_db=-3), Copy(1, 150_000, snr_db=4)]
    air.join()
    assert len(air.heard(JoinedDevice)) == 1
    assert air.on_air[0][2].gateway == 2
    assert (air.server.duplicates, air.refusals) == (1, [])


def test_a_late_copy_of_a_request_is_no_reused_nonce():
    air = Air(gateways=(Gateway(1), Gateway(2)))
    air.up = lambda _: [Copy(0, 20_000), Copy(1, 900_000)]
    air.join()
    assert (air.refusals, air.server.duplicates) == ([], 1)


def test_a_copy_that_comes_before_the_second_window_gets_the_same_accept_in_it_and_no_new_session():
    air = Air(gateways=(Gateway(1), Gateway(2)))
    air.up, air.down = lambda _: [Copy(0), Copy(1, 3 * SECOND)], lambda n: n > 0
    air.join()
    (first, second) = air.on_air
    assert first[2].phy == second[2].phy
    assert (second[2].gateway, second[0]) == (2, air.ended_us[0] + 6 * SECOND)
    assert len(air.heard(JoinedDevice)) == air.memory.join_nonce == air.store.roots[IDENTITY.dev_eui].join_nonce == 1
    assert air.send(b"with the keys of the first", confirmed=True).acknowledged


def test_a_copy_that_comes_after_the_windows_is_told_apart_from_a_replay_and_gets_nothing():
    air = Air(gateways=(Gateway(1), Gateway(2)))
    air.up = lambda _: [Copy(0), Copy(1, 60 * SECOND)]
    air.join()
    air.run(70)
    assert (air.refusals, len(air.on_air)) == (["repeated"], 1)
    assert air.store.roots[IDENTITY.dev_eui].refused_us is None


def test_a_copy_that_comes_after_the_first_uplink_gets_nothing():
    air = Air(gateways=(Gateway(1), Gateway(2)))
    air.join()
    request = air.sent[0].phy
    air.send(b"one")
    air.inject(request)
    air.run(8)
    assert air.refusals == ["repeated"]
    assert air.store.roots[IDENTITY.dev_eui].join_nonce == 1


def test_a_request_that_is_replayed_later_is_refused():
    air = Air()
    air.join()
    before = air.store.roots[IDENTITY.dev_eui].join_nonce
    air.run(LATE_S)
    air.inject(air.sent[0].phy)
    air.run(10)
    assert air.refusals == ["dev_nonce_used"]
    assert air.store.roots[IDENTITY.dev_eui].join_nonce == before
    assert air.activation.nwk_s_key.value == air.session.nwk_s_key.value


def test_a_replay_leaves_a_mark_that_the_next_uplink_takes_away():
    air = Air()
    air.join()
    air.send(b"here")
    air.run(LATE_S)
    air.inject(air.sent[0].phy)
    air.run(10)
    assert (air.server.sessions.lost, air.store.roots[IDENTITY.dev_eui].refused_nonce) == (1, 0)
    air.restart_server()
    assert air.server.sessions.lost == 1
    air.send(b"still here")
    assert air.server.sessions.lost == 0
    assert air.store.roots[IDENTITY.dev_eui].refused_us is None


def test_a_nonce_below_the_last_one_is_refused_after_a_restart_too():
    air = Air()
    air.memory.dev_nonce = 7
    air.join()
    air.run(LATE_S)
    air.restart_server()
    air.inject(JoinRequest(IDENTITY.join_eui, IDENTITY.dev_eui, 6).signed(AesKey(APP_KEY)))
    air.run(1)
    assert air.refusals == ["dev_nonce_used"]
    assert air.store.roots[IDENTITY.dev_eui].dev_nonce == 7


def lost() -> Air:
    """A device that joined with nonce 500, lost its memory, and asks again from 0."""
    air = Air()
    air.memory.dev_nonce = 500
    air.join()
    air.send(b"before")
    air.run(LATE_S)
    air.memory = DeviceMemory()
    air.restart_device()
    air.device.start_join(air.now_us)
    air.run(8)
    return air


def test_a_device_that_lost_its_memory_is_noted_and_joins_after_re_admission():
    air = lost()
    root = air.server.sessions.root(IDENTITY.dev_eui)
    assert (air.device.joined, set(air.refusals), air.server.sessions.lost) == (False, {"dev_nonce_used"}, 1)
    assert (root.dev_nonce, root.refused_nonce, root.join_nonce) == (500, 0, 1)
    nonces.readmit(root, "ani", air.now_us)
    air.server.sessions.changed_root(root)
    assert air.server.sessions.lost == 0
    air.run(120)
    assert air.device.joined
    assert (air.memory.join_nonce, air.store.roots[IDENTITY.dev_eui].join_nonce) == (2, 2)
    assert air.send(b"after", confirmed=True).acknowledged


def test_after_re_admission_a_replay_gets_keys_that_were_never_used_and_not_twice():
    air = lost()
    air.up = lambda _: []
    recorded, old = air.sent[0].phy, air.session.nwk_s_key.value
    root = air.server.sessions.root(IDENTITY.dev_eui)
    nonces.readmit(root, "ani", air.now_us)
    air.inject(recorded)
    air.run(1)
    assert (root.dev_nonce, root.join_nonce) == (500, 2)
    assert air.session.nwk_s_key.value != old
    air.run(LATE_S)
    air.inject(recorded)
    air.run(1)
    assert (root.join_nonce, air.server.sessions.lost) == (2, 1)


STRANGERS = {
    "another DevEUI": (Identity(0x70B3D57ED0000002, IDENTITY.join_eui, APP_KEY), "unknown_device"),
    "another JoinEUI": (Identity(IDENTITY.dev_eui, 2, APP_KEY), "unknown_device"),
    "another AppKey": (Identity(IDENTITY.dev_eui, IDENTITY.join_eui, bytes(16)), "bad_mic"),
}


@pytest.mark.parametrize(("identity", "reason"), STRANGERS.values(), ids=STRANGERS)
def test_a_stranger_is_refused_and_hears_nothing(identity, reason):
    air = Air(identity=identity)
    air.device.start_join(air.now_us)
    air.run(60)
    assert set(air.refusals) == {reason}
    assert air.server.refusals[Refusal(reason)] == len(air.refusals)
    assert (air.on_air, air.heard(JoinedDevice), air.device.joined) == ([], [], False)
    assert air.store.roots[IDENTITY.dev_eui].dev_nonce == -1


def test_a_request_with_a_wrong_length_is_no_frame():
    air = Air()
    air.inject(bytes(22))
    air.run(1)
    assert air.refusals == ["not_a_frame"]


def test_a_second_join_ends_the_first_session():
    air = Air()
    air.join()
    air.send(b"one")
    old = air.sent[-1].phy
    first = air.activation
    air.device.start_join(air.now_us)
    air.run(10)
    assert air.activation.nwk_s_key.value not in {first.nwk_s_key.value, first.app_s_key.value}
    assert air.memory.join_nonce == 2
    assert (air.activation.f_cnt_up, air.session.f_cnt_up) == (0, 0)
    air.inject(old)
    air.send(b"two")
    assert air.payloads == [b"one", b"two"]
    assert air.refusals == ["bad_mic"]


def test_an_accept_of_an_earlier_join_is_not_taken_again():
    air = Air()
    air.join()
    recorded = air.on_air[0][2].phy
    air.up = lambda _: []
    air.device.start_join(air.now_us)
    air.run(5)
    assert air.device.receive(recorded, 5.0, air.now_us) == []
    assert not air.device.joined
    assert air.memory.join_nonce == 1


def test_an_accept_without_a_request_is_not_taken():
    air = Air()
    air.join()
    accept = JoinAccept(9, 0, 1, DlSettings(2, 0)).encode(AesKey(APP_KEY))
    before = air.activation
    assert air.device.receive(accept, 5.0, air.now_us) == []
    assert air.activation is before


def test_an_accept_of_another_key_is_not_taken():
    air = Air()
    air.up = lambda _: []
    air.device.start_join(air.now_us)
    air.run(5)
    assert air.device.receive(JoinAccept(9, 0, 1, DlSettings(2, 0)).encode(AesKey(bytes(16))), 5.0, air.now_us) == []
    assert not air.device.joined


def test_a_frequency_outside_the_band_is_left_out_of_the_channels():
    air = Air(replace(indonesia(), channels_hz=(921_800_000, 868_100_000, 922_200_000)))
    air.join()
    assert sorted(air.activation.channels) == [0, 1, 2, 4]


def test_a_session_survives_a_power_cut_of_the_device():
    air = Air()
    air.join()
    air.send(b"one")
    air.restart_device()
    assert air.device.joined
    air.send(b"two", confirmed=True)
    assert air.payloads == [b"one", b"two"]
    assert len(requests(air)) == 1
