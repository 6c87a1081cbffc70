"""Firmware of a twin: an image is judged, started at its instant, tried, kept or left; a cut in any step leaves one whole."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nyala.lorawan.packages import firmware_layouts as fw
from nyala.lorawan.packages import layouts as c
from nyala.lorawan.packages.commands import Open, PackagePort, encode
from nyala.lorawan.packages.firmware_layouts import ImageStatus
from nyala.meter.calendar_tables import calendar_named
from nyala.meter.logs import event_id
from nyala.meter.model import meter_model
from nyala.meter.settings_codec import CalendarSetting, encode_setting
from nyala.telegram.blocks import Block, BlockKind, descriptor_of, encode_block, setting_block
from nyala.telegram.firmware import VIRTUAL_SEED, Image, decode_image, firmware_block, sign_image
from nyala.telegram.messages import Hello
from nyala.twin.firmware import MOVES, PAGE_BYTES, PAGE_US, STARTS_MAX, TRIAL_US, Turn
from nyala.twin.state import FACTORY_FIRMWARE, Boot
from nyala.vocab.settings import Setting, SettingBlock
from nyala.vocab.time import US_PER_S, gps_from_utc_us
from tests.unit.twin.test_packages import Place

MODEL = meter_model("single-phase").code
NEW = 0x0102
CODE = bytes(range(1, 251)) * 20
PAGES = -(-(len(CODE) + 76) // PAGE_BYTES)


def image(version: int = NEW, *, model: int = MODEL, code: bytes = CODE, seed: bytes = VIRTUAL_SEED) -> Block:
    return firmware_block(sign_image(Image(model, version, code), seed))


class Site(Place):
    """A meter to which blocks come."""

    size = 100

    def stage(self, block: Block) -> None:
        fragments = self.frag(encode_block(block), descriptor_of(block.kind, block.version))
        assert fragments == [c.FragSetupAns(0, 0, 0, 0, 0, 0, 0)]
        for number in range(1, len(self.fragments) + 1):
            fragment = Open(c.DataFragment(number, 0), self.fragments.fragment(number))
            self.say(encode([fragment]), PackagePort.FRAGMENTATION)
            self.run(2)
        self.run(60)
        assert block.kind is not BlockKind.FIRMWARE or self.twin.memory.flash.packages.firmware.image
        self.forget()

    def start_in(self, seconds: int) -> None:
        at = (gps_from_utc_us(self.now_us) // US_PER_S + seconds) % 2**32
        [answer] = self.tell(PackagePort.FIRMWARE, fw.DevRebootTimeReq(at))
        assert isinstance(answer, fw.DevRebootTimeAns)
        assert abs(answer.reboot_time - seconds) <= 1
        self.forget()

    def until_copying(self) -> None:
        for _ in range(6_000):
            if self.slots.boot is Boot.COPYING:
                return
            self.run(0.01)
        raise AssertionError("it never copies")

    def hellos(self) -> list[int]:
        return [hello.firmware for hello in self.told(Hello)]

    @property
    def slots(self):
        return self.twin.memory.flash.slots

    def whole(self) -> bool:
        """The slot that runs has a whole image, or the one of the factory."""
        version, body = self.slots.running, self.slots.codes[self.slots.active]
        return version == FACTORY_FIRMWARE if not body else decode_image(body) == Image(MODEL, version, CODE)


@pytest.fixture
def site():
    return Site()


def test_it_runs_the_new_version_from_its_instant_on_and_says_so(site):
    site.stage(image())
    site.start_in(600)
    site.run(580)
    assert (site.hellos(), site.slots.running) == ([], FACTORY_FIRMWARE)
    site.run(240)
    assert (site.hellos(), site.slots.running, site.slots.boot) == ([NEW], NEW, Boot.STEADY)
    assert site.tell(PackagePort.FIRMWARE, fw.DevVersionReq()) == [fw.DevVersionAns(NEW, MODEL)]
    assert site.tell(PackagePort.FIRMWARE, fw.DevUpgradeImageReq()) == [fw.DevUpgradeImageAns(0)]
    assert site.meter.operation.logs.count(event_id("firmware_changed")) == 1
    assert site.slots.versions[1 - site.slots.active] == FACTORY_FIRMWARE, "what ran before stays"


def test_the_meter_goes_on_measuring_while_the_module_starts(site):
    site.stage(image())
    site.start_in(60)
    before = site.meter.registers()["import_wh"]
    site.run(3_600)
    assert site.meter.registers()["import_wh"] - before == pytest.approx(1_000, abs=2)


@pytest.mark.parametrize(
    ("block", "status"),
    [
        (image(seed=bytes(32)), ImageStatus.WRONG),
        (image(model=MODEL + 1), ImageStatus.WRONG_HARDWARE),
        (Block(BlockKind.FIRMWARE, NEW + 1, image().body), ImageStatus.WRONG),
        (Block(BlockKind.FIRMWARE, NEW, b"no image"), ImageStatus.WRONG),
    ],
    ids=["not signed", "another model", "another version", "no image"],
)
def test_an_image_that_is_not_signed_or_not_for_this_meter_is_never_started(site, block, status):
    site.stage(block)
    assert site.tell(PackagePort.FIRMWARE, fw.DevUpgradeImageReq()) == [fw.DevUpgradeImageAns(status)]
    site.start_in(60)
    site.run(600)
    assert (site.slots.running, site.slots.boot) == (FACTORY_FIRMWARE, Boot.STEADY)
    assert site.meter.operation.logs.count(event_id("block_refused")) == 1


def test_an_image_is_told_and_may_be_deleted(site):
    site.stage(image())
    [answer] = site.tell(PackagePort.FIRMWARE, fw.DevUpgradeImageReq())
    assert answer == Open(fw.DevUpgradeImageAns(3), NEW.to_bytes(4, "little"))
    assert site.tell(PackagePort.FIRMWARE, fw.DevDeleteImageReq(NEW)) == [fw.DevDeleteImageAns(0, 0)]
    site.start_in(60)
    site.run(600)
    assert site.slots.running == FACTORY_FIRMWARE


def test_an_image_that_falls_over_gives_way_to_the_one_before(site):
    site.stage(image(code=bytes(4) + CODE))
    site.start_in(60)
    site.run(600)
    assert (site.hellos(), site.slots.running, site.slots.boot) == ([FACTORY_FIRMWARE], FACTORY_FIRMWARE, Boot.STEADY)
    assert site.tell(PackagePort.FIRMWARE, fw.DevUpgradeImageReq()) == [fw.DevUpgradeImageAns(0)]


def test_an_image_that_is_not_heard_gives_way_after_its_starts(site):
    site.stage(image())
    site.start_in(60)
    site.listening = False
    site.run(STARTS_MAX * TRIAL_US // US_PER_S - 600)
    assert (site.slots.running, site.slots.boot) == (NEW, Boot.TRIAL)
    site.run(1_800)
    assert (site.slots.running, site.slots.boot) == (FACTORY_FIRMWARE, Boot.STEADY)
    site.listening = True
    site.run(3_600)
    assert set(site.hellos()) == {FACTORY_FIRMWARE}


def test_a_gateway_that_is_away_for_some_hours_makes_no_way_back(site):
    site.stage(image())
    site.start_in(60)
    site.listening = False
    site.run(4 * 3_600)
    site.listening = True
    site.run(2 * 3_600)
    assert (site.slots.running, site.slots.boot) == (NEW, Boot.STEADY)


def test_an_instant_that_came_without_supply_is_made_good(site):
    site.stage(image())
    site.start_in(600)
    site.power(on=False)
    site.run(1_200)
    site.power(on=True)
    site.run(300)
    assert (site.slots.running, set(site.hellos())) == (NEW, {NEW})


def test_a_start_without_an_image_is_a_start(site):
    site.start_in(60)
    site.run(600)
    assert (site.hellos(), site.slots.boot, site.twin.mac.joined) == ([], Boot.STEADY, True)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, (PAGES + 3) * PAGE_US), st.integers(1, 400)), min_size=1, max_size=STARTS_MAX))
def test_a_power_cut_in_any_step_leaves_one_image_whole_and_ends_at_the_new_one(cuts):
    """Cuts fall before, between and after the pages, and before the first hello; each lasts some seconds."""
    site = Site()
    site.stage(image())
    site.start_in(30)
    site.run(19)
    for after_us, for_s in cuts:
        site.run(after_us / US_PER_S)
        site.power(on=False)
        assert site.whole()
        site.run(for_s)
        site.power(on=True)
        assert site.whole()
    site.run(2 * 3_600)
    assert (site.slots.running, site.slots.boot, site.whole()) == (NEW, Boot.STEADY, True)


@pytest.mark.parametrize("page", range(PAGES + 1))
def test_a_power_cut_behind_each_page_begins_the_copy_anew(page):
    site = Site()
    site.stage(image())
    site.start_in(30)
    site.until_copying()
    site.run((page * PAGE_US + PAGE_US // 2) / US_PER_S)
    site.power(on=False)
    assert site.whole()
    site.run(60)
    site.power(on=True)
    site.run(600)
    assert (site.slots.running, site.slots.boot, site.whole()) == (NEW, Boot.STEADY, True)


def test_a_copy_that_is_damaged_never_starts(site):
    site.stage(image())
    site.start_in(30)
    site.until_copying()
    site.run(0.06)
    site.slots.codes[1 - site.slots.active] = b"x" * PAGE_BYTES
    site.run(300)
    assert (site.slots.running, site.slots.boot) == (FACTORY_FIRMWARE, Boot.STEADY)


def test_the_table_of_moves_is_whole():
    assert {boot for boot, _ in MOVES} == set(Boot)
    assert {turn for _, turn in MOVES} == set(Turn)


def test_a_calendar_for_all_holds_from_its_instant_on_each_and_is_reported(site):
    value = CalendarSetting(calendar_named("flat"), site.meter.clock_s + 7_200)
    setting = SettingBlock(9, encode_setting(value)[1])
    site.stage(setting_block(Setting.CALENDAR, setting))
    assert site.meter.operation.settings.blocks[Setting.CALENDAR] == setting
    entry = next(each for each in site.twin.config.entries() if each.kind == Setting.CALENDAR)
    assert entry.version == 9


def test_a_setting_that_does_not_fit_is_refused(site):
    site.stage(setting_block(Setting.CALENDAR, SettingBlock(9, b"\xff")))
    assert site.meter.operation.settings.blocks == {}
    assert site.meter.operation.logs.count(event_id("block_refused")) == 1
