"""Test loads: what the bench's source puts on the terminals of a specimen, and the true power of it in closed form.

Three phases always; a single-phase specimen uses the first.  The current lags its own voltage by `lag_deg` (inductive
positive).  `i_a` is the RMS of the undistorted sine: a phase-fired or half-wave current carries half of its power.
True values of the distorted waves: reference metrology.md 1.8 (closed form).  Not here: how the waves are sampled.
"""

import math
from dataclasses import dataclass, replace
from enum import Enum

from nyala.meter.model import MeterModel
from nyala.vocab.errors import BadArgumentError

REFERENCE_C = 23.0
"""Reference temperature, IEC 62052-11."""
Triple = tuple[float, float, float]


class Energy(Enum):
    """What is measured, and on which pulse output."""

    ACTIVE = "active"
    REACTIVE = "reactive"


class Wave(Enum):
    """Shape of voltage and current."""

    SINE = "sine"
    FIFTH = "fifth harmonic"
    """U5 = 10 %, I5 = 40 %, in phase at the rising zero crossing."""
    FIRED = "phase-fired"
    """Current flows from 90 to 180 degrees of each half wave."""
    HALF = "half-wave"
    """Only the positive half wave of the current flows."""
    BURST = "burst"
    """Two cycles of current, two without."""


@dataclass(frozen=True, slots=True)
class Share:
    """What remains of U*I*cos as P, and of U*I*sin as Q1, under a wave; `p_constant` and `q_constant` are added of U*I."""

    cosine: float = 1.0
    p_constant: float = 0.0
    q_constant: float = 0.0


SHARES: dict[Wave, Share] = {
    Wave.SINE: Share(),
    Wave.FIFTH: Share(p_constant=0.04),
    Wave.FIRED: Share(0.5, q_constant=1 / math.pi),
    Wave.HALF: Share(0.5),
    Wave.BURST: Share(0.5),
}


@dataclass(frozen=True, slots=True)
class TerminalLoad:
    """A steady load.  Volts and amperes RMS, degrees of lag, hertz, degrees Celsius around the specimen."""

    u_v: Triple
    i_a: Triple
    lag_deg: Triple = (0.0, 0.0, 0.0)
    f_hz: float = 50.0
    wave: Wave = Wave.SINE
    reversed_sequence: bool = False
    temperature_c: float = REFERENCE_C

    def __post_init__(self) -> None:
        if min(self.u_v) < 0 or min(self.i_a) < 0 or self.f_hz <= 0:
            raise BadArgumentError(f"a load has no negative U or I and a frequency: {self}")
        if self.wave in {Wave.FIRED, Wave.HALF, Wave.BURST} and any(self.lag_deg):
            raise BadArgumentError(f"{self.wave.value} is defined at unity power factor only")

    def phase_powers(self) -> tuple[tuple[float, float], ...]:
        """True P in W and fundamental Q in var of each phase."""
        share = SHARES[self.wave]
        found = []
        for u, i, lag in zip(self.u_v, self.i_a, self.lag_deg, strict=True):
            angle = math.radians(lag)
            p = u * i * (share.cosine * math.cos(angle) + share.p_constant)
            found.append((p, u * i * (share.cosine * math.sin(angle) + share.q_constant)))
        return tuple(found)

    def powers(self) -> tuple[float, float]:
        """True total P in W and fundamental Q in var."""
        parts = self.phase_powers()
        return sum(p for p, _ in parts), sum(q for _, q in parts)

    def power(self, energy: Energy) -> float:
        """The true total of one energy, W or var, signed."""
        return self.powers()[0 if energy is Energy.ACTIVE else 1]

    def with_voltage(self, ratio: float) -> "TerminalLoad":
        """The same with all voltages times a ratio."""
        a, b, c = self.u_v
        return replace(self, u_v=(a * ratio, b * ratio, c * ratio))


def lag_of(factor: str, energy: Energy) -> float:
    """Degrees of lag of a power factor ("1", "0.5L", "0.8C"; a leading "-" is export) or, for reactive energy, a sin phi."""
    text = factor.removeprefix("-")
    size, side = (text[:-1], text[-1]) if text[-1:] in {"L", "C"} else (text, "L")
    try:
        value = float(size)
    except ValueError:
        raise BadArgumentError(f"not a power factor: {factor!r}") from None
    if not 0 < value <= 1:
        raise BadArgumentError(f"a power factor lies above 0 and up to 1: {factor!r}")
    angle = math.degrees(math.acos(value) if energy is Energy.ACTIVE else math.asin(value))
    angle = angle if side == "L" else -angle
    return angle + 180 if factor.startswith("-") else angle


def phases_of(model: MeterModel) -> str:
    """The phases of a model: "A" or "ABC"."""
    return "ABC"[: model.phases]


def terminal_load(
    model: MeterModel, i_a: float, factor: str = "1", *, energy: Energy = Energy.ACTIVE, phases: str = "", f_hz: float = 0.0
) -> TerminalLoad:
    """Nominal voltage on all phases of a model, one current in `phases` (all by default) at a factor."""
    loaded = phases or phases_of(model)
    u_v, lag = model.nominal_voltage_v, lag_of(factor, energy)
    a, b, c = (name in loaded for name in "ABC")
    return TerminalLoad(
        u_v=(u_v, u_v, u_v) if model.phases > 1 else (u_v, 0.0, 0.0),
        i_a=(i_a * a, i_a * b, i_a * c),
        lag_deg=(lag * a, lag * b, lag * c),
        f_hz=f_hz or float(model.frequencies_hz[0]),
    )
