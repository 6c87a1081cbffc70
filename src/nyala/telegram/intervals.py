"""The interval telegram: a run of intervals of one or more energy channels.  Decodes alone; fits 11 bytes for one hour.

    head       `HEAD` on port INTERVALS, `HEAD_FULL` on INTERVALS_FULL
    status     where the head says so: one bit per interval, 1 = without supply in part of it
    then for each channel, until fewer than `BLOCK_BITS` bits are left:
    block      `BLOCK`
    anchor     where the block says so, `ANCHOR_BITS`: the channel's register in whole Wh at the end of the last interval,
               mod 65,536
    values     in whole Wh (varh, VAh), each in so many bits as the block says

The anchor proves the sum: two anchors around a gap below 65 kWh give its energy exactly.  Widths are chosen so that four
intervals of the largest direct-connected meter (100 A at 1.3 Un: 22,425 Wh in 15 min, 15 bits) fit 11 bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from nyala.telegram.bits import BitReader, BitWriter
from nyala.telegram.kinds import PERIODS, Port
from nyala.telegram.layout import Field, Layout, codes_of
from nyala.vocab.errors import BadArgumentError, TelegramError
from nyala.vocab.quantities import Channel

WIDTHS: Final = (0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 20, 32)
"""Bits of a value by its width code."""
INTERVALS_MAX: Final = 16
INDEX_BITS: Final = 12
FULL_INDEX_BITS: Final = 28
ANCHOR_BITS: Final = 16


def _head(index_bits: int, index: str) -> Layout:
    return Layout(
        Field("first", index_bits, f"index of the first interval: its start in POSIX seconds / period, {index}"),
        Field("count", INTERVALS_MAX.bit_length() - 1, "intervals", plus=1),
        Field("period_s", 3, "length of an interval", PERIODS),
        Field("status", 1, "whether status bits follow"),
    )


HEAD: Final = _head(INDEX_BITS, "its low bits: the nearest to the reception is meant")
HEAD_FULL: Final = _head(FULL_INDEX_BITS, "whole")
BLOCK: Final = Layout(
    Field("channel", 3, "which register", codes_of(Channel)),
    Field("anchor", 1, "whether an anchor follows"),
    Field("width", 4, "bits of each value", dict(enumerate(WIDTHS))),
)
BLOCK_BITS: Final = BLOCK.width
"""Bits of a channel's block before anchor and values; padding is always shorter."""
SHORT_REACH: Final = 1 << INDEX_BITS - 1
"""Intervals before or after the time of reception that a short index tells apart."""


@dataclass(frozen=True, slots=True)
class ChannelBlock:
    """Values of one channel; `anchor` is the register mod 65,536 at the end of the last one."""

    values: tuple[int, ...]
    anchor: int | None = None


@dataclass(frozen=True, slots=True)
class Intervals:
    """A run of intervals.  `first` is the absolute index (start in s // period); `outages` index into the run."""

    first: int
    period_s: int
    channels: Mapping[Channel, ChannelBlock]
    outages: frozenset[int] = field(default=frozenset())

    @property
    def count(self) -> int:
        """Intervals in the run."""
        return len(next(iter(self.channels.values())).values)


def _width(values: Sequence[int]) -> int:
    need = max(values).bit_length()
    for width in WIDTHS:
        if width >= need:
            return width
    raise BadArgumentError(f"interval of {max(values)} does not fit {WIDTHS[-1]} bits")


def encode(intervals: Intervals, *, full_index: bool = False) -> bytes:
    """The payload; BadArgumentError for what cannot be said (too many intervals, negative or unequal values)."""
    if not intervals.channels:
        raise BadArgumentError("intervals of no channel")
    count = intervals.count
    if any(not 0 <= place < count for place in intervals.outages):
        raise BadArgumentError(f"outages {sorted(intervals.outages)} outside a run of {count}")
    if not 1 <= count <= INTERVALS_MAX:
        raise BadArgumentError(f"{count} intervals in one telegram; 1 to {INTERVALS_MAX} fit")
    out = BitWriter()
    (HEAD_FULL if full_index else HEAD).put(
        out,
        {
            "first": intervals.first if full_index else intervals.first % (1 << INDEX_BITS),
            "count": count,
            "period_s": intervals.period_s,
            "status": bool(intervals.outages),
        },
    )
    if intervals.outages:
        for i in range(count):
            out.put(int(i in intervals.outages), 1)
    for channel, block in intervals.channels.items():
        if len(block.values) != count:
            raise BadArgumentError(f"{channel.name} has {len(block.values)} of {count} intervals")
        _put_block(out, channel, block)
    return out.to_bytes()


def _put_block(out: BitWriter, channel: Channel, block: ChannelBlock) -> None:
    width = _width(block.values)
    BLOCK.put(out, {"channel": channel, "anchor": block.anchor is not None, "width": width})
    if block.anchor is not None:
        out.put(block.anchor % (1 << ANCHOR_BITS), ANCHOR_BITS)
    for value in block.values:
        out.put(value, width)


def decode(port: Port, payload: bytes, received_s: int) -> Intervals:
    """The intervals of a payload received at `received_s` (UTC); TelegramError for any other bytes."""
    bits = BitReader(payload)
    head = (HEAD_FULL if port is Port.INTERVALS_FULL else HEAD).take(bits)
    index, count, period_s = head["first"], head["count"], head["period_s"]
    outages = frozenset(i for i in range(count) if bits.take(1)) if head["status"] else frozenset()
    channels: dict[Channel, ChannelBlock] = {}
    while bits.left >= BLOCK_BITS:
        block = BLOCK.take(bits)
        channel, width = block["channel"], block["width"]
        if channel in channels:
            raise TelegramError(f"interval telegram with {channel.name} twice")
        anchor = bits.take(ANCHOR_BITS) if block["anchor"] else None
        word, mask = bits.take(width * count), (1 << width) - 1
        values = tuple([word >> width * i & mask for i in range(count - 1, -1, -1)])
        channels[channel] = ChannelBlock(values, anchor)
    bits.expect_padding()
    if not channels:
        raise TelegramError("interval telegram without a channel")
    if port is Port.INTERVALS:
        index = nearest(index, INDEX_BITS, received_s // period_s)
    return Intervals(index, period_s, channels, outages)


def nearest(short: int, bits: int, about: int) -> int:
    """The number nearest to `about` whose low `bits` bits are `short`."""
    half = 1 << bits - 1
    return about + ((short - about + half) % (1 << bits)) - half


def pack(
    first: int,
    period_s: int,
    values: Mapping[Channel, Sequence[int]],
    anchors: Mapping[Channel, int],
    room: int,
    *,
    outages: frozenset[int] = frozenset(),
    full_index: bool = False,
) -> list[bytes]:
    """Payloads of at most `room` bytes that carry a run of intervals of several channels, in order.

    `anchors` are the registers at the end of the run; they go along where they cost no further telegram.  A run that
    does not fit is split in two; BadArgumentError where not even one interval of one channel fits.
    """
    count = len(next(iter(values.values())))
    with_anchor = {channel: ChannelBlock(tuple(row), anchors.get(channel)) for channel, row in values.items()}
    bare = {channel: ChannelBlock(block.values) for channel, block in with_anchor.items()}
    if count <= INTERVALS_MAX:
        for channels in (with_anchor, bare):
            payload = encode(Intervals(first, period_s, channels, outages), full_index=full_index)
            if len(payload) <= room:
                return [payload]
    if len(values) > 1:
        pieces = [({channel: row}, first, outages, anchors) for channel, row in values.items()]
    elif count > 1:
        cut = min((count + 1) // 2, INTERVALS_MAX)
        early = {channel: row[:cut] for channel, row in values.items()}
        late = {channel: row[cut:] for channel, row in values.items()}
        pieces = [
            (early, first, frozenset(i for i in outages if i < cut), {}),
            (late, first + cut, frozenset(i - cut for i in outages if i >= cut), anchors),
        ]
    else:
        raise BadArgumentError(f"one interval does not fit {room} bytes")
    packed: list[bytes] = []
    for piece, start, out, ends in pieces:
        packed += pack(start, period_s, piece, ends, room, outages=out, full_index=full_index)
    return packed
