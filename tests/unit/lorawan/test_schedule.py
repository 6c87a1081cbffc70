"""Which gateway sends a frame, when, and with what power: load, duty cycle, and gateways that would be in each other's way."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.lorawan.network.air import DUTY_US, GUARD_US, LOAD_US, GatewayAir
from nyala.lorawan.network.pending import Reply, Window
from nyala.lorawan.network.plan import NetworkPlan, indonesia
from nyala.lorawan.network.port import Reception, TxResult
from nyala.lorawan.network.schedule import AVOID_US, LEAD_US, MARGIN_DB, UNFIT_US, Schedule, Slot
from nyala.lorawan.network.sessions import HeardBy
from nyala.lorawan.network.timers import Timers
from nyala.lorawan.regulation import SubBand
from nyala.vocab.errors import BadArgumentError, UnknownError

SECOND = 1_000_000
NOW = 1_000 * SECOND
RX2 = (921_400_000, 2)
EUROPE = NetworkPlan.of("EU868", "eu868", range(867_100_000, 867_900_001, 200_000))
LBT = NetworkPlan.of("AS923-2", "indonesia-lbt", indonesia().channels_hz)


def copies(*heard: tuple[int, float], received_us: int = NOW) -> tuple[Reception, ...]:
    return tuple(
        Reception(gateway, b"", received_us, 921_600_000, 5, -90.0, snr_db, 4_294_000_000) for gateway, snr_db in heard
    )


def reply(*heard: tuple[int, float], **more) -> Reply:
    window = Window(SECOND, 921_600_000, 5)
    return Reply(copies(*heard), (window,), NOW + 3 * SECOND, **more)


def in_window(schedule: Schedule, *heard: tuple[int, float], now_us: int = NOW) -> Slot:
    answered = reply(*heard)
    slot = schedule.in_window(answered, answered.windows[0], 20, now_us)
    assert slot is not None
    return slot


def at_once(schedule: Schedule, ways: HeardBy, where: tuple[int, int], phy_bytes: int, now_us: int) -> Slot:
    slot = schedule.at_once(ways, where, phy_bytes, now_us)
    assert slot is not None
    return slot


# -- which gateway


def test_of_gateways_within_the_margin_the_least_loaded_sends():
    schedule = Schedule(indonesia())
    ways = ((1, 8.0), (2, 8.0 - MARGIN_DB + 0.1), (3, 8.0 - MARGIN_DB))
    for _ in range(6):
        slot = at_once(schedule, ways, RX2, 20, NOW)
        schedule.place(slot, bytes(20))
        schedule.air(slot.gateway).forget(NOW + 10 * SECOND)
    loads = [schedule.air(gateway).load_us for gateway in (1, 2, 3)]
    assert loads[0] == loads[1] > 0 == loads[2]


def test_the_load_of_a_gateway_is_forgotten():
    air = GatewayAir()
    air.reserve(NOW, 300_000)
    assert air.load_us == 300_000
    air.forget(NOW + 300_000 + LOAD_US)
    assert air.load_us == 300_000
    air.forget(NOW + 300_001 + LOAD_US)
    assert air.load_us == 0


def test_the_best_gateway_sends_where_all_are_idle():
    assert in_window(Schedule(indonesia()), (1, 3.0), (2, 5.0)).gateway == 2
    assert at_once(Schedule(indonesia()), ((1, 5.0), (2, 4.0)), RX2, 20, NOW).gateway == 1


def test_a_slot_in_a_window_says_when_by_the_gateways_own_counter():
    slot = in_window(Schedule(indonesia()), (1, 3.0))
    assert slot.tmst_us == (4_294_000_000 + SECOND) % 2**32
    assert (slot.start_us, slot.delay_us, slot.eirp_dbm) == (NOW + SECOND, SECOND, 16)


@pytest.mark.parametrize(("late_us", "there"), [(0, True), (1, False)])
def test_a_window_that_is_too_near_is_not_used(late_us, there):
    answered = reply((1, 3.0))
    slot = Schedule(indonesia()).in_window(answered, answered.windows[0], 20, NOW + SECOND - LEAD_US + late_us)
    assert (slot is not None) == there


def test_frames_that_wait_for_a_gateway_get_places_one_behind_the_other():
    schedule = Schedule(indonesia())
    first = at_once(schedule, ((1, 5.0),), RX2, 20, NOW)
    schedule.place(first, bytes(20))
    length_us = schedule.airtime_us(20, 2)
    places = [at_once(schedule, ((1, 5.0),), RX2, 20, NOW).start_us for _ in range(4)]
    assert places == [NOW + (n + 1) * (length_us + GUARD_US) for n in range(4)]
    # none of them is reserved: whoever asks at his instant gets it
    assert at_once(schedule, ((1, 5.0),), RX2, 20, places[0]).start_us == places[0]


def test_a_gateway_that_did_not_answer_is_asked_last_until_it_is_forgiven():
    schedule = Schedule(indonesia())
    ways = ((1, 8.0), (2, -10.0))
    frame = schedule.place(at_once(schedule, ways, RX2, 20, NOW), bytes(20))
    schedule.told(frame, TxResult.NO_ANSWER, NOW)
    later = NOW + 2 * SECOND
    assert at_once(schedule, ways, RX2, 20, later).gateway == 2
    assert at_once(schedule, ways[:1], RX2, 20, later).gateway == 1
    assert at_once(schedule, ways, RX2, 20, NOW + AVOID_US).gateway == 1


def test_what_a_gateway_cannot_do_is_believed_for_an_hour():
    schedule = Schedule(indonesia())
    for result in (TxResult.TX_POWER, TxResult.TX_FREQ):
        frame = schedule.place(at_once(schedule, ((1, 8.0),), RX2, 20, NOW), bytes(20))
        schedule.told(frame, result, NOW)
    assert schedule.at_once(((1, 8.0),), RX2, 20, NOW + UNFIT_US - 1) is None
    assert at_once(schedule, ((1, 8.0),), (922_000_000, 2), 20, NOW + SECOND).eirp_dbm == 15
    assert at_once(schedule, ((1, 8.0),), RX2, 20, NOW + UNFIT_US + 1).eirp_dbm == 16


# -- gateways in each other's way


def test_two_gateways_that_one_device_hears_do_not_send_on_one_channel_at_a_time():
    schedule = Schedule(indonesia())
    schedule.place(at_once(schedule, ((1, 8.0),), RX2, 20, NOW), bytes(20))
    ways = ((2, 8.0), (1, 3.0))
    assert at_once(schedule, ways, RX2, 20, NOW).start_us > NOW
    assert at_once(schedule, ((2, 8.0), (1, 1.0)), RX2, 20, NOW).start_us == NOW  # 7 dB: the device hears the stronger one
    assert at_once(schedule, ways, (922_000_000, 2), 20, NOW).start_us == NOW
    assert at_once(schedule, ((2, 8.0),), RX2, 20, NOW).start_us == NOW


def test_where_gateways_listen_those_that_hear_each_other_take_turns_on_a_channel():
    schedule = Schedule(LBT)
    schedule.heard(copies((1, 5.0), (2, -9.0)))
    schedule.place(at_once(schedule, ((1, 8.0),), RX2, 20, NOW), bytes(20))
    length_us = schedule.airtime_us(20, 2)
    assert at_once(schedule, ((2, 8.0),), RX2, 20, NOW).start_us == NOW + length_us + GUARD_US
    assert at_once(schedule, ((2, 8.0),), (922_000_000, 2), 20, NOW).start_us == NOW
    assert at_once(schedule, ((3, 8.0),), RX2, 20, NOW).start_us == NOW
    assert LBT.regulation.lbt is not None
    assert LBT.regulation.lbt.sense_us <= GUARD_US


def test_without_listening_nothing_is_learned_of_neighbours():
    schedule = Schedule(indonesia())
    schedule.heard(copies((1, 5.0), (2, -9.0)))
    schedule.place(at_once(schedule, ((1, 8.0),), RX2, 20, NOW), bytes(20))
    assert at_once(schedule, ((2, 8.0),), RX2, 20, NOW).start_us == NOW


# -- the law


def test_a_gateway_keeps_the_duty_cycle_of_each_sub_band_by_itself():
    schedule = Schedule(EUROPE)
    ways, rx1 = ((1, 5.0),), (868_100_000, 0)
    sent_us, at_us, starts = 0, NOW, []
    while sent_us < 3 * DUTY_US // 100:
        slot = at_once(schedule, ways, rx1, 60, at_us)
        if slot.start_us > at_us:
            at_us = slot.start_us
            continue
        schedule.place(slot, bytes(60))
        starts.append((slot.start_us, schedule.airtime_us(60, 0)))
        sent_us += starts[-1][1]
    for start_us, length_us in starts:
        hour = [size for begin, size in starts if start_us + length_us - DUTY_US < begin + size <= start_us + length_us]
        assert sum(hour) <= DUTY_US // 100
    assert starts[-1][0] - starts[0][0] > DUTY_US
    # the other sub-band has its own account, and its own power
    other = at_once(schedule, ways, (869_525_000, 0), 60, starts[-1][0] + 10 * SECOND)
    assert (other.start_us, other.eirp_dbm) == (starts[-1][0] + 10 * SECOND, 29)


def test_a_window_in_a_sub_band_that_is_used_up_is_left_to_another_gateway():
    schedule = Schedule(EUROPE)
    band = EUROPE.regulation.sub_band(868_100_000)
    schedule.air(1).reserve(NOW - 100 * SECOND, DUTY_US // 100, 868_100_000, band)
    answered = Reply(copies((1, 9.0), (2, 0.0)), (Window(SECOND, 868_100_000, 5),), NOW)
    slot = schedule.in_window(answered, answered.windows[0], 20, NOW)
    assert slot is not None
    assert slot.gateway == 2


def test_nothing_is_sent_in_a_gap_between_sub_bands():
    schedule = Schedule(EUROPE)
    assert schedule.at_once(((1, 5.0),), (869_300_000, 0), 20, NOW) is None


def test_a_frame_that_is_longer_than_the_duty_cycle_allows_is_never_sent():
    assert GatewayAir().allowed(SubBand(0, 1, 1, 16), NOW, DUTY_US // 1_000) == NOW
    assert GatewayAir().allowed(SubBand(0, 1, 1, 16), NOW, DUTY_US // 1_000 + 1) is None


@given(st.lists(st.tuples(st.integers(0, 30 * SECOND), st.integers(50_000, 3 * SECOND)), max_size=40), st.integers(0, SECOND))
def test_what_is_allowed_keeps_the_duty_cycle_and_is_the_first_instant_that_does(gaps, length_us):
    band, air, at_us = SubBand(0, 1, 10, 16), GatewayAir(), NOW
    sent: list[tuple[int, int]] = []

    def allowed(start_us: int, size_us: int) -> int:
        found = air.allowed(band, start_us, size_us)
        assert found is not None
        return found

    for gap_us, size_us in gaps:
        at_us = allowed(at_us + gap_us, size_us)
        air.reserve(at_us, size_us, 0, band)
        sent.append((at_us + size_us, size_us))
        at_us += size_us
    first_us = allowed(at_us, length_us)
    budget_us = DUTY_US // 100

    def used(instant_us: int) -> int:
        return sum(size for end, size in sent if end + DUTY_US > instant_us)

    assert used(first_us) + length_us <= budget_us
    assert first_us == at_us or used(first_us - 1) + length_us > budget_us


# -- plans


@pytest.mark.parametrize(
    ("plan", "rx2", "dwell", "dbm"),
    [
        (indonesia(), (921_400_000, 2), (True, False), (16, 16)),
        (LBT, (921_400_000, 2), (True, True), (16, 16)),
        (EUROPE, (869_525_000, 0), (False, False), (16, 29)),
    ],
)
def test_a_plan_takes_its_windows_from_the_region_and_its_limits_from_the_law(plan, rx2, dwell, dbm):
    assert (plan.rx2_hz, plan.rx2_data_rate) == rx2
    assert (plan.uplink_dwell, plan.downlink_dwell) == dwell
    assert (plan.max_eirp_dbm, plan.gateway_eirp_dbm) == dbm


def test_a_plan_of_a_law_that_does_not_fit_is_refused():
    with pytest.raises(BadArgumentError, match="is for EU868, not for AS923-2"):
        NetworkPlan.of("AS923-2", "eu868")
    with pytest.raises(UnknownError, match="frequency under eu868"):
        NetworkPlan.of("EU868", "eu868", [868_650_000])
    with pytest.raises(UnknownError, match="frequency under eu868"):
        NetworkPlan.of("EU868", "eu868", rx2_hz=869_300_000)
    with pytest.raises(UnknownError, match="regulation"):
        NetworkPlan.of("EU868", "mars")
    assert replace(EUROPE, rx_delay_s=5).rx2_hz == 869_525_000


# -- timers


def test_the_earlier_of_two_instants_counts_and_each_key_comes_once():
    timers = Timers()
    assert timers.take(10**12) == []
    timers.wake(1, 50)
    timers.wake(2, 40)
    timers.wake(1, 30)
    timers.wake(2, 60)
    assert timers.next_us == 30
    assert timers.take(29) == []
    assert timers.take(45) == [1, 2]
    assert timers.take(100) == []
    timers.wake(1, 50)
    assert timers.take(50) == [1]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 20))), st.integers(0, 20))
def test_timers_are_a_dictionary_of_the_earliest_instants(wakes, now_us):
    timers, model = Timers(), dict[int, int]()
    for key, at_us in wakes:
        timers.wake(key, at_us)
        model[key] = min(model.get(key, at_us), at_us)
    assert timers.next_us == min(model.values(), default=None)
    taken = timers.take(now_us)
    assert sorted(taken) == sorted(key for key, at_us in model.items() if at_us <= now_us)
    assert [model[key] for key in taken] == sorted(model[key] for key in taken)
