"""Counts of tokens to tables: smoothing, a pool of distributions, whole frequencies.  The second half of `train`.

Counts are smoothed towards those of the same class of the symbol before, and these towards all of the model.  The
contexts of all models of a setting are then gathered around a pool: k-means by the bits that a context loses, a model
weighed by the root of its share, so that the rare ones keep distributions of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nyala.telegram.load_model import CLASSES, CONTEXTS, TOKENS, Form, Tables
from nyala.telegram.range_coder import TOTAL

Floats = NDArray[np.float64]

POOL_SIZES: Final[Mapping[str, int]] = {"import": 64, "export": 24, "reactive": 32, "other_reactive": 16, "apparent": 24}
ROUNDS: Final = 16
PULL_OF_CLASS: Final = 40.0
"""Counts that the class of the symbol before is worth in one context."""
PULL_OF_ALL: Final = 30.0
FLOOR: Final = 0.02
"""Count of a token that was never seen."""
PLAIN_SHARE: Final = 2.0**-9
"""How often plain bits are expected: they cost nine bits."""
SHARE_LEAST: Final = 2.0**-7
"""No model is less likely than that, however few of its meters were in training."""


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Tokens in each context, CONTEXTS x TOKENS, of one kind of load in one form; `share` of the fleet's frames."""

    form: Form
    counts: Floats
    share: float


def tables_of(name: str, counted: Sequence[Counted]) -> Tables:
    """The tables of a setting; without a model where nothing was counted: plain bits alone."""
    if not counted:
        return Tables((0, TOTAL), (), (), (whole(np.ones(TOKENS)),))
    likely = np.concatenate([smoothed(each.counts) for each in counted])
    weights = np.concatenate([each.counts.sum(1) * sqrt(each.share) / each.counts.sum() for each in counted])
    pool, nearest = gathered(likely, weights, POOL_SIZES[name])
    choice = [max(each.share, SHARE_LEAST) for each in counted]
    return Tables(
        choice=whole(np.array([*choice, sum(choice) * PLAIN_SHARE])),
        forms=tuple(each.form for each in counted),
        maps=tuple(bytes(part.astype(np.uint8)) for part in nearest.reshape(-1, CONTEXTS)),
        pool=tuple(whole(each) for each in pool),
    )


def smoothed(counts: Floats) -> Floats:
    """Probabilities of the tokens in each context."""
    everywhere = counts.sum(0) + FLOOR
    everywhere /= everywhere.sum()
    by_class = counts.reshape(CLASSES + 1, CLASSES, TOKENS).sum(1)
    by_class = (by_class + PULL_OF_ALL * everywhere) / (by_class.sum(1, keepdims=True) + PULL_OF_ALL)
    pull = PULL_OF_CLASS * np.repeat(by_class, CLASSES, axis=0)
    likely: Floats = (counts + pull) / (counts.sum(1, keepdims=True) + PULL_OF_CLASS)
    return likely


def gathered(likely: Floats, weights: Floats, size: int) -> tuple[Floats, NDArray[np.intp]]:
    """(pool, place of the nearest of the pool for each context): k-means from the heaviest contexts on."""
    weights = weights + 1e-9 * weights.sum()
    pool = likely[np.argsort(-weights, kind="stable")[:size]]
    for _ in range(ROUNDS):
        nearest = np.argmax(likely @ np.log(pool).T, axis=1)
        for at in range(len(pool)):
            mine = nearest == at
            if mine.any():
                pool[at] = weights[mine] @ likely[mine] / weights[mine].sum()
    return pool, np.argmax(likely @ np.log(pool).T, axis=1)


def whole(likely: Floats) -> tuple[int, ...]:
    """Cumulative frequencies (0, ..., 65536) nearest to these weights; each symbol has at least one."""
    share = likely / likely.sum()
    frequencies = 1 + np.floor(share * (TOTAL - len(share))).astype(np.int64)
    frequencies[np.argmax(frequencies)] += TOTAL - frequencies.sum()
    return (0, *np.cumsum(frequencies).tolist())
