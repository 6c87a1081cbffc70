"""The gateways that were heard since the start, over whatever protocol: one state each, which lists show and downlinks go by.

An EUI is what a gateway says of itself.  Over Semtech UDP nothing proves it, so the number of gateways has a limit.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from nyala.lorawan.network.port import TxResult

GATEWAYS_MAX: Final = 10_000
"""Gateways whose state is kept: strangers must not fill the memory."""
SILENT_US: Final = 180_000_000
"""A gateway of UDP that did not pull for so long has no way back any more: three keepalives of the slowest kind."""


class Link(StrEnum):
    """The protocols of gateways."""

    SEMTECH_UDP = "semtech-udp"
    STATION = "basics-station"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a gateway says that it stands: degrees, metres."""

    latitude_deg: float
    longitude_deg: float
    altitude_m: float


@dataclass(frozen=True, slots=True)
class Status:
    """A gateway's own counters, as it last told them, since its report before."""

    received_us: int
    rx: int
    rx_ok: int
    rx_forwarded: int
    acknowledged_percent: float
    downlinks: int
    transmitted: int
    temperature_c: float | None = None


@dataclass(slots=True)
class Gateway:
    """One gateway.  `online_us`: when its downlink path was last proven; 0: it has none."""

    eui: int
    link: Link
    last_seen_us: int = 0
    online_us: int = 0
    address: str = ""
    software: str = ""
    """Model and versions, as a station tells them."""
    frames: int = 0
    not_taken: int = 0
    """Frames without a good CRC, of another modulation, or that could not be read."""
    tx: Counter[TxResult] = field(default_factory=Counter)
    tx_warnings: int = 0
    power_down_db: int = 0
    """Asked for so much less, since the forwarder's gain table lacks the full power."""
    status: Status | None = None
    position: Position | None = None

    @property
    def tx_errors(self) -> int:
        """Frames that it did not send, or did not say that it sent."""
        return self.tx.total() - self.tx[TxResult.OK]

    def online(self, now_us: int) -> bool:
        """Whether a downlink can reach it."""
        if self.link is Link.STATION:
            return self.online_us > 0
        return self.online_us > 0 and now_us - self.online_us < SILENT_US


class Gateways(dict[int, Gateway]):
    """All of them, by EUI."""

    def seen(self, eui: int, link: Link, now_us: int) -> Gateway | None:
        """The state of a gateway that is just heard over this protocol; None for a new one beyond the limit."""
        gateway = self.get(eui)
        if gateway is None:
            if len(self) >= GATEWAYS_MAX:
                return None
            gateway = self[eui] = Gateway(eui, link)
        elif gateway.link is not link:
            gateway.link, gateway.online_us = link, 0
        gateway.last_seen_us = now_us
        return gateway
