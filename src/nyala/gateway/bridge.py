"""What a bridge to another network server says and takes: values, and the names of what a dialect must do.

A dialect (`chirpstack`, `things_stack`) is pure: topics and payloads to news, downlinks to topics and payloads.  The shell
around it is `mqtt`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, Protocol

from nyala.lorawan.network.port import AppUplink, Downlink, Fate
from nyala.vocab.errors import GatewayError
from nyala.vocab.time import US_PER_S

DEVICES_MAX: Final = 200_000
"""Devices whose way a dialect remembers."""
DETAIL_MAX: Final = 200
"""Characters of a foreign text that are told."""
_NANOSECONDS: Final = re.compile(r"(\.\d{6})\d+")


class NoteKind(StrEnum):
    """What else another server tells of a device; each is counted under this name."""

    JOINED = "joined"
    STATUS = "status"
    WARNING = "warning"
    EMPTY = "empty"
    """An uplink without an application payload."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something about a device that has no effect on readings.  `detail` is one line for a log."""

    kind: NoteKind
    dev_eui: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ItemFate:
    """What became of a downlink that was handed over as `item`."""

    dev_eui: int
    item: str
    fate: Fate


News = AppUplink | Note | ItemFate


class Dialect(Protocol):
    """How one kind of network server speaks."""

    name: str
    topics: Sequence[str]
    """Filters to subscribe to."""

    def decode(self, topic: str, payload: bytes, now_us: int) -> list[News]:
        """What a message says; GatewayError for one that is not this server's.  `now_us` where it has no time of its own."""

    def encode(self, downlink: Downlink, item: str) -> tuple[str, bytes] | None:
        """Topic and payload that hand a downlink over; None where it is not known yet how to reach the device."""


def instant_us(text: str, now_us: int) -> int:
    """An RFC 3339 text, also with nanoseconds, in microseconds UTC; `now_us` where it is empty."""
    if not text:
        return now_us
    try:
        instant = datetime.fromisoformat(_NANOSECONDS.sub(r"\1", text))
    except ValueError:
        raise GatewayError(f"{text[:DETAIL_MAX]!r} is no instant") from None
    if instant.tzinfo is None:
        raise GatewayError(f"{text[:DETAIL_MAX]!r} has no zone")
    return int(instant.astimezone(UTC).replace(microsecond=0).timestamp()) * US_PER_S + instant.microsecond
