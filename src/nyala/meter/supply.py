"""The supply switch as the DLMS class "Disconnect control" (id 70, IEC 62056-6-2) tells it: tables and a pure step.

No contact is driven here: effects say what to do, and `sense` hears whether it happened.  Letters are the standard's:

    a  disconnected  remote reconnect   connected       e  ready         manual reconnect   connected
    b  connected     remote disconnect  disconnected    f  connected     manual disconnect  ready
    c  ready         remote disconnect  disconnected    g  connected     local disconnect   ready
    d  disconnected  remote reconnect   ready           h  ready         local reconnect    connected

Beside the standard stand the *holds*: the local reasons (credit, limiter, tamper) that keep the supply open at this
moment.  While there is one, nothing connects: e and h wait, and a leads to ready like d.  A switch that is ready and not
held is armed: the button connects it.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from nyala.vocab.errors import BadArgumentError

WELD_CONFIRM_S: Final = 3
"""Current must flow so long through an open contact before it counts as welded: two refreshes of the readings and one."""


class SwitchState(Enum):
    """Output state, as reported (catalogue `switch_state`, class 70 attribute 2)."""

    OPEN = 0
    CLOSED = 1
    NONE = 2
    """The model has no switch."""


class ControlState(Enum):
    """Control state (class 70 attribute 3)."""

    DISCONNECTED = 0
    CONNECTED = 1
    READY = 2
    """Ready for reconnection."""


class SwitchEvent(Enum):
    """What may move the switch."""

    REMOTE_DISCONNECT = "remote disconnect"
    REMOTE_RECONNECT = "remote reconnect"
    MANUAL_DISCONNECT = "manual disconnect"
    MANUAL_RECONNECT = "manual reconnect"
    LOCAL_DISCONNECT = "local disconnect"
    LOCAL_RECONNECT = "local reconnect"
    LOCAL_RELEASE = "local release"
    """A local reason is over and the button shall connect; not of the standard, it never closes the contact."""


class Reason(Enum):
    """Why the switch moved.  The values are kept in memory and logs: never change one."""

    NONE = 0
    REMOTE = 1
    SCHEDULE = 2
    BUTTON = 3
    CREDIT = 4
    POWER = 5
    CURRENT = 6
    OVER_VOLTAGE = 7
    UNDER_VOLTAGE = 8
    TAMPER = 9


class Effect(Enum):
    """What the meter does about it."""

    OPEN = "open the contact"
    CLOSE = "close the contact"
    ARM = "show that the button connects"
    DISARM = "show it no more"
    WELDED = "log: the contact did not open"
    FREED = "log: the contact is where it shall be again"


REASONS: Final[dict[str, frozenset[Reason]]] = {
    "remote": frozenset({Reason.REMOTE, Reason.SCHEDULE}),
    "manual": frozenset({Reason.BUTTON}),
    "local": frozenset({Reason.CREDIT, Reason.POWER, Reason.CURRENT, Reason.OVER_VOLTAGE, Reason.UNDER_VOLTAGE, Reason.TAMPER}),
}
"""Which reasons an event may have, by the first word of its name."""

_D, _C, _R = ControlState.DISCONNECTED, ControlState.CONNECTED, ControlState.READY
TRANSITIONS: Final[dict[str, tuple[ControlState, SwitchEvent, ControlState, int]]] = {
    "a": (_D, SwitchEvent.REMOTE_RECONNECT, _C, 63),
    "b": (_C, SwitchEvent.REMOTE_DISCONNECT, _D, 62),
    "c": (_R, SwitchEvent.REMOTE_DISCONNECT, _D, 62),
    "d": (_D, SwitchEvent.REMOTE_RECONNECT, _R, 59),
    "e": (_R, SwitchEvent.MANUAL_RECONNECT, _C, 61),
    "f": (_C, SwitchEvent.MANUAL_DISCONNECT, _R, 60),
    "g": (_C, SwitchEvent.LOCAL_DISCONNECT, _R, 64),
    "h": (_R, SwitchEvent.LOCAL_RECONNECT, _C, 69),
}
"""Letter -> from, event, to, code in the disconnector's log (IDIS-like)."""

MODES: Final[tuple[str, ...]] = ("", "bcfgde", "bcfgae", "bcgde", "bcgae", "bcfgdeh", "bcgdeh")
"""Control mode 0..6 -> its transitions.  In mode 0 the supply is always connected."""
ALWAYS_CONNECTED: Final = 0
DEFAULT_MODE: Final = 4
"""The centre disconnects and reconnects directly."""
FAILURE_CODE: Final = 68
"""Code of WELDED in the disconnector's log."""


def transition(mode: int, state: ControlState, event: SwitchEvent) -> str:
    """The letter of what `event` does in a mode and state, without holds; empty where it does nothing."""
    return next((letter for letter in MODES[mode] if TRANSITIONS[letter][:2] == (state, event)), "")


_WANTED: Final = {SwitchEvent.REMOTE_DISCONNECT: _D, SwitchEvent.REMOTE_RECONNECT: _C}


def forbidden(supply: "Supply", event: SwitchEvent) -> bool:
    """Whether a remote event has no way from here in this mode: no transition, nor is the state one that it leads to."""
    goals = {TRANSITIONS[letter][2] for letter in MODES[supply.mode] if TRANSITIONS[letter][1] is event} | {_WANTED[event]}
    return supply.fitted and supply.state not in goals and not transition(supply.mode, supply.state, event)


def standing(supply: "Supply") -> int:
    """Control mode and control state as one number: what a meter says with the refusal of a forbidden event."""
    return supply.mode << 8 | supply.state.value


_OUTPUT: Final = {SwitchState.OPEN: _D, SwitchState.CLOSED: _C}


def next_state(state: SwitchState, event: SwitchEvent) -> SwitchState | None:
    """The output state that `event` leads to in mode 4 when only the output is known; None where it has no effect."""
    letter = transition(DEFAULT_MODE, _OUTPUT[state], event) if state in _OUTPUT else ""
    if not letter:
        return None
    return SwitchState.CLOSED if TRANSITIONS[letter][2] is _C else SwitchState.OPEN


@dataclass(frozen=True, slots=True)
class Supply:
    """State of a supply switch.  `operations` counts movements of the contact; instants are seconds of the caller's time."""

    fitted: bool = True
    mode: int = DEFAULT_MODE
    state: ControlState = ControlState.CONNECTED
    holds: frozenset[Reason] = frozenset()
    last_reason: Reason = Reason.NONE
    changed_s: int | None = None
    operations: int = 0
    flowing_since_s: int | None = None
    """Since when current flows through the contact that shall be open."""
    welded: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.mode < len(MODES):
            raise BadArgumentError(f"control mode {self.mode}: 0..{len(MODES) - 1}")

    @property
    def output(self) -> SwitchState:
        """Output state: what the contact really does, as far as `sense` knows."""
        if not self.fitted:
            return SwitchState.NONE
        return SwitchState.CLOSED if self.state is ControlState.CONNECTED or self.welded else SwitchState.OPEN

    @property
    def armed(self) -> bool:
        """Whether the button connects now."""
        return self.fitted and self.state is ControlState.READY and not self.holds

    @property
    def next_s(self) -> int | None:
        """When `sense` may change its mind if nothing else happens; None: never."""
        return None if self.flowing_since_s is None or self.welded else self.flowing_since_s + WELD_CONFIRM_S


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step led to.  `letter` is the transition of the standard (empty: the state stayed), `code` its log code or 0."""

    supply: Supply
    effects: tuple[Effect, ...] = ()
    letter: str = ""
    code: int = 0


def step(supply: Supply, event: SwitchEvent, reason: Reason, now_s: int) -> Outcome:
    """What an event does.  Without a switch: nothing.  BadArgumentError for a reason that such an event cannot have."""
    if reason not in REASONS[event.value.split()[0]]:
        raise BadArgumentError(f"{event.value} cannot have the reason {reason.name}")
    if not supply.fitted:
        return Outcome(supply)
    holds = supply.holds
    if event is SwitchEvent.LOCAL_DISCONNECT:
        holds |= {reason}
    elif event in {SwitchEvent.LOCAL_RECONNECT, SwitchEvent.LOCAL_RELEASE}:
        holds -= {reason}
    letter = transition(supply.mode, supply.state, event)
    return _moved(supply, holds, _held(letter) if holds else letter, reason, now_s)


def set_mode(supply: Supply, mode: int, now_s: int) -> Outcome:
    """Another control mode (attribute 4).  Mode 0 connects; leaving it with a hold disconnects."""
    changed = replace(supply, mode=mode)
    if not supply.fitted:
        return Outcome(supply)
    if mode == ALWAYS_CONNECTED and supply.state is not ControlState.CONNECTED:
        moved = replace(changed, state=ControlState.CONNECTED)
        return _settled(supply, moved, Reason.REMOTE, now_s)
    if mode != ALWAYS_CONNECTED and supply.holds and supply.state is ControlState.CONNECTED:
        return _moved(changed, supply.holds, "g", min(supply.holds, key=lambda hold: hold.value), now_s)
    return Outcome(changed)


def sense(supply: Supply, *, flows: bool, now_s: int) -> Outcome:
    """What the meter measures behind the contact: whether current above the starting current flows."""
    if not supply.fitted or supply.state is ControlState.CONNECTED or not flows:
        freed = (Effect.FREED,) if supply.welded else ()
        return Outcome(replace(supply, flowing_since_s=None, welded=False), freed)
    since_s = now_s if supply.flowing_since_s is None else supply.flowing_since_s
    welded = supply.welded or now_s - since_s >= WELD_CONFIRM_S
    newly = welded and not supply.welded
    changed = replace(supply, flowing_since_s=since_s, welded=welded)
    return Outcome(changed, (Effect.WELDED,) if newly else (), "", FAILURE_CODE if newly else 0)


def _held(letter: str) -> str:
    """What a transition becomes while something holds the supply open."""
    return {"a": "d", "e": "", "h": ""}.get(letter, letter)


def _moved(supply: Supply, holds: frozenset[Reason], letter: str, reason: Reason, now_s: int) -> Outcome:
    if not letter:
        return _settled(supply, replace(supply, holds=holds), None, now_s)
    _, _, state, code = TRANSITIONS[letter]
    return _settled(supply, replace(supply, holds=holds, state=state), reason, now_s, letter, code)


def _settled(before: Supply, after: Supply, reason: Reason | None, now_s: int, letter: str = "", code: int = 0) -> Outcome:
    """The effects of a change, and its traces; `reason` None: the state did not change."""
    effects: list[Effect] = []
    closed = after.state is ControlState.CONNECTED
    if closed != (before.state is ControlState.CONNECTED):
        effects.append(Effect.CLOSE if closed else Effect.OPEN)
        # A contact that is told to move anew is believed until it is sensed again.
        effects += [Effect.FREED] if before.welded else []
        after = replace(after, operations=after.operations + 1, flowing_since_s=None, welded=False)
    if after.armed != before.armed:
        effects.append(Effect.ARM if after.armed else Effect.DISARM)
    if reason is not None:
        after = replace(after, last_reason=reason, changed_s=now_s)
    return Outcome(after, tuple(effects), letter, code)
