"""Prepayment credit: states, effects, warnings, emergency credit, friendly hours, charges, references."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.meter.calendar import DateMask
from nyala.meter.credit import (
    CHARGE_DAYS_MAX,
    ON_ENTRY,
    ON_EXIT,
    REFERENCE_CHARACTERS_MAX,
    REFERENCES_MAX,
    STATES,
    Account,
    CreditEffect,
    CreditState,
    Kind,
    Outcome,
    TopUp,
    next_s,
    open_account,
    owe,
    select_emergency,
    state_of,
    tick,
    top_up,
    with_plan,
)
from nyala.meter.credit_plan import AMOUNT_MAX, Basis, Charge, CreditPlan, Emergency, Friendly, credit_plan_named
from nyala.vocab.errors import BadArgumentError, NotAllowedError, UnknownError
from nyala.vocab.time import DAY_S
from tests.unit.meter.calendars import WIB_S, at

S = CreditState
NOON = at("2026-06-15 12:00")  # a Monday
PLAN = CreditPlan(warnings=(20_000, 10_000, 5_000), offset_s=WIB_S)
EMERGENCY = replace(PLAN, emergency=Emergency(8_000, 2_000))
NIGHT = Friendly((((0, 480), (960, 1440)),) * 6 + (((0, 1440),),), (DateMask(month=8, day=17),))
FRIENDLY = replace(PLAN, friendly=NIGHT)
CUT, GIVE = CreditEffect(Kind.DISCONNECT), CreditEffect(Kind.ARM_RECONNECT)
OFFER = CreditEffect(Kind.OFFER_EMERGENCY)


def warn(level: int) -> CreditEffect:
    return CreditEffect(Kind.WARN, level)


def wh(total: int, rate: int = 1) -> tuple[int, ...]:
    return tuple(total if each == rate else 0 for each in range(1, 9))


def opened(plan: CreditPlan, opening: int, clock_s: int = NOON) -> Account:
    return open_account(plan, wh(0), clock_s, opening).account


def uses(plan: CreditPlan, account: Account, used_wh: int, clock_s: int | None = None, rate: int = 1) -> Outcome:
    registers = tuple(have + (used_wh if each == rate else 0) for each, have in enumerate(account.registers_wh, 1))
    return tick(plan, account, registers, account.clock_s if clock_s is None else clock_s)


# -- the table


@pytest.mark.parametrize("found", list(product([False, True], repeat=6)))
def test_all_facts_lead_to_exactly_one_state(found):
    fitting = [state for row, state in STATES if all(want in {None, have} for want, have in zip(row, found, strict=True))]
    assert fitting == [state_of(found)]
    exhausted, cut, friendly, debit, selectable, low = found
    if exhausted:
        assert state_of(found) is (S.FRIENDLY if friendly and not cut else S.OUT_OF_CREDIT)
    elif debit:
        assert state_of(found) is S.EMERGENCY_IN_USE
    else:
        assert state_of(found) is (S.EMERGENCY_SELECTABLE if selectable else S.LOW_CREDIT if low else S.IN_CREDIT)


def test_every_state_has_a_row_and_only_being_out_of_credit_moves_the_switch():
    assert {state for _, state in STATES} == set(CreditState)
    assert [state.value for state in CreditState] == list(range(6))
    assert (ON_ENTRY, ON_EXIT) == ({S.OUT_OF_CREDIT: Kind.DISCONNECT}, {S.OUT_OF_CREDIT: Kind.ARM_RECONNECT})


# -- credit, warnings, the end


def test_consumption_warns_at_each_level_and_disconnects_at_the_end():
    account, told = opened(PLAN, 30_000), []
    for _ in range(30):
        outcome = uses(PLAN, account, 1_000)
        account = outcome.account
        told += [(account.balance, effect) for effect in outcome.effects]
    assert told == [(20_000, warn(1)), (10_000, warn(2)), (5_000, warn(3)), (0, CUT)]


def test_levels_passed_at_once_give_one_warning_the_lowest():
    outcome = uses(PLAN, opened(PLAN, 30_000), 24_000)
    assert (outcome.effects, outcome.account.state) == ((warn(2),), S.LOW_CREDIT)


def test_a_level_warns_again_after_a_top_up():
    account = uses(PLAN, opened(PLAN, 30_000), 12_000).account
    outcome = top_up(PLAN, account, 50_000, "1")
    assert (outcome.effects, outcome.account.state) == ((), S.IN_CREDIT)
    assert uses(PLAN, outcome.account, 50_000).effects == (warn(1),)


def test_a_top_up_after_the_end_arms_the_button():
    account = uses(PLAN, opened(PLAN, 1_000), 1_500).account
    assert (account.balance, account.state) == (-500, S.OUT_OF_CREDIT)
    outcome = top_up(PLAN, account, 400, "1")
    assert (outcome.effects, outcome.account.state) == ((), S.OUT_OF_CREDIT)
    outcome = top_up(PLAN, outcome.account, 101, "2")
    assert (outcome.effects, outcome.account.balance, outcome.account.state) == ((GIVE,), 1, S.LOW_CREDIT)


def test_an_account_without_credit_begins_disconnected():
    outcome = open_account(PLAN, wh(123), NOON)
    assert (outcome.effects, outcome.account.state) == ((warn(3), CUT), S.OUT_OF_CREDIT)


def test_what_was_consumed_in_front_of_the_account_is_not_its():
    account = open_account(PLAN, wh(900_000), NOON, 5_000).account
    assert tick(PLAN, account, wh(900_100), NOON + 60).account.balance == 4_900


def test_money_is_taken_at_the_price_of_the_rate():
    plan = credit_plan_named("estate")
    account = opened(plan, 100_000_000_000)
    account = uses(plan, account, 1_000, rate=1).account
    assert account.balance == 100_000_000_000 - 1_444_700_000  # Rp 1,444.70 a kWh
    assert uses(plan, account, 1_000, rate=2).account.balance == 100_000_000_000 - 1_444_700_000 - 2_167_050_000


# -- emergency credit


def test_emergency_credit_is_offered_selected_used_and_paid_back():
    account = opened(EMERGENCY, 30_000)
    outcome = uses(EMERGENCY, account, 28_000)
    assert (outcome.effects, outcome.account.state) == ((warn(3), OFFER), S.EMERGENCY_SELECTABLE)
    outcome = select_emergency(EMERGENCY, outcome.account)
    assert (outcome.effects, outcome.account.state) == ((), S.LOW_CREDIT)
    outcome = uses(EMERGENCY, outcome.account, 5_000)
    assert (outcome.effects, outcome.account.balance, outcome.account.state) == ((), -3_000, S.EMERGENCY_IN_USE)
    outcome = top_up(EMERGENCY, outcome.account, 4_000, "1")
    assert (outcome.account.balance, outcome.account.selected, outcome.account.state) == (1_000, True, S.LOW_CREDIT)
    outcome = top_up(EMERGENCY, outcome.account, 4_000, "2")
    assert (outcome.account.balance, outcome.account.selected) == (5_000, False)
    assert uses(EMERGENCY, outcome.account, 3_500).effects == (OFFER,)


def test_emergency_credit_ends_at_its_limit():
    account = select_emergency(EMERGENCY, opened(EMERGENCY, 2_000)).account
    account = uses(EMERGENCY, account, 9_999).account
    assert account.state is S.EMERGENCY_IN_USE
    outcome = uses(EMERGENCY, account, 1)
    assert (outcome.effects, outcome.account.balance) == ((CUT,), -8_000)


def test_who_was_cut_can_still_select_emergency_credit():
    account = uses(EMERGENCY, opened(EMERGENCY, 30_000), 30_010).account
    assert account.state is S.OUT_OF_CREDIT
    outcome = select_emergency(EMERGENCY, account)
    assert (outcome.effects, outcome.account.state) == ((GIVE,), S.EMERGENCY_IN_USE)


def test_emergency_credit_without_a_button_begins_by_itself():
    plan = replace(EMERGENCY, emergency=Emergency(8_000, button=False))
    account = uses(plan, opened(plan, 1_000), 1_500).account
    assert account.state is S.EMERGENCY_IN_USE
    assert uses(plan, account, 7_500).effects == (CUT,)
    with pytest.raises(NotAllowedError):
        select_emergency(plan, account)


@pytest.mark.parametrize(("plan", "opening"), [(PLAN, 0), (EMERGENCY, 2_001)])
def test_emergency_credit_that_is_not_offered_cannot_be_selected(plan, opening):
    with pytest.raises(NotAllowedError):
        select_emergency(plan, opened(plan, opening))


def test_emergency_credit_is_selected_once():
    account = select_emergency(EMERGENCY, opened(EMERGENCY, 2_000)).account
    with pytest.raises(NotAllowedError):
        select_emergency(EMERGENCY, account)


# -- friendly hours


def test_in_a_friendly_hour_nobody_is_cut_and_after_it_the_cut_comes():
    account = opened(FRIENDLY, 1_000, at("2026-06-15 17:00"))
    outcome = uses(FRIENDLY, account, 1_500, at("2026-06-15 18:00"))
    assert (outcome.effects, outcome.account.state) == ((), S.FRIENDLY)
    stops = []
    account = outcome.account
    while not outcome.effects:
        stops.append(next_s(FRIENDLY, account))
        outcome = uses(FRIENDLY, account, 10, stops[-1])
        account = outcome.account
    assert stops == [at("2026-06-16 00:00"), at("2026-06-16 08:00")]
    assert (outcome.effects, account.state, account.balance) == ((CUT,), S.OUT_OF_CREDIT, -520)


def test_a_friendly_hour_connects_nobody_who_was_cut():
    account = uses(FRIENDLY, opened(FRIENDLY, 1_000), 1_000).account
    assert account.state is S.OUT_OF_CREDIT
    outcome = uses(FRIENDLY, account, 0, at("2026-06-15 18:00"))
    assert (outcome.effects, outcome.account.state) == ((), S.OUT_OF_CREDIT)


@pytest.mark.parametrize(
    ("local", "friendly"),
    [("2026-06-15 07:59", True), ("2026-06-15 08:00", False), ("2026-06-15 15:59", False), ("2026-06-15 16:00", True),
     ("2026-06-14 12:00", True), ("2026-08-17 12:00", True), ("2026-08-18 12:00", False)],
)  # fmt: skip
def test_nights_sundays_and_holidays_are_friendly(local, friendly):
    assert NIGHT.active(at(local), WIB_S) is friendly
    account = opened(FRIENDLY, 10, at(local))
    assert uses(FRIENDLY, account, 20).account.state is (S.FRIENDLY if friendly else S.OUT_OF_CREDIT)


@given(st.integers(NOON, NOON + 100 * DAY_S))
def test_nothing_friendly_changes_before_the_next_edge(clock_s):
    edge_s = NIGHT.next_s(clock_s, WIB_S)
    assert clock_s < edge_s <= clock_s + DAY_S
    assert {NIGHT.active(between, WIB_S) for between in (clock_s, (clock_s + edge_s) // 2, edge_s - 1)} == {
        NIGHT.active(clock_s, WIB_S)
    }


# -- charges

ARREARS = Charge("arrears", Basis.TOP_UP, 200, debt=True, month_cap=5_000)
DAILY = Charge("daily", Basis.DAY, 300, debt=True)
SERVICE = Charge("service", Basis.MONTH, 1_000, debt=False)
CHARGED = replace(PLAN, charges=(ARREARS, DAILY, SERVICE))


def test_a_share_of_each_top_up_pays_the_debt_up_to_the_cap_of_a_month():
    account = owe(CHARGED, opened(CHARGED, 0), "arrears", 7_000)
    account = top_up(CHARGED, account, 10_001, "1").account
    assert (account.balance, account.taken[0].paid, account.taken[0].owed) == (8_001, 2_000, 5_000)
    account = top_up(CHARGED, account, 20_000, "2").account
    assert (account.taken[0].paid, account.taken[0].owed) == (5_000, 2_000)
    account = uses(CHARGED, account, 0, at("2026-07-01 00:00")).account
    account = top_up(CHARGED, account, 100_000, "3").account
    assert (account.taken[0].paid, account.taken[0].owed) == (7_000, 0)
    assert top_up(CHARGED, account, 10_000, "4").account.taken[0].paid == 7_000


def test_daily_instalments_are_taken_at_local_midnights_until_the_debt_is_paid():
    account = owe(CHARGED, opened(CHARGED, 50_000), "daily", 700)
    account = uses(CHARGED, account, 0, at("2026-06-15 23:59")).account
    assert account.taken[1].paid == 0
    account = uses(CHARGED, account, 0, at("2026-06-16 00:00")).account
    assert account.taken[1].paid == 300
    account = uses(CHARGED, account, 0, at("2026-06-20 12:00")).account
    assert (account.taken[1].paid, account.taken[1].owed, account.balance) == (700, 0, 49_300)


def test_an_instalment_takes_only_what_is_there_and_a_service_more():
    account = owe(CHARGED, opened(CHARGED, 200, at("2026-06-30 12:00")), "daily", 700)
    account = uses(CHARGED, account, 0, at("2026-07-01 00:00")).account
    assert (account.taken[1].paid, account.taken[2].paid, account.balance) == (200, 1_000, -1_000)


def test_a_clock_set_back_charges_no_day_twice():
    account = owe(CHARGED, opened(CHARGED, 50_000), "daily", 70_000)
    for local in ("2026-06-17 12:00", "2026-06-15 12:00", "2026-06-17 13:00", "2026-06-18 00:00"):
        account = uses(CHARGED, account, 0, at(local)).account
    assert account.taken[1].paid == 3 * 300


def test_a_clock_that_was_years_off_costs_a_year_at_most():
    account = owe(CHARGED, opened(CHARGED, 900_000), "daily", 10**6)
    account = uses(CHARGED, account, 0, NOON + 40 * 365 * DAY_S).account
    assert account.taken[1].paid == CHARGE_DAYS_MAX * 300
    assert account.taken[2].paid in {12_000, 13_000}


@pytest.mark.parametrize("name", ["service", "nothing"])
def test_what_is_no_debt_cannot_be_owed(name):
    with pytest.raises(UnknownError):
        owe(CHARGED, opened(CHARGED, 0), name, 1)


# -- top-ups are taken once


def test_a_reference_is_taken_once():
    first = top_up(PLAN, opened(PLAN, 0), 1_000, "59386323472137426967")
    again = top_up(PLAN, first.account, 1_000, "59386323472137426967")
    assert (first.top_up, again) == (TopUp.ACCEPTED, Outcome(first.account, (), TopUp.REPEATED))


def test_as_many_references_are_remembered_as_the_limit_says():
    account = opened(PLAN, 0)
    for number in range(REFERENCES_MAX + 1):
        account = top_up(PLAN, account, 1, f"{number}").account
    assert len(account.references) == REFERENCES_MAX
    assert top_up(PLAN, account, 1, "1").top_up is TopUp.REPEATED
    assert top_up(PLAN, account, 1, "0").top_up is TopUp.ACCEPTED


def test_more_than_the_largest_balance_is_refused_and_its_reference_not_used():
    plan = replace(PLAN, balance_max=10_000)
    account = opened(plan, 9_000)
    assert top_up(plan, account, 1_001, "1") == Outcome(account, (), TopUp.OVERFLOW)
    assert top_up(plan, account, 1_000, "1").top_up is TopUp.ACCEPTED


# -- other terms


def test_other_terms_keep_what_was_taken_by_name():
    account = owe(CHARGED, opened(CHARGED, 0), "arrears", 7_000)
    account = top_up(CHARGED, account, 10_000, "1").account
    new = replace(CHARGED, charges=(SERVICE, replace(ARREARS, rate=500)), warnings=(9_000,))
    outcome = with_plan(CHARGED, account, new)
    assert (outcome.account.balance, outcome.account.taken[1]) == (account.balance, account.taken[0])
    assert top_up(new, outcome.account, 1_000, "2").account.taken[1].paid == 2_500


def test_emergency_credit_that_is_taken_away_disconnects():
    account = uses(EMERGENCY, select_emergency(EMERGENCY, opened(EMERGENCY, 2_000)).account, 3_000).account
    outcome = with_plan(EMERGENCY, account, PLAN)
    assert (outcome.effects, outcome.account.selected) == ((CUT,), False)


def test_terms_that_forget_a_debt_or_change_the_unit_are_refused():
    account = owe(CHARGED, opened(CHARGED, 0), "arrears", 7_000)
    with pytest.raises(NotAllowedError, match="still owed: arrears"):
        with_plan(CHARGED, account, PLAN)
    with pytest.raises(NotAllowedError, match="cannot go on in IDR"):
        with_plan(CHARGED, account, replace(CHARGED, unit="IDR"))


# -- refusals

REFUSED = {
    "a negative opening": lambda: open_account(PLAN, wh(0), NOON, -1),
    "seven registers": lambda: open_account(PLAN, (0,) * 7, NOON),
    "a negative register": lambda: open_account(PLAN, wh(-1), NOON),
    "registers that go back": lambda: tick(PLAN, open_account(PLAN, wh(5), NOON).account, wh(4), NOON),
    "nothing to add": lambda: top_up(PLAN, opened(PLAN, 0), 0, "1"),
    "too much to add": lambda: top_up(PLAN, opened(PLAN, 0), AMOUNT_MAX + 1, "1"),
    "no reference": lambda: top_up(PLAN, opened(PLAN, 0), 1, ""),
    "a long reference": lambda: top_up(PLAN, opened(PLAN, 0), 1, "1" * (REFERENCE_CHARACTERS_MAX + 1)),
    "a reference beyond ASCII": lambda: top_up(PLAN, opened(PLAN, 0), 1, "é"),
    "a debt of nothing": lambda: owe(CHARGED, opened(CHARGED, 0), "arrears", 0),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_what_breaks_a_rule_is_refused(make):
    with pytest.raises(BadArgumentError):
        make()
