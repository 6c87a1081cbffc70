"""Verification of a store: every load day against its own registers, its neighbours' and its history (laws 1 and 4)."""

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, Engine, select

from nyala.mdm.load_day import LoadDay, from_row
from nyala.store import rows, schema
from nyala.vocab.errors import ForeignError
from nyala.vocab.time import day_text

WRONG_MAX: Final = 1_000
"""Findings that are spelled out."""


@dataclass(slots=True)
class Verified:
    """What was found.  `proven`: days whose values sum to the difference of their registers."""

    load_days: int = 0
    proven: int = 0
    wrong: list[str] = field(default_factory=list)

    def found(self, text: str) -> None:
        """Something is wrong."""
        if len(self.wrong) < WRONG_MAX:
            self.wrong.append(text)


def verify(engine: Engine) -> Verified:
    """Reads the whole store."""
    result = Verified()
    day = schema.load_day
    with engine.connect() as connection:
        histories = _histories(connection)
        query = select(day).order_by(day.c.meter_id, day.c.channel, day.c.day).execution_options(yield_per=1000)
        before: LoadDay | None = None
        for row in connection.execute(query).mappings():
            stored = rows.load_day_of(row)
            who = f"meter {stored.key.meter_id} {stored.key.channel.name} {day_text(stored.key.day)}"
            result.load_days += 1
            try:
                loaded = from_row(stored)
            except ForeignError as error:
                result.found(f"{who}: {error}")
                continue
            kept = histories.get((stored.key.meter_id, stored.key.day, int(stored.key.channel)), 0)
            if kept != stored.version - 1:
                result.found(f"{who}: version {stored.version} with {kept} earlier ones")
            _against_registers(loaded, before, who, result)
            before = loaded
    return result


def _against_registers(day: LoadDay, before: LoadDay | None, who: str, result: Verified) -> None:
    if day.open_wh is not None and day.close_wh is not None and not day.missing:
        total = int(day.values.sum())
        if total == day.close_wh - day.open_wh:
            result.proven += 1
        else:
            result.found(f"{who}: values sum to {total} Wh, registers say {day.close_wh - day.open_wh} Wh")
    if before is None or before.key != day.key._replace(day=day.key.day - 1):
        return
    if before.close_wh is not None and day.open_wh is not None and before.close_wh != day.open_wh:
        result.found(f"{who}: opens at {day.open_wh} Wh, the day before closed at {before.close_wh} Wh")


def _histories(connection: Connection) -> dict[tuple[int, int, int], int]:
    history = schema.load_day_history
    counted: dict[tuple[int, int, int], int] = {}
    for meter_id, number, channel in connection.execute(select(history.c.meter_id, history.c.day, history.c.channel)):
        key = (meter_id, number, channel)
        counted[key] = counted.get(key, 0) + 1
    return counted
