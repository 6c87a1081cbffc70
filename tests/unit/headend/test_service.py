"""The head-end service: the effect of each kind of telegram, and what is refused and counted, with nothing else lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.headend.commands import Kind
from nyala.headend.ports import EventRow, GatewayRow, RegisterRow
from nyala.headend.readings import FUTURE_S
from nyala.lorawan.network.port import AppUplink, DownlinkFate, Fate, JoinedDevice, Refusal, Refused
from nyala.telegram import messages
from nyala.telegram.kinds import EventCode, Opcode, Port, Result
from nyala.telegram.messages import Answer, Command, Event, Hello
from nyala.telegram.values import Values
from nyala.vocab.quality import Quality
from nyala.vocab.quantities import Channel, quantity
from nyala.vocab.time import DAY_S, US_PER_S
from tests.unit.headend.fleet import DAY, FIRST, GATEWAY, PERIOD_S, START_S, Centre, copy, record, run


@pytest.fixture
def centre():
    return Centre()


# -- intervals


def test_intervals_go_into_the_load_days_of_their_channels(centre):
    centre.says(run(FIRST, [1, 2, 3], exports=[0, 7, 0]))
    assert centre.values() == {0: 1, 1: 2, 2: 3}
    assert centre.values(channel=Channel.EXPORT) == {0: 0, 1: 7, 2: 0}
    assert (centre.counts["intervals"], centre.state().complete_to) == (6, FIRST + 3)
    assert {row.key.channel for row in centre.collect().load_days} == {Channel.IMPORT, Channel.EXPORT}


def test_all_before_the_first_gap_counts_as_complete(centre):
    centre.says(run(FIRST + 2, [3]))
    assert centre.state().complete_to == FIRST
    centre.says(run(FIRST, [1, 2]))
    assert centre.state().complete_to == FIRST + 3


def test_both_channels_of_the_profile_must_be_there_to_be_complete(centre):
    telegram = run(FIRST, [1, 2])
    centre.says(type(telegram)(FIRST, PERIOD_S, {Channel.IMPORT: telegram.channels[Channel.IMPORT]}))
    assert centre.state().complete_to == FIRST


def test_intervals_without_supply_are_marked(centre):
    centre.says(run(FIRST, [1, 0, 0], outages=[1, 2]))
    [row] = [row for row in centre.collect().load_days if row.key.channel is Channel.IMPORT]
    assert row.qualities[:4] == bytes([Quality.RAW, Quality.OUTAGE, Quality.OUTAGE, Quality.MISSING])


def test_the_same_intervals_again_change_nothing(centre):
    centre.says(run(FIRST, [1, 2]))
    centre.collect()
    centre.says(run(FIRST, [1, 2]))
    assert centre.counts["intervals"] == 4
    assert centre.collect().load_days == []


def test_intervals_of_another_period_are_refused(centre):
    centre.says(run(START_S // 1_800, [1], period_s=1_800))
    assert centre.counts == {"uplinks": 1, "refused_TelegramError": 1}
    assert centre.collect().load_days == []


def test_intervals_that_end_too_far_in_the_future_are_refused(centre):
    reach = FUTURE_S // PERIOD_S
    last = centre.now_s // PERIOD_S + reach
    centre.says(run(last - 1, [1]))
    assert "refused_TelegramError" not in centre.counts
    centre.says(run(last, [1]))
    assert centre.counts["refused_TelegramError"] == 1
    assert centre.counts["intervals"] == 2


def test_a_late_value_replaces_an_estimate_and_the_others_follow(centre):
    centre.says(Values(START_S, {"import_wh": 100, "export_wh": 0}))
    centre.says(Values(START_S + DAY_S, {"import_wh": 196, "export_wh": 0}))
    centre.now_s = START_S + 10 * DAY_S
    centre.headend.readings.close_old_gaps(centre.now_us)
    assert set(centre.values().values()) == {1}
    centre.says(run(FIRST, [50]))
    values = centre.values()
    assert (values[0], sum(values.values())) == (50, 96)


# -- anchors


def anchored(centre, anchor, *, first=0, count=4):
    centre.says(run(FIRST + first, [10] * count, anchor=anchor))
    return centre.counts.get("anchors_right", 0), centre.counts.get("anchors_wrong", 0)


def test_an_anchor_that_agrees_with_the_register_and_the_intervals_is_right(centre):
    centre.says(Values(START_S, {"import_wh": 70_000}))
    assert anchored(centre, (70_000 + 40) % 65_536) == (1, 0)


def test_an_anchor_that_does_not_agree_is_wrong(centre):
    centre.says(Values(START_S, {"import_wh": 70_000}))
    assert anchored(centre, (70_000 + 41) % 65_536) == (0, 1)


def test_an_anchor_counts_all_intervals_since_midnight(centre):
    centre.says(Values(START_S, {"import_wh": 5}))
    centre.says(run(FIRST, [1, 2, 3]))
    assert anchored(centre, 5 + 6 + 40, first=3) == (1, 0)


def test_an_anchor_behind_a_gap_or_without_a_register_proves_nothing(centre):
    assert anchored(centre, 40) == (0, 0)
    centre.says(Values(START_S, {"import_wh": 5}))
    assert anchored(centre, 5 + 80, first=8) == (0, 0)


def test_an_anchor_at_midnight_proves_the_whole_day(centre):
    centre.says(Values(START_S, {"import_wh": 5}))
    for first in range(0, 88, 8):
        centre.says(run(FIRST + first, [10] * 8))
    assert anchored(centre, 5 + 96 * 10, first=88, count=8) == (1, 0)


# -- values


def test_registers_are_kept_with_their_instants(centre):
    centre.says(Values(START_S + 60, {"import_wh": 5, "export_wh": 6, "p_w": 230}))
    assert centre.collect().registers == [
        RegisterRow(1, quantity("import_wh").code, START_S + 60, 5),
        RegisterRow(1, quantity("export_wh").code, START_S + 60, 6),
    ]
    assert centre.state().registers == {"import_wh": (5, START_S + 60), "export_wh": (6, START_S + 60)}


def test_registers_at_midnight_stand_at_the_ends_of_their_days(centre):
    centre.says(run(FIRST, [1]))
    centre.says(Values(START_S, {"import_wh": 5, "import_wh_t1": 3}))
    centre.says(Values(START_S + DAY_S, {"import_wh": 9}))
    days = {row.key.day: row for row in centre.collect().load_days if row.key.channel is Channel.IMPORT}
    assert [(days[day].open_wh, days[day].close_wh) for day in (DAY, DAY + 1)] == [(5, 9), (9, None)]


def test_the_newest_reading_stays_whatever_comes_late(centre):
    centre.says(Values(START_S + 120, {"import_wh": 9, "p_w": 100}))
    centre.says(Values(START_S + 60, {"import_wh": 5, "p_w": 200, "f_hz": 50_000}))
    assert centre.state().registers["import_wh"] == (9, START_S + 120)
    assert (centre.state().live, centre.state().live_at_s) == ({"p_w": 100}, START_S + 120)


def test_live_values_are_joined_as_they_come(centre):
    centre.says(Values(START_S + 60, {"p_w": 100}))
    centre.says(Values(START_S + 60, {"u1_v": 2_300}))
    centre.says(Values(START_S + 120, {"p_w": 90}))
    assert centre.state().live == {"p_w": 90, "u1_v": 2_300}


def test_values_from_the_future_are_refused(centre):
    centre.says(Values(centre.now_s + FUTURE_S, {"p_w": 1}))
    centre.says(Values(centre.now_s + FUTURE_S + 1, {"p_w": 2}))
    assert (centre.state().live, centre.counts["refused_TelegramError"]) == ({"p_w": 1}, 1)


# -- the switch, events, answers


def test_the_switch_is_where_the_newest_report_says(centre):
    centre.says(Event(1, EventCode.SWITCH_OPENED, START_S + 100, 0))
    assert (centre.state().switch_state, centre.state().switch_at_s) == (0, START_S + 100)
    centre.says(Values(START_S + 50, {"switch_state": 1}))
    assert centre.state().switch_state == 0
    centre.says(Event(2, EventCode.SWITCH_CLOSED, START_S + 200, 0))
    assert centre.state().switch_state == 1


@pytest.mark.parametrize(("opcode", "position"), [(Opcode.SWITCH_OPEN, 0), (Opcode.SWITCH_CLOSE, 1)])
def test_an_answer_to_a_switch_order_tells_the_position(centre, opcode, position):
    centre.says(Answer(5, opcode, Result.DONE, position))
    assert (centre.state().switch_state, centre.state().switch_at_s) == (position, centre.now_s)


@pytest.mark.parametrize(
    "answer", [Answer(5, Opcode.SWITCH_OPEN, Result.NO_SUCH_PART, 0), Answer(5, Opcode.BACKFILL, Result.DONE, 1)]
)
def test_other_answers_tell_nothing_of_the_switch(centre, answer):
    centre.says(answer)
    assert centre.state().switch_state is None


@pytest.mark.parametrize("code", EventCode)
def test_every_event_is_kept_with_when_it_happened_and_came(centre, code):
    centre.says(Event(7, code, START_S + 5, 99))
    assert centre.collect().events == [EventRow(1, START_S + 5, code, 99, 7, centre.now_us)]


def test_a_hello_tells_model_and_firmware(centre):
    centre.says(Hello(3, 0x0102, PERIOD_S, START_S))
    assert (centre.state().model_code, centre.state().firmware) == (3, 0x0102)


def test_an_answer_and_an_event_move_the_command_they_name(centre):
    command = centre.order(Kind.SWITCH_OPEN)
    [downlink] = centre.headend.poll(centre.now_us)[0]
    centre.headend.handle(DownlinkFate(0xD001, downlink.token, Fate.SENT), centre.now_us)
    centre.says(Answer(command.sequence, Opcode.SWITCH_OPEN, Result.DONE))
    centre.says(Event(1, EventCode.SWITCH_OPENED, centre.now_s, command.sequence))
    assert [step.state for step in centre.collect().steps] == ["queued", "sent", "executed", "verified"]


# -- what is refused


def test_an_uplink_of_no_meter_is_counted(centre):
    centre.hears(Port.HELLO, messages.encode_hello(Hello(1, 1, 900, 0)), dev_eui=0xFFFF)
    assert centre.counts == {"uplinks": 1, "uplink_of_no_meter": 1}
    assert centre.collect().empty


def test_a_command_telegram_from_a_meter_is_refused(centre):
    centre.says(Command(1, Opcode.SWITCH_OPEN))
    assert centre.counts == {"uplinks": 1, "refused_TelegramError": 1}
    assert centre.tracker.open == ()


@pytest.mark.parametrize("port", [*Port, 1, 99, 223])
def test_a_bad_telegram_is_counted_and_nothing_else_is_lost(centre, port):
    centre.says(run(FIRST, [1]))
    centre.hears(port, b"\xff")
    centre.says(run(FIRST + 1, [2]))
    assert centre.counts["refused_TelegramError"] == 1
    assert centre.values() == {0: 1, 1: 2}
    assert (centre.state().uplinks, centre.state().last_heard_us) == (3, centre.now_us)


def test_another_period_within_a_stored_day_is_refused():
    centre = Centre()
    centre.says(run(FIRST, [1]))
    centre.collect()
    other = Centre(record(period_s=1_800), shelf=centre.shelf)
    other.says(run(START_S // 1_800, [1], period_s=1_800))
    assert other.counts == {"uplinks": 1, "refused_ConflictError": 1}


@pytest.mark.parametrize("port", [None, 0])
def test_a_frame_without_a_telegram_only_says_that_the_meter_lives(centre, port):
    centre.hears(port, b"")
    assert (centre.state().uplinks, centre.counts) == (1, {"uplinks": 1})


@given(st.lists(st.tuples(st.sampled_from([*Port, 99]), st.binary(max_size=24)), max_size=6))
def test_whatever_a_meter_says_the_head_end_goes_on(said):
    centre = Centre()
    for port, payload in said:
        centre.hears(port, payload)
        centre.app(port, payload)
    centre.says(run(FIRST, [4]), number=1)
    assert 0 in centre.values() or centre.counts.get("refused_ConflictError")
    changes = centre.collect()
    assert [state.uplinks for state in changes.states] == [2 * len(said) + 1]
    assert centre.collect().empty


# -- who was heard, and how


def test_the_shadow_says_how_the_meter_was_heard(centre):
    centre.hears(None, b"", copies=[copy(7.5, rssi_dbm=-80.0), copy(-3.0, gateway=2)])
    state = centre.state()
    assert (state.gateways, state.snr_db, state.rssi_dbm, state.data_rate) == (2, 7.5, -80.0, 2)


def test_a_telegram_without_a_radio_frame_leaves_the_radio_alone(centre):
    centre.hears(None, b"", copies=[copy(7.5)])
    centre.app(Port.HELLO, messages.encode_hello(Hello(3, 1, 900, 0)))
    assert (centre.state().snr_db, centre.state().model_code, centre.counts["uplinks"]) == (7.5, 3, 1)


def test_an_older_uplink_does_not_set_the_time_back(centre):
    centre.hears(None, b"")
    centre.hears(None, b"", at_s=centre.now_s - 50)
    assert centre.state().last_heard_us == centre.now_us


def test_gateways_are_counted_until_they_are_stored(centre):
    centre.headend.heard([copy(), copy(gateway=2), copy()])
    at_us = copy().received_us
    assert centre.collect().gateways == [GatewayRow(2, at_us, 1), GatewayRow(GATEWAY, at_us, 2)]
    assert centre.collect().gateways == []


def test_the_pace_is_that_of_the_last_uplinks(centre):
    assert centre.headend.uplinks_per_minute() == 0.0
    for _ in range(100):
        centre.hears(None, b"")
        centre.now_s += 2
    assert centre.headend.uplinks_per_minute() == 30.0


def test_what_a_group_will_touch_is_fetched_in_one_question():
    centre = Centre(*(record(number) for number in range(1, 6)))
    heard = [AppUplink(0xD000 + number, Port.EVENT, b"", centre.now_us) for number in (1, 2, 5)]
    centre.headend.prefetch([*heard, AppUplink(0xFFFF, Port.EVENT, b"", centre.now_us)])
    for number in (1, 2, 5):
        for day in (DAY, DAY + 1):
            centre.values(number, day=day)
            centre.values(number, day=day, channel=Channel.EXPORT)
    assert centre.shelf.questions == 1
    centre.headend.prefetch(heard)
    assert centre.shelf.questions == 1


# -- old gaps


def test_old_gaps_are_estimated_once_an_hour(centre):
    centre.says(run(FIRST, [8]))
    centre.now_s = START_S + 4 * DAY_S
    centre.headend.poll(centre.now_us)
    assert (len(centre.values()), centre.counts["estimated"]) == (96, 190)
    centre.now_s += 1_800
    centre.headend.poll(centre.now_us)
    assert centre.counts["estimated"] == 190
    centre.now_s += 1_800
    centre.headend.poll(centre.now_us)
    assert centre.counts["estimated"] == 198


def test_gaps_that_back_fill_still_tries_for_are_left_open(centre):
    centre.says(run(FIRST, [8]))
    centre.now_s = START_S + 3 * DAY_S
    assert centre.headend.readings.close_old_gaps(centre.now_us) == 0


def test_a_meter_that_was_never_heard_is_not_estimated(centre):
    centre.now_s = START_S + 9 * DAY_S
    assert centre.headend.readings.close_old_gaps(centre.now_us) == 0


# -- who is told


def test_listeners_hear_of_states_and_commands_once_they_are_stored(centre):
    told = []
    centre.headend.listeners.append(lambda states, commands, _: told.append((list(states), list(commands))))
    centre.hears(None, b"")
    changes = centre.collect()
    assert told == []
    centre.headend.stored(changes)
    centre.headend.stored(centre.collect())
    assert told == [([centre.state()], [])]


@pytest.mark.parametrize("event", [JoinedDevice(0xD001, 1, 0), Refused(Refusal.BAD_MIC, "", (copy(),))])
def test_other_events_of_the_network_change_nothing(centre, event):
    centre.headend.handle(event, centre.now_us)
    assert centre.collect().empty


def test_commands_go_before_back_fill(centre):
    centre.hears(None, b"")
    centre.order(Kind.READ)
    downlinks, _ = centre.headend.poll(centre.now_us)
    opcodes = [messages.decode_command(downlink.payload).opcode for downlink in downlinks]
    assert opcodes == [Opcode.READ, Opcode.BACKFILL_MAP]


def test_a_downlink_that_was_not_taken_is_tried_again(centre):
    centre.hears(None, b"")
    centre.order(Kind.READ)
    for downlink in centre.headend.poll(centre.now_us)[0]:
        centre.headend.not_taken(downlink, centre.now_us)
    centre.now_s += 90
    assert len(centre.headend.poll(centre.now_us)[0]) == 2
    assert centre.headend.next_us > centre.now_us


def test_the_next_instant_is_the_first_of_command_and_back_fill(centre):
    centre.headend.poll(centre.now_us)
    assert centre.headend.next_us == centre.headend.backfill.next_us
    centre.order(Kind.READ)
    assert centre.headend.next_us == centre.now_us
    centre.headend.poll(centre.now_us)
    assert centre.now_us < centre.headend.next_us <= centre.now_us + 24 * US_PER_S
