"""Data blocks that go to many meters at once: what a block is for, and the header that proves it.  Codec only.

    descriptor   kind u8 in the top 8 of 32 bits, version in the 24 below: what fragmentation (TS004) tells of a session
    block        magic "NYB1", descriptor u32, length u32 of the body, CRC-32 u32 of the body, body (little-endian)

    setting      body of a block of configuration: kind u8, then the setting's own bytes; its version is the block's

Fragmentation of version 1 has no check of its own over a block: the header is ours.  Who may send one is proven by the keys
of its group, not here.
"""

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import Final
from zlib import crc32

from nyala.vocab.errors import BadArgumentError, TelegramError
from nyala.vocab.settings import Setting, SettingBlock

_HEADER: Final = Struct("<4sIII")
MAGIC: Final = b"NYB1"
HEADER_BYTES: Final = _HEADER.size
VERSION_BITS: Final = 24


class BlockKind(IntEnum):
    """What a block is for."""

    FIRMWARE = 1
    """An image of the module's firmware (`firmware`)."""
    CONFIGURATION = 2
    """A setting, the same for many meters: a tariff calendar with the instant from which it holds."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block that is what it says."""

    kind: BlockKind
    version: int
    body: bytes


def descriptor_of(kind: BlockKind, version: int) -> int:
    """The descriptor of a block; BadArgumentError for a version beyond 24 bits."""
    if not 0 <= version < 1 << VERSION_BITS:
        raise BadArgumentError(f"version {version} of a block does not fit {VERSION_BITS} bits")
    return kind << VERSION_BITS | version


def encode_block(block: Block) -> bytes:
    """A block with its header."""
    descriptor = descriptor_of(block.kind, block.version)
    return _HEADER.pack(MAGIC, descriptor, len(block.body), crc32(block.body)) + block.body


def decode_block(descriptor: int, wire: bytes) -> Block:
    """The block that came under a descriptor; TelegramError for one of no known kind, or that is not what it says."""
    kind = descriptor >> VERSION_BITS
    if kind not in set(BlockKind):
        raise TelegramError(f"block {descriptor:08x} is of no known kind")
    if len(wire) < HEADER_BYTES:
        raise TelegramError(f"block {descriptor:08x}: {len(wire)} bytes are no header")
    magic, said, length, check = _HEADER.unpack_from(wire)
    body = wire[HEADER_BYTES:]
    if (magic, said) != (MAGIC, descriptor):
        raise TelegramError(f"block {descriptor:08x}: its header is that of {magic.hex()} {said:08x}")
    if (length, check) != (len(body), crc32(body)):
        raise TelegramError(f"block {descriptor:08x}: {len(body)} bytes with CRC {crc32(body):08x}, not {length}, {check:08x}")
    return Block(BlockKind(kind), descriptor & (1 << VERSION_BITS) - 1, body)


def setting_block(kind: Setting, block: SettingBlock) -> Block:
    """The block that carries a setting."""
    return Block(BlockKind.CONFIGURATION, block.version, bytes([kind]) + block.body)


def setting_of(block: Block) -> tuple[Setting, SettingBlock]:
    """The setting that a block of configuration carries; TelegramError."""
    kind = block.body[0] if block.body else 0
    if kind not in set(Setting):
        raise TelegramError(f"a block of configuration of kind {kind}")
    try:
        return Setting(kind), SettingBlock(block.version, block.body[1:])
    except BadArgumentError as error:
        raise TelegramError(f"a block of configuration: {error}") from None
