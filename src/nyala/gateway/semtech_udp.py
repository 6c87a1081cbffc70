"""Semtech UDP packet forwarder protocol, version 2: datagrams <-> values, both sides.  No socket.

    octets  0 version 02 | 1-2 token | 3 kind | 4-11 gateway EUI (from the gateway) | JSON

    PUSH_DATA 00 gw->srv {rxpk, stat}   PUSH_ACK 01 srv->gw     PULL_DATA 02 gw->srv   PULL_ACK 04 srv->gw
    PULL_RESP 03 srv->gw {txpk}         TX_ACK   05 gw->srv [{txpk_ack}]

A TX_ACK without JSON is success (forwarder 4.0.1).  TX_POWER is an error before protocol 1.5, the frame was dropped; from
1.5 it is a warning with the power that was used instead.
Source: Semtech packet_forwarder PROTOCOL.TXT 1.5; reference lorawan.md 9.1.  Version 1 datagrams are taken as well.
"""

import base64
import binascii
import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final

import msgspec

from nyala.gateway.known import Position, Status
from nyala.lorawan.network.port import Reception, Transmission, TxResult
from nyala.lorawan.region import Region
from nyala.vocab.errors import GatewayError

VERSION: Final = 2
HEADER_BYTES: Final = 4
EUI_END: Final = 12
DATAGRAM_MAX: Final = 65_507
RXPK_MAX: Final = 128
"""Frames in one datagram that are looked at: a concentrator hands over at most 16 at a time."""
CRC_OK: Final = 1
LORA: Final = "LORA"
NOT_RECEIVED: Final[Mapping[int, str]] = {-1: "bad_crc", 0: "no_crc"}
"""What `stat` of a frame counts as, where it is not CRC_OK."""
NO_ERROR: Final = "NONE"
TX_RESULTS: Final[Mapping[str, TxResult]] = {
    result.value: result for result in TxResult if result not in (TxResult.NO_PATH, TxResult.NO_ANSWER)
}
"""By the text of `error`."""
TX_OTHER: Final = TxResult.COLLISION_PACKET
"""A reason of a forwarder's own, as a full queue: it did not send, and another instant or gateway may do."""
TMST_MASK: Final = 0xFFFFFFFF
US_PER_MS: Final = 1_000


class Kind(IntEnum):
    """Octet 3."""

    PUSH_DATA = 0
    PUSH_ACK = 1
    PULL_DATA = 2
    PULL_RESP = 3
    PULL_ACK = 4
    TX_ACK = 5


def _written(default: Any) -> Any:
    """A default that is written nevertheless: others demand the field (`omit_defaults` looks at plain defaults only)."""
    return msgspec.field(default_factory=lambda: default)


class RxPk(msgspec.Struct, omit_defaults=True):
    """A received frame as the gateway tells it: frequency in MHz, `tmst` microseconds, `data` base64.

    `tmms` is GPS time in milliseconds, there only with a fix.  What nothing here goes by (rssis, ftime, foff, mid) is left.
    """

    tmst: int
    freq: float
    datr: str | int
    data: str
    rssi: float = _written(0.0)
    lsnr: float = _written(0.0)
    stat: int = _written(CRC_OK)
    modu: str = _written(LORA)
    codr: str = _written("4/5")
    tmms: int | None = None
    chan: int = _written(0)
    rfch: int = _written(0)
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
    lati: float | None = None
    long: float | None = None
    alti: float = 0.0
    temp: float | None = None


class _Push(msgspec.Struct, omit_defaults=True):
    rxpk: list[RxPk] = []
    stat: Stat | None = None


class TxPk(msgspec.Struct, omit_defaults=True):
    """A frame to send: at once (`imme`), at `tmst`, or at the GPS time `tmms` in milliseconds."""

    freq: float
    datr: str
    data: str
    size: int
    powe: int
    imme: bool = False
    tmst: int | None = None
    tmms: int | None = None
    modu: str = _written(LORA)
    codr: str = _written("4/5")
    ipol: bool = _written(True)
    ncrc: bool = _written(True)
    rfch: int = _written(0)


class _Pull(msgspec.Struct):
    txpk: TxPk


class _TxAckBody(msgspec.Struct, omit_defaults=True):
    error: str = ""
    warn: str = ""
    value: float | None = None


class _TxAck(msgspec.Struct):
    txpk_ack: _TxAckBody = msgspec.field(default_factory=_TxAckBody)


class PushData(msgspec.Struct, frozen=True):
    """Frames and counters of a gateway."""

    token: int
    gateway: int
    rxpk: tuple[RxPk, ...]
    stat: Stat | None


class PullData(msgspec.Struct, frozen=True):
    """A gateway keeps its downlink path open."""

    token: int
    gateway: int


class TxAck(msgspec.Struct, frozen=True):
    """What became of the PULL_RESP of this token; `error` is `NONE` where it was taken, then perhaps with a warning."""

    token: int
    gateway: int
    error: str
    warn: str = ""
    value: float | None = None
    """With the warning TX_POWER: the power in dBm that is sent with."""

    @property
    def result(self) -> TxResult:
        """The error as the network knows it."""
        return TX_RESULTS.get(self.error, TX_OTHER)


class PullResp(msgspec.Struct, frozen=True):
    """A frame for a gateway to send."""

    token: int
    txpk: TxPk


class Ack(msgspec.Struct, frozen=True):
    """PUSH_ACK or PULL_ACK."""

    kind: Kind
    token: int


_PUSH: Final = msgspec.json.Decoder(_Push)
_PULL: Final = msgspec.json.Decoder(_Pull)
_TX_ACK: Final = msgspec.json.Decoder(_TxAck)
_encode: Final = msgspec.json.Encoder().encode
_KINDS: Final = tuple(Kind)
_HEAD: Final = struct.Struct(">BHB")
_PLAIN_ALPHABET: Final = str.maketrans("-_", "+/")


def _head(datagram: bytes) -> tuple[Kind, int]:
    if len(datagram) < HEADER_BYTES:
        raise GatewayError(f"datagram of {len(datagram)} bytes; the shortest has {HEADER_BYTES}")
    if datagram[0] not in (1, VERSION):
        raise GatewayError(f"protocol version {datagram[0]}")
    if datagram[3] > Kind.TX_ACK:
        raise GatewayError(f"datagram of unknown kind {datagram[3]}")
    return _KINDS[datagram[3]], int.from_bytes(datagram[1:3], "big")


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
            return TxAck(token, gateway, ack.error or NO_ERROR, ack.warn, ack.value)
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
    return _HEAD.pack(VERSION, token, kind) + rest


def encode_push_data(token: int, gateway: int, rxpk: list[RxPk], stat: Stat | None = None) -> bytes:
    """PUSH_DATA."""
    return _frame(Kind.PUSH_DATA, token, gateway.to_bytes(8, "big") + _encode(_Push(rxpk, stat)))


def encode_pull_data(token: int, gateway: int) -> bytes:
    """PULL_DATA."""
    return _frame(Kind.PULL_DATA, token, gateway.to_bytes(8, "big"))


def encode_tx_ack(token: int, gateway: int, error: str = NO_ERROR, warn: str = "", value: float | None = None) -> bytes:
    """TX_ACK; plain success has an empty body, as forwarder 4.0.1 sends it."""
    body = b"" if error == NO_ERROR and not warn else _encode(_TxAck(_TxAckBody(error, warn, value)))
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
        return binascii.a2b_base64(data, strict_mode=True)
    except ValueError:
        pass
    plain = data.strip().rstrip("=").translate(_PLAIN_ALPHABET)
    try:
        return binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
    except ValueError:
        raise GatewayError(f"data is not base64: {data[:40]!r}") from None


def not_received(rxpk: RxPk) -> str:
    """What a frame that is no reception is counted as: `bad_crc`, `no_crc` or `other_modulation` (FSK, LR-FHSS)."""
    return "other_modulation" if rxpk.stat == CRC_OK else NOT_RECEIVED.get(rxpk.stat, "bad_crc")


def to_reception(rxpk: RxPk, gateway: int, region: Region, received_us: int) -> Reception | None:
    """A reception; None for a frame that `not_received` names.

    GatewayError for data that is no base64; UnknownError for a data rate that the region does not have.
    """
    if rxpk.stat != CRC_OK or rxpk.modu != LORA:
        return None
    return Reception(
        gateway,
        payload_bytes(rxpk.data),
        received_us,
        round(rxpk.freq * 1e6),
        region.data_rate_of(rxpk.datr if isinstance(rxpk.datr, str) else str(rxpk.datr)).index,
        rxpk.rssi,
        rxpk.lsnr,
        rxpk.tmst & TMST_MASK,
        gps_us=None if rxpk.tmms is None else rxpk.tmms * US_PER_MS,
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
        tmms=None if reception.gps_us is None else reception.gps_us // US_PER_MS,
        size=len(reception.phy),
    )


def to_txpk(transmission: Transmission, region: Region, power_down_db: int = 0) -> TxPk:
    """The order to send a transmission: at its instant of the gateway's counter, at its GPS time, or at once."""
    tmst_us, gps_us = transmission.tmst_us, transmission.gps_us
    return TxPk(
        freq=transmission.frequency_hz / 1e6,
        datr=region.data_rate(transmission.data_rate).text,
        data=base64.b64encode(transmission.phy).decode(),
        size=len(transmission.phy),
        powe=transmission.eirp_dbm - power_down_db,
        imme=tmst_us is None and gps_us is None,
        tmst=None if tmst_us is None else tmst_us & TMST_MASK,
        tmms=None if tmst_us is not None or gps_us is None else gps_us // US_PER_MS,
    )


def to_status(stat: Stat, received_us: int) -> Status:
    """A gateway's own counters."""
    return Status(
        received_us=received_us,
        rx=stat.rxnb,
        rx_ok=stat.rxok,
        rx_forwarded=stat.rxfw,
        acknowledged_percent=stat.ackr,
        downlinks=stat.dwnb,
        transmitted=stat.txnb,
        temperature_c=stat.temp,
    )


def to_position(stat: Stat) -> Position | None:
    """Where a gateway says it is; None where it does not know: without a fix some forwarders say 0, 0."""
    if stat.lati is None or stat.long is None or (stat.lati, stat.long) == (0.0, 0.0):
        return None
    return Position(stat.lati, stat.long, stat.alti)
