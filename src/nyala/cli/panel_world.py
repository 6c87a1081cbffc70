"""A meter on a table for the panel: a bank of one row in phasor fidelity, a load at its terminals, steps of one second.

Registers, demand and alarms are the bank's.  There is no radio, no switch control and no memory here.
"""

from random import Random
from typing import Final

import numpy as np

from nyala import __version__
from nyala.cli.panel import Action
from nyala.meter.bank import Bank
from nyala.meter.chip import PHASES, Second
from nyala.meter.display import machine
from nyala.meter.display.lcd import compose
from nyala.meter.display.leds import Lamps, lit
from nyala.meter.display.machine import Display, Event
from nyala.meter.display.number import scale_of
from nyala.meter.display.reading import Signs
from nyala.meter.display.text import Face
from nyala.meter.meter import Meter
from nyala.meter.model import meter_model
from nyala.meter.sampled.pulses import output
from nyala.vocab.alarms import Alarm
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
SAG, PRESENT = 0.7, 0.05
"""Shares of Un: below the first a phase sags, below the second it is not there."""
_COVERS: Final = {Action.MAIN_COVER: 0, Action.TERMINAL_COVER: 1, Action.MODULE_COVER: 2}


class TableWorld:
    """The world of one meter."""

    def __init__(self, model: str, seed: int) -> None:
        self.model = meter_model(model)
        self.bank = Bank([self.model], START_S)
        self.meter = Meter(self.bank, 0)
        self.serial, self.firmware, self.offset_s = f"NYA-{seed:08d}", __version__, OFFSET_S
        self.resets = self.power_failures = 0
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

    def value(self, name: str) -> int | None:
        """A catalogue integer."""
        return self._values().get(name)

    def _values(self) -> dict[str, int]:
        state = self.bank.state
        values = self.meter.live() | self.meter.registers()
        import_wh, export_wh = values["import_wh"], values["export_wh"]
        q1, q2, q3, q4 = (values[f"q{n}_varh"] for n in (1, 2, 3, 4))
        values |= {"abs_wh": import_wh + export_wh, "net_wh": import_wh - export_wh}
        values |= {"plus_varh": q1 + q2, "minus_varh": q3 + q4}
        for column, flow in enumerate(("import_w", "export_w")):
            values[f"demand_{flow}"] = int(state.demand_w[0, column])
            values[f"max_{flow}"] = int(state.max_w[0, column, 0])
            values[f"max_{flow}_at"] = int(state.max_at_s[0, column, 0])
        values |= {"alarms": int(state.alarms[0]), "temperature_c": round(float(state.temperature_c[0]) * 10)}
        return values | {"reset_count": self.resets, "power_fail_count": self.power_failures}

    def signs(self) -> Signs:
        """The state that the annunciators tell."""
        state, phases = self.bank.state, self.model.phases
        share = state.u_v[0, :phases] / self.model.nominal_voltage_v
        p_w, q_var = float(state.p_w[0].sum()), float(state.q_var[0].sum())
        idle = max(abs(p_w), abs(q_var)) < self.model.no_load_w
        alarms = int(state.alarms[0])
        return Signs(
            present=tuple((share > PRESENT).tolist()),
            sagging=tuple((share < SAG).tolist()),
            quadrant=None if idle else (1 if q_var >= 0 else 4) if p_w >= 0 else (2 if q_var >= 0 else 3),
            sequence_wrong=bool(state.sequence[0] < 0),
            rate=int(self.bank.rate[0]),
            switch=self.meter.switch_state,
            alarms=alarms,
            internal_battery_low=bool(alarms >> Alarm.INTERNAL_BATTERY_LOW & 1),
            external_battery_low=bool(alarms >> Alarm.EXTERNAL_BATTERY_LOW & 1),
            no_load=idle,
        )

    def face(self, at_ms: int) -> Face:
        """LCD and LEDs at an instant of the last second."""
        state, signs = self.bank.state, self.signs()
        lamps = Lamps(
            powered=bool(self.bank.powered[0]),
            alarms=signs.alarms,
            active_us=self._active_us,
            reactive_us=self._reactive_us,
            no_load=abs(float(state.p_w[0].sum())) < self.model.no_load_w,
            no_reactive_load=abs(float(state.q_var[0].sum())) < self.model.no_load_w,
        )
        return Face(compose(self._display, _Cached(self), signs, self.scale, at_ms), lit(lamps, at_ms * 1000))

    def told(self) -> str:
        """One line: load, inputs and supply as they are at this moment."""
        state = self.bank.state
        opened = [action.value for action, place in _COVERS.items() if state.covers[0, place]]
        opened += ["magnet"] if state.magnet_mt[0] else []
        supply = "on" if self.bank.powered[0] else "off"
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
            self._reset()
        elif action is Action.POWER:
            powered = not bool(self.bank.powered[0])
            self.power_failures += not powered
            self.meter.set_powered(powered=powered)
            self._see(Event.SUPPLY_BACK if powered else Event.SUPPLY_LOST)
        else:
            self._see(Event.LONG if action is Action.DISPLAY_LONG else Event.SHORT)

    def _reset(self) -> None:
        if self.bank.powered[0]:
            self.bank.reset_demand(0)
            self.resets += 1

    def _see(self, event: Event) -> None:
        self._display = machine.step(self._display, event, self.now_ms)

    def step(self) -> None:
        """One second."""
        second = self._second()
        start_us, before = self.now_ms * 1000, self._counted()
        self.bank.take_second(self._rows, second)
        self.meter.advance(int(self.bank.now_s[0]) + 1)
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


class _Cached:
    """A reading of one moment: the display asks for many values of it."""

    def __init__(self, world: TableWorld) -> None:
        self.serial, self.firmware, self.clock_s, self.offset_s = world.serial, world.firmware, world.clock_s, world.offset_s
        self.value = world._values().get  # noqa: SLF001 - its own room
