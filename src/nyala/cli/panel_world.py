"""A meter on a table for the panel: a bank of one row in phasor fidelity, a load at its terminals, steps of one second.

Behind the terminals it is the meter of the fleet.  There is no radio and no memory here.
"""

from random import Random
from typing import Final

import numpy as np

from nyala import __version__
from nyala.cli.panel import Action
from nyala.meter.bank import Bank
from nyala.meter.chip import PHASES, Second
from nyala.meter.contacts import Function, closed
from nyala.meter.display import machine
from nyala.meter.display.lcd import compose
from nyala.meter.display.leds import lit
from nyala.meter.display.machine import Display, Event
from nyala.meter.display.number import scale_of
from nyala.meter.display.text import Face
from nyala.meter.face import MeterReading, lamps_of, signs_of
from nyala.meter.meter import Meter
from nyala.meter.model import meter_model
from nyala.meter.sampled.pulses import output
from nyala.meter.snapshots import Reason
from nyala.vocab.quantities import MWS_PER_WH, Channel

START_S: Final = 1_767_225_600
"""2026-01-01T00:00:00Z."""
OFFSET_S: Final = 7 * 3600
"""Western Indonesian time."""
LOADS_PERCENT: Final = (0, 1, 5, 20, 50, 100, 120)
"""Load in percent of Imax: the steps of + and -."""
ANGLE_RAD: Final = 0.32
"""The current lags by this: power factor 0.95."""
RIPPLE: Final = 0.02
MAGNET_MT: Final = 200.0
_COVERS: Final = {Action.MAIN_COVER: 0, Action.TERMINAL_COVER: 1, Action.MODULE_COVER: 2}


class TableWorld:
    """The world of one meter."""

    def __init__(self, model: str, seed: int) -> None:
        self.model = meter_model(model)
        self.bank = Bank([self.model], START_S)
        self.meter = Meter(self.bank, 0)
        self.serial, self.firmware, self.offset_s = f"NYA-{seed:08d}", __version__, OFFSET_S
        self.scale = scale_of(self.model)
        self._rows, self._random = np.array([0]), Random(seed)
        self._load = 3
        self._display = Display()
        self._active, self._reactive = output(self.model.pulses_per_kwh), output(self.model.pulses_per_kvarh)
        self._active_us: tuple[int, ...] = ()
        self._reactive_us: tuple[int, ...] = ()

    # -- what the face asks

    @property
    def title(self) -> str:
        """What stands on its plate."""
        return f"{self.model.title}  {self.serial}"

    @property
    def clock_s(self) -> int:
        """What its clock shows."""
        return self.meter.clock_s

    @property
    def now_ms(self) -> int:
        """Milliseconds since the meter was switched on."""
        return (int(self.bank.now_s[0]) - START_S) * 1000

    def face(self, at_ms: int) -> Face:
        """LCD and LEDs at an instant of the last second."""
        reading = MeterReading(self.meter, self.serial, self.firmware, self.offset_s)
        lamps = lamps_of(self.meter, self._active_us, self._reactive_us)
        return Face(compose(self._display, reading, signs_of(self.meter), self.scale, at_ms), lit(lamps, at_ms * 1000))

    def told(self) -> str:
        """One line: load, inputs and supply as they are at this moment."""
        state = self.bank.state
        opened = [action.value for action, place in _COVERS.items() if state.covers[0, place]]
        opened += ["magnet"] if state.magnet_mt[0] else []
        supply = "on" if self.bank.powered[0] else "off"
        contacts = [function.value for function in Function if closed(self.meter, function)]
        opened += [f"contacts closed: {' '.join(contacts)}"] if contacts else []
        return f"load {LOADS_PERCENT[self._load]} % Imax, supply {supply}" + (f", {', '.join(opened)}" if opened else "")

    # -- hands and time

    def act(self, action: Action) -> None:
        """Does one thing, now."""
        state = self.bank.state
        if action in _COVERS:
            state.covers[0, _COVERS[action]] ^= True
        elif action is Action.MAGNET:
            state.magnet_mt[0] = 0.0 if state.magnet_mt[0] else MAGNET_MT
        elif action in {Action.LOAD_UP, Action.LOAD_DOWN}:
            self._load = min(max(self._load + (1 if action is Action.LOAD_UP else -1), 0), len(LOADS_PERCENT) - 1)
        elif action is Action.RESET:
            if self.bank.powered[0]:
                self.meter.operation.reset_demand(Reason.BUTTON)
        elif action is Action.POWER:
            powered = not bool(self.bank.powered[0])
            self.meter.operation.log("power_restored" if powered else "power_fail")
            self.meter.set_powered(powered=powered)
            self._see(Event.SUPPLY_BACK if powered else Event.SUPPLY_LOST)
        else:
            self._see(Event.LONG if action is Action.DISPLAY_LONG else Event.SHORT)

    def _see(self, event: Event) -> None:
        self._display = machine.step(self._display, event, self.now_ms)

    def step(self) -> None:
        """One second."""
        second = self._second()
        start_us, before = self.now_ms * 1000, self._counted()
        self.bank.take_second(self._rows, second)
        self.meter.advance(int(self.bank.now_s[0]) + 1)
        for change in self.bank.take_changes():
            self.meter.operation.alarm(change)
        self.meter.operation.step()
        active, reactive = (after - each for after, each in zip(self._counted(), before, strict=True))
        self._active_us = tuple(start_us + each for each in self._active.second(active))
        self._reactive_us = tuple(start_us + each for each in self._reactive.second(reactive))
        self._display = machine.advance(self._display, self.now_ms)

    def _counted(self) -> tuple[int, int]:
        """Active and reactive energy of the registers, mWs and mvars."""
        mws = self.bank.wh[0, :, 0] * MWS_PER_WH + self.bank.rest_mws[0, :, 0]
        return int(mws[[Channel.IMPORT, Channel.EXPORT]].sum()), int(mws[Channel.Q1 : Channel.Q4 + 1].sum())

    def _second(self) -> Second:
        """What the chip says of the load: balanced, right sequence, a ripple of 2 %."""
        there = np.arange(PHASES) < self.model.phases
        supplied = bool(self.bank.powered[0])
        u_v = np.where(there, self.model.nominal_voltage_v, 0.0) * (1 + RIPPLE * (self._random.random() - 0.5)) * supplied
        load = LOADS_PERCENT[self._load] / 100 * (1 + RIPPLE * (self._random.random() - 0.5))
        i_a = np.where(there, self.model.maximum_current_a * load, 0.0) * supplied
        p_w, q_var = u_v * i_a * np.cos(ANGLE_RAD), u_v * i_a * np.sin(ANGLE_RAD)
        registered = float(p_w.sum()) >= self.model.no_load_w
        energy = np.rint(np.stack((p_w, q_var), axis=1) * 1000 * registered).astype(np.int64)
        one = np.ones(1)
        return Second(
            u_v=u_v[None],
            i_a=i_a[None],
            p_w=p_w[None],
            q_var=q_var[None],
            energy_mws=energy[None],
            neutral_a=one * (i_a[0] if self.model.phases == 1 else 0.0),
            residual_a=one * 0.0,
            f_hz=one * 50.0,
            sequence=np.array([1 if self.model.phases == PHASES and supplied else 0], np.int8),
            u0_v=one * 0.0,
            dc_percent=one * 0.0,
        )
