"""Keys at rest: LoRaWAN keys are stored wrapped, under keys that stand in a file beside the database, never in it.

A wrapped key is  id 4 | tag 16 | cipher 16:  AES-256-SIV (RFC 5297, made for this) over the key, with the name of its column
and its device as associated data, so that a blob changed, or moved to another device, is refused.  SIV needs no
nonce: the same key gives the same blob, and no count of blobs is too high.  `id` is the beginning of the SHA-256 of the
wrapping key.

The file has a line of 128 hex digits for each key: the first wraps, all unwrap.  It is `keys` beside an SQLite database, or
where NYALA_KEY_FILE or `--key-file` says; PostgreSQL has no place beside it, so one of the two must say.
"""

import hashlib
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from sqlalchemy import Connection, Engine

from nyala.vocab.errors import SurroundingsError

ENVIRONMENT: Final = "NYALA_KEY_FILE"
OPTION: Final = "nyala_keys"
"""The execution option of an engine that holds its `KeyFile`."""
KEY_BYTES: Final = 64
ID_BYTES: Final = 4
WRAPPED_BYTES: Final = ID_BYTES + 16 + 16
KEYS_MAX: Final = 64
"""Keys of one file: a rotation a month for five years."""
FILE_MODE: Final = 0o600
FOREIGN_EYES: Final = stat.S_IRWXO
"""Who may not read the file: everybody else.  Its group may: secrets are mounted so."""


def key_id(key: bytes) -> bytes:
    """The name of a wrapping key, which says nothing about it."""
    return hashlib.sha256(key).digest()[:ID_BYTES]


class KeyRing:
    """The wrapping keys of a store: the first wraps, all unwrap."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self.current = key_id(keys[0])
        self._ciphers = {key_id(key): AESSIV(key) for key in keys}

    def wrap(self, key: bytes, column: str, dev_eui: str) -> bytes:
        """A key of 16 bytes as it is stored."""
        return self.current + self._ciphers[self.current].encrypt(key, [column.encode(), dev_eui.encode()])

    def unwrap(self, blob: bytes, column: str, dev_eui: str) -> bytes:
        """A key from what is stored; SurroundingsError where it is of another wrapping key, or not as it was written."""
        cipher = self._ciphers.get(blob[:ID_BYTES])
        if cipher is None:
            raise SurroundingsError(
                f"{column} of device {dev_eui} is wrapped under key {blob[:ID_BYTES].hex()}, which the key file does not have "
                f"(its own is {self.current.hex()}): name the right one by --key-file or {ENVIRONMENT}"
            )
        try:
            return cipher.decrypt(blob[ID_BYTES:], [column.encode(), dev_eui.encode()])
        except InvalidTag:
            raise SurroundingsError(f"{column} of device {dev_eui} was changed in the database: it does not unwrap") from None


class KeyFile:
    """Where the wrapping keys of one store are.  Read when they are first needed."""

    def __init__(self, path: Path | None, *, in_memory: bool = False) -> None:
        """`path` None: nobody has said where, which is an error once they are needed; or they live and die in memory."""
        self._path = path
        self._ring = KeyRing([secrets.token_bytes(KEY_BYTES)]) if in_memory else None

    @property
    def ring(self) -> KeyRing:
        """The keys; SurroundingsError where they are not there, or open to everybody."""
        if self._ring is None:
            self._ring = KeyRing(self._read())
        return self._ring

    def make(self) -> None:
        """Makes the file with a first key where there is none."""
        if self._ring is None and not self._place.exists():
            self._write([secrets.token_bytes(KEY_BYTES)], new=True)

    def add(self) -> KeyRing:
        """Puts a new key in front; the older ones stay, for what is wrapped under them."""
        assert self._path is not None
        keys = self._read()
        if len(keys) >= KEYS_MAX:
            raise SurroundingsError(f"key file {self._path} has {KEYS_MAX} keys: take out those that no backup needs")
        self._write([secrets.token_bytes(KEY_BYTES), *keys], new=False)
        self._ring = None
        return self.ring

    @property
    def _place(self) -> Path:
        if self._path is None:
            raise SurroundingsError(f"PostgreSQL: say where the key file is, by --key-file or {ENVIRONMENT}")
        return self._path

    def _read(self) -> list[bytes]:
        path = self._place
        try:
            mode = path.stat().st_mode
            lines = path.read_text(encoding="ascii").split()
            keys = [bytes.fromhex(line) for line in lines]
        except OSError as error:
            raise SurroundingsError(f"key file {path}: {error.strerror}; without it the database cannot be used") from None
        except ValueError:
            raise SurroundingsError(f"key file {path}: not lines of {2 * KEY_BYTES} hex digits") from None
        if mode & FOREIGN_EYES:
            raise SurroundingsError(f"key file {path} is open to everybody (mode {stat.S_IMODE(mode):o}): chmod 600 it")
        if not 1 <= len(keys) <= KEYS_MAX or any(len(key) != KEY_BYTES for key in keys):
            raise SurroundingsError(f"key file {path}: 1 to {KEYS_MAX} lines of {2 * KEY_BYTES} hex digits are expected")
        return keys

    def _write(self, keys: Sequence[bytes], *, new: bool) -> None:
        """Writes the file as a whole; a `new` one that somebody else made meanwhile is left alone."""
        path = self._place
        unfinished = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE), "w") as file:
                file.write("".join(f"{key.hex()}\n" for key in keys))
                file.flush()
                os.fsync(file.fileno())
            if new:
                os.link(unfinished, path)
                unfinished.unlink()
            else:
                unfinished.replace(path)
            folder = os.open(path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        except FileExistsError:
            unfinished.unlink()
        except OSError as error:
            raise SurroundingsError(f"key file {path} cannot be written: {error.strerror}") from None


def key_file(database: str | None, said: str | None, *, sqlite: bool) -> KeyFile:
    """The key file of a database: what was said, else NYALA_KEY_FILE, else `keys` beside an SQLite database."""
    where = said or os.environ.get(ENVIRONMENT)
    if where:
        return KeyFile(Path(where))
    if not sqlite:
        return KeyFile(None)
    if not database or database == ":memory:":
        return KeyFile(None, in_memory=True)
    return KeyFile(Path(database).with_name("keys"))


def key_file_of(engine: Engine | Connection) -> KeyFile:
    """The key file that an engine was opened with."""
    found = engine.get_execution_options()[OPTION]
    assert isinstance(found, KeyFile)
    return found


def ring_of(engine: Engine | Connection) -> KeyRing:
    """The wrapping keys of an engine or a connection."""
    return key_file_of(engine).ring
