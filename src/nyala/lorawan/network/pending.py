"""What is on its way down: downlinks that wait, uplinks that are still to be answered, frames that a gateway has.  Values."""

from dataclasses import dataclass, field

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.network.port import Downlink, Reception, Transmission


@dataclass(frozen=True, slots=True)
class Window:
    """A receive window of a device, by its delay after the uplink's end."""

    delay_us: int
    frequency_hz: int
    data_rate: int


@dataclass(slots=True, eq=False)
class Waiting:
    """A downlink of the application until its fate is known."""

    downlink: Downlink
    told: bool = False
    """The application knows that it was sent."""
    sends: int = 0
    """How often it was handed to a gateway that did not refuse it."""
    refusals: int = 0
    tried: tuple[int, ...] = ()
    """Gateways that refused it and have not been given another chance."""


@dataclass(slots=True, eq=False)
class Reply:
    """An uplink whose windows may still be used, and what it wants to hear in them."""

    receptions: tuple[Reception, ...]
    windows: tuple[Window, ...]
    over_us: int
    """When the device is surely through with its windows, by the server's clock."""
    answers: tuple[mac.Command, ...] = ()
    acknowledge: bool = False
    must: bool = False
    """The device waits for a downlink, whatever it says."""
    accept: bytes | None = None
    """A join accept: the same bytes in either window."""
    used: bool = False
    """A downlink is in its windows."""
    tried: set[tuple[int, int]] = field(default_factory=set)
    """(gateway, delay) that did not do it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A frame that a gateway has, until it said what became of it."""

    transmission: Transmission
    waiting: Waiting | None
    reply: Reply | None
