"""What the packages of a device remember, what they want done, and what a message came with.  Values only."""

from dataclasses import dataclass, field

from nyala.lorawan.packages import layouts as c
from nyala.lorawan.packages.commands import Open, PackagePort
from nyala.lorawan.packages.firmware_layouts import ImageStatus
from nyala.lorawan.packages.layouts import Command
from nyala.lorawan.packages.parity import Assembler
from nyala.vocab.time import GPS_EPOCH_S, GPS_LEAP_S

GPS_U32 = 1 << 32
"""Packages say GPS time in 32 bits."""


@dataclass(slots=True)
class Group:
    """A multicast group, as it was set up."""

    mc_addr: int
    mc_key: bytes
    f_cnt_min: int
    f_cnt_max: int


@dataclass(slots=True)
class FragSession:
    """A fragmentation session and what it has."""

    setup: c.FragSetupReq | c.FragSetupReqV2
    assembler: Assembler
    whole: bool = False


@dataclass(slots=True)
class FirmwareFacts:
    """What the device says of its firmware.  Its owner sets all but `reboot_s`: when to start anew, by its clock (UTC)."""

    running: int = 0
    hardware: int = 0
    image: ImageStatus = ImageStatus.NONE
    next_version: int = 0
    reboot_s: int | None = None


@dataclass(slots=True)
class PackagesMemory:
    """What a power cut leaves."""

    groups: dict[int, Group] = field(default_factory=dict)
    sessions: dict[int, FragSession] = field(default_factory=dict)
    session_count: int = -1
    """The last SessionCnt that was taken (version 2)."""
    token: int = 0
    period: int | None = None
    firmware: FirmwareFacts = field(default_factory=FirmwareFacts)


@dataclass(frozen=True, slots=True)
class Say:
    """Send this."""

    port: PackagePort
    payload: bytes


@dataclass(frozen=True, slots=True)
class AskTime:
    """Send `DevicePackages.time_request`, made when it goes out."""


@dataclass(frozen=True, slots=True)
class ClockOff:
    """The clock is to be corrected by so many seconds."""

    correction_s: int


@dataclass(frozen=True, slots=True)
class GroupSet:
    """The MAC gets a group."""

    group: int
    mc_addr: int
    nwk_s_key: bytes
    app_s_key: bytes
    f_cnt_min: int
    f_cnt_max: int


@dataclass(frozen=True, slots=True)
class GroupDropped:
    """The MAC forgets a group."""

    group: int


@dataclass(frozen=True, slots=True)
class Listen:
    """The MAC listens for a group, from and until an instant of the device's clock (UTC seconds)."""

    group: int
    start_s: int
    end_s: int
    frequency_hz: int
    data_rate: int


@dataclass(frozen=True, slots=True)
class BlockReady:
    """A block is whole."""

    index: int
    descriptor: int
    block: bytes


@dataclass(frozen=True, slots=True)
class BlockTold:
    """The server is to hear that a block is whole, or wrong (version 2)."""

    index: int
    block_ack_delay: int
    right: bool


@dataclass(frozen=True, slots=True)
class ImageDropped:
    """The image that waits is to be forgotten."""


PackageEffect = Say | AskTime | ClockOff | GroupSet | GroupDropped | Listen | BlockReady | BlockTold | ImageDropped


@dataclass(frozen=True, slots=True)
class Heard:
    """How a message came: over which group (None: for us alone), when, and what the device's clock said (UTC seconds)."""

    group: int | None
    now_us: int
    clock_s: int

    @property
    def gps_s(self) -> int:
        """The device's clock in GPS seconds."""
        return self.clock_s - GPS_EPOCH_S + GPS_LEAP_S

    def ahead_s(self, gps_u32: int) -> int:
        """From now to the instant that is named by GPS time mod 2^32: the nearest of that name."""
        return (gps_u32 - self.gps_s + GPS_U32 // 2) % GPS_U32 - GPS_U32 // 2


Outcome = tuple[Command | Open | None, list[PackageEffect]]
"""An answer, and what else is to be done."""
NOTHING: Outcome = (None, [])
