"""Identifiers as they are written: EUI-64, AES keys, meter serial numbers.  Bytes here are most significant first."""

import re

from nyala.vocab.errors import BadArgumentError

EUI_BYTES = 8
KEY_BYTES = 16
_SERIAL = re.compile(r"[A-Z0-9][A-Z0-9._-]{2,31}")


def _hex_bytes(what: str, text: str, size: int) -> bytes:
    plain = text.replace("-", "").replace(":", "").replace(" ", "")
    try:
        value = bytes.fromhex(plain)
    except ValueError as error:
        raise BadArgumentError(f"{what} is not hexadecimal: {text!r}") from error
    if len(value) != size:
        raise BadArgumentError(f"{what} takes {size} bytes, got {len(value)}: {text!r}")
    return value


def parse_eui(text: str, what: str = "EUI") -> int:
    """An EUI-64 written as 16 hex digits, with or without `-`, `:` or spaces, as an integer."""
    return int.from_bytes(_hex_bytes(what, text, EUI_BYTES), "big")


def eui_text(eui: int) -> str:
    """An EUI-64 as 16 lower-case hex digits."""
    return f"{eui:016x}"


def parse_key(text: str, what: str = "key") -> bytes:
    """A 128-bit key written as 32 hex digits.  The message of an error names the key, never its digits."""
    try:
        return _hex_bytes(what, text, KEY_BYTES)
    except BadArgumentError:
        raise BadArgumentError(f"{what} must be {2 * KEY_BYTES} hex digits") from None


def parse_serial(text: str) -> str:
    """A meter serial number: 3 to 32 of A-Z, 0-9, `.`, `_`, `-`, upper-cased."""
    serial = text.strip().upper()
    if not _SERIAL.fullmatch(serial):
        raise BadArgumentError(f"serial number must be 3 to 32 letters, digits, '.', '_' or '-': {text!r}")
    return serial
