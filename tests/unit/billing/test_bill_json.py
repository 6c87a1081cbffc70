"""Bills as JSON: what is written, and that a spoilt one is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.billing.bill import compute
from nyala.billing.bill_json import from_json, to_json
from nyala.billing.lines import Terms
from nyala.billing.tariff_file import shipped
from nyala.vocab.errors import ForeignError
from tests.unit.billing.billing_days import JANUARY, days_of, load_days, month_of

R1 = shipped()["pln-r1-1300"]
B3 = shipped()["pln-b3"]
HOME = Terms(contracted_va=1300)
STEADY = load_days(JANUARY, 10)


def test_json_has_decimals_as_texts():
    row = to_json(compute(R1, JANUARY, month_of(10_000), HOME))
    assert (row["total"], row["charges"], row["taxes"]) == ("76927.39", "75124.40", "1802.99")
    assert (row["energy_wh"], row["estimated_wh"]) == (10_000, 0)
    assert row["tariff"] == {"code": "pln-r1-1300", "version": "2022-07-01"}
    assert row["inputs"][0] == [days_of(JANUARY)[0], "IMPORT", 1]
    assert row["lines"][0]["quantity"] == "10.000"


SPOILT = [
    ("format", 2, "another format"),
    ("format", None, "format must be int"),
    ("meter_id", True, "meter_id must be int"),
    ("tariff.version", "1 July", "version is not a date"),
    ("zone", "Asia/Batavia", "unknown time zone"),
    ("terms.contracted_va", 0, "contracted power of 0 VA"),
    ("terms.ct_ratio", [1], "ct_ratio must be two whole numbers"),
    ("terms.exempt", [1], "exempt must be texts"),
    ("terms.tax_percent", {"PPJ": 2.4}, "PPJ must be str"),
    ("lines", {}, "lines must be list"),
    ("lines.0", 3, "bill without rounding"),
    ("lines.0.kind", "demand", "kind 'demand'"),
    ("lines.0.amount", "14447.01", "line energy.ALL does not add up"),
    ("lines.0.quantity", "11.000", "line energy.ALL does not add up"),
    ("lines.0.price", "1.00", "line energy.ALL does not add up"),
    ("lines.0.quantity", "1e3", "quantity is not a decimal number"),
    ("lines.0.quantity", "9" * 41, "quantity is not a decimal number"),
    ("lines.0.determinant", "WBP", "names determinant WBP"),
    ("lines.0.rounding.mode", "up", "rounding 'up'"),
    ("lines.0.rounding.unit", "0", "rounding to 0"),
    ("determinants.0.energy_wh", 10_001, "does not add up: energy_wh is not 10001"),
    ("determinants.0.demand", 3, "demand must be dict"),
    ("inputs.0", [1, "IMPORT"], "input"),
    ("inputs.0", [1, "SOLAR", 1], "input"),
    ("total", "76927.40", "does not add up: total is not 76927.39"),
]


@pytest.mark.parametrize(("where", "value", "what"), SPOILT, ids=[f"{row[0]} {row[2]}" for row in SPOILT])
def test_a_spoilt_stored_bill_is_refused(where, value, what):
    row = to_json(compute(R1, JANUARY, month_of(10_000), HOME))
    *path, last = [int(part) if part.isdigit() else part for part in where.split(".")]
    inner: Any = row
    for part in path:
        inner = inner[part]
    inner[last] = value
    with pytest.raises(ForeignError, match=what):
        from_json(row)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3) | st.just("9" * 40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_any_json_is_a_bill_or_a_foreign_error(data):
    row = to_json(compute(B3, JANUARY, STEADY, Terms(contracted_va=300_000)))
    inner: object = row
    for _ in range(data.draw(st.integers(0, 3))):
        places = [
            child
            for child in (inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else [])
            if isinstance(child, (dict, list)) and child
        ]
        if places:
            inner = data.draw(st.sampled_from(places))
    if isinstance(inner, dict):
        inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(JSON)
    elif isinstance(inner, list):
        inner[data.draw(st.integers(0, len(inner) - 1))] = data.draw(JSON)
    try:
        bill = from_json(row)
    except ForeignError:
        return
    assert from_json(to_json(bill)) == bill


@given(JSON)
def test_any_other_json_is_a_foreign_error(row):
    with pytest.raises(ForeignError):
        from_json(row)
