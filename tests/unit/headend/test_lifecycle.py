"""The life of a meter: every cell of the table, the checks of commissioning, and until when a meter counts."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.headend.lifecycle import (
    BY_PERSON,
    CHECKS,
    GONE,
    TRANSITIONS,
    Evidence,
    Life,
    LifeEvent,
    LifeRow,
    Lives,
    check,
    moved,
    moves,
)
from nyala.headend.registry import MeterState
from nyala.vocab.errors import ConflictError
from nyala.vocab.time import US_PER_S

AT_S = 1_700_000_000
NOW_US = AT_S * US_PER_S


def test_the_table_names_every_state_and_event_and_nothing_follows_an_end():
    assert {state for state, _ in TRANSITIONS} | set(TRANSITIONS.values()) == set(Life)
    assert {event for _, event in TRANSITIONS} == set(LifeEvent)
    assert not GONE & {state for state, _ in TRANSITIONS}
    assert set(LifeEvent) - BY_PERSON == {LifeEvent.HEARD, LifeEvent.REPLACE, LifeEvent.INSTALL}


@pytest.mark.parametrize(("state", "event"), [*itertools.product(Life, LifeEvent)])
def test_an_event_leads_where_the_table_says_or_is_refused(state, event):
    row = LifeRow(7, state, 0)
    wanted = TRANSITIONS.get((state, event))
    if wanted is None:
        with pytest.raises(ConflictError, match=f"meter 7 is {state}: no {event}"):
            moved(row, event, at_s=AT_S, by="ani", reason="why", now_us=NOW_US)
        return
    after, step = moved(row, event, at_s=AT_S, by="ani", reason="why", now_us=NOW_US)
    assert (after.state, step.state, step.by, step.reason, step.at_s) == (wanted, wanted, "ani", "why", AT_S)
    assert after.ended_s == (AT_S if state is Life.ACTIVE else None)


@pytest.mark.parametrize("state", Life)
def test_what_a_person_may_say_is_what_the_table_allows(state):
    said = moves(state)
    assert set(said) == {event for at, event in TRANSITIONS if at is state} - {LifeEvent.HEARD, LifeEvent.INSTALL}
    assert bool(said) is (state not in GONE)


@given(st.lists(st.tuples(st.sampled_from(LifeEvent), st.integers(0, 1_000)), max_size=12))
def test_whatever_is_said_a_meter_counts_exactly_while_it_is_active(said):
    lives = Lives([LifeRow(1, Life.IN_STOCK, 0)])
    state, ended = Life.IN_STOCK, None
    for event, at_s in said:
        wanted = TRANSITIONS.get((state, event))
        if wanted is None or (ended is not None and at_s < ended):
            with pytest.raises(ConflictError):
                lives.say((1, event, ""), at_s=at_s, by="x", now_us=NOW_US)
            continue
        lives.say((1, event, ""), at_s=at_s, by="x", now_us=NOW_US)
        if state is Life.ACTIVE:
            ended = at_s
        state = wanted
        if state is Life.ACTIVE:
            ended = None
        row = lives.of(1)
        assert (row.state, row.ended_s) == (state, ended)
        assert row.counted == (state is Life.ACTIVE or ended is not None)


def test_of_several_events_all_happen_or_none():
    lives = Lives([LifeRow(1, Life.ACTIVE, 0), LifeRow(2, Life.REMOVED, 0)])
    with pytest.raises(ConflictError):
        lives.say((1, LifeEvent.REPLACE, ""), (2, LifeEvent.INSTALL, ""), at_s=AT_S, by="x", now_us=NOW_US)
    assert lives.of(1).state is Life.ACTIVE
    assert lives.take_changes() == ([], [])


def test_the_first_uplink_takes_a_meter_out_of_stock_once_and_leaves_others_alone():
    lives = Lives([LifeRow(1, Life.IN_STOCK, 0), LifeRow(2, Life.SUSPENDED, 0)])
    for number in (1, 1, 2, 3):
        lives.heard(number, NOW_US)
    rows, steps = lives.take_changes()
    assert [(row.meter_id, row.state) for row in rows] == [(1, Life.COMMISSIONING)]
    assert len(steps) == 1
    assert lives.of(3).state is Life.ACTIVE


GOOD = Evidence(
    state=MeterState(1, uplinks=3, snr_db=2.0, registers={"import_wh": (5, AT_S)}),
    joined=True,
    has_switch=True,
    switch_verified=True,
    clock_s=-3,
)
BAD = {
    "joined": replace(GOOD, joined=False),
    "clock": replace(GOOD, clock_s=61),
    "registers": replace(GOOD, state=MeterState(1, uplinks=3, snr_db=2.0)),
    "switch": replace(GOOD, switch_verified=False),
    "signal": replace(GOOD, state=MeterState(1, uplinks=3, snr_db=-16.0, registers={"import_wh": (5, AT_S)})),
}


def test_a_meter_that_is_right_passes_every_check():
    assert [each.name for each in check(GOOD) if not each.holds] == []


@pytest.mark.parametrize("name", CHECKS)
def test_each_check_fails_by_itself_and_says_what_was_seen(name):
    failed = [each for each in check(BAD[name]) if not each.holds]
    assert [each.name for each in failed] == [name]
    assert failed[0].seen


def test_a_meter_without_a_switch_need_not_answer_with_it():
    assert all(each.holds for each in check(replace(BAD["switch"], has_switch=False)))


def test_a_clock_that_is_not_known_is_not_right():
    assert not check(replace(GOOD, clock_s=None))[1].holds
