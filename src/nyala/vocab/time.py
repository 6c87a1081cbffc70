"""Instants, intervals and days as integers.  No clock is read here.

An instant is UTC: int seconds (`_s`) or microseconds (`_us`) since 1970-01-01, without leap seconds (POSIX).  An
interval is named by its start; interval `i` of a period is [i * period, (i + 1) * period).  A day is a UTC day number.
Local time appears only where a site's IANA zone is applied: `local_midnights`, tariff calendars, bills, screens.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nyala.vocab.errors import BadArgumentError, UnknownError

DAY_S = 86_400
HOUR_S = 3_600
US_PER_S = 1_000_000
NS_PER_S = 1_000_000_000

GPS_EPOCH_S = 315_964_800
"""1980-01-06T00:00:00Z as POSIX seconds."""
GPS_LEAP_S = 18
"""GPS minus UTC since 2017-01-01; IERS bulletin C has announced no later leap second (checked up to 2025-07)."""


def day_of(instant_s: int) -> int:
    """The UTC day number (1970-01-01 is 0) that holds an instant in seconds."""
    return instant_s // DAY_S


def day_text(day: int) -> str:
    """A UTC day number as `YYYY-MM-DD`."""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def day_from_text(text: str) -> int:
    """`YYYY-MM-DD` as a UTC day number; BadArgumentError otherwise."""
    try:
        read = date.fromisoformat(text)
    except ValueError as error:
        raise BadArgumentError(f"not a date YYYY-MM-DD: {text!r}") from error
    if read.isoformat() != text:
        raise BadArgumentError(f"not a date YYYY-MM-DD: {text!r}")
    return (read - date(1970, 1, 1)).days


def iso(instant_s: float) -> str:
    """An instant in seconds as `YYYY-MM-DDTHH:MM:SSZ` (fractions are cut)."""
    return datetime.fromtimestamp(int(instant_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant_from_text(text: str) -> int:
    """An ISO 8601 instant with a zone as seconds; BadArgumentError for another text or one without a zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadArgumentError(f"not an ISO 8601 instant: {text!r}") from error
    if moment.tzinfo is None:
        raise BadArgumentError(f"instant without a zone: {text!r} (end it with Z or +07:00)")
    return int(moment.timestamp())


def gps_from_utc_us(instant_us: int) -> int:
    """Microseconds since the GPS epoch (LoRaWAN DeviceTimeAns, TS003) for a UTC instant in microseconds."""
    return instant_us - (GPS_EPOCH_S - GPS_LEAP_S) * US_PER_S


def utc_from_gps_us(gps_us: int) -> int:
    """The inverse of `gps_from_utc_us`."""
    return gps_us + (GPS_EPOCH_S - GPS_LEAP_S) * US_PER_S


def zone(name: str) -> ZoneInfo:
    """An IANA zone by name; UnknownError for a name that is not in the tz database."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownError("time zone", name) from error


def local_month(month: str, tz: ZoneInfo) -> tuple[int, int]:
    """The instants [start, end) in seconds of a local calendar month `YYYY-MM`; BadArgumentError for another text."""
    try:
        first = datetime.fromisoformat(f"{month}-01").replace(tzinfo=tz)
        following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    except ValueError as error:
        raise BadArgumentError(f"not a month YYYY-MM: {month!r}") from error
    if f"{first:%Y-%m}" != month:
        raise BadArgumentError(f"not a month YYYY-MM: {month!r}")
    return int(first.timestamp()), int(following.timestamp())
