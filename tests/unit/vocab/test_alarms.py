"""The alarm table: every row is walked."""

import pytest

from nyala.vocab.alarms import Alarm, Severity, active, alarm_row, alarm_table
from nyala.vocab.errors import UnknownError

# Product sheet, section E.
MEDIUM = [
    "main_cover_open",
    "terminal_cover_open",
    "module_cover_open",
    "magnet",
    "internal_battery_low",
    "external_battery_low",
    "uncalibrated",
    "high_temperature",
]
LOW = [
    "neutral_disturbance",
    "phase_sequence",
    "current_unbalance",
    "ct_bypass",
    "ct_open",
    "current_reverse",
    "low_power_factor",
    "over_current",
    "voltage_unbalance",
    "over_power",
]
LOW_IS_AN_ALARM = {"internal_battery_low", "external_battery_low", "low_power_factor"}
SIGNS = {"relay", "tamper", "battery", "error", "sequence", "reverse", "load", "none"}


def test_the_table_is_section_e_and_meter_disconnected():
    by_severity = {severity: [row.name for row in alarm_table() if row.severity is severity] for severity in Severity}
    assert by_severity == {Severity.HIGH: ["meter_disconnected"], Severity.MEDIUM: MEDIUM, Severity.LOW: LOW}


@pytest.mark.parametrize("row", alarm_table(), ids=[row.name for row in alarm_table()])
def test_every_row_is_complete(row):
    assert alarm_row(row.alarm) is row
    assert row.on != row.off
    assert (row.on < row.off) == (row.name in LOW_IS_AN_ALARM)
    assert min(row.on_delay_s, row.off_delay_s) >= 0
    assert row.sign in SIGNS
    assert row.label_en
    assert row.label_id
    assert row.description


def test_event_ids_are_unique_and_our_own_begin_at_301():
    ids = [each for row in alarm_table() for each in (row.event_on, row.event_off)]
    assert len(set(ids)) == len(ids)
    assert alarm_row(Alarm.MAGNET).event_on == 201  # IS 15959
    assert alarm_row(Alarm.METER_DISCONNECTED).event_on == 301


def test_active_alarms_come_the_most_urgent_first():
    bits = 1 << Alarm.OVER_POWER | 1 << Alarm.MAGNET | 1 << Alarm.METER_DISCONNECTED
    assert [row.alarm for row in active(bits)] == [Alarm.METER_DISCONNECTED, Alarm.MAGNET, Alarm.OVER_POWER]
    assert active(0) == ()


@pytest.mark.parametrize("bit", [-1, len(Alarm)])
def test_a_bit_outside_the_table_is_refused(bit):
    with pytest.raises(UnknownError, match="unknown alarm"):
        alarm_row(bit)
