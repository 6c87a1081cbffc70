"""From what the store and the head-end hold to what responses say: meters, their shadows, events.  No I/O."""

from nyala.api.describe_alarms import active_alarms, alarm_event
from nyala.api.shapes.meters import (
    SWITCH_NAMES,
    EventOut,
    LiveOut,
    MeterLineOut,
    MeterOut,
    ModelOut,
    RadioOut,
    RegisterOut,
    SwitchOut,
)
from nyala.headend.alarms import is_alarm
from nyala.headend.foreign.mapping import foreign_model
from nyala.headend.ports import EventRow
from nyala.headend.registry import MeterRecord, MeterState
from nyala.lorawan.region import Region
from nyala.meter.model import meter_model
from nyala.store.meters import MeterLine
from nyala.telegram.kinds import EventCode
from nyala.vocab.identifiers import eui_text
from nyala.vocab.quantities import catalogue
from nyala.vocab.time import US_PER_S

EVENT_TEXTS = {
    EventCode.POWER_RESTORED: "power restored",
    EventCode.SWITCH_OPENED: "supply switch opened",
    EventCode.SWITCH_CLOSED: "supply switch closed",
    EventCode.CLOCK_SET: "clock set",
    EventCode.BLOCK_STAGED: "data block received",
    EventCode.BLOCK_REFUSED: "data block refused",
    EventCode.POWER_FAILED: "power failed",
}
_ORDER = {name: place for place, name in enumerate(catalogue())}


def model_of(name: str) -> ModelOut:
    """A model, ours or another maker's."""
    model = foreign_model(name)
    if model is not None:
        return ModelOut(name=name, title=model.title, phases=model.phases, supply_switch=False)
    own = meter_model(name)
    return ModelOut(name=name, title=own.title, phases=own.phases, supply_switch=own.supply_switch)


def meter_line(line: MeterLine, missing: int) -> MeterLineOut:
    """A meter in a list."""
    return MeterLineOut(
        id=line.id,
        serial=line.serial,
        customer=line.customer,
        site=line.site,
        model=line.model,
        ct_ratio=line.ct_ratio,
        switch_state=SWITCH_NAMES[line.switch_state] if model_of(line.model).supply_switch else "none",
        last_heard_s=None if not line.last_heard_us else line.last_heard_us // US_PER_S,
        p_w=line.p_w,
        import_wh=line.import_wh,
        missing=missing,
        needs_readmission=line.refused_us is not None,
        life=line.life,
    )


def switch_of(record: MeterRecord, state: MeterState) -> SwitchOut:
    """The supply switch as last reported; a model without one says so whatever was reported."""
    if not model_of(record.model).supply_switch:
        return SwitchOut(state="none", at_s=None)
    return SwitchOut(state=SWITCH_NAMES[state.switch_state], at_s=state.switch_at_s or None)


def registers_of(state: MeterState) -> list[RegisterOut]:
    """The newest reading of each register, in the catalogue's order."""
    names = sorted(state.registers, key=_ORDER.__getitem__)
    return [RegisterOut(name=n, value=state.registers[n][0], at_s=state.registers[n][1]) for n in names]


def live_of(state: MeterState) -> LiveOut | None:
    """The newest instantaneous values."""
    return LiveOut(at_s=state.live_at_s, values=state.live) if state.live else None


def meter_out(record: MeterRecord, state: MeterState, missing: int, region: Region, *, lost: bool) -> MeterOut:
    """One meter.  `lost`: its device needs re-admission."""
    radio = None
    if state.gateways:
        rate = region.data_rate(state.data_rate).text
        radio = RadioOut(data_rate=rate, rssi_dbm=state.rssi_dbm, snr_db=state.snr_db, gateways=state.gateways)
    return MeterOut(
        id=record.id,
        serial=record.serial,
        customer=record.customer,
        site=record.site,
        zone=record.zone,
        model=model_of(record.model),
        dev_eui=eui_text(record.dev_eui),
        tariff=record.tariff,
        contracted_va=record.contracted_va,
        ct_ratio=record.ct_ratio,
        period_s=record.period_s,
        installed_s=record.installed_s,
        last_heard_s=state.last_heard_us // US_PER_S or None,
        radio=radio,
        live=live_of(state),
        registers=registers_of(state),
        switch=switch_of(record, state),
        alarms=active_alarms(state),
        missing=missing,
        complete_to_s=state.complete_to * record.period_s,
        needs_readmission=lost,
    )


def event_out(event: EventRow) -> EventOut:
    """An event of a meter."""
    if is_alarm(event.code):
        return alarm_event(event)
    text = EVENT_TEXTS.get(EventCode(event.code), "event")
    return EventOut(at_s=event.at_s, code=event.code, text=text, detail=event.detail)
