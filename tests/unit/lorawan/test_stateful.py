"""Device and server over an air that loses, doubles, delays and reorders, with gateways that refuse, against a simple model.

Whatever happens: counters only rise on both sides, a payload is delivered at most once and as it was said, in the order
it was said, what is acknowledged was delivered, and a restart of either side from what it stored changes nothing.

An acknowledgement of LoRaWAN 1.0.x does not say what it acknowledges.  So this holds only while it comes before the next
confirmed frame is sent: a device boots longer than its windows are open, backhauls are faster than CLASS_C_RESP_TIMEOUT, and
a device that repeats its uplinks gets no confirmed downlinks here.
"""

from collections import Counter
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from nyala.lorawan.device.effects import Received, UplinkDone
from nyala.lorawan.frame import DataFrame
from nyala.lorawan.network.plan import indonesia
from nyala.lorawan.network.port import TxResult, Uplink
from nyala.lorawan.network.sessions import QUEUE_LIMIT, SessionRow
from tests.unit.lorawan.harness import IDENTITY, Air, Copy, Gateway

LOST: list[Copy] = []
WEATHERS = {
    "perfect": [Copy(0)],
    "lost": LOST,
    "doubled": [Copy(0), Copy(1, 60_000, -4.0)],
    "doubled by one gateway": [Copy(0), Copy(0, 21_000)],
    "late copy": [Copy(0), Copy(1, 700_000)],
    "slow": [Copy(1, 650_000)],
    "overtaken": [Copy(0, 3_000_000)],
}
weathers = st.lists(st.sampled_from(sorted(WEATHERS)), min_size=1, max_size=4)
kinds = st.sampled_from(["confirmed", "unconfirmed"])
downs = st.lists(st.booleans(), min_size=1, max_size=4)
says = st.lists(st.sampled_from([TxResult.OK, TxResult.OK, *TxResult, None]), min_size=1, max_size=4)


class Link(RuleBasedStateMachine):
    """One device, two gateways, one server."""

    def __init__(self) -> None:
        super().__init__()
        self.air = Air(replace(indonesia(), deduplication_us=200_000), gateways=(Gateway(1, 77), Gateway(2, 4_294_960_000)))
        self.said: list[bytes] = []
        self.ordered: dict[bytes, int] = {}
        """Each downlink that was ordered, and how often it may be heard."""
        self.counters = (0,) * 4
        self.nonces = (0, 0)
        self.session: bytes | None = None
        self.met = 0

    @initialize(nb_trans=st.integers(1, 3), f_cnt=st.sampled_from([0, 0xFFFD, 0x1FFFE]))
    def meets(self, nb_trans: int, f_cnt: int) -> None:
        self.air.meet()
        self.said += self.air.payloads
        activation, session = self.air.activation, self.air.session
        activation.nb_trans = nb_trans
        activation.f_cnt_up = session.f_cnt_up = f_cnt or activation.f_cnt_up
        activation.f_cnt_down = session.f_cnt_down = f_cnt or activation.f_cnt_down
        self.met = len(self.air.on_air)
        self.air.server.sessions.changed(session)
        self.air.store.take(self.air.server.sessions)

    @rule(up=weathers, down=downs, told=says)
    def weather_changes(self, up: list[str], down: list[bool], told: list[TxResult | None]) -> None:
        self.air.up = lambda n: WEATHERS[up[n % len(up)]]
        self.air.down = lambda n: down[n % len(down)]
        self.air.says = lambda frame: told[frame.number % len(told)]

    @precondition(lambda self: self.air.device.joined)
    @rule(kind=kinds, ends=st.sampled_from(["at once", "after its windows"]))
    def device_speaks(self, kind: str, ends: str) -> None:
        payload = b"up %d" % len(self.said)
        self.said.append(payload)
        self.air.say(payload, confirmed=kind == "confirmed", token=payload)
        if ends == "after its windows":
            self.air.ready()

    @precondition(lambda self: len(self.air.session.queue) < QUEUE_LIMIT)
    @rule(kind=kinds, retries=st.integers(0, 2))
    def application_orders(self, kind: str, retries: int) -> None:
        payload = b"down %d" % len(self.ordered)
        once = self.air.memory.activation is None or self.air.activation.nb_trans == 1
        confirmed = once and kind == "confirmed"
        self.ordered[payload] = 1 + retries * confirmed
        self.air.order(payload, confirmed=confirmed, token=payload, retries=retries)

    @rule(seconds=st.sampled_from([0.05, 0.4, 1.5, 9.0]))
    def time_passes(self, seconds: float) -> None:
        self.air.run(seconds)

    @rule(which=st.integers(0, 40), gateway=st.integers(0, 1))
    def somebody_replays_an_uplink(self, which: int, gateway: int) -> None:
        self.air.run(12)
        self.air.inject(self.air.sent[which % len(self.air.sent)].phy, copy=Copy(gateway))
        self.air.run(12)

    @precondition(lambda self: self.air.device.idle)
    @rule(which=st.integers(0, 40))
    def somebody_replays_a_downlink(self, which: int) -> None:
        phy = self.air.on_air[which % len(self.air.on_air)][2].phy
        heard = len(self.air.told(Received))
        if self.air.device.detect(921_400_000, 2, self.air.now_us, self.air.now_us + 1):
            known = DataFrame.decode(phy).f_cnt if phy[0] != 0x20 else None
            effects = self.air.device.receive(phy, 5.0, self.air.now_us)
            self.air.effects += effects  # a frame that was lost before is new to the device: it may be taken once
            assert known is not None or not effects
        assert len(self.air.told(Received)) - heard <= 1

    @rule(which=st.integers(0, 40), bit=st.integers(0, 8 * 20))
    def a_bit_flips(self, which: int, bit: int) -> None:
        phy = bytearray(self.air.sent[which % len(self.air.sent)].phy)
        phy[bit // 8 % len(phy)] ^= 1 << bit % 8
        self.air.inject(bytes(phy))
        self.air.run(0.25)
        assert all(heard.phy != bytes(phy) for up in self.air.heard(Uplink) for heard in up.receptions)

    @rule()
    def server_restarts(self) -> None:
        before = SessionRow.of(self.air.session)
        self.air.restart_server()
        after = SessionRow.of(self.air.session)
        # a repeated frame tells of data rate and way back, and nothing that must be stored
        learned = {"data_rate": before.settings["data_rate"]}
        assert replace(after, settings=after.settings | learned, heard_by=before.heard_by) == before

    @rule()
    def device_restarts(self) -> None:
        self.air.restart_device()
        self.air.run(3)

    @rule()
    def device_joins_again(self) -> None:
        self.air.run(15)
        if self.air.device.idle:
            self.air.up, self.air.down = (lambda _: WEATHERS["perfect"]), (lambda _: True)
            self.air.says = lambda _: TxResult.OK
            self.air.device.start_join(self.air.now_us)
            self.air.run(15)
            assert self.air.device.joined

    @invariant()
    def counters_only_rise(self) -> None:
        root, memory = self.air.store.roots[IDENTITY.dev_eui], self.air.memory
        nonces = (memory.dev_nonce, root.join_nonce)
        assert all(now >= before for now, before in zip(nonces, self.nonces, strict=True))
        assert root.dev_nonce < memory.dev_nonce or not self.nonces[0]
        self.nonces = nonces
        if memory.activation is None or self.air.session.nwk_s_key.value != memory.activation.nwk_s_key.value:
            return
        activation, session = memory.activation, self.air.session
        counters = (activation.f_cnt_up, activation.f_cnt_down, session.f_cnt_up, session.f_cnt_down)
        if self.session == activation.nwk_s_key.value:
            assert all(now >= before for now, before in zip(counters, self.counters, strict=True))
        assert session.f_cnt_up <= activation.f_cnt_up
        assert activation.f_cnt_down <= session.f_cnt_down
        self.session, self.counters = activation.nwk_s_key.value, counters

    @invariant()
    def uplinks_are_delivered_at_most_once_in_order_and_as_they_were_said(self) -> None:
        delivered = [payload for payload in self.air.payloads if payload.startswith(b"up")]
        places = [self.said.index(payload) for payload in delivered]
        assert places == sorted(set(places))

    @invariant()
    def downlinks_are_delivered_as_they_were_ordered_and_once_but_for_retries(self) -> None:
        delivered = Counter(received.payload for received in self.air.told(Received))
        assert delivered.keys() <= self.ordered.keys()
        assert all(times <= self.ordered[payload] for payload, times in delivered.items())

    @invariant()
    def what_is_acknowledged_was_delivered(self) -> None:
        got_down = {received.payload for received in self.air.told(Received)}
        assert {token for token, fate in self.air.fates if fate == "acknowledged"} <= got_down
        assert len(self.air.fates) == len(set(self.air.fates))
        ends = Counter(token for token, fate in self.air.fates if fate != "sent")
        assert all(times == 1 for times in ends.values())
        assert {done.token for done in self.air.told(UplinkDone) if done.acknowledged} <= set(self.air.payloads)

    @invariant()
    def no_downlink_counter_is_used_twice(self) -> None:
        used = [
            (activation, DataFrame.decode(frame.phy).f_cnt)
            for activation, (_, _, frame) in zip(self.air.activations[self.met :], self.air.on_air[self.met :], strict=True)
            if frame.phy[0] != 0x20
        ]
        assert len(used) == len(set(used))


TestLink = Link.TestCase
TestLink.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
