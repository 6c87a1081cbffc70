"""Silence of meters and gateways: when it begins, when it ends, and what explains it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.headend.storms_shapes import storm_table
from nyala.headend.storms_silence import Change, Hearing, Silence, SilenceWatch
from nyala.vocab.time import US_PER_S

T = 1_762_560_000
REPORT_S = 3_600
RULE = storm_table()[1]
LIMIT_S = RULE.report_periods * REPORT_S + RULE.grace_s
G1, G2 = "0016c001f0000001", "0016c001f0000002"


class World:
    def __init__(self, silent=(), down=()):
        self.now_s = T
        self.heard: dict[int, tuple[int, tuple[str, ...]]] = {1: (T, (G1,)), 2: (T, (G1, G2)), 3: (0, ())}
        self.seen = {G1: T, G2: T}
        self.watch = SilenceWatch(T * US_PER_S, dict(silent), down)

    def hearing(self, meter):
        heard_s, gateways = self.heard[meter]
        return Hearing(heard_s * US_PER_S, REPORT_S, gateways)

    def step(self, seconds=0, *, gateways=(G1, G2)):
        self.now_s += seconds
        self.seen |= dict.fromkeys(gateways, self.now_s)
        seen_us = {eui: at_s * US_PER_S for eui, at_s in self.seen.items()}
        return self.watch.step(self.now_s * US_PER_S, list(self.heard), self.hearing, seen_us)

    def hears(self, *meters, gateways=(G1,)):
        self.heard |= dict.fromkeys(meters, (self.now_s, gateways))


@pytest.fixture
def world():
    return World()


def test_a_meter_is_silent_after_its_report_periods_and_heard_again_when_it_is(world):
    assert world.step(LIMIT_S - 1) == []
    assert world.step(1) == [Silence(Change.METER_SILENT, T, 1), Silence(Change.METER_SILENT, T, 2)]
    assert world.step(10 * REPORT_S) == []
    world.hears(1)
    assert world.step() == [Silence(Change.METER_HEARD, world.now_s, 1)]
    assert world.step(LIMIT_S) == [Silence(Change.METER_SILENT, world.now_s - LIMIT_S, 1)]


def test_a_meter_that_was_never_heard_is_not_silent(world):
    assert 3 not in {each.meter_id for each in world.step(100 * LIMIT_S)}


def test_what_was_silent_before_a_restart_is_not_said_twice():
    world = World(silent={1: T - 99_999})
    world.heard[1] = (T - 99_999, (G1,))
    assert [each.meter_id for each in world.step(2 * LIMIT_S)] == [2]


def test_nobody_is_silent_only_because_the_centre_was_down(world):
    world.heard |= {1: (T - 9 * LIMIT_S, (G1,)), 2: (T - 9 * LIMIT_S, (G1, G2))}
    world.seen = {G1: T - 9 * LIMIT_S, G2: T - 9 * LIMIT_S}
    assert world.step(RULE.gateway_s, gateways=()) == []


def test_a_gateway_is_silent_and_heard(world):
    world.hears(2, gateways=(G1, G2))
    assert world.step(RULE.gateway_s, gateways=(G2,)) == []
    assert world.step(1, gateways=(G2,)) == [Silence(Change.GATEWAY_SILENT, T, gateway=G1)]
    assert world.step(5, gateways=(G2,)) == []
    assert world.step(1) == [Silence(Change.GATEWAY_HEARD, world.now_s, gateway=G1)]


def test_a_meter_that_was_removed_is_not_silent_any_more(world):
    world.step(LIMIT_S)
    del world.heard[1]
    assert world.step(1) == [Silence(Change.METER_HEARD, world.now_s, 1)]
    assert world.step(9 * LIMIT_S) == []
    world.hears(1)
    assert world.step(LIMIT_S) == [Silence(Change.METER_SILENT, world.now_s - LIMIT_S, 1)]


def test_an_outage_of_its_only_gateway_explains_a_meter_and_not_one_that_others_hear(world):
    world.step(RULE.gateway_s + 1, gateways=(G2,))
    said = world.step(LIMIT_S, gateways=(G2,))
    assert said == [Silence(Change.EXPLAINED, world.now_s, 1, G1), Silence(Change.METER_SILENT, T, 2)]
    assert [each.change for each in world.step(REPORT_S)] == [Change.GATEWAY_HEARD]
    assert world.step(LIMIT_S - REPORT_S) == []  # it has its time again
    assert world.step(REPORT_S) == [Silence(Change.METER_SILENT, T, 1)]


@given(st.lists(st.tuples(st.sampled_from([1, 2, 0]), st.integers(1, 3 * LIMIT_S)), max_size=40))
def test_a_meter_is_said_to_be_silent_exactly_while_it_is(said):
    world = World()
    silent: set[int] = set()
    for meter, gap_s in said:
        for each in world.step(gap_s):
            if each.change is Change.METER_SILENT:
                assert each.meter_id not in silent
                silent.add(each.meter_id)
            else:
                silent.remove(each.meter_id)
        late = {each for each in (1, 2) if world.now_s - world.heard[each][0] >= LIMIT_S + REPORT_S}
        true = {each for each in (1, 2) if world.now_s - world.heard[each][0] >= LIMIT_S}
        assert late <= silent <= true
        if meter:
            world.hears(meter)
            world.step(2)
            silent.discard(meter)
