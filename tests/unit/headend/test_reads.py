"""Scheduled reads: runs in their rhythm, each meter once, spread, caught up once, and going on after a crash."""

from dataclasses import replace
from typing import Any

import pytest

from nyala.headend.bulk import Abilities
from nyala.headend.commands import OPEN_MAX, CommandRow, CommandTracker, Kind
from nyala.headend.reads import BURST_MAX, LIFE_S, PLANS_MAX, SPREAD_MAX_S, ReadPlan, Reads
from nyala.headend.registry import MeterRecord, Registry
from nyala.vocab.errors import BadArgumentError, NotAllowedError, UnknownError
from nyala.vocab.time import US_PER_S
from tests.unit.headend.fleet import START_S, record

HOUR = 3_600


def plan(**said: Any) -> ReadPlan:
    plain = ReadPlan(0, 1, "night", ("p_w", "max_import_w"), "every 60m", "Asia/Jakarta", 600, None, 1, 0, "ani")
    return replace(plain, **said)


class Room:
    """Some meters, a tracker and the plans; what is stored is what a crash leaves."""

    def __init__(self, meters: int = 5) -> None:
        self.now_s = START_S
        self.registry = Registry([record(number) for number in range(1, meters + 1)])
        self.members = list(range(1, meters + 1))
        self.unfit: set[int] = set()
        self.stored: dict[int, ReadPlan] = {}
        self.commands: dict[int, CommandRow] = {}
        self.given: list[CommandRow] = []
        self.begin()

    def begin(self) -> None:
        """The process begins, from what is stored."""
        self.tracker = CommandTracker(self.registry, [replace(each) for each in self.commands.values()], len(self.commands) + 1)
        loaded = [replace(each) for each in self.stored.values() if each.ended_us is None]
        self.reads = Reads(
            self.tracker, self.registry.meter, self.ability, lambda _plan: self.members, loaded, len(self.stored) + 1
        )

    def ability(self, meter: MeterRecord) -> Abilities:
        if meter.id in self.unfit:
            raise NotAllowedError(f"meter {meter.serial} is removed")
        return Abilities(has_switch=True, phases=1)

    def add(self, **said: Any) -> ReadPlan:
        return self.reads.add(plan(**said), self.now_s * US_PER_S)

    def run(self, seconds: int, *, crash_at: int | None = None) -> None:
        """Time passes; each poll is a unit of work.  `crash_at`: that of them is lost, and the process begins again."""
        until_s, polls = self.now_s + seconds, 0
        while (due_us := self.reads.next_us) is not None and due_us <= until_s * US_PER_S:
            self.now_s = max(self.now_s, -(-due_us // US_PER_S))
            self.reads.poll(self.now_s * US_PER_S)
            polls += 1
            if polls == crash_at:
                self.begin()
                continue
            self.store()
        self.now_s = until_s

    def store(self) -> None:
        rows, _ = self.tracker.take_changes()
        self.stored |= {each.id: replace(each) for each in self.reads.take_changes()}
        self.given += [row for row in rows if row.id not in self.commands]
        self.commands |= {row.id: replace(row) for row in rows}

    def times(self) -> list[tuple[int, int]]:
        """(second of the run, meter) of each read that was given."""
        return [(row.created_us // US_PER_S - START_S, row.meter_id) for row in self.given]


# -- runs


def test_at_its_instant_each_meter_is_read_once_within_the_span():
    room = Room()
    room.add()
    room.run(HOUR - 1)
    assert room.given == []
    room.run(601)
    assert sorted(meter for _, meter in room.times()) == [1, 2, 3, 4, 5]
    assert all(HOUR <= second <= HOUR + 600 for second, _ in room.times())
    assert len({second for second, _ in room.times()}) > 1


def test_a_read_asks_what_the_plan_says_by_a_command_that_waits_behind_everything():
    room = Room(1)
    made = room.add(spread_s=0)
    room.run(2 * HOUR - 10)
    [row] = room.given
    assert (row.kind, row.quantities, row.created_by) == (Kind.SCHEDULED_READ, ("p_w", "max_import_w"), "ani")
    assert row.reason == f"plan {made.id}: night"
    assert LIFE_S[0] <= (row.expires_us - row.created_us) // US_PER_S <= HOUR


def test_each_run_takes_the_meters_at_the_same_places_of_the_span():
    room = Room()
    room.add()
    room.run(HOUR + 601)
    first = {meter: second for second, meter in room.times()}
    room.commands.clear()
    room.begin()
    room.given.clear()
    room.run(HOUR)
    assert {meter: second - HOUR for second, meter in room.times()} == first


def test_a_span_that_is_too_short_for_its_meters_is_longer():
    room = Room(300)
    room.add(spread_s=0)
    room.run(HOUR + 1)
    assert 0 < len(room.given) < 30
    room.run(300)
    assert len(room.given) == 300


def test_members_are_those_of_the_instant():
    room = Room()
    room.add()
    room.members = [2, 3]
    room.run(2 * HOUR - 10)
    assert sorted(meter for _, meter in room.times()) == [2, 3]


def test_a_meter_that_cannot_be_asked_is_counted_and_the_others_are_read():
    room = Room()
    made = room.add()
    room.unfit = {2}
    for _ in range(OPEN_MAX):
        room.tracker.issue(
            room.registry.meter(3), Kind.READ, has_switch=True, by="x", reason="", now_us=room.now_s * US_PER_S, life_s=10**6
        )
    room.store()
    room.given.clear()
    room.run(2 * HOUR - 10)
    assert sorted(meter for _, meter in room.times()) == [1, 4, 5]
    assert (made.ordered, made.refused) == (3, 2)


def test_runs_that_were_missed_are_caught_up_once():
    room = Room()
    made = room.add()
    room.run(2 * HOUR - 10)
    room.given.clear()
    room.now_s += 9 * HOUR + 900
    room.commands.clear()
    room.begin()
    room.run(700)
    assert sorted(meter for _, meter in room.times()) == [1, 2, 3, 4, 5]
    assert room.stored[made.id].run_s == START_S + 11 * HOUR


def test_a_run_can_be_begun_now():
    room = Room()
    made = room.add()
    room.run(60)
    room.reads.run(made.id, room.now_s * US_PER_S)
    room.run(601)
    assert len(room.given) == 5
    assert (room.stored[made.id].run_s, room.stored[made.id].next_s) == (START_S + 60, START_S + HOUR)


def test_a_plan_that_ended_runs_no_more():
    room = Room()
    made = room.add()
    room.reads.end(made.id, room.now_s * US_PER_S)
    room.run(5 * HOUR)
    assert room.given == []
    assert room.stored[made.id].ended_us == START_S * US_PER_S
    for say in (room.reads.end, room.reads.run):
        with pytest.raises(UnknownError, match="read: 1"):
            say(made.id, 0)


# -- crashes


@pytest.mark.parametrize("crash_at", range(1, 8))
def test_after_a_crash_in_a_run_each_meter_is_asked_once(crash_at):
    room = Room()
    room.add()
    room.store()
    room.run(2 * HOUR - 10, crash_at=crash_at)
    assert sorted(meter for _, meter in room.times()) == [1, 2, 3, 4, 5]


def test_after_a_long_crash_in_a_run_the_rest_is_not_given_in_one_burst():
    room = Room(400)
    room.add(rhythm="daily 06:30")
    room.run(23 * HOUR + 1_800 + 30)
    before = len(room.given)
    assert 0 < before < 100
    room.now_s += 2 * HOUR
    room.begin()
    room.reads.poll(room.now_s * US_PER_S)
    room.store()
    assert len(room.given) == before + BURST_MAX
    room.run(60)
    assert len(room.given) == len({row.meter_id for row in room.given}) == 400


def test_what_was_asked_is_known_again_after_a_crash():
    room = Room()
    room.add()
    room.run(2 * HOUR - 10)
    assert room.reads.asked_of(1) == {"p_w", "max_import_w"}
    room.begin()
    assert room.reads.asked_of(1) == {"p_w", "max_import_w"}
    assert room.reads.asked_of(99) == set()


# -- what is refused


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"rhythm": "hourly"}, "a rhythm is"),
        ({"quantities": ()}, "names the quantities"),
        ({"quantities": ("p_w", "warp_w")}, "no quantity of the catalogue: warp_w"),
        ({"quantities": ("p_w", "p_w")}, "each once"),
        ({"quantities": (*tuple(f"import_wh_t{n}" for n in range(1, 9)), "p_w")}, "1 to 8 quantities"),
        ({"group_id": None}, "for a meter or for a group"),
        ({"meter_id": 1}, "for a meter or for a group"),
        ({"spread_s": SPREAD_MAX_S + 1}, "spread over"),
    ],
)
def test_a_plan_that_is_not_right_is_refused(said, words):
    room = Room()
    with pytest.raises(BadArgumentError, match=words):
        room.add(**said)
    assert room.reads.take_changes() == []


def test_an_unknown_zone_is_refused():
    with pytest.raises(UnknownError, match="time zone"):
        Room().add(zone="Mars/Olympus")


def test_a_tenant_has_so_many_plans_and_no_more():
    room = Room()
    for number in range(PLANS_MAX):
        room.add(name=f"{number}", key=f"k{number}")
    with pytest.raises(BadArgumentError, match=f"{PLANS_MAX} plans already"):
        room.add()
    assert room.add(tenant_id=2).id == PLANS_MAX + 1
    assert room.reads.of_key("k7") is room.reads.of(8)
    assert room.reads.of_key("none") is None
