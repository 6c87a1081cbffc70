"""The life of a command, as one transition table.  Law 3: carried out once, or reported as not carried out; UNKNOWN is a
state that is shown, chased and ended.

    queued -> sent -> delivered -> executed -> verified
                `---------------------------------^  seen in the meter's own report

A command that was sent and not answered in time is unknown, not expired: it is asked for by its sequence number until the
meter says what became of it.  A query cannot be overtaken by the command it asks about: a downlink counter that is lower
than the last one is refused by the meter.
"""

from enum import StrEnum
from typing import Final


class CommandState(StrEnum):
    """Where a command stands."""

    QUEUED = "queued"
    SENT = "sent"
    """Left for the gateway, at least once."""
    DELIVERED = "delivered"
    """The device's MAC has acknowledged it."""
    EXECUTED = "executed"
    """The meter has answered that it was done."""
    VERIFIED = "verified"
    """The meter's own report shows it."""
    UNKNOWN = "unknown"
    """Its time is over, and it may have been carried out: it is being asked for."""
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class CommandEvent(StrEnum):
    """What may happen to a command."""

    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    DONE = "done"
    REFUSED = "refused"
    SEEN = "seen"
    NOT_DONE = "not done"
    """Answer to a query: the meter never carried it out."""
    TIME_OVER = "time over"
    CANCEL = "cancel"


_S, _E = CommandState, CommandEvent
TRANSITIONS: Final[dict[tuple[CommandState, CommandEvent], CommandState]] = {
    (_S.QUEUED, _E.SENT): _S.SENT,
    (_S.QUEUED, _E.TIME_OVER): _S.EXPIRED,
    (_S.QUEUED, _E.CANCEL): _S.CANCELLED,
    (_S.SENT, _E.SENT): _S.SENT,
    (_S.SENT, _E.ACKNOWLEDGED): _S.DELIVERED,
    (_S.SENT, _E.DONE): _S.EXECUTED,
    (_S.SENT, _E.REFUSED): _S.FAILED,
    (_S.SENT, _E.SEEN): _S.VERIFIED,
    (_S.SENT, _E.TIME_OVER): _S.UNKNOWN,
    (_S.DELIVERED, _E.DONE): _S.EXECUTED,
    (_S.DELIVERED, _E.REFUSED): _S.FAILED,
    (_S.DELIVERED, _E.SEEN): _S.VERIFIED,
    (_S.DELIVERED, _E.TIME_OVER): _S.UNKNOWN,
    (_S.EXECUTED, _E.SEEN): _S.VERIFIED,
    (_S.UNKNOWN, _E.DONE): _S.EXECUTED,
    (_S.UNKNOWN, _E.REFUSED): _S.FAILED,
    (_S.UNKNOWN, _E.SEEN): _S.VERIFIED,
    (_S.UNKNOWN, _E.NOT_DONE): _S.EXPIRED,
}
FINAL: Final = frozenset((_S.VERIFIED, _S.FAILED, _S.EXPIRED, _S.CANCELLED))
"""States that end a command."""


def next_state(state: CommandState, event: CommandEvent) -> CommandState | None:
    """The state that an event leads to, or None where it has no effect."""
    return TRANSITIONS.get((state, event))
