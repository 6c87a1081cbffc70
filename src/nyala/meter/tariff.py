"""Which rate is active over a local day: the day profile, and the program of a meter that knows one day only.

A profile is a tuple of (minute of the local day, rate), rising, from minute 0.  A meter knows its zone as a fixed offset
from UTC: Indonesia has no daylight saving.  Seasons, weeks and special days are in `calendar.py`; `Rates` is what both
give to the registers.  Data in, rates and instants out.
"""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final, Protocol

from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quantities import RATES
from nyala.vocab.time import DAY_S

DAY_MINUTES: Final = 1440
SWITCHES_MAX: Final = 24
"""Switches of one day profile (product sheet A6)."""
SPAN_DAYS_MAX: Final = 366
"""How far back `switches_between` looks: a year, whatever the length of the power cut."""

Switches = tuple[tuple[int, int], ...]


class Rates(Protocol):
    """What says which rate is active.  Instants are whole seconds of the meter's clock, UTC."""

    def rate_at(self, clock_s: int) -> int:
        """The rate (1..8) at an instant."""

    def next_switch_s(self, clock_s: int) -> int:
        """The first instant after `clock_s` at which anything may change, at most a day away."""


def check_switches(switches: Switches) -> None:
    """BadArgumentError unless the switches are those of a day profile."""
    minutes = [minute for minute, _ in switches]
    if not minutes or minutes[0] != 0 or minutes != sorted(set(minutes)) or minutes[-1] >= DAY_MINUTES:
        raise BadArgumentError(f"switches must rise from minute 0 and end before {DAY_MINUTES}: {minutes}")
    if len(minutes) > SWITCHES_MAX:
        raise BadArgumentError(f"{len(minutes)} switches a day; at most {SWITCHES_MAX}")
    if any(not 1 <= rate <= RATES for _, rate in switches):
        raise BadArgumentError(f"rates are 1..{RATES}")


def rate_at_minute(switches: Switches, minute: int) -> int:
    """The rate at a minute (0..1439) of the local day."""
    return switches[bisect_right(switches, (minute, RATES + 1)) - 1][1]


def minute_after(switches: Switches, minute: int) -> int:
    """The first switch after a minute of the local day; 1440, midnight, when the day has no other."""
    place = bisect_right(switches, (minute, RATES + 1))
    return switches[place][0] if place < len(switches) else DAY_MINUTES


@dataclass(frozen=True, slots=True)
class DayProgram:
    """The same rates every local day.  `offset_s` is local time minus UTC."""

    switches: Switches = ((0, 1),)
    offset_s: int = 0

    def __post_init__(self) -> None:
        check_switches(self.switches)

    def rate_at(self, clock_s: int) -> int:
        """The rate (1..8) at an instant of the meter's clock."""
        return rate_at_minute(self.switches, (clock_s + self.offset_s) % DAY_S // 60)

    def next_switch_s(self, clock_s: int) -> int:
        """The first switch after an instant, in seconds of the meter's clock (midnight counts as one)."""
        local = clock_s + self.offset_s
        midnight, minute = local - local % DAY_S, local % DAY_S // 60
        return midnight + minute_after(self.switches, minute) * 60 - self.offset_s


FLAT = DayProgram()


def switches_between(rates: Rates, after_s: int, until_s: int) -> tuple[tuple[int, int], ...]:
    """(instant, new rate) of every change of rate in (after_s, until_s], at most `SPAN_DAYS_MAX` days back from its end.

    What a meter missed while it had no supply.  Clock seconds; empty when the clock went back.
    """
    after_s = max(after_s, until_s - SPAN_DAYS_MAX * DAY_S)
    rate, found = rates.rate_at(after_s), []
    while (after_s := rates.next_switch_s(after_s)) <= until_s:
        if (new := rates.rate_at(after_s)) != rate:
            rate = new
            found.append((after_s, rate))
    return tuple(found)
