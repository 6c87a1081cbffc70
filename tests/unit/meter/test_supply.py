"""The supply switch: every mode, state and event; holds, arming and the welded contact; against a simple model."""

from itertools import product

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from nyala.meter.supply import (
    DEFAULT_MODE,
    FAILURE_CODE,
    MODES,
    REASONS,
    TRANSITIONS,
    WELD_CONFIRM_S,
    ControlState,
    Effect,
    Reason,
    Supply,
    SwitchEvent,
    SwitchState,
    forbidden,
    next_state,
    sense,
    set_mode,
    standing,
    step,
    transition,
)
from nyala.vocab.errors import BadArgumentError

E, R = SwitchEvent, Reason
D, C, READY = ControlState.DISCONNECTED, ControlState.CONNECTED, ControlState.READY
OPEN, CLOSED, NONE = SwitchState.OPEN, SwitchState.CLOSED, SwitchState.NONE
A_REASON = {event: min(REASONS[event.value.split()[0]], key=lambda reason: reason.value) for event in E}

EXPECTED = {
    # mode -> remote disconnect leads to D; remote reconnect of D to; button opens; button closes; local reconnect closes
    1: (READY, True, True, False),
    2: (C, True, True, False),
    3: (READY, False, True, False),
    4: (C, False, True, False),
    5: (READY, True, True, True),
    6: (READY, False, True, True),
}
"""Reference dlms.md 2.5, read as what an operator and a customer can do."""


def expected(mode: int, state: ControlState, event: SwitchEvent) -> ControlState:
    if mode == 0:
        return state
    remote, button_opens, button_closes, local_closes = EXPECTED[mode]
    table = {
        (C, E.REMOTE_DISCONNECT): D,
        (READY, E.REMOTE_DISCONNECT): D,
        (D, E.REMOTE_RECONNECT): remote,
        (C, E.MANUAL_DISCONNECT): READY if button_opens else C,
        (READY, E.MANUAL_RECONNECT): C if button_closes else READY,
        (C, E.LOCAL_DISCONNECT): READY,
        (READY, E.LOCAL_RECONNECT): C if local_closes else READY,
    }
    return table.get((state, event), state)


@pytest.mark.parametrize(("mode", "state", "event"), list(product(range(7), ControlState, E)))
def test_every_event_in_every_mode_and_state_leads_where_the_standard_says(mode, state, event):
    supply = Supply(mode=mode, state=state)
    outcome = step(supply, event, A_REASON[event], 5)
    after = outcome.supply
    assert after.state is expected(mode, state, event)
    assert bool(outcome.letter) == (after.state is not state)
    assert after.operations == ((state is C) != (after.state is C))
    if outcome.letter:
        assert outcome.code == TRANSITIONS[outcome.letter][3]
        assert (after.last_reason, after.changed_s) == (A_REASON[event], 5)
    else:
        assert (after.last_reason, after.changed_s, outcome.code) == (R.NONE, None, 0)


@pytest.mark.parametrize("event", E)
def test_a_model_without_a_switch_refuses_everything(event):
    supply = Supply(fitted=False)
    assert step(supply, event, A_REASON[event], 5) == type(step(supply, event, A_REASON[event], 5))(supply)
    assert (supply.output, supply.armed) == (NONE, False)
    assert set_mode(supply, 1, 5).supply == supply
    assert sense(supply, flows=True, now_s=5).supply == supply


def test_the_tables_name_only_what_there_is():
    assert list(TRANSITIONS) == list("abcdefgh")
    assert {letter for mode in MODES for letter in mode} == set(TRANSITIONS)
    for mode in MODES:
        keys = [TRANSITIONS[letter][:2] for letter in mode]
        assert len(keys) == len(set(keys)), "one event, one way"
    assert [state.value for state in (OPEN, CLOSED, NONE)] == [0, 1, 2]
    assert [state.value for state in (D, C, READY)] == [0, 1, 2]


@pytest.mark.parametrize(("event", "reason"), list(product(E, R)))
def test_an_event_has_one_of_its_reasons(event, reason):
    if reason in REASONS[event.value.split()[0]]:
        step(Supply(), event, reason, 0)
        return
    with pytest.raises(BadArgumentError, match="cannot have the reason"):
        step(Supply(), event, reason, 0)


@pytest.mark.parametrize("mode", [-1, 7])
def test_another_control_mode_is_refused(mode):
    with pytest.raises(BadArgumentError):
        Supply(mode=mode)
    with pytest.raises(BadArgumentError):
        set_mode(Supply(), mode, 0)


# -- the view of those who know the output only

OUTPUT = {(CLOSED, E.REMOTE_DISCONNECT): OPEN, (OPEN, E.REMOTE_RECONNECT): CLOSED, (CLOSED, E.LOCAL_DISCONNECT): OPEN}


@pytest.mark.parametrize(("state", "event"), list(product(SwitchState, E)))
def test_the_output_follows_mode_4(state, event):
    assert next_state(state, event) is OUTPUT.get((state, event))


# -- holds and the button


def walk(supply: Supply, *events: tuple[SwitchEvent, Reason]) -> tuple[Supply, list[tuple[Effect, ...]]]:
    effects = []
    for now_s, (event, reason) in enumerate(events):
        outcome = step(supply, event, reason, now_s)
        supply = outcome.supply
        effects.append(outcome.effects)
    return supply, effects


def test_the_button_connects_only_when_nothing_holds_the_supply_open():
    supply, effects = walk(
        Supply(),
        (E.LOCAL_DISCONNECT, R.CREDIT),
        (E.MANUAL_RECONNECT, R.BUTTON),
        (E.LOCAL_RELEASE, R.CREDIT),
        (E.MANUAL_RECONNECT, R.BUTTON),
    )
    assert effects == [(Effect.OPEN,), (), (Effect.ARM,), (Effect.CLOSE, Effect.DISARM)]
    assert (supply.state, supply.operations, supply.last_reason) == (C, 2, R.BUTTON)


def test_one_reason_that_is_over_does_not_end_another():
    supply, effects = walk(
        Supply(mode=6),
        (E.LOCAL_DISCONNECT, R.POWER),
        (E.LOCAL_DISCONNECT, R.CREDIT),
        (E.LOCAL_RECONNECT, R.POWER),
        (E.LOCAL_RECONNECT, R.CREDIT),
    )
    assert effects == [(Effect.OPEN,), (), (), (Effect.CLOSE,)]
    assert supply.state is C


def test_the_centre_gives_free_what_credit_still_holds():
    supply, effects = walk(
        Supply(mode=4),
        (E.REMOTE_DISCONNECT, R.REMOTE),
        (E.LOCAL_DISCONNECT, R.CREDIT),
        (E.REMOTE_RECONNECT, R.REMOTE),
        (E.LOCAL_RELEASE, R.CREDIT),
    )
    assert effects == [(Effect.OPEN,), (), (), (Effect.ARM,)]
    assert (supply.state, supply.armed) == (READY, True)


def test_what_the_centre_disconnected_no_local_reason_reconnects():
    supply, effects = walk(
        Supply(mode=5),
        (E.LOCAL_DISCONNECT, R.POWER),
        (E.REMOTE_DISCONNECT, R.REMOTE),
        (E.LOCAL_RECONNECT, R.POWER),
        (E.MANUAL_RECONNECT, R.BUTTON),
    )
    assert effects == [(Effect.OPEN,), (), (), ()]
    assert supply.state is D


def test_a_remote_disconnect_takes_the_button_away():
    _, effects = walk(Supply(mode=1), (E.MANUAL_DISCONNECT, R.BUTTON), (E.REMOTE_DISCONNECT, R.SCHEDULE))
    assert effects == [(Effect.OPEN, Effect.ARM), (Effect.DISARM,)]


# -- the mode


@pytest.mark.parametrize("state", [D, READY])
def test_mode_0_connects(state):
    outcome = set_mode(Supply(state=state), 0, 9)
    assert outcome.supply.state is C
    assert outcome.effects[0] is Effect.CLOSE


def test_leaving_mode_0_with_a_hold_disconnects():
    held = step(Supply(mode=0), E.LOCAL_DISCONNECT, R.CREDIT, 1).supply
    assert held.state is C
    outcome = set_mode(held, 4, 2)
    assert (outcome.supply.state, outcome.supply.last_reason, outcome.effects) == (READY, R.CREDIT, (Effect.OPEN,))


# -- the contact itself


def test_current_through_an_open_contact_shows_that_it_is_welded():
    supply = step(Supply(), E.REMOTE_DISCONNECT, R.REMOTE, 0).supply
    supply = sense(supply, flows=True, now_s=1).supply
    assert (supply.output, supply.next_s) == (OPEN, 1 + WELD_CONFIRM_S)
    outcome = sense(supply, flows=True, now_s=1 + WELD_CONFIRM_S)
    assert (outcome.effects, outcome.code, outcome.supply.output) == ((Effect.WELDED,), FAILURE_CODE, CLOSED)
    assert sense(outcome.supply, flows=True, now_s=99).effects == ()
    freed = sense(outcome.supply, flows=False, now_s=100)
    assert (freed.effects, freed.supply.output) == ((Effect.FREED,), OPEN)


def test_a_short_current_welds_nothing():
    supply = step(Supply(), E.REMOTE_DISCONNECT, R.REMOTE, 0).supply
    for now_s in range(20):
        outcome = sense(supply, flows=now_s % WELD_CONFIRM_S != 0, now_s=now_s)
        supply = outcome.supply
        assert outcome.effects == ()
    assert not supply.welded


def test_a_welded_contact_that_shall_be_closed_is_no_fault():
    supply = Supply(state=D, welded=True)
    outcome = step(supply, E.REMOTE_RECONNECT, R.REMOTE, 0)
    assert outcome.effects == (Effect.CLOSE, Effect.FREED)
    assert not outcome.supply.welded


# -- against a simple model


class Switch(RuleBasedStateMachine):
    """A contact, a lamp and a list of holds that follow effects and rules of thumb."""

    def __init__(self) -> None:
        super().__init__()
        self.supply, self.now_s = Supply(), 0
        self.closed, self.lamp, self.moves = True, False, 0
        self.holds: set[Reason] = set()

    def follow(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if effect in {Effect.OPEN, Effect.CLOSE}:
                assert self.closed is (effect is Effect.OPEN), "a contact is told what it does already"
                self.closed, self.moves = effect is Effect.CLOSE, self.moves + 1
            if effect in {Effect.ARM, Effect.DISARM}:
                assert self.lamp is (effect is Effect.DISARM)
                self.lamp = effect is Effect.ARM

    @rule(event=st.sampled_from(E), pick=st.integers(0, 9))
    def something_happens(self, event: SwitchEvent, pick: int) -> None:
        reasons = sorted(REASONS[event.value.split()[0]], key=lambda reason: reason.value)
        reason = reasons[pick % len(reasons)]
        self.now_s += 1
        before = self.supply
        outcome = step(before, event, reason, self.now_s)
        self.supply = outcome.supply
        if event is E.LOCAL_DISCONNECT:
            self.holds.add(reason)
        if event in {E.LOCAL_RECONNECT, E.LOCAL_RELEASE}:
            self.holds.discard(reason)
        free = expected(before.mode, before.state, event)
        if self.holds and free is C is not before.state:
            free = READY if before.state is D else before.state
        assert self.supply.state is free
        self.follow(outcome.effects)

    @rule(mode=st.integers(0, 6))
    def the_mode_changes(self, mode: int) -> None:
        outcome = set_mode(self.supply, mode, self.now_s)
        self.supply = outcome.supply
        self.follow(outcome.effects)

    @invariant()
    def contact_and_lamp_are_what_the_state_says(self) -> None:
        assert self.closed is (self.supply.state is C)
        assert self.lamp is self.supply.armed
        assert self.supply.holds == self.holds
        assert self.supply.operations == self.moves
        assert self.supply.mode != 0 or self.closed
        assert self.supply.mode == 0 or not (self.holds and self.closed)


TestSwitch = Switch.TestCase


def test_the_default_mode_is_the_direct_one():
    assert transition(DEFAULT_MODE, D, E.REMOTE_RECONNECT) == "a"


# -- what a mode forbids

REACHED = [(mode, state) for mode in range(1, 7) for state in ControlState] + [(0, C)]
FORBIDDEN = {(0, C, E.REMOTE_DISCONNECT), (2, READY, E.REMOTE_RECONNECT), (4, READY, E.REMOTE_RECONNECT)}


@pytest.mark.parametrize("event", [E.REMOTE_DISCONNECT, E.REMOTE_RECONNECT])
@pytest.mark.parametrize(("mode", "state"), REACHED)
def test_a_remote_event_is_forbidden_where_its_mode_knows_no_way(mode, state, event):
    supply = Supply(mode=mode, state=state)
    assert forbidden(supply, event) == ((mode, state, event) in FORBIDDEN)
    if forbidden(supply, event):
        assert step(supply, event, R.REMOTE, 0).supply == supply


def test_without_a_switch_nothing_is_forbidden():
    assert not forbidden(Supply(fitted=False, mode=0), E.REMOTE_DISCONNECT)


def test_what_stands_is_one_number():
    assert [standing(Supply(mode=4, state=state)) for state in (D, C, READY)] == [0x400, 0x401, 0x402]


def test_what_memory_and_telegrams_keep_has_its_numbers_for_ever():
    assert [(each.name, each.value) for each in SwitchState] == [("OPEN", 0), ("CLOSED", 1), ("NONE", 2)]
    assert [(each.name, each.value) for each in ControlState] == [("DISCONNECTED", 0), ("CONNECTED", 1), ("READY", 2)]
    reasons = "NONE REMOTE SCHEDULE BUTTON CREDIT POWER CURRENT OVER_VOLTAGE UNDER_VOLTAGE TAMPER"
    assert [each.name for each in Reason] == reasons.split()
    assert [each.value for each in Reason] == list(range(10))


def test_the_codes_of_the_disconnectors_log_are_those_of_idis():
    codes = {"a": 63, "b": 62, "c": 62, "d": 59, "e": 61, "f": 60, "g": 64, "h": 69}
    assert {letter: row[3] for letter, row in TRANSITIONS.items()} == codes
    assert FAILURE_CODE == 68


def test_a_new_switch_never_moved():
    assert (Supply().operations, Supply().changed_s, Supply().last_reason) == (0, None, Reason.NONE)
