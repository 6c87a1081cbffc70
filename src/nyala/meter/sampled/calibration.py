"""Three-point calibration as arithmetic: from errors that a laboratory measured to constants.  Pure; per phase.

The points (reference metrology.md 1.10): gain at Ib and unity power factor, phase at Ib and 0.5 lagging, offset at a small
current; voltage and noise from readings.  Errors are relative ((meter - reference) / reference), of energy over whole tests.

A meter that shows a current `d` too late, with gain g, has at the two points 1 + e1 = g cos d and
1 + e2 = g cos(phi + d) / cos phi: so tan d = (1 - (1 + e2) / (1 + e1)) / tan phi.  No small-angle approximation: the CTs of a
direct-connected meter are off by several degrees before calibration.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

from nyala.meter.chip import PHASES
from nyala.meter.model import MeterModel
from nyala.meter.sampled.constants import CalibrationConstants, PhaseConstants
from nyala.meter.sampled.kernels import NEUTRAL
from nyala.meter.sampled.sensor import Sensor
from nyala.vocab.errors import BadArgumentError

SIXTY_DEG: Final = math.pi / 3
"""The angle of power factor 0.5."""
WORST_ERROR: Final = 0.5
"""A meter that is off by more is not calibrated but repaired."""


@dataclass(frozen=True, slots=True)
class Found:
    """Errors of a phase as found: `voltage` of the U reading, `gain` of energy at Ib PF 1, `phase` at Ib and `phi_rad`."""

    voltage: float
    gain: float
    phase: float
    phi_rad: float = SIXTY_DEG


def gain_and_phase(old: PhaseConstants, found: Found, f_hz: float) -> PhaseConstants:
    """Constants under which the errors that were found under `old` are gone; BadArgumentError for absurd errors."""
    if max(abs(found.voltage), abs(found.gain), abs(found.phase)) > WORST_ERROR:
        raise BadArgumentError(f"errors of more than {WORST_ERROR:.0%} are not for calibration: {found}")
    late = math.atan((1 - (1 + found.phase) / (1 + found.gain)) / math.tan(found.phi_rad))
    gain = (1 + found.gain) / math.cos(late)
    return replace(
        old,
        gain_u=old.gain_u / (1 + found.voltage),
        gain_i=old.gain_i / (gain / (1 + found.voltage)),
        phase_s=old.phase_s - late / (2 * math.pi * f_hz),
    )


def offsets(old: PhaseConstants, error_w: float, error_var: float) -> PhaseConstants:
    """Takes away what the meter shows too much at a small current: W and var."""
    return replace(old, offset_p_w=old.offset_p_w - error_w, offset_q_var=old.offset_q_var - error_var)


def noise(old: PhaseConstants, short_v: float, open_a: float) -> PhaseConstants:
    """Takes away the noise power: what U shows with shorted terminals (V), and I with open ones (A)."""
    return replace(old, noise_u_v2=old.noise_u_v2 + short_v * short_v, noise_i_a2=old.noise_i_a2 + open_a * open_a)


def factory_constants(model: MeterModel, sensor: Sensor, nominal_v: float | None = None) -> CalibrationConstants:
    """What a perfect laboratory would find at the basic current: for meters that nobody wants to calibrate first."""
    u_v = nominal_v or model.nominal_voltage_v
    constants = CalibrationConstants(gain_n=1.0 / float(sensor.gain[NEUTRAL]))
    for phase in range(min(model.phases, PHASES)):
        gain_u, gain_i = 1.0 / float(sensor.gain[phase]), 1.0 / float(sensor.gain[PHASES + phase])
        coupled = u_v * u_v * complex(sensor.crosstalk[phase])
        squares = [float(sensor.sigma_codes[c] * sensor.lsb[c]) ** 2 for c in (phase, PHASES + phase)]
        delay_s = float(sensor.delay_s[phase] - sensor.delay_s[PHASES + phase])
        constants = constants.with_phase(
            phase,
            PhaseConstants(
                gain_u, gain_i, delay_s, -coupled.real, coupled.imag, squares[0] * gain_u**2, squares[1] * gain_i**2
            ),
        )
    return constants
