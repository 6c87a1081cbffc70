"""What a twin is told, what it keeps through a power cut, and what it says of a command that it carried out."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from nyala.lorawan.device.state import DeviceMemory
from nyala.lorawan.packages.state import PackagesMemory
from nyala.telegram.blocks import BlockKind
from nyala.telegram.kinds import Opcode
from nyala.telegram.messages import Answer

EXECUTED_LIMIT: Final = 32
"""Commands whose answers are remembered."""


@dataclass(frozen=True, slots=True)
class Reporting:
    """When a twin reports.  Seconds."""

    report_s: int = 3_600
    live_s: int = 6 * 3_600
    offset_min_s: int = 10
    """After an interval edge, at least this long: the registers of the edge must be there."""


@dataclass(slots=True)
class ModuleFlash:
    """What lies in the module's own flash, written record by record, besides the multicast groups of the MAC: no part of the
    image in the meter's memory.
    """

    packages: PackagesMemory = field(default_factory=PackagesMemory)
    staged: dict[BlockKind, bytes] = field(default_factory=dict)
    """The newest block of each kind that was whole and right, as it came."""


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
