"""The limiter: opens the supply for too much power or current or a wrong voltage, and gives it back.  Pure, stepped by time.

After the DLMS class "Limiter" (id 71, IEC 62056-6-2): per quantity a normal and an emergency threshold, a least time over
and a least time under.  One limiter watches all quantities of a meter, because they share the reclosings.  It moves no
switch: its effects are for `supply.step`.

    watching  a limit was over for its `over_s`                                     -> tripped  DISCONNECT
    tripped   `reclose_delay_s` passed, every limit under for its `under_s`:
                fewer reclosings in the last hour and day than allowed              -> watching RECONNECT
                otherwise                                                           -> armed    ARM: the button connects
    armed     the contact was closed by somebody (`contact_closed`)                 -> watching

What is measured holds until the next measurement: conditions that become due in between have their own instants, and a
step of a minute finds the same ones as sixty of a second.  `next_s` is the instant to stop at.  `now_s` is running time
that never goes back; the caller translates times of the clock into it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from nyala.meter.supply import Reason, SwitchEvent
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.time import DAY_S, HOUR_S

DURATION_MAX_S: Final = DAY_S
RECLOSES_MAX: Final = 24
"""Reclosings a day, and so the instants that a meter remembers; a switch has about 10,000 in its life."""


class Phase(Enum):
    """Where the limiter stands."""

    WATCHING = 0
    TRIPPED = 1
    ARMED = 2


class Action(Enum):
    """What the supply switch is told."""

    DISCONNECT = SwitchEvent.LOCAL_DISCONNECT
    RECONNECT = SwitchEvent.LOCAL_RECONNECT
    ARM = SwitchEvent.LOCAL_RELEASE


@dataclass(frozen=True, slots=True)
class Measured:
    """What the meter reads: total import W, largest phase current A, highest and lowest phase voltage V."""

    power_w: float
    current_a: float
    highest_v: float
    lowest_v: float


@dataclass(frozen=True, slots=True)
class Quantity:
    """A row of `QUANTITIES`: how to read it, whether too low is wrong, whether it is gone while the contact is open."""

    read: Callable[[Measured], float]
    below: bool = False
    through_contact: bool = False


QUANTITIES: Final[dict[Reason, Quantity]] = {
    Reason.POWER: Quantity(lambda measured: measured.power_w, through_contact=True),
    Reason.CURRENT: Quantity(lambda measured: measured.current_a, through_contact=True),
    Reason.OVER_VOLTAGE: Quantity(lambda measured: measured.highest_v),
    Reason.UNDER_VOLTAGE: Quantity(lambda measured: measured.lowest_v, below=True),
}


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit.  Thresholds in W, A or V; `emergency` None: the normal one holds in an emergency too."""

    quantity: Reason
    normal: float
    over_s: int
    under_s: int
    emergency: float | None = None

    def __post_init__(self) -> None:
        if self.quantity not in QUANTITIES:
            raise BadArgumentError(f"nothing to limit: {self.quantity.name}")
        if not self.normal > 0 or (self.emergency is not None and not self.emergency > 0):
            raise BadArgumentError(f"threshold of {self.quantity.name}: above 0")
        for seconds in (self.over_s, self.under_s):
            if not 0 <= seconds <= DURATION_MAX_S:
                raise BadArgumentError(f"duration of {self.quantity.name} {seconds} s: 0..{DURATION_MAX_S}")

    def exceeded(self, measured: Measured, *, emergency: bool) -> bool:
        """Whether the measurement is beyond the threshold that holds."""
        threshold = self.emergency if emergency and self.emergency is not None else self.normal
        value = QUANTITIES[self.quantity].read(measured)
        return value < threshold if QUANTITIES[self.quantity].below else value > threshold


@dataclass(frozen=True, slots=True)
class Emergency:
    """Emergency profile (class 71 attribute 8): its group, when it begins and how long it lasts."""

    group: int
    start_s: int
    duration_s: int

    def __post_init__(self) -> None:
        if self.duration_s <= 0:
            raise BadArgumentError(f"an emergency of {self.duration_s} s")

    @property
    def end_s(self) -> int:
        """The instant from which the normal thresholds hold again."""
        return self.start_s + self.duration_s

    def active(self, now_s: int) -> bool:
        """Whether the emergency thresholds hold at an instant."""
        return self.start_s <= now_s < self.end_s


@dataclass(frozen=True, slots=True)
class LimiterPlan:
    """What a limiter is told.  `groups`: the emergency profiles that it obeys (class 71 attribute 9)."""

    limits: tuple[Limit, ...]
    reclose_delay_s: int = 60
    recloses_per_hour: int = 3
    recloses_per_day: int = 6
    groups: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        quantities = [limit.quantity for limit in self.limits]
        if len(quantities) != len(set(quantities)):
            raise BadArgumentError(f"a quantity is limited twice: {[quantity.name for quantity in quantities]}")
        # At least a second: a contact that trips and closes in one instant would do so for ever.
        if not 1 <= self.reclose_delay_s <= DURATION_MAX_S:
            raise BadArgumentError(f"reclose delay {self.reclose_delay_s} s: 1..{DURATION_MAX_S}")
        for count in (self.recloses_per_hour, self.recloses_per_day):
            if not 0 <= count <= RECLOSES_MAX:
                raise BadArgumentError(f"{count} reclosings: 0..{RECLOSES_MAX}")


@dataclass(frozen=True, slots=True)
class LimiterState:
    """Where a limiter stands at `now_s`.  Per limit: whether it is over, and since when it is so."""

    now_s: int
    over: tuple[bool, ...]
    since_s: tuple[int, ...]
    phase: Phase = Phase.WATCHING
    reason: Reason = Reason.NONE
    tripped_s: int = 0
    recloses_s: tuple[int, ...] = ()
    measured: Measured | None = None
    emergency: Emergency | None = None


@dataclass(frozen=True, slots=True)
class Acted:
    """An effect: what the supply switch is told, why, and the instant at which it was due."""

    action: Action
    reason: Reason
    at_s: int


@dataclass(frozen=True, slots=True)
class Stepped:
    """What a step led to.  `next_s`: when something is due next if the measurement holds; None: nothing."""

    state: LimiterState
    effects: tuple[Acted, ...]
    next_s: int | None


def start(plan: LimiterPlan, now_s: int, *, before: LimiterState | None = None) -> LimiterState:
    """A limiter at power-up: the timers are new, phase, reclosings and emergency those of `before`."""
    state = before or LimiterState(now_s, (), ())
    count = len(plan.limits)
    return replace(state, now_s=now_s, over=(False,) * count, since_s=(now_s,) * count, measured=None)


def step(plan: LimiterPlan, state: LimiterState, measured: Measured, now_s: int) -> Stepped:
    """Takes the limiter to `now_s`, from where on `measured` holds.  BadArgumentError if time goes back."""
    if now_s < state.now_s:
        raise BadArgumentError(f"the limiter stands at {state.now_s} s and was taken back to {now_s} s")
    effects: list[Acted] = []
    while (due_s := next_s(plan, state)) is not None and due_s <= now_s:
        state = _at(plan, state, due_s, effects)
    state = _at(plan, replace(state, measured=measured), now_s, effects)
    return Stepped(state, tuple(effects), next_s(plan, state))


def contact_closed(plan: LimiterPlan, state: LimiterState) -> LimiterState:
    """The button or the centre closed the contact, after a step to this instant: an armed limiter watches again.

    A tripped one goes on: what it holds open, it gives back itself.
    """
    return _weighed(plan, replace(state, phase=Phase.WATCHING, reason=Reason.NONE)) if state.phase is Phase.ARMED else state


def with_emergency(plan: LimiterPlan, state: LimiterState, emergency: Emergency) -> LimiterState:
    """Sets the emergency profile, after a step to this instant; one of a group that the plan does not name changes nothing."""
    if emergency.group not in plan.groups:
        return state
    return _weighed(plan, replace(state, emergency=emergency))


def next_s(plan: LimiterPlan, state: LimiterState) -> int | None:
    """The instant at which something is due if the measurement holds; None: nothing is."""
    if state.measured is None:
        return None
    found = [edge for edge in _edges(state) if edge > state.now_s]
    if state.phase is Phase.WATCHING:
        found += [due_s for due_s, _ in _trips(plan, state)]
    elif state.phase is Phase.TRIPPED and not any(state.over):
        found.append(_reclose_s(plan, state))
    return max(min(found), state.now_s) if found else None


def _edges(state: LimiterState) -> tuple[int, ...]:
    return () if state.emergency is None else (state.emergency.start_s, state.emergency.end_s)


def _trips(plan: LimiterPlan, state: LimiterState) -> list[tuple[int, Reason]]:
    """When each limit that is over trips."""
    rows = zip(plan.limits, state.over, state.since_s, strict=True)
    return [(since_s + limit.over_s, limit.quantity) for limit, over, since_s in rows if over]


def _reclose_s(plan: LimiterPlan, state: LimiterState) -> int:
    """When a tripped limiter gives the supply back, if no limit is over."""
    rows = zip(plan.limits, state.since_s, strict=True)
    return max([state.tripped_s + plan.reclose_delay_s, *(since_s + limit.under_s for limit, since_s in rows)])


def _weighed(plan: LimiterPlan, state: LimiterState) -> LimiterState:
    """The conditions at `state.now_s`; a limit whose condition changed counts from now."""
    if state.measured is None:
        return state
    emergency = state.emergency is not None and state.emergency.active(state.now_s)
    over: list[bool] = []
    for limit in plan.limits:
        cut = state.phase is not Phase.WATCHING and QUANTITIES[limit.quantity].through_contact
        over.append(not cut and limit.exceeded(state.measured, emergency=emergency))
    rows = zip(over, state.over, state.since_s, strict=True)
    since_s = tuple(since if new == old else state.now_s for new, old, since in rows)
    return replace(state, over=tuple(over), since_s=since_s)


def _at(plan: LimiterPlan, state: LimiterState, now_s: int, effects: list[Acted]) -> LimiterState:
    """Does everything that is due at an instant, none of which may lie before it."""
    state = _weighed(plan, replace(state, now_s=now_s))
    if state.phase is Phase.TRIPPED and not any(state.over) and _reclose_s(plan, state) <= now_s:
        state = _given_back(plan, state, effects)
    due = [(due_s, reason) for due_s, reason in _trips(plan, state) if due_s <= now_s]
    if state.phase is Phase.WATCHING and due:
        # At the same instant the first limit of the plan gives the reason.
        reason = min(due, key=lambda row: row[0])[1]
        effects.append(Acted(Action.DISCONNECT, reason, now_s))
        state = _weighed(plan, replace(state, phase=Phase.TRIPPED, reason=reason, tripped_s=now_s))
    return state


def _given_back(plan: LimiterPlan, state: LimiterState, effects: list[Acted]) -> LimiterState:
    now_s, reason = state.now_s, state.reason
    recent = tuple(at_s for at_s in state.recloses_s if at_s > now_s - DAY_S)
    in_hour = sum(at_s > now_s - HOUR_S for at_s in recent)
    if len(recent) < plan.recloses_per_day and in_hour < plan.recloses_per_hour:
        effects.append(Acted(Action.RECONNECT, reason, now_s))
        state = replace(state, phase=Phase.WATCHING, reason=Reason.NONE, recloses_s=(*recent, now_s))
    else:
        effects.append(Acted(Action.ARM, reason, now_s))
        state = replace(state, phase=Phase.ARMED, recloses_s=recent)
    return _weighed(plan, state)
