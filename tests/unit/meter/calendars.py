"""Calendars that tests draw, and instants that they name."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from nyala.meter.calendar import Calendar, DateMask, DayProfile, Season, SpecialDay, WeekProfile
from nyala.vocab.errors import BadArgumentError
from tests.unit.meter.test_tariff import programs

WIB_S = 7 * 3600
names = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)
month_days = st.tuples(st.integers(1, 12), st.integers(1, 28))


def at(text: str, offset_s: int = WIB_S) -> int:
    """`2026-08-17 17:00` local time as an instant."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) - offset_s


def drawable(year: int | None, month: int | None, day: int | None, weekday: int | None) -> bool:
    try:
        return not DateMask(year, month, day, weekday).open
    except BadArgumentError:
        return False


masks = (
    st.tuples(
        st.none() | st.integers(2020, 2035),
        st.none() | st.integers(1, 12),
        st.none() | st.integers(1, 31),
        st.none() | st.integers(1, 7),
    )
    .filter(lambda row: drawable(*row))
    .map(lambda row: DateMask(*row))
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    numbers = sorted(draw(st.sets(st.integers(0, 255), min_size=1, max_size=4)))
    days = tuple(DayProfile(number, draw(programs()).switches) for number in numbers)
    number = st.sampled_from(numbers)
    week_names = draw(st.lists(names, unique=True, min_size=1, max_size=3))
    weeks = tuple(WeekProfile(name, tuple(draw(st.lists(number, min_size=7, max_size=7)))) for name in week_names)
    starts = sorted(draw(st.sets(month_days, min_size=1, max_size=4)))
    seasons = tuple(Season(f"s{i}", *start, draw(st.sampled_from(week_names))) for i, start in enumerate(starts))
    indices = sorted(draw(st.sets(st.integers(0, 0xFFFF), max_size=4)))
    special = tuple(SpecialDay(index, draw(masks), draw(number)) for index in indices)
    return Calendar(draw(names), days, weeks, seasons, special, draw(st.integers(-12 * 60, 14 * 60)) * 60)
