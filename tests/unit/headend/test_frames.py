"""Frames at the centre: what is heard and what is repaired goes into the load days, once, and outlives a restart."""

from collections.abc import Mapping

import pytest

from nyala.headend import frames as room
from nyala.headend.frames import coder_of
from nyala.telegram import frames
from nyala.telegram.frame_header import COUNTS
from nyala.telegram.frames import Frame, Run, encode
from nyala.telegram.kinds import Port
from nyala.telegram.load_model_file import EPOCH
from nyala.telegram.messages import Hello
from nyala.telegram.parity import DISTANCES, SENT_MAX, SentBodies
from nyala.telegram.values import Values
from nyala.vocab.errors import TelegramError
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S
from tests.unit.headend.fleet import FIRST, PERIOD_S, START_S, Centre, record

HOUR_S = 3_600
HOURS = 40
CODER = coder_of(EPOCH % 4)


def import_of(hour: int) -> tuple[int, ...]:
    return tuple((37 * hour + 11 * at) % 300 for at in range(4))


def end_wh(hour: int) -> int:
    return 1_000 + sum(sum(import_of(each)) for each in range(hour + 1))


def told(*, parity: bool = True) -> list[tuple[Port, bytes]]:
    """What a meter says in its first hours, one frame each: 4 intervals of import and export, and its register."""
    sent, said = SentBodies(), []
    for hour in range(HOURS):
        rows = {Channel.IMPORT: import_of(hour), Channel.EXPORT: (0, 0, hour % 3, 0)}
        (built,) = frames.build(Run(FIRST + 4 * hour, rows, end_wh(hour)), CODER, 53, sent, parity=parity)
        said.append((Port.FRAME_SUM if built.has_sum else Port.FRAME, built.payload))
    return said


SAID = told()


def hear(centre: Centre, *hours: int, late_s: int = 0, number: int = 1) -> None:
    """Frames come, each soon after its end."""
    for hour in hours:
        at_s = START_S + (hour + 1) * HOUR_S + 60 + late_s
        centre.now_s = max(centre.now_s, at_s)
        centre.hears(*SAID[hour], dev_eui=0xD000 + number, at_s=at_s)


def known(centre: Centre, number: int = 1, channel: Channel = Channel.IMPORT) -> dict[int, int]:
    """Values by their place since the beginning."""
    found: dict[int, int] = {}
    for day in range(3):
        values: Mapping[int, int] = centre.values(number, day=START_S // DAY_S + day, channel=channel)
        found |= {96 * day + at: value for at, value in values.items()}
    return found


def hours_of(*hours: int) -> dict[int, int]:
    return {4 * hour + at: value for hour in hours for at, value in enumerate(import_of(hour))}


@pytest.fixture
def centre():
    return Centre()


def test_the_intervals_of_a_frame_go_into_the_load_days_of_their_channels(centre):
    hear(centre, 0, 1)
    assert known(centre) == hours_of(0, 1)
    assert known(centre, channel=Channel.EXPORT) == {0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 1, 7: 0}
    assert (centre.counts["intervals"], centre.state().complete_to) == (16, FIRST + 8)


def test_the_same_frame_again_changes_nothing(centre):
    hear(centre, 0)
    centre.collect()
    hear(centre, 0, late_s=600)
    assert centre.counts["intervals"] == 8
    assert centre.collect().load_days == []


def test_an_hour_that_was_lost_comes_out_of_the_parity_of_a_later_one(centre):
    lost = SENT_MAX
    hear(centre, *range(lost), *range(lost + 1, lost + DISTANCES[0]))
    assert sorted(set(range(4 * lost, 4 * lost + 4)) & known(centre).keys()) == []
    hear(centre, lost + DISTANCES[0])
    assert known(centre) == hours_of(*range(lost + DISTANCES[0] + 1))
    assert centre.state().complete_to == FIRST + 4 * (lost + DISTANCES[0] + 1)
    assert (centre.counts["recovered"], centre.counts["contradictions"]) == (1, 0)


def test_what_parity_may_still_repair_is_known(centre):
    lost = SENT_MAX + 3
    hear(centre, *range(lost), lost + 1)
    frames_room = centre.headend.frames
    assert frames_room.may_still_repair(1, FIRST + 4 * lost)
    assert not frames_room.may_still_repair(1, FIRST + 4 * (lost - 1))
    assert not frames_room.may_still_repair(2, FIRST + 4 * lost)


# -- the register


def test_the_register_of_a_frame_proves_the_sum_since_midnight(centre):
    centre.says(Values(START_S, {"import_wh": 1_000}))
    hear(centre, *range(5))
    assert (centre.counts["anchors_right"], centre.counts.get("anchors_wrong", 0)) == (5, 0)


def test_a_register_that_does_not_agree_is_counted(centre):
    centre.says(Values(START_S, {"import_wh": 1_001}))
    hear(centre, 0)
    assert centre.counts["anchors_wrong"] == 1


# -- back-fill


def full(hour: int) -> bytes:
    rows = {Channel.IMPORT: import_of(hour), Channel.EXPORT: (0, 0, hour % 3, 0)}
    (built,) = frames.build(Run(FIRST + 4 * hour, rows), CODER, 53, SentBodies(), full=True)
    return built.payload


def test_a_block_that_is_far_back_is_taken_where_its_number_is_said_in_full(centre):
    hear(centre, *range(4))
    centre.now_s = START_S + 30 * DAY_S
    centre.hears(Port.FRAME_FULL, full(4))
    assert known(centre) == hours_of(*range(5))


def test_a_back_fill_of_a_recent_block_helps_the_parity_of_others(centre):
    hear(centre, *[hour for hour in range(28) if hour not in (20, 23, 24)])
    assert known(centre) == hours_of(*[hour for hour in range(28) if hour not in (20, 24)])
    centre.hears(Port.FRAME_FULL, full(24))
    assert known(centre) == hours_of(*range(28))


# -- what is refused


def test_a_frame_of_another_period_than_the_meters_hello_said_is_refused(centre):
    centre.says(Hello(1, 1, 1_800, START_S))
    hear(centre, 0)
    assert (centre.counts["refused_TelegramError"], known(centre)) == (1, {})
    centre.says(Hello(1, 1, PERIOD_S, START_S))
    hear(centre, 0)
    assert known(centre) == hours_of(0)


def test_a_block_of_the_future_is_refused(centre):
    centre.hears(*SAID[5], at_s=START_S + HOUR_S)
    assert (centre.counts["refused_TelegramError"], known(centre)) == (1, {})


def odd(hour: int, *, body: bytes | None = None, parity: bytes | None = None) -> bytes:
    """The frame of an hour with another body or parity."""
    frame = frames.decode(SAID[hour][1], has_sum=True)
    said = frame.body if body is None else body
    header = type(frame.header)(
        frame.header.epoch, frame.header.model, COUNTS.index(4), frame.header.number, len(said), parity is not None
    )
    return encode(Frame(header, said, None, parity))


def test_a_repaired_body_that_is_none_is_counted_and_refuses_nothing_else(centre):
    lost, hour = SENT_MAX - DISTANCES[0], SENT_MAX
    hear(centre, *[each for each in range(hour) if each != lost])
    centre.hears(Port.FRAME, odd(hour, parity=b"\xff" * 40), at_s=START_S + (hour + 1) * HOUR_S)
    assert known(centre) == hours_of(*[each for each in range(hour + 1) if each != lost])
    assert centre.counts["bodies_refused"] == 1
    assert "refused_TelegramError" not in centre.counts


def test_a_body_that_is_none_is_refused_and_what_its_frame_repairs_is_taken(centre):
    lost, hour = SENT_MAX - DISTANCES[0], SENT_MAX
    hear(centre, *[each for each in range(hour) if each != lost])
    frame = frames.decode(SAID[hour][1], has_sum=True)
    centre.hears(Port.FRAME, odd(hour, body=frame.body + b"\xff" * 9, parity=frame.parity), at_s=START_S + (hour + 1) * HOUR_S)
    assert known(centre) == hours_of(*range(hour))
    assert (centre.counts["refused_TelegramError"], centre.counts["recovered"]) == (1, 1)


def test_tables_that_the_package_does_not_have_are_refused(centre):
    with pytest.raises(TelegramError, match="epoch 3"):
        coder_of(3)
    payload = SAID[0][1]
    centre.hears(Port.FRAME_SUM, bytes([payload[0] | 0xC0]) + payload[1:], at_s=START_S + HOUR_S)
    assert (centre.counts["refused_TelegramError"], known(centre)) == (1, {})


def test_a_block_that_is_another_one_now_is_counted_as_a_contradiction(centre):
    hear(centre, 0)
    other = frames.decode(SAID[1][1], has_sum=True).body
    centre.hears(Port.FRAME, odd(0, body=other), at_s=START_S + HOUR_S + 90)
    assert centre.counts["contradictions"] == 1
    assert known(centre) == hours_of(0)


# -- windows


def test_a_window_is_stored_with_the_readings_and_parity_goes_on_after_a_restart(centre):
    lost = SENT_MAX
    hear(centre, *range(lost))
    changes = centre.collect()
    assert [meter_id for meter_id, _ in changes.windows] == [1]
    assert {row.key.channel for row in changes.load_days} == {Channel.IMPORT, Channel.EXPORT}
    again = Centre(shelf=centre.shelf, windows=dict(changes.windows))
    hear(again, *range(lost + 1, lost + 4))
    assert known(again) == hours_of(*range(lost + 4))
    assert centre.collect().windows == []


def test_more_meters_than_are_kept_unpacked_lose_no_parity(monkeypatch):
    monkeypatch.setattr(room, "OPEN_MAX", 1)
    centre = Centre(record(1), record(2), record(3))
    for hour in range(SENT_MAX + 4):
        for number in (1, 2, 3):
            if hour != SENT_MAX:
                hear(centre, hour, number=number)
            centre.collect()
    assert [known(centre, number) for number in (1, 2, 3)] == [hours_of(*range(SENT_MAX + 4))] * 3


# -- many at once


def test_frames_that_are_decoded_in_one_go_give_what_each_gives_by_itself(monkeypatch):
    alone, together = Centre(), Centre()
    hear(alone, *range(HOURS))
    together.headend.frames.foresee([*SAID, (Port.FRAME, b"\xff"), (Port.VALUES, b"\1"), (None, b"")])
    monkeypatch.setattr(frames, "rows_of", None)  # nothing is left to be decoded
    hear(together, *range(HOURS))
    assert (known(together), together.counts) == (known(alone), alone.counts)


def test_what_is_no_body_or_of_unknown_tables_is_left_to_its_turn(centre):
    hour_s = START_S + HOUR_S
    broken = odd(0, body=frames.decode(SAID[0][1], has_sum=True).body + b"\xff" * 9)
    unknown = bytes([SAID[0][1][0] | 0xC0]) + SAID[0][1][1:]
    centre.headend.frames.foresee([(Port.FRAME, broken), (Port.FRAME_SUM, unknown), SAID[1]])
    centre.hears(Port.FRAME, broken, at_s=hour_s)
    centre.hears(Port.FRAME_SUM, unknown, at_s=hour_s)
    hear(centre, 1)
    assert (centre.counts["refused_TelegramError"], known(centre)) == (2, hours_of(1))
