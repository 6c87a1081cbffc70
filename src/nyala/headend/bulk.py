"""Command campaigns: one order for many meters, paced, stopped by its own failures, the result of each meter known.  No I/O.

A campaign orders through the `CommandTracker`, which chases each command and ends it.  That a meter was ordered and its
command are in one unit of work: after a crash either both are there or none, and nothing is ordered twice (law 3).
A disconnection of many waits for a second person.  Not the campaigns of `campaigns`, which bring a block by multicast.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from nyala.headend.budget import Budget, Share
from nyala.headend.bulk_life import (
    BAD,
    ENDED,
    MEMBER_OF,
    NEEDS_APPROVAL,
    ORDERS,
    TRANSITIONS,
    BulkEvent,
    BulkState,
    MemberState,
)
from nyala.headend.command_life import FINAL
from nyala.headend.commands import PRIORITY, CommandRow, CommandTracker, Kind
from nyala.headend.registry import MeterRecord
from nyala.lorawan.network.port import Urgency
from nyala.vocab.errors import BadArgumentError, CallerError, ConflictError, NotAllowedError, UnknownError
from nyala.vocab.time import US_PER_S

MEMBERS_MAX: Final = 100_000
"""Meters of one campaign."""
PACE_MAX: Final = 6_000
"""Meters per minute: more than the air carries anyhow."""
UNDER_WAY_MAX: Final = 1_000
"""Commands of campaigns that may be under way at once: bounds what the tracker looks through for each telegram."""
LOOK_MAX: Final = 64
"""Members that are looked through for one whose gateway may send now."""
ORDER_BYTES: Final = 11
"""Counted for an order: the most that is sent in haste."""
HISTORY_MAX: Final = 200
LIFE_MAX_S: Final = 30 * 86_400
MINUTE_US: Final = 60 * US_PER_S


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person orders.  BadArgumentError for figures outside their limits."""

    kind: Kind
    pace: int = 60
    """Meters per minute."""
    stop_pct: int = 20
    """Stop when more than so many per cent of those that ended have failed ..."""
    stop_min: int = 10
    """... of at least so many."""
    life_s: int = 3_600
    """How long each command lives."""
    expires_s: int = 86_400
    """How long the campaign lives."""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("pace", self.pace, 1, PACE_MAX),
            ("stop_pct", self.stop_pct, 0, 100),
            ("stop_min", self.stop_min, 1, MEMBERS_MAX),
            ("life_s", self.life_s, 1, LIFE_MAX_S),
            ("expires_s", self.expires_s, 1, LIFE_MAX_S),
        ):
            if not low <= value <= high:
                raise BadArgumentError(f"{name} {value} is not {low}..{high}")


@dataclass(slots=True)
class Member:
    """One meter of a campaign."""

    meter_id: int
    state: MemberState = MemberState.WAITING
    command_id: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step in the life of a campaign: who, when and why."""

    at_us: int
    state: str
    by: str
    text: str


@dataclass(slots=True)
class BulkOrder:
    """A campaign, as it is stored and followed."""

    id: int
    tenant_id: int
    name: str
    plan: Plan
    state: BulkState
    created_us: int
    created_by: str
    reason: str
    expires_us: int
    next_us: int
    updated_us: int
    approved_by: str = ""
    forgiven_ended: int = 0
    """Members that had ended when a person let it go on after a stop: the rule counts from there."""
    forgiven_failed: int = 0
    key: str | None = None
    history: list[Step] = field(default_factory=list)
    members: dict[int, Member] = field(default_factory=dict)
    tally: Counter[MemberState] = field(default_factory=Counter, compare=False)
    """How many members stand where."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a model can, as far as ordering asks."""

    has_switch: bool
    phases: int


Ability = Callable[[MeterRecord], Abilities]
"""What a meter can; NotAllowedError where it takes no commands of ours, or is not in its place any more."""


def any_ability(record: MeterRecord) -> Abilities:
    """A single-phase meter with a switch, whatever it is."""
    del record
    return Abilities(has_switch=True, phases=1)


class Bulk:
    """The campaigns of one centre that have not ended, or have commands under way."""

    def __init__(
        self,
        tracker: CommandTracker,
        meter: Callable[[int], MeterRecord],
        ability: Ability = any_ability,
        loaded: Iterable[BulkOrder] = (),
        next_id: int = 1,
        budget: Budget | None = None,
    ) -> None:
        self._tracker, self._meter, self._ability, self._next_id = tracker, meter, ability, next_id
        self._budget = budget or Budget()
        self._orders = {order.id: order for order in loaded}
        for order in self.orders:
            order.tally = Counter(member.state for member in order.members.values())
        self._waiting = {o.id: [m for m in o.members.values() if m.state is MemberState.WAITING][::-1] for o in self.orders}
        self._of_command = {
            member.command_id: (order, member)
            for order in self.orders
            for member in order.members.values()
            if member.state is MemberState.ORDERED and member.command_id is not None
        }
        self._changed: dict[int, BulkOrder] = {}
        self._moved: dict[tuple[int, int], Member] = {}
        self._withdrawn: list[tuple[int, object]] = []

    @property
    def orders(self) -> tuple[BulkOrder, ...]:
        """The campaigns that are followed."""
        return tuple(self._orders.values())

    @property
    def next_us(self) -> int | None:
        """When `poll` has something to do."""
        full = len(self._of_command) >= UNDER_WAY_MAX
        times = [
            min(order.next_us, order.expires_us) if order.state is BulkState.RUNNING and not full else order.expires_us
            for order in self._orders.values()
            if order.state not in ENDED and self._waiting[order.id]
        ]
        return 0 if self._withdrawn else min(times, default=None)

    def of_key(self, key: str) -> BulkOrder | None:
        """The open campaign that was ordered with an idempotency key, or None."""
        return next((order for order in self._orders.values() if order.key == key), None)

    # -- what people order

    def create(self, order: BulkOrder, meter_ids: Sequence[int]) -> None:
        """Takes a new campaign over meters; BadArgumentError for none, or too many.

        Its id and state are set here: one that needs a second person waits for him.
        """
        if not 1 <= len(meter_ids) <= MEMBERS_MAX:
            raise BadArgumentError(f"a campaign has 1 to {MEMBERS_MAX} meters, not {len(meter_ids)}")
        order.id, self._next_id = self._next_id, self._next_id + 1
        order.members = {meter_id: Member(meter_id) for meter_id in meter_ids}
        order.tally = Counter({MemberState.WAITING: len(order.members)})
        order.state = BulkState.AWAITING if order.plan.kind in NEEDS_APPROVAL else BulkState.RUNNING
        self._orders[order.id] = order
        self._waiting[order.id] = list(order.members.values())[::-1]
        self._moved |= {(order.id, member.meter_id): member for member in order.members.values()}
        self._note(order, order.created_us, order.created_by, f"{order.plan.kind} of {len(meter_ids)} meters: {order.reason}")

    def say(self, order_id: int, event: BulkEvent, *, by: str, reason: str, now_us: int) -> BulkOrder:
        """What a person says to a campaign.

        UnknownError for one that is over; NotAllowedError where who ordered it approves it; ConflictError where it is too late.
        """
        assert event in ORDERS
        order = self._orders.get(order_id)
        if order is None:
            raise UnknownError("open campaign", order_id)
        if event is BulkEvent.APPROVE and by == order.created_by:
            raise NotAllowedError(f"campaign {order_id} was ordered by {by}: another person has to approve it")
        self._expire(order, now_us)
        stopped = order.state is BulkState.STOPPED
        if not self._move(order, event, now_us, by, reason):
            raise ConflictError(f"campaign {order_id} is {order.state}: no {event}")
        if event is BulkEvent.APPROVE:
            order.approved_by = by
        if event is BulkEvent.RESUME and stopped:
            order.forgiven_ended, order.forgiven_failed = self._ended(order)
        if order.state is BulkState.RUNNING:
            order.next_us = max(order.next_us, now_us)
        if order.state in ENDED:
            self._take_back(order, now_us, by)
        return order

    def _take_back(self, order: BulkOrder, now_us: int, by: str) -> None:
        """Nothing waits any more; commands that have not left are taken back, the others go on."""
        end = MemberState.EXPIRED if order.state is BulkState.EXPIRED else MemberState.CANCELLED
        for member in self._waiting[order.id]:
            self._put(order, member, end, f"campaign {order.state}")
        self._waiting[order.id] = []
        for command_id in [each for each, (of, _) in self._of_command.items() if of is order]:
            try:
                command, token = self._tracker.cancel(command_id, now_us, by)
            except CallerError:  # it has left, or has just ended: its end is followed
                continue
            self._withdrawn.append((self._meter(command.meter_id).dev_eui, token))
        self._judge(order, now_us)

    # -- what time brings

    def poll(self, now_us: int) -> list[tuple[int, object]]:
        """Orders what is due, the switch first; answers (DevEUI, token) of downlinks to take back."""
        for order in sorted(self._orders.values(), key=lambda each: (PRIORITY[each.plan.kind], each.id)):
            self._expire(order, now_us)
            waiting = self._waiting[order.id]
            while order.state is BulkState.RUNNING and waiting and order.next_us <= now_us:
                if len(self._of_command) >= UNDER_WAY_MAX:
                    break
                member = self._next(order, now_us)
                if member is None:
                    break
                self._order(order, member, now_us)
                late = now_us - order.next_us > MINUTE_US  # the process was away: no burst afterwards
                order.next_us = (now_us if late else order.next_us) + MINUTE_US // order.plan.pace
                self._judge(order, now_us)
        withdrawn, self._withdrawn = self._withdrawn, []
        return withdrawn

    def _next(self, order: BulkOrder, now_us: int) -> Member | None:
        """The first whose gateway has its share free; None: later.  The switch waits for nobody."""
        waiting = self._waiting[order.id]
        if PRIORITY[order.plan.kind] is Urgency.AT_ONCE:
            return waiting.pop()
        free_us = []
        for place in range(len(waiting) - 1, max(len(waiting) - 1 - LOOK_MAX, -1), -1):
            dev_eui = self._meter(waiting[place].meter_id).dev_eui
            free_us.append(self._budget.free_us(Share.ORDERS, self._budget.gateway(dev_eui)))
            if free_us[-1] <= now_us:
                self._budget.spend_at_once(Share.ORDERS, dev_eui, ORDER_BYTES, now_us)
                return waiting.pop(place)
        order.next_us = min(free_us)
        return None

    def _order(self, order: BulkOrder, member: Member, now_us: int) -> None:
        rest_s = max((order.expires_us - now_us) // US_PER_S, 1)
        try:
            record = self._meter(member.meter_id)
            can = self._ability(record)
            command = self._tracker.issue(
                record,
                order.plan.kind,
                has_switch=can.has_switch,
                by=order.created_by,
                reason=f"campaign {order.id}: {order.reason}",
                now_us=now_us,
                life_s=min(order.plan.life_s, rest_s),
                phases=can.phases,
                key=f"bulk:{order.id}:{member.meter_id}",
            )
        except CallerError as error:
            self._put(order, member, MemberState.FAILED, str(error))
            return
        member.command_id = command.id
        self._of_command[command.id] = (order, member)
        self._put(order, member, MemberState.ORDERED, "")

    def _expire(self, order: BulkOrder, now_us: int) -> None:
        if now_us < order.expires_us or not self._waiting[order.id]:  # where none waits, commands end by themselves
            return
        if self._move(order, BulkEvent.TIME_OVER, now_us, "", "its time is over"):
            self._take_back(order, now_us, "time")

    def follow(self, commands: Iterable[CommandRow]) -> None:
        """Commands that changed: those that ended end their members."""
        for command in commands:
            if command.state in FINAL and command.id in self._of_command:
                order, member = self._of_command.pop(command.id)
                self._put(order, member, MEMBER_OF[command.state], "")
                self._judge(order, command.updated_us)

    def _judge(self, order: BulkOrder, now_us: int) -> None:
        ended, failed = self._ended(order)
        ended, failed = ended - order.forgiven_ended, failed - order.forgiven_failed
        if not order.tally[MemberState.WAITING] and not order.tally[MemberState.ORDERED]:
            self._move(order, BulkEvent.ALL_ENDED, now_us, "", "")
            if order.state in ENDED:
                self._orders.pop(order.id, None)
        elif ended >= order.plan.stop_min and failed * 100 > ended * order.plan.stop_pct:
            self._move(order, BulkEvent.TOO_MANY_FAILED, now_us, "", f"{failed} of {ended} failed")

    @staticmethod
    def _ended(order: BulkOrder) -> tuple[int, int]:
        failed = sum(order.tally[state] for state in BAD)
        return order.tally[MemberState.VERIFIED] + failed, failed

    # -- changing

    def _put(self, order: BulkOrder, member: Member, state: MemberState, text: str) -> None:
        order.tally[member.state] -= 1
        order.tally[state] += 1
        member.state, member.text = state, text
        self._moved[order.id, member.meter_id] = member
        self._changed[order.id] = order

    def _move(self, order: BulkOrder, event: BulkEvent, now_us: int, by: str, text: str) -> bool:
        state = TRANSITIONS.get((order.state, event))
        if state is None:
            return False
        order.state = state
        self._note(order, now_us, by, text)
        return True

    def _note(self, order: BulkOrder, now_us: int, by: str, text: str) -> None:
        order.updated_us = now_us
        if len(order.history) < HISTORY_MAX:
            order.history.append(Step(now_us, order.state.value, by, text))
        self._changed[order.id] = order

    def take_changes(self) -> tuple[list[BulkOrder], list[tuple[int, Member]]]:
        """What to store now: campaigns, and (campaign, member)."""
        orders, members = list(self._changed.values()), [(key[0], member) for key, member in self._moved.items()]
        self._changed, self._moved = {}, {}
        return orders, members
