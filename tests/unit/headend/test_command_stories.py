"""Life stories of commands: each ends, in the state that is true."""

import itertools

import pytest

from nyala.headend import read_items
from nyala.headend.command_life import CommandState
from nyala.headend.commands import ANSWER_US, DEFAULT_LIFE_S, PAUSE_MAX_US, Kind
from nyala.telegram import messages
from nyala.telegram.kinds import Opcode, Port, Result
from nyala.vocab.time import US_PER_S
from tests.unit.headend.line import Line

S = CommandState
OPEN, CLOSE, READ, QUERY = Opcode.SWITCH_OPEN, Opcode.SWITCH_CLOSE, Opcode.READ, Opcode.QUERY
HOUR = 3_600


@pytest.fixture
def line():
    return Line()


# -- the good days


@pytest.mark.parametrize(("kind", "opcode", "position"), [(Kind.SWITCH_OPEN, OPEN, 0), (Kind.SWITCH_CLOSE, CLOSE, 1)])
def test_a_switch_command_is_sent_executed_and_verified_by_the_meters_event(line, kind, opcode, position):
    line.switch_state = 1 - position
    command = line.order(kind)
    line.run(1)
    assert line.life(command) == [S.QUEUED, S.SENT, S.DELIVERED, S.EXECUTED, S.VERIFIED]
    assert (line.opcodes(), line.switch_state) == ([opcode], position)
    assert line.tracker.open == ()


def test_a_switch_order_is_confirmed_and_carries_its_sequence_number(line):
    command = line.order()
    [downlink] = line.poll()
    assert (downlink.confirmed, downlink.port, downlink.dev_eui) == (True, Port.COMMAND, 0xD001)
    assert messages.decode_command(downlink.payload).sequence == command.sequence == 1


def test_when_the_event_is_lost_the_state_is_read_and_verifies(line):
    line.lost = {"event"}
    command = line.order()
    line.run(60)
    assert line.life(command)[-2:] == [S.EXECUTED, S.VERIFIED]
    assert line.opcodes() == [OPEN, READ]
    assert line.said[1].quantities == ("switch_state", "last_command")


def test_when_the_answer_is_lost_the_event_alone_verifies(line):
    line.lost = {"answer"}
    command = line.order()
    line.run(1)
    assert line.life(command) == [S.QUEUED, S.SENT, S.DELIVERED, S.VERIFIED]


def test_when_answer_and_event_are_lost_the_order_is_sent_again_and_done_once(line):
    line.lost = {"answer", "event"}
    command = line.order()
    line.run(3)
    line.lost = set()
    line.run(60)
    assert line.life(command)[-2:] == [S.EXECUTED, S.VERIFIED]
    assert line.opcodes() == [OPEN, OPEN, READ]
    assert [said.sequence for said in line.said[:2]] == [command.sequence] * 2
    assert len(line.done) == 1


def test_an_order_that_is_lost_is_sent_again_with_growing_pauses(line):
    line.lost = {"order"}
    times = []
    line.order(life_s=HOUR)
    for _ in range(5):
        line.poll()
        times.append(line.now_us // US_PER_S)
        assert line.tracker.next_us is not None
        line.now_us = line.tracker.next_us
    pauses = [b - a for a, b in itertools.pairwise(times)]
    assert pauses == [5, 10, 20, 40]
    assert len(line.said) == 5


@pytest.mark.parametrize("result", [Result.NO_SUCH_PART, Result.MALFORMED, Result.UNKNOWN_OPCODE])
def test_a_command_that_the_meter_refuses_has_failed(line, result):
    line.refuses = result
    command = line.order()
    line.run(1)
    assert line.life(command) == [S.QUEUED, S.SENT, S.DELIVERED, S.FAILED]
    assert result.name.lower().replace("_", " ") in line.texts(command)[-1]


# -- reads


@pytest.mark.parametrize(("phases", "quantities"), [(1, read_items.READ_LIVE), (3, read_items.READ_PHASES)])
def test_a_read_is_verified_by_its_values(line, phases, quantities):
    command = line.order(Kind.READ, has_switch=False, phases=phases)
    [downlink] = line.poll()
    assert line.life(command) == [S.QUEUED, S.SENT, S.VERIFIED]
    assert line.said[0].quantities == quantities
    assert not downlink.confirmed


def test_values_of_other_quantities_do_not_verify_a_read(line):
    line.lost = {"order"}
    command = line.order(Kind.READ)
    line.poll()
    line.values({"last_command": 5})
    assert line.life(command)[-1] is S.SENT
    line.values({"f_hz": 50_000})
    assert line.life(command)[-1] is S.VERIFIED


def test_values_that_come_before_the_read_has_left_do_not_verify_it(line):
    line.lost = {"network"}
    command = line.order(Kind.READ)
    line.poll()
    line.values({"p_w": 5})
    assert line.life(command)[-1] is S.QUEUED


def test_a_read_that_finds_nothing_has_failed(line):
    line.lost = {"order"}
    command = line.order(Kind.READ)
    line.poll()
    line.answer(messages.Answer(command.sequence, Opcode.READ, Result.NO_SUCH_PART))
    assert line.life(command)[-1] is S.FAILED


def test_a_read_without_an_answer_is_asked_again_until_it_comes(line):
    line.lost = {"order"}
    command = line.order(Kind.READ)
    line.run(2 * HOUR)
    assert line.life(command)[-1] is S.UNKNOWN
    assert set(line.opcodes()) == {READ}
    line.lost = set()
    line.run(2 * HOUR)
    assert line.life(command)[-2:] == [S.UNKNOWN, S.VERIFIED]


# -- when time is over


def test_a_command_that_never_left_expires(line):
    line.lost = {"network"}
    command = line.order()
    line.run(DEFAULT_LIFE_S + 1)
    assert line.life(command) == [S.QUEUED, S.EXPIRED]
    assert (line.said, line.tracker.open) == ([], ())
    assert [dev_eui for dev_eui, _ in line.withdrawn] == [0xD001]


def test_a_command_that_the_network_did_not_take_expires(line):
    command = line.order()
    downlinks, _ = line.tracker.poll(line.now_us)
    line.tracker.not_taken(downlinks[0])
    line.now_us += DEFAULT_LIFE_S * US_PER_S
    line.poll()
    assert line.life(command) == [S.QUEUED, S.EXPIRED]
    assert (line.said, line.withdrawn) == ([], [])


def test_a_command_that_the_network_did_not_take_is_given_to_it_again(line):
    command = line.order()
    downlinks, _ = line.tracker.poll(line.now_us)
    line.tracker.not_taken(downlinks[0])
    assert line.poll() == []
    line.run(13)
    assert line.life(command)[-1] is S.VERIFIED


def test_a_command_that_was_sent_and_not_answered_is_unknown_and_asked_for(line):
    line.lost = {"order"}
    command = line.order()
    line.run(DEFAULT_LIFE_S + 60)
    assert line.life(command) == [S.QUEUED, S.SENT, S.UNKNOWN]
    assert line.opcodes()[-1] is QUERY
    assert line.said[-1].asked == command.sequence
    assert line.said[-1].sequence != command.sequence


def test_an_unknown_command_that_was_done_is_found_executed_and_verified(line):
    line.lost = {"answer", "event"}
    command = line.order()
    line.run(DEFAULT_LIFE_S - 1)
    line.lost = {"order"}
    line.run(HOUR)
    assert line.life(command)[-1] is S.UNKNOWN
    line.lost = set()
    line.run(3 * HOUR)
    assert line.life(command) == [S.QUEUED, S.SENT, S.DELIVERED, S.UNKNOWN, S.EXECUTED, S.VERIFIED]


def test_an_unknown_command_that_was_never_done_expires(line):
    line.lost = {"order"}
    command = line.order()
    line.run(HOUR)
    line.lost = set()
    line.run(3 * HOUR)
    assert line.life(command) == [S.QUEUED, S.SENT, S.UNKNOWN, S.EXPIRED]
    assert (line.switch_state, line.done) == (1, {})


def test_an_order_is_never_repeated_after_its_time(line):
    line.lost = {"order"}
    line.order()
    line.run(5 * HOUR)
    ends = line.opcodes().index(QUERY)
    assert set(line.opcodes()[:ends]) == {OPEN}
    assert set(line.opcodes()[ends:]) == {QUERY}


def test_a_meter_that_is_away_is_asked_hourly_for_as_long_as_it_takes(line):
    line.lost = {"order"}
    command = line.order()
    line.run(24 * HOUR)
    count = len(line.said)
    line.run(24 * HOUR)
    assert 23 <= len(line.said) - count <= 25
    assert line.life(command)[-1] is S.UNKNOWN


def test_an_executed_command_is_verified_even_long_after_its_time(line):
    line.lost = {"event", "values"}
    command = line.order()
    line.run(DEFAULT_LIFE_S + HOUR)
    assert line.life(command)[-1] is S.EXECUTED
    line.lost = set()
    line.run(2 * HOUR)
    assert line.life(command)[-1] is S.VERIFIED


def test_pauses_have_a_longest_and_end_with_the_command(line):
    line.lost = {"order"}
    command = line.order(life_s=100)
    for _ in range(5):
        line.poll()
        assert line.tracker.next_us is not None
        line.now_us = line.tracker.next_us
    assert line.now_us == command.expires_us
    assert all(pause_us << 16 > PAUSE_MAX_US for pause_us in ANSWER_US.values())
    line.run(100 * HOUR)
    assert line.tracker.next_us is not None
    assert line.tracker.next_us - line.now_us <= PAUSE_MAX_US


REFUSALS = {
    0x402: " in control mode 4 and state ready: the button at the meter connects, or a disconnection and then a reconnection",
    0x001: " in control mode 0 and state connected",
    0x403: " where it stands (1027)",
}


@pytest.mark.parametrize(("detail", "said"), REFUSALS.items())
def test_an_order_that_the_control_mode_forbids_fails_and_says_what_to_do(line, detail, said):
    line.lost = {"order"}
    command = line.order(Kind.SWITCH_CLOSE)
    line.poll()
    line.answer(messages.Answer(command.sequence, Opcode.SWITCH_CLOSE, Result.NOT_ALLOWED, detail))
    assert command.state is S.FAILED
    assert line.texts(command)[-1] == f"refused by the meter: not allowed{said}"


def test_a_reconnection_that_arms_waits_for_the_button(line):
    line.lost = {"order"}
    command = line.order(Kind.SWITCH_CLOSE)
    line.poll()
    line.answer(messages.Answer(command.sequence, Opcode.SWITCH_CLOSE, Result.DONE, 0))
    assert command.state is S.EXECUTED
    assert line.texts(command)[-1] == "done by the meter: it waits for the button at the meter"
