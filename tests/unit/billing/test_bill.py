"""Bills worked by hand to the cent, and what a bill refuses."""

from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.billing.bill import Bill, compute, explain
from nyala.billing.determinants import Demand, Input
from nyala.billing.lines import Terms
from nyala.billing.money import kwh
from nyala.billing.tariff_file import check_tariff, shipped, shipped_text
from nyala.vocab.errors import BadArgumentError, ConflictError, UnknownError
from nyala.vocab.quality import Quality
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S, instant_from_text, local_month, zone
from tests.unit.billing.billing_days import JANUARY, days_of, load_day, load_days, month_of, more_charges

R1 = shipped()["pln-r1-1300"]
B3 = shipped()["pln-b3"]
JAKARTA = zone("Asia/Jakarta")
HOME = Terms(contracted_va=1300)


def amounts(bill: Bill) -> dict[str, str]:
    return {line.code: str(line.amount) for line in bill.lines}


def test_the_minimum_of_1300_va_is_52_kwh_and_75124_40_rupiah():
    # The reference vector (tariffs-and-vee.md 1.2): 40 h x 1.3 kVA = 52 kWh; 52 x 1,444.70 = 75,124.40.
    # Without any energy the whole of it is charged; PPJ 2.4 % of 75,124.40 = 1,802.9856 -> 1,802.99.
    bill = compute(R1, JANUARY, month_of(0), HOME)
    assert amounts(bill) == {"energy.ALL": "0.00", "minimum": "75124.40", "tax.PPJ": "1802.99"}
    minimum = bill.lines[1]
    assert (str(minimum.quantity), minimum.unit, str(minimum.price)) == ("52.000", "kWh", "1444.70")
    assert (str(bill.charges), str(bill.taxes), str(bill.total)) == ("75124.40", "1802.99", "76927.39")


def test_a_flat_bill_below_the_minimum():
    # 10 kWh x 1,444.70 = 14,447.00; minimum 75,124.40 less 14,447.00 = 60,677.40;
    # PPJ on 75,124.40 = 1,802.9856 -> 1,802.99; together 76,927.39.
    bill = compute(R1, JANUARY, month_of(10_000), HOME)
    assert amounts(bill) == {"energy.ALL": "14447.00", "minimum": "60677.40", "tax.PPJ": "1802.99"}
    assert str(bill.total) == "76927.39"


@pytest.mark.parametrize(("energy_wh", "codes"), [(51_999, 3), (52_000, 2), (52_001, 2)])
def test_the_minimum_is_charged_only_below_it(energy_wh, codes):
    # 51.999 kWh x 1,444.70 = 75,122.9553 -> 75,122.96: 1.44 are lacking.
    bill = compute(R1, JANUARY, month_of(energy_wh), HOME)
    assert len(bill.lines) == codes
    assert amounts(bill).get("minimum") == ("1.44" if energy_wh < 52_000 else None)


def test_a_flat_bill_above_the_minimum():
    # 123.456 kWh x 1,444.70 = 178,356.8832 -> 178,356.88; PPJ 2.4 % = 4,280.56512 -> 4,280.57; together 182,637.45.
    bill = compute(R1, JANUARY, month_of(123_456), HOME)
    assert amounts(bill) == {"energy.ALL": "178356.88", "tax.PPJ": "4280.57"}
    assert str(bill.total) == "182637.45"
    assert str(bill.lines[0].quantity) == "123.456"


def test_a_two_rate_bill_through_transformers():
    # 40 Wh in each quarter of an hour at the meter.  A day has 76 LWBP (19 h) and 20 WBP (5 h) intervals; January 31 days:
    #   LWBP 31 x 76 x 40 = 94,240 Wh, WBP 31 x 20 x 40 = 24,800 Wh; CT 2000/5 = 400:
    #   LWBP 37,696.000 kWh x 1,035.78          = 39,044,762.88
    #   WBP   9,920.000 kWh x 1,553.67 (K 1.5)  = 15,412,406.40     together 54,457,169.28
    #   minimum 40 h x 300 kVA x 1,035.78       = 12,429,360.00     is below
    #   PPJ 2.4 % of 54,457,169.28 = 1,306,972.06272 -> 1,306,972.06
    #   total                                     55,764,141.34
    bill = compute(B3, JANUARY, load_days(JANUARY, 40), Terms(contracted_va=300_000, ct_ratio=(2000, 5)))
    assert amounts(bill) == {"energy.LWBP": "39044762.88", "energy.WBP": "15412406.40", "tax.PPJ": "1306972.06"}
    assert [str(line.quantity) for line in bill.lines[:2]] == ["37696.000", "9920.000"]
    assert [str(line.price) for line in bill.lines[:2]] == ["1035.78", "1553.670"]
    assert str(bill.total) == "55764141.34"
    assert bill.energy_wh == 119_040


def test_a_two_rate_bill_below_the_minimum():
    # 10 Wh a quarter, CT 400/5 = 80: LWBP 23,560 Wh -> 1,884.800 kWh x 1,035.78 = 1,952,238.144 -> 1,952,238.14;
    # WBP 6,200 Wh -> 496.000 kWh x 1,553.67 = 770,620.32; together 2,722,858.46.
    # Minimum RM2: 40 h x 300 kVA = 12,000 kWh x LWBP 1,035.78 = 12,429,360.00, less 2,722,858.46 = 9,706,501.54.
    # PPJ 2.4 % of 12,429,360.00 = 298,304.64; total 12,727,664.64.
    bill = compute(B3, JANUARY, load_days(JANUARY, 10), Terms(contracted_va=300_000, ct_ratio=(400, 5)))
    assert amounts(bill) == {
        "energy.LWBP": "1952238.14",
        "energy.WBP": "770620.32",
        "minimum": "9706501.54",
        "tax.PPJ": "298304.64",
    }
    assert str(bill.total) == "12727664.64"


def test_fixed_charge_and_taxes_in_order_with_their_own_rounding():
    # 100 kWh x 1,444.70 = 144,470.00; fixed 12,345.67 -> 12,345 (floor to 1); PPJ 2.4 % of the energy = 3,467.28;
    # PPN 11 % of 144,470.00 + 12,345 + 3,467.28 = 160,282.28: 17,631.0508 -> 17,632 (ceil to 1); total 177,914.28.
    bill = compute(more_charges(), JANUARY, month_of(100_000), HOME)
    assert amounts(bill) == {"energy.ALL": "144470.00", "fixed": "12345", "tax.PPJ": "3467.28", "tax.PPN": "17632"}
    assert bill.lines[-1].on == ("energy.ALL", "fixed", "tax.PPJ")
    assert str(bill.total) == "177914.28"


def test_the_account_may_be_exempt_or_have_its_own_rate():
    tariff = more_charges()
    # PPJ exempt: PPN 11 % of 156,815.00 = 17,249.65 -> 17,250.
    exempt = compute(tariff, JANUARY, month_of(100_000), replace(HOME, exempt=frozenset({"PPJ"})))
    assert amounts(exempt) == {"energy.ALL": "144470.00", "fixed": "12345", "tax.PPN": "17250"}
    # PPJ of another regency: 10 % of 144,470.00 = 14,447.00.
    own = compute(R1, JANUARY, month_of(100_000), replace(HOME, tax_percent=(("PPJ", Decimal(10)),)))
    assert amounts(own) == {"energy.ALL": "144470.00", "tax.PPJ": "14447.00"}


@pytest.mark.parametrize("terms", [{"exempt": frozenset({"PPN"})}, {"tax_percent": (("PPN", Decimal(11)),)}])
def test_terms_that_name_a_tax_which_the_tariff_has_not_are_refused(terms):
    with pytest.raises(UnknownError, match="unknown tax in the terms of the account: PPN"):
        compute(R1, JANUARY, month_of(0), replace(HOME, **terms))


@pytest.mark.parametrize(
    ("terms", "what"),
    [
        ({"contracted_va": 0}, "contracted power of 0 VA"),
        ({"contracted_va": 10**9 + 1}, "contracted power"),
        ({"ct_ratio": (0, 5)}, "CT ratio 0:5"),
        ({"vt_ratio": (20_000, -1)}, "VT ratio 20000:-1"),
        ({"ct_ratio": (10**6 + 1, 5)}, "CT ratio"),
        ({"tax_percent": (("PPJ", Decimal(-1)),)}, "rate of PPJ: -1 %"),
        ({"tax_percent": (("PPJ", Decimal("100.1")),)}, "rate of PPJ"),
        ({"tax_percent": (("PPJ", Decimal("2.0000001")),)}, "at most 6 decimals"),
        ({"tax_percent": (("PPJ", Decimal("NaN")),)}, "rate of PPJ: NaN"),
        ({"tax_percent": (("PPJ", Decimal(1)), ("PPJ", Decimal(2)))}, "a tax has two rates"),
    ],
)
def test_impossible_terms_are_refused(terms, what):
    with pytest.raises(BadArgumentError, match=what):
        replace(HOME, **terms)


@pytest.mark.parametrize(
    ("secondary_wh", "ct", "vt", "quantity"),
    [
        (1_234, (1, 1), (1, 1), "1.234"),
        (1_234, (400, 5), (1, 1), "98.720"),
        (1_234, (400, 5), (20_000, 100), "19744.000"),
        (1, (5, 400), (1, 1), "0.000012500"),
        # 20,000 V : 110 V does not end: 1 Wh x 2000/11 = 181.8181... Wh, cut after a microwatt-hour, never rounded up.
        (1, (1, 1), (20_000, 110), "0.181818181"),
        (10**15 + 1, (10**6, 1), (10**6, 1), "1000000000000001000000000.000"),
    ],
)
def test_the_ratio_is_exact(secondary_wh, ct, vt, quantity):
    ratio = Terms(1300, ct, vt).ratio
    assert ratio == Fraction(ct[0] * vt[0], ct[1] * vt[1])
    with localcontext(prec=3):
        assert str(kwh(secondary_wh, ratio)) == quantity


@given(st.integers(0, 10**18), st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_quantity_is_never_above_the_primary_and_less_than_a_microwatt_hour_below(secondary_wh, primary, secondary):
    exact = Fraction(secondary_wh * primary, secondary * 1000)
    assert 0 <= exact - Fraction(kwh(secondary_wh, Fraction(primary, secondary))) < Fraction(1, 10**9)


def test_a_bill_over_missing_intervals_is_refused_and_says_how_many_and_where():
    days = month_of(100_000)
    del days[2]
    days[5].qualities[[0, 1, 10, 20]] = Quality.MISSING
    days[9].qualities[0] = Quality.MISSING
    with pytest.raises(ConflictError) as caught:
        compute(R1, JANUARY, days, HOME)
    assert str(caught.value) == (
        "meter 7: 101 of 2976 intervals are missing and must be estimated first: "
        "96 from 2025-01-02T00:00:00Z to 2025-01-03T00:00:00Z, "
        "2 from 2025-01-06T00:00:00Z to 2025-01-06T00:30:00Z, "
        "1 from 2025-01-06T02:30:00Z to 2025-01-06T02:45:00Z and 2 more gaps"
    )


def test_a_single_missing_interval_at_the_edge_is_seen():
    days = month_of(100_000)
    days[-1].qualities[67] = Quality.MISSING  # 16:45 UTC, the last of the month in Jakarta
    with pytest.raises(ConflictError, match=r"1 of 2976 intervals are missing .* 1 from 2025-01-31T16:45:00Z"):
        compute(R1, JANUARY, days, HOME)
    days[-1].qualities[67], days[-1].qualities[68] = Quality.RAW, Quality.MISSING  # the first of February
    assert compute(R1, JANUARY, days, HOME).energy_wh == 100_000


def test_estimated_energy_is_itemised():
    days = month_of(2976 * 10)
    days[3].qualities[:8] = Quality.LINEAR
    days[4].qualities[:4] = Quality.PROFILE
    days[5].qualities[:4] = Quality.EDITED
    days[6].qualities[:4] = Quality.OUTAGE
    bill = compute(R1, JANUARY, days, HOME)
    assert (bill.energy_wh, bill.estimated_wh) == (29_760, 120)


def test_a_bill_says_what_it_was_made_from():
    days = month_of(100_000)
    days[4].version = 3
    bill = compute(R1, JANUARY, [*days, load_day(days[4].key.day, 5, channel=Channel.EXPORT)], HOME)
    first = days_of(JANUARY)[0]
    assert bill.inputs == tuple(Input(first + i, Channel.IMPORT, 3 if i == 4 else 1) for i in range(32))
    assert (bill.tariff_code, bill.tariff_version) == ("pln-r1-1300", date(2022, 7, 1))
    assert (bill.meter_id, bill.currency, bill.zone) == (7, "IDR", "Asia/Jakarta")
    assert bill.lines[0].determinant == bill.determinants[0].code == "ALL"
    assert bill.determinants[0].demand == Demand((33 + 100_000 % 2976) * 4, days[10].key.day * DAY_S + 48 * 900)


def test_the_version_of_the_local_start_applies_to_the_whole_bill():
    # A new price from 16 January does not touch January's bill; from 1 January local time it does.
    head, version = shipped_text("pln-r1-1300").split("[[version]]")
    for begins, price in (("2025-01-16", "1444.70"), ("2025-01-01", "1500.00")):
        later = version.replace("1444.70", "1500.00").replace("2022-07-01", begins)
        tariff = check_tariff(f"{head}[[version]]{version}[[version]]{later}", "two.toml")
        assert str(compute(tariff, JANUARY, month_of(100_000), HOME).lines[0].price) == price


def test_a_bill_before_the_tariff_is_refused():
    period = local_month("2022-06", JAKARTA)
    with pytest.raises(UnknownError, match="in force on: 2022-06-01"):
        compute(R1, period, load_days(period, 1), HOME)


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2025-01-01T00:00", "2025-02-01T00:00", 1),
        ("2025-01-15T00:00", "2025-02-15T00:00", 1),
        ("2025-01-15T00:00", "2025-02-15T00:15", 2),
        ("2025-01-31T00:00", "2025-02-28T00:00", 1),
        ("2025-01-31T00:00", "2025-03-31T00:00", 2),
        ("2025-01-01T00:00", "2025-01-08T00:00", 1),
        ("2024-11-20T12:00", "2025-02-20T12:00", 3),
        ("2024-12-31T00:00", "2026-01-01T00:00", 13),
    ],
)
def test_a_begun_month_counts_whole(start, end, months):
    period = (instant_from_text(f"{start}+07:00"), instant_from_text(f"{end}+07:00"))
    bill = compute(R1, period, load_days(period, 0), HOME)
    assert bill.lines[1].quantity == 52 * months


@pytest.mark.parametrize("month", ["2025-03", "2025-10"])
def test_a_month_with_a_change_of_clocks_is_one_month(month):
    # Two-rate in Berlin: 743 or 745 hours of 4 x 10 Wh, all 31 x 5 h of peak.
    tariff = check_tariff(shipped_text("pln-b3").replace("Asia/Jakarta", "Europe/Berlin"), "berlin.toml")
    period = local_month(month, zone("Europe/Berlin"))
    bill = compute(tariff, period, load_days(period, 10), Terms(contracted_va=300_000))
    hours = 743 if month == "2025-03" else 745
    assert [each.energy_wh for each in bill.determinants] == [(hours - 155) * 40, 155 * 40]
    assert bill.lines[2].quantity == 12_000


def test_explain_goes_down_to_the_determinants_and_load_days():
    days = load_days(JANUARY, 10)
    days[3].qualities[:4] = Quality.LINEAR
    days[3].version = 2
    terms = Terms(contracted_va=300_000, ct_ratio=(400, 5))
    assert explain(compute(B3, JANUARY, days, terms)) == (
        "Meter 7, 2025-01-01 00:00 to 2025-02-01 00:00 (Asia/Jakarta)\n"
        "Tariff pln-b3, version in force from 2022-07-01; amounts in IDR\n"
        "Contracted power 300,000 VA; CT 400:5, VT 1:1\n"
        "\n"
        "Off-peak energy (LWBP) [energy.LWBP]: 1,952,238.14\n"
        "    1,884.800 kWh x 1,035.78 = 1,952,238.14400, half-up to 0.01 = 1,952,238.14\n"
        "    23,560 Wh at the meter in 2,356 intervals, of which estimated 40 Wh\n"
        "    highest demand 40 W at the meter, in the interval from 2025-01-01 00:00\n"
        "Peak energy (WBP) [energy.WBP]: 770,620.32\n"
        "    496.000 kWh x 1,553.670 (1,035.78 x factor 1.5) = 770,620.320000\n"
        "    6,200 Wh at the meter in 620 intervals, of which estimated 0 Wh\n"
        "    highest demand 40 W at the meter, in the interval from 2025-01-01 17:00\n"
        "Minimum bill, up to 40 hours of use [minimum]: 9,706,501.54\n"
        "    12,000.000 kWh x 1,035.78 = 12,429,360.00000\n"
        "    less 2,722,858.46 charged already (energy.LWBP + energy.WBP) = 9,706,501.54\n"
        "Street lighting tax [tax.PPJ]: 298,304.64\n"
        "    2.4 % of 12,429,360.00 (energy.LWBP + energy.WBP + minimum) = 298,304.64000\n"
        "\n"
        "Charges 12,429,360.00 + taxes 298,304.64 = total IDR 12,727,664.64\n"
        "Energy at the meter 29,760 Wh, of which estimated 40 Wh\n"
        "32 load days of IMPORT, 2024-12-31 to 2025-01-31 UTC (version 1: 31, version 2: 1)\n"
    )
