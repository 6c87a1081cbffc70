"""Interval series by kind of load, for the trainer and the benchmark of telegrams: whole Wh (varh, VAh) in 15 minutes.

`simbench` series are split by profile into train and test.  Its households have no sun of their own: each stands there
also with photovoltaics of `SUN_WH` at 1 per unit, from the same package.  Import and export of one interval
are those of a power that varies within it, normally distributed by `SPREAD` of the larger of load and sun.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import pi
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nyala.meter.chip import Integers
from nyala.meter.model import MODELS, meter_model
from nyala.sim.loads.series import CHANNELS, read_series
from nyala.sim.loads.simbench import YEAR_ROWS, profile_file, profiles, read_profiles
from nyala.sim.loads.source import PROFILE_STEP_S
from nyala.sim.loads.synthetic import SyntheticLoads
from nyala.telegram.train import Kind, Series
from nyala.vocab.errors import SurroundingsError
from nyala.vocab.quantities import MWS_PER_WH, Channel
from nyala.vocab.time import DAY_S

Floats = NDArray[np.float64]

SIMBENCH: Final = "simbench"
SYNTHETIC: Final = "synthetic"
ODBL_NOTICE: Final = (
    "Produced work: contains information from SimBench (simbench.de), "
    "which is made available under the Open Database License (ODbL) 1.0"
)
TEST_PROFILES: Final = frozenset({"H0-G", "H0-L", "G1-B", "G2-A", "G4-B", "G5-A", "G3-M", "G4-M"})
"""Profiles that no table is made from."""
LEFT_OUT: Final = "H0-H"
"""Many households behind one meter: no load of a home."""
SHARES: Final[Mapping[str, float]] = {"single-phase": 0.85, "three-phase": 0.05, "three-phase-ct": 0.02}
"""Of each meter model in a fleet; the rest are homes with a sun."""
SUN: Final = "with sun"
SUN_SHARE: Final = 0.08
SUN_FILE: Final = "RESProfile.csv"
SUNS: Final = ("PV1", "PV3", "PV5")
TEST_SUNS: Final = ("PV6", "PV8")
"""Columns of suns, one for each household in turn."""
SUN_WH: Final = (400, 1100)
"""Wh in 15 minutes at 1 per unit: 1.6 and 4.4 kW."""
SPREAD: Final = 0.3
SYNTHETIC_DAYS: Final = 60
SYNTHETIC_METERS: Final = 24
SYNTHETIC_SEED: Final = 1
SYNTHETIC_START_S: Final = 1_704_067_200
"""2024-01-01."""


@dataclass(frozen=True, slots=True)
class LoadSet:
    """Loads for training and others for the test; what they are, and what may be done with tables made from them."""

    made_from: str
    licence: str
    train: Sequence[Kind]
    test: Sequence[Kind]


def load_set(name: str) -> LoadSet:
    """`simbench`, `synthetic` or the path of a CSV file; SurroundingsError, FileError where it is not there or wrong."""
    if name == SIMBENCH:
        return LoadSet("SimBench load profiles", ODBL_NOTICE, simbench_kinds(), simbench_kinds(test=True))
    if name == SYNTHETIC:
        seeds = SYNTHETIC_SEED, SYNTHETIC_SEED + 1
        return LoadSet("synthetic loads of nyala", "Apache-2.0", *(synthetic_kinds(seed) for seed in seeds))
    return LoadSet(Path(name).name, "as the file", *file_kinds(Path(name)))


def gathered(sets: Sequence[LoadSet]) -> LoadSet:
    """Several sets as one: kinds of one name are one kind."""
    return LoadSet(
        "; ".join(each.made_from for each in sets),
        "; ".join(each.licence for each in sets),
        _gathered([kind for each in sets for kind in each.train]),
        _gathered([kind for each in sets for kind in each.test]),
    )


def _gathered(kinds: Sequence[Kind]) -> list[Kind]:
    by_name: dict[str, Kind] = {}
    for kind in kinds:
        before = by_name.get(kind.name)
        by_name[kind.name] = kind if before is None else Kind(kind.name, kind.share, [*before.series, *kind.series])
    return list(by_name.values())


def simbench_kinds(*, test: bool = False) -> list[Kind]:
    """The kinds of `simbench`, of the profiles for training or of those for the test; SurroundingsError without it."""
    file = profile_file()
    wanted = [each for each in profiles() if (each.name in TEST_PROFILES) is test and each.name != LEFT_OUT]
    energies = np.rint(read_profiles(file, wanted)[:, :, :YEAR_ROWS] / MWS_PER_WH).astype(np.int64)
    kinds = []
    for model, share in SHARES.items():
        mine = [at for at, profile in enumerate(wanted) if profile.model == model]
        kinds.append(Kind(model, share, [metered(energies[0, at], energies[1, at]) for at in mine]))
    homes = [at for at, profile in enumerate(wanted) if profile.model == MODELS[0]]
    suns = _suns(file.with_name(SUN_FILE), TEST_SUNS if test else SUNS)
    with_sun = [
        metered(energies[0, at], energies[1, at], np.rint(suns[:, place % suns.shape[1]] * peak).astype(np.int64))
        for place, at in enumerate(homes)
        for peak in SUN_WH
    ]
    return [*kinds, Kind(SUN, SUN_SHARE, with_sun)]


def synthetic_kinds(seed: int) -> list[Kind]:
    """The kinds of the synthetic loads: `SYNTHETIC_METERS` customers of each meter model for `SYNTHETIC_DAYS`."""
    kinds, sunny = [], []
    steps = range(SYNTHETIC_START_S, SYNTHETIC_START_S + SYNTHETIC_DAYS * DAY_S, PROFILE_STEP_S)
    for name, share in SHARES.items():
        source = SyntheticLoads([meter_model(name)] * SYNTHETIC_METERS, seed, PROFILE_STEP_S)
        registers = np.cumsum([source.segments(start_s).energy_mws for start_s in steps], axis=0) // MWS_PER_WH
        values = np.diff(registers, axis=0, prepend=0)
        meters = [{channel: values[:, at, channel] for channel in Channel} for at in range(SYNTHETIC_METERS)]
        kinds.append(Kind(name, share, [meter for meter in meters if not meter[Channel.EXPORT].any()]))
        sunny += [meter for meter in meters if meter[Channel.EXPORT].any()]
    return [*kinds, Kind(SUN, SUN_SHARE, sunny)]


def file_kinds(path: Path) -> tuple[list[Kind], list[Kind]]:
    """The series of a CSV file (`series`): its first three quarters to train on, the rest for the test."""
    series = read_series(str(path))
    energies = series.power_mw * series.spacing_s // MWS_PER_WH
    parts = np.split(energies, [len(energies) * 3 // 4])
    train, test = ([Kind(path.stem, 1.0, [dict(zip(CHANNELS, part.T, strict=True))])] for part in parts)
    return train, test


def metered(load: Integers, reactive: Integers, sun: Integers | None = None) -> Series:
    """What the registers of a meter count of a load (and a sun behind the same meter), whole units."""
    net = load if sun is None else load - sun
    spread = np.zeros(len(load)) if sun is None else SPREAD * np.where(sun > 0, np.maximum(load, sun), 0)
    imported = np.rint(_mean_above_zero(net, spread)).astype(np.int64)
    exported = imported - net
    takes, lags = imported >= exported, reactive > 0
    size = np.abs(reactive)
    return {
        Channel.IMPORT: imported,
        Channel.EXPORT: exported,
        Channel.Q1: np.where(takes & lags, size, 0),
        Channel.Q2: np.where(~takes & lags, size, 0),
        Channel.Q3: np.where(~takes & ~lags, size, 0),
        Channel.Q4: np.where(takes & ~lags, size, 0),
        Channel.IMPORT_VA: np.rint(np.hypot(imported, np.where(takes, size, 0))).astype(np.int64),
        Channel.EXPORT_VA: np.rint(np.hypot(exported, np.where(takes, 0, size))).astype(np.int64),
    }


def _mean_above_zero(mean: Integers, spread: Floats) -> Floats:
    """The mean of max(0, x) of a normal x, by the logistic form of its distribution; `mean` itself where it does not spread."""
    safe = np.where(spread > 0, spread * np.sqrt(3) / pi, 1.0)
    smooth = safe * np.logaddexp(0, mean / safe)
    result: Floats = np.where(spread > 0, smooth, np.maximum(mean, 0))
    return np.maximum(result, np.maximum(mean, 0))


def _suns(file: Path, names: Sequence[str]) -> Floats:
    """Power per unit of some suns, rows x suns."""
    try:
        with file.open(encoding="ascii") as lines:
            header = next(lines).strip().split(";")
            columns = [header.index(sun) for sun in names]
            return np.loadtxt(lines, delimiter=";", usecols=columns, max_rows=YEAR_ROWS)
    except (OSError, ValueError, StopIteration) as error:
        raise SurroundingsError(f"{file} is not the file of suns that we know: {error}") from error
