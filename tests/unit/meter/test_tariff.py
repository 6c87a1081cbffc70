"""Day programs and the supply switch: tables and refusals."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.meter.supply import TRANSITIONS, SwitchEvent, SwitchState, next_state
from nyala.meter.tariff import DAY_MINUTES, FLAT, SWITCHES_MAX, DayProgram
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.time import DAY_S

WIB_S = 7 * 3600
PEAK = DayProgram(((0, 1), (17 * 60, 2), (22 * 60, 1)), WIB_S)
"""LWBP with WBP from 17 to 22 h local time, as PLN has it."""


@st.composite
def programs(draw: st.DrawFn) -> DayProgram:
    minutes = draw(st.lists(st.integers(1, DAY_MINUTES - 1), unique=True, max_size=SWITCHES_MAX - 1))
    switches = [(minute, draw(st.integers(1, 8))) for minute in (0, *sorted(minutes))]
    return DayProgram(tuple(switches), draw(st.integers(-12 * 4, 14 * 4)) * 900)


@pytest.mark.parametrize(
    ("utc", "rate"), [("09:59:59", 1), ("10:00:00", 2), ("14:59:59", 2), ("15:00:00", 1), ("00:00:00", 1), ("23:59:59", 1)]
)
def test_the_peak_rate_is_active_in_its_local_hours(utc, rate):
    hours, minutes, seconds = map(int, utc.split(":"))
    assert PEAK.rate_at(20_000 * DAY_S + 3600 * hours + 60 * minutes + seconds) == rate


@pytest.mark.parametrize(("utc_h", "next_h"), [(0, 10), (9.999, 10), (10, 15), (15, 17), (16.9, 17), (17, 24 + 10)])
def test_the_next_switch_is_the_first_after_an_instant_and_midnight_counts(utc_h, next_h):
    day_s = 20_000 * DAY_S
    assert PEAK.next_switch_s(day_s + int(utc_h * 3600)) == day_s + int(next_h * 3600)


@given(programs(), st.integers(0, 2**32))
def test_the_rate_is_that_of_the_last_switch_of_the_local_day(program, clock_s):
    minute = (clock_s + program.offset_s) % DAY_S // 60
    assert program.rate_at(clock_s) == [rate for at, rate in program.switches if at <= minute][-1]


@given(programs(), st.integers(0, 2**32))
def test_the_rate_does_not_change_before_the_next_switch(program, clock_s):
    next_s = program.next_switch_s(clock_s)
    assert clock_s < next_s <= clock_s + DAY_S
    assert (next_s + program.offset_s) % 60 == 0
    for between in {clock_s, (clock_s + next_s) // 2, next_s - 1}:
        assert program.rate_at(between) == program.rate_at(clock_s)
    minute = (next_s + program.offset_s) % DAY_S // 60
    assert minute in {at for at, _ in program.switches}


def test_a_flat_program_has_rate_one_all_day():
    assert {FLAT.rate_at(clock_s) for clock_s in range(0, DAY_S, 60)} == {1}


REFUSED = {
    "no switches": (),
    "not from midnight": ((1, 1),),
    "not in order": ((0, 1), (600, 2), (300, 1)),
    "one minute twice": ((0, 1), (600, 2), (600, 1)),
    "beyond the day": ((0, 1), (1440, 2)),
    "a negative minute": ((0, 1), (-1, 2)),
    "rate 0": ((0, 0),),
    "rate 9": ((0, 9),),
    "too many": tuple((minute, 1) for minute in range(SWITCHES_MAX + 1)),
}


@pytest.mark.parametrize("switches", REFUSED.values(), ids=REFUSED)
def test_a_day_program_that_is_none_is_refused(switches):
    with pytest.raises(BadArgumentError):
        DayProgram(switches)


# -- the supply switch, DLMS class 70, control mode 4

OPEN, CLOSED, NONE = SwitchState.OPEN, SwitchState.CLOSED, SwitchState.NONE
EXPECTED = {
    (OPEN, SwitchEvent.REMOTE_DISCONNECT): None,
    (OPEN, SwitchEvent.REMOTE_RECONNECT): CLOSED,
    (CLOSED, SwitchEvent.REMOTE_DISCONNECT): OPEN,
    (CLOSED, SwitchEvent.REMOTE_RECONNECT): None,
    (NONE, SwitchEvent.REMOTE_DISCONNECT): None,
    (NONE, SwitchEvent.REMOTE_RECONNECT): None,
}


@pytest.mark.parametrize(("state", "event"), list(product(SwitchState, SwitchEvent)))
def test_every_state_and_event_of_the_switch_leads_where_the_table_says(state, event):
    assert next_state(state, event) is EXPECTED[state, event]


def test_the_table_of_the_switch_has_no_other_rows():
    assert {key for key, state in EXPECTED.items() if state} == TRANSITIONS.keys()
    assert [state.value for state in (OPEN, CLOSED, NONE)] == [0, 1, 2]
