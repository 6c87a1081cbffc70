"""What a twin is told, what it keeps through a power cut, and what it says of a command that it carried out."""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from nyala.lorawan.device.state import DeviceMemory
from nyala.lorawan.packages.state import PackagesMemory
from nyala.telegram.blocks import BlockKind
from nyala.telegram.kinds import Opcode
from nyala.telegram.messages import Answer
from nyala.telegram.parity import SentBodies
from nyala.vocab.quantities import Channel
from nyala.vocab.reporting import ReportingSlot

EXECUTED_LIMIT: Final = 32
"""Commands whose answers are remembered."""
FACTORY_FIRMWARE: Final = 0x0100
"""The version that a module leaves the factory with."""


@dataclass(frozen=True, slots=True)
class Reporting:
    """What a twin reports, and when.  Seconds."""

    report_s: int = 3_600
    live_s: int = 6 * 3_600
    offset_min_s: int = 10
    """After an interval edge, at least this long: the registers of the edge must be there."""
    channels: tuple[Channel, ...] = (Channel.IMPORT, Channel.EXPORT)
    parity: bool = True
    """Frames carry parity of earlier ones where there is room."""
    slot: ReportingSlot | None = None
    """Where its reports begin, if that is not drawn."""

    @property
    def slot_ms(self) -> int | None:
        """Begin of the slot in the report period."""
        return None if self.slot is None else self.slot.start_ms


class Boot(StrEnum):
    """Where the change of a module's firmware stands."""

    STEADY = "steady"
    COPYING = "copying"
    """The new image goes into the slot that does not run."""
    TRIAL = "trial"
    """The new image runs, and has not been heard by its network yet."""


@dataclass(slots=True)
class Slots:
    """The two places for code: one runs, the other has what ran before.  A word says which; it is written in one stroke."""

    boot: Boot = Boot.STEADY
    active: int = 0
    versions: list[int] = field(default_factory=lambda: [FACTORY_FIRMWARE, 0])
    codes: list[bytes] = field(default_factory=lambda: [b"", b""])
    starts: int = 0
    """Of an image on trial."""

    @property
    def running(self) -> int:
        """The version that runs."""
        return self.versions[self.active]


@dataclass(slots=True)
class ModuleFlash:
    """What lies in the module's own flash, written record by record, besides the multicast groups of the MAC: no part of the
    image in the meter's memory.
    """

    packages: PackagesMemory = field(default_factory=PackagesMemory)
    staged: dict[BlockKind, bytes] = field(default_factory=dict)
    """The newest block of each kind that was whole and right, as it came; of firmware until it was tried."""
    slots: Slots = field(default_factory=Slots)


@dataclass(slots=True)
class TwinMemory:
    """What survives a power cut besides the meter's own memory."""

    device: DeviceMemory = field(default_factory=DeviceMemory)
    reported_edge: int = 0
    """Intervals before this one were said in a report."""
    reported_day: int = 0
    """The last UTC day whose opening registers were said."""
    event_number: int = 0
    executed: OrderedDict[int, Answer] = field(default_factory=OrderedDict)
    clock_set: bool = False
    """The network told the time since the meter was made."""
    sent: SentBodies = field(default_factory=SentBodies)
    flash: ModuleFlash = field(default_factory=ModuleFlash)

    def remember(self, answer: Answer) -> Answer:
        """Keeps what became of a command, so that a repeat gets the same answer."""
        self.executed[answer.sequence] = answer
        while len(self.executed) > EXECUTED_LIMIT:
            self.executed.popitem(last=False)
        return answer

    def keep_flash(self, before: "TwinMemory") -> None:
        """The supply was cut: what is in flash is as it was."""
        self.flash, self.device.multicast = before.flash, before.device.multicast


@dataclass(frozen=True, slots=True)
class Executed:
    """A command was carried out, now: what the checker of law 3 counts."""

    sequence: int
    opcode: Opcode
