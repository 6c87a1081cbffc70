"""Repair without a downlink: each frame carries its own data and the XOR of three earlier frames; a peeling decoder.

Nothing is decoded here: frames are received or not, data are known or not.  Law of Luby et al. (1997): an equation with one
unknown gives it; repeat until nothing moves.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from nyala.vocab.jit import kernel

Bools = NDArray[np.bool_]
DISTANCES: Final = (3, 7, 17)
"""How far back the frames lie that a frame repairs: spread, so that a burst does not take them all."""


def repaired(received: Bools, parity: Bools, distances: tuple[int, ...] = DISTANCES) -> Bools:
    """Meters x blocks whose data are known when the last frame is in; `parity`: the frames that have room for it.

    Blocks before the first are unknown: an equation that reaches there says nothing.
    """
    known = received.copy()
    _peel(known, received & parity, np.array(distances, np.int64))
    return known


@kernel
def _peel(known: Bools, equation: Bools, distances: NDArray[np.int64]) -> None:
    reach = distances.max()
    for meter in range(len(known)):
        moved = True
        while moved:
            moved = False
            for block in range(reach, known.shape[1]):
                if equation[meter, block]:
                    unknown, last = 0, 0
                    for distance in distances:
                        if not known[meter, block - distance]:
                            unknown, last = unknown + 1, block - distance
                    if unknown == 1:
                        known[meter, last] = moved = True
