"""Bits per interval of the arithmetic coder on measured loads that its tables have not seen, and what coding costs in time.

The household set is the test half of `interval_sets`: SimBench profiles H0-G and H0-L, 1 Wh, every interval of 52 weeks, in
frames of 4, 8 and 24, each a body of whole bytes that says its model.  The baseline, on the same frames in the same run,
is the best Rice code of a frame: values or folded differences, parameter by trial, 5 bits to say which, whole bytes.
"""

import time
from collections.abc import Mapping, Sequence
from math import log2
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nyala.sim.loads.interval_sets import SUN, simbench_kinds
from nyala.telegram.load_model import ESCAPE, RAW_BITS, TOKEN_OF, VALUES, LoadModel
from nyala.telegram.load_model_coder import contexts, decode_body, encode_body, setting_of, symbols
from nyala.telegram.load_model_file import EPOCH, EPOCHS, hash_of, model_of_epoch
from nyala.telegram.load_model_kernel import BatchDecoder
from nyala.telegram.range_coder import TOTAL
from nyala.telegram.train import Kind, Series, framed
from nyala.vocab.quantities import Channel

SIZES: Final = (4, 8, 24)
LARGEST: Final = 24
ROUNDS: Final = 25
TIMED_FRAMES: Final = 100
SPARSE: Final = 11
"""Of the channels beside import, every so many frames are coded."""
FULL: Final = (Channel.IMPORT, Channel.EXPORT, Channel.Q1, Channel.Q4)
_RICE_MAX: Final = 20
_RICE_CHOICE_BITS: Final = 5

Frame = Mapping[Channel, list[int]]


def run() -> dict[str, Any]:
    """The benchmark; SurroundingsError where the load data are not installed."""
    model = model_of_epoch(EPOCH)
    kinds = {kind.name: kind for kind in simbench_kinds(test=True)}
    homes, trade, sunny = kinds["single-phase"].series, kinds["three-phase"].series, kinds[SUN].series
    imports = {size: frames(homes, (Channel.IMPORT,), size) for size in SIZES}
    figures: dict[str, float] = {f"bits_per_interval_{size}": bits_of(model, each) for size, each in imports.items()}
    rice = {size: rice_bits(homes, size) for size in SIZES}
    entropy = float(np.mean([ideal_bits(model, frame) for frame in imports[LARGEST]])) / LARGEST
    for epoch in EPOCHS:
        if epoch != EPOCH:
            figures |= {
                f"bits_per_interval_{size}_epoch{epoch}": bits_of(model_of_epoch(epoch), each) for size, each in imports.items()
            }
    figures |= {
        "model_entropy_bits": entropy,
        "ratio_to_entropy_24": figures["bits_per_interval_24"] / entropy,
        **{f"rice_bits_per_interval_{size}": bits for size, bits in rice.items()},
        **{f"ratio_to_rice_{size}": figures[f"bits_per_interval_{size}"] / bits for size, bits in rice.items()},
        "trade_bits_per_interval_24": bits_of(model, frames(trade, (Channel.IMPORT,), LARGEST, SPARSE)),
        "sun_import_export_bits_24": bits_of(model, frames(sunny, FULL[:2], LARGEST, SPARSE)),
        "home_full_bits_24": bits_of(model, frames(homes, FULL, LARGEST, SPARSE)),
        "home_full_bytes_4": bits_of(model, frames(homes, FULL, 4, SPARSE)) / 2,
        "tables_bytes": model.size_bytes,
        "tables_bytes_import": model.tables["import"].size_bytes,
        **times(model, imports[LARGEST]),
    }
    return {
        "bench": "telegram",
        "figures": {name: round(figure, 4) for name, figure in figures.items()},
        "baseline": "the best Rice code of each frame (values or folded differences, parameter by trial, 5 bits to say which, "
        "whole bytes) on the same frames in the same run",
        "conditions": {
            "test_set": "SimBench H0-G, H0-L, whole Wh in 15 min, 52 weeks",
            "tables": f"epoch {EPOCH}: {model.made_from}",
            "sha256": hash_of(model),
            "timed_frames": TIMED_FRAMES,
            "rounds": ROUNDS,
        },
    }


def frames(meters: Sequence[Series], channels: Sequence[Channel], size: int, every: int = 1) -> list[Frame]:
    """Every so many of the frames of some channels."""
    found: list[Frame] = []
    for series in meters:
        rows = [framed(series[channel], size)[::every].tolist() for channel in channels]
        found += [dict(zip(channels, frame, strict=True)) for frame in zip(*rows, strict=True)]
    return found


def bits_of(model: LoadModel, coded: Sequence[Frame]) -> float:
    """Bits per interval of bodies in whole bytes, all channels together."""
    count = len(next(iter(coded[0].values())))
    return 8 * sum(len(encode_body(model, frame)) for frame in coded) / (count * len(coded))


def ideal_bits(model: LoadModel, frame: Frame) -> float:
    """What the best model says that a frame costs: no bytes, no choice, no escapes."""
    total = 0.0
    for channel, row in frame.items():
        setting = setting_of(channel, frame)
        tables = model.tables[setting.tables]
        given = frame[setting.condition] if setting.condition is not None else ()
        costs = []
        for form, places in zip(tables.forms, tables.maps, strict=True):
            said = symbols(row, given, setting, form)
            tokens = [TOKEN_OF[value] if value < VALUES else ESCAPE for value in said]
            bits: float = sum(RAW_BITS[token] for token in tokens)
            for token, place in zip(tokens, contexts(said, given, form), strict=True):
                table = tables.pool[places[place]]
                bits += log2(TOTAL / (table[token + 1] - table[token]))
            costs.append(bits)
        total += min(costs)
    return total


def rice_bits(meters: Sequence[Series], size: int) -> float:
    """Bits per interval of the best Rice code of each frame, in whole bytes."""
    bits = []
    for series in meters:
        rows = framed(series[Channel.IMPORT], size)
        steps = np.diff(rows, axis=1)
        folded = np.hstack([rows[:, :1], np.where(steps >= 0, 2 * steps, -2 * steps - 1)])
        best = np.min([_rice(each, k) for each in (rows, folded) for k in range(_RICE_MAX)], axis=0)
        bits.append(8 * np.ceil((best + _RICE_CHOICE_BITS) / 8))
    return float(np.concatenate(bits).mean()) / size


def _rice(rows: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    cost: NDArray[np.int64] = ((rows >> k) + 1 + k).sum(axis=1)
    return cost


def times(model: LoadModel, coded: Sequence[Frame]) -> dict[str, float]:
    """Microseconds per interval, the best of `ROUNDS`: encoding, decoding one by one, and in a batch of all frames."""
    some = coded[:: max(1, len(coded) // TIMED_FRAMES)]
    bodies = [encode_body(model, frame) for frame in coded]
    few = bodies[:: max(1, len(coded) // TIMED_FRAMES)]
    counts = [LARGEST] * len(bodies)
    batched = BatchDecoder(model)
    batched.decode((Channel.IMPORT,), counts, bodies)
    spent: dict[str, list[float]] = {"encode_us": [], "decode_us": [], "decode_us_batched": []}
    for _ in range(ROUNDS):
        instants = [time.perf_counter()]
        for frame in some:
            encode_body(model, frame)
        instants.append(time.perf_counter())
        for body in few:
            decode_body(model, (Channel.IMPORT,), LARGEST, body)
        instants.append(time.perf_counter())
        batched.decode((Channel.IMPORT,), counts, bodies)
        instants.append(time.perf_counter())
        for name, took, many in zip(spent, np.diff(instants), (some, few, bodies), strict=True):
            spent[name].append(took / len(many) / LARGEST * 1e6)
    return {name: min(each) for name, each in spent.items()}


def cost_by_kind(model: LoadModel, kinds: Sequence[Kind]) -> dict[str, dict[str, float]]:
    """Bits per interval of import by kind of load and size of frame: what a trainer wants to see."""
    return {
        kind.name: {str(size): round(bits_of(model, frames(kind.series, (Channel.IMPORT,), size, SPARSE)), 3) for size in SIZES}
        for kind in kinds
        if kind.series
    }
