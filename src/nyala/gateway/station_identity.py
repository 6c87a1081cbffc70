"""How Basics Station writes EUIs: its own as ID6 (`b827:ebff:fe01:203`, `::1`), those of devices with dashes.

ID6 is four groups of 16 bits in hexadecimal without leading zeros, of which `::` replaces a run of zeros, as in IPv6.
"""

from typing import Final

from nyala.vocab.errors import BadArgumentError, GatewayError
from nyala.vocab.identifiers import parse_eui

ID6_GROUPS: Final = 4
EUI_LIMIT: Final = 1 << 64


def router_eui(said: str | int) -> int:
    """A station's identity as it may be written: ID6 (`b827:ebff:fe01:203`, `::1`), EUI-64, or a number."""
    if isinstance(said, int):
        if not -(EUI_LIMIT >> 1) <= said < EUI_LIMIT:
            raise GatewayError(f"station identity {said} has more than 64 bits")
        return said % EUI_LIMIT
    return _id6(said) if 0 < said.count(":") < ID6_GROUPS or said == "::" else eui_of(said)


def eui_of(text: str) -> int:
    """An EUI-64 in 16 hex digits, with or without dashes; GatewayError otherwise."""
    try:
        return parse_eui(text)
    except BadArgumentError as error:
        raise GatewayError(str(error)) from None


def _id6(text: str) -> int:
    head, gap, tail = text.partition("::")
    left, right = ([group for group in part.split(":") if part] for part in (head, tail))
    missing = ID6_GROUPS - len(left) - len(right)
    if "::" in tail or missing < 0:
        raise GatewayError(f"not an identity of a station: {text!r}")
    groups = [*left, *["0"] * missing, *right] if gap else [*["0"] * missing, *left]
    eui = 0
    for group in groups:
        if not 1 <= len(group) <= 4 or not all(digit in "0123456789abcdefABCDEF" for digit in group):
            raise GatewayError(f"not an identity of a station: {text!r}")
        eui = eui << 16 | int(group, 16)
    return eui


def id6_text(eui: int) -> str:
    """An EUI-64 as stations write identities."""
    groups = [f"{eui >> shift & 0xFFFF:x}" for shift in (48, 32, 16, 0)]
    match [group == "0" for group in groups]:
        case [True, True, True, _]:
            return f"::{groups[3]}"
        case [True, True, False, _]:
            return f"::{groups[2]}:{groups[3]}"
        case [_, True, True, True]:
            return f"{groups[0]}::"
        case [_, _, True, True]:
            return f"{groups[0]}:{groups[1]}::"
        case [_, True, True, _]:
            return f"{groups[0]}::{groups[3]}"
        case _:
            return ":".join(groups)


def dashed_eui(eui: int) -> str:
    """An EUI-64 as stations write those of devices: `91-A2-B3-C4-D5-E6-F7-08`."""
    return eui.to_bytes(8, "big").hex("-").upper()
