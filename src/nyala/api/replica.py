"""The replica of a meter's face: what its LCD and LEDs show, by what the meter has reported.  No I/O.

It is the meter's own renderer over the shadow: a value that was never reported is passed over, as on a meter without it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from nyala.api.shapes.lcd import FaceOut, FacesOut
from nyala.headend.alarms import active_bits
from nyala.headend.foreign.mapping import foreign_model
from nyala.headend.registry import MeterRecord, MeterState
from nyala.meter.display.lcd import compose, to_json
from nyala.meter.display.leds import Lamps
from nyala.meter.display.lists import available
from nyala.meter.display.machine import Display, Mode, Times
from nyala.meter.display.number import scale_of
from nyala.meter.display.reading import Ratio, Signs
from nyala.meter.face import PRESENT, SAG, quadrant
from nyala.meter.model import meter_model
from nyala.meter.reading import DERIVED
from nyala.meter.supply import SwitchState
from nyala.vocab.alarms import Alarm
from nyala.vocab.quantities import catalogue, register
from nyala.vocab.time import iso, zone


@dataclass(frozen=True, slots=True)
class Reported:
    """The reading of a shadow."""

    record: MeterRecord
    shadow: MeterState

    @property
    def serial(self) -> str:
        """Its serial number."""
        return self.record.serial

    @property
    def firmware(self) -> str:
        """Its firmware as it said it."""
        return "" if self.shadow.firmware is None else f"{self.shadow.firmware >> 8}.{self.shadow.firmware & 0xFF}"

    @property
    def clock_s(self) -> int:
        """Its clock at the last report."""
        return self.shadow.live_at_s

    @property
    def offset_s(self) -> int:
        """Local time of its site minus UTC."""
        offset = datetime.fromtimestamp(self.shadow.live_at_s, UTC).astimezone(zone(self.record.zone)).utcoffset()
        return 0 if offset is None else round(offset.total_seconds())

    def value(self, name: str) -> int | None:
        """A catalogue integer, or None for one that was not reported."""
        if name in self.shadow.registers:
            return self.shadow.registers[name][0]
        if name in DERIVED:
            parts = [(self.shadow.registers.get(register(channel).name), sign) for channel, sign in DERIVED[name]]
            known = [sign * part[0] for part, sign in parts if part is not None]
            return sum(known) if len(known) == len(parts) else None
        return self.shadow.live.get(name)


def signs_of(reported: Reported) -> Signs:
    """The annunciators by the last live values."""
    model, shadow, live = meter_model(reported.record.model), reported.shadow, reported.shadow.live
    scaler = catalogue()["u1_v"].scaler
    shares = [live.get(f"u{n}_v", 0) * 10.0**scaler / model.nominal_voltage_v for n in range(1, model.phases + 1)]
    p_w, q_var, bits = live.get("p_w", 0), live.get("q_var", 0), active_bits(shadow)
    idle = max(abs(p_w), abs(q_var)) < model.no_load_w
    known = model.supply_switch and shadow.switch_state is not None
    return Signs(
        present=tuple(share > PRESENT for share in shares),
        sagging=tuple(share < SAG for share in shares),
        quadrant=None if idle else quadrant(p_w, q_var),
        sequence_wrong=bool(bits >> Alarm.PHASE_SEQUENCE & 1),
        rate=max(live.get("active_rate", 1), 1),
        switch=SwitchState(shadow.switch_state) if known else SwitchState.NONE,
        alarms=bits,
        joined=shadow.last_heard_us > 0,
        internal_battery_low=bool(bits >> Alarm.INTERNAL_BATTERY_LOW & 1),
        external_battery_low=bool(bits >> Alarm.EXTERNAL_BATTERY_LOW & 1),
        no_load=idle,
    )


def faces_of(record: MeterRecord, shadow: MeterState) -> FacesOut:
    """The scroll list of a meter, item by item; empty where nothing was reported, or the display is another maker's."""
    if not shadow.live_at_s or foreign_model(record.model) is not None:
        return FacesOut(at=None, item_s=Times().item_ms // 1000, faces=[])
    reported, model = Reported(record, shadow), meter_model(record.model)
    signs = signs_of(reported)
    lamps = Lamps(
        alarms=signs.alarms,
        active_us=() if signs.no_load else (0,),
        reactive_us=() if signs.no_load else (0,),
        no_load=signs.no_load,
        no_reactive_load=signs.no_load,
        system_alive=True,
    )
    scale = scale_of(model, Ratio(ct=record.ct_ratio))
    count = len(available(reported, button=False))
    frames = [compose(Display(Mode.SCROLL, index), reported, signs, scale, 0) for index in range(count)]
    faces = [FaceOut.model_validate(to_json(frame, lamps)) for frame in frames]
    return FacesOut(at=iso(shadow.live_at_s), item_s=Times().item_ms // 1000, faces=faces)
