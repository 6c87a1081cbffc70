"""A face as text for a terminal: box, seven-segment digits of three lines, annunciators, LEDs.  Pure: no terminal here.

An unlit segment is a blank of the same width, so that nothing moves.  With `ansi` the LEDs have their colours; without it
the text is plain and holds no escape sequence.
"""

from dataclasses import dataclass
from typing import Final

from nyala.meter.display.lcd import Lcd
from nyala.meter.display.leds import LEDS
from nyala.meter.display.segments import CODE_DIGITS, POINT, annunciators, read

WIDTH: Final = 62
"""Characters between the sides of the box."""
TOP: Final = ("l1", "l2", "l3", "sequence", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "clock", "antenna")
STATE: Final = ("relay_closed", "relay_open", "battery_internal", "battery_external", "credit", "emergency", "no_load")
TROUBLE: Final = ("alarm", "error", "cover", "magnet", "tamper", "reverse", "overload")
CROSS: Final = ((" ", "plus_q", " "), ("minus_p", "cross", "plus_p"), (" ", "minus_q", " "))
UNIT: Final = ((), ("hertz", "celsius", "degree"), ("mega", "kilo", "volt", "ampere", "watt", "var", "hour"))
"""Beside each line of the digits, close together: k W h reads kWh."""
_UNIT_COLUMNS: Final = 10
_CODE_COLUMNS: Final = 2 * CODE_DIGITS
_ANSI: Final = {"red": "31", "blue": "34", "green": "32"}
_LED_MARKS: Final = {"alarm_1": "alarm", "alarm_2": "alarm", "active_pulse": "P", "reactive_pulse": "Q"}


@dataclass(frozen=True, slots=True)
class Face:
    """The LCD and the LEDs that are lit."""

    lcd: Lcd
    leds: frozenset[str] = frozenset()


def render(face: Face, at_ms: int, *, title: str = "", ansi: bool = False) -> str:
    """A face as lines of text, as it is to be seen at an instant (blinking signs come and go)."""
    seen = face.lcd.visible(at_ms)
    head = f" {title} " if title else ""
    lines = [f"┌{head:─<{WIDTH}}┐"]
    lines += [
        f"│{line:<{WIDTH}}│" for line in (_row(TOP, seen), *_digits(face.lcd, seen), _row(STATE, seen), _row(TROUBLE, seen))
    ]
    lines.append(f"└{'─' * WIDTH}┘")
    lines.append(_leds(face.leds, ansi=ansi))
    return "\n".join(lines) + "\n"


def _mark(name: str, seen: frozenset[str]) -> str:
    mark = annunciators()[name].mark if name in annunciators() else name
    return mark if name in seen else " " * len(mark)


def _row(names: tuple[str, ...], seen: frozenset[str]) -> str:
    return " " + " ".join(_mark(name, seen) for name in names)


def _digits(lcd: Lcd, seen: frozenset[str]) -> list[str]:
    """Three lines: OBIS code, large digits, unit, quadrant cross."""
    strokes = [_strokes(each) for each in lcd.digits]
    lines = []
    for number in range(3):
        code = read(lcd.code) if number == 2 else ""
        value = "".join(cell[number] for cell in strokes)
        unit = "".join(annunciators()[name].mark for name in UNIT[number] if name in seen)
        cross = "".join(_mark(name, seen) for name in CROSS[number])
        lines.append(f" {code:<{_CODE_COLUMNS}}{value} {unit:<{_UNIT_COLUMNS}}{cross}")
    return lines


def _strokes(mask: int) -> tuple[str, str, str]:
    """One digit, four columns by three lines."""
    a, b, c, d, e, f, g = (bool(mask >> bit & 1) for bit in range(7))

    def stroke(on: bool, mark: str) -> str:  # noqa: FBT001 - a segment
        return mark if on else " "

    return (
        f" {stroke(a, '_')}  ",
        f"{stroke(f, '|')}{stroke(g, '_')}{stroke(b, '|')} ",
        f"{stroke(e, '|')}{stroke(d, '_')}{stroke(c, '|')}{stroke(bool(mask & POINT), '.')}",
    )


def _leds(lit: frozenset[str], *, ansi: bool) -> str:
    parts = []
    for place in ("cover", "module"):
        for led in LEDS:
            if led.place == place:
                dot = "●" if led.name in lit else "○"
                if ansi and led.name in lit:
                    dot = f"\x1b[{_ANSI[led.colour]}m{dot}\x1b[0m"
                parts.append(f"{dot} {_LED_MARKS.get(led.name, led.name)}")
        parts.append("│")
    return "  " + "  ".join(parts[:-1])
