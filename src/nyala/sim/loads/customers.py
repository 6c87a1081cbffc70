"""Customers behind the meters: who they are, what they own, when they use it.  Drawn once from (seed, index, model).

Power here is what the meter sees: secondary.  A customer with current transformers has his ratio as data; primary =
secondary x ratio.  What happens on a day is `days`.
"""

from dataclasses import dataclass
from typing import Final

from numpy.random import Generator

from nyala.meter.chip import PHASES
from nyala.meter.model import MeterModel
from nyala.meter.tariff import DAY_MINUTES
from nyala.sim.loads.appliances import Equipment, Habit, Kind, kinds_of
from nyala.sim.loads.solar import Solar
from nyala.sim.loads.source import draws
from nyala.vocab.errors import UnknownError

CUSTOMER_DRAW: Final = 2**32 - 1
"""Stands for the customer where `draws` has the day: no run reaches this day."""
GROUPS_MAX: Final = 3
"""Many equal units run as at most so many groups, one per phase: more would cost time and hardly show."""
UNITS_SPREAD: Final = 0.25
CT_MODEL: Final = "three-phase-ct"
CT_SECONDARY_A: Final = 5
CT_PRIMARIES_A: Final = (50, 75, 100, 150, 200, 250, 300, 400, 500, 600)
"""Rated primary currents on the market (IEC 61869-2, 5.201, with common multiples)."""
THREE_PHASE_SOLAR_W: Final = 5000
"""From this rating on an inverter feeds all phases."""
INVERTER_TANS: Final = (0.0, 0.0, 0.1)
"""Var per W of the inverters on the market: most run at unity, some give a little reactive power."""


@dataclass(frozen=True, slots=True)
class Use:
    """One appliance (or group of equal ones) at one time of the day.  `va` is W + j var at the terminals while on.

    Local minutes; `phase` None for all phases; on for `on_min` of each `period_min`, shifted by `cycle_min` (0: always);
    `chance` on working days, Saturdays, Sundays.
    """

    appliance: str
    va: complex
    phase: int | None
    start_min: int
    jitter_min: int
    duration_min: int
    duration_jitter_min: int
    chance: tuple[float, float, float]
    period_min: int
    on_min: int
    cycle_min: int


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer.  `contract_va` is primary; `ct_ratio` (primary, secondary) in A, (1, 1) where connected directly."""

    index: int
    kind: str
    phases: int
    contract_va: int
    ct_ratio: tuple[int, int]
    uses: tuple[Use, ...]
    solar: Solar | None

    @property
    def limit_va(self) -> float:
        """Most that one phase takes at the meter's terminals: what the customer's breaker, set by contract, lets through."""
        primary, secondary = self.ct_ratio
        return self.contract_va * secondary / primary / self.phases


def make_customer(seed: int, index: int, model: MeterModel) -> Customer:
    """The customer behind meter `index`; UnknownError for a model that no kind of customer has."""
    rng = draws(seed, index, CUSTOMER_DRAW)
    kind = _choose_kind(rng, model.name)
    contract_va = kind.contracts_va[rng.integers(len(kind.contracts_va))]
    ratio = _ct_ratio(contract_va, model)
    scale = ratio[1] / ratio[0]
    shift_min = int(rng.integers(-kind.shift_min, kind.shift_min + 1))
    uses: list[Use] = []
    for equipment in kind.equipment:
        if rng.random() < equipment.owned and contract_va >= equipment.min_va:
            habits = [habit for habit in kind.habits if habit.appliance == equipment.appliance.name]
            uses += _uses(rng, equipment, habits, contract_va / 1000, model.phases, shift_min, scale)
    return Customer(
        index, kind.name, model.phases, contract_va, ratio, tuple(uses), _solar(rng, kind, contract_va, model, scale)
    )


def _choose_kind(rng: Generator, model: str) -> Kind:
    found = kinds_of(model)
    if not found:
        raise UnknownError("customers of meter model", model)
    mark = rng.integers(sum(kind.weight for kind in found))
    for kind in found:
        if mark < kind.weight:
            return kind
        mark -= kind.weight
    raise AssertionError("weights sum to the mark's range")


def _ct_ratio(contract_va: int, model: MeterModel) -> tuple[int, int]:
    """The smallest transformer that carries the contract; (1, 1) for a meter that is connected directly."""
    if model.name != CT_MODEL:
        return 1, 1
    current_a = contract_va / (model.phases * model.nominal_voltage_v)
    return next(primary for primary in CT_PRIMARIES_A if primary >= current_a), CT_SECONDARY_A


def _uses(
    rng: Generator, equipment: Equipment, habits: list[Habit], kva: float, phases: int, shift_min: int, scale: float
) -> list[Use]:
    """All uses of one piece of equipment: its habits times its groups."""
    appliance = equipment.appliance
    wanted = (equipment.units + equipment.per_kva * kva) * rng.uniform(1 - UNITS_SPREAD, 1 + UNITS_SPREAD)
    units = max(1, round(wanted))
    groups = min(units, GROUPS_MAX)
    va = appliance.va * scale * rng.uniform(1 - appliance.spread, 1 + appliance.spread) * units / groups
    first_phase = int(rng.integers(phases))
    found: list[Use] = []
    for group in range(groups):
        cycle_min = int(rng.integers(appliance.period_min)) if appliance.period_min else 0
        found += [
            Use(
                appliance=appliance.name,
                va=va,
                phase=None if appliance.phases == phases == PHASES else (first_phase + group) % phases,
                start_min=(habit.start_min + shift_min) % DAY_MINUTES if habit.jitter_min else habit.start_min,
                jitter_min=habit.jitter_min,
                duration_min=habit.duration_min,
                duration_jitter_min=habit.duration_jitter_min,
                chance=habit.chance,
                period_min=appliance.period_min,
                on_min=appliance.on_min,
                cycle_min=cycle_min,
            )
            for habit in habits
        ]
    return found


def _solar(rng: Generator, kind: Kind, contract_va: int, model: MeterModel, scale: float) -> Solar | None:
    has = rng.random() < kind.solar_share
    rated_w = contract_va * rng.uniform(*kind.solar_rating)
    tan_phi = INVERTER_TANS[rng.integers(len(INVERTER_TANS))]
    phase = int(rng.integers(model.phases))
    if not has:
        return None
    on_all = model.phases == PHASES and rated_w >= THREE_PHASE_SOLAR_W
    return Solar(rated_w * scale, tan_phi, None if on_all else phase)
