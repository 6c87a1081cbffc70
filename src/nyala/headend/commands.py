"""Commands: issued, sent, chased and followed until their end is known.  The table is `command_life`.

Downlinks go out with the sequence number of the command; the meter carries out each number once, so that sending again is
safe.  A switch command is verified by the meter's own report of its switch; a read by the values.  What is due stands in a
heap, and each command under its meter: a telegram costs the same among ten commands and among a hundred thousand.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import heapify, heappop, heappush
from typing import Final

from nyala.headend.command_life import FINAL, CommandEvent, CommandState, next_state
from nyala.headend.read_items import asked
from nyala.headend.refusals import refusal
from nyala.headend.registry import MeterRecord, MeterState, Registry
from nyala.lorawan.network.port import Downlink, DownlinkFate, Fate, Urgency
from nyala.telegram import messages
from nyala.telegram.kinds import EventCode, Opcode, Port, Result
from nyala.telegram.messages import SEQUENCES, Answer, Command, Event
from nyala.telegram.values import Values
from nyala.vocab.errors import ConflictError, NotAllowedError, UnknownError
from nyala.vocab.time import US_PER_S

SHOWN_US: Final = 2 * US_PER_S
"""From the answer until its effect is asked for: a meter shows it before it answers, so that the frame was lost."""
PAUSE_MAX_US: Final = 3_600 * US_PER_S
"""Longest pause between two attempts: a command of a meter that is away is chased hourly until it is back."""
DEFAULT_LIFE_S: Final = 900
OPEN_MAX: Final = 8
"""Commands that may be under way at one meter."""
_STATE: Final = ("switch_state", "last_command")
_RESET: Final = ("reset_count", "last_command")
"""What verifies a command when it was carried out and nothing has shown it."""


class Kind(StrEnum):
    """What may be ordered."""

    SWITCH_OPEN = "switch_open"
    SWITCH_CLOSE = "switch_close"
    READ = "read"
    SCHEDULED_READ = "scheduled_read"
    """A read of a plan (`reads`): it waits behind everything."""
    DEMAND_RESET = "demand_reset"


_OPCODES: Final = {
    Kind.SWITCH_OPEN: Opcode.SWITCH_OPEN,
    Kind.SWITCH_CLOSE: Opcode.SWITCH_CLOSE,
    Kind.READ: Opcode.READ,
    Kind.SCHEDULED_READ: Opcode.READ,
    Kind.DEMAND_RESET: Opcode.DEMAND_RESET,
}
PRIORITY: Final = {
    Kind.SWITCH_OPEN: Urgency.AT_ONCE,
    Kind.SWITCH_CLOSE: Urgency.AT_ONCE,
    Kind.DEMAND_RESET: Urgency.SOON,
    Kind.READ: Urgency.ASKED,
    Kind.SCHEDULED_READ: Urgency.LATER,
}
"""The switch before everything."""
ANSWER_US: Final = {
    Urgency.AT_ONCE: 5 * US_PER_S,
    Urgency.SOON: 12 * US_PER_S,
    Urgency.ASKED: 12 * US_PER_S,
    Urgency.LATER: 60 * US_PER_S,
}
"""Until a command that was sent is sent again; doubled with each attempt.

At SF10 the order and its answer take 1 s on the air, and the windows and the pause of an uplink before it 5 s at most; the
values of a read come in several frames.
"""
READS: Final = frozenset((Kind.READ, Kind.SCHEDULED_READ))
"""They change nothing: several may be under way."""
_WANTED: Final = {Kind.SWITCH_OPEN: 0, Kind.SWITCH_CLOSE: 1}
_SEEN: Final = {EventCode.SWITCH_OPENED: Kind.SWITCH_OPEN, EventCode.SWITCH_CLOSED: Kind.SWITCH_CLOSE}


@dataclass(slots=True)
class CommandRow:
    """A command, as it is stored and followed.  `next_us`: when something is due for it."""

    id: int
    meter_id: int
    sequence: int
    kind: Kind
    state: CommandState
    created_us: int
    created_by: str
    reason: str
    expires_us: int
    updated_us: int
    key: str | None = None
    """Idempotency key of the caller."""
    attempts: int = 0
    next_us: int = 0
    quantities: tuple[str, ...] = ()
    waiting: bool = field(default=False, compare=False)
    """Its downlink waits in the network server (not stored)."""


@dataclass(frozen=True, slots=True)
class CommandStep:
    """One step in the life of a command, for its history."""

    command_id: int
    at_us: int
    state: CommandState
    text: str


class CommandTracker:
    """The open commands of all meters."""

    def __init__(self, registry: Registry, open_commands: Iterable[CommandRow], next_id: int) -> None:
        self._registry = registry
        self._open = {command.id: command for command in open_commands}
        self._of_meter: defaultdict[int, dict[int, CommandRow]] = defaultdict(dict)
        self._keys: dict[str, CommandRow] = {}
        for command in self._open.values():
            self._enter(command)
        self._heap = [(command.next_us, command.id) for command in self._open.values()]
        """(instant, command): for another instant than its `next_us` an entry is old, and is passed over."""
        heapify(self._heap)
        self._next_id = next_id
        self._changed: dict[int, CommandRow] = {}
        self._steps: list[CommandStep] = []

    @property
    def open(self) -> tuple[CommandRow, ...]:
        """The commands that have not ended."""
        return tuple(self._open.values())

    @property
    def next_us(self) -> int | None:
        """When `poll` has something to do."""
        while self._heap and not self._is_due(*self._heap[0]):
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _is_due(self, at_us: int, command_id: int) -> bool:
        command = self._open.get(command_id)
        return command is not None and command.next_us == at_us

    def _due(self, command: CommandRow, at_us: int) -> None:
        command.next_us = at_us
        heappush(self._heap, (at_us, command.id))

    def _enter(self, command: CommandRow) -> None:
        self._open[command.id] = self._of_meter[command.meter_id][command.id] = command
        if command.key is not None:
            self._keys[command.key] = command

    def _end(self, command: CommandRow) -> None:
        del self._open[command.id]
        self._keys.pop(command.key or "", None)
        of_meter = self._of_meter[command.meter_id]
        del of_meter[command.id]
        if not of_meter:
            del self._of_meter[command.meter_id]

    def _at(self, meter_id: int) -> list[CommandRow]:
        """The open commands of a meter, the oldest first."""
        return list(self._of_meter.get(meter_id, {}).values())

    def of_key(self, key: str) -> CommandRow | None:
        """The open command that was ordered with an idempotency key, or None."""
        return self._keys.get(key)

    def issue(
        self,
        meter: MeterRecord,
        kind: Kind,
        *,
        has_switch: bool,
        by: str,
        reason: str,
        now_us: int,
        life_s: int = DEFAULT_LIFE_S,
        phases: int = 1,
        key: str | None = None,
        quantities: Sequence[str] = (),
    ) -> CommandRow:
        """Queues a command; `quantities` of a read, none: the live values.

        NotAllowedError for a model without a switch; ConflictError where too many are open; and as `reads.asked`.
        """
        if kind in _WANTED and not has_switch:
            raise NotAllowedError(f"meter {meter.serial} ({meter.model}) has no supply switch")
        under_way = self._at(meter.id)
        if len(under_way) >= OPEN_MAX:
            raise ConflictError(f"meter {meter.serial} has {len(under_way)} commands under way")
        other = next((c for c in under_way if c.kind not in READS and kind not in READS), None)
        if other is not None:
            raise ConflictError(f"meter {meter.serial}: {other.kind} (command {other.id}) is still {other.state}")
        command = CommandRow(
            id=self._next_id,
            meter_id=meter.id,
            sequence=self._sequence(meter.id),
            kind=kind,
            state=CommandState.QUEUED,
            created_us=now_us,
            created_by=by,
            reason=reason,
            expires_us=now_us + life_s * US_PER_S,
            updated_us=now_us,
            key=key,
            next_us=now_us,
            quantities=() if kind not in READS else asked(quantities, phases),
        )
        self._next_id += 1
        self._enter(command)
        self._due(command, now_us)
        self._note(command, now_us, f"ordered by {by}" + (f": {reason}" if reason else ""))
        return command

    def cancel(self, command_id: int, now_us: int, by: str) -> tuple[CommandRow, object]:
        """Takes a command back that was not sent yet; the second value is the token of its waiting downlink."""
        command = self._open.get(command_id)
        if command is None:
            raise UnknownError("open command", command_id)
        token = self._token(command)
        if not self._move(command, CommandEvent.CANCEL, now_us, f"cancelled by {by}"):
            raise ConflictError(f"command {command_id} is {command.state} and cannot be taken back")
        return command, token

    def _sequence(self, meter_id: int) -> int:
        state = self._registry.touch(meter_id)
        state.sequence = state.sequence % (SEQUENCES - 1) + 1
        return state.sequence

    # -- sending

    def poll(self, now_us: int) -> tuple[list[Downlink], list[tuple[int, object]]]:
        """Downlinks to send now, the most urgent first, and (DevEUI, token) of waiting ones to take back."""
        downlinks: list[Downlink] = []
        withdrawn: list[tuple[int, object]] = []
        due: dict[int, CommandRow] = {}
        while (at_us := self.next_us) is not None and at_us <= now_us:
            command_id = heappop(self._heap)[1]
            due[command_id] = self._open[command_id]
        for command in sorted(due.values(), key=lambda each: (PRIORITY[each.kind], each.id)):
            meter = self._registry.meter(command.meter_id)
            if now_us >= command.expires_us and self._overdue(command, now_us):
                if command.waiting:
                    withdrawn.append((meter.dev_eui, self._token(command)))
                    command.waiting = False
                if command.state in FINAL:
                    continue
            self._due(command, self._pause(command, now_us))
            if command.waiting:
                continue
            command.attempts += 1
            command.waiting = True
            downlinks.append(self._downlink(command, meter))
            self._changed[command.id] = command
        return downlinks, withdrawn

    def _overdue(self, command: CommandRow, now_us: int) -> bool:
        if not self._move(command, CommandEvent.TIME_OVER, now_us, "its time is over"):
            return False
        command.attempts = 0
        return True

    def _pause(self, command: CommandRow, now_us: int) -> int:
        answer_us, before = ANSWER_US[PRIORITY[command.kind]], max(command.attempts - 1, 0)
        pause_us = min(answer_us << min(before, 16), PAUSE_MAX_US)
        at_us = now_us + pause_us
        before_end = command.expires_us > now_us and command.state is not CommandState.UNKNOWN
        return min(at_us, command.expires_us) if before_end else at_us

    @staticmethod
    def _token(command: CommandRow) -> object:
        return ("command", command.id, command.attempts)

    def _downlink(self, command: CommandRow, meter: MeterRecord) -> Downlink:
        """What to say for a command as it stands: the order itself, a query for it, or a read of the state."""
        confirmed = False
        if command.state is CommandState.UNKNOWN and command.kind not in READS:
            said = Command(self._sequence(meter.id), Opcode.QUERY, asked=command.sequence)
        elif command.state is CommandState.EXECUTED:
            shows = _RESET if command.kind is Kind.DEMAND_RESET else _STATE
            said = Command(self._sequence(meter.id), Opcode.READ, quantities=shows)
        else:
            said = Command(command.sequence, _OPCODES[command.kind], quantities=command.quantities)
            # a second confirmed one would have to wait until the first was given up (CLASS_C_RESP_TIMEOUT)
            confirmed = command.kind not in READS and command.attempts == 1
        # no retries of the radio: the tracker itself chases, by the sequence number
        payload, urgency = messages.encode_command(said), PRIORITY[command.kind]
        return Downlink(meter.dev_eui, Port.COMMAND, payload, confirmed, self._token(command), retries=0, urgency=urgency)

    # -- what comes back

    def not_taken(self, downlink: Downlink) -> None:
        """The network server could not take a downlink (no session, queue full): it is tried again at the next time."""
        command = self._of_token(downlink.token)
        if command is not None:
            command.waiting = False

    def fate(self, fate: DownlinkFate, now_us: int) -> None:
        """What the network says of a downlink of ours."""
        command = self._of_token(fate.token)
        if command is None:
            return
        match fate.fate:
            case Fate.SENT:
                command.waiting = False
                self._due(command, self._pause(command, now_us))
                if command.state in (CommandState.QUEUED, CommandState.SENT):
                    self._move(command, CommandEvent.SENT, now_us, f"attempt {command.attempts}")
            case Fate.ACKNOWLEDGED:
                self._move(command, CommandEvent.ACKNOWLEDGED, now_us, "received by the meter's module")
            case Fate.TOO_LONG | Fate.NO_SESSION:
                command.waiting = False
            case Fate.NOT_ACKNOWLEDGED | Fate.NOT_SENT:
                pass

    def answer(self, meter_id: int, answer: Answer, now_us: int) -> None:
        """An answer of a meter."""
        command = self._of_sequence(meter_id, answer.sequence)
        if command is None:
            return
        if answer.result is Result.DONE:
            waits = command.kind is Kind.SWITCH_CLOSE and answer.detail == _WANTED[Kind.SWITCH_OPEN]
            text = "done by the meter" + (": it waits for the button at the meter" if waits else "")
            self._move(command, CommandEvent.DONE, now_us, text)
        elif answer.result is Result.NOT_EXECUTED:
            self._move(command, CommandEvent.NOT_DONE, now_us, "the meter never carried it out")
        else:
            self._move(command, CommandEvent.REFUSED, now_us, f"refused by the meter: {refusal(answer)}")

    def values(self, state: MeterState, said: Values, now_us: int) -> None:
        """Values of a meter: they verify a read, or a switch command whose number they carry."""
        for command in self._at(state.meter_id):
            if command.kind in READS:
                if command.state is not CommandState.QUEUED and said.values.keys() & set(command.quantities):
                    self._move(command, CommandEvent.SEEN, now_us, "values received")
            elif self._shows(command, said):
                self._move(command, CommandEvent.SEEN, now_us, "seen in the meter's report")

    @staticmethod
    def _shows(command: CommandRow, said: Values) -> bool:
        """Whether a report carries the number of a command and what it was to bring about."""
        if said.values.get("last_command") != command.sequence:
            return False
        if command.kind is Kind.DEMAND_RESET:
            return "reset_count" in said.values
        return said.values.get("switch_state") == _WANTED[command.kind]

    def event(self, meter_id: int, event: Event, now_us: int) -> None:
        """An event of a meter: a switch that moved names the command that moved it."""
        kind = _SEEN.get(event.code)
        command = self._of_sequence(meter_id, event.detail) if kind is not None else None
        if command is not None and command.kind is kind:
            self._move(command, CommandEvent.SEEN, now_us, "seen in the meter's own event")

    def _of_token(self, token: object) -> CommandRow | None:
        match token:
            case ("command", int(command_id), _):
                return self._open.get(command_id)
            case _:
                return None

    def _of_sequence(self, meter_id: int, sequence: int) -> CommandRow | None:
        return next((command for command in self._at(meter_id) if command.sequence == sequence), None)

    # -- changing

    def _move(self, command: CommandRow, event: CommandEvent, now_us: int, text: str) -> bool:
        state = next_state(command.state, event)
        if state is None:
            return False
        command.state, command.updated_us = state, now_us
        if state is CommandState.EXECUTED:
            command.attempts = 0
            self._due(command, now_us + SHOWN_US)
        self._note(command, now_us, text)
        if state in FINAL:
            self._end(command)
        return True

    def _note(self, command: CommandRow, now_us: int, text: str) -> None:
        self._changed[command.id] = command
        self._steps.append(CommandStep(command.id, now_us, command.state, text))

    def take_changes(self) -> tuple[list[CommandRow], list[CommandStep]]:
        """What to store now."""
        rows, steps = list(self._changed.values()), self._steps
        self._changed, self._steps = {}, []
        return rows, steps
