"""What the device MAC wants done or tells: values, carried out by the layers around it."""

from dataclasses import dataclass
from enum import Enum


class Window(Enum):
    """Where a downlink was received."""

    RX1 = "RX1"
    RX2 = "RX2"
    RXC = "RXC"


@dataclass(frozen=True, slots=True)
class Transmit:
    """Put this frame on the air now."""

    phy: bytes
    frequency_hz: int
    data_rate: int
    eirp_dbm: int


@dataclass(frozen=True, slots=True)
class Sense:
    """Listen on a channel from now to `until_us`, then tell `DeviceMac.sensed` whether nothing was above the threshold."""

    frequency_hz: int
    threshold_dbm: float
    until_us: int


@dataclass(frozen=True, slots=True)
class Joined:
    """A join accept was taken; counters start at 0."""

    dev_addr: int


@dataclass(frozen=True, slots=True)
class NoncesUsedUp:
    """All 65,536 join requests of this JoinEUI are made: the device cannot join any more, and does not try."""


@dataclass(frozen=True, slots=True)
class Received:
    """An application payload for us."""

    port: int
    payload: bytes
    confirmed: bool
    window: Window
    group: int | None = None
    """Address of the multicast group; None: it was for us alone."""


@dataclass(frozen=True, slots=True)
class UplinkDone:
    """The procedure of one uplink has ended.  `acknowledged` is None where no acknowledgement was asked for."""

    token: object
    acknowledged: bool | None
    sent: bool = True
    """False: no channel was free, or it was too late; nothing went on the air."""


@dataclass(frozen=True, slots=True)
class LinkChecked:
    """Answer to a link check."""

    margin_db: int
    gateway_count: int


@dataclass(frozen=True, slots=True)
class TimeReceived:
    """The network's UTC `utc_us` at our own instant `at_us`, the end of the uplink that asked."""

    utc_us: int
    at_us: int


Effect = Transmit | Sense | Joined | NoncesUsedUp | Received | UplinkDone | LinkChecked | TimeReceived
