"""What a meter's refusal means, in words: for the history of a command, and for who has to do something about it."""

from typing import Final

from nyala.telegram.kinds import Result
from nyala.telegram.messages import Answer

_CONTROL_STATES: Final = ("disconnected", "connected", "ready")
"""Of a supply switch, by their numbers (DLMS class 70, attribute 3)."""


def refusal(answer: Answer) -> str:
    """Why a meter did not do it."""
    text = answer.result.name.lower().replace("_", " ")
    return text + _standing(answer.detail) if answer.result is Result.NOT_ALLOWED else text


def _standing(detail: int) -> str:
    """Where a meter says that its switch stands, and what helps there; a number that no meter of ours says stays one."""
    mode, state = divmod(detail, 256)
    if state >= len(_CONTROL_STATES):
        return f" where it stands ({detail})"
    ready = _CONTROL_STATES[state] == "ready"
    way = ": the button at the meter connects, or a disconnection and then a reconnection" if ready else ""
    return f" in control mode {mode} and state {_CONTROL_STATES[state]}{way}"
