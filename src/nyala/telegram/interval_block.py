"""A periodic frame as one telegram: a block of intervals with its values, for tools and other people's decoders.

The head-end reads frames by their parts (`frames`, `parity`), because a body that is recovered has no frame.  Coded bodies are
read by the tables of the package.  A frame does not say the length of its intervals: `first_of` takes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from nyala.telegram import frames
from nyala.telegram.frame_coder import TableCoder
from nyala.telegram.frame_header import COUNTS, OWN_LIMIT, RAW, Header, resolved
from nyala.telegram.kinds import Port
from nyala.telegram.load_model_file import EPOCHS, model_of_epoch
from nyala.vocab.errors import BadArgumentError, TelegramError
from nyala.vocab.quantities import Channel

EPOCHS_TOLD: Final = 4
"""A header says the epoch of its tables mod 4: of those in the package that share it, the newest is meant."""
BODY_MAX: Final = 242
"""Bytes of the longest payload of any region."""


@dataclass(frozen=True, slots=True)
class IntervalBlock:
    """What a frame says.  `epoch` mod 4; `number` as said, short or `full`; `register` is that of import mod 65,536."""

    epoch: int
    number: int
    rows: Mapping[Channel, tuple[int, ...]]
    coded: bool = True
    full: bool = False
    register: int | None = None
    parity: bytes | None = None
    pending: bool = False
    doubtful: bool = False

    @property
    def count(self) -> int:
        """Intervals of the block."""
        return len(next(iter(self.rows.values())))


@cache
def coder_of(epoch: int) -> TableCoder:
    """The coder of an epoch mod 4; TelegramError where the package has no tables of it."""
    known = [each for each in EPOCHS if each % EPOCHS_TOLD == epoch]
    if not known:
        raise TelegramError(f"intervals by tables of epoch {epoch} mod {EPOCHS_TOLD}; known are {EPOCHS}")
    return TableCoder(model_of_epoch(max(known)))


def encode(block: IntervalBlock) -> tuple[Port, bytes]:
    """Port and payload; BadArgumentError for what no frame says."""
    if not block.rows or {len(row) for row in block.rows.values()} - {block.count} or block.count not in COUNTS:
        raise BadArgumentError(
            f"a block of {sorted(map(len, block.rows.values()))} intervals; its channels have one of {COUNTS}"
        )
    if block.full and block.register is not None:
        raise BadArgumentError("no port says a number in full and a register")
    model, body = _body(block)
    header = Header(
        block.epoch,
        model,
        COUNTS.index(block.count),
        block.number,
        len(body) % OWN_LIMIT,
        block.parity is not None,
        block.pending,
        block.doubtful,
    )
    port = Port.FRAME_FULL if block.full else Port.FRAME if block.register is None else Port.FRAME_SUM
    return port, frames.encode(frames.Frame(header, body, block.register, block.parity), full=block.full)


def _body(block: IntervalBlock) -> tuple[int, bytes]:
    if not block.coded:
        return RAW, frames.encode_raw(block.rows)
    try:
        coded = coder_of(block.epoch).encode_body(block.rows, 8 * BODY_MAX)
    except TelegramError as error:
        raise BadArgumentError(str(error)) from None
    if coded is None:
        raise BadArgumentError(f"{', '.join(each.name for each in block.rows)}: no model says this in {BODY_MAX} bytes")
    return coded


def decode(port: Port, payload: bytes) -> IntervalBlock:
    """The block of a payload; TelegramError for any other bytes, and for tables that are not in the package."""
    full = port is Port.FRAME_FULL
    frame = frames.decode(payload, full=full, has_sum=port is Port.FRAME_SUM)
    header = frame.header
    coder = coder_of(EPOCHS[0] % EPOCHS_TOLD if header.model == RAW else header.epoch)
    rows = frames.rows_of(header.lead, frame.body, coder)
    return IntervalBlock(
        header.epoch,
        header.number,
        rows,
        header.model != RAW,
        full,
        frame.register,
        frame.parity,
        header.pending,
        header.doubtful,
    )


def first_of(block: IntervalBlock, period_s: int, received_s: int) -> int:
    """Absolute index of the first interval of a block received at `received_s`, of intervals of `period_s` seconds."""
    number = block.number
    if not block.full:
        number = resolved(Header(block.epoch, RAW, COUNTS.index(block.count), number, 0), period_s, received_s)
    return number * block.count
