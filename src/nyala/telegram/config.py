"""Settings over the air: the parts of a block going down, and what a meter has going up.  Codec only.

`PART` and `REPORT` are the tables.  A block is `vocab.settings`.  Parts are not answered and may come in any order and twice;
the command CONFIG_COMMIT (`messages`) says how long the block is and what its checksum is, and is answered.  Every entry of a
report stands for itself, so that it may be split.  At DR2 a part carries `PART_ROOM` bytes and a report two entries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nyala.telegram.layout import Field, Layout, Repeat
from nyala.vocab.errors import BadArgumentError

PART: Final = Layout(
    Field("setting", 4, "kind of the setting"),
    Field("offset", 12, "place of the first of the bytes in the block"),
    Field("version", 16, "version of the block"),
    repeat=Repeat("data", (Field("byte", 8, "bytes of the block from the offset on"),), 1 << 12),
)
PART_HEADER: Final = PART.width // 8
ROOM_MIN: Final = 11
"""Bytes of a frame at DR2 of AS923-2 with dwell time limit."""
PART_ROOM: Final = ROOM_MIN - PART_HEADER
ENTRIES_MAX: Final = 48
"""Entries of one telegram: what 242 bytes hold."""
_ENTRY: Final = (
    Field("setting", 8, "kind of a setting"),
    Field("version", 16, "version of the block that the meter has; 0: none"),
    Field("check", 16, "low half of its CRC-32"),
)
ENTRY_BYTES: Final = sum(each.width for each in _ENTRY) // 8
REPORT: Final = Layout(repeat=Repeat("entries", _ENTRY, ENTRIES_MAX))
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
    return PART.encode({"setting": part.kind, "offset": part.offset, "version": part.version, "data": part.data})


def decode_part(payload: bytes) -> ConfigPart:
    """A part; TelegramError for one without bytes."""
    said = PART.decode(payload)
    return ConfigPart(said["setting"], said["version"], said["offset"], bytes(said["data"]))


def encode_report(report: ConfigReport) -> bytes:
    """The payload of a report; BadArgumentError for none or too many entries."""
    entries = [{"setting": each.kind, "version": each.version, "check": each.check} for each in report.entries]
    return REPORT.encode({"entries": entries})


def decode_report(payload: bytes) -> ConfigReport:
    """A report; TelegramError where the last entry is not whole, and for none or too many."""
    return ConfigReport(
        tuple(Reported(each["setting"], each["version"], each["check"]) for each in REPORT.decode(payload)["entries"])
    )


def pack_report(entries: Sequence[Reported], room: int) -> list[bytes]:
    """Payloads of at most `room` bytes with all the entries; BadArgumentError where none fits."""
    if room < ENTRY_BYTES:
        raise BadArgumentError(f"a report of settings does not fit {room} bytes")
    step = min(room // ENTRY_BYTES, ENTRIES_MAX)
    return [encode_report(ConfigReport(tuple(entries[at : at + step]))) for at in range(0, len(entries), step)]
