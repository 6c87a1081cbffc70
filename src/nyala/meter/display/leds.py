"""The LEDs of cover and module as functions of time and state (product sheet D).  Pure; no timer runs here.

Alarm: two alike, by the most urgent alarm: high on, medium 2 Hz, low 0.5 Hz.  Pulses: one per 1/k kWh or kvarh, 35 ms, red;
steadily on without load.  At 1.3 Un and Imax a pulse period is 40.1 ms (reference metrology.md 1.7): 35 ms lit and 5 ms
dark fit.  Begins of pulses are those of the pulse output, which keeps them apart and drops none.

Instants are microseconds: milliseconds would merge such pulses.
"""

from dataclasses import dataclass
from typing import Final

from nyala.meter.sampled.pulses import WIDTH_US
from nyala.vocab.alarms import Severity, active

SYSTEM_FLASH_US: Final = 100_000
SYSTEM_PERIOD_US: Final = 2_000_000
TRAFFIC_FLASH_US: Final = 100_000
BLINK_PERIODS_US: Final[dict[Severity, int]] = {Severity.HIGH: 0, Severity.MEDIUM: 500_000, Severity.LOW: 2_000_000}
"""Period of the alarm LEDs; 0 is steadily on."""

_MODES: Final[dict[Severity, str]] = {Severity.HIGH: "on", Severity.MEDIUM: "fast", Severity.LOW: "slow"}


@dataclass(frozen=True, slots=True)
class Led:
    """One LED: its name, its colour, where it sits."""

    name: str
    colour: str
    place: str
    meaning: str


LEDS: Final = (
    Led("alarm_1", "red", "cover", "the most urgent alarm"),
    Led("alarm_2", "red", "cover", "the same"),
    Led("active_pulse", "red", "cover", "active energy, 35 ms"),
    Led("reactive_pulse", "red", "cover", "reactive energy, 35 ms"),
    Led("system", "blue", "module", "flashes while the LoRa system is alive"),
    Led("communication", "green", "module", "flashes on traffic"),
)


@dataclass(frozen=True, slots=True)
class Lamps:
    """What drives the LEDs.  `active_us`, `reactive_us`: begins of pulses, the recent ones.

    `no_load`, `no_reactive_load`: nothing is registered; `alarms` one bit per row of the alarm table; `system_alive` the
    LoRa module runs; `traffic_us` instants of frames sent or received.
    """

    powered: bool = True
    alarms: int = 0
    active_us: tuple[int, ...] = ()
    reactive_us: tuple[int, ...] = ()
    no_load: bool = False
    no_reactive_load: bool = False
    system_alive: bool = False
    traffic_us: tuple[int, ...] = ()


def lit(lamps: Lamps, at_us: int) -> frozenset[str]:
    """Names of the LEDs that are lit at an instant."""
    if not lamps.powered:
        return frozenset()
    alarm = _alarm(lamps.alarms, at_us)
    states = {
        "alarm_1": alarm,
        "alarm_2": alarm,
        "active_pulse": lamps.no_load or _flashes(lamps.active_us, WIDTH_US, at_us),
        "reactive_pulse": lamps.no_reactive_load or _flashes(lamps.reactive_us, WIDTH_US, at_us),
        "system": lamps.system_alive and at_us % SYSTEM_PERIOD_US < SYSTEM_FLASH_US,
        "communication": _flashes(lamps.traffic_us, TRAFFIC_FLASH_US, at_us),
    }
    return frozenset(name for name, on in states.items() if on)


def modes(lamps: Lamps) -> dict[str, str]:
    """What each LED does, for a replica that blinks by itself: off, on, fast (2 Hz), slow (0.5 Hz) or flash."""
    rows = active(lamps.alarms)
    alarm = _MODES[rows[0].severity] if rows else "off"
    found = {
        "alarm_1": alarm,
        "alarm_2": alarm,
        "active_pulse": "on" if lamps.no_load else "flash" if lamps.active_us else "off",
        "reactive_pulse": "on" if lamps.no_reactive_load else "flash" if lamps.reactive_us else "off",
        "system": "flash" if lamps.system_alive else "off",
        "communication": "flash" if lamps.traffic_us else "off",
    }
    return found if lamps.powered else dict.fromkeys(found, "off")


def _alarm(bits: int, at_us: int) -> bool:
    rows = active(bits)
    if not rows:
        return False
    period_us = BLINK_PERIODS_US[rows[0].severity]
    return period_us == 0 or at_us % period_us < period_us // 2


def _flashes(starts_us: tuple[int, ...], length_us: int, at_us: int) -> bool:
    return any(start_us <= at_us < start_us + length_us for start_us in starts_us)
