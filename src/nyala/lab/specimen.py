"""What the bench knows of a meter under test: terminals, two pulse outputs, registers.  And a quick specimen in phasors.

`PhasorSpecimen` has errors that somebody chose (gain, phase, offset, temperature) and no noise: the runner is tested with
it, since what it must find is known.  Its energy flows evenly within a second, so its pulse edges are exact to 1 us.
Not here: sampled fidelity (`nyala.lab.sampled`).
"""

import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from nyala.lab.load import REFERENCE_C, Energy, TerminalLoad, Triple
from nyala.meter.model import MeterModel
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quantities import MWS_PER_WH

US_PER_S: Final = 1_000_000
MWS_PER_KWH: Final = 1000 * MWS_PER_WH


@dataclass(frozen=True, slots=True, eq=False)
class Pulses:
    """Rising edges of the two outputs, microseconds since the specimen was switched on."""

    active_us: NDArray[np.int64]
    reactive_us: NDArray[np.int64]

    def of(self, energy: Energy) -> NDArray[np.int64]:
        """The edges of one output."""
        return self.active_us if energy is Energy.ACTIVE else self.reactive_us


@dataclass(frozen=True, slots=True)
class Readings:
    """Registers as the display shows them: whole Wh and varh.  `reactive_varh` is the sum of the four quadrants."""

    import_wh: int
    export_wh: int
    reactive_varh: int

    def of(self, energy: Energy) -> int:
        """What the pulses of one output must agree with: both directions together."""
        return self.import_wh + self.export_wh if energy is Energy.ACTIVE else self.reactive_varh


class Specimen(Protocol):
    """A meter on the bench."""

    @property
    def model(self) -> MeterModel:
        """Its model."""

    @property
    def serial(self) -> str:
        """The number on its plate."""

    @property
    def constants_hash(self) -> str:
        """Checksum of the calibration constants in force; empty where there are none or they are damaged."""

    @property
    def calibrated(self) -> bool:
        """False while it shows the alarm "un-calibrated": it cannot pass a test then, whatever it reads."""

    @property
    def heats(self) -> bool:
        """Whether current warms its sensors; False: there is nothing that self-heating could change."""

    def apply(self, load: TerminalLoad, seconds: int) -> Pulses:
        """Puts a load on its terminals for whole seconds, right after what was there before; gives the edges of that time."""

    def readings(self) -> Readings:
        """Its registers now."""


def pulse_constant(model: MeterModel, energy: Energy) -> int:
    """Pulses per kWh or kvarh."""
    return model.pulses_per_kwh if energy is Energy.ACTIVE else model.pulses_per_kvarh


@dataclass(frozen=True, slots=True)
class PhasorErrors:
    """Errors of a phasor specimen, per phase where three."""

    gain_pct: Triple = (0.0, 0.0, 0.0)
    phase_deg: Triple = (0.0, 0.0, 0.0)
    """Added to the angle by which the current lags."""
    offset_w: Triple = (0.0, 0.0, 0.0)
    temperature_pct_per_k: float = 0.0


class PhasorSpecimen:
    """A specimen whose errors are known exactly."""

    def __init__(self, model: MeterModel, errors: PhasorErrors | None = None, *, serial: str = "PHASOR") -> None:
        self._model, self.errors, self._serial = model, errors or PhasorErrors(), serial
        self.now_us = 0
        self._rest = dict.fromkeys(Energy, 0.0)
        self._mws = {"import": 0.0, "export": 0.0, "reactive": 0.0}

    @property
    def model(self) -> MeterModel:
        """Its model."""
        return self._model

    @property
    def serial(self) -> str:
        """The number on its plate."""
        return self._serial

    @property
    def constants_hash(self) -> str:
        """A word: it has no constants that could be damaged."""
        return "phasor"

    @property
    def calibrated(self) -> bool:
        """Always: its errors are what somebody chose."""
        return True

    @property
    def heats(self) -> bool:
        """Never: its errors do not move."""
        return False

    def measured(self, load: TerminalLoad) -> tuple[float, float]:
        """Total P in W and Q in var as this specimen sees a load, creep threshold included."""
        errors, totals = self.errors, [0.0, 0.0]
        drift = 1 + errors.temperature_pct_per_k / 100 * (load.temperature_c - REFERENCE_C)
        for phase, (p, q) in enumerate(load.phase_powers()):
            turn = math.radians(errors.phase_deg[phase])
            gain = (1 + errors.gain_pct[phase] / 100) * drift
            totals[0] += gain * (p * math.cos(turn) - q * math.sin(turn)) + errors.offset_w[phase]
            totals[1] += gain * (q * math.cos(turn) + p * math.sin(turn))
        p, q = (0.0 if abs(total) < self._model.no_load_w else total for total in totals)
        return p, q

    def apply(self, load: TerminalLoad, seconds: int) -> Pulses:
        """Puts a load on its terminals; BadArgumentError for a time that is not positive."""
        if seconds <= 0:
            raise BadArgumentError(f"a load is applied for whole seconds, not {seconds}")
        p, q = self.measured(load)
        edges = {energy: self._edges(energy, power, seconds) for energy, power in zip(Energy, (p, q), strict=True)}
        self._mws["import" if p >= 0 else "export"] += abs(p) * 1000 * seconds
        self._mws["reactive"] += abs(q) * 1000 * seconds
        self.now_us += seconds * US_PER_S
        return Pulses(edges[Energy.ACTIVE], edges[Energy.REACTIVE])

    def _edges(self, energy: Energy, power: float, seconds: int) -> NDArray[np.int64]:
        per_pulse = MWS_PER_KWH / pulse_constant(self._model, energy)
        rate_mw, rest = abs(power) * 1000, self._rest[energy]
        count = int((rest + rate_mw * seconds) / per_pulse)
        self._rest[energy] = rest + rate_mw * seconds - count * per_pulse
        if not count:
            return np.zeros(0, np.int64)
        at_s = (np.arange(1, count + 1) * per_pulse - rest) / rate_mw
        edges_us: NDArray[np.int64] = self.now_us + np.rint(at_s * US_PER_S).astype(np.int64)
        return edges_us

    def readings(self) -> Readings:
        """Its registers now, cut to whole Wh."""
        return Readings(*(int(self._mws[name] // MWS_PER_WH) for name in ("import", "export", "reactive")))
