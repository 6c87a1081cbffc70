"""The bench's default specimen: a meter's metrology in sampled fidelity, behind its terminals, pulse outputs and registers.

A load becomes waveforms each second; sensors, converters and the measurement chip do the rest.  Each second is computed:
none is skipped, since noise and filters carry from one to the next.  Registers are whole mW-seconds summed over the
seconds, as the bank of `nyala.meter` keeps them, and are shown as whole Wh.

Calibration constants without a correct checksum are not used: the specimen then runs with neutral ones and says so.
"""

from typing import Final

import numpy as np

from nyala.lab.bench import SETTLE_S
from nyala.lab.calibrate import Displayed
from nyala.lab.load import TerminalLoad, Wave
from nyala.lab.specimen import US_PER_S, Pulses, Readings
from nyala.meter.chip import PHASES, Second
from nyala.meter.model import MeterModel
from nyala.meter.sampled import waveform
from nyala.meter.sampled.constants import CalibrationConstants
from nyala.meter.sampled.specimen import SampledMeter
from nyala.meter.sampled.waveform import Harmonic, Shape, Signal
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quantities import MWS_PER_WH

FIFTH_U: Final = (Harmonic(5, 0.1),)
FIFTH_I: Final = (Harmonic(5, 0.4),)
"""Fifth harmonic test: U5 10 %, I5 40 %, in phase at the rising zero crossing."""
SHAPES: Final = {Wave.FIRED: Shape.FIRED, Wave.HALF: Shape.HALF}
BURST: Final = (2, 2)
"""Cycles on, cycles off."""


def signal_of(load: TerminalLoad) -> Signal:
    """The waveforms of a load."""
    turn_deg = 120.0 if load.reversed_sequence else -120.0
    fifth = load.wave is Wave.FIFTH
    voltages, currents = [], []
    for phase, (u_v, i_a, lag_deg) in enumerate(zip(load.u_v, load.i_a, load.lag_deg, strict=True)):
        at_deg = phase * turn_deg
        voltages.append(waveform.Wave(u_v, at_deg, FIFTH_U if fifth else ()))
        currents.append(
            waveform.Wave(
                i_a,
                at_deg - lag_deg,
                FIFTH_I if fifth else (),
                shape=SHAPES.get(load.wave, Shape.SINE),
                burst=BURST if load.wave is Wave.BURST else (1, 0),
            )
        )
    (u1, u2, u3), (i1, i2, i3) = voltages, currents
    return Signal((u1, u2, u3), (i1, i2, i3), load.f_hz)


class SampledSpecimen:
    """A specimen of a seed: its sensors' errors are drawn from it.  `constants` None: un-calibrated."""

    def __init__(self, model: MeterModel, seed: int, constants: CalibrationConstants | None = None, serial: str = "") -> None:
        self.meter = SampledMeter(model, seed=seed, constants=constants)
        self._calibrated = constants is not None
        self._model, self._serial = model, serial or f"{model.code:02d}{seed:08d}"
        self._mws = {"import": 0, "export": 0, "reactive": 0}

    @property
    def model(self) -> MeterModel:
        """Its model."""
        return self._model

    @property
    def serial(self) -> str:
        """The number on its plate: model code and seed."""
        return self._serial

    @property
    def constants_hash(self) -> str:
        """CRC-32 of the constants in force, hexadecimal; empty while un-calibrated."""
        return f"{self.meter.constants.checksum():08x}" if self._calibrated else ""

    @property
    def calibrated(self) -> bool:
        """Constants with a correct checksum are in force."""
        return self._calibrated

    @property
    def heats(self) -> bool:
        """Where the data of its sensors say how they warm."""
        return self.meter.sensor.heating is not None

    def adjust(self, constants: CalibrationConstants) -> None:
        """Takes calibration constants, from the next second on."""
        self.meter.constants = constants
        self._calibrated = True

    @property
    def constants(self) -> CalibrationConstants:
        """The constants in force."""
        return self.meter.constants

    def displayed(self, load: TerminalLoad, seconds: int) -> Displayed:
        """Means over seconds of what it shows, after the filters have settled; its pulses go unseen."""
        self.apply(load, SETTLE_S)
        given, squares = signal_of(load), np.zeros(2 * PHASES + 1)
        for _ in range(seconds):
            second = self._second(given)[0]
            squares += np.concatenate([second.u_v[0], second.i_a[0], second.neutral_a]) ** 2
        shown = [float(value) for value in np.sqrt(squares / seconds)]
        return Displayed(tuple(shown[:PHASES]), tuple(shown[PHASES : 2 * PHASES]), shown[-1])

    def _second(self, given: Signal) -> tuple[Second, int]:
        """One second: what the chip says of it, and when it began."""
        start_us = self.meter.seconds * US_PER_S
        second = self.meter.second(given)
        active_mws, reactive_mws = (int(total) for total in second.energy_mws[0].sum(axis=0))
        self._mws["import" if active_mws >= 0 else "export"] += abs(active_mws)
        self._mws["reactive"] += abs(reactive_mws)
        return second, start_us

    def apply(self, load: TerminalLoad, seconds: int) -> Pulses:
        """Puts a load on its terminals; BadArgumentError for a time that is not positive."""
        if seconds <= 0:
            raise BadArgumentError(f"a load is applied for whole seconds, not {seconds}")
        given, meter = signal_of(load), self.meter
        meter.temperature_c = load.temperature_c
        edges: tuple[list[int], list[int]] = ([], [])
        for _ in range(seconds):
            _, start_us = self._second(given)
            for output, starts_us in zip(edges, meter.pulses_us, strict=True):
                output.extend(start_us + at_us for at_us in starts_us)
        return Pulses(np.array(edges[0], np.int64), np.array(edges[1], np.int64))

    def readings(self) -> Readings:
        """Its registers now, cut to whole Wh."""
        return Readings(*(self._mws[name] // MWS_PER_WH for name in ("import", "export", "reactive")))
