"""The way between a command tracker and one meter, with faults that a test chooses: a network and a meter in a few lines."""

from collections.abc import Sequence
from typing import Any, Final

from nyala.headend.command_life import CommandState
from nyala.headend.commands import CommandRow, CommandStep, CommandTracker, Kind
from nyala.headend.registry import MeterState, Registry
from nyala.lorawan.network.port import Downlink, DownlinkFate, Fate
from nyala.telegram import messages
from nyala.telegram.kinds import EventCode, Opcode, Result
from nyala.telegram.messages import Answer, Command, Event
from nyala.telegram.values import Values
from nyala.vocab.time import US_PER_S
from tests.unit.headend.fleet import START_S, record

OPENED: Final = {Opcode.SWITCH_OPEN: (0, EventCode.SWITCH_OPENED), Opcode.SWITCH_CLOSE: (1, EventCode.SWITCH_CLOSED)}
LIVE: Final = {"p_w": 230, "u1_v": 2300, "u2_v": 2300, "i1_a": 1000, "switch_state": 1}


class Line:
    """One meter (number 1, and idle others), its network, and the tracker.  A list of faults says what gets lost:

    `order` before the meter, `answer`, `event` and `values` behind it; `network`: the downlink waits in the network.
    """

    def __init__(self, *, meters: int = 1) -> None:
        self.now_us = START_S * US_PER_S
        self.registry = Registry([record(number) for number in range(1, meters + 1)])
        self.tracker = CommandTracker(self.registry, [], 1)
        self.lost: set[str] = set()
        self.said: list[Command] = []
        """Every order that left for the meter."""
        self.withdrawn: list[tuple[int, object]] = []
        self.waiting: list[Downlink] = []
        self.done: dict[int, Answer] = {}
        """What the meter has carried out, by sequence number: what it remembers."""
        self.switch_state, self.last_command = 1, 0
        self.steps: list[CommandStep] = []
        self.refuses: Result | None = None

    # -- the operator

    def order(self, kind: Kind = Kind.SWITCH_OPEN, *, number: int = 1, **said: Any) -> CommandRow:
        plain: dict[str, Any] = {"has_switch": True, "by": "ani", "reason": "", "now_us": self.now_us}
        return self.tracker.issue(self.registry.meter(number), kind, **(plain | said))

    def cancel(self, command: CommandRow) -> object:
        return self.tracker.cancel(command.id, self.now_us, "ani")[1]

    # -- time

    def run(self, seconds: float) -> None:
        """Lets time pass; the tracker acts when it said it would."""
        until_us = self.now_us + int(seconds * US_PER_S)
        for _ in range(1_000):
            self.poll()
            due_us = self.tracker.next_us
            if due_us is None or due_us > until_us:
                self.now_us = until_us
                return
            assert due_us > self.now_us, "the tracker turns on the spot"
            self.now_us = due_us
        raise AssertionError("the tracker is too busy")

    def poll(self) -> Sequence[Downlink]:
        downlinks, withdrawn = self.tracker.poll(self.now_us)
        self.withdrawn += withdrawn
        for downlink in downlinks:
            if "network" in self.lost:
                self.waiting.append(downlink)
            else:
                self.leaves(downlink)
        return downlinks

    # -- the network

    def leaves(self, downlink: Downlink) -> None:
        """The network sends a downlink."""
        self.fate(downlink, Fate.SENT)
        command = messages.decode_command(downlink.payload)
        self.said.append(command)
        if "order" in self.lost:
            return
        if downlink.confirmed:
            self.fate(downlink, Fate.ACKNOWLEDGED)
        self.meter(command)

    def fate(self, downlink: Downlink, fate: Fate) -> None:
        self.tracker.fate(DownlinkFate(downlink.dev_eui, downlink.token, fate), self.now_us)

    # -- the meter

    def meter(self, command: Command) -> None:
        """Carries a command out once, and says what became of it."""
        if command.opcode is Opcode.QUERY:
            self.answer(self.done.get(command.asked) or Answer(command.asked, command.opcode, Result.NOT_EXECUTED))
        elif command.opcode is Opcode.READ:
            said = LIVE | {"switch_state": self.switch_state, "last_command": self.last_command}
            self.values({name: said[name] for name in command.quantities if name in said})
        elif self.refuses is not None:
            self.answer(Answer(command.sequence, command.opcode, self.refuses))
        elif command.sequence in self.done:
            self.answer(self.done[command.sequence])
        else:
            self.switch_state, code = OPENED[command.opcode]
            self.last_command = command.sequence
            self.done[command.sequence] = Answer(command.sequence, command.opcode, Result.DONE, self.switch_state)
            self.answer(self.done[command.sequence])
            if "event" not in self.lost:
                self.tracker.event(1, Event(1, code, self.now_us // US_PER_S, command.sequence), self.now_us)

    def answer(self, answer: Answer) -> None:
        if "answer" not in self.lost:
            self.tracker.answer(1, answer, self.now_us)

    def values(self, said: dict[str, int]) -> None:
        if "values" not in self.lost:
            self.tracker.values(MeterState(1), Values(self.now_us // US_PER_S, said), self.now_us)

    # -- what is known

    def life(self, command: CommandRow) -> list[CommandState]:
        """The states that a command went through."""
        self.steps += self.tracker.take_changes()[1]
        states = [step.state for step in self.steps if step.command_id == command.id]
        return [state for at, state in enumerate(states) if at == 0 or states[at - 1] is not state]

    def texts(self, command: CommandRow) -> list[str]:
        self.life(command)
        return [step.text for step in self.steps if step.command_id == command.id]

    def opcodes(self) -> list[Opcode]:
        return [command.opcode for command in self.said]
