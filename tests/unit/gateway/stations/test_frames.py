"""Frames of stations: parts and frame, receptions, orders."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nyala.gateway import station
from nyala.gateway.station_frames import CONTEXT, phy_of, to_heard, to_order, to_reception
from nyala.lorawan.network.port import Reception
from nyala.vocab.errors import GatewayError, UnknownError
from tests.unit.gateway.datagrams import NOW_US, transmission
from tests.unit.gateway.stations.messages import EUI, JREQ, JREQ_PHY, RADIO, REGION, UPDF, UPDF_PHY, XTIME, text

PROPDF = {"msgtype": "propdf", "FRMPayload": "E00102", **RADIO}
BARE = {"FCtrl": 0, "FOpts": "", "FPort": -1, "FRMPayload": ""}


def heard(said, **different):
    message = station.decode_from_station(text(said, **different))
    assert isinstance(message, station.Heard)
    return message


@pytest.mark.parametrize(
    ("said", "phy"),
    [
        (text(JREQ), JREQ_PHY),
        (text(JREQ, msgtype="rejoin", MHdr=192), b"\xc0" + JREQ_PHY[1:]),
        (text(JREQ, JoinEui="70b3:d57e:d000:1", DevEui="91a2:b3c4:d5e6:f708"), JREQ_PHY),
        (text(JREQ, JoinEui=0x70B3D57ED0000001, DevEui="91A2B3C4D5E6F708"), JREQ_PHY),
        (text(UPDF), UPDF_PHY),
        (text(PROPDF), b"\xe0\x01\x02"),
        (text(UPDF, **BARE), bytes.fromhex("80112233f400ffff01000000")),
        (text(UPDF, **{**BARE, "FPort": 0}), bytes.fromhex("80112233f400ffff0001000000")),
        (text(UPDF, MIC=-1, DevAddr=2**31 - 1), bytes.fromhex("80ffffff7fa1ffff020baabbffffffff")),
        (text(UPDF, MIC=2**32 - 1, DevAddr=2**32 - 1), bytes.fromhex("80ffffffffa1ffff020baabbffffffff")),
    ],
)
def test_the_frame_is_put_together_from_its_parts(said, phy):
    message = station.decode_from_station(said)
    assert isinstance(message, station.Heard)
    assert phy_of(message) == phy


@pytest.mark.parametrize(
    ("said", "different", "why"),
    [
        (UPDF, {"FCtrl": 0}, "FOpts of 1 bytes"),
        (UPDF, {"FCtrl": 162}, "FOpts of 1 bytes"),
        (UPDF, {"FCtrl": 256}, "FCtrl 256"),
        (UPDF, {"MHdr": -1}, "MHdr -1"),
        (UPDF, {"FCnt": 65536}, "FCnt 65536"),
        (UPDF, {"FPort": 256}, "FPort 256"),
        (UPDF, {"FPort": -1}, "FRMPayload of 2 bytes without FPort"),
        (UPDF, {"FRMPayload": "ABC"}, "FRMPayload is not hexadecimal"),
        (UPDF, {"FOpts": "zz"}, "FOpts is not hexadecimal"),
        (UPDF, {"MIC": 2**32}, "MIC"),
        (UPDF, {"DevAddr": -(2**31) - 1}, "DevAddr"),
        (JREQ, {"DevEui": "91-A2"}, "EUI"),
        (JREQ, {"DevNonce": -1}, "DevNonce"),
        (PROPDF, {"FRMPayload": "0"}, "FRMPayload"),
    ],
)
def test_parts_that_make_no_frame_are_refused(said, different, why):
    with pytest.raises(GatewayError, match=why):
        phy_of(heard(said, **different))


def test_a_reception_keeps_the_stations_time_and_antenna_for_the_answer():
    reception = to_reception(heard(UPDF), EUI, REGION, NOW_US)
    assert reception == Reception(
        gateway=EUI,
        phy=UPDF_PHY,
        received_us=NOW_US,
        frequency_hz=921_400_000,
        data_rate=2,
        rssi_dbm=-41.0,
        snr_db=9.25,
        tmst_us=XTIME & 0xFFFFFFFF,
        gps_us=1292245486000123,
        context=CONTEXT.pack(XTIME, 0),
    )


def test_a_station_without_a_fix_has_no_gps_time():
    assert to_reception(heard(UPDF, upinfo={"xtime": 1}), EUI, REGION, NOW_US).gps_us is None


@pytest.mark.parametrize("info", [{"xtime": 2**63}, {"rctx": -(2**63) - 1}])
def test_a_time_beyond_64_bits_is_refused(info):
    with pytest.raises(GatewayError, match="64 bits"):
        to_reception(heard(UPDF, upinfo=info), EUI, REGION, NOW_US)


def test_a_data_rate_that_the_region_lacks_is_refused():
    with pytest.raises(UnknownError):
        to_reception(heard(UPDF, DR=7), EUI, REGION, NOW_US)


def test_a_frame_longer_than_any_is_refused():
    with pytest.raises(GatewayError, match="frame of 257 bytes"):
        to_reception(heard(UPDF, FRMPayload="00" * 243), EUI, REGION, NOW_US)


@pytest.mark.parametrize(
    "phy", [b"", b"\x40", bytes(22), bytes(24), b"\x60" + bytes(20), b"\x40" + bytes(4) + b"\x0f" + bytes(6)]
)
def test_frames_that_a_station_drops_are_refused(phy):
    with pytest.raises(GatewayError):
        to_heard(Reception(EUI, phy, 0, 921_400_000, 2, 0.0, 0.0, 0))


signed = st.integers(-(2**63), 2**63 - 1)
parts = st.builds(
    lambda mhdr, head, opts, control, body, mic: (
        bytes([mhdr]) + head[:4] + bytes([control & 0xF0 | len(opts)]) + head[4:] + opts + body + mic
    ),
    st.sampled_from([0x40, 0x80]),
    st.binary(min_size=6, max_size=6),
    st.binary(max_size=15),
    st.integers(0, 255),
    st.binary(max_size=60),
    st.binary(min_size=4, max_size=4),
)
requests = st.builds(
    lambda mhdr, rest: bytes([mhdr]) + rest, st.sampled_from([0x00, 0xC0]), st.binary(min_size=22, max_size=22)
)
proprietary = st.binary(max_size=60).map(lambda rest: b"\xe0" + rest)


@given(parts | requests | proprietary, signed, signed, st.integers(0, 2**62), st.integers(0, 6))
def test_every_frame_survives_the_way_through_a_station(phy, xtime, rctx, gps_us, rate):
    reception = Reception(
        EUI,
        phy,
        NOW_US,
        922_600_000,
        rate,
        -80.5,
        -3.25,
        xtime & 0xFFFFFFFF,
        gps_us=gps_us or None,
        context=CONTEXT.pack(xtime, rctx),
    )
    said = station.decode_from_station(station.encode(to_heard(reception)))
    assert isinstance(said, station.Heard)
    assert to_reception(said, EUI, REGION, NOW_US) == reception


@given(st.binary(max_size=30))
def test_any_bytes_are_a_frame_that_a_station_takes_apart_or_a_gateway_error(phy):
    reception = Reception(EUI, phy, NOW_US, 922_600_000, 2, 0.0, 0.0, 0)
    try:
        said = to_heard(reception)
    except GatewayError:
        assume(False)
    assert phy_of(said) == phy


# -- orders


def order(**said):
    return to_order(transmission(dev_eui=5, **said), 7, NOW_US)


ANSWER: dict[str, Any] = {"tmst_us": 1, "delay_us": 1_000_000, "context": CONTEXT.pack(XTIME, 3)}


@pytest.mark.parametrize("delay_s", range(1, 16))
def test_an_answer_in_a_window_is_class_a_with_one_window_and_the_stations_own_time(delay_s):
    said = order(**ANSWER | {"delay_us": delay_s * 1_000_000})
    assert said == station.Downlink(
        dev_eui="00-00-00-00-00-00-00-05",
        device_class=0,
        diid=7,
        pdu="60010203",
        rx_delay_s=delay_s,
        rx1_data_rate=2,
        rx1_hz=921_400_000,
        xtime=XTIME,
        rctx=3,
        mux_time_s=NOW_US / 1_000_000,
    )


def test_a_delay_beyond_what_rx_delay_can_say_is_the_second_window():
    said = order(**ANSWER | {"delay_us": 16_000_000})
    assert isinstance(said, station.Downlink)
    assert (said.rx_delay_s, said.rx1_hz, said.rx2_hz, said.rx2_data_rate) == (15, None, 921_400_000, 2)


def test_what_is_sent_at_once_is_class_c_without_a_time():
    assert order() == station.Downlink(
        dev_eui="00-00-00-00-00-00-00-05",
        device_class=2,
        diid=7,
        pdu="60010203",
        rx_delay_s=1,
        rx2_data_rate=2,
        rx2_hz=921_400_000,
        mux_time_s=NOW_US / 1_000_000,
    )


def test_what_is_sent_at_a_gps_time_is_a_schedule():
    slot = station.Slot(diid=7, pdu="60010203", data_rate=2, frequency_hz=921_400_000, gps_us=1292245486000123)
    assert order(gps_us=1292245486000123) == station.Schedule(schedule=[slot], mux_time_s=NOW_US / 1_000_000)


@pytest.mark.parametrize(
    "different", [{"delay_us": 0}, {"delay_us": 17_000_000}, {"delay_us": 1_500_000}, {"context": b""}, {"delay_us": None}]
)
def test_an_answer_that_a_station_cannot_place_is_refused_and_not_sent_at_once(different):
    with pytest.raises(GatewayError):
        order(**ANSWER | different)


def test_the_context_of_another_protocol_is_not_read():
    with pytest.raises(GatewayError):
        to_order(replace(transmission(**ANSWER), context=b"abc"), 1, NOW_US)
