"""Interval values of several channels to bytes and back, by the tables of a `LoadModel`.  No state across frames.

    channels in the order of `SETTINGS`; for each of them
      choice    the model, or plain
      plain     6 bits: width; then each value in so many bits
      model     for each value: its token in its context, then its raw low bits;
                behind an ESCAPE 6 bits: the number of bits of the value; then all but the highest

Which channels, how many values and which tables (`epoch`) are not said here: the telegram says it.  The size of a body is
at most `size_max`, whatever the values.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import ceil, log2
from typing import Final

from nyala.telegram.load_model import (
    ALONE,
    CLASS_OF,
    CLASSES,
    ESCAPE,
    EXACT,
    FIRST,
    LEVEL_BITS,
    LEVEL_PACE,
    RAW_BITS,
    REGISTER_MAX,
    SETTINGS,
    TOKEN_OF,
    TOKEN_START,
    VALUE_BITS,
    VALUES,
    WIDTH_BITS,
    Form,
    LoadModel,
    Setting,
    Tables,
)
from nyala.telegram.range_coder import CHUNK_BITS, LOSS_BITS, TOTAL, Decoder, Encoder
from nyala.vocab.errors import BadArgumentError, TelegramError
from nyala.vocab.quantities import Channel

COUNT_MAX: Final = 96
"""Values of a channel in one body: a day of quarter hours."""
_CAP: Final = VALUES - 1
_NONE: Final[tuple[int, ...]] = ()


def setting_of(channel: Channel, channels: Iterable[Channel]) -> Setting:
    """How a channel is seen in a frame of these channels."""
    setting = SETTINGS[channel]
    return setting if setting.condition is None or setting.condition in channels else ALONE


def encode_body(model: LoadModel, values: Mapping[Channel, Sequence[int]]) -> bytes:
    """The body of a frame; BadArgumentError for channels of unequal or no length, and values that no register holds."""
    encoder = Encoder()
    write(encoder, model, values)
    return encoder.finish()


def decode_body(model: LoadModel, channels: Iterable[Channel], count: int, body: bytes) -> dict[Channel, tuple[int, ...]]:
    """The values of a body, `count` of each channel; TelegramError where it is too long or says what no register holds."""
    decoder = Decoder(body)
    values = read(decoder, model, channels, count)
    if decoder.excess:
        raise TelegramError(f"{decoder.excess} bytes behind the intervals of a telegram of {len(body)} bytes")
    return values


def size_max(model: LoadModel, channels: Iterable[Channel], count: int, width: int) -> int:
    """Bytes that a body of `count` values of at most `width` bits a channel never exceeds: what it costs in plain bits."""
    bits = 0.0
    for channel in (present := list(channels)):
        choice = model.tables[setting_of(channel, present).tables].choice
        plain = log2(TOTAL / (choice[-1] - choice[-2]))
        puts = 2 + count * -(-width // CHUNK_BITS)
        bits += plain + WIDTH_BITS + count * width + puts * LOSS_BITS
    return ceil(bits / 8)


def write(encoder: Encoder, model: LoadModel, values: Mapping[Channel, Sequence[int]]) -> None:
    """Puts the values behind what is there already, so that header and body share a byte."""
    _check(values)
    for channel in SETTINGS:
        if channel in values:
            setting = setting_of(channel, values)
            given = values[setting.condition] if setting.condition is not None else _NONE
            _write_channel(encoder, model.tables[setting.tables], setting, values[channel], given)


def read(decoder: Decoder, model: LoadModel, channels: Iterable[Channel], count: int) -> dict[Channel, tuple[int, ...]]:
    """Takes what `write` put; TelegramError for values that no register holds, BadArgumentError for a count out of range."""
    if not 1 <= count <= COUNT_MAX:
        raise BadArgumentError(f"{count} intervals of a channel; 1 to {COUNT_MAX} are in a body")
    present = set(channels)
    values: dict[Channel, tuple[int, ...]] = {}
    for channel in SETTINGS:
        if channel in present:
            setting = setting_of(channel, present)
            given = values[setting.condition] if setting.condition is not None else _NONE
            values[channel] = _read_channel(decoder, model.tables[setting.tables], setting, count, given)
    return values


def _check(values: Mapping[Channel, Sequence[int]]) -> None:
    counts = {len(row) for row in values.values()}
    if len(counts) != 1 or not 1 <= min(counts) <= COUNT_MAX:
        raise BadArgumentError(f"channels of {sorted(counts)} intervals; each has the same, 1 to {COUNT_MAX}")
    for channel, row in values.items():
        if min(row) < 0 or max(row) > REGISTER_MAX:
            raise BadArgumentError(f"interval of {min(row)} to {max(row)} of {channel.name} is no difference of registers")


def symbols(row: Sequence[int], given: Sequence[int], setting: Setting, form: Form) -> Sequence[int]:
    """The numbers that a model of a form says of a channel; some are negative or too large where it cannot say them."""
    if setting.excess:
        # Never below -1 for values of a meter, where both are cut to whole units.
        row = [value - base + 1 for value, base in zip(row, given, strict=True)]
    if form is Form.VALUES:
        return row
    steps = [after - before for before, after in pairwise(row)]
    return [row[0], *[2 * step if step >= 0 else -2 * step - 1 for step in steps]]


def contexts(said: Sequence[int], given: Sequence[int], form: Form) -> list[int]:
    """The context of each symbol of a channel; `given` are the values of its condition, if it has one."""
    places, before, level, second = [], FIRST, 0, 0
    for at, value in enumerate(said):
        if given:
            second = CLASS_OF[min(given[at], _CAP)]
        elif at > form:
            second = CLASS_OF[level >> LEVEL_BITS]
        places.append(before * CLASSES + second)
        capped = min(value, _CAP)
        before = CLASS_OF[capped]
        level = level + (((capped << LEVEL_BITS) - level) >> LEVEL_PACE) if at > form else capped << LEVEL_BITS
    return places


def _write_channel(encoder: Encoder, tables: Tables, setting: Setting, row: Sequence[int], given: Sequence[int]) -> None:
    """Writes a channel in the shortest of all ways."""
    best = encoder.fork()
    best.put(tables.choice, tables.plain)
    width = max(row).bit_length()
    best.put_bits(width, WIDTH_BITS)
    for value in row:
        best.put_bits(value, width)
    for form in sorted(set(tables.forms)):
        said = symbols(row, given, setting, form)
        if min(said) < 0 or max(said) > REGISTER_MAX:
            continue
        places = contexts(said, given, form)
        tokens = [TOKEN_OF[value] if value < VALUES else ESCAPE for value in said]
        bits = [RAW_BITS[token] for token in tokens]
        rests = [value - TOKEN_START[token] for token, value in zip(tokens, said, strict=True)]
        put = _put_with_escapes if ESCAPE in tokens else Encoder.put_each
        for at, (its_form, place_in_pool) in enumerate(zip(tables.forms, tables.maps, strict=True)):
            if its_form is form:
                trial = encoder.fork()
                trial.put(tables.choice, at)
                seen = [tables.pool[place_in_pool[place]] for place in places]
                put(trial, zip(seen, tokens, rests, bits, strict=True))
                if trial.is_shorter(best):
                    best = trial
    encoder.low, encoder.width, encoder.shift = best.low, best.width, best.shift


def _put_with_escapes(encoder: Encoder, steps: Iterable[tuple[Sequence[int], int, int, int]]) -> None:
    for step in steps:
        encoder.put_each((step,))
        if step[1] == ESCAPE:
            value = step[2] + VALUES
            bits = value.bit_length()
            encoder.put_bits(bits, WIDTH_BITS)
            encoder.put_bits(value - (1 << bits - 1), bits - 1)


def _read_channel(decoder: Decoder, tables: Tables, setting: Setting, count: int, given: Sequence[int]) -> tuple[int, ...]:
    choice = decoder.take(tables.choice)
    if choice == tables.plain:
        width = decoder.take_bits(WIDTH_BITS)
        return tuple([decoder.take_bits(width) for _ in range(count)])
    form, place_in_pool, pool = tables.forms[choice], tables.maps[choice], tables.pool
    row: list[int] = []
    before, level, second = FIRST, 0, 0
    for at in range(count):
        if given:
            second = CLASS_OF[min(given[at], _CAP)]
        elif at > form:
            second = CLASS_OF[level >> LEVEL_BITS]
        said = decoder.take(pool[place_in_pool[before * CLASSES + second]])
        if said >= EXACT:
            said = _read_rest(decoder, said)
        capped = min(said, _CAP)
        before = CLASS_OF[capped]
        level = level + (((capped << LEVEL_BITS) - level) >> LEVEL_PACE) if at > form else capped << LEVEL_BITS
        row.append(row[-1] + (said >> 1 ^ -(said & 1)) if form and row else said)
    _expect_registers(row)
    if setting.excess:
        row = [value + base - 1 for value, base in zip(row, given, strict=True)]
        _expect_registers(row)
    return tuple(row)


def _expect_registers(row: Sequence[int]) -> None:
    if min(row) < 0 or max(row) > REGISTER_MAX:
        raise TelegramError(f"interval of {min(row)} to {max(row)}: no difference of registers")


def _read_rest(decoder: Decoder, token: int) -> int:
    if token != ESCAPE:
        return TOKEN_START[token] + decoder.take_bits(RAW_BITS[token])
    bits = decoder.take_bits(WIDTH_BITS)
    if bits <= VALUE_BITS:
        raise TelegramError(f"escaped interval of {bits} bits")
    return (1 << bits - 1) | decoder.take_bits(bits - 1)
