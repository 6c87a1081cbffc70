"""Semtech UDP against datagrams written by hand from PROTOCOL.TXT 1.5 and reference lorawan.md 9.1."""

import json

import pytest

from nyala.gateway import semtech_udp as udp
from nyala.gateway.known import Position, Status
from nyala.gateway.semtech_udp import Ack, Kind, PullData, PullResp, PushData, TxAck, TxPk
from nyala.lorawan.network.port import Reception, TxResult
from nyala.vocab.errors import GatewayError, UnknownError
from tests.unit.gateway.datagrams import EUI, NOW_US, REGION, TX_ERRORS, from_gateway, head, rxpk, transmission

LORA = (
    '{"time":"2013-03-31T16:21:17.528002Z","tmst":3512348611,"chan":2,"rfch":0,"freq":866.349812,"stat":1,"modu":"LORA",'
    '"datr":"SF7BW125","codr":"4/6","rssi":-35,"lsnr":5.1,"size":32,"data":"-DS4CGaDCdG+48eJNM3Vai-zDpsR71Pn9CPA9uCON84"}'
)
FSK = (
    '{"time":"2013-03-31T16:21:17.530974Z","tmst":3512348514,"chan":9,"rfch":1,"freq":869.1,"stat":1,"modu":"FSK",'
    '"datr":50000,"rssi":-75,"size":16,"data":"VEVTVF9QQUNLRVRfMTIzNA=="}'
)
STAT = (
    '{"time":"2014-01-12 08:59:28 GMT","lati":46.24000,"long":3.25230,"alti":145,"rxnb":2,"rxok":2,"rxfw":2,"ackr":100.0,'
    '"dwnb":2,"txnb":2}'
)
"""The examples of PROTOCOL.TXT sections 4 and 6."""
FRAME = bytes.fromhex("f834b808668309d1bee3c78934cdd56a2fb30e9b11ef53e7f423c0f6e08e37ce")
"""`data` of the LoRa example, decoded by hand: its text is neither padded nor of one alphabet."""


def test_push_data_of_the_protocol_text_is_read():
    message = udp.decode_from_gateway(from_gateway(0, f'{{"rxpk":[{LORA},{FSK}],"stat":{STAT}}}'))
    assert isinstance(message, PushData)
    assert (message.token, message.gateway, len(message.rxpk)) == (0xBEEF, EUI, 2)
    lora, fsk = message.rxpk
    assert (lora.tmst, lora.freq, lora.datr, lora.rssi, lora.lsnr) == (3512348611, 866.349812, "SF7BW125", -35.0, 5.1)
    assert (fsk.modu, fsk.datr, fsk.lsnr) == ("FSK", 50000, 0.0)
    assert message.stat == udp.Stat("2014-01-12 08:59:28 GMT", 2, 2, 2, 100.0, 2, 2, 46.24, 3.2523, 145.0)


def test_the_reception_of_the_protocol_text_has_its_frame_rate_and_counter():
    message = udp.decode_from_gateway(from_gateway(0, f'{{"rxpk":[{LORA}]}}'))
    assert isinstance(message, PushData)
    assert udp.to_reception(message.rxpk[0], EUI, REGION, NOW_US) == Reception(
        gateway=EUI,
        phy=FRAME,
        received_us=NOW_US,
        frequency_hz=866_349_812,
        data_rate=5,
        rssi_dbm=-35.0,
        snr_db=5.1,
        tmst_us=3512348611,
    )


def test_a_frame_of_another_modulation_is_no_reception():
    message = udp.decode_from_gateway(from_gateway(0, f'{{"rxpk":[{FSK}]}}'))
    assert isinstance(message, PushData)
    assert udp.to_reception(message.rxpk[0], EUI, REGION, NOW_US) is None


@pytest.mark.parametrize("stat", [-1, 0])
def test_a_frame_without_a_good_crc_is_no_reception(stat):
    assert udp.to_reception(rxpk(stat=stat), EUI, REGION, NOW_US) is None


def test_a_data_rate_that_the_region_lacks_is_unknown():
    with pytest.raises(UnknownError, match="SF6BW125"):
        udp.to_reception(rxpk(datr="SF6BW125"), EUI, REGION, NOW_US)


@pytest.mark.parametrize(("tmst", "kept"), [(0, 0), (2**32 - 1, 2**32 - 1), (2**32 + 5, 5), (-1, 2**32 - 1)])
def test_the_gateways_counter_has_32_bits(tmst, kept):
    reception = udp.to_reception(rxpk(tmst=tmst), EUI, REGION, NOW_US)
    assert reception is not None
    assert reception.tmst_us == kept


def test_the_other_datagrams_of_a_gateway_are_read():
    assert udp.decode_from_gateway(from_gateway(2)) == PullData(0xBEEF, EUI)
    assert udp.decode_from_gateway(from_gateway(5)) == TxAck(0xBEEF, EUI, "NONE")
    assert udp.decode_from_gateway(from_gateway(0, "{}")) == PushData(0xBEEF, EUI, (), None)


def test_version_1_is_taken_as_well():
    assert udp.decode_from_gateway(from_gateway(2, version=1)) == PullData(0xBEEF, EUI)


@pytest.mark.parametrize("error", TX_ERRORS)
def test_every_tx_ack_error_is_read(error):
    assert udp.decode_from_gateway(from_gateway(5, f'{{"txpk_ack":{{"error":"{error}"}}}}')) == TxAck(0xBEEF, EUI, error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0",
        b"  \0\0",
        b'{"txpk_ack":{"error":"NONE"}}',
        b'{"txpk_ack":{"error":""}}',
        b'{"txpk_ack":{}}',
        b"{}",
    ],
)
def test_a_tx_ack_without_an_error_is_success(body):
    assert udp.decode_from_gateway(from_gateway(5, body)) == TxAck(0xBEEF, EUI, "NONE")


def test_a_warning_of_protocol_1_5_is_success_with_the_power_that_is_sent_with():
    ack = udp.decode_from_gateway(from_gateway(5, '{"txpk_ack":{"warn":"TX_POWER","value":20}}'))
    assert ack == TxAck(0xBEEF, EUI, "NONE", "TX_POWER", 20.0)
    assert isinstance(ack, TxAck)
    assert ack.result is TxResult.OK


@pytest.mark.parametrize("error", TX_ERRORS)
def test_every_tx_ack_error_is_a_result_of_its_own_name(error):
    assert TxAck(1, EUI, error).result is TxResult(error)


@pytest.mark.parametrize("error", ["QUEUE_FULL", "NO_PATH", "NO_ANSWER", "late"])
def test_a_reason_of_a_forwarders_own_says_that_another_instant_may_do(error):
    assert TxAck(1, EUI, error).result is TxResult.COLLISION_PACKET


def test_the_datagrams_of_a_server_are_written_to_the_byte():
    assert udp.encode_ack(Kind.PUSH_ACK, 0xBEEF).hex() == "02beef01"
    assert udp.encode_ack(Kind.PULL_ACK, 0x0001).hex() == "02000104"
    txpk = TxPk(freq=921.4, datr="SF10BW125", data="YAECAw==", size=4, powe=16, imme=True)
    # lora_pkt_fwd aborts without modu and rfch, and takes an absent ipol and ncrc for false.
    said = (
        b'{"txpk":{"freq":921.4,"datr":"SF10BW125","data":"YAECAw==","size":4,"powe":16,"imme":true,'
        b'"modu":"LORA","codr":"4/5","ipol":true,"ncrc":true,"rfch":0}}'
    )
    assert udp.encode_pull_resp(0xBEEF, txpk) == head(3) + said


def test_the_datagrams_of_a_server_are_read():
    assert udp.decode_from_server(head(1)) == Ack(Kind.PUSH_ACK, 0xBEEF)
    assert udp.decode_from_server(head(4)) == Ack(Kind.PULL_ACK, 0xBEEF)
    body = (
        '{"txpk":{"imme":true,"freq":864.123456,"rfch":0,"powe":14,"modu":"LORA","datr":"SF11BW125","codr":"4/6",'
        '"ipol":false,"size":32,"data":"H3P3N2i9qc4yt7rK7ldqoeCVJGBybzPY5h1Dd7P7p8v"}}'
    )
    message = udp.decode_from_server(head(3) + body.encode())
    assert isinstance(message, PullResp)
    txpk = message.txpk
    assert (txpk.imme, txpk.tmst, txpk.freq, txpk.powe, txpk.ipol, txpk.codr) == (True, None, 864.123456, 14, False, "4/6")


def test_the_datagrams_of_a_gateway_are_written_to_the_byte():
    assert udp.encode_pull_data(0xBEEF, EUI).hex() == "02beef02aa555a0000000101"
    assert udp.encode_tx_ack(0xBEEF, EUI).hex() == "02beef05aa555a0000000101"
    late = udp.encode_tx_ack(0xBEEF, EUI, "TOO_LATE")
    assert late[:12] == from_gateway(5)
    assert json.loads(late[12:])["txpk_ack"]["error"] == "TOO_LATE"


def test_a_transmission_at_an_instant_names_it_and_is_not_immediate():
    txpk = udp.to_txpk(transmission(tmst_us=77, data_rate=5, frequency_hz=922_600_000), REGION)
    assert (txpk.imme, txpk.tmst, txpk.freq, txpk.datr, txpk.powe) == (False, 77, 922.6, "SF7BW125", 16)
    assert (txpk.data, txpk.size, txpk.ipol, txpk.ncrc, txpk.modu) == ("YAECAw==", 4, True, True, "LORA")


def test_a_transmission_at_once_is_immediate():
    txpk = udp.to_txpk(transmission(), REGION)
    assert (txpk.imme, txpk.tmst) == (True, None)


def test_a_transmission_at_a_gps_time_names_it_in_milliseconds():
    txpk = udp.to_txpk(transmission(gps_us=1_400_000_000_123_456), REGION)
    assert (txpk.imme, txpk.tmst, txpk.tmms) == (False, None, 1_400_000_000_123)


def test_the_counter_of_a_gateway_wraps_at_32_bits():
    assert udp.to_txpk(transmission(tmst_us=2**32 + 5), REGION).tmst == 5


def test_less_power_is_asked_of_a_forwarder_without_the_full_power_in_its_table():
    assert udp.to_txpk(transmission(eirp_dbm=16), REGION, 2).powe == 14


@pytest.mark.parametrize(
    ("said", "counted"),
    [({"stat": -1}, "bad_crc"), ({"stat": 0}, "no_crc"), ({"stat": 7}, "bad_crc"), ({"modu": "FSK"}, "other_modulation")],
)
def test_what_a_frame_that_is_no_reception_counts_as(said, counted):
    assert udp.not_received(rxpk(**said)) == counted


def test_fields_of_later_forwarders_are_tolerated_and_gps_time_is_kept():
    body = LORA.replace(
        '"stat":1', '"stat":1,"jver":1,"tmms":1400000000123,"ftime":812,"rssis":-88.5,"foff":-1200,"mid":8,"aesk":0'
    )
    message = udp.decode_from_gateway(from_gateway(0, f'{{"rxpk":[{body}]}}'))
    assert isinstance(message, PushData)
    reception = udp.to_reception(message.rxpk[0], EUI, REGION, NOW_US)
    assert reception is not None
    assert reception.gps_us == 1_400_000_000_123_000


def test_a_status_is_counters_and_a_position():
    message = udp.decode_from_gateway(from_gateway(0, f'{{"stat":{STAT}}}'))
    assert isinstance(message, PushData)
    assert message.stat is not None
    assert udp.to_status(message.stat, NOW_US) == Status(NOW_US, 2, 2, 2, 100.0, 2, 2)
    assert udp.to_position(message.stat) == Position(46.24, 3.2523, 145.0)


@pytest.mark.parametrize("said", [{}, {"lati": 0.0, "long": 0.0}, {"lati": 1.0}])
def test_a_forwarder_without_a_fix_has_no_position(said):
    assert udp.to_position(udp.Stat(**said)) is None


@pytest.mark.parametrize(
    "data", ["+/+/AQ==", "-_-_AQ==", "+/+/AQ", "-_-_AQ", "-/+_AQ", " +/+/AQ== ", "+/+/AQ=", "+/+/AQ===", "+/+/AQ==\n"]
)
def test_base64_is_taken_padded_or_not_and_of_either_alphabet(data):
    assert udp.payload_bytes(data) == bytes.fromhex("fbffbf01")


@pytest.mark.parametrize("data", ["A", "AAAAA", "AA=A", "A*==", "AAA\0", "ä", "AA AA", "=AAA", "\ud800"])
def test_what_is_not_base64_is_refused(data):
    with pytest.raises(GatewayError, match="data is not base64"):
        udp.payload_bytes(data)


def test_an_empty_frame_is_an_empty_frame():
    assert udp.payload_bytes("") == b""


REFUSED_OF_GATEWAYS = {
    "empty": (b"", "datagram of 0 bytes"),
    "three bytes": (head(2)[:3], "datagram of 3 bytes"),
    "version 0": (from_gateway(2, version=0), "protocol version 0"),
    "version 3": (from_gateway(2, version=3), "protocol version 3"),
    "kind 6": (from_gateway(6), "unknown kind 6"),
    "no EUI": (head(2), "PULL_DATA of 4 bytes has no gateway EUI"),
    "short EUI": (from_gateway(2)[:-1], "PULL_DATA of 11 bytes has no gateway EUI"),
    "a PUSH_ACK": (from_gateway(1), "aa555a0000000101 sent a PUSH_ACK"),
    "a PULL_RESP": (from_gateway(3, "{}"), "sent a PULL_RESP"),
    "a PULL_ACK": (from_gateway(4), "sent a PULL_ACK"),
    "PUSH_DATA without JSON": (from_gateway(0), "aa555a0000000101: PUSH_DATA"),
    "no object": (from_gateway(0, "[]"), "PUSH_DATA"),
    "rxpk of another kind": (from_gateway(0, '{"rxpk":{}}'), "PUSH_DATA"),
    "rxpk without data": (from_gateway(0, '{"rxpk":[{"tmst":1,"freq":1.0,"datr":"SF7BW125"}]}'), "data"),
    "a counter that is no number": (from_gateway(0, f'{{"rxpk":[{LORA.replace("3512348611", "null")}]}}'), "tmst"),
    "no UTF-8": (from_gateway(0, b'{"stat":{"time":"\xff"}}'), "PUSH_DATA"),
    "deep": (from_gateway(0, "[" * 20_000), "PUSH_DATA"),
    "TX_ACK of another form": (from_gateway(5, '{"txpk_ack":7}'), "TX_ACK"),
    "TX_ACK that is no JSON": (from_gateway(5, "late"), "TX_ACK"),
}


@pytest.mark.parametrize("case", REFUSED_OF_GATEWAYS)
def test_what_a_gateway_may_not_send_is_refused(case):
    datagram, why = REFUSED_OF_GATEWAYS[case]
    with pytest.raises(GatewayError, match=why):
        udp.decode_from_gateway(datagram)


REFUSED_OF_SERVERS = {
    "short": (b"\2\0\0", "datagram of 3 bytes"),
    "version": (head(1, version=0), "protocol version 0"),
    "PUSH_DATA": (head(0), "server sent a PUSH_DATA"),
    "PULL_DATA": (head(2), "server sent a PULL_DATA"),
    "TX_ACK": (head(5), "server sent a TX_ACK"),
    "PULL_RESP without JSON": (head(3), "PULL_RESP"),
    "PULL_RESP without a frame": (head(3) + b"{}", "txpk"),
}


@pytest.mark.parametrize("case", REFUSED_OF_SERVERS)
def test_what_a_server_may_not_send_is_refused(case):
    datagram, why = REFUSED_OF_SERVERS[case]
    with pytest.raises(GatewayError, match=why):
        udp.decode_from_server(datagram)


def test_a_datagram_with_too_many_frames_is_refused():
    full = udp.encode_push_data(1, EUI, [rxpk()] * udp.RXPK_MAX)
    message = udp.decode_from_gateway(full)
    assert isinstance(message, PushData)
    assert len(message.rxpk) == udp.RXPK_MAX
    with pytest.raises(GatewayError, match="129 frames in one datagram"):
        udp.decode_from_gateway(udp.encode_push_data(1, EUI, [rxpk()] * (udp.RXPK_MAX + 1)))
