"""Command campaigns: approval, pace, the stop rule, expiry, taking back, and one order per meter whatever happens."""

import itertools
from dataclasses import replace
from types import SimpleNamespace

import pytest

from nyala.headend.budget import PER_CENT, SHARE_PCT, Budget, Share
from nyala.headend.bulk import LOOK_MAX, MINUTE_US, Bulk, BulkOrder, Plan
from nyala.headend.bulk_life import (
    ENDED,
    MEMBER_OF,
    NEEDS_APPROVAL,
    ORDERS,
    TRANSITIONS,
    BulkEvent,
    BulkState,
    MemberState,
    moves,
)
from nyala.headend.command_life import FINAL
from nyala.headend.commands import CommandTracker, Kind
from nyala.headend.registry import Registry
from nyala.lorawan.network.port import DownlinkFate, Fate, Way
from nyala.telegram.kinds import Opcode, Result
from nyala.telegram.messages import Answer
from nyala.telegram.values import Values
from nyala.vocab.errors import BadArgumentError, ConflictError, NotAllowedError, UnknownError
from nyala.vocab.time import US_PER_S
from tests.unit.headend.fleet import START_S, record

NOW_US = START_S * US_PER_S
AIR_US = 371_000
TURN_US = -(-AIR_US * PER_CENT // SHARE_PCT[Share.ORDERS])
"""Between two orders that one gateway sends."""
S, E = BulkState, BulkEvent


class Room:
    """A tracker with campaigns over some meters."""

    def __init__(self, meters=10, gateways=1_000):
        self.registry = Registry([record(number) for number in range(1, meters + 1)])
        self.tracker = CommandTracker(self.registry, [], 1)
        town = SimpleNamespace(way=lambda dev_eui, _bytes: Way(dev_eui % gateways + 1, AIR_US, AIR_US))
        self.bulk = Bulk(self.tracker, self.registry.meter, budget=Budget(town))
        self.now_us = NOW_US
        self.commands = {}

    def order(self, kind=Kind.READ, meters=None, by="ani", **said):
        plan = Plan(kind, **({"pace": 60} | said))
        expires_us = self.now_us + plan.expires_s * US_PER_S
        order = BulkOrder(0, 1, "all", plan, S.AWAITING, self.now_us, by, "why", expires_us, self.now_us, self.now_us)
        self.bulk.create(order, meters or [each.id for each in self.registry])
        return order

    def later(self, seconds):
        self.now_us += int(seconds * US_PER_S)

    def poll(self):
        withdrawn = self.bulk.poll(self.now_us)
        downlinks, more = self.tracker.poll(self.now_us)
        self.store()
        return downlinks, withdrawn + more

    def store(self):
        changed, _ = self.tracker.take_changes()
        for command in changed:
            self.commands[command.id] = command
        self.bulk.follow(changed)
        return self.bulk.take_changes()

    def say(self, order, event, by="budi"):
        return self.bulk.say(order.id, event, by=by, reason="", now_us=self.now_us)

    def answer(self, meter, *, refuse=False):
        """The meter says what became of its command: read values, or a refusal."""
        command = next(c for c in self.tracker.open if c.meter_id == meter)
        self.tracker.fate(DownlinkFate(0xD000 + meter, ("command", command.id, 1), Fate.SENT), self.now_us)
        if refuse:
            said = Answer(command.sequence, Opcode.READ, Result.NOT_ALLOWED, 0)
            self.tracker.answer(meter, said, self.now_us)
        else:
            self.tracker.values(self.registry.state(meter), Values(START_S, {"p_w": 5}), self.now_us)
        self.store()


def ordered(room):
    return [command.meter_id for command in room.commands.values()]


def test_every_cell_of_the_table_is_a_state_and_no_ended_campaign_is_left():
    assert {state for state, _ in TRANSITIONS} | set(TRANSITIONS.values()) == set(BulkState)
    assert {event for _, event in TRANSITIONS} == set(BulkEvent)
    assert not ENDED & {state for state, _ in TRANSITIONS}
    assert set(MEMBER_OF) == set(FINAL)


REACH = {
    S.AWAITING: (Kind.SWITCH_OPEN, []),
    S.RUNNING: (Kind.READ, []),
    S.PAUSED: (Kind.READ, [E.PAUSE]),
}


@pytest.mark.parametrize(("state", "event"), [*itertools.product(REACH, sorted(ORDERS))])
def test_what_a_person_says_does_what_the_table_says_or_is_refused(state, event):
    room = Room()
    kind, way = REACH[state]
    order = room.order(kind)
    for each in way:
        room.say(order, each)
    assert order.state is state
    wanted = TRANSITIONS.get((state, event))
    if wanted is None:
        with pytest.raises(ConflictError, match=f"is {state}"):
            room.say(order, event)
        assert order.state is state
    else:
        assert room.say(order, event).state is wanted


@pytest.mark.parametrize("kind", Kind)
def test_a_disconnection_waits_for_a_second_person_and_nothing_else_does(kind):
    room = Room()
    order = room.order(kind)
    room.poll()
    assert order.state is (S.AWAITING if kind in NEEDS_APPROVAL else S.RUNNING)
    assert bool(ordered(room)) == (kind not in NEEDS_APPROVAL)
    assert (kind is Kind.SWITCH_OPEN) == (kind in NEEDS_APPROVAL)


def test_who_ordered_a_disconnection_does_not_approve_it():
    room = Room()
    order = room.order(Kind.SWITCH_OPEN)
    with pytest.raises(NotAllowedError, match="another person has to approve"):
        room.say(order, E.APPROVE, by="ani")
    room.later(3_600)
    room.poll()
    assert ordered(room) == []
    room.say(order, E.APPROVE, by="budi")
    room.poll()
    assert (order.approved_by, len(ordered(room))) == ("budi", 1)


def test_meters_are_ordered_at_the_pace_and_without_a_burst_after_a_pause_of_the_process():
    room = Room(50)
    room.order(pace=6)
    room.poll()
    assert len(ordered(room)) == 1
    for _ in range(60):
        room.later(1)
        room.poll()
    assert len(ordered(room)) == 7
    room.later(1_800)
    room.poll()
    assert len(ordered(room)) == 8


def test_meters_below_one_gateway_follow_each_other_and_hold_nobody_up_below_another_one():
    room = Room(6, gateways=2)
    room.order(Kind.READ, [2, 4, 6, 1, 3, 5], pace=6_000)
    room.poll()
    room.later(0.01)
    room.poll()
    assert ordered(room) == [2, 1]
    room.later(0.01)
    room.poll()
    assert room.bulk.next_us == NOW_US + TURN_US
    room.now_us = NOW_US + TURN_US
    room.poll()
    room.later(0.02)
    room.poll()
    assert ordered(room) == [2, 1, 4, 3]


def test_the_switch_waits_for_no_share():
    room = Room(6, gateways=1)
    room.order(Kind.READ, [1], pace=6_000)
    room.poll()
    room.order(Kind.SWITCH_CLOSE, [2, 3, 4, 5, 6], pace=6_000)
    for _ in range(5):
        room.poll()
        room.later(0.01)
    assert ordered(room) == [1, 2, 3, 4, 5, 6]


def test_a_campaign_looks_only_so_far_for_a_gateway_that_is_free():
    room = Room(2 * LOOK_MAX + 2, gateways=2)
    below_one = [number for number in range(1, 2 * LOOK_MAX + 3) if number % 2]
    room.order(Kind.READ, [*below_one, 2], pace=6_000)
    room.poll()
    room.later(0.01)
    room.poll()
    assert ordered(room) == [1]
    room.now_us = NOW_US + TURN_US
    room.poll()
    room.later(0.01)
    room.poll()
    assert ordered(room) == [1, 3, 2]


def test_the_switch_goes_before_everything():
    room = Room(4)
    room.order(Kind.READ, [1, 2])
    room.order(Kind.DEMAND_RESET, [3])
    room.order(Kind.SWITCH_CLOSE, [4])
    room.poll()
    assert ordered(room) == [4, 3, 1]


def test_a_campaign_stops_when_too_many_fail_and_counts_anew_when_a_person_lets_it_go_on():
    room = Room(10)
    order = room.order(stop_pct=50, stop_min=2, pace=6_000)
    for number in (1, 2, 3):
        room.poll()
        room.later(0.01)
        room.answer(number, refuse=number > 1)
    assert (order.state, order.history[-1].text) == (S.STOPPED, "2 of 3 failed")
    before = len(ordered(room))
    room.later(60)
    room.poll()
    assert len(ordered(room)) == before
    room.say(order, E.RESUME)
    room.poll()
    assert order.state is S.RUNNING
    assert len(ordered(room)) == before + 1


def test_a_campaign_is_done_when_every_meter_has_its_end():
    room = Room(3)
    order = room.order(pace=6_000)
    for number in (1, 2, 3):
        room.poll()
        room.answer(number)
        room.later(0.01)
    assert (order.state, order.tally[MemberState.VERIFIED], room.bulk.orders) == (S.DONE, 3, ())
    with pytest.raises(UnknownError, match="open campaign"):
        room.say(order, E.CANCEL)


def test_when_its_time_is_over_what_waits_expires_and_what_left_goes_on():
    room = Room(3)
    order = room.order(pace=1, expires_s=70)
    room.poll()
    room.tracker.fate(DownlinkFate(0xD001, ("command", 1, 1), Fate.SENT), room.now_us)
    room.later(71)
    room.poll()
    assert order.state is S.EXPIRED
    assert order.tally[MemberState.EXPIRED] >= 1
    assert order.tally[MemberState.WAITING] == 0


def test_a_cancelled_campaign_takes_back_what_has_not_left_and_names_the_downlinks():
    room = Room(3)
    order = room.order(pace=6_000)
    room.poll()
    room.say(order, E.CANCEL)
    withdrawn = room.bulk.poll(room.now_us)
    [(dev_eui, token)] = withdrawn
    sent = next(member for member in order.members.values() if member.command_id)
    assert dev_eui == room.registry.meter(sent.meter_id).dev_eui
    assert token == ("command", sent.command_id, 1)
    room.store()
    assert order.tally == {MemberState.CANCELLED: 3, MemberState.WAITING: 0, MemberState.ORDERED: 0}


def test_a_meter_that_cannot_be_ordered_fails_with_the_reason():
    room = Room(2)
    room.tracker.issue(room.registry.meter(1), Kind.DEMAND_RESET, has_switch=True, by="x", reason="", now_us=NOW_US)
    order = room.order(Kind.SWITCH_CLOSE, pace=6_000)
    room.poll()
    member = order.members[1]
    assert (member.state, "demand_reset" in member.text) == (MemberState.FAILED, True)


@pytest.mark.parametrize("bad", [{"pace": 0}, {"stop_pct": 101}, {"stop_min": 0}, {"life_s": 0}, {"expires_s": 10**9}])
def test_a_plan_outside_its_limits_is_refused(bad):
    with pytest.raises(BadArgumentError, match=next(iter(bad))):
        Plan(Kind.READ, **bad)


def test_a_campaign_of_nobody_is_refused():
    room = Room(1)
    order = replace(room.order(), members={})
    with pytest.raises(BadArgumentError, match="1 to"):
        room.bulk.create(order, [])


def test_the_next_time_is_that_of_the_next_meter():
    room = Room(2)
    room.order(pace=60)
    assert room.bulk.next_us == NOW_US
    room.poll()
    assert room.bulk.next_us == NOW_US + MINUTE_US // 60


@pytest.mark.parametrize("state", BulkState)
def test_what_a_person_may_say_is_what_the_table_allows(state):
    assert set(moves(state)) == {event for at, event in TRANSITIONS if at is state} & ORDERS
    assert bool(moves(state)) is (state not in ENDED)
