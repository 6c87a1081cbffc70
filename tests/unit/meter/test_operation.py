"""A meter in operation: billing dates, power cuts across them, limiter, credit, exchange of payment modes, demand reset."""

import numpy as np
import pytest

from nyala.meter import snapshots
from nyala.meter.bank import Bank
from nyala.meter.calendar import BillingSchedule, Calendars
from nyala.meter.calendar_tables import calendar_named
from nyala.meter.credit import TopUp
from nyala.meter.credit_plan import credit_plan_named
from nyala.meter.limiter import Limit, LimiterPlan
from nyala.meter.logs import event_id
from nyala.meter.meter import Meter
from nyala.meter.model import meter_model
from nyala.meter.operation import decode_daily
from nyala.meter.supply import Reason, SwitchEvent, SwitchState
from nyala.twin.diagnostics import DAILY, JOINED
from nyala.vocab.errors import ForeignError, NotAllowedError
from nyala.vocab.quantities import catalogue
from nyala.vocab.time import DAY_S, HOUR_S

START_S = 1_767_200_400
"""2025-12-31T17:00:00Z: midnight of New Year's Day in Jakarta."""
WIB_S = 7 * HOUR_S


@pytest.fixture
def meter():
    each = Meter(Bank([meter_model("three-phase")], START_S, ring_days=3), 0)
    each.operation.set_timetable(Calendars(calendar_named("pln-wbp")), BillingSchedule(1, 0, WIB_S))
    return each


def run(meter: Meter, seconds: int, power_w: int = 1000, *, step_s: int = 900) -> None:
    for _ in range(seconds // step_s):
        end_s = int(meter.bank.now_s[0]) + step_s
        energy = np.zeros((1, 8), np.int64)
        energy[0, 0] = power_w * 1000 * step_s
        meter.bank.set_segment(np.array([0]), end_s, energy)
        thirds = np.full((1, 3), power_w / 3)
        meter.bank.set_terminals(np.array([0]), np.full((1, 3), 230.0), thirds, np.zeros((1, 3)), np.array([50.0]))
        meter.operation.step()
        meter.advance(end_s)
        meter.operation.step()


def test_a_billing_date_freezes_registers_and_maxima_of_its_instant(meter):
    run(meter, 31 * DAY_S + HOUR_S)
    [snapshot] = meter.operation.snapshots
    assert snapshot.clock_s == START_S + 31 * DAY_S
    assert snapshot.registers_wh[0][0] == 744_000
    assert snapshot.registers_wh[0][1] + snapshot.registers_wh[0][2] == 744_000
    assert snapshot.maxima[0][0].value == 1000
    assert meter.value("prev_import_w") == meter.value("sum_import_w") == 1000
    assert meter.value("reset_count") == 1


def test_billing_dates_in_a_power_cut_are_caught_up_with_the_registers_that_stood_still(meter):
    run(meter, 30 * DAY_S)
    meter.set_powered(powered=False)
    run(meter, 40 * DAY_S)
    assert not meter.operation.snapshots
    meter.set_powered(powered=True)
    assert [each.clock_s for each in meter.operation.snapshots] == [START_S + 31 * DAY_S, START_S + 59 * DAY_S]
    assert {each.registers_wh[0][0] for each in meter.operation.snapshots} == {720_000}
    assert [each.maxima[0][0].value for each in meter.operation.snapshots] == [1000, 0]


def test_fifteen_months_are_kept(meter):
    run(meter, 520 * DAY_S, step_s=DAY_S // 4)
    assert [each.number for each in meter.operation.snapshots] == list(range(3, 18))


def test_a_new_calendar_takes_over_at_its_time(meter):
    active = meter.operation.timetable.calendars.active
    passive = Calendars(active).with_passive(calendar_named("flat"), START_S + DAY_S)
    meter.operation.set_timetable(passive, BillingSchedule(1, 0, WIB_S))
    run(meter, 2 * DAY_S)
    assert meter.operation.timetable.calendars.active.name == "flat"
    assert meter.operation.logs.count(event_id("calendar_activated")) == 1
    assert int(meter.bank.wh[0, 0, 2]) == 5_000  # one peak of five hours, on the first day


# -- load profile 2


def test_every_local_day_ends_with_a_row_of_registers(meter):
    run(meter, 3 * DAY_S + HOUR_S)
    rows = meter.operation.daily
    assert [row.clock_s for row in rows] == [START_S + day * DAY_S for day in (1, 2, 3)]
    assert [row.registers_wh[0] for row in rows] == [24_000, 48_000, 72_000]
    assert not any(row.outage for row in rows)
    assert [decode_daily(row.encode()) for row in rows] == list(rows)


def test_days_that_ended_without_supply_are_written_and_say_so(meter):
    run(meter, DAY_S + HOUR_S)
    meter.set_powered(powered=False)
    run(meter, 3 * DAY_S)
    meter.set_powered(powered=True)
    assert [(row.registers_wh[0], row.outage) for row in meter.operation.daily] == [(24_000, False)] + [(25_000, True)] * 3


def test_bytes_that_are_no_daily_row_are_refused():
    with pytest.raises(ForeignError, match="daily row"):
        decode_daily(b"x")


# -- demand reset


def test_a_button_that_is_pressed_twice_resets_once(meter):
    run(meter, HOUR_S)
    assert meter.operation.reset_demand(snapshots.Reason.BUTTON)
    run(meter, HOUR_S)
    assert not meter.operation.reset_demand(snapshots.Reason.BUTTON)
    assert meter.operation.reset_demand(snapshots.Reason.COMMAND)
    assert meter.operation.reset_count == 2
    assert meter.operation.logs.count(event_id("demand_reset_refused")) == 1
    assert meter.value("sum_import_w") == 2000


# -- limiter


def limited(meter, **plan):
    meter.operation.limit(LimiterPlan((Limit(Reason.POWER, 2000, over_s=300, under_s=60),), reclose_delay_s=600, **plan))
    return meter


def test_a_limiter_opens_waits_and_closes_again(meter):
    limited(meter)
    run(meter, 240, 3000, step_s=60)
    assert meter.value("switch_state") == SwitchState.CLOSED.value
    run(meter, 120, 3000, step_s=60)
    assert meter.value("switch_state") == SwitchState.OPEN.value
    assert meter.operation.supply.last_reason is Reason.POWER
    assert meter.bank.withheld_mws[0, 0] > 0


def test_after_its_recloses_a_limiter_waits_for_the_button(meter):
    limited(meter, recloses_per_hour=0)
    run(meter, 1200, 3000, step_s=60)
    assert meter.operation.supply.armed
    assert meter.operation.press_reconnect()
    assert meter.switch_state is SwitchState.CLOSED


# -- credit


@pytest.fixture
def plan():
    return credit_plan_named("kwh")


def test_credit_is_counted_down_by_the_registers_until_the_supply_opens(meter, plan):
    meter.operation.prepay(plan, 3000)
    run(meter, 2 * HOUR_S)
    assert meter.value("credit_wh") == 1000
    run(meter, 30 * HOUR_S)
    assert meter.switch_state is SwitchState.OPEN
    assert meter.operation.supply.last_reason is Reason.CREDIT
    assert meter.operation.top_up(50_000, "token 1") is TopUp.ACCEPTED
    assert meter.operation.top_up(50_000, "token 1") is TopUp.REPEATED
    assert meter.operation.supply.armed
    assert meter.operation.press_reconnect()


def test_the_payment_mode_is_exchanged_both_ways_and_the_registers_go_on(meter, plan):
    run(meter, HOUR_S)
    with pytest.raises(NotAllowedError, match="postpaid"):
        meter.operation.top_up(1, "x")
    meter.operation.prepay(plan, 500)
    run(meter, HOUR_S)
    before = meter.total_wh(0)
    meter.operation.postpay()
    assert meter.value("credit_wh") is None
    run(meter, HOUR_S)
    assert meter.total_wh(0) >= before
    assert meter.operation.logs.count(event_id("payment_mode_changed")) == 2


# -- all values


def test_every_quantity_of_the_catalogue_that_is_the_meters_has_a_value(meter, plan):
    meter.operation.prepay(plan, 500)
    run(meter, HOUR_S)
    modules = {"last_command", *DAILY, *JOINED, "uplink_count"} - {"battery_v", "temperature_c"}
    modules |= {"u2_angle_deg", "u3_angle_deg"}  # of a single phase
    assert {name for name in catalogue() if meter.value(name) is None} == modules


def test_derived_registers_are_cut_and_never_rounded_up(meter):
    s = meter.bank.state
    s.rest_mws[0, 0, 0], s.rest_mws[0, 1, 0] = 2_000_000, 1_700_000
    assert (meter.value("abs_wh"), meter.value("net_wh")) == (1, 0)
    s.rest_mws[0, 0, 0], s.wh[0, 1, 0] = 0, 3
    assert meter.value("net_wh") == -3


def test_a_remote_order_that_changes_nothing_moves_nothing(meter):
    assert not meter.switch(SwitchEvent.REMOTE_RECONNECT)
    assert meter.switch(SwitchEvent.REMOTE_DISCONNECT)
    assert not meter.switch(SwitchEvent.REMOTE_DISCONNECT)
