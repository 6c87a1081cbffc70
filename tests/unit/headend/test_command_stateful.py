"""Whatever answers, fates and events come, in any order: one final state, never left, and never verified unseen."""

import itertools

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nyala.headend.command_life import FINAL, TRANSITIONS, CommandState
from nyala.headend.commands import READS, CommandRow, CommandTracker, Kind
from nyala.headend.registry import MeterState, Registry
from nyala.lorawan.network.port import DownlinkFate, Fate
from nyala.telegram import messages
from nyala.telegram.kinds import EventCode, Opcode, Result
from nyala.telegram.messages import Answer, Event
from nyala.telegram.values import Values
from nyala.vocab.errors import CallerError
from nyala.vocab.time import US_PER_S
from tests.unit.headend.fleet import START_S, record

METERS = 2
S = CommandState
meters = st.integers(1, METERS)
sequences = st.integers(0, 12)
POSITION = {Kind.SWITCH_OPEN: 0, Kind.SWITCH_CLOSE: 1}
EVENT_OF = {EventCode.SWITCH_OPENED: Kind.SWITCH_OPEN, EventCode.SWITCH_CLOSED: Kind.SWITCH_CLOSE}


class Commands(RuleBasedStateMachine):
    """A tracker, and everything that may be told to it, true or not."""

    def __init__(self) -> None:
        super().__init__()
        self.now_us = START_S * US_PER_S
        self.registry = Registry([record(number) for number in range(1, METERS + 1)])
        self.tracker = CommandTracker(self.registry, [], 1)
        self.commands: list[CommandRow] = []
        self.states: dict[int, list[CommandState]] = {}
        self.shown: set[int] = set()
        """Commands whose effect the meter has shown, after they had left."""
        self.tokens: list[object] = [None, ("backfill", 1), ("command", 77, 1)]

    # -- what may happen

    @rule(number=meters, kind=st.sampled_from(Kind), life_s=st.sampled_from([1, 900]), key=st.none() | st.just("key"))
    def somebody_orders(self, number: int, kind: Kind, life_s: int, key: str | None) -> None:
        try:
            command = self.tracker.issue(
                self.registry.meter(number),
                kind,
                has_switch=number == 1,
                by="x",
                reason="",
                now_us=self.now_us,
                life_s=life_s,
                key=key,
            )
        except CallerError:
            return
        assert number == 1 or kind not in POSITION
        self.commands.append(command)

    @precondition(lambda self: self.commands)
    @rule(data=st.data())
    def somebody_takes_back(self, data: st.DataObject) -> None:
        command = data.draw(st.sampled_from(self.commands))
        before = command.state
        try:
            self.tracker.cancel(command.id, self.now_us, "x")
        except CallerError:
            assert command.state is before is not S.QUEUED
        else:
            assert (before, command.state) == (S.QUEUED, S.CANCELLED)

    @rule(seconds=st.sampled_from([0, 1, 20, 1_000, 10_000]))
    def time_passes(self, seconds: int) -> None:
        self.now_us += seconds * US_PER_S
        downlinks, withdrawn = self.tracker.poll(self.now_us)
        for downlink in downlinks:
            messages.decode_command(downlink.payload)
            self.tokens.append(downlink.token)
        assert {dev_eui for dev_eui, _ in withdrawn} <= {0xD001, 0xD002}
        assert self.tracker.next_us is None or self.tracker.next_us > self.now_us

    @rule(data=st.data(), fate=st.sampled_from(Fate))
    def the_network_tells(self, data: st.DataObject, fate: Fate) -> None:
        token = data.draw(st.sampled_from(self.tokens))
        self.tracker.fate(DownlinkFate(0, token, fate), self.now_us)

    @rule(number=meters, sequence=sequences, result=st.sampled_from(Result), opcode=st.sampled_from(Opcode))
    def a_meter_answers(self, number: int, sequence: int, result: Result, opcode: Opcode) -> None:
        self.tracker.answer(number, Answer(sequence, opcode, result), self.now_us)

    @rule(number=meters, code=st.sampled_from(EventCode), detail=sequences)
    def a_meter_tells_an_event(self, number: int, code: EventCode, detail: int) -> None:
        self.shown |= {
            command.id
            for command in self.living()
            if (command.meter_id, command.sequence, command.kind) == (number, detail, EVENT_OF.get(code))
        }
        self.tracker.event(number, Event(0, code, 0, detail), self.now_us)

    @rule(number=meters, last=sequences, position=st.integers(0, 1), read=st.booleans())
    def a_meter_reports(self, number: int, last: int, position: int, read: bool) -> None:  # noqa: FBT001 - drawn
        said = {"p_w": 1} if read else {"last_command": last, "switch_state": position, "reset_count": 1}
        for command in self.living():
            if command.meter_id != number:
                continue
            wanted = POSITION.get(command.kind, position)
            if command.kind in READS or (not read and (last, position) == (command.sequence, wanted)):
                self.shown.add(command.id)
        self.tracker.values(MeterState(number), Values(0, said), self.now_us)

    @rule()
    def the_process_begins_again(self) -> None:
        rows = list(self.tracker.open)
        for row in rows:
            row.waiting = False
        self.take()
        self.tracker = CommandTracker(self.registry, rows, len(self.commands) + 1)

    def living(self) -> list[CommandRow]:
        return [command for command in self.commands if command.state not in FINAL and command.state is not S.QUEUED]

    # -- what holds

    def take(self) -> None:
        rows, steps = self.tracker.take_changes()
        changed = {row.id for row in rows}
        for step in steps:
            assert step.command_id in changed
            self.states.setdefault(step.command_id, []).append(step.state)

    @invariant()
    def every_life_follows_the_table_and_ends_once(self) -> None:
        self.take()
        assert set(self.states) == {command.id for command in self.commands}
        moves = {(a, b) for (a, _), b in TRANSITIONS.items()}
        for command in self.commands:
            life = self.states[command.id]
            assert life[0] is S.QUEUED
            assert all(move in moves for move in itertools.pairwise(life))
            assert life[-1] is command.state
            assert not set(life[:-1]) & FINAL

    @invariant()
    def open_are_those_that_have_not_ended(self) -> None:
        assert {row.id for row in self.tracker.open} == {row.id for row in self.commands if row.state not in FINAL}
        orders = [row.meter_id for row in self.tracker.open if row.kind not in READS]
        assert len(orders) == len(set(orders))

    @invariant()
    def nothing_is_verified_unseen(self) -> None:
        for command in self.commands:
            if command.state is S.VERIFIED:
                assert command.id in self.shown

    @invariant()
    def sequence_numbers_are_given_once(self) -> None:
        given = [(command.meter_id, command.sequence) for command in self.commands]
        assert len(given) == len(set(given))
        assert all(1 <= sequence < 1 << 16 for _, sequence in given)


TestCommands = Commands.TestCase
TestCommands.settings = settings(max_examples=80, stateful_step_count=40)
