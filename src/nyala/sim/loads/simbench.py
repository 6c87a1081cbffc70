"""Real load profiles of one year, from the installed package `simbench` (code BSD, data ODbL 1.0); none are copied here.

Only its file of profiles is read, and the package is never imported: it would bring pandapower.  `simbench.csv` says
which profiles a meter model plays and how large: `scale_wh` is Wh in 15 minutes at 1 per unit.  Where `grid_wh` is 1 the
profile's own resolution is known and an energy is whole Wh, else whole mW-seconds.

Profiles run in the local time of their meters: row 0 is Friday 2016-01-01 00:00.  The year is 52 whole weeks, so that
after the wrap a Sunday is still a Sunday.  Meters on one profile are rotated against each other by whole weeks.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np

from nyala.meter.chip import Integers
from nyala.meter.model import MeterModel
from nyala.sim.loads.mains import Mains
from nyala.sim.loads.source import (
    PROFILE_STEP_S,
    WIB_S,
    Segments,
    checked_models,
    checked_step,
    draws,
    phase_mask,
    split_evenly,
)
from nyala.vocab.errors import SurroundingsError, UnknownError
from nyala.vocab.quantities import MWS_PER_WH, Channel
from nyala.vocab.time import DAY_S

PACKAGE: Final = "simbench"
FILE: Final = "networks/1-complete_data-mixed-all-0-sw/LoadProfile.csv"
FILE_ROWS: Final = 35_136
YEAR_START_S: Final = 1_451_606_400
"""2016-01-01T00:00, the time of row 0."""
WEEK_ROWS: Final = 7 * DAY_S // PROFILE_STEP_S
WEEKS: Final = 52
YEAR_ROWS: Final = WEEKS * WEEK_ROWS
REACTIVE: Final = 0.395
"""var at 1 per unit of reactive power, per W at 1 per unit of active: `qLoad` / `pLoad` of every load in `Load.csv`."""
SIMBENCH_DRAW: Final = 2**32 - 3
"""Stands for the choice of a profile in `draws`."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One row of `simbench.csv`."""

    name: str
    model: str
    scale_wh: int
    grid_wh: int
    what: str

    @property
    def columns(self) -> tuple[str, str]:
        """Its active and reactive column in the file."""
        return f"{self.name}_pload", f"{self.name}_qload"


@cache
def profiles() -> tuple[Profile, ...]:
    """All profiles that meters play."""
    with files("nyala.sim.loads").joinpath("simbench.csv").open(encoding="utf-8") as lines:
        return tuple(
            Profile(row["profile"], row["model"], int(row["scale_wh"]), int(row["grid_wh"]), row["what"])
            for row in csv.DictReader(lines)
        )


def profile_file(package: str = PACKAGE) -> Path:
    """Where the installed package has the profiles; SurroundingsError where it is not installed."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (file := Path(folder) / FILE).is_file():
            return file
    raise SurroundingsError(f"the load data of {package} are not installed: pip install nyala[data]")


def read_profiles(file: Path, wanted: Sequence[Profile]) -> Integers:
    """Energies in 15 minutes, mW- and mvar-seconds: 2 (active, reactive) x profiles x `FILE_ROWS`.

    SurroundingsError for a file that is not the one that we know.
    """
    try:
        with file.open(encoding="ascii") as lines:
            header = next(lines).strip().split(";")
            columns = [header.index(profile.columns[part]) for part in (0, 1) for profile in wanted]
            table = np.loadtxt(lines, delimiter=";", usecols=columns, ndmin=2)
    except (OSError, ValueError, StopIteration) as error:
        raise SurroundingsError(f"{file} is not the file of load profiles that we know: {error}") from error
    if len(table) != FILE_ROWS or np.isnan(table).any() or (table[:, : len(wanted)] < 0).any():
        raise SurroundingsError(f"{file} is not the file of load profiles that we know: rows or values")
    energies = np.empty((2, len(wanted), FILE_ROWS), np.int64)
    for at, profile in enumerate(wanted):
        grid = MWS_PER_WH if profile.grid_wh else 1
        for part, scale in enumerate((1.0, REACTIVE)):
            column = table[:, part * len(wanted) + at]
            energies[part, at] = np.rint(column * (scale * profile.scale_wh * MWS_PER_WH / grid)).astype(np.int64) * grid
    return energies


class SimbenchLoads:
    """SimBench profiles as a load source: consumption only, power shared by the phases."""

    def __init__(
        self,
        models: Sequence[MeterModel],
        seed: int,
        step_s: int,
        *,
        offset_s: int = WIB_S,
        package: str = PACKAGE,
    ) -> None:
        self.step_s = checked_step(step_s)
        self.models = checked_models(models)
        self._ahead = (offset_s - YEAR_START_S) // PROFILE_STEP_S
        self._mask = phase_mask(self.models)
        self._mains = Mains(self.models, seed, offset_s=offset_s)
        names = {model.name for model in self.models}
        wanted = [profile for profile in profiles() if profile.model in names]
        if missing := names - {profile.model for profile in wanted}:
            raise UnknownError("profiles of meter model", min(missing))
        self.energies = read_profiles(profile_file(package), wanted)
        choices = {name: [at for at, profile in enumerate(wanted) if profile.model == name] for name in names}
        drawn = draws(seed, SIMBENCH_DRAW).random((len(self.models), 2))
        chosen = [
            choices[model.name][int(x * len(choices[model.name]))] for model, x in zip(self.models, drawn[:, 0], strict=True)
        ]
        self._at = np.array(chosen, np.int64)
        self._rotation = (drawn[:, 1] * WEEKS).astype(np.int64) * WEEK_ROWS
        self.played = tuple(wanted[at] for at in chosen)

    def rows(self, start_s: int) -> Integers:
        """The row of the file that each meter plays at an instant, n."""
        rows: Integers = (start_s // PROFILE_STEP_S + self._ahead + self._rotation) % YEAR_ROWS
        return rows

    def segments(self, start_s: int) -> Segments:
        """The signal over [start_s, start_s + step_s)."""
        assert start_s % self.step_s == 0, "a segment starts at a multiple of the step"
        whole = self.energies[:, self._at, self.rows(start_s)]
        before_s = start_s % PROFILE_STEP_S
        active, reactive = self._part(whole, before_s + self.step_s) - self._part(whole, before_s)
        energy = np.zeros((len(self.models), len(Channel)), np.int64)
        energy[:, Channel.IMPORT] = active
        energy[:, Channel.Q1], energy[:, Channel.Q4] = np.maximum(reactive, 0), np.maximum(-reactive, 0)
        energy[:, Channel.IMPORT_VA] = np.rint(np.hypot(active, reactive)).astype(np.int64)
        scale, middle_s = 1000 * self.step_s, start_s + self.step_s // 2
        return Segments(
            end_s=start_s + self.step_s,
            energy_mws=energy,
            u_v=self._mains.u_v(middle_s),
            p_w=split_evenly(active / scale, self._mask),
            q_var=split_evenly(reactive / scale, self._mask),
            f_hz=self._mains.f_hz(middle_s),
        )

    @staticmethod
    def _part(whole: Integers, until_s: int) -> Integers:
        """What 15 minutes have given after `until_s`, cut towards minus infinity: parts sum to the whole exactly."""
        return whole * until_s // PROFILE_STEP_S
