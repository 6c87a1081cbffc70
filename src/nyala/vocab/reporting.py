"""The reporting profile: what a module reports and when, as meter and centre say it to each other.

    seconds between reports u32, between live values u32
    then, where they are not those of the factory or a slot follows: channels u8 (place in `REPORTED`), parity u8 (0: none)
    then, where it has one, its slot: begin in the report period u32 ms, channel u8

Big-endian.  What decodes, encodes to the same bytes; whoever reads a block holds it to that.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S

REPORT_MIN_S: Final = 60
LIVE_MAX_S: Final = 7 * DAY_S
REPORTED: Final = (
    (Channel.IMPORT,),
    (Channel.IMPORT, Channel.EXPORT),
    (Channel.IMPORT, Channel.EXPORT, Channel.Q1, Channel.Q2, Channel.Q3, Channel.Q4),
    tuple(Channel),
)
"""Channels that can be reported together: those of which a frame has tables (`telegram/frame_coder.py`)."""
FACTORY: Final = (1, True)
"""Place in `REPORTED`, and parity, of a module that was told nothing."""
CHANNELS_MAX: Final = 16
"""Channels of the radio that a device may know (TS001-1.0.4, 5.6: as many as a mask has bits)."""
_TIMES, _REST, _SLOT = Struct(">II"), Struct(">BB"), Struct(">IB")


@dataclass(frozen=True, slots=True)
class ReportingSlot:
    """An instant of each report period, and a channel of the radio, that are a meter's own."""

    start_ms: int
    channel: int


@dataclass(frozen=True, slots=True)
class ReportingSetting:
    """What a module reports: intervals of which channels and when, with parity or without, and live values with them."""

    report_s: int
    live_s: int
    channels: tuple[Channel, ...] = REPORTED[FACTORY[0]]
    parity: bool = FACTORY[1]
    slot: ReportingSlot | None = None

    def __post_init__(self) -> None:
        slot = self.slot
        if slot is not None and not (0 <= slot.start_ms < self.report_s * 1_000 and 0 <= slot.channel < CHANNELS_MAX):
            raise BadArgumentError(f"no slot is at {slot.start_ms} ms of {self.report_s} s on channel {slot.channel}")
        if self.channels not in REPORTED:
            raise BadArgumentError(f"channels {', '.join(each.name for each in self.channels)} are not reported together")
        if not REPORT_MIN_S <= self.report_s <= DAY_S or DAY_S % self.report_s:
            raise BadArgumentError(f"a report every {self.report_s} s: {REPORT_MIN_S}..{DAY_S}, and days are made of it")
        if not self.report_s <= self.live_s <= LIVE_MAX_S:
            raise BadArgumentError(f"live values every {self.live_s} s: from the report's {self.report_s} to {LIVE_MAX_S}")


def encode_reporting(value: ReportingSetting) -> bytes:
    """The bytes of a block."""
    rest, slot = (REPORTED.index(value.channels), value.parity), value.slot
    said = b"" if rest == FACTORY and slot is None else _REST.pack(*rest)
    return _TIMES.pack(value.report_s, value.live_s) + said + (b"" if slot is None else _SLOT.pack(slot.start_ms, slot.channel))


def decode_reporting(body: bytes) -> ReportingSetting:
    """What a block says; struct.error or BadArgumentError for other bytes and for values against the rules."""
    (report_s, live_s), rest = _TIMES.unpack(body[: _TIMES.size]), body[_TIMES.size :]
    channels, parity = _REST.unpack(rest[: _REST.size]) if rest else FACTORY
    slot = ReportingSlot(*_SLOT.unpack(rest[_REST.size :])) if rest[_REST.size :] else None
    if channels >= len(REPORTED):
        raise BadArgumentError(f"no channels have number {channels}")
    return ReportingSetting(report_s, live_s, REPORTED[channels], bool(parity), slot)
