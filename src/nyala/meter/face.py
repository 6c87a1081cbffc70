"""A meter as its display and its LEDs read it: values, signs and what drives the lamps, from one row and its operation.

What the LoRa module adds - joined, talking, alive - is given by the device.
"""

from dataclasses import dataclass
from typing import Final

from nyala.meter.display.leds import Lamps
from nyala.meter.display.reading import Signs
from nyala.meter.meter import Meter
from nyala.meter.reading import powers
from nyala.vocab.alarms import Alarm

PRESENT: Final = 0.05
SAG: Final = 0.7
"""Shares of the nominal voltage: below the first a phase is not there, below the second it sags."""


@dataclass(frozen=True, slots=True)
class MeterReading:
    """The reading of a meter for its LCD."""

    meter: Meter
    serial: str
    firmware: str
    offset_s: int = 0

    @property
    def clock_s(self) -> int:
        """What its clock shows."""
        return self.meter.clock_s

    def value(self, name: str) -> int | None:
        """A catalogue integer, or None where this meter does not have it."""
        return self.meter.value(name)


def quadrant(p_w: float, q_var: float) -> int:
    """Quadrant 1..4 of IEC 62053-23 annex C."""
    return (1 if q_var >= 0 else 4) if p_w >= 0 else (2 if q_var >= 0 else 3)


def signs_of(meter: Meter, *, joined: bool = False, talking: bool = False) -> Signs:
    """The state that the annunciators tell."""
    bank, row, model, operation = meter.bank, meter.row, meter.model, meter.operation
    share = (bank.u_v[row, : model.phases] / model.nominal_voltage_v).tolist()
    p_w, q_var = powers(bank, row)
    idle = max(abs(p_w), abs(q_var)) < model.no_load_w
    alarms = int(bank.alarms[row])
    return Signs(
        present=tuple(each > PRESENT for each in share),
        sagging=tuple(each < SAG for each in share),
        quadrant=None if idle else quadrant(p_w, q_var),
        sequence_wrong=bool(bank.state.sequence[row] < 0),
        rate=int(bank.rate[row]),
        switch=operation.supply.output,
        armed=operation.supply.armed,
        alarms=alarms,
        joined=joined,
        talking=talking,
        internal_battery_low=bool(alarms >> Alarm.INTERNAL_BATTERY_LOW & 1),
        external_battery_low=bool(alarms >> Alarm.EXTERNAL_BATTERY_LOW & 1),
        credit=None if operation.account is None else operation.account.state.name.lower(),
        no_load=idle,
    )


def lamps_of(
    meter: Meter, active_us: tuple[int, ...] = (), reactive_us: tuple[int, ...] = (), *, module_alive: bool = False
) -> Lamps:
    """What drives the LEDs; the begins of the recent pulses are given."""
    p_w, q_var = powers(meter.bank, meter.row)
    return Lamps(
        powered=bool(meter.bank.powered[meter.row]),
        alarms=int(meter.bank.alarms[meter.row]),
        active_us=active_us,
        reactive_us=reactive_us,
        no_load=abs(p_w) < meter.model.no_load_w,
        no_reactive_load=abs(q_var) < meter.model.no_load_w,
        system_alive=module_alive,
    )
