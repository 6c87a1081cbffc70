"""Storms: single alarms, incidents at a site or a gateway, gateway outages; against a simple model, and over restarts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.headend.storms import Storms
from nyala.headend.storms_shapes import Entry, Origin, Scope, storm_table
from nyala.vocab.alarms import Alarm
from nyala.vocab.centre_alarms import GATEWAY_SILENT, SILENT, alarm_kinds
from nyala.vocab.time import US_PER_S

T = 1_762_560_000
MAGNET = int(Alarm.MAGNET)
RULE = storm_table()[0][MAGNET]
GATEWAY = "0016c001f0000001"


def origin(meter_id):
    """Meters below 100 are of site A; then one site each ten; all of one gateway.  Those from 5000 are the neighbour's."""
    site = "A" if meter_id < 100 else f"S{meter_id // 10}"
    return Origin(2 if meter_id >= 5000 else 1, f"N{meter_id:05d}", site, GATEWAY)


class World:
    """Storms with a clock, and a dict for a store."""

    def __init__(self, *, restarts=False):
        self.now_s, self.restarts = T, restarts
        self.incidents, self.entries, self.notices = {}, {}, []
        self.storms = Storms(origin)

    def stored(self):
        taken = self.storms.take()
        self.entries |= {entry.key: replace(entry) for entry in taken.entries}
        for entry in taken.gone:
            del self.entries[entry.key]
        self.incidents |= {incident.id: replace(incident) for incident in taken.incidents}
        self.notices += taken.notices
        if self.restarts:
            still = {number for number, each in self.incidents.items() if each.ended_us is None}
            entries = [replace(e) for e in self.entries.values() if e.incident_id is None or e.incident_id in still]
            again = [replace(self.incidents[number]) for number in still]
            self.storms = Storms(origin, again, entries, len(self.incidents) + 1)

    @property
    def now_us(self):
        return self.now_s * US_PER_S

    def later(self, seconds):
        self.now_s += seconds
        self.storms.poll(self.now_us)
        self.stored()

    def on(self, *meters, alarm=MAGNET, cleared_s=None):
        for meter in meters:
            self.storms.raised(Entry(meter, alarm, self.now_s, self.now_us, None, cleared_s))
        self.stored()

    def off(self, *meters, alarm=MAGNET):
        for meter in meters:
            self.storms.cleared(meter, alarm, self.now_s, self.now_s + 1, self.now_us)
        self.stored()

    @property
    def told(self):
        return [(each.scope.value, each.place, each.on, each.meters) for each in self.notices]


@pytest.fixture(params=[False, True], ids=["one-run", "restarted"])
def world(request):
    return World(restarts=request.param)


def test_every_kind_has_a_rule_that_makes_sense():
    rules, silence = storm_table()
    assert set(rules) == set(alarm_kinds())
    assert all(2 <= rule.site_meters <= rule.gateway_meters for rule in rules.values())
    assert all(0 <= rule.hold_s < rule.window_s for rule in rules.values())
    assert all(rule.quiet_s > 0 for rule in rules.values())
    assert silence.report_periods >= 2


def test_a_single_alarm_is_told_after_its_hold_and_again_when_it_is_over(world):
    world.on(1)
    world.later(RULE.hold_s - 1)
    assert world.told == []
    world.later(1)
    world.later(1_000)
    assert world.told == [("meter", "N00001", True, 1)]
    world.off(1)
    assert world.told == [("meter", "N00001", True, 1), ("meter", "N00001", False, 1)]
    world.off(1)
    assert len(world.told) == 2
    assert world.entries == {}


def test_an_alarm_that_is_over_within_its_hold_is_told_with_its_end(world):
    world.on(1)
    world.off(1)
    world.later(RULE.hold_s)
    assert world.told == [("meter", "N00001", True, 1), ("meter", "N00001", False, 1)]


def test_an_alarm_of_the_past_is_told_with_its_end(world):
    world.on(1, cleared_s=T)
    world.later(RULE.hold_s)
    assert [on for *_, on, _ in world.told] == [True, False]


def test_many_meters_of_a_site_are_one_incident(world):
    world.on(*range(1, RULE.site_meters + 1))
    world.on(50, 51)
    world.later(RULE.hold_s)
    assert world.told == [("site", "A", True, RULE.site_meters + 2)]
    world.on(60)
    world.later(2_000)
    assert len(world.told) == 1
    [incident] = world.incidents.values()
    assert (incident.meters, incident.meters_on, incident.ended_us) == (RULE.site_meters + 3, RULE.site_meters + 3, None)


def test_one_meter_again_and_again_is_no_storm(world):
    for _ in range(3 * RULE.site_meters):
        world.on(1)
        world.later(1)
        world.off(1)
    world.later(RULE.window_s)
    assert {scope for scope, *_ in world.told} == {"meter"}


def test_alarms_that_are_further_apart_than_the_window_are_no_storm(world):
    for meter in range(1, 20):
        world.on(meter)
        world.later(RULE.window_s // (RULE.site_meters - 1) + 1)
    assert {scope for scope, *_ in world.told} == {"meter"}


def test_two_kinds_are_two_things(world):
    half = RULE.site_meters - 1
    world.on(*range(1, half + 1))
    world.on(*range(11, half + 11), alarm=int(Alarm.MAIN_COVER_OPEN))
    world.later(RULE.hold_s)
    assert {scope for scope, *_ in world.told} == {"meter"}


def test_meters_of_many_sites_under_one_gateway_are_one_incident_of_the_gateway(world):
    world.on(*range(100, 100 + 10 * RULE.gateway_meters, 10))
    world.later(RULE.hold_s)
    assert world.told == [("gateway", GATEWAY, True, RULE.gateway_meters)]
    assert len(world.notices[0].sites) == RULE.gateway_meters


def test_tenants_are_walls_for_storms_too(world):
    half = RULE.gateway_meters // 2
    world.on(*range(100, 100 + 10 * half, 10), *range(5000, 5000 + 10 * half, 10))
    world.later(RULE.hold_s)
    assert {scope for scope, *_ in world.told} == {"meter"}
    world.on(*range(5500, 5500 + 10 * half, 10))
    world.later(RULE.hold_s)
    assert [each.tenant_id for each in world.notices if each.scope is Scope.GATEWAY] == [2]


def test_an_incident_is_over_when_all_its_alarms_have_been_off_for_a_while(world):
    meters = range(1, 21)
    world.on(*meters)
    world.later(100)
    world.off(*meters)
    world.later(RULE.quiet_s - 1)
    assert len(world.told) == 1
    world.on(21)  # within the quiet: it goes on
    world.off(21)
    world.later(RULE.quiet_s - 1)
    assert len(world.told) == 1
    world.later(1)
    assert world.told[-1] == ("site", "A", False, 21)
    assert [each.ended_us is not None for each in world.incidents.values()] == [True]
    world.on(1)
    world.later(RULE.hold_s)
    assert world.told[-1] == ("meter", "N00001", True, 1)


def test_a_thousand_meters_of_a_site_are_one_outage_and_two_notices():
    world = World()
    world.storms = Storms(lambda number: Origin(1, str(number), "Blok C", GATEWAY))
    world.on(*range(1_000))
    world.later(RULE.hold_s)
    world.off(*range(1_000))
    world.later(RULE.quiet_s)
    assert world.told == [("site", "Blok C", True, 1_000), ("site", "Blok C", False, 1_000)]
    assert len(world.entries) == 1_000


def test_a_gateway_that_is_down_explains_its_meters(world):
    world.storms.gateway_down([1, 2], GATEWAY, T - 600, world.now_us)
    for meter in (*range(1, 31), 5000):
        world.storms.explained(meter, GATEWAY, world.now_s, world.now_us)
        world.storms.explained(meter, GATEWAY, world.now_s, world.now_us)
    world.stored()
    world.later(9_000)
    assert [(each.tenant_id, each.alarm, each.place, each.on) for each in world.notices] == [
        (1, GATEWAY_SILENT, GATEWAY, True),
        (2, GATEWAY_SILENT, GATEWAY, True),
    ]
    assert sorted(each.meters for each in world.incidents.values()) == [1, 30]
    world.storms.gateway_up(GATEWAY, world.now_s, world.now_us)
    world.stored()
    assert [each.on for each in world.notices] == [True, True, False, False]
    assert [each.meters_on for each in world.incidents.values()] == [0, 0]
    world.storms.gateway_up(GATEWAY, world.now_s, world.now_us)
    world.stored()
    assert len(world.notices) == 4


# -- against a model

meters = st.integers(1, 12) | st.sampled_from([100, 110, 5000])
steps = st.lists(st.tuples(st.sampled_from(["on", "off", "wait"]), meters, st.sampled_from([0, 1, 7, 40, 400])), max_size=60)


def play(world, said):
    """Plays steps; answers the times that each alarm went on, by meter."""
    on: dict[int, bool] = {}
    times = []
    for what, meter, gap_s in said:
        world.later(gap_s)
        if what == "on" and not on.get(meter):
            if (meter, world.now_s) in times:
                world.later(1)
            on[meter] = True
            times.append((meter, world.now_s))
            world.on(meter)
        elif what == "off":
            on[meter] = False
            world.off(meter)
    for meter in sorted(on):
        world.off(meter)
    for _ in range(3):
        world.later(10_000)
    return times


@given(steps)
def test_every_alarm_is_told_once_alone_or_in_one_incident_and_everything_ends(said):
    world = World()
    times = play(world, said)
    subjects = [each.subject for each in world.notices]
    assert len(subjects) == len(set(subjects))
    began = {subject.removesuffix("-raised") for subject in subjects if subject.endswith("-raised")}
    ended = {subject.removesuffix("-cleared") for subject in subjects if subject.endswith("-cleared")}
    incidents = {subject for subject in began if subject.startswith("incident")}
    assert (
        incidents == ended & {f"incident-{number}" for number in world.incidents} == {f"incident-{n}" for n in world.incidents}
    )
    for meter, at_s in times:
        alone = f"alarm-{meter}-{MAGNET}-{at_s}"
        member = (meter, MAGNET, at_s) in world.entries
        assert member or (alone in began and alone in ended)
    assert all(each.incident_id in world.incidents for each in world.entries.values())
    inside = world.storms
    left = (inside._entries, inside._recent, inside._open, inside._incidents, inside._members, inside._on, inside._due)
    assert [each for each in left if each] == []


@given(steps)
def test_a_restart_after_every_step_changes_nothing(said):
    one, restarted = World(), World(restarts=True)
    play(one, said)
    play(restarted, said)
    assert sorted(each.subject for each in restarted.notices) == sorted(each.subject for each in one.notices)
    assert restarted.incidents == one.incidents
    assert restarted.entries == one.entries


def test_a_silent_meter_is_an_alarm_as_others_are(world):
    world.on(1, alarm=SILENT)
    world.later(storm_table()[0][SILENT].hold_s)
    assert world.told == [("meter", "N00001", True, 1)]
