"""The alarms of a meter, once.  The table is `alarms.csv`: rows of the product sheet's section E and its "meter disconnected".

    bit            place in the state `alarms` and number in an event telegram
    severity       high: LED on; medium: LED flashes at 2 Hz; low: at 0.5 Hz (product sheet D)
    on, off        thresholds to raise and to clear, in the unit; an alarm without one is just on or off
    scaler         an event tells the measured value as an integer, in steps of 10**scaler of the unit
    *_delay_s      how long the condition must hold
    event_on, _off  event ids: IS 15959 where it has one (below 301), else our own
    sign           annunciator of the LCD

Defaults are those of reference metrology.md section 4: proposals, since countries' profiles differ.
"""

import csv
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import cache
from importlib.resources import files

from nyala.vocab.errors import UnknownError


class Severity(Enum):
    """How urgent an alarm is; the most urgent one drives the LED."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Alarm(IntEnum):
    """Alarms by their bit."""

    METER_DISCONNECTED = 0
    MAIN_COVER_OPEN = 1
    TERMINAL_COVER_OPEN = 2
    MODULE_COVER_OPEN = 3
    MAGNET = 4
    INTERNAL_BATTERY_LOW = 5
    EXTERNAL_BATTERY_LOW = 6
    UNCALIBRATED = 7
    HIGH_TEMPERATURE = 8
    NEUTRAL_DISTURBANCE = 9
    PHASE_SEQUENCE = 10
    CURRENT_UNBALANCE = 11
    CT_BYPASS = 12
    CT_OPEN = 13
    CURRENT_REVERSE = 14
    LOW_POWER_FACTOR = 15
    OVER_CURRENT = 16
    VOLTAGE_UNBALANCE = 17
    OVER_POWER = 18


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One row of the table."""

    alarm: Alarm
    severity: Severity
    on: float
    off: float
    unit: str
    scaler: int
    on_delay_s: int
    off_delay_s: int
    event_on: int
    event_off: int
    sign: str
    label_en: str
    label_id: str
    description: str

    @property
    def name(self) -> str:
        """The key in APIs and documents."""
        return self.alarm.name.lower()


@cache
def alarm_table() -> tuple[AlarmRow, ...]:
    """All rows, by bit."""
    with files("nyala.vocab").joinpath("alarms.csv").open(encoding="utf-8") as table:
        rows = [
            AlarmRow(
                alarm=Alarm[row["name"].upper()],
                severity=Severity(row["severity"]),
                on=float(row["on"]),
                off=float(row["off"]),
                unit=row["unit"],
                scaler=int(row["scaler"]),
                on_delay_s=int(row["on_delay_s"]),
                off_delay_s=int(row["off_delay_s"]),
                event_on=int(row["event_on"]),
                event_off=int(row["event_off"]),
                sign=row["sign"],
                label_en=row["label_en"],
                label_id=row["label_id"],
                description=row["description"],
            )
            for row in csv.DictReader(table)
        ]
    assert [row.alarm for row in rows] == list(Alarm)
    return tuple(rows)


def alarm_row(bit: int) -> AlarmRow:
    """The row of a bit; UnknownError for one that is not in the table."""
    if not 0 <= bit < len(alarm_table()):
        raise UnknownError("alarm", str(bit))
    return alarm_table()[bit]


def active(bits: int) -> tuple[AlarmRow, ...]:
    """The rows whose bits are set, the most urgent first."""
    order = list(Severity)
    return tuple(sorted((row for row in alarm_table() if bits >> row.alarm & 1), key=lambda row: order.index(row.severity)))
