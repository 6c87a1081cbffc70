"""What holds for every bill: it adds up, opens, reads back, and is the same whenever it is computed."""

import json
import random
from decimal import localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.billing.bill import compute, explain
from nyala.billing.bill_json import from_json, to_json
from nyala.billing.determinants import intervals, measure
from nyala.billing.lines import Terms
from nyala.billing.tariff import Tariff
from nyala.billing.tariff_file import shipped
from nyala.mdm.load_day import LoadDay
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quality import Quality
from nyala.vocab.time import zone
from tests.unit.billing.billing_days import JANUARY, days_of, load_day, more_charges


@st.composite
def bills(draw: st.DrawFn) -> tuple[Tariff, list[LoadDay], Terms]:
    """Random load days, terms and one of the tariffs."""
    tariff = draw(st.sampled_from([*shipped().values(), more_charges()]))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    highest = draw(st.sampled_from([0, 3, 500, 30_000, 1 << 40]))
    days = [
        load_day(
            day,
            generator.integers(0, highest + 1, 96).tolist(),
            generator.integers(1, len(Quality), 96).tolist(),
            version=int(generator.integers(1, 4)),
        )
        for day in days_of(JANUARY)
    ]
    part = st.integers(1, 10**6)
    rate = st.decimals(0, 100, places=3)
    terms = Terms(
        contracted_va=draw(st.integers(1, 10**9)),
        ct_ratio=draw(st.tuples(part, part)),
        vt_ratio=draw(st.tuples(part, part)),
        exempt=frozenset(draw(st.sampled_from([[], ["PPJ"]]))),
        tax_percent=draw(st.sampled_from([(), (("PPJ", draw(rate)),)])),
    )
    return tariff, days, terms


@given(bills())
@settings(max_examples=40)
def test_a_bill_is_the_same_whenever_and_in_whatever_order_it_is_computed(case):
    tariff, days, terms = case
    bill = compute(tariff, JANUARY, days, terms)
    shuffled = list(days)
    random.Random(1).shuffle(shuffled)
    with localcontext(prec=2):
        again = compute(tariff, JANUARY, iter(shuffled), terms)
        written = json.dumps(to_json(again), sort_keys=True)
        text = explain(again)
    assert again == bill
    assert written == json.dumps(to_json(bill), sort_keys=True)
    assert text == explain(bill)


@given(bills())
@settings(max_examples=40)
def test_a_bill_adds_up_reads_back_and_opens(case):
    tariff, days, terms = case
    bill = compute(tariff, JANUARY, days, terms)
    assert all(line.adds_up for line in bill.lines)
    assert all(line.amount >= 0 for line in bill.lines)
    assert bill.total == sum(Fraction(line.amount) for line in bill.lines)
    assert all(type(line.code) is str for line in bill.lines)
    inside = [int(day.values.sum()) for day in days[1:-1]] + [int(days[0].values[68:].sum()), int(days[-1].values[:68].sum())]
    assert bill.energy_wh == sum(inside) == sum(int(intervals(each).value_wh.sum()) for each in bill.determinants)
    read = from_json(json.loads(json.dumps(to_json(bill))))
    assert read == bill
    assert to_json(read) == to_json(bill)
    assert explain(read) == explain(bill)
    with pytest.raises(BadArgumentError, match="was read from a bill"):
        intervals(read.determinants[0])
    version = tariff.version_of(read.tariff_version)
    measured = measure(version, zone(read.zone), (read.start_s, read.end_s), days)
    assert (measured.energy, measured.inputs) == (read.determinants, read.inputs)
