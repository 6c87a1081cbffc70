"""Semtech UDP packet forwarder protocol, version 2: datagrams <-> values, both sides.  No socket.

    octets  0 version 02 | 1-2 token | 3 kind | 4-11 gateway EUI (from the gateway) | JSON

    PUSH_DATA 00 gw->srv {rxpk, stat}   PUSH_ACK 01 srv->gw     PULL_DATA 02 gw->srv   PULL_ACK 04 srv->gw
    PULL_RESP 03 srv->gw {txpk}         TX_ACK   05 gw->srv [{txpk_ack}]

Source: Semtech packet_forwarder PROTOCOL.TXT 1.5; reference lorawan.md 9.1.  Version 1 datagrams are taken as well.
"""

import base64
import binascii
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import msgspec

from nyala.lorawan.network.port import Reception, Transmission
from nyala.lorawan.region import Region
from nyala.vocab.errors import GatewayError

VERSION: Final = 2
HEADER_BYTES: Final = 4
EUI_END: Final = 12
DATAGRAM_MAX: Final = 65_507
RXPK_MAX: Final = 128
"""Frames in one datagram that are looked at: a concentrator hands over at most 16 at a time."""
CRC_OK: Final = 1


class Kind(IntEnum):
    """Octet 3."""

    PUSH_DATA = 0
    PUSH_ACK = 1
    PULL_DATA = 2
    PULL_RESP = 3
    PULL_ACK = 4
    TX_ACK = 5


class RxPk(msgspec.Struct, omit_defaults=True):
    """A received frame as the gateway tells it: frequency in MHz, `tmst` microseconds, `data` base64."""

    tmst: int
    freq: float
    datr: str | int
    data: str
    rssi: float = 0.0
    lsnr: float = 0.0
    stat: int = CRC_OK
    modu: str = "LORA"
    codr: str = "4/5"
    chan: int = 0
    rfch: int = 0
    size: int = 0
    time: str = ""


class Stat(msgspec.Struct, omit_defaults=True):
    """A gateway's own counters."""

    time: str = ""
    rxnb: int = 0
    rxok: int = 0
    rxfw: int = 0
    ackr: float = 0.0
    dwnb: int = 0
    txnb: int = 0


class _Push(msgspec.Struct, omit_defaults=True):
    rxpk: list[RxPk] = []
    stat: Stat | None = None


class TxPk(msgspec.Struct, omit_defaults=True):
    """A frame to send: at once (`imme`) or at `tmst`."""

    freq: float
    datr: str
    data: str
    size: int
    powe: int
    imme: bool = False
    tmst: int | None = None
    modu: str = "LORA"
    codr: str = "4/5"
    ipol: bool = True
    ncrc: bool = True
    rfch: int = 0


class _Pull(msgspec.Struct):
    txpk: TxPk


class _TxAckBody(msgspec.Struct):
    error: str = "NONE"
    warn: str = ""


class _TxAck(msgspec.Struct):
    txpk_ack: _TxAckBody = msgspec.field(default_factory=_TxAckBody)


@dataclass(frozen=True, slots=True)
class PushData:
    """Frames and counters of a gateway."""

    token: int
    gateway: int
    rxpk: tuple[RxPk, ...]
    stat: Stat | None


@dataclass(frozen=True, slots=True)
class PullData:
    """A gateway keeps its downlink path open."""

    token: int
    gateway: int


@dataclass(frozen=True, slots=True)
class TxAck:
    """What became of the PULL_RESP of this token; `error` is `NONE` where it was taken."""

    token: int
    gateway: int
    error: str


@dataclass(frozen=True, slots=True)
class PullResp:
    """A frame for a gateway to send."""

    token: int
    txpk: TxPk


@dataclass(frozen=True, slots=True)
class Ack:
    """PUSH_ACK or PULL_ACK."""

    kind: Kind
    token: int


_PUSH: Final = msgspec.json.Decoder(_Push)
_PULL: Final = msgspec.json.Decoder(_Pull)
_TX_ACK: Final = msgspec.json.Decoder(_TxAck)
_encode: Final = msgspec.json.Encoder().encode


def _head(datagram: bytes) -> tuple[Kind, int]:
    if len(datagram) < HEADER_BYTES:
        raise GatewayError(f"datagram of {len(datagram)} bytes; the shortest has {HEADER_BYTES}")
    if datagram[0] not in (1, VERSION):
        raise GatewayError(f"protocol version {datagram[0]}")
    if datagram[3] > Kind.TX_ACK:
        raise GatewayError(f"datagram of unknown kind {datagram[3]}")
    return Kind(datagram[3]), int.from_bytes(datagram[1:3], "big")


def decode_from_gateway(datagram: bytes) -> PushData | PullData | TxAck:
    """A datagram of a gateway; GatewayError for any other bytes."""
    kind, token = _head(datagram)
    if len(datagram) < EUI_END:
        raise GatewayError(f"{kind.name} of {len(datagram)} bytes has no gateway EUI")
    gateway, body = int.from_bytes(datagram[4:EUI_END], "big"), datagram[EUI_END:]
    try:
        if kind is Kind.PUSH_DATA:
            push = _PUSH.decode(body)
            if len(push.rxpk) > RXPK_MAX:
                raise GatewayError(f"gateway {gateway:016x}: {len(push.rxpk)} frames in one datagram")
            return PushData(token, gateway, tuple(push.rxpk), push.stat)
        if kind is Kind.PULL_DATA:
            return PullData(token, gateway)
        if kind is Kind.TX_ACK:
            ack = _TX_ACK.decode(body).txpk_ack if body.strip(b"\0 ") else _TxAckBody()
            return TxAck(token, gateway, ack.error or "NONE")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise GatewayError(f"gateway {gateway:016x}: {kind.name}: {error}") from None
    raise GatewayError(f"gateway {gateway:016x} sent a {kind.name}, which only a server sends")


def decode_from_server(datagram: bytes) -> PullResp | Ack:
    """A datagram of a server; GatewayError for any other bytes."""
    kind, token = _head(datagram)
    if kind in (Kind.PUSH_ACK, Kind.PULL_ACK):
        return Ack(kind, token)
    if kind is not Kind.PULL_RESP:
        raise GatewayError(f"server sent a {kind.name}, which only a gateway sends")
    try:
        return PullResp(token, _PULL.decode(datagram[HEADER_BYTES:]).txpk)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise GatewayError(f"PULL_RESP: {error}") from None


def _frame(kind: Kind, token: int, rest: bytes = b"") -> bytes:
    return bytes([VERSION]) + token.to_bytes(2, "big") + bytes([kind]) + rest


def encode_push_data(token: int, gateway: int, rxpk: list[RxPk], stat: Stat | None = None) -> bytes:
    """PUSH_DATA."""
    return _frame(Kind.PUSH_DATA, token, gateway.to_bytes(8, "big") + _encode(_Push(rxpk, stat)))


def encode_pull_data(token: int, gateway: int) -> bytes:
    """PULL_DATA."""
    return _frame(Kind.PULL_DATA, token, gateway.to_bytes(8, "big"))


def encode_tx_ack(token: int, gateway: int, error: str = "NONE") -> bytes:
    """TX_ACK; success has an empty body, as forwarder 4.0.1 sends it."""
    body = b"" if error == "NONE" else _encode(_TxAck(_TxAckBody(error)))
    return _frame(Kind.TX_ACK, token, gateway.to_bytes(8, "big") + body)


def encode_ack(kind: Kind, token: int) -> bytes:
    """PUSH_ACK or PULL_ACK."""
    return _frame(kind, token)


def encode_pull_resp(token: int, txpk: TxPk) -> bytes:
    """PULL_RESP."""
    return _frame(Kind.PULL_RESP, token, _encode(_Pull(txpk)))


def payload_bytes(data: str) -> bytes:
    """The frame of a `data` field: base64, also URL-safe and unpadded; GatewayError otherwise."""
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        pass
    plain = data.strip().rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise GatewayError(f"data is not base64: {data[:40]!r}") from None


def to_reception(rxpk: RxPk, gateway: int, region: Region, received_us: int) -> Reception | None:
    """A reception; None for a frame without a good CRC or of another modulation.

    GatewayError for data that is no base64; UnknownError for a data rate that the region does not have.
    """
    if rxpk.stat != CRC_OK or rxpk.modu != "LORA":
        return None
    return Reception(
        gateway=gateway,
        phy=payload_bytes(rxpk.data),
        received_us=received_us,
        frequency_hz=round(rxpk.freq * 1e6),
        data_rate=region.data_rate_of(str(rxpk.datr)).index,
        rssi_dbm=rxpk.rssi,
        snr_db=rxpk.lsnr,
        tmst_us=rxpk.tmst & 0xFFFFFFFF,
    )


def to_rxpk(reception: Reception, region: Region) -> RxPk:
    """What a gateway would have said of a reception."""
    return RxPk(
        tmst=reception.tmst_us,
        freq=reception.frequency_hz / 1e6,
        datr=region.data_rate(reception.data_rate).text,
        data=base64.b64encode(reception.phy).decode(),
        rssi=reception.rssi_dbm,
        lsnr=reception.snr_db,
        size=len(reception.phy),
    )


def to_txpk(transmission: Transmission, region: Region) -> TxPk:
    """The order to send a transmission."""
    return TxPk(
        freq=transmission.frequency_hz / 1e6,
        datr=region.data_rate(transmission.data_rate).text,
        data=base64.b64encode(transmission.phy).decode(),
        size=len(transmission.phy),
        powe=transmission.eirp_dbm,
        imme=transmission.tmst_us is None,
        tmst=transmission.tmst_us,
    )
