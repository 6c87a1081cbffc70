"""A hundred thousand open commands: what is due leaves by its priority, and nothing looks at all of them."""

import time
from collections.abc import Callable
from random import Random

import pytest

from nyala.headend.command_life import CommandState
from nyala.headend.commands import PRIORITY, CommandTracker, Kind
from nyala.headend.registry import MeterState, Registry
from nyala.lorawan.network.port import DownlinkFate, Fate, Urgency
from nyala.telegram import messages
from nyala.telegram.kinds import EventCode, Opcode
from nyala.telegram.messages import Event
from nyala.telegram.values import Values
from nyala.vocab.time import US_PER_S
from tests.unit.headend.fleet import START_S, record

NOW = START_S * US_PER_S
FEW, MANY = 1_000, 100_000
ROUNDS = 400
RATIO_MAX = 8
"""A scan of all would cost a hundred times as much; a heap seventeen steps instead of ten, and memory further away."""


def fleet_of(count: int) -> tuple[Registry, CommandTracker]:
    """So many meters, each with a read under way that is due an hour from now."""
    registry = Registry([record(number) for number in range(1, count + 1)])
    tracker = CommandTracker(registry, [], 1)
    for number in range(1, count + 1):
        tracker.issue(registry.meter(number), Kind.READ, has_switch=True, by="x", reason="", now_us=NOW + 3_600 * US_PER_S)
    tracker.take_changes()
    return registry, tracker


def seconds(work: Callable[[int], object]) -> float:
    began = time.perf_counter()
    for number in range(ROUNDS):
        work(number)
    return time.perf_counter() - began


def one_life(registry: Registry, tracker: CommandTracker, number: int) -> None:
    """An order, its poll, and the report that ends it, amid all the others."""
    meter = registry.meter(number % FEW + 1)
    command = tracker.issue(meter, Kind.SWITCH_OPEN, has_switch=True, by="x", reason="", now_us=NOW, key=f"k{number}")
    downlinks, _ = tracker.poll(NOW)
    assert len(downlinks) == 1
    assert tracker.of_key(f"k{number}") is command
    assert tracker.next_us is not None
    tracker.values(MeterState(meter.id), Values(START_S, {"last_command": 0, "switch_state": 1}), NOW)
    tracker.fate(DownlinkFate(meter.dev_eui, downlinks[0].token, Fate.SENT), NOW)
    tracker.event(meter.id, Event(1, EventCode.SWITCH_OPENED, START_S, command.sequence), NOW)
    assert command.state is CommandState.VERIFIED


def test_a_life_costs_the_same_among_a_hundred_thousand():
    few, many = fleet_of(FEW), fleet_of(MANY)
    ratios = [
        seconds(lambda number: one_life(*many, number)) / seconds(lambda number: one_life(*few, number)) for _ in range(3)
    ]
    assert min(ratios) < RATIO_MAX


@pytest.mark.parametrize("seed", range(5))
def test_what_is_due_leaves_by_its_priority_and_the_older_first(seed):
    random = Random(seed)
    registry = Registry([record(number) for number in range(1, 61)])
    tracker = CommandTracker(registry, [], 1)
    kinds = [random.choice(list(Kind)) for _ in range(60)]
    for number, kind in enumerate(kinds, start=1):
        tracker.issue(registry.meter(number), kind, has_switch=True, by="x", reason="", now_us=NOW - random.randrange(9))
    downlinks, _ = tracker.poll(NOW)
    left = [(each.urgency, each.dev_eui - registry.meter(1).dev_eui + 1) for each in downlinks]
    assert left == sorted((PRIORITY[kind], number) for number, kind in enumerate(kinds, start=1))


def test_each_kind_has_its_priority_and_the_switch_is_alone_at_the_top():
    assert set(PRIORITY) == set(Kind)
    assert {kind for kind in Kind if PRIORITY[kind] is Urgency.AT_ONCE} == {Kind.SWITCH_OPEN, Kind.SWITCH_CLOSE}
    assert PRIORITY[Kind.SCHEDULED_READ] is Urgency.LATER


def test_only_the_first_attempt_asks_for_an_acknowledgement():
    registry = Registry([record(1)])
    tracker = CommandTracker(registry, [], 1)
    tracker.issue(registry.meter(1), Kind.SWITCH_OPEN, has_switch=True, by="x", reason="", now_us=NOW)
    said = []
    for _ in range(3):
        assert tracker.next_us is not None
        [downlink], _ = tracker.poll(tracker.next_us)
        tracker.not_taken(downlink)
        said.append((downlink.confirmed, messages.decode_command(downlink.payload).opcode))
    assert said == [(True, Opcode.SWITCH_OPEN), (False, Opcode.SWITCH_OPEN), (False, Opcode.SWITCH_OPEN)]
