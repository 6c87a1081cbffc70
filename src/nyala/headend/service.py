"""The head-end service: events of the network in, readings, states, events and commands out.  No I/O.

    handle(event, now)   an uplink, a join, the fate of a downlink
    poll(now)            downlinks that are due: commands first, then back-fill
    collect(changes)     puts what changed into a unit of work

Listeners hear of what changed after it was stored; they are how live pages are fed.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nyala.headend import alarms, profile
from nyala.headend.backfill import Backfill
from nyala.headend.budget import Budget
from nyala.headend.bulk import Bulk
from nyala.headend.campaigns import PORTS as PACKAGE_PORTS
from nyala.headend.campaigns import Campaigns
from nyala.headend.commands import CommandRow, CommandTracker
from nyala.headend.config_orders import ConfigOrder, ConfigOrders, HasSwitch, any_switch
from nyala.headend.configuration import Configuration
from nyala.headend.exchange import Exchange
from nyala.headend.foreign.mapping import foreign_model
from nyala.headend.frames import PORTS as FRAME_PORTS
from nyala.headend.frames import Frames
from nyala.headend.health import NAMES as DIAGNOSTICS
from nyala.headend.health import Health
from nyala.headend.lifecycle import Lives
from nyala.headend.ports import AlarmChange, Changes, EventRow, GatewayRow, RegisterRow
from nyala.headend.readings import FUTURE_S, Readings
from nyala.headend.reads import Reads
from nyala.headend.registry import MeterRecord, MeterState, Registry
from nyala.headend.slotting import Slotting
from nyala.lorawan.network.plan import NetworkPlan
from nyala.lorawan.network.port import AppUplink, DownlinkFate, Event, GroupSent, Reception, Uplink
from nyala.lorawan.network.port import Downlink as NetworkDownlink
from nyala.mdm.book import Book
from nyala.mdm.closing import reconcile
from nyala.mdm.load_day import Key
from nyala.telegram import codec
from nyala.telegram.blocks import BlockKind
from nyala.telegram.config import ConfigReport
from nyala.telegram.intervals import Intervals
from nyala.telegram.kinds import EventCode, Opcode
from nyala.telegram.messages import Answer, Hello
from nyala.telegram.messages import Event as MeterEvent
from nyala.telegram.values import Values
from nyala.vocab.errors import ConflictError, FrameError, TelegramError
from nyala.vocab.quantities import catalogue
from nyala.vocab.settings import Setting
from nyala.vocab.time import DAY_S, US_PER_S

CLOSE_US: Final = 3_600 * US_PER_S
"""How often old gaps are looked for."""
RATE_WINDOW: Final = 60
"""Uplinks that the pace on a screen is taken over."""
SLOTS: Final = "slots"
"""Who wants a reporting profile that differs from the one before by its slot."""
_SWITCH_EVENTS: Final = {EventCode.SWITCH_OPENED: 0, EventCode.SWITCH_CLOSED: 1}


@dataclass(frozen=True, slots=True)
class RefusedTelegram:
    """A telegram that was not understood; it stays in the journal."""

    serial: str
    port: int
    payload: bytes
    detail: str


Listener = Callable[[list[MeterState], list[CommandRow], list[AlarmChange]], None]


class HeadEnd:
    """All meters of one process, as the centre sees them."""

    def __init__(
        self,
        registry: Registry,
        book: Book,
        tracker: CommandTracker,
        campaigns: Campaigns | None = None,
        bulk: Bulk | None = None,
        lives: Lives | None = None,
        windows: Mapping[int, bytes] | None = None,
        reads: Reads | None = None,
        config_orders: tuple[Iterable[ConfigOrder], int, HasSwitch] = ((), 1, any_switch),
        budget: Budget | None = None,
        slots: NetworkPlan | None = None,
    ) -> None:
        """`windows`: what `Frames` has stored.  `config_orders`: the open ones, the number of the next, and who has a switch.
        `slots`: the network whose meters get slots; None: they report at drawn instants.
        """
        self.registry, self.book, self.tracker = registry, book, tracker
        self.budget = budget = budget or Budget()
        self.campaigns = campaigns or Campaigns(budget=budget)
        self.bulk, self.lives = bulk or Bulk(tracker, registry.meter, budget=budget), lives or Lives()
        self.reads = reads or Reads(tracker, registry.meter)
        self.backfill = Backfill(registry, book, budget, self._may_repair)
        self.configuration = Configuration(registry, self._gets_settings, budget)
        self.config_orders = ConfigOrders(self.configuration, registry, *config_orders)
        self.counts: Counter[str] = Counter()
        self.readings = Readings(registry, book, self.backfill, self.counts)
        self.frames = Frames(self.readings, self.counts, windows)
        self.health = Health()
        self.slotting = Slotting(registry, self._want_profile, slots)
        self.listeners: list[Listener] = []
        self.refused: list[Callable[[RefusedTelegram], None]] = []
        self.exchanges: list[Exchange] = []
        """Done and not stored yet."""
        self._registers: list[RegisterRow] = []
        self._events: list[EventRow] = []
        self._alarms: list[AlarmChange] = []
        self._gateways: dict[int, list[int]] = {}
        self._next_close_us = 0
        self._fetched: dict[int, int] = {}
        """The day whose load days were last fetched ahead, by meter."""
        self._recent: deque[int] = deque(maxlen=RATE_WINDOW)

    @property
    def next_us(self) -> int:
        """When `poll` has something to do."""
        rooms = (self.backfill, self.tracker, self.campaigns, self.bulk, self.config_orders, self.configuration, self.reads)
        return min(room.next_us for room in rooms if room.next_us is not None)

    def _gets_settings(self, meter_id: int) -> bool:
        """A campaign brings this meter a block of settings: nothing is sent to it alone meanwhile."""
        return self.campaigns.brings(self.registry.meter(meter_id).dev_eui) is BlockKind.CONFIGURATION

    def _may_repair(self, meter_id: int, interval: int) -> bool:
        return self.frames.may_still_repair(meter_id, interval)

    def _want_profile(self, meter_id: int, body: bytes, now_us: int) -> None:
        self.configuration.want(meter_id, Setting.REPORTING, body, by=SLOTS, now_us=now_us)

    # -- in

    def prefetch(self, uplinks: Sequence[Uplink | AppUplink]) -> None:
        """What many uplinks have in common, before each is handled: their load days come into memory in one question, and
        their frames are decoded in one go.
        """
        self.frames.foresee([(uplink.port, uplink.payload) for uplink in uplinks])
        keys: list[Key] = []
        for uplink in uplinks:
            meter = self.registry.of_device(uplink.dev_eui)
            today = uplink.received_us // US_PER_S // DAY_S
            if meter is not None and self._fetched.get(meter.id) != today:
                self._fetched[meter.id] = today
                channels = profile.channels_of(meter, self.registry.state(meter.id))
                keys += [Key(meter.id, day, channel) for channel in channels for day in (today - 1, today, today + 1)]
        if keys:
            self.book.fetch(keys)

    def heard(self, receptions: Iterable[Reception]) -> None:
        """Counts what gateways heard."""
        for reception in receptions:
            seen = self._gateways.setdefault(reception.gateway, [0, 0])
            seen[0] = max(seen[0], reception.received_us)
            seen[1] += 1

    def handle(self, event: Event | AppUplink, now_us: int) -> None:
        """Takes an event of the network server, or a telegram of another one."""
        match event:
            case Uplink():
                self.counts["uplinks"] += 1
                self._recent.append(event.received_us)
                self._telegram(event, event.receptions[0], len(event.receptions))
            case AppUplink():
                self._telegram(event, event if event.gateways else None, event.gateways)
            case DownlinkFate():
                self.tracker.fate(event, now_us)
                self.configuration.fate(event, now_us)
                self.backfill.left(event.token, now_us)
            case GroupSent():
                self.campaigns.group_sent(event)
            case _:
                pass

    def _telegram(self, uplink: Uplink | AppUplink, best: Reception | AppUplink | None, gateways: int) -> None:
        """Takes a payload; `best` says how the best of the gateways heard it, where that is known."""
        port, payload, received_us = uplink.port, uplink.payload, uplink.received_us
        meter = self.registry.of_device(uplink.dev_eui)
        if meter is None:
            self.counts["uplink_of_no_meter"] += 1
            return
        self.lives.heard(meter.id, received_us)
        state = self.registry.touch(meter.id)
        state.last_heard_us = max(state.last_heard_us, received_us)
        state.uplinks += 1
        state.via = uplink.via if isinstance(uplink, AppUplink) else ""
        if best is not None:
            state.data_rate, state.rssi_dbm, state.snr_db = uplink.data_rate, best.rssi_dbm, best.snr_db
            state.gateways = gateways
            self.slotting.heard(meter, state, received_us)
        if port is None or not port:
            return
        model = foreign_model(meter.model)
        try:
            if port in PACKAGE_PORTS:
                self.campaigns.uplink(meter.dev_eui, port, payload, received_us)
            elif model is not None:
                values = model.decode(port, payload, received_us)
                self._values(meter, state, values, received_us)
                self.readings.foreign(meter, state, model, values)
            elif port in FRAME_PORTS:
                self.frames.take(meter, state, port, payload, received_us)
            else:
                self._said(meter, state, codec.decode(port, payload, received_us // US_PER_S), received_us)
        except (TelegramError, FrameError, ConflictError) as error:
            self.counts[f"refused_{type(error).__name__}"] += 1
            for listener in self.refused:
                listener(RefusedTelegram(meter.serial, port, payload, str(error)))

    def _said(self, meter: MeterRecord, state: MeterState, telegram: codec.Telegram, received_us: int) -> None:
        match telegram:
            case Intervals():
                self.readings.telegram(meter, state, telegram, received_us)
            case Values():
                self._values(meter, state, telegram, received_us)
            case MeterEvent():
                self._event(meter, state, telegram, received_us)
            case Answer():
                if telegram.opcode == Opcode.CONFIG_COMMIT:
                    self.configuration.answer(meter.id, telegram, received_us)
                    profile.acknowledged(state)
                    return
                self.tracker.answer(meter.id, telegram, received_us)
                if telegram.opcode in (1, 2) and telegram.result == 0:
                    self._switch(state, telegram.detail, received_us // US_PER_S)
            case Hello():
                state.model_code, state.firmware, state.period_s = telegram.model, telegram.firmware, telegram.period_s
                self.health.said(meter, state, telegram.clock_s, received_us)
                self.configuration.heard_anew(meter.id, received_us)
                self.campaigns.hello(meter.dev_eui, telegram.firmware)
            case ConfigReport():
                self.configuration.report(meter.id, telegram, received_us)
                profile.acknowledged(state)
            case _:
                raise TelegramError("a command telegram came from a meter")

    def via(self, dev_eui: int) -> str:
        """The bridge over which a device is reached; empty: our own network."""
        meter = self.registry.of_device(dev_eui)
        return "" if meter is None else self.registry.state(meter.id).via

    def uplinks_per_minute(self) -> float:
        """The pace of the last uplinks, at most `RATE_WINDOW` of them."""
        if len(self._recent) < 2:
            return 0.0
        span_s = (self._recent[-1] - self._recent[0]) / US_PER_S
        return round((len(self._recent) - 1) * 60 / span_s, 1) if span_s > 0 else 0.0

    # -- what telegrams say

    def _values(self, meter: MeterRecord, state: MeterState, said: Values, received_us: int) -> None:
        self.health.said(meter, state, said.at_s, received_us)
        if said.at_s > received_us // US_PER_S + FUTURE_S:
            raise TelegramError("values from the future")
        self.health.told(state, said)
        if "alarms" in said.values:
            self._alarms_moved(alarms.on_state(meter, state, said.values["alarms"], said.at_s, received_us))
        live: dict[str, int] = {}
        for name, value in said.values.items():
            quantity = catalogue()[name]
            if quantity.channel is None:
                if name not in DIAGNOSTICS:
                    live[name] = value
                if name in self.reads.asked_of(meter.id):
                    self._registers.append(RegisterRow(meter.id, quantity.code, said.at_s, value))
                continue
            self._registers.append(RegisterRow(meter.id, quantity.code, said.at_s, value))
            if said.at_s >= state.registers.get(name, (0, 0))[1]:
                state.registers[name] = (value, said.at_s)
            if quantity.rate == 0 and quantity.channel in profile.channels_of(meter, state):
                self.book.set_register(meter.id, quantity.channel, meter.period_s, said.at_s, value)
                for day in (said.at_s // DAY_S - 1, said.at_s // DAY_S) if said.at_s % DAY_S == 0 else ():
                    reconcile(self.book, Key(meter.id, day, quantity.channel))
        if live and said.at_s >= state.live_at_s:
            state.live, state.live_at_s = state.live | live, said.at_s
        if "switch_state" in live:
            self._switch(state, live["switch_state"], said.at_s)
        self.tracker.values(state, said, received_us)

    def _event(self, meter: MeterRecord, state: MeterState, event: MeterEvent, received_us: int) -> None:
        if alarms.moves_alarm(event.code):
            self._alarm(meter, state, event, received_us)
        row = EventRow(meter.id, event.clock_s, event.code, event.detail, event.number, received_us)
        self._events.append(row)
        self.health.said(meter, state, event.clock_s, received_us)
        self.health.event(state, event)
        if event.code in _SWITCH_EVENTS:
            self._switch(state, _SWITCH_EVENTS[event.code], event.clock_s)
        self.tracker.event(meter.id, event, received_us)
        if event.code is EventCode.POWER_RESTORED:
            self.configuration.heard_anew(meter.id, received_us)

    def _alarm(self, meter: MeterRecord, state: MeterState, event: MeterEvent, received_us: int) -> None:
        if alarms.is_alarm(event.code):
            alarms.split_detail(event.detail)  # an unknown one is refused, whenever it was
        if event.clock_s > received_us // US_PER_S + FUTURE_S:
            self.counts["alarms_from_the_future"] += 1
        else:
            self._alarms_moved(alarms.on_event(meter, state, event, received_us))

    def _alarms_moved(self, changes: list[AlarmChange]) -> None:
        self._alarms += changes
        self.counts["alarm_changes"] += len(changes)

    @staticmethod
    def _switch(state: MeterState, position: int, at_s: int) -> None:
        if at_s >= state.switch_at_s:
            state.switch_state, state.switch_at_s = position, at_s

    # -- out

    def poll(self, now_us: int) -> tuple[list[NetworkDownlink], list[tuple[int, object]]]:
        """Downlinks that are due, the most urgent first, and the tokens (DevEUI, token) of those to take back.

        What is for groups waits in `campaigns.take_messages`.
        """
        if now_us >= self._next_close_us:
            self._next_close_us = now_us + CLOSE_US
            self.readings.close_old_gaps(now_us)
        taken_back = self.bulk.poll(now_us)
        self.reads.poll(now_us)
        self.config_orders.poll(now_us)
        commands, withdrawn = self.tracker.poll(now_us)
        later = (self.configuration, self.campaigns, self.backfill)
        downlinks = commands + self.health.poll() + [each for room in later for each in room.poll(now_us)]
        return downlinks, taken_back + withdrawn

    def not_taken(self, downlink: NetworkDownlink, now_us: int) -> None:
        """The network server could not take a downlink."""
        self.tracker.not_taken(downlink)
        self.configuration.not_taken(downlink, now_us)
        self.backfill.left(downlink.token, now_us)

    def collect(self, changes: Changes) -> None:
        """Puts what changed since the last call into a unit of work."""
        changes.states = self.registry.take_changes()
        changes.load_days, changes.superseded = self.book.take_changes()
        changes.windows = self.frames.take_changes()
        changes.commands, changes.steps = self.tracker.take_changes()
        self.bulk.follow(changes.commands)
        changes.read_plans = self.reads.take_changes()
        self.config_orders.follow(changes.states)
        changes.config_orders, changes.config_members = self.config_orders.take_changes()
        changes.bulk_orders, changes.bulk_members = self.bulk.take_changes()
        changes.lives, changes.life_steps = self.lives.take_changes()
        changes.exchanges, self.exchanges = self.exchanges, []
        changes.campaigns = self.campaigns.take_changes()
        changes.registers, self._registers = self._registers, []
        changes.events, self._events = self._events, []
        changes.alarms, self._alarms = self._alarms, []
        changes.gateways = [GatewayRow(eui, *seen) for eui, seen in sorted(self._gateways.items())]
        self._gateways = {}

    def stored(self, changes: Changes) -> None:
        """The unit of work is on disk: tells the listeners."""
        if changes.states or changes.commands:  # an alarm never moves without its state
            for listener in self.listeners:
                listener(changes.states, changes.commands, changes.alarms)
