"""The record store without cuts: groups, logs, refusals, and damage that no cut explains."""

import dataclasses
from itertools import pairwise

import pytest

from nyala.meter.logs import ROW_BYTES as EVENT_BYTES
from nyala.meter.logs import LogGroup, group_table
from nyala.meter.memory.device import Supply
from nyala.meter.memory.layout import IMAGE_OVERHEAD, Group, ImageRow, Log, LogRow, place, standard_layout
from nyala.meter.memory.parts import part
from nyala.meter.memory.records import RecordStore, Recovery, new_devices
from nyala.meter.snapshots import MONTHS
from nyala.meter.snapshots import ROW_BYTES as SNAPSHOT_BYTES
from nyala.vocab.errors import BadArgumentError, UnknownError
from tests.unit.meter.memory.stores import PARTS, World, script, toy_layout

LAYOUT = standard_layout()


def store(layout=LAYOUT) -> RecordStore:
    opened = RecordStore(layout, new_devices(layout, Supply()))
    assert opened.recover() == Recovery((), ())
    return opened


def reopened(before: RecordStore) -> RecordStore:
    after = RecordStore(before.layout, before.devices)
    after.recover()
    return after


def test_the_layout_has_every_group_and_log():
    assert LAYOUT.images.keys() == set(Group)
    assert LAYOUT.logs.keys() == set(Log)
    assert {place.part for place in LAYOUT.images.values()} | {"flash"} == LAYOUT.parts.keys()


@pytest.mark.parametrize("period_s", [60, 300, 600, 900, 1800, 3600, 86_400])
def test_no_two_groups_share_a_place_that_wears(period_s):
    layout = standard_layout(period_s)
    spans = [(each.part, each.address, each.slots * each.slot_bytes) for each in layout.images.values()]
    spans += [(each.part, each.address, each.sectors * each.sector_bytes) for each in layout.logs.values()]
    for name in layout.parts:
        ends = sorted((address, address + size) for used, address, size in spans if used == name)
        assert all(end <= start for (_, end), (start, _) in pairwise(ends))
        assert ends[-1][1] <= layout.parts[name].size_bytes
    assert layout.logs[Log.PROFILE].rows == 45 * 86_400 // period_s


@pytest.mark.parametrize("period_s", [0, 59, 7 * 60 + 1, 100_000])
def test_a_period_that_fills_no_day_is_refused(period_s):
    with pytest.raises(BadArgumentError):
        standard_layout(period_s)


def test_the_rows_of_the_layout_are_those_of_their_codecs():
    assert (LAYOUT.logs[Log.SNAPSHOTS].row_bytes, LAYOUT.logs[Log.SNAPSHOTS].rows) == (SNAPSHOT_BYTES, MONTHS)
    for group in LogGroup:
        log = LAYOUT.logs[Log(group.value)]
        assert (log.row_bytes, log.rows) == (EVENT_BYTES, group_table()[group].capacity)


@pytest.mark.parametrize("group", Group)
def test_the_newest_image_is_there_after_a_power_up(group):
    opened = store()
    assert opened.load(group) is None
    for turn in range(LAYOUT.images[group].slots * 2 + 1):
        opened.save(group, bytes([turn]) * (LAYOUT.images[group].size_bytes - turn))
        assert opened.load(group) == bytes([turn]) * (LAYOUT.images[group].size_bytes - turn)
    assert reopened(opened).load(group) == opened.load(group)
    assert all(opened.load(other) is None for other in Group if other is not group)


@pytest.mark.parametrize("log", [Log.SNAPSHOTS, Log.FRAUD, Log.DAILY])
def test_a_log_keeps_its_rows_over_many_turns(log):
    opened, kept = store(), LAYOUT.logs[log]
    rows = [number.to_bytes(4, "big") * (kept.row_bytes // 4) + bytes(kept.row_bytes % 4) for number in range(900)]
    for number, row in enumerate(rows):
        opened.append(log, row)
        if number % 97 == 0:
            opened = reopened(opened)
        if number % 31 == 0:
            assert opened.rows(log) == rows[max(0, number + 1 - kept.rows) : number + 1]


def test_a_blank_row_is_a_row():
    opened = store()
    size = LAYOUT.logs[Log.CLOCK].row_bytes
    for row in (b"\xff" * size, bytes(size), b"\xff" * size):
        opened.append(Log.CLOCK, row)
    assert reopened(opened).rows(Log.CLOCK) == [b"\xff" * size, bytes(size), b"\xff" * size]


def test_the_wear_of_an_image_is_levelled():
    world = World(toy_layout())
    for turn in range(42):
        world.do(Group.COUNTERS, bytes([turn]))
    spot = world.layout.images[Group.COUNTERS]
    pages = [world.devices["eeprom"].wear.get(spot.address // 16 + slot * spot.slot_bytes // 16) for slot in range(spot.slots)]
    assert pages == [42 // spot.slots] * spot.slots


def test_a_damaged_newest_image_falls_back_to_the_one_before():
    opened = store()
    spot = LAYOUT.images[Group.SETTINGS]
    opened.save(Group.SETTINGS, b"one")
    opened.save(Group.SETTINGS, b"two")
    opened.devices["eeprom"].write(spot.address + spot.slot_bytes + 8, b"T")
    assert reopened(opened).load(Group.SETTINGS) == b"one"
    for slot in range(spot.slots):
        opened.devices["eeprom"].write(spot.address + slot * spot.slot_bytes + 8, b"?")
    assert reopened(opened).load(Group.SETTINGS) is None


def test_a_slot_of_another_group_is_none_of_this():
    opened = store()
    one, other = LAYOUT.images[Group.COUNTERS], LAYOUT.images[Group.TWIN]
    opened.save(Group.COUNTERS, b"x")
    opened.devices["eeprom"].write(other.address, opened.devices["eeprom"].read(one.address, one.slot_bytes))
    assert reopened(opened).load(Group.TWIN) is None


def test_recovery_tells_what_was_torn():
    world = World(toy_layout())
    for step in script(1):
        world.do(*step)
    assert RecordStore(world.layout, world.devices).recover() == Recovery((), ())
    image = world.fork()
    image.supply.fail_after(10)
    with pytest.raises(Exception, match="cut in the write"):
        image.do(Group.BILLING, b"new and longer")
    image.supply.restore()
    assert RecordStore(image.layout, image.devices).recover() == Recovery((Group.BILLING,), ())
    world.supply.fail_after(4)
    with pytest.raises(Exception, match="cut in the write"):
        world.do(Log.QUALITY, bytes(world.layout.logs[Log.QUALITY].row_bytes))
    world.supply.restore()
    assert RecordStore(world.layout, world.devices).recover() == Recovery((), (Log.QUALITY,))


def test_what_does_not_fit_is_refused_and_nothing_changes():
    opened = store()
    opened.save(Group.TWIN, b"old")
    with pytest.raises(BadArgumentError):
        opened.save(Group.TWIN, bytes(LAYOUT.images[Group.TWIN].size_bytes + 1))
    for size in (EVENT_BYTES - 1, EVENT_BYTES + 1):
        with pytest.raises(BadArgumentError):
            opened.append(Log.FRAUD, bytes(size))
    assert (opened.load(Group.TWIN), opened.rows(Log.FRAUD)) == (b"old", [])


def test_a_group_that_a_layout_has_not_is_refused():
    layout = place(PARTS, {Group.TWIN: ImageRow("eeprom", 2, 9)}, {Log.CLOCK: LogRow(5, 3)})
    opened = store(layout)
    with pytest.raises(UnknownError):
        opened.load(Group.REGISTERS)
    with pytest.raises(UnknownError):
        opened.rows(Log.FRAUD)


def test_a_store_is_recovered_before_it_is_used():
    with pytest.raises(AssertionError):
        RecordStore(LAYOUT, new_devices(LAYOUT, Supply())).load(Group.TWIN)


BAD_LAYOUTS = {
    "one slot": ({Group.TWIN: ImageRow("eeprom", 1, 9)}, {}),
    "an image in flash": ({Group.TWIN: ImageRow("flash", 2, 9)}, {}),
    "beyond the part": ({Group.TWIN: ImageRow("eeprom", 99, 500)}, {}),
    "a row beyond a sector": ({}, {Log.CLOCK: LogRow(60, 1)}),
    "no rows": ({}, {Log.CLOCK: LogRow(5, 0)}),
}


@pytest.mark.parametrize(("images", "logs"), BAD_LAYOUTS.values(), ids=BAD_LAYOUTS)
def test_a_layout_that_cannot_work_is_refused(images, logs):
    with pytest.raises(BadArgumentError):
        place(PARTS, images, logs)


def test_slots_begin_at_pages():
    page = dataclasses.replace(part("eeprom"), page_bytes=64, sector_bytes=64)
    layout = place({"eeprom": page, "flash": part("flash")}, {Group.TWIN: ImageRow("eeprom", 2, 64 - IMAGE_OVERHEAD + 1)}, {})
    assert layout.images[Group.TWIN].slot_bytes == 128
