"""Error curves as SVG: error in % over current on a logarithmic axis, one curve per power factor, limits as steps.

Pure text from points; no fonts, colours or sizes but those named here.  A picture of what the table says, nothing more.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from nyala.lab.result import Point

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 520.0, 230.0, 44.0, 12.0, 12.0, 40.0
FONT: Final = "Libertinus Serif"
STYLES: Final = (
    ("#1f4e79", "", "circle"),
    ("#b3541e", "6 3", "square"),
    ("#3d7a3a", "2 3", "diamond"),
    ("#6a4c93", "8 3 2 3", "circle"),
    ("#555555", "1 2", "square"),
)
"""Colour, dashes and mark of each curve: they differ in black and white, too."""
LIMIT_COLOUR: Final = "#a11a1a"


@dataclass(frozen=True, slots=True)
class Axes:
    """From amperes and % to the picture's coordinates."""

    low_a: float
    high_a: float
    top_pct: float

    def x(self, current_a: float) -> float:
        """Across: the logarithm of the current."""
        share = math.log(current_a / self.low_a) / math.log(self.high_a / self.low_a)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, error_pct: float) -> float:
        """Down: the error, kept within the picture."""
        kept = max(-self.top_pct, min(self.top_pct, error_pct))
        return TOP + (1 - kept / self.top_pct) / 2 * (HEIGHT - TOP - BOTTOM)


def error_curves(points: Sequence[Point]) -> str:
    """An SVG of points that share energy and phases; at least two different currents."""
    currents = sorted({point.i_a for point in points})
    assert len(currents) > 1, "a curve needs two currents"
    axes = Axes(currents[0] / 1.15, currents[-1] * 1.15, _top([point.limit for point in points]))
    factors = list(dict.fromkeys(point.pf for point in points))
    size = f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{WIDTH:g}" height="{HEIGHT:g}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}" font-size="10">',
        *_grid(axes, currents),
        *_limits(axes, [point for point in points if point.pf == factors[0]]),
    ]
    for number, factor in enumerate(factors):
        curve = sorted((point for point in points if point.pf == factor), key=lambda point: point.i_a)
        parts += _curve(axes, curve, number)
    return "\n".join([*parts, "</svg>"])


def _top(limits: Sequence[float]) -> float:
    """Half height of the picture: the widest limit with air above."""
    return max(limits) * 1.15


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float = 0.5) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" stroke-width="{width}"/>'


def _grid(axes: Axes, currents: Sequence[float]) -> Iterator[str]:
    step = next(step for step in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if axes.top_pct / step <= 5)
    for mark in range(-int(axes.top_pct / step), int(axes.top_pct / step) + 1):
        y = axes.y(mark * step)
        yield _line(LEFT, y, WIDTH - RIGHT, y, "#333333" if mark == 0 else "#dddddd", 0.8 if mark == 0 else 0.5)
        yield _text(LEFT - 5, y + 3, f"{mark * step:+.1f}" if mark else "0", "end")
    bottom = HEIGHT - BOTTOM
    last_x = -math.inf
    for current_a in currents:
        x = axes.x(current_a)
        yield _line(x, TOP, x, bottom, "#eeeeee")
        if x - last_x > 24:
            yield _text(x, bottom + 13, f"{current_a:g}")
            last_x = x
    yield f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{bottom - TOP}" fill="none" stroke="#333333"/>'
    yield _text(WIDTH - RIGHT, HEIGHT - 6, "I / A", "end")
    yield f'<text transform="translate(10 {(TOP + bottom) / 2:.1f}) rotate(-90)" text-anchor="middle">e / %</text>'


def _limits(axes: Axes, points: Sequence[Point]) -> Iterator[str]:
    """The tightest limit of the first factor, both signs, as steps that hold up to the next current."""
    rising = sorted(points, key=lambda point: point.i_a)
    for sign in (1, -1):
        path = ""
        for here, after in zip(rising, [*rising[1:], rising[-1]], strict=True):
            y = axes.y(sign * here.limit)
            path += f"{'L' if path else 'M'}{axes.x(here.i_a):.1f} {y:.1f}L{axes.x(after.i_a):.1f} {y:.1f}"
        yield f'<path d="{path}" fill="none" stroke="{LIMIT_COLOUR}" stroke-width="1.2"/>'


def _curve(axes: Axes, curve: Sequence[Point], number: int) -> Iterator[str]:
    colour, dashes, mark = STYLES[number % len(STYLES)]
    at = [(axes.x(point.i_a), axes.y(point.value)) for point in curve if point.value is not None]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in at)
    yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.3" stroke-dasharray="{dashes or "none"}"/>'
    for x, y in at:
        yield _mark(x, y, mark, colour)
    x = LEFT + 4 + 84 * number
    y = HEIGHT - 9
    yield f'<path d="M{x} {y}h22" stroke="{colour}" stroke-width="1.3" stroke-dasharray="{dashes or "none"}"/>'
    yield _mark(x + 11, y, mark, colour)
    yield _text(x + 27, y + 3, curve[0].pf, "start")


def _mark(x: float, y: float, shape: str, colour: str) -> str:
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="white" stroke="{colour}"/>'
    turn = f' transform="rotate(45 {x:.1f} {y:.1f})"' if shape == "diamond" else ""
    return f'<rect x="{x - 2:.1f}" y="{y - 2:.1f}" width="4" height="4" fill="white" stroke="{colour}"{turn}/>'
