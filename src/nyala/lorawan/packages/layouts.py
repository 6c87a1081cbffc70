"""The rows of the application packages: a class per command, its body the table of the standard.  Codec derived.

Source: TS003, TS004, TS005, versions 1.0.0 and 2.0.0; reference lorawan.md section 6.
Not here: class B sessions (05 of TS005).
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from nyala.lorawan.bits import U1, U2, U3, U4, U8, U16, U24, U32, Bits, Packed

U14 = Annotated[int, Bits(14)]
S32 = Annotated[int, Bits(32, signed=True)]


@dataclass(frozen=True, slots=True)
class Command(Packed):
    """A command of a package without its CID octet."""

    CID: ClassVar[int]

    @property
    def tail(self) -> int | None:
        """Octets after the fixed part; None: all to the end of the message."""
        return 0


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
    number: U14
    index: U2

    @property
    def tail(self) -> None:
        """The fragment."""
        return


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
    groups: U4
    total: U3
    rfu: U1 = 0

    @property
    def tail(self) -> int:
        """Identifier and address of each."""
        return 5 * self.groups.bit_count()


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

    @property
    def tail(self) -> int:
        """The seconds until it begins."""
        return 3 if self.accepted else 0
