"""Credit plans: the files of the program, every field and every rule."""

import json
import tomllib
from copy import deepcopy
from importlib.resources import files

import pytest

from nyala.meter.calendar import DateMask
from nyala.meter.credit_plan import (
    AMOUNT_MAX,
    CHARGES_MAX,
    CREDIT_PLANS,
    HOLIDAYS_MAX,
    WARNINGS_MAX,
    WINDOWS_MAX,
    Basis,
    Charge,
    CreditPlan,
    Emergency,
    Friendly,
    credit_plan_named,
    credit_plan_of_table,
)
from nyala.vocab.errors import BadArgumentError, UnknownError

SHARE = Charge("share", Basis.TOP_UP, 600, debt=True)
TABLE = tomllib.loads(files("nyala.meter").joinpath("credit_plans", "estate.toml").read_text(encoding="utf-8"))


def friendly(*windows: tuple[int, int]) -> Friendly:
    return Friendly((windows, *[()] * 6))


@pytest.mark.parametrize("name", CREDIT_PLANS)
def test_the_plans_of_the_program_can_be_read(name):
    assert credit_plan_named(name).offset_s == 7 * 3600


def test_every_field_of_a_plan_is_read():
    plan = credit_plan_named("estate")
    assert (plan.unit, plan.prices[:2], plan.warnings) == ("IDR", (1_444_700, 2_167_050), (50_000_000_000, 20_000_000_000))
    assert plan.emergency == Emergency(15_000_000_000, 10_000_000_000, button=True)
    assert (plan.friendly.week[0], plan.friendly.week[6]) == (((0, 480), (960, 1440)), ((0, 1440),))
    assert plan.friendly.holidays == (DateMask(month=8, day=17),)
    assert [charge.name for charge in plan.charges] == ["arrears", "connection", "service"]
    assert plan.charges[0] == Charge("arrears", Basis.TOP_UP, 200, debt=True, month_cap=100_000_000_000)
    assert credit_plan_of_table(json.loads(json.dumps(TABLE))) == plan


def test_another_plan_is_unknown():
    with pytest.raises(UnknownError):
        credit_plan_named("nothing")


REFUSED = {
    "unit kWh": lambda: CreditPlan("kWh"),
    "an offset of seconds": lambda: CreditPlan(offset_s=1),
    "seven prices": lambda: CreditPlan("IDR", (1,) * 7),
    "a price of 0": lambda: CreditPlan("IDR", (0,) * 8),
    "a Wh for two": lambda: CreditPlan("Wh", (2,) * 8),
    "warnings that rise": lambda: CreditPlan(warnings=(1, 2)),
    "a warning twice": lambda: CreditPlan(warnings=(2, 2)),
    "too many warnings": lambda: CreditPlan(warnings=tuple(range(WARNINGS_MAX + 1, 0, -1))),
    "a warning below 0": lambda: CreditPlan(warnings=(-1,)),
    "a largest balance of 0": lambda: CreditPlan(balance_max=0),
    "a balance beyond all": lambda: CreditPlan(balance_max=AMOUNT_MAX + 1),
    "emergency credit of 0": lambda: Emergency(0),
    "an emergency below 0": lambda: Emergency(1, -1),
    "six weekdays": lambda: Friendly(((),) * 6),
    "windows that overlap": lambda: friendly((0, 60), (30, 90)),
    "windows that touch": lambda: friendly((0, 60), (60, 90)),
    "a window over midnight": lambda: friendly((1_200, 60)),
    "a window beyond the day": lambda: friendly((1_200, 1_441)),
    "too many windows": lambda: friendly(*((i * 10, i * 10 + 5) for i in range(WINDOWS_MAX + 1))),
    "too many holidays": lambda: Friendly(holidays=(DateMask(day=1),) * (HOLIDAYS_MAX + 1)),
    "every day a holiday": lambda: Friendly(holidays=(DateMask(),)),
    "a charge without a name": lambda: Charge("", Basis.DAY, 1, debt=True),
    "a charge with a long name": lambda: Charge("n" * 17, Basis.DAY, 1, debt=True),
    "a charge of nothing": lambda: Charge("a", Basis.DAY, 0, debt=True),
    "more than a whole top-up": lambda: Charge("a", Basis.TOP_UP, 1_001, debt=True),
    "a cap of nothing": lambda: Charge("a", Basis.DAY, 1, debt=True, month_cap=0),
    "a charge twice": lambda: CreditPlan(charges=(Charge("a", Basis.DAY, 1, debt=True),) * 2),
    "too many charges": lambda: CreditPlan(
        charges=tuple(Charge(f"{i}", Basis.DAY, 1, debt=True) for i in range(CHARGES_MAX + 1))
    ),
    "shares of more than the whole": lambda: CreditPlan(charges=(SHARE, Charge("more", Basis.TOP_UP, 401, debt=False))),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_what_breaks_a_rule_is_refused(make):
    with pytest.raises(BadArgumentError):
        make()


BROKEN = [
    (("unit",), ..., "without unit"),
    (("colour",), 1, "unknown colour"),
    (("prices",), 5, "not a list"),
    (("warnings",), [1.5], "not a whole number"),
    (("emergency",), 5, "not a table"),
    (("emergency", "button"), 1, "neither true nor false"),
    (("emergency", "limit"), ..., "without limit"),
    (("friendly", "someday"), [], "unknown someday"),
    (("friendly", "mon"), [["08:00"]], "a start and an end"),
    (("friendly", "mon"), [["08:00", "25:00"]], "not a time"),
    (("friendly", "holidays"), ["17 August"], "not a date"),
    (("charges",), [5], "not a table"),
    (("charges", 0, "basis"), "year", "one of top-up, day, month"),
    (("charges", 0, "debt"), ..., "without debt"),
]


@pytest.mark.parametrize(("path", "value", "says"), BROKEN, ids=[f"{path}={value}" for path, value, _ in BROKEN])
def test_a_table_that_is_none_is_refused_with_the_reason(path, value, says):
    table = deepcopy(TABLE)
    inner = table
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    with pytest.raises(BadArgumentError, match=says):
        credit_plan_of_table(table)
