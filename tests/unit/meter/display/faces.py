"""A meter for the face: values by name, signs, and the frame of an item."""

from dataclasses import dataclass, field

from nyala.meter.display.lcd import Lcd, compose
from nyala.meter.display.lists import Item, Shown, items, show
from nyala.meter.display.machine import Display, Mode
from nyala.meter.display.number import Scale
from nyala.meter.display.reading import Signs

CLOCK_S = 1_764_000_305
"""2025-11-24T16:05:05Z."""


@dataclass
class Read:
    """A `Reading` of given values."""

    values: dict[str, int] = field(default_factory=lambda: {"import_wh": 123_456_789, "p_w": -12_345, "alarms": 0})
    serial: str = "NYA-00001234"
    firmware: str = "0.2.1"
    clock_s: int = CLOCK_S
    offset_s: int = 7 * 3600

    def value(self, name: str) -> int | None:
        return self.values.get(name)


def signs(phases: int = 3, **changes: object) -> Signs:
    return Signs(**{"present": (True,) * phases, "sagging": (False,) * phases, "quadrant": 1, **changes})  # type: ignore[arg-type]


def item(name: str, place: int = 0) -> Item:
    """The row of an item; a name may stand in the table more than once."""
    return [each for each in items() if each.name == name][place]


def shown(name: str, values: dict[str, int], scale: Scale | None = None, place: int = 0, **meter: object) -> Shown:
    return show(item(name, place), Read(values, **meter), scale or Scale())  # type: ignore[arg-type]


def frame(reading: Read, state: Signs, *, mode: Mode = Mode.SCROLL, index: int = 0, at_ms: int = 0) -> Lcd:
    return compose(Display(mode, index, at_ms), reading, state, Scale(), at_ms)
