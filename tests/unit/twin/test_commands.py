"""Commands: carried out once, answered every time."""

import pytest

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.multicast import group
from nyala.lorawan.frame import DataFrame, FType, seal
from nyala.meter.supply import Reason, SwitchEvent, SwitchState
from nyala.telegram import messages
from nyala.telegram.intervals import Intervals
from nyala.telegram.kinds import EventCode, Opcode, Port, Result
from nyala.telegram.messages import Answer, Command, Event
from nyala.telegram.values import Values
from nyala.twin.jobs import Urgency
from nyala.twin.state import EXECUTED_LIMIT, Executed
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S, HOUR_S
from tests.unit.twin.wall import MIDNIGHT_S, Wall

FIRST = MIDNIGHT_S // 900
OPEN = Command(7, Opcode.SWITCH_OPEN)
CLOSE = Command(8, Opcode.SWITCH_CLOSE)


def met(model: str = "single-phase", **kinds) -> Wall:
    wall = Wall(model, **kinds)
    wall.join()
    wall.forget()
    return wall


def obey(wall: Wall, command: Command, seconds: float = 30) -> None:
    wall.order(command)
    wall.run(seconds)


def test_a_switch_command_is_carried_out_answered_and_told_as_an_event():
    wall = met()
    obey(wall, OPEN)
    assert wall.meter.live()["switch_state"] == SwitchState.OPEN.value
    assert wall.executed == [Executed(7, Opcode.SWITCH_OPEN)]
    assert wall.told(Answer) == [Answer(7, Opcode.SWITCH_OPEN, Result.DONE, SwitchState.OPEN.value)]
    (event,) = wall.told(Event)
    assert (event.code, event.detail) == (EventCode.SWITCH_OPENED, 7)
    obey(wall, CLOSE)
    assert wall.meter.switch_state is SwitchState.CLOSED
    assert wall.told(Answer)[1:] == [Answer(8, Opcode.SWITCH_CLOSE, Result.DONE, SwitchState.CLOSED.value)]
    assert wall.told(Event)[1].code is EventCode.SWITCH_CLOSED
    assert wall.told(Event)[1].number == event.number + 1


def test_the_answer_comes_within_seconds():
    wall = met()
    ordered_s = wall.now_s
    obey(wall, OPEN)
    assert next(at_s for at_s, said in wall.heard if isinstance(said, Answer)) - ordered_s < 10


def test_a_command_that_comes_again_is_answered_alike_and_not_carried_out_again():
    wall = met()
    for _ in range(3):
        obey(wall, OPEN)
    obey(wall, CLOSE)
    obey(wall, OPEN)
    assert wall.meter.switch_state is SwitchState.CLOSED
    assert wall.executed == [Executed(7, Opcode.SWITCH_OPEN), Executed(8, Opcode.SWITCH_CLOSE)]
    opened = Answer(7, Opcode.SWITCH_OPEN, Result.DONE, 0)
    assert wall.told(Answer) == [opened, opened, opened, Answer(8, Opcode.SWITCH_CLOSE, Result.DONE, 1), opened]
    assert len(wall.told(Event)) == 2


def test_a_command_that_comes_again_after_a_power_cut_is_not_carried_out_again():
    wall = met()
    obey(wall, OPEN)
    obey(wall, CLOSE)
    wall.power(on=False)
    wall.run(60)
    wall.power(on=True)
    wall.run(60)
    wall.forget()
    obey(wall, OPEN)
    assert (wall.executed, wall.meter.switch_state) == ([], SwitchState.CLOSED)
    assert wall.told(Answer) == [Answer(7, Opcode.SWITCH_OPEN, Result.DONE, 0)]


def test_a_command_to_a_switch_that_stands_so_already_is_done_and_shows_the_state():
    wall = met()
    obey(wall, CLOSE)
    assert wall.told(Answer) == [Answer(8, Opcode.SWITCH_CLOSE, Result.DONE, 1)]
    assert wall.told(Event) == []
    assert [said.values for said in wall.told(Values)] == [{"switch_state": 1, "last_command": 8}]


@pytest.mark.parametrize("opcode", [Opcode.SWITCH_OPEN, Opcode.SWITCH_CLOSE])
def test_the_ct_model_refuses_the_switch(opcode):
    wall = met("three-phase-ct")
    obey(wall, Command(9, opcode))
    assert wall.told(Answer) == [Answer(9, opcode, Result.NO_SUCH_PART)]
    assert (wall.executed, wall.told(Event), wall.meter.switch_state) == ([], [], SwitchState.NONE)
    wall.run(HOUR_S)
    assert wall.meter.total_wh(Channel.IMPORT) == (wall.now_s - MIDNIGHT_S) * 1000 // 3600


def test_what_an_open_switch_keeps_from_the_customer_is_withheld():
    wall = met()
    obey(wall, OPEN, 0.9)
    opened_wh = wall.meter.total_wh(Channel.IMPORT)
    wall.run(HOUR_S)
    assert wall.meter.total_wh(Channel.IMPORT) == opened_wh
    assert int(wall.bank.withheld_mws[0, 0]) // 3_600_000 in {999, 1000, 1001}


def test_a_query_tells_what_became_of_a_command():
    wall = met()
    obey(wall, Command(1, Opcode.QUERY, asked=7))
    obey(wall, OPEN)
    obey(wall, Command(2, Opcode.QUERY, asked=7))
    assert wall.told(Answer) == [
        Answer(7, Opcode.QUERY, Result.NOT_EXECUTED),
        Answer(7, Opcode.SWITCH_OPEN, Result.DONE, 0),
        Answer(7, Opcode.SWITCH_OPEN, Result.DONE, 0),
    ]
    assert len(wall.executed) == 1


def test_the_oldest_of_many_commands_is_forgotten_and_said_so():
    wall = met()
    for sequence in range(1, EXECUTED_LIMIT + 2):
        obey(wall, Command(sequence, Opcode.SWITCH_OPEN if sequence % 2 else Opcode.SWITCH_CLOSE))
    wall.forget()
    obey(wall, Command(99, Opcode.QUERY, asked=1))
    obey(wall, Command(99, Opcode.QUERY, asked=2))
    assert [answer.result for answer in wall.told(Answer)] == [Result.NOT_EXECUTED, Result.DONE]


def test_a_read_is_answered_with_the_values_of_the_moment():
    wall = met()
    wall.run(HOUR_S)
    wall.forget()
    obey(wall, Command(3, Opcode.READ, ("import_wh", "switch_state", "last_command")))
    (said,) = wall.told(Values)
    assert said.values == {"import_wh": (said.at_s - MIDNIGHT_S) * 1000 // 3600, "switch_state": 1, "last_command": 0}
    obey(wall, OPEN)
    obey(wall, Command(4, Opcode.READ, ("last_command",)))
    assert wall.told(Values)[-1].values == {"last_command": 7}


def test_a_read_at_dr2_comes_in_as_many_frames_as_it_takes():
    wall = met(data_rate=2)
    names = ("import_wh", "export_wh", "q1_varh", "q2_varh", "q3_varh", "q4_varh", "import_vah", "export_vah")
    wall.run(2 * HOUR_S)
    wall.forget()
    obey(wall, Command(3, Opcode.READ, names), 120)
    said = wall.told(Values)
    assert len(said) > 1
    assert len({each.at_s for each in said}) == 1
    assert [name for each in said for name in each.values] == list(names)


def test_a_read_of_a_part_that_the_model_does_not_have_is_refused():
    wall = met()
    obey(wall, Command(3, Opcode.READ, ("u2_v", "i3_a")))
    assert wall.told(Answer) == [Answer(3, Opcode.READ, Result.NO_SUCH_PART)]


def test_a_rate_that_never_counted_reads_as_zero():
    wall = met()
    obey(wall, Command(3, Opcode.READ, ("import_wh_t2",)))
    assert [said.values for said in wall.told(Values)] == [{"import_wh_t2": 0}]


@pytest.mark.parametrize("data_rate", [2, 5])
def test_a_back_fill_gives_the_intervals_that_were_asked_for(data_rate):
    wall = met(data_rate=data_rate, power_w=1234)
    wall.run(20 * HOUR_S)
    wall.forget()
    obey(wall, Command(5, Opcode.BACKFILL, first=FIRST + 8, period_s=900, count=40), 300)
    runs = [run for run in wall.told(Intervals) if Channel.IMPORT in run.channels]
    heard = {run.first + place: value for run in runs for place, value in enumerate(run.channels[Channel.IMPORT].values)}
    run = wall.meter.profile(FIRST + 8, 40)
    assert [heard[FIRST + 8 + i] for i in range(40)] == list(run.values[Channel.IMPORT])


def test_a_back_fill_of_old_days_names_its_intervals_in_full():
    wall = met(power_w=1234)
    wall.run(30 * DAY_S)
    wall.forget()
    obey(wall, Command(5, Opcode.BACKFILL, first=FIRST + 4, period_s=900, count=4), 120)
    assert [(run.first, run.count) for run in wall.told(Intervals)] == [(FIRST + 4, 4)]


def test_a_back_fill_stays_within_what_the_memory_holds():
    wall = met(ring_days=1)
    wall.run(2 * DAY_S)
    wall.forget()
    oldest, last = wall.meter.oldest_edge, wall.meter.last_edge
    obey(wall, Command(5, Opcode.BACKFILL, first=oldest - 50, period_s=900, count=52), 60)
    obey(wall, Command(6, Opcode.BACKFILL, first=last - 2, period_s=900, count=500), 60)
    heard = {run.first + place for run in wall.told(Intervals) for place in range(run.count)}
    assert heard == {oldest, oldest + 1, last - 2, last - 1}


def test_a_back_fill_from_the_oldest_interval_outlives_the_next_edge():
    wall = met(ring_days=1)
    wall.run(2 * DAY_S)
    wall.run(900 - wall.now_s % 900 - 3)
    wall.forget()
    obey(wall, Command(4, Opcode.READ, ("import_wh",)), 0.7)
    oldest = wall.meter.oldest_edge
    obey(wall, Command(5, Opcode.BACKFILL, first=oldest, period_s=900, count=4), 60)  # comes while the module is busy
    assert wall.meter.oldest_edge == oldest + 1
    heard = {run.first + place for run in wall.told(Intervals) for place in range(run.count)}
    assert heard >= {oldest + 1, oldest + 2, oldest + 3}


def test_intervals_that_waited_until_the_memory_lost_them_end_quietly():
    wall = met(ring_days=1)
    wall.run(2 * DAY_S)
    wall.forget()
    wall.twin.telling.intervals(Urgency.BACKFILL, wall.meter.oldest_edge - 10, 4)
    obey(wall, Command(7, Opcode.QUERY, asked=1))
    assert wall.told(Answer)
    assert wall.told(Intervals) == []
    assert len(wall.twin.telling.jobs) == 0


def test_one_map_brings_the_intervals_of_its_blocks_and_no_others_neighbours_together():
    wall = met(power_w=1234)
    wall.run(20 * HOUR_S)
    wall.forget()
    first = -(-FIRST // 8) * 8
    obey(wall, Command(5, Opcode.BACKFILL_MAP, first=first, period_s=900, each=4, blocks=0b10_0000_1100_0001), 300)
    told = [(run.first - first, run.count) for run in wall.told(Intervals)]
    heard = [first + place for first, count in told for place in range(count)]
    assert sorted(heard) == [*range(4), *range(24, 32), *range(52, 56)]
    assert (24, 8) in told


def test_of_a_map_that_reaches_out_of_the_memory_the_rest_is_told():
    wall = met(ring_days=1)
    wall.run(2 * DAY_S)
    wall.forget()
    oldest = wall.meter.oldest_edge
    obey(wall, Command(5, Opcode.BACKFILL_MAP, first=oldest - 8, period_s=900, each=4, blocks=0b111), 60)
    assert {run.first + place for run in wall.told(Intervals) for place in range(run.count)} == set(range(oldest, oldest + 4))
    assert wall.told(Answer) == []


BEYOND = {
    "older than the memory": Command(5, Opcode.BACKFILL, first=FIRST - 500, period_s=900, count=4),
    "in the future": Command(5, Opcode.BACKFILL, first=FIRST + 5_000, period_s=900, count=4),
    "of another period": Command(5, Opcode.BACKFILL, first=FIRST // 2, period_s=1800, count=4),
    "a map of nothing": Command(5, Opcode.BACKFILL_MAP, first=FIRST, period_s=900, each=4),
    "a map of the future": Command(5, Opcode.BACKFILL_MAP, first=FIRST, period_s=900, each=60, blocks=1 << 27),
}


@pytest.mark.parametrize("command", BEYOND.values(), ids=BEYOND)
def test_a_back_fill_of_what_is_not_there_is_refused(command):
    wall = met()
    wall.run(HOUR_S)
    wall.forget()
    obey(wall, command)
    assert wall.told(Answer) == [Answer(5, command.opcode, Result.NO_SUCH_PART)]


MALFORMED = {
    "a switch command with an argument": ("0007 01 00", Answer(7, 1, Result.MALFORMED)),
    "a read of nothing": ("0007 03", Answer(7, 3, Result.MALFORMED)),
    "a read of an unknown quantity": ("0007 03 ff", Answer(7, 3, Result.MALFORMED)),
    "a back-fill that is cut short": ("0007 04 0123", Answer(7, 4, Result.MALFORMED)),
    "an unknown opcode": ("0007 63", Answer(7, 0x63, Result.UNKNOWN_OPCODE)),
    "an unknown opcode with arguments": ("0007 c8 0102", Answer(7, 0xC8, Result.UNKNOWN_OPCODE)),
}


@pytest.mark.parametrize(("wire", "answer"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_command_is_answered_and_changes_nothing(wire, answer):
    wall = met()
    wall.say(bytes.fromhex(wire))
    wall.run(30)
    assert wall.told(Answer) == [answer]
    assert (wall.executed, wall.meter.switch_state) == ([], SwitchState.CLOSED)


@pytest.mark.parametrize(("payload", "port"), [(b"", Port.COMMAND), (b"\0\7", Port.COMMAND), (b"\0\7\1", 21), (b"\0\7\1", 1)])
def test_what_has_no_sequence_number_or_another_port_is_passed_over(payload, port):
    wall = met()
    wall.say(payload, port)
    wall.run(30)
    assert (wall.heard, wall.executed, wall.meter.switch_state) == ([], [], SwitchState.CLOSED)


def test_a_demand_reset_is_carried_out_once_and_shown():
    wall = Wall()
    wall.join()
    wall.run(3_600)
    wall.forget()
    for sequence in (9, 9, 10):
        obey(wall, Command(sequence, Opcode.DEMAND_RESET))
    assert [(each.result, each.detail) for each in wall.told(Answer)] == [
        (Result.DONE, 1),
        (Result.DONE, 1),
        (Result.LOCKED_OUT, 1),
    ]
    assert wall.executed == [Executed(9, Opcode.DEMAND_RESET)]
    assert {"reset_count": 1, "last_command": 9} in [each.values for each in wall.told(Values)]
    assert wall.meter.value("max_import_w") == 0
    assert wall.meter.value("prev_import_w") == 1_000


def test_a_reconnection_after_a_local_trip_is_refused_once_and_the_way_by_a_disconnection_is_open():
    wall = met()
    operation = wall.meter.operation
    operation.switch(SwitchEvent.LOCAL_DISCONNECT, Reason.POWER)
    operation.switch(SwitchEvent.LOCAL_RELEASE, Reason.POWER)
    for _ in range(2):
        obey(wall, CLOSE)
    refused = Answer(8, Opcode.SWITCH_CLOSE, Result.NOT_ALLOWED, 0x402)
    assert wall.told(Answer) == [refused, refused]
    assert (wall.executed, wall.meter.switch_state) == ([], SwitchState.OPEN)
    obey(wall, OPEN)
    obey(wall, Command(9, Opcode.SWITCH_CLOSE))
    assert [each.result for each in wall.told(Answer)[2:]] == [Result.DONE, Result.DONE]
    assert wall.meter.switch_state is SwitchState.CLOSED


def test_a_supply_that_is_held_open_is_armed_by_no_order():
    wall = met()
    wall.meter.operation.switch(SwitchEvent.LOCAL_DISCONNECT, Reason.CREDIT)
    obey(wall, OPEN)
    obey(wall, CLOSE)
    assert [(each.result, each.detail) for each in wall.told(Answer)] == [(Result.DONE, 0), (Result.DONE, 0)]
    assert (wall.meter.switch_state, wall.meter.operation.supply.armed) == (SwitchState.OPEN, False)


def test_a_group_orders_nobody():
    wall = met()
    keys = (bytes(range(16)), bytes(range(16, 32)))
    wall.twin.mac.set_multicast(0, group(0x01FF0001, keys, 0, 100))
    frame = DataFrame(FType.UNCONFIRMED_DOWN, 0x01FF0001, 0, f_port=Port.COMMAND, payload=messages.encode_command(OPEN))
    phy = seal(frame, AesKey(keys[0]), AesKey(keys[1]))
    assert wall.twin.detect(921_400_000, 2, wall.now_us, wall.now_us + 1)
    wall.twin.receive(phy, 5.0, wall.now_us + 1)
    wall.run(30)
    assert wall.meter.switch_state is SwitchState.CLOSED
    assert (wall.executed, wall.told(Answer)) == ([], [])
    assert wall.twin.memory.device.multicast[0].f_cnt == 1  # it was taken, by the group
