"""What a twin says by itself: hello, intervals, live values, registers at midnight, events, and when."""

from itertools import pairwise

import numpy as np
import pytest

from nyala.lorawan.device.state import Identity
from nyala.telegram.intervals import Intervals
from nyala.telegram.kinds import EventCode
from nyala.telegram.messages import Event, Hello
from nyala.telegram.parity import DISTANCES, SENT_MAX, xor
from nyala.telegram.values import Values
from nyala.twin.device import REPORT_INTERVALS_MAX
from nyala.twin.state import Reporting
from nyala.twin.telling import EVENT_TRIES
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S, HOUR_S
from tests.unit.twin.wall import IDENTITY, MIDNIGHT_S, Wall

QUARTER_S = 900
FIRST = MIDNIGHT_S // QUARTER_S


def intervals(wall: Wall, channel: Channel = Channel.IMPORT) -> dict[int, int]:
    """Every interval that was heard; one that came twice must have come alike."""
    found: dict[int, int] = {}
    for run in wall.told(Intervals):
        assert run.period_s == QUARTER_S
        for place, value in enumerate(run.channels[channel].values if channel in run.channels else ()):
            assert found.setdefault(run.first + place, value) == value
    return found


def midnights(wall: Wall) -> list[Values]:
    return [said for said in wall.told(Values) if said.at_s % DAY_S == 0]


def test_after_a_join_a_twin_introduces_itself():
    wall = Wall("three-phase")
    wall.join()
    assert wall.told(Hello) == [Hello(model=2, firmware=0x0100, period_s=900, clock_s=wall.told(Hello)[0].clock_s)]
    assert abs(wall.told(Hello)[0].clock_s - wall.heard[0][0]) < 15


def test_a_hello_that_nobody_acknowledges_is_said_again_with_growing_pauses_and_then_no_more():
    wall = Wall()
    wall.twin.start(wall.now_us, 1)
    wall.run(5.1)
    wall.listening = False  # while the accept is on the air
    wall.run(3 * HOUR_S)
    tries = [(at_us, frame) for at_us, frame in zip(wall.times_us, wall.frames, strict=True) if frame.f_type.confirmed]
    assert len(tries) == len({frame.f_cnt for _, frame in tries}) == EVENT_TRIES
    pauses_s = [(later - sooner) / 1e6 for (sooner, _), (later, _) in pairwise(tries)]
    assert all(20 * 2**n <= pause_s < 20 * 2**n + 10 for n, pause_s in enumerate(pauses_s))


@pytest.mark.parametrize("data_rate", [2, 3, 5])
def test_every_interval_is_reported_as_the_profile_has_it(data_rate):
    wall = Wall(data_rate=data_rate, power_w=1234)
    wall.join()
    wall.run(6 * HOUR_S)
    heard = intervals(wall)
    assert sorted(heard) == list(range(FIRST, FIRST + len(heard)))
    assert len(heard) >= 5 * 4
    run = wall.meter.profile(FIRST, len(heard))
    assert [heard[FIRST + i] for i in range(len(heard))] == list(run.values[Channel.IMPORT])
    assert sum(heard.values()) == run.ends_wh[Channel.IMPORT]
    assert set(intervals(wall, Channel.EXPORT).values()) == {0}


def test_at_dr2_an_hour_of_a_home_is_one_frame():
    wall = Wall(data_rate=2, power_w=300)
    wall.join()
    wall.run(HOUR_S)
    wall.forget()
    wall.run(4 * HOUR_S)
    assert [run.count for run in wall.told(Intervals)] == [4] * 4


def test_each_hour_is_told_once_and_one_that_nobody_heard_is_in_the_parity_of_later_ones():
    wall = Wall(data_rate=5)
    wall.join()
    wall.run(40 * HOUR_S)
    told = [run.first for run in wall.told(Intervals)]
    assert told == sorted(set(told))
    frames = dict(zip(told, wall.told_frames, strict=True))
    newest = frames[told[-1]]
    assert newest.parity == xor(frames[told[-1] - 4 * distance].body for distance in DISTANCES)
    assert [frame.header.parity for frame in wall.told_frames] == [False] * SENT_MAX + [True] * (len(told) - SENT_MAX)


def test_parity_goes_on_through_a_power_cut_and_begins_anew_when_the_clock_is_set():
    wall = Wall(data_rate=5)
    wall.join()
    wall.run(20 * HOUR_S)
    wall.power(on=False)
    wall.power(on=True)
    wall.run(4 * HOUR_S)
    assert wall.told_frames[-1].header.parity
    wall.forget()
    wall.ahead_us = 100_000_000
    wall.run(30 * HOUR_S)  # asks for the time once a day
    at = next(
        place for place, (_, said) in enumerate(wall.heard) if isinstance(said, Event) and said.code is EventCode.CLOCK_SET
    )
    before = sum(isinstance(said, Intervals) for _, said in wall.heard[:at])
    parity = [frame.header.parity for frame in wall.told_frames[before:]]
    assert parity == [False] * SENT_MAX + [True] * (len(parity) - SENT_MAX)
    assert parity[-1]


def test_without_parity_in_its_profile_a_twin_sends_bodies_alone():
    wall = Wall(reporting=Reporting(parity=False))
    wall.join()
    wall.run(DAY_S)
    assert len(wall.told_frames) >= 22
    assert not any(frame.header.parity for frame in wall.told_frames)


def test_a_frame_tells_the_import_register_at_its_end():
    wall = Wall(power_w=40_000)
    wall.join()
    wall.run(4 * HOUR_S)
    for run in wall.told(Intervals):
        register = wall.meter.edge_registers(run.first + run.count)[Channel.IMPORT]
        assert run.channels[Channel.IMPORT].anchor == register % 65_536


def test_a_frame_says_whether_an_event_waits_and_whether_the_clock_was_never_set():
    wall = Wall()
    wall.join()
    wall.run(2 * HOUR_S)
    assert [(frame.header.pending, frame.header.doubtful) for frame in wall.told_frames] == [(False, False)]
    wall.twin.memory.clock_set = False
    wall.twin.telling.event(EventCode.CLOCK_SET, 0)
    waiting = wall.twin.telling.jobs.due(wall.now_us)
    assert waiting is not None
    waiting.not_before_us = wall.now_us + 2 * HOUR_S * 1_000_000
    wall.forget()
    wall.run(HOUR_S)
    assert [(frame.header.pending, frame.header.doubtful) for frame in wall.told_frames] == [(True, True)]


def test_only_a_block_without_supply_in_it_goes_the_old_way():
    wall = Wall()
    wall.join()
    wall.run(2 * HOUR_S)
    wall.power(on=False)
    wall.run(20 * 60)
    wall.power(on=True)
    wall.forget()
    wall.run(5 * HOUR_S)
    told = wall.told(Intervals)
    assert [run.first - FIRST for run in told] == [4, 8, 12, 16, 20][-len(told) :]
    assert [bool(run.outages) for run in told] == [run.first == FIRST + 8 for run in told]
    assert len(wall.told_frames) == len(told) - 1


def test_reports_come_once_an_hour_at_another_instant_behind_each_edge():
    offsets = []
    for dev_eui in range(100, 106):
        wall = Wall(identity=Identity(dev_eui, 1, IDENTITY.app_key))
        wall.join()
        wall.run(HOUR_S)
        wall.forget()
        wall.run(6 * HOUR_S)
        heard_s = [at_s for at_s, said in wall.heard if isinstance(said, Intervals)]
        assert [at_s // HOUR_S for at_s in heard_s] == list(range(heard_s[0] // HOUR_S, heard_s[0] // HOUR_S + 6))
        assert all(10 <= at_s % HOUR_S < HOUR_S for at_s in heard_s)
        offsets += [at_s % HOUR_S for at_s in heard_s]
    assert len(set(offsets)) > len(offsets) - 3


@pytest.mark.parametrize(("report_s", "frames"), [(900, 16), (1800, 8), (7200, 2), (14_400, 1)])
def test_the_reporting_period_is_adjustable(report_s, frames):
    wall = Wall(reporting=Reporting(report_s=report_s), data_rate=3, power_w=100)
    wall.join()
    wall.run(DAY_S - 60 - report_s)
    wall.forget()
    wall.run(4 * HOUR_S)
    told = {at_s for at_s, said in wall.heard if isinstance(said, Intervals)}
    assert frames - 1 <= len(told) <= frames + 1  # an instant is anywhere in its period


@pytest.mark.parametrize("hours", [1, 2, 6])
def test_live_values_come_with_the_report_as_often_as_the_profile_says(hours):
    wall = Wall(reporting=Reporting(live_s=hours * HOUR_S))
    wall.join()
    wall.bank.u_v[0, 0], wall.bank.p_w[0, 0] = 231.4, 1000.0
    wall.run(12 * HOUR_S)
    live = [said for said in wall.told(Values) if "u1_v" in said.values]
    assert len(live) == 12 // hours
    assert live[0].values["u1_v"] == 2314
    assert live[0].values["p_w"] == 1000
    assert all(abs(said.at_s - at_s) < 30 for at_s, said in wall.heard if isinstance(said, Values) and "u1_v" in said.values)


def test_the_registers_of_midnight_come_once_a_day_and_prove_the_day():
    wall = Wall(start_s=MIDNIGHT_S - 2 * HOUR_S, power_w=750)
    wall.join()
    wall.run(2 * DAY_S)
    said = midnights(wall)
    assert [each.at_s for each in said] == [MIDNIGHT_S, MIDNIGHT_S + DAY_S]
    assert [each.values for each in said] == [
        {"import_wh": 1500, "export_wh": 0},
        {"import_wh": 1500 + 24 * 750, "export_wh": 0},
    ]
    heard = intervals(wall)
    assert sum(heard[FIRST + i] for i in range(96)) == said[1].values["import_wh"] - said[0].values["import_wh"]
    moments = [each for each in wall.told(Values) if "import_vah" in each.values]
    assert len(moments) == 2


def test_once_a_day_the_time_is_asked():
    wall = Wall()
    wall.join()
    wall.run(HOUR_S)
    wall.twin.meter.set_clock(900_000)
    wall.run(DAY_S + 4 * HOUR_S)
    assert abs(wall.meter.clock_error_us) < 4_000


def test_after_a_silence_a_report_reaches_back_a_day_and_no_further():
    wall = Wall()
    wall.run(DAY_S + 6 * HOUR_S)
    wall.join()
    wall.run(HOUR_S)
    heard = intervals(wall)
    assert len(heard) >= REPORT_INTERVALS_MAX
    assert min(heard) >= (wall.now_s - HOUR_S) // QUARTER_S - REPORT_INTERVALS_MAX
    assert sorted(heard) == list(range(min(heard), max(heard) + 1))


def test_two_twins_with_one_seed_say_the_same_at_the_same_time():
    said = []
    for _ in range(2):
        wall = Wall(seed=7)
        wall.join()
        wall.run(5 * HOUR_S)
        said.append(wall.heard)
    assert said[0] == said[1]


# -- the clock


def test_a_twin_takes_the_time_of_the_network():
    wall = Wall()
    wall.ahead_us = 1_500_000
    wall.join()
    assert 0 < wall.meter.clock_error_us < 10_000  # a small step is taken slowly
    wall.run(5 * HOUR_S)
    assert 1_496_000 < wall.meter.clock_error_us <= 1_500_000
    assert not [event for event in wall.told(Event) if event.code is EventCode.CLOCK_SET]


@pytest.mark.parametrize("ahead_s", [5, -5, 3_000, -3_000, 200_000, -200_000])
def test_a_large_correction_is_an_event_and_loses_no_energy(ahead_s):
    wall = Wall()
    wall.run(6 * HOUR_S)
    wall.ahead_us = ahead_s * 1_000_000
    wall.join()
    wall.run(6 * HOUR_S)
    (event,) = [event for event in wall.told(Event) if event.code is EventCode.CLOCK_SET]
    assert abs(event.detail - abs(ahead_s) * 1000) < 10
    assert wall.meter.total_wh(Channel.IMPORT) == (wall.now_s - MIDNIGHT_S) * 1000 // 3600
    edges, _ = wall.bank.edges(0, wall.meter.oldest_edge, wall.meter.last_edge - wall.meter.oldest_edge)
    assert (np.diff(edges[:, 0]) >= 0).all()


@pytest.mark.parametrize("error_us", [1, 50_000, 400_000, 499_999, 500_001, 999_999, -1, -400_000, -600_000, 1_300_000])
def test_a_clock_that_is_off_by_a_part_of_a_second_reports_once_an_hour(error_us):
    wall = Wall(reporting=Reporting(live_s=HOUR_S))
    wall.join()
    wall.meter.set_clock(error_us)
    wall.forget()
    wall.run(4 * HOUR_S)
    live = [said for said in wall.told(Values) if "u1_v" in said.values]
    assert len(live) == 4


def test_a_twin_under_a_duty_cycle_waits_for_its_turn():
    wall = Wall(data_rate=2)
    wall.join()
    assert wall.twin.mac.activation is not None
    wall.twin.mac.activation.max_duty_cycle = 10
    wall.run(6 * HOUR_S)
    assert wall.told(Intervals)


def test_the_twin_wakes_when_something_is_due_and_not_before():
    wall = Wall()
    wall.join()
    wall.run(60)
    due_us = wall.twin.next_us
    assert due_us is not None
    assert due_us > wall.now_us
    assert wall.twin.wake(wall.now_us) == []
    assert wall.twin.wake(due_us - 1) == []
