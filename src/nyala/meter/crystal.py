"""The meter's clock: a tuning-fork crystal with its temperature curve, its trim, its battery, and how it is put right.

    rate(T) = offset + aging x years + curve x (T - turnover)**2, in ppm; above 0 the clock runs fast
    trim    = the same curve, fitted to measured rates and worked at the temperature that the meter's sensor says

0.5 s a day (product sheet A9; IEC 62054-21) is 5.79 ppm.  Untrimmed a fork leaves that 13 C beside its turnover; trimmed,
an error of the sensor of 1 C costs 2 x 0.034 x 50 = 3.4 ppm at -25 C (reference metrology.md 5).

A difference to the centre's time is ignored, slewed or set (`POLICY`).  Here are integers: nanoseconds, ppb, microampere
seconds.  Nothing here reads a clock.  Daylight saving is not here: the meter's local time is a fixed offset.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Final

import numpy as np

from nyala.vocab.alarms import Alarm, alarm_row
from nyala.vocab.errors import BadArgumentError, UnknownError
from nyala.vocab.time import HOUR_S, NS_PER_S

CURVE_PPM_C2: Final = -0.034
TURNOVER_C: Final = 25.0
TRIM_STEP_PPB: Final = 954
"""Step of the trim: one clock pulse in 2**20, as real-time clock chips have it."""
RATE_LIMIT_PPM: Final = 1_000
"""No fork is this far off: a larger figure is a mistake of the caller."""


@dataclass(frozen=True, slots=True)
class Crystal:
    """A fork.  `offset_ppm` at the turnover when new; `aging_ppm_per_year` linear."""

    offset_ppm: float = 0.0
    aging_ppm_per_year: float = 0.0
    curve_ppm_c2: float = CURVE_PPM_C2
    turnover_c: float = TURNOVER_C

    def rate_ppm(self, temperature_c: float, years: float = 0.0) -> float:
        """Its rate at a temperature of the crystal after years."""
        return self.offset_ppm + self.aging_ppm_per_year * years + self.curve_ppm_c2 * (temperature_c - self.turnover_c) ** 2


@dataclass(frozen=True, slots=True)
class Trim:
    """What the meter knows of its crystal: rate = c0 + c1 T + c2 T**2 in ppm, T in degrees C.  All 0: no compensation."""

    c0: float = 0.0
    c1: float = 0.0
    c2: float = 0.0

    def correction_ppb(self, temperature_c: float) -> int:
        """What it adds to the rate at a measured temperature: a whole number of steps."""
        rate_ppm = self.c0 + self.c1 * temperature_c + self.c2 * temperature_c**2
        return -round(rate_ppm * 1000 / TRIM_STEP_PPB) * TRIM_STEP_PPB

    def learned(self, error_ns: int, elapsed_s: int) -> "Trim":
        """The trim after a stretch without correction in which the clock went wrong by `error_ns` (fast is above 0).

        It takes aging away, which no temperature shows.  BadArgumentError below a day: the sync itself is not exact.
        """
        if elapsed_s < 24 * HOUR_S:
            raise BadArgumentError(f"a rate is learned over a day or more: {elapsed_s} s")
        return replace(self, c0=self.c0 + error_ns / elapsed_s / 1000)


NO_TRIM: Final = Trim()


def fit_trim(points: Sequence[tuple[float, float]]) -> Trim:
    """The quadratic through measured (temperature in C, rate in ppm), by least squares.

    BadArgumentError for fewer than three temperatures or a rate that no fork has.
    """
    if len({temperature for temperature, _ in points}) < 3:
        raise BadArgumentError("a quadratic needs three temperatures")
    temperatures, rates = np.array(points, np.float64).T
    if np.any(np.abs(rates) > RATE_LIMIT_PPM):
        raise BadArgumentError(f"rates are in ppm: {rates.tolist()}")
    c0, c1, c2 = np.linalg.lstsq(np.vander(temperatures, 3, increasing=True), rates, rcond=None)[0].tolist()
    return Trim(c0, c1, c2)


def rate_ppb(
    crystal: Crystal, temperature_c: float, *, years: float = 0.0, trim: Trim = NO_TRIM, sensor_error_c: float = 0.0
) -> int:
    """Rate of the clock in ppb (the bank's `drift_ppb`) at a true temperature, trimmed by what the sensor says."""
    return round(crystal.rate_ppm(temperature_c, years) * 1000) + trim.correction_ppb(temperature_c + sensor_error_c)


# -- putting it right


class Action(Enum):
    """What is done about a difference."""

    IGNORE = "ignore"
    SLEW = "slew"
    SET = "set"


IGNORE_NS: Final = 100_000_000
"""A time answer over LoRaWAN is good to +-100 ms (TS003): a smaller difference may be none."""
SLEW_NS: Final = 2 * NS_PER_S
"""Four days at the specified 0.5 s/day; done in 5.6 h at the slew rate, so before the next daily sync."""
SLEW_PPB: Final = 100_000
"""100 ppm stretches an interval by 0.01 %: demand stays exact to a fifth of the rounding step of class 0.5S (0.05 %)."""
POLICY: Final = ((IGNORE_NS, Action.IGNORE), (SLEW_NS, Action.SLEW))
"""Up to this difference: this.  Beyond the last row the clock is set at once, logged, and the profile marked."""


def action_for(difference_ns: int, *, valid: bool = True) -> Action:
    """The row of the policy.  A clock that had stood still is set, however near it seems."""
    if valid:
        for limit_ns, action in POLICY:
            if abs(difference_ns) <= limit_ns:
                return action
    return Action.SET


@dataclass(frozen=True, slots=True)
class ClockSet:
    """Effect: the clock jumped by `step_ns`.  To be logged, and the running interval to be marked."""

    step_ns: int


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock.  `error_ns`: clock minus true time, which only a laboratory knows; `slew_ns`: what is still to be added."""

    error_ns: int = 0
    slew_ns: int = 0
    valid: bool = True

    def run(self, elapsed_s: int, rate: int) -> "Clock":
        """After whole seconds of true time at a rate in ppb.  Runs in two parts give the same as one."""
        most = SLEW_PPB * elapsed_s
        taken = max(-most, min(most, self.slew_ns))
        return replace(self, error_ns=self.error_ns + rate * elapsed_s + taken, slew_ns=self.slew_ns - taken)

    def stand(self, elapsed_s: int) -> "Clock":
        """After seconds with neither supply nor battery: it stands, and is not valid until it is set."""
        return replace(self, error_ns=self.error_ns - elapsed_s * NS_PER_S, slew_ns=0, valid=False)

    def sync(self, difference_ns: int) -> tuple["Clock", tuple[ClockSet, ...]]:
        """After the centre has said how far its time is ahead of the clock's; and what that does beyond the clock.

        It replaces a slew that is still going on.
        """
        action = action_for(difference_ns, valid=self.valid)
        if action is Action.SET:
            return Clock(self.error_ns + difference_ns), (ClockSet(difference_ns),)
        return replace(self, slew_ns=difference_ns if action is Action.SLEW else 0), ()


# -- battery


@dataclass(frozen=True, slots=True)
class BatteryType:
    """A cell and what it feeds.  `curve`: (part used, volts), straight between; drains in microampere.

    The default: lithium thionyl chloride, 1.2 Ah, flat to its end; clock chip and cover sensing without supply; with
    supply only its self-discharge of 1 % a year.  The curve's shape is typical of such cells at a load of microamperes.
    """

    capacity_mah: int = 1200
    supplied_ua: float = 1.4
    unsupplied_ua: float = 16.4
    curve: tuple[tuple[float, float], ...] = ((0.0, 3.65), (0.85, 3.60), (0.93, 3.40), (0.97, 3.10), (1.0, 2.00))


LOW_V: Final = alarm_row(Alarm.INTERNAL_BATTERY_LOW).on
"""Below it the battery is low, as the alarm table has it."""


@dataclass(frozen=True, slots=True)
class Battery:
    """A cell in use.  `used_nas`: charge taken, in nanoampere-seconds."""

    kind: BatteryType = BatteryType()
    used_nas: int = 0

    @property
    def capacity_nas(self) -> int:
        """Charge of a new cell."""
        return self.kind.capacity_mah * 1_000_000 * HOUR_S

    @property
    def empty(self) -> bool:
        """It feeds nothing any more."""
        return self.used_nas >= self.capacity_nas

    @property
    def volts(self) -> float:
        """Its voltage under load."""
        used, volts = zip(*self.kind.curve, strict=True)
        return float(np.interp(self.used_nas / self.capacity_nas, used, volts))

    @property
    def low(self) -> bool:
        """Its voltage is below the alarm threshold."""
        return self.volts < LOW_V

    def drain(self, elapsed_s: int, *, supplied: bool) -> "Battery":
        """After seconds with or without the meter's supply."""
        rate_ua = self.kind.supplied_ua if supplied else self.kind.unsupplied_ua
        return replace(self, used_nas=min(self.used_nas + round(rate_ua * 1000) * elapsed_s, self.capacity_nas))

    def holds_s(self, *, supplied: bool) -> int:
        """Whole seconds until it is empty."""
        rate_ua = self.kind.supplied_ua if supplied else self.kind.unsupplied_ua
        return (self.capacity_nas - self.used_nas) // round(rate_ua * 1000)


def run_unsupplied(clock: Clock, battery: Battery, elapsed_s: int, rate: int) -> tuple[Clock, Battery]:
    """Clock and battery after seconds without supply: the clock runs while the battery holds, then it stands."""
    held_s = min(elapsed_s, battery.holds_s(supplied=False))
    after = clock.run(held_s, rate)
    return after.stand(elapsed_s - held_s) if held_s < elapsed_s else after, battery.drain(elapsed_s, supplied=False)


# -- local time

ZONES: Final = {"WIB": 7 * HOUR_S, "WITA": 8 * HOUR_S, "WIT": 9 * HOUR_S, "UTC": 0}
"""Indonesia's zones, seconds ahead of UTC; none has daylight saving."""
OFFSET_MIN_S, OFFSET_MAX_S, OFFSET_STEP_S = -12 * HOUR_S, 14 * HOUR_S, HOUR_S // 4


def zone_offset_s(name: str) -> int:
    """Offset of a named zone; UnknownError for another."""
    if name not in ZONES:
        raise UnknownError("zone of the meter", name)
    return ZONES[name]


def local_s(clock_s: int, offset_s: int) -> int:
    """Local seconds of a fixed offset; BadArgumentError for one outside -12..+14 h or not of quarter hours."""
    if not OFFSET_MIN_S <= offset_s <= OFFSET_MAX_S or offset_s % OFFSET_STEP_S:
        raise BadArgumentError(f"an offset is -12..+14 h in quarter hours: {offset_s} s")
    return clock_s + offset_s


def local_text(clock_s: int, offset_s: int) -> str:
    """What the display shows: `YYYY-MM-DD HH:MM:SS` in local time."""
    return datetime.fromtimestamp(local_s(clock_s, offset_s), UTC).strftime("%Y-%m-%d %H:%M:%S")
