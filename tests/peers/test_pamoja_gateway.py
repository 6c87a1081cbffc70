"""Semtech UDP and Basics Station with `pamoja-gateway`, an independent implementation of both sides in Rust; airtime with
`pamoja-lora`.  Each message goes both ways: written by us and read by the peer, and the other way round.
"""

from random import Random
from typing import Any

import pamoja.gateway
import pamoja.lora
import pytest

from nyala.gateway import semtech_udp as udp
from nyala.gateway import station
from nyala.gateway.known import Position
from nyala.gateway.semtech_udp import Kind
from nyala.gateway.station_config import router_config
from nyala.gateway.station_frames import CONTEXT, phy_of, to_heard, to_order, to_reception
from nyala.gateway.station_identity import dashed_eui, eui_of, id6_text, router_eui
from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.network.plan import NetworkPlan, indonesia
from nyala.lorawan.network.port import Reception, Transmission
from nyala.vocab.identifiers import eui_text

peer: Any = pamoja.gateway
link: Any = pamoja.lora.link
"""Their fields may be None in general; here a missing one is a failure like any other."""
PLAN = indonesia()
REGION = PLAN.region
NOW_US = 1_760_000_000_000_000
ROUNDS = 200
ERRORS = [status.value for status in peer.TxStatus]


def data_frame(random: Random) -> bytes:
    """An uplink with FOpts, with a port or without."""
    f_opts, body = random.randbytes(random.randrange(16)), random.randbytes(random.choice([0, 1, 20]))
    start = bytes([random.choice([0x40, 0x80])]) + random.randbytes(4)
    return start + bytes([random.randrange(16) << 4 | len(f_opts)]) + random.randbytes(2) + f_opts + body + random.randbytes(4)


def join_frame(random: Random) -> bytes:
    return b"\0" + random.randbytes(22)


def reception(random: Random, phy: bytes) -> Reception:
    xtime, rctx = random.getrandbits(62), random.randrange(4)
    return Reception(
        gateway=random.getrandbits(64),
        phy=phy,
        received_us=NOW_US,
        frequency_hz=921_400_000 + 200_000 * random.randrange(8),
        data_rate=random.randrange(7),
        rssi_dbm=float(random.randrange(-130, -20)),
        snr_db=random.randrange(-80, 60) / 4,
        tmst_us=xtime & 0xFFFFFFFF,
        gps_us=random.choice([None, 1_000 * random.getrandbits(40)]),
        context=CONTEXT.pack(xtime, rctx),
    )


def transmission(random: Random, **said: object) -> Transmission:
    plain: dict[str, object] = {"tmst_us": None, "start_us": NOW_US, "dev_eui": random.getrandbits(64)}
    return Transmission(
        random.getrandbits(64),
        random.randbytes(random.randrange(12, 60)),
        921_400_000 + 200_000 * random.randrange(8),
        random.randrange(2, 7),
        random.randrange(10, 23),
        **(plain | said),  # type: ignore[arg-type]
    )


def rate_of(heard: Any) -> int:
    return REGION.data_rate_of(f"SF{heard.link.spreading_factor}BW{heard.link.bandwidth_hz // 1000}").index


def link_of(data_rate: int) -> Any:
    row = REGION.data_rate(data_rate)
    return link(row.sf, row.bandwidth_khz * 1_000)


# -- Semtech UDP


def test_the_peer_reads_our_push_data_and_acknowledges_it():
    random = Random(1)
    for token in range(ROUNDS):
        ours = reception(random, data_frame(random))
        datagram = udp.encode_push_data(
            token, ours.gateway, [udp.to_rxpk(ours, REGION)], udp.Stat(rxnb=token, lati=1.5, long=2.5)
        )
        said = peer.parse(datagram)
        [heard] = said.packets
        assert (said.kind, said.token, said.gateway) == ("PushData", token, eui_text(ours.gateway))
        assert (heard.payload, heard.frequency_hz, rate_of(heard)) == (ours.phy, ours.frequency_hz, ours.data_rate)
        assert (heard.rssi_dbm, heard.snr_db, heard.timestamp_us) == (ours.rssi_dbm, ours.snr_db, ours.tmst_us)
        assert heard.gps_millis == (None if ours.gps_us is None else ours.gps_us // 1_000)
        assert (said.status.received, said.status.latitude_deg) == (token, 1.5)
        answer = udp.decode_from_server(bytes(peer.encode(peer.acknowledgment(said))))
        assert answer == udp.Ack(Kind.PUSH_ACK, token)


def test_we_read_the_peers_push_data():
    random = Random(2)
    for token in range(ROUNDS):
        ours = reception(random, data_frame(random))
        heard = peer.Rxpk(
            ours.frequency_hz,
            ours.phy,
            link=link_of(ours.data_rate),
            rssi_dbm=ours.rssi_dbm,
            snr_db=ours.snr_db,
            timestamp_us=ours.tmst_us,
            gps_millis=None if ours.gps_us is None else ours.gps_us // 1_000,
            received_at_us=NOW_US,
        )
        packet = peer.Packet(
            peer.PacketKind.PUSH_DATA,
            token,
            gateway=eui_text(ours.gateway),
            packets=[heard],
            status=peer.Stat(received=3, latitude_deg=-6.2, longitude_deg=106.8, altitude_m=9),
        )
        said = udp.decode_from_gateway(bytes(peer.encode(packet)))
        assert isinstance(said, udp.PushData)
        found = udp.to_reception(said.rxpk[0], said.gateway, REGION, NOW_US)
        assert found is not None
        assert (found.phy, found.data_rate, found.frequency_hz) == (ours.phy, ours.data_rate, ours.frequency_hz)
        assert (found.rssi_dbm, found.snr_db, found.tmst_us, found.gps_us) == (
            ours.rssi_dbm,
            ours.snr_db,
            ours.tmst_us,
            ours.gps_us,
        )
        assert said.stat is not None
        assert udp.to_position(said.stat) == Position(-6.2, 106.8, 9.0)


@pytest.mark.parametrize(("crc", "counted"), [("Failed", "bad_crc"), ("Absent", "no_crc")])
def test_a_frame_without_a_good_crc_at_the_peer_is_no_reception(crc, counted):
    heard = peer.Rxpk(921_400_000, b"abc", link=link(7, 125_000), crc=crc, timestamp_us=1)
    said = udp.decode_from_gateway(bytes(peer.encode(peer.Packet("PushData", 1, gateway="0" * 16, packets=[heard]))))
    assert isinstance(said, udp.PushData)
    assert (udp.to_reception(said.rxpk[0], 0, REGION, 0), udp.not_received(said.rxpk[0])) == (None, counted)


@pytest.mark.parametrize("when", ["now", "counter", "gps"])
def test_the_peer_reads_our_order_to_send(when):
    random = Random(3)
    for token in range(ROUNDS):
        at = {"now": {}, "counter": {"tmst_us": random.getrandbits(32)}, "gps": {"gps_us": 1_000 * random.getrandbits(40)}}[
            when
        ]
        ours = transmission(random, **at)
        said = peer.parse(udp.encode_pull_resp(token, udp.to_txpk(ours, REGION)))
        order = said.transmit
        assert (said.token, order.payload, order.frequency_hz, rate_of(order)) == (
            token,
            ours.phy,
            ours.frequency_hz,
            ours.data_rate,
        )
        assert (order.power_dbm, order.invert_polarity, order.without_crc) == (ours.eirp_dbm, True, True)
        assert (order.immediate, order.timestamp_us) == (when == "now", ours.tmst_us)
        assert order.gps_millis == (None if ours.gps_us is None else ours.gps_us // 1_000)


def test_we_read_the_peers_order_to_send():
    order = peer.Txpk(921_400_000, b"abc", link=link(10, 125_000), timestamp_us=5, invert_polarity=True, without_crc=True)
    said = udp.decode_from_server(bytes(peer.encode(peer.Packet(peer.PacketKind.PULL_RESP, 9, transmit=order))))
    assert isinstance(said, udp.PullResp)
    assert (said.token, said.txpk.tmst, said.txpk.imme, said.txpk.ncrc, said.txpk.datr) == (9, 5, False, True, "SF10BW125")
    assert udp.payload_bytes(said.txpk.data) == b"abc"


@pytest.mark.parametrize("error", ERRORS)
def test_every_tx_ack_goes_both_ways(error):
    ours = peer.parse(udp.encode_tx_ack(7, 1, error))
    assert (ours.token, ours.gateway, ours.tx_status) == (7, eui_text(1), error)
    theirs = peer.Packet(peer.PacketKind.TX_ACK, 7, gateway=eui_text(1), tx_status=error)
    assert udp.decode_from_gateway(bytes(peer.encode(theirs))) == udp.TxAck(7, 1, error)


def test_pulls_go_both_ways():
    said = peer.parse(udp.encode_pull_data(7, 1))
    assert (said.kind, said.token, said.gateway) == ("PullData", 7, eui_text(1))
    assert udp.decode_from_server(bytes(peer.encode(peer.acknowledgment(said)))) == udp.Ack(Kind.PULL_ACK, 7)
    theirs = peer.Packet(peer.PacketKind.PULL_DATA, 7, gateway=eui_text(1))
    assert udp.decode_from_gateway(bytes(peer.encode(theirs))) == udp.PullData(7, 1)
    assert peer.parse(udp.encode_ack(Kind.PULL_ACK, 7)).kind == "PullAck"


# -- Basics Station


@pytest.mark.parametrize("frame", [data_frame, join_frame])
def test_we_put_the_frame_together_that_the_peer_took_apart(frame):
    random = Random(4)
    for _ in range(ROUNDS):
        ours = reception(random, frame(random))
        xtime, rctx = CONTEXT.unpack(ours.context)
        levels = peer.StationLevels(rctx=rctx, xtime=xtime, gpstime=ours.gps_us, rssi=ours.rssi_dbm, snr=ours.snr_db)
        said = station.decode_from_station(
            peer.station_encode(peer.station_heard(ours.phy, ours.data_rate, ours.frequency_hz, levels))
        )
        assert isinstance(said, station.Heard)
        assert to_reception(said, ours.gateway, REGION, NOW_US) == ours


def test_the_peer_reads_what_we_take_apart():
    random = Random(5)
    for _ in range(ROUNDS):
        ours = reception(random, data_frame(random))
        said = peer.station_parse(station.encode(to_heard(ours)).decode())
        assert (said.msgtype, said.frequency_hz, said.data_rate) == ("updf", ours.frequency_hz, ours.data_rate)
        assert (said.dev_addr, said.fcnt) == (
            int.from_bytes(ours.phy[1:5], "little", signed=True),
            int.from_bytes(ours.phy[6:8], "little"),
        )
        assert (said.levels.xtime, said.levels.rctx) == CONTEXT.unpack(ours.context)
        again = station.decode_from_station(peer.station_encode(said))
        assert isinstance(again, station.Heard)
        assert phy_of(again) == ours.phy


def test_the_peer_reads_our_class_a_and_class_c_orders():
    random = Random(6)
    for diid in range(1, ROUNDS):
        context = CONTEXT.pack(random.getrandbits(62), random.randrange(4))
        delay_s = random.randrange(1, 16)
        ours = transmission(random, tmst_us=1, delay_us=delay_s * 1_000_000, context=context)
        said = peer.station_parse(station.encode(to_order(ours, diid, NOW_US)).decode())
        assert (said.msgtype, said.class_, said.diid, said.rx_delay, said.payload) == ("dnmsg", 0, diid, delay_s, ours.phy)
        assert (said.xtime, said.rctx) == CONTEXT.unpack(context)
        assert (said.rx1.data_rate, said.rx1.frequency_hz, said.rx2) == (ours.data_rate, ours.frequency_hz, None)
        assert eui_of(said.dev_eui) == ours.dev_eui
        now = transmission(random)
        said = peer.station_parse(station.encode(to_order(now, diid, NOW_US)).decode())
        assert (said.class_, said.payload, said.xtime, said.rx1) == (2, now.phy, None, None)
        assert (said.rx2.data_rate, said.rx2.frequency_hz) == (now.data_rate, now.frequency_hz)


def test_the_peer_reads_our_schedule():
    ours = transmission(Random(7), gps_us=1_292_245_486_000_123)
    said = peer.station_parse(station.encode(to_order(ours, 5, NOW_US)).decode())
    [slot] = said.schedule
    assert (said.msgtype, slot.pdu, slot.data_rate, slot.frequency_hz, slot.gpstime) == (
        "dnsched",
        ours.phy,
        ours.data_rate,
        ours.frequency_hz,
        ours.gps_us,
    )


@pytest.mark.parametrize("plan", [PLAN, NetworkPlan.of("EU868", "eu868")], ids=lambda plan: plan.region.name)
def test_the_peer_reads_our_configuration(plan):
    ours = router_config(plan, None, NOW_US)
    said = peer.station_parse(station.encode(ours).decode())
    assert (said.msgtype, said.region, said.hwspec, said.max_eirp) == (
        "router_config",
        ours.region,
        "sx1301/1",
        ours.max_eirp_dbm,
    )
    assert (said.freq_min, said.freq_max) == plan.region.band_hz
    rates = [(rate.spreading_factor, rate.bandwidth_hz // 1_000) for rate in said.data_rates if rate is not None]
    assert rates == [(row.sf, row.bandwidth_khz) for row in plan.region.data_rates]


def test_the_small_messages_go_both_ways():
    version = peer.StationMessage(peer.StationKind.VERSION, station="2.0.6", firmware="1", package="p", model="m", protocol=2)
    said = station.decode_from_station(peer.station_encode(version))
    assert isinstance(said, station.Version)
    assert (said.station, said.model, said.protocol) == ("2.0.6", "m", 2)
    done = peer.StationMessage(
        peer.StationKind.TRANSMITTED,
        diid=7,
        dev_eui=eui_text(9),
        data_rate=2,
        frequency_hz=921_400_000,
        xtime=1,
        rctx=2,
        txtime=1.5,
    )
    told = station.decode_from_station(peer.station_encode(done))
    assert isinstance(told, station.Transmitted)
    assert (told.diid, router_eui(told.dev_eui), told.xtime, told.rctx) == (7, 9, 1, 2)
    answer = peer.station_parse(station.encode(station.TimeSync(txtime_us=12, gps_us=34)).decode())
    assert (answer.msgtype, answer.txtime, answer.gpstime) == ("timesync", 12, 34)


def test_discovery_goes_both_ways_and_identities_are_the_same():
    random = Random(8)
    for _ in range(ROUNDS):
        eui = random.choice([random.getrandbits(64), random.getrandbits(16) << random.choice([0, 16, 32, 48])])
        text = eui_text(eui)
        assert station.decode_discovery(peer.station_discovery(text)) == eui
        assert peer.station_discovery_parse(f'{{"router":"{id6_text(eui)}"}}') == text
        assert router_eui(peer.station_id6(text)) == eui
        assert peer.station_eui_of(dashed_eui(eui)) == text
        info = peer.station_router_parse(station.encode(station.RouterInfo(id6_text(eui), "muxs-::0", "wss://h:1/x")).decode())
        assert (info.router, info.uri) == (text, "wss://h:1/x")
        theirs = station.decode_router_info(peer.station_router_refused(text, "no"))
        assert (theirs.error, theirs.uri) == ("no", "")


# -- airtime


@pytest.mark.parametrize("data_rate", range(7))
def test_time_on_air_is_the_peers(data_rate):
    row = REGION.data_rate(data_rate)
    for size in range(0, 256, 5):
        assert abs(airtime_us(size, row.sf, row.bandwidth_khz, crc=True) - link_of(data_rate).airtime_us(size)) <= 1
