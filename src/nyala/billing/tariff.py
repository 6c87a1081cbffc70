"""What a tariff is: effective-dated versions of time-of-use prices, minimum, fixed charge and taxes.  No file is read here.

The names are those of CIM PaymentMetering (IEC 61968-9): a version is a TariffProfile with TimeTariffIntervals and
Charges.  Steps by consumption (ConsumptionTariffInterval), demand, reactive energy, calendars with holidays and discounts
are not here yet.  All objects come checked from `tariff_file.check_tariff`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from nyala.billing.money import Rounding
from nyala.vocab.errors import UnknownError
from nyala.vocab.time import iso, zone

DAY_MINUTES = 1440


class ChargeKind(StrEnum):
    """What a charge is for.  All but TAX are also the names of the bases that a tax may stand on."""

    ENERGY = "energy"
    MINIMUM = "minimum"
    FIXED = "fixed"
    TAX = "tax"


@dataclass(frozen=True, slots=True)
class TimeTariffInterval:
    """When a time-of-use period holds: minutes [from_minute, to_minute) of the local day; past midnight where from > to."""

    period: str
    from_minute: int
    to_minute: int

    def minutes(self) -> list[int]:
        """The minutes 0..1439 of the local day."""
        length = (self.to_minute - self.from_minute) % DAY_MINUTES or DAY_MINUTES
        return [minute % DAY_MINUTES for minute in range(self.from_minute, self.from_minute + length)]


@dataclass(frozen=True, slots=True)
class EnergyCharge:
    """The energy of one time-of-use period: kWh x `base_price` (currency per kWh) x `factor` (PLN's K on WBP)."""

    period: str
    label_en: str
    label_id: str
    base_price: Decimal
    factor: Decimal
    rounding: Rounding


@dataclass(frozen=True, slots=True)
class MinimumCharge:
    """A minimum by hours of use: `hours` x contracted kVA x the energy price of `period`, per month (PLN's RM1, RM2)."""

    label_en: str
    label_id: str
    hours: Decimal
    period: str
    rounding: Rounding


@dataclass(frozen=True, slots=True)
class FixedCharge:
    """An amount in the currency per month."""

    label_en: str
    label_id: str
    price: Decimal
    rounding: Rounding


@dataclass(frozen=True, slots=True)
class TaxCharge:
    """A percentage of its bases: `on` names kinds of charge and taxes that stand before it."""

    name: str
    label_en: str
    label_id: str
    percent: Decimal
    on: tuple[str, ...]
    rounding: Rounding


@dataclass(frozen=True, slots=True)
class TariffProfile:
    """One version of a tariff.  `intervals` cover the local day exactly once; `energy` has one charge for each period."""

    effective_from: date
    intervals: tuple[TimeTariffInterval, ...]
    energy: tuple[EnergyCharge, ...]
    minimum: MinimumCharge | None
    fixed: FixedCharge | None
    taxes: tuple[TaxCharge, ...]

    def energy_of(self, period: str) -> EnergyCharge:
        """The energy charge of a period; UnknownError for another name."""
        for charge in self.energy:
            if charge.period == period:
                return charge
        raise UnknownError("time-of-use period", period)


@dataclass(frozen=True, slots=True)
class Tariff:
    """A tariff with all its versions, oldest first.  `zone` is the IANA zone of its local times."""

    code: str
    title: str
    title_id: str
    currency: str
    zone: str
    source: str
    confidence: str
    versions: tuple[TariffProfile, ...]

    def version_at(self, start_s: int) -> TariffProfile:
        """The version in force at the local date of an instant: a bill takes that of its period's start.

        UnknownError before the first one.
        """
        day = datetime.fromtimestamp(start_s, zone(self.zone)).date()
        for version in reversed(self.versions):
            if version.effective_from <= day:
                return version
        raise UnknownError(f"version of tariff {self.code} in force on", f"{day} (local date of {iso(start_s)})")

    def version_of(self, effective_from: date) -> TariffProfile:
        """The version of a date of effect, as a bill names it; UnknownError for another date."""
        for version in self.versions:
            if version.effective_from == effective_from:
                return version
        raise UnknownError(f"version of tariff {self.code}", effective_from)
