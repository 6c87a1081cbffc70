"""A power cut: what is kept, what is lost, what is told; and the queue of what there is to say."""

from itertools import pairwise

import pytest

from nyala.telegram.intervals import Intervals
from nyala.telegram.kinds import EventCode, Opcode, Port
from nyala.telegram.messages import Answer, Command, Event, Hello
from nyala.twin import image
from nyala.twin.device import BOOT_US, PAUSE_US
from nyala.twin.jobs import Job, Jobs, Urgency
from nyala.twin.telling import JOBS_LIMIT
from nyala.vocab.quantities import Channel
from nyala.vocab.time import HOUR_S
from tests.unit.twin.wall import MIDNIGHT_S, Wall

FIRST = MIDNIGHT_S // 900


def payload_of(job, room):
    said = job.next_payload(room)
    assert said is not None
    return said[1]


def cut(wall: Wall, seconds: float) -> None:
    wall.power(on=False)
    wall.run(seconds)
    wall.power(on=True)


def met(**kinds) -> Wall:
    wall = Wall(**kinds)
    wall.join()
    wall.forget()
    return wall


def test_a_power_cut_keeps_session_and_counters():
    wall = met()
    wall.run(HOUR_S)
    memory, before = wall.twin.memory, wall.counters[-1]
    wall.power(on=False)
    assert wall.twin.memory is not memory
    assert image.encode(wall.twin.memory) == image.encode(memory, reserve=1)  # the counter of its last words
    wall.run(600)
    wall.power(on=True)
    wall.run(2 * HOUR_S)
    assert wall.joins == 1
    assert wall.counters == sorted(set(wall.counters))
    assert wall.counters[-1] > before


def test_a_power_cut_is_told_with_its_length():
    wall = met()
    wall.run(100)
    cut(wall, 600)
    wall.run(60)
    event = wall.told(Event)[-1]
    assert (event.code, event.detail) == (EventCode.POWER_RESTORED, 600)


def test_events_are_numbered_on_across_power_cuts():
    wall = met()
    for _ in range(3):
        cut(wall, 30)
        wall.run(60)
    assert [event.number for event in wall.told(Event)] == [1, 2, 3, 4, 5, 6]


def test_without_supply_a_twin_is_silent_and_deaf():
    wall = met()
    wall.power(on=False)
    wall.run(60)
    assert wall.twin.next_us is None
    frames = len(wall.frames)
    wall.order(Command(7, Opcode.SWITCH_OPEN))
    wall.run(3 * HOUR_S)
    assert len(wall.frames) == frames
    assert wall.twin.wake(wall.now_us) == []
    assert not wall.twin.detect(921_400_000, 2, wall.now_us, wall.now_us + 1)
    assert wall.twin.receive(b"", 5.0, wall.now_us) == []
    wall.power(on=True)
    assert wall.meter.switch_state.value == 1


def test_a_street_does_not_speak_at_once_when_the_power_returns():
    moments = set()
    for seed in range(6):
        wall = met(seed=seed)
        wall.power(on=False)
        wall.run(100)
        wall.power(on=True)
        first_us = wall.twin.next_us
        assert first_us is not None
        assert BOOT_US[0] <= first_us - wall.now_us <= BOOT_US[1]
        moments.add(first_us - wall.now_us)
    assert len(moments) == 6


def test_a_module_boots_longer_than_the_windows_of_its_last_uplink_are_open():
    # an acknowledgement of before the cut, in RX2, would be taken for one of the first uplink after it
    assert BOOT_US[0] > 2_200_000


def test_the_intervals_of_a_power_cut_are_reported_as_outages_and_no_energy_is_lost():
    wall = met(power_w=1000)
    wall.run(HOUR_S)
    cut(wall, 2 * HOUR_S)
    wall.run(3 * HOUR_S)
    heard = {
        run.first + i: value for run in wall.told(Intervals) for i, value in enumerate(run.channels[Channel.IMPORT].values)
    }
    dark = {run.first + i for run in wall.told(Intervals) for i in run.outages}
    count = max(heard) - FIRST + 1
    profile = wall.meter.profile(FIRST, count)
    assert [heard[FIRST + i] for i in range(count)] == list(profile.values[Channel.IMPORT])
    assert dark == {FIRST + i for i in profile.outages}
    assert len(dark) in {8, 9}


def test_a_twin_that_had_not_joined_joins_when_the_power_returns():
    wall = Wall()
    wall.listening = False
    wall.twin.start(wall.now_us, 1)
    wall.run(30)
    nonces = wall.twin.memory.device.dev_nonce
    cut(wall, 30)
    wall.listening = True
    wall.run(120)
    assert wall.twin.mac.joined
    assert wall.twin.memory.device.dev_nonce > nonces
    assert len(wall.told(Hello)) == 1


def test_a_supply_that_is_there_already_changes_nothing():
    wall = met()
    mac = wall.twin.mac
    wall.power(on=True)
    wall.run(120)
    assert wall.twin.mac is mac
    assert wall.told(Event) == []


def test_what_was_not_said_yet_is_gone_with_the_power():
    wall = met()
    wall.order(Command(7, Opcode.SWITCH_OPEN))
    while wall.meter.switch_state.value:
        wall.run(0.01)
    cut(wall, 10)
    wall.run(120)
    assert wall.told(Answer) == []
    on_the_air, restored = wall.told(Event)
    assert (on_the_air.code, restored.code) == (EventCode.SWITCH_OPENED, EventCode.POWER_RESTORED)
    assert wall.meter.switch_state.value == 0


# -- the queue


def job(urgency: Urgency, name: str = "") -> Job:
    return Job(urgency, lambda _room: [(Port.ANSWER, name.encode())])


def said(jobs: Jobs) -> list[bytes]:
    order = []
    while (each := jobs.due(0)) is not None:
        order.append(payload_of(each, 10))
        assert each.said()
        jobs.remove(each)
    return order


def test_the_most_urgent_goes_first_and_of_one_urgency_the_oldest():
    jobs = Jobs(10)
    for name, urgency in (("r1", Urgency.REPORT), ("e1", Urgency.EVENT), ("b", Urgency.BACKFILL), ("e2", Urgency.EVENT)):
        jobs.put(job(urgency, name))
    jobs.put(job(Urgency.ANSWER, "a"))
    jobs.put(job(Urgency.READ, "q"))
    assert said(jobs) == [b"a", b"e1", b"e2", b"q", b"r1", b"b"]


def test_a_job_waits_for_its_time_and_lets_others_pass():
    jobs = Jobs(10)
    waiting, other = job(Urgency.EVENT, "later"), job(Urgency.REPORT, "now")
    waiting.not_before_us = 100
    jobs.put(waiting)
    assert jobs.next_us == 100
    jobs.put(other)
    assert (jobs.next_us, jobs.due(50), jobs.due(100)) == (0, other, waiting)


def test_beyond_the_limit_the_least_urgent_is_dropped_and_counted():
    jobs = Jobs(3)
    for name, urgency in (("b", Urgency.BACKFILL), ("r", Urgency.REPORT), ("e", Urgency.EVENT), ("a", Urgency.ANSWER)):
        jobs.put(job(urgency, name))
    assert (len(jobs), jobs.dropped) == (3, 1)
    assert said(jobs) == [b"a", b"e", b"r"]
    assert jobs.next_us is None


def test_payloads_are_packed_again_where_the_room_becomes_smaller():
    rooms: list[int] = []

    def pack(room: int) -> list[tuple[Port, bytes]]:
        rooms.append(room)
        return [(Port.VALUES, bytes(room))] * 3

    each = Job(Urgency.REPORT, pack)
    assert len(payload_of(each, 20)) == 20
    assert len(payload_of(each, 50)) == 20
    assert not each.said()
    assert len(payload_of(each, 11)) == 11
    assert rooms == [20, 11]


def test_the_queue_of_a_twin_is_limited():
    wall = met()
    wall.listening = False
    for sequence in range(1, JOBS_LIMIT + 20):
        wall.order(Command(1, Opcode.QUERY, asked=sequence))
        wall.run(0.35)
    assert len(wall.twin.telling.jobs) <= JOBS_LIMIT


def test_a_job_that_is_dropped_while_it_is_on_the_air_ends_quietly():
    wall = met()
    wall.run(HOUR_S)
    wall.order(Command(5, Opcode.BACKFILL, first=FIRST, period_s=900, count=4))
    wall.run(0.4)
    for _ in range(JOBS_LIMIT):
        wall.twin.telling.put(Urgency.ANSWER, Port.ANSWER, bytes(8))
    wall.run(600)
    assert len(wall.told(Answer)) == JOBS_LIMIT


def test_two_uplinks_of_one_meter_keep_their_pause():
    assert PAUSE_US[0] > 0
    wall = met(data_rate=2)
    wall.run(3 * HOUR_S)
    wall.forget()
    wall.order(Command(5, Opcode.BACKFILL, first=FIRST, period_s=900, count=12))
    wall.run(120)
    times = [at_s for at_s, each in wall.heard if isinstance(each, Intervals)]
    assert all(later - sooner >= 2 for sooner, later in pairwise(times))


@pytest.mark.parametrize("sticky", [1, 5, 8])
def test_a_frame_without_room_for_the_payload_takes_the_mac_answers_away_first(sticky):
    wall = met(data_rate=2)
    wall.twin.mac._answers._answers = [b"\x06\x00\x05"] * 1 + [b"\x07\x03"] * (sticky // 2)
    wall.order(Command(7, Opcode.SWITCH_OPEN))
    wall.run(60)
    assert len(wall.told(Answer)) == 1
    assert wall.frames[-1].f_opts == b"" or len(wall.frames) > 1
