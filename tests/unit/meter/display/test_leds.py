"""LEDs of the product sheet's section D, over time."""

from itertools import pairwise

import pytest

from nyala.meter.display.leds import LEDS, Lamps, lit, modes
from nyala.meter.sampled.pulses import PERIOD_US, WIDTH_US, output
from nyala.vocab.alarms import Alarm, Severity, alarm_row, alarm_table
from nyala.vocab.quantities import MWS_PER_WH
from nyala.vocab.time import US_PER_S

ALARM = {"alarm_1", "alarm_2"}


def changes_a_second(lamps: Lamps, led: str, seconds: int) -> float:
    """Rising edges per second, looked at every 10 ms."""
    seen = [led in lit(lamps, at_us) for at_us in range(0, seconds * US_PER_S, 10_000)]
    return sum(after and not before for before, after in zip([False, *seen], seen, strict=False)) / seconds


@pytest.mark.parametrize("row", alarm_table(), ids=lambda row: row.name)
def test_every_alarm_drives_both_alarm_leds_by_its_severity(row):
    lamps = Lamps(alarms=1 << row.alarm)
    seen = [lit(lamps, at_us) & ALARM for at_us in range(0, 4 * US_PER_S, 50_000)]
    assert all(each in (ALARM, frozenset()) for each in seen)
    share = sum(bool(each) for each in seen) / len(seen)
    assert share == (1.0 if row.severity is Severity.HIGH else 0.5)
    rate_hz = {Severity.HIGH: 0.25, Severity.MEDIUM: 2.0, Severity.LOW: 0.5}[row.severity]
    assert changes_a_second(lamps, "alarm_1", 4) == rate_hz


def test_the_most_urgent_alarm_wins_and_none_is_dark():
    low, medium, high = 1 << Alarm.OVER_POWER, 1 << Alarm.MAGNET, 1 << Alarm.METER_DISCONNECTED
    assert [alarm_row(bit).severity for bit in (18, 4, 0)] == [Severity.LOW, Severity.MEDIUM, Severity.HIGH]
    assert changes_a_second(Lamps(alarms=low | medium), "alarm_2", 4) == 2.0
    assert all(lit(Lamps(alarms=low | medium | high), at_us) >= ALARM for at_us in range(0, 2 * US_PER_S, 50_000))
    assert not lit(Lamps(), 0)


def test_a_pulse_is_lit_for_35_ms_and_belongs_to_its_own_led():
    lamps = Lamps(active_us=(1_000_000,), reactive_us=(2_000_000,))
    instants = (999_999, 1_000_000, 1_034_999, 1_035_000, 2_000_000)
    assert [sorted(lit(lamps, at_us)) for at_us in instants] == [[], ["active_pulse"], ["active_pulse"], [], ["reactive_pulse"]]


@pytest.mark.parametrize(("k", "power_w"), [(1000, 3 * 299 * 100), (10_000, 3 * 299 * 10)])
def test_at_1_3_un_and_imax_the_led_still_blinks(k, power_w):
    # Reference metrology.md 1.7: the shortest period is 40.1 ms; 5 ms of it are dark.
    pulses = output(k)
    starts = [second * US_PER_S + each for second in range(20) for each in pulses.second(power_w * 1000)]
    assert len(starts) == 20 * power_w * 1000 * k // (1000 * MWS_PER_WH)
    gaps = [after - before for before, after in pairwise(starts)]
    assert min(gaps) >= PERIOD_US == WIDTH_US + 5_000
    assert max(gaps) <= 40_200
    lamps = Lamps(active_us=tuple(starts[:30]))
    for start_us in starts[1:30]:
        assert "active_pulse" not in lit(lamps, start_us - 1)
        assert "active_pulse" not in lit(lamps, start_us - 5_000)
        assert "active_pulse" in lit(lamps, start_us)


def test_without_load_the_pulse_leds_are_steady():
    assert all(lit(Lamps(no_load=True), at_us) == {"active_pulse"} for at_us in range(0, US_PER_S, 50_000))
    assert lit(Lamps(no_reactive_load=True), 7) == {"reactive_pulse"}


def test_the_system_led_flashes_while_the_module_lives():
    assert changes_a_second(Lamps(system_alive=True), "system", 8) == 0.5
    assert changes_a_second(Lamps(), "system", 8) == 0


def test_the_communication_led_flashes_on_traffic():
    lamps = Lamps(traffic_us=(500_000, 3_000_000))
    assert [bool(lit(lamps, at_us)) for at_us in (499_999, 500_000, 599_999, 600_000, 3_050_000)] == [
        False,
        True,
        True,
        False,
        True,
    ]


def test_without_supply_all_are_dark():
    assert not lit(Lamps(powered=False, alarms=1, active_us=(0,), no_load=True, system_alive=True, traffic_us=(0,)), 0)


def test_leds_are_those_of_the_sheet():
    # Four on the main cover; two on the module, blue and green.
    assert [led.place for led in LEDS] == ["cover"] * 4 + ["module"] * 2
    assert [led.colour for led in LEDS] == ["red"] * 4 + ["blue", "green"]
    everything = Lamps(alarms=1, no_load=True, no_reactive_load=True, system_alive=True, traffic_us=(0,))
    assert lit(everything, 0) == {led.name for led in LEDS}


@pytest.mark.parametrize(
    ("lamps", "led"),
    [
        (Lamps(), "alarm_1"),
        (Lamps(alarms=1), "alarm_1"),
        (Lamps(alarms=2), "alarm_2"),
        (Lamps(alarms=1 << 18), "alarm_1"),
        (Lamps(no_load=True), "active_pulse"),
        (Lamps(active_us=(0,)), "active_pulse"),
        (Lamps(reactive_us=(0,)), "reactive_pulse"),
        (Lamps(no_reactive_load=True), "reactive_pulse"),
        (Lamps(system_alive=True), "system"),
        (Lamps(traffic_us=(0,)), "communication"),
        (Lamps(powered=False, alarms=1, no_load=True), "alarm_1"),
    ],
)
def test_the_mode_of_an_led_is_what_is_seen(lamps, led):
    seen = [led in lit(lamps, at_us) for at_us in range(0, 4 * US_PER_S, 10_000)]
    edges = sum(after and not before for before, after in pairwise([False, *seen]))
    mode = modes(lamps)[led]
    assert mode == ("off" if not any(seen) else "on" if all(seen) else {8: "fast", 2: "slow"}.get(edges, "flash")) or (
        mode == "flash" and led == "system" and edges == 2
    )
