"""The server's end of Semtech UDP: what is acknowledged when, and where downlinks go."""

import pytest

from nyala.gateway import known, udp_server
from nyala.gateway import semtech_udp as udp
from nyala.gateway.awaited import AWAITED_MAX
from nyala.gateway.semtech_udp import Ack, Kind, PullResp
from nyala.lorawan.network.port import TxResult
from tests.unit.gateway.datagrams import (
    ADDRESS,
    EUI,
    NOW_US,
    REGION,
    TX_ERRORS,
    Port,
    Uplinks,
    from_gateway,
    rxpk,
    transmission,
)

OTHER_EUI = EUI + 1
OTHER_ADDRESS = ("198.51.100.9", 1700)


@pytest.fixture
def port():
    return Port()


# -- uplinks


def test_a_push_is_acknowledged_only_once_its_frames_are_safe(port):
    port.push(rxpk(), token=0x1234)
    assert port.sent() == []
    port.uplinks.acknowledge[0]()
    assert port.sent() == [(Ack(Kind.PUSH_ACK, 0x1234), ADDRESS)]


def test_pushes_are_acknowledged_in_the_order_in_which_they_are_safe(port):
    port.push(rxpk(), token=1)
    port.push(rxpk(), token=2, eui=OTHER_EUI, address=OTHER_ADDRESS)
    port.uplinks.acknowledge[1]()
    port.uplinks.acknowledge[0]()
    assert port.sent() == [(Ack(Kind.PUSH_ACK, 2), OTHER_ADDRESS), (Ack(Kind.PUSH_ACK, 1), ADDRESS)]


def test_a_push_that_the_server_cannot_take_is_not_acknowledged(port):
    port.uplinks.full = True
    port.push(rxpk(), rxpk())
    assert port.sent() == []
    assert port.counts == {"overloaded": 1}


def test_frames_arrive_with_their_gateway_and_the_servers_time(port):
    port.now_us += 17
    port.push(rxpk(rssi=-101.0, lsnr=-3.5, tmst=99))
    [reception] = port.uplinks.taken
    assert (reception.gateway, reception.phy, reception.received_us) == (EUI, b"\x40\x01\x02\x03", NOW_US + 17)
    assert (reception.rssi_dbm, reception.snr_db, reception.tmst_us) == (-101.0, -3.5, 99)


def test_a_push_that_comes_again_is_not_handed_on_again(port):
    for _ in range(3):
        port.push(rxpk(), token=5)
    assert (len(port.uplinks.taken), port.counts) == (1, {"repeated_push": 2})
    assert port.server.gateways[EUI].frames == 1
    assert port.sent() == []
    port.uplinks.acknowledge[0]()
    assert port.sent() == [(Ack(Kind.PUSH_ACK, 5), ADDRESS)]


def test_a_push_that_comes_again_when_it_is_safe_is_acknowledged_again_to_where_it_came_from(port):
    port.push(rxpk(), token=5)
    port.uplinks.acknowledge[0]()
    port.sent()
    port.push(rxpk(), token=5, address=OTHER_ADDRESS)
    assert (port.sent(), len(port.uplinks.taken)) == ([(Ack(Kind.PUSH_ACK, 5), OTHER_ADDRESS)], 1)


def test_a_push_that_was_not_taken_is_taken_when_it_comes_again(port):
    port.uplinks.full = True
    port.push(rxpk(), token=5)
    port.uplinks.full = False
    port.push(rxpk(), token=5)
    assert len(port.uplinks.taken) == 1


def test_the_same_frame_at_another_instant_is_no_repeat(port):
    port.push(rxpk(tmst=1), token=5)
    port.push(rxpk(tmst=2), token=5)
    assert [reception.tmst_us for reception in port.uplinks.taken] == [1, 2]


def test_what_is_remembered_of_pushes_has_a_limit(port, monkeypatch):
    monkeypatch.setattr(udp_server, "RECENT_MAX", 2)
    for tmst in (1, 2, 3):
        port.push(rxpk(tmst=tmst))
    port.push(rxpk(tmst=1))
    port.push(rxpk(tmst=3))
    assert [reception.tmst_us for reception in port.uplinks.taken] == [1, 2, 3, 1]
    for acknowledge in port.uplinks.acknowledge:
        acknowledge()
    assert len(port.sent()) == 4


@pytest.mark.parametrize(
    ("frame", "counted"),
    [
        (rxpk(stat=-1), "bad_crc"),
        (rxpk(stat=0), "no_crc"),
        (rxpk(modu="FSK", datr=50_000), "other_modulation"),
        (rxpk(datr="SF6BW125"), "bad_rxpk"),
        (rxpk(datr=7), "bad_rxpk"),
        (rxpk(data="not base64!"), "bad_rxpk"),
    ],
)
def test_a_frame_that_no_rule_can_take_is_counted_and_the_push_acknowledged_at_once(port, frame, counted):
    port.push(frame, token=3)
    assert port.uplinks.taken == []
    assert port.counts == {counted: 1}
    assert port.sent() == [(Ack(Kind.PUSH_ACK, 3), ADDRESS)]


def test_good_frames_beside_bad_ones_are_taken(port):
    port.push(rxpk(stat=-1), rxpk(tmst=1), rxpk(datr="SF6BW125"), rxpk(tmst=2), rxpk(data="?"))
    assert [reception.tmst_us for reception in port.uplinks.taken] == [1, 2]
    assert port.counts == {"bad_crc": 1, "bad_rxpk": 2}
    assert port.sent() == []
    assert port.server.gateways[EUI].frames == 2


def test_a_status_is_kept_with_its_gateway(port):
    port.comes(from_gateway(0, '{"stat":{"rxnb":5,"rxok":4,"lati":-6.2,"long":106.8,"alti":9,"temp":41.5}}'))
    port.comes(from_gateway(0, '{"stat":{"rxnb":6}}'))
    gateway = port.server.gateways[EUI]
    assert gateway.status is not None
    assert (gateway.status.received_us, gateway.status.rx) == (NOW_US, 6)
    assert gateway.position == known.Position(-6.2, 106.8, 9.0)


def test_a_status_alone_is_acknowledged_at_once(port):
    port.comes(from_gateway(0, '{"stat":{"rxnb":2}}', token=8))
    assert port.sent() == [(Ack(Kind.PUSH_ACK, 8), ADDRESS)]
    assert port.uplinks.acknowledge == []


def test_a_datagram_that_is_not_understood_is_counted_and_answered_with_nothing(port):
    port.comes(b"GET / HTTP/1.1\r\n")
    port.comes(from_gateway(0, '{"rxpk":[{}]}'))
    assert (port.sent(), port.counts) == ([], {"bad_datagram": 2})


def test_an_acknowledgement_after_the_socket_was_closed_goes_nowhere(port):
    port.push(rxpk())
    port.transport.closed = True
    port.uplinks.acknowledge[0]()
    assert port.sent() == []


def test_a_server_without_a_socket_yet_sends_nothing():
    bare = udp_server.SemtechUdpServer(REGION, Uplinks(), lambda: NOW_US)
    bare.datagram_received(udp.encode_pull_data(1, EUI), ADDRESS)
    assert bare.gateways[EUI].address == "192.0.2.7:41000"


# -- the downlink path


def test_a_pull_is_acknowledged_to_where_it_came_from(port):
    port.pull(token=0xABCD)
    assert port.sent() == [(Ack(Kind.PULL_ACK, 0xABCD), ADDRESS)]


def test_a_downlink_goes_to_the_address_of_the_last_pull(port):
    port.pull()
    port.pull(address=OTHER_ADDRESS)
    port.push(rxpk(), address=("203.0.113.1", 5))
    port.sent()
    assert port.server.transmit(transmission(tmst_us=44))
    [(message, address)] = port.sent()
    assert isinstance(message, PullResp)
    assert address == OTHER_ADDRESS
    assert (message.txpk.tmst, udp.payload_bytes(message.txpk.data)) == (44, b"\x60\x01\x02\x03")


def test_a_gateway_that_never_pulled_gets_no_downlink(port):
    assert not port.server.transmit(transmission())
    port.push(rxpk())
    assert not port.server.transmit(transmission())
    assert (port.sent(), port.counts) == ([], {"tx_no_path": 2})
    assert [result for _, result in port.results] == [TxResult.NO_PATH] * 2


def test_a_gateway_that_stopped_pulling_gets_no_downlink(port):
    port.pull()
    port.now_us += known.SILENT_US - 1
    assert port.server.transmit(transmission())
    port.now_us += 1
    port.push(rxpk())
    assert not port.server.transmit(transmission())


def test_several_gateways_behind_one_address_are_told_apart(port):
    port.pull(eui=EUI)
    port.pull(eui=OTHER_EUI)
    port.push(rxpk(), eui=EUI, token=1)
    port.push(rxpk(), eui=OTHER_EUI, token=1)
    port.sent()
    assert [reception.gateway for reception in port.uplinks.taken] == [EUI, OTHER_EUI]
    port.server.transmit(transmission(EUI, phy=b"a"))
    port.server.transmit(transmission(OTHER_EUI, phy=b"b"))
    answers = port.sent()
    assert [address for _, address in answers] == [ADDRESS, ADDRESS]
    tokens = [message.token for message, _ in answers]
    assert len(set(tokens)) == 2
    port.comes(udp.encode_tx_ack(tokens[1], OTHER_EUI, "TOO_LATE"))
    port.comes(udp.encode_tx_ack(tokens[0], EUI))
    assert port.counts == {"tx_too_late": 1, "tx_ok": 1}
    assert [port.server.gateways[eui].tx_errors for eui in (EUI, OTHER_EUI)] == [0, 1]


# -- what becomes of downlinks


def ordered(port: Port) -> int:
    """Sends a frame and answers its token."""
    port.server.transmit(transmission())
    [(message, _)] = port.sent()
    return message.token


def test_an_empty_tx_ack_counts_as_sent(port):
    port.pull()
    port.sent()
    port.comes(from_gateway(5, token=ordered(port)))
    assert port.counts == {"tx_ok": 1}
    assert port.server.gateways[EUI].tx_errors == 0


@pytest.mark.parametrize("error", TX_ERRORS)
def test_every_tx_ack_error_is_counted_by_name_and_at_its_gateway(port, error):
    port.pull()
    port.sent()
    port.comes(udp.encode_tx_ack(ordered(port), EUI, error))
    assert port.counts == {f"tx_{error.lower()}": 1}
    assert port.server.gateways[EUI].tx_errors == 1
    assert [result for _, result in port.results] == [TxResult(error)]


def test_a_warning_is_success_and_counted(port):
    port.pull()
    port.sent()
    port.comes(udp.encode_tx_ack(ordered(port), EUI, warn="TX_POWER", value=14))
    assert port.counts == {"tx_ok": 1, "tx_warned": 1}
    assert (port.server.gateways[EUI].tx_errors, port.server.gateways[EUI].tx_warnings) == (0, 1)
    assert [result for _, result in port.results] == [TxResult.OK]


def test_after_tx_power_a_decibel_less_is_asked_down_to_a_limit(port):
    port.pull()
    port.sent()
    powers = []
    for _ in range(8):
        port.server.transmit(transmission(eirp_dbm=16))
        [(message, _)] = port.sent()
        powers.append(message.txpk.powe)
        port.comes(udp.encode_tx_ack(message.token, EUI, "TX_POWER"))
    assert powers == [16, 15, 14, 13, 12, 11, 10, 10]


def test_a_downlink_without_an_answer_ends_once_by_the_clock_and_not_before(port):
    port.pull()
    port.sent()
    token = ordered(port)
    port.now_us += udp_server.TX_ANSWER_US - 1
    port.pull()
    assert port.results == []
    port.now_us += 1
    port.server.outbox.expire(port.now_us)
    port.comes(from_gateway(5, token=token))
    assert [result for _, result in port.results] == [TxResult.NO_ANSWER]
    assert port.counts == {"tx_no_answer": 1, "tx_ack_unknown": 1}


def test_an_answer_counts_only_from_the_gateway_that_was_asked(port):
    port.pull()
    port.sent()
    token = ordered(port)
    port.comes(from_gateway(5, token=token, eui=OTHER_EUI))
    assert (port.results, port.counts) == ([], {"tx_ack_unknown": 1})
    port.comes(from_gateway(5, token=token))
    assert [result for _, result in port.results] == [TxResult.OK]


def test_a_tx_ack_that_nobody_waits_for_is_counted_as_unknown(port):
    port.pull()
    port.sent()
    token = ordered(port)
    for _ in range(2):
        port.comes(from_gateway(5, token=token))
    port.comes(from_gateway(5, token=token + 1))
    assert port.counts == {"tx_ok": 1, "tx_ack_unknown": 2}


def test_downlinks_whose_tx_ack_never_comes_are_forgotten_the_oldest_first(port):
    port.pull()
    port.sent()
    tokens = [ordered(port) for _ in range(AWAITED_MAX + 2)]
    assert port.counts == {"tx_no_answer": 2}
    for token in tokens:
        port.comes(from_gateway(5, token=token))
    assert port.counts == {"tx_no_answer": 2, "tx_ack_unknown": 2, "tx_ok": AWAITED_MAX}


def test_tokens_of_downlinks_have_16_bits_and_do_not_repeat_while_they_are_awaited(port):
    port.pull()
    port.sent()
    tokens = [ordered(port) for _ in range(2**16 + 5)]
    assert set(tokens) == set(range(2**16))
    for start in range(0, 2**16, 1_000):
        window = tokens[start : start + AWAITED_MAX]
        assert len(set(window)) == len(window)


# -- strangers


def test_strangers_cannot_fill_the_memory_and_known_gateways_go_on(port, monkeypatch):
    monkeypatch.setattr(known, "GATEWAYS_MAX", 3)
    for number in range(3):
        port.pull(eui=number, token=number)
    port.sent()
    port.pull(eui=77)
    port.push(rxpk(), eui=78)
    port.comes(from_gateway(5, eui=79))
    assert (port.sent(), port.uplinks.taken, port.counts) == ([], [], {"too_many_gateways": 3})
    port.push(rxpk(), eui=2)
    port.pull(eui=0)
    assert len(port.uplinks.taken) == 1
    assert set(port.server.gateways) == {0, 1, 2}


def test_when_a_gateway_was_last_seen_is_kept(port):
    port.pull()
    port.now_us += 5_000_000
    port.comes(from_gateway(5, token=1))
    assert port.server.gateways[EUI].last_seen_us == NOW_US + 5_000_000
