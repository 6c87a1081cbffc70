"""Terminal signals as data: what a second looks like at the meter's terminals, and its spectrum.

A channel is a Fourier series, so that it is exact at any sampling instant and any frequency.  Waves with a step (fired,
half-wave) are their series up to below half the sampling rate: what an anti-alias filter would leave.  That changes neither
P nor Q where the voltage has no such harmonics, and takes less than 0.3 % from the RMS of a fired wave.
What is not periodic is a gate: flicker, bursts of whole cycles, dips.

Sign: `deg` is the angle of a channel; a current of the same `deg` as its voltage is import at unity power factor, and a
current that lags has the smaller angle.  Faults made from a signal are in `faults.py`; sensors in `sensor.py`.
"""

import cmath
import math
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import numpy as np

from nyala.meter.chip import PHASES
from nyala.meter.sampled.kernels import CHANNELS, NEUTRAL
from nyala.meter.sampled.window import RATE_HZ, Floats
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.time import US_PER_S

HARMONICS: Final = 40
"""Highest order of a harmonic in a table (IEC 61000-4-7)."""
BAND_HZ: Final = 3_950.0
"""Series of waves with steps end here, just below half the sampling rate."""
_SQRT2: Final = math.sqrt(2.0)


class Shape(Enum):
    """The form of a wave of amplitude one."""

    SINE = "sine"
    HALF = "half-wave rectified"
    FIRED = "each half wave fired at 90 degrees"


@dataclass(frozen=True, slots=True)
class Harmonic:
    """Order 2..40, amplitude as a share of the fundamental, angle against the fundamental's rising zero crossing."""

    order: int
    ratio: float
    deg: float = 0.0


@dataclass(frozen=True, slots=True)
class Wave:
    """One channel: `rms` V or A of the whole fundamental sine, `dc` V or A."""

    rms: float = 0.0
    deg: float = 0.0
    harmonics: tuple[Harmonic, ...] = ()
    dc: float = 0.0
    shape: Shape = Shape.SINE
    burst: tuple[int, int] = (1, 0)
    """Cycles on, cycles off, counted from the channel's own rising zero crossing."""

    def __post_init__(self) -> None:
        if any(not 2 <= harmonic.order <= HARMONICS for harmonic in self.harmonics):
            raise BadArgumentError(f"harmonics have orders 2..{HARMONICS}")
        if self.burst[0] < 1 or self.burst[1] < 0:
            raise BadArgumentError(f"a burst of {self.burst[0]} cycles on and {self.burst[1]} off")


@dataclass(frozen=True, slots=True)
class Event:
    """A part of a second in which channels are scaled: dips, interruptions, swells.  `factors` for U1 U2 U3 I1 I2 I3 IN."""

    start_us: int
    end_us: int
    factors: tuple[float, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.start_us < self.end_us <= US_PER_S or len(self.factors) != CHANNELS:
            raise BadArgumentError(f"an event from {self.start_us} to {self.end_us} us with {len(self.factors)} factors")


SILENT: Final = Wave()


@dataclass(frozen=True, slots=True)
class Signal:
    """A second.  `u` and `i` three waves; `neutral` None: the current that the phases leave over, flowing back.

    `flicker`: relative change of all voltages (peak), at `flicker_hz`.  `noise_v`, `noise_a`: RMS of white noise.
    """

    u: tuple[Wave, Wave, Wave]
    i: tuple[Wave, Wave, Wave]
    f_hz: float = 50.0
    neutral: Wave | None = None
    flicker: float = 0.0
    flicker_hz: float = 8.8
    noise_v: float = 0.0
    noise_a: float = 0.0
    events: tuple[Event, ...] = field(default=())

    def waves(self) -> tuple[Wave, ...]:
        """Six waves; the neutral is apart."""
        return (*self.u, *self.i)


def signal(
    u_v: float,
    i_a: float,
    phi_deg: float = 0.0,
    *,
    phases: int = 3,
    f_hz: float = 50.0,
    u_harmonics: tuple[Harmonic, ...] = (),
    i_harmonics: tuple[Harmonic, ...] = (),
) -> Signal:
    """A balanced load: `u_v` V and `i_a` A RMS, the current lagging by `phi_deg`, on 1 or 3 phases."""
    turns = [-120.0 * phase for phase in range(PHASES)]
    u1, u2, u3 = (Wave(u_v, turn, u_harmonics) if phase < phases else SILENT for phase, turn in enumerate(turns))
    i1, i2, i3 = (Wave(i_a, turn - phi_deg, i_harmonics) if phase < phases else SILENT for phase, turn in enumerate(turns))
    return Signal((u1, u2, u3), (i1, i2, i3), f_hz)


def fired(order: int) -> complex:
    """Complex peak of an order of a sine whose half waves begin at 90 degrees; closed form."""
    if order % 2 == 0:
        return 0j
    if order == 1:
        return complex(-1 / math.pi, -0.5)
    n, a = order, math.pi / 2
    cosine = sum(sign * (math.cos(m * math.pi) - math.cos(m * a)) / (2 * m) for sign, m in ((-1, n + 1), (1, n - 1)))
    sine = sum(sign * (math.sin(m * math.pi) - math.sin(m * a)) / (2 * m) for sign, m in ((1, n - 1), (-1, n + 1)))
    return complex(cosine, -sine) * 2 / math.pi


def half(order: int) -> complex:
    """Complex peak of an order of a half-wave rectified sine; closed form."""
    if order == 1:
        return -0.5j
    if order % 2:
        return 0j
    return complex((1 if order == 0 else 2) / math.pi / (1 - order * order))


_SERIES: Final = {Shape.HALF: half, Shape.FIRED: fired}


def series(wave: Wave, f_hz: float) -> Any:
    """Complex peak values of orders 0..n of a wave: x(t) = Re sum c[h] exp(j h 2 pi f t)."""
    peak = wave.rms * _SQRT2
    if wave.shape is Shape.SINE:
        top = max((harmonic.order for harmonic in wave.harmonics), default=1)
        found = np.zeros(top + 1, np.complex128)
        found[1] = -1j * peak
    else:
        form = _SERIES[wave.shape]
        found = np.array([peak * form(order) for order in range(int(BAND_HZ / f_hz) + 1)], np.complex128)
    for harmonic in wave.harmonics:
        found[harmonic.order] += -1j * peak * harmonic.ratio * cmath.exp(1j * math.radians(harmonic.deg))
    found *= np.exp(1j * math.radians(wave.deg) * np.arange(len(found)))
    found[0] += wave.dc
    return found


def spectrum(given: Signal) -> Any:
    """Of all channels: complex, 7 x orders, V and A peak."""
    if not 40.0 <= given.f_hz <= 70.0:
        raise BadArgumentError(f"a mains frequency of {given.f_hz} Hz; 40 to 70 can be made")
    rows = [series(wave, given.f_hz) for wave in given.waves()]
    if given.neutral is not None:
        rows.append(series(given.neutral, given.f_hz))
    found = np.zeros((CHANNELS, max(len(row) for row in rows)), np.complex128)
    for channel, row in enumerate(rows):
        found[channel, : len(row)] = row
    if given.neutral is None:
        found[NEUTRAL] = -found[3:NEUTRAL].sum(axis=0)
    return found


def gate(given: Signal, cycle: float, now_s: int) -> Floats:
    """What the samples of each channel are multiplied with: 7 x 8000, or 7 x 0 where nothing is.

    `cycle`: cycles of the mains since the start at the first sample; `now_s`: seconds since the start.
    """
    bursts = any(wave.burst[1] for wave in given.waves())
    if not (bursts or given.flicker or given.events):
        return np.empty((CHANNELS, 0))
    at_s = np.arange(RATE_HZ) / RATE_HZ
    found = np.ones((CHANNELS, RATE_HZ))
    for channel, wave in enumerate(given.waves()):
        on, off = wave.burst
        if off:
            own = np.floor(cycle + given.f_hz * at_s + wave.deg / 360.0 + 1e-9)
            found[channel] = own % (on + off) < on
    if given.flicker:
        found[:PHASES] *= 1.0 + given.flicker * np.sin(2 * np.pi * given.flicker_hz * (now_s + at_s))
    for event in given.events:
        inside = (at_s * US_PER_S >= event.start_us) & (at_s * US_PER_S < event.end_us)
        found[:, inside] *= np.array(event.factors)[:, None]
    return found
