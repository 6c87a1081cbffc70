"""What may be ordered and taken back, what belongs to which command, and what is stored of it."""

import pytest

from nyala.headend.command_life import FINAL, CommandState
from nyala.headend.commands import DEFAULT_LIFE_S, OPEN_MAX, CommandTracker, Kind
from nyala.lorawan.network.port import Downlink, DownlinkFate, Fate
from nyala.telegram.kinds import EventCode
from nyala.telegram.messages import Event
from nyala.vocab.errors import ConflictError, NotAllowedError, UnknownError
from nyala.vocab.time import US_PER_S
from tests.unit.headend.line import Line

S = CommandState
HOUR = 3_600


@pytest.fixture
def line():
    return Line()


# -- taking back


def test_a_command_that_has_not_left_can_be_taken_back(line):
    line.lost = {"network"}
    command = line.order()
    line.poll()
    assert line.cancel(command) == line.waiting[0].token
    assert line.life(command) == [S.QUEUED, S.CANCELLED]
    assert line.texts(command)[-1] == "cancelled by ani"
    line.run(HOUR)
    assert line.said == []


def test_a_command_that_has_left_cannot_be_taken_back(line):
    line.lost = {"order"}
    command = line.order()
    line.poll()
    with pytest.raises(ConflictError, match="command 1 is sent and cannot be taken back"):
        line.cancel(command)
    assert line.life(command)[-1] is S.SENT


def test_a_command_that_has_ended_or_never_was_cannot_be_taken_back(line):
    command = line.order()
    line.run(1)
    assert command.state in FINAL
    with pytest.raises(UnknownError, match="open command: 1"):
        line.cancel(command)


# -- what may be ordered


def test_a_meter_without_a_switch_is_not_switched_but_read(line):
    for kind in (Kind.SWITCH_OPEN, Kind.SWITCH_CLOSE):
        with pytest.raises(NotAllowedError, match=r"N00001 \(single-phase\) has no supply switch"):
            line.order(kind, has_switch=False)
    assert line.order(Kind.READ, has_switch=False).state is S.QUEUED


@pytest.mark.parametrize("second", [Kind.SWITCH_OPEN, Kind.SWITCH_CLOSE])
def test_a_second_switch_order_waits_for_the_end_of_the_first(line, second):
    line.lost = {"order"}
    line.order()
    line.poll()
    with pytest.raises(ConflictError, match=r"switch_open \(command 1\) is still sent"):
        line.order(second)
    assert line.order(Kind.READ).id == 2
    line.lost = set()
    line.run(60)
    assert line.order(second).id == 3


def test_a_meter_has_so_many_commands_under_way_and_no_more():
    line = Line(meters=2)
    for _ in range(OPEN_MAX):
        line.order(Kind.READ)
    with pytest.raises(ConflictError, match=f"has {OPEN_MAX} commands under way"):
        line.order(Kind.READ)
    assert line.order(Kind.READ, number=2).meter_id == 2


def test_an_order_that_was_refused_leaves_no_trace(line):
    with pytest.raises(NotAllowedError):
        line.order(has_switch=False)
    assert line.tracker.take_changes() == ([], [])
    assert line.order().id == 1


def test_sequence_numbers_wrap_and_skip_none(line):
    line.registry.state(1).sequence = 65_534
    sequences = [line.order(Kind.READ).sequence for _ in range(3)]
    assert sequences == [65_535, 1, 2]


def test_a_command_is_found_by_its_key_while_it_is_open(line):
    command = line.order(key="k1")
    assert line.tracker.of_key("k1") is command
    assert line.tracker.of_key("k2") is None
    line.run(1)
    assert line.tracker.of_key("k1") is None


# -- what belongs to whom


def test_an_event_of_the_other_direction_or_of_no_command_verifies_nothing(line):
    line.lost = {"order"}
    command = line.order()
    line.poll()
    for code, detail in ((EventCode.SWITCH_CLOSED, 1), (EventCode.SWITCH_OPENED, 0), (EventCode.POWER_RESTORED, 1)):
        line.tracker.event(1, Event(1, code, 0, detail), line.now_us)
    line.tracker.event(2, Event(1, EventCode.SWITCH_OPENED, 0, 1), line.now_us)
    assert line.life(command)[-1] is S.SENT


@pytest.mark.parametrize("said", [{"last_command": 1}, {"switch_state": 0}, {"last_command": 1, "switch_state": 1}])
def test_a_report_that_shows_another_position_or_command_verifies_nothing(line, said):
    line.lost = {"order"}
    command = line.order()
    line.poll()
    line.values(said)
    assert line.life(command)[-1] is S.SENT


def test_fates_of_strangers_and_of_ended_commands_are_ignored(line):
    command = line.order()
    [downlink] = line.poll()
    for token in (None, ("backfill", 1), ("command", 99, 1), downlink.token):
        line.tracker.fate(DownlinkFate(0xD001, token, Fate.SENT), line.now_us)
    assert line.life(command)[-1] is S.VERIFIED


@pytest.mark.parametrize("fate", [Fate.TOO_LONG, Fate.NO_SESSION])
def test_a_downlink_that_could_not_go_out_is_tried_again(line, fate):
    line.lost = {"network"}
    command = line.order()
    line.poll()
    line.fate(line.waiting[0], fate)
    assert line.life(command)[-1] is S.QUEUED
    line.lost = set()
    line.run(13)
    assert line.life(command)[-1] is S.VERIFIED


def test_a_downlink_that_waits_in_the_network_is_not_given_to_it_again(line):
    line.lost = {"network"}
    line.order()
    line.run(DEFAULT_LIFE_S - 1)
    assert len(line.waiting) == 1


def test_an_order_that_was_not_acknowledged_goes_on(line):
    line.lost = {"order"}
    command = line.order()
    [downlink] = line.poll()
    line.fate(downlink, Fate.NOT_ACKNOWLEDGED)
    assert line.life(command)[-1] is S.SENT


# -- what is stored


def test_every_step_is_told_once_with_its_time_and_text(line):
    command = line.order(reason="unpaid")
    line.now_us += 5
    line.poll()
    rows, steps = line.tracker.take_changes()
    assert rows == [command]
    assert [(step.at_us - command.created_us, step.state, step.text) for step in steps] == [
        (0, S.QUEUED, "ordered by ani: unpaid"),
        (5, S.SENT, "attempt 1"),
        (5, S.DELIVERED, "received by the meter's module"),
        (5, S.EXECUTED, "done by the meter"),
        (5, S.VERIFIED, "seen in the meter's own event"),
    ]
    assert line.tracker.take_changes() == ([], [])


def test_every_attempt_stands_in_the_history(line):
    line.lost = {"order"}
    command = line.order()
    line.run(100)
    assert line.texts(command)[1:] == [f"attempt {number}" for number in range(1, 6)]


def test_a_tracker_goes_on_with_the_open_commands_of_the_one_before(line):
    line.lost = {"order"}
    command = line.order()
    line.poll()
    rows, _ = line.tracker.take_changes()
    line.tracker = CommandTracker(line.registry, rows, 2)
    line.lost = set()
    line.run(60)
    assert line.life(command)[-1] is S.VERIFIED
    assert line.order(Kind.READ).id == 2


def test_a_downlink_names_its_command_and_attempt(line):
    line.lost = {"order"}
    line.order()
    [first] = line.poll()
    line.now_us += 30 * US_PER_S
    [second] = line.poll()
    assert isinstance(first, Downlink)
    assert (first.token, second.token) == (("command", 1, 1), ("command", 1, 2))
