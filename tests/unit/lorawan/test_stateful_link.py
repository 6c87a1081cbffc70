"""The device's MAC against the real network server over one kind of channel at a time, with and without listening first.

Whatever the channel: counters only rise, each payload is delivered at most once, no window is violated.  Over the perfect
channel each is delivered exactly once; and over any, both sides agree about the settings once the air is quiet and clear.
"""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from nyala.lorawan.device.effects import Received, UplinkDone
from nyala.lorawan.device.mac import CLASS_C_RESP_TIMEOUT_US
from nyala.lorawan.frame import DataFrame
from nyala.lorawan.network.plan import NetworkPlan, indonesia
from nyala.lorawan.network.sessions import QUEUE_LIMIT
from nyala.lorawan.regulation import regulation
from tests.unit.lorawan.harness import SECOND, Air, Copy, Gateway

LBT = regulation("indonesia-lbt")
LISTENS = replace(LBT, sub_bands=tuple(replace(band, per_mille=1000) for band in LBT.sub_bands))
CHANNELS = {
    "perfect": ([[Copy(0)]], [True]),
    "lossy": ([[Copy(0)], [], [Copy(1, 30_000)]], [True, False, True, True]),
    "duplicating": ([[Copy(0), Copy(1, 50_000, -3.0), Copy(0, 60_000)]], [True]),
    "reordering": ([[Copy(0, 4_000_000)], [Copy(1)]], [True]),
    "delaying": ([[Copy(1, 650_000)], [Copy(0, 300_000), Copy(1, 900_000)]], [True]),
}
"""Copies of each uplink in turn, and whether each downlink arrives."""
PLANS = (
    indonesia(),
    replace(indonesia(), downlink_dwell=True, rx_delay_s=3),
    replace(indonesia(), rx1_dr_offset=1, rx2_data_rate=3, max_eirp_dbm=14),
)
QUIET_UPLINKS = 40
"""Uplinks over a clear air in which both sides must have come to agree."""
AGREED = ("data_rate", "tx_power", "nb_trans", "rx1_dr_offset", "rx2_data_rate", "rx_delay_s", "uplink_dwell", "downlink_dwell")
kinds = st.booleans()


class Link(RuleBasedStateMachine):
    """One device, two gateways, one server."""

    @initialize(
        channel=st.sampled_from(sorted(CHANNELS)),
        plan=st.sampled_from(PLANS),
        listens=st.booleans(),
        class_c=st.booleans(),
        nb_trans=st.integers(1, 3),
    )
    def meets(self, *, channel: str, plan: NetworkPlan, listens: bool, class_c: bool, nb_trans: int) -> None:
        self.channel = channel
        self.said: list[bytes] = []
        self.ordered: list[bytes] = []
        self.counters = (0,) * 4
        self.air = Air(
            plan, gateways=(Gateway(1, 77), Gateway(2, 4_294_960_000)), class_c=class_c, regulation=LISTENS if listens else None
        )
        self.air.join()
        self.air.send(b"first")
        self.air.activation.nb_trans = self.air.session.settings.nb_trans = nb_trans
        self.met = len(self.air.on_air)
        ups, downs = CHANNELS[channel]
        self.air.up = lambda n: ups[n % len(ups)]
        self.air.down = lambda n: downs[n % len(downs)]

    @rule(confirmed=kinds, ends=st.booleans())
    def device_speaks(self, *, confirmed: bool, ends: bool) -> None:
        payload = b"up %d" % len(self.said)
        self.said.append(payload)
        self.air.say(payload, confirmed=confirmed, token=payload)
        if ends:
            self.air.ready()

    @rule(confirmed=kinds)
    def application_orders(self, *, confirmed: bool) -> None:
        if len(self.air.session.queue) < QUEUE_LIMIT:
            payload = b"down %d" % len(self.ordered)
            self.ordered.append(payload)
            self.air.order(payload, confirmed=confirmed, token=payload)

    @rule(seconds=st.sampled_from([0.05, 0.2]))
    def device_wants_to_speak_while_it_is_spoken_to(self, seconds: float) -> None:
        self.air.run(3)
        self.application_orders(confirmed=False)
        self.air.run(seconds)
        self.device_speaks(confirmed=False, ends=False)

    @rule(seconds=st.sampled_from([0.05, 0.4, 1.5, 9.0]))
    def time_passes(self, seconds: float) -> None:
        self.air.run(seconds)

    @rule(busy=st.integers(0, 7))
    def channels_become_busy(self, busy: int) -> None:
        """Never all of them: a device that finds no channel says so, which is another test."""
        free_hz = 921_400_000 + 200_000 * (busy % 2)
        self.air.quiet = lambda hz: hz == free_hz or hz // 200_000 % 8 != busy

    @invariant()
    def counters_only_rise(self) -> None:
        activation, session = self.air.activation, self.air.session
        counters = (activation.f_cnt_up, activation.f_cnt_down, session.f_cnt_up, session.f_cnt_down)
        assert all(now >= before for now, before in zip(counters, self.counters, strict=True))
        assert session.f_cnt_up <= activation.f_cnt_up
        assert activation.f_cnt_down <= session.f_cnt_down
        used = [DataFrame.decode(frame.phy).f_cnt for _, _, frame in self.air.on_air[self.met :]]
        assert len(used) == len(set(used))
        self.counters = counters

    @invariant()
    def each_payload_is_delivered_at_most_once(self) -> None:
        ups = [payload for payload in self.air.payloads if payload.startswith(b"up")]
        downs = [received.payload for received in self.air.told(Received)]
        assert len(ups) == len(set(ups))
        assert set(ups) <= set(self.said)
        assert len(downs) == len(set(downs))
        assert set(downs) <= set(self.ordered)

    @invariant()
    def the_device_never_sends_into_its_windows_or_into_what_it_hears(self) -> None:
        air = self.air
        begins = [
            end - air.airtime_us(sent.phy, sent.data_rate, crc=True) for sent, end in zip(air.sent, air.ended_us, strict=True)
        ]
        for begin, before in zip(begins[1:], air.ended_us[:-1], strict=True):
            assert begin > before
            answered = any(before < heard < begin for heard, _ in air.heard_us)
            assert answered or begin >= before + (air.activation.rx_delay_s + 1) * SECOND
        for begin, end in zip(begins, air.ended_us, strict=True):
            assert not any(heard < end and begin < over for heard, over in air.heard_us)

    @invariant()
    def the_network_answers_in_the_windows(self) -> None:
        air, delay_s = self.air, self.air.activation.rx_delay_s
        windows = {end + seconds * SECOND for end in air.ended_us for seconds in (delay_s, delay_s + 1)}
        for begin, _, frame in air.on_air[self.met :]:
            assert frame.tmst_us is None or begin in windows

    @invariant()
    def an_uplink_ends_once(self) -> None:
        tokens = [done.token for done in self.air.told(UplinkDone) if done.token]
        assert len(tokens) == len(set(tokens))

    def teardown(self) -> None:
        if not hasattr(self, "air"):
            return
        air = self.air
        air.run(CLASS_C_RESP_TIMEOUT_US / SECOND * 2)
        air.ready()
        if self.channel == "perfect":
            self.everything_arrived()
        air.up, air.down = (lambda _: [Copy(0)]), (lambda _: True)
        for _ in range(QUIET_UPLINKS):
            air.send(b"")
            air.run(5)
            if self.differences() == {} and len(air.activation.channels) == 8:
                return
        raise AssertionError(f"still apart: {self.differences()}, {len(air.activation.channels)} channels")

    def everything_arrived(self) -> None:
        air = self.air
        assert [payload for payload in air.payloads if payload.startswith(b"up")] == self.said
        for _ in range(2 * QUEUE_LIMIT):
            if not air.session.queue:
                break
            air.send(b"")
            air.run(20)
        air.run(10)  # the last one may be on its way
        lost = len(self.ordered) - len(air.told(Received))
        assert 0 <= lost <= len(air.unheard_us)  # a class C frame may meet the device sending: that only
        for begin, end in air.unheard_us:
            assert any(
                begin < ended + (air.activation.rx_delay_s + 1.1) * SECOND and ended - SECOND < end for ended in air.ended_us
            )

    def differences(self) -> dict[str, tuple[object, object]]:
        activation, known = self.air.activation, self.air.session.settings
        pairs = {name: (getattr(activation, name), getattr(known, name)) for name in AGREED}
        enabled = tuple(index for index, channel in sorted(activation.channels.items()) if channel.enabled)
        pairs["channels"] = (enabled, tuple(known.channels))
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


TestLink = Link.TestCase
TestLink.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
