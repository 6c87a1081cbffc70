"""A bill: a pure function of tariff, billing period, load days and account terms.  No store, no clock, no number of the bill.

The same inputs give the same bill, to the last digit, whatever the order of the load days.  Each number opens: a line names
its determinant, a determinant its intervals (`determinants.intervals`), an interval its load day's version and quality; and
`inputs` says which load days to fetch to compute it again.  `bill_json` writes a bill and reads it back.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from nyala.billing.determinants import Determinant, Determinants, Input, measure
from nyala.billing.lines import Line, Terms, charge
from nyala.billing.money import EXACT, total
from nyala.billing.tariff import ChargeKind, Tariff
from nyala.mdm.load_day import LoadDay
from nyala.vocab.errors import ConflictError
from nyala.vocab.time import day_text, iso, zone

GAPS_SHOWN: Final = 3
"""Gaps that a refusal spells out; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Bill:
    """One meter, one billing period [start_s, end_s).  Energies in Wh are those at the meter's terminals (secondary)."""

    meter_id: int
    tariff_code: str
    tariff_version: date
    """The date of effect of the version that was applied."""
    currency: str
    zone: str
    start_s: int
    end_s: int
    terms: Terms
    lines: tuple[Line, ...]
    determinants: tuple[Determinant, ...]
    inputs: tuple[Input, ...]

    @property
    def energy_wh(self) -> int:
        """Energy billed."""
        return sum(each.energy_wh for each in self.determinants)

    @property
    def estimated_wh(self) -> int:
        """The part of `energy_wh` that was estimated."""
        return sum(each.estimated_wh for each in self.determinants)

    @property
    def charges(self) -> Decimal:
        """All lines but the taxes."""
        return total([line.amount for line in self.lines if line.kind is not ChargeKind.TAX])

    @property
    def taxes(self) -> Decimal:
        """All taxes."""
        return total([line.amount for line in self.lines if line.kind is ChargeKind.TAX])

    @property
    def total(self) -> Decimal:
        """What is to be paid."""
        return total([line.amount for line in self.lines])


def compute(tariff: Tariff, period: tuple[int, int], load_days: Iterable[LoadDay], terms: Terms) -> Bill:
    """The bill of one meter's import for [start_s, end_s), usually a `vocab.time.local_month` of the tariff's zone.

    ConflictError where an interval has no value: it says how many and where.  UnknownError where no version of the tariff is in
    force, or the terms name a tax that it has not.  Otherwise as `determinants.measure`.
    """
    start_s, end_s = period
    profile, tz = tariff.version_at(start_s), zone(tariff.zone)
    measured = measure(profile, tz, period, load_days)
    if measured.missing:
        raise ConflictError(_missing_text(measured))
    return Bill(
        meter_id=measured.meter_id,
        tariff_code=tariff.code,
        tariff_version=profile.effective_from,
        currency=tariff.currency,
        zone=tariff.zone,
        start_s=start_s,
        end_s=end_s,
        terms=terms,
        lines=charge(profile, tariff.currency, measured.energy, terms, _months(start_s, end_s, tz)),
        determinants=measured.energy,
        inputs=measured.inputs,
    )


def _missing_text(measured: Determinants) -> str:
    gaps = [f"{gap.intervals} from {iso(gap.start_s)} to {iso(gap.end_s)}" for gap in measured.gaps[:GAPS_SHOWN]]
    more = len(measured.gaps) - GAPS_SHOWN
    where = ", ".join(gaps) + (f" and {more} more gaps" if more > 0 else "")
    counts = f"{measured.missing} of {measured.intervals} intervals"
    return f"meter {measured.meter_id}: {counts} are missing and must be estimated first: {where}"


def _months(start_s: int, end_s: int, tz: ZoneInfo) -> int:
    """Months from the local start, a begun one counting whole: 1 for a calendar month, and for the 15th to the 15th."""
    first, months = datetime.fromtimestamp(start_s, tz), 1
    while _later(first, months).timestamp() < end_s:  # `measure` has bounded the period
        months += 1
    return months


def _later(moment: datetime, months: int) -> datetime:
    """The same local time and day so many months later, or the last day of that month."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def explain(bill: Bill) -> str:
    """The bill in plain text, every line with its arithmetic, down to the determinants and the load days."""
    tz = zone(bill.zone)
    start, end = (datetime.fromtimestamp(at_s, tz).strftime("%Y-%m-%d %H:%M") for at_s in (bill.start_s, bill.end_s))
    ct, vt = bill.terms.ct_ratio, bill.terms.vt_ratio
    rows = [
        f"Meter {bill.meter_id}, {start} to {end} ({bill.zone})",
        f"Tariff {bill.tariff_code}, version in force from {bill.tariff_version}; amounts in {bill.currency}",
        f"Contracted power {bill.terms.contracted_va:,} VA; CT {ct[0]}:{ct[1]}, VT {vt[0]}:{vt[1]}",
        "",
    ]
    determinants = {each.code: each for each in bill.determinants}
    for line in bill.lines:
        rows.append(f"{line.label_en} [{line.code}]: {line.amount:,f}")
        rows += [f"    {row}" for row in _arithmetic(line)]
        if line.determinant is not None:
            rows += [f"    {row}" for row in _origin(determinants[line.determinant], tz)]
    rows += [
        "",
        f"Charges {bill.charges:,f} + taxes {bill.taxes:,f} = total {bill.currency} {bill.total:,f}",
        f"Energy at the meter {bill.energy_wh:,} Wh, of which estimated {bill.estimated_wh:,} Wh",
        *_sources(bill.inputs),
    ]
    return "\n".join(rows) + "\n"


def _arithmetic(line: Line) -> list[str]:
    rounded = line.rounding.apply(line.product)
    rule = f"{line.rounding.mode} to {line.rounding.unit}"
    outcome = f"{line.product:,f}" if rounded == line.product else f"{line.product:,f}, {rule} = {rounded:,f}"
    if line.kind is ChargeKind.TAX:
        rate = EXACT.normalize(line.price.scaleb(2, EXACT))
        return [f"{rate:f} % of {line.quantity:,f} ({' + '.join(line.on) or 'nothing'}) = {outcome}"]
    factor = f" ({line.base_price:,f} x factor {line.factor:f})" if line.factor != 1 else ""
    rows = [f"{line.quantity:,f} {line.unit} x {line.price:,f}{factor} = {outcome}"]
    if line.kind is ChargeKind.MINIMUM:
        rows.append(f"less {line.less:,f} charged already ({' + '.join(line.on)}) = {line.amount:,f}")
    return rows


def _origin(determinant: Determinant, tz: ZoneInfo) -> list[str]:
    energy = f"{determinant.energy_wh:,} Wh at the meter in {determinant.intervals:,} intervals"
    rows = [f"{energy}, of which estimated {determinant.estimated_wh:,} Wh"]
    if determinant.demand is not None:
        at = datetime.fromtimestamp(determinant.demand.start_s, tz).strftime("%Y-%m-%d %H:%M")
        rows.append(f"highest demand {determinant.demand.power_w:,} W at the meter, in the interval from {at}")
    return rows


def _sources(inputs: tuple[Input, ...]) -> list[str]:
    """Which load days, by channel and version."""
    channels = sorted({each.channel for each in inputs})
    rows = []
    for channel in channels:
        mine = [each for each in inputs if each.channel is channel]
        versions = Counter(each.version for each in mine)
        parts = ", ".join(f"version {version}: {versions[version]}" for version in sorted(versions))
        rows.append(
            f"{len(mine)} load days of {channel.name}, {day_text(mine[0].day)} to {day_text(mine[-1].day)} UTC ({parts})"
        )
    return rows
