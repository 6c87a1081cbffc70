"""A relay order goes before everything: in the full queue of its meter, among the meters of a gateway, and for its answer."""

from itertools import pairwise
from random import Random

import pytest

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.frame import DataFrame, open_payload
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import Downlink, Event, Transmission, Urgency
from nyala.lorawan.network.schedule import ANSWER_BYTES, ANSWER_GAP_US
from nyala.lorawan.network.server import NetworkServer
from nyala.lorawan.network.sessions import QUEUE_LIMIT, Root, Session, Sessions, Settings
from nyala.vocab.errors import ConflictError

SECOND = 1_000_000
NOW = 1_000 * SECOND
GATEWAYS = ((0xA1, 9.0), (0xA2, 8.0))
KEY = AesKey(bytes(16))
DEVICES = 40


class Network:
    """Devices of class C that were heard before, all by the same gateways, and what leaves for them."""

    def __init__(self, gateways: int = 1) -> None:
        sessions = Sessions()
        for device in range(1, DEVICES + 1):
            sessions.add_root(Root(device, 1, KEY, device))
            sessions.start(Session(device, device, KEY, KEY, Settings(data_rate=5), heard=True, heard_by=GATEWAYS[:gateways]))
        self.server = NetworkServer(indonesia(), sessions)
        self.airtime_us = self.server._dispatch.schedule.airtime_us
        self.now_us = NOW
        self.left: list[tuple[Transmission, bytes]] = []

    def order(self, device: int, payload: bytes, urgency: Urgency, *, confirmed: bool = False) -> None:
        self.server.enqueue(Downlink(device, 20, payload, confirmed, payload, 0, urgency), self.now_us)

    def run(self, seconds: float) -> None:
        until_us = self.now_us + int(seconds * SECOND)
        while (due_us := self.server.next_us) is not None and due_us <= until_us:
            self.now_us = max(due_us, self.now_us)
            self.took(self.server.poll(self.now_us))
        self.now_us = until_us

    def took(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Transmission):
                frame = DataFrame.decode(event.phy)
                self.left.append((event, open_payload(frame, frame.f_cnt, KEY, KEY)))

    @property
    def said(self) -> list[bytes]:
        return [payload for _, payload in self.left]


def test_a_relay_order_overtakes_a_full_queue_of_its_meter():
    network = Network()
    for number in range(QUEUE_LIMIT):
        network.order(1, b"block %d" % number, Urgency.LATER)
    with pytest.raises(ConflictError):
        network.order(1, b"one more", Urgency.LATER)
    network.order(1, b"open", Urgency.AT_ONCE)
    network.order(1, b"read", Urgency.ASKED)
    network.run(60)
    assert network.said == [b"open", b"read", *(b"block %d" % number for number in range(QUEUE_LIMIT))]


def test_what_is_as_urgent_keeps_its_order_and_its_limit():
    network = Network()
    for number in range(QUEUE_LIMIT):
        network.order(1, b"%d" % number, Urgency.AT_ONCE)
    with pytest.raises(ConflictError, match=f"has {QUEUE_LIMIT} downlinks waiting"):
        network.order(1, b"one more", Urgency.AT_ONCE)
    network.run(60)
    assert network.said == [b"%d" % number for number in range(QUEUE_LIMIT)]


def test_a_relay_order_waits_for_one_frame_of_a_busy_gateway_and_not_for_its_queue():
    network = Network()
    for device in range(2, DEVICES + 1):
        network.order(device, b"part of a setting", Urgency.LATER)
    network.run(2)
    before = len(network.said)
    assert 2 < before < DEVICES / 2
    network.order(1, b"open", Urgency.AT_ONCE)
    network.run(1)
    assert network.said.index(b"open") - before <= 1
    network.run(60)
    assert len(network.said) == DEVICES


def test_orders_that_are_due_together_leave_by_their_urgency():
    network = Network()
    urgencies = [Urgency.LATER, Urgency.ASKED, Urgency.SOON, Urgency.AT_ONCE]
    for device, urgency in enumerate(urgencies, start=1):
        network.order(device, urgency.name.encode(), urgency)
    network.run(10)
    assert network.said == [urgency.name.encode() for urgency in sorted(urgencies)]


def test_who_hears_the_meter_is_silent_for_its_answer():
    network = Network(gateways=2)
    network.order(1, b"open", Urgency.AT_ONCE)
    for device in range(2, 6):
        network.order(device, b"part", Urgency.LATER)
    network.run(10)
    [(first, _), *others] = network.left
    over_us = first.start_us + network.airtime_us(len(first.phy), first.data_rate)
    assert min(each.start_us for each, _ in others) == over_us + ANSWER_GAP_US + network.airtime_us(ANSWER_BYTES, 5)


def test_relay_orders_that_come_together_leave_each_other_the_time_for_an_answer():
    network = Network()
    for device in range(1, 12):
        network.order(device, b"open %d" % device, Urgency.AT_ONCE, confirmed=True)
    network.run(20)
    starts = sorted(each.start_us for each, _ in network.left)
    assert len(starts) == 11
    took_us = network.airtime_us(len(network.left[0][0].phy), 2) + ANSWER_GAP_US + network.airtime_us(ANSWER_BYTES, 5)
    assert all(following - start >= took_us for start, following in pairwise(starts))
    assert starts[-1] - starts[0] < 11 * took_us


@pytest.mark.parametrize("seed", range(5))
def test_no_frame_is_planned_on_top_of_another_whatever_is_urgent(seed):
    network, random = Network(), Random(seed)
    for number in range(60):
        try:
            network.order(random.randint(1, DEVICES), b"%d" % number, random.choice(list(Urgency)))
        except ConflictError:
            continue
        network.run(random.random() * 0.2)
    network.run(120)
    assert len(network.said) == len(set(network.said)) == 60
    spans = sorted((each.start_us, len(each.phy), each.data_rate) for each, _ in network.left)
    for (start_us, length, rate), (following_us, _, _) in pairwise(spans):
        assert start_us + network.airtime_us(length, rate) < following_us
