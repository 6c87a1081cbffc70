"""What a test found: points with value, limits, uncertainty and verdict; the report of a whole run; both as JSON.

The decision rule is simple acceptance: a point passes where |value| <= limit of every class that has one for it.  The
uncertainty is stated beside it, not taken off.  JSON: one object as the command line promises, more fields than it must.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from nyala.lab.limits import ClassOf
from nyala.lab.load import Energy
from nyala.lab.uncertainty import COVERAGE, STATED_DIGITS, Budget


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that holds for a point, with the row it comes from."""

    of: ClassOf
    limit: float
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Repeated readings of one error: each over a whole number of pulses.  `seconds` of the specimen, all together."""

    errors_pct: tuple[float, ...]
    pulses: int
    seconds: float

    @property
    def mean_pct(self) -> float:
        """Their mean."""
        return math.fsum(self.errors_pct) / len(self.errors_pct)

    @property
    def deviation_pct(self) -> float:
        """Their standard deviation (n - 1); 0 for a single reading."""
        n, mean = len(self.errors_pct), self.mean_pct
        return math.sqrt(math.fsum((error - mean) ** 2 for error in self.errors_pct) / (n - 1)) if n > 1 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One tested point.  `value` in `unit` is compared with the limits; None: nothing came out of the specimen."""

    test: str
    energy: Energy
    phases: str
    i_a: float
    pf: str
    u_v: float
    f_hz: float
    temperature_c: float
    value: float | None
    limits: tuple[Limit, ...]
    unit: str = "%"
    condition: str = ""
    reading: Reading | None = None
    budget: Budget | None = None
    parts: tuple[tuple[str, float], ...] = ()
    """What a composite value is made of, in its unit."""

    @property
    def limit(self) -> float:
        """The tightest of its limits."""
        return min(limit.limit for limit in self.limits)

    @property
    def passed(self) -> bool:
        """Simple acceptance."""
        return self.value is not None and abs(self.value) <= self.limit

    @property
    def uncertainty(self) -> float | None:
        """Expanded uncertainty (k = 2) in `unit`; None where the value is a count or a time."""
        return None if self.budget is None else self.budget.expanded_pct

    def to_json(self) -> dict[str, Any]:
        """As JSON; `error_pct` and `limit_pct` where the value is in %, else null."""
        percent = self.unit == "%"
        return {
            "test": self.test,
            "energy": self.energy.value,
            "i_a": _stated(self.i_a, 6),
            "pf": self.pf,
            "phases": self.phases,
            "error_pct": _stated(self.value) if percent else None,
            "limit_pct": _stated(self.limit, 4) if percent else None,
            "pass": self.passed,
            "condition": self.condition,
            "u_v": _stated(self.u_v),
            "f_hz": _stated(self.f_hz),
            "temperature_c": self.temperature_c,
            "value": _stated(self.value, 4 if self.unit == "%/K" else STATED_DIGITS),
            "limit": _stated(self.limit, 4),
            "unit": self.unit,
            "limits": [
                {
                    "class": str(limit.of),
                    "limit": _stated(limit.limit, 4),
                    "source": limit.source,
                    "confidence": limit.confidence,
                }
                for limit in self.limits
            ],
            "uncertainty_k2": _stated(self.uncertainty, 4),
            "readings": len(self.reading.errors_pct) if self.reading else 0,
            "pulses": self.reading.pulses if self.reading else 0,
            "seconds": _stated(self.reading.seconds) if self.reading else None,
            "budget": _budget_json(self.budget),
            "parts_pct": {name: _stated(value) for name, value in self.parts},
        }


def _stated(value: float | None, digits: int = STATED_DIGITS) -> float | None:
    return None if value is None else round(value, digits) + 0.0


def _budget_json(budget: Budget | None) -> list[dict[str, Any]]:
    if budget is None:
        return []
    return [
        {
            "component": part.name,
            "half_width_pct": round(part.half_width_pct, 6),
            "distribution": part.distribution,
            "divisor": round(part.divisor, 4),
            "standard_pct": round(part.standard_pct, 6),
        }
        for part in budget.components
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole run.  `tested_s` seconds of the specimen's time; `left_out` what was not tested, and why."""

    model: str
    serial: str
    constants_hash: str
    rating: str
    """Nominal voltage and current range, as on a plate."""
    profile: str
    classes: tuple[ClassOf, ...]
    seed: int
    reference: str
    tested_s: int
    points: tuple[Point, ...]
    left_out: tuple[str, ...] = field(default=())
    faults: tuple[str, ...] = field(default=())
    """What the inspection found; with one the specimen cannot pass."""

    @property
    def passed(self) -> bool:
        """True where every point passed and the inspection found nothing; a report without points has shown nothing."""
        return bool(self.points) and not self.faults and all(point.passed for point in self.points)

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "model": self.model,
            "serial": self.serial,
            "constants_hash": self.constants_hash or None,
            "rating": self.rating,
            "profile": self.profile,
            "classes": [str(of) for of in self.classes],
            "seed": self.seed,
            "reference": self.reference,
            "coverage_k": COVERAGE,
            "decision_rule": "simple acceptance",
            "tested_s": self.tested_s,
            "points": [point.to_json() for point in self.points],
            "not_tested": list(self.left_out),
            "faults": list(self.faults),
            "pass": self.passed,
        }
