"""The world's memory between two runs of the demo: what the meters and their modules keep when nobody simulates them.

One file, written whole and then renamed, so that a kill leaves the old one.  After a run that did not end cleanly the
twins join again, with nonces beyond those that may have been used since the file was written.
"""

import os
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.state import Activation, Channel, DeviceMemory
from nyala.meter.bank import Bank
from nyala.meter.keeping import take_whole, whole
from nyala.meter.state import State
from nyala.telegram.kinds import Result
from nyala.telegram.messages import Answer
from nyala.twin.device import Twin
from nyala.twin.state import TwinMemory
from nyala.vocab.errors import FileError

VERSION: Final = 3
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


class _Channel(msgspec.Struct, array_like=True):
    frequency_hz: int
    data_rate_min: int
    data_rate_max: int
    enabled: bool
    rx1_hz: int | None


class _Activation(msgspec.Struct):
    dev_addr: int
    nwk_s_key: bytes
    app_s_key: bytes
    numbers: dict[str, int]
    channels: dict[int, _Channel]


class _Twin(msgspec.Struct):
    dev_nonce: int
    join_nonce: int
    activation: _Activation | None
    reported_edge: int
    reported_day: int
    event_number: int
    executed: list[tuple[int, int, int, int]]
    operation: bytes


class _World(msgspec.Struct):
    version: int
    seed: int
    clean: bool
    twins: list[_Twin]


_NUMBERS: Final = (
    "f_cnt_up",
    "f_cnt_down",
    "data_rate",
    "tx_power",
    "nb_trans",
    "rx1_dr_offset",
    "rx2_data_rate",
    "rx2_hz",
    "rx_delay_s",
    "uplink_dwell",
    "downlink_dwell",
    "max_eirp_dbm",
    "max_duty_cycle",
    "adr_ack_count",
)


def save(path: Path, bank: Bank, twins: Sequence[Twin], seed: int, *, clean: bool) -> None:
    """Writes the memory of a world."""
    world = _World(VERSION, seed, clean, [_of_twin(twin) for twin in twins])
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
        twin.restore(_memory(said, clean=world.clean))
        take_whole(twin.meter.operation, said.operation)
        bank.set_program(row, bank.programs[row])
    return world.seed, world.clean


def _of_twin(twin: Twin) -> _Twin:
    memory, activation = twin.memory, twin.memory.device.activation
    kept = None
    if activation is not None:
        channels = {
            index: _Channel(c.frequency_hz, c.data_rate_min, c.data_rate_max, c.enabled, c.rx1_hz)
            for index, c in activation.channels.items()
        }
        numbers = {name: int(getattr(activation, name)) for name in _NUMBERS}
        kept = _Activation(activation.dev_addr, activation.nwk_s_key.value, activation.app_s_key.value, numbers, channels)
    executed = [(sequence, a.opcode, int(a.result), a.detail) for sequence, a in memory.executed.items()]
    device = memory.device
    return _Twin(
        device.dev_nonce,
        device.join_nonce,
        kept,
        memory.reported_edge,
        memory.reported_day,
        memory.event_number,
        executed,
        whole(twin.meter.operation),
    )


def _memory(said: _Twin, *, clean: bool) -> TwinMemory:
    activation = None
    if said.activation is not None and clean:
        kept = said.activation
        activation = Activation(
            dev_addr=kept.dev_addr,
            nwk_s_key=AesKey(kept.nwk_s_key),
            app_s_key=AesKey(kept.app_s_key),
            channels={index: Channel(*msgspec.structs.astuple(c)) for index, c in kept.channels.items()},
        )
        for name in _NUMBERS:
            setattr(activation, name, type(getattr(activation, name))(kept.numbers[name]))
    nonce = said.dev_nonce if clean else said.dev_nonce + NONCES_SKIPPED
    executed = OrderedDict((s, Answer(s, opcode, Result(result), detail)) for s, opcode, result, detail in said.executed)
    device = DeviceMemory(nonce, said.join_nonce, activation)
    return TwinMemory(device, said.reported_edge, said.reported_day, said.event_number, executed)
