"""Alarms at the centre: events and states in any order, lost, repeated and late, against what truly happened."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.headend import alarms
from nyala.headend.ports import AlarmCleared, AlarmDated, AlarmRaised
from nyala.headend.readings import FUTURE_S
from nyala.headend.registry import AlarmShadow, MeterState
from nyala.telegram import messages
from nyala.telegram.kinds import EventCode, Port
from nyala.telegram.messages import Event
from nyala.telegram.values import Values
from nyala.vocab.alarms import Alarm, Severity
from nyala.vocab.errors import TelegramError
from nyala.vocab.time import US_PER_S
from tests.unit.headend.fleet import START_S, Centre, record

BIT = Alarm.MAGNET
T = START_S


def event(on, at_s, number=0, value=120, alarm=BIT):
    code = EventCode.ALARM_RAISED if on else EventCode.ALARM_CLEARED
    return Event(number, code, at_s, alarm << 24 | value)


@dataclass
class History:
    """The shadow of one meter, and the rows that a store would hold: raised_s -> [value, source, cleared_s]."""

    state: MeterState = field(default_factory=lambda: MeterState(1))
    rows: dict[int, list[Any]] = field(default_factory=dict)

    def take(self, changes):
        for change in sorted(changes, key=lambda each: [AlarmRaised, AlarmDated, AlarmCleared].index(type(each))):
            match change:
                case AlarmRaised():
                    self.rows.setdefault(change.raised_s, [change.value, change.source, change.cleared_s])
                case AlarmDated():
                    _, _, cleared_s = self.rows.pop(change.shown_s)
                    self.rows[change.raised_s] = [change.value, "event", cleared_s]
                case AlarmCleared():
                    before = [at_s for at_s in self.rows if at_s < change.before_s]
                    row = self.rows[max(before)] if before else [None, None, 0]
                    if row[2] is None or row[2] > change.at_s:
                        row[2] = change.at_s

    def event(self, on, at_s, number=0, value=120):
        self.take(alarms.on_event(record(), self.state, event(on, at_s, number, value), at_s * US_PER_S))

    def shows(self, on, at_s):
        self.take(alarms.on_state(record(), self.state, on << BIT, at_s, at_s * US_PER_S))

    @property
    def on(self):
        return alarms.active_bits(self.state) == 1 << BIT

    def spans(self):
        return {at_s: row[2] for at_s, row in self.rows.items()}


@pytest.fixture
def history():
    return History()


# -- the present


def test_an_alarm_goes_on_and_off(history):
    history.event(True, T, 1)
    assert (history.on, history.rows) == (True, {T: [120, "event", None]})
    history.event(False, T + 60, 2)
    assert (history.on, history.rows) == (False, {T: [120, "event", T + 60]})


def test_an_older_event_never_overrules(history):
    history.event(False, T + 60, 2)
    history.event(True, T, 1)
    assert (history.on, history.rows) == (False, {T: [120, "event", T + 60]})


def test_an_older_state_never_overrules(history):
    history.event(True, T, 1)
    history.shows(False, T - 1)
    assert history.on
    history.shows(False, T + 10)
    history.shows(True, T + 9)
    assert (history.on, history.spans()) == (False, {T: T + 10})


@pytest.mark.parametrize("first", ["event", "state"])
def test_of_the_same_second_an_event_beats_a_state(history, first):
    steps = [lambda: history.event(True, T, 1), lambda: history.shows(False, T)]
    for step in steps if first == "event" else steps[::-1]:
        step()
    assert (history.on, history.spans()) == (True, {T: None})


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("numbers", [(7, 8), (255, 0)])
def test_of_the_same_second_the_event_with_the_later_number_counts(history, order, numbers):
    history.event(True, T - 50, numbers[0] - 1)
    said = [(False, numbers[0]), (True, numbers[1])]
    for place in order:
        history.event(said[place][0], T, said[place][1])
    assert (history.on, history.spans()) == (True, {T - 50: T, T: None})


def test_a_repeated_telegram_changes_nothing(history):
    for _ in range(3):
        history.event(True, T, 1)
    assert history.spans() == {T: None}
    for _ in range(3):
        history.event(False, T + 9, 2)
    history.event(True, T, 1)
    assert (history.on, history.spans()) == (False, {T: T + 9})


# -- what only a state showed


def test_a_state_heals_lost_events(history):
    history.shows(True, T)
    assert (history.on, history.rows) == (True, {T: [None, "state", None]})
    history.shows(True, T + 900)
    history.shows(False, T + 1_800)
    assert (history.on, history.rows) == (False, {T: [None, "state", T + 1_800]})


def test_a_late_event_gives_the_occurrence_its_instant_and_value(history):
    history.shows(False, T)
    history.shows(True, T + 900)
    history.event(True, T + 300, 4, 150)
    assert (history.on, history.rows) == (True, {T + 300: [150, "event", None]})
    history.event(True, T + 300, 4, 150)
    assert len(history.rows) == 1


def test_a_late_end_is_set_right(history):
    history.event(True, T, 1)
    history.shows(False, T + 900)
    history.event(False, T + 300, 2)
    assert (history.on, history.spans()) == (False, {T: T + 300})


def test_an_event_before_the_alarm_was_known_to_be_off_is_an_occurrence_of_its_own(history):
    history.shows(False, T)
    history.shows(True, T + 900)
    history.event(True, T - 300, 1)
    assert (history.on, history.spans()) == (True, {T - 300: T, T + 900: None})
    history.event(False, T - 200, 2)
    assert history.spans() == {T - 300: T - 200, T + 900: None}


def test_a_late_end_while_the_alarm_is_on_again_splits_the_occurrence(history):
    history.event(True, T, 1)
    history.shows(True, T + 900)
    history.event(False, T + 300, 2)
    assert (history.on, history.spans()) == (True, {T: T + 300, T + 900: None})
    history.event(True, T + 600, 3)
    assert (history.on, history.spans()) == (True, {T: T + 300, T + 600: None})


def test_an_alarm_that_goes_on_again_was_off_in_between(history):
    history.event(True, T, 1)
    history.event(True, T + 500, 3)
    assert (history.on, history.spans()) == (True, {T: T + 500, T + 500: None})
    history.event(False, T + 100, 2)
    assert history.spans() == {T: T + 100, T + 500: None}


# -- against what truly happened

telling = st.lists(st.integers(1, 50), min_size=1, max_size=10)
"""Seconds between one change of the alarm and the next."""


def truth(gaps):
    """The instants of the changes (the first one goes on), and the spans that they make."""
    at_s, instants = T, []
    for gap in gaps:
        at_s += gap
        instants.append(at_s)
    return instants, dict(zip(instants[::2], [*instants[1::2], None], strict=False))


@given(telling, st.data())
def test_events_in_any_order_make_every_true_occurrence_and_no_other(gaps, data):
    instants, spans = truth(gaps)
    history = History()
    places = range(len(instants))
    for place in data.draw(st.permutations(places)) + data.draw(st.lists(st.sampled_from(places))):
        history.event(place % 2 == 0, instants[place], place)
    assert history.on == (len(instants) % 2 == 1)
    assert sorted(history.spans()) == sorted(spans)
    for on, off in history.spans().items():  # an end that came before its beginning may be told too late
        true_off = spans[on]
        assert (off is None) == (true_off is None)
        assert off is None or true_off <= off <= instants[-1]
    for place in places:  # the telegrams again
        history.event(place % 2 == 0, instants[place], place)
    assert history.spans() == spans


@given(telling, st.data())
def test_whatever_is_lost_or_late_a_newest_state_tells_the_truth(gaps, data):
    instants, _ = truth(gaps)
    said = [(at_s, "event", place) for place, at_s in enumerate(instants)]
    said += [(at_s, "state", 0) for at_s in data.draw(st.lists(st.integers(T, instants[-1]), max_size=5))]
    history = History()
    heard = data.draw(st.lists(st.sampled_from(said), max_size=20))
    for at_s, kind, place in heard:
        on = sum(1 for each in instants if each <= at_s) % 2 == 1
        history.event(on, at_s, place) if kind == "event" else history.shows(on, at_s)
        still = [raised for raised, cleared in history.spans().items() if cleared is None]
        assert still == ([history.state.alarms[BIT].since_s] if history.on else [])
    history.shows(len(instants) % 2 == 1, instants[-1] + 1)
    assert history.on == (len(instants) % 2 == 1)


# -- the service


@pytest.fixture
def centre():
    return Centre()


def test_both_telegrams_lead_to_a_row_and_a_shadow(centre):
    centre.says(event(True, centre.now_s - 9, 3))
    centre.says(Values(centre.now_s, {"alarms": 1 << BIT | 1 << Alarm.OVER_POWER, "p_w": 5}))
    changes = centre.collect()
    assert changes.alarms == [
        AlarmRaised(1, 1, BIT, centre.now_s - 9, 120, "event", centre.now_us),
        AlarmRaised(1, 1, Alarm.OVER_POWER, centre.now_s, None, "state", centre.now_us),
    ]
    assert [(row.code, row.detail) for row in changes.events] == [(EventCode.ALARM_RAISED, BIT << 24 | 120)]
    assert changes.states == [centre.state()]
    assert alarms.active_bits(centre.state()) == 1 << BIT | 1 << Alarm.OVER_POWER
    assert (centre.state().live["p_w"], centre.counts["alarm_changes"]) == (5, 2)
    assert centre.collect().alarms == []


def test_the_events_of_the_switch_tell_that_the_meter_is_disconnected(centre):
    centre.says(Event(1, EventCode.SWITCH_OPENED, centre.now_s - 60, 77))
    assert alarms.active_bits(centre.state()) == 1 << Alarm.METER_DISCONNECTED
    centre.says(Event(2, EventCode.SWITCH_CLOSED, centre.now_s - 30, 78))
    assert alarms.active_bits(centre.state()) == 0
    assert centre.collect().alarms == [
        AlarmRaised(1, 1, Alarm.METER_DISCONNECTED, centre.now_s - 60, None, "event", centre.now_us),
        AlarmCleared(1, Alarm.METER_DISCONNECTED, centre.now_s - 30, centre.now_s - 29),
    ]


def test_an_unknown_alarm_is_refused_and_nothing_of_the_telegram_is_taken(centre):
    port, payload = Port.EVENT, messages.encode_event(Event(1, EventCode.ALARM_RAISED, centre.now_s, len(Alarm) << 24))
    centre.hears(port, payload)
    centre.says(Values(centre.now_s, {"alarms": 1 << len(Alarm), "p_w": 5}))
    changes = centre.collect()
    assert centre.counts["refused_TelegramError"] == 2
    assert (changes.alarms, changes.events, centre.state().live, centre.state().alarms) == ([], [], {}, {})
    with pytest.raises(TelegramError, match="event of unknown alarm: 19"):
        alarms.split_detail(len(Alarm) << 24)
    with pytest.raises(TelegramError, match="alarms 0x80001: unknown bits 0x80000"):
        alarms.check_bits(1 << 19 | 1)


def test_an_event_from_the_future_is_listed_and_no_word_on_the_present(centre):
    centre.says(event(True, centre.now_s + FUTURE_S))
    assert alarms.active_bits(centre.state()) == 1 << BIT
    centre.says(event(False, centre.now_s + FUTURE_S + 1))
    assert alarms.active_bits(centre.state()) == 1 << BIT
    assert (len(centre.collect().events), centre.counts["alarms_from_the_future"]) == (2, 1)


def test_listeners_hear_of_alarms(centre):
    told = []
    centre.headend.listeners.append(lambda states, commands, changed: told.append(list(changed)))
    centre.says(event(True, centre.now_s))
    changes = centre.collect()
    centre.headend.stored(changes)
    assert told == [changes.alarms]


def test_severities_are_counted_over_meters():
    def state(*bits):
        return MeterState(1, alarms={bit: AlarmShadow(active=True, at_s=T) for bit in bits})

    over = MeterState(2, alarms={Alarm.MAGNET: AlarmShadow(active=False, at_s=T)})
    states = [state(Alarm.MAGNET, Alarm.METER_DISCONNECTED), state(Alarm.MAGNET), MeterState(3), over]
    assert alarms.severity_counts(states) == {Severity.HIGH: 1, Severity.MEDIUM: 2, Severity.LOW: 0}
