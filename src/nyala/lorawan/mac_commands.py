"""MAC commands: one class per row of TS001-1.0.4 section 5, codec derived from the class body.  Bytes <-> values only.

`UPLINK` and `DOWNLINK` map a command identifier (CID) to its class; a request and its answer share the CID.  What a
command does stands where it is done: `device_commands` (device), `network.commands` (network server).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from nyala.lorawan.bits import S6, U1, U2, U3, U4, U8, U16, U24, U32, Packed
from nyala.lorawan.frame import DlSettings
from nyala.vocab.errors import FrameError

KEEP: Final = 15
"""In LinkADRReq: leave the data rate or the power as it is."""
MAX_EIRP_DBM: Final = (8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36)
"""MaxEIRP codes of TxParamSetupReq, TS001-1.0.4 table 33."""


@dataclass(frozen=True, slots=True)
class Command(Packed):
    """A MAC command without its CID octet."""

    CID: ClassVar[int]


@dataclass(frozen=True, slots=True)
class LinkCheckReq(Command):
    """Device asks how well it is heard."""

    CID = 0x02


@dataclass(frozen=True, slots=True)
class LinkCheckAns(Command):
    """Margin in dB above the demodulation floor at the best gateway, and how many gateways heard the request."""

    CID = 0x02
    margin: U8
    gateway_count: U8


@dataclass(frozen=True, slots=True)
class LinkAdrReq(Command):
    """Network sets data rate, power, channel mask and repetitions; contiguous ones are one atomic block."""

    CID = 0x03
    tx_power: U4
    data_rate: U4
    ch_mask: U16
    nb_trans: U4
    ch_mask_cntl: U3
    rfu: U1 = 0


@dataclass(frozen=True, slots=True)
class LinkAdrAns(Command):
    """All three bits set: the block was taken; any clear: nothing of it was."""

    CID = 0x03
    ch_mask_ack: U1
    data_rate_ack: U1
    power_ack: U1
    rfu: U1 = 0
    rfu_high: U4 = 0

    @property
    def accepted(self) -> bool:
        """The whole block was taken."""
        return bool(self.ch_mask_ack and self.data_rate_ack and self.power_ack)


@dataclass(frozen=True, slots=True)
class DutyCycleReq(Command):
    """Network limits the aggregated duty cycle to 1 / 2**max_duty_cycle."""

    CID = 0x04
    max_duty_cycle: U4
    rfu: U4 = 0


@dataclass(frozen=True, slots=True)
class DutyCycleAns(Command):
    """Taken."""

    CID = 0x04


@dataclass(frozen=True, slots=True)
class RxParamSetupReq(Command):
    """Network sets RX2 (and so RXC) frequency and data rate and the RX1 offset."""

    CID = 0x05
    rx2_data_rate: U4
    rx1_dr_offset: U3
    rfu: U1
    frequency_100hz: U24

    @property
    def dl_settings(self) -> DlSettings:
        """The two data-rate fields as a join accept has them."""
        return DlSettings(self.rx2_data_rate, self.rx1_dr_offset)


@dataclass(frozen=True, slots=True)
class RxParamSetupAns(Command):
    """All three bits set: taken; any clear: nothing was.  Sticky."""

    CID = 0x05
    channel_ack: U1
    rx2_data_rate_ack: U1
    rx1_dr_offset_ack: U1
    rfu: U1 = 0
    rfu_high: U4 = 0


@dataclass(frozen=True, slots=True)
class DevStatusReq(Command):
    """Network asks for battery and margin."""

    CID = 0x06


@dataclass(frozen=True, slots=True)
class DevStatusAns(Command):
    """Battery 0 external, 1..254 of full, 255 unknown; SNR of the request in dB."""

    CID = 0x06
    battery: U8
    margin: S6
    rfu: U2 = 0


@dataclass(frozen=True, slots=True)
class NewChannelReq(Command):
    """Network makes or (frequency 0) deletes a channel; default channels are read-only."""

    CID = 0x07
    index: U8
    frequency_100hz: U24
    min_data_rate: U4
    max_data_rate: U4


@dataclass(frozen=True, slots=True)
class NewChannelAns(Command):
    """Both bits set: taken; any clear: nothing was."""

    CID = 0x07
    frequency_ack: U1
    data_rate_range_ack: U1
    rfu: U2 = 0
    rfu_high: U4 = 0


@dataclass(frozen=True, slots=True)
class RxTimingSetupReq(Command):
    """Network sets RECEIVE_DELAY1 in seconds; 0 means 1."""

    CID = 0x08
    delay_s: U4
    rfu: U4 = 0


@dataclass(frozen=True, slots=True)
class RxTimingSetupAns(Command):
    """Taken.  Sticky."""

    CID = 0x08


@dataclass(frozen=True, slots=True)
class TxParamSetupReq(Command):
    """Network sets the dwell-time limits and the maximum EIRP (index of `MAX_EIRP_DBM`)."""

    CID = 0x09
    max_eirp: U4
    uplink_dwell_time: U1
    downlink_dwell_time: U1
    rfu: U2 = 0


@dataclass(frozen=True, slots=True)
class TxParamSetupAns(Command):
    """Taken.  Sticky in 1.0.4."""

    CID = 0x09


@dataclass(frozen=True, slots=True)
class DlChannelReq(Command):
    """Network gives an uplink channel another RX1 frequency."""

    CID = 0x0A
    index: U8
    frequency_100hz: U24


@dataclass(frozen=True, slots=True)
class DlChannelAns(Command):
    """Both bits set: taken; any clear: nothing was.  Sticky."""

    CID = 0x0A
    frequency_ack: U1
    uplink_frequency_exists: U1
    rfu: U2 = 0
    rfu_high: U4 = 0


@dataclass(frozen=True, slots=True)
class DeviceTimeReq(Command):
    """Device asks for the time."""

    CID = 0x0D


@dataclass(frozen=True, slots=True)
class DeviceTimeAns(Command):
    """GPS time at the end of the uplink that asked."""

    CID = 0x0D
    gps_s: U32
    fraction_256: U8


UPLINK: Final[Mapping[int, type[Command]]] = {
    cls.CID: cls
    for cls in (
        LinkCheckReq,
        LinkAdrAns,
        DutyCycleAns,
        RxParamSetupAns,
        DevStatusAns,
        NewChannelAns,
        RxTimingSetupAns,
        TxParamSetupAns,
        DlChannelAns,
        DeviceTimeReq,
    )
}
DOWNLINK: Final[Mapping[int, type[Command]]] = {
    cls.CID: cls
    for cls in (
        LinkCheckAns,
        LinkAdrReq,
        DutyCycleReq,
        RxParamSetupReq,
        DevStatusReq,
        NewChannelReq,
        RxTimingSetupReq,
        TxParamSetupReq,
        DlChannelReq,
        DeviceTimeAns,
    )
}
STICKY: Final = (RxParamSetupAns, RxTimingSetupAns, TxParamSetupAns, DlChannelAns)
"""Answers that every uplink repeats until a class A downlink comes."""


def encode(commands: Iterable[Command]) -> bytes:
    """The wire form of a list of commands, for FOpts or for the payload of port 0."""
    return b"".join(bytes([command.CID]) + command.to_bytes() for command in commands)


def decode(data: bytes, table: Mapping[int, type[Command]]) -> list[Command]:
    """The commands of FOpts or of port 0; `table` is `UPLINK` or `DOWNLINK` by who sent them.

    An unknown CID ends the list, as the standard says (its length is not known, TS001-1.0.4 5); a command that is cut
    short is a FrameError.
    """
    commands: list[Command] = []
    at = 0
    while at < len(data):
        cls = table.get(data[at])
        if cls is None:
            break
        body = data[at + 1 : at + 1 + cls.size()]
        if len(body) < cls.size():
            raise FrameError(f"{cls.__name__} is cut short: {len(body)} of {cls.size()} bytes")
        commands.append(cls.from_bytes(body))
        at += 1 + cls.size()
    return commands
