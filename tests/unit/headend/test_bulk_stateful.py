"""Whatever people, meters and crashes do: a meter gets one order of a campaign at most, and every campaign tells the truth."""

from copy import deepcopy
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nyala.headend.bulk import Bulk, BulkOrder, Plan
from nyala.headend.bulk_life import ENDED, NEEDS_APPROVAL, ORDERS, TRANSITIONS, BulkEvent, BulkState, MemberState
from nyala.headend.command_life import FINAL, CommandEvent, CommandState
from nyala.headend.commands import CommandTracker, Kind
from nyala.headend.registry import Registry
from nyala.vocab.errors import CallerError
from nyala.vocab.time import US_PER_S
from tests.unit.headend.fleet import START_S, record

METERS = 5
PEOPLE = ("ani", "budi")


class Campaigns(RuleBasedStateMachine):
    """Campaigns over a tracker; what was stored is what a crash leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.now_us = START_S * US_PER_S
        self.disk: dict[str, dict[Any, Any]] = {"orders": {}, "members": {}, "commands": {}}
        self.start()

    def start(self) -> None:
        """The process, over what is stored."""
        self.registry = Registry([record(number) for number in range(1, METERS + 1)])
        commands = deepcopy(self.disk["commands"])
        self.tracker = CommandTracker(
            self.registry, [c for c in commands.values() if c.state not in FINAL], max(commands, default=0) + 1
        )
        orders = deepcopy(self.disk["orders"])
        for (bulk_id, meter_id), member in sorted(self.disk["members"].items()):
            orders[bulk_id].members[meter_id] = deepcopy(member)
        under_way = {key[0] for key, member in self.disk["members"].items() if member.state is MemberState.ORDERED}
        running = [order for order in orders.values() if order.state not in ENDED or order.id in under_way]
        self.bulk = Bulk(self.tracker, self.registry.meter, loaded=running, next_id=max(orders, default=0) + 1)

    def store(self) -> None:
        """One unit of work."""
        commands, _ = self.tracker.take_changes()
        self.bulk.follow(commands)
        orders, members = self.bulk.take_changes()
        self.disk["commands"] |= {command.id: deepcopy(command) for command in commands}
        for order in orders:
            kept = deepcopy(order)
            kept.members = {}
            self.disk["orders"][order.id] = kept
        for bulk_id, member in members:
            self.disk["members"][bulk_id, member.meter_id] = deepcopy(member)

    @rule(
        kind=st.sampled_from(Kind),
        meters=st.sets(st.integers(1, METERS), min_size=1),
        pace=st.sampled_from([1, 60, 6_000]),
        stop=st.sampled_from([(0, 1), (50, 2), (100, 1)]),
        expires_s=st.sampled_from([5, 10_000]),
        stored=st.booleans(),
    )
    def somebody_orders(self, kind, meters, pace, stop, expires_s, stored) -> None:
        plan = Plan(kind, pace, stop[0], stop[1], life_s=900, expires_s=expires_s)
        expires_us = self.now_us + expires_s * US_PER_S
        order = BulkOrder(0, 1, "g", plan, BulkState.AWAITING, self.now_us, "ani", "", expires_us, self.now_us, self.now_us)
        self.bulk.create(order, sorted(meters))
        if stored:
            self.store()

    @rule(which=st.integers(1, 6), event=st.sampled_from(sorted(ORDERS)), by=st.sampled_from(PEOPLE), stored=st.booleans())
    def somebody_says(self, which, event, by, stored) -> None:
        order = next((each for each in self.bulk.orders if each.id == which), None)
        before = None if order is None else order.state
        try:
            after = self.bulk.say(which, event, by=by, reason="", now_us=self.now_us)
        except CallerError:
            return
        assert (event, by) != (BulkEvent.APPROVE, "ani")
        assert before is not None
        assert after.state in {TRANSITIONS[before, event], BulkState.DONE}
        if stored:
            self.store()

    @rule(seconds=st.sampled_from([0, 1, 30, 2_000]), stored=st.booleans())
    def time_passes(self, seconds, stored) -> None:
        self.now_us += seconds * US_PER_S
        self.bulk.poll(self.now_us)
        if stored:
            self.store()

    @precondition(lambda self: self.tracker.open)
    @rule(place=st.integers(0, 50), event=st.sampled_from(CommandEvent))
    def a_command_moves(self, place, event) -> None:
        command = self.tracker.open[place % len(self.tracker.open)]
        self.tracker._move(command, event, self.now_us, "")
        self.store()

    @rule()
    def the_process_is_killed(self) -> None:
        self.start()

    @invariant()
    def every_meter_has_one_order_of_a_campaign_at_most(self) -> None:
        keys = [command.key for command in self.disk["commands"].values()]
        assert len(keys) == len(set(keys))
        for (bulk_id, meter_id), member in self.disk["members"].items():
            command = self.disk["commands"].get(member.command_id)
            assert (member.command_id is None) == (command is None)
            if command is not None:
                assert command.key == f"bulk:{bulk_id}:{meter_id}"
                assert (member.state is MemberState.ORDERED) == (command.state not in FINAL)
                assert (member.state is MemberState.VERIFIED) == (command.state is CommandState.VERIFIED)

    @invariant()
    def nothing_is_disconnected_that_nobody_else_approved(self) -> None:
        for (bulk_id, _), member in self.disk["members"].items():
            order = self.disk["orders"][bulk_id]
            if member.command_id is not None and order.plan.kind in NEEDS_APPROVAL:
                assert order.approved_by == "budi"

    @invariant()
    def the_tally_counts_the_members(self) -> None:
        for order in self.bulk.orders:
            assert sum(order.tally.values()) == len(order.members)
            for state in MemberState:
                assert order.tally[state] == sum(member.state is state for member in order.members.values())

    @invariant()
    def nothing_waits_in_a_campaign_that_has_ended(self) -> None:
        for (bulk_id, _), member in self.disk["members"].items():
            if self.disk["orders"][bulk_id].state in ENDED:
                assert member.state is not MemberState.WAITING


TestCampaigns = Campaigns.TestCase
TestCampaigns.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
