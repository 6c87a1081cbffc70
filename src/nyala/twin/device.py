"""The twin: meter, MAC and reporting in one device.  Times in (microseconds of true time), effects out.

    wake(now)                 what is due: windows, reports, retries
    detect / receive          the radio, as `nyala.lorawan.device.mac` has it
    next_us                   when `wake` has something to do
    power(now, on)            the supply goes or comes: the memory keeps, the rest is dropped
    keep                      puts into the modelled memory what must not be lost

What it says, by itself: a hello after each join; once in each report period, at an instant of its own (`instants`), the
intervals up to the beginning of the period; live values with it; once a day the registers at UTC midnight and of the
moment, and a time request; events as they happen, confirmed and repeated.  What it says is put into telegrams in
`telling`; commands are carried out in `commands`.
"""

from collections.abc import Sequence
from random import Random
from typing import Final

from nyala.lorawan.device.effects import Effect, Joined, Received, Sense, TimeReceived, Transmit, UplinkDone
from nyala.lorawan.device.mac import DeviceMac
from nyala.lorawan.device.procedure import Message
from nyala.lorawan.device.state import Identity
from nyala.lorawan.region import Region
from nyala.lorawan.regulation import Regulation
from nyala.meter.bank import Change
from nyala.meter.keeping import HOLD_UP_BYTES, Keeper
from nyala.meter.logs import event_id
from nyala.meter.meter import Meter
from nyala.meter.supply import Reason
from nyala.telegram.kinds import EventCode, Port
from nyala.telegram.parity import SentBodies
from nyala.telegram.values import Values
from nyala.twin import commands, diagnostics, image
from nyala.twin.config import TwinConfig
from nyala.twin.firmware import TwinFirmware
from nyala.twin.instants import next_report_us
from nyala.twin.jobs import Job, Urgency
from nyala.twin.last_gasp import LastGasp, last_gasp
from nyala.twin.packages import PORTS as PACKAGE_PORTS
from nyala.twin.packages import TwinPackages
from nyala.twin.state import Executed, Reporting, TwinMemory
from nyala.twin.telling import EVENT_TRIES, Telling
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quantities import register
from nyala.vocab.time import DAY_S, US_PER_S

EVENT_PAUSE_US: Final = 20_000_000
"""Before a confirmed telegram is tried again; doubled each time."""
PAUSE_US: Final = (500_000, 2_000_000)
"""Between two uplinks of one meter, random."""
BOOT_US: Final = (3_000_000, 30_000_000)
"""From the return of the supply until the module speaks, random: a street must not shout at once."""
RESTART_US: Final = (3_000_000, 120_000_000)
"""The same where the module starts by itself: a whole group does so at one instant, and each has a hello to say."""
REPORT_INTERVALS_MAX: Final = 96
"""Intervals that one report reaches back; older ones are asked for by the head-end."""
_LOCAL_MOVES: Final = {event_id("switch_opened"): EventCode.SWITCH_OPENED, event_id("switch_closed"): EventCode.SWITCH_CLOSED}

TwinEffect = Transmit | Sense | Executed | Joined


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
        regulation: Regulation | None = None,
    ) -> None:
        self.meter, self.identity = meter, identity
        self._factory = reporting or Reporting()
        self.memory = memory or TwinMemory(reported_edge=meter.last_edge, reported_day=meter.clock_s // DAY_S)
        self.keeper = Keeper(meter, seed=identity.dev_eui)
        self.telling = Telling(meter, self.memory, self._factory)
        self.config = TwinConfig(self.telling)
        self.mac = DeviceMac(identity, region, self.memory.device, random, regulation=regulation)
        self.firmware = TwinFirmware(self.telling)
        self.packages = TwinPackages(self.telling, self.mac, self.firmware, random)
        self.regulation = regulation
        self.powered = True
        self._random = random
        self._pause_until_us = 0
        self._live_s = 0
        """Beginning of the report period that told live values last."""
        self._kept: tuple[int | None, ...] = ()
        self._reserved = 0
        """The image in the memory allows uplinks below this counter."""
        self._report_us = self._next_report_us(meter.clock_s * US_PER_S)
        """By its clock."""
        self._gasp: LastGasp | None = None
        self._powered_us = 0

    @property
    def reporting(self) -> Reporting:
        """What it reports, and when."""
        return self.telling.reporting

    # -- time

    @property
    def next_us(self) -> int | None:
        """When `wake` has something to do; None: never (no supply, and nothing left to say)."""
        if not self.powered:
            return None if self._gasp is None else self._gasp.next_us
        start_us = self.firmware.next_us(busy=self._busy)
        if self.firmware.copying:
            return start_us
        times = [self._report_us - self.meter.clock_error_us]
        if start_us is not None and self.mac.idle:
            times.append(start_us)
        if self.packages.next_us is not None:
            times.append(self.packages.next_us)
        if self.mac.next_us is not None:
            times.append(self.mac.next_us)
        if self.telling.jobs.next_us is not None and self.mac.idle:
            times.append(max(self.telling.jobs.next_us, self._pause_until_us, self.mac.free_us))
        return min(times)

    def _next_report_us(self, clock_us: int) -> int:
        """The first report after an instant of the clock."""
        reporting = self.reporting
        return next_report_us(self.identity.dev_eui, clock_us, reporting.report_s, reporting.offset_min_s, reporting.slot_ms)

    def wake(self, now_us: int) -> list[TwinEffect]:
        """Does what is due; the MAC's transmissions come out as effects."""
        if not self.powered:
            return [] if self._gasp is None else self._after(self._gasp.wake(now_us), now_us)
        if (self.firmware.copying or self.mac.idle) and self.firmware.poll(now_us, busy=self._busy):
            self._restart(now_us)
        if self.firmware.copying:
            return []
        self.packages.poll(now_us)
        effects = self._say(now_us) + self._after(self.mac.poll(now_us), now_us)
        if now_us + self.meter.clock_error_us >= self._report_us:
            self.meter.advance(now_us // US_PER_S)
            self._report(now_us + self.meter.clock_error_us)
        effects += self._say(now_us)
        self.keep()
        return effects

    # -- the supply

    def restore(self, memory: TwinMemory) -> None:
        """Goes on with a memory that was kept outside; before it is woken for the first time."""
        self._begin(memory)
        self._report_us = self._next_report_us(self.meter.clock_s * US_PER_S)

    def _begin(self, memory: TwinMemory) -> None:
        """The module starts: all that it knows is in its memory."""
        self.memory, self._kept = memory, ()
        self.telling = Telling(self.meter, memory, self._factory)
        self.config = TwinConfig(self.telling)
        self.mac = DeviceMac(self.identity, self.mac.region, memory.device, self._random, regulation=self.regulation)
        self.firmware = TwinFirmware(self.telling)
        self.packages = TwinPackages(self.telling, self.mac, self.firmware, self._random)

    def start(self, now_us: int, spread_us: int) -> None:
        """Switched on for the first time: joins within `spread_us`."""
        self.mac.start_join(now_us + self._random.randrange(max(spread_us, 1)))

    def power(self, now_us: int, *, on: bool, hold_up_bytes: int = HOLD_UP_BYTES) -> None:
        """The supply goes or comes.  What goes on is what the memory holds; `hold_up_bytes` are saved after a cut."""
        self.meter.advance(now_us // US_PER_S)
        if self.powered == on:
            return
        if not on:
            self.keep()
        self.meter.set_powered(powered=on)
        self.powered = on
        if on:
            self._gasp, self._powered_us = None, now_us
            self._boot(now_us, now_us + self._random.randint(*BOOT_US))
        else:
            self._fall(now_us, hold_up_bytes)

    def _fall(self, now_us: int, hold_up_bytes: int) -> None:
        """The supply is gone: saves the memory, and only then begins to say so; goes on with what was saved."""
        memory, torn = self.memory, self.keeper.torn
        mac = DeviceMac(self.identity, self.mac.region, memory.device, self._random, regulation=self.regulation)
        charged_us = now_us - self._powered_us
        gasp = last_gasp(mac, memory.event_number + 1, self.meter.clock_s, now_us, charged_us, self._random)
        memory.event_number += gasp is not None
        kept = image.decode(self.keeper.cut(image.encode(memory, reserve=int(gasp is not None)), hold_up_bytes))
        kept.keep_flash(memory)
        self._begin(kept)
        self._gasp = gasp if self.keeper.torn == torn else None

    @property
    def _busy(self) -> bool:
        """There is something to be said before the module may start anew."""
        return len(self.telling.jobs) > 0

    def _restart(self, now_us: int) -> None:
        """The module starts anew, or begins to copy its next firmware; the meter goes on measuring."""
        self.meter.advance(now_us // US_PER_S)
        self.keep()
        self._begin(self.memory)
        self._start(now_us, now_us + self._random.randint(*RESTART_US))

    def _start(self, now_us: int, ready_us: int) -> None:
        """The module starts, and speaks from `ready_us` on."""
        self._pause_until_us = ready_us
        self.telling.diagnostics.started_s = self.meter.clock_s
        self._report_us = self._next_report_us(self.meter.clock_s * US_PER_S)
        if self.firmware.start(now_us):
            self.telling.hello()
        if not self.mac.joined and not self.firmware.copying:
            self.mac.start_join(ready_us)
        self.packages.start(ready_us)
        self.keep()

    def _boot(self, now_us: int, ready_us: int) -> None:
        meter = self.meter
        since_s = self.keeper.saved_s
        off_s = max(meter.clock_s - since_s, 0)
        meter.operation.log("power_fail", clock_s=since_s)
        meter.operation.log("power_restored", off_s)
        self.telling.event(EventCode.POWER_RESTORED, off_s)
        self._start(now_us, ready_us)

    def keep(self) -> None:
        """Puts into the memory what must not be lost, before anybody hears of it; local moves of the switch are told."""
        if not self.powered:
            return
        for entry in self.keeper.tick(registers=self.telling.values_asked):
            code = _LOCAL_MOVES.get(entry.event)
            if code is not None and entry.detail != Reason.REMOTE.value:
                self.telling.event(code, 0)
        self.telling.values_asked = False
        # a command comes by a downlink: what became of it is kept with the counter
        memory, activation = self.memory, self.memory.device.activation
        sent = activation.f_cnt_up if activation is not None else 0
        kept = (
            memory.device.dev_nonce,
            memory.device.join_nonce,
            activation.f_cnt_down if activation is not None else None,
            memory.event_number,
        )
        if kept != self._kept or sent > self._reserved:
            self.keeper.save_module(image.encode(memory, reserve=image.F_CNT_STEP))
            self._kept, self._reserved = kept, sent + image.F_CNT_STEP

    # -- what the meter sees and does by itself

    def alarm(self, change: Change) -> None:
        """An alarm of the meter was raised or cleared: logged, and told to the centre."""
        self.meter.operation.alarm(change)
        event = self.telling.alarm(change)
        if event is not None and self.powered:
            self.telling.say(event)
        self.keep()

    def operate(self, now_us: int) -> None:
        """Lets limiter and credit act on the time that has passed; what they did to the switch is told to the centre."""
        self.meter.advance(now_us // US_PER_S)
        self.meter.operation.step()
        self.keep()

    # -- the radio

    def detect(self, frequency_hz: int, data_rate: int, start_us: int, end_us: int) -> bool:
        """Whether the radio hears a downlink that begins now."""
        return self.powered and not self.firmware.copying and self.mac.detect(frequency_hz, data_rate, start_us, end_us)

    def receive(self, phy: bytes, snr_db: float, now_us: int) -> list[TwinEffect]:
        """A downlink was demodulated."""
        if not self.powered or self.firmware.copying:
            return []
        news = self.mac.receive(phy, snr_db, now_us)
        if not news:
            return []
        self.telling.diagnostics.snr_db = snr_db
        effects = self._after(news, now_us) + self._say(now_us)
        self.keep()
        return effects

    def sensed(self, now_us: int, *, free: bool) -> list[TwinEffect]:
        """The channel of a `Sense` was listened to until now, and was free or not."""
        if not self.powered:
            return [] if self._gasp is None else self._after(self._gasp.sensed(now_us, free=free), now_us)
        effects = self._after(self.mac.sensed(free, now_us), now_us)
        self.keep()
        return effects

    def _after(self, effects: Sequence[Effect], now_us: int) -> list[TwinEffect]:
        """Takes the MAC's news; what concerns the world remains."""
        remaining: list[TwinEffect] = []
        for effect in effects:
            match effect:
                case Transmit() | Sense():
                    remaining.append(effect)
                case Joined():
                    remaining.append(effect)
                    self.mac.ask_time()
                    self.telling.hello()
                    self.telling.now(Urgency.REPORT, diagnostics.JOINED)
                case Received(port=Port.COMMAND, payload=payload, group=None):  # a group orders nobody
                    self.meter.advance(now_us // US_PER_S)
                    before = self.reporting
                    remaining += commands.take(self.telling, self.config, payload)
                    if self.reporting != before:
                        self._report_us = self._next_report_us(self.meter.clock_s * US_PER_S)
                case Received(port=Port.CONFIG, payload=payload, group=None):
                    self.config.part(payload)
                case Received(port=port) if port in PACKAGE_PORTS:
                    self.meter.advance(now_us // US_PER_S)
                    for off in self.packages.receive(effect, now_us):
                        self._set_clock(self.meter.clock_error_us + off.correction_s * US_PER_S, now_us)
                case TimeReceived(utc_us=utc_us, at_us=at_us):
                    self._set_clock(utc_us - at_us, now_us)
                case UplinkDone(token=token, acknowledged=acknowledged):
                    self._pause_until_us = now_us + self._random.randint(*PAUSE_US)
                    if acknowledged:
                        self.firmware.heard()
                    if isinstance(token, Job):
                        self._done(token, now_us, lost=acknowledged is False)
                case _:
                    pass
        return remaining

    # -- saying

    def _say(self, now_us: int) -> list[TwinEffect]:
        if not self.mac.ready(now_us) or now_us < self._pause_until_us:
            return []
        job = self.telling.jobs.due(now_us)
        if job is None:
            return []
        try:
            said = job.next_payload(self.mac.room)
            if said is None:
                self.telling.jobs.remove(job)
                return self._say(now_us)
            message = Message(*said, job.confirmed, job, 1 if job.once else None, job.channel)
            fits = len(message.payload) <= self.mac.room
        except BadArgumentError:
            fits = False
        return self._after(self.mac.send(message if fits else Message(None, b""), now_us), now_us)

    def _done(self, job: Job, now_us: int, *, lost: bool) -> None:
        job.tries -= 1
        if lost and job.tries > 0:
            job.not_before_us = now_us + EVENT_PAUSE_US * (1 << EVENT_TRIES - 1 - job.tries)
        elif job.said():
            self.telling.jobs.remove(job)

    # -- reports

    def _report(self, clock_us: int) -> None:
        meter, memory, reporting = self.meter, self.memory, self.reporting
        clock_s, begin_s = meter.clock_s, self._report_us // US_PER_S // reporting.report_s * reporting.report_s
        self._report_us = self._next_report_us(max(clock_us, self._report_us))
        if not self.mac.joined:
            return
        end = min(begin_s // meter.period_s, meter.last_edge)
        first = max(memory.reported_edge, end - REPORT_INTERVALS_MAX, meter.oldest_edge)
        if end > first:
            self.telling.intervals(Urgency.REPORT, first, end - first)
            memory.reported_edge = end
        if begin_s - self._live_s >= reporting.live_s:
            self._live_s = begin_s
            self.telling.values(Urgency.REPORT, Values(clock_s, meter.live()))
        day = clock_s // DAY_S
        if day > memory.reported_day and day * DAY_S // meter.period_s >= meter.oldest_edge:
            memory.reported_day = day
            opening = meter.edge_registers(day * DAY_S // meter.period_s)
            self.telling.values(Urgency.REPORT, Values(day * DAY_S, {register(c).name: wh for c, wh in opening.items()}))
            self.telling.values(Urgency.REPORT, Values(clock_s, meter.registers()))
            self.telling.now(Urgency.REPORT, diagnostics.DAILY)
            self.mac.ask_time()

    # -- the clock

    def _set_clock(self, error_us: int, now_us: int) -> None:
        self.meter.advance(now_us // US_PER_S)
        step_us = error_us - self.meter.clock_error_us
        self.memory.clock_set = True
        self.telling.diagnostics.synced(step_us, now_us)
        if self.meter.sync_clock(error_us):
            self._report_us = self._next_report_us(self.meter.clock_s * US_PER_S)
            self.memory.sent = SentBodies()
            self.telling.event(EventCode.CLOCK_SET, min(abs(step_us) // 1000, (1 << 32) - 1))
