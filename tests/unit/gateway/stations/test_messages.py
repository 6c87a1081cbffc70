"""Messages of Basics Station, both ways: a table of all types, refusals for each, and any text at all."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyala.gateway import station
from nyala.gateway.station import (
    DataHeard,
    JoinRequestHeard,
    Other,
    ProprietaryHeard,
    RejoinHeard,
    TimeSync,
    Transmitted,
    UpInfo,
    Version,
)
from nyala.vocab.errors import GatewayError
from tests.unit.gateway.stations.messages import JREQ, RADIO, UPDF, VERSION, XTIME, text

INFO = UpInfo(0, XTIME, 1292245486000123, -41.0, 9.25)
HEARD: dict[str, Any] = {"data_rate": 2, "frequency_hz": 921_400_000, "upinfo": INFO}
JOIN: dict[str, Any] = {
    "m_hdr": 0,
    "join_eui": "70-B3-D5-7E-D0-00-00-01",
    "dev_eui": "91-A2-B3-C4-D5-E6-F7-08",
    "dev_nonce": 258,
    "mic": -559038737,
}
DNTXED = {
    "msgtype": "dntxed",
    "seqno": 7,
    "diid": 7,
    "DR": 2,
    "Freq": 921400000,
    "DevEui": "91-A2-B3-C4-D5-E6-F7-08",
    "rctx": 1,
    "xtime": XTIME,
    "txtime": 1565859001.2,
    "gpstime": 0,
}

OF_STATIONS: dict[str, tuple[str, station.FromStation]] = {
    "version": (text(VERSION), Version(station="2.0.6(linux/std)", model="linux", protocol=2, features="rmtsh gps")),
    "jreq": (text(JREQ), JoinRequestHeard(**HEARD, **JOIN)),
    "rejoin": (text(JREQ, msgtype="rejoin"), RejoinHeard(**HEARD, **JOIN)),
    "updf": (
        text(UPDF),
        DataHeard(
            **HEARD,
            m_hdr=128,
            dev_addr=-197975535,
            f_ctrl=161,
            f_cnt=65535,
            f_opts="02",
            f_port=11,
            frm_payload="AABB",
            mic=1,
        ),
    ),
    "propdf": (
        text({"msgtype": "propdf", "FRMPayload": "E0FF", **RADIO}),
        ProprietaryHeard(**HEARD, frm_payload="E0FF"),
    ),
    "dntxed": (
        text(DNTXED),
        Transmitted(diid=7, dev_eui="91-A2-B3-C4-D5-E6-F7-08", rctx=1, xtime=XTIME, gps_us=0),
    ),
    "timesync": ('{"msgtype":"timesync","txtime":1234567}', TimeSync(txtime_us=1234567)),
    "getxtime": ('{"msgtype":"getxtime","xtimes":[1,2]}', Other("getxtime")),
    "alarm": ('{"msgtype":"alarm","text":"CCA busy"}', Other("alarm")),
    "unheard of": ('{"msgtype":"\\u0000","x":[{}]}', Other("\0")),
}

REFUSED_OF_STATIONS = {
    "no JSON": "version",
    "no object": "[]",
    "no msgtype": "{}",
    "msgtype of another kind": '{"msgtype":1}',
    "deep": "[" * 16_000,
    "long": text(UPDF, FRMPayload="A" * station.MESSAGE_MAX),
    "version with another protocol kind": text(VERSION, protocol="2"),
    "jreq without DevEui": text(JREQ, DevEui=None),
    "jreq with a fraction": text(JREQ, DevNonce=1.5),
    "rejoin without MIC": text(JREQ, msgtype="rejoin", MIC=None),
    "updf without upinfo": text(UPDF, upinfo=None),
    "updf with a text as a number": text(UPDF, DevAddr="1"),
    "propdf without a frame": text({"msgtype": "propdf", **RADIO}),
    "dntxed without diid": text(DNTXED, diid=None),
    "timesync with a text": '{"msgtype":"timesync","txtime":"now"}',
}


@pytest.mark.parametrize("kind", OF_STATIONS)
def test_every_message_of_a_station_is_read(kind):
    said, message = OF_STATIONS[kind]
    assert station.decode_from_station(said) == message
    assert station.decode_from_station(said.encode()) == message


@pytest.mark.parametrize("kind", [kind for kind, (_, message) in OF_STATIONS.items() if not isinstance(message, Other)])
def test_every_message_of_a_station_reads_back(kind):
    _, message = OF_STATIONS[kind]
    assert station.decode_from_station(station.encode(message)) == message


@pytest.mark.parametrize("case", REFUSED_OF_STATIONS)
def test_what_a_station_may_not_say_is_refused(case):
    with pytest.raises(GatewayError, match="message"):
        station.decode_from_station(REFUSED_OF_STATIONS[case])


OF_SERVERS: dict[str, station.FromServer] = {
    "dnmsg": station.Downlink(
        dev_eui="00-00-00-00-00-00-00-05",
        device_class=0,
        diid=7,
        pdu="6001",
        rx_delay_s=1,
        rx1_data_rate=2,
        rx1_hz=921_400_000,
        xtime=XTIME,
        rctx=1,
        mux_time_s=1.5,
    ),
    "dnsched": station.Schedule(
        schedule=[station.Slot(diid=1, pdu="60", data_rate=2, frequency_hz=921_400_000, gps_us=1292245486000123)],
        mux_time_s=1.5,
    ),
    "timesync": TimeSync(xtime=XTIME, gps_us=1292245486000123, mux_time_s=1.5),
}


@pytest.mark.parametrize("kind", OF_SERVERS)
def test_every_message_of_a_server_reads_back_under_its_name(kind):
    said = station.encode(OF_SERVERS[kind])
    assert json.loads(said)["msgtype"] == kind
    assert station.decode_from_server(said) == OF_SERVERS[kind]


def test_a_class_a_order_is_written_with_the_names_of_the_protocol_and_without_the_other_window():
    assert json.loads(station.encode(OF_SERVERS["dnmsg"])) == {
        "msgtype": "dnmsg",
        "DevEui": "00-00-00-00-00-00-00-05",
        "dC": 0,
        "diid": 7,
        "pdu": "6001",
        "RxDelay": 1,
        "RX1DR": 2,
        "RX1Freq": 921400000,
        "xtime": XTIME,
        "rctx": 1,
        "MuxTime": 1.5,
    }


@pytest.mark.parametrize(
    "said", ["", "{}", '{"msgtype":"dnmsg"}', '{"msgtype":"version"}', '{"msgtype":"dnsched","schedule":{}}']
)
def test_what_a_server_may_not_say_is_refused(said):
    with pytest.raises(GatewayError):
        station.decode_from_server(said)


@pytest.mark.parametrize("said", ["", "{}", "[]", '{"router":null}', '{"router":1.5}', '{"router":"x"}'])
def test_what_is_no_discovery_is_refused(said):
    with pytest.raises(GatewayError):
        station.decode_discovery(said)


def test_a_discovery_names_a_station_and_its_answer_a_uri_or_an_error():
    assert station.decode_discovery('{"router":"::1"}') == 1
    info = station.RouterInfo("::1", "muxs-::0", "wss://a:1/router/1")
    assert station.decode_router_info(station.encode(info)) == info
    assert json.loads(station.encode(station.RouterInfo("::1", error="no"))) == {"router": "::1", "error": "no"}


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from([*UPDF, *JREQ, "diid"]), inner, max_size=8),
    max_leaves=10,
)
kinds = st.sampled_from(["jreq", "updf", "propdf", "rejoin", "version", "dntxed", "timesync", "alarm"])
near = st.builds(
    lambda said, kind: json.dumps({**said, "msgtype": kind}), st.dictionaries(st.sampled_from([*UPDF]), values), kinds
)
spoilt = st.builds(lambda key, value: json.dumps({**UPDF, key: value}), st.sampled_from([*UPDF, "upinfo"]), values)


@given(st.text(max_size=40) | st.binary(max_size=40) | values.map(json.dumps) | near | spoilt)
def test_any_text_is_a_message_or_a_gateway_error(said):
    for read in (station.decode_from_station, station.decode_from_server, station.decode_discovery, station.decode_router_info):
        with suppress(GatewayError):
            read(said)
