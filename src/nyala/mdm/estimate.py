"""Estimation of missing intervals of one channel: first version, bounded by the registers wherever two are known.

Between two known register readings the missing intervals get exactly what is left of their difference, spread evenly, the
remainder in the earliest ones: known and estimated values then sum to the registers to the watt-hour.  Beyond the known
registers a gap gets the mean of its neighbours.  Like-day profiles and proxy meters are not here yet.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nyala.vocab.quality import Quality


def spread(total_wh: int, count: int) -> NDArray[np.int64]:
    """`count` whole values that sum to `total_wh` and differ by at most 1, the larger ones first."""
    each, rest = divmod(total_wh, count)
    values = np.full(count, each, np.int64)
    values[:rest] += 1
    return values


def fill(
    values: NDArray[np.int64], qualities: NDArray[np.uint8], bounds: Sequence[tuple[int, int]]
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The same run of intervals without a gap; what was missing is LINEAR.

    `bounds`: (index, register in Wh at the start of that interval), rising, where known; index len(values) is the end.
    """
    values, qualities = values.copy(), qualities.copy()
    for (start, start_wh), (end, end_wh) in pairwise(bounds):
        missing = start + np.flatnonzero(qualities[start:end] == Quality.MISSING)
        left_wh = end_wh - start_wh - int(values[start:end].sum())
        if missing.size and left_wh >= 0:
            values[missing] = spread(left_wh, int(missing.size))
            qualities[missing] = Quality.LINEAR
    edges = np.flatnonzero(np.diff(np.concatenate(([False], qualities == Quality.MISSING, [False])).astype(np.int8)))
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        neighbours = [int(values[at]) for at in (start - 1, end) if 0 <= at < len(values)]
        values[start:end] = round(sum(neighbours) / len(neighbours)) if neighbours else 0
        qualities[start:end] = Quality.LINEAR
    return values, qualities
