"""`nyala meter panel`: a simulated meter's face, live in the terminal, with its keys.

What the meter does is a `PanelWorld`; here are only keys, terminal and pace.  Where the output is no terminal, frames
follow each other at once, one for each second of the meter.
"""

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Annotated, Final, Protocol

import typer

from nyala.meter.display.text import Face, render
from nyala.vocab.errors import BadArgumentError

FIRST_S: Final = 31
"""`--once` shows this second of the meter: segment test, date and time have passed, the import register stands."""
FRAMES: Final = 10
"""Frames where the output is no terminal and no number was given."""
PICTURES_PER_S: Final = 4
"""Pictures a second in a terminal: signs blink at 1 Hz, the alarm LED at up to 2 Hz."""
_HOME, _CLEAR, _HIDE, _SHOW = "\x1b[H", "\x1b[2J", "\x1b[?25l", "\x1b[?25h"


class Action(Enum):
    """What a hand can do at the meter."""

    DISPLAY = "display button"
    DISPLAY_LONG = "display button, long"
    RESET = "demand reset button"
    MAIN_COVER = "main cover"
    TERMINAL_COVER = "terminal cover"
    MODULE_COVER = "module cover"
    MAGNET = "magnet"
    LOAD_UP = "load up"
    LOAD_DOWN = "load down"
    POWER = "supply"


KEYS: Final = {
    "d": Action.DISPLAY,
    "D": Action.DISPLAY_LONG,
    "r": Action.RESET,
    "m": Action.MAIN_COVER,
    "t": Action.TERMINAL_COVER,
    "o": Action.MODULE_COVER,
    "g": Action.MAGNET,
    "+": Action.LOAD_UP,
    "-": Action.LOAD_DOWN,
    "p": Action.POWER,
}
QUIT: Final = "q"
HELP: Final = (
    "  d display  D long press  r demand reset  + - load  p supply  q quit\n  covers: m main  t terminal  o module   g magnet"
)


class PanelWorld(Protocol):
    """A meter on a table: what hands do to it, its time, its face."""

    @property
    def title(self) -> str:
        """What stands on its plate."""

    @property
    def now_ms(self) -> int:
        """Time of the face: milliseconds since the meter was switched on."""

    def act(self, action: Action) -> None:
        """Does one thing, now."""

    def step(self) -> None:
        """One second."""

    def face(self, at_ms: int) -> Face:
        """LCD and LEDs at an instant of the last second."""

    def told(self) -> str:
        """One line: load, inputs and supply as they are at this moment."""


def panel(
    model: Annotated[str, typer.Option("--model", help="single-phase, three-phase or three-phase-ct.")],
    *,
    seed: Annotated[int, typer.Option("--seed", help="Serial number and ripple of the load.")] = 1,
    once: Annotated[bool, typer.Option("--once", help="Print one frame and end.")] = False,
    frames: Annotated[int | None, typer.Option("--frames", min=1, help="End after so many seconds of the meter.")] = None,
    keys: Annotated[str, typer.Option("--keys", help="Keys to press at first, one a second.")] = "",
) -> None:
    """Shows a meter's face live.  Keys: d D r m t o g + - p q."""
    from nyala.cli.panel_world import TableWorld  # noqa: PLC0415

    actions = keys_pressed(keys)
    world = TableWorld(model, seed)
    if once:
        for _ in range(FIRST_S):
            world.step()
        _press_all(world, actions)
        typer.echo(picture(world, world.now_ms, ansi=False), nl=False)
    elif sys.stdout.isatty() and sys.stdin.isatty():
        _press_all(world, actions)
        _live(world, frames)
    else:
        _lines(world, frames or FRAMES, actions)


def keys_pressed(keys: str) -> tuple[Action, ...]:
    """Keys as actions; BadArgumentError for one that the panel does not have."""
    if wrong := [key for key in keys if key not in KEYS]:
        raise BadArgumentError(f"no such key: {wrong[0]!r} ({' '.join(KEYS)} are there)")
    return tuple(KEYS[key] for key in keys)


def picture(world: PanelWorld, at_ms: int, *, ansi: bool) -> str:
    """One frame and the line beneath it."""
    return render(world.face(at_ms), at_ms, title=world.title, ansi=ansi) + f"  {world.told()}\n"


def _press_all(world: PanelWorld, actions: tuple[Action, ...]) -> None:
    for action in actions:
        world.act(action)
        world.step()


def _lines(world: PanelWorld, frames: int, actions: tuple[Action, ...]) -> None:
    for number in range(frames):
        if number < len(actions):
            world.act(actions[number])
        world.step()
        typer.echo(picture(world, world.now_ms, ansi=False))


def _live(world: PanelWorld, frames: int | None) -> None:
    """Pictures until `q`, or until so many seconds have passed."""
    with _keyboard():
        started_s, second = time.monotonic(), 0
        sys.stdout.write(_CLEAR)
        while frames is None or second < frames:
            elapsed_s = time.monotonic() - started_s
            while second <= elapsed_s:
                world.step()
                second += 1
            # The face is shown as the second just measured passes: pulses have their place in it.
            at_ms = world.now_ms - 1000 + int(elapsed_s % 1 * 1000)
            text = picture(world, at_ms, ansi=True) + HELP
            sys.stdout.write(_HOME + "".join(f"{line}\x1b[K\r\n" for line in text.splitlines()))
            sys.stdout.flush()
            key = _key(1 / PICTURES_PER_S)
            if key == QUIT:
                return
            if key in KEYS:
                world.act(KEYS[key])


def _key(wait_s: float) -> str:
    """A key that was pressed within the time, or nothing."""
    ready, _, _ = select.select([sys.stdin], [], [], wait_s)
    return os.read(sys.stdin.fileno(), 1).decode("ascii", "ignore") if ready else ""


@contextmanager
def _keyboard() -> Iterator[None]:
    """Keys come one by one and unseen; the terminal is given back as it was."""
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        sys.stdout.write(_HIDE)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        sys.stdout.write(_SHOW + "\r\n")
        sys.stdout.flush()
