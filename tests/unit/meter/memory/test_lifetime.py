"""Fifteen years: the wear table against the store at work, the power-fail budget, the height of the registers."""

import dataclasses
import json
from fractions import Fraction

import pytest

from nyala.meter.memory.device import Supply, SupplyLostError
from nyala.meter.memory.hold_up import HoldUp, power_fail_budget
from nyala.meter.memory.layout import Group, Log, standard_layout
from nyala.meter.memory.lifetime import (
    image_cycles,
    lifetime,
    log_cycles,
    primary_ratio,
    registered_wh,
)
from nyala.meter.memory.parts import part
from nyala.meter.memory.records import RecordStore, new_devices
from nyala.meter.model import MODELS, meter_model
from nyala.vocab.errors import BadArgumentError

DAYS = 60


@pytest.fixture(scope="module")
def lived():
    """A store that did what the layout plans for 60 days, with a power cut every night."""
    layout = standard_layout()
    opened = RecordStore(layout, new_devices(layout, Supply()))
    opened.recover()
    for day in range(DAYS):
        for group, spot in layout.images.items():
            due = int((day + 1) * spot.saves_per_day) - int(day * spot.saves_per_day) + spot.power_fail
            for turn in range(due):
                opened.save(group, bytes([turn & 0xFF]) * spot.size_bytes)
        for log, ring in layout.logs.items():
            for _ in range(int((day + 1) * ring.rows_per_day) - int(day * ring.rows_per_day)):
                opened.append(log, bytes(ring.row_bytes))
        opened = RecordStore(layout, opened.devices)
        opened.recover()
    return opened


@pytest.mark.parametrize("group", Group)
def test_the_wear_of_an_image_is_what_the_table_says(lived, group):
    spot = lived.layout.images[group]
    page, wear = lived.layout.parts[spot.part].page_bytes, lived.devices[spot.part].wear
    heads = [wear.get((spot.address + slot * spot.slot_bytes) // page, 0) for slot in range(spot.slots)]
    saves = int(DAYS * spot.saves_per_day) + DAYS * spot.power_fail
    pages = range(spot.address // page, (spot.address + spot.slots * spot.slot_bytes) // page)
    assert sum(heads) == saves
    assert max(wear.get(number, 0) for number in pages) == max(heads)
    untorn = dataclasses.replace(spot, saves_per_day=spot.saves_per_day + spot.power_fail)
    assert all(abs(each - image_cycles(untorn, DAYS, 0)) <= 1 for each in heads)
    assert max(heads) <= image_cycles(spot, DAYS)


@pytest.mark.parametrize("log", Log)
def test_the_wear_of_a_log_is_what_the_table_says(lived, log):
    ring = lived.layout.logs[log]
    first = ring.address // ring.sector_bytes
    erases = [lived.devices["flash"].wear.get(first + sector, 0) for sector in range(ring.sectors)]
    assert max(erases) - min(erases) <= 1
    assert all(abs(each - log_cycles(ring, DAYS)) < 1 + 1e-9 for each in erases)


@pytest.mark.parametrize("period_s", [60, 900, 3600])
@pytest.mark.parametrize("model", MODELS)
def test_every_model_lives_its_15_years(model, period_s):
    table = lifetime(meter_model(model), period_s)
    assert table.passes
    assert all(row.share <= 0.5 and row.years_until_worn > 30 for row in table.rows)
    assert {row.name for row in table.rows if row.kind != "register"} == {each.value for each in (*Group, *Log)}
    assert json.loads(json.dumps(table.to_json()))["pass"] is True


def test_the_table_can_fail():
    table = lifetime(meter_model("three-phase"), 900, 300)
    assert not table.passes
    assert [row.name for row in table.rows if not row.passes] == ["registers", "twin"]
    assert table.to_json()["pass"] is False
    worn = table.rows[0]
    assert worn.years_until_worn < 300
    assert dataclasses.replace(worn, used=0).to_json()["years_until_worn"] is None


def test_a_cell_written_each_minute_over_16_slots_lives_30_years():
    spot = dataclasses.replace(standard_layout().images[Group.REGISTERS], saves_per_day=1440, slots=16, power_fail=False)
    assert 30 < 1_000_000 / image_cycles(spot, 365.25, 0) < 31  # reference metrology.md 5


def test_the_profile_erases_what_the_reference_computes():
    ring = standard_layout().logs[Log.PROFILE]
    assert ring.rows_per_sector == 63  # 64 in the reference, less the header
    assert log_cycles(ring, 365.25) * ring.sectors == pytest.approx(548 * 64 / 63, rel=0.002)


def test_no_register_rolls_over():
    assert registered_wh(meter_model("three-phase"), 15) == int(Fraction(3 * 230 * 100 * 13, 10) * 131_490)
    line = meter_model("three-phase-ct")
    assert primary_ratio(line) == 2_000_000
    row = lifetime(line).rows[-1]
    assert row.used == registered_wh(line, 15) * 2_000_000
    assert row.used < 2**63
    assert row.used > 2**32 > 10**9  # where 32 bits and nine digits have long rolled over


def test_a_life_of_no_years_is_refused():
    with pytest.raises(BadArgumentError):
        lifetime(meter_model("three-phase"), 900, 0)


# -- power fail


def test_the_capacitor_feeds_the_save_of_everything_that_must_be_saved():
    rows = power_fail_budget(standard_layout())
    assert [row.group for row in rows] == [
        Group.REGISTERS,
        Group.BILLING,
        Group.COUNTERS,
        Group.TWIN,
        Group.CONFIGURATION,
    ]
    assert all(row.passes for row in rows)
    assert rows[-1].budget_ms == pytest.approx(1e-3 * 0.8 * 7 / 0.015 * 1000 - 21)
    assert rows[0].save_ms == pytest.approx(12 * 5 + 1536 * 0.0225)
    assert rows[0].to_json()["pass"] is True


def test_a_tired_capacitor_saves_the_registers_and_no_more():
    rows = power_fail_budget(standard_layout(), HoldUp(capacitance_uf=350))
    assert [row.passes for row in rows] == [True, False, False, False, False]
    assert HoldUp(capacitance_uf=10).budget_ms == 0


def test_the_bytes_of_the_budget_are_enough_for_the_register_image():
    layout = standard_layout()
    supply = Supply()
    opened = RecordStore(layout, new_devices(layout, supply))
    opened.recover()
    budget = HoldUp().bytes_within(part("eeprom"))
    assert budget == int(HoldUp().budget_ms / (5 + 128 * 0.0225)) * 128
    supply.fail_after(budget)
    opened.save(Group.REGISTERS, bytes(layout.images[Group.REGISTERS].size_bytes))
    supply.fail_after(HoldUp(capacitance_uf=200).bytes_within(part("eeprom")))
    with pytest.raises(SupplyLostError):
        opened.save(Group.REGISTERS, bytes(layout.images[Group.REGISTERS].size_bytes))
