"""Tariff files: TOML text -> `Tariff`, or a `FileError` that says path, key and what.  No file is opened but the shipped ones.

The form, with all its keys, stands in `tariffs/pln-b3.toml`.  Prices are texts ("1444.70") or TOML numbers; TOML numbers are
read as decimals, never as binary floats.
"""

import re
import tomllib
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from typing import Final

from nyala.billing.money import Rounding, RoundingMode
from nyala.billing.tariff import (
    DAY_MINUTES,
    ChargeKind,
    EnergyCharge,
    FixedCharge,
    MinimumCharge,
    Tariff,
    TariffProfile,
    TaxCharge,
    TimeTariffInterval,
)
from nyala.billing.tariff_table import Table
from nyala.vocab.errors import FileError, UnknownError
from nyala.vocab.quantities import RATES
from nyala.vocab.time import zone

FILE_CHARS_MAX: Final = 200_000
"""A hundred versions of the largest tariff of PLN need less."""
VERSIONS_MAX: Final = 100
"""Twenty-five years of quarterly adjustment."""
PERIODS_MAX: Final = RATES
"""A meter has no more rate registers to check the energies against."""
TIMES_MAX: Final = 24
"""Spans of one period in a day."""
TAXES_MAX: Final = 8
PRICE_MAX: Final = Decimal(10**12)
FACTOR_MAX: Final = Decimal(1000)
HOURS_MAX: Final = Decimal(744)
"""Hours of the longest month."""
PERCENT_MAX: Final = Decimal(100)
CONFIDENCES: Final = ("verified", "recalled")
"""`verified`: every figure was read in its source; `recalled`: at least one was not, and the file says which."""
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_TOML_LINE: Final = re.compile(r"at line ([0-9]+)")


def check_tariff(text: str, path: str) -> Tariff:
    """The tariff of a file's text; `path` only names it in errors.  FileError for anything that is not a whole tariff."""
    top = _parse(text, path)
    tariff = Tariff(
        code=top.name("code"),
        title=top.text("title"),
        title_id=top.text("title_id"),
        currency=top.text("currency"),
        zone=top.text("zone"),
        source=top.text("source"),
        confidence=top.choice("confidence", CONFIDENCES),
        versions=(),
    )
    if not _CURRENCY.fullmatch(tariff.currency):
        top.fail("currency", f"must be three capital letters (ISO 4217): {tariff.currency!r}")
    try:
        zone(tariff.zone)
    except UnknownError as error:
        top.fail("zone", str(error))
    versions: list[TariffProfile] = []
    for table in top.tables("version", VERSIONS_MAX):
        version = _version(table)
        if any(version.effective_from == other.effective_from for other in versions):
            table.fail("effective_from", f"{version.effective_from} is there twice")
        versions.append(version)
    top.close()
    return replace(tariff, versions=tuple(sorted(versions, key=lambda version: version.effective_from)))


def _parse(text: str, path: str) -> Table:
    if len(text) > FILE_CHARS_MAX:
        raise FileError(f"{len(text)} characters; at most {FILE_CHARS_MAX}", path=path)
    try:
        return Table(path, "", tomllib.loads(text, parse_float=Decimal))
    except InvalidOperation as error:
        raise FileError("a number is beyond all bounds", path=path) from error
    except RecursionError as error:  # tomllib goes one call deeper for each bracket
        raise FileError("brackets are nested too deep", path=path) from error
    except ValueError as error:  # TOMLDecodeError is one; so is an integer of too many digits
        line = _TOML_LINE.search(str(error))
        raise FileError(f"not TOML: {error}", path=path, line=int(line[1]) if line else None) from error


def _version(table: Table) -> TariffProfile:
    effective_from = table.day("effective_from")
    intervals: list[TimeTariffInterval] = []
    energy: list[EnergyCharge] = []
    for period in table.tables("period", PERIODS_MAX):
        charge = EnergyCharge(
            period=period.name("name"),
            label_en=period.text("label_en"),
            label_id=period.text("label_id"),
            base_price=period.number("price", PRICE_MAX),
            factor=period.number("factor", FACTOR_MAX) if period.has("factor") else Decimal(1),
            rounding=_rounding(period),
        )
        if any(charge.period == other.period for other in energy):
            period.fail("name", f"{charge.period} is there twice")
        energy.append(charge)
        intervals += [_interval(charge.period, times) for times in period.tables("times", TIMES_MAX)]
        period.close()
    _check_day(table, intervals)
    minimum = _minimum(table.table("minimum"), energy) if table.has("minimum") else None
    fixed = _fixed(table.table("fixed")) if table.has("fixed") else None
    bases = [ChargeKind.ENERGY.value]
    bases += [ChargeKind.MINIMUM.value] if minimum else []
    bases += [ChargeKind.FIXED.value] if fixed else []
    taxes = _taxes(table.tables("tax", TAXES_MAX), bases) if table.has("tax") else ()
    table.close()
    return TariffProfile(effective_from, tuple(intervals), tuple(energy), minimum, fixed, taxes)


def _interval(period: str, times: Table) -> TimeTariffInterval:
    interval = TimeTariffInterval(period, times.minute("from"), times.minute("to"))
    if interval.from_minute == DAY_MINUTES:
        times.fail("from", "24:00 is only an end; the day begins at 00:00")
    if interval.from_minute == interval.to_minute:
        times.fail("to", "is where it begins; a whole day is 00:00 to 24:00")
    times.close()
    return interval


def _check_day(table: Table, intervals: list[TimeTariffInterval]) -> None:
    owner: dict[int, str] = {}
    for interval in intervals:
        for minute in interval.minutes():
            if minute in owner:
                table.fail("period", f"{_clock(minute)} is in {owner[minute]} and again in {interval.period}")
            owner[minute] = interval.period
    for minute in range(DAY_MINUTES):
        if minute not in owner:
            table.fail("period", f"{_clock(minute)} is in no period; together they must hold the whole day")


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _minimum(table: Table, energy: list[EnergyCharge]) -> MinimumCharge:
    minimum = MinimumCharge(
        label_en=table.text("label_en"),
        label_id=table.text("label_id"),
        hours=table.number("hours", HOURS_MAX),
        period=table.name("period"),
        rounding=_rounding(table),
    )
    if all(charge.period != minimum.period for charge in energy):
        table.fail("period", f"{minimum.period} is none of the periods")
    table.close()
    return minimum


def _fixed(table: Table) -> FixedCharge:
    labels = table.text("label_en"), table.text("label_id")
    fixed = FixedCharge(*labels, table.number("price", PRICE_MAX), _rounding(table))
    table.close()
    return fixed


def _taxes(tables: list[Table], bases: list[str]) -> tuple[TaxCharge, ...]:
    """In order; each tax becomes a base for those after it."""
    taxes: list[TaxCharge] = []
    known = list(bases)
    for table in tables:
        tax = TaxCharge(
            name=table.name("name"),
            label_en=table.text("label_en"),
            label_id=table.text("label_id"),
            percent=table.number("percent", PERCENT_MAX),
            on=table.names("on", len(ChargeKind) + TAXES_MAX),
            rounding=_rounding(table),
        )
        if tax.name in (*known, *ChargeKind):
            table.fail("name", f"{tax.name} is the name of another charge")
        for base in tax.on:
            if base not in known:
                table.fail("on", f"{base!r} is none of the charges before this tax: {', '.join(known)}")
        table.close()
        known.append(tax.name)
        taxes.append(tax)
    return tuple(taxes)


def _rounding(table: Table) -> Rounding:
    inner = table.table("rounding")
    mode = RoundingMode(inner.choice("mode", tuple(RoundingMode)))
    unit = inner.number("unit", PRICE_MAX)
    if not unit:
        inner.fail("unit", "must be above 0")
    inner.close()
    return Rounding(mode, unit)


@cache
def shipped() -> dict[str, Tariff]:
    """The tariffs of this package by code.  The file of a code has its name."""
    tariffs = {}
    for file in sorted(files("nyala.billing").joinpath("tariffs").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            tariff = check_tariff(file.read_text(encoding="utf-8"), file.name)
            assert file.name == f"{tariff.code}.toml", "a shipped file is named after its code"
            tariffs[tariff.code] = tariff
    return tariffs


def shipped_text(code: str) -> str:
    """The text of a shipped tariff; UnknownError for another code."""
    if code not in shipped():
        raise UnknownError("shipped tariff", code)
    return files("nyala.billing").joinpath("tariffs", f"{code}.toml").read_text(encoding="utf-8")
