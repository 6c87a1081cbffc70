"""The display as a machine: scroll, button list, segment test, dark without supply, read from the battery.  Pure.

    short press   scroll -> button list, then its next item; dark -> the list, from the battery
    long press    scroll -> full-segment test; anywhere else -> back
    timeouts      the next item of the scroll list; back to scroll 3 min after the last press (reference metrology.md 5)

Times are milliseconds of a monotonic count that the caller gives.  `advance` in one go or in parts comes to the same.
What stands on the glass is `lcd`.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from nyala.vocab.errors import BadArgumentError

ITEM_MS_RANGE: Final = (5_000, 20_000)
"""How long an item may stay (reference metrology.md 5)."""


class Mode(Enum):
    """What the display does."""

    SCROLL = "scroll"
    LIST = "list"
    TEST = "test"
    DARK = "dark"
    BATTERY = "battery"


class Event(Enum):
    """What moves it."""

    SHORT = "short press"
    LONG = "long press"
    TIMEOUT = "timeout"
    SUPPLY_LOST = "supply lost"
    SUPPLY_BACK = "supply back"
    LOW_CREDIT = "low credit"


@dataclass(frozen=True, slots=True)
class Times:
    """Times in ms.  `item_ms` 5 to 20 s; presses shorter than `bounce_ms` are none."""

    item_ms: int = 10_000
    return_ms: int = 180_000
    test_ms: int = 10_000
    battery_ms: int = 30_000
    backlight_ms: int = 60_000
    long_ms: int = 2_000
    bounce_ms: int = 20

    def __post_init__(self) -> None:
        low, high = ITEM_MS_RANGE
        if not low <= self.item_ms <= high:
            raise BadArgumentError(f"an item stays {low} to {high} ms: {self.item_ms}")
        if min(self.return_ms, self.test_ms, self.battery_ms, self.backlight_ms) < 1:
            raise BadArgumentError(f"times are above 0 ms: {self}")
        if not 0 <= self.bounce_ms < self.long_ms:
            raise BadArgumentError(f"a long press is longer than a bounce: {self.long_ms} and {self.bounce_ms} ms")

    def of(self, mode: Mode) -> int | None:
        """How long a mode, or an item of it, stays without an event."""
        return {
            Mode.SCROLL: self.item_ms,
            Mode.LIST: self.return_ms,
            Mode.TEST: self.test_ms,
            Mode.BATTERY: self.battery_ms,
            Mode.DARK: None,
        }[mode]


@dataclass(frozen=True, slots=True)
class Display:
    """State.  `index` counts items of the mode's list and is taken modulo its length; `since_ms` when it came there."""

    mode: Mode = Mode.TEST
    index: int = 0
    since_ms: int = 0
    pressed_ms: int | None = None


NEXT: Final = True
"""The item after; its contrary is the first one."""
FIRST: Final = False
TRANSITIONS: Final[dict[tuple[Mode, Event], tuple[Mode, bool]]] = {
    (Mode.SCROLL, Event.SHORT): (Mode.LIST, FIRST),
    (Mode.SCROLL, Event.LONG): (Mode.TEST, FIRST),
    (Mode.SCROLL, Event.TIMEOUT): (Mode.SCROLL, NEXT),
    (Mode.SCROLL, Event.LOW_CREDIT): (Mode.SCROLL, FIRST),
    (Mode.SCROLL, Event.SUPPLY_LOST): (Mode.DARK, FIRST),
    (Mode.LIST, Event.SHORT): (Mode.LIST, NEXT),
    (Mode.LIST, Event.LONG): (Mode.SCROLL, FIRST),
    (Mode.LIST, Event.TIMEOUT): (Mode.SCROLL, FIRST),
    (Mode.LIST, Event.SUPPLY_LOST): (Mode.DARK, FIRST),
    (Mode.TEST, Event.SHORT): (Mode.LIST, FIRST),
    (Mode.TEST, Event.LONG): (Mode.SCROLL, FIRST),
    (Mode.TEST, Event.TIMEOUT): (Mode.SCROLL, FIRST),
    (Mode.TEST, Event.SUPPLY_LOST): (Mode.DARK, FIRST),
    (Mode.DARK, Event.SHORT): (Mode.BATTERY, FIRST),
    (Mode.DARK, Event.LONG): (Mode.BATTERY, FIRST),
    (Mode.DARK, Event.SUPPLY_BACK): (Mode.TEST, FIRST),
    (Mode.BATTERY, Event.SHORT): (Mode.BATTERY, NEXT),
    (Mode.BATTERY, Event.LONG): (Mode.DARK, FIRST),
    (Mode.BATTERY, Event.TIMEOUT): (Mode.DARK, FIRST),
    (Mode.BATTERY, Event.SUPPLY_BACK): (Mode.TEST, FIRST),
}
"""An event without a row has no effect."""
PRESSES: Final = (Event.SHORT, Event.LONG)


def press(held_ms: int, times: Times = Times()) -> Event | None:
    """What a press of the button was, by how long it was held; None for a bounce."""
    if held_ms < times.bounce_ms:
        return None
    return Event.LONG if held_ms >= times.long_ms else Event.SHORT


def step(state: Display, event: Event, at_ms: int, times: Times = Times()) -> Display:
    """The state after an event at `at_ms`, with all timeouts before it."""
    return _move(advance(state, at_ms, times), event, at_ms)


def advance(state: Display, at_ms: int, times: Times = Times()) -> Display:
    """The state at `at_ms`, not before `since_ms`, when nothing but time happens."""
    while (stay_ms := times.of(state.mode)) is not None and at_ms - state.since_ms >= stay_ms:
        if state.mode is Mode.SCROLL:
            # Days may pass between two looks: all items at once.
            count = (at_ms - state.since_ms) // stay_ms
            return replace(state, index=state.index + count, since_ms=state.since_ms + count * stay_ms)
        state = _move(state, Event.TIMEOUT, state.since_ms + stay_ms)
    return state


def backlit(state: Display, at_ms: int, times: Times = Times()) -> bool:
    """Whether the light behind the glass is on: a while after a press, never from the battery."""
    if state.pressed_ms is None or state.mode in {Mode.DARK, Mode.BATTERY}:
        return False
    return at_ms - state.pressed_ms < times.backlight_ms


def _move(state: Display, event: Event, at_ms: int) -> Display:
    if (state.mode, event) not in TRANSITIONS:
        return state
    mode, following = TRANSITIONS[state.mode, event]
    pressed_ms = at_ms if event in PRESSES else state.pressed_ms
    return Display(mode, state.index + 1 if following else 0, at_ms, pressed_ms)
