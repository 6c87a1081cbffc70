"""The periodic frame: a block of intervals behind its header, fitted to the room there is.  Codec only.

    header            `frame_header`
    2 bytes           import register at the end of the block in whole Wh mod 65,536, where the port says so
    `own` bytes       the body: of a coder, or raw
    what is left      parity of earlier bodies (`parity`), where the header says so

    raw body          channels 8 bits (bit n: channel n), width 6 bits, then the values of each channel in so many bits

What fits goes in this order: the body, the register, parity.  A block that does not fit is sent as smaller blocks, in the
end as one interval of one channel: `value_bits_max` says which value that always holds.  Nothing is cut.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from nyala.telegram.bits import BitReader, BitWriter
from nyala.telegram.frame_header import (
    COUNTS,
    FULL_NUMBER_BITS,
    NUMBER_BITS,
    OWN_LIMIT,
    RAW,
    Header,
    block_number,
    decode_header,
    encode_header,
    header_bytes,
)
from nyala.telegram.parity import SentBodies
from nyala.vocab.errors import BadArgumentError, TelegramError
from nyala.vocab.quantities import Channel

SUM_BYTES: Final = 2
SUM_MODULUS: Final = 1 << 8 * SUM_BYTES
MASK_BITS: Final = 8
WIDTH_BITS: Final = 6
WIDTH_MAX: Final = (1 << WIDTH_BITS) - 1
Rows = Mapping[Channel, Sequence[int]]


class Coder(Protocol):
    """What makes bodies: tables of one epoch.  Trailing zero bytes of a body mean nothing to it."""

    @property
    def epoch(self) -> int:
        """Epoch of the tables; frames say it mod 4."""

    def encode_body(self, run: Rows, room_bits: int) -> tuple[int, bytes] | None:
        """(model id 1-7, body without trailing zero bytes); None where it cannot say these channels in the room."""

    def decode_body(self, model: int, body: bytes, count: int) -> dict[Channel, tuple[int, ...]]:
        """`count` values of each channel; TelegramError for any other bytes."""


@dataclass(frozen=True, slots=True)
class Run:
    """Intervals from the absolute index `first` on; `end_wh` is the import register at the end of the last."""

    first: int
    rows: Rows
    end_wh: int | None = None

    @property
    def count(self) -> int:
        """Intervals in the run."""
        return len(next(iter(self.rows.values())))


@dataclass(frozen=True, slots=True)
class Flags:
    """What every frame tells beside its intervals."""

    pending: bool = False
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """The parts of a frame.  `register` is the import register mod 65,536, `parity` None where there is none."""

    header: Header
    body: bytes
    register: int | None = None
    parity: bytes | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """A payload and what the port has to say of it."""

    payload: bytes
    full: bool
    has_sum: bool


def value_bits_max(room: int, *, full: bool) -> int:
    """Bits of an interval value that a frame of `room` bytes holds whatever the tables; negative: not one."""
    return min(8 * (room - header_bytes(full=full)) - MASK_BITS - WIDTH_BITS, WIDTH_MAX)


# -- raw bodies


def encode_raw(rows: Rows) -> bytes:
    """The body that needs no tables; BadArgumentError for negative values and those beyond 63 bits."""
    if min(map(min, rows.values())) < 0:
        raise BadArgumentError("an interval below 0 is no difference of registers")
    width = max(map(max, rows.values())).bit_length()
    out = BitWriter()
    out.put(sum(1 << channel for channel in rows), MASK_BITS)
    out.put(width, WIDTH_BITS)
    for channel in sorted(rows):
        for value in rows[channel]:
            out.put(value, width)
    return out.to_bytes()


def decode_raw(body: bytes, count: int) -> dict[Channel, tuple[int, ...]]:
    """`count` values of each channel; TelegramError for no channel, missing bits and bits behind the end."""
    bits = BitReader(body)
    mask, width = bits.take(MASK_BITS), bits.take(WIDTH_BITS)
    rows = {channel: tuple([bits.take(width) for _ in range(count)]) for channel in Channel if mask >> channel & 1}
    bits.expect_padding()
    if not rows:
        raise TelegramError("raw intervals of no channel")
    return rows


# -- frames to bytes and back


def encode(frame: Frame, *, full: bool = False) -> bytes:
    """The payload; BadArgumentError for parts that do not agree with the header."""
    if frame.header.own != len(frame.body) % OWN_LIMIT or frame.header.parity != (frame.parity is not None):
        raise BadArgumentError(f"a header of {frame.header.own} bytes, parity {frame.header.parity}, is not that of its parts")
    if frame.parity is not None and len(frame.body) >= OWN_LIMIT:
        raise BadArgumentError(f"no parity can follow a body of {len(frame.body)} bytes")
    register = b"" if frame.register is None else (frame.register % SUM_MODULUS).to_bytes(SUM_BYTES, "big")
    return encode_header(frame.header, full=full) + register + frame.body + (frame.parity or b"")


def decode(payload: bytes, *, full: bool = False, has_sum: bool = False) -> Frame:
    """The parts of a payload; TelegramError where its length is not what the header says."""
    header, at = decode_header(payload, full=full), header_bytes(full=full)
    register = None
    if has_sum:
        if len(payload) < at + SUM_BYTES:
            raise TelegramError(f"frame of {len(payload)} bytes ends within its register")
        register = int.from_bytes(payload[at : at + SUM_BYTES], "big")
        at += SUM_BYTES
    rest = payload[at:]
    if header.parity:
        if len(rest) < header.own:
            raise TelegramError(f"frame of {len(payload)} bytes is too short for a body of {header.own}")
        return Frame(header, rest[: header.own], register, rest[header.own :])
    if len(rest) % OWN_LIMIT != header.own:
        raise TelegramError(f"frame with a body of {len(rest)} bytes where the header says {header.own} mod {OWN_LIMIT}")
    return Frame(header, rest, register)


def rows_of(lead: int, body: bytes, coder: Coder) -> dict[Channel, tuple[int, ...]]:
    """The values of a body that came, or was recovered, under the first byte of a header; TelegramError for any other bytes.

    A coded body of another epoch than the coder's is refused.
    """
    epoch, model, count = lead >> 6, lead >> 3 & 7, COUNTS[lead & 7]
    if model == RAW:
        return decode_raw(body, count)
    if epoch != coder.epoch % 4:
        raise TelegramError(f"intervals by tables of epoch {epoch} mod 4; known is {coder.epoch}")
    return coder.decode_body(model, body, count)


# -- building


def build(
    run: Run, coder: Coder, room: int, sent: SentBodies, flags: Flags = Flags(), *, parity: bool = True, full: bool = False
) -> list[Built]:
    """Frames of at most `room` bytes that carry a run, each interval of each channel once, in order.

    With `parity` and short numbers `sent` gives the earlier bodies and is told of the new ones.  BadArgumentError for no or
    unequal channels, and for a value beyond `value_bits_max`: a frame of 7 bytes holds 18 bits, 262,143 Wh.
    """
    if not run.rows or len({len(row) for row in run.rows.values()}) != 1 or not run.count:
        raise BadArgumentError("a run of no or unequal channels")
    built: list[Built] = []
    for block in blocks(run):
        built += _fit(block, coder, room, sent, flags, parity=parity, full=full)
    return built


def blocks(run: Run, most: int = max(COUNTS)) -> list[Run]:
    """A run as the largest blocks of at most `most` intervals that it holds."""
    parts, at = [], 0
    while at < run.count:
        left = run.count - at
        size = max(each for each in COUNTS if each <= min(left, most) and (run.first + at) % each == 0)
        rows = {channel: row[at : at + size] for channel, row in run.rows.items()}
        at += size
        end_wh = run.end_wh
        if end_wh is not None:
            end_wh = end_wh - sum(run.rows[Channel.IMPORT][at:]) if Channel.IMPORT in run.rows else None
        parts.append(Run(run.first + at - size, rows, end_wh))
    return parts


def _fit(block: Run, coder: Coder, room: int, sent: SentBodies, flags: Flags, *, parity: bool, full: bool) -> list[Built]:
    space = room - header_bytes(full=full)
    coded = coder.encode_body(block.rows, 8 * space)
    if coded is None or len(coded[1]) > space:
        coded = RAW, encode_raw(block.rows)
    if len(coded[1]) <= space:
        return [_frame(block, coded, coder.epoch, space, sent, flags, parity=parity, full=full)]
    if block.count > 1:
        pieces = blocks(block, max(each for each in COUNTS if each < block.count))
    elif len(block.rows) > 1:
        pieces = [
            Run(block.first, {channel: row}, block.end_wh if channel is Channel.IMPORT else None)
            for channel, row in block.rows.items()
        ]
    else:
        raise BadArgumentError(f"an interval of {next(iter(block.rows.values()))[0]} does not fit {room} bytes")
    return [each for piece in pieces for each in _fit(piece, coder, room, sent, flags, parity=parity, full=full)]


def _frame(
    block: Run,
    coded: tuple[int, bytes],
    epoch: int,
    space: int,
    sent: SentBodies,
    flags: Flags,
    *,
    parity: bool,
    full: bool,
) -> Built:
    model, body = coded
    number = block_number(block.first, block.count)
    said = number % (1 << (FULL_NUMBER_BITS if full else NUMBER_BITS))
    header = Header(
        epoch % 4, model, COUNTS.index(block.count), said, len(body) % OWN_LIMIT, False, flags.pending, flags.doubtful
    )
    has_sum = block.end_wh is not None and len(body) + SUM_BYTES <= space
    left = space - len(body) - SUM_BYTES * has_sum
    extra = None
    if parity and model != RAW and not full:
        extra = sent.parity(header.lead, number) if len(body) < OWN_LIMIT else None
        sent.add(header.lead, number, body)
    if extra is not None and len(extra) <= left:
        header = Header(header.epoch, model, header.count, said, header.own, True, flags.pending, flags.doubtful)
    else:
        extra = None
    return Built(encode(Frame(header, body, block.end_wh if has_sum else None, extra), full=full), full, has_sum)


# -- proof by registers


def missing_wh(before: int, after: int, known_wh: int) -> int:
    """Energy between two registers mod 65,536 that no interval tells: exact where it is below 65,536 Wh, 0 proves the sum."""
    return (after - before - known_wh) % SUM_MODULUS
