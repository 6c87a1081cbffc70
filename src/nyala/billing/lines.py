"""The lines of a bill from determinants, tariff version and account: one function for each kind of charge.

A line is a sum that anybody can check with paper: amount = quantity x price, rounded by the line's rule, less what other
lines have charged of it already.  Monthly charges count a begun month whole: a first or last bill for part of a month
is not prorated here yet.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from nyala.billing.determinants import Determinant
from nyala.billing.money import EXACT, Rounding, kwh, total
from nyala.billing.tariff import ChargeKind, TariffProfile
from nyala.vocab.errors import BadArgumentError, UnknownError

CONTRACTED_VA_MAX: Final = 10**9
"""One gigavolt-ampere: the largest customer takes less."""
RATIO_MAX: Final = 1_000_000
"""Above every primary of a current or voltage transformer, in A or V."""
PERCENT_MAX: Final = Decimal(100)
TERM_DECIMALS_MAX: Final = 6
"""Decimals of an account's own tax rate."""
MONTH: Final = "month"
KWH: Final = "kWh"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the account adds to the tariff.

    `ct_ratio` and `vt_ratio` are exact: (primary, secondary), so (400, 5) for 400/5 A.  `exempt` names taxes that the
    account does not pay; `tax_percent` gives its own rates, as a regency's PPJ.  BadArgumentError for figures outside the
    limits.
    """

    contracted_va: int
    ct_ratio: tuple[int, int] = (1, 1)
    vt_ratio: tuple[int, int] = (1, 1)
    exempt: frozenset[str] = frozenset()
    tax_percent: tuple[tuple[str, Decimal], ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.contracted_va <= CONTRACTED_VA_MAX:
            raise BadArgumentError(f"contracted power of {self.contracted_va} VA; 1 to {CONTRACTED_VA_MAX}")
        for name, ratio in (("CT", self.ct_ratio), ("VT", self.vt_ratio)):
            if not all(0 < part <= RATIO_MAX for part in ratio):
                raise BadArgumentError(f"{name} ratio {ratio[0]}:{ratio[1]}; whole numbers from 1 to {RATIO_MAX}")
        names = [name for name, _ in self.tax_percent]
        if len(set(names)) != len(names):
            raise BadArgumentError(f"a tax has two rates: {', '.join(names)}")
        for name, percent in self.tax_percent:
            exponent = percent.as_tuple().exponent
            if not isinstance(exponent, int) or not 0 <= percent <= PERCENT_MAX or exponent < -TERM_DECIMALS_MAX:
                raise BadArgumentError(
                    f"rate of {name}: {percent} %; 0 to {PERCENT_MAX} with at most {TERM_DECIMALS_MAX} decimals"
                )

    @property
    def ratio(self) -> Fraction:
        """Primary over secondary, exactly."""
        return Fraction(*self.ct_ratio) * Fraction(*self.vt_ratio)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill.

    `quantity` is in `unit`: kWh (primary), months, or the currency where the line is a tax (its price is then the rate,
    0.024 for 2.4 %).  `less` is what the lines in `on` have charged of a minimum already; `on` of a tax names the lines
    that its quantity sums.  `determinant` is the code of the determinant that an energy line was made from.
    """

    code: str
    kind: ChargeKind
    label_en: str
    label_id: str
    quantity: Decimal
    unit: str
    base_price: Decimal
    factor: Decimal
    rounding: Rounding
    less: Decimal
    amount: Decimal
    determinant: str | None = None
    on: tuple[str, ...] = ()

    @property
    def price(self) -> Decimal:
        """Per unit of quantity: the base price x the factor."""
        return EXACT.multiply(self.base_price, self.factor)

    @property
    def product(self) -> Decimal:
        """Quantity x price, before rounding."""
        return EXACT.multiply(self.quantity, self.price)

    @property
    def adds_up(self) -> bool:
        """Whether the amount is what the other figures say."""
        return self.amount == EXACT.subtract(self.rounding.apply(self.product), self.less)


def charge(
    profile: TariffProfile, currency: str, energy: tuple[Determinant, ...], terms: Terms, months: int
) -> tuple[Line, ...]:
    """The lines of a bill, in order: energy by period, the rest of the minimum, fixed charge, taxes.

    UnknownError where the terms name a tax that this version does not have.
    """
    known = {tax.name for tax in profile.taxes}
    for name in sorted(terms.exempt.union(name for name, _ in terms.tax_percent)):
        if name not in known:
            raise UnknownError("tax in the terms of the account", name)
    lines = [_energy(profile, determinant, terms) for determinant in energy]
    lines += _minimum(profile, lines, terms, months)
    lines += _fixed(profile, months)
    _add_taxes(profile, lines, terms, currency)
    return tuple(lines)


def _line(
    code: str,
    kind: ChargeKind,
    labels: tuple[str, str],
    quantity: Decimal,
    unit: str,
    base_price: Decimal,
    rounding: Rounding,
    *,
    factor: Decimal = Decimal(1),
    less: Decimal = Decimal(0),
    determinant: str | None = None,
    on: tuple[str, ...] = (),
) -> Line:
    """A line with its amount."""
    product = EXACT.multiply(quantity, EXACT.multiply(base_price, factor))
    amount = EXACT.subtract(rounding.apply(product), less)
    return Line(code, kind, *labels, quantity, unit, base_price, factor, rounding, less, amount, determinant, on)


def _energy(profile: TariffProfile, determinant: Determinant, terms: Terms) -> Line:
    price = profile.energy_of(determinant.code)
    return _line(
        f"{ChargeKind.ENERGY}.{price.period}",
        ChargeKind.ENERGY,
        (price.label_en, price.label_id),
        kwh(determinant.energy_wh, terms.ratio),
        KWH,
        price.base_price,
        price.rounding,
        factor=price.factor,
        determinant=determinant.code,
    )


def _minimum(profile: TariffProfile, energy: list[Line], terms: Terms, months: int) -> list[Line]:
    """The line that lifts the energy charge to the minimum: bill = max(energy charge, minimum).  None above it."""
    minimum = profile.minimum
    if minimum is None:
        return []
    price = profile.energy_of(minimum.period)
    contracted_kva = Decimal(terms.contracted_va).scaleb(-3, EXACT)
    line = _line(
        ChargeKind.MINIMUM.value,
        ChargeKind.MINIMUM,
        (minimum.label_en, minimum.label_id),
        EXACT.multiply(EXACT.multiply(minimum.hours, contracted_kva), Decimal(months)),
        KWH,
        price.base_price,
        minimum.rounding,
        factor=price.factor,
        less=total([line.amount for line in energy]),
        on=tuple(line.code for line in energy),
    )
    return [line] if line.amount > 0 else []


def _fixed(profile: TariffProfile, months: int) -> list[Line]:
    fixed = profile.fixed
    if fixed is None:
        return []
    labels = (fixed.label_en, fixed.label_id)
    return [_line(ChargeKind.FIXED.value, ChargeKind.FIXED, labels, Decimal(months), MONTH, fixed.price, fixed.rounding)]


def _add_taxes(profile: TariffProfile, lines: list[Line], terms: Terms, currency: str) -> None:
    """Append the taxes in order, so that a later one can stand on an earlier one."""
    own = dict(terms.tax_percent)
    for tax in profile.taxes:
        if tax.name in terms.exempt:
            continue
        base = [line for line in lines if line.kind in tax.on or line.code in {f"{ChargeKind.TAX}.{name}" for name in tax.on}]
        lines.append(
            _line(
                f"{ChargeKind.TAX}.{tax.name}",
                ChargeKind.TAX,
                (tax.label_en, tax.label_id),
                total([line.amount for line in base]),
                currency,
                own.get(tax.name, tax.percent).scaleb(-2, EXACT),
                tax.rounding,
                on=tuple(line.code for line in base),
            )
        )
