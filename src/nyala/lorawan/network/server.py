"""The network server: receptions in, events out.  No socket, no clock, no store.

    receive(reception, now)    a copy of a frame from a gateway
    enqueue(downlink, now)     something the application wants sent
    poll(now)                  closes windows of deduplication, answers, sends what is due -> events
    next_us                    when poll has something to do
    sessions.take_changes()    what must be stored before the transmissions of the same poll leave

Transmissions come out of `poll` as events.  They may be put on the air only after the changes were stored: a downlink
counter or a nonce that was used and forgotten would be used again (law 5).
"""

from collections import Counter
from typing import Final

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.frame import FOPTS_MAX, FType, frame_type
from nyala.lorawan.network import commands
from nyala.lorawan.network.deduplication import Deduplicator, Group
from nyala.lorawan.network.downlink import (
    WINDOWS_OVER_US,
    Downlinks,
    build,
    data_windows,
    join_windows,
    payload_max,
)
from nyala.lorawan.network.join import join
from nyala.lorawan.network.plan import NetworkPlan
from nyala.lorawan.network.port import (
    Downlink,
    DownlinkFate,
    Event,
    Fate,
    JoinedDevice,
    Reception,
    Refusal,
    Refused,
    Uplink,
)
from nyala.lorawan.network.sessions import QUEUE_LIMIT, Session, Sessions
from nyala.lorawan.network.uplink import Identified, identify, payload_of
from nyala.vocab.errors import BadArgumentError, ConflictError, FrameError
from nyala.vocab.time import US_PER_S

DATA_OVERHEAD: Final = 13
PORTS: Final = range(1, 224)
"""FPorts of applications: 0 is the MAC's, 224 the certification's."""
NEVER_US: Final = 1 << 62


class NetworkServer:
    """One network: all its devices and gateways."""

    def __init__(self, plan: NetworkPlan, sessions: Sessions) -> None:
        self.plan, self.sessions = plan, sessions
        self.refusals: Counter[Refusal] = Counter()
        self._deduplicator = Deduplicator(plan.deduplication_us)
        self._downlinks = Downlinks(plan)
        self._due: dict[int, int] = {}
        self._began_us: int | None = None

    @property
    def duplicates(self) -> int:
        """Copies beyond the first, of all frames so far."""
        return self._deduplicator.duplicates

    @property
    def next_us(self) -> int | None:
        """When `poll` has something to do; None: never, until something comes in."""
        times = list(self._due.values())
        if self._deduplicator.next_us is not None:
            times.append(self._deduplicator.next_us)
        return min(times, default=None)

    def oldest_journal(self) -> int | None:
        """The smallest journal number that is not yet worked off; None: all are."""
        return self._deduplicator.oldest_journal()

    def receive(self, reception: Reception, now_us: int) -> None:
        """Takes a copy of a frame."""
        self._deduplicator.add(reception, now_us)

    def enqueue(self, downlink: Downlink, now_us: int) -> None:
        """Takes a downlink of the application; ConflictError where too many wait already."""
        session = self.sessions.of_device(downlink.dev_eui)
        if session is None:
            raise ConflictError(f"device {downlink.dev_eui:016x} has not joined")
        if downlink.port not in PORTS:
            raise BadArgumentError(f"FPort {downlink.port} is not an application's: 1 to 223")
        if len(session.queue) >= QUEUE_LIMIT:
            raise ConflictError(f"device {downlink.dev_eui:016x} has {QUEUE_LIMIT} downlinks waiting")
        session.queue.append(downlink)
        self._wake(downlink.dev_eui, now_us)

    def _wake(self, dev_eui: int, at_us: int) -> None:
        """Looks at a device at this instant, or earlier where something was due before."""
        self._due[dev_eui] = min(self._due.get(dev_eui, at_us), at_us)

    def cancel(self, dev_eui: int, token: object) -> bool:
        """Takes a downlink back that has not been sent; False where it is not waiting any more."""
        session = self.sessions.of_device(dev_eui)
        waiting = [] if session is None else [each for each in session.queue if each.token == token]
        for each in waiting:
            assert session is not None
            session.queue.remove(each)
        return bool(waiting)

    def poll(self, now_us: int) -> list[Event]:
        """Does what is due."""
        if self._began_us is None:
            self._began_us = now_us
        events: list[Event] = []
        for group in self._deduplicator.take_closed(now_us):
            events += self._group(group, now_us)
        for dev_eui in [dev_eui for dev_eui, at_us in self._due.items() if at_us <= now_us]:
            del self._due[dev_eui]
            events += self._class_c(dev_eui, now_us)
        for event in events:
            if isinstance(event, Refused):
                self.refusals[event.reason] += 1
        return events

    # -- uplinks

    def _group(self, group: Group, now_us: int) -> list[Event]:
        receptions = tuple(sorted(group.receptions, key=lambda r: (-r.snr_db, r.gateway)))
        phy = receptions[0].phy
        try:
            f_type = frame_type(phy)
        except FrameError as error:
            return [Refused(Refusal.NOT_A_FRAME, str(error), receptions)]
        if f_type is FType.JOIN_REQUEST:
            return self._join(phy, receptions, now_us)
        found = identify(phy, receptions, self.sessions)
        if isinstance(found, Refused):
            return [found]
        return self._data(found, receptions, now_us)

    def _join(self, phy: bytes, receptions: tuple[Reception, ...], now_us: int) -> list[Event]:
        joined = join(phy, receptions, self.sessions, self.plan)
        if isinstance(joined, Refused):
            return [joined]
        session, accept = joined
        first_us = min(reception.received_us for reception in receptions)
        events: list[Event] = [JoinedDevice(session.dev_eui, session.dev_addr, first_us)]
        windows = join_windows(self.plan, receptions[0].frequency_hz, receptions[0].data_rate)
        slot = self._downlinks.window_slot(receptions, windows, len(accept), now_us)
        if slot is not None:
            events.append(self._downlinks.place(slot, accept, None))
        return events

    def _data(self, found: Identified, receptions: tuple[Reception, ...], now_us: int) -> list[Event]:
        session, frame = found.session, found.frame
        session.last = receptions
        session.settings.data_rate = receptions[0].data_rate
        session.rx1_us = receptions[0].received_us + session.settings.rx_delay_s * US_PER_S
        session.windows_used = False
        if found.repeated:
            if frame.f_type.confirmed:
                return self._window(session, [], now_us, acknowledge=True)
            return [Refused(Refusal.REPEATED, f"device {session.dev_eui:016x}: FCnt {found.f_cnt}", receptions)]
        session.f_cnt_up = found.f_cnt + 1
        session.snr_db.append(receptions[0].snr_db)
        if session.heard:
            self.sessions.counted(session)
        else:
            session.heard = True
            self.sessions.changed(session)
        payload = payload_of(found)
        events: list[Event] = []
        try:
            asked = mac.decode(payload if frame.f_port == 0 else frame.f_opts, mac.UPLINK)
        except FrameError as error:
            events.append(Refused(Refusal.BAD_MAC_COMMAND, f"device {session.dev_eui:016x}: {error}", receptions))
            asked = []
        answers = commands.answer(asked, session, receptions, self.plan)
        if asked:
            self.sessions.changed(session)
        acknowledges = self._acknowledged(session, events) if frame.ack else None
        events += self._expired(session, now_us if session.class_c else NEVER_US)
        uplink = Uplink(
            dev_eui=session.dev_eui,
            f_cnt=found.f_cnt,
            port=frame.f_port,
            payload=b"" if frame.f_port == 0 else payload,
            confirmed=frame.f_type.confirmed,
            acknowledges=acknowledges,
            data_rate=receptions[0].data_rate,
            receptions=receptions,
            received_us=min(reception.received_us for reception in receptions),
        )
        events.append(uplink)
        repeated = any(isinstance(command, mac.STICKY) for command in asked)  # until a downlink comes, at a byte or two each
        confirmed, must = frame.f_type.confirmed, frame.adr_ack_req or repeated
        events += self._window(session, answers, now_us, acknowledge=confirmed, must_answer=must)
        if session.queue:
            self._wake(session.dev_eui, now_us)
        return events

    @staticmethod
    def _expired(session: Session, now_us: int) -> list[Event]:
        """The end of a wait for an acknowledgement, told once."""
        lost = session.outstanding
        if lost is None or now_us < session.outstanding_until_us:
            return []
        session.outstanding = None
        return [DownlinkFate(session.dev_eui, lost.token, Fate.NOT_ACKNOWLEDGED)]

    @staticmethod
    def _acknowledged(session: Session, events: list[Event]) -> object:
        outstanding = session.outstanding
        if outstanding is None:
            return None
        session.outstanding = None
        events.append(DownlinkFate(session.dev_eui, outstanding.token, Fate.ACKNOWLEDGED))
        return outstanding.token

    # -- downlinks

    def _window(
        self,
        session: Session,
        answers: list[mac.Command],
        now_us: int,
        *,
        acknowledge: bool = False,
        must_answer: bool = False,
    ) -> list[Event]:
        """A downlink in the windows of the uplink that just came, if there is anything to say."""
        candidates = commands.wanted(session, self.plan)
        if not (acknowledge or must_answer or answers or candidates or session.queue):
            session.asked = []
            return []
        best = session.last[0]
        windows = data_windows(self.plan, session, best.frequency_hz, best.data_rate)
        smallest = min(payload_max(self.plan, window.data_rate) for window in windows)
        answers_size = len(mac.encode(answers))
        requests = commands.ask(session, candidates, min(FOPTS_MAX, smallest + 1) - answers_size)  # no port without payload
        said = [*answers, *requests]
        room = smallest - len(mac.encode(said))
        too_long = [] if session.class_c else self._too_long(session)
        waiting = session.queue[0] if session.queue and self._may_send(session, session.queue[0], now_us) else None
        downlink = waiting if waiting is not None and len(waiting.payload) <= room else None
        if not (acknowledge or must_answer or said or downlink):
            return too_long
        size = DATA_OVERHEAD + len(mac.encode(said)) + (len(downlink.payload) if downlink else -1)
        slot = self._downlinks.window_slot(session.last, windows, size, now_us)
        if slot is None:
            session.asked = []
            return too_long
        if downlink is not None:
            session.queue.popleft()
        phy = build(session, downlink, acknowledges=acknowledge, commands=said, pending=bool(session.queue))
        session.windows_used = True
        placed = self._downlinks.place(slot, phy, downlink and downlink.token)
        return too_long + self._sent(session, downlink, [placed], now_us)

    def _too_long(self, session: Session) -> list[Event]:
        """Ends the downlinks at the head of the queue that no frame of RX2 holds."""
        limit, events = payload_max(self.plan, session.settings.rx2_data_rate), list[Event]()
        while session.queue and len(session.queue[0].payload) > limit:
            events.append(DownlinkFate(session.dev_eui, session.queue.popleft().token, Fate.TOO_LONG))
        return events

    def _may_send(self, session: Session, downlink: Downlink, now_us: int) -> bool:
        """One confirmed downlink may be outstanding at a time, one of before a restart included: its answer names nothing."""
        if not downlink.confirmed:
            return True
        return session.outstanding is None and not (session.restored and now_us < self._held_until_us)

    @property
    def _held_until_us(self) -> int:
        assert self._began_us is not None
        return self._began_us + self.plan.class_c_response_us

    def _sent(self, session: Session, downlink: Downlink | None, events: list[Event], now_us: int) -> list[Event]:
        self.sessions.changed(session)
        if downlink is None:
            return events
        if downlink.confirmed:
            session.outstanding = downlink
            # a class A device answers with its next uplink, whenever that is
            session.outstanding_until_us = now_us + self.plan.class_c_response_us if session.class_c else NEVER_US
            if session.class_c:
                self._wake(session.dev_eui, session.outstanding_until_us)
        if session.queue:
            self._wake(session.dev_eui, now_us)
        return [*events, DownlinkFate(session.dev_eui, downlink.token, Fate.SENT)]

    def _class_c(self, dev_eui: int, now_us: int) -> list[Event]:
        """What is due for one device: the end of a wait for an acknowledgement, and its queue by class C."""
        session = self.sessions.of_device(dev_eui)
        if session is None:
            return []
        events = self._expired(session, now_us)
        if session.outstanding is not None and session.class_c:
            self._wake(dev_eui, session.outstanding_until_us)
        if not session.queue or not (session.class_c and session.heard and session.last):
            return events
        downlink = session.queue[0]
        if not self._may_send(session, downlink, now_us):
            if session.outstanding is None:
                self._wake(dev_eui, self._held_until_us)
            return events
        over_us = session.rx1_us + US_PER_S + WINDOWS_OVER_US
        if not session.windows_used and now_us < session.rx1_us:
            sent = self._window(session, [], now_us)
            if sent:
                return events + sent
        if now_us < over_us:
            self._wake(dev_eui, over_us)
            return events
        too_long = self._too_long(session)
        if too_long:
            if session.queue:
                self._wake(dev_eui, now_us)
            return events + too_long
        slot = self._downlinks.class_c_slot(session, DATA_OVERHEAD + len(downlink.payload), now_us)
        if slot is None:
            return events
        if slot.start_us > now_us:
            self._wake(dev_eui, slot.start_us)
            return events
        session.queue.popleft()
        phy = build(session, downlink, pending=bool(session.queue))
        return events + self._sent(session, downlink, [self._downlinks.place(slot, phy, downlink.token)], now_us)
