"""The life of a meter, as one transition table.  Only an active meter counts in completeness and in bills.

    in stock -> commissioning -> active <-> suspended
        |             |            |             |
        `-------------`------------`-------------`---> removed, replaced

The first uplink takes a meter out of stock.  What has to be right before it is active is `CHECKS`.
A meter without a row of its own was onboarded before there were lives: it is active.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from nyala.headend.registry import MeterState
from nyala.vocab.errors import ConflictError
from nyala.vocab.time import US_PER_S

CLOCK_LIMIT_S: Final = 60
"""A clock that is off by more than this is set before the meter counts."""
SNR_FLOOR_DB: Final = -20.0
"""Of the slowest data rate; a link below `MARGIN_DB` above it will lose frames in rain."""
MARGIN_DB: Final = 5.0
REGISTER_MAX_WH: Final = 10**12
"""No register of ours has more digits."""


class Life(StrEnum):
    """Where a meter stands in its life."""

    IN_STOCK = "in_stock"
    COMMISSIONING = "commissioning"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REMOVED = "removed"
    REPLACED = "replaced"


class LifeEvent(StrEnum):
    """What may happen to a meter."""

    HEARD = "heard"
    """An uplink came."""
    ACTIVATE = "activate"
    SUSPEND = "suspend"
    RESUME = "resume"
    REMOVE = "remove"
    REPLACE = "replace"
    INSTALL = "install"
    """It takes the place of another one: the exchange is its commissioning."""


_L, _E = Life, LifeEvent
TRANSITIONS: Final[dict[tuple[Life, LifeEvent], Life]] = {
    (_L.IN_STOCK, _E.HEARD): _L.COMMISSIONING,
    (_L.IN_STOCK, _E.INSTALL): _L.ACTIVE,
    (_L.IN_STOCK, _E.REMOVE): _L.REMOVED,
    (_L.COMMISSIONING, _E.ACTIVATE): _L.ACTIVE,
    (_L.COMMISSIONING, _E.INSTALL): _L.ACTIVE,
    (_L.COMMISSIONING, _E.REMOVE): _L.REMOVED,
    (_L.ACTIVE, _E.SUSPEND): _L.SUSPENDED,
    (_L.ACTIVE, _E.REMOVE): _L.REMOVED,
    (_L.ACTIVE, _E.REPLACE): _L.REPLACED,
    (_L.SUSPENDED, _E.RESUME): _L.ACTIVE,
    (_L.SUSPENDED, _E.REMOVE): _L.REMOVED,
    (_L.SUSPENDED, _E.REPLACE): _L.REPLACED,
}
GONE: Final = frozenset((_L.REMOVED, _L.REPLACED))
"""States that end a life."""
BY_PERSON: Final = frozenset((_E.ACTIVATE, _E.SUSPEND, _E.RESUME, _E.REMOVE))
"""Events that a person may say of one meter; `REPLACE` and `INSTALL` are an exchange, which is both at once."""


def moves(state: Life) -> list[LifeEvent]:
    """What a person may say of a meter in a state; the first half of an exchange stands for all of it."""
    said = BY_PERSON | {_E.REPLACE}
    return [event for event in _E if event in said and (state, event) in TRANSITIONS]


@dataclass(frozen=True, slots=True)
class LifeRow:
    """Where a meter stands.  `ended_s`: until when it counts; None while it does, or never has."""

    meter_id: int
    state: Life
    since_us: int
    ended_s: int | None = None

    @property
    def counted(self) -> bool:
        """Whether it counts now, or has until `ended_s`."""
        return self.state is Life.ACTIVE or self.ended_s is not None


@dataclass(frozen=True, slots=True)
class LifeStep:
    """One step in the life of a meter: what, from when, who, why."""

    meter_id: int
    event: LifeEvent
    state: Life
    at_s: int
    recorded_us: int
    by: str
    reason: str


def moved(row: LifeRow, event: LifeEvent, *, at_s: int, by: str, reason: str, now_us: int) -> tuple[LifeRow, LifeStep]:
    """A meter after an event at `at_s`; ConflictError where the event does not fit, or was before the last one."""
    state = TRANSITIONS.get((row.state, event))
    if state is None:
        raise ConflictError(f"meter {row.meter_id} is {row.state}: no {event}")
    if row.ended_s is not None and at_s < row.ended_s:
        raise ConflictError(f"meter {row.meter_id} has been {row.state} since a later instant")
    ended_s = row.ended_s
    if row.state is Life.ACTIVE:
        ended_s = at_s
    if state is Life.ACTIVE:
        ended_s = None
    return LifeRow(row.meter_id, state, now_us, ended_s), LifeStep(row.meter_id, event, state, at_s, now_us, by, reason)


# -- what has to be right before a meter is active


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the centre knows of a meter that is being commissioned."""

    state: MeterState
    joined: bool
    has_switch: bool
    switch_verified: bool
    """A switch command of this meter was verified, or its own report shows where the switch stands."""
    clock_s: int | None
    """Clock of the newest live values minus the instant they came; None: not known."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check: its name, whether it holds, and what was seen."""

    name: str
    holds: bool
    seen: str


def _joined(said: Evidence) -> tuple[bool, str]:
    return said.joined and said.state.uplinks > 0, f"{said.state.uplinks} uplinks"


def _clock(said: Evidence) -> tuple[bool, str]:
    if said.clock_s is None:
        return False, "no values with a time yet"
    return abs(said.clock_s) <= CLOCK_LIMIT_S, f"{said.clock_s:+d} s"


def _registers(said: Evidence) -> tuple[bool, str]:
    values = {name: value for name, (value, _) in said.state.registers.items()}
    plausible = "import_wh" in values and all(0 <= value < REGISTER_MAX_WH for value in values.values())
    return plausible, f"import {values['import_wh']} Wh" if "import_wh" in values else "no registers yet"


def _switch(said: Evidence) -> tuple[bool, str]:
    if not said.has_switch:
        return True, "has none"
    return said.switch_verified, "answered" if said.switch_verified else "has not answered"


def _signal(said: Evidence) -> tuple[bool, str]:
    margin_db = said.state.snr_db - SNR_FLOOR_DB
    return said.state.uplinks > 0 and margin_db >= MARGIN_DB, f"{margin_db:.0f} dB over the floor"


CHECKS: Final[dict[str, Callable[[Evidence], tuple[bool, str]]]] = {
    "joined": _joined,
    "clock": _clock,
    "registers": _registers,
    "switch": _switch,
    "signal": _signal,
}


def check(said: Evidence) -> list[CheckResult]:
    """Every check of a meter that is being commissioned."""
    return [CheckResult(name, *look(said)) for name, look in CHECKS.items()]


class Lives:
    """The lives of all meters of one centre, in memory."""

    def __init__(self, rows: Iterable[LifeRow] = ()) -> None:
        self._rows = {row.meter_id: row for row in rows}
        self._changed: dict[int, LifeRow] = {}
        self._steps: list[LifeStep] = []

    def of(self, meter_id: int) -> LifeRow:
        """Where a meter stands."""
        return self._rows.get(meter_id) or LifeRow(meter_id, Life.ACTIVE, 0)

    def put(self, row: LifeRow) -> None:
        """What the store has taken."""
        self._rows[row.meter_id] = row

    @property
    def gone(self) -> list[int]:
        """The meters whose life has ended."""
        return [row.meter_id for row in self._rows.values() if row.state in GONE]

    def heard(self, meter_id: int, now_us: int) -> None:
        """An uplink came: a meter in stock is being commissioned now."""
        row = self._rows.get(meter_id)
        if row is not None and row.state is Life.IN_STOCK:
            self.say((meter_id, LifeEvent.HEARD, "first uplink"), at_s=now_us // US_PER_S, by="centre", now_us=now_us)

    def say(self, *said: tuple[int, LifeEvent, str], at_s: int, by: str, now_us: int) -> None:
        """Events (meter, event, reason) of one instant, all or none; ConflictError as `moved`."""
        for row, step in self.weighed(*said, at_s=at_s, by=by, now_us=now_us):
            self._rows[row.meter_id] = self._changed[row.meter_id] = row
            self._steps.append(step)

    def weighed(self, *said: tuple[int, LifeEvent, str], at_s: int, by: str, now_us: int) -> list[tuple[LifeRow, LifeStep]]:
        """What `say` would lead to, and its error; nothing changes."""
        return [
            moved(self.of(meter_id), event, at_s=at_s, by=by, reason=reason, now_us=now_us) for meter_id, event, reason in said
        ]

    def take_changes(self) -> tuple[list[LifeRow], list[LifeStep]]:
        """What to store now."""
        rows, steps = list(self._changed.values()), self._steps
        self._changed, self._steps = {}, []
        return rows, steps
