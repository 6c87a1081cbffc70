"""Commands of the application packages: one class per row, codec derived from the class body.  Bytes <-> values only.

    TS003 clock synchronisation, port 202      TS004 fragmentation, port 201      TS005 remote multicast, port 200

TS004 has two versions that differ on the wire; a device profile says which one a device speaks.  TS003 and TS005 are the
same in both but for the package version they tell.  Not here: class B sessions (05 of TS005), what a command does.
Source: TS003, TS004, TS005, versions 1.0.0 and 2.0.0; reference lorawan.md section 6.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, ClassVar, Final

from nyala.lorawan.bits import U1, U2, U3, U4, U8, U16, U24, U32, Bits, Packed
from nyala.vocab.errors import BadArgumentError, FrameError

U14 = Annotated[int, Bits(14)]
S32 = Annotated[int, Bits(32, signed=True)]


class PackagePort(IntEnum):
    """FPort by default, and the identifier of the package."""

    MULTICAST = 200
    FRAGMENTATION = 201
    CLOCK_SYNC = 202


PACKAGE_IDS: Final[Mapping[PackagePort, int]] = {
    PackagePort.CLOCK_SYNC: 1,
    PackagePort.MULTICAST: 2,
    PackagePort.FRAGMENTATION: 3,
}


@dataclass(frozen=True, slots=True)
class Command(Packed):
    """A command of a package without its CID octet; `rest` is what follows the fixed part."""

    CID: ClassVar[int]
    OPEN: ClassVar[bool] = False
    """It may end in octets of any number: it must be the last of its message."""


@dataclass(frozen=True, slots=True)
class Open:
    """A command with octets after its fixed part."""

    head: Command
    rest: bytes


@dataclass(frozen=True, slots=True)
class PackageVersionReq(Command):
    """Which package and version is this?"""

    CID = 0x00


@dataclass(frozen=True, slots=True)
class PackageVersionAns(Command):
    """Identifier (`PACKAGE_IDS`) and version."""

    CID = 0x00
    package: U8
    version: U8


# -- TS003


@dataclass(frozen=True, slots=True)
class AppTimeReq(Command):
    """The device's GPS time mod 2^32, and whether it wants an answer in any case."""

    CID = 0x01
    device_time: U32
    token: U4
    answer_required: U1
    rfu: U3 = 0


@dataclass(frozen=True, slots=True)
class AppTimeAns(Command):
    """Seconds to add to the device's clock; the token of the request."""

    CID = 0x01
    correction_s: S32
    token: U4
    rfu: U4 = 0


@dataclass(frozen=True, slots=True)
class PeriodicityReq(Command):
    """Ask each 128 * 2**period seconds."""

    CID = 0x02
    period: U4
    rfu: U4 = 0


@dataclass(frozen=True, slots=True)
class PeriodicityAns(Command):
    """Whether it cannot; the device's GPS time."""

    CID = 0x02
    not_supported: U1
    rfu: U3
    rfu_high: U4
    device_time: U32


@dataclass(frozen=True, slots=True)
class ForceResyncReq(Command):
    """Send this many time requests now; it has no answer of its own."""

    CID = 0x03
    transmissions: U3
    rfu: U1 = 0
    rfu_high: U4 = 0


# -- TS004


@dataclass(frozen=True, slots=True)
class FragStatusReq(Command):
    """How far is the session?  Bit `participants` 1: also those that have all."""

    CID = 0x01
    participants: U1
    index: U2
    rfu: U1 = 0
    rfu_high: U4 = 0


@dataclass(frozen=True, slots=True)
class FragStatusAns(Command):
    """Fragments received, fragments still missing (255: that many or more)."""

    CID = 0x01
    received: U14
    index: U2
    missing: U8
    memory_error: U1
    rfu: U3 = 0
    rfu_high: U4 = 0


@dataclass(frozen=True, slots=True)
class FragSetupReq(Command):
    """A session of version 1: `fragments` of `fragment_bytes`, the last with `padding` octets too many."""

    CID = 0x02
    groups: U4
    index: U2
    rfu: U2
    fragments: U16
    fragment_bytes: U8
    block_ack_delay: U3
    algorithm: U3
    rfu_control: U2
    padding: U8
    descriptor: U32


@dataclass(frozen=True, slots=True)
class FragSetupReqV2(Command):
    """A session of version 2: with its own counter and a MIC over the block."""

    CID = 0x02
    groups: U4
    index: U2
    rfu: U2
    fragments: U16
    fragment_bytes: U8
    block_ack_delay: U3
    algorithm: U3
    ack_reception: U1
    rfu_control: U1
    padding: U8
    descriptor: U32
    session_count: U16
    mic: U32


@dataclass(frozen=True, slots=True)
class FragSetupAns(Command):
    """All bits clear: taken; `replayed` only in version 2."""

    CID = 0x02
    algorithm_unknown: U1
    memory: U1
    index_unknown: U1
    descriptor_wrong: U1
    replayed: U1
    rfu: U1
    index: U2


@dataclass(frozen=True, slots=True)
class FragDeleteReq(Command):
    """Forget a session."""

    CID = 0x03
    index: U2
    rfu: U2 = 0
    rfu_high: U4 = 0


@dataclass(frozen=True, slots=True)
class FragDeleteAns(Command):
    """Forgotten, or there was none."""

    CID = 0x03
    index: U2
    undefined: U1
    rfu: U1 = 0
    rfu_high: U4 = 0


@dataclass(frozen=True, slots=True)
class BlockReceivedReq(Command):
    """Version 2, from the device: the block is whole, or its MIC is wrong."""

    CID = 0x04
    index: U2
    mic_error: U1
    rfu: U1 = 0
    rfu_high: U4 = 0


@dataclass(frozen=True, slots=True)
class BlockReceivedAns(Command):
    """Version 2: heard."""

    CID = 0x04
    index: U2
    rfu: U2 = 0
    rfu_high: U4 = 0


@dataclass(frozen=True, slots=True)
class DataFragment(Command):
    """Fragment `number` (from 1; above the number of fragments: parity); its octets follow, alone in the message."""

    CID = 0x08
    OPEN = True
    number: U14
    index: U2


# -- TS005


@dataclass(frozen=True, slots=True)
class McStatusReq(Command):
    """Which of these groups are there?"""

    CID = 0x01
    groups: U4
    rfu: U4 = 0


@dataclass(frozen=True, slots=True)
class McStatusAns(Command):
    """Those that are there; for each follow its identifier (1) and McAddr (4)."""

    CID = 0x01
    OPEN = True
    groups: U4
    total: U3
    rfu: U1 = 0


@dataclass(frozen=True, slots=True)
class McSetupReq(Command):
    """A group: address, key (encrypted under McKEKey), and the counters that it takes."""

    CID = 0x02
    group: U2
    rfu: U2
    rfu_high: U4
    mc_addr: U32
    mc_key_low: Annotated[int, Bits(64)]
    mc_key_high: Annotated[int, Bits(64)]
    f_cnt_min: U32
    f_cnt_max: U32

    @property
    def mc_key(self) -> bytes:
        """The encrypted key as 16 octets."""
        return (self.mc_key_low | self.mc_key_high << 64).to_bytes(16, "little")

    @classmethod
    def of(cls, group: int, mc_addr: int, mc_key: bytes, f_cnts: tuple[int, int]) -> "McSetupReq":
        """A group with its encrypted key."""
        low, high = int.from_bytes(mc_key[:8], "little"), int.from_bytes(mc_key[8:], "little")
        return cls(group, 0, 0, mc_addr, low, high, *f_cnts)


@dataclass(frozen=True, slots=True)
class McSetupAns(Command):
    """Taken, or the identifier is not one that the device has."""

    CID = 0x02
    group: U2
    id_error: U1
    rfu: U1 = 0
    rfu_high: U4 = 0


@dataclass(frozen=True, slots=True)
class McDeleteReq(Command):
    """Forget a group."""

    CID = 0x03
    group: U2
    rfu: U2 = 0
    rfu_high: U4 = 0


@dataclass(frozen=True, slots=True)
class McDeleteAns(Command):
    """Forgotten, or there was none."""

    CID = 0x03
    group: U2
    undefined: U1
    rfu: U1 = 0
    rfu_high: U4 = 0


@dataclass(frozen=True, slots=True)
class McClassCSessionReq(Command):
    """Listen on a frequency and data rate from a GPS time for 2**timeout seconds."""

    CID = 0x04
    group: U2
    rfu: U2
    rfu_high: U4
    session_time: U32
    timeout: U4
    rfu_timeout: U4
    frequency_100hz: U24
    data_rate: U8


@dataclass(frozen=True, slots=True)
class McClassCSessionAns(Command):
    """Taken where no error bit is set; then the seconds until it begins follow (3)."""

    CID = 0x04
    OPEN = True
    group: U2
    data_rate_error: U1
    frequency_error: U1
    undefined: U1
    start_missed: U1
    rfu: U2 = 0

    @property
    def accepted(self) -> bool:
        """No error bit is set."""
        return not (self.data_rate_error or self.frequency_error or self.undefined or self.start_missed)


Table = Mapping[int, type[Command]]


def _table(*classes: type[Command]) -> Table:
    return {cls.CID: cls for cls in classes}


_V1_DOWN: Final = (PackageVersionReq, FragStatusReq, FragSetupReq, FragDeleteReq, DataFragment)
_V1_UP: Final = (PackageVersionAns, FragStatusAns, FragSetupAns, FragDeleteAns)
TO_DEVICE: Final[Mapping[tuple[PackagePort, int], Table]] = {
    (PackagePort.CLOCK_SYNC, 1): _table(PackageVersionReq, AppTimeAns, PeriodicityReq, ForceResyncReq),
    (PackagePort.CLOCK_SYNC, 2): _table(PackageVersionReq, AppTimeAns, PeriodicityReq, ForceResyncReq),
    (PackagePort.FRAGMENTATION, 1): _table(*_V1_DOWN),
    (PackagePort.FRAGMENTATION, 2): _table(*_V1_DOWN, FragSetupReqV2, BlockReceivedAns),
    (PackagePort.MULTICAST, 1): _table(PackageVersionReq, McStatusReq, McSetupReq, McDeleteReq, McClassCSessionReq),
    (PackagePort.MULTICAST, 2): _table(PackageVersionReq, McStatusReq, McSetupReq, McDeleteReq, McClassCSessionReq),
}
"""What a server says, by port and version of the package."""
TO_SERVER: Final[Mapping[tuple[PackagePort, int], Table]] = {
    (PackagePort.CLOCK_SYNC, 1): _table(PackageVersionAns, AppTimeReq, PeriodicityAns),
    (PackagePort.CLOCK_SYNC, 2): _table(PackageVersionAns, AppTimeReq, PeriodicityAns),
    (PackagePort.FRAGMENTATION, 1): _table(*_V1_UP),
    (PackagePort.FRAGMENTATION, 2): _table(*_V1_UP, BlockReceivedReq),
    (PackagePort.MULTICAST, 1): _table(PackageVersionAns, McStatusAns, McSetupAns, McDeleteAns, McClassCSessionAns),
    (PackagePort.MULTICAST, 2): _table(PackageVersionAns, McStatusAns, McSetupAns, McDeleteAns, McClassCSessionAns),
}
"""What a device says."""


def encode(commands: Iterable[Command | Open]) -> bytes:
    """A message; BadArgumentError where a command with open octets is not its last."""
    out, closed = b"", False
    for each in commands:
        head, rest = (each.head, each.rest) if isinstance(each, Open) else (each, b"")
        if closed or (rest and not head.OPEN):
            raise BadArgumentError(f"{type(head).__name__} cannot stand there")
        out += bytes([head.CID]) + head.to_bytes() + rest
        closed = head.OPEN
    return out


def decode(message: bytes, table: Table) -> list[Command | Open]:
    """The commands of a message; FrameError for an unknown or shortened one: their lengths are not known."""
    commands: list[Command | Open] = []
    at = 0
    while at < len(message):
        cls = table.get(message[at])
        if cls is None:
            raise FrameError(f"package command {message[at]:02x} is unknown")
        end = at + 1 + cls.size()
        if len(message) < end:
            raise FrameError(f"{cls.__name__} is cut short: {len(message) - at - 1} of {cls.size()} bytes")
        head = cls.from_bytes(message[at + 1 : end])
        if cls.OPEN:
            commands.append(Open(head, message[end:]))
            break
        commands.append(head)
        at = end
    return commands
