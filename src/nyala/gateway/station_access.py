"""Which stations may connect, and what is different for some: a TOML file of the operator.

    region = "AS923-1"              # name sent to stations instead of the default for the regulation
    [[gateway]]
    eui = "b827ebfffe010203"
    token_sha256 = "9f86d0..."      # of the token in its tc.key: `Authorization: Bearer <token>`
    region = "KR920"                # for this one

Without a file every station may connect, as every packet forwarder may.  Tokens are random and long, so a plain hash keeps
them; the file does not hold what a station needs to connect.
"""

import hmac
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from nyala.gateway.station_config import station_region
from nyala.vocab.errors import BadArgumentError, FileError, UnknownError
from nyala.vocab.identifiers import eui_text, parse_eui

HASH_DIGITS: Final = 64
BEARER: Final = "bearer "


@dataclass(frozen=True, slots=True)
class StationRow:
    """One station: the SHA-256 of its token in hex digits, and its region's name if it is not the network's."""

    token_sha256: str
    region: str | None = None


@dataclass(frozen=True, slots=True)
class StationAccess:
    """Who may connect.  `rows` None: everyone."""

    rows: Mapping[int, StationRow] | None = None
    region: str | None = None

    def __str__(self) -> str:
        return "any station" if self.rows is None else f"{len(self.rows)} with a token"

    def region_of(self, eui: int) -> str | None:
        """The name of the region to send to a station; None: the default."""
        row = None if self.rows is None else self.rows.get(eui)
        return self.region if row is None or row.region is None else row.region

    def admits(self, eui: int, authorization: str) -> bool:
        """Whether a station may connect with this Authorization header (empty: without one)."""
        if self.rows is None:
            return True
        row = self.rows.get(eui)
        token = authorization[len(BEARER) :] if authorization.lower().startswith(BEARER) else authorization
        said = token_hash(token.strip())
        return row is not None and hmac.compare_digest(said, row.token_sha256)


def token_hash(token: str) -> str:
    """What the file holds of a token."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def read_access(path: Path) -> StationAccess:
    """Reads the file; FileError for one that is not of its form."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        return _access(said)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, BadArgumentError, UnknownError) as error:
        raise FileError(str(error), path=str(path)) from None


def _access(said: dict[str, Any]) -> StationAccess:
    rows: dict[int, StationRow] = {}
    _only(said, {"region", "gateway"}, "the file")
    for number, row in enumerate(said.get("gateway", []), start=1):
        where = f"gateway {number}"
        _only(row, {"eui", "token_sha256", "region"}, where)
        eui, token = parse_eui(_text(row, "eui", where)), _text(row, "token_sha256", where).lower()
        if len(token) != HASH_DIGITS or set(token) - set("0123456789abcdef"):
            raise BadArgumentError(f"{where}: token_sha256 must be {HASH_DIGITS} hex digits")
        if eui in rows:
            raise BadArgumentError(f"{where}: {eui_text(eui)} is there twice")
        rows[eui] = StationRow(token, _region(row, where))
    return StationAccess(rows, _region(said, "the file"))


def _only(table: object, keys: set[str], where: str) -> None:
    if not isinstance(table, dict):
        raise BadArgumentError(f"{where} is no table")
    unknown = sorted(set(table) - keys)
    if unknown:
        raise BadArgumentError(f"{where}: unknown settings {', '.join(unknown)}; known are {', '.join(sorted(keys))}")


def _text(table: dict[str, Any], key: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str):
        raise BadArgumentError(f"{where}: {key} must be a text")
    return value


def _region(table: dict[str, Any], where: str) -> str | None:
    return station_region(_text(table, "region", where)).name if "region" in table else None
