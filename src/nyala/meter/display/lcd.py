"""The LCD's frame: what is lit, what blinks.  One state that terminal, portal and tests read.

`compose` puts together the item that the machine has come to and the signs of the meter's state.  Rules for the signs:

    quadrant     the two arrows of Q1..Q4 (Q1 right and up, counter-clockwise); cross and arrows blink, and the sequence
                 sign is lit, when the phases rotate backwards
    L1 L2 L3     lit if the voltage is present, blinking below 70 % Un
    alarms       the annunciators that name them in `segments.csv`
    antenna      joined: lit; joining or talking: blinking
    prepayment   by `CREDIT`
"""

from dataclasses import dataclass
from typing import Any, Final

from nyala.meter.display.leds import Lamps, modes
from nyala.meter.display.lists import Item, available, show
from nyala.meter.display.machine import Display, Mode, backlit
from nyala.meter.display.number import Scale
from nyala.meter.display.reading import Reading, Signs
from nyala.meter.display.segments import CODE_DIGITS, DIGITS, SEGMENT_NAMES, annunciators, read
from nyala.meter.supply import SwitchState
from nyala.vocab.errors import UnknownError

BLINK_MS: Final = 1_000
"""A blinking sign is lit for the first half of this."""
ARROWS: Final = {1: ("plus_p", "plus_q"), 2: ("minus_p", "plus_q"), 3: ("minus_p", "minus_q"), 4: ("plus_p", "minus_q")}
"""Quadrants of IEC 62053-23 annex C."""
SWITCHES: Final[dict[SwitchState, tuple[str, ...]]] = {
    SwitchState.OPEN: ("relay_open",),
    SwitchState.CLOSED: ("relay_closed",),
    SwitchState.NONE: (),
}


@dataclass(frozen=True, slots=True)
class CreditSigns:
    """What a credit state lights, what of it blinks, and whether the credit becomes the first item of the lists."""

    lit: frozenset[str]
    blink: frozenset[str]
    first: bool


_CREDIT, _EMERGENCY, _NOTHING = frozenset({"credit"}), frozenset({"emergency"}), frozenset[str]()
CREDIT: Final[dict[str, CreditSigns]] = {
    "in_credit": CreditSigns(_CREDIT, _NOTHING, first=False),
    "low_credit": CreditSigns(_CREDIT, _CREDIT, first=True),
    "emergency_selectable": CreditSigns(_CREDIT | _EMERGENCY, _CREDIT | _EMERGENCY, first=True),
    "emergency_in_use": CreditSigns(_CREDIT | _EMERGENCY, _CREDIT, first=True),
    "friendly": CreditSigns(_CREDIT, _CREDIT, first=True),
    "out_of_credit": CreditSigns(_CREDIT, _CREDIT, first=True),
}
"""States of `nyala.meter.credit` by their names in lower case."""


@dataclass(frozen=True, slots=True)
class Lcd:
    """A frame.  `digits` (8) and `code` (7): masks, bit 0 = segment a ... bit 7 = point, the leftmost digit first.

    `signs` are the annunciators that are lit, `blink` those of them that blink.  The blank frame is a dark display.
    """

    digits: tuple[int, ...] = (0,) * DIGITS
    code: tuple[int, ...] = (0,) * CODE_DIGITS
    signs: frozenset[str] = _NOTHING
    blink: frozenset[str] = _NOTHING
    backlight: bool = False

    @property
    def segments(self) -> frozenset[str]:
        """Names of all lit segments."""
        fields = (("digit", self.digits), ("code", self.code))
        return self.signs | {
            f"{field}{place}{name}"
            for field, masks in fields
            for place, each in enumerate(masks, 1)
            for bit, name in enumerate(SEGMENT_NAMES)
            if each >> bit & 1
        }

    @property
    def text(self) -> str:
        """What a person reads on it: code, value and unit."""
        unit = "".join(each.mark for each in annunciators().values() if each.group == "unit" and each.name in self.signs)
        return " ".join(part for part in (read(self.code), read(self.digits), "" if self._is_test else unit) if part)

    @property
    def _is_test(self) -> bool:
        return self.signs == annunciators().keys()

    def visible(self, at_ms: int) -> frozenset[str]:
        """The annunciators that are to be seen at an instant."""
        return self.signs if at_ms % BLINK_MS < BLINK_MS // 2 else self.signs - self.blink


def low_credit(signs: Signs) -> bool:
    """Whether the credit comes first; UnknownError for a credit state that the display does not know."""
    return signs.credit is not None and _credit(signs.credit).first


def shown_item(display: Display, reading: Reading, signs: Signs) -> Item | None:
    """The item of the list that the display has come to; None where it shows none: dark, or full-segment test."""
    if display.mode in {Mode.DARK, Mode.TEST}:
        return None
    found = available(reading, button=display.mode is not Mode.SCROLL, credit_first=low_credit(signs))
    return found[display.index % len(found)]


def compose(display: Display, reading: Reading, signs: Signs, scale: Scale, at_ms: int) -> Lcd:
    """The frame at an instant.  The caller has advanced `display` to it."""
    light = backlit(display, at_ms)
    if display.mode is Mode.DARK:
        return Lcd()
    if display.mode is Mode.TEST:
        return full(backlight=light)
    item = shown_item(display, reading, signs)
    assert item is not None
    shown = show(item, reading, scale)
    if item.format == "test":
        return full(backlight=light)
    lit, blink = _state_signs(signs, powered=display.mode is not Mode.BATTERY)
    return Lcd(shown.digits, shown.code, shown.signs | lit, blink, light)


def full(*, backlight: bool = False) -> Lcd:
    """Every segment lit, none blinking."""
    return Lcd((0xFF,) * DIGITS, (0xFF,) * CODE_DIGITS, frozenset(annunciators()), _NOTHING, backlight)


def _state_signs(signs: Signs, *, powered: bool) -> tuple[frozenset[str], frozenset[str]]:
    """Annunciators of the state: lit, and blinking among them."""
    lit = {each.name for each in annunciators().values() if any(signs.alarms >> alarm & 1 for alarm in each.alarms)}
    lit |= {f"t{signs.rate}", "clock", *SWITCHES[signs.switch]}
    lit |= {name for name, low in _batteries(signs) if low}
    blink = set() if signs.clock_valid else {"clock"}
    if signs.armed:
        blink |= {"relay_open"} & lit
    if powered:
        _measured(signs, lit, blink)
    if signs.joined or signs.talking:
        lit.add("antenna")
        blink |= {"antenna"} if signs.talking else set()
    if signs.credit is not None:
        credit = _credit(signs.credit)
        lit, blink = lit | credit.lit, blink | credit.blink
    return frozenset(lit), frozenset(blink)


def _measured(signs: Signs, lit: set[str], blink: set[str]) -> None:
    """Adds what only a meter with supply can tell: phases, direction, no load."""
    for phase, (present, sagging) in enumerate(zip(signs.present, signs.sagging, strict=True), 1):
        lit |= {f"l{phase}"} if present else set()
        blink |= {f"l{phase}"} if present and sagging else set()
    lit.add("cross")
    arrows = ARROWS[signs.quadrant] if signs.quadrant else ()
    lit.update(arrows)
    if signs.sequence_wrong:
        lit.add("sequence")
        blink.update(("cross", *arrows))
    if signs.no_load:
        lit.add("no_load")


def _batteries(signs: Signs) -> tuple[tuple[str, bool], ...]:
    return ("battery_internal", signs.internal_battery_low), ("battery_external", signs.external_battery_low)


def _credit(name: str) -> CreditSigns:
    if name not in CREDIT:
        raise UnknownError("credit state", name)
    return CREDIT[name]


def to_json(lcd: Lcd, lamps: Lamps | None = None) -> dict[str, Any]:
    """A frame as JSON values, under the fields' own names; `text` is what a person reads, `leds` what each LED does."""
    return {
        "digits": list(lcd.digits),
        "code": list(lcd.code),
        "signs": sorted(lcd.signs),
        "blink": sorted(lcd.blink),
        "backlight": lcd.backlight,
        "text": lcd.text,
        "leds": modes(lamps if lamps is not None else Lamps(powered=False)),
    }
