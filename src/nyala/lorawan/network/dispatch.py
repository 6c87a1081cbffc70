"""The way down: queues of the application, windows of uplinks, class C, and what gateways say of the frames they were given.

A downlink goes into the windows of an uplink (class A), or, to a class C device that is through with its windows, at once into
RX2's channel.  TS001-1.0.4 sections 3, 4.3 and 17 (class C).

What a gateway certainly did not send goes on to the next window or gateway while time remains; what it may have sent
(`NO_ANSWER`) is not said again, but for the acknowledgement, MAC commands, and a confirmed payload within its retries.
Whatever is said again is built anew with the next counter: no FCntDown is on the air twice.  Only a join accept, which has
none, keeps its bytes.
"""

from collections import deque
from dataclasses import replace
from typing import Final

from nyala.lorawan.network.air import GUARD_US
from nyala.lorawan.network.asking import asked, holds_class_c
from nyala.lorawan.network.downlink import DATA_OVERHEAD, Said, build, compose, data_windows, payload_max, rxc
from nyala.lorawan.network.pending import Attempt, Reply, Waiting
from nyala.lorawan.network.plan import RETRIES_MAX, NetworkPlan
from nyala.lorawan.network.port import (
    Downlink,
    DownlinkFate,
    Event,
    Fate,
    Refusal,
    Refused,
    Transmission,
    TxResult,
    Urgency,
    Way,
)
from nyala.lorawan.network.schedule import UNSENT, Schedule, Slot
from nyala.lorawan.network.sessions import QUEUE_LIMIT, Session, Sessions
from nyala.lorawan.network.timers import Timers
from nyala.vocab.errors import BadArgumentError, ConflictError
from nyala.vocab.time import US_PER_S

PORTS: Final = range(1, 224)
"""FPorts of applications: 0 is the MAC's, 224 the certification's."""
ATTEMPTS_MAX: Final = 4_096
"""Frames whose result is awaited; of older ones nothing is asked any more."""
REFUSALS_MAX: Final = 8
"""How often gateways may refuse a downlink before its sender is told that it was not sent."""
ROUND_US: Final = US_PER_S
"""After all gateways refused a class C downlink, until they are asked again."""
NEVER_US: Final = 1 << 62


class Dispatch:
    """Everything that is to be sent."""

    def __init__(self, plan: NetworkPlan, sessions: Sessions) -> None:
        self.schedule = Schedule(plan)
        self._plan, self._sessions = plan, sessions
        self._timers = Timers()
        self._attempts: dict[int, Attempt] = {}
        self._failed: list[tuple[Attempt, TxResult]] = []
        self._failed_us: int | None = None
        self._open: deque[tuple[Session, Reply]] = deque()
        self._began_us: int | None = None

    @property
    def next_us(self) -> int | None:
        """When `poll` has something to do."""
        return self._timers.next_us if self._failed_us is None else self._failed_us

    # -- what comes in

    def way(self, session: Session, payload_bytes: int) -> Way | None:
        """How a payload would get to a device; None: no gateway hears it, or no data rate of its windows holds so much."""
        windows = data_windows(self._plan, session, 0, session.settings.data_rate)
        rates = [window.data_rate for window in windows if payload_bytes <= payload_max(self._plan, window.data_rate)]
        if not rates or not session.heard_by:
            return None
        first_us, last_us = (self.schedule.airtime_us(DATA_OVERHEAD + payload_bytes, rates[at]) for at in (0, -1))
        listens = session.class_c and session.heard and windows[-1].data_rate in rates and not holds_class_c(session)
        return Way(session.heard_by[0][0], first_us, last_us if listens else None)

    def enqueue(self, downlink: Downlink, now_us: int) -> None:
        """Takes a downlink of the application; ConflictError where too many wait already."""
        session = self._sessions.of_device(downlink.dev_eui)
        if session is None:
            raise ConflictError(f"device {downlink.dev_eui:016x} has not joined")
        if downlink.port not in PORTS:
            raise BadArgumentError(f"FPort {downlink.port} is not an application's: 1 to 223")
        if not 0 <= downlink.retries <= RETRIES_MAX:
            raise BadArgumentError(f"{downlink.retries} retries of a downlink; 0 to {RETRIES_MAX} are possible")
        before = sum(each.downlink.urgency <= downlink.urgency for each in session.queue)
        if before >= QUEUE_LIMIT:
            raise ConflictError(f"device {downlink.dev_eui:016x} has {QUEUE_LIMIT} downlinks waiting")
        session.queue.insert(before, Waiting(downlink))
        self._timers.wake(downlink.dev_eui, now_us)

    def cancel(self, dev_eui: int, token: object) -> bool:
        """Takes a downlink back; False where it was sent before, or is not there: it is not repeated any more."""
        session = self._sessions.of_device(dev_eui)
        if session is None:
            return False
        out = session.outstanding
        if out is not None and out.downlink.token == token:
            out.downlink = replace(out.downlink, retries=0)
        waiting = [each for each in session.queue if each.downlink.token == token]
        for each in waiting:
            session.queue.remove(each)
        return any(not each.told for each in waiting)

    def transmitted(self, number: int, result: TxResult, now_us: int) -> None:
        """What a gateway said of a frame; the first word about a frame counts."""
        attempt = self._attempts.pop(number, None)
        if attempt is None:
            return
        self.schedule.told(attempt.transmission, result, now_us)
        if result is not TxResult.OK:
            self._failed.append((attempt, result))
            self._failed_us = now_us

    # -- what goes out

    def poll(self, now_us: int) -> list[Event]:
        """What failed goes another way; then what is due by class C."""
        if self._began_us is None:
            self._began_us = now_us
        while self._open and self._open[0][1].over_us <= now_us:
            session, reply = self._open.popleft()
            if session.reply is reply:
                session.reply = None
        events: list[Event] = []
        failed, self._failed, self._failed_us = self._failed, [], None
        for attempt, result in failed:
            events += self._another_way(attempt, result, now_us)
        for dev_eui in sorted(self._timers.take(now_us), key=self._urgency):
            events += self._due(dev_eui, now_us)
        return events

    def _urgency(self, dev_eui: int) -> int:
        session = self._sessions.of_device(dev_eui)
        return session.queue[0].downlink.urgency if session is not None and session.queue else Urgency.LATER

    @staticmethod
    def _again(session: Session, waiting: Waiting) -> None:
        """Puts a downlink back in front of those of its urgency."""
        before = sum(each.downlink.urgency < waiting.downlink.urgency for each in session.queue)
        session.queue.insert(before, waiting)

    def uplink(self, session: Session, reply: Reply, now_us: int) -> list[Event]:
        """An uplink came: answers it in its windows, if there is anything to say."""
        session.reply = reply
        self._open.append((session, reply))
        events = self._answer(session, reply, now_us)
        if session.queue:
            self._timers.wake(session.dev_eui, now_us)
        return events

    def accept(self, dev_eui: int, reply: Reply, now_us: int) -> list[Event]:
        """A join accept in the windows of its request."""
        assert reply.accept is not None
        for window in reply.windows:
            slot = self.schedule.in_window(reply, window, len(reply.accept), now_us)
            if slot is not None:
                return [self._hand_over(slot, reply.accept, dev_eui, None, reply)]
        return []

    @staticmethod
    def acknowledged(session: Session) -> Waiting | None:
        """The confirmed downlink that an uplink acknowledges; its wait ends."""
        waiting, session.outstanding = session.outstanding, None
        return waiting

    def unacknowledged(self, session: Session, now_us: int) -> list[Event]:
        """An uplink came that acknowledges nothing: a class A device would have done so with it."""
        return self._expired(session, now_us if session.class_c else NEVER_US)

    # -- windows

    def _answer(self, session: Session, reply: Reply, now_us: int) -> list[Event]:
        events = [] if session.class_c else self._too_long(session, [window.data_rate for window in reply.windows])
        waiting = session.queue[0] if session.queue and self._may_send(session, session.queue[0], now_us) else None
        for window in reply.windows:
            said = compose(self._plan, session, reply, window, waiting, now_us)
            slot = self.schedule.in_window(reply, window, said.phy_bytes, now_us) if said is not None else None
            if said is not None and slot is not None:
                reply.used = True
                left = asked(session, said.requests)
                events += [self._left(session, str(request), reply) for request in left]
                return events + self._send(session, said, slot, reply, now_us)
        return events

    @staticmethod
    def _left(session: Session, request: str, reply: Reply) -> Event:
        detail = f"device {session.dev_eui:016x}: {request} was never answered and is not made again"
        return Refused(Refusal.MAC_IGNORED, detail, reply.receptions)

    def _too_long(self, session: Session, data_rates: list[int]) -> list[Event]:
        """Ends the downlinks at the head of the queue that no frame of these data rates holds."""
        limit, events = max(payload_max(self._plan, rate) for rate in data_rates), list[Event]()
        while session.queue and len(session.queue[0].downlink.payload) > limit:
            events.append(DownlinkFate(session.dev_eui, session.queue.pop(0).downlink.token, Fate.TOO_LONG))
        return events

    def _may_send(self, session: Session, waiting: Waiting, now_us: int) -> bool:
        """One confirmed downlink may be outstanding at a time, one of before a restart included: its answer names nothing."""
        if not waiting.downlink.confirmed:
            return True
        return session.outstanding is None and not (session.restored and now_us < self._held_until_us)

    @property
    def _held_until_us(self) -> int:
        assert self._began_us is not None
        return self._began_us + self._plan.class_c_response_us

    # -- class C

    def _due(self, dev_eui: int, now_us: int) -> list[Event]:
        """What is due for one device: the end of a wait for an acknowledgement, and its queue by class C."""
        session = self._sessions.of_device(dev_eui)
        if session is None:
            return []
        events = self._expired(session, now_us)
        if session.outstanding is not None and session.class_c:
            self._timers.wake(dev_eui, session.outstanding_until_us)
        if session.queue and session.class_c and session.heard and session.heard_by:
            events += self._class_c(session, now_us)
        return events

    def _class_c(self, session: Session, now_us: int) -> list[Event]:
        waiting, reply, dev_eui = session.queue[0], session.reply, session.dev_eui
        if not self._may_send(session, waiting, now_us):
            if session.outstanding is None:
                self._timers.wake(dev_eui, self._held_until_us)
            return []
        if reply is not None and not reply.used:
            sent = self._answer(session, reply, now_us)
            if sent:
                return sent
        quiet_us = max(session.busy_until_us, 0 if reply is None else reply.over_us)
        if now_us < quiet_us:
            self._timers.wake(dev_eui, quiet_us)
            return []
        if holds_class_c(session):
            return []  # the next uplink tells where it listens
        if now_us < waiting.downlink.with_uplink_until_us:  # and so all behind it
            self._timers.wake(dev_eui, waiting.downlink.with_uplink_until_us)
            return []
        where = rxc(self._plan, session)
        events = self._too_long(session, [where[1]])
        if events:
            if session.queue:
                self._timers.wake(dev_eui, now_us)
            return events
        said = Said(waiting)
        first = waiting.downlink.urgency is Urgency.AT_ONCE
        slot = self.schedule.at_once(session.heard_by, where, said.phy_bytes, now_us, waiting.tried, first=first)
        if slot is None:
            return self._no_gateway(session, waiting, now_us)
        if slot.start_us > now_us:
            self._timers.wake(dev_eui, slot.start_us)
            return []
        if first:
            over_us = slot.start_us + self.schedule.airtime_us(said.phy_bytes, slot.data_rate)
            self.schedule.listen(session.heard_by, over_us, session.settings.data_rate)
        return self._send(session, said, slot, None, now_us)

    def _no_gateway(self, session: Session, waiting: Waiting, now_us: int) -> list[Event]:
        """No gateway is left to ask: all of them again a while later, or the end."""
        waiting.refusals += not waiting.tried
        waiting.tried = ()
        if waiting.refusals >= REFUSALS_MAX:
            session.queue.remove(waiting)
            return [self._not_sent(session, waiting)]
        self._timers.wake(session.dev_eui, now_us + ROUND_US)
        return []

    # -- handing over, and what becomes of it

    def _send(self, session: Session, said: Said, slot: Slot, reply: Reply | None, now_us: int) -> list[Event]:
        waiting = said.waiting
        if waiting is not None:
            session.queue.remove(waiting)
        phy = build(session, said, pending=bool(session.queue))
        self._sessions.changed(session)
        over_us = slot.start_us + self.schedule.airtime_us(len(phy), slot.data_rate)
        if reply is None:
            session.busy_until_us = over_us + GUARD_US
        else:
            reply.over_us = max(reply.over_us, over_us)
        events: list[Event] = [self._hand_over(slot, phy, session.dev_eui, waiting, reply)]
        if waiting is None:
            return events
        waiting.sends += 1
        if waiting.downlink.confirmed:
            session.outstanding = waiting
            session.outstanding_until_us = now_us + self._plan.class_c_response_us if session.class_c else NEVER_US
            if session.class_c:
                self._timers.wake(session.dev_eui, session.outstanding_until_us)
        if session.queue:
            self._timers.wake(session.dev_eui, now_us)
        if not waiting.told:
            waiting.told = True
            events.append(DownlinkFate(session.dev_eui, waiting.downlink.token, Fate.SENT))
        return events

    def _hand_over(self, slot: Slot, phy: bytes, dev_eui: int, waiting: Waiting | None, reply: Reply | None) -> Transmission:
        token = None if waiting is None else waiting.downlink.token
        transmission = self.schedule.place(slot, phy, token, dev_eui)
        if len(self._attempts) >= ATTEMPTS_MAX:
            del self._attempts[next(iter(self._attempts))]
        self._attempts[transmission.number] = Attempt(transmission, waiting, reply)
        return transmission

    def _another_way(self, attempt: Attempt, result: TxResult, now_us: int) -> list[Event]:
        """A frame was not sent, or nobody knows: another window or gateway, as far as that is allowed."""
        transmission, waiting, reply = attempt.transmission, attempt.waiting, attempt.reply
        session = self._sessions.of_device(transmission.dev_eui)
        if session is None:
            return []
        events = [] if waiting is None else self._back(session, waiting, transmission.gateway, result)
        if reply is None and result in UNSENT:
            session.busy_until_us = now_us
        if reply is not None:
            assert transmission.delay_us is not None
            reply.tried.add((transmission.gateway, transmission.delay_us))
            reply.used = False
            if reply.accept is not None:
                return self.accept(session.dev_eui, reply, now_us)
            if session.reply is reply:
                session.asked = () if result in UNSENT else session.asked
                events += self._answer(session, reply, now_us)
        if session.queue:
            self._timers.wake(session.dev_eui, now_us)
        return events

    def _back(self, session: Session, waiting: Waiting, gateway: int, result: TxResult) -> list[Event]:
        """Puts a downlink back at the head of its queue where it may be sent again."""
        confirmed, unsent = waiting.downlink.confirmed, result in UNSENT
        if confirmed and session.outstanding is not waiting:
            return []  # acknowledged, or given up
        if not unsent and not (confirmed and waiting.sends <= waiting.downlink.retries):
            return []
        session.outstanding = None if confirmed else session.outstanding
        if unsent:
            waiting.sends -= 1
            waiting.refusals += 1
            waiting.tried += (gateway,)
            if waiting.refusals >= REFUSALS_MAX:
                return [self._not_sent(session, waiting)]
        self._again(session, waiting)
        return []

    @staticmethod
    def _not_sent(session: Session, waiting: Waiting) -> Event:
        return DownlinkFate(session.dev_eui, waiting.downlink.token, Fate.NOT_SENT)

    def _expired(self, session: Session, now_us: int) -> list[Event]:
        """The end of a wait for an acknowledgement: once more while retries remain, else told once."""
        lost = session.outstanding
        if lost is None or now_us < session.outstanding_until_us:
            return []
        session.outstanding = None
        if session.class_c and lost.sends <= lost.downlink.retries:
            self._again(session, lost)
            return []
        return [DownlinkFate(session.dev_eui, lost.downlink.token, Fate.NOT_ACKNOWLEDGED)]
