"""The alarms of a meter as the centre sees them: from event telegrams and from the state `alarms`, whichever is newer.

    on_event(meter, state, event)       a meter says that an alarm went on or off
    on_state(meter, state, bits, at_s)  a meter says which alarms are on: heals what lost event telegrams left wrong

That its supply failed is told by events alone; any later state says that it is back.

Newer is what is later by the meter's own clock; at the same instant an event beats a state (which may have been taken just
before it), and of two events the one with the later number.  What comes late never changes what is known of the present; it
completes the history, which the store keeps one row per occurrence:

- an event that comes after a state had shown its alarm gives the occurrence its true instant and value;
- an older event makes, or ends, an older occurrence;
- the same telegram again changes nothing.

An end that comes before its beginning, with others in between, may leave that older occurrence ending too late: at the next
instant at which the alarm is known to have been off.

No I/O: the shadow is changed in place, changes of the history are values.  An event that says to be from the future is no
word on the present (a meter's clock is off, or a forgery): it stands in the list of events, the next state tells the truth.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from nyala.headend.ports import AlarmChange, AlarmCleared, AlarmDated, AlarmRaised
from nyala.headend.registry import AlarmShadow, MeterRecord, MeterState
from nyala.telegram.kinds import ALARM_VALUE_BITS, EventCode
from nyala.telegram.messages import Event
from nyala.vocab.alarms import Alarm, AlarmRow, Severity, active, alarm_row
from nyala.vocab.centre_alarms import POWER_FAILED
from nyala.vocab.errors import TelegramError, UnknownError

NUMBERS: Final = 256
"""Event numbers wrap at this."""
_ALL_BITS: Final = sum(1 << alarm for alarm in Alarm)
_ALARM_EVENTS: Final = {EventCode.ALARM_RAISED: True, EventCode.ALARM_CLEARED: False}
_OTHER_EVENTS: Final = {
    EventCode.SWITCH_OPENED: (int(Alarm.METER_DISCONNECTED), True),
    EventCode.SWITCH_CLOSED: (int(Alarm.METER_DISCONNECTED), False),
    EventCode.POWER_FAILED: (POWER_FAILED, True),
    EventCode.POWER_RESTORED: (POWER_FAILED, False),
}
"""They tell of an alarm that has no event of its own."""


def is_alarm(code: int) -> bool:
    """Whether an event telegram of this code names an alarm."""
    return code in _ALARM_EVENTS


def moves_alarm(code: int) -> bool:
    """Whether an event telegram of this code tells that an alarm went on or off: it names one, or is of switch or supply."""
    return code in _ALARM_EVENTS or code in _OTHER_EVENTS


def split_detail(detail: int) -> tuple[AlarmRow, int]:
    """(alarm, value) of the detail of an alarm's event; TelegramError for an alarm that is not in the table."""
    try:
        return alarm_row(detail >> ALARM_VALUE_BITS), detail & ((1 << ALARM_VALUE_BITS) - 1)
    except UnknownError as error:
        raise TelegramError(f"event of {error}") from error


def check_bits(bits: int) -> None:
    """TelegramError for a state `alarms` with a bit that is not in the table."""
    if bits & ~_ALL_BITS:
        raise TelegramError(f"alarms {bits:#x}: unknown bits {bits & ~_ALL_BITS:#x}")


def active_bits(state: MeterState) -> int:
    """The alarms of the meter that are on, as the state `alarms` writes them."""
    return sum(1 << bit for bit, known in state.alarms.items() if known.active) & _ALL_BITS


def severity_counts(states: Iterable[MeterState]) -> dict[Severity, int]:
    """How many alarms are on, by severity."""
    counts = dict.fromkeys(Severity, 0)
    for state in states:
        for row in active(active_bits(state)) if state.alarms else ():
            counts[row.severity] += 1
    return counts


def on_event(meter: MeterRecord, state: MeterState, event: Event, received_us: int) -> list[AlarmChange]:
    """Takes an event telegram that tells of an alarm; answers what changes in the history.  TelegramError as `split_detail`."""
    value: int | None = None
    if event.code in _OTHER_EVENTS:
        bit, on = _OTHER_EVENTS[event.code]
    else:
        row, value = split_detail(event.detail)
        bit, on = int(row.alarm), _ALARM_EVENTS[event.code]
    at_s = event.clock_s
    known = state.alarms.get(bit) or AlarmShadow(active=False, at_s=state.alarms_at_s)
    late = not _is_newer(state, known, event)
    raised = AlarmRaised(meter.tenant_id, meter.id, bit, at_s, value, "event", received_us)
    if on:
        moved, changes = (_late_raise if late else _raise)(state, known, raised)
    else:
        moved, changes = (_late_clear if late else _clear)(state, known, raised)
    if not late:
        moved = replace(moved, number=event.number)
    if moved is not known:
        state.alarms[bit] = moved
    return changes


def on_state(meter: MeterRecord, state: MeterState, bits: int, at_s: int, received_us: int) -> list[AlarmChange]:
    """Takes a state `alarms` of an instant; answers what changes in the history.  TelegramError as `check_bits`."""
    check_bits(bits)
    if at_s <= state.alarms_at_s:
        return []
    changes: list[AlarmChange] = []
    for alarm in (*Alarm, POWER_FAILED):
        on, known = bool(bits >> alarm & 1), state.alarms.get(alarm) or AlarmShadow(active=False, at_s=state.alarms_at_s)
        if on == known.active or at_s <= known.at_s:
            continue
        if on:
            off_s = max(known.at_s, state.alarms_at_s)
            state.alarms[alarm] = AlarmShadow(active=True, at_s=at_s, since_s=at_s, off_s=off_s)
            changes.append(AlarmRaised(meter.tenant_id, meter.id, alarm, at_s, None, "state", received_us))
        else:
            state.alarms[alarm] = replace(known, active=False, at_s=at_s, number=-1)
            changes.append(AlarmCleared(meter.id, alarm, at_s, at_s + 1))
    state.alarms_at_s = at_s
    return changes


def _is_newer(state: MeterState, known: AlarmShadow, event: Event) -> bool:
    if event.clock_s < state.alarms_at_s or event.clock_s < known.at_s:
        return False
    later_number = known.number < 0 or 0 < (event.number - known.number) % NUMBERS < NUMBERS // 2
    return event.clock_s > known.at_s or later_number


_Moved = tuple[AlarmShadow, list[AlarmChange]]


def _raise(state: MeterState, known: AlarmShadow, raised: AlarmRaised) -> _Moved:
    at_s, changes = raised.raised_s, list[AlarmChange]()
    if known.active and not known.dated and known.since_s == at_s:
        return _late_raise(state, known, raised)  # the state of this very second showed it already
    if known.active:  # it was off in between: that event is lost
        changes.append(AlarmCleared(raised.meter_id, raised.alarm, at_s, at_s))
    off_s = known.since_s if known.active else max(known.at_s, state.alarms_at_s)
    return AlarmShadow(active=True, at_s=at_s, since_s=at_s, off_s=off_s, dated=True), [*changes, raised]


def _clear(_: MeterState, known: AlarmShadow, told: AlarmRaised) -> _Moved:
    moved = replace(known, active=False, at_s=told.raised_s)
    cleared = AlarmCleared(told.meter_id, told.alarm, told.raised_s, told.raised_s + 1)
    return moved, [cleared] if known.active else []


def _late_raise(state: MeterState, known: AlarmShadow, raised: AlarmRaised) -> _Moved:
    at_s = raised.raised_s
    if at_s == known.since_s and known.dated:
        return known, []
    if not known.dated and known.off_s < at_s <= known.since_s:
        dated = AlarmDated(raised.meter_id, raised.alarm, known.since_s, at_s, raised.value)
        return replace(known, since_s=at_s, dated=True), [dated]
    if at_s < known.since_s:
        return known, [replace(raised, cleared_s=known.off_s if at_s <= known.off_s else known.since_s)]
    off_s = known.at_s if at_s <= known.at_s else state.alarms_at_s
    changes: list[AlarmChange] = [AlarmCleared(raised.meter_id, raised.alarm, at_s, at_s)] if known.since_s else []
    moved = replace(known, since_s=at_s, dated=True, at_s=known.at_s if known.active else off_s)
    return moved, [*changes, replace(raised, cleared_s=None if known.active else off_s)]


def _late_clear(state: MeterState, known: AlarmShadow, told: AlarmRaised) -> _Moved:
    at_s = told.raised_s
    cleared = AlarmCleared(told.meter_id, told.alarm, at_s, at_s + 1)
    if known.active and at_s == known.since_s:
        return known, [replace(cleared, before_s=at_s)]
    if known.active and at_s > known.since_s:  # and on again since: a later state says so
        shown_s = max(known.at_s, state.alarms_at_s)
        again = replace(told, raised_s=shown_s, value=None, source="state")
        return AlarmShadow(active=True, at_s=shown_s, since_s=shown_s, off_s=at_s), [cleared, again]
    return (replace(known, off_s=max(known.off_s, at_s)) if at_s < known.since_s else known), [cleared]
