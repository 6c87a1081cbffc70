"""Which changes of its meter's alarms a twin tells the centre, and as what event.

An alarm of low severity that comes and goes is told at most every `ALARM_PAUSE_S`: the state `alarms`, which goes with the
live values, tells the centre what it missed.  A disconnection has events of its own.
"""

from typing import Final

from nyala.meter.bank import Change
from nyala.telegram.kinds import ALARM_VALUE_BITS, EventCode
from nyala.telegram.messages import Event
from nyala.vocab.alarms import Alarm, Severity, alarm_row

ALARM_PAUSE_S: Final = 3_600


class AlarmTelling:
    """What was told of each alarm, and when by the meter's clock."""

    def __init__(self) -> None:
        self._said_s: dict[Alarm, int] = {}

    def event(self, change: Change, clock_s: int, number: int) -> Event | None:
        """The event of a change at `clock_s`, with this number; None for one that is not told."""
        row, last_s = alarm_row(change.alarm), self._said_s.get(change.alarm)
        lately = last_s is not None and clock_s - last_s < ALARM_PAUSE_S
        if change.alarm is Alarm.METER_DISCONNECTED or (row.severity is Severity.LOW and lately):
            return None
        self._said_s[change.alarm] = clock_s
        value = min(max(round(change.figure * 10**-row.scaler), 0), (1 << ALARM_VALUE_BITS) - 1)
        code = EventCode.ALARM_RAISED if change.raised else EventCode.ALARM_CLEARED
        return Event(number, code, clock_s, change.alarm << ALARM_VALUE_BITS | value)
