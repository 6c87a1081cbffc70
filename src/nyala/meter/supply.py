"""The supply switch as the DLMS class "Disconnect control" (id 70) tells it: a transition table.  No relay is driven here.

So far the switch obeys only remote commands (control mode 4: remote disconnect, direct remote reconnect); the local
events, the other modes and the limiter are not here yet.
"""

from enum import Enum
from typing import Final


class SwitchState(Enum):
    """Output state, as reported (catalogue `switch_state`)."""

    OPEN = 0
    CLOSED = 1
    NONE = 2
    """The model has no switch."""


class SwitchEvent(Enum):
    """What may move the switch."""

    REMOTE_DISCONNECT = "remote disconnect"
    REMOTE_RECONNECT = "remote reconnect"


TRANSITIONS: Final[dict[tuple[SwitchState, SwitchEvent], SwitchState]] = {
    (SwitchState.CLOSED, SwitchEvent.REMOTE_DISCONNECT): SwitchState.OPEN,
    (SwitchState.OPEN, SwitchEvent.REMOTE_RECONNECT): SwitchState.CLOSED,
}


def next_state(state: SwitchState, event: SwitchEvent) -> SwitchState | None:
    """The state that `event` leads to, or None where it has no effect (already there, or no switch)."""
    return TRANSITIONS.get((state, event))
