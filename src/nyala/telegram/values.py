"""The values telegram: any quantities of the catalogue at one instant.

bits  field
 2    how the instant is written: 0 minutes mod 16,384 (11 days), 1 seconds mod 16,384 (4.5 h), 2 POSIX seconds
14    the instant, short (0, 1); 32 bits for 2
then for each value, until fewer than `ITEM_MIN_BITS` bits are left:
 8    code of the quantity (`quantities.csv`)
 4    nibbles - 1
4n    the integer, in steps of 10**scaler of its unit; two's complement where the quantity is signed
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from nyala.telegram.bits import BitReader, BitWriter
from nyala.telegram.intervals import nearest
from nyala.vocab.errors import BadArgumentError, TelegramError
from nyala.vocab.quantities import Quantity, by_code, catalogue

SHORT_BITS: Final = 14
ITEM_MIN_BITS: Final = 16
NIBBLES_MAX: Final = 16
_MINUTES, _SECONDS, _POSIX = 0, 1, 2
_SAFE_REACH_S: Final = {_MINUTES: 60 << SHORT_BITS - 2, _SECONDS: 1 << SHORT_BITS - 2}
"""How old an instant may be to be written short: half of what could be told apart."""


@dataclass(frozen=True, slots=True)
class Values:
    """Quantities by name as catalogue integers (physical value = integer * 10**scaler), at an instant in seconds."""

    at_s: int
    values: Mapping[str, int]


def _nibbles(value: int, *, signed: bool) -> int:
    bits = (value if value >= 0 else ~value).bit_length() + signed
    return max((bits + 3) // 4, 1)


def _size(quantity: Quantity, value: int) -> int:
    return 12 + 4 * _nibbles(value, signed=quantity.signed)


def _put_instant(out: BitWriter, at_s: int, now_s: int) -> None:
    age_s = abs(now_s - at_s)
    if at_s % 60 == 0 and age_s < _SAFE_REACH_S[_MINUTES]:
        out.put(_MINUTES, 2)
        out.put(at_s // 60 % (1 << SHORT_BITS), SHORT_BITS)
    elif age_s < _SAFE_REACH_S[_SECONDS]:
        out.put(_SECONDS, 2)
        out.put(at_s % (1 << SHORT_BITS), SHORT_BITS)
    else:
        out.put(_POSIX, 2)
        out.put(at_s, 32)


def encode(values: Values, now_s: int) -> bytes:
    """The payload, sent at `now_s`; BadArgumentError for a quantity or a value that cannot be said."""
    if not values.values:
        raise BadArgumentError("values of no quantity")
    out = BitWriter()
    _put_instant(out, values.at_s, now_s)
    for name, value in values.values.items():
        quantity = catalogue().get(name)
        if quantity is None:
            raise BadArgumentError(f"quantity {name!r} is not in the catalogue")
        nibbles = _nibbles(value, signed=quantity.signed)
        if nibbles > NIBBLES_MAX:
            raise BadArgumentError(f"{name} {value} does not fit 64 bits")
        out.put(quantity.code, 8)
        out.put(nibbles - 1, 4)
        (out.put_signed if quantity.signed else out.put)(value, 4 * nibbles)
    return out.to_bytes()


def decode(payload: bytes, received_s: int) -> Values:
    """The values of a payload received at `received_s` (UTC); TelegramError for any other bytes."""
    bits = BitReader(payload)
    form = bits.take(2)
    if form == _POSIX:
        at_s = bits.take(32)
    elif form == _MINUTES:
        at_s = 60 * nearest(bits.take(SHORT_BITS), SHORT_BITS, received_s // 60)
    elif form == _SECONDS:
        at_s = nearest(bits.take(SHORT_BITS), SHORT_BITS, received_s)
    else:
        raise TelegramError("values telegram with instant form 3")
    values: dict[str, int] = {}
    while bits.left >= ITEM_MIN_BITS:
        code, nibbles = bits.take(8), bits.take(4) + 1
        quantity = by_code().get(code)
        if quantity is None:
            raise TelegramError(f"values telegram with unknown quantity code {code}")
        if quantity.name in values:
            raise TelegramError(f"values telegram with {quantity.name} twice")
        values[quantity.name] = (bits.take_signed if quantity.signed else bits.take)(4 * nibbles)
    bits.expect_padding()
    if not values:
        raise TelegramError("values telegram without a value")
    return Values(at_s, values)


def pack(values: Values, now_s: int, room: int) -> list[bytes]:
    """Payloads of at most `room` bytes that carry all the values, in their order."""
    payloads: list[bytes] = []
    head = BitWriter()
    _put_instant(head, values.at_s, now_s)
    batch: dict[str, int] = {}
    used = head.width
    for name, value in values.values.items():
        if name not in catalogue():
            raise BadArgumentError(f"quantity {name!r} is not in the catalogue")
        size = _size(catalogue()[name], value)
        if head.width + size > 8 * room:
            raise BadArgumentError(f"{name} does not fit {room} bytes")
        if used + size > 8 * room:
            payloads.append(encode(Values(values.at_s, batch), now_s))
            batch, used = {}, head.width
        batch[name] = value
        used += size
    return [*payloads, encode(Values(values.at_s, batch), now_s)] if batch else payloads
