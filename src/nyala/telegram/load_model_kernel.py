"""Bodies of many frames to values at once: `load_model_coder.decode_body` as a kernel over arrays, for the head-end.

Same tables, same result, bit for bit; a body that the scalar decoder refuses is not `good` here.  All frames of a batch
carry the same channels; their counts may differ.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nyala.telegram.load_model import (
    CLASS_OF,
    CLASSES,
    CONTEXTS,
    ESCAPE,
    EXACT,
    FIRST,
    LEVEL_BITS,
    LEVEL_PACE,
    MODELS_MAX,
    POOL_MAX,
    RAW_BITS,
    REGISTER_MAX,
    SETTINGS,
    TABLES,
    TOKEN_START,
    TOKENS,
    VALUE_BITS,
    VALUES,
    WIDTH_BITS,
    LoadModel,
)
from nyala.telegram.load_model_coder import COUNT_MAX, setting_of
from nyala.telegram.range_coder import CHUNK_BITS, RANGE_BITS, RENORM, TOTAL, TOTAL_BITS, WHOLE
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.jit import kernel
from nyala.vocab.quantities import Channel

Integers = NDArray[np.int64]
Number = Any
"""An integer of Python or of NumPy: in a kernel they are one."""

_HEAD: Final = RANGE_BITS // 8
_CAP: Final = VALUES - 1
_RAW: Final = np.array(RAW_BITS, np.int64)
_STARTS: Final = np.array(TOKEN_START, np.int64)
_CLASSES: Final = np.frombuffer(CLASS_OF, np.uint8)


@dataclass(frozen=True, slots=True)
class Batch:
    """Values frames x channels x the largest count (0 behind a frame's own count), and whether each body was good."""

    channels: tuple[Channel, ...]
    values: Integers
    good: NDArray[np.bool_]


class BatchDecoder:
    """A model as arrays."""

    def __init__(self, model: LoadModel) -> None:
        shape = len(TABLES), MODELS_MAX
        self._choice = np.full((shape[0], MODELS_MAX + 2), TOTAL, np.int64)
        self._symbols = np.zeros(shape[0], np.int64)
        self._forms = np.zeros(shape, np.int64)
        self._maps = np.zeros((*shape, CONTEXTS), np.uint8)
        self._pool = np.zeros((shape[0], POOL_MAX, TOKENS + 1), np.int64)
        for at, name in enumerate(TABLES):
            tables = model.tables[name]
            models = len(tables.maps)
            self._symbols[at] = models + 1
            self._choice[at, : models + 2] = tables.choice
            self._forms[at, :models] = tables.forms
            self._pool[at, : len(tables.pool)] = tables.pool
            for number, each in enumerate(tables.maps):
                self._maps[at, number] = np.frombuffer(each, np.uint8)

    def decode(self, channels: Iterable[Channel], counts: Sequence[int], bodies: Sequence[bytes]) -> Batch:
        """The values of many bodies, `counts[i]` a channel in `bodies[i]`; BadArgumentError for counts out of range."""
        wanted = set(channels)
        present = tuple(channel for channel in SETTINGS if channel in wanted)
        each = np.array(counts, np.int64)
        if len(each) != len(bodies) or (each.size and not 1 <= each.min() <= each.max() <= COUNT_MAX):
            raise BadArgumentError(f"{len(each)} counts for {len(bodies)} bodies; each is 1 to {COUNT_MAX}")
        values = np.zeros((len(bodies), len(present), int(each.max(initial=0))), np.int64)
        good = np.zeros(len(bodies), np.bool_)
        ends = np.cumsum(np.fromiter(map(len, bodies), np.int64, len(bodies)))
        data = np.frombuffer(b"".join(bodies), np.uint8)
        tables = self._choice, self._symbols, self._forms, self._maps, self._pool
        _decode(data, ends, each, _rows(present), *tables, values, good)
        return Batch(present, values, good)


def _rows(present: tuple[Channel, ...]) -> Integers:
    """For each channel: number of its tables, row of its condition or -1, whether it is coded as excess."""
    settings = [setting_of(channel, present) for channel in present]
    rows = [
        (TABLES.index(each.tables), -1 if each.condition is None else present.index(each.condition), int(each.excess))
        for each in settings
    ]
    return np.array(rows, np.int64).reshape(-1, 3)


@kernel
def _narrowed(code: Number, width: Number, at: Number, end: int, data: NDArray[np.uint8]) -> tuple[Number, Number, Number]:
    """(code, width, at) after bytes have come in."""
    while width < RENORM:
        code = code << 8 | (np.int64(data[at]) if at < end else 0)
        at += 1
        width <<= 8
    return code, width, at


@kernel
def _symbol(
    table: Integers, symbols: int, code: Number, width: Number, at: Number, end: int, data: NDArray[np.uint8]
) -> tuple[Number, Number, Number, Number]:
    """(symbol, code, width, at)."""
    unit = width >> TOTAL_BITS
    place = code // unit
    low, high = 0, symbols
    while high - low > 1:
        middle = (low + high) >> 1
        if table[middle] <= place:
            low = middle
        else:
            high = middle
    first, last = table[low], table[low + 1]
    code -= unit * first
    width = width - unit * first if last == TOTAL else unit * (last - first)
    code, width, at = _narrowed(code, width, at, end, data)
    return low, code, width, at


@kernel
def _uniform(
    bits: Number, code: Number, width: Number, at: Number, end: int, data: NDArray[np.uint8]
) -> tuple[Number, Number, Number, Number]:
    """(number of so many bits, code, width, at)."""
    value = 0
    while bits > 0:
        part = min(bits, CHUNK_BITS)
        bits -= part
        unit = width >> part
        digit = min(code // unit, (1 << part) - 1)
        code = min(code - unit * digit, unit - 1)
        code, width, at = _narrowed(code, unit, at, end, data)
        value = value << part | digit
    return value, code, width, at


@kernel
def _number(
    table: Integers, code: Number, width: Number, at: Number, end: int, data: NDArray[np.uint8]
) -> tuple[Number, Number, Number, Number]:
    """(number behind a token of a table, or -1 for a wrong escape; code, width, at)."""
    token, code, width, at = _symbol(table, TOKENS, code, width, at, end, data)
    if token < EXACT:
        return token, code, width, at
    if token < ESCAPE:
        rest, code, width, at = _uniform(_RAW[token], code, width, at, end, data)
        return _STARTS[token] + rest, code, width, at
    bits, code, width, at = _uniform(WIDTH_BITS, code, width, at, end, data)
    if bits <= VALUE_BITS:
        return -1, code, width, at
    rest, code, width, at = _uniform(bits - 1, code, width, at, end, data)
    return (1 << (bits - 1)) | rest, code, width, at


@kernel
def _channel(
    row: Integers,
    given: Integers,
    has_given: bool,  # noqa: FBT001 - kernels take no keywords
    is_excess: bool,  # noqa: FBT001
    form: int,
    places: NDArray[np.uint8],
    pool: Integers,
    code: Number,
    width: Number,
    at: Number,
    end: int,
    data: NDArray[np.uint8],
) -> tuple[bool, Number, Number, Number]:
    """Fills a row by a model; (whether it is good, code, width, at)."""
    before: Number = FIRST
    level: Number = 0
    second: Number = 0
    for i in range(len(row)):
        if has_given:
            second = np.int64(_CLASSES[min(given[i], _CAP)])
        elif i > form:
            second = np.int64(_CLASSES[level >> LEVEL_BITS])
        number, code, width, at = _number(pool[places[before * CLASSES + second]], code, width, at, end, data)
        if number < 0:
            return False, code, width, at
        capped = min(number, _CAP)
        before = np.int64(_CLASSES[capped])
        level = level + (((capped << LEVEL_BITS) - level) >> LEVEL_PACE) if i > form else capped << LEVEL_BITS
        if form and i:
            number = number >> 1 ^ -(number & 1)
            if number < -row[i - 1] or number > REGISTER_MAX - row[i - 1]:
                return False, code, width, at
            number += row[i - 1]
        row[i] = number
    if is_excess:
        for i in range(len(row)):
            if row[i] - 1 > REGISTER_MAX - given[i] or row[i] - 1 + given[i] < 0:
                return False, code, width, at
            row[i] = row[i] - 1 + given[i]
    return True, code, width, at


@kernel
def _decode(
    data: NDArray[np.uint8],
    ends: Integers,
    counts: Integers,
    rows: Integers,
    choice: Integers,
    symbols: Integers,
    forms: Integers,
    maps: NDArray[np.uint8],
    pool: Integers,
    values: Integers,
    good: NDArray[np.bool_],
) -> None:
    """Fills `values` and `good`; the values of a body that is not good are 0."""
    start = 0
    for frame in range(len(ends)):
        end, count = ends[frame], counts[frame]
        code: Number = 0
        width: Number = WHOLE
        at: Number = start + _HEAD
        for place in range(start, at):
            code = code << 8 | (np.int64(data[place]) if place < end else 0)
        code = min(code, WHOLE - 1)
        fine = True
        for channel in range(len(rows)):
            tables, condition, is_excess = rows[channel, 0], rows[channel, 1], rows[channel, 2] != 0
            row = values[frame, channel, :count]
            model, code, width, at = _symbol(choice[tables], symbols[tables], code, width, at, end, data)
            if model == symbols[tables] - 1:
                bits, code, width, at = _uniform(WIDTH_BITS, code, width, at, end, data)
                for i in range(count):
                    row[i], code, width, at = _uniform(bits, code, width, at, end, data)
                continue
            given = values[frame, max(condition, 0), :count]
            fine, code, width, at = _channel(
                row, given, condition >= 0, is_excess, forms[tables, model], maps[tables, model], pool[tables],
                code, width, at, end, data,
            )  # fmt: skip
            if not fine:
                break
        good[frame] = fine and at >= end
        if not good[frame]:
            values[frame] = 0
        start = end
