"""The simulated gateway: what it takes, refuses and tells, as a real packet forwarder does."""

import asyncio
import base64
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from nyala.gateway import semtech_udp as udp
from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.region import region
from nyala.sim.forwarder import EARLY_US, LATE_US, QUEUE_MAX, START_DELAY_US, PacketForwarder
from nyala.sim.radio import Heard, OnAir
from nyala.sim.virtual_time import VirtualTimeLoop

REGION = region("AS923-2")
SERVER = ("server", 1700)
EUI = 0x0016C001F0000001
PHY = bytes(range(17))
WRAP = 1 << 32


@dataclass
class Bench(asyncio.DatagramTransport):
    """A forwarder on virtual time with what it sent and put on the air."""

    loop: VirtualTimeLoop
    sent: list[bytes] = field(default_factory=list)
    on_air: list[tuple[bytes, int, int]] = field(default_factory=list)
    epoch_us: int = 0

    def __post_init__(self):
        def emit(index, phy, frequency_hz, data_rate, eirp_dbm, start_us, end_us):
            self.on_air.append((phy, start_us, end_us))

        self.forwarder = PacketForwarder(0, EUI, REGION, self.loop, self.now_us, emit)
        self.forwarder.connection_made(self)

    def now_us(self):
        return self.epoch_us + round(self.loop.time() * 1e6)

    def sendto(self, data, addr=None):
        self.sent.append(data)

    def close(self):
        pass

    def order(self, **when) -> str:
        """Orders a frame; answers what TX_ACK says."""
        fields: dict[str, Any] = {
            "freq": 921.4,
            "datr": "SF7BW125",
            "data": base64.b64encode(PHY).decode(),
            "size": 17,
            "powe": 16,
        } | when
        self.forwarder.datagram_received(udp.encode_pull_resp(5, udp.TxPk(**fields)), SERVER)
        ack = udp.decode_from_gateway(self.sent[-1])
        assert isinstance(ack, udp.TxAck)
        assert (ack.token, ack.gateway) == (5, EUI)
        return ack.error


@pytest.fixture
def bench():
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualTimeLoop)
        made = Bench(loop)
        made.forwarder.attach(SERVER)
        yield made
        made.forwarder.close()


def live(bench, seconds):
    bench.loop.run_until_complete(asyncio.sleep(seconds))


@pytest.mark.parametrize(
    ("ahead_us", "answer"),
    [
        (LATE_US - 1, "TOO_LATE"),
        (0, "TOO_LATE"),
        (LATE_US, "NONE"),
        (1_000_000, "NONE"),
        (EARLY_US, "NONE"),
        (EARLY_US + 1, "TOO_EARLY"),
        (-1, "TOO_EARLY"),
    ],
)
@pytest.mark.parametrize("epoch_us", [0, WRAP - 10, 3 * WRAP - 1_000_000])
def test_an_instant_is_taken_where_it_lies_ahead_and_the_past_is_too_early_because_the_counter_wraps(
    bench, epoch_us, ahead_us, answer
):
    bench.epoch_us = epoch_us
    assert bench.order(tmst=(epoch_us + ahead_us) % WRAP) == answer
    if answer == "NONE":
        live(bench, ahead_us / 1e6 + 0.001)
        assert bench.on_air == [(PHY, epoch_us + ahead_us, epoch_us + ahead_us + airtime_us(17, 7, crc=False))]


def test_a_frame_at_once_leaves_after_the_hand_over_and_one_on_top_of_it_is_a_collision(bench):
    assert bench.order(imme=True) == "NONE"
    assert bench.order(imme=True) == "COLLISION_PACKET"
    live(bench, 1)
    assert [start for _, start, _ in bench.on_air] == [START_DELAY_US]
    assert bench.order(imme=True) == "NONE"


def test_a_frame_with_a_crc_is_longer(bench):
    bench.order(imme=True, ncrc=False)
    live(bench, 1)
    _, start_us, end_us = bench.on_air[0]
    assert end_us - start_us == airtime_us(17, 7, crc=True) > airtime_us(17, 7, crc=False)


def test_a_full_queue_is_a_collision(bench):
    answers = [bench.order(tmst=1_000_000 + 100_000 * i) for i in range(QUEUE_MAX + 1)]
    assert answers == ["NONE"] * QUEUE_MAX + ["COLLISION_PACKET"]


@pytest.mark.parametrize(
    ("wrong", "answer"),
    [
        ({"datr": "SF13BW125", "imme": True}, "TX_FREQ"),
        ({"data": "!", "imme": True}, "TX_FREQ"),
        ({"tmms": 1_400_000_000_000}, "GPS_UNLOCKED"),
        ({}, "GPS_UNLOCKED"),
    ],
)
def test_what_it_cannot_send_is_refused(bench, wrong, answer):
    assert bench.order(**wrong) == answer
    live(bench, 1)
    assert bench.on_air == []


def test_a_frame_of_a_gateway_that_failed_meanwhile_is_not_sent(bench):
    assert bench.order(tmst=1_000_000) == "NONE"
    bench.forwarder.power(up=False)
    live(bench, 2)
    assert bench.on_air == []


def heard(bench):
    frame = OnAir(3, PHY, 921_600_000, 7, 5, 16.0, 0, 1_000, lost=False)
    bench.forwarder.heard(frame, Heard(-100.0, 4.5))
    return msgspec.json.decode(bench.sent[-1][12:])


def test_a_frame_is_told_with_every_field_that_others_demand(bench):
    (rxpk,) = heard(bench)["rxpk"]
    assert rxpk.keys() >= {"tmst", "freq", "datr", "data", "rssi", "lsnr", "stat", "modu", "codr", "chan", "rfch", "size"}
    assert (rxpk["freq"], rxpk["datr"], rxpk["rssi"], rxpk["lsnr"], rxpk["stat"]) == (921.6, "SF7BW125", -100.0, 4.5, 1)


def test_an_acknowledged_frame_is_remembered_once_and_counted(bench):
    heard(bench)
    token = int.from_bytes(bench.sent[-1][1:3], "big")
    for _ in range(2):
        bench.forwarder.datagram_received(udp.encode_ack(udp.Kind.PUSH_ACK, token), SERVER)
    assert bench.forwarder.acknowledged == [(EUI, PHY)]
    assert bench.forwarder.counts == {"rxok": 1, "rxfw": 1, "pushed": 1, "acked": 1}


def test_counters_are_told_as_often_as_asked(bench):
    bench.forwarder.close()
    bench.forwarder.connection_made(bench)
    bench.forwarder.attach(SERVER, stat_s=30)
    heard(bench)
    live(bench, 31)
    stat = msgspec.json.decode(bench.sent[-1][12:])["stat"]
    assert (stat["time"], stat["rxnb"], stat["rxfw"]) == ("1970-01-01 00:00:30 GMT", 1, 1)


@pytest.mark.parametrize("datagram", [b"", b"\2\0\0\3{", b"\2\0\0\x09"])
def test_a_datagram_that_is_none_and_one_of_a_stranger_change_nothing(bench, datagram):
    count = len(bench.sent)
    bench.forwarder.datagram_received(datagram, SERVER)
    bench.forwarder.datagram_received(udp.encode_pull_resp(1, udp.TxPk(921.4, "SF7BW125", "AA==", 1, 16)), ("server", 99))
    assert len(bench.sent) == count
