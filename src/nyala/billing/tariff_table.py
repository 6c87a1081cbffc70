"""One table of a tariff file, read key by key: every key is asked for once, with its type; what is left over is refused.

Every error is a `FileError` that names the file, the key (`version[2].period[1].price`, counted from 1) and what is wrong.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, NoReturn

from nyala.vocab.errors import FileError

TEXT_CHARS_MAX: Final = 400
"""A title, label or source is one line on a page."""
DECIMALS_MAX: Final = 6
"""No price or rate has more; a binary float that was written out has some fifteen."""
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,30})?")
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")


@dataclass(slots=True)
class Table:
    """What is left of a table; `at` is its key, empty for the file itself."""

    path: str
    at: str
    rows: dict[str, Any]

    def fail(self, key: str, what: str) -> NoReturn:
        """Raise the FileError of a key."""
        shown = key if key.isprintable() else repr(key)
        name = f"{self.at}.{shown}" if self.at else shown
        raise FileError(f"{name}: {what}", path=self.path)

    def close(self) -> None:
        """Refuse what nobody asked for."""
        for key in self.rows:
            self.fail(key, "unknown key")

    def has(self, key: str) -> bool:
        """Whether an optional key is there."""
        return key in self.rows

    def _take(self, key: str) -> Any:
        if key not in self.rows:
            self.fail(key, "is missing")
        return self.rows.pop(key)

    def text(self, key: str) -> str:
        """One line of text."""
        value = self._take(key)
        if not isinstance(value, str):
            self.fail(key, f"must be a text in quotes, not {_kind(value)}")
        if not value.strip() or not value.isprintable() or len(value) > TEXT_CHARS_MAX:
            self.fail(key, f"must be one line of 1 to {TEXT_CHARS_MAX} characters")
        return value

    def name(self, key: str) -> str:
        """A name that others refer to."""
        value = self.text(key)
        if not NAME.fullmatch(value):
            self.fail(key, f"must be 1 to 32 letters, digits, '.', '_' or '-': {value!r}")
        return value

    def names(self, key: str, most: int) -> tuple[str, ...]:
        """One to `most` different texts."""
        value = self._take(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fail(key, f"must be a list of names, not {_kind(value)}")
        if not 1 <= len(value) <= most or len(set(value)) != len(value):
            self.fail(key, f"must be 1 to {most} different names")
        return tuple(value)

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """One of a few words."""
        value = self.text(key)
        if value not in choices:
            self.fail(key, f"must be one of {', '.join(choices)}: {value!r}")
        return value

    def day(self, key: str) -> date:
        """A TOML local date, without quotes."""
        value = self._take(key)
        if type(value) is not date:
            self.fail(key, f"must be a date like 2022-07-01 without quotes, not {_kind(value)}")
        return value

    def minute(self, key: str) -> int:
        """A clock time "HH:MM", 00:00 to 24:00, as minutes of the day 0..1440."""
        value = self.text(key)
        if not _CLOCK.fullmatch(value):
            self.fail(key, f'must be a clock time "HH:MM": {value!r}')
        return int(value[:2]) * 60 + int(value[3:])

    def number(self, key: str, highest: Decimal) -> Decimal:
        """A decimal from 0 to `highest`: a text like "1444.70", or a TOML number that is exactly such."""
        value = self._take(key)
        if isinstance(value, str):
            if not _NUMBER.fullmatch(value):
                self.fail(key, f"is not a decimal number: {value!r}")
            value = Decimal(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            value = Decimal(value)
        if not isinstance(value, Decimal):
            self.fail(key, f"must be a decimal number, not {_kind(value)}")
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int):
            self.fail(key, f"must be a number: {value}")
        if value.is_signed():
            self.fail(key, f"must not be negative: {value}")
        if value > highest:
            self.fail(key, f"is above {highest}")
        if exponent < -DECIMALS_MAX:
            self.fail(key, f"has {-exponent} decimals; at most {DECIMALS_MAX} (is it a binary float?)")
        return Decimal(int(value)) if exponent > 0 else value

    def table(self, key: str) -> "Table":
        """A table inside this one."""
        value = self._take(key)
        if not isinstance(value, dict):
            self.fail(key, f"must be a table, not {_kind(value)}")
        return Table(self.path, f"{self.at}.{key}" if self.at else key, dict(value))

    def tables(self, key: str, most: int) -> list["Table"]:
        """One to `most` tables of a list."""
        value = self._take(key)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fail(key, f"must be a list of tables, not {_kind(value)}")
        if not 1 <= len(value) <= most:
            self.fail(key, f"{len(value)} tables; 1 to {most}")
        at = f"{self.at}.{key}" if self.at else key
        return [Table(self.path, f"{at}[{index}]", dict(item)) for index, item in enumerate(value, 1)]


def _kind(value: object) -> str:
    return "a number" if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else f"a {type(value).__name__}"
