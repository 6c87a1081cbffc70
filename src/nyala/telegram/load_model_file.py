"""The file of a `LoadModel`: JSON with what it was made from, its licence, and the tables with their hash.

    format, epoch, made_from, licence, size_bytes, sha256 (of the table bytes), tables (base64 of zlib of the table bytes)

Table bytes, little-endian, what a module keeps in flash; for each name of `TABLES`:

    u8     models m
    u8     distributions d in the pool
    m      forms
    m * 1640        maps: one byte a context
    2 * (m + 1)     choice: cumulative frequencies, u16, without the closing 65536
    2 * 105 * d     pool, likewise
"""

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from struct import error as struct_error
from struct import pack, unpack_from
from typing import Any, Final
from zlib import compress, decompressobj
from zlib import error as zlib_error

from nyala.telegram.load_model import CONTEXTS, MODELS_MAX, POOL_MAX, TABLES, TOKENS, Form, LoadModel, Tables, is_sound
from nyala.telegram.range_coder import TOTAL
from nyala.vocab.errors import FileError, UnknownError

FORMAT: Final = "nyala load model 1"
EPOCH: Final = 1
"""The model that meters start with."""
EPOCHS: Final = (0, 1)
"""The models in the package: made from the synthetic loads, and from measured ones."""
BYTES_MAX: Final = len(TABLES) * (2 + MODELS_MAX * (CONTEXTS + 3) + 2 + 2 * TOKENS * POOL_MAX)
"""More table bytes than any model has."""


@cache
def model_of_epoch(epoch: int = EPOCH) -> LoadModel:
    """A model of the package; UnknownError for an epoch that is not there."""
    if epoch not in EPOCHS:
        raise UnknownError("epoch of load models", epoch)
    name = f"epoch{epoch}.json"
    return from_text(files("nyala.telegram").joinpath("models", name).read_text("utf-8"), name)


def read_model(path: Path) -> LoadModel:
    """The model in a file; FileError for one that cannot be read or is wrong."""
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise FileError(f"cannot be read: {error}", path=str(path)) from None
    return from_text(text, str(path))


def hash_of(model: LoadModel) -> str:
    """SHA-256 of the table bytes: two ends with the same hash understand each other."""
    return sha256(to_bytes(model.tables)).hexdigest()


def to_text(model: LoadModel) -> str:
    """The text of a file."""
    tables = to_bytes(model.tables)
    document = {
        "format": FORMAT,
        "epoch": model.epoch,
        "made_from": model.made_from,
        "licence": model.licence,
        "size_bytes": len(tables),
        "sha256": sha256(tables).hexdigest(),
        "tables": b64encode(compress(tables, 9)).decode(),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def from_text(text: str, path: str) -> LoadModel:
    """The model of a text; FileError where anything in it is not as it must be.  `path` is for the error."""
    try:
        document: Any = json.loads(text)
        if document["format"] != FORMAT:
            raise FileError(f"format {str(document['format'])[:40]!r} is not {FORMAT!r}", path=path)
        inflate = decompressobj()
        tables = inflate.decompress(b64decode(document["tables"], validate=True), BYTES_MAX)
        epoch, made_from, licence = document["epoch"], document["made_from"], document["licence"]
        said = document["sha256"]
    except (ValueError, KeyError, TypeError, RecursionError, Base64Error, zlib_error) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"no load model: {type(error).__name__} {error}", path=path) from None
    if sha256(tables).hexdigest() != said:
        raise FileError("the tables do not have the hash that the file says", path=path)
    if type(epoch) is not int or epoch < 0 or type(made_from) is not str or type(licence) is not str:
        raise FileError("epoch is a number, made_from and licence are text", path=path)
    return LoadModel(epoch, made_from, licence, from_bytes(tables, path))


def to_bytes(tables: Mapping[str, Tables]) -> bytes:
    """The tables as a module keeps them."""
    out = bytearray()
    for name in TABLES:
        each = tables[name]
        out += bytes([len(each.maps), len(each.pool), *each.forms])
        out += b"".join(each.maps)
        for table in (each.choice, *each.pool):
            out += pack(f"<{len(table) - 1}H", *table[:-1])
    return bytes(out)


def from_bytes(data: bytes, path: str) -> dict[str, Tables]:
    """The tables of `to_bytes`; FileError where they are cut short, too long or no coder can work with them."""
    tables, at = {}, 0
    try:
        for name in TABLES:
            models, pool_size = unpack_from("<BB", data, at)
            forms = tuple(map(Form, unpack_from(f"<{models}B", data, at + 2)))
            at += 2 + models
            maps = tuple(unpack_from(f"{CONTEXTS}s", data, at + CONTEXTS * each)[0] for each in range(models))
            at += CONTEXTS * models
            cumulative = []
            for symbols in (models + 1, *[TOKENS] * pool_size):
                cumulative.append((*unpack_from(f"<{symbols}H", data, at), TOTAL))
                at += 2 * symbols
            tables[name] = Tables(cumulative[0], forms, maps, tuple(cumulative[1:]))
    except (struct_error, ValueError) as error:
        raise FileError(f"tables of {name}: {error}", path=path) from None
    if at != len(data):
        raise FileError(f"{len(data) - at} bytes behind the tables", path=path)
    for name, each in tables.items():
        if not is_sound(each):
            raise FileError(f"tables of {name} are no frequencies", path=path)
    return tables
