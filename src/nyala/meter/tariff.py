"""Which rate is active when: a day program of switches in local time.  Data in, rates and instants out.

A program is a tuple of (minute of the local day, rate), sorted, beginning at minute 0.  The meter knows its zone as a
fixed offset from UTC: Indonesia has no daylight saving.  Seasons, weeks and special days are not here yet.
"""

from bisect import bisect_right
from dataclasses import dataclass

from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quantities import RATES
from nyala.vocab.time import DAY_S

DAY_MINUTES = 1440
SWITCHES_MAX = 24


@dataclass(frozen=True, slots=True)
class DayProgram:
    """Rates over a local day.  `offset_s` is local time minus UTC."""

    switches: tuple[tuple[int, int], ...] = ((0, 1),)
    offset_s: int = 0

    def __post_init__(self) -> None:
        minutes = [minute for minute, _ in self.switches]
        if not minutes or minutes[0] != 0 or minutes != sorted(set(minutes)) or minutes[-1] >= DAY_MINUTES:
            raise BadArgumentError(f"switches must rise from minute 0 and end before {DAY_MINUTES}: {minutes}")
        if len(minutes) > SWITCHES_MAX:
            raise BadArgumentError(f"{len(minutes)} switches a day; at most {SWITCHES_MAX}")
        if any(not 1 <= rate <= RATES for _, rate in self.switches):
            raise BadArgumentError(f"rates are 1..{RATES}")

    def rate_at(self, clock_s: int) -> int:
        """The rate (1..8) at an instant of the meter's clock."""
        minute = (clock_s + self.offset_s) % DAY_S // 60
        return self.switches[bisect_right(self.switches, (minute, RATES + 1)) - 1][1]

    def next_switch_s(self, clock_s: int) -> int:
        """The first switch after an instant, in seconds of the meter's clock (midnight counts as one)."""
        local = clock_s + self.offset_s
        midnight, minute = local - local % DAY_S, local % DAY_S // 60
        later = next((switch for switch, _ in self.switches if switch > minute), DAY_MINUTES)
        return midnight + later * 60 - self.offset_s


FLAT = DayProgram()
