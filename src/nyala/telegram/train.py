"""Makes the frequency tables of `load_model` from load series.  NumPy and floats: runs at the centre, never on a module.

A kind of load (households, trade, somebody's file) gives one model of each setting and form.  What is counted is every
frame at several offsets and of several sizes, at several scales: a home of another size is the most likely home not yet
seen.  Where both forms are there, a frame counts for the one that says it shorter, name of the form included
(`SORTINGS` rounds).  `train_tables` makes tables of the counts.

The same series and seed give the same tables on the same machine; tables, once made, are data.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nyala.telegram.load_model import (
    CLASS_OF,
    CLASSES,
    CONTEXTS,
    ESCAPE,
    FIRST,
    LEVEL_BITS,
    LEVEL_PACE,
    MODELS_MAX,
    RAW_BITS,
    TABLES,
    TOKEN_OF,
    TOKENS,
    VALUES,
    Form,
    LoadModel,
    Setting,
)
from nyala.telegram.load_model_coder import setting_of
from nyala.telegram.train_tables import SHARE_LEAST, Counted, smoothed, tables_of
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quantities import Channel

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Series = Mapping[Channel, Integers]
"""Consecutive intervals of one meter, whole units, by channel."""

SCALES: Final = (1.0, 1.4, 0.7, 0.5, 0.35)
FRAME_SIZES: Final = (24, 8, 4)
OFFSETS: Final = (0, 1, 2, 3)
"""Quarters of a frame by which the counted frames are shifted."""
KINDS_MAX: Final = MODELS_MAX // len(Form)
SORTINGS: Final = 4
_RAW_BITS: Final = np.array([*RAW_BITS[:ESCAPE], 22.0])
"""Bits behind each token; behind ESCAPE it is a guess: 6 and 16."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Series of one kind of load.  `share`: how much of the fleet is of it."""

    name: str
    share: float
    series: Sequence[Series]


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of one size in one form: context and token of each symbol, frames x size."""

    places: NDArray[np.int16]
    tokens: NDArray[np.uint8]

    def counts(self, chosen: NDArray[np.bool_]) -> Floats:
        """Tokens in each context, CONTEXTS x TOKENS, over the chosen frames."""
        cells = self.places[chosen].astype(np.int64) * TOKENS + self.tokens[chosen]
        return np.bincount(cells.ravel(), minlength=CONTEXTS * TOKENS).reshape(CONTEXTS, TOKENS).astype(np.float64)

    def bits(self, cost: Floats) -> Floats:
        """What each frame costs by a table of bits, CONTEXTS x TOKENS."""
        total: Floats = (cost[self.places, self.tokens] + _RAW_BITS[self.tokens]).sum(axis=1)
        return total


def train(kinds: Sequence[Kind], *, epoch: int, made_from: str, licence: str, seed: int = 1) -> LoadModel:
    """A model made from kinds of loads; BadArgumentError for no kind, too many, or a series below two frames."""
    lengths = [len(row) for kind in kinds for series in kind.series for row in series.values()]
    if len(kinds) > KINDS_MAX:
        raise BadArgumentError(f"{len(kinds)} kinds of load; a model holds {KINDS_MAX}")
    if min(lengths, default=0) < 2 * max(FRAME_SIZES):
        raise BadArgumentError(f"a load to train on has at least {2 * max(FRAME_SIZES)} intervals")
    tables = {}
    for name in TABLES:
        counted = [each for kind in kinds for each in _counted(kind, name, np.random.default_rng(seed))]
        tables[name] = tables_of(name, counted)
    return LoadModel(epoch, made_from, licence, tables)


def scaled(series: Series, scale: float, rng: np.random.Generator) -> Series:
    """The series of a meter with `scale` times the load: dithered, so that its grid is whole units again."""
    if scale == 1.0:
        return series
    return {
        channel: np.maximum(0, np.floor(scale * (row + (rng.random(len(row)) - 0.5) * (row > 0)) + 0.5)).astype(np.int64)
        for channel, row in series.items()
    }


def _counted(kind: Kind, name: str, rng: np.random.Generator) -> list[Counted]:
    """The counts of a kind for one name of tables: one of each form, none where it has no such channel."""
    batches = [batch for series in kind.series for scale in SCALES for batch in _batches(scaled(series, scale, rng), name)]
    if not batches:
        return []
    forms = list(batches[0])
    mine = [{form: np.full(len(batch[form].places), form == forms[0] or len(forms) > 1) for form in forms} for batch in batches]
    counts = _sums(batches, mine)
    for _ in range(SORTINGS if len(forms) > 1 else 0):
        costs = {form: -np.log2(smoothed(counts[form])) for form in forms}
        total = sum(each.sum() for each in counts.values())
        says = {form: -np.log2(max(counts[form].sum() / total, SHARE_LEAST)) for form in forms}
        shortest = [np.argmin([batch[form].bits(costs[form]) + says[form] for form in forms], axis=0) for batch in batches]
        mine = [{form: best == at for at, form in enumerate(forms)} for best in shortest]
        counts = _sums(batches, mine)
    total = sum(each.sum() for each in counts.values())
    return [Counted(form, each, kind.share * each.sum() / total) for form, each in counts.items() if each.any()]


def _sums(batches: Sequence[Mapping[Form, Frames]], mine: Sequence[Mapping[Form, NDArray[np.bool_]]]) -> dict[Form, Floats]:
    counts = {form: np.zeros((CONTEXTS, TOKENS)) for form in batches[0]}
    for batch, chosen in zip(batches, mine, strict=True):
        for form, frames in batch.items():
            counts[form] += frames.counts(chosen[form])
    return counts


def _batches(meter: Series, name: str) -> Iterator[dict[Form, Frames]]:
    """All frames of the channels of a meter that are coded by these tables, in each form."""
    for channel in meter:
        setting = setting_of(channel, meter)
        if setting.tables != name:
            continue
        given = None if setting.condition is None else meter[setting.condition]
        for size in FRAME_SIZES:
            for offset in OFFSETS:
                begin = offset * size // len(OFFSETS)
                cut = None if given is None else framed(given[begin:], size)
                yield {form: frames_of(framed(meter[channel][begin:], size), cut, setting, form) for form in forms_of(setting)}


def forms_of(setting: Setting) -> tuple[Form, ...]:
    """Forms that models of a setting have: differences say nothing more where a condition says the size."""
    return (Form.VALUES, Form.DIFFERENCES) if setting.condition is None else (Form.VALUES,)


def framed(row: Integers, size: int) -> Integers:
    """The whole frames of a series, frames x size."""
    return row[: len(row) // size * size].reshape(-1, size)


def frames_of(rows: Integers, given: Integers | None, setting: Setting, form: Form) -> Frames:
    """`load_model_coder.symbols` and `contexts` of many frames at once; what no symbol says counts as the nearest."""
    said = np.maximum(0, rows - given + 1) if setting.excess and given is not None else rows
    if form is Form.DIFFERENCES:
        step = np.diff(said, axis=1)
        said = np.hstack([said[:, :1], np.where(step >= 0, 2 * step, -2 * step - 1)])
    classes = np.frombuffer(CLASS_OF, np.uint8).astype(np.int64)
    capped = np.minimum(said, VALUES - 1)
    tokens = np.where(said < VALUES, np.frombuffer(TOKEN_OF, np.uint8)[capped], np.uint8(ESCAPE))
    before = np.full_like(said, FIRST)
    before[:, 1:] = classes[capped[:, :-1]]
    if given is not None:
        return Frames((before * CLASSES + classes[np.minimum(given, VALUES - 1)]).astype(np.int16), tokens)
    second, level = np.zeros_like(said), capped[:, form] << LEVEL_BITS
    for at in range(form + 1, said.shape[1]):
        second[:, at] = classes[level >> LEVEL_BITS]
        level = level + (((capped[:, at] << LEVEL_BITS) - level) >> LEVEL_PACE)
    return Frames((before * CLASSES + second).astype(np.int16), tokens)
