"""The twin: meter, MAC and reporting in one device.  Times in (microseconds of true time), effects out.

    wake(now)                 what is due: windows, reports, retries
    detect / receive          the radio, as `nyala.lorawan.device.mac` has it
    next_us                   when `wake` has something to do
    power(now, on)            the supply goes or comes

What it says, by itself: a hello after each join; every `report_s` the intervals since the last report, at an offset
drawn from its DevEUI; live values with it; once a day the registers at UTC midnight and of the moment, and a time
request; events as they happen, confirmed and repeated.  A command is carried out once: its sequence number and answer are
kept in the memory that survives a power cut, and a repeat gets the same answer.
"""

from collections.abc import Sequence
from random import Random
from typing import Final

from nyala.lorawan.device.effects import Effect, Joined, Received, TimeReceived, Transmit, UplinkDone
from nyala.lorawan.device.mac import DeviceMac
from nyala.lorawan.device.procedure import Message
from nyala.lorawan.device.state import Identity
from nyala.lorawan.region import Region
from nyala.meter.bank import Change
from nyala.meter.logs import event_id
from nyala.meter.meter import Meter
from nyala.meter.snapshots import Reason as Reset
from nyala.meter.supply import Reason, SwitchEvent, SwitchState
from nyala.telegram import intervals, messages, values
from nyala.telegram.kinds import EventCode, Opcode, Port, Result
from nyala.telegram.messages import Answer, Command, Event, Hello
from nyala.telegram.values import Values
from nyala.twin.alarm_telling import AlarmTelling
from nyala.twin.jobs import Job, Jobs, Urgency
from nyala.twin.state import Executed, Reporting, TwinMemory
from nyala.vocab.errors import BadArgumentError, TelegramError
from nyala.vocab.quantities import register
from nyala.vocab.time import DAY_S, US_PER_S

FIRMWARE: Final = 0x0100
JOBS_LIMIT: Final = 64
EVENT_TRIES: Final = 8
EVENT_PAUSE_US: Final = 20_000_000
"""Before a confirmed telegram is tried again; doubled each time."""
PAUSE_US: Final = (500_000, 2_000_000)
"""Between two uplinks of one meter, random."""
BOOT_US: Final = (3_000_000, 30_000_000)
"""From the return of the supply until the module speaks, random: a street must not shout at once."""
REPORT_INTERVALS_MAX: Final = 96
"""Intervals that one report reaches back; older ones are asked for by the head-end."""
REPEAT_ROOM: Final = 40
"""From this room on a report repeats the intervals of the one before: a lost frame then heals by itself."""
_LOCAL_MOVES: Final = {event_id("switch_opened"): EventCode.SWITCH_OPENED, event_id("switch_closed"): EventCode.SWITCH_CLOSED}

TwinEffect = Transmit | Executed | Joined


class Twin:
    """One device.  `meter` is stepped by the world; the twin only takes it to the instant at which it acts."""

    def __init__(
        self,
        meter: Meter,
        identity: Identity,
        region: Region,
        random: Random,
        *,
        reporting: Reporting | None = None,
        memory: TwinMemory | None = None,
    ) -> None:
        self.meter, self.identity = meter, identity
        self.reporting = reporting or Reporting()
        self.memory = memory or TwinMemory(reported_edge=meter.last_edge, reported_day=meter.clock_s // DAY_S)
        self.mac = DeviceMac(identity, region, self.memory.device, random)
        self.powered = True
        self._random = random
        self._jobs = Jobs(JOBS_LIMIT)
        self._pause_until_us = 0
        self._live_clock_s = 0
        self._off_since_s = 0
        self._alarms = AlarmTelling()
        self._report_clock_s = self._next_report_s(meter.clock_s)

    # -- time

    @property
    def next_us(self) -> int | None:
        """When `wake` has something to do; None: never (no supply)."""
        if not self.powered:
            return None
        times = [self._true_us(self._report_clock_s)]
        if self.mac.next_us is not None:
            times.append(self.mac.next_us)
        if self._jobs.next_us is not None and self.mac.idle:
            times.append(max(self._jobs.next_us, self._pause_until_us, self.mac.free_us))
        return min(times)

    def _true_us(self, clock_s: int) -> int:
        return clock_s * US_PER_S - self.meter.clock_error_us

    def _next_report_s(self, clock_s: int) -> int:
        """The first report after an instant of the clock."""
        every_s = self.reporting.report_s
        spread_s = max(every_s - 2 * self.reporting.offset_min_s, 1)
        offset_s = self.reporting.offset_min_s + self.identity.dev_eui * 0x9E3779B1 % (1 << 32) % spread_s
        return clock_s - (clock_s - offset_s) % every_s + every_s

    def wake(self, now_us: int) -> list[TwinEffect]:
        """Does what is due; the MAC's transmissions come out as effects."""
        if not self.powered:
            return []
        effects = self._say(now_us) + self._after(self.mac.poll(now_us), now_us)
        if now_us >= self._true_us(self._report_clock_s):
            self.meter.advance(now_us // US_PER_S)
            self._report()
        return effects + self._say(now_us)

    # -- the supply

    def restore(self, memory: TwinMemory) -> None:
        """Goes on with a memory that was kept outside; before it is woken for the first time."""
        self.memory = memory
        self.mac = DeviceMac(self.identity, self.mac.region, memory.device, self._random)
        self._report_clock_s = self._next_report_s(self.meter.clock_s)

    def start(self, now_us: int, spread_us: int) -> None:
        """Switched on for the first time: joins within `spread_us`."""
        self.mac.start_join(now_us + self._random.randrange(max(spread_us, 1)))

    def power(self, now_us: int, *, on: bool) -> None:
        """The supply goes or comes.  What only the working memory held is gone; sessions and counters stay."""
        self.meter.advance(now_us // US_PER_S)
        if self.powered == on:
            return
        if not on:
            self._off_since_s = self.meter.clock_s
            self.meter.operation.log("power_fail")
        self.meter.set_powered(powered=on)
        self.powered = on
        self._jobs.clear()
        self.mac = DeviceMac(self.identity, self.mac.region, self.memory.device, self._random)
        if not on:
            return
        boot_us = now_us + self._random.randint(*BOOT_US)
        self._pause_until_us = boot_us
        self._report_clock_s = self._next_report_s(self.meter.clock_s)
        if not self.mac.joined:
            self.mac.start_join(boot_us)
        self.meter.operation.log("power_restored", self.meter.clock_s - self._off_since_s)
        self._event(EventCode.POWER_RESTORED, self.meter.clock_s - self._off_since_s)

    # -- what the meter sees and does by itself

    def alarm(self, change: Change) -> None:
        """An alarm of the meter was raised or cleared: logged, and told to the centre."""
        self.meter.operation.alarm(change)
        event = self.alarm_event(change)
        if event is not None and self.powered:
            self._put(Urgency.EVENT, Port.EVENT, messages.encode_event(event), confirmed=True)

    def alarm_event(self, change: Change) -> Event | None:
        """The telegram of a change; None for one that is not told."""
        offset_s = self.meter.clock_s - int(self.meter.bank.now_s[self.meter.row])
        event = self._alarms.event(change, change.at_s + offset_s, self.memory.event_number + 1)
        if event is not None:
            self.memory.event_number = event.number
        return event

    def operate(self, now_us: int) -> None:
        """Lets limiter and credit act on the time that has passed; what they did to the switch is told to the centre."""
        self.meter.advance(now_us // US_PER_S)
        operation = self.meter.operation
        operation.step()
        for happened in operation.take_happened():
            code = _LOCAL_MOVES.get(happened.event)
            if code is not None and happened.detail != Reason.REMOTE.value:
                self._event(code, 0)

    # -- the radio

    def detect(self, frequency_hz: int, data_rate: int, start_us: int, end_us: int) -> bool:
        """Whether the radio hears a downlink that begins now."""
        return self.powered and self.mac.detect(frequency_hz, data_rate, start_us, end_us)

    def receive(self, phy: bytes, snr_db: float, now_us: int) -> list[TwinEffect]:
        """A downlink was demodulated."""
        if not self.powered:
            return []
        effects = self.mac.receive(phy, snr_db, now_us)
        return self._after(effects, now_us) + self._say(now_us) if effects else []

    def _after(self, effects: Sequence[Effect], now_us: int) -> list[TwinEffect]:
        """Takes the MAC's news; what concerns the world remains."""
        remaining: list[TwinEffect] = []
        for effect in effects:
            match effect:
                case Transmit():
                    remaining.append(effect)
                case Joined():
                    remaining.append(effect)
                    self.mac.ask_time()
                    self._jobs.put(Job(Urgency.EVENT, self._hello, confirmed=True, tries=EVENT_TRIES))
                case Received(port=Port.COMMAND, payload=payload):
                    remaining += self._command(payload, now_us)
                case TimeReceived(utc_us=utc_us, at_us=at_us):
                    self._set_clock(utc_us - at_us, now_us)
                case UplinkDone(token=token, acknowledged=acknowledged):
                    self._pause_until_us = now_us + self._random.randint(*PAUSE_US)
                    if isinstance(token, Job):
                        self._done(token, now_us, lost=acknowledged is False)
                case _:
                    pass
        return remaining

    # -- saying

    def _put(self, urgency: Urgency, port: Port, payload: bytes, *, confirmed: bool = False) -> None:
        self._jobs.put(Job(urgency, lambda _room: [(port, payload)], confirmed, EVENT_TRIES if confirmed else 1))

    def _say(self, now_us: int) -> list[TwinEffect]:
        if not self.mac.ready(now_us) or now_us < self._pause_until_us:
            return []
        job = self._jobs.due(now_us)
        if job is None:
            return []
        try:
            said = job.next_payload(self.mac.room)
            if said is None:
                self._jobs.remove(job)
                return self._say(now_us)
            message = Message(*said, job.confirmed, job)
            fits = len(message.payload) <= self.mac.room
        except BadArgumentError:
            fits = False
        return self._after(self.mac.send(message if fits else Message(None, b""), now_us), now_us)

    def _done(self, job: Job, now_us: int, *, lost: bool) -> None:
        job.tries -= 1
        if lost and job.tries > 0:
            job.not_before_us = now_us + EVENT_PAUSE_US * (1 << EVENT_TRIES - 1 - job.tries)
        elif job.said():
            self._jobs.remove(job)

    def _hello(self, _room: int) -> list[tuple[Port, bytes]]:
        meter = self.meter
        return [(Port.HELLO, messages.encode_hello(Hello(meter.model.code, FIRMWARE, meter.period_s, meter.clock_s)))]

    def _event(self, code: EventCode, detail: int) -> None:
        self.memory.event_number += 1
        event = Event(self.memory.event_number, code, self.meter.clock_s, detail)
        self._put(Urgency.EVENT, Port.EVENT, messages.encode_event(event), confirmed=True)

    # -- reports

    def _report(self) -> None:
        meter, memory = self.meter, self.memory
        clock_s = meter.clock_s
        self._report_clock_s = self._next_report_s(max(clock_s, self._report_clock_s))
        if not self.mac.joined:
            return
        first = max(memory.reported_edge, meter.last_edge - REPORT_INTERVALS_MAX, meter.oldest_edge)
        if meter.last_edge > first:
            self._intervals(Urgency.REPORT, first, meter.last_edge - first, repeat=True)
            memory.reported_edge = meter.last_edge
        if clock_s - self._live_clock_s >= self.reporting.live_s:
            self._live_clock_s = clock_s
            self._values(Urgency.REPORT, Values(clock_s, meter.live()))
        day = clock_s // DAY_S
        if day > memory.reported_day and day * DAY_S // meter.period_s >= meter.oldest_edge:
            memory.reported_day = day
            opening = meter.edge_registers(day * DAY_S // meter.period_s)
            self._values(Urgency.REPORT, Values(day * DAY_S, {register(c).name: wh for c, wh in opening.items()}))
            self._values(Urgency.REPORT, Values(clock_s, meter.registers()))
            self.mac.ask_time()

    def _values(self, urgency: Urgency, said: Values) -> None:
        def pack(room: int) -> list[tuple[Port, bytes]]:
            return [(Port.VALUES, payload) for payload in values.pack(said, self.meter.clock_s, room)]

        self._jobs.put(Job(urgency, pack))

    def _intervals(self, urgency: Urgency, first: int, count: int, *, repeat: bool = False) -> None:
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

        self._jobs.put(Job(urgency, pack))

    # -- commands

    def _command(self, payload: bytes, now_us: int) -> list[TwinEffect]:
        self.meter.advance(now_us // US_PER_S)
        try:
            command = messages.decode_command(payload)
        except TelegramError:
            self._refuse(payload)
            return []
        known = self.memory.executed.get(command.sequence)
        if command.opcode is Opcode.QUERY:
            known = self.memory.executed.get(command.asked)
            self._answer(known or Answer(command.asked, command.opcode, Result.NOT_EXECUTED))
        elif known is not None:
            self._answer(known)
        else:
            return self._execute(command)
        return []

    def _refuse(self, payload: bytes) -> None:
        try:
            sequence, opcode = messages.sequence_of(payload)
        except TelegramError:
            return
        result = Result.MALFORMED if opcode in set(Opcode) else Result.UNKNOWN_OPCODE
        self._answer(Answer(sequence, opcode, result))

    def _answer(self, answer: Answer) -> None:
        self._put(Urgency.ANSWER, Port.ANSWER, messages.encode_answer(answer))

    def _execute(self, command: Command) -> list[TwinEffect]:
        meter = self.meter
        match command.opcode:
            case Opcode.SWITCH_OPEN | Opcode.SWITCH_CLOSE:
                return self._switch(command)
            case Opcode.DEMAND_RESET:
                return self._reset_demand(command)
            case Opcode.READ:
                said = {name: self._read(name) for name in command.quantities}
                asked = {name: value for name, value in said.items() if value is not None}
                if asked:
                    self._values(Urgency.READ, Values(meter.clock_s, asked))
                else:
                    self._answer(Answer(command.sequence, command.opcode, Result.NO_SUCH_PART))
            case Opcode.BACKFILL:
                first = max(command.first, meter.oldest_edge)
                count = min(command.first + command.count, meter.last_edge) - first
                if command.period_s == meter.period_s and count > 0:
                    self._intervals(Urgency.BACKFILL, first, count)
                else:
                    self._answer(Answer(command.sequence, command.opcode, Result.NO_SUCH_PART))
            case Opcode.QUERY:
                raise AssertionError("a query is answered before")
        return []

    def _read(self, name: str) -> int | None:
        return next(reversed(self.memory.executed), 0) if name == "last_command" else self.meter.value(name)

    def _switch(self, command: Command) -> list[TwinEffect]:
        """Opens or closes the supply switch, once for each sequence number, and shows what became of it."""
        wanted_open = command.opcode is Opcode.SWITCH_OPEN
        if self.meter.switch_state is SwitchState.NONE:
            self._answer(Answer(command.sequence, command.opcode, Result.NO_SUCH_PART))
            return []
        event = SwitchEvent.REMOTE_DISCONNECT if wanted_open else SwitchEvent.REMOTE_RECONNECT
        moved = self.meter.switch(event)
        self._done_with(command, Result.DONE, self.meter.switch_state.value)
        if moved:
            self._event(EventCode.SWITCH_OPENED if wanted_open else EventCode.SWITCH_CLOSED, command.sequence)
        else:
            self._show("switch_state", self.meter.switch_state.value, command)
        return [Executed(command.sequence, command.opcode)]

    def _reset_demand(self, command: Command) -> list[TwinEffect]:
        """Begins a new demand period, once for each sequence number, unless it is too soon after the last."""
        operation = self.meter.operation
        done = operation.reset_demand(Reset.COMMAND)
        self._done_with(command, Result.DONE if done else Result.LOCKED_OUT, operation.reset_count)
        if done:
            self._show("reset_count", operation.reset_count, command)
        return [Executed(command.sequence, command.opcode)] if done else []

    def _show(self, name: str, value: int, command: Command) -> None:
        self._values(Urgency.READ, Values(self.meter.clock_s, {name: value, "last_command": command.sequence}))

    def _done_with(self, command: Command, result: Result, detail: int) -> None:
        self._answer(self.memory.remember(Answer(command.sequence, command.opcode, result, detail)))

    # -- the clock

    def _set_clock(self, error_us: int, now_us: int) -> None:
        self.meter.advance(now_us // US_PER_S)
        step_us = error_us - self.meter.clock_error_us
        if self.meter.sync_clock(error_us):
            self._report_clock_s = self._next_report_s(self.meter.clock_s)
            self._event(EventCode.CLOCK_SET, min(abs(step_us) // 1000, (1 << 32) - 1))
