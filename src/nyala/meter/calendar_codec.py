"""A calendar as compact bytes, for memory and telegrams.  No rule of a calendar is here.

    byte    version 1
    int16   minutes of local time minus UTC
    text    name (a text is its count of octets and UTF-8)
    list    day profiles: number, list of switches; a switch is a word, minute << 4 | rate
    list    weeks: name, seven day numbers, Monday first
    list    seasons: name, month, day, position of the week
    list    special days: index word, year word (FFFF any), month, day, weekday (FF any), day number

A list is its count (one byte) and its rows; words are big-endian.  What decodes, encodes to the same bytes.
"""

import struct
from collections.abc import Callable
from typing import Final, TypeVar

from nyala.meter.calendar import Calendar, DateMask, DayProfile, Season, SpecialDay, WeekProfile
from nyala.vocab.errors import BadArgumentError, TelegramError

VERSION: Final = 1
_ANY_YEAR, _ANY = 0xFFFF, 0xFF
Row = TypeVar("Row")


def encode_calendar(calendar: Calendar) -> bytes:
    """A calendar as bytes."""
    out = bytearray(struct.pack(">Bh", VERSION, calendar.offset_s // 60) + _text(calendar.name))
    out.append(len(calendar.days))
    for day in calendar.days:
        out += bytes((day.number, len(day.switches)))
        for minute, rate in day.switches:
            out += struct.pack(">H", minute << 4 | rate)
    out.append(len(calendar.weeks))
    for week in calendar.weeks:
        out += _text(week.name) + bytes(week.days)
    names = [week.name for week in calendar.weeks]
    out.append(len(calendar.seasons))
    for season in calendar.seasons:
        out += _text(season.name) + bytes((season.month, season.day, names.index(season.week)))
    out.append(len(calendar.special_days))
    for special in calendar.special_days:
        dates = special.dates
        small = (_ANY if value is None else value for value in (dates.month, dates.day, dates.weekday))
        year = _ANY_YEAR if dates.year is None else dates.year
        out += struct.pack(">HHBBBB", special.index, year, *small, special.day)
    return bytes(out)


def _text(text: str) -> bytes:
    octets = text.encode()
    return bytes((len(octets),)) + octets


class _Reader:
    """Bytes, taken from the front.  TelegramError where they end too soon."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise TelegramError(f"calendar of {len(self.data)} bytes ends within a field at byte {self.at}")
        self.at += count
        return self.data[self.at - count : self.at]

    def numbers(self, form: str) -> tuple[int, ...]:
        return struct.unpack(form, self.take(struct.calcsize(form)))

    def text(self) -> str:
        return self.take(self.take(1)[0]).decode()

    def rows(self, read: Callable[[], Row]) -> tuple[Row, ...]:
        return tuple(read() for _ in range(self.take(1)[0]))


def decode_calendar(data: bytes) -> Calendar:
    """The calendar in these bytes, all of them; TelegramError for bytes that are none."""
    reader = _Reader(data)
    try:
        version, offset_min = reader.numbers(">Bh")
        if version != VERSION:
            raise TelegramError(f"calendar of version {version}; {VERSION} is known")
        calendar = _read(reader, offset_min)
    except (BadArgumentError, UnicodeDecodeError) as error:
        raise TelegramError(f"not a calendar: {error}") from error
    if reader.at != len(data):
        raise TelegramError(f"{len(data) - reader.at} bytes after the calendar")
    return calendar


def _read(reader: _Reader, offset_min: int) -> Calendar:
    def switch() -> tuple[int, int]:
        (word,) = reader.numbers(">H")
        return word >> 4, word & 15

    def day() -> DayProfile:
        (number,) = reader.numbers("B")
        return DayProfile(number, reader.rows(switch))

    def season() -> Season:
        name = reader.text()
        month, first, place = reader.numbers("BBB")
        if place >= len(weeks):
            raise TelegramError(f"season {name} has week {place} of {len(weeks)}")
        return Season(name, month, first, weeks[place].name)

    def special() -> SpecialDay:
        index, year, *small, number = reader.numbers(">HHBBBB")
        return SpecialDay(
            index, DateMask(None if year == _ANY_YEAR else year, *(None if value == _ANY else value for value in small)), number
        )

    name = reader.text()
    days = reader.rows(day)
    weeks = reader.rows(lambda: WeekProfile(reader.text(), tuple(reader.take(7))))
    return Calendar(name, days, weeks, reader.rows(season), reader.rows(special), offset_min * 60)
