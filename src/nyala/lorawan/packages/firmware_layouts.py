"""The rows of firmware management: what runs, what would run next, and when to start it.  Codec derived; rows as in `layouts`.

Source: TS006-1.0.0 sections 3.1 to 3.6.  Not here: what an image is and who may sign one (`telegram.firmware`).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from nyala.lorawan.bits import U1, U2, U24, U32, Bits
from nyala.lorawan.packages.layouts import Command

U6 = Annotated[int, Bits(6)]
NOW: Final = 0
"""A reboot time or countdown: at once.  As an answer: this instant cannot be kept."""
CANCEL_TIME: Final = 0xFFFFFFFF
CANCEL_COUNTDOWN: Final = 0xFFFFFF


class ImageStatus(IntEnum):
    """What a device thinks of the image that it holds beside the one that runs."""

    NONE = 0
    WRONG = 1
    """Damaged, or not signed by its maker."""
    WRONG_HARDWARE = 2
    VALID = 3


@dataclass(frozen=True, slots=True)
class DevVersionReq(Command):
    """What runs, on what?"""

    CID = 0x01


@dataclass(frozen=True, slots=True)
class DevVersionAns(Command):
    """Firmware that runs, and hardware; the maker's numbers."""

    CID = 0x01
    firmware: U32
    hardware: U32


@dataclass(frozen=True, slots=True)
class DevRebootTimeReq(Command):
    """Start anew at a GPS time mod 2^32, `NOW`, or never (`CANCEL_TIME`); it takes the place of what was told before."""

    CID = 0x02
    reboot_time: U32


@dataclass(frozen=True, slots=True)
class DevRebootTimeAns(Command):
    """Seconds until then; 0 where the instant has passed, `CANCEL_TIME` where it was cancelled."""

    CID = 0x02
    reboot_time: U32


@dataclass(frozen=True, slots=True)
class DevRebootCountdownReq(Command):
    """Start anew after so many seconds, `NOW`, or never (`CANCEL_COUNTDOWN`)."""

    CID = 0x03
    countdown_s: U24


@dataclass(frozen=True, slots=True)
class DevRebootCountdownAns(Command):
    """The same, as it was taken."""

    CID = 0x03
    countdown_s: U24


@dataclass(frozen=True, slots=True)
class DevUpgradeImageReq(Command):
    """Which image is there?"""

    CID = 0x04


@dataclass(frozen=True, slots=True)
class DevUpgradeImageAns(Command):
    """An `ImageStatus`; the version of a valid one follows (4)."""

    CID = 0x04
    status: U2
    rfu: U6 = 0

    @property
    def tail(self) -> int:
        """The version."""
        return 4 if self.status == ImageStatus.VALID else 0


@dataclass(frozen=True, slots=True)
class DevDeleteImageReq(Command):
    """Forget the image of this version."""

    CID = 0x05
    version: U32


@dataclass(frozen=True, slots=True)
class DevDeleteImageAns(Command):
    """Forgotten where no bit is set: there is none, or it is of another version."""

    CID = 0x05
    no_image: U1
    other_version: U1
    rfu: U6 = 0
