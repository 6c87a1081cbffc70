"""What the face asks of a meter: values by catalogue name, the signs of its state, and the ratios of its transformers.

The face knows no bank, no switch and no radio: whoever has them fills `Signs` and answers `Reading`.
"""

from dataclasses import dataclass
from typing import Protocol

from nyala.meter.supply import SwitchState
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quantities import RATES

Fraction = tuple[int, int]
"""Numerator and denominator: 200/5 is (200, 5)."""
_FACTORS = {"A": "ct", "V": "vt", "W": "both", "var": "both", "VA": "both", "Wh": "both", "varh": "both", "VAh": "both"}


class Reading(Protocol):
    """A meter as the display reads it."""

    @property
    def serial(self) -> str:
        """Its serial number."""

    @property
    def firmware(self) -> str:
        """Its firmware's version."""

    @property
    def clock_s(self) -> int:
        """What its clock shows, UTC seconds."""

    @property
    def offset_s(self) -> int:
        """Local time minus UTC, seconds."""

    def value(self, name: str) -> int | None:
        """A catalogue integer (secondary), or None where this meter does not have it: its item is passed over."""


@dataclass(frozen=True, slots=True)
class Signs:
    """The state of a meter as its annunciators tell it.

    `present` and `sagging` (below 70 % Un) per phase that the model has, 1 or 3; `quadrant` 1..4, or None without load;
    `rate` 1..8; `armed`: the open switch waits for the button; `alarms` one bit per row of the alarm table; `credit` the
    name of the credit state, None when postpaid.
    """

    present: tuple[bool, ...]
    sagging: tuple[bool, ...]
    quadrant: int | None = None
    sequence_wrong: bool = False
    rate: int = 1
    switch: SwitchState = SwitchState.CLOSED
    armed: bool = False
    alarms: int = 0
    joined: bool = False
    talking: bool = False
    internal_battery_low: bool = False
    external_battery_low: bool = False
    credit: str | None = None
    no_load: bool = False
    clock_valid: bool = True

    def __post_init__(self) -> None:
        if len(self.present) not in {1, 3} or len(self.sagging) != len(self.present):
            raise BadArgumentError(f"1 or 3 phases, each present and sagging or not: {self.present}, {self.sagging}")
        if self.quadrant not in {None, 1, 2, 3, 4}:
            raise BadArgumentError(f"quadrants are 1..4: {self.quadrant}")
        if not 1 <= self.rate <= RATES:
            raise BadArgumentError(f"rates are 1..{RATES}: {self.rate}")


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ratios of the current and voltage transformers before the meter, each (primary, secondary)."""

    ct: Fraction = (1, 1)
    vt: Fraction = (1, 1)

    def __post_init__(self) -> None:
        if any(each < 1 for each in (*self.ct, *self.vt)):
            raise BadArgumentError(f"a ratio is two whole numbers above 0: ct {self.ct}, vt {self.vt}")

    def of(self, unit: str) -> Fraction:
        """What a quantity of this unit is multiplied by to make it primary: exact."""
        factor = _FACTORS.get(unit)
        ct, vt = self.ct if factor in {"ct", "both"} else (1, 1), self.vt if factor in {"vt", "both"} else (1, 1)
        return ct[0] * vt[0], ct[1] * vt[1]


DIRECT = Ratio()
"""No transformers: connected directly."""
