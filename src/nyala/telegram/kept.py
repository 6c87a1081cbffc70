"""Bodies of blocks as they are kept: in memory, in a meter's image of what it sent, and in a head-end's store of a window.

    latest            u40, POSIX s of the last reception; 0 where nothing was received
    then for each lead, the one that was used last at the end:
    lead              u8, the first byte of the header
    newest            u32, the highest number of its blocks
    bodies, waiting   u8 each: how many entries follow, in this order; each of them
      number          u8, the low bits: no two that are kept are further apart
      mark            2 bits (`Mark`)
      length          6 bits, then so many bytes

No part of the air.  Big-endian.  An entry is kept as its bytes, so that a window of two days is written by joining them.
"""

from collections.abc import Mapping
from enum import IntEnum
from struct import Struct
from struct import error as struct_error
from typing import Final

from nyala.vocab.errors import TelegramError

LATEST_BYTES: Final = 5
LENGTH_BITS: Final = 6
BODY_MAX: Final = (1 << LENGTH_BITS) - 1
"""Longer bodies are not kept, and so are in no parity: three days of a large house in one frame."""
ENTRY_HEAD: Final = 2
_LEAD: Final = Struct(">BIBB")
_NUMBERS: Final = 256


class Mark(IntEnum):
    """What an entry is.  2 bits."""

    HEARD = 0
    """By a head-end; of a meter: sent."""
    RECOVERED = 1
    """Out of parity."""
    PARITY = 2


def entry(number: int, mark: Mark, body: bytes) -> bytes:
    """A body of at most `BODY_MAX` bytes as it is kept."""
    return bytes((number % _NUMBERS, mark << LENGTH_BITS | len(body))) + body


def mark_of(kept: bytes) -> int:
    """The mark of an entry."""
    return kept[1] >> LENGTH_BITS


class Blocks:
    """Entries of one lead by the number of their block, from `oldest` on: bodies that are known, parities that wait."""

    __slots__ = ("bodies", "oldest", "waiting")

    def __init__(self) -> None:
        self.bodies: dict[int, bytes] = {}
        self.waiting: dict[int, bytes] = {}
        self.oldest = 0

    def forget(self, oldest: int, reach: int = 0) -> None:
        """What is before `oldest` is gone, and the parities that reach `reach` blocks back behind it."""
        if oldest <= self.oldest:
            return
        if oldest - self.oldest > _NUMBERS:
            self.bodies = {number: kept for number, kept in self.bodies.items() if number >= oldest}
            self.waiting = {number: kept for number, kept in self.waiting.items() if number - reach >= oldest}
        for number in range(max(self.oldest, oldest - _NUMBERS), oldest):
            self.bodies.pop(number, None)
            self.waiting.pop(number + reach, None)
        self.oldest = oldest


def write(leads: Mapping[int, Blocks], latest_s: int = 0, most: int | None = None) -> bytes:
    """The bytes; at most `most` of them, where it is said: leads that were used longest ago are left out."""
    parts: list[bytes] = []
    left = None if most is None else most - LATEST_BYTES
    for lead in reversed(list(leads)):
        its = leads[lead]
        if not its.bodies:
            continue
        newest = max((*its.bodies, *its.waiting))
        head = _LEAD.pack(lead, newest, len(its.bodies), len(its.waiting))
        part = b"".join([head, *its.bodies.values(), *its.waiting.values()])
        if left is not None:
            left -= len(part)
            if left < 0:
                break
        parts.append(part)
    return b"".join([latest_s.to_bytes(LATEST_BYTES, "big"), *reversed(parts)])


def read(data: bytes) -> tuple[dict[int, Blocks], int]:
    """What was written: the leads, and the latest reception; no bytes: nothing.  TelegramError for bytes that are cut short."""
    leads: dict[int, Blocks] = {}
    at = LATEST_BYTES
    try:
        while at < len(data):
            lead, newest, bodies, waiting = _LEAD.unpack_from(data, at)
            at += _LEAD.size
            its = leads[lead] = Blocks()
            for place in range(bodies + waiting):
                end = at + ENTRY_HEAD + (data[at + 1] & BODY_MAX)
                if end > len(data):
                    raise TelegramError(f"kept bodies of {len(data)} bytes are cut short")
                found = its.bodies if place < bodies else its.waiting
                found[newest - (newest - data[at]) % _NUMBERS] = data[at:end]
                at = end
    except (struct_error, IndexError):
        raise TelegramError(f"kept bodies of {len(data)} bytes are cut short") from None
    return leads, int.from_bytes(data[:LATEST_BYTES], "big")
