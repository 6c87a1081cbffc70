"""Settings over the air: the parts of a block going down, and what a meter has going up.  Codec only.

    PART     kind 4, offset 12, version 16, then bytes of the block from this offset on, 1 or more
    REPORT   entries of kind 8, version 16, low half of the checksum 16; version 0: it has none of this kind

A block is `vocab.settings`.  Parts are not answered and may come in any order and twice; the command CONFIG_COMMIT
(`messages`) says how long the block is and what its checksum is, and is answered.  Every entry stands for itself, so that
a report may be split.  At DR2 a part carries `PART_ROOM` bytes and a report two entries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nyala.telegram.bits import BitReader, BitWriter
from nyala.vocab.errors import BadArgumentError, TelegramError

PART_HEADER: Final = 4
ROOM_MIN: Final = 11
"""Bytes of a frame at DR2 of AS923-2 with dwell time limit."""
PART_ROOM: Final = ROOM_MIN - PART_HEADER
ENTRY_BYTES: Final = 5
ENTRIES_MAX: Final = 48
"""Entries of one telegram: what 242 bytes hold."""
OFFSETS: Final = 1 << 12


@dataclass(frozen=True, slots=True)
class ConfigPart:
    """Some bytes of the block of a kind and version, from `offset` on."""

    kind: int
    version: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Reported:
    """What a meter has of one kind; version 0: nothing."""

    kind: int
    version: int
    check: int


@dataclass(frozen=True, slots=True)
class ConfigReport:
    """What a meter has, or some of it."""

    entries: tuple[Reported, ...]


def encode_part(part: ConfigPart) -> bytes:
    """The payload of a part; BadArgumentError for one without bytes."""
    if not part.data:
        raise BadArgumentError("a part of a setting without bytes")
    out = BitWriter()
    out.put(part.kind, 4)
    out.put(part.offset, 12)
    out.put(part.version, 16)
    return out.to_bytes() + part.data


def decode_part(payload: bytes) -> ConfigPart:
    """A part; TelegramError for one without bytes."""
    bits = BitReader(payload[:PART_HEADER])
    kind, offset, version = bits.take(4), bits.take(12), bits.take(16)
    if len(payload) == PART_HEADER:
        raise TelegramError("a part of a setting without bytes")
    return ConfigPart(kind, version, offset, payload[PART_HEADER:])


def encode_report(report: ConfigReport) -> bytes:
    """The payload of a report; BadArgumentError for none or too many entries."""
    if not 1 <= len(report.entries) <= ENTRIES_MAX:
        raise BadArgumentError(f"a report of {len(report.entries)} settings; 1 to {ENTRIES_MAX}")
    out = BitWriter()
    for entry in report.entries:
        out.put(entry.kind, 8)
        out.put(entry.version, 16)
        out.put(entry.check, 16)
    return out.to_bytes()


def decode_report(payload: bytes) -> ConfigReport:
    """A report; TelegramError where the last entry is not whole, and for none or too many."""
    count, rest = divmod(len(payload), ENTRY_BYTES)
    if rest or not 1 <= count <= ENTRIES_MAX:
        raise TelegramError(f"a report of settings of {len(payload)} bytes")
    bits = BitReader(payload)
    return ConfigReport(tuple(Reported(bits.take(8), bits.take(16), bits.take(16)) for _ in range(count)))


def pack_report(entries: Sequence[Reported], room: int) -> list[bytes]:
    """Payloads of at most `room` bytes with all the entries; BadArgumentError where none fits."""
    if room < ENTRY_BYTES:
        raise BadArgumentError(f"a report of settings does not fit {room} bytes")
    step = min(room // ENTRY_BYTES, ENTRIES_MAX)
    return [encode_report(ConfigReport(tuple(entries[at : at + step]))) for at in range(0, len(entries), step)]
