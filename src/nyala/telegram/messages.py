"""The short telegrams of fixed form: hello, event, command and answer.  Each is a table of fields, most significant first.

    HELLO    version 4, period code 4, model 8, firmware 16, clock 32 (POSIX s)
    EVENT    number 8, code 8, clock 32 (POSIX s), detail 32
    COMMAND  sequence 16, opcode 8, then the arguments of the opcode
    ANSWER   sequence 16, opcode 8, result 8, detail 32

Arguments: READ quantity codes of 8 bits, 1 to 8 of them; BACKFILL first index 28, period code 4, intervals - 1 of 16;
QUERY the sequence number asked for, 16; CONFIG_COMMIT kind 4, length 12, version 16, CRC-32 32: 11 bytes in all.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeVar

from nyala.telegram.bits import BitReader, BitWriter
from nyala.telegram.kinds import PERIODS_S, EventCode, Opcode, Result
from nyala.vocab.errors import BadArgumentError, TelegramError
from nyala.vocab.quantities import by_code, quantity

VERSION: Final = 1
READ_MAX: Final = 8
BACKFILL_MAX: Final = 1 << 16
SEQUENCES: Final = 1 << 16
"""Command sequence numbers wrap at this; 0 is no command."""
_ARGUMENTS: Final[dict[Opcode, tuple[str, ...]]] = {
    Opcode.READ: ("quantities",),
    Opcode.BACKFILL: ("first", "period_s", "count"),
    Opcode.QUERY: ("asked",),
    Opcode.CONFIG_COMMIT: ("setting", "length", "version", "check"),
}
_DEFAULTS: Final = {
    "quantities": (),
    **dict.fromkeys(("first", "period_s", "count", "asked", "setting", "length", "version", "check"), 0),
}
_Code = TypeVar("_Code", bound=IntEnum)


def _known(codes: type[_Code], value: int, what: str) -> _Code:
    try:
        return codes(value)
    except ValueError:
        raise TelegramError(f"{what} {value} is unknown") from None


@dataclass(frozen=True, slots=True)
class Hello:
    """A meter introduces itself after a join.  `model` is the code of the meter model, `clock_s` its own UTC."""

    model: int
    firmware: int
    period_s: int
    clock_s: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened at a meter, at `clock_s` of its own clock; `number` counts events mod 256."""

    number: int
    code: EventCode
    clock_s: int
    detail: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """An order.  Which of the arguments has a meaning is the opcode's; a repeat with one sequence is done once."""

    sequence: int
    opcode: Opcode
    quantities: tuple[str, ...] = ()
    first: int = 0
    period_s: int = 0
    count: int = 0
    asked: int = 0
    setting: int = 0
    """Kind of a setting (`vocab.settings`); an unknown one can be said, and is answered."""
    length: int = 0
    version: int = 0
    check: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of the command of this sequence number."""

    sequence: int
    opcode: int
    result: Result
    detail: int = 0


def _period_code(period_s: int) -> int:
    if period_s not in PERIODS_S:
        raise BadArgumentError(f"interval of {period_s} s is none of {PERIODS_S}")
    return PERIODS_S.index(period_s)


def encode_hello(hello: Hello) -> bytes:
    """The payload of a hello."""
    out = BitWriter()
    out.put(VERSION, 4)
    out.put(_period_code(hello.period_s), 4)
    out.put(hello.model, 8)
    out.put(hello.firmware, 16)
    out.put(hello.clock_s, 32)
    return out.to_bytes()


def decode_hello(payload: bytes) -> Hello:
    """A hello; TelegramError for another version, period or length."""
    bits = BitReader(payload)
    version, period_code = bits.take(4), bits.take(4)
    if version != VERSION or period_code >= len(PERIODS_S):
        raise TelegramError(f"hello of version {version}, period code {period_code}")
    hello = Hello(bits.take(8), bits.take(16), PERIODS_S[period_code], bits.take(32))
    bits.expect_padding()
    return hello


def encode_event(event: Event) -> bytes:
    """The payload of an event."""
    out = BitWriter()
    out.put(event.number % 256, 8)
    out.put(event.code, 8)
    out.put(event.clock_s, 32)
    out.put(event.detail, 32)
    return out.to_bytes()


def decode_event(payload: bytes) -> Event:
    """An event; TelegramError for an unknown code or another length."""
    bits = BitReader(payload)
    number, code = bits.take(8), _known(EventCode, bits.take(8), "event code")
    event = Event(number, code, bits.take(32), bits.take(32))
    bits.expect_padding()
    return event


def encode_command(command: Command) -> bytes:
    """The payload of a command; BadArgumentError for arguments that its opcode does not take."""
    taken = _ARGUMENTS.get(command.opcode, ())
    for name, default in _DEFAULTS.items():
        if name not in taken and getattr(command, name) != default:
            raise BadArgumentError(f"{command.opcode.name} takes no {name}")
    out = BitWriter()
    out.put(command.sequence, 16)
    out.put(command.opcode, 8)
    match command.opcode:
        case Opcode.READ:
            if not 1 <= len(command.quantities) <= READ_MAX:
                raise BadArgumentError(f"a read takes 1 to {READ_MAX} quantities, not {len(command.quantities)}")
            for name in command.quantities:
                out.put(quantity(name).code, 8)
        case Opcode.BACKFILL:
            out.put(command.first, 28)
            out.put(_period_code(command.period_s), 4)
            out.put(command.count - 1, 16)
        case Opcode.QUERY:
            out.put(command.asked, 16)
        case Opcode.CONFIG_COMMIT:
            for value, width in ((command.setting, 4), (command.length, 12), (command.version, 16), (command.check, 32)):
                out.put(value, width)
        case _:
            pass
    return out.to_bytes()


def decode_command(payload: bytes) -> Command:
    """A command; TelegramError for an unknown opcode, quantity or period, or another length."""
    bits = BitReader(payload)
    sequence, opcode = bits.take(16), _known(Opcode, bits.take(8), "command opcode")
    command = Command(sequence, opcode)
    match opcode:
        case Opcode.READ:
            codes = [bits.take(8) for _ in range(bits.left // 8)]
            unknown = [each for each in codes if each not in by_code()]
            if unknown or not 1 <= len(codes) <= READ_MAX:
                raise TelegramError(f"read of {len(codes)} quantities, unknown codes {unknown}")
            command = Command(sequence, opcode, quantities=tuple(by_code()[each].name for each in codes))
        case Opcode.BACKFILL:
            first, period_code, count = bits.take(28), bits.take(4), bits.take(16) + 1
            if period_code >= len(PERIODS_S):
                raise TelegramError(f"back-fill with period code {period_code}")
            command = Command(sequence, opcode, first=first, period_s=PERIODS_S[period_code], count=count)
        case Opcode.QUERY:
            command = Command(sequence, opcode, asked=bits.take(16))
        case Opcode.CONFIG_COMMIT:
            kind, length, version, check = bits.take(4), bits.take(12), bits.take(16), bits.take(32)
            command = Command(sequence, opcode, setting=kind, length=length, version=version, check=check)
        case _:
            pass
    bits.expect_padding()
    return command


def encode_answer(answer: Answer) -> bytes:
    """The payload of an answer."""
    out = BitWriter()
    out.put(answer.sequence, 16)
    out.put(answer.opcode, 8)
    out.put(answer.result, 8)
    out.put(answer.detail, 32)
    return out.to_bytes()


def decode_answer(payload: bytes) -> Answer:
    """An answer; TelegramError for an unknown result or another length."""
    bits = BitReader(payload)
    sequence, opcode, result = bits.take(16), bits.take(8), _known(Result, bits.take(8), "result")
    answer = Answer(sequence, opcode, result, bits.take(32))
    bits.expect_padding()
    return answer


def sequence_of(payload: bytes) -> tuple[int, int]:
    """(sequence, opcode) of a command that may be malformed behind them, so that it can be refused by name."""
    bits = BitReader(payload)
    return bits.take(16), bits.take(8)
