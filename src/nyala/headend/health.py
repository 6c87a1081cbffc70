"""How a meter itself is: its clock against ours, events that were lost, what its module tells of itself.

    said(...)     instants that a meter says, against when they came: how far its clock is off
    event(...)    the number of an event: a number that was left out is an event that was lost
    told(...)     diagnostics of the module (`twin.diagnostics` says them)
    poll(now)     orders: a clock that is off is told to ask for the time (TS003), a meter with lost events for its state

An instant comes later than it was: by the wait for the air, and for a repeat.  So the largest "instant less reception" of a
day is the error of the clock less the shortest wait, and one alone says little.  Meters ask for the time once a day by
themselves; `POLICY` says from when on they are told to.  No I/O: the shadow is changed in place.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nyala.headend.registry import HealthShadow, MeterRecord, MeterState
from nyala.lorawan.network.port import Downlink
from nyala.lorawan.packages.commands import PackagePort, encode
from nyala.lorawan.packages.layouts import ForceResyncReq
from nyala.telegram.kinds import EventCode
from nyala.telegram.messages import EVENTS, Event
from nyala.telegram.values import Values
from nyala.vocab.time import DAY_S, US_PER_S

NAMES: Final = (
    *("uptime_s", "downlink_snr_db", "clock_error_ms", "clock_drift_ppb", "battery_v", "external_battery_v", "temperature_c"),
    *("uplink_count", "join_count", "event_count", "capabilities"),
)
"""Quantities that are kept with their own instants: they come rarely, and are no live values."""
LOST_MAX: Final = 32
"""Numbers of lost events that are remembered of a meter."""
ORDERS_MAX: Final = 1_024
"""Orders that may wait; beyond it the oldest is not given, and its reason comes again."""


@dataclass(frozen=True, slots=True)
class Policy:
    """When a clock is told to ask for the time.

    Fast by more than `fast_ms`: it says instants that are still to come, and nothing excuses that.  Slow by more than
    `slow_ms`: no telegram of ours waits so long.  Judged over at least `seen` instants of a day, and ordered once in `pause_s`.
    """

    fast_ms: int = 2_000
    slow_ms: int = 60_000
    seen: int = 3
    pause_s: int = 6 * 3_600


POLICY: Final = Policy()


def error_ms(health: HealthShadow) -> int | None:
    """What is known of the error of a clock: today's figure once enough instants were seen, else that of the day before."""
    return health.clock_ms if health.clock_seen >= POLICY.seen else health.clock_before_ms


def is_off(clock_ms: int | None) -> bool:
    """Whether a clock is worse than it may be."""
    return clock_ms is not None and not -POLICY.slow_ms <= clock_ms <= POLICY.fast_ms


class Health:
    """The meters of one process."""

    def __init__(self) -> None:
        self._resyncs: deque[Downlink] = deque(maxlen=ORDERS_MAX)

    def said(self, meter: MeterRecord, state: MeterState, at_s: int, received_us: int) -> None:
        """A meter says an instant of its clock."""
        health, day = state.health, received_us // US_PER_S // DAY_S
        if day != health.clock_day:
            health.clock_before_ms = error_ms(health)
            health.clock_day, health.clock_seen, health.clock_ms = day, 0, None
        off_ms = at_s * 1_000 - received_us // 1_000
        health.clock_ms = off_ms if health.clock_ms is None else max(health.clock_ms, off_ms)
        health.clock_seen += 1
        due = received_us - health.resync_us >= POLICY.pause_s * US_PER_S
        if due and health.clock_seen >= POLICY.seen and is_off(health.clock_ms):
            health.resync_us, health.clock_seen, health.clock_ms = received_us, 0, None
            payload = encode([ForceResyncReq(1)])
            self._resyncs.append(Downlink(meter.dev_eui, PackagePort.CLOCK_SYNC, payload, token=("resync",)))

    def event(self, state: MeterState, event: Event) -> None:
        """An event with its number; those between the newest known and this one were lost, or come late."""
        health = state.health
        if event.number in health.lost:
            health.lost = tuple(each for each in health.lost if each != event.number)
            return
        lost = self._between(health, event.number)
        # the one before a return of the supply is a last word, which nobody repeats
        spared = event.code is EventCode.POWER_RESTORED
        self._lacks(health, lost[:-1] if spared else lost)

    def told(self, state: MeterState, said: Values) -> None:
        """Values of a meter: what is of its module is kept; a count of events shows that the last ones were lost."""
        health = state.health
        for name in NAMES:
            if name in said.values and said.at_s >= health.told.get(name, (0, 0))[1]:
                health.told[name] = said.values[name], said.at_s
        count = said.values.get("event_count")
        if count is not None and health.newest_event is not None:
            before = health.newest_event
            lost = self._between(health, count % EVENTS)
            self._lacks(health, [*lost, count % EVENTS] if health.newest_event != before else [])

    @staticmethod
    def _between(health: HealthShadow, number: int) -> list[int]:
        """The numbers between the newest known and a newer one, which is the newest then; none where it is no newer."""
        before = health.newest_event
        ahead = 1 if before is None else (number - before) % EVENTS
        if not 0 < ahead < EVENTS // 2:
            return []
        health.newest_event = number
        return [(number - back) % EVENTS for back in range(ahead - 1, 0, -1)]

    @staticmethod
    def _lacks(health: HealthShadow, lost: Sequence[int]) -> None:
        health.lost = (*health.lost, *lost)[-LOST_MAX:]

    def poll(self) -> list[Downlink]:
        """Orders that are due."""
        due = list(self._resyncs)
        self._resyncs.clear()
        return due
