"""A catalogue integer as at most eight digits: primary by the exact ratios, scaled, cut towards zero.  No float.

Two kinds of numbers.  A *register* is shown with leading zeros in a fixed place and rolls over: the lowest digits stay
(`roll_over`).  Any other value is shown without leading zeros and gives up decimals where it would not fit; what does
not fit without decimals is eight dashes.  A signed quantity keeps its first digit for the minus.

The scale of energies and powers follows the installation: the smallest prefix and the most decimals with which a register
does not roll over in 4000 h at full load (Directive 2014/32/EU Annex V as reference metrology.md 1.5 has it).
"""

from dataclasses import dataclass
from typing import Final

from nyala.meter.display.reading import DIRECT, Ratio
from nyala.meter.display.segments import DIGITS
from nyala.meter.model import MeterModel
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quantities import Quantity

FULL_LOAD_H: Final = 4000
PREFIXES: Final = {"": 0, "k": 3, "M": 6}
"""Prefixes of the glass and their powers of ten."""
SCALES: Final = (("k", 3), ("k", 2), ("k", 1), ("M", 3), ("M", 2), ("M", 1), ("M", 0))
"""Prefix and decimals of energy registers, the finest first."""
CT_OVERLOAD: Final = (6, 5)
"""Current transformers carry 120 % of their rated current for ever (IEC 61869-2, ordinary range)."""
DASHES: Final = "-" * DIGITS


@dataclass(frozen=True, slots=True)
class Scale:
    """How the energies of an installation are shown: prefix `k` or `M`, decimals of registers, ratios."""

    prefix: str = "k"
    decimals: int = 2
    ratio: Ratio = DIRECT

    @property
    def voltage_prefix(self) -> str:
        """Behind voltage transformers voltages are shown in kV."""
        return "" if self.ratio.vt[0] <= self.ratio.vt[1] else "k"


def scale_for(full_load_w: int, ratio: Ratio = DIRECT) -> Scale:
    """The scale of a primary full load in W; BadArgumentError where even whole MWh would roll over in 4000 h."""
    for prefix, decimals in SCALES:
        if full_load_w * FULL_LOAD_H < 10 ** (DIGITS - decimals + PREFIXES[prefix]):
            return Scale(prefix, decimals, ratio)
    raise BadArgumentError(f"{full_load_w} W would roll the display over in less than {FULL_LOAD_H} h")


def scale_of(model: MeterModel, ratio: Ratio = DIRECT) -> Scale:
    """The scale of a meter: Un and Imax, behind transformers at most their rated voltage and 120 % of their current."""
    u_v, i_ma = int(model.nominal_voltage_v), round(model.maximum_current_a * 1000)
    if ratio.ct != (1, 1):
        i_ma = min(i_ma, ratio.ct[1] * 1000 * CT_OVERLOAD[0] // CT_OVERLOAD[1])
    if ratio.vt != (1, 1):
        u_v = min(u_v, ratio.vt[1])
    upper, lower = ratio.of("W")
    return scale_for(model.phases * u_v * i_ma * upper // (1000 * lower), ratio)


def roll_over(quantity: Quantity, decimals: int) -> int:
    """After how many whole units of its display a register begins again at 0."""
    after: int = 10 ** (DIGITS - quantity.signed - decimals)
    return after


def scaled(value: int, quantity: Quantity, ratio: Ratio, prefix: str, decimals: int) -> int:
    """A value in units of its last shown digit, cut towards zero; exact for any size."""
    upper, lower = ratio.of(quantity.unit)
    exponent = quantity.scaler + decimals - PREFIXES[prefix]
    upper, lower = upper * 10 ** max(exponent, 0), lower * 10 ** max(-exponent, 0)
    shown: int = abs(value) * upper // lower
    return shown if value >= 0 else -shown


def register_text(value: int, quantity: Quantity, ratio: Ratio, prefix: str, decimals: int) -> str:
    """A register: leading zeros, the lowest digits."""
    places = DIGITS - quantity.signed
    shown = scaled(value, quantity, ratio, prefix, decimals)
    digits = f"{abs(shown) % 10**places:0{places}d}"
    return ("-" if shown < 0 else "") + _pointed(digits, decimals)


def value_text(value: int, quantity: Quantity, ratio: Ratio, prefix: str, decimals: int) -> str:
    """A value that does not roll over: as many of its decimals as fit."""
    for fewer in range(decimals, -1, -1):
        shown = scaled(value, quantity, ratio, prefix, fewer)
        if abs(shown) < 10 ** (DIGITS - (quantity.signed or shown < 0)):
            return ("-" if shown < 0 else "") + _pointed(f"{abs(shown):0{fewer + 1}d}", fewer)
    return DASHES


def _pointed(digits: str, decimals: int) -> str:
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
