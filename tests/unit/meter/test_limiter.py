"""The limiter: thresholds, times, reclosings, emergencies; split in time; against a limiter that looks every second."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from nyala.meter.limiter import (
    QUANTITIES,
    RECLOSES_MAX,
    Acted,
    Action,
    Emergency,
    Limit,
    LimiterPlan,
    LimiterState,
    Measured,
    Phase,
    contact_closed,
    start,
    step,
    with_emergency,
)
from nyala.meter.supply import Reason, Supply, SwitchEvent
from nyala.meter.supply import step as supply_step
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.time import DAY_S, HOUR_S

OFF, ON, ARM = Action.DISCONNECT, Action.RECONNECT, Action.ARM
CALM = Measured(1_000.0, 5.0, 230.0, 229.0)
STRONG = replace(CALM, power_w=3_000.0)
HIGH = replace(CALM, highest_v=280.0)
PLAN = LimiterPlan(
    (
        Limit(Reason.POWER, 2_200, over_s=30, under_s=10, emergency=900),
        Limit(Reason.CURRENT, 60, over_s=5, under_s=10),
        Limit(Reason.OVER_VOLTAGE, 264, over_s=3, under_s=60),
        Limit(Reason.UNDER_VOLTAGE, 160, over_s=20, under_s=60),
    ),
    reclose_delay_s=60,
    recloses_per_hour=2,
    recloses_per_day=3,
    groups=frozenset({7}),
)


def run(plan: LimiterPlan, inputs: list[tuple[int, Measured]], until_s: int, stride_s: int) -> tuple[LimiterState, list[Acted]]:
    """Inputs hold from their instants on; the limiter is stepped every `stride_s` and where inputs change."""
    state = start(plan, 0)
    effects: list[Acted] = []
    instants = sorted({*range(0, until_s + 1, stride_s), *(at_s for at_s, _ in inputs), until_s})
    for now_s in instants:
        measured = [each for at_s, each in inputs if at_s <= now_s][-1]
        done = step(plan, state, measured, now_s)
        state = done.state
        effects += done.effects
    return state, effects


def told(effects: list[Acted]) -> list[tuple[Action, Reason, int]]:
    return [(acted.action, acted.reason, acted.at_s) for acted in effects]


# -- thresholds and times

CASES = {
    "power": (STRONG, Reason.POWER, 30),
    "current": (replace(CALM, current_a=60.1), Reason.CURRENT, 5),
    "over-voltage": (HIGH, Reason.OVER_VOLTAGE, 3),
    "under-voltage": (replace(CALM, lowest_v=159.9), Reason.UNDER_VOLTAGE, 20),
}


@pytest.mark.parametrize(("measured", "reason", "after_s"), CASES.values(), ids=CASES)
def test_each_quantity_trips_after_its_time(measured, reason, after_s):
    _, effects = run(PLAN, [(0, CALM), (100, measured)], 100 + after_s - 1, 1)
    assert effects == []
    state, effects = run(PLAN, [(0, CALM), (100, measured)], 100 + after_s, 1)
    assert told(effects) == [(OFF, reason, 100 + after_s)]
    assert (state.phase, state.reason) == (Phase.TRIPPED, reason)


@pytest.mark.parametrize("measured", [replace(CALM, power_w=2_200), replace(CALM, current_a=60), replace(CALM, highest_v=264)])
def test_what_is_just_at_its_threshold_is_not_over(measured):
    assert run(PLAN, [(0, measured)], 1_000, 1)[1] == []


def test_an_excess_that_ends_in_time_trips_nothing():
    inputs = [(at_s, STRONG if at_s % 40 else CALM) for at_s in range(0, 420, 20)]
    assert run(PLAN, inputs, 500, 1)[1] == []


def test_after_the_delay_the_supply_is_given_back():
    _, effects = run(PLAN, [(0, STRONG), (30, CALM)], 300, 1)
    assert told(effects) == [(OFF, Reason.POWER, 30), (ON, Reason.POWER, 90)]


def test_the_voltage_must_be_good_again_for_its_time():
    _, effects = run(PLAN, [(0, HIGH), (50, CALM), (60, HIGH), (200, CALM)], 500, 1)
    assert told(effects) == [(OFF, Reason.OVER_VOLTAGE, 3), (ON, Reason.OVER_VOLTAGE, 260)]


def test_a_voltage_that_stays_wrong_keeps_the_supply_open():
    state, effects = run(PLAN, [(0, HIGH)], DAY_S, 600)
    assert told(effects) == [(OFF, Reason.OVER_VOLTAGE, 3)]
    assert state.phase is Phase.TRIPPED


def test_of_two_that_trip_at_once_the_first_of_the_plan_gives_the_reason():
    plan = LimiterPlan((Limit(Reason.CURRENT, 60, 5, 0), Limit(Reason.POWER, 2_200, 5, 0)))
    assert run(plan, [(0, replace(STRONG, current_a=70))], 10, 1)[1][0].reason is Reason.CURRENT


# -- reclosings


def test_after_the_reclosings_of_an_hour_the_button_is_armed():
    state, effects = run(PLAN, [(0, STRONG)], 10_000, 1)
    assert [(acted.action, acted.at_s) for acted in effects] == [
        (OFF, 30),
        (ON, 90),
        (OFF, 120),
        (ON, 180),
        (OFF, 210),
        (ARM, 270),
    ]
    assert state.phase is Phase.ARMED


def test_the_reclosings_of_a_day_are_counted_over_the_last_24_hours():
    trips = [0, 2 * HOUR_S, 4 * HOUR_S, 6 * HOUR_S]
    state, effects = run(PLAN, [each for at_s in trips for each in ((at_s, STRONG), (at_s + 30, CALM))], 7 * HOUR_S, 60)
    assert [acted.action for acted in effects] == [OFF, ON] * 3 + [OFF, ARM]
    state = contact_closed(PLAN, state)
    done = step(PLAN, state, CALM, DAY_S + 90)
    state = step(PLAN, done.state, STRONG, DAY_S + 90).state
    effects = list(step(PLAN, state, CALM, DAY_S + 180).effects)
    assert told(effects) == [(OFF, Reason.POWER, DAY_S + 120), (ON, Reason.POWER, DAY_S + 180)]


def test_without_reclosings_the_button_is_armed_each_time():
    plan = replace(PLAN, recloses_per_hour=0)
    assert [acted.action for acted in run(plan, [(0, STRONG)], 1_000, 1)[1]] == [OFF, ARM]


def test_an_armed_limiter_watches_again_when_the_contact_closes():
    plan = replace(PLAN, recloses_per_hour=0)
    state, _ = run(plan, [(0, STRONG), (30, CALM)], 200, 1)
    state = contact_closed(plan, state)
    assert (state.phase, state.reason) == (Phase.WATCHING, Reason.NONE)
    done = step(plan, step(plan, state, STRONG, 300).state, STRONG, 330)
    assert told(list(done.effects)) == [(OFF, Reason.POWER, 330)]


@pytest.mark.parametrize("inputs", [[(0, CALM)], [(0, STRONG), (30, CALM)]])
def test_a_limiter_that_is_not_armed_does_not_mind_the_contact(inputs):
    state, _ = run(PLAN, inputs, 35, 1)
    assert contact_closed(PLAN, state) == state


def test_the_supply_switch_follows_the_limiter_to_the_armed_button():
    supply = Supply(mode=6)
    for acted in run(PLAN, [(0, STRONG)], 10_000, 60)[1]:
        supply = supply_step(supply, acted.action.value, acted.reason, acted.at_s).supply
    assert supply.armed
    assert (supply.operations, supply.holds) == (5, frozenset())
    assert supply_step(supply, SwitchEvent.MANUAL_RECONNECT, Reason.BUTTON, 10_000).letter == "e"


# -- emergencies


def test_in_an_emergency_its_thresholds_hold_from_its_start_to_its_end():
    state = with_emergency(PLAN, step(PLAN, start(PLAN, 0), CALM, 0).state, Emergency(7, 1_000, 500))
    done = step(PLAN, state, CALM, 999)
    assert (done.effects, done.next_s) == ((), 1_000)
    done = step(PLAN, done.state, CALM, 5_000)
    assert told(list(done.effects))[0] == (OFF, Reason.POWER, 1_030)
    assert all(acted.at_s < 1_500 + 60 for acted in done.effects)


def test_an_emergency_that_ends_before_the_time_is_over_trips_nothing():
    state = with_emergency(PLAN, step(PLAN, start(PLAN, 0), CALM, 0).state, Emergency(7, 1_000, 29))
    assert step(PLAN, state, CALM, 5_000).effects == ()


def test_an_emergency_of_another_group_is_not_obeyed():
    state = step(PLAN, start(PLAN, 0), CALM, 0).state
    assert with_emergency(PLAN, state, Emergency(8, 0, 500)) == state


def test_a_limit_without_an_emergency_threshold_keeps_its_own():
    state = with_emergency(PLAN, step(PLAN, start(PLAN, 0), CALM, 0).state, Emergency(7, 0, 5_000))
    done = step(PLAN, state, replace(HIGH, power_w=0), 10)
    assert told(list(step(PLAN, done.state, replace(HIGH, power_w=0), 20).effects)) == [(OFF, Reason.OVER_VOLTAGE, 13)]


# -- power cuts and refusals


def test_after_a_power_cut_the_timers_begin_anew_and_the_rest_is_kept():
    state, _ = run(PLAN, [(0, STRONG)], 100, 1)
    assert state.recloses_s == (90,)
    state = start(PLAN, 1_000, before=state)
    done = step(PLAN, state, STRONG, 1_000)
    assert (done.effects, done.next_s, done.state.recloses_s) == ((), 1_030, (90,))


def test_a_tripped_limiter_gives_nothing_back_before_it_has_measured():
    state, _ = run(PLAN, [(0, HIGH)], 10, 1)
    state = start(PLAN, 1_000, before=state)
    done = step(PLAN, state, HIGH, 2_000)
    assert (done.effects, done.state.phase) == ((), Phase.TRIPPED)


REFUSED = {
    "a quantity that cannot be limited": lambda: Limit(Reason.CREDIT, 1, 1, 1),
    "threshold 0": lambda: Limit(Reason.POWER, 0, 1, 1),
    "emergency threshold 0": lambda: Limit(Reason.POWER, 1, 1, 1, 0),
    "a negative time over": lambda: Limit(Reason.POWER, 1, -1, 1),
    "two days under": lambda: Limit(Reason.POWER, 1, 1, 2 * DAY_S),
    "an emergency of no length": lambda: Emergency(7, 0, 0),
    "a quantity twice": lambda: LimiterPlan((Limit(Reason.POWER, 1, 1, 1), Limit(Reason.POWER, 2, 1, 1))),
    "no delay": lambda: LimiterPlan((), reclose_delay_s=0),
    "too many reclosings an hour": lambda: LimiterPlan((), recloses_per_hour=RECLOSES_MAX + 1),
    "fewer reclosings than none": lambda: LimiterPlan((), recloses_per_day=-1),
    "time that goes back": lambda: step(PLAN, start(PLAN, 10), CALM, 9),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_what_breaks_a_rule_is_refused(make):
    with pytest.raises(BadArgumentError):
        make()


# -- time can be split

measures = st.builds(
    Measured, st.sampled_from([0.0, 1_000.0, 3_000.0]), st.sampled_from([5.0, 70.0]), st.sampled_from([230.0, 280.0]),
    st.sampled_from([100.0, 229.0]),
)  # fmt: skip
durations = st.integers(0, 90)


@st.composite
def plans(draw: st.DrawFn) -> LimiterPlan:
    quantities = draw(st.lists(st.sampled_from(list(QUANTITIES)), unique=True, min_size=1))
    normal = {Reason.POWER: 2_200, Reason.CURRENT: 60, Reason.OVER_VOLTAGE: 264, Reason.UNDER_VOLTAGE: 160}
    emergency = {Reason.POWER: 900, Reason.CURRENT: 3, Reason.OVER_VOLTAGE: None, Reason.UNDER_VOLTAGE: None}
    limits = tuple(Limit(each, normal[each], draw(durations), draw(durations), emergency[each]) for each in quantities)
    counts = st.integers(0, 4)
    return LimiterPlan(limits, draw(st.integers(1, 90)), draw(counts), draw(counts), frozenset({7}))


@given(plans(), st.lists(st.tuples(st.integers(1, 500), measures), max_size=4), measures, st.sampled_from([7, 60, 600]))
def test_stepping_by_seconds_or_by_minutes_finds_the_same_instants(plan, changes, first, stride_s):
    inputs = [(0, first), *sorted(changes, key=lambda change: change[0])]
    assert run(plan, inputs, 700, 1) == run(plan, inputs, 700, stride_s)


@given(plans(), measures, st.integers(0, 300))
def test_nothing_happens_before_the_next_instant_that_was_named(plan, measured, emergency_s):
    state = with_emergency(plan, step(plan, start(plan, 0), measured, 0).state, Emergency(7, emergency_s, 100))
    done = step(plan, state, measured, 0)
    for _ in range(10):
        if done.next_s is None:
            assert step(plan, done.state, measured, done.state.now_s + 3 * DAY_S).effects == ()
            return
        assert step(plan, done.state, measured, done.next_s - 1).effects == ()
        done = step(plan, done.state, measured, done.next_s)


# -- against a limiter that looks every second


class Looker(RuleBasedStateMachine):
    """The simple model counts seconds: no instants, no look-ahead."""

    @initialize(plan=plans(), first=measures)
    def begin(self, plan: LimiterPlan, first: Measured) -> None:
        self.plan, self.measured, self.now_s = plan, first, 0
        self.state = step(plan, start(plan, 0), first, 0).state
        self.seconds = [0] * len(plan.limits)
        self.over = [False] * len(plan.limits)
        self.phase, self.open_s = Phase.WATCHING, 0
        self.recloses: list[int] = []
        self.emergency: Emergency | None = None
        self.events: list[tuple[Action, int]] = []
        self.real = [(acted.action, acted.at_s) for acted in step(plan, start(plan, 0), first, 0).effects]
        self.look()
        self.act()

    def look(self) -> None:
        emergency = self.emergency is not None and self.emergency.start_s <= self.now_s < self.emergency.start_s + 100
        for i, limit in enumerate(self.plan.limits):
            over = limit.exceeded(self.measured, emergency=emergency)
            if self.phase is not Phase.WATCHING and limit.quantity in {Reason.POWER, Reason.CURRENT}:
                over = False
            if over != self.over[i]:
                self.over[i], self.seconds[i] = over, 0

    def act(self) -> None:
        limits = list(zip(self.plan.limits, self.over, self.seconds, strict=True))
        waited = self.open_s >= self.plan.reclose_delay_s and all(not over and s >= each.under_s for each, over, s in limits)
        if self.phase is Phase.TRIPPED and waited:
            recent = [self.now_s - at_s for at_s in self.recloses]
            allowed = len([a for a in recent if a < HOUR_S]) < self.plan.recloses_per_hour
            allowed = allowed and len([a for a in recent if a < DAY_S]) < self.plan.recloses_per_day
            self.events.append((ON if allowed else ARM, self.now_s))
            self.recloses += [self.now_s] if allowed else []
            self.phase = Phase.WATCHING if allowed else Phase.ARMED
            self.look()
            limits = list(zip(self.plan.limits, self.over, self.seconds, strict=True))
        if self.phase is Phase.WATCHING and any(over and s >= each.over_s for each, over, s in limits):
            self.events.append((OFF, self.now_s))
            self.phase, self.open_s = Phase.TRIPPED, 0
            self.look()

    @rule(seconds=st.integers(0, 400), measured=measures)
    def time_passes_and_something_else_is_measured(self, seconds: int, measured: Measured) -> None:
        for _ in range(seconds):
            self.now_s, self.open_s = self.now_s + 1, self.open_s + 1
            self.seconds = [s + 1 for s in self.seconds]
            self.look()
            self.act()
        self.measured = measured
        self.both_act()

    def both_act(self) -> None:
        self.look()
        self.act()
        done = step(self.plan, self.state, self.measured, self.now_s)
        self.state = done.state
        self.real += [(acted.action, acted.at_s) for acted in done.effects]

    @rule(ahead_s=st.integers(-50, 300))
    def an_emergency_is_declared(self, ahead_s: int) -> None:
        self.emergency = Emergency(7, self.now_s + ahead_s, 100)
        self.state = with_emergency(self.plan, self.state, self.emergency)
        self.both_act()

    @rule()
    def the_button_is_pressed(self) -> None:
        self.state = contact_closed(self.plan, self.state)
        if self.phase is Phase.ARMED:
            self.phase = Phase.WATCHING
        self.both_act()

    @invariant()
    def both_did_the_same(self) -> None:
        assert self.real == self.events
        assert self.state.phase is self.phase
        assert self.state.over == tuple(self.over)


TestLooker = Looker.TestCase
