"""What a twin has to say, put into telegrams: each becomes a job, packed when the room of its frame is known.

Values and intervals are of the meter at the time of packing or of the instant they were asked for; events are numbered on
in the memory that survives a power cut.  When a job is said is the twin's business.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from nyala.meter.bank import Change
from nyala.meter.meter import Meter
from nyala.telegram import frames, intervals, messages, values
from nyala.telegram.frame_coder import TableCoder
from nyala.telegram.frame_header import REACH
from nyala.telegram.frames import Flags, Run
from nyala.telegram.kinds import EventCode, Port
from nyala.telegram.load_model_file import model_of_epoch
from nyala.telegram.messages import Answer, Event, Hello
from nyala.telegram.values import Values
from nyala.twin.alarm_telling import AlarmTelling
from nyala.twin.diagnostics import Diagnostics
from nyala.twin.jobs import Job, Jobs, Urgency
from nyala.twin.state import Reporting, TwinMemory
from nyala.vocab.quantities import Channel
from nyala.vocab.reporting import ReportingSetting
from nyala.vocab.settings import Setting

JOBS_LIMIT: Final = 64
EVENT_TRIES: Final = 8
FAR: Final = REACH // 2
"""Intervals back from which on a block says its number in full: it may yet wait, and be cut into blocks of one interval."""


class Telling:
    """The jobs of one meter.  `jobs` is working memory: a power cut empties it."""

    def __init__(self, meter: Meter, memory: TwinMemory, factory: Reporting) -> None:
        self.meter, self.memory, self._factory = meter, memory, factory
        self.jobs = Jobs(JOBS_LIMIT)
        self.diagnostics = Diagnostics(meter.clock_s)
        self.values_asked = False
        """Values wait to be said: their registers are to be kept before."""
        self._alarms = AlarmTelling()

    @property
    def reporting(self) -> Reporting:
        """What is reported, and when: as it was set, or as the factory did."""
        said = self.meter.operation.settings.value(Setting.REPORTING)
        if not isinstance(said, ReportingSetting):
            return self._factory
        return Reporting(said.report_s, said.live_s, self._factory.offset_min_s, said.channels, said.parity, said.slot)

    def put(self, urgency: Urgency, port: Port, payload: bytes, *, confirmed: bool = False) -> None:
        """Any telegram."""
        self.jobs.put(Job(urgency, lambda _room: [(port, payload)], confirmed, EVENT_TRIES if confirmed else 1))

    def hello(self) -> None:
        """Introduces the meter; the clock is that of the packing."""
        meter = self.meter

        def pack(_room: int) -> list[tuple[Port, bytes]]:
            running = self.memory.flash.slots.running
            return [(Port.HELLO, messages.encode_hello(Hello(meter.model.code, running, meter.period_s, meter.clock_s)))]

        self.jobs.put(Job(Urgency.EVENT, pack, confirmed=True, tries=EVENT_TRIES))

    def answer(self, answer: Answer) -> None:
        """What became of a command."""
        self.put(Urgency.ANSWER, Port.ANSWER, messages.encode_answer(answer))

    def event(self, code: EventCode, detail: int, urgency: Urgency = Urgency.EVENT) -> None:
        """Something happened, now."""
        self.memory.event_number += 1
        self.say(Event(self.memory.event_number, code, self.meter.clock_s, detail), urgency)

    def say(self, event: Event, urgency: Urgency = Urgency.EVENT) -> None:
        """An event that has its number."""
        self.put(urgency, Port.EVENT, messages.encode_event(event), confirmed=True)

    def alarm(self, change: Change) -> Event | None:
        """The numbered event of an alarm's change; None for one that is not told."""
        offset_s = self.meter.clock_s - int(self.meter.bank.now_s[self.meter.row])
        event = self._alarms.event(change, change.at_s + offset_s, self.memory.event_number + 1)
        if event is not None:
            self.memory.event_number = event.number
        return event

    def value(self, name: str) -> int | None:
        """Any quantity of the catalogue: the module's own, or the meter's; None for one that neither has."""
        own = self.diagnostics.value(name, self.meter, self.memory)
        return self.meter.value(name) if own is None else own

    def now(self, urgency: Urgency, names: Sequence[str]) -> None:
        """Quantities of this instant, those that there are."""
        said = {name: value for name in names if (value := self.value(name)) is not None}
        self.values(urgency, Values(self.meter.clock_s, said))

    def values(self, urgency: Urgency, said: Values) -> None:
        """Values of an instant."""

        def pack(room: int) -> list[tuple[Port, bytes]]:
            return [(Port.VALUES, payload) for payload in values.pack(said, self.meter.clock_s, room)]

        self.values_asked = True
        self.jobs.put(Job(urgency, pack))

    def intervals(self, urgency: Urgency, first: int, count: int) -> None:
        """Intervals of the load profile; those that the memory has lost when their turn comes are left out.

        Only reports carry parity: the bodies that it is made of follow each other in them.
        """
        meter, reporting = self.meter, self.reporting
        parity = reporting.parity and urgency is Urgency.REPORT

        def pack(room: int) -> list[tuple[Port, bytes]]:
            start = max(first, meter.oldest_edge)
            if start >= first + count:
                return []
            run = meter.profile(start, first + count - start)
            rows = {channel: run.values[channel] for channel in reporting.channels}
            packed: list[tuple[Port, bytes]] = []
            for block in frames.blocks(Run(start, rows, run.ends_wh[Channel.IMPORT])):
                places = range(block.first - start, block.first - start + block.count)
                if run.outages.isdisjoint(places):
                    packed += self._frames(block, room, parity=parity)
                else:
                    packed += self._with_outages(block.first, block.count, reporting.channels, room)
            return packed

        slot = reporting.slot if urgency is Urgency.REPORT else None
        self.jobs.put(Job(urgency, pack, channel=None if slot is None else slot.channel))

    def _frames(self, block: Run, room: int, *, parity: bool) -> list[tuple[Port, bytes]]:
        """A block as frames; what is far back says its number in full, without a register, and is part of no parity."""
        full = self.meter.last_edge - block.first >= FAR
        block = replace(block, end_wh=None) if full else block
        flags = Flags(self.jobs.waits(Urgency.EVENT), not self.memory.clock_set)
        coder = TableCoder(model_of_epoch())
        built = frames.build(block, coder, room, self.memory.sent, flags, parity=parity and not full, full=full)
        short = {True: Port.FRAME_SUM, False: Port.FRAME}
        return [(Port.FRAME_FULL if full else short[each.has_sum], each.payload) for each in built]

    def _with_outages(self, first: int, count: int, channels: Sequence[Channel], room: int) -> list[tuple[Port, bytes]]:
        """A block in which the supply was missing: the header of a frame has no place to say so."""
        packed: list[tuple[Port, bytes]] = []
        for begin in range(first, first + count, intervals.INTERVALS_MAX):
            run = self.meter.profile(begin, min(intervals.INTERVALS_MAX, first + count - begin))
            far = self.meter.last_edge - begin >= intervals.SHORT_REACH // 2
            rows = {channel: run.values[channel] for channel in channels}
            port = Port.INTERVALS_FULL if far else Port.INTERVALS
            said = intervals.pack(begin, self.meter.period_s, rows, run.ends_wh, room, outages=run.outages, full_index=far)
            packed += [(port, payload) for payload in said]
        return packed
