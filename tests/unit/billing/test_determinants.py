"""Determinants: every watt-hour in exactly one time-of-use period, on local wall time."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from nyala.billing.determinants import SPAN_S_MAX, VALUE_WH_MAX, Demand, Determinants, Gap, Input, intervals, measure
from nyala.billing.tariff_file import shipped
from nyala.mdm.load_day import LoadDay
from nyala.vocab.errors import BadArgumentError, ConflictError
from nyala.vocab.quality import Quality
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S, HOUR_S, instant_from_text, local_month
from tests.unit.billing.billing_days import JANUARY, METER, days_of, energies, load_day, load_days, profile

B3 = shipped()["pln-b3"].versions[-1]
JAKARTA = ZoneInfo("Asia/Jakarta")
BERLIN = ZoneInfo("Europe/Berlin")


def counts(measured: Determinants) -> dict[str, int]:
    return {each.code: each.intervals for each in measured.energy}


def test_a_month_of_jakarta_is_cut_inside_utc_days():
    # Local midnight is 17:00 UTC: January needs the last 7 h of 31 December, 30 whole days and 17 h of 31 January.
    measured = measure(B3, JAKARTA, JANUARY, load_days(JANUARY, 10))
    assert measured.intervals == 31 * 96
    assert counts(measured) == {"LWBP": 31 * 76, "WBP": 31 * 20}  # 19 h and 5 h a day
    assert energies(measured) == {"LWBP": 31 * 760, "WBP": 31 * 200}
    assert len(measured.inputs) == 32
    assert measured.meter_id == METER
    assert measured.missing == 0
    assert measured.gaps == ()


def test_the_peak_is_local_time():
    # Only 10:00 to 15:00 UTC holds energy: 17:00 to 22:00 in Jakarta.
    values = [1 if 40 <= i < 60 else 0 for i in range(96)]
    measured = measure(B3, JAKARTA, JANUARY, [load_day(day, values) for day in days_of(JANUARY)])
    assert energies(measured) == {"LWBP": 0, "WBP": 31 * 20}


@pytest.mark.parametrize(("month", "hours"), [("2025-03", 743), ("2025-10", 745), ("2025-06", 720)])
def test_a_day_of_23_or_25_hours_counts_the_hours_that_it_had(month, hours):
    period = local_month(month, BERLIN)
    measured = measure(B3, BERLIN, period, load_days(period, 5))
    days = (hours + 1) // 24
    assert counts(measured) == {"LWBP": (hours - 5 * days) * 4, "WBP": days * 20}
    assert measured.energy_wh == hours * 4 * 5


@pytest.mark.parametrize(("day", "hours"), [("2025-03-30", 23), ("2025-10-26", 25), ("2025-10-27", 24)])
def test_the_changed_hour_itself_is_in_the_right_period(day, hours):
    # Clocks change at 01:00 UTC; a period "night" of 02:00 to 03:00 local exists 0, 2 or 1 hours that day.
    night = profile({"night": [(120, 180)], "rest": [(180, 120)]})
    start_s = int(datetime.fromisoformat(day).replace(tzinfo=BERLIN).timestamp())
    period = (start_s, start_s + hours * HOUR_S)
    assert datetime.fromtimestamp(period[1], BERLIN).hour == 0
    measured = measure(night, BERLIN, period, load_days(period, 1))
    assert counts(measured) == {"night": (hours - 23) * 4, "rest": 23 * 4}


def test_an_interval_that_a_switch_cuts_belongs_to_the_period_of_its_start():
    switch = profile({"a": [(0, 605)], "b": [(605, 1440)]})  # at 10:05, inside 10:00 to 10:15
    period = (instant_from_text("2025-01-02T00:00:00+07:00"), instant_from_text("2025-01-03T00:00:00+07:00"))
    assert counts(measure(switch, JAKARTA, period, load_days(period, 1))) == {"a": 41, "b": 55}


def test_an_interval_that_the_billing_period_cuts_belongs_to_the_period_of_its_start():
    # Local midnight in Kathmandu (+05:45) is 18:15 UTC, inside the hour of 18:00.
    kathmandu = ZoneInfo("Asia/Kathmandu")
    december, january = local_month("2024-12", kathmandu), local_month("2025-01", kathmandu)
    days = [load_day(day, 1, period_s=3600) for day in days_of((december[0], january[1]))]
    first, second = measure(B3, kathmandu, december, days), measure(B3, kathmandu, january, days)
    assert first.energy_wh == second.energy_wh == 744
    ends = [
        int(np.concatenate([intervals(each).start_s for each in each_month.energy]).max()) for each_month in (first, second)
    ]
    assert ends == [december[1] - 15 * 60, january[1] - 15 * 60]


@pytest.mark.parametrize("period_s", [60, 300, 600, 900, 1800, 3600])
def test_every_interval_length_of_a_meter(period_s):
    measured = measure(B3, JAKARTA, JANUARY, load_days(JANUARY, 3, period_s=period_s))
    per_hour = HOUR_S // period_s
    assert counts(measured) == {"LWBP": 31 * 19 * per_hour, "WBP": 31 * 5 * per_hour}
    assert measured.energy_wh == 31 * 24 * per_hour * 3
    assert measured.demand == Demand(3 * per_hour, JANUARY[0])


def test_the_interval_length_may_change_between_two_days():
    days = load_days(JANUARY, 4)
    days[10] = load_day(days[10].key.day, 8, period_s=1800)
    measured = measure(B3, JAKARTA, JANUARY, days)
    assert measured.energy_wh == 31 * 96 * 4
    assert measured.demand == Demand(16, JANUARY[0])


def test_the_demand_is_the_highest_interval_and_the_earliest_of_equals():
    days = load_days(JANUARY, 10)
    days[5].values[[50, 51]] = 900  # 12:30 and 12:45 UTC: peak
    days[6].values[[3, 50]] = 700, 900
    days[7].values[50] = 10_000
    days[7].qualities[50] = Quality.MISSING  # what is missing is no demand
    measured = measure(B3, JAKARTA, JANUARY, days)
    by_code = {each.code: each.demand for each in measured.energy}
    peak_s = days[5].key.day * DAY_S + 50 * 900
    assert by_code == {"LWBP": Demand(2800, days[6].key.day * DAY_S + 3 * 900), "WBP": Demand(3600, peak_s)}
    assert measured.demand == Demand(3600, peak_s)


def test_gaps_and_missing_days_are_counted_and_placed():
    days = load_days(JANUARY, 10)
    days[3].qualities[4:7] = Quality.MISSING
    removed = days.pop(20)
    measured = measure(B3, JAKARTA, JANUARY, days)
    assert measured.missing == 3 + 96
    midnight = days[3].key.day * DAY_S
    gone = removed.key.day * DAY_S
    assert measured.gaps == (Gap(midnight + 3600, midnight + 6300, 3), Gap(gone, gone + DAY_S, 96))
    assert measured.energy_wh == (31 * 96 - 99) * 10
    assert Input(removed.key.day, Channel.IMPORT, 1) not in measured.inputs
    versions = np.concatenate([intervals(each).version for each in measured.energy])
    assert np.count_nonzero(versions == 0) == 96


def test_a_gap_over_two_days_is_one():
    days = load_days(JANUARY, 10)
    days[3].qualities[90:] = days[4].qualities[:10] = Quality.MISSING
    start_s = days[3].key.day * DAY_S + 90 * 900
    assert measure(B3, JAKARTA, JANUARY, days).gaps == (Gap(start_s, start_s + 16 * 900, 16),)


def test_a_period_without_any_value_has_no_demand():
    days = [load_day(day, 0, Quality.MISSING) for day in days_of(JANUARY)]
    measured = measure(B3, JAKARTA, JANUARY, days)
    assert measured.demand is None
    assert measured.missing == measured.intervals == 31 * 96


def test_a_missing_interval_is_not_the_demand_of_a_month_of_zeros():
    days = load_days(JANUARY, 0)
    days[0].qualities[68:70] = Quality.MISSING  # 17:00 and 17:15 UTC: the first of the month
    assert measure(B3, JAKARTA, JANUARY, days).demand == Demand(0, JANUARY[0] + 1800)


def test_other_channels_and_days_outside_are_not_used():
    days = load_days(JANUARY, 10)
    others = [load_day(day, 99, channel=Channel.EXPORT) for day in days_of(JANUARY)]
    outside = [load_day(days_of(JANUARY)[0] - 1, 99), load_day(days_of(JANUARY)[-1] + 1, 99)]
    measured = measure(B3, JAKARTA, JANUARY, [*others, *days, *outside])
    assert measured == measure(B3, JAKARTA, JANUARY, days)
    assert measure(B3, JAKARTA, JANUARY, [*others, *days], Channel.EXPORT).energy_wh == 31 * 96 * 99


def spoilt(**changes: object) -> list[LoadDay]:
    days = load_days(JANUARY, 10)
    for name, value in changes.items():
        setattr(days[4], name, value)
    return days


@pytest.mark.parametrize(
    ("days", "what"),
    [
        (spoilt(period_s=0), "does not divide the hour"),
        (spoilt(period_s=7200), "does not divide the hour"),
        (spoilt(values=np.zeros(95, np.int64)), "95 values and 96 qualities; 96 each"),
        (spoilt(qualities=np.ones(97, np.uint8)), "96 values and 97 qualities; 96 each"),
        (spoilt(values=np.full(96, -1)), "a value is below 0"),
        (spoilt(values=np.full(96, VALUE_WH_MAX + 1)), "or above"),
        (spoilt(qualities=np.full(96, 200, np.uint8)), "quality code 200"),
        ([*load_days(JANUARY, 1), load_day(1, 1, meter_id=8)], "load days of 2 meters"),
    ],
)
def test_impossible_load_days_are_refused(days, what):
    with pytest.raises(BadArgumentError, match=what):
        measure(B3, JAKARTA, JANUARY, days)


def test_two_load_days_of_one_day_are_refused():
    days = load_days(JANUARY, 1)
    with pytest.raises(ConflictError, match="meter 7 has two load days of IMPORT on 2025-01-04"):
        measure(B3, JAKARTA, JANUARY, [*days, load_day(days[4].key.day, 1, version=2)])


def test_no_load_day_at_all_is_refused():
    with pytest.raises(ConflictError, match="no load day of IMPORT from 2024-12-31 to 2025-01-31"):
        measure(B3, JAKARTA, JANUARY, [])


@pytest.mark.parametrize("length_s", [0, -1, SPAN_S_MAX + 1])
def test_an_empty_or_endless_period_is_refused(length_s):
    with pytest.raises(BadArgumentError, match="billing period of"):
        measure(B3, JAKARTA, (JANUARY[0], JANUARY[0] + length_s), load_days(JANUARY, 1))


def test_a_period_in_which_no_interval_starts_is_refused():
    period = (JANUARY[0] + 1, JANUARY[0] + 899)
    with pytest.raises(BadArgumentError, match="no interval starts"):
        measure(B3, JAKARTA, period, load_days(JANUARY, 1))
