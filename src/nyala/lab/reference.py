"""The bench's reference standard: it measures the same load beside the specimen, with a small error of its own.

What it is and how good comes from `data/reference.toml`.  Its error is one draw per seed: a real standard has one, too,
and the certificate's uncertainty must cover it.  The source needs no stability of its own: both see the same load.
"""

import math
import tomllib
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from random import Random

from nyala.lab.load import Energy, TerminalLoad


@dataclass(frozen=True, slots=True)
class ReferenceData:
    """A row of the data file: expanded figures with k = 2."""

    name: str
    accuracy_pct: float
    angle_deg: float
    timer_resolution_us: float
    temperature_c: float
    temperature_band_k: float


@cache
def reference_data() -> ReferenceData:
    """The data file."""
    row = tomllib.loads(files("nyala.lab").joinpath("data", "reference.toml").read_text(encoding="utf-8"))
    return ReferenceData(**{field.name: row[field.name] for field in fields(ReferenceData)})


@dataclass(frozen=True, slots=True)
class ReferenceStandard:
    """One reference standard.  Its hidden errors are within its accuracy: `gain_pct` and `angle_deg`."""

    data: ReferenceData
    gain_pct: float
    angle_deg: float

    def power(self, load: TerminalLoad, energy: Energy) -> float:
        """What it reads of a load, W or var, signed; its angle error turns P towards Q."""
        p, q = load.powers()
        turn = math.radians(self.angle_deg)
        p, q = p * math.cos(turn) - q * math.sin(turn), q * math.cos(turn) + p * math.sin(turn)
        return (p if energy is Energy.ACTIVE else q) * (1 + self.gain_pct / 100)


def reference_standard(seed: int) -> ReferenceStandard:
    """The standard of a seed: normal errors with u = half the expanded figure, cut at the expanded figure."""
    data, draw = reference_data(), Random(f"reference standard/{seed}")

    def within(expanded: float) -> float:
        return min(max(draw.gauss(0.0, expanded / 2), -expanded), expanded)

    return ReferenceStandard(data, within(data.accuracy_pct), within(data.angle_deg))
