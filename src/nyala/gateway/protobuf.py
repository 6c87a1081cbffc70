"""Protocol Buffers wire format, read and written by tables of fields.  Source: protobuf.dev, "Encoding".

A table maps a field number to (name, kind), kind being a scalar or another table.  What a table does not name is skipped,
as the format wants it; a field that is absent has its default, as in proto3.  Not here: groups, packed lists, maps.
"""

import struct
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from nyala.vocab.errors import GatewayError

DEPTH_LIMIT: Final = 8
_VARINT, _I64, _LEN, _I32 = 0, 1, 2, 5
_VARINT_BYTES: Final = 10


class Kind(Enum):
    """Scalar kinds."""

    UINT = "uint"
    INT = "int"
    BOOL = "bool"
    FLOAT = "float"
    STRING = "string"
    BYTES = "bytes"


_WIRE: Final = {
    Kind.UINT: _VARINT,
    Kind.INT: _VARINT,
    Kind.BOOL: _VARINT,
    Kind.FLOAT: _I32,
    Kind.STRING: _LEN,
    Kind.BYTES: _LEN,
}
DEFAULTS: Final[Mapping[Kind, Any]] = {
    Kind.UINT: 0,
    Kind.INT: 0,
    Kind.BOOL: False,
    Kind.FLOAT: 0.0,
    Kind.STRING: "",
    Kind.BYTES: b"",
}
"""What an absent scalar is."""


class Many:
    """A repeated message."""

    def __init__(self, table: "Table") -> None:
        self.table = table


Table = Mapping[int, tuple[str, "Kind | Mapping[int, Any] | Many"]]


def decode(data: bytes, table: Table, depth: int = 0) -> dict[str, Any]:
    """The fields of a message by name; an absent message is None, an absent list empty.  GatewayError for other bytes."""
    if depth > DEPTH_LIMIT:
        raise GatewayError(f"protobuf nested deeper than {DEPTH_LIMIT}")
    message = {name: _default(kind) for name, kind in table.values()}
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        value, at = _value(data, at, key & 7)
        if key >> 3 not in table:
            continue
        name, kind = table[key >> 3]
        wire = _WIRE[kind] if isinstance(kind, Kind) else _LEN
        if key & 7 != wire:
            raise GatewayError(f"protobuf field {name} has wire type {key & 7}, not {wire}")
        if isinstance(kind, Kind):
            message[name] = _scalar(value, kind, name)
        elif isinstance(kind, Many):
            message[name].append(decode(value, kind.table, depth + 1))
        else:
            message[name] = decode(value, kind, depth + 1)
    return message


def _default(kind: Any) -> Any:
    if isinstance(kind, Kind):
        return DEFAULTS[kind]
    return [] if isinstance(kind, Many) else None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(_VARINT_BYTES):
        if at >= len(data):
            break
        octet = data[at]
        at += 1
        value |= (octet & 0x7F) << 7 * shift
        if octet < 0x80:
            return value & (1 << 64) - 1, at
    raise GatewayError("protobuf varint is cut short or too long")


def _value(data: bytes, at: int, wire: int) -> tuple[Any, int]:
    if wire == _VARINT:
        return _varint(data, at)
    if wire == _LEN:
        size, at = _varint(data, at)
    elif wire in (_I64, _I32):
        size = 8 if wire == _I64 else 4
    else:
        raise GatewayError(f"protobuf wire type {wire}")
    if at + size > len(data):
        raise GatewayError(f"protobuf field of {size} bytes is cut short")
    return data[at : at + size], at + size


def _scalar(value: Any, kind: Kind, name: str) -> Any:
    match kind:
        case Kind.UINT:
            return value
        case Kind.INT:
            return value - (1 << 64) if value >> 63 else value
        case Kind.BOOL:
            return bool(value)
        case Kind.FLOAT:
            return struct.unpack("<f", value)[0]
        case Kind.BYTES:
            return value
        case Kind.STRING:
            try:
                return value.decode()
            except UnicodeDecodeError:
                raise GatewayError(f"protobuf field {name} is not UTF-8") from None


def encode(message: Mapping[str, Any], table: Table) -> bytes:
    """The wire form of scalars and messages by name; defaults are left out."""
    out = bytearray()
    for number, (name, kind) in sorted(table.items()):
        value = message.get(name)
        if value is None or value == _default(kind):
            continue
        wire = _WIRE[kind] if isinstance(kind, Kind) else _LEN
        out += _put_varint(number << 3 | wire)
        if isinstance(kind, Kind) and wire == _VARINT:
            out += _put_varint(int(value) & (1 << 64) - 1)
        elif kind is Kind.FLOAT:
            out += struct.pack("<f", value)
        else:
            assert not isinstance(kind, Many)
            body = encode(value, kind) if not isinstance(kind, Kind) else value.encode() if kind is Kind.STRING else value
            out += _put_varint(len(body)) + body
    return bytes(out)


def _put_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
