"""The values telegram: any quantities of the catalogue at one instant.

form       `FORM_BITS`: how the instant is written, a code of `FORMS`
instant    in so many bits as the form says
then for each value, until fewer than `ITEM_MIN_BITS` bits are left:
head       `ITEM`
integer    so many nibbles: steps of 10**scaler of its unit; two's complement where the quantity is signed
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from nyala.telegram.bits import BitReader, BitWriter
from nyala.telegram.intervals import nearest
from nyala.telegram.layout import Field, Layout
from nyala.vocab.errors import BadArgumentError, TelegramError
from nyala.vocab.quantities import Quantity, by_code, catalogue

FORM_BITS: Final = 2
SHORT_BITS: Final = 14
POSIX_BITS: Final = 32


@dataclass(frozen=True, slots=True)
class Form:
    """How an instant is written: the low bits of its number of units."""

    name: str
    bits: int
    unit_s: int


FORMS: Final = (Form("minutes", SHORT_BITS, 60), Form("seconds", SHORT_BITS, 1), Form("POSIX", POSIX_BITS, 1))
"""By their codes.  A short one is the nearest to the reception: 11 days of minutes, 4.5 hours of seconds are told apart."""
QUANTITY: Final = Field("quantity", 8, "code of the catalogue", {code: each.name for code, each in by_code().items()})
ITEM: Final = Layout(QUANTITY, Field("nibbles", 4, "4 bits each", plus=1))
ITEM_MIN_BITS: Final = ITEM.width + 4
NIBBLES_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Values:
    """Quantities by name as catalogue integers (physical value = integer * 10**scaler), at an instant in seconds."""

    at_s: int
    values: Mapping[str, int]


def _nibbles(value: int, *, signed: bool) -> int:
    bits = (value if value >= 0 else ~value).bit_length() + signed
    return max((bits + 3) // 4, 1)


def _size(quantity: Quantity, value: int) -> int:
    return ITEM.width + 4 * _nibbles(value, signed=quantity.signed)


def _put_instant(out: BitWriter, at_s: int, now_s: int) -> None:
    for code, form in enumerate(FORMS):
        # Half of what could be told apart, where it could be taken for another.
        short = form.bits == SHORT_BITS
        if not short or (at_s % form.unit_s == 0 and abs(now_s - at_s) < form.unit_s << SHORT_BITS - 2):
            out.put(code, FORM_BITS)
            out.put(at_s // form.unit_s % (1 << SHORT_BITS) if short else at_s, form.bits)
            return


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
        ITEM.put(out, {"quantity": name, "nibbles": nibbles})
        (out.put_signed if quantity.signed else out.put)(value, 4 * nibbles)
    return out.to_bytes()


def decode(payload: bytes, received_s: int) -> Values:
    """The values of a payload received at `received_s` (UTC); TelegramError for any other bytes."""
    bits = BitReader(payload)
    code = bits.take(FORM_BITS)
    if code >= len(FORMS):
        raise TelegramError(f"values telegram with instant form {code}")
    form = FORMS[code]
    said = bits.take(form.bits)
    at_s = form.unit_s * nearest(said, SHORT_BITS, received_s // form.unit_s) if form.bits == SHORT_BITS else said
    values: dict[str, int] = {}
    while bits.left >= ITEM_MIN_BITS:
        item = ITEM.take(bits)
        quantity = catalogue()[item["quantity"]]
        if quantity.name in values:
            raise TelegramError(f"values telegram with {quantity.name} twice")
        values[quantity.name] = (bits.take_signed if quantity.signed else bits.take)(4 * item["nibbles"])
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
