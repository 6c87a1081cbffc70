"""Scheduled reads: any quantities of the catalogue, of a meter or of a group, in a rhythm.  No I/O.

At its instant a plan begins a run: the meters that it has now are read one after another, spread over a span by their DevEUI,
each by a command that waits behind everything else.  Runs that were missed while the centre was away are caught up once, as
one.  How far a run has come is in one unit of work with the commands that it gave: after a crash it goes on from there, and
no meter is asked twice (law 3).
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from nyala.headend.bulk import Ability, any_ability
from nyala.headend.commands import CommandRow, CommandTracker, Kind
from nyala.headend.read_items import asked
from nyala.headend.registry import MeterRecord
from nyala.headend.rhythm import Rhythm
from nyala.lorawan.network.timers import Timers
from nyala.vocab.errors import BadArgumentError, CallerError, UnknownError
from nyala.vocab.time import US_PER_S, zone

PLANS_MAX: Final = 100
"""Plans of one tenant that have not ended."""
SPREAD_MAX_S: Final = 86_400
EACH_US: Final = US_PER_S
"""A span has at least so much for each meter: an order and its values take a gateway's ears for a second at SF10."""
BURST_MAX: Final = 100
"""Reads that are given at once, as after a crash in a run: the others follow a second later."""
LIFE_S: Final = (60, 3_600)
"""Shortest and longest life of a read; it ends before the next run begins where that is possible."""


@dataclass(slots=True)
class ReadPlan:
    """A plan, as it is stored and followed.  One of `meter_id` and `group_id` says of whom; `spread_s` over which span."""

    id: int
    tenant_id: int
    name: str
    quantities: tuple[str, ...]
    rhythm: str
    zone: str
    spread_s: int
    meter_id: int | None
    group_id: int | None
    created_us: int
    created_by: str
    next_s: int = 0
    """When the next run begins."""
    run_s: int = 0
    """For which instant the last run was; 0: none was yet."""
    begun_us: int = 0
    """When it began: later than its instant where the centre was away."""
    issued_us: int = 0
    """Reads that were due until then were given."""
    ordered: int = 0
    """Reads of the last run that were given."""
    refused: int = 0
    """Meters of the last run that could not be asked."""
    ended_us: int | None = None
    key: str | None = None
    """Idempotency key of the caller."""


Members = Callable[[ReadPlan], Sequence[int]]
"""The meters that a plan has now."""


def alone(plan: ReadPlan) -> Sequence[int]:
    """The meter of a plan for one; where nothing is known of groups, they are empty."""
    return () if plan.meter_id is None else (plan.meter_id,)


class Reads:
    """The plans of one centre that have not ended."""

    def __init__(
        self,
        tracker: CommandTracker,
        meter: Callable[[int], MeterRecord],
        ability: Ability = any_ability,
        members: Members = alone,
        loaded: Iterable[ReadPlan] = (),
        next_id: int = 1,
    ) -> None:
        self._tracker, self._meter, self._ability, self._members, self._next_id = tracker, meter, ability, members, next_id
        self._plans = {plan.id: plan for plan in loaded}
        self._waiting: dict[int, list[tuple[int, int]]] = {}
        """Of each run (instant, meter) that are still to be asked, the last one first."""
        self._timers = Timers()
        self._asked: dict[int, set[str]] = {}
        self._changed: dict[int, ReadPlan] = {}
        for command in tracker.open:
            self._note(command)
        for plan in self._plans.values():
            self._lay(plan)

    @property
    def plans(self) -> tuple[ReadPlan, ...]:
        """Those that have not ended."""
        return tuple(self._plans.values())

    @property
    def next_us(self) -> int | None:
        """When `poll` has something to do."""
        return self._timers.next_us

    def asked_of(self, meter_id: int) -> set[str]:
        """The quantities that plans have asked of a meter: what it says of them is kept, whenever it says it."""
        return self._asked.get(meter_id, set())

    # -- what people order

    def add(self, plan: ReadPlan, now_us: int) -> ReadPlan:
        """Takes a new plan; its id and its first instant are set here.  BadArgumentError, UnknownError for what it says."""
        rhythm, tz = Rhythm.parse(plan.rhythm), zone(plan.zone)
        if not plan.quantities:
            raise BadArgumentError("a plan names the quantities that it reads")
        asked(plan.quantities, 1)
        if (plan.meter_id is None) == (plan.group_id is None):
            raise BadArgumentError("a plan is for a meter or for a group")
        if not 0 <= plan.spread_s <= SPREAD_MAX_S:
            raise BadArgumentError(f"reads are spread over 0 to {SPREAD_MAX_S} s, not {plan.spread_s}")
        if sum(each.tenant_id == plan.tenant_id for each in self._plans.values()) >= PLANS_MAX:
            raise BadArgumentError(f"there are {PLANS_MAX} plans already")
        plan.id, self._next_id = self._next_id, self._next_id + 1
        plan.next_s = rhythm.following(now_us // US_PER_S, tz)
        self._plans[plan.id] = self._changed[plan.id] = plan
        self._lay(plan)
        return plan

    def of(self, plan_id: int) -> ReadPlan:
        """A plan; UnknownError where it has ended, or never was."""
        try:
            return self._plans[plan_id]
        except KeyError:
            raise UnknownError("read", plan_id) from None

    def of_key(self, key: str) -> ReadPlan | None:
        """The plan that was made with an idempotency key, or None."""
        return next((plan for plan in self._plans.values() if plan.key == key), None)

    def end(self, plan_id: int, now_us: int) -> ReadPlan:
        """No more runs; what was given goes on."""
        plan = self.of(plan_id)
        plan.ended_us, self._changed[plan_id] = now_us, plan
        del self._plans[plan_id]
        self._waiting.pop(plan_id, None)
        return plan

    def run(self, plan_id: int, now_us: int) -> ReadPlan:
        """Begins a run now, besides the rhythm; one that is under way ends."""
        plan = self.of(plan_id)
        plan.next_s, self._changed[plan_id] = now_us // US_PER_S, plan
        self._timers.wake(plan_id, now_us)
        return plan

    # -- what time brings

    def poll(self, now_us: int) -> None:
        """Begins the runs that are due, and asks the meters whose turn has come."""
        for plan_id in self._timers.take(now_us):
            plan = self._plans.get(plan_id)
            if plan is None:
                continue
            if now_us >= plan.next_s * US_PER_S:
                self._begin(plan, now_us)
            waiting = self._waiting[plan_id]
            for _ in range(BURST_MAX):
                if not waiting or waiting[-1][0] > now_us:
                    break
                plan.issued_us, meter_id = waiting.pop()
                self._ask(plan, meter_id, now_us)
            self._wake(plan, now_us + US_PER_S)

    def _begin(self, plan: ReadPlan, now_us: int) -> None:
        rhythm, tz, now_s = Rhythm.parse(plan.rhythm), zone(plan.zone), now_us // US_PER_S
        plan.run_s = max(plan.next_s, rhythm.latest(now_s, tz))
        plan.next_s = rhythm.following(now_s, tz)
        plan.begun_us, plan.issued_us = now_us, now_us - 1
        plan.ordered = plan.refused = 0
        self._changed[plan.id] = plan
        self._lay(plan)

    def _lay(self, plan: ReadPlan) -> None:
        """Lays out what is left of the run under way.  The same plan, run and meter: the same instant."""
        members = self._members(plan) if plan.run_s else ()
        span_us = max(plan.spread_s * US_PER_S, len(members) * EACH_US)
        due = ((plan.begun_us + _place(self._meter(each).dev_eui, span_us), each) for each in members)
        self._waiting[plan.id] = sorted((each for each in due if each[0] > plan.issued_us), reverse=True)
        self._wake(plan, 0)

    def _wake(self, plan: ReadPlan, not_before_us: int) -> None:
        waiting = self._waiting[plan.id]
        self._timers.wake(plan.id, plan.next_s * US_PER_S)
        if waiting:
            self._timers.wake(plan.id, max(waiting[-1][0], not_before_us))

    def _ask(self, plan: ReadPlan, meter_id: int, now_us: int) -> None:
        self._changed[plan.id] = plan
        rest_s = plan.next_s - now_us // US_PER_S
        try:
            record = self._meter(meter_id)
            can = self._ability(record)
            command = self._tracker.issue(
                record,
                Kind.SCHEDULED_READ,
                has_switch=can.has_switch,
                by=plan.created_by,
                reason=f"plan {plan.id}: {plan.name}",
                now_us=now_us,
                life_s=min(max(rest_s, LIFE_S[0]), LIFE_S[1]),
                phases=can.phases,
                quantities=plan.quantities,
            )
        except CallerError:  # removed, another maker's, or too much is under way there
            plan.refused += 1
            return
        plan.ordered += 1
        self._note(command)

    def _note(self, command: CommandRow) -> None:
        if command.kind is Kind.SCHEDULED_READ:
            self._asked.setdefault(command.meter_id, set()).update(command.quantities)

    def take_changes(self) -> list[ReadPlan]:
        """What to store now."""
        changed, self._changed = list(self._changed.values()), {}
        return changed


def _place(dev_eui: int, span_us: int) -> int:
    """Where in a span a meter has its turn: the same in each run, and not that of its neighbour."""
    drawn = int.from_bytes(hashlib.blake2b(dev_eui.to_bytes(8, "big"), digest_size=8).digest(), "big")
    return drawn % max(span_us, 1)
