"""The law of the memory: after a cut at any write point the old or the new is there, and the meter goes on."""

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.meter.memory.device import SupplyLostError
from nyala.meter.memory.layout import Group, ImageRow, Log, LogRow, place
from nyala.meter.memory.parts import part_table
from nyala.meter.memory.records import RecordStore
from tests.unit.meter.memory.stores import World, script, toy_layout

STEPS = script()


def go_on(world: World, steps) -> None:
    """Power-up, check, work, and another look after a second power-up: nothing may flicker."""
    assert world.power_up()
    world.check()
    for step in steps:
        world.do(*step)
    assert world.power_up()
    world.check()


def cut_everywhere(world: World, steps, after) -> int:
    """Cuts every step of a script at every write point; how many there were."""
    points = 0
    for step in steps:
        for point in count():
            fork = world.fork()
            fork.supply.fail_after(point)
            try:
                fork.do(*step)
            except SupplyLostError:
                points += 1
                go_on(fork, after)
            else:
                break
        world.do(*step)
    world.check()
    return points


@pytest.mark.parametrize("seed", [1, 2])
def test_a_cut_at_every_write_point_leaves_the_old_or_the_new(seed):
    world = World(toy_layout(), seed)
    before = world.supply.points
    points = cut_everywhere(world, STEPS, STEPS[:9:4])
    assert points == world.supply.points - before
    assert points > 2000
    assert all(world.images.values())
    assert all(world.logs.values())


def test_a_cut_at_every_write_point_of_a_real_register_save_and_profile_sector():
    parts = {name: part for name, part in part_table().items() if name != "fram"}
    layout = place(parts, {Group.REGISTERS: ImageRow("eeprom", 2, 1526)}, {Log.PROFILE: LogRow(59, 4)})
    world = World(layout)
    for turn in range(3):
        world.do(Group.REGISTERS, bytes([turn]) * 1526)
    for turn in range(layout.logs[Log.PROFILE].rows_per_sector * 2):
        world.do(Log.PROFILE, bytes([turn]) * 59)
    steps = [(Group.REGISTERS, bytes(range(218)) * 7), (Log.PROFILE, b"\xff" * 59)]
    assert cut_everywhere(world, steps, [(Log.PROFILE, bytes(59))]) == 1526 + 10 + 8 + 10 + 64


def test_a_cut_at_every_write_point_of_a_recovery_changes_nothing():
    world = World(toy_layout())
    for step in STEPS[:40]:
        world.do(*step)
    for first in range(0, 60, 6):
        torn = world.fork()
        with pytest.raises(SupplyLostError):
            torn.work_until_cut(STEPS[40:], first)
        for second in count():
            fork = torn.fork()
            if fork.power_up(second):
                break
            go_on(fork, STEPS[:3])


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    skip=st.integers(0, len(STEPS) - 1),
    cuts=st.lists(st.tuples(st.integers(0, 1500), st.lists(st.integers(0, 60), max_size=3)), min_size=1, max_size=4),
)
def test_cuts_in_work_and_again_in_the_recoveries_lose_nothing(seed, skip, cuts):
    world = World(toy_layout(), seed)
    for step in STEPS[:skip]:
        world.do(*step)
    for point, again in cuts:
        with pytest.raises(SupplyLostError):
            world.work_until_cut(STEPS, point)
        for second in again:
            world.power_up(second)
        assert world.power_up()
        world.check()
    go_on(world, STEPS)


@pytest.mark.parametrize("seed", range(40))
def test_cut_after_cut_in_the_recovery_of_a_last_byte_an_image_that_was_seen_is_not_unseen(seed):
    world = World(toy_layout(), seed)
    world.do(Group.REGISTERS, b"old")
    world.supply.fail_after(4 + 2 + 3 + 3)
    with pytest.raises(SupplyLostError):
        world.do(Group.REGISTERS, b"new")
    for point in (0, 12, 5, 0, 12):
        world.power_up(point)
    go_on(world, [])
    for point in (0, 1, 0, 1, 0):
        world.power_up(point)
    go_on(world, STEPS[:1])


def test_the_check_can_fail():
    world = World(toy_layout())
    world.do(Group.REGISTERS, b"one")
    world.do(Log.FRAUD, bytes(world.layout.logs[Log.FRAUD].row_bytes))
    world.images[Group.REGISTERS] = b"two"
    with pytest.raises(AssertionError):
        world.check()
    world.images[Group.REGISTERS] = b"one"
    world.logs[Log.FRAUD].append(bytes(5))
    with pytest.raises(AssertionError):
        world.check()


@pytest.mark.parametrize("saves", [0, 1, 2, 5])
@pytest.mark.parametrize("point", [0, 3, 6, 9, 12])
def test_a_torn_slot_is_settled_by_one_recovery(saves, point):
    world = World(toy_layout())
    for turn in range(saves):
        world.do(Group.REGISTERS, bytes([turn]) * 9)
    world.supply.fail_after(point)
    with pytest.raises(SupplyLostError):
        world.do(Group.REGISTERS, b"other")
    world.supply.restore()
    first, second = (RecordStore(world.layout, world.devices).recover() for _ in range(2))
    assert Group.REGISTERS in first.torn_images or point == 0
    assert second.torn_images == ()
