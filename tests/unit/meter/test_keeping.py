"""What a meter keeps through a power cut, wherever in its saving the supply ends."""

import numpy as np
import pytest

from nyala.meter import snapshots
from nyala.meter.bank import Bank
from nyala.meter.keeping import HOLD_UP_BYTES, Keeper, forget, take_whole, whole
from nyala.meter.logs import LogGroup, event_id
from nyala.meter.memory.device import SupplyLostError
from nyala.meter.memory.layout import Group, standard_layout
from nyala.meter.meter import Meter
from nyala.meter.model import meter_model
from nyala.meter.supply import SwitchEvent
from nyala.vocab.errors import ForeignError
from nyala.vocab.quantities import MWS_PER_WH, RATES, Channel

START_S = 1_767_225_600
LAYOUT = standard_layout()
MODULE = bytes(range(200))


class Kept:
    """A meter with its memory and its supply."""

    def __init__(self) -> None:
        self.meter = Meter(Bank([meter_model("three-phase")], START_S, ring_days=1), 0)
        self.keeper = Keeper(self.meter, seed=3)
        self.keeper.tick()
        self.power = self.keeper.power

    def run(self, minutes: int, power_w: int = 5_000) -> None:
        bank = self.meter.bank
        for _ in range(minutes):
            end_s = int(bank.now_s[0]) + 60
            bank.set_segment(np.array([0]), end_s, np.full((1, 8), power_w * 60_007))
            self.meter.advance(end_s)
            self.keeper.tick()

    def restart(self) -> None:
        """The supply is back, and the working memory empty."""
        self.power.restore()
        forget(self.meter)
        self.keeper.rise()

    def energy(self) -> list[int]:
        s = self.meter.bank.state
        return [int(each) for each in (s.wh[0] * MWS_PER_WH + s.rest_mws[0]).ravel()]


def test_a_power_fail_save_brings_everything_back():
    kept = Kept()
    kept.run(50)
    kept.meter.switch(SwitchEvent.REMOTE_DISCONNECT)
    assert kept.meter.operation.reset_demand(snapshots.Reason.COMMAND)
    kept.run(7)
    images = kept.keeper.registers(), kept.keeper.billing(), kept.keeper.state()
    logs, frozen = kept.meter.operation.logs, kept.meter.operation.snapshots
    kept.keeper.fall(MODULE)
    kept.restart()
    assert kept.keeper.store.load(Group.TWIN) == MODULE
    assert (kept.keeper.registers(), kept.keeper.billing(), kept.keeper.state()) == images
    assert not kept.meter.bank.closed[0]
    assert kept.meter.operation.snapshots == frozen
    assert kept.meter.operation.logs == logs


def test_images_fit_their_places():
    kept = Kept()
    sizes = {group: LAYOUT.images[group].size_bytes for group in Group}
    assert len(kept.keeper.registers()) <= sizes[Group.REGISTERS]
    assert len(kept.keeper.billing()) <= sizes[Group.BILLING]
    assert len(kept.keeper.state()) <= sizes[Group.CONFIGURATION]


def points_of_a_fall() -> int:
    kept = Kept()
    kept.run(20)
    before = kept.power.points
    kept.keeper.fall(MODULE)
    return kept.power.points - before


POINTS = points_of_a_fall()


@pytest.mark.parametrize("first", range(0, POINTS, 64))
def test_a_fall_that_is_cut_at_any_point_leaves_the_last_or_the_new_registers(first):
    for point in range(first, min(first + 64, POINTS)):
        kept = Kept()
        kept.run(15)
        saved = kept.energy()
        kept.run(5)
        now = kept.energy()
        kept.power.fail_after(point)
        with pytest.raises(SupplyLostError):
            kept.keeper.fall(MODULE)
        kept.restart()
        assert kept.energy() in (saved, now)
        kept.run(16)
        kept.keeper.fall(MODULE)
        end = kept.energy()
        kept.restart()
        assert kept.energy() == end


def test_the_design_has_the_energy_for_a_whole_save():
    assert POINTS < HOLD_UP_BYTES


def test_a_cut_with_energy_to_spare_loses_nothing_and_one_without_says_so():
    kept = Kept()
    kept.run(20)
    before, saved_s = kept.energy(), kept.meter.clock_s
    assert kept.keeper.cut(MODULE) == MODULE
    assert (kept.energy(), kept.keeper.torn, kept.keeper.saved_s) == (before, 0, saved_s)
    kept.run(5)
    assert kept.keeper.cut(b"newer", 100) == MODULE
    assert (kept.keeper.torn, kept.keeper.saved_s) == (1, saved_s)


def test_parts_are_made_at_the_first_tick_and_then_hold_what_the_meter_remembered_before():
    kept = Kept()
    kept.run(50)
    kept.meter.operation.reset_demand(snapshots.Reason.COMMAND)
    kept.run(20)
    operation = kept.meter.operation
    remembered = operation.logs, operation.snapshots, operation.reset_count, kept.energy()
    later = Keeper(kept.meter)
    assert later.devices == {}
    later.tick()
    later.save_module(MODULE)
    later.cut(MODULE, 0)
    assert (operation.logs, operation.snapshots, operation.reset_count, kept.energy()) == remembered


def test_what_was_logged_between_two_saves_outlives_a_cut_without_any_energy():
    kept = Kept()
    kept.keeper.save_module(MODULE)
    for detail in range(3):
        kept.meter.operation.log("clock_slewed", detail)
    logged = kept.keeper.tick()
    assert [entry.detail for entry in logged] == [0, 1, 2]
    kept.keeper.cut(MODULE, 0)
    assert kept.meter.operation.logs.of(LogGroup.CLOCK) == tuple(logged)
    assert kept.meter.operation.logs.count(event_id("clock_slewed")) == 3


def test_a_movement_of_the_switch_and_a_demand_reset_are_kept_at_once():
    kept = Kept()
    kept.keeper.save_module(MODULE)
    kept.run(50)
    kept.meter.operation.reset_demand(snapshots.Reason.COMMAND)
    kept.meter.switch(SwitchEvent.REMOTE_DISCONNECT)
    kept.keeper.tick()
    state, energy = kept.keeper.state(), kept.energy()
    kept.keeper.cut(MODULE, 0)
    assert (kept.keeper.state(), kept.energy()) == (state, energy)
    assert not kept.meter.bank.closed[0]
    assert kept.meter.value("max_import_w") == 0
    assert kept.meter.value("prev_import_w") == 5_000


def test_maxima_are_kept_at_each_hour():
    kept = Kept()
    kept.keeper.save_module(MODULE)
    kept.run(61)
    kept.keeper.cut(MODULE, 0)
    assert kept.meter.value("max_import_w") == 5_000


def test_an_edge_of_the_profile_proves_the_registers_of_its_rate_and_nothing_is_invented():
    kept = Kept()
    kept.keeper.save_module(MODULE)
    kept.run(14)
    saved = kept.energy()
    bank = kept.meter.bank
    bank.set_segment(np.array([0]), START_S + 1_000, np.full((1, 8), 5_000 * 160_007))
    kept.meter.advance(START_S + 1_000)  # beyond an edge, and no tick
    measured, edge = kept.energy(), kept.meter.edge_registers(kept.meter.last_edge)
    kept.keeper.cut(MODULE, 0)
    for channel in Channel:
        total = bank.wh[0, channel, 0]
        if channel in edge:
            assert total == edge[channel]
            assert total > saved[channel * (1 + RATES)] // MWS_PER_WH
        mws = bank.wh[0, channel] * MWS_PER_WH + bank.rest_mws[0, channel]
        assert int(mws[0]) == int(mws[1:].sum())
    assert all(now <= before for now, before in zip(kept.energy(), measured, strict=True))


def test_the_clock_goes_on_by_its_battery():
    kept = Kept()
    kept.keeper.save_module(MODULE)
    kept.meter.set_clock(123_000)
    kept.keeper.cut(MODULE, 0)
    assert kept.meter.clock_error_us == 123_000


def test_an_image_of_another_meter_is_refused():
    kept = Kept()
    kept.keeper.store.save(Group.REGISTERS, b"x" * 100)
    with pytest.raises(ForeignError, match="image of"):
        kept.keeper.rise()
    kept = Kept()
    kept.keeper.store.save(Group.CONFIGURATION, b"\xc1")
    with pytest.raises(ForeignError, match="image of the state"):
        kept.keeper.rise()


def test_everything_of_an_operation_goes_through_one_image():
    kept = Kept()
    kept.run(50)
    kept.meter.switch(SwitchEvent.REMOTE_DISCONNECT)
    kept.meter.operation.reset_demand(snapshots.Reason.BUTTON)
    image = whole(kept.meter.operation)
    other = Meter(Bank([meter_model("three-phase")], START_S, ring_days=1), 0)
    take_whole(other.operation, image)
    other.bank.now_s[0] = kept.meter.bank.now_s[0]
    assert whole(other.operation) == image
    assert (other.switch_state.value, other.bank.closed[0]) == (0, False)
    assert not other.operation.reset_demand(snapshots.Reason.BUTTON)
    with pytest.raises(ForeignError):
        take_whole(other.operation, b"x")
