"""Multicast in the network: who sends, in what order, with which counters, whatever gateways say."""

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.multicast import group as device_group
from nyala.lorawan.device.multicast import receive
from nyala.lorawan.frame import DataFrame, FType
from nyala.lorawan.network.multicast import (
    ANSWER_US,
    FRAME_US,
    GROUP_QUEUE_MAX,
    MARGIN_DB,
    MC_ADDRS,
    RETRY_US,
    Multicast,
    MulticastGroup,
)
from nyala.lorawan.network.plan import NetworkPlan, indonesia
from nyala.lorawan.network.port import GroupSent, Transmission, TxResult
from nyala.lorawan.network.schedule import UNSENT, Schedule
from nyala.lorawan.network.server import NetworkServer
from nyala.lorawan.network.sessions import Root, SessionRow, Sessions
from nyala.vocab.errors import BadArgumentError, ConflictError, UnknownError
from nyala.vocab.time import US_PER_S

START_US = 1_790_000_000 * US_PER_S
ADDRESS = MC_ADDRS.start
KEYS = bytes(range(16)), bytes(range(16, 32))
FLOOR_DB = -15.0
"""Of SF10, the group's data rate."""
WAYS = {1: ((1, 5.0),), 2: ((1, 3.0), (2, 4.0)), 3: ((2, 5.0), (3, -18.0)), 4: ((3, 0.0),)}
"""Gateways that hear each device: 1 and 2 share a device, 2 and 3 another, which hears 3 only weakly."""


def group(**said: Any) -> MulticastGroup:
    plain: dict[str, Any] = {"frequency_hz": 921_400_000, "data_rate": 2, "members": (1, 2, 3, 4)}
    return MulticastGroup(ADDRESS, AesKey(KEYS[0]), AesKey(KEYS[1]), **(plain | said))


class Rig:
    """Groups over an air without devices: gateways say what a test wants, and their frames are noted."""

    def __init__(self, ways=None, *, plan: NetworkPlan | None = None, groups=(), says=lambda _: TxResult.OK, **said: Any):
        self.now_us, self.says = START_US, says
        sessions = Sessions()
        for dev_eui, heard_by in (WAYS if ways is None else ways).items():
            sessions.add_root(Root(dev_eui, 1, AesKey(bytes(16)), dev_eui))
            sessions.restore(SessionRow(dev_eui, dev_eui, *KEYS, 5, 5, True, {"data_rate": 2}, heard_by))
        self.plan = plan or indonesia()
        self.schedule = Schedule(self.plan)
        self.groups = Multicast(self.plan, sessions, self.schedule, groups)
        if not groups:
            self.groups.add(group(**said))
        self.on_air: list[tuple[int, int, Transmission]] = []
        self.sent: list[GroupSent] = []
        self.stored: dict[int, int] = {}
        self._words: list[tuple[int, int, TxResult]] = []

    def say(self, payload: bytes = b"x", token: object = None) -> None:
        self.groups.enqueue(ADDRESS, 201, payload, token, self.now_us)

    def run(self, seconds: float) -> None:
        until_us = self.now_us + int(seconds * US_PER_S)
        for _ in range(10_000):
            times = [each[0] for each in self._words] + ([self.groups.next_us] if self.groups.next_us is not None else [])
            if not times or min(times) > until_us:
                self.now_us = until_us
                return
            self.now_us = max(min(times), self.now_us)
            for word in [each for each in self._words if each[0] <= self.now_us]:
                self._words.remove(word)
                self.groups.transmitted(word[1], word[2], self.now_us)
            for event in self.groups.poll(self.now_us):
                if isinstance(event, GroupSent):
                    self.sent.append(event)
                else:
                    self._transmit(event)
        raise AssertionError("it turns on the spot")

    def _transmit(self, frame: Transmission) -> None:
        self.stored |= {each.mc_addr: each.f_cnt for each in self.groups.take_changes()}
        assert counter(frame) < self.stored[ADDRESS], "a counter left before it was stored"
        said = self.says(frame)
        if said is not None:
            self._words.append((self.now_us + 20_000, frame.number, said))
        if said not in UNSENT:
            length_us = self.schedule.airtime_us(len(frame.phy), frame.data_rate)
            self.on_air.append((self.now_us, self.now_us + length_us, frame))

    @property
    def gateways(self) -> list[int]:
        return [frame.gateway for _, _, frame in self.on_air]


def counter(frame: Transmission) -> int:
    return DataFrame.decode(frame.phy).f_cnt


def test_a_frame_is_what_the_standard_asks_for_and_a_member_takes_it():
    rig = Rig()
    rig.say(b"hello")
    rig.run(10)
    phy = rig.on_air[0][2].phy
    frame = DataFrame.decode(phy)
    assert (frame.f_type, frame.dev_addr, frame.f_cnt) == (FType.UNCONFIRMED_DOWN, ADDRESS, 0)
    assert (frame.ack, frame.adr, frame.f_opts, frame.pending) == (False, False, b"", False)
    [received] = receive(phy, frame, {0: device_group(ADDRESS, KEYS, 0, 100)})
    assert (received.port, received.payload, received.group) == (201, b"hello", ADDRESS)
    assert all((each.dev_eui, each.tmst_us, each.delay_us) == (0, None, None) for _, _, each in rig.on_air)


# -- the cover


def test_a_group_goes_through_as_few_gateways_as_reach_everybody():
    rig = Rig()
    cover = rig.groups.cover(group(), START_US)
    assert (sorted(cover.gateways), cover.weak, cover.unheard) == ([1, 2, 3], (), ())
    assert Rig({1: ((1, 5.0), (2, 0.0)), 2: ((2, 0.0),)}).groups.cover(group(members=(1, 2)), START_US).gateways == (2,)


def test_a_way_counts_from_the_margin_of_the_data_rate_on():
    there = FLOOR_DB + MARGIN_DB
    rig = Rig({1: ((1, there), (2, 9.0)), 2: ((1, there),)})
    assert rig.groups.cover(group(members=(1, 2)), START_US).gateways == (1,)
    rig = Rig({1: ((1, there - 0.1), (2, 9.0)), 2: ((1, there - 0.1),)})
    cover = rig.groups.cover(group(members=(1, 2)), START_US)
    assert (sorted(cover.gateways), cover.weak) == ([1, 2], (2,))
    assert rig.groups.cover(group(members=(1,), data_rate=5), START_US).gateways == (2,)


def test_members_that_nobody_reaches_are_reported():
    rig = Rig({1: ((1, 5.0),), 2: ((1, -19.0),), 3: ()}, members=(1, 2, 3, 4))
    rig.say(token="t")
    rig.run(10)
    assert rig.sent == [GroupSent(ADDRESS, "t", 0, (1,), (), (2, 3, 4))]


def test_a_message_to_a_group_that_was_never_heard_uses_no_counter():
    rig = Rig({}, members=(1,))
    rig.say(token="t")
    rig.run(10)
    assert rig.sent == [GroupSent(ADDRESS, "t", None, (), (), (1,))]
    assert rig.groups.group(ADDRESS).f_cnt == 0


def test_a_gateway_that_lately_had_no_path_is_left_out_where_another_reaches_its_members():
    rig = Rig({1: ((1, 5.0), (2, 5.0))}, members=(1,))
    rig.schedule.air(1).avoid_until_us = START_US + 1
    assert rig.groups.cover(group(members=(1,)), START_US).gateways == (2,)
    rig = Rig({1: ((1, 5.0),)}, members=(1,))
    rig.schedule.air(1).avoid_until_us = START_US + 1
    assert rig.groups.cover(group(members=(1,)), START_US).gateways == (1,)


# -- the order


def test_gateways_that_a_member_hears_both_are_staggered_and_others_are_not():
    rig = Rig()
    rig.say()
    rig.run(10)
    spans = {frame.gateway: (begin, end) for begin, end, frame in rig.on_air}
    assert sorted(spans) == [1, 2, 3]
    for one, other in ((1, 2), (2, 3)):
        assert spans[one][1] < spans[other][0] or spans[other][1] < spans[one][0]
    assert spans[1] == spans[3]


def test_the_next_frame_begins_when_the_one_before_has_gone_out_everywhere():
    rig = Rig()
    for number in range(5):
        rig.say(bytes([number]), number)
    rig.run(60)
    assert [each.token for each in rig.sent] == [0, 1, 2, 3, 4]
    assert_in_order(rig)
    assert len(rig.on_air) == 15


def test_a_gateway_that_did_not_send_is_given_the_same_bytes_again():
    said = iter([TxResult.COLLISION_PACKET, TxResult.NO_PATH])
    rig = Rig({1: ((1, 5.0),)}, members=(1,), says=lambda _: next(said, TxResult.OK))
    rig.say(token="first")
    rig.say(token="second")
    rig.run(10)
    assert [(counter(frame), begin >= START_US + 2 * RETRY_US) for begin, _, frame in rig.on_air] == [(0, True), (1, True)]
    assert [(each.token, each.f_cnt, each.gateways) for each in rig.sent] == [("first", 0, (1,)), ("second", 1, (1,))]


def test_a_gateway_that_goes_on_refusing_is_given_up_after_a_while_and_holds_nobody_up_for_ever():
    tries = defaultdict(list)

    def says(frame):
        tries[counter(frame)].append(frame.phy)
        return TxResult.TOO_LATE if frame.gateway == 1 else TxResult.OK

    rig = Rig({1: ((1, 5.0),), 2: ((2, 5.0),)}, members=(1, 2), says=says)
    rig.say(token="first")
    rig.say(token="second")
    rig.run(2.5 * FRAME_US / US_PER_S)
    assert [(each.gateways, each.refused) for each in rig.sent] == [((2,), (1,)), ((2,), (1,))]
    assert all(len(set(frames)) == 1 and 2 < len(frames) <= FRAME_US // RETRY_US + 3 for frames in tries.values())


def test_a_gateway_that_says_nothing_may_have_sent_and_is_not_asked_again():
    rig = Rig({1: ((1, 5.0),)}, members=(1,), says=lambda _: None)
    rig.say(token="first")
    rig.say(token="second")
    rig.run(20)
    assert [counter(frame) for _, _, frame in rig.on_air] == [0, 1]
    (_, end_us, _), (begin_us, _, _) = rig.on_air
    assert begin_us - end_us >= ANSWER_US


def test_the_duty_cycle_of_the_law_is_kept():
    rig = Rig({1: ((1, 5.0),)}, members=(1,), data_rate=3, plan=NetworkPlan.of("AS923-2", "indonesia-lbt"))
    for _ in range(2):
        for _ in range(GROUP_QUEUE_MAX - 4):
            rig.say(bytes(53))
        rig.run(2 * 3_600)
    length_us = rig.on_air[0][1] - rig.on_air[0][0]
    for begin_us, _, _ in rig.on_air:
        used_us = sum(length_us for other_us, _, _ in rig.on_air if begin_us <= other_us < begin_us + 3_600 * US_PER_S)
        assert used_us <= 36 * US_PER_S
    assert len(rig.on_air) == 120
    assert rig.on_air[-1][0] - rig.on_air[0][0] > 3_600 * US_PER_S
    assert_in_order(rig)


@given(
    st.lists(st.integers(0, 99), max_size=8),
    st.lists(st.sampled_from([*TxResult, None]), max_size=30),
    st.integers(0, 2**32),
    st.dictionaries(
        st.integers(1, 6), st.dictionaries(st.integers(1, 4), st.sampled_from([-18.0, -5.0, 5.0]), min_size=1), min_size=1
    ),
)
def test_counters_only_rise_and_frames_leave_in_order_whatever_gateways_answer(sizes, words, seed, heard):
    random, left = Random(seed), iter(words)
    ways = {dev_eui: tuple(sorted(each.items(), key=lambda way: -way[1])) for dev_eui, each in heard.items()}
    rig = Rig(ways, members=tuple(ways), says=lambda _: next(left, TxResult.OK))
    for number, size in enumerate(sizes):
        rig.say(bytes(size), number)
        rig.run(random.choice([0, 0, 1, 30]))
    rig.run(3_600)
    assert [each.token for each in rig.sent] == list(range(len(sizes)))
    assert [each.f_cnt for each in rig.sent] == list(range(len(sizes)))
    assert_in_order(rig)
    bytes_of = defaultdict(set)
    for _, _, frame in rig.on_air:
        bytes_of[counter(frame)].add(frame.phy)
    assert all(len(each) == 1 for each in bytes_of.values())


def assert_in_order(rig: Rig) -> None:
    """No gateway begins a counter while another has still to end the one before, and none sends two frames at once."""
    for (_, end_us, one), (begin_us, _, other) in pairwise(sorted(rig.on_air, key=lambda each: (each[0], each[1]))):
        assert counter(one) <= counter(other)
        assert counter(one) == counter(other) or begin_us >= end_us
    assert len({(counter(frame), frame.gateway) for _, _, frame in rig.on_air}) == len(rig.on_air)


# -- counters over a restart


def test_the_counter_goes_on_where_the_store_has_it():
    rig = Rig()
    rig.say()
    rig.run(5)
    rig.say()
    [kept] = [replace(rig.groups.group(ADDRESS), f_cnt=rig.stored[ADDRESS])]
    again = Rig(groups=[kept])
    again.say()
    again.run(5)
    assert [counter(frame) for _, _, frame in rig.on_air + again.on_air] == [0, 0, 0, 1, 1, 1]


def test_all_counters_used_up_is_a_refusal():
    rig = Rig(groups=[group(f_cnt=2**32 - 2)])
    rig.say()
    with pytest.raises(ConflictError, match="all its counters"):
        rig.say()


def test_a_group_that_was_dropped_sends_nothing_and_its_address_stays_used():
    rig = Rig()
    rig.say()
    rig.groups.drop(ADDRESS)
    rig.run(10)
    assert rig.on_air == []
    [kept] = rig.groups.take_changes()
    assert (kept.ended, kept.members) == (True, ())
    with pytest.raises(UnknownError, match="multicast group"):
        rig.say()
    for groups in (rig.groups, Rig(groups=[kept]).groups):
        with pytest.raises(ConflictError, match="used before"):
            groups.add(group())
        assert groups.free_address() == ADDRESS + 1


# -- refusals


@pytest.mark.parametrize("wrong", [{"members": ()}, {"data_rate": 1}])
def test_a_group_that_cannot_be_is_refused(wrong):
    rig = Rig(plan=NetworkPlan.of("AS923-2", "indonesia-lbt"))
    with pytest.raises(BadArgumentError):
        rig.groups.add(replace(group(), mc_addr=ADDRESS + 1, **wrong))


def test_an_address_of_devices_is_refused():
    with pytest.raises(BadArgumentError, match="multicast group 01feffff"):
        Rig().groups.add(replace(group(), mc_addr=ADDRESS - 1))


def test_a_frequency_that_the_law_does_not_allow_is_refused():
    with pytest.raises(UnknownError, match="frequency"):
        Rig().groups.add(replace(group(), mc_addr=ADDRESS + 1, frequency_hz=868_100_000))


@pytest.mark.parametrize(("port", "size"), [(0, 1), (224, 1), (201, 116)])
def test_a_message_that_no_frame_holds_is_refused(port, size):
    with pytest.raises(BadArgumentError, match="at most 115"):
        Rig().groups.enqueue(ADDRESS, port, bytes(size), None, START_US)


def test_the_queue_of_a_group_has_a_limit():
    rig = Rig()
    for _ in range(GROUP_QUEUE_MAX):
        rig.say()
    with pytest.raises(ConflictError, match="messages waiting"):
        rig.say()


def test_the_network_server_sends_for_groups_and_hears_of_it():
    rig = Rig()
    server = NetworkServer(rig.plan, rig.groups._sessions, [group()])
    server.groups.enqueue(ADDRESS, 201, b"x", "t", START_US)
    assert server.next_us == START_US
    first = [each for each in server.poll(START_US) if isinstance(each, Transmission)]
    for each in first:
        server.transmitted(each.number, TxResult.NO_PATH, START_US + 1)
    assert server.next_us == START_US + 1
    again = [each for each in server.poll(START_US + 1 + RETRY_US) if isinstance(each, Transmission)]
    assert {each.phy for each in again} == {each.phy for each in first}
