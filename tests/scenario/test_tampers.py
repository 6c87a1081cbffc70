"""Every alarm of the table, from waveforms at the terminals or an input to log, LED, LCD sign and telegram, and back.

The waveforms go through sensors and measurement chip (sampled fidelity); the rest is the meter that the fleet runs on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np
import pytest

from nyala.headend.alarms import split_detail
from nyala.lorawan.device.state import Identity
from nyala.lorawan.region import region
from nyala.meter.bank import Bank
from nyala.meter.display.lcd import compose
from nyala.meter.display.leds import lit
from nyala.meter.display.machine import Display, Mode
from nyala.meter.display.number import scale_of
from nyala.meter.face import MeterReading, lamps_of, signs_of
from nyala.meter.meter import Meter
from nyala.meter.model import meter_model
from nyala.meter.sampled import faults
from nyala.meter.sampled.constants import CalibrationConstants
from nyala.meter.sampled.sensor import Sensor
from nyala.meter.sampled.specimen import SampledMeter
from nyala.meter.sampled.waveform import Signal, signal
from nyala.meter.supply import SwitchEvent
from nyala.telegram import messages
from nyala.telegram.kinds import EventCode, Port
from nyala.twin.device import Twin
from nyala.vocab.alarms import Alarm, Severity, alarm_row

START_S = 1_767_225_600
CALM = signal(230, 5, 20)


class Place:
    """A meter on a wall: terminals, inputs, face, and the telegrams that wait to be sent."""

    def __init__(self, model: str = "three-phase") -> None:
        self.model = meter_model(model)
        self.specimen = SampledMeter(self.model, sensor=Sensor.ideal(self.model), constants=CalibrationConstants())
        self.bank = Bank([self.model], START_S, ring_days=1)
        self.meter = Meter(self.bank, 0)
        self.twin = Twin(self.meter, Identity(1, 1, bytes(16)), region("AS923-2"), Random(1))
        self.rows = np.array([0])

    def live(self, seconds: int, given: Signal = CALM) -> None:
        for _ in range(seconds):
            self.bank.take_second(self.rows, self.specimen.second(given))
            self.bank.advance(self.rows, int(self.bank.now_s[0]) + 1)
            for change in self.bank.take_changes():
                self.twin.alarm(change)

    def active(self, alarm: Alarm) -> bool:
        return bool(self.bank.alarms[0] >> alarm & 1)

    def signs(self) -> frozenset[str]:
        reading = MeterReading(self.meter, "1", "1.0")
        return compose(Display(Mode.SCROLL), reading, signs_of(self.meter), scale_of(self.model), 0).signs

    def led(self, at_us: int) -> bool:
        return "alarm_1" in lit(lamps_of(self.meter), at_us)

    def told(self) -> list[tuple[EventCode, Alarm]]:
        """Alarm events that wait, as the centre will read them."""
        found: list[tuple[EventCode, Alarm]] = []
        for job in self.twin.telling.jobs._waiting:
            for port, payload in job.pack(242):
                if port is Port.EVENT and (event := messages.decode_event(payload)).code in {
                    EventCode.ALARM_RAISED,
                    EventCode.ALARM_CLEARED,
                }:
                    found.append((event.code, split_detail(event.detail)[0].alarm))
        return found

    def logged(self, event: int) -> int:
        return self.meter.operation.logs.count(event)


@dataclass
class Scene:
    """What goes wrong: other waveforms, or an input."""

    given: Signal = CALM
    wrong: Callable[[Place], Any] = lambda place: None
    right: Callable[[Place], Any] = lambda place: None
    sign: str = "alarm"


def put(name: str, value: Any, back: Any, place: tuple[int, ...] = (0,), sign: str = "alarm") -> Scene:
    def to(target: Place, what: Any) -> None:
        getattr(target.bank.state, name)[place] = what

    return Scene(CALM, lambda target: to(target, value), lambda target: to(target, back), sign)


def switched(event: SwitchEvent) -> Callable[[Place], Any]:
    return lambda place: place.meter.switch(event)


LOW_U3 = replace(CALM, u=(CALM.u[0], CALM.u[1], replace(CALM.u[2], rms=195)))
SCENES: dict[Alarm, Scene] = {
    Alarm.METER_DISCONNECTED: Scene(
        CALM, switched(SwitchEvent.REMOTE_DISCONNECT), switched(SwitchEvent.REMOTE_RECONNECT), sign="relay_open"
    ),
    Alarm.MAIN_COVER_OPEN: put("covers", True, False, (0, 0), "cover"),
    Alarm.TERMINAL_COVER_OPEN: put("covers", True, False, (0, 1), "cover"),
    Alarm.MODULE_COVER_OPEN: put("covers", True, False, (0, 2), "cover"),
    Alarm.MAGNET: put("magnet_mt", 150.0, 0.0, sign="magnet"),
    Alarm.INTERNAL_BATTERY_LOW: put("battery_v", 3.0, 3.6, (0, 0), "battery_internal"),
    Alarm.EXTERNAL_BATTERY_LOW: put("battery_v", 3.0, 3.6, (0, 1), "battery_external"),
    Alarm.UNCALIBRATED: put("calibrated", False, True, sign="error"),
    Alarm.HIGH_TEMPERATURE: put("temperature_c", 80.0, 40.0, sign="error"),
    Alarm.NEUTRAL_DISTURBANCE: Scene(
        faults.neutral_missing(replace(CALM, i=(replace(CALM.i[0], rms=20), *CALM.i[1:]))), sign="tamper"
    ),
    Alarm.PHASE_SEQUENCE: Scene(faults.phases_swapped(CALM, 1, 2), sign="sequence"),
    Alarm.CURRENT_UNBALANCE: Scene(replace(CALM, i=(*CALM.i[:2], replace(CALM.i[2], rms=2.0))), sign="tamper"),
    Alarm.CT_BYPASS: Scene(faults.bypassed(CALM, 0, 0.6), sign="tamper"),
    Alarm.CT_OPEN: Scene(faults.ct_open(CALM, 1), sign="tamper"),
    Alarm.CURRENT_REVERSE: Scene(faults.current_reversed(CALM, 1), sign="reverse"),
    Alarm.LOW_POWER_FACTOR: Scene(signal(230, 5, 70)),
    Alarm.OVER_CURRENT: Scene(signal(230, 125, 20), sign="overload"),
    Alarm.VOLTAGE_UNBALANCE: Scene(LOW_U3),
    Alarm.OVER_POWER: Scene(signal(280, 105, 0), sign="overload"),
}


def test_every_alarm_has_its_scene():
    assert SCENES.keys() == set(Alarm)


@pytest.mark.parametrize("alarm", Alarm, ids=lambda alarm: alarm.name.lower())
def test_an_alarm_is_raised_seen_told_and_restored(alarm):
    scene, row, place = SCENES[alarm], alarm_row(alarm), Place()
    place.live(2)
    assert not place.bank.alarms[0]
    assert not place.led(0)
    scene.wrong(place)
    place.live(row.on_delay_s + 2, scene.given)
    assert place.active(alarm)
    assert scene.sign in place.signs()
    assert place.logged(row.event_on) == 1
    period_us = {Severity.HIGH: 0, Severity.MEDIUM: 500_000, Severity.LOW: 2_000_000}[row.severity]
    worst = min(list(Severity).index(alarm_row(bit).severity) for bit in Alarm if place.active(bit))
    assert place.led(0)
    if list(Severity)[worst] is row.severity:
        assert place.led(period_us // 2) is (period_us == 0)
    told = (EventCode.ALARM_RAISED, alarm) in place.told()
    assert told is (alarm is not Alarm.METER_DISCONNECTED)
    scene.right(place)
    place.live(max(row.off_delay_s, 300) + 2)
    assert not place.active(alarm)
    assert place.logged(row.event_off) == 1
    assert not place.led(0)


def test_a_single_phase_meter_without_its_neutral_tells_it():
    place = Place("single-phase")
    calm = signal(230, 5, 20, phases=1)
    place.live(2, calm)
    gone = replace(calm, u=(replace(calm.u[0], rms=4), *calm.u[1:]))
    place.live(62, gone)
    assert place.active(Alarm.NEUTRAL_DISTURBANCE)


def test_a_bypassed_single_phase_is_seen_by_its_neutral():
    place = Place("single-phase")
    place.live(62, faults.bypassed(signal(230, 5, 20, phases=1), 0, 0.5))
    assert place.active(Alarm.CT_BYPASS)
