"""Frames of a Basics Station: the parts it takes a frame into <-> the frame, receptions, and orders to send.

A station takes uplinks apart and leaves the frame out; MIC and DevAddr are signed 32-bit numbers.  It gives `xtime` and
`rctx` with each, and wants both back in an answer in a window of that uplink: they are the `context` of a reception.
"""

import struct
from typing import Final

from nyala.gateway.station import (
    DataHeard,
    Downlink,
    Heard,
    JoinRequestHeard,
    ProprietaryHeard,
    RejoinHeard,
    Schedule,
    Slot,
    UpInfo,
)
from nyala.gateway.station_identity import dashed_eui, router_eui
from nyala.lorawan.frame import FType
from nyala.lorawan.network.port import Reception, Transmission
from nyala.lorawan.region import Region
from nyala.vocab.errors import GatewayError
from nyala.vocab.time import US_PER_S

CONTEXT: Final = struct.Struct(">qq")
"""xtime, rctx."""
XTIME_TMST: Final = 0xFFFFFFFF
"""The low bits of `xtime` are microseconds of the concentrator."""
RX_DELAY_MAX_S: Final = 15
CLASS_A: Final = 0
CLASS_C: Final = 2
F_OPTS_LENGTH: Final = 0x0F
F_TYPE_SHIFT: Final = 5
PHY_MAX: Final = 255
MIC_BYTES: Final = 4
JOIN_REQUEST_BYTES: Final = 23
DATA_BYTES_MIN: Final = 12
REJOIN_TYPE: Final = 6
PROPRIETARY_TYPE: Final = 7


def _octets(value: int, size: int, what: str, *, signed: bool = False) -> bytes:
    """Little-endian; `signed`: also taken as the negative number that stations make of a high bit."""
    low = -(1 << 8 * size - 1) if signed else 0
    if not low <= value < 1 << 8 * size:
        raise GatewayError(f"{what} {value} does not fit {size} bytes")
    return (value % (1 << 8 * size)).to_bytes(size, "little")


def _hex(text: str | None, what: str) -> bytes:
    try:
        return bytes.fromhex(text or "")
    except ValueError:
        raise GatewayError(f"{what} is not hexadecimal: {(text or '')[:40]!r}") from None


def phy_of(heard: Heard) -> bytes:
    """The frame that a station took apart; GatewayError where its parts make none."""
    if isinstance(heard, ProprietaryHeard):
        return _hex(heard.frm_payload, "FRMPayload")
    start, mic = _octets(heard.m_hdr, 1, "MHdr"), _octets(heard.mic, MIC_BYTES, "MIC", signed=True)
    if isinstance(heard, JoinRequestHeard):
        euis = b"".join(router_eui(said).to_bytes(8, "little") for said in (heard.join_eui, heard.dev_eui))
        return start + euis + _octets(heard.dev_nonce, 2, "DevNonce") + mic
    f_opts, payload = _hex(heard.f_opts, "FOpts"), _hex(heard.frm_payload, "FRMPayload")
    control = _octets(heard.f_ctrl, 1, "FCtrl")
    if len(f_opts) != control[0] & F_OPTS_LENGTH:
        raise GatewayError(f"FOpts of {len(f_opts)} bytes under FCtrl {heard.f_ctrl:#04x}")
    if heard.f_port == -1 and payload:
        raise GatewayError(f"FRMPayload of {len(payload)} bytes without FPort")
    port = b"" if heard.f_port == -1 else _octets(heard.f_port, 1, "FPort")
    address, counter = _octets(heard.dev_addr, 4, "DevAddr", signed=True), _octets(heard.f_cnt, 2, "FCnt")
    return b"".join((start, address, control, counter, f_opts, port, payload, mic))


def to_reception(heard: Heard, gateway: int, region: Region, received_us: int) -> Reception:
    """A reception; GatewayError for parts that make no frame, UnknownError for a data rate that the region lacks."""
    phy, info = phy_of(heard), heard.upinfo
    if len(phy) > PHY_MAX:
        raise GatewayError(f"frame of {len(phy)} bytes")
    try:
        context = CONTEXT.pack(info.xtime, info.rctx)
    except struct.error:
        raise GatewayError(f"xtime {info.xtime} or rctx {info.rctx} has more than 64 bits") from None
    return Reception(
        gateway,
        phy,
        received_us,
        heard.frequency_hz,
        region.data_rate(heard.data_rate).index,
        info.rssi_dbm,
        info.snr_db,
        info.xtime & XTIME_TMST,
        gps_us=info.gps_us or None,
        context=context,
    )


def to_heard(reception: Reception) -> Heard:
    """What a station would have said of a reception; GatewayError for a frame that stations drop."""
    phy = reception.phy
    xtime, rctx = CONTEXT.unpack(reception.context) if reception.context else (reception.tmst_us, 0)
    info = UpInfo(rctx, xtime, reception.gps_us or 0, reception.rssi_dbm, reception.snr_db)
    rate, frequency_hz = reception.data_rate, reception.frequency_hz
    kind = phy[0] >> F_TYPE_SHIFT if phy else -1
    if kind == PROPRIETARY_TYPE:
        return ProprietaryHeard(data_rate=rate, frequency_hz=frequency_hz, upinfo=info, frm_payload=phy.hex())
    mic = int.from_bytes(phy[-MIC_BYTES:], "little", signed=True)
    if kind in (FType.JOIN_REQUEST, REJOIN_TYPE) and len(phy) == JOIN_REQUEST_BYTES:
        return (JoinRequestHeard if kind == FType.JOIN_REQUEST else RejoinHeard)(
            data_rate=rate,
            frequency_hz=frequency_hz,
            upinfo=info,
            m_hdr=phy[0],
            join_eui=dashed_eui(int.from_bytes(phy[1:9], "little")),
            dev_eui=dashed_eui(int.from_bytes(phy[9:17], "little")),
            dev_nonce=int.from_bytes(phy[17:19], "little"),
            mic=mic,
        )
    rest = phy[8:-MIC_BYTES]
    f_opts_bytes = phy[5] & F_OPTS_LENGTH if len(phy) >= DATA_BYTES_MIN else 0
    if kind not in (FType.UNCONFIRMED_UP, FType.CONFIRMED_UP) or len(phy) < DATA_BYTES_MIN or len(rest) < f_opts_bytes:
        raise GatewayError(f"a station drops the frame {phy[:8].hex()}")
    body = rest[f_opts_bytes:]
    return DataHeard(
        data_rate=rate,
        frequency_hz=frequency_hz,
        upinfo=info,
        m_hdr=phy[0],
        dev_addr=int.from_bytes(phy[1:5], "little", signed=True),
        f_ctrl=phy[5],
        f_cnt=int.from_bytes(phy[6:8], "little"),
        f_opts=rest[:f_opts_bytes].hex(),
        f_port=body[0] if body else -1,
        frm_payload=body[1:].hex(),
        mic=mic,
    )


def to_order(transmission: Transmission, diid: int, now_us: int) -> Downlink | Schedule:
    """The order to send: in the window of an uplink (class A), at a GPS time (a schedule), or at once (class C).

    A station knows two windows, `RxDelay` and a second later.  One window is given, as the first one; only a delay beyond
    what `RxDelay` can say makes it the second.
    """
    mux_time_s = now_us / US_PER_S
    pdu, rate, frequency_hz = transmission.phy.hex(), transmission.data_rate, transmission.frequency_hz
    if transmission.gps_us is not None:
        slot = Slot(diid=diid, pdu=pdu, data_rate=rate, frequency_hz=frequency_hz, gps_us=transmission.gps_us)
        return Schedule(schedule=[slot], mux_time_s=mux_time_s)
    dev_eui = dashed_eui(transmission.dev_eui)
    if transmission.delay_us is None and transmission.tmst_us is None:
        return Downlink(
            dev_eui=dev_eui,
            device_class=CLASS_C,
            diid=diid,
            pdu=pdu,
            rx_delay_s=1,
            rx2_data_rate=rate,
            rx2_hz=frequency_hz,
            mux_time_s=mux_time_s,
        )
    if len(transmission.context) != CONTEXT.size or transmission.delay_us is None:
        raise GatewayError("an answer in a window without the xtime of its uplink")
    xtime, rctx = CONTEXT.unpack(transmission.context)
    delay_s, rest_us = divmod(transmission.delay_us, US_PER_S)
    if rest_us or not 1 <= delay_s <= RX_DELAY_MAX_S + 1:
        raise GatewayError(f"a station has no window {transmission.delay_us} us after an uplink")
    second = delay_s > RX_DELAY_MAX_S
    return Downlink(
        dev_eui=dev_eui,
        device_class=CLASS_A,
        diid=diid,
        pdu=pdu,
        rx_delay_s=delay_s - second,
        rx1_data_rate=None if second else rate,
        rx1_hz=None if second else frequency_hz,
        rx2_data_rate=rate if second else None,
        rx2_hz=frequency_hz if second else None,
        xtime=xtime,
        rctx=rctx,
        mux_time_s=mux_time_s,
    )
