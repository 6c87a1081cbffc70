"""LoRaWAN frames: bytes <-> values.  No keys are kept, no clock, no I/O.  TS001-1.0.4 sections 4 and 6.2.

    PHYPayload = MHDR 1 | MACPayload | MIC 4
    data       = MHDR | DevAddr 4 | FCtrl 1 | FCnt 2 | FOpts 0..15 | [FPort 1 | FRMPayload] | MIC
    request    = MHDR | JoinEUI 8 | DevEUI 8 | DevNonce 2 | MIC
    accept     = MHDR | {JoinNonce 3 | NetID 3 | DevAddr 4 | DLSettings 1 | RxDelay 1 | [CFList 16] | MIC} encrypted

Multi-octet fields are little-endian on the air.  Version 1.0.x: MAC commands in FOpts are in clear.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple, Self

from nyala.lorawan.bits import U1, U3, U4, Packed
from nyala.lorawan.crypto import MIC_BYTES, AesKey, crypt_payload, data_mic
from nyala.vocab.errors import BadArgumentError, FrameError

FOPTS_MAX: Final = 15
PHY_MAX: Final = 255
COUNTER_LIMIT: Final = 1 << 32
DATA_OVERHEAD: Final = 13
"""Bytes of a data frame around its FRMPayload with a port and without FOpts."""
JOIN_REQUEST_BYTES: Final = 23
JOIN_ACCEPT_BYTES: Final = (17, 33)
CFLIST_BYTES: Final = 16

_HEADER: Final = Struct("<BIBH")  # MHDR, DevAddr, FCtrl, FCnt
_REQUEST: Final = Struct("<BQQH")
_DATA_MIN: Final = _HEADER.size + MIC_BYTES


class FType(IntEnum):
    """Frame type, bits 7..5 of MHDR."""

    JOIN_REQUEST = 0
    JOIN_ACCEPT = 1
    UNCONFIRMED_UP = 2
    UNCONFIRMED_DOWN = 3
    CONFIRMED_UP = 4
    CONFIRMED_DOWN = 5
    RFU = 6
    PROPRIETARY = 7

    @property
    def uplink(self) -> bool:
        """Sent by a device."""
        return self in (FType.JOIN_REQUEST, FType.UNCONFIRMED_UP, FType.CONFIRMED_UP)

    @property
    def confirmed(self) -> bool:
        """Asks for an acknowledgement."""
        return self in (FType.CONFIRMED_UP, FType.CONFIRMED_DOWN)


_DATA_TYPES: Final = (FType.UNCONFIRMED_UP, FType.UNCONFIRMED_DOWN, FType.CONFIRMED_UP, FType.CONFIRMED_DOWN)


def frame_type(phy: bytes) -> FType:
    """The type of a frame; FrameError where it is empty or of another major version than R1."""
    if not phy:
        raise FrameError("empty frame")
    if phy[0] & 0x03:
        raise FrameError(f"major version {phy[0] & 3} is not LoRaWAN R1")
    return FType(phy[0] >> 5)


class DataFrame(NamedTuple):
    """A data frame of either direction.  What the wire derives (FOptsLen) has no field of its own."""

    f_type: FType
    dev_addr: int
    f_cnt: int
    """16 bits on the air; the session extends it to 32."""
    f_opts: bytes = b""
    f_port: int | None = None
    """None: no port and no payload, which differs from port 0."""
    payload: bytes = b""
    """FRMPayload as it is on the air: encrypted."""
    adr: bool = False
    adr_ack_req: bool = False
    ack: bool = False
    pending: bool = False
    """FPending in a downlink, ClassB in an uplink: bit 4 of FCtrl."""
    mic: bytes = bytes(MIC_BYTES)

    @classmethod
    def decode(cls, phy: bytes) -> Self:
        """The values of a data frame of any type; FrameError for anything else."""
        size = len(phy)
        if size < _DATA_MIN:
            raise FrameError(f"data frame of {size} bytes; the shortest has {_DATA_MIN}")
        if size > PHY_MAX:
            raise FrameError(f"frame of {size} bytes; LoRa carries at most {PHY_MAX}")
        mhdr, dev_addr, f_ctrl, f_cnt = _HEADER.unpack_from(phy)
        if mhdr & 0x1F or not 0x40 <= mhdr < 0xC0:
            raise FrameError(f"MHDR {mhdr:02x} is not a data frame of LoRaWAN R1")
        body = 8 + (f_ctrl & 0x0F)
        end = size - MIC_BYTES
        if body > end:
            raise FrameError(f"FOptsLen is {f_ctrl & 0x0F}, only {end - 8} bytes follow the header")
        port = phy[body] if body < end else None
        if port == 0 and body > 8:
            raise FrameError("MAC commands both in FOpts and on port 0")
        return cls(
            _F_TYPES[mhdr >> 5],
            dev_addr,
            f_cnt,
            phy[8:body],
            port,
            phy[body + 1 : end],
            f_ctrl & 0x80 != 0,
            f_ctrl & 0x40 != 0,
            f_ctrl & 0x20 != 0,
            f_ctrl & 0x10 != 0,
            phy[end:],
        )

    def encode(self) -> bytes:
        """The wire form with the MIC it carries; BadArgumentError for a frame that cannot be sent."""
        if self.f_type not in _DATA_TYPES:
            raise BadArgumentError(f"{self.f_type.name} is not a data frame")
        if len(self.f_opts) > FOPTS_MAX:
            raise BadArgumentError(f"FOpts of {len(self.f_opts)} bytes; at most {FOPTS_MAX}")
        if self.f_port is None and self.payload:
            raise BadArgumentError("a payload without a port")
        if self.f_port == 0 and self.f_opts:
            raise BadArgumentError("MAC commands both in FOpts and on port 0")
        if self.f_type.uplink is False and self.adr_ack_req:
            raise BadArgumentError("ADRACKReq is RFU in a downlink")
        if not 0 <= self.dev_addr < 1 << 32 or not 0 <= (self.f_port or 0) <= 0xFF or len(self.mic) != MIC_BYTES:
            raise BadArgumentError(f"DevAddr {self.dev_addr}, FPort {self.f_port} or MIC {self.mic!r} does not fit its field")
        control = self.adr << 7 | self.adr_ack_req << 6 | self.ack << 5 | self.pending << 4 | len(self.f_opts)
        header = _HEADER.pack(self.f_type << 5, self.dev_addr, control, self.f_cnt & 0xFFFF)
        port = b"" if self.f_port is None else bytes([self.f_port])
        phy = header + self.f_opts + port + self.payload + self.mic
        if len(phy) > PHY_MAX:
            raise BadArgumentError(f"frame of {len(phy)} bytes; LoRa carries at most {PHY_MAX}")
        return phy


_F_TYPES: Final = tuple(FType)


def seal(frame: DataFrame, nwk_s_key: AesKey, app_s_key: AesKey) -> bytes:
    """The wire form of a frame given with clear payload and the full 32-bit counter: encrypts, then signs."""
    direction = 0 if frame.f_type.uplink else 1
    key = nwk_s_key if frame.f_port == 0 else app_s_key
    payload = crypt_payload(key, direction, frame.dev_addr, frame.f_cnt, frame.payload)
    message = frame._replace(payload=payload).encode()[:-MIC_BYTES]
    return message + data_mic(nwk_s_key, direction, frame.dev_addr, frame.f_cnt, message)


def mic_holds(phy: bytes, frame: DataFrame, f_cnt: int, nwk_s_key: AesKey) -> bool:
    """Whether a received frame was signed with this key at this counter; never beyond 32 bits."""
    if f_cnt >= COUNTER_LIMIT:
        return False
    direction = 0 if frame.f_type.uplink else 1
    return data_mic(nwk_s_key, direction, frame.dev_addr, f_cnt, phy[:-MIC_BYTES]) == frame.mic


def open_payload(frame: DataFrame, f_cnt: int, nwk_s_key: AesKey, app_s_key: AesKey) -> bytes:
    """The clear FRMPayload of a received frame."""
    direction = 0 if frame.f_type.uplink else 1
    key = nwk_s_key if frame.f_port == 0 else app_s_key
    return crypt_payload(key, direction, frame.dev_addr, f_cnt, frame.payload)


def full_counter(received: int, following: int) -> int:
    """The 32-bit counter of a 16-bit one: the first at or after `following` (the next one expected).

    TS001-1.0.4 4.3.1.5; a received value of `following - 1` is a retransmission and must be told apart by the caller.
    """
    return following + (received - following & 0xFFFF)


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """What a device says to join.  EUIs are integers, most significant byte first when written."""

    join_eui: int
    dev_eui: int
    dev_nonce: int
    mic: bytes = bytes(MIC_BYTES)

    @classmethod
    def decode(cls, phy: bytes) -> Self:
        """The values of a join request; FrameError for anything else."""
        if len(phy) != JOIN_REQUEST_BYTES:
            raise FrameError(f"join request of {len(phy)} bytes; it has {JOIN_REQUEST_BYTES}")
        mhdr, join_eui, dev_eui, dev_nonce = _REQUEST.unpack_from(phy)
        if mhdr:
            raise FrameError(f"MHDR {mhdr:02x} is not a join request of LoRaWAN R1")
        return cls(join_eui, dev_eui, dev_nonce, phy[-MIC_BYTES:])

    def encode(self) -> bytes:
        """The wire form with the MIC it carries."""
        return _REQUEST.pack(0, self.join_eui, self.dev_eui, self.dev_nonce) + self.mic

    def signed(self, app_key: AesKey) -> bytes:
        """The wire form, signed."""
        return replace(self, mic=app_key.cmac(self.encode()[:-MIC_BYTES])[:MIC_BYTES]).encode()

    def mic_holds(self, app_key: AesKey) -> bool:
        """Whether this key signed it."""
        return app_key.cmac(self.encode()[:-MIC_BYTES])[:MIC_BYTES] == self.mic


@dataclass(frozen=True, slots=True)
class DlSettings(Packed):
    """DLSettings of a join accept and of RXParamSetupReq."""

    rx2_data_rate: U4
    rx1_dr_offset: U3
    rfu: U1 = 0


@dataclass(frozen=True, slots=True)
class JoinAccept:
    """What the network answers.  `rx_delay_s` 1..15; `cf_list` frequencies in Hz of channels 2..6 (type 0), or empty."""

    join_nonce: int
    net_id: int
    dev_addr: int
    dl_settings: DlSettings
    rx_delay_s: int = 1
    cf_list: tuple[int, ...] = ()

    def encode(self, app_key: AesKey) -> bytes:
        """The wire form: signed, then run through AES decryption, so that a device needs only encryption."""
        if max(self.join_nonce, self.net_id) >> 24 or self.dev_addr >> 32 or not 1 <= self.rx_delay_s <= 15:
            raise BadArgumentError(f"join accept with a value that does not fit its field: {self}")
        if any(hz % 100 or hz // 100 >> 24 for hz in self.cf_list):
            raise BadArgumentError(f"CFList {self.cf_list} is not in steps of 100 Hz of 24 bits")
        clear = bytes([FType.JOIN_ACCEPT << 5]) + self.join_nonce.to_bytes(3, "little") + self.net_id.to_bytes(3, "little")
        clear += self.dev_addr.to_bytes(4, "little") + self.dl_settings.to_bytes() + bytes([self.rx_delay_s])
        if self.cf_list:
            if len(self.cf_list) > 5:
                raise BadArgumentError(f"CFList of {len(self.cf_list)} frequencies; it holds 5")
            listed = (*self.cf_list, 0, 0, 0, 0, 0)[:5]
            clear += b"".join((hz // 100).to_bytes(3, "little") for hz in listed) + b"\x00"
        mic = app_key.cmac(clear)[:MIC_BYTES]
        return clear[:1] + app_key.decrypt(clear[1:] + mic)

    @classmethod
    def decode(cls, phy: bytes, app_key: AesKey) -> Self:
        """The values of an accept that this key can open; FrameError for a wrong length, MIC or CFList type."""
        if len(phy) not in JOIN_ACCEPT_BYTES or phy[0] != FType.JOIN_ACCEPT << 5:
            raise FrameError(f"not a join accept: {len(phy)} bytes")
        clear = phy[:1] + app_key.encrypt(phy[1:])
        message, mic = clear[:-MIC_BYTES], clear[-MIC_BYTES:]
        if app_key.cmac(message)[:MIC_BYTES] != mic:
            raise FrameError("join accept with a bad MIC")
        cf_list = message[13:]
        if cf_list and cf_list[15]:
            raise FrameError(f"CFList type {cf_list[15]} is not a list of frequencies")
        return cls(
            join_nonce=int.from_bytes(message[1:4], "little"),
            net_id=int.from_bytes(message[4:7], "little"),
            dev_addr=int.from_bytes(message[7:11], "little"),
            dl_settings=DlSettings.from_bytes(message[11:12]),
            rx_delay_s=message[12] & 0x0F or 1,
            cf_list=tuple(int.from_bytes(cf_list[i : i + 3], "little") * 100 for i in range(0, len(cf_list) - 1, 3)),
        )
