"""What a meter can be told to be: the kinds of its settings, and a block of one.  Words only.

A block is bytes whose meaning is the meter's business (`meter/settings.py`), with a version that the centre counts up.  Kind,
version and bytes have one checksum, so that no part of an older block passes for one of a newer.
"""

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import Final
from zlib import crc32

from nyala.vocab.errors import BadArgumentError

BODY_MAX: Final = 1_800
"""Bytes of a block: two of the largest, and some small ones, fit the memory of a meter."""
VERSION_MAX: Final = (1 << 16) - 1
_HEAD: Final = Struct(">BH")


class Setting(IntEnum):
    """The kinds of settings, by their codes of 4 bits.  0 is none."""

    CALENDAR = 1
    """Rates over the year, and the instant from which they hold."""
    LIMITER = 2
    BILLING = 3
    """Day and hour of the demand reset."""
    CREDIT = 4
    """Warnings and emergency credit of a prepayment meter."""
    REPORTING = 5
    ZONE = 6
    """Local time minus UTC, of calendar and billing."""


@dataclass(frozen=True, slots=True)
class SettingBlock:
    """A block of one setting."""

    version: int
    body: bytes

    def __post_init__(self) -> None:
        if not 1 <= self.version <= VERSION_MAX:
            raise BadArgumentError(f"version {self.version} of a setting: 1..{VERSION_MAX}")
        if not 1 <= len(self.body) <= BODY_MAX:
            raise BadArgumentError(f"a setting of {len(self.body)} bytes: 1..{BODY_MAX}")


def checksum(kind: int, block: SettingBlock) -> int:
    """The CRC-32 over kind, version and bytes."""
    return crc32(_HEAD.pack(kind, block.version) + block.body)


def short_check(kind: int, block: SettingBlock) -> int:
    """The 16 bits of the checksum that a meter reports."""
    return checksum(kind, block) & 0xFFFF
