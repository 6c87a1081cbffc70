"""The load side of the simulated world: what customers take and give, and the mains.  Pure: a function of seed and time.

`load_source` is the way in; `source` says what every source is.  `synthetic` makes customers from appliances and habits,
`simbench` plays measured profiles, `series` plays a file.
"""

from collections.abc import Sequence
from typing import Final

from nyala.meter.model import MeterModel
from nyala.sim.loads.series import SeriesLoads, first_row_s, read_series
from nyala.sim.loads.simbench import SimbenchLoads
from nyala.sim.loads.source import LoadSource, Segments
from nyala.sim.loads.synthetic import SyntheticLoads
from nyala.vocab.errors import UnknownError

__all__ = ["KINDS", "LoadSource", "Segments", "first_start_s", "load_source"]

KINDS: Final = ("synthetic", "simbench")
"""Sources by name; a path that ends in `.csv` is the third."""


def load_source(
    kind: str, models: Sequence[MeterModel], seed: int, step_s: int, start_s: int, end_s: int | None = None
) -> LoadSource:
    """A load source by name or path, for a run from `start_s` to `end_s` (where known) in steps of `step_s`.

    UnknownError for another kind; FileError for a file that is wrong or does not cover the run; SurroundingsError where
    the package `simbench` is not installed; BadArgumentError for a step or seed outside what is documented.
    """
    if _is_file(kind):
        loads = SeriesLoads(read_series(kind), models, seed, step_s)
        loads.covers(start_s, start_s + step_s if end_s is None else end_s)
        return loads
    return SyntheticLoads(models, seed, step_s) if kind == "synthetic" else SimbenchLoads(models, seed, step_s)


def first_start_s(kind: str) -> int | None:
    """The instant at which a run must start: the first row of a file; None where any will do.

    UnknownError for another kind; FileError for a file whose first row is wrong.
    """
    return first_row_s(kind) if _is_file(kind) else None


def _is_file(kind: str) -> bool:
    if kind in KINDS:
        return False
    if not kind.lower().endswith(".csv"):
        raise UnknownError("load source", kind)
    return True
