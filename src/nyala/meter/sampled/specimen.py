"""A meter's metrology in sampled fidelity: a signal goes in each second, a `Second` and pulses come out.

One specimen holds phase of the mains, sensors, chip, energy and pulse outputs.  It is not a whole meter: registers, tariff
and alarms stand behind the `Second`.  Same model, seed, constants and signals: the same results, to the bit.
"""

import math
from typing import Any, Final

import numpy as np

from nyala.meter.chip import PHASES, Second
from nyala.meter.model import MeterModel
from nyala.meter.sampled import pulses
from nyala.meter.sampled.chain import Chip, Window
from nyala.meter.sampled.constants import CalibrationConstants
from nyala.meter.sampled.energy import Integrator
from nyala.meter.sampled.kernels import CHANNELS, HISTORY, rotate
from nyala.meter.sampled.sensor import REFERENCE_C, Sensor
from nyala.meter.sampled.spectrum import Harmonics, harmonics
from nyala.meter.sampled.synthesis import noise_keys, synthesise
from nyala.meter.sampled.waveform import Signal, gate, spectrum
from nyala.meter.sampled.window import RATE_HZ, Floats

SEQUENCE_SHARE: Final = 0.6
"""The sequence is judged while every voltage is above this share of the nominal (reference metrology.md 4)."""
DC_CURRENT_SHARE: Final = 0.05
"""A current's constant part is judged from this share of the basic current; below it the converter's offset would show."""
DC_VOLTAGE_SHARE: Final = 0.05


class SampledMeter:
    """One specimen.  `temperature_c` is that around it; set it as it changes.  `rise_k`: by which its sensors are warmer, 7."""

    def __init__(
        self,
        model: MeterModel,
        *,
        sensor: Sensor | None = None,
        constants: CalibrationConstants | None = None,
        seed: int = 1,
        nominal_v: float | None = None,
    ) -> None:
        """`sensor` None: drawn from `seed`.  `constants` None: uncalibrated.  `nominal_v`: 57.7 for a CT model behind VTs."""
        self.model, self.seed = model, seed
        self.sensor = sensor or Sensor.drawn(model, seed)
        self.nominal_v = nominal_v or model.nominal_voltage_v
        self.temperature_c = REFERENCE_C
        self.rise_k = np.zeros(CHANNELS)
        self.chip = Chip(
            self.sensor.lsb, model.phases, self.nominal_v, float(model.frequencies_hz[0]), constants or CalibrationConstants()
        )
        threshold = model.no_load_w * self.nominal_v / model.nominal_voltage_v
        self.energy = Integrator(threshold)
        self.active, self.reactive = pulses.output(model.pulses_per_kwh), pulses.output(model.pulses_per_kvarh)
        self.pulses_us: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
        """Starts of the active and of the reactive pulses of the last second, us within it."""
        self.window: Window | None = None
        """What the chip said of the last second: phasors with their angles, constant parts."""
        self.cycle = 0.0
        self.seconds = 0
        self._tables = np.empty((2, RATE_HZ))
        self._seen: tuple[Signal, Any, Floats] | None = None

    @property
    def constants(self) -> CalibrationConstants:
        """The calibration constants in force."""
        return self.chip.constants

    @constants.setter
    def constants(self, constants: CalibrationConstants) -> None:
        self.chip.load(constants)

    def second(self, given: Signal) -> Second:
        """Puts a signal on the terminals for one second, right after what was there before; sets `pulses_us`."""
        self._sample(given)
        self.window = window = self.chip.measure()
        found = self._second(window)
        totals = found.energy_mws[0].sum(axis=0)
        self.pulses_us = (self.active.second(int(totals[0])), self.reactive.second(int(totals[1])))
        return found

    def harmonics(self) -> Harmonics:
        """Harmonics 0..40 and THD of the second that was just measured."""
        return harmonics(self.chip.codes[:, HISTORY:], self.chip.f_hz, self.chip.gains)

    def _sample(self, given: Signal) -> None:
        sensor = self.sensor
        seen, squares_a2 = self._spectrum(given)
        scaled = seen * sensor.drift(self.temperature_c + self.rise_k)[:, None]
        real, imaginary = np.ascontiguousarray(scaled.real), np.ascontiguousarray(scaled.imag)
        rotate(self.cycle % 1.0, given.f_hz / RATE_HZ, self._tables[0], self._tables[1])
        outside = np.array([given.noise_v] * PHASES + [given.noise_a] * (CHANNELS - PHASES)) / sensor.lsb
        envelope, keys = gate(given, self.cycle, self.seconds), noise_keys(self.seed, self.seconds)
        sigma = np.hypot(sensor.sigma_codes, outside)
        cosine, sine = self._tables
        synthesise(real, imaginary, cosine, sine, envelope, keys, sigma, sensor.offset_codes, sensor.limit, self.chip.codes)
        if sensor.heating is not None:
            open_share = (envelope**2).mean(axis=1) if envelope.shape[1] else 1.0
            self.rise_k = sensor.heating.after(self.rise_k, squares_a2 * open_share)
        self.cycle += given.f_hz
        self.seconds += 1

    def _spectrum(self, given: Signal) -> tuple[Any, Floats]:
        """What the converters see at the reference temperature, and the mean squares that warm; kept while a signal lasts."""
        if self._seen is None or self._seen[0] is not given:
            at_terminals = spectrum(given)
            squares = np.abs(at_terminals) ** 2
            warming = squares[:, 0] + squares[:, 1:].sum(axis=1) / 2
            warming[:PHASES] = 0.0  # voltages warm nothing that is modelled
            seen = self.sensor.seen(at_terminals, given.f_hz, REFERENCE_C, self.model.basic_current_a)
            self._seen = (given, seen, warming)
        return self._seen[1:]

    def _second(self, window: Window) -> Second:
        values, phasors = window.values, window.phasors
        three = self.model.phases == PHASES
        return Second(
            u_v=values[None, :, 0].copy(),
            i_a=values[None, :, 1].copy(),
            p_w=values[None, :, 2].copy(),
            q_var=values[None, :, 3].copy(),
            energy_mws=self.energy.second(values[:, 2:4])[None],
            neutral_a=np.array([window.neutral_a]),
            residual_a=np.array([abs(phasors[PHASES:].sum()) / math.sqrt(2)]),
            f_hz=np.array([window.f_hz]),
            sequence=np.array([self._sequence(window)], np.int8),
            u0_v=np.array([abs(phasors[:PHASES].sum()) / PHASES / math.sqrt(2) if three else 0.0]),
            dc_percent=np.array([self._dc_percent(window)]),
        )

    def _sequence(self, window: Window) -> int:
        """1 in order, -1 backwards, 0 not to be judged."""
        if self.model.phases < PHASES or np.any(window.values[:, 0] < SEQUENCE_SHARE * self.nominal_v):
            return 0
        turn = (window.phasors[1] * np.conj(window.phasors[0])).imag, (window.phasors[2] * np.conj(window.phasors[1])).imag
        if turn[0] < 0 and turn[1] < 0:
            return 1
        return -1 if turn[0] > 0 and turn[1] > 0 else 0

    def _dc_percent(self, window: Window) -> float:
        """The largest constant part of a channel, of its whole RMS (constant part included)."""
        floors = (DC_VOLTAGE_SHARE * self.nominal_v, DC_CURRENT_SHARE * self.model.basic_current_a)
        largest = 0.0
        for row in window.values[: self.model.phases]:
            for rms, dc, floor in zip(row[:2], row[4:], floors, strict=True):
                whole = math.hypot(rms, dc)
                if whole > floor:
                    largest = max(largest, 100.0 * abs(dc) / whole)
        return largest
