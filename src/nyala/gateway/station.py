"""Basics Station LNS protocol: JSON messages <-> values, both sides.  No socket.

    /router-info  station {router}                              server {router, muxs, uri} or {router, error}
    muxs          station version, jreq, updf, propdf, rejoin, dntxed, timesync
                  server  router_config, dnmsg, dnsched, timesync

Other messages of a station (alarm, event, rmtsh, getxtime, jacc, dndf ...) are `Other`: told by their name and left.
Source: Basics Station 2.0.6, "The LNS Protocol"; reference lorawan.md 9.2.  `xtime` exceeds 2^53: never pass it through a
JSON reader that makes doubles of numbers.
"""

from typing import Any, Final

import msgspec

from nyala.gateway.station_identity import router_eui
from nyala.vocab.errors import GatewayError

PROTOCOL: Final = 2
MESSAGE_MAX: Final = 16_384
"""Characters of one message of a station: its own buffers are smaller."""

WIRE: Final = {
    "m_hdr": "MHdr",
    "join_eui": "JoinEui",
    "dev_eui": "DevEui",
    "dev_nonce": "DevNonce",
    "mic": "MIC",
    "data_rate": "DR",
    "frequency_hz": "Freq",
    "dev_addr": "DevAddr",
    "f_ctrl": "FCtrl",
    "f_cnt": "FCnt",
    "f_opts": "FOpts",
    "f_port": "FPort",
    "frm_payload": "FRMPayload",
    "device_class": "dC",
    "rx_delay_s": "RxDelay",
    "rx1_data_rate": "RX1DR",
    "rx1_hz": "RX1Freq",
    "rx2_data_rate": "RX2DR",
    "rx2_hz": "RX2Freq",
    "mux_time_s": "MuxTime",
    "net_ids": "NetID",
    "join_euis": "JoinEui",
    "data_rates": "DRs",
    "no_cca": "nocca",
    "no_duty_cycle": "nodc",
    "no_dwell": "nodwell",
    "max_eirp_dbm": "max_eirp",
    "freq_range_hz": "freq_range",
    "gps_us": "gpstime",
    "rssi_dbm": "rssi",
    "snr_db": "snr",
    "txtime_us": "txtime",
}
"""Our names by those on the wire, where they differ."""


class _Message(msgspec.Struct, tag_field="msgtype", rename=WIRE.get, frozen=True):
    """A message with a `msgtype`."""


# -- from a station


class UpInfo(msgspec.Struct, rename=WIRE.get, frozen=True):
    """How a frame was received.  `xtime`: the concentrator's time; `rctx`: the antenna; both go back in an answer."""

    rctx: int = 0
    xtime: int = 0
    gps_us: int = 0
    """0: without a fix."""
    rssi_dbm: float = 0.0
    snr_db: float = 0.0


class _Received(_Message, frozen=True, kw_only=True):
    data_rate: int
    frequency_hz: int
    upinfo: UpInfo


class JoinRequestHeard(_Received, tag="jreq", frozen=True, kw_only=True):
    """A join request, taken apart; `mic` is signed.  EUIs come with dashes, and from some stations as ID6 or numbers."""

    m_hdr: int
    join_eui: str | int
    dev_eui: str | int
    dev_nonce: int
    mic: int


class RejoinHeard(JoinRequestHeard, tag="rejoin", frozen=True, kw_only=True):
    """A rejoin request of LoRaWAN 1.1, which stations take apart as a join request."""


class DataHeard(_Received, tag="updf", frozen=True, kw_only=True):
    """A data frame, taken apart; `dev_addr` and `mic` are signed, `f_port` -1 where there is none."""

    m_hdr: int
    dev_addr: int
    f_ctrl: int
    f_cnt: int
    f_opts: str | None = ""
    f_port: int = -1
    frm_payload: str | None = ""
    mic: int


class ProprietaryHeard(_Received, tag="propdf", frozen=True, kw_only=True):
    """A proprietary frame, whole: MHDR to MIC."""

    frm_payload: str


class Version(_Message, tag="version", frozen=True, kw_only=True):
    """The first message of a station."""

    station: str = ""
    firmware: str | None = None
    package: str | None = None
    model: str | None = None
    protocol: int = 0
    features: str | None = None


class Transmitted(_Message, tag="dntxed", frozen=True, kw_only=True):
    """A frame was sent; a station says nothing of one that was not."""

    diid: int
    dev_eui: str | int = ""
    rctx: int = 0
    xtime: int = 0
    gps_us: int = 0


class TimeSync(_Message, tag="timesync", frozen=True, kw_only=True, omit_defaults=True):
    """A station asks with `txtime_us`; the answer repeats it and gives `gps_us`.  A server may tell `xtime` and `gps_us`."""

    txtime_us: int | None = None
    gps_us: int | None = None
    xtime: int | None = None
    mux_time_s: float | None = None


class Other(msgspec.Struct, frozen=True):
    """A message that the network does not go by."""

    msgtype: str


Heard = JoinRequestHeard | RejoinHeard | DataHeard | ProprietaryHeard
FromStation = Heard | Version | Transmitted | TimeSync | Other


# -- from a server


class RouterConfig(_Message, tag="router_config", frozen=True, kw_only=True):
    """How a station sets up its radio, and what it may send."""

    net_ids: list[int] | None = None
    """Of these networks alone; None: of all."""
    join_euis: list[tuple[int, int]] | None = None
    region: str
    hwspec: str
    freq_range_hz: tuple[int, int]
    data_rates: list[tuple[int, int, int]]
    """By index: spreading factor, bandwidth in kHz, for downlinks only."""
    sx1301_conf: list[dict[str, Any]]
    max_eirp_dbm: float
    no_cca: bool
    no_duty_cycle: bool
    no_dwell: bool
    mux_time_s: float


class Downlink(_Message, tag="dnmsg", frozen=True, kw_only=True, omit_defaults=True):
    """A frame to send to one device: in a window of an uplink (class A, 0), or at once (class C, 2)."""

    dev_eui: str
    device_class: int = msgspec.field(name="dC")
    diid: int
    pdu: str
    rx_delay_s: int = msgspec.field(name="RxDelay")
    rx1_data_rate: int | None = None
    rx1_hz: int | None = None
    rx2_data_rate: int | None = None
    rx2_hz: int | None = None
    priority: int = 0
    xtime: int | None = None
    rctx: int | None = None
    mux_time_s: float | None = None


class Slot(msgspec.Struct, rename=WIRE.get, frozen=True, kw_only=True):
    """A frame of a schedule, at a GPS time in microseconds."""

    diid: int
    pdu: str
    data_rate: int
    frequency_hz: int
    gps_us: int
    priority: int = 0
    rctx: int = 0


class Schedule(_Message, tag="dnsched", frozen=True, kw_only=True):
    """Frames to send at instants, to nobody in particular: multicast."""

    schedule: list[Slot]
    mux_time_s: float | None = None


FromServer = RouterConfig | Downlink | Schedule | TimeSync


class RouterInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer of `/router-info`: where to connect, or why not."""

    router: str
    muxs: str = ""
    uri: str = ""
    error: str = ""


class _Discovery(msgspec.Struct):
    router: str | int


_STATION: Final = msgspec.json.Decoder(
    JoinRequestHeard | RejoinHeard | DataHeard | ProprietaryHeard | Version | Transmitted | TimeSync
)
_SERVER: Final = msgspec.json.Decoder(RouterConfig | Downlink | Schedule | TimeSync)
_KIND: Final = msgspec.json.Decoder(Other)
_DISCOVERY: Final = msgspec.json.Decoder(_Discovery)
_INFO: Final = msgspec.json.Decoder(RouterInfo)
_KNOWN: Final = frozenset(("jreq", "rejoin", "updf", "propdf", "version", "dntxed", "timesync"))
encode: Final = msgspec.json.Encoder().encode
"""Any message as JSON."""


def _read(decoder: Any, text: str | bytes) -> Any:
    if len(text) > MESSAGE_MAX:
        raise GatewayError(f"message of {len(text)} characters; {MESSAGE_MAX} at most")
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise GatewayError(f"station message: {error}") from None


def decode_from_station(text: str | bytes) -> FromStation:
    """A message of a station on its muxs connection; GatewayError for any other text."""
    try:
        message: FromStation = _read(_STATION, text)
    except GatewayError:
        other: Other = _read(_KIND, text)
        if other.msgtype in _KNOWN:
            raise
        return other
    return message


def decode_from_server(text: str | bytes) -> FromServer:
    """A message of a server on the muxs connection; GatewayError for any other text."""
    message: FromServer = _read(_SERVER, text)
    return message


def decode_discovery(text: str | bytes) -> int:
    """The EUI of a station that asks where to connect; GatewayError for any other text."""
    discovery: _Discovery = _read(_DISCOVERY, text)
    return router_eui(discovery.router)


def decode_router_info(text: str | bytes) -> RouterInfo:
    """The answer of a server to a discovery."""
    info: RouterInfo = _read(_INFO, text)
    return info
