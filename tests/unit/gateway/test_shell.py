"""What is waited for ends once, and each transmission goes over the protocol that last heard its gateway."""

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from nyala.gateway import awaited, known
from nyala.gateway.awaited import Awaited
from nyala.gateway.known import Gateways, Link
from nyala.gateway.shell import CompositeRadio, Outbox
from nyala.lorawan.network.port import TxResult
from tests.unit.gateway.datagrams import transmission


class AwaitedAgainstAModel(RuleBasedStateMachine):
    """The model is a list of (number, gateway, until)."""

    def __init__(self):
        super().__init__()
        self.awaited, self.model, self.now, self.number, self.ended = Awaited(), [], 0, 0, 0

    @rule(gateway=st.integers(1, 3), wait=st.integers(0, 20))
    def ordered(self, gateway, wait):
        self.number += 1
        self.awaited.add(self.number, transmission(gateway, number=self.number), self.now + wait)
        self.model.append((self.number, gateway, self.now + wait))

    @rule(gateway=st.integers(1, 3), back=st.integers(-1, 6))
    def answered(self, gateway, back):
        number = self.number - back
        expected = [row for row in self.model if row[:2] == (number, gateway)]
        found = self.awaited.take(number, gateway)
        assert (found is not None) == bool(expected)
        self.model = [row for row in self.model if row not in expected]

    @rule(passed=st.integers(0, 8))
    def time_passes(self, passed):
        self.now += passed
        over = sorted((until, number) for number, _, until in self.model if until <= self.now)
        assert [sent.number for sent in self.awaited.expired(self.now)] == [number for _, number in over]
        self.model = [row for row in self.model if row[2] > self.now]

    @invariant()
    def as_many_wait(self):
        assert len(self.awaited) == len(self.model)


TestAwaited = AwaitedAgainstAModel.TestCase


def test_beyond_the_limit_the_oldest_makes_room_and_counts_as_unanswered(monkeypatch):
    monkeypatch.setattr(awaited, "AWAITED_MAX", 2)
    outbox, results = Outbox(Gateways(), Counter()), []
    outbox.on_result = lambda sent, result: results.append((sent.number, result))
    for number in (1, 2, 3):
        outbox.ordered(number, transmission(number=number), 100)
    assert results == [(1, TxResult.NO_ANSWER)]


class Shell:
    """A protocol that keeps what it is to send."""

    def __init__(self, gateways):
        self.counts: Counter[str] = Counter()
        self.outbox = Outbox(gateways, self.counts)
        self.sent = []

    def transmit(self, sent):
        self.sent.append(sent)
        self.outbox.ordered(sent.number, sent, 10)
        return True


def test_a_transmission_goes_over_the_protocol_that_last_heard_its_gateway():
    gateways, results = Gateways(), []
    shells = {link: Shell(gateways) for link in Link}
    radio = CompositeRadio(gateways, shells, lambda sent, result: results.append((sent.number, result)))
    for number, link in enumerate((Link.STATION, Link.SEMTECH_UDP, Link.STATION), start=1):
        gateways.seen(7, link, 0)
        assert radio.transmit(transmission(7, number=number))
        assert shells[link].sent[-1].number == number
    assert [len(shells[link].sent) for link in (Link.STATION, Link.SEMTECH_UDP)] == [2, 1]
    shells[Link.STATION].outbox.answered(1, 7, TxResult.OK)
    radio.expire(10)
    assert results == [(1, TxResult.OK), (2, TxResult.NO_ANSWER), (3, TxResult.NO_ANSWER)]
    assert (gateways[7].tx_errors, gateways[7].tx[TxResult.OK]) == (2, 1)


def test_a_gateway_that_nobody_heard_is_no_path():
    results = []
    radio = CompositeRadio(Gateways(), {}, lambda sent, result: results.append((sent.number, result)))
    assert not radio.transmit(transmission(7, number=1))
    assert (results, radio.counts) == ([(1, TxResult.NO_PATH)], {"tx_no_path": 1})


def test_a_gateway_that_changes_its_protocol_is_offline_until_its_new_path_is_proven():
    gateways = Gateways()
    gateway = gateways.seen(7, Link.SEMTECH_UDP, 5)
    assert gateway is not None
    gateway.online_us = 5
    assert gateway.online(5 + known.SILENT_US - 1)
    assert not gateway.online(5 + known.SILENT_US)
    gateways.seen(7, Link.STATION, 6)
    assert not gateway.online(6)
