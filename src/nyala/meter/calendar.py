"""The activity calendar: seasons, weeks, day profiles and special days, active and passive; and the billing dates.

After the DLMS classes 20 (activity calendar) and 11 (special days), IEC 62056-6-2.  The special days belong to a calendar
here and not beside it, so that a new calendar takes over with its holidays in one instant; the DLMS view shows them as the
class 11 object.  Everything is a function of the clock: what happened in a power cut needs no memory.  Bytes and tables
are in `calendar_codec.py`; nothing here knows registers or bills.

    season   (month, day) of every year from which a week profile holds; before the year's first, the year's last holds
    week     Monday..Sunday -> day profile
    special  a date with wildcards -> day profile; the lowest index that matches wins over the week
"""

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from nyala.meter.tariff import Switches, check_switches, minute_after, rate_at_minute
from nyala.vocab.errors import BadArgumentError, NotAllowedError
from nyala.vocab.time import DAY_S, HOUR_S

NAME_OCTETS_MAX: Final = 16
"""Octets of a name in UTF-8: they are kept in the meter and go over the air."""
DAYS_MAX: Final = 32
WEEKS_MAX: Final = 12
SEASONS_MAX: Final = 12
"""A season a month at most; a week profile for each."""
SPECIAL_DAYS_MAX: Final = 100
"""Three years of public holidays and common leave as Indonesia announces them (about 27 a year)."""
OFFSET_MAX_S: Final = 14 * HOUR_S
"""Largest difference of local time and UTC on earth."""
YEARS: Final = (2000, 2099)
PERIODS_KEPT: Final = 15
"""Billing periods that the meter keeps, and so the most that a catch-up gives."""
LAST_DAY: Final = 0
"""`BillingSchedule.day` for the last day of each month."""
_EPOCH: Final = date(1970, 1, 1).toordinal()


def local_date(clock_s: int, offset_s: int) -> date:
    """The local date at an instant of the meter's clock."""
    return date.fromordinal(_EPOCH + (clock_s + offset_s) // DAY_S)


def midnight_s(day: date, offset_s: int) -> int:
    """The instant at which a local date begins."""
    return (day.toordinal() - _EPOCH) * DAY_S - offset_s


def check_offset(offset_s: int) -> None:
    """BadArgumentError unless an offset is whole minutes that a zone can have (DLMS class 8 `time_zone`)."""
    if abs(offset_s) > OFFSET_MAX_S or offset_s % 60:
        raise BadArgumentError(f"offset from UTC {offset_s} s: whole minutes within {OFFSET_MAX_S} s")


def _check_name(kind: str, name: str) -> None:
    if not name or not name.isprintable() or len(name.encode()) > NAME_OCTETS_MAX:
        raise BadArgumentError(f"{kind} name {name!r}: 1..{NAME_OCTETS_MAX} octets that can be printed")


@dataclass(frozen=True, slots=True)
class DateMask:
    """A date with wildcards (None).  `weekday` is 1 Monday .. 7 Sunday.  All four must agree."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None

    def __post_init__(self) -> None:
        if self.year is not None and not YEARS[0] <= self.year <= YEARS[1]:
            raise BadArgumentError(f"year {self.year}: {YEARS[0]}..{YEARS[1]}")
        if self.month is not None and not 1 <= self.month <= 12:
            raise BadArgumentError(f"month {self.month}: 1..12")
        if self.weekday is not None and not 1 <= self.weekday <= 7:
            raise BadArgumentError(f"weekday {self.weekday}: 1 Monday .. 7 Sunday")
        # A leap year stands for a year that is open, a month of 31 days for a month that is open.
        longest = monthrange(self.year if self.year is not None else 2000, self.month if self.month is not None else 1)[1]
        if self.day is not None and not 1 <= self.day <= longest:
            raise BadArgumentError(f"day {self.day} of month {self.month or '*'} of year {self.year or '*'}: there is none")

    @property
    def open(self) -> bool:
        """Whether it is any day."""
        return self.year is self.month is self.day is self.weekday is None

    def matches(self, day: date) -> bool:
        """Whether a local date is one of those meant."""
        return (
            self.year in {None, day.year}
            and self.month in {None, day.month}
            and self.day in {None, day.day}
            and self.weekday in {None, day.isoweekday()}
        )


@dataclass(frozen=True, slots=True)
class DayProfile:
    """Rates over one local day, as `tariff.check_switches` wants them.  `number` is the DLMS day id, 0..255."""

    number: int
    switches: Switches

    def __post_init__(self) -> None:
        if not 0 <= self.number <= 255:
            raise BadArgumentError(f"day profile {self.number}: 0..255")
        check_switches(self.switches)


@dataclass(frozen=True, slots=True)
class WeekProfile:
    """The day profiles of Monday to Sunday, by number."""

    name: str
    days: tuple[int, ...]

    def __post_init__(self) -> None:
        _check_name("week profile", self.name)
        if len(self.days) != 7:
            raise BadArgumentError(f"week profile {self.name}: {len(self.days)} days; 7")


@dataclass(frozen=True, slots=True)
class Season:
    """From this month and day of every year a week profile holds.  29 February stands for 1 March where there is none."""

    name: str
    month: int
    day: int
    week: str

    def __post_init__(self) -> None:
        _check_name("season", self.name)
        if not 1 <= self.month <= 12 or not 1 <= self.day <= monthrange(2000, self.month)[1]:
            raise BadArgumentError(f"season {self.name} begins on month {self.month} day {self.day}: there is none")


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A row of class 11: on these dates another day profile."""

    index: int
    dates: DateMask
    day: int

    def __post_init__(self) -> None:
        if not 0 <= self.index <= 0xFFFF:
            raise BadArgumentError(f"special day index {self.index}: 0..65535")
        if self.dates.open:
            raise BadArgumentError(f"special day {self.index} is every day: that is a week profile")


@dataclass(frozen=True, slots=True)
class Calendar:
    """One calendar, whole in itself.  Days rise by number, seasons by date, special days by index: one order, one image."""

    name: str
    days: tuple[DayProfile, ...]
    weeks: tuple[WeekProfile, ...]
    seasons: tuple[Season, ...]
    special_days: tuple[SpecialDay, ...] = ()
    offset_s: int = 0

    def __post_init__(self) -> None:
        _check_name("calendar", self.name)
        check_offset(self.offset_s)
        for kind, rows, limit in (
            ("day profiles", self.days, DAYS_MAX),
            ("week profiles", self.weeks, WEEKS_MAX),
            ("seasons", self.seasons, SEASONS_MAX),
        ):
            if not 1 <= len(rows) <= limit:
                raise BadArgumentError(f"{len(rows)} {kind}: 1..{limit}")
        if len(self.special_days) > SPECIAL_DAYS_MAX:
            raise BadArgumentError(f"{len(self.special_days)} special days; at most {SPECIAL_DAYS_MAX}")
        self._check_order()
        self._check_references()

    def _check_order(self) -> None:
        for kind, keys in (
            ("day profiles by number", [day.number for day in self.days]),
            ("seasons by date", [(season.month, season.day) for season in self.seasons]),
            ("special days by index", [special.index for special in self.special_days]),
        ):
            if keys != sorted(set(keys)):  # type: ignore[type-var]
                raise BadArgumentError(f"{kind} must rise, each once: {keys}")
        for kind, names in (
            ("week profile", [week.name for week in self.weeks]),
            ("season", [season.name for season in self.seasons]),
        ):
            if len(names) != len(set(names)):
                raise BadArgumentError(f"a {kind} name stands twice: {names}")

    def _check_references(self) -> None:
        numbers, weeks = {day.number for day in self.days}, {week.name for week in self.weeks}
        for number in (*(n for week in self.weeks for n in week.days), *(special.day for special in self.special_days)):
            if number not in numbers:
                raise BadArgumentError(f"day profile {number} is named but not there")
        for season in self.seasons:
            if season.week not in weeks:
                raise BadArgumentError(f"season {season.name}: there is no week profile {season.week}")

    def day_profile(self, day: date) -> DayProfile:
        """The profile of a local date."""
        number = next((special.day for special in self.special_days if special.dates.matches(day)), None)
        if number is None:
            begun = [season for season in self.seasons if (season.month, season.day) <= (day.month, day.day)]
            name = (begun or self.seasons)[-1].week
            number = next(week for week in self.weeks if week.name == name).days[day.weekday()]
        return next(profile for profile in self.days if profile.number == number)

    def rate_at(self, clock_s: int) -> int:
        """The rate (1..8) at an instant of the meter's clock."""
        switches = self.day_profile(local_date(clock_s, self.offset_s)).switches
        return rate_at_minute(switches, (clock_s + self.offset_s) % DAY_S // 60)

    def next_switch_s(self, clock_s: int) -> int:
        """The next instant at which anything may change: a switch of the day, or the local midnight."""
        day = local_date(clock_s, self.offset_s)
        minute = minute_after(self.day_profile(day).switches, (clock_s + self.offset_s) % DAY_S // 60)
        return midnight_s(day, self.offset_s) + minute * 60


@dataclass(frozen=True, slots=True)
class Calendars:
    """Active and passive calendar.  `activate_s` (clock, UTC seconds) is when the passive one takes over; None: on command."""

    active: Calendar
    passive: Calendar | None = None
    activate_s: int | None = None

    def __post_init__(self) -> None:
        if self.activate_s is not None and self.passive is None:
            raise BadArgumentError("an activation time without a passive calendar")

    def at(self, clock_s: int) -> tuple["Calendars", bool]:
        """The calendars at an instant, and whether the passive one took over.  A clock set back does not undo it."""
        if self.activate_s is None or clock_s < self.activate_s:
            return self, False
        return self.activated(), True

    def activated(self) -> "Calendars":
        """The passive calendar active now (class 20 method 1); NotAllowedError if there is none."""
        if self.passive is None:
            raise NotAllowedError("there is no passive calendar to activate")
        return Calendars(self.passive)

    def with_passive(self, passive: Calendar, activate_s: int | None = None) -> "Calendars":
        """The same with another passive calendar and its time."""
        return replace(self, passive=passive, activate_s=activate_s)

    def rate_at(self, clock_s: int) -> int:
        """The rate (1..8) at an instant, also beyond the activation."""
        return self.at(clock_s)[0].active.rate_at(clock_s)

    def next_switch_s(self, clock_s: int) -> int:
        """The next instant at which anything may change: a switch, the local midnight or the activation."""
        then, _ = self.at(clock_s)
        switch_s = then.active.next_switch_s(clock_s)
        return switch_s if then.activate_s is None else min(switch_s, then.activate_s)


@dataclass(frozen=True, slots=True)
class BillingSchedule:
    """When a billing period ends: a day of each month (1..28 or `LAST_DAY`) at an hour, local time."""

    day: int = 1
    hour: int = 0
    offset_s: int = 0

    def __post_init__(self) -> None:
        if self.day != LAST_DAY and not 1 <= self.day <= 28:
            raise BadArgumentError(f"billing day {self.day}: 1..28, or {LAST_DAY} for the last of the month")
        if not 0 <= self.hour <= 23:
            raise BadArgumentError(f"billing hour {self.hour}: 0..23")
        check_offset(self.offset_s)

    def of_month(self, year: int, month: int) -> int:
        """The instant in a local month, UTC seconds."""
        day = self.day if self.day != LAST_DAY else monthrange(year, month)[1]
        return midnight_s(date(year, month, day), self.offset_s) + self.hour * HOUR_S

    def next_s(self, clock_s: int) -> int:
        """The first billing instant after an instant."""
        today = local_date(clock_s, self.offset_s)
        here = self.of_month(today.year, today.month)
        return here if here > clock_s else self.of_month(today.year + today.month // 12, today.month % 12 + 1)

    def passed(self, after_s: int, until_s: int) -> tuple[int, ...]:
        """The billing instants in (after_s, until_s], rising; the newest `PERIODS_KEPT` when there were more."""
        today = local_date(until_s, self.offset_s)
        year, month = today.year, today.month
        found: list[int] = []
        while len(found) < PERIODS_KEPT and (instant_s := self.of_month(year, month)) > after_s:
            if instant_s <= until_s:
                found.append(instant_s)
            year, month = (year, month - 1) if month > 1 else (year - 1, 12)
        return tuple(reversed(found))
