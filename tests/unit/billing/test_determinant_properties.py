"""What holds for all determinants: each agrees with the slow way, opens to its sum, and no cut loses a watt-hour."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.billing.determinants import VALUE_WH_MAX, intervals, measure
from nyala.billing.tariff import TariffProfile
from nyala.mdm.load_day import LoadDay
from nyala.vocab.quality import ESTIMATED, Quality
from nyala.vocab.time import DAY_S, local_month
from tests.unit.billing.billing_days import days_of, energies, load_day, profile

VALUE = st.one_of(st.integers(0, 30_000), st.integers(0, VALUE_WH_MAX))
ZONES = st.sampled_from(["Asia/Jakarta", "Asia/Jayapura", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "UTC"])
MONTHS = st.sampled_from(["2025-01", "2025-03", "2025-10", "2024-02"])


@st.composite
def cases(draw: st.DrawFn) -> tuple[ZoneInfo, tuple[int, int], list[LoadDay], TariffProfile]:
    """A month of some zone with random values and qualities, and a day cut anywhere."""
    tz = ZoneInfo(draw(ZONES))
    period = local_month(draw(MONTHS), tz)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    period_s = draw(st.sampled_from([900, 1800, 3600]))
    highest = draw(VALUE)
    days: list[LoadDay] = []
    for day in days_of(period):
        values = random.integers(0, highest + 1, DAY_S // period_s)
        qualities = random.integers(draw(st.sampled_from([0, 1])), len(Quality), DAY_S // period_s)
        days.append(load_day(day, values.tolist(), qualities.tolist(), period_s=period_s, version=int(random.integers(1, 5))))
    cuts = sorted(draw(st.lists(st.integers(0, 1439), min_size=2, max_size=5, unique=True)))
    times = {f"P{a}": [(a, b)] for a, b in zip(cuts, [*cuts[1:], cuts[0]], strict=True)}
    return tz, period, days, profile(times)


@given(cases())
@settings(max_examples=25)
def test_determinants_agree_with_one_interval_at_a_time(case):
    tz, period, days, tariff = case
    owner = {minute: each.period for each in tariff.intervals for minute in each.minutes()}
    expected = {charge.period: [0, 0, 0, 0] for charge in tariff.energy}
    for day in days:
        for i, (value, quality) in enumerate(zip(day.values.tolist(), day.qualities.tolist(), strict=True)):
            start_s = day.key.day * DAY_S + i * day.period_s
            if period[0] <= start_s < period[1]:
                local = datetime.fromtimestamp(start_s, tz)
                row = expected[owner[local.hour * 60 + local.minute]]
                row[0] += value if quality != Quality.MISSING else 0
                row[1] += value if Quality(quality) in ESTIMATED else 0
                row[2] += 1
                row[3] += quality == Quality.MISSING
    measured = measure(tariff, tz, period, days)
    found = {each.code: [each.energy_wh, each.estimated_wh, each.intervals, each.missing] for each in measured.energy}
    assert found == expected
    assert measured.energy_wh == sum(row[0] for row in expected.values())
    assert sum(gap.intervals for gap in measured.gaps) == measured.missing


@given(cases(), st.randoms(use_true_random=False))
@settings(max_examples=15)
def test_the_order_of_load_days_changes_nothing_and_each_determinant_opens_to_its_sum(case, random):
    tz, period, days, tariff = case
    measured = measure(tariff, tz, period, days)
    shuffled = list(days)
    random.shuffle(shuffled)
    assert measure(tariff, tz, period, shuffled) == measured
    versions = {each.day: each.version for each in measured.inputs}
    for each in measured.energy:
        rows = intervals(each)
        assert int(rows.value_wh.sum()) == each.energy_wh
        assert len(rows.start_s) == each.intervals
        assert int((rows.quality == Quality.MISSING).sum()) == each.missing
        assert (np.diff(rows.start_s) > 0).all()
        assert rows.version.tolist() == [versions[start_s // DAY_S] for start_s in rows.start_s.tolist()]
        assert not rows.value_wh.flags.writeable


@given(cases(), st.floats(0, 1, exclude_max=True))
@settings(max_examples=15)
def test_a_month_split_at_any_interval_edge_conserves_energy(case, where):
    tz, (start_s, end_s), days, tariff = case
    period_s = days[0].period_s
    edges = range(start_s + period_s - start_s % period_s, end_s, period_s)
    cut_s = edges[int(where * len(edges))]
    whole = measure(tariff, tz, (start_s, end_s), days)
    parts = [measure(tariff, tz, part, days) for part in ((start_s, cut_s), (cut_s, end_s)) if part[0] < part[1]]
    for code, energy_wh in energies(whole).items():
        assert sum(energies(part)[code] for part in parts) == energy_wh
    assert sum(part.intervals for part in parts) == whole.intervals
    assert sum(part.missing for part in parts) == whole.missing
