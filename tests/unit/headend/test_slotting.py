"""Who gets a slot, when it changes, and that a centre that starts again goes on with those that were told."""

from dataclasses import replace

from nyala.headend.registry import ConfigShadow, MeterRecord, Registry
from nyala.headend.slots import GUARD_LEAST_MS, GUARD_MOST_MS
from nyala.headend.slotting import SETTLED_UPLINKS, SHEET_MS, TRUSTED_S, Slotting, clock_error_ms
from nyala.lorawan.network.plan import indonesia
from nyala.vocab.reporting import REPORTED, ReportingSetting, decode_reporting, encode_reporting
from nyala.vocab.settings import Setting
from nyala.vocab.time import DAY_S, US_PER_S
from tests.unit.headend.fleet import START_S, record

NOW_US = (START_S + DAY_S) * US_PER_S


class Desk:
    """Slots of some meters, and what was wanted of them."""

    def __init__(self, *records: MeterRecord) -> None:
        self.registry = Registry(records or [record()])
        self.wanted: list[tuple[int, ReportingSetting]] = []
        self.begin()

    def begin(self) -> None:
        """The centre starts."""
        self.slotting = Slotting(self.registry, self._want, indonesia())

    def _want(self, meter_id: int, body: bytes, _now_us: int) -> None:
        self.registry.state(meter_id).config[Setting.REPORTING] = ConfigShadow(1, body)
        self.wanted.append((meter_id, decode_reporting(body)))

    def hears(self, number: int = 1, data_rate: int = 5, at_us: int = NOW_US) -> None:
        state = self.registry.state(number)
        state.data_rate, state.last_heard_us = data_rate, at_us
        state.uplinks += SETTLED_UPLINKS
        self.slotting.heard(self.registry.meter(number), state, at_us)


def test_a_meter_that_is_heard_gets_a_slot_once():
    desk = Desk()
    desk.hears()
    desk.hears()
    desk.hears(at_us=NOW_US + DAY_S * US_PER_S)
    [(meter_id, profile)] = desk.wanted
    assert (meter_id, profile.report_s, profile.channels, profile.parity) == (1, 3_600, REPORTED[1], True)
    assert profile.slot is not None


def test_a_meter_that_has_just_come_is_left_alone():
    desk = Desk()
    desk.registry.state(1).uplinks = -1
    desk.hears()
    assert desk.wanted == []
    desk.hears()
    assert len(desk.wanted) == 1


def test_a_slower_meter_gets_a_longer_slot():
    desk = Desk()
    desk.hears(data_rate=5)
    desk.hears(data_rate=2)
    first, second = (profile.slot for _, profile in desk.wanted)
    assert first != second
    slot = desk.slotting.plan.slot(1)
    assert slot is not None
    assert (slot.air_ms, slot.guard_ms) == (371, SHEET_MS + 4)


def test_what_an_operator_has_set_stays_besides_the_slot():
    desk = Desk()
    mine = ReportingSetting(3_600, 7_200, REPORTED[2], parity=False)
    desk.registry.state(1).config[Setting.REPORTING] = ConfigShadow(1, encode_reporting(mine))
    desk.hears()
    [(_, profile)] = desk.wanted
    assert profile.slot is not None
    assert replace(profile, slot=None) == mine


def test_meters_of_others_and_of_another_pace_get_none():
    desk = Desk(record(1), record(2, model="milesight-ws52x"), record(3, report_s=900))
    desk.registry.state(1).via = "cs"
    for number in (1, 2, 3):
        desk.hears(number)
    assert desk.wanted == []


def test_a_clock_counts_by_its_last_correction_and_only_while_that_is_fresh():
    desk = Desk()
    state = desk.registry.state(1)
    state.last_heard_us = NOW_US
    assert clock_error_ms(state) == SHEET_MS
    state.health.told["clock_error_ms"] = -30, START_S
    assert clock_error_ms(state) == 60
    desk.hears()
    slot = desk.slotting.plan.slot(1)
    assert slot is not None
    assert GUARD_LEAST_MS < slot.guard_ms < 70
    late_us = (START_S + TRUSTED_S) * US_PER_S
    desk.hears(at_us=late_us)
    assert clock_error_ms(state) > GUARD_MOST_MS
    assert [profile.slot is None for _, profile in desk.wanted] == [False, True]


def test_a_centre_that_starts_again_gives_nobody_another_slot():
    desk = Desk(*map(record, range(1, 30)))
    for number in range(1, 30):
        desk.hears(number)
    told, desk.wanted = {number: profile.slot for number, profile in desk.wanted}, []
    desk.begin()
    for number in range(29, 0, -1):
        desk.hears(number)
    assert desk.wanted == []
    assert len(set(told.values())) == 29


def test_nobody_gets_one_where_there_are_none():
    desk = Desk()
    desk.slotting = Slotting(desk.registry, desk._want)
    desk.hears()
    assert desk.wanted == []
