"""A device and a network server joined by a virtual air.  Integer microseconds, no asyncio, no clock.

The air is perfect unless a test gives it a weather: `up(n)` lists the copies that gateways make of the n-th frame of the
device, `down(n)` tells whether the n-th frame of a gateway reaches the device.  Gateways have 32-bit counters of their
own; a frame for an instant that is already past is dropped, as a gateway does, and kept in `too_late`.

What must be stored is stored after each poll, before a frame leaves (`Store`); `restart_server` begins again from it.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from random import Random
from typing import Final, TypeVar

from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device.effects import Effect, Sense, Transmit, UplinkDone
from nyala.lorawan.device.mac import DeviceMac
from nyala.lorawan.device.procedure import Message
from nyala.lorawan.device.state import Activation, DeviceMemory, Identity
from nyala.lorawan.network.plan import NetworkPlan, indonesia
from nyala.lorawan.network.port import Downlink, DownlinkFate, Event, Reception, Refused, Transmission, TxResult, Uplink
from nyala.lorawan.network.schedule import UNSENT
from nyala.lorawan.network.server import NetworkServer
from nyala.lorawan.network.sessions import Root, Session, SessionRow, Sessions
from nyala.lorawan.regulation import Regulation

START_US: Final = 1_760_000_000_000_000
"""October 2025: any instant would do."""
SECOND: Final = 1_000_000
APP_KEY: Final = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
IDENTITY: Final = Identity(dev_eui=0x70B3D57ED0000001, join_eui=0x0000000000000001, app_key=APP_KEY)
DEV_ADDR: Final = 0x26011BDA
STEPS_LIMIT: Final = 200_000
"""A run that takes more steps than this turns on the spot."""
WRAP: Final = 1 << 32
RESULT_US: Final = 30_000
"""After a frame was handed to a gateway, until the server knows what the gateway says of it."""
Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Copy:
    """How one gateway hears a frame: which one, how long the way to the server takes, and how well."""

    gateway: int = 0
    delay_us: int = 20_000
    snr_db: float = 5.0


@dataclass(frozen=True)
class Gateway:
    """A gateway: its EUI and its counter at the beginning of time."""

    eui: int
    counter_us: int = 0


@dataclass
class Store:
    """What a server wrote: roots and session rows."""

    roots: dict[int, Root] = field(default_factory=dict)
    rows: dict[int, SessionRow] = field(default_factory=dict)

    def add(self, identity: Identity, *, dev_addr: int = DEV_ADDR, class_c: bool = True) -> None:
        key = AesKey(identity.app_key)
        self.roots[identity.dev_eui] = Root(identity.dev_eui, identity.join_eui, key, dev_addr, class_c)

    def take(self, sessions: Sessions) -> None:
        roots, rows, counted = sessions.take_changes()
        self.roots |= {root.dev_eui: replace(root) for root in roots}
        self.rows |= {row.dev_eui: row for row in rows}
        for each in counted:
            self.rows[each.dev_eui] = replace(self.rows[each.dev_eui], f_cnt_up=each.f_cnt_up, heard_by=each.heard_by)

    def sessions(self) -> Sessions:
        sessions = Sessions()
        for root in self.roots.values():
            sessions.add_root(replace(root))
        for row in self.rows.values():
            sessions.restore(row)
        return sessions


class Air:
    """One device, one network, some gateways, and everything that happened between them."""

    def __init__(
        self,
        plan: NetworkPlan | None = None,
        *,
        seed: int = 1,
        gateways: Sequence[Gateway] = (Gateway(0xA1),),
        class_c: bool = True,
        identity: Identity = IDENTITY,
        regulation: Regulation | None = None,
    ) -> None:
        self.now_us = START_US
        self.plan = plan or indonesia()
        self.gateways = tuple(gateways)
        self.random = Random(seed)
        self.identity, self.class_c, self.regulation = identity, class_c, regulation
        self.quiet: Callable[[int], bool] = lambda _: True
        """Whether the device hears nothing on a frequency when it listens before it talks."""
        self.memory = DeviceMemory()
        self.store = Store()
        self.store.add(IDENTITY, class_c=class_c)
        self.up: Callable[[int], Sequence[Copy]] = lambda _: [Copy(i) for i in range(len(self.gateways))]
        self.down: Callable[[int], bool] = lambda _: True
        self.says: Callable[[Transmission], TxResult | None] = lambda _: TxResult.OK
        """What a gateway says of a frame; None: it sends it and says nothing, ever."""
        self.sent: list[Transmit] = []
        self.ended_us: list[int] = []
        """When each frame of `sent` ended on the air."""
        self.effects: list[Effect] = []
        self.events: list[Event] = []
        self.on_air: list[tuple[int, int, Transmission]] = []
        """(begin, end, frame) of all that gateways sent."""
        self.activations: list[int] = []
        """The JoinNonce of the session in which each frame of `on_air` was sent."""
        self.heard_us: list[tuple[int, int]] = []
        """(begin, end) of all frames that the device was tuned to, of whatever became of them."""
        self.unheard_us: list[tuple[int, int]] = []
        """The same for frames that reached it and found it sending or listening elsewhere."""
        self.too_late: list[Transmission] = []
        self.refused_by_gateway: list[Transmission] = []
        """Frames that a gateway said it would not send."""
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._ids = count()
        self.restart_device()
        self.restart_server()

    # -- what happened

    def told(self, kind: type[Kind]) -> list[Kind]:
        """The device's effects of one kind."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def heard(self, kind: type[Kind]) -> list[Kind]:
        """The server's events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def payloads(self) -> list[bytes]:
        """What the server delivered, in order."""
        return [uplink.payload for uplink in self.heard(Uplink) if uplink.port is not None]

    @property
    def refusals(self) -> list[str]:
        """Why uplinks were refused, in order."""
        return [refused.reason.value for refused in self.heard(Refused)]

    @property
    def fates(self) -> list[tuple[object, str]]:
        """(token, fate) of the downlinks, in order."""
        return [(fate.token, fate.fate.value) for fate in self.heard(DownlinkFate)]

    @property
    def activation(self) -> Activation:
        """The device's session."""
        assert self.memory.activation is not None
        return self.memory.activation

    @property
    def session(self) -> Session:
        """The server's session of the device."""
        session = self.server.sessions.of_device(IDENTITY.dev_eui)
        assert session is not None
        return session

    # -- what a test does

    def restart_device(self) -> None:
        """A power cut: only the memory survives."""
        self.device = DeviceMac(
            self.identity, self.plan.region, self.memory, self.random, class_c=self.class_c, regulation=self.regulation
        )

    def restart_server(self) -> None:
        """The server's process ends and begins again from the store."""
        self.server = NetworkServer(self.plan, self.store.sessions())

    def run(self, seconds: float) -> None:
        """Lets time pass."""
        until_us = self.now_us + int(seconds * SECOND)
        for _ in range(STEPS_LIMIT):
            times = (self._queue[0][0] if self._queue else None, self.server.next_us, self.device.next_us)
            due = [(max(at_us, self.now_us), who) for who, at_us in enumerate(times) if at_us is not None]
            if not due or min(due)[0] > until_us:
                self.now_us = until_us
                return
            self.now_us, who = min(due)
            if who == 0:
                heapq.heappop(self._queue)[2]()
            elif who == 1:
                self.poll_server()
            else:
                self._device_did(self.device.poll(self.now_us))
        raise AssertionError("the run turns on the spot")

    def join(self) -> None:
        """Joins, at the first attempt in good weather."""
        self.device.start_join(self.now_us)
        for _ in range(600):
            self.run(1)
            if self.device.joined:
                return
        raise AssertionError("not joined within ten minutes")

    def ready(self) -> None:
        """Lets time pass until the device may send."""
        for _ in range(6000):
            if self.device.ready(self.now_us):
                return
            self.run(0.1)
        raise AssertionError("not ready within ten minutes")

    def say(self, payload: bytes = b"x", *, port: int | None = 10, confirmed: bool = False, token: object = None) -> None:
        """Begins an uplink as soon as the device may."""
        self.ready()
        self._device_did(self.device.send(Message(port, payload, confirmed, token), self.now_us))

    def send(self, payload: bytes = b"x", *, port: int | None = 10, confirmed: bool = False) -> UplinkDone:
        """Sends an uplink and lets its procedure end, repeats and all."""
        token = object()
        self.say(payload, port=port, confirmed=confirmed, token=token)
        self.ready()
        return next(done for done in self.told(UplinkDone) if done.token is token)

    def meet(self, plan_settles: int = 12) -> None:
        """Joins and exchanges uplinks until the network has nothing more to ask of the device."""
        self.join()
        for _ in range(plan_settles):
            self.send(b"hello")
        self.run(5)

    def order(self, payload: bytes, *, confirmed: bool = False, token: object = None, port: int = 20, retries: int = 0) -> None:
        """Enqueues a downlink."""
        self.server.enqueue(Downlink(IDENTITY.dev_eui, port, payload, confirmed, token, retries), self.now_us)

    def inject(self, phy: bytes, *, copy: Copy = Copy(), data_rate: int = 2, frequency_hz: int = 921_400_000) -> None:
        """Any bytes reach a gateway now, whoever sent them."""
        self._reception(phy, copy, self.now_us, frequency_hz, data_rate)

    def poll_server(self) -> None:
        """What the server does now; it stores before its frames leave."""
        events = self.server.poll(self.now_us)
        self.store.take(self.server.sessions)
        self.events += events
        for event in events:
            if isinstance(event, Transmission):
                self._transmit(event)

    # -- the air

    def _at(self, at_us: int, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (at_us, next(self._ids), action))

    def _device_did(self, effects: Sequence[Effect]) -> None:
        self.effects += effects
        for effect in effects:
            if isinstance(effect, Sense):
                self._at(effect.until_us, partial(self._listened, effect.frequency_hz))
            if isinstance(effect, Transmit):
                copies = self.up(len(self.sent))
                self.sent.append(effect)
                end_us = self.now_us + self.airtime_us(effect.phy, effect.data_rate, crc=True)
                self.ended_us.append(end_us)
                for copy in copies:
                    self._reception(effect.phy, copy, end_us, effect.frequency_hz, effect.data_rate)

    def _listened(self, frequency_hz: int) -> None:
        self._device_did(self.device.sensed(self.quiet(frequency_hz), self.now_us))

    def airtime_us(self, phy: bytes, data_rate: int, *, crc: bool) -> int:
        """Time on air in microseconds."""
        row = self.plan.region.data_rate(data_rate)
        return airtime_us(len(phy), row.sf, row.bandwidth_khz, crc=crc)

    def _reception(self, phy: bytes, copy: Copy, end_us: int, frequency_hz: int, data_rate: int) -> None:
        gateway = self.gateways[copy.gateway]
        reception = Reception(
            gateway=gateway.eui,
            phy=phy,
            received_us=end_us + copy.delay_us,
            frequency_hz=frequency_hz,
            data_rate=data_rate,
            rssi_dbm=-90.0,
            snr_db=copy.snr_db,
            tmst_us=(end_us + gateway.counter_us) % WRAP,
        )
        self._at(end_us + copy.delay_us, lambda: self.server.receive(reception, self.now_us))

    def _transmit(self, frame: Transmission) -> None:
        gateway = next(gateway for gateway in self.gateways if gateway.eui == frame.gateway)
        begin_us = self.now_us
        if frame.tmst_us is not None:
            ahead_us = (frame.tmst_us - self.now_us - gateway.counter_us) % WRAP
            if ahead_us > WRAP // 2:
                self.too_late.append(frame)
                self._result(frame, TxResult.TOO_LATE)
                return
            begin_us += ahead_us
        said = self.says(frame)
        self._result(frame, said)
        if said in UNSENT:
            self.refused_by_gateway.append(frame)
            return
        end_us = begin_us + self.airtime_us(frame.phy, frame.data_rate, crc=False)
        reaches = self.down(len(self.on_air))
        self.on_air.append((begin_us, end_us, frame))
        self.activations.append(self.server.sessions.root(IDENTITY.dev_eui).join_nonce)
        if reaches:
            self._at(begin_us, lambda: self._begins(frame, begin_us, end_us))

    def _result(self, frame: Transmission, result: TxResult | None) -> None:
        if result is not None:
            self._at(self.now_us + RESULT_US, lambda: self.server.transmitted(frame.number, result, self.now_us))

    def _begins(self, frame: Transmission, begin_us: int, end_us: int) -> None:
        heard = self.device.detect(frame.frequency_hz, frame.data_rate, begin_us, end_us)
        (self.heard_us if heard else self.unheard_us).append((begin_us, end_us))
        if heard:
            self._at(end_us, lambda: self._device_did(self.device.receive(frame.phy, 7.0, self.now_us)))
