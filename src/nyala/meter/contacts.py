"""Auxiliary contacts of a meter (product sheet A18): outputs that follow its state.  No load is switched here.

A contact is given one of the functions of the table; what it does is read from the meter, so it needs no state of its own.
"""

from collections.abc import Callable
from enum import Enum
from typing import Final

from nyala.meter.meter import Meter
from nyala.vocab.alarms import Severity, active


class Function(Enum):
    """What a contact is for."""

    ALARM = "alarm"
    """Closed while an alarm of high or medium severity is on."""
    RATE = "rate"
    """Closed outside rate 1: load control by tariff, as of a boiler."""
    SUPPLY = "supply"
    """Follows the supply switch: a contactor in front of what the meter cannot carry."""
    ARMED = "armed"
    """Closed while the switch waits for the button: a lamp at the door."""


def _alarmed(meter: Meter) -> bool:
    return any(row.severity is not Severity.LOW for row in active(int(meter.bank.alarms[meter.row])))


_CLOSED: Final[dict[Function, Callable[[Meter], bool]]] = {
    Function.ALARM: _alarmed,
    Function.RATE: lambda meter: int(meter.bank.rate[meter.row]) != 1,
    Function.SUPPLY: lambda meter: bool(meter.bank.closed[meter.row]),
    Function.ARMED: lambda meter: meter.operation.supply.armed,
}


def closed(meter: Meter, function: Function) -> bool:
    """Whether a contact of this function is closed; without supply every contact is open."""
    return bool(meter.bank.powered[meter.row]) and _CLOSED[function](meter)
