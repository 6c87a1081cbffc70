"""An account against a simple ledger: conservation to the unit, references once, the switch held exactly when it must be."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from nyala.meter.credit import (
    CreditState,
    Kind,
    Outcome,
    TopUp,
    next_s,
    open_account,
    owe,
    select_emergency,
    selectable,
    tick,
    top_up,
)
from nyala.meter.credit_plan import Basis, Charge, CreditPlan, Emergency, credit_plan_named
from tests.unit.meter.calendars import WIB_S, at

START = at("2026-06-28 12:00")
PLANS = (
    credit_plan_named("kwh"),
    credit_plan_named("estate"),
    CreditPlan(
        warnings=(2_000, 500),
        emergency=Emergency(1_000, button=False),
        charges=(
            Charge("share", Basis.TOP_UP, 333, debt=True),
            Charge("levy", Basis.TOP_UP, 7, debt=False, month_cap=50),
            Charge("day", Basis.DAY, 70, debt=True, month_cap=500),
            Charge("stand", Basis.DAY, 11, debt=False),
        ),
        offset_s=WIB_S,
    ),
)


class Ledger(RuleBasedStateMachine):
    """The model keeps a balance, debts and a switch of its own."""

    @initialize(plan=st.sampled_from(PLANS), opening=st.sampled_from([0, 1, 3_000, 10**11]))
    def begin(self, plan: CreditPlan, opening: int) -> None:
        self.plan, self.clock_s = plan, START
        self.registers = [17] * 8
        outcome = open_account(plan, tuple(self.registers), self.clock_s, opening)
        self.added, self.used, self.seen = opening, 0, set[str]()
        self.debts = {charge.name: 0 for charge in plan.charges if charge.debt}
        self.incurred = dict(self.debts)
        self.held = False
        self.follow(outcome)

    def follow(self, outcome: Outcome) -> None:
        self.account = outcome.account
        for effect in outcome.effects:
            if effect.kind is Kind.DISCONNECT:
                assert not self.held
                self.held = True
            if effect.kind is Kind.ARM_RECONNECT:
                assert self.held
                self.held = False

    @rule(amount=st.sampled_from([1, 999, 1_000, 50_000, 20_000_000_000]), reference=st.integers(0, 30))
    def credit_comes(self, amount: int, reference: int) -> None:
        outcome = top_up(self.plan, self.account, amount, f"{reference}")
        fresh = f"{reference}" not in self.seen
        assert outcome.top_up is (TopUp.ACCEPTED if fresh else TopUp.REPEATED)
        if fresh:
            self.seen.add(f"{reference}")
            self.added += amount
        else:
            assert outcome.account == self.account
        self.follow(outcome)

    @rule(rate=st.integers(1, 8), used_wh=st.sampled_from([0, 1, 500, 20_000]))
    def energy_is_used(self, rate: int, used_wh: int) -> None:
        self.registers[rate - 1] += used_wh
        self.used += used_wh * self.plan.prices[rate - 1]
        self.follow(tick(self.plan, self.account, tuple(self.registers), self.clock_s))

    @rule(seconds=st.integers(0, 200_000))
    def time_passes(self, seconds: int) -> None:
        until_s = self.clock_s + seconds
        whole = tick(self.plan, self.account, tuple(self.registers), until_s).account
        while (stop_s := next_s(self.plan, self.account)) < until_s:
            self.follow(tick(self.plan, self.account, tuple(self.registers), stop_s))
        self.follow(tick(self.plan, self.account, tuple(self.registers), until_s))
        self.clock_s = until_s
        assert (whole.balance, whole.taken) == (self.account.balance, self.account.taken), "split and whole are one"

    @rule(amount=st.integers(1, 5_000), pick=st.integers(0, 9))
    def a_debt_is_made(self, amount: int, pick: int) -> None:
        if self.debts:
            name = sorted(self.debts)[pick % len(self.debts)]
            self.incurred[name] += amount
            self.account = owe(self.plan, self.account, name, amount)

    @rule()
    def the_button_is_pressed(self) -> None:
        if selectable(self.plan, self.account):
            self.follow(select_emergency(self.plan, self.account))

    @invariant()
    def credit_is_neither_made_nor_lost(self) -> None:
        account = self.account
        assert (account.added, account.consumed) == (self.added, self.used)
        assert account.paid == sum(taken.paid for taken in account.taken)
        assert self.added == self.used + sum(taken.paid for taken in account.taken) + account.balance
        assert account.registers_wh == tuple(self.registers)

    @invariant()
    def debts_shrink_by_what_is_paid_and_never_below_nothing(self) -> None:
        for charge, taken in zip(self.plan.charges, self.account.taken, strict=True):
            assert taken.owed >= 0
            assert 0 <= taken.month_paid <= (charge.month_cap if charge.month_cap is not None else taken.paid)
            if charge.debt:
                assert taken.paid + taken.owed == self.incurred[charge.name]

    @invariant()
    def the_supply_is_held_exactly_when_there_is_no_credit(self) -> None:
        account = self.account
        assert self.held is (account.state is CreditState.OUT_OF_CREDIT)
        floor = 0
        if self.plan.emergency and (account.selected or not self.plan.emergency.button):
            floor = -self.plan.emergency.limit
        assert (account.balance <= floor) is (account.state in {CreditState.OUT_OF_CREDIT, CreditState.FRIENDLY})
        assert account.warned == len([level for level in self.plan.warnings if account.balance <= level])
        again = tick(self.plan, account, account.registers_wh, account.clock_s)
        assert again == Outcome(account), "looking changes nothing"


TestLedger = Ledger.TestCase
