"""Exact decimal arithmetic for money: nothing is rounded but where a tariff's line says so.  No currencies, no formats.

`EXACT` does not depend on the caller's decimal context and traps a result that does not fit: a wrong digit is an error
here, never a silent rounding.  The rules of rounding are section 3 of the reference `tariffs-and-vee.md`.
"""

import math
from dataclasses import dataclass
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from enum import StrEnum
from fractions import Fraction
from typing import Final

EXACT: Final = Context(prec=400, traps=[DivisionByZero, Inexact, InvalidOperation, Overflow])
"""400 digits: quantity x base price x factor x rounding unit, of 60 digits each (`bill_json`), and room."""
KWH_DECIMALS: Final = 9
"""A quantity in kWh that whole Wh cannot hold is cut, never rounded up, after this many decimals: 1 uWh."""
WH_DECIMALS: Final = 3


class RoundingMode(StrEnum):
    """Which multiple of the unit a line's amount becomes.  The values are those of a tariff file."""

    HALF_UP = "half-up"
    """The nearest; a half goes away from zero."""
    FLOOR = "floor"
    CEIL = "ceil"


@dataclass(frozen=True, slots=True)
class Rounding:
    """The rule of one line.  `unit` is above zero, in the currency: 0.01, 1, 100 ..."""

    mode: RoundingMode
    unit: Decimal

    def apply(self, amount: Decimal) -> Decimal:
        """The multiple of `unit` that stands for `amount`, with the decimals of `unit`."""
        assert self.unit > 0
        units = Fraction(amount) / Fraction(self.unit)
        if self.mode is RoundingMode.FLOOR:
            count = math.floor(units)
        elif self.mode is RoundingMode.CEIL:
            count = math.ceil(units)
        else:
            count = math.floor(abs(units) + Fraction(1, 2)) * (-1 if units < 0 else 1)
        return EXACT.multiply(Decimal(count), self.unit)


def total(amounts: list[Decimal]) -> Decimal:
    """The exact sum; 0 of nothing."""
    result = Decimal(0)
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result


def kwh(secondary_wh: int, ratio: Fraction) -> Decimal:
    """Primary energy in kWh: whole Wh at the meter's terminals x the transformer ratio.

    Three decimals where the primary is whole Wh (every ratio that is a whole number); otherwise `KWH_DECIMALS`, cut.
    """
    primary_wh = secondary_wh * ratio
    decimals = WH_DECIMALS if primary_wh.denominator == 1 else KWH_DECIMALS
    return Decimal(math.floor(primary_wh * 10 ** (decimals - WH_DECIMALS))).scaleb(-decimals, EXACT)
