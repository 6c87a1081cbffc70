"""Every quantity of the catalogue that a row of a bank has, as catalogue integers: one place for LCD, telegrams and tests.

Energies are secondary whole units; derived registers are sums of registers to the last mW-second, cut to whole units.
"""

from collections.abc import Callable
from functools import cache
from math import hypot
from typing import Final

from nyala.meter.bank import Bank
from nyala.meter.chip import PHASES
from nyala.vocab.alarms import Alarm
from nyala.vocab.quantities import MWS_PER_WH, RATES, Channel, catalogue, register

Read = Callable[[Bank, int], int]
DERIVED: Final[dict[str, tuple[tuple[Channel, int], ...]]] = {
    "abs_wh": ((Channel.IMPORT, 1), (Channel.EXPORT, 1)),
    "net_wh": ((Channel.IMPORT, 1), (Channel.EXPORT, -1)),
    "plus_varh": ((Channel.Q1, 1), (Channel.Q2, 1)),
    "minus_varh": ((Channel.Q3, 1), (Channel.Q4, 1)),
}
"""Derived registers as signed sums of channels."""
DEMANDS: Final = ("import_w", "export_w", "plus_var", "minus_var", "import_va", "export_va")
"""Endings of the demand quantities, in the order of the bank's arrays."""


def derived(bank: Bank, row: int, name: str, rate: int = 0) -> int:
    """A derived register, total or of one rate; cut towards zero, never rounded up."""
    total = sum(
        sign * (int(bank.wh[row, channel, rate]) * MWS_PER_WH + int(bank.rest_mws[row, channel, rate]))
        for channel, sign in DERIVED[name]
    )
    return abs(total) // MWS_PER_WH * (1 if total >= 0 else -1)


def supplied(bank: Bank, row: int) -> bool:
    """Whether current can flow."""
    return bool(bank.closed[row] and bank.powered[row])


def powers(bank: Bank, row: int) -> tuple[float, float]:
    """Total P in W and Q in var of this second."""
    if not supplied(bank, row):
        return 0.0, 0.0
    return float(bank.p_w[row].sum()), float(bank.q_var[row].sum())


def power_factor(p_w: float, q_var: float) -> int:
    """P / S in thousandths, 1000 without load."""
    apparent = hypot(p_w, q_var)
    return round(p_w / apparent * 1000) if apparent else 1000


def value(bank: Bank, row: int, name: str) -> int | None:
    """One quantity; None for one that a bank does not know: states of the module, counters of the operation."""
    read = _readers().get(name)
    return None if read is None or _absent(bank, row, name) else read(bank, row)


def _absent(bank: Bank, row: int, name: str) -> bool:
    """Whether a quantity is of a phase that the model does not have."""
    return bank.models[row].phases == 1 and name in _of_other_phases()


@cache
def _of_other_phases() -> frozenset[str]:
    stems = ("u{}_v", "i{}_a", "p{}_w", "q{}_var", "s{}_va", "pf{}")
    names = {stem.format(phase) for phase in (2, 3) for stem in stems}
    names |= {f"l{phase}_{register(channel).name}" for phase in (2, 3) for channel in Channel}
    return frozenset(names | {"u2_angle_deg", "u3_angle_deg"})


def _live(bank: Bank, row: int, array: str, phase: int) -> float:
    return float(getattr(bank, array)[row, phase]) if supplied(bank, row) else 0.0


def _phase_readers(phase: int) -> dict[str, Read]:
    def p_q(bank: Bank, row: int) -> tuple[float, float]:
        return _live(bank, row, "p_w", phase), _live(bank, row, "q_var", phase)

    number = phase + 1
    found: dict[str, Read] = {
        f"u{number}_v": lambda bank, row: round(float(bank.u_v[row, phase]) * 10),
        f"i{number}_a": lambda bank, row: round(_live(bank, row, "i_a", phase) * 1000),
        f"p{number}_w": lambda bank, row: round(_live(bank, row, "p_w", phase)),
        f"q{number}_var": lambda bank, row: round(_live(bank, row, "q_var", phase)),
        f"s{number}_va": lambda bank, row: round(hypot(*p_q(bank, row))),
        f"pf{number}": lambda bank, row: power_factor(*p_q(bank, row)),
    }
    for channel in Channel:
        found[f"l{number}_{register(channel).name}"] = _at("phase_wh", phase, channel)
    return found


def _at(array: str, *place: int) -> Read:
    return lambda bank, row: int(getattr(bank.state, array)[(row, *place)])


@cache
def _readers() -> dict[str, Read]:
    found: dict[str, Read] = {
        "p_w": lambda bank, row: round(powers(bank, row)[0]),
        "q_var": lambda bank, row: round(powers(bank, row)[1]),
        "s_va": lambda bank, row: round(hypot(*powers(bank, row))),
        "pf": lambda bank, row: power_factor(*powers(bank, row)),
        "f_hz": lambda bank, row: round(float(bank.f_hz[row]) * 100),
        "in_a": lambda bank, row: round(float(bank.state.neutral_a[row]) * 1000),
        "temperature_c": lambda bank, row: round(float(bank.state.temperature_c[row]) * 10),
        "battery_v": lambda bank, row: round(float(bank.state.battery_v[row, 0]) * 100),
        "external_battery_v": lambda bank, row: round(float(bank.state.battery_v[row, 1]) * 100),
        "active_rate": lambda bank, row: int(bank.rate[row]),
        "alarms": lambda bank, row: int(bank.alarms[row]) & (1 << len(Alarm)) - 1,
    }
    for channel in Channel:
        for rate in range(1 + RATES):
            found[register(channel, rate).name] = _at("wh", channel, rate)
    for name in DERIVED:
        for rate in range(1 + RATES):
            key = f"{name}_t{rate}" if rate else name
            found[key] = lambda bank, row, name=name, rate=rate: derived(bank, row, name, rate)  # type: ignore[misc]
    for phase in range(PHASES):
        found |= _phase_readers(phase)
    for place, ending in enumerate(DEMANDS):
        found[f"demand_{ending}"] = _at("demand_w", place)
        found[f"max_{ending}"] = _at("max_w", place, 0)
        found[f"max_{ending}_at"] = _at("max_at_s", place, 0)
    assert found.keys() <= catalogue().keys()
    return found
