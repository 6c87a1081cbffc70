"""The world's memory between two runs of the demo: what the meters and their modules keep when nobody simulates them.

One file, written whole and then renamed, so that a kill leaves the old one.  After a run that did not end cleanly the
twins join again, with nonces beyond those that may have been used since the file was written.

What lies in a module's own flash (multicast groups, fragments, staged blocks) is not in the file.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from nyala.meter.bank import Bank
from nyala.meter.keeping import take_whole, whole
from nyala.meter.state import State
from nyala.twin import image
from nyala.twin.device import Twin
from nyala.twin.state import TwinMemory
from nyala.vocab.errors import FileError

VERSION: Final = 4
NONCES_SKIPPED: Final = 64
"""Join requests that a twin can have sent since its memory was saved."""
CONSTANT: Final = (
    "at_switch",
    "next_switch_s",
    "rate",
    "phases",
    "no_load_w",
    "nominal_v",
    "basic_a",
    "maximum_a",
    "starting_a",
)
"""Arrays that are made from the models and the calendars."""
ARRAYS: Final = tuple(name for name in State._fields if name not in {*CONSTANT, "ratings", "around"})
"""Arrays of the bank that the meters remember, and the signal that they stand in; rates are made anew."""


class _Twin(msgspec.Struct):
    module: bytes
    operation: bytes


class _World(msgspec.Struct):
    version: int
    seed: int
    clean: bool
    twins: list[_Twin]


def save(path: Path, bank: Bank, twins: Sequence[Twin], seed: int, *, clean: bool) -> None:
    """Writes the memory of a world."""
    world = _World(VERSION, seed, clean, [_Twin(image.encode(twin.memory), whole(twin.meter.operation)) for twin in twins])
    arrays: dict[str, Any] = {name: getattr(bank.state, name) for name in ARRAYS}
    arrays["world"] = np.frombuffer(msgspec.msgpack.encode(world), np.uint8)
    temporary = path.with_suffix(".new")
    with temporary.open("wb") as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def load(path: Path, bank: Bank, twins: Sequence[Twin]) -> tuple[int, bool]:
    """Puts a saved memory into a bank and its twins; answers (seed, whether it was saved at a clean end).

    FileError for a file of another world, version or kind.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            world = msgspec.msgpack.decode(stored["world"].tobytes(), type=_World)
            arrays = {name: stored[name] for name in ARRAYS}
    except (OSError, KeyError, ValueError, msgspec.MsgspecError) as error:
        raise FileError(f"not a world's memory: {error}", path=str(path)) from None
    if world.version != VERSION or len(world.twins) != len(twins):
        raise FileError(f"memory of version {world.version} and {len(world.twins)} meters does not fit", path=str(path))
    for name, array in arrays.items():
        kept = getattr(bank.state, name)
        if array.shape != kept.shape:
            raise FileError(f"{name} has shape {array.shape}", path=str(path))
        kept[...] = array
    for row, (twin, said) in enumerate(zip(twins, world.twins, strict=True)):
        twin.restore(_memory(said.module, clean=world.clean))
        take_whole(twin.meter.operation, said.operation)
        bank.set_program(row, bank.programs[row])
    return world.seed, world.clean


def _memory(kept: bytes, *, clean: bool) -> TwinMemory:
    memory = image.decode(kept)
    if not clean:
        memory.device.activation = None
        memory.device.dev_nonce += NONCES_SKIPPED
    return memory
