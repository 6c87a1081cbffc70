"""What a twin has to say, put into telegrams: each becomes a job, packed when the room of its frame is known.

Values and intervals are of the meter at the time of packing or of the instant they were asked for; events are numbered on
in the memory that survives a power cut.  When a job is said is the twin's business.
"""

from typing import Final

from nyala.meter.bank import Change
from nyala.meter.meter import Meter
from nyala.telegram import intervals, messages, values
from nyala.telegram.kinds import EventCode, Port
from nyala.telegram.messages import Answer, Event, Hello
from nyala.telegram.values import Values
from nyala.twin.alarm_telling import AlarmTelling
from nyala.twin.jobs import Job, Jobs, Urgency
from nyala.twin.state import TwinMemory

FIRMWARE: Final = 0x0100
JOBS_LIMIT: Final = 64
EVENT_TRIES: Final = 8
REPEAT_ROOM: Final = 40
"""From this room on a report repeats the intervals of the one before: a lost frame then heals by itself."""


class Telling:
    """The jobs of one meter.  `jobs` is working memory: a power cut empties it."""

    def __init__(self, meter: Meter, memory: TwinMemory) -> None:
        self.meter, self.memory = meter, memory
        self.jobs = Jobs(JOBS_LIMIT)
        self.values_asked = False
        """Values wait to be said: their registers are to be kept before."""
        self._alarms = AlarmTelling()

    def put(self, urgency: Urgency, port: Port, payload: bytes, *, confirmed: bool = False) -> None:
        """Any telegram."""
        self.jobs.put(Job(urgency, lambda _room: [(port, payload)], confirmed, EVENT_TRIES if confirmed else 1))

    def hello(self) -> None:
        """Introduces the meter; the clock is that of the packing."""
        meter = self.meter

        def pack(_room: int) -> list[tuple[Port, bytes]]:
            return [(Port.HELLO, messages.encode_hello(Hello(meter.model.code, FIRMWARE, meter.period_s, meter.clock_s)))]

        self.jobs.put(Job(Urgency.EVENT, pack, confirmed=True, tries=EVENT_TRIES))

    def answer(self, answer: Answer) -> None:
        """What became of a command."""
        self.put(Urgency.ANSWER, Port.ANSWER, messages.encode_answer(answer))

    def event(self, code: EventCode, detail: int) -> None:
        """Something happened, now."""
        self.memory.event_number += 1
        self.say(Event(self.memory.event_number, code, self.meter.clock_s, detail))

    def say(self, event: Event) -> None:
        """An event that has its number."""
        self.put(Urgency.EVENT, Port.EVENT, messages.encode_event(event), confirmed=True)

    def alarm(self, change: Change) -> Event | None:
        """The numbered event of an alarm's change; None for one that is not told."""
        offset_s = self.meter.clock_s - int(self.meter.bank.now_s[self.meter.row])
        event = self._alarms.event(change, change.at_s + offset_s, self.memory.event_number + 1)
        if event is not None:
            self.memory.event_number = event.number
        return event

    def values(self, urgency: Urgency, said: Values) -> None:
        """Values of an instant."""

        def pack(room: int) -> list[tuple[Port, bytes]]:
            return [(Port.VALUES, payload) for payload in values.pack(said, self.meter.clock_s, room)]

        self.values_asked = True
        self.jobs.put(Job(urgency, pack))

    def intervals(self, urgency: Urgency, first: int, count: int, *, repeat: bool = False) -> None:
        """Intervals of the load profile; those that the memory has lost when their turn comes are left out."""
        meter = self.meter

        def pack(room: int) -> list[tuple[Port, bytes]]:
            start = max(first, meter.oldest_edge)
            if start >= first + count:
                return []
            if repeat and room >= REPEAT_ROOM and count <= intervals.INTERVALS_MAX // 2:
                start = max(first - count, meter.oldest_edge)
            packed: list[tuple[Port, bytes]] = []
            for begin in range(start, first + count, intervals.INTERVALS_MAX):
                run = meter.profile(begin, min(intervals.INTERVALS_MAX, first + count - begin))
                far = meter.last_edge - begin >= intervals.SHORT_REACH // 2
                port = Port.INTERVALS_FULL if far else Port.INTERVALS
                packed += [
                    (port, payload)
                    for payload in intervals.pack(
                        begin, meter.period_s, run.values, run.ends_wh, room, outages=run.outages, full_index=far
                    )
                ]
            return packed

        self.jobs.put(Job(urgency, pack))
