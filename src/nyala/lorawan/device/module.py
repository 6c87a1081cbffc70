"""What the module shows of itself: its state for the two LEDs, as a transition table.

System and communication LED are driven by it: the system LED says whether there is a network, the communication LED
lights while something is sent or received.  `SENDING` and `RECEIVING` come and go with the air; the others last and move
by `TRANSITIONS`.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final


class ModuleState(Enum):
    """What can be seen from outside."""

    OFF = "off"
    JOINING = "joining"
    JOINED = "joined"
    NO_NETWORK = "no network"
    TRANSMITTING = "transmitting"
    RECEIVING = "receiving"


class Trigger(Enum):
    """What moves it."""

    RESUMED = "resumed"
    """Supply with a session in the memory."""
    JOIN_STARTED = "join started"
    UNANSWERED = "unanswered"
    """One pass of join requests over all data rates, or so many uplinks that the back-off has begun."""
    HEARD = "heard"
    """A join accept, or a class A downlink."""
    SUPPLY_LOST = "supply lost"


_S, _T = ModuleState, Trigger
TRANSITIONS: Final[Mapping[tuple[ModuleState, Trigger], ModuleState]] = {
    (_S.OFF, _T.RESUMED): _S.JOINED,
    (_S.OFF, _T.JOIN_STARTED): _S.JOINING,
    (_S.JOINING, _T.JOIN_STARTED): _S.JOINING,
    (_S.JOINING, _T.UNANSWERED): _S.NO_NETWORK,
    (_S.JOINING, _T.HEARD): _S.JOINED,
    (_S.JOINED, _T.JOIN_STARTED): _S.JOINING,
    (_S.JOINED, _T.UNANSWERED): _S.NO_NETWORK,
    (_S.JOINED, _T.HEARD): _S.JOINED,
    (_S.NO_NETWORK, _T.JOIN_STARTED): _S.JOINING,
    (_S.NO_NETWORK, _T.UNANSWERED): _S.NO_NETWORK,
    (_S.NO_NETWORK, _T.HEARD): _S.JOINED,
    (_S.JOINING, _T.SUPPLY_LOST): _S.OFF,
    (_S.JOINED, _T.SUPPLY_LOST): _S.OFF,
    (_S.NO_NETWORK, _T.SUPPLY_LOST): _S.OFF,
}
"""What lasts.  A pair that is not here cannot happen: a module without supply hears and sends nothing."""
