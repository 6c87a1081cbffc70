"""What a meter keeps through a power cut, wherever in its saving the supply ends."""

import numpy as np
import pytest

from nyala.meter import snapshots
from nyala.meter.bank import Bank
from nyala.meter.keeping import Keeper, forget, take_whole, whole
from nyala.meter.memory.device import Supply, SupplyLostError
from nyala.meter.memory.layout import Group, standard_layout
from nyala.meter.memory.records import RecordStore, new_devices
from nyala.meter.meter import Meter
from nyala.meter.model import meter_model
from nyala.meter.supply import SwitchEvent
from nyala.vocab.errors import ForeignError
from nyala.vocab.quantities import MWS_PER_WH

START_S = 1_767_225_600
LAYOUT = standard_layout()


class Kept:
    """A meter with its memory and its supply."""

    def __init__(self) -> None:
        self.power = Supply()
        self.devices = new_devices(LAYOUT, self.power, seed=3)
        self.meter = Meter(Bank([meter_model("three-phase")], START_S, ring_days=1), 0)
        self.keeper = Keeper(self.meter, RecordStore(LAYOUT, self.devices))
        self.keeper.rise()

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
        self.keeper = Keeper(self.meter, RecordStore(LAYOUT, self.devices))
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
    kept.keeper.fall()
    kept.restart()
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
    kept.keeper.fall()
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
            kept.keeper.fall()
        kept.restart()
        assert kept.energy() in (saved, now)
        kept.run(16)
        kept.keeper.fall()
        end = kept.energy()
        kept.restart()
        assert kept.energy() == end


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
