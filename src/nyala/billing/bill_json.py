"""A bill as JSON and back: how it is stored and how the API gives it.  Decimals are texts, instants seconds, dates ISO.

Derived figures (price, totals, energies) are written for those who only read; reading back checks that they still agree,
so a stored bill that somebody touched is refused.  `from_json(to_json(bill)) == bill`.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeVar

from nyala.billing.bill import Bill
from nyala.billing.determinants import Demand, Determinant, Input
from nyala.billing.lines import Line, Terms
from nyala.billing.money import Rounding, RoundingMode
from nyala.billing.tariff import ChargeKind
from nyala.vocab.errors import BadArgumentError, ForeignError, UnknownError
from nyala.vocab.quantities import Channel
from nyala.vocab.time import zone

FORMAT: Final = 1
"""Written into each bill; another number is refused."""
_DECIMAL: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,20})?")
_T = TypeVar("_T")


def to_json(bill: Bill) -> dict[str, Any]:
    """The bill as an object of JSON."""
    return {
        "format": FORMAT,
        "meter_id": bill.meter_id,
        "tariff": {"code": bill.tariff_code, "version": bill.tariff_version.isoformat()},
        "currency": bill.currency,
        "zone": bill.zone,
        "start_s": bill.start_s,
        "end_s": bill.end_s,
        "terms": {
            "contracted_va": bill.terms.contracted_va,
            "ct_ratio": list(bill.terms.ct_ratio),
            "vt_ratio": list(bill.terms.vt_ratio),
            "exempt": sorted(bill.terms.exempt),
            "tax_percent": {name: f"{percent:f}" for name, percent in bill.terms.tax_percent},
        },
        "lines": [_line_row(line) for line in bill.lines],
        "determinants": [_determinant_row(determinant) for determinant in bill.determinants],
        "inputs": [[each.day, each.channel.name, each.version] for each in bill.inputs],
        **_derived(bill),
    }


def _derived(bill: Bill) -> dict[str, Any]:
    return {
        "energy_wh": bill.energy_wh,
        "estimated_wh": bill.estimated_wh,
        "charges": f"{bill.charges:f}",
        "taxes": f"{bill.taxes:f}",
        "total": f"{bill.total:f}",
    }


def _line_row(line: Line) -> dict[str, Any]:
    return {
        "code": line.code,
        "kind": line.kind.value,
        "label_en": line.label_en,
        "label_id": line.label_id,
        "quantity": f"{line.quantity:f}",
        "unit": line.unit,
        "price": f"{line.price:f}",
        "base_price": f"{line.base_price:f}",
        "factor": f"{line.factor:f}",
        "rounding": {"mode": line.rounding.mode.value, "unit": f"{line.rounding.unit:f}"},
        "less": f"{line.less:f}",
        "amount": f"{line.amount:f}",
        "determinant": line.determinant,
        "on": list(line.on),
    }


def _determinant_row(determinant: Determinant) -> dict[str, Any]:
    demand = determinant.demand
    return {
        "code": determinant.code,
        "energy_wh": determinant.energy_wh,
        "estimated_wh": determinant.estimated_wh,
        "intervals": determinant.intervals,
        "missing": determinant.missing,
        "demand": {"power_w": demand.power_w, "start_s": demand.start_s} if demand else None,
    }


def from_json(row: object) -> Bill:
    """The bill of `to_json`; ForeignError for anything else.  Its determinants have no intervals any more."""
    if _get(row, "format", int) != FORMAT:
        raise ForeignError(f"bill of another format than {FORMAT}")
    tariff = _get(row, "tariff", dict)
    bill = Bill(
        meter_id=_get(row, "meter_id", int),
        tariff_code=_get(tariff, "code", str),
        tariff_version=_date(tariff, "version"),
        currency=_get(row, "currency", str),
        zone=_get(row, "zone", str),
        start_s=_get(row, "start_s", int),
        end_s=_get(row, "end_s", int),
        terms=_terms(_get(row, "terms", dict)),
        lines=tuple(_line(item) for item in _get(row, "lines", list)),
        determinants=tuple(_determinant(item) for item in _get(row, "determinants", list)),
        inputs=tuple(_input(item) for item in _get(row, "inputs", list)),
    )
    _check(bill, row)
    return bill


def _check(bill: Bill, row: object) -> None:
    """Refuse a bill whose parts do not agree."""
    try:
        zone(bill.zone)
    except UnknownError as error:
        raise ForeignError(f"bill: {error}") from error
    codes = {each.code for each in bill.determinants}
    for line in bill.lines:
        if line.determinant is not None and line.determinant not in codes:
            raise ForeignError(f"bill: line {line.code} names determinant {line.determinant}, which is not there")
    for key, value in _derived(bill).items():
        if _get(row, key, type(value)) != value:
            raise ForeignError(f"bill does not add up: {key} is not {value}")


def _terms(row: object) -> Terms:
    own = _get(row, "tax_percent", dict)
    try:
        return Terms(
            contracted_va=_get(row, "contracted_va", int),
            ct_ratio=_ratio(row, "ct_ratio"),
            vt_ratio=_ratio(row, "vt_ratio"),
            exempt=frozenset(_texts(row, "exempt")),
            tax_percent=tuple((name, _decimal(own, name)) for name in own),
        )
    except BadArgumentError as error:
        raise ForeignError(f"bill: {error}") from error


def _line(row: object) -> Line:
    rounding = _get(row, "rounding", dict)
    unit = _decimal(rounding, "unit")
    if unit <= 0:
        raise ForeignError(f"bill: rounding to {unit}")
    determinant = None if _has_null(row, "determinant") else _get(row, "determinant", str)
    line = Line(
        code=_get(row, "code", str),
        kind=_kind(row),
        label_en=_get(row, "label_en", str),
        label_id=_get(row, "label_id", str),
        quantity=_decimal(row, "quantity"),
        unit=_get(row, "unit", str),
        base_price=_decimal(row, "base_price"),
        factor=_decimal(row, "factor"),
        rounding=Rounding(_mode(rounding), unit),
        less=_decimal(row, "less"),
        amount=_decimal(row, "amount"),
        determinant=determinant,
        on=_texts(row, "on"),
    )
    if not line.adds_up or _decimal(row, "price") != line.price:
        raise ForeignError(f"bill: line {line.code} does not add up")
    return line


def _kind(row: object) -> ChargeKind:
    value = _get(row, "kind", str)
    if value not in tuple(ChargeKind):
        raise ForeignError(f"bill: kind {value!r}")
    return ChargeKind(value)


def _mode(row: object) -> RoundingMode:
    value = _get(row, "mode", str)
    if value not in tuple(RoundingMode):
        raise ForeignError(f"bill: rounding {value!r}")
    return RoundingMode(value)


def _determinant(row: object) -> Determinant:
    demand = None
    if not _has_null(row, "demand"):
        inner = _get(row, "demand", dict)
        demand = Demand(_get(inner, "power_w", int), _get(inner, "start_s", int))
    return Determinant(
        code=_get(row, "code", str),
        energy_wh=_get(row, "energy_wh", int),
        estimated_wh=_get(row, "estimated_wh", int),
        intervals=_get(row, "intervals", int),
        missing=_get(row, "missing", int),
        demand=demand,
    )


def _input(row: object) -> Input:
    if not isinstance(row, list) or [type(part) for part in row] != [int, str, int] or row[1] not in Channel.__members__:
        raise ForeignError(f"bill: input {row!r}")
    return Input(row[0], Channel[row[1]], row[2])


def _get(row: object, key: str, kind: type[_T]) -> _T:
    """A value of exactly one type (`True` is no number)."""
    if not isinstance(row, dict) or key not in row:
        raise ForeignError(f"bill without {key}")
    value = row[key]
    if type(value) is not kind:
        raise ForeignError(f"bill: {key} must be {kind.__name__}: {value!r}")
    return value


def _has_null(row: object, key: str) -> bool:
    return isinstance(row, dict) and key in row and row[key] is None


def _texts(row: object, key: str) -> tuple[str, ...]:
    values = _get(row, key, list)
    if not all(isinstance(value, str) for value in values):
        raise ForeignError(f"bill: {key} must be texts")
    return tuple(values)


def _ratio(row: object, key: str) -> tuple[int, int]:
    values = _get(row, key, list)
    if [type(value) for value in values] != [int, int]:
        raise ForeignError(f"bill: {key} must be two whole numbers")
    return values[0], values[1]


def _decimal(row: object, key: str) -> Decimal:
    text = _get(row, key, str)
    if not _DECIMAL.fullmatch(text):
        raise ForeignError(f"bill: {key} is not a decimal number: {text!r}")
    return Decimal(text)


def _date(row: object, key: str) -> date:
    text = _get(row, key, str)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ForeignError(f"bill: {key} is not a date: {text!r}") from error
