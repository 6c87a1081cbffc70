"""The table of telegrams: one FPort each.  Ports 10-19 are said by meters, 20-29 by the head-end."""

from enum import IntEnum, StrEnum


class Port(IntEnum):
    """FPort of each kind of telegram."""

    INTERVALS = 10
    """Interval values, index short: resolved by the time of reception."""
    INTERVALS_FULL = 11
    """Interval values, index in full: back-fill of older days."""
    VALUES = 12
    """Any quantities of the catalogue at one instant: registers, live values, states."""
    EVENT = 13
    """Something happened at a meter: at once."""
    ANSWER = 14
    """What became of a command."""
    HELLO = 15
    """A meter introduces itself after a join."""
    CONFIG_REPORT = 16
    """Versions and checksums of the settings that a meter has."""
    FRAME = 17
    """A block of intervals (`frames`), its number short."""
    FRAME_SUM = 18
    """The same, and the import register at its end."""
    FRAME_FULL = 19
    """A block of intervals, its number in full: back-fill."""
    COMMAND = 20
    """An order, with the arguments of its opcode."""
    CONFIG = 21
    """Parts of a setting's block."""


DOWNLINK_PORTS = frozenset((Port.COMMAND, Port.CONFIG))
UPLINK_PORTS = frozenset(Port) - DOWNLINK_PORTS


class EventCode(IntEnum):
    """What a meter reports by itself.  8 bits."""

    POWER_RESTORED = 1
    """detail: seconds without supply."""
    SWITCH_OPENED = 2
    """detail: sequence number of the command that did it; 0 where none did."""
    SWITCH_CLOSED = 3
    CLOCK_SET = 4
    """detail: milliseconds of the step, absolute."""
    ALARM_RAISED = 5
    """detail: bit of the alarm in the top 8 of 32 bits; below it the figure, as the alarm table scales it (saturated)."""
    ALARM_CLEARED = 6
    BLOCK_STAGED = 7
    """A data block is whole and right; detail: its descriptor (`blocks`)."""
    BLOCK_REFUSED = 8
    """A data block is whole and not what it says; detail: its descriptor."""
    POWER_FAILED = 9
    """The last words of a meter whose supply is gone: at the instant of the cut, unconfirmed."""


class Opcode(IntEnum):
    """What the head-end orders.  8 bits."""

    SWITCH_OPEN = 1
    SWITCH_CLOSE = 2
    READ = 3
    """Quantities of the catalogue, now: answered by values."""
    BACKFILL = 4
    """Intervals of a gap."""
    QUERY = 5
    """Was the command of this sequence number carried out?"""
    DEMAND_RESET = 6
    """A new billing period begins: maxima fall to 0, registers are frozen."""
    CONFIG_COMMIT = 7
    """The parts of a setting's block were sent: take it where it is whole and right."""
    CONFIG_ASK = 8
    """Which settings has the meter?  Answered by a report."""
    BACKFILL_MAP = 9
    """Intervals of many gaps: blocks by a bitmap."""


class Result(IntEnum):
    """How a command ended at the meter.  8 bits."""

    DONE = 0
    NO_SUCH_PART = 1
    """The model has no switch."""
    UNKNOWN_OPCODE = 2
    MALFORMED = 3
    NOT_EXECUTED = 4
    """Answer to a query: never seen, or so long ago that it is forgotten."""
    LOCKED_OUT = 5
    """A demand reset too soon after the last."""
    NOT_ALLOWED = 6
    """The control mode knows no such way from the state of the switch; the detail says both: mode * 256 + control state."""
    INCOMPLETE = 8
    """Bytes of the block are missing; the detail: offset of the first in the upper half, how many from there in the lower."""
    WRONG_CHECKSUM = 9
    """The block is whole and not what the commit says: its parts are dropped."""


ALARM_VALUE_BITS = 24
"""The detail of an alarm's event is the alarm's bit above so many bits of its value."""


class Direction(StrEnum):
    """Who says it."""

    METER = "meter"
    HEADEND = "head-end"


PERIODS_S = (60, 300, 600, 900, 1800, 3600)
"""Interval lengths by their code of 3 bits (product sheet A4)."""
PERIODS = dict(enumerate(PERIODS_S))
