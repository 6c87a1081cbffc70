"""The image of a twin's memory: bytes for the modelled memory and for a world that is kept between two runs.

Values in the order of their fields, without names (MessagePack); the frame around it has the checksum.  What a field means
is its class's business: a field that is added to one of them is kept too, and an image of before is refused.
"""

from dataclasses import fields, is_dataclass
from typing import Any, Final, get_args, get_origin, get_type_hints

import msgspec

from nyala.lorawan.crypto import AesKey
from nyala.telegram.parity import SentBodies
from nyala.twin.state import TwinMemory
from nyala.vocab.errors import ForeignError

F_CNT_STEP: Final = 16
"""Uplinks for which one save reserves the counter: a session goes on behind them where the power-fail save did not end."""
SENT_BYTES: Final = 222
"""Of the image for bodies that parity is made of: 18 blocks of an hour of import and export, up to 9 bytes each."""

IN_FLASH: Final = frozenset({"flash", "multicast"})
"""Fields that are no part of the image: they lie in the module's own flash."""


def encode(memory: TwinMemory, *, reserve: int = 0) -> bytes:
    """The image; `reserve` uplinks may yet be sent before the next one."""
    plain = _plain(memory)
    activation = memory.device.activation
    if activation is not None and reserve:
        place = [each.name for each in fields(activation)].index("f_cnt_up")
        plain[0][2][place] += reserve
    return msgspec.msgpack.encode(plain)


def decode(image: bytes) -> TwinMemory:
    """The memory of an image; ForeignError for other bytes, and for an image of other fields."""
    try:
        memory = _made(TwinMemory, msgspec.msgpack.decode(image))
    except (msgspec.MsgspecError, TypeError, ValueError) as error:
        raise ForeignError(f"an image of a module: {error}") from None
    assert isinstance(memory, TwinMemory)
    return memory


def _names(said: Any) -> list[str]:
    """The fields of a dataclass that its image has."""
    return [each.name for each in fields(said) if each.name not in IN_FLASH]


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return [_plain(getattr(value, name)) for name in _names(value)]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, SentBodies):
        return value.kept(SENT_BYTES)
    return value.value if isinstance(value, AesKey) else value


def _made(kind: Any, plain: Any) -> Any:
    arguments = [each for each in get_args(kind) if each is not type(None)]
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{name: _made(hints[name], said) for name, said in zip(_names(kind), plain, strict=True)})
    if kind in (AesKey, SentBodies):
        return kind(plain)
    if isinstance(get_origin(kind), type) and issubclass(get_origin(kind), dict):
        return get_origin(kind)((key, _made(arguments[1], each)) for key, each in plain.items())
    if len(arguments) == 1 and type(None) in get_args(kind):
        return None if plain is None else _made(arguments[0], plain)
    return msgspec.convert(plain, kind)
