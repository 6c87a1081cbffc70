"""The uncertainty of an error: components, each with distribution and divisor, after the GUM.  Expanded with k = 2.

Every figure comes from the measurement or from the data of the reference standard; none is canned:

    reference standard   its expanded accuracy / 2
    reference angle      its expanded angle x tan phi (x cot phi for reactive energy) / 2
    pulse timing         two edges of the timer's resolution over the measured time, triangular
    repeatability        type A: s / sqrt n of the readings
    temperature          measured coefficient x band of the laboratory, rectangular
    rounding             half the last printed digit, rectangular

In the difference of two errors the reference's part is common and falls out.
"""

import math
from dataclasses import dataclass
from typing import Final

COVERAGE: Final = 2
STATED_DIGITS: Final = 3
"""Decimals of an error in % as it is stated: below 1/10 of every class (metrology.md 1.7)."""
INFINITE: Final = math.inf


@dataclass(frozen=True, slots=True)
class Component:
    """One line of a budget.  `half_width_pct` is what is known of it; `divisor` makes it a standard uncertainty."""

    name: str
    half_width_pct: float
    distribution: str
    divisor: float
    degrees: float = INFINITE
    common: bool = False
    """True where it is the same in two errors of one bench: it falls out of their difference."""

    @property
    def standard_pct(self) -> float:
        """Standard uncertainty in %."""
        return self.half_width_pct / self.divisor


@dataclass(frozen=True, slots=True)
class Budget:
    """All components of one error."""

    components: tuple[Component, ...]

    @property
    def combined_pct(self) -> float:
        """Combined standard uncertainty."""
        return math.sqrt(sum(part.standard_pct**2 for part in self.components))

    @property
    def expanded_pct(self) -> float:
        """Expanded uncertainty, k = 2."""
        return COVERAGE * self.combined_pct

    @property
    def degrees(self) -> float:
        """Effective degrees of freedom (Welch and Satterthwaite); infinite where nothing is of type A."""
        below = sum(part.standard_pct**4 / part.degrees for part in self.components if part.standard_pct)
        return self.combined_pct**4 / below if below else INFINITE

    def minus(self, other: "Budget") -> "Budget":
        """Of the difference of two errors: the common components fall out, the others add."""
        return Budget(tuple(part for part in (*self.components, *other.components) if not part.common))

    def scaled(self, factor: float) -> "Budget":
        """Of an error times a factor."""
        return Budget(
            tuple(
                Component(
                    part.name, part.half_width_pct * abs(factor), part.distribution, part.divisor, part.degrees, part.common
                )
                for part in self.components
            )
        )
