"""The activity calendar, its special days, its activation and the billing dates."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.meter import calendar as rules
from nyala.meter.calendar import BillingSchedule, Calendar, Calendars, DateMask, DayProfile, Season, SpecialDay, WeekProfile
from nyala.meter.calendar_tables import calendar_named
from nyala.meter.tariff import switches_between
from nyala.vocab.errors import BadArgumentError, NotAllowedError
from nyala.vocab.time import DAY_S
from tests.unit.meter.calendars import WIB_S, at, calendars, masks

ESTATE, PLN = calendar_named("estate"), calendar_named("pln-wbp")
clocks = st.integers(at("2020-01-01 00:00"), at("2036-01-01 00:00"))


@pytest.mark.parametrize(
    ("local", "rate"),
    [
        ("2026-06-15 05:59", 3),  # Monday of the dry season
        ("2026-06-15 06:00", 1),
        ("2026-06-15 16:45", 1),
        ("2026-06-15 17:00", 2),
        ("2026-06-15 22:00", 3),
        ("2026-06-13 12:00", 4),  # Saturday
        ("2026-11-16 16:45", 2),  # Monday of the rainy season
        ("2026-11-16 22:15", 2),
        ("2026-08-17 18:00", 4),  # Independence Day, a Monday
        ("2027-01-01 18:00", 4),  # New Year, a Friday
        ("2026-12-31 18:00", 2),
        ("2026-03-31 16:45", 2),  # the last day of a rainy season that began in the year before
        ("2026-04-01 16:45", 1),
        ("2026-09-30 16:45", 1),
        ("2026-10-01 16:45", 2),
    ],
)
def test_season_week_and_special_day_give_the_rate(local, rate):
    assert ESTATE.rate_at(at(local)) == rate


def test_the_calendar_of_pln_is_the_day_program_of_pln():
    from tests.unit.meter.test_tariff import PEAK

    for clock_s in range(at("2026-01-01 00:00"), at("2026-01-08 00:00"), 900):
        assert (PLN.rate_at(clock_s), PLN.next_switch_s(clock_s)) == (PEAK.rate_at(clock_s), PEAK.next_switch_s(clock_s))


def plain_rate(calendar: Calendar, clock_s: int) -> int:
    """The rate by searching: day by day back to the season's start, minute by minute back to the switch."""
    day, minute = date(1970, 1, 1) + timedelta(seconds=(clock_s + calendar.offset_s) // 60 * 60), 0
    minute = (clock_s + calendar.offset_s) % DAY_S // 60
    for special in calendar.special_days:
        mask = special.dates
        wanted = (mask.year, mask.month, mask.day, mask.weekday)
        if all(
            want in {None, have} for want, have in zip(wanted, (day.year, day.month, day.day, day.isoweekday()), strict=True)
        ):
            number = special.day
            break
    else:
        start = day
        while not (found := [s for s in calendar.seasons if (s.month, s.day) == (start.month, start.day)]):
            start -= timedelta(days=1)
        number = {week.name: week for week in calendar.weeks}[found[0].week].days[day.weekday()]
    switches = dict({profile.number: profile for profile in calendar.days}[number].switches)
    while minute not in switches:
        minute -= 1
    return switches[minute]


@given(calendars(), clocks)
def test_the_rate_is_what_a_search_finds(calendar, clock_s):
    assert calendar.rate_at(clock_s) == plain_rate(calendar, clock_s)


@given(calendars(), clocks)
def test_the_rate_does_not_change_before_the_next_switch(calendar, clock_s):
    next_s = calendar.next_switch_s(clock_s)
    assert clock_s < next_s <= clock_s + DAY_S
    assert (next_s + calendar.offset_s) % 60 == 0
    for between in {(clock_s + next_s) // 2, next_s - 1}:
        assert calendar.rate_at(between) == calendar.rate_at(clock_s)


def test_of_two_special_days_the_lower_index_wins():
    special = (SpecialDay(1, DateMask(weekday=1), 1), SpecialDay(2, DateMask(2026, 8, 17), 2))
    assert replace(ESTATE, special_days=special).day_profile(date(2026, 8, 17)).number == 1
    special = (SpecialDay(1, DateMask(2026, 8, 17), 2), SpecialDay(2, DateMask(weekday=1), 1))
    assert replace(ESTATE, special_days=special).day_profile(date(2026, 8, 17)).number == 2


@given(masks, st.dates(date(2020, 1, 1), date(2035, 12, 31)))
def test_a_mask_matches_what_agrees_in_all_that_is_given(mask, day):
    assert mask.matches(day) == (
        (mask.year is None or mask.year == day.year)
        and (mask.month is None or mask.month == day.month)
        and (mask.day is None or mask.day == day.day)
        and (mask.weekday is None or mask.weekday == day.isoweekday())
    )


def test_a_season_from_29_february_begins_on_1_march_where_there_is_none():
    seasons = (Season("a", 1, 1, "dry"), Season("b", 2, 29, "rainy"))
    calendar = replace(ESTATE, seasons=seasons)
    assert calendar.day_profile(date(2027, 2, 26)).number == 1
    assert calendar.day_profile(date(2027, 3, 1)).number == 3
    assert calendar.day_profile(date(2028, 2, 29)).number == 3


# -- refusals

DAY, WEEK, SEASON = DayProfile(1, ((0, 1),)), WeekProfile("w", (1,) * 7), Season("s", 1, 1, "w")
SPECIAL = SpecialDay(1, DateMask(day=1), 1)


def made(days=(DAY,), weeks=(WEEK,), seasons=(SEASON,), special=(), name="c", offset_s=0):
    return Calendar(name, days, weeks, seasons, special, offset_s)


REFUSED = {
    "no name": lambda: made(name=""),
    "a long name": lambda: made(name="n" * (rules.NAME_OCTETS_MAX + 1)),
    "a long name in octets": lambda: made(name="é" * (rules.NAME_OCTETS_MAX // 2 + 1)),
    "a name that cannot be printed": lambda: made(name="a\n"),
    "half of a character": lambda: made(name="\ud800"),
    "no days": lambda: made(days=()),
    "too many days": lambda: made(days=tuple(DayProfile(i, ((0, 1),)) for i in range(rules.DAYS_MAX + 1))),
    "day 256": lambda: DayProfile(256, ((0, 1),)),
    "a day from minute 1": lambda: DayProfile(1, ((1, 1),)),
    "a day twice": lambda: made(days=(DAY, DAY)),
    "days not in order": lambda: made(days=(replace(DAY, number=2), DAY)),
    "no weeks": lambda: made(weeks=()),
    "too many weeks": lambda: made(weeks=(WEEK, *(replace(WEEK, name=f"{i}") for i in range(rules.WEEKS_MAX)))),
    "a week of six days": lambda: WeekProfile("w", (1,) * 6),
    "a week without a name": lambda: WeekProfile("", (1,) * 7),
    "a week twice": lambda: made(weeks=(WEEK, WEEK)),
    "a week of a day that is not there": lambda: made(weeks=(WeekProfile("w", (1, 1, 1, 1, 1, 1, 2)),)),
    "no seasons": lambda: made(seasons=()),
    "too many seasons": lambda: made(seasons=tuple(Season(f"{i}", 1, i + 1, "w") for i in range(rules.SEASONS_MAX + 1))),
    "seasons not in order": lambda: made(seasons=(Season("a", 3, 1, "w"), Season("b", 2, 1, "w"))),
    "a season twice": lambda: made(seasons=(SEASON, replace(SEASON, month=2))),
    "two seasons on a day": lambda: made(seasons=(SEASON, replace(SEASON, name="t"))),
    "a season of a week that is not there": lambda: made(seasons=(Season("s", 1, 1, "x"),)),
    "a season in month 13": lambda: Season("s", 13, 1, "w"),
    "a season on 30 February": lambda: Season("s", 2, 30, "w"),
    "a season without a name": lambda: Season("", 1, 1, "w"),
    "too many special days": lambda: made(special=tuple(replace(SPECIAL, index=i) for i in range(rules.SPECIAL_DAYS_MAX + 1))),
    "special days not in order": lambda: made(special=(replace(SPECIAL, index=2), SPECIAL)),
    "a special day of a profile that is not there": lambda: made(special=(replace(SPECIAL, day=9),)),
    "a special index of three bytes": lambda: SpecialDay(0x10000, DateMask(day=1), 1),
    "every day special": lambda: SpecialDay(1, DateMask(), 1),
    "year 1999": lambda: DateMask(1999),
    "month 0": lambda: DateMask(month=0),
    "day 32": lambda: DateMask(day=32),
    "31 April": lambda: DateMask(month=4, day=31),
    "29 February 2027": lambda: DateMask(2027, 2, 29),
    "weekday 0": lambda: DateMask(weekday=0),
    "an offset of seconds": lambda: made(offset_s=30),
    "an offset beyond the earth": lambda: made(offset_s=15 * 3600),
    "an activation without a calendar": lambda: Calendars(made(), None, 0),
    "billing day 29": lambda: BillingSchedule(29),
    "billing day -1": lambda: BillingSchedule(-1),
    "billing hour 24": lambda: BillingSchedule(1, 24),
    "billing offset of seconds": lambda: BillingSchedule(1, 0, 1),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_what_breaks_a_rule_is_refused(make):
    with pytest.raises(BadArgumentError):
        make()


def test_what_the_refusals_begin_from_is_a_calendar():
    assert made(special=(SPECIAL,)).rate_at(0) == 1


# -- active and passive


@given(calendars(), calendars(), clocks, st.integers(-3 * DAY_S, 3 * DAY_S))
def test_the_passive_calendar_takes_over_at_its_time(active, passive, activate_s, around_s):
    both, clock_s = Calendars(active, passive, activate_s), activate_s + around_s
    one = passive if clock_s >= activate_s else active
    assert both.rate_at(clock_s) == one.rate_at(clock_s)
    after, activated = both.at(clock_s)
    assert (after, activated) == ((Calendars(passive), True) if clock_s >= activate_s else (both, False))
    next_s = both.next_switch_s(clock_s)
    assert clock_s < next_s <= one.next_switch_s(clock_s)
    assert next_s <= activate_s or clock_s >= activate_s


def test_a_passive_calendar_without_a_time_waits_for_the_command():
    both = Calendars(PLN).with_passive(ESTATE)
    assert both.at(at("2099-01-01 00:00")) == (both, False)
    assert both.activated() == Calendars(ESTATE)


def test_activating_without_a_passive_calendar_is_refused():
    with pytest.raises(NotAllowedError):
        Calendars(PLN).activated()


def test_a_clock_set_back_does_not_undo_an_activation():
    after, _ = Calendars(PLN, ESTATE, at("2026-06-15 00:00")).at(at("2026-06-15 00:00"))
    assert after.at(at("2026-06-14 00:00")) == (after, False)


# -- power cuts

CUTS = {
    "over a switch": ("2026-06-15 16:59", "2026-06-15 17:01"),
    "over a midnight and a holiday": ("2026-08-16 20:00", "2026-08-18 07:00"),
    "over several days": ("2026-06-15 16:59", "2026-06-23 03:00"),
    "over a season": ("2026-09-29 12:00", "2026-10-02 16:45"),
    "over a billing date": ("2026-06-30 12:00", "2026-07-02 06:30"),
    "over an activation": ("2026-12-31 23:00", "2027-01-04 18:00"),
}


@pytest.mark.parametrize(("fell", "returned"), CUTS.values(), ids=CUTS)
def test_after_a_power_cut_the_rate_is_as_if_there_had_been_none(fell, returned):
    both = Calendars(PLN, ESTATE, at("2027-01-01 00:00"))
    fell_s, returned_s = at(fell), at(returned)
    walked, clock_s = both, fell_s
    while (clock_s := walked.next_switch_s(clock_s)) <= returned_s:
        walked, _ = walked.at(clock_s)  # the meter that was on the whole time stops everywhere
    slept, _ = both.at(returned_s)  # the other wakes once
    assert slept == walked
    assert slept.rate_at(returned_s) == walked.rate_at(returned_s)
    missed = switches_between(both, fell_s, returned_s)
    assert missed
    assert missed[-1][1] == slept.rate_at(returned_s)


def test_a_cut_over_an_activation_names_the_switches_of_both_calendars():
    both = Calendars(PLN, ESTATE, at("2026-06-15 12:00"))
    assert switches_between(both, at("2026-06-14 16:00"), at("2026-06-15 18:00")) == (
        (at("2026-06-14 17:00"), 2),
        (at("2026-06-14 22:00"), 1),
        (at("2026-06-15 17:00"), 2),
    )


# -- billing dates

schedules = st.builds(BillingSchedule, st.integers(0, 28), st.integers(0, 23), st.sampled_from([0, WIB_S, -5 * 3600, 9 * 3600]))


@pytest.mark.parametrize(
    ("schedule", "clock", "due"),
    [
        (BillingSchedule(1, 0, WIB_S), "2026-06-30 23:59", "2026-07-01 00:00"),
        (BillingSchedule(1, 0, WIB_S), "2026-07-01 00:00", "2026-08-01 00:00"),
        (BillingSchedule(20, 10, WIB_S), "2026-12-20 10:00", "2027-01-20 10:00"),
        (BillingSchedule(rules.LAST_DAY, 22, WIB_S), "2027-02-01 00:00", "2027-02-28 22:00"),
        (BillingSchedule(rules.LAST_DAY, 22, WIB_S), "2028-02-28 22:00", "2028-02-29 22:00"),
        (BillingSchedule(rules.LAST_DAY, 0, WIB_S), "2026-12-31 00:00", "2027-01-31 00:00"),
    ],
)
def test_the_next_billing_date_is_the_first_after_an_instant_in_local_time(schedule, clock, due):
    assert schedule.next_s(at(clock)) == at(due)


@given(schedules, clocks, st.integers(0, 400 * DAY_S))
def test_the_billing_dates_passed_are_those_that_one_would_have_stopped_at(schedule, after_s, length_s):
    stops, clock_s = [], after_s
    while (clock_s := schedule.next_s(clock_s)) <= after_s + length_s:
        stops.append(clock_s)
    assert schedule.passed(after_s, after_s + length_s) == tuple(stops)


def test_of_more_billing_dates_than_are_kept_the_newest_are_given():
    schedule = BillingSchedule(1, 0, WIB_S)
    found = schedule.passed(at("2020-01-15 00:00"), at("2026-06-15 00:00"))
    assert len(found) == rules.PERIODS_KEPT
    assert (found[0], found[-1]) == (at("2025-04-01 00:00"), at("2026-06-01 00:00"))


def test_a_clock_that_went_back_passed_no_billing_date():
    assert BillingSchedule().passed(at("2026-07-15 00:00"), at("2026-06-15 00:00")) == ()
