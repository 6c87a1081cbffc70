"""The short telegrams of fixed form: hello, event, command and answer.  `HELLO`, `EVENT`, `COMMAND`, `ANSWER` are the tables.

A command is `COMMAND`, then the arguments of its opcode: `ARGUMENTS`.  The longest that is urgent fits the 11 bytes of DR2.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Final

from nyala.telegram.bits import BitReader, BitWriter
from nyala.telegram.frame_header import COUNTS
from nyala.telegram.kinds import PERIODS, EventCode, Opcode, Result
from nyala.telegram.layout import Field, Layout, Repeat, codes_of
from nyala.telegram.values import QUANTITY
from nyala.vocab.errors import BadArgumentError

VERSION: Final = 1
READ_MAX: Final = 8
BACKFILL_MAX: Final = 1 << 16
SEQUENCES: Final = 1 << 16
"""Command sequence numbers wrap at this; 0 is no command."""
EVENTS: Final = 1 << 8
MAP_BLOCKS: Final = 28
"""Blocks that one bitmap names: with all else of the command in 11 bytes."""
_CLOCK: Final = Field("clock_s", 32, "the meter's clock, POSIX seconds")
_SEQUENCE: Final = Field("sequence", 16, "sequence number of the command; 0 is none")
HELLO: Final = Layout(
    Field("version", 4, "form of this telegram", {VERSION: VERSION}),
    Field("period_s", 4, "length of an interval", PERIODS),
    Field("model", 8, "code of the meter model"),
    Field("firmware", 16, "version of the firmware"),
    _CLOCK,
)
EVENT: Final = Layout(
    Field("number", 8, "counts events mod 256"),
    Field("code", 8, "what happened", codes_of(EventCode)),
    _CLOCK,
    Field("detail", 32, "by the code"),
)
ANSWER: Final = Layout(
    _SEQUENCE,
    Field("opcode", 8, "opcode of the command, known or not"),
    Field("result", 8, "how it ended", codes_of(Result)),
    Field("detail", 32, "by opcode and result"),
)
COMMAND: Final = Layout(_SEQUENCE, Field("opcode", 8, "what to do", codes_of(Opcode)))
ARGUMENTS: Final[Mapping[Opcode, Layout]] = {
    Opcode.READ: Layout(repeat=Repeat("quantities", (QUANTITY,), READ_MAX)),
    Opcode.BACKFILL: Layout(
        Field("first", 28, "absolute index of the first interval: its start in POSIX seconds / period"),
        Field("period_s", 4, "length of an interval", PERIODS),
        Field("count", 16, "intervals", plus=1),
    ),
    Opcode.BACKFILL_MAP: Layout(
        Field("first", 28, "absolute index of the first interval of the first block: its start in POSIX seconds / period"),
        Field("period_s", 4, "length of an interval", PERIODS),
        Field("each", 4, "intervals of a block", dict(enumerate(COUNTS))),
        Field("blocks", MAP_BLOCKS, "bit n: the block n after the first one"),
    ),
    Opcode.QUERY: Layout(
        Field("asked", 16, "sequence number that is asked for"),
    ),
    Opcode.CONFIG_COMMIT: Layout(
        Field("setting", 4, "kind of the setting"),
        Field("length", 12, "bytes of the block"),
        Field("version", 16, "version of the block"),
        Field("check", 32, "CRC-32 of kind, version and bytes"),
    ),
}
"""What the opcodes take; those that are not here take nothing."""
_NOTHING: Final = Layout()


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
    each: int = 0
    blocks: int = 0
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


def encode_hello(hello: Hello) -> bytes:
    """The payload of a hello."""
    return HELLO.encode({"version": VERSION, **asdict(hello)})


def decode_hello(payload: bytes) -> Hello:
    """A hello; TelegramError for another version, period or length."""
    said = HELLO.decode(payload)
    del said["version"]
    return Hello(**said)


def encode_event(event: Event) -> bytes:
    """The payload of an event."""
    return EVENT.encode({**asdict(event), "number": event.number % EVENTS})


def decode_event(payload: bytes) -> Event:
    """An event; TelegramError for an unknown code or another length."""
    return Event(**EVENT.decode(payload))


def encode_command(command: Command) -> bytes:
    """The payload of a command; BadArgumentError for arguments that its opcode does not take."""
    said, taken = asdict(command), ARGUMENTS.get(command.opcode, _NOTHING)
    for each in fields(Command):
        if each.name not in (*COMMAND.names, *taken.names) and said[each.name] != each.default:
            raise BadArgumentError(f"{command.opcode.name} takes no {each.name}")
    out = BitWriter()
    COMMAND.put(out, said)
    taken.put(out, said)
    return out.to_bytes()


def decode_command(payload: bytes) -> Command:
    """A command; TelegramError for an unknown opcode, quantity or period, or another length."""
    bits = BitReader(payload)
    said = COMMAND.take(bits)
    said |= ARGUMENTS.get(said["opcode"], _NOTHING).take(bits)
    bits.expect_padding()
    return Command(**said | {"quantities": tuple(said.get("quantities", ()))})


def encode_answer(answer: Answer) -> bytes:
    """The payload of an answer."""
    return ANSWER.encode(asdict(answer))


def decode_answer(payload: bytes) -> Answer:
    """An answer; TelegramError for an unknown result or another length."""
    return Answer(**ANSWER.decode(payload))


def sequence_of(payload: bytes) -> tuple[int, int]:
    """(sequence, opcode) of a command that may be malformed behind them, so that it can be refused by name."""
    bits = BitReader(payload)
    return bits.take(16), bits.take(8)
