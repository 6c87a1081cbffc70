"""Group commit: nothing is acknowledged or sent before it is on disk.  Laws 2 and 5."""

import asyncio

import pytest

from nyala.headend.commands import Kind
from nyala.headend.ingest import GROUP_FRAMES, GROUP_US, WAITING_MAX
from nyala.lorawan.frame import DataFrame
from nyala.lorawan.network.port import AppUplink, Refused
from nyala.telegram.kinds import EventCode, Port
from nyala.telegram.messages import Event, Hello, encode_hello
from nyala.vocab.time import US_PER_S
from tests.unit.headend.fleet import FIRST, GATEWAY, PERIOD_S, START_S, run
from tests.unit.headend.plant import OTHER_GATEWAY, Plant, played, reception

WINDOW_S = 0.2
"""Deduplication: a frame has its effect so much later."""
SOON_S = 2 * GROUP_US / US_PER_S


def order(plant, kind=Kind.READ, number=1):
    meter = plant.registry.meter(number)
    command = plant.tracker.issue(meter, kind, has_switch=True, by="ani", reason="", now_us=plant.now_us())
    plant.ingest.nudge()
    return command


# -- acknowledging


@played()
async def test_a_frame_is_acknowledged_only_once_its_journal_row_is_on_disk(plant: Plant):
    plant.disk.gate.clear()
    plant.hears(plant.frame(run(FIRST, [1])), "first")
    await asyncio.sleep(5)
    assert (plant.acknowledged, plant.disk.commits) == ([], [])
    plant.disk.gate.set()
    await asyncio.sleep(0.001)
    assert (plant.acknowledged, plant.disk.journal) == (["first"], {1})


@played()
async def test_a_frame_is_acknowledged_after_one_group_and_not_after_its_window(plant: Plant):
    plant.hears(plant.frame(run(FIRST, [1])), "first")
    await asyncio.sleep(SOON_S)
    assert plant.acknowledged == ["first"]
    assert plant.headend.counts["uplinks"] == 0


@played(meters=40)
async def test_many_frames_are_one_commit(plant: Plant):
    for number in plant.devices:
        plant.hears(plant.frame(run(FIRST, [number]), number=number), number)
        await asyncio.sleep(GROUP_US / US_PER_S / 100)
    await asyncio.sleep(SOON_S)
    assert [len(commit.journal) for commit in plant.disk.commits] == [40]
    assert plant.acknowledged == list(plant.devices)
    await asyncio.sleep(WINDOW_S + SOON_S)
    assert plant.headend.counts["uplinks"] == 40
    assert sum(commit.intervals for commit in plant.disk.commits) == 40


@played()
async def test_a_full_group_does_not_wait_for_more(plant: Plant):
    at_s = plant.loop.time()
    phy = plant.frame(run(FIRST, [1]))
    plant.ingest.submit([reception(phy, plant.now_us())] * GROUP_FRAMES, lambda: plant.acknowledged.append("full"))
    for _ in range(20):
        await asyncio.sleep(0)
    assert (plant.acknowledged, plant.loop.time()) == (["full"], at_s)


@played(meters=3)
async def test_frames_that_come_while_the_disk_works_are_the_next_group(plant: Plant):
    plant.disk.gate.clear()
    for number in plant.devices:
        plant.hears(plant.frame(run(FIRST, [1]), number=number), number)
        await asyncio.sleep(0.1)
    plant.disk.gate.set()
    await asyncio.sleep(SOON_S)
    assert [commit.journal for commit in plant.disk.commits[:2]] == [(1,), (2, 3)]
    assert plant.acknowledged == [1, 2, 3]


@played()
async def test_when_the_disk_fails_nothing_is_acknowledged_or_sent_any_more(plant: Plant):
    plant.disk.fails = OSError("disk full")
    order(plant)
    plant.hears(plant.frame(run(FIRST, [1])), "first")
    with pytest.raises(OSError, match="disk full"):
        await plant.ingest.run()
    plant.hears(plant.frame(run(FIRST + 1, [1])), "second")
    await asyncio.sleep(60)
    assert (plant.acknowledged, plant.radio.left) == ([], [])


@played()
async def test_when_too_many_frames_wait_no_more_are_taken_until_some_are_on_disk(plant: Plant):
    plant.disk.gate.clear()
    phy = plant.frame(run(FIRST, [1]))
    plant.hears(phy, "first")
    await asyncio.sleep(SOON_S)
    waiting = [reception(phy, plant.now_us())] * WAITING_MAX
    assert plant.ingest.submit(waiting, lambda: plant.acknowledged.append("many"))
    assert plant.hears(phy, "one too many") == [False]
    plant.disk.gate.set()
    await asyncio.sleep(SOON_S)
    assert plant.hears(phy, "later") == [True]
    await asyncio.sleep(1)
    assert plant.acknowledged == ["first", "many", "later"]
    assert len(plant.disk.journal) == WAITING_MAX + 2


@played()
async def test_telegrams_of_other_networks_have_a_limit_as_well(plant: Plant):
    hello = AppUplink(0xD001, Port.HELLO, encode_hello(Hello(3, 1, PERIOD_S, START_S)), plant.now_us())
    assert plant.ingest.submit_app([hello] * WAITING_MAX, lambda: None)
    assert not plant.ingest.submit_app([hello], lambda: None)


# -- effects


@played()
async def test_copies_from_three_gateways_are_three_journal_rows_and_one_effect(plant: Plant):
    plant.hears(plant.frame(run(FIRST, [7])), gateways=(GATEWAY, OTHER_GATEWAY, OTHER_GATEWAY + 1))
    await asyncio.sleep(1)
    assert plant.disk.journal == {1, 2, 3}
    assert (plant.headend.counts["uplinks"], plant.network.duplicates) == (1, 2)
    assert (plant.registry.state(1).gateways, plant.registry.state(1).uplinks) == (3, 1)


@played()
async def test_a_telegram_of_another_network_is_journaled_and_has_its_effect_in_one_commit(plant: Plant):
    hello = AppUplink(0xD001, Port.HELLO, encode_hello(Hello(3, 1, PERIOD_S, START_S)), plant.now_us())
    plant.ingest.submit_app([hello], lambda: plant.acknowledged.append("hello"))
    await asyncio.sleep(SOON_S)
    assert plant.acknowledged == ["hello"]
    assert plant.registry.state(1).model_code == 3
    assert [(commit.journal, commit.worked_off) for commit in plant.disk.commits] == [((1,), 1)]


@played()
async def test_frames_that_are_refused_are_told_to_who_listens(plant: Plant):
    told: list[Refused] = []
    plant.ingest.refused.append(told.append)
    plant.hears(b"\x40 no frame of ours")
    await asyncio.sleep(1)
    assert [refused.reason for refused in told] == ["unknown_device"]
    assert plant.disk.journal == {1}


@played()
async def test_an_ingest_without_work_writes_nothing_and_does_not_spin(plant: Plant):
    groups = 0
    close = plant.ingest.close_group

    async def counted(**said: bool) -> None:
        nonlocal groups
        groups += 1
        await close(**said)

    plant.ingest.close_group = counted  # type: ignore[method-assign]
    await asyncio.sleep(6 * 3_600)
    assert (plant.disk.commits, plant.ingest.groups) == ([], 0)
    assert groups <= 6 * 3_600 // 300 + 2


# -- sending


@played()
async def test_nothing_is_sent_before_its_counter_is_on_disk(plant: Plant):
    plant.disk.gate.clear()
    order(plant)
    await asyncio.sleep(5)
    assert plant.radio.left == []
    plant.disk.gate.set()
    await asyncio.sleep(0.001)
    [(sent, commits)] = plant.radio.left
    assert commits == 1
    f_cnt = DataFrame.decode(sent.phy).f_cnt
    assert plant.disk.commits[0].f_cnt_down[0xD001] == f_cnt + 1


@played(meters=6)
async def test_every_counter_on_the_air_is_on_disk_and_is_used_once(plant: Plant):
    for number in plant.devices:
        order(plant, number=number)
        event = Event(1, EventCode.POWER_RESTORED, START_S, 5)
        plant.hears(plant.frame(event, number=number, confirmed=True))
        await asyncio.sleep(0.15)
    await asyncio.sleep(30)
    used: dict[int, list[int]] = {}
    for sent, commits in plant.radio.left:
        frame = DataFrame.decode(sent.phy)
        used.setdefault(frame.dev_addr, []).append(frame.f_cnt)
        stored = [commit.f_cnt_down.get(0xD000 + frame.dev_addr, 0) for commit in plant.disk.commits[:commits]]
        assert max(stored) > frame.f_cnt
    assert set(used) == set(plant.devices)
    assert all(counters == sorted(set(counters)) and len(counters) >= 2 for counters in used.values())


@played()
async def test_a_confirmed_event_is_answered_in_its_window(plant: Plant):
    sent_s = plant.loop.time()
    plant.hears(plant.frame(Event(1, EventCode.POWER_RESTORED, START_S, 5), confirmed=True))
    await asyncio.sleep(0.5)
    [(answer, _)] = plant.radio.left
    assert DataFrame.decode(answer.phy).ack
    assert answer.start_us == START_S * US_PER_S + round((sent_s + 1) * US_PER_S)


@played()
async def test_an_order_is_sent_without_waiting_for_a_timer(plant: Plant):
    await asyncio.sleep(100)
    at_s = plant.loop.time()
    command = order(plant)
    await asyncio.sleep(SOON_S)
    assert plant.loop.time() - at_s < 0.1
    assert (str(command.state), len(plant.radio.left)) == ("sent", 1)


@played(meters=2)
async def test_an_order_waits_for_no_other_frames_and_closes_a_group_that_does(plant: Plant):
    plant.hears(plant.frame(run(FIRST, [1]), number=2), "heard")
    await asyncio.sleep(GROUP_US / US_PER_S / 5)
    assert plant.disk.commits == []
    order(plant)
    await asyncio.sleep(GROUP_US / US_PER_S / 5)
    assert (len(plant.radio.left), len(plant.disk.commits), plant.acknowledged) == (1, 1, ["heard"])


@played()
async def test_an_order_for_a_meter_that_has_not_joined_waits(plant: Plant):
    plant.network.sessions._sessions.clear()
    command = order(plant, Kind.SWITCH_OPEN)
    await asyncio.sleep(60)
    assert (str(command.state), command.waiting, plant.radio.left) == ("queued", False, [])
    assert command.attempts > 1


@played()
async def test_without_a_radio_what_would_be_sent_is_stored_all_the_same(plant: Plant):
    plant.ingest.radio = None
    command = order(plant)
    await asyncio.sleep(SOON_S)
    assert str(command.state) == "sent"
    assert plant.disk.commits[0].commands == ("sent",)


@played()
async def test_who_waits_for_the_disk_waits_for_what_was_ordered_before(plant: Plant):
    order(plant)
    plant.disk.gate.clear()
    waiting = plant.loop.create_task(plant.ingest.stored())
    await asyncio.sleep(5)
    assert not waiting.done()
    plant.disk.gate.set()
    await waiting
    assert plant.disk.commits[0].commands == ("sent",)


@played()
async def test_who_waits_with_nothing_to_store_does_not_wait_long(plant: Plant):
    await asyncio.wait_for(plant.ingest.stored(), 1)
    assert plant.disk.commits == []


@played()
async def test_a_silent_group_stores_but_orders_nothing(plant: Plant):
    plant.disk.gate.clear()
    await asyncio.sleep(1)
    order(plant)
    phy = plant.frame(run(FIRST, [1]))
    plant.ingest.submit([reception(phy, plant.now_us())], lambda: plant.acknowledged.append("last"))
    plant.disk.gate.set()
    await plant.ingest.close_group(silent=True)
    assert (plant.acknowledged, plant.radio.left) == (["last"], [])


# -- worked off


@played(meters=8)
async def test_worked_off_never_passes_a_frame_whose_window_is_open(plant: Plant):
    came_s: dict[int, float] = {}
    for number in plant.devices:
        came_s[number] = plant.loop.time()
        plant.hears(plant.frame(run(FIRST, [1]), number=number))
        await asyncio.sleep(0.03)
        marks = [commit.worked_off for commit in plant.disk.commits if commit.worked_off is not None]
        open_rows = [seq for seq, at_s in came_s.items() if at_s + WINDOW_S > plant.loop.time()]
        assert max(marks, default=0) < min(open_rows)
    await asyncio.sleep(1)
    marks = [commit.worked_off for commit in plant.disk.commits if commit.worked_off is not None]
    assert marks == sorted(set(marks))
    assert marks[-1] == 8


@played()
async def test_effect_and_mark_are_in_one_commit(plant: Plant):
    plant.hears(plant.frame(run(FIRST, [1, 2])))
    await asyncio.sleep(1)
    assert [(c.journal, c.intervals, c.worked_off) for c in plant.disk.commits] == [((1,), 0, None), ((), 2, 1)]
