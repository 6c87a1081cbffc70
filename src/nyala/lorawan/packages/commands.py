"""Messages of the application packages: commands one after the other on the package's port.  Bytes <-> values only.

    TS003 clock synchronisation, port 202      TS004 fragmentation, port 201      TS005 remote multicast, port 200
    TS006 firmware management, port 203

TS004 has two versions that differ on the wire; a device profile says which one a device speaks.  TS003 and TS005 are the
same in both but for the package version they tell; TS006 has one.  The rows are `layouts` and `firmware_layouts`; what a
command does is not here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from nyala.lorawan.packages import firmware_layouts as firmware
from nyala.lorawan.packages import layouts as row
from nyala.lorawan.packages.layouts import Command
from nyala.vocab.errors import BadArgumentError, FrameError


class PackagePort(IntEnum):
    """FPort by default, and the identifier of the package."""

    MULTICAST = 200
    FRAGMENTATION = 201
    CLOCK_SYNC = 202
    FIRMWARE = 203


PACKAGE_IDS: Final[Mapping[PackagePort, int]] = {
    PackagePort.CLOCK_SYNC: 1,
    PackagePort.MULTICAST: 2,
    PackagePort.FRAGMENTATION: 3,
    PackagePort.FIRMWARE: 4,
}
ONLY_VERSION: Final[Mapping[PackagePort, int]] = {PackagePort.FIRMWARE: 1}
"""Packages that a device of any version has in this one."""


@dataclass(frozen=True, slots=True)
class Open:
    """A command with octets after its fixed part."""

    head: Command
    rest: bytes


Table = Mapping[int, type[Command]]


def _table(*classes: type[Command]) -> Table:
    return {cls.CID: cls for cls in classes}


_V1_DOWN: Final = (row.PackageVersionReq, row.FragStatusReq, row.FragSetupReq, row.FragDeleteReq, row.DataFragment)
_V1_UP: Final = (row.PackageVersionAns, row.FragStatusAns, row.FragSetupAns, row.FragDeleteAns)
_FIRMWARE_DOWN: Final = _table(
    row.PackageVersionReq,
    firmware.DevVersionReq,
    firmware.DevRebootTimeReq,
    firmware.DevRebootCountdownReq,
    firmware.DevUpgradeImageReq,
    firmware.DevDeleteImageReq,
)
_FIRMWARE_UP: Final = _table(
    row.PackageVersionAns,
    firmware.DevVersionAns,
    firmware.DevRebootTimeAns,
    firmware.DevRebootCountdownAns,
    firmware.DevUpgradeImageAns,
    firmware.DevDeleteImageAns,
)
TO_DEVICE: Final[Mapping[tuple[PackagePort, int], Table]] = {
    (PackagePort.CLOCK_SYNC, 1): _table(row.PackageVersionReq, row.AppTimeAns, row.PeriodicityReq, row.ForceResyncReq),
    (PackagePort.CLOCK_SYNC, 2): _table(row.PackageVersionReq, row.AppTimeAns, row.PeriodicityReq, row.ForceResyncReq),
    (PackagePort.FRAGMENTATION, 1): _table(*_V1_DOWN),
    (PackagePort.FRAGMENTATION, 2): _table(*_V1_DOWN, row.FragSetupReqV2, row.BlockReceivedAns),
    (PackagePort.MULTICAST, 1): _table(
        row.PackageVersionReq, row.McStatusReq, row.McSetupReq, row.McDeleteReq, row.McClassCSessionReq
    ),
    (PackagePort.MULTICAST, 2): _table(
        row.PackageVersionReq, row.McStatusReq, row.McSetupReq, row.McDeleteReq, row.McClassCSessionReq
    ),
    (PackagePort.FIRMWARE, 1): _FIRMWARE_DOWN,
    (PackagePort.FIRMWARE, 2): _FIRMWARE_DOWN,
}
"""What a server says, by port and version of the package."""
TO_SERVER: Final[Mapping[tuple[PackagePort, int], Table]] = {
    (PackagePort.CLOCK_SYNC, 1): _table(row.PackageVersionAns, row.AppTimeReq, row.PeriodicityAns),
    (PackagePort.CLOCK_SYNC, 2): _table(row.PackageVersionAns, row.AppTimeReq, row.PeriodicityAns),
    (PackagePort.FRAGMENTATION, 1): _table(*_V1_UP),
    (PackagePort.FRAGMENTATION, 2): _table(*_V1_UP, row.BlockReceivedReq),
    (PackagePort.MULTICAST, 1): _table(
        row.PackageVersionAns, row.McStatusAns, row.McSetupAns, row.McDeleteAns, row.McClassCSessionAns
    ),
    (PackagePort.MULTICAST, 2): _table(
        row.PackageVersionAns, row.McStatusAns, row.McSetupAns, row.McDeleteAns, row.McClassCSessionAns
    ),
    (PackagePort.FIRMWARE, 1): _FIRMWARE_UP,
    (PackagePort.FIRMWARE, 2): _FIRMWARE_UP,
}
"""What a device says."""


def encode(commands: Iterable[Command | Open]) -> bytes:
    """A message; BadArgumentError for octets that a command does not have, and for one after a command without an end."""
    out, ended = b"", False
    for each in commands:
        head, rest = (each.head, each.rest) if isinstance(each, Open) else (each, b"")
        if ended or head.tail not in (None, len(rest)):
            raise BadArgumentError(f"{type(head).__name__} with {len(rest)} octets cannot stand there")
        out += bytes([head.CID]) + head.to_bytes() + rest
        ended = head.tail is None
    return out


def decode(message: bytes, table: Table) -> list[Command | Open]:
    """The commands of a message; FrameError for an unknown or shortened one: their lengths are not known."""
    commands: list[Command | Open] = []
    at = 0
    while at < len(message):
        cls = table.get(message[at])
        if cls is None:
            raise FrameError(f"package command {message[at]:02x} is unknown")
        body = at + 1 + cls.size()
        if len(message) < body:
            raise FrameError(f"{cls.__name__} is cut short: {len(message) - at - 1} of {cls.size()} bytes")
        head = cls.from_bytes(message[at + 1 : body])
        at = len(message) if head.tail is None else body + head.tail
        if len(message) < at:
            raise FrameError(f"{cls.__name__} is cut short: {len(message) - body} of {head.tail} bytes behind it")
        commands.append(head if head.tail == 0 else Open(head, message[body:at]))
    return commands
