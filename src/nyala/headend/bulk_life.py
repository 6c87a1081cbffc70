"""The life of a command campaign and of its members, as tables.

awaiting -> running <-> paused
|  ^`----> stopped      more failed than the order allows; a person may let it go on
`------> done, cancelled, expired
"""

from enum import StrEnum
from typing import Final

from nyala.headend.command_life import CommandState
from nyala.headend.commands import Kind


class BulkState(StrEnum):
    """Where a campaign stands."""

    AWAITING = "awaiting"
    """A second person has to approve."""
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    """Too many failed."""
    DONE = "done"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"


class BulkEvent(StrEnum):
    """What may happen to a campaign."""

    APPROVE = "approve"
    REJECT = "reject"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    TOO_MANY_FAILED = "too many failed"
    TIME_OVER = "time over"
    ALL_ENDED = "all ended"


_S, _E = BulkState, BulkEvent
TRANSITIONS: Final[dict[tuple[BulkState, BulkEvent], BulkState]] = {
    (_S.AWAITING, _E.APPROVE): _S.RUNNING,
    (_S.AWAITING, _E.REJECT): _S.REJECTED,
    (_S.AWAITING, _E.CANCEL): _S.CANCELLED,
    (_S.AWAITING, _E.TIME_OVER): _S.EXPIRED,
    (_S.RUNNING, _E.PAUSE): _S.PAUSED,
    (_S.RUNNING, _E.CANCEL): _S.CANCELLED,
    (_S.RUNNING, _E.TOO_MANY_FAILED): _S.STOPPED,
    (_S.RUNNING, _E.TIME_OVER): _S.EXPIRED,
    (_S.RUNNING, _E.ALL_ENDED): _S.DONE,
    (_S.PAUSED, _E.RESUME): _S.RUNNING,
    (_S.PAUSED, _E.CANCEL): _S.CANCELLED,
    (_S.PAUSED, _E.TIME_OVER): _S.EXPIRED,
    (_S.PAUSED, _E.ALL_ENDED): _S.DONE,
    (_S.STOPPED, _E.RESUME): _S.RUNNING,
    (_S.STOPPED, _E.CANCEL): _S.CANCELLED,
    (_S.STOPPED, _E.TIME_OVER): _S.EXPIRED,
    (_S.STOPPED, _E.ALL_ENDED): _S.DONE,
}
ENDED: Final = frozenset((_S.DONE, _S.CANCELLED, _S.REJECTED, _S.EXPIRED))
"""States that order nothing any more; commands under way are followed to their end all the same."""
ORDERS: Final = frozenset((_E.APPROVE, _E.REJECT, _E.PAUSE, _E.RESUME, _E.CANCEL))
"""Events that a person brings about."""


def moves(state: BulkState) -> list[BulkEvent]:
    """What a person may say of a campaign in a state."""
    return [event for event in _E if event in ORDERS and (state, event) in TRANSITIONS]


NEEDS_APPROVAL: Final = frozenset((Kind.SWITCH_OPEN,))


class MemberState(StrEnum):
    """What became of one meter of a campaign."""

    WAITING = "waiting"
    ORDERED = "ordered"
    VERIFIED = "verified"
    FAILED = "failed"
    """The meter refused, or it could not be ordered."""
    EXPIRED = "expired"
    CANCELLED = "cancelled"


MEMBER_OF: Final = {
    CommandState.VERIFIED: MemberState.VERIFIED,
    CommandState.FAILED: MemberState.FAILED,
    CommandState.EXPIRED: MemberState.EXPIRED,
    CommandState.CANCELLED: MemberState.CANCELLED,
}
"""How the end of a command ends its member."""
BAD: Final = (MemberState.FAILED, MemberState.EXPIRED)
"""What the stop rule counts."""
