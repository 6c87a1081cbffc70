"""The life of a command as a table: every pair of state and event, and what the diagram promises."""

from itertools import product

import pytest

from nyala.headend.command_life import FINAL, TRANSITIONS, CommandEvent, CommandState, next_state

S, E = CommandState, CommandEvent
PAIRS = list(product(CommandState, CommandEvent))
LIVE = [state for state in CommandState if state not in FINAL]


def reachable(start: CommandState) -> set[CommandState]:
    """All states that a command can come to from here."""
    found, new = {start}, [start]
    while new:
        state = new.pop()
        following = {target for event in CommandEvent if (target := next_state(state, event)) is not None}
        new += following - found
        found |= following
    return found


def ways_into(state: CommandState) -> set[tuple[CommandState, CommandEvent]]:
    return {pair for pair, target in TRANSITIONS.items() if target is state and pair[0] is not state}


@pytest.mark.parametrize(("state", "event"), PAIRS, ids=[f"{state.value} - {event.value}" for state, event in PAIRS])
def test_every_pair_has_the_effect_of_the_table_or_none(state, event):
    assert next_state(state, event) is TRANSITIONS.get((state, event))
    if state in FINAL:
        assert next_state(state, event) is None


def test_four_states_end_a_command():
    assert {S.VERIFIED, S.FAILED, S.EXPIRED, S.CANCELLED} == FINAL


def test_every_state_can_be_reached_and_every_event_has_an_effect():
    assert reachable(S.QUEUED) == set(CommandState)
    assert {event for _, event in TRANSITIONS} == set(CommandEvent)


@pytest.mark.parametrize("state", LIVE)
def test_every_living_state_has_a_way_to_an_end(state):
    assert reachable(state) & FINAL


@pytest.mark.parametrize("state", LIVE)
def test_nothing_leads_back_to_an_earlier_state(state):
    order = [S.QUEUED, S.SENT, S.DELIVERED, S.UNKNOWN, S.EXECUTED]
    following = reachable(state) - FINAL - {state}
    assert all(order.index(each) > order.index(state) for each in following)


def test_a_command_is_verified_only_by_being_seen():
    assert ways_into(S.VERIFIED) == {(state, E.SEEN) for state in (S.SENT, S.DELIVERED, S.EXECUTED, S.UNKNOWN)}


def test_a_command_is_executed_only_by_the_meters_word_and_then_only_verified():
    assert {event for _, event in ways_into(S.EXECUTED)} == {E.DONE}
    assert reachable(S.EXECUTED) == {S.EXECUTED, S.VERIFIED}


def test_only_a_command_that_was_never_carried_out_expires():
    assert ways_into(S.EXPIRED) == {(S.QUEUED, E.TIME_OVER), (S.UNKNOWN, E.NOT_DONE)}


@pytest.mark.parametrize("state", [S.SENT, S.DELIVERED])
def test_what_has_left_is_unknown_when_its_time_is_over(state):
    assert next_state(state, E.TIME_OVER) is S.UNKNOWN


def test_only_what_has_not_left_can_be_taken_back():
    assert ways_into(S.CANCELLED) == {(S.QUEUED, E.CANCEL)}


@pytest.mark.parametrize("event", [E.DONE, E.REFUSED, E.SEEN, E.ACKNOWLEDGED, E.NOT_DONE])
def test_a_command_that_has_not_left_hears_nothing_of_the_meter(event):
    assert next_state(S.QUEUED, event) is None


@pytest.mark.parametrize("event", [E.SENT, E.ACKNOWLEDGED, E.TIME_OVER, E.CANCEL])
def test_only_the_meters_word_ends_what_is_unknown(event):
    assert next_state(S.UNKNOWN, event) is None


@pytest.mark.parametrize("event", [E.TIME_OVER, E.NOT_DONE, E.REFUSED])
def test_what_is_executed_does_not_become_undone(event):
    assert next_state(S.EXECUTED, event) is None
