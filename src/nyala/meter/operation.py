"""One meter in operation: what its processor does beside measuring.  Supply switch, limiter, credit, billing, logs, alarms.

It stands on a row of a bank.  The bank calls it at every switch of its calendar (`at_switch`); whoever steps time calls
`step` afterwards, and `alarm` for each change that the bank reports.  Whatever it does is an entry of a log: a device
keeps it in its memory and may report it.
"""

from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING, Final

from nyala.meter import credit, limiter, snapshots, supply
from nyala.meter.bank import Bank, Change
from nyala.meter.calendar import BillingSchedule, Calendars
from nyala.meter.credit_plan import CreditPlan
from nyala.meter.limiter import LimiterPlan
from nyala.meter.logs import Entry, LogBook, event_id
from nyala.meter.reading import DEMANDS, powers
from nyala.meter.settings_codec import Settings
from nyala.meter.snapshots import Maximum, Snapshot
from nyala.meter.supply import ControlState, Effect, Supply, SwitchEvent
from nyala.vocab.alarms import alarm_row
from nyala.vocab.errors import ForeignError, NotAllowedError
from nyala.vocab.quantities import RATES, Channel
from nyala.vocab.time import DAY_S

if TYPE_CHECKING:
    from nyala.meter.settings import Factory

_SWITCH_LOGS: Final = {
    Effect.OPEN: "switch_opened",
    Effect.CLOSE: "switch_closed",
    Effect.ARM: "switch_armed",
    Effect.WELDED: "switch_failed",
}
DAILY_MAX: Final = 400
"""Rows of load profile 2: a year and a month."""
_DAILY: Final = Struct(f"<q{len(Channel)}q?")
DAILY_BYTES: Final = _DAILY.size
HAPPENED_MAX: Final = 256
"""Entries that wait for whoever keeps and reports them."""
DETAIL_MAX: Final = (1 << 31) - 1
_CREDIT_EVENTS: Final = {
    credit.Kind.DISCONNECT: SwitchEvent.LOCAL_DISCONNECT,
    credit.Kind.ARM_RECONNECT: SwitchEvent.LOCAL_RELEASE,
}


@dataclass(frozen=True, slots=True)
class Daily:
    """A row of load profile 2: the total registers at the end of a local day; `outage`: the supply was gone at that instant."""

    clock_s: int
    registers_wh: tuple[int, ...]
    outage: bool = False

    def encode(self) -> bytes:
        """A row of `DAILY_BYTES`."""
        return _DAILY.pack(self.clock_s, *self.registers_wh, self.outage)


def decode_daily(row: bytes) -> Daily:
    """The row of these bytes; ForeignError for others."""
    if len(row) != DAILY_BYTES:
        raise ForeignError(f"a daily row has {DAILY_BYTES} bytes, got {len(row)}")
    clock_s, *registers_wh, outage = _DAILY.unpack(row)
    return Daily(clock_s, tuple(registers_wh), outage)


class Timetable:
    """What the bank asks: the rate of the calendar, and the next instant of calendar or billing."""

    def __init__(self, calendars: Calendars, schedule: BillingSchedule) -> None:
        self.calendars, self.schedule = calendars, schedule

    def rate_at(self, clock_s: int) -> int:
        """The rate (1..8) at an instant of the meter's clock."""
        return self.calendars.rate_at(clock_s)

    def next_switch_s(self, clock_s: int) -> int:
        """The next instant at which something may change."""
        return min(self.calendars.next_switch_s(clock_s), self.schedule.next_s(clock_s))


class Operation:
    """The operation of one row.  Everything that it keeps is a value, so that an image of it can be saved."""

    def __init__(self, bank: Bank, row: int) -> None:
        self.bank, self.row = bank, row
        self.forget()
        self.timetable: Timetable | None = None
        self.plan: LimiterPlan | None = None
        self.limits: limiter.LimiterState | None = None
        self.credit_plan: CreditPlan | None = None
        self.settings = Settings()
        """Blocks that came over the air or by the optical port; `settings.take` puts them into force."""
        self.factory: Factory | None = None
        self._billed_s = self._day_s = self.clock_s
        self._last_reset_s: int | None = None
        bank.listeners[row] = self.at_switch

    def forget(self) -> None:
        """As it left the factory: what the working memory holds before the memory is read."""
        self.supply = Supply(fitted=self.bank.models[self.row].supply_switch)
        self.logs = LogBook()
        self.snapshots: tuple[Snapshot, ...] = ()
        self.reset_count = 0
        self.previous: tuple[int, ...] = (0,) * len(DEMANDS)
        """Total maxima of the period before the last reset."""
        self.cumulative: tuple[int, ...] = (0,) * len(DEMANDS)
        self.account: credit.Account | None = None
        self.daily: tuple[Daily, ...] = ()
        self._happened: list[Entry] = []

    @property
    def clock_s(self) -> int:
        """What the meter's clock shows."""
        return self.bank.clock_s(self.row)

    @property
    def dates(self) -> tuple[int, int, int | None]:
        """Clock of the last look at billing dates, of the last at days, and of the last demand reset."""
        return self._billed_s, self._day_s, self._last_reset_s

    @dates.setter
    def dates(self, dates: tuple[int, int, int | None]) -> None:
        self._billed_s, self._day_s, self._last_reset_s = dates

    @property
    def acts(self) -> bool:
        """Whether it has a limiter or an account, and is to be stepped."""
        return self.plan is not None or self.credit_plan is not None

    # -- settings

    def set_timetable(self, calendars: Calendars, schedule: BillingSchedule) -> None:
        """Gives the meter its calendar and its billing dates, from now on."""
        self.timetable = Timetable(calendars, schedule)
        self.bank.set_program(self.row, self.timetable)

    def limit(self, plan: LimiterPlan | None) -> None:
        """Gives the meter a limiter, or takes it away.  It lives by true time, which no correction of the clock turns back."""
        self.plan = plan
        self.limits = None if plan is None else limiter.start(plan, int(self.bank.now_s[self.row]))

    def release_limiter(self) -> None:
        """Whatever a limiter held open may be closed again: it is taken away."""
        assert self.limits is not None
        self._drive(supply.step(self.supply, SwitchEvent.LOCAL_RELEASE, self.limits.reason, self.clock_s))

    def prepay(self, plan: CreditPlan, opening: int) -> None:
        """Prepayment begins: the registers go on, the account begins where they stand (A14)."""
        self.credit_plan = plan
        outcome = credit.open_account(plan, self._rates(), self.clock_s, opening)
        self.account = outcome.account
        self.log("payment_mode_changed", 1)
        self._credit_effects(outcome.effects)

    def postpay(self) -> None:
        """Prepayment ends; whatever the account held open may be closed again."""
        self.credit_plan = self.account = None
        self._drive(supply.step(self.supply, SwitchEvent.LOCAL_RELEASE, supply.Reason.CREDIT, self.clock_s))
        self.log("payment_mode_changed", 0)

    # -- time and signals

    def take_happened(self) -> list[Entry]:
        """What was logged since this was asked last."""
        happened, self._happened = self._happened, []
        return happened

    def log(self, name: str, detail: int = 0, clock_s: int | None = None) -> None:
        """Writes an entry; UnknownError for an event that is not in the table."""
        self._record(event_id(name), self.clock_s if clock_s is None else clock_s, detail)

    def alarm(self, change: Change) -> None:
        """An alarm was raised or cleared."""
        row = alarm_row(change.alarm)
        clock_s = change.at_s + int(self.bank.offset_s[self.row])
        self._record(row.event_on if change.raised else row.event_off, clock_s, min(round(change.figure), DETAIL_MAX))

    def at_switch(self) -> None:
        """The bank stands at a switch, a billing date or the return of the supply: what was passed is caught up."""
        if self.timetable is None or not self.bank.powered[self.row]:
            return
        self._end_days()
        calendars, taken_over = self.timetable.calendars.at(self.clock_s)
        if taken_over:
            self.timetable.calendars = calendars
            self.log("calendar_activated")
        for instant_s in self.timetable.schedule.passed(self._billed_s, self.clock_s):
            self._reset(snapshots.Reason.CALENDAR, instant_s)
        self._billed_s = self.clock_s

    def step(self) -> None:
        """After time has passed: limiter and credit act on what was measured and registered."""
        if self.plan is not None and self.limits is not None:
            stepped = limiter.step(self.plan, self.limits, self._measured(), int(self.bank.now_s[self.row]))
            self.limits = stepped.state
            for acted in stepped.effects:
                if acted.action is limiter.Action.DISCONNECT:
                    self.log("limiter_tripped", round(powers(self.bank, self.row)[0]))
                self._drive(supply.step(self.supply, acted.action.value, acted.reason, self.clock_s))
        if self.credit_plan is not None and self.account is not None:
            outcome = credit.tick(self.credit_plan, self.account, self._rates(), self.clock_s)
            self.account = outcome.account
            self._credit_effects(outcome.effects)

    # -- what people and the centre do

    def switch(self, event: SwitchEvent, reason: supply.Reason = supply.Reason.REMOTE) -> bool:
        """Moves the supply switch; False where the event has no effect on the contact."""
        before = self.supply.output
        self._drive(supply.step(self.supply, event, reason, self.clock_s))
        if self.plan is not None and self.limits is not None and self.supply.state is ControlState.CONNECTED:
            self.limits = limiter.contact_closed(self.plan, self.limits)
        return self.supply.output is not before

    def press_reconnect(self) -> bool:
        """The button on an armed meter."""
        return self.switch(SwitchEvent.MANUAL_RECONNECT, supply.Reason.BUTTON)

    def top_up(self, amount: int, reference: str) -> credit.TopUp:
        """Adds credit once for each reference; NotAllowedError on a postpaid meter."""
        if self.credit_plan is None or self.account is None:
            raise NotAllowedError("the meter is postpaid")
        outcome = credit.top_up(self.credit_plan, self.account, amount, reference)
        assert outcome.top_up is not None
        self.account = outcome.account
        self._credit_effects(outcome.effects)
        return outcome.top_up

    def reset_demand(self, reason: snapshots.Reason) -> bool:
        """Demand reset by button or command; False while a reset is locked out."""
        if snapshots.locked_s(reason, self.clock_s, self._last_reset_s):
            self.log("demand_reset_refused", int(reason))
            return False
        self._reset(reason, self.clock_s)
        return True

    # -- inside

    def _end_days(self) -> None:
        """Writes the local days that have ended since the last look; those that ended without supply say so."""
        assert self.timetable is not None
        offset_s, now_s = self.timetable.schedule.offset_s, self.clock_s
        last = (now_s + offset_s) // DAY_S
        first = max((self._day_s + offset_s) // DAY_S + 1, last - DAILY_MAX + 1)
        registers = tuple(int(wh) for wh in self.bank.wh[self.row, :, 0])
        ended = [day * DAY_S - offset_s for day in range(first, last + 1)]
        rows = [Daily(end_s, registers, outage=end_s != now_s) for end_s in ended]
        self.daily = (*self.daily, *rows)[-DAILY_MAX:]
        self._day_s = now_s

    def _reset(self, reason: snapshots.Reason, instant_s: int) -> None:
        s, row = self.bank.state, self.row
        ended = self.bank.reset_demand(row).tolist()
        self.reset_count += 1
        self.previous = tuple(values[0] for values in ended[0])
        self.cumulative = tuple(old + new for old, new in zip(self.cumulative, self.previous, strict=True))
        maxima = tuple(
            tuple(Maximum(power, at_s) for power, at_s in zip(*both, strict=True))
            for both in zip(ended[0], ended[1], strict=True)
        )
        registers = tuple(tuple(int(s.wh[row, channel, rate]) for rate in range(1 + RATES)) for channel in Channel)
        self.snapshots = snapshots.keep(self.snapshots, Snapshot(self.reset_count, instant_s, reason, registers, maxima))
        self._last_reset_s = instant_s
        self.log("demand_reset", int(reason), instant_s)

    def _measured(self) -> limiter.Measured:
        bank, row, phases = self.bank, self.row, self.bank.models[self.row].phases
        flows = bool(bank.closed[row])
        u_v = bank.u_v[row, :phases]
        current_a = float(bank.i_a[row, :phases].max()) if flows else 0.0
        return limiter.Measured(max(powers(bank, row)[0], 0.0), current_a, float(u_v.max()), float(u_v.min()))

    def _rates(self) -> tuple[int, ...]:
        return tuple(int(wh) for wh in self.bank.wh[self.row, Channel.IMPORT, 1:])

    def _credit_effects(self, effects: tuple[credit.CreditEffect, ...]) -> None:
        for effect in effects:
            event = _CREDIT_EVENTS.get(effect.kind)
            if event is None:
                assert self.account is not None
                self.log("credit_low", max(min(self.account.balance, DETAIL_MAX), -DETAIL_MAX))
                continue
            if effect.kind is credit.Kind.DISCONNECT:
                self.log("credit_gone")
            self._drive(supply.step(self.supply, event, supply.Reason.CREDIT, self.clock_s))

    def _drive(self, outcome: supply.Outcome) -> None:
        self.supply = outcome.supply
        for effect in outcome.effects:
            if effect in {Effect.OPEN, Effect.CLOSE}:
                self.bank.closed[self.row] = effect is Effect.CLOSE
            if effect in _SWITCH_LOGS:
                self.log(_SWITCH_LOGS[effect], self.supply.last_reason.value)

    def _record(self, event: int, clock_s: int, detail: int) -> None:
        self.logs, entry = self.logs.record(event, clock_s, detail)
        self._happened = [*self._happened, entry][-HAPPENED_MAX:]
