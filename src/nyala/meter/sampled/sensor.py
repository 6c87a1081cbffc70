"""Sensors and converters of a meter model (data, `sensors/*.toml`), and those of one specimen, drawn from its seed.

A sensor acts on the spectrum of a channel: gain, delay, temperature, and for the current of a phase what couples over from
its voltage and the curve of ratio and angle over the current (a CT's error, IEC 61869-2).  What a CT's core does to direct
current is in `core.py`, how a sensor warms itself in `heating.py`.  The converter adds an offset and noise, rounds and clips.
Not here: calibration constants, which belong to the chip.
"""

import math
import tomllib
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any, Final, Self

import numpy as np

from nyala.meter.chip import PHASES
from nyala.meter.model import MODELS, MeterModel
from nyala.meter.sampled.core import Core, time_constant_s
from nyala.meter.sampled.heating import Heating
from nyala.meter.sampled.kernels import CHANNELS, NEUTRAL
from nyala.meter.sampled.synthesis import uniform
from nyala.meter.sampled.window import Floats
from nyala.vocab.errors import UnknownError

REFERENCE_C: Final = 23.0
"""Ambient of the reference conditions (IEC 62052-11)."""
RADIANS_PER_MINUTE: Final = math.pi / 180 / 60
_DRAWS: Final = ("gain", "delay", "offset", "temperature", "crosstalk", "quadrature")


@dataclass(frozen=True, slots=True)
class SensorModel:
    """What the sensors of a model are like.  A spread is the largest deviation of a specimen, both ways."""

    name: str
    kind: str
    full_scale_v: float
    full_scale_a: float
    """Peak values at full code."""
    bits: int
    noise_lsb: float
    gain_spread_percent: float
    current_delay_us: float
    """Delay of the current against the voltage, typical (a CT leads: negative)."""
    delay_spread_us: float
    offset_spread_lsb: float
    temperature_spread_ppm_per_k: float
    crosstalk_spread_ua_per_v: float
    curve: tuple[tuple[float, float, float], ...]
    """Current as a share of the basic current, change of ratio in ppm, of angle in minutes (leading positive)."""
    heating: Heating
    core: Core | None = None
    """Of the current transformers; None for shunts, which pass direct current."""

    def lsb(self) -> Floats:
        """V or A per code of the seven channels."""
        codes = 2.0 ** (self.bits - 1)
        return np.array([self.full_scale_v / codes] * PHASES + [self.full_scale_a / codes] * (CHANNELS - PHASES))


@cache
def sensor_model(name: str) -> SensorModel:
    """The sensors of a meter model by its name; UnknownError for another."""
    if name not in MODELS:
        raise UnknownError("meter model", name)
    file = files("nyala.meter.sampled").joinpath("sensors", f"{name.replace('-', '_')}.toml")
    row: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    row["curve"] = tuple(tuple(float(value) for value in point) for point in row["curve"])
    row["heating"] = Heating(**row["heating"])
    row["core"] = Core(**row["core"]) if "core" in row else None
    assert set(row) == {field.name for field in fields(SensorModel)}
    assert row["core"] is None or row["current_delay_us"] < 0, "a current transformer leads"
    return SensorModel(**row)


@dataclass(frozen=True, slots=True, eq=False)
class Sensor:
    """The sensors of one specimen: `gain` (7, 1 is right), `delay_s` (7), `offset_codes` (7), `per_k` (7, relative change of
    gain), `crosstalk` (3 complex A/V), `sigma_codes` (7), `limit` (0: neither steps nor end), `curve` n x 3.  Without
    `heating` they keep the temperature of their surroundings; without `core` they pass direct current.  `tau_s`: of the core.
    """

    lsb: Floats
    gain: Floats
    delay_s: Floats
    offset_codes: Floats
    per_k: Floats
    crosstalk: Any
    sigma_codes: Floats
    limit: float
    curve: Floats
    heating: Heating | None = None
    core: Core | None = None
    tau_s: float = math.inf

    @classmethod
    def ideal(cls, model: MeterModel) -> Self:
        """Without errors, noise, steps and end."""
        zero = np.zeros(CHANNELS)
        lsb = sensor_model(model.name).lsb()
        curve = np.array([[1.0, 0.0, 0.0]])
        return cls(lsb, np.ones(CHANNELS), zero, zero, zero, np.zeros(PHASES, np.complex128), zero, 0.0, curve)

    @classmethod
    def drawn(cls, model: MeterModel, seed: int) -> Self:
        """The sensors of a specimen."""
        own = sensor_model(model.name)
        draw = {kind: np.array([uniform(seed, c, k) for c in range(CHANNELS)]) for k, kind in enumerate(_DRAWS)}
        typical_s = np.array([0.0] * PHASES + [own.current_delay_us * 1e-6] * (CHANNELS - PHASES))
        coupling = (draw["crosstalk"][:PHASES] + 1j * draw["quadrature"][:PHASES]) * own.crosstalk_spread_ua_per_v * 1e-6
        return cls(
            own.lsb(),
            1.0 + draw["gain"] * own.gain_spread_percent / 100.0,
            typical_s + draw["delay"] * own.delay_spread_us * 1e-6,
            np.rint(draw["offset"] * own.offset_spread_lsb),
            draw["temperature"] * own.temperature_spread_ppm_per_k * 1e-6,
            coupling,
            np.full(CHANNELS, own.noise_lsb),
            2.0 ** (own.bits - 1),
            np.array(own.curve),
            own.heating,
            own.core,
            time_constant_s(own.current_delay_us * 1e-6),
        )

    def drift(self, temperature_c: Floats | float) -> Floats:
        """Factor on the gain of the channels at the temperatures of their sensors."""
        return 1.0 + self.per_k * (temperature_c - REFERENCE_C)

    def seen(self, spectrum: Any, f_hz: float, temperature_c: float, basic_current_a: float) -> Any:
        """What the converters see of a spectrum (7 x orders, V and A peak): in codes; more orders where a core saturates."""
        w = 2 * math.pi * f_hz
        gain = (self.gain * self.drift(temperature_c)).astype(np.complex128)
        rms_a = np.sqrt((np.abs(spectrum[PHASES:, 1:]) ** 2).sum(axis=1) / 2)
        share = np.log(np.maximum(rms_a / basic_current_a, 1e-12))
        at = np.log(self.curve[:, 0])
        angle = np.interp(share, at, self.curve[:, 2]) * RADIANS_PER_MINUTE
        gain[PHASES:] *= 1.0 + np.interp(share, at, self.curve[:, 1]) * 1e-6
        lag = w * self.delay_s
        lag[PHASES:] -= angle
        found = self._transferred(spectrum, f_hz)
        top = spectrum.shape[1]
        found[PHASES:NEUTRAL, 1:top] += spectrum[:PHASES, 1:] * self.crosstalk[:, None]
        return found * gain[:, None] * np.exp(-1j * lag[:, None] * np.arange(found.shape[1])) / self.lsb[:, None]

    def _transferred(self, spectrum: Any, f_hz: float) -> Any:
        """Behind the cores of the current transformers, where there are any."""
        if self.core is None:
            return spectrum.copy()
        currents = self.core.transferred(spectrum[PHASES:], f_hz, self.tau_s)
        voltages = np.pad(spectrum[:PHASES], ((0, 0), (0, currents.shape[1] - spectrum.shape[1])))
        return np.concatenate([voltages, currents])
