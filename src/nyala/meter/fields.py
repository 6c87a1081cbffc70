"""Fields of a table that somebody wrote (TOML, JSON), each with its type.  BadArgumentError says which field is wrong."""

import re
from collections.abc import Mapping
from typing import Any, Final

from nyala.vocab.errors import BadArgumentError

_OFFSET: Final = re.compile(r"([+-])(\d{2}):([0-5]\d)", re.ASCII)
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)


def require(kind: str, read: Mapping[str, Any], needed: set[str], more: frozenset[str] = frozenset()) -> None:
    """All of `needed` and nothing but `needed` and `more`."""
    if missing := needed - read.keys():
        raise BadArgumentError(f"{kind} without {', '.join(sorted(missing))}")
    if unknown := read.keys() - needed - more:
        raise BadArgumentError(f"{kind} with unknown {', '.join(sorted(unknown))}")


def table(name: str, value: object) -> Mapping[str, Any]:
    """A table."""
    if not isinstance(value, Mapping):
        raise BadArgumentError(f"{name}: not a table: {value!r}")
    return value


def rows(name: str, value: object) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise BadArgumentError(f"{name}: not a list: {value!r}")
    return value


def text(name: str, value: object) -> str:
    """A text."""
    if not isinstance(value, str):
        raise BadArgumentError(f"{name}: not a text: {value!r}")
    return value


def integer(name: str, value: object) -> int:
    """A whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadArgumentError(f"{name}: not a whole number: {value!r}")
    return value


def truth(name: str, value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise BadArgumentError(f"{name}: neither true nor false: {value!r}")
    return value


def numeral(name: str, value: str) -> int:
    """A key that is a number: TOML and JSON know only texts as keys."""
    if not (value.isascii() and value.isdecimal() and len(value) <= 9):
        raise BadArgumentError(f"{name}: not a number: {value!r}")
    return int(value)


def minute(name: str, value: object) -> int:
    """`17:00` as a minute of the day; `24:00` is 1440, its end."""
    if not (found := _TIME.fullmatch(text(name, value))):
        raise BadArgumentError(f"{name}: not a time HH:MM: {value!r}")
    return int(found[1]) * 60 + int(found[2]) if found[1] else 1440


def offset(name: str, value: object) -> int:
    """`+07:00` as seconds."""
    if not (found := _OFFSET.fullmatch(text(name, value))):
        raise BadArgumentError(f"{name}: not an offset +HH:MM: {value!r}")
    sign, hours, minutes = found.groups()
    return int(f"{sign}1") * (int(hours) * 3600 + int(minutes) * 60)


def offset_text(offset_s: int) -> str:
    """The inverse of `offset`."""
    hours, minutes = divmod(abs(offset_s) // 60, 60)
    return f"{'-' if offset_s < 0 else '+'}{hours:02}:{minutes:02}"
