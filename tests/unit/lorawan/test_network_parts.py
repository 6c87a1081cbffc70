"""The parts of the network server alone: deduplication, transmit plan, adaptive data rate, sessions and what is stored."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.network.adr import SNR_FLOOR_DB, Link, margin
from nyala.lorawan.network.air import GUARD_US, PLAN_LIMIT, GatewayAir
from nyala.lorawan.network.deduplication import COPIES_LIMIT, MEMORY_US, Deduplicator
from nyala.lorawan.network.history import Heard
from nyala.lorawan.network.plan import NetworkPlan, indonesia
from nyala.lorawan.network.port import Reception
from nyala.lorawan.network.sessions import Counted, Root, Session, SessionRow, Sessions, Settings
from nyala.lorawan.region import region
from nyala.vocab.errors import UnknownError
from tests.unit.lorawan.harness import Air

AS923_2 = region("AS923-2")
WINDOW_US = 200_000


def copy(phy: bytes = b"frame", gateway: int = 1, journal: int = 0) -> Reception:
    return Reception(gateway, phy, 0, 921_400_000, 2, -90.0, 5.0, 0, journal)


# -- deduplication


def test_copies_within_the_window_are_one_group_and_it_closes_once():
    copies = Deduplicator(WINDOW_US)
    assert all(copies.add(copy(gateway=n), n * 10_000) for n in range(3))
    assert copies.next_us == WINDOW_US
    assert copies.take_closed(WINDOW_US - 1) == []
    (group,) = copies.take_closed(WINDOW_US)
    assert [reception.gateway for reception in group.receptions] == [0, 1, 2]
    assert copies.duplicates == 2
    assert copies.take_closed(WINDOW_US) == []
    assert Deduplicator(WINDOW_US).next_us is None


def test_the_window_opens_with_the_first_copy_and_groups_close_in_order():
    copies = Deduplicator(WINDOW_US)
    copies.add(copy(b"a"), 0)
    copies.add(copy(b"b"), 150_000)
    copies.add(copy(b"a"), 190_000)
    assert [group.receptions[0].phy for group in copies.take_closed(WINDOW_US)] == [b"a"]
    assert [group.receptions[0].phy for group in copies.take_closed(10 * WINDOW_US)] == [b"b"]


def test_a_late_copy_is_told_apart_from_a_repeat_by_the_memory():
    copies = Deduplicator(WINDOW_US)
    copies.add(copy(), 0)
    copies.take_closed(WINDOW_US)
    assert not copies.add(copy(), WINDOW_US + MEMORY_US)
    assert copies.take_closed(10 * MEMORY_US) == []
    assert copies.add(copy(), WINDOW_US + MEMORY_US + 1)
    assert len(copies.take_closed(10 * MEMORY_US)) == 1


def test_only_so_many_copies_are_kept():
    copies = Deduplicator(WINDOW_US)
    for n in range(COPIES_LIMIT + 5):
        copies.add(copy(gateway=n), 0)
    assert len(copies.take_closed(WINDOW_US)[0].receptions) == COPIES_LIMIT
    assert copies.duplicates == COPIES_LIMIT + 4


def test_the_oldest_journal_number_is_that_of_an_open_window():
    copies = Deduplicator(WINDOW_US)
    assert copies.oldest_journal() is None
    copies.add(copy(b"a", journal=7), 0)
    copies.add(copy(b"b", journal=9), 10)
    copies.add(copy(b"b", gateway=2, journal=8), 20)
    assert copies.oldest_journal() == 7
    copies.take_closed(WINDOW_US)
    assert copies.oldest_journal() == 8
    copies.take_closed(2 * WINDOW_US)
    assert copies.oldest_journal() is None


# -- the transmit plan of a gateway

frames = st.lists(st.tuples(st.integers(0, 2_000_000), st.integers(1_000, 400_000)), max_size=12)


@given(frames, st.integers(0, 2_000_000), st.integers(1_000, 400_000))
def test_the_earliest_instant_is_free_and_none_before_it_is(planned, start_us, length_us):
    air = GatewayAir()
    taken = []
    for begin_us, size_us in planned:
        if air.is_free(begin_us, size_us):
            air.reserve(begin_us, size_us)
            taken.append((begin_us, begin_us + size_us))
    at_us = air.earliest(start_us, length_us)
    assert at_us >= start_us
    assert air.is_free(at_us, length_us)
    assert all(at_us + length_us + GUARD_US <= begin or end + GUARD_US <= at_us for begin, end in taken)
    candidates = [start_us, *(end + GUARD_US for _, end in taken)]
    assert all(at_us <= each for each in candidates if each >= start_us and air.is_free(each, length_us))


def test_a_guard_is_kept_on_both_sides():
    air = GatewayAir()
    air.reserve(1_000_000, 100_000)
    assert air.is_free(1_100_000 + GUARD_US, 1_000)
    assert not air.is_free(1_100_000 + GUARD_US - 1, 1_000)
    assert air.is_free(900_000, 100_000 - GUARD_US)
    assert not air.is_free(900_000, 100_000 - GUARD_US + 1)


def test_a_full_plan_has_no_room_until_its_past_is_forgotten():
    air = GatewayAir()
    for n in range(PLAN_LIMIT):
        air.reserve(n * 1_000_000, 1_000)
    assert not air.is_free(10**12, 1_000)
    air.forget(1_500_000)
    assert air.is_free(10**12, 1_000)


# -- adaptive data rate: (link, SNRs in dB) -> link, with a margin of 10 dB and steps of 3 dB

SLOW, FAST = Link(2, 0, 1), Link(5, 0, 1)
ADVICE = [
    (SLOW, [20.0, 20.0], SLOW, "two uplinks are too few"),
    (SLOW, [-5.1] * 3, SLOW, "less than the margin above the floor of SF10"),
    (SLOW, [-2.0] * 3, Link(3, 0, 1), "one step"),
    (SLOW, [-20.0, -2.1, -30.0], SLOW, "the best of the last counts: 2.9 dB are no step"),
    (SLOW, [4.0] * 3, Link(5, 0, 1), "three steps"),
    (SLOW, [30.0] * 3, Link(5, 0, 1), "never beyond the highest, and no power with few uplinks"),
    (FAST, [12.0] * 9, FAST, "power is not lowered before ten uplinks"),
    (FAST, [12.0] * 10, Link(5, 3, 1), "9.5 dB are three steps"),
    (FAST, [60.0] * 20, Link(5, 7, 1), "never beyond the lowest power"),
    (Link(5, 4, 2), [-4.0] * 3, Link(5, 1, 2), "6.5 dB too few: three steps more power, NbTrans stays"),
    (Link(5, 1, 1), [-7.0] * 20, Link(5, 0, 1), "never more than full power, never slower"),
    (SLOW, [3.0] * 20, Link(4, 0, 1), "rate first: eight decibels above"),
]


@pytest.mark.parametrize(("now", "snr_db", "advice", "_"), ADVICE, ids=[row[3] for row in ADVICE])
def test_the_margin_is_spent_on_the_data_rate_first_then_on_power(now, snr_db, advice, _):
    assert margin(AS923_2, now, Heard(tuple(snr_db)), 10.0) == advice


def test_every_data_rate_has_a_floor():
    # SX1276 data sheet table 13; lorawan.md section 8
    assert SNR_FLOOR_DB == {7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
    assert {rate.sf for rate in AS923_2.data_rates} <= SNR_FLOOR_DB.keys()


@given(
    st.builds(Link, st.integers(0, 6), st.integers(0, 7), st.integers(1, 3)),
    st.lists(st.floats(-40, 40), max_size=20),
    st.floats(0, 20),
)
def test_a_device_is_never_slowed_down_and_never_sent_out_of_the_region(now, snr_db, margin_db):
    advice = margin(AS923_2, now, Heard(tuple(snr_db)), margin_db)
    assert now.data_rate <= advice.data_rate <= max(now.data_rate, AS923_2.channel_data_rates[1])
    assert 0 <= advice.tx_power <= AS923_2.tx_power_limit


# -- the plan


def test_the_plan_of_indonesia_has_eight_channels_within_the_common_part():
    plan = indonesia()
    assert plan.uplink_channels_hz == tuple(range(921_400_000, 922_800_001, 200_000))
    assert plan.cf_list == plan.channels_hz[:5]
    assert (plan.uplink_dwell, plan.downlink_dwell, plan.rx2_data_rate, plan.max_eirp_dbm) == (True, False, 2, 16)
    assert all(plan.region.allows(hz) for hz in plan.uplink_channels_hz)


def test_under_the_downlink_dwell_limit_an_accept_carries_no_channels():
    assert replace(indonesia(), downlink_dwell=True).cf_list == ()
    assert NetworkPlan.of("AS923-2", "indonesia").cf_list == ()


# -- sessions and what is stored

settings = st.builds(
    Settings,
    data_rate=st.integers(0, 6),
    tx_power=st.integers(0, 7),
    channels=st.lists(st.integers(0, 15), unique=True).map(sorted),
    downlink_dwell=st.booleans(),
    battery=st.none() | st.integers(0, 255),
)
rows = st.builds(
    Session,
    dev_eui=st.just(1),
    dev_addr=st.integers(0, 2**32 - 1),
    nwk_s_key=st.binary(min_size=16, max_size=16).map(AesKey),
    app_s_key=st.binary(min_size=16, max_size=16).map(AesKey),
    settings=settings,
    f_cnt_up=st.integers(0, 2**32 - 1),
    f_cnt_down=st.integers(0, 2**32 - 1),
    heard=st.booleans(),
    heard_by=st.lists(st.tuples(st.integers(0, 2**64 - 1), st.floats(-20, 12)), max_size=3).map(tuple),
).map(SessionRow.of)


def known(*dev_euis: int) -> Sessions:
    sessions = Sessions()
    for dev_eui in dev_euis:
        sessions.add_root(Root(dev_eui, 0, AesKey(bytes(16)), 5, class_c=dev_eui != 2))
    return sessions


@given(rows)
def test_a_session_row_is_restored_as_it_was(row):
    sessions = known(1)
    sessions.restore(row)
    session = sessions.of_device(1)
    assert session is not None
    assert SessionRow.of(session) == row
    assert sessions.of_address(row.dev_addr) == [session]
    assert sessions.take_changes() == ([], [], [])


def test_a_row_is_a_snapshot_of_its_session():
    air = Air()
    air.join()
    row = SessionRow.of(air.session)
    air.session.settings.channels += (15,)
    assert 15 not in row.settings["channels"]


def test_what_changed_is_taken_once_and_counters_alone_go_alone():
    sessions = known(1, 2)
    for dev_eui in (1, 2):
        sessions.start(Session(dev_eui, 5, AesKey(bytes(16)), AesKey(bytes(16)), Settings(2)))
    roots, changed, counted = sessions.take_changes()
    assert ([root.dev_eui for root in roots], [row.dev_eui for row in changed], counted) == ([1, 2], [1, 2], [])
    first, second = sessions.of_address(5)
    first.f_cnt_up, second.f_cnt_up = 8, 9
    sessions.counted(first)
    sessions.counted(second)
    sessions.changed(second)
    assert sessions.take_changes() == ([], [SessionRow.of(second)], [Counted(1, 8, ())])
    assert sessions.take_changes() == ([], [], [])
    assert len(sessions) == 2


def test_a_new_session_takes_the_place_of_the_old_one_at_its_address_too():
    sessions = known(1)
    old = Session(1, 5, AesKey(bytes(16)), AesKey(bytes(16)), Settings(2))
    new = Session(1, 6, AesKey(bytes(16)), AesKey(bytes(16)), Settings(2))
    sessions.start(old)
    sessions.start(new)
    assert (sessions.of_address(5), sessions.of_address(6), sessions.of_device(1)) == ([], [new], new)


def test_the_class_of_a_restored_session_is_that_of_its_root():
    sessions = known(1, 2)
    for dev_eui in (1, 2):
        sessions.restore(SessionRow.of(Session(dev_eui, 5, AesKey(bytes(16)), AesKey(bytes(16)), Settings(2))))
    assert [session.class_c for session in sessions.of_address(5)] == [True, False]


def test_a_device_without_root_is_refused_by_name():
    with pytest.raises(UnknownError, match="unknown device: 00000000000000ff"):
        known(1).root(0xFF)
    with pytest.raises(UnknownError):
        known().restore(SessionRow.of(Session(1, 5, AesKey(bytes(16)), AesKey(bytes(16)), Settings(2))))
    assert known(1).of_device(1) is None
    assert known(1).of_address(5) == []
