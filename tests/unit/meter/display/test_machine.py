"""The display as a machine: every row of its table, its times, and that splitting a wait changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.meter.display.machine import FIRST, NEXT, TRANSITIONS, Display, Event, Mode, Times, advance, backlit, press, step
from nyala.vocab.errors import BadArgumentError

TIMES = Times()
EVENTS = st.sampled_from([event for event in Event if event is not Event.TIMEOUT])
WAITS = st.integers(0, 400_000)


@pytest.mark.parametrize(("mode", "event"), TRANSITIONS, ids=str)
def test_every_row_leads_where_the_table_says(mode, event):
    target, following = TRANSITIONS[mode, event]
    if event is Event.TIMEOUT:
        at_ms = TIMES.of(mode) or 0
        moved = advance(Display(mode, 4), at_ms)
    else:
        at_ms = 1_000
        moved = step(Display(mode, 4), event, at_ms)
    assert (moved.mode, moved.index, moved.since_ms) == (target, 5 if following is NEXT else 0, at_ms)
    assert following in {FIRST, NEXT}


@pytest.mark.parametrize(
    ("mode", "event"),
    [pair for pair in [(m, e) for m in Mode for e in Event if e is not Event.TIMEOUT] if pair not in TRANSITIONS],
    ids=str,
)
def test_an_event_without_a_row_changes_nothing(mode, event):
    assert step(Display(mode, 4), event, 1_000) == Display(mode, 4)


def test_every_mode_but_dark_ends_by_itself():
    assert [mode for mode in Mode if TIMES.of(mode) is None] == [Mode.DARK]
    assert {mode for mode, event in TRANSITIONS if event is Event.TIMEOUT} == set(Mode) - {Mode.DARK}


def test_a_day_of_a_meter():
    state = Display()
    assert advance(state, 9_999).mode is Mode.TEST
    state = advance(state, 10_000)
    assert (state.mode, state.index) == (Mode.SCROLL, 0)
    assert [advance(state, at_ms).index for at_ms in (19_999, 20_000, 29_999, 30_000)] == [0, 1, 1, 2]
    state = step(state, Event.SHORT, 35_000)
    state = step(state, Event.SHORT, 36_000)
    assert (state.mode, state.index) == (Mode.LIST, 1)
    assert advance(state, 36_000 + 179_999).mode is Mode.LIST
    assert advance(state, 36_000 + 180_000) == Display(Mode.SCROLL, 0, 216_000, 36_000)
    state = step(state, Event.SUPPLY_LOST, 300_000)
    assert state.mode is Mode.DARK
    state = step(state, Event.SHORT, 400_000)
    assert (state.mode, advance(state, 430_000).mode) == (Mode.BATTERY, Mode.DARK)
    assert step(state, Event.SUPPLY_BACK, 410_000).mode is Mode.TEST


def test_a_year_of_scrolling_is_one_step():
    assert advance(Display(Mode.SCROLL), 365 * 86_400_000).index == 365 * 8_640


@given(st.sampled_from(Mode), st.lists(st.tuples(EVENTS, WAITS), max_size=8), st.lists(WAITS, max_size=6), WAITS)
def test_splitting_a_wait_changes_nothing(mode, events, looks, last_ms):
    state = split = Display(mode)
    at_ms = 0
    for event, wait_ms in events:
        for look_ms in sorted(looks):
            if look_ms < wait_ms:
                split = advance(split, at_ms + look_ms)
        at_ms += wait_ms
        state, split = step(state, event, at_ms), step(split, event, at_ms)
        assert state == split
    assert advance(advance(split, at_ms + last_ms // 2), at_ms + last_ms) == advance(state, at_ms + last_ms)


@pytest.mark.parametrize(
    ("held_ms", "event"), [(0, None), (19, None), (20, Event.SHORT), (1_999, Event.SHORT), (2_000, Event.LONG)]
)
def test_a_press_is_told_by_its_length(held_ms, event):
    assert press(held_ms) is event


def test_the_light_goes_on_with_a_press_and_never_from_the_battery():
    state = step(Display(Mode.SCROLL), Event.SHORT, 5_000)
    assert [backlit(state, at_ms) for at_ms in (5_000, 64_999, 65_000)] == [True, True, False]
    assert not backlit(Display(Mode.SCROLL), 0)
    assert not backlit(step(Display(Mode.DARK), Event.SHORT, 5_000), 5_000)


@pytest.mark.parametrize(
    "times", [{"item_ms": 4_999}, {"item_ms": 20_001}, {"return_ms": 0}, {"long_ms": 20}, {"bounce_ms": -1}]
)
def test_times_that_no_display_has_are_refused(times):
    with pytest.raises(BadArgumentError):
        Times(**times)
