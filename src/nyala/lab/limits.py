"""The tables of limits: which error a meter of a class may have where.  Data from `data/*.csv`, each row with its source.

    limits.csv      percentage error over a range of current (IEC 62053-21, -22, -23; EN 50470-3)
    influence.csv   change of the error under an influence quantity; temperature coefficients
    composite.csv   maximum permissible error at rated operating conditions, per range of temperature (2014/32/EU)
    levels.csv      levels of voltage and frequency, and by how much the limit is multiplied there
    starting.csv    starting current; no_load.csv the two formulas of the no-load test

A range runs from its lower current to its upper one; "< 0.1 Ib" leaves the upper end to the next row.  Ib is In of a CT
meter; Itr = Ib/10 direct, In/20 CT (EN 50470-3).  `confidence` says how far a row was checked against its source.
"""

import csv
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from nyala.lab.load import Energy
from nyala.meter.model import MeterModel
from nyala.vocab.errors import UnknownError


@dataclass(frozen=True, slots=True)
class ClassOf:
    """An accuracy class of a standard."""

    standard: str
    accuracy_class: str

    def __str__(self) -> str:
        return f"{self.standard} class {self.accuracy_class}"


@dataclass(frozen=True, slots=True)
class LimitRow:
    """Error limit in %, +-, of one class over a range of current.  `loaded`: balanced, single or difference."""

    of: ClassOf
    energy: Energy
    connection: str
    loaded: str
    factors: tuple[str, ...]
    lower: str
    upper: str
    upper_included: bool
    limit_pct: float
    on_request: bool
    source: str
    confidence: str

    def covers(self, model: MeterModel, current_a: float) -> bool:
        """True where a current lies in the range."""
        low, high = amperes(model, self.lower), amperes(model, self.upper)
        slack = 1e-9 * high
        return low - slack <= current_a and (current_a <= high + slack if self.upper_included else current_a < high - slack)


@dataclass(frozen=True, slots=True)
class CompositeRow:
    """A maximum permissible error; it holds in bands of temperature (degrees C, low and high)."""

    mpe: LimitRow
    bands_c: tuple[tuple[float, float], ...]

    def lies_within(self, low_c: float, high_c: float) -> bool:
        """Whether an operating range holds all of its bands."""
        return all(low_c <= low and high <= high_c for low, high in self.bands_c)


@dataclass(frozen=True, slots=True)
class InfluenceRow:
    """Limit of the change of the error, or of the temperature coefficient.  `connection` empty: any."""

    influence: str
    of: ClassOf
    energy: Energy
    connection: str
    factor: str
    current: str
    limit: float
    unit: str
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class LevelRow:
    """A level of an influence as a ratio to nominal, and the multiple of the limit that holds there."""

    influence: str
    level: float
    multiple: float
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class StartingRow:
    """Starting current that a class demands."""

    of: ClassOf
    energy: Energy
    connection: str
    current: str
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class NoLoadRow:
    """Shortest no-load test: coefficient / (k m U I) minutes, at `voltage` times Un."""

    formula: str
    of: ClassOf
    energy: Energy
    coefficient: float
    per_current: str
    voltage: float
    edition: str
    source: str
    confidence: str

    def minutes(self, model: MeterModel) -> float:
        """Time for a model.  The old formula takes Un, the new one the test voltage; both are in reference metrology.md 1.7."""
        k = model.pulses_per_kwh if self.energy is Energy.ACTIVE else model.pulses_per_kvarh
        u_v = model.nominal_voltage_v * (1.0 if self.per_current == "Imax" else self.voltage)
        return self.coefficient / (k * model.phases * u_v * amperes(model, self.per_current))


def connection_of(model: MeterModel) -> str:
    """How a model is connected: "ct" through current transformers, else "direct"."""
    return "ct" if model.name.endswith("-ct") else "direct"


def amperes(model: MeterModel, text: str) -> float:
    """A current of the tables ("0.05 Ib", "Imax") for a model; UnknownError for a name that no table has."""
    size, _, name = text.rpartition(" ")
    base_a = {
        "Ib": model.basic_current_a,
        "Imax": model.maximum_current_a,
        "Imin": model.minimum_current_a,
        "Ist": model.starting_current_a,
        "Itr": model.basic_current_a / (20 if connection_of(model) == "ct" else 10),
    }
    if name not in base_a:
        raise UnknownError("current", text)
    return float(size or 1) * base_a[name]


def _rows(name: str) -> list[dict[str, str]]:
    with files("nyala.lab").joinpath("data", name).open(encoding="utf-8") as table:
        return list(csv.DictReader(table))


def _of(row: dict[str, str]) -> ClassOf:
    return ClassOf(row["standard"], row["class"])


@cache
def limit_rows() -> tuple[LimitRow, ...]:
    """All rows of `limits.csv`."""
    return tuple(
        _limit(row, Energy(row["energy"]), row["connection"], on_request=row["on_request"] == "1")
        for row in _rows("limits.csv")
    )


def _limit(row: dict[str, str], energy: Energy, connection: str, *, on_request: bool = False) -> LimitRow:
    return LimitRow(
        of=_of(row),
        energy=energy,
        connection=connection,
        loaded=row["loaded"],
        factors=tuple(row["factors"].split()),
        lower=row["from"],
        upper=row["to"].removeprefix("< "),
        upper_included=not row["to"].startswith("< "),
        limit_pct=float(row["limit_pct"]),
        on_request=on_request,
        source=row["source"],
        confidence=row["confidence"],
    )


@cache
def composite_rows() -> tuple[CompositeRow, ...]:
    """All rows of `composite.csv`: active energy, any connection."""
    return tuple(CompositeRow(_limit(row, Energy.ACTIVE, ""), _bands(row["range_c"])) for row in _rows("composite.csv"))


def _bands(text: str) -> tuple[tuple[float, float], ...]:
    """Bands from "-10..5 30..40"."""
    ends = [band.split("..") for band in text.split()]
    return tuple((float(low), float(high)) for low, high in ends)


@cache
def influence_rows() -> tuple[InfluenceRow, ...]:
    """All rows of `influence.csv`."""
    return tuple(
        InfluenceRow(
            influence=row["influence"],
            of=_of(row),
            energy=Energy(row["energy"]),
            connection=row["connection"],
            factor=row["factor"],
            current=row["current"],
            limit=float(row["limit"]),
            unit=row["unit"],
            source=row["source"],
            confidence=row["confidence"],
        )
        for row in _rows("influence.csv")
    )


@cache
def level_rows() -> tuple[LevelRow, ...]:
    """All rows of `levels.csv`."""
    return tuple(
        LevelRow(row["influence"], float(row["level"]), float(row["multiple"]), row["source"], row["confidence"])
        for row in _rows("levels.csv")
    )


@cache
def starting_rows() -> tuple[StartingRow, ...]:
    """All rows of `starting.csv`."""
    return tuple(
        StartingRow(_of(row), Energy(row["energy"]), row["connection"], row["current"], row["source"], row["confidence"])
        for row in _rows("starting.csv")
    )


@cache
def no_load_rows() -> tuple[NoLoadRow, ...]:
    """All rows of `no_load.csv`."""
    return tuple(
        NoLoadRow(
            formula=row["formula"],
            of=_of(row),
            energy=Energy(row["energy"]),
            coefficient=float(row["coefficient"]),
            per_current=row["per_current"],
            voltage=float(row["voltage"]),
            edition=row["edition"],
            source=row["source"],
            confidence=row["confidence"],
        )
        for row in _rows("no_load.csv")
    )


@cache
def profile_table() -> dict[str, Any]:
    """`profiles.toml`."""
    return tomllib.loads(files("nyala.lab").joinpath("data", "profiles.toml").read_text(encoding="utf-8"))
