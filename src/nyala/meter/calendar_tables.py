"""A calendar as a table (TOML, JSON), both ways, and the calendars that come with the program.  No rule is here."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from nyala.meter.calendar import Calendar, DateMask, DayProfile, Season, SpecialDay, WeekProfile
from nyala.meter.fields import integer, minute, numeral, offset, offset_text, require, rows, table, text
from nyala.vocab.errors import BadArgumentError, UnknownError

CALENDARS: Final = ("estate", "flat", "pln-wbp", "pln-wbp-18", "pln-wbp-wita", "pln-wbp-wit")
"""The files of `calendars/`."""
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DATE: Final = re.compile(rf"(\d{{4}}|\*)-(\d{{2}}|\*)-(\d{{2}}|\*)(?: ({'|'.join(WEEKDAYS)}))?", re.ASCII)
_MONTH_DAY: Final = re.compile(r"(\d{2})-(\d{2})", re.ASCII)


@cache
def calendar_named(name: str) -> Calendar:
    """A calendar that comes with the program; UnknownError for another name."""
    if name not in CALENDARS:
        raise UnknownError("calendar", name)
    file = files("nyala.meter").joinpath("calendars", f"{name.replace('-', '_')}.toml")
    return calendar_of_table(tomllib.loads(file.read_text(encoding="utf-8")))


def calendar_of_table(read: Mapping[str, Any]) -> Calendar:
    """A calendar from a table (form: `calendars/estate.toml`, rows in any order); BadArgumentError says what is wrong."""
    require("calendar", read, {"name", "offset", "days", "weeks", "seasons"}, frozenset({"special_days"}))
    days = [_day(number, day) for number, day in table("days", read["days"]).items()]
    seasons = [_season(row) for row in rows("seasons", read["seasons"])]
    special = [_special(row) for row in rows("special_days", read.get("special_days", []))]
    return Calendar(
        text("name", read["name"]),
        tuple(sorted(days, key=lambda day: day.number)),
        tuple(_week(name, week) for name, week in table("weeks", read["weeks"]).items()),
        tuple(sorted(seasons, key=lambda season: (season.month, season.day))),
        tuple(sorted(special, key=lambda row: row.index)),
        offset("offset", read["offset"]),
    )


def table_of_calendar(calendar: Calendar) -> dict[str, Any]:
    """The table of a calendar: what `calendar_of_table` reads back."""
    return {
        "name": calendar.name,
        "offset": offset_text(calendar.offset_s),
        "days": {str(day.number): {f"{m // 60:02}:{m % 60:02}": rate for m, rate in day.switches} for day in calendar.days},
        "weeks": {week.name: list(week.days) for week in calendar.weeks},
        "seasons": [{"name": s.name, "start": f"{s.month:02}-{s.day:02}", "week": s.week} for s in calendar.seasons],
        "special_days": [{"index": s.index, "date": text_of_dates(s.dates), "day": s.day} for s in calendar.special_days],
    }


def dates_of_text(value: str) -> DateMask:
    """`2027-03-20`, `*-08-17`, `*-*-* fri`: a date with wildcards; BadArgumentError for another text."""
    if not (found := _DATE.fullmatch(value)):
        raise BadArgumentError(f"not a date YYYY-MM-DD with * for any: {value!r}")
    *parts, weekday = found.groups()
    year, month, day = (None if part == "*" else int(part) for part in parts)
    return DateMask(year, month, day, WEEKDAYS.index(weekday) + 1 if weekday else None)


def text_of_dates(dates: DateMask) -> str:
    """The inverse of `dates_of_text`."""
    parts = ((dates.year, 4), (dates.month, 2), (dates.day, 2))
    found = "-".join("*" if value is None else f"{value:0{width}}" for value, width in parts)
    return f"{found} {WEEKDAYS[dates.weekday - 1]}" if dates.weekday else found


def _day(number: str, read: object) -> DayProfile:
    name = f"days.{number}"
    switches = ((minute(name, time), integer(name, rate)) for time, rate in table(name, read).items())
    return DayProfile(numeral("days", number), tuple(sorted(switches)))


def _week(name: str, read: object) -> WeekProfile:
    return WeekProfile(name, tuple(integer(f"weeks.{name}", number) for number in rows(f"weeks.{name}", read)))


def _season(read: object) -> Season:
    row = table("season", read)
    require("season", row, {"name", "start", "week"})
    start = text("season start", row["start"])
    if not (found := _MONTH_DAY.fullmatch(start)):
        raise BadArgumentError(f"season start: not a month and day MM-DD: {start!r}")
    return Season(text("season name", row["name"]), int(found[1]), int(found[2]), text("season week", row["week"]))


def _special(read: object) -> SpecialDay:
    row = table("special day", read)
    require("special day", row, {"index", "date", "day"})
    dates = dates_of_text(text("special day date", row["date"]))
    return SpecialDay(integer("special day index", row["index"]), dates, integer("special day profile", row["day"]))
