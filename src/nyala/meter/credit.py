"""Prepayment credit inside the meter: an account, what adds to it and takes from it, and the states that follow from it.

The balance is not kept: it is what was added minus what was consumed and what charges took, so credit can be neither made
nor lost.  Below zero the customer uses emergency credit, or a friendly hour; the next top-up pays that back by itself.
Consumption is the difference of the rate registers in whole Wh since the account last looked, so a power cut loses none.

The state follows from facts by one table (`STATES`), the effects from the states that are entered and left.  Tokens are
not known here: `top_up` takes an amount and a reference, and takes each reference once.  Terms are in `credit_plan.py`.
Instants are seconds of the meter's clock; `next_s` is where the caller stops next.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from nyala.meter.calendar import local_date
from nyala.meter.credit_plan import AMOUNT_MAX, WHOLE_PERMILLE, Basis, Charge, CreditPlan
from nyala.vocab.errors import BadArgumentError, NotAllowedError, UnknownError
from nyala.vocab.quantities import RATES

REFERENCES_MAX: Final = 50
"""References remembered, as many as a meter remembers token identifiers (IEC 62055-41); an older one may come again."""
REFERENCE_CHARACTERS_MAX: Final = 32
CHARGE_DAYS_MAX: Final = 366
"""Days that are charged at once at most: a clock that was years off must not eat a balance."""


class CreditState(Enum):
    """Where an account stands.  The values are kept in memory and logs: never change one."""

    IN_CREDIT = 0
    LOW_CREDIT = 1
    EMERGENCY_SELECTABLE = 2
    EMERGENCY_IN_USE = 3
    FRIENDLY = 4
    """Out of credit, but at an hour at which nobody is cut."""
    OUT_OF_CREDIT = 5


class Kind(Enum):
    """What an effect is."""

    WARN = "warn of low credit"
    OFFER_EMERGENCY = "offer emergency credit"
    DISCONNECT = "hold the supply open"
    ARM_RECONNECT = "hold it no more: the button connects"


@dataclass(frozen=True, slots=True)
class CreditEffect:
    """An effect.  `level` of a warning counts from 1, the first to come."""

    kind: Kind
    level: int = 0


class TopUp(Enum):
    """What became of a top-up."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    OVERFLOW = "overflow"


STATES: Final[tuple[tuple[tuple[bool | None, ...], CreditState], ...]] = (
    # exhausted, cut,  friendly, debit, selectable, low
    ((True, True, None, None, None, None), CreditState.OUT_OF_CREDIT),
    ((True, False, False, None, None, None), CreditState.OUT_OF_CREDIT),
    ((True, False, True, None, None, None), CreditState.FRIENDLY),
    ((False, None, None, True, None, None), CreditState.EMERGENCY_IN_USE),
    ((False, None, None, False, True, None), CreditState.EMERGENCY_SELECTABLE),
    ((False, None, None, False, False, True), CreditState.LOW_CREDIT),
    ((False, None, None, False, False, False), CreditState.IN_CREDIT),
)
"""Facts -> state; None is either.  Whoever was cut stays cut until there is credit: a friendly hour connects nobody."""

ON_ENTRY: Final[dict[CreditState, Kind]] = {CreditState.OUT_OF_CREDIT: Kind.DISCONNECT}
ON_EXIT: Final[dict[CreditState, Kind]] = {CreditState.OUT_OF_CREDIT: Kind.ARM_RECONNECT}


@dataclass(frozen=True, slots=True)
class Taken:
    """What one charge took: in all, in this local month; and what is still owed of a debt."""

    paid: int = 0
    month_paid: int = 0
    owed: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """State of an account, in the unit of its plan.  `registers_wh`: the registers of rates 1..8 that are accounted for."""

    clock_s: int
    registers_wh: tuple[int, ...]
    charged_day: int
    """Ordinal of the last local day whose charges were taken."""
    taken: tuple[Taken, ...]
    """Beside the plan's charges."""
    added: int = 0
    consumed: int = 0
    paid: int = 0
    state: CreditState = CreditState.IN_CREDIT
    selected: bool = False
    """Emergency credit was selected and is not yet given back."""
    offered: bool = False
    """Emergency credit may be selected now."""
    warned: int = 0
    references: tuple[str, ...] = ()

    @property
    def balance(self) -> int:
        """What is left; below zero in emergency credit or after friendly hours."""
        return self.added - self.consumed - self.paid


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step led to.  `top_up` only after one."""

    account: Account
    effects: tuple[CreditEffect, ...] = ()
    top_up: TopUp | None = None


def open_account(plan: CreditPlan, registers_wh: tuple[int, ...], clock_s: int, opening: int = 0) -> Outcome:
    """A new account with an opening credit: prepayment begins here, the registers go on."""
    _check_amount(opening, least=0)
    _check_registers(registers_wh)
    day = local_date(clock_s, plan.offset_s).toordinal()
    account = Account(clock_s, registers_wh, day, (Taken(),) * len(plan.charges), added=opening)
    return _settled(plan, account)


def tick(plan: CreditPlan, account: Account, registers_wh: tuple[int, ...], clock_s: int) -> Outcome:
    """Accounts for consumption and for the local midnights up to an instant.  BadArgumentError for registers that went back.

    The whole difference is counted before the midnights: whoever stops at `next_s` has it in the right order.
    """
    _check_registers(registers_wh)
    used_wh = [now - before for now, before in zip(registers_wh, account.registers_wh, strict=True)]
    if min(used_wh) < 0:
        raise BadArgumentError(f"registers went back from {account.registers_wh} to {registers_wh} Wh")
    consumed = sum(wh * price for wh, price in zip(used_wh, plan.prices, strict=True))
    account = replace(account, clock_s=clock_s, registers_wh=registers_wh, consumed=account.consumed + consumed)
    today = local_date(clock_s, plan.offset_s)
    for ordinal in range(max(account.charged_day, today.toordinal() - CHARGE_DAYS_MAX) + 1, today.toordinal() + 1):
        account = _charged_midnight(plan, replace(account, charged_day=ordinal), first=today.fromordinal(ordinal).day == 1)
    return _settled(plan, account)


def top_up(plan: CreditPlan, account: Account, amount: int, reference: str) -> Outcome:
    """Adds credit once per reference; shares of it go to the charges.  The caller ticked to this instant before.

    BadArgumentError for an amount that is not positive or a reference of no or too many characters.
    """
    _check_amount(amount, least=1)
    if not 1 <= len(reference) <= REFERENCE_CHARACTERS_MAX or not (reference.isascii() and reference.isprintable()):
        raise BadArgumentError(f"reference {reference!r}: 1..{REFERENCE_CHARACTERS_MAX} ASCII characters")
    if reference in account.references:
        return Outcome(account, (), TopUp.REPEATED)
    if account.balance + amount > plan.balance_max:
        return Outcome(account, (), TopUp.OVERFLOW)
    references = (*account.references, reference)[-REFERENCES_MAX:]
    account = replace(account, added=account.added + amount, references=references)
    for place, charge in enumerate(plan.charges):
        if charge.basis is Basis.TOP_UP:
            account = _take(account, place, charge, amount * charge.rate // WHOLE_PERMILLE)
    return replace(_settled(plan, account), top_up=TopUp.ACCEPTED)


def select_emergency(plan: CreditPlan, account: Account) -> Outcome:
    """The customer selects emergency credit; NotAllowedError while it is not offered."""
    if not selectable(plan, account):
        raise NotAllowedError("emergency credit is not offered now")
    return _settled(plan, replace(account, selected=True))


def owe(plan: CreditPlan, account: Account, name: str, amount: int) -> Account:
    """Adds to a debt.  UnknownError for a name that is no debt of the plan."""
    _check_amount(amount, least=1)
    for place, charge in enumerate(plan.charges):
        if charge.name == name and charge.debt:
            taken = replace(account.taken[place], owed=account.taken[place].owed + amount)
            return replace(account, taken=(*account.taken[:place], taken, *account.taken[place + 1 :]))
    raise UnknownError("debt", name)


def with_plan(plan: CreditPlan, account: Account, new: CreditPlan) -> Outcome:
    """Other terms from now on; charges are known by their names.  The caller ticked to this instant before.

    NotAllowedError for another unit, or while a debt that the new plan does not know is owed.
    """
    if new.unit != plan.unit:
        raise NotAllowedError(f"an account in {plan.unit} cannot go on in {new.unit}")
    known = {charge.name: taken for charge, taken in zip(plan.charges, account.taken, strict=True)}
    debts = {charge.name for charge in new.charges if charge.debt}
    if lost := [name for name, taken in known.items() if taken.owed and name not in debts]:
        raise NotAllowedError(f"still owed: {', '.join(lost)}")
    taken = tuple(known.get(charge.name, Taken()) for charge in new.charges)
    return _settled(new, replace(account, taken=taken))


def selectable(plan: CreditPlan, account: Account) -> bool:
    """Whether emergency credit is offered: there is some, and the customer has not selected it."""
    emergency = plan.emergency
    if emergency is None or not emergency.button or account.selected:
        return False
    return -emergency.limit < account.balance <= emergency.threshold


def next_s(plan: CreditPlan, account: Account) -> int:
    """The next instant at which time alone may change something: a friendly edge or the local midnight."""
    return plan.friendly.next_s(account.clock_s, plan.offset_s)


def facts(plan: CreditPlan, account: Account) -> tuple[bool, ...]:
    """What the state follows from, in the order of `STATES`."""
    emergency, balance = plan.emergency, account.balance
    floor = -emergency.limit if emergency and (account.selected or not emergency.button) else 0
    return (
        balance <= floor,
        account.state is CreditState.OUT_OF_CREDIT,
        plan.friendly.active(account.clock_s, plan.offset_s),
        balance <= 0,
        selectable(plan, account),
        bool(plan.warnings) and balance <= plan.warnings[0],
    )


def state_of(found: tuple[bool, ...]) -> CreditState:
    """The state that facts lead to: the first row that fits."""
    return next(state for row, state in STATES if all(want in {None, have} for want, have in zip(row, found, strict=True)))


def _settled(plan: CreditPlan, account: Account) -> Outcome:
    """The state that the balance and the hour lead to, and the effects of getting there."""
    emergency = plan.emergency
    if account.selected and (emergency is None or account.balance > emergency.threshold):
        account = replace(account, selected=False)
    before, state = account.state, state_of(facts(plan, account))
    warned = sum(account.balance <= level for level in plan.warnings)
    effects = [CreditEffect(Kind.WARN, warned)] if warned > account.warned else []
    offered = selectable(plan, account)
    effects += [CreditEffect(Kind.OFFER_EMERGENCY)] if offered and not account.offered else []
    if state is not before:
        effects += [CreditEffect(ON_EXIT[before])] if before in ON_EXIT else []
        effects += [CreditEffect(ON_ENTRY[state])] if state in ON_ENTRY else []
    return Outcome(replace(account, state=state, offered=offered, warned=warned), tuple(effects))


def _charged_midnight(plan: CreditPlan, account: Account, *, first: bool) -> Account:
    """The charges of a day that begins; of a month that begins, too."""
    if first:
        account = replace(account, taken=tuple(replace(taken, month_paid=0) for taken in account.taken))
    for place, charge in enumerate(plan.charges):
        if charge.basis is Basis.DAY or (charge.basis is Basis.MONTH and first):
            wanted = min(charge.rate, max(account.balance, 0)) if charge.debt else charge.rate
            account = _take(account, place, charge, wanted)
    return account


def _take(account: Account, place: int, charge: Charge, wanted: int) -> Account:
    """A charge takes what it wants, at most what is owed and what its month still allows."""
    taken = account.taken[place]
    if charge.debt:
        wanted = min(wanted, taken.owed)
    if charge.month_cap is not None:
        wanted = min(wanted, max(charge.month_cap - taken.month_paid, 0))
    owed = taken.owed - wanted if charge.debt else taken.owed
    taken = Taken(taken.paid + wanted, taken.month_paid + wanted, owed)
    return replace(account, paid=account.paid + wanted, taken=(*account.taken[:place], taken, *account.taken[place + 1 :]))


def _check_amount(amount: int, *, least: int) -> None:
    if not least <= amount <= AMOUNT_MAX:
        raise BadArgumentError(f"amount {amount}: {least}..{AMOUNT_MAX}")


def _check_registers(registers_wh: tuple[int, ...]) -> None:
    if len(registers_wh) != RATES or min(registers_wh) < 0:
        raise BadArgumentError(f"registers {registers_wh}: whole Wh of {RATES} rates")
