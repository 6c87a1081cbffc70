"""Carrying out commands: once for each sequence number, whatever comes how often, and an answer to each.

What became of a command stands in the memory that survives a power cut; a repeat and a query get the same answer.  Settings
(`config`) are no commands in this sense: they say what shall be, however often.
"""

import re
from collections.abc import Iterable
from typing import Final

from nyala.meter.snapshots import Reason as Reset
from nyala.meter.supply import SwitchEvent, SwitchState, standing
from nyala.telegram import messages
from nyala.telegram.kinds import EventCode, Opcode, Result
from nyala.telegram.messages import Answer, Command
from nyala.telegram.values import Values
from nyala.twin.config import TwinConfig
from nyala.twin.jobs import Urgency
from nyala.twin.state import Executed
from nyala.twin.telling import Telling
from nyala.vocab.errors import TelegramError

_SWITCHES: Final = (Opcode.SWITCH_OPEN, Opcode.SWITCH_CLOSE)


def take(telling: Telling, config: TwinConfig, payload: bytes) -> list[Executed]:
    """A telegram of the command port, the meter standing at this instant; what was carried out."""
    try:
        command = messages.decode_command(payload)
    except TelegramError:
        _refuse(telling, payload)
        return []
    if command.opcode is Opcode.CONFIG_COMMIT:
        config.commit(command)
        return []
    if command.opcode is Opcode.CONFIG_ASK:
        config.report()
        return []
    executed = telling.memory.executed
    known = executed.get(command.sequence)
    if command.opcode is Opcode.QUERY:
        known = executed.get(command.asked)
        telling.answer(known or Answer(command.asked, command.opcode, Result.NOT_EXECUTED))
    elif known is not None:
        _repeat(telling, command, known)
    else:
        return _execute(telling, command)
    return []


def _refuse(telling: Telling, payload: bytes) -> None:
    try:
        sequence, opcode = messages.sequence_of(payload)
    except TelegramError:
        return
    result = Result.MALFORMED if opcode in set(Opcode) else Result.UNKNOWN_OPCODE
    telling.answer(Answer(sequence, opcode, result))


def _execute(telling: Telling, command: Command) -> list[Executed]:
    match command.opcode:
        case Opcode.SWITCH_OPEN | Opcode.SWITCH_CLOSE:
            return _switch(telling, command)
        case Opcode.DEMAND_RESET:
            return _reset_demand(telling, command)
        case Opcode.READ:
            _read(telling, command)
        case Opcode.BACKFILL:
            _back_fill(telling, command, [(command.first, command.count)])
        case Opcode.BACKFILL_MAP:
            _back_fill(telling, command, _runs(command))
        case Opcode.QUERY | Opcode.CONFIG_COMMIT | Opcode.CONFIG_ASK:
            raise AssertionError(f"{command.opcode.name} is answered before")
    return []


def _read(telling: Telling, command: Command) -> None:
    said = {name: _newest(telling) if name == "last_command" else telling.value(name) for name in command.quantities}
    asked = {name: value for name, value in said.items() if value is not None}
    if asked:
        telling.values(Urgency.READ, Values(telling.meter.clock_s, asked))
    else:
        _no_such_part(telling, command)


def _back_fill(telling: Telling, command: Command, runs: Iterable[tuple[int, int]]) -> None:
    """Tells what the memory holds of runs (first, count)."""
    meter = telling.meter
    ends = [(max(first, meter.oldest_edge), min(first + count, meter.last_edge)) for first, count in runs]
    there = [(first, end - first) for first, end in ends if first < end and command.period_s == meter.period_s]
    for run in there:
        telling.intervals(Urgency.BACKFILL, *run)
    if not there:
        _no_such_part(telling, command)


def _runs(command: Command) -> list[tuple[int, int]]:
    """What a bitmap names: neighbours are one run, and share its frames."""
    found = re.finditer("1+", f"{command.blocks:b}"[::-1])
    return [(command.first + run.start() * command.each, len(run[0]) * command.each) for run in found]


def _newest(telling: Telling) -> int:
    """The sequence number of the last command that was carried out or refused."""
    return next(reversed(telling.memory.executed), 0)


def _no_such_part(telling: Telling, command: Command) -> None:
    telling.answer(Answer(command.sequence, command.opcode, Result.NO_SUCH_PART))


def _switch(telling: Telling, command: Command) -> list[Executed]:
    """Opens or closes the supply switch, and shows what became of it; says so where its control mode forbids it."""
    meter, wanted_open = telling.meter, command.opcode is Opcode.SWITCH_OPEN
    if meter.switch_state is SwitchState.NONE:
        _no_such_part(telling, command)
        return []
    event = SwitchEvent.REMOTE_DISCONNECT if wanted_open else SwitchEvent.REMOTE_RECONNECT
    if meter.forbids(event):
        _done_with(telling, command, Result.NOT_ALLOWED, standing(meter.operation.supply))
        return []
    if meter.switch(event):
        code = EventCode.SWITCH_OPENED if wanted_open else EventCode.SWITCH_CLOSED
        telling.event(code, command.sequence, Urgency.ANSWER)
    else:
        _show(telling, "switch_state", meter.switch_state.value, command)
    _done_with(telling, command, Result.DONE, meter.switch_state.value)
    return [Executed(command.sequence, command.opcode)]


def _reset_demand(telling: Telling, command: Command) -> list[Executed]:
    """Begins a new demand period, unless it is too soon after the last."""
    operation = telling.meter.operation
    done = operation.reset_demand(Reset.COMMAND)
    if done:
        _show(telling, "reset_count", operation.reset_count, command)
    _done_with(telling, command, Result.DONE if done else Result.LOCKED_OUT, operation.reset_count)
    return [Executed(command.sequence, command.opcode)] if done else []


def _repeat(telling: Telling, command: Command, known: Answer) -> None:
    """The same answer; before it the state of the switch, where nothing was carried out since."""
    if known.opcode in _SWITCHES and known.result is Result.DONE and _newest(telling) == command.sequence:
        _show(telling, "switch_state", telling.meter.switch_state.value, command)
    telling.answer(known)


def _show(telling: Telling, name: str, value: int, command: Command) -> None:
    """Says what a command has brought about, before its answer: this alone ends the command at the centre."""
    telling.values(Urgency.ANSWER, Values(telling.meter.clock_s, {name: value, "last_command": command.sequence}))


def _done_with(telling: Telling, command: Command, result: Result, detail: int) -> None:
    telling.answer(telling.memory.remember(Answer(command.sequence, command.opcode, result, detail)))
