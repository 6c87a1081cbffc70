"""What responses say of alarms: labels, units, counts, events.  No I/O."""

from collections.abc import Mapping

from nyala.api.shapes.alarms import AlarmCountsOut, AlarmOut
from nyala.api.shapes.incidents import IncidentOut, MemberOut
from nyala.api.shapes.meters import ActiveAlarmOut, EventOut
from nyala.api.shapes.session import AlarmKindOut
from nyala.headend.alarms import active_bits, split_detail
from nyala.headend.ports import EventRow
from nyala.headend.registry import MeterState
from nyala.headend.storms_shapes import Entry, Incident
from nyala.store.alarms import AlarmLine
from nyala.telegram.kinds import EventCode
from nyala.vocab.alarms import AlarmRow, Severity, active
from nyala.vocab.centre_alarms import alarm_kind, alarm_kinds
from nyala.vocab.time import US_PER_S


def kinds() -> list[AlarmKindOut]:
    """The alarm tables: the meter's by bit, then the centre's."""
    return [
        AlarmKindOut(
            name=row.name,
            severity=row.severity.value,
            label_en=row.label_en,
            label_id=row.label_id,
            unit=row.unit or None,
            scaler=row.scaler,
        )
        for row in alarm_kinds().values()
    ]


def counts_of(by_severity: Mapping[Severity, int]) -> AlarmCountsOut:
    """Counts by severity."""
    return AlarmCountsOut(**{severity.value: by_severity.get(severity, 0) for severity in Severity})


def counts_out(by_bit: Mapping[int, int]) -> AlarmCountsOut:
    """Counts by severity, from counts by bit."""
    counts = dict.fromkeys(Severity, 0)
    for bit, count in by_bit.items():
        counts[alarm_kind(bit).severity] += count
    return counts_of(counts)


def active_alarms(state: MeterState) -> list[ActiveAlarmOut]:
    """The alarms of a meter that are on, the most urgent first."""
    return [
        ActiveAlarmOut(alarm=row.name, severity=row.severity.value, since_s=state.alarms[row.alarm].since_s)
        for row in active(active_bits(state))
    ]


def alarm_out(line: AlarmLine) -> AlarmOut:
    """One occurrence."""
    row = alarm_kind(line.alarm)
    return AlarmOut(
        id=line.id,
        meter_id=line.meter_id,
        serial=line.serial,
        customer=line.customer,
        site=line.site,
        alarm=row.name,
        severity=row.severity.value,
        raised_s=line.raised_s,
        value=line.value,
        source=line.source,
        received_s=line.received_us // US_PER_S,
        cleared_s=line.cleared_s,
        acknowledged_s=None if line.acknowledged_us is None else line.acknowledged_us // US_PER_S,
        acknowledged_by=line.acknowledged_by,
        note=line.note,
    )


def incident_out(incident: Incident) -> IncidentOut:
    """One incident."""
    kind = alarm_kind(incident.alarm)
    return IncidentOut(
        id=incident.id,
        alarm=kind.name,
        severity=kind.severity.value,
        scope=incident.scope.value,
        place=incident.place,
        meters=incident.meters,
        meters_on=incident.meters_on,
        first_s=incident.first_s,
        last_s=incident.last_s,
        opened_s=incident.opened_us // US_PER_S,
        updated_s=incident.updated_us // US_PER_S,
        ended_s=None if incident.ended_us is None else incident.ended_us // US_PER_S,
    )


def member_out(entry: Entry, serial: str, site: str) -> MemberOut:
    """One alarm of an incident."""
    return MemberOut(
        meter_id=entry.meter_id, serial=serial, site=site, raised_s=entry.raised_s, value=entry.value, cleared_s=entry.cleared_s
    )


def value_text(row: AlarmRow, value: int) -> str:
    """A value in its unit, as plain English has it; empty for an alarm that has none."""
    if not row.unit:
        return ""
    unit, scaler = row.unit, row.scaler
    number = f"{value * 10**scaler:.{-scaler}f}"
    return number if unit == "1" else f"{number} {unit}"


def alarm_event(event: EventRow) -> EventOut:
    """An event that speaks of an alarm."""
    row, value = split_detail(event.detail)
    what = "raised" if event.code == EventCode.ALARM_RAISED else "cleared"
    text = ", ".join(filter(None, (f"alarm {what}: {row.label_en}", value_text(row, value))))
    said = value if row.unit else None
    return EventOut(at_s=event.at_s, code=event.code, text=text, detail=event.detail, alarm=row.name, value=said)
