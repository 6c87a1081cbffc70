"""Configuration at the centre against a simple meter behind an air that loses, repeats and forgets."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from nyala.headend.budget import PER_CENT, SHARE_PCT, UNKNOWN_US, Budget, Share
from nyala.headend.configuration import ATTEMPTS_MAX, CHECK_US, OPEN_MAX, Configuration, Stand
from nyala.headend.registry import ConfigShadow, MeterState
from nyala.lorawan.network.port import Downlink, DownlinkFate, Fate, Way
from nyala.store import rows
from nyala.telegram.config import ConfigPart, ConfigReport, Reported
from nyala.telegram.kinds import Opcode, Result
from nyala.telegram.messages import Answer
from nyala.vocab.errors import BadArgumentError, NotAllowedError, UnknownError
from nyala.vocab.settings import Setting, SettingBlock
from nyala.vocab.time import US_PER_S
from tests.unit.headend.config_line import BODY, OTHER, Line, SimpleMeter
from tests.unit.headend.fleet import record

PACE_US = UNKNOWN_US * PER_CENT // SHARE_PCT[Share.ORDERS]
"""Between two downlinks where no gateway is known."""


def test_a_wanted_block_is_sent_in_frames_of_dr2_and_reported_by_the_answer():
    line = Line()
    assert line.want().version == 1
    line.run(60)
    assert line.meters[1].has == {Setting.CALENDAR: SettingBlock(1, BODY)}
    assert line.in_step()
    assert (max(line.lengths), len(line.lengths)) == (11, 16)


def test_a_meter_that_is_heard_at_a_higher_rate_gets_larger_parts_and_small_ones_where_they_are_too_long():
    line = Line(states=[MeterState(1, data_rate=3)])
    line.want()
    line.run(60)
    assert (line.lengths[0], line.in_step()) == (53, True)
    line = Line(states=[MeterState(1, data_rate=5)])
    line.fate = Fate.TOO_LONG
    line.want()
    [downlink, *_] = line.configuration.poll(line.now_us)
    assert len(downlink.payload) == 104
    line.leaves(downlink)
    line.fate = Fate.SENT
    line.run(60)
    assert (line.lengths[0], line.in_step()) == (11, True)


def test_the_same_bytes_are_no_new_version_and_others_are():
    line = Line()
    assert (line.want().version, line.want().version, line.want(OTHER).version) == (1, 1, 2)
    line.run(60)
    assert line.meters[1].has == {Setting.CALENDAR: SettingBlock(2, OTHER)}


def test_kinds_are_sent_one_after_another():
    line = Line()
    for kind in Setting:
        line.want(bytes([kind] * 20), kind)
    line.run(120)
    assert line.meters[1].has == {kind: SettingBlock(1, bytes([kind] * 20)) for kind in Setting}


@pytest.mark.parametrize("seed", range(5))
def test_a_tenth_lost_costs_little_more_than_nothing_lost(seed):
    line = Line(loss=0.1, seed=seed)
    line.want(bytes(100))
    line.run(1_800)
    assert line.in_step()
    assert len(line.sent) < 45


@pytest.mark.parametrize("result", [Result.NO_SUCH_PART, Result.MALFORMED, Result.NOT_ALLOWED, Result.UNKNOWN_OPCODE])
def test_a_refused_block_is_shown_and_not_sent_again_before_another_is_wanted_or_the_meter_is_new(result):
    line = Line()
    line.meters[1].refuses = result
    line.want()
    line.run(60)
    assert (line.shadow().refused, line.commits(), line.in_step()) == (result.name.lower().replace("_", " "), 1, False)
    line.run(5 * CHECK_US / US_PER_S)
    assert line.commits() == 1
    line.want(OTHER)
    assert line.shadow().refused == ""
    line.run(60)
    assert line.commits() == 2
    line.meters[1].refuses = None
    line.configuration.heard_anew(1, line.now_us)
    line.run(60)
    assert line.in_step()


def test_a_wrong_checksum_brings_all_parts_again():
    line = Line()
    line.meters[1].parts[Setting.CALENDAR, 1] = dict.fromkeys(range(100), 9)
    hears = line.meters[1].hears
    line.meters[1].hears = lambda said: None if isinstance(said, ConfigPart) else hears(said)  # type: ignore[method-assign]
    line.want()
    line.run(20)
    assert not line.in_step()
    del line.meters[1].hears
    line.run(300)
    assert line.in_step()


def test_a_meter_that_forgot_everything_is_repaired_after_its_hello_and_within_a_day_without():
    for hello in (True, False):
        line = Line()
        line.want()
        line.want(OTHER, Setting.LIMITER)
        line.run(100)
        line.meters[1] = SimpleMeter()
        if hello:
            line.configuration.heard_anew(1, line.now_us)
            line.run(200)
        else:
            line.run(CHECK_US / US_PER_S + 200)
        assert len(line.meters[1].has) == 2
        assert line.configuration.repaired == 4


def test_a_meter_without_wanted_blocks_is_never_spoken_to():
    line = Line()
    line.configuration.heard_anew(1, line.now_us)
    assert line.configuration.next_us is None
    line.hears(1, SimpleMeter().report())
    assert line.configuration.next_us is None


@pytest.mark.parametrize("why", ["silent", "no session", "not taken"])
def test_a_meter_that_is_away_is_tried_later_and_later_and_then_rests_until_its_check(why):
    line = Line()
    line.loss = 1.0
    line.takes = why != "not taken"
    line.fate = Fate.NO_SESSION if why == "no session" else Fate.SENT
    line.want()
    line.run(48 * 3_600)
    assert line.configuration.rested >= 1
    assert ATTEMPTS_MAX <= line.configuration.exchanges <= 2 * ATTEMPTS_MAX + 2
    line.loss, line.takes, line.fate = 0.0, True, Fate.SENT
    line.configuration.heard_anew(1, line.now_us)
    line.run(200)
    assert line.in_step()


def test_a_lost_answer_costs_one_commit_and_no_parts():
    line = Line()
    line.want()
    downlinks: list[Downlink] = []
    while not line.commits():
        line.now_us += PACE_US
        downlinks = line.configuration.poll(line.now_us)
        line.loss = 1.0 if downlinks and downlinks[0].port == 20 else 0.0
        for downlink in downlinks:
            line.leaves(downlink)
    line.meters[1].hears(line.sent[-1][1])
    line.loss, count = 0.0, len(line.sent)
    line.run(300)
    assert (line.in_step(), len(line.sent) - count) == (True, 1)


def busy(line: Line) -> int:
    """Meters with which an exchange is open."""
    return sum(work.stand is not Stand.IDLE for work in line.configuration._work.values())


def test_meters_below_different_gateways_do_not_wait_for_each_other():
    line = Line(4)
    town = SimpleNamespace(way=lambda dev_eui, _bytes: Way(dev_eui % 2 + 7, UNKNOWN_US, UNKNOWN_US))
    line.configuration = Configuration(line.registry, budget=Budget(town))
    for number in range(1, 5):
        line.want(number=number)
    assert {downlink.dev_eui % 2 for downlink in line.configuration.poll(line.now_us)} == {0, 1}
    assert line.configuration.poll(line.now_us + PACE_US - 1) == []
    assert len(line.configuration.poll(line.now_us + PACE_US)) == 2


def test_few_exchanges_are_open_at_once_and_all_meters_have_their_turn():
    line = Line(40)
    for number in range(1, 41):
        line.want(number=number)
    for turn in range(100):
        now_us = line.now_us + turn * PACE_US
        assert len(line.configuration.poll(now_us)) <= 1
        assert line.configuration.poll(now_us + PACE_US - 1) == []
        assert busy(line) <= OPEN_MAX
    line.now_us = now_us
    line.run(2 * 3_600)
    assert all(line.in_step(number) for number in range(1, 41))


def test_what_is_wanted_and_reported_lives_in_the_stored_shadow_and_goes_on_from_there():
    line = Line()
    line.want()
    line.registry.state(1).data_rate = 2
    stored = rows._shadow.decode(msgspec.msgpack.encode(line.registry.state(1)))
    assert stored == line.registry.state(1)
    again = Line(states=[stored])
    again.run(60)
    assert (again.in_step(), again.meters[1].has) == (True, {Setting.CALENDAR: SettingBlock(1, BODY)})
    old = msgspec.to_builtins(MeterState(1))
    del old["config"]
    assert msgspec.convert(old, MeterState).config == {}


def test_an_answer_to_nothing_an_unknown_kind_and_a_stale_fate_change_nothing():
    line = Line()
    line.want()
    [first, *_] = line.configuration.poll(line.now_us)
    before = line.shadow()
    line.hears(1, Answer(999, Opcode.CONFIG_COMMIT, Result.DONE))
    line.hears(2 - 1, ConfigReport((Reported(200, 1, 1),)))
    line.configuration.fate(DownlinkFate(1, ("config", 1, 99), Fate.NO_SESSION), line.now_us)
    line.configuration.fate(DownlinkFate(1, ("command", 1, 1), Fate.NO_SESSION), line.now_us)
    assert (line.shadow(), line.configuration.exchanges) == (before, 1)
    line.leaves(first)


def test_what_cannot_be_wanted_is_refused():
    line = Line()
    with pytest.raises(UnknownError):
        line.want(number=7)
    with pytest.raises(BadArgumentError):
        line.want(b"")
    with pytest.raises(BadArgumentError):
        line.want(bytes(2_000))
    line.registry.add(record(3, model="eastron-sdm230-lorawan"))  # another maker's
    with pytest.raises(NotAllowedError):
        line.want(number=3)
    assert line.registry.state(1).config == {}


def test_versions_go_round_and_never_take_that_of_the_meter():
    line = Line(states=[MeterState(1, config={1: ConfigShadow(version=3, wanted=OTHER, reported_version=0xFFFF)})])
    assert line.want().version == 1


class Machine(RuleBasedStateMachine):
    """Whatever is wanted, lost, forgotten and restarted: in the end the meter has what is wanted, and nothing else ever."""

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed: int) -> None:
        self.line: Any = Line(seed=seed)
        self.wanted: dict[Setting, set[bytes]] = {kind: set() for kind in Setting}

    @rule(kind=st.sampled_from(Setting), size=st.integers(1, 40), fill=st.integers(0, 3))
    def want(self, kind: Setting, size: int, fill: int) -> None:
        body = bytes([fill] * size)
        self.wanted[kind].add(body)
        self.line.want(body, kind)

    @rule(loss=st.sampled_from([0.0, 0.3, 0.9]), minutes=st.integers(1, 600))
    def time(self, loss: float, minutes: int) -> None:
        self.line.loss = loss
        self.line.run(minutes * 60)

    @rule(hello=st.booleans())
    def forget(self, *, hello: bool) -> None:
        self.line.meters[1] = SimpleMeter()
        if hello:
            self.line.configuration.heard_anew(1, self.line.now_us)

    @rule()
    def crash(self) -> None:
        self.line.configuration = Configuration(self.line.registry)

    @invariant()
    def nothing_unwanted(self) -> None:
        if hasattr(self, "line"):
            assert all(block.body in self.wanted[kind] for kind, block in self.line.meters[1].has.items())
            assert busy(self.line) <= 1

    def teardown(self) -> None:
        if hasattr(self, "line"):
            self.line.loss = 0.0
            self.line.run(4 * CHECK_US / US_PER_S)
            config = self.line.registry.state(1).config
            wanted = {kind: SettingBlock(shadow.version, shadow.wanted) for kind, shadow in config.items() if shadow.wanted}
            assert self.line.in_step()
            assert self.line.meters[1].has == wanted


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=40, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck))
