"""The network server: receptions in, events out.  No socket, no clock, no store.

    receive(reception, now)            a copy of a frame from a gateway
    enqueue(downlink, now)             something the application wants sent
    transmitted(number, result, now)   what a gateway said of a transmission
    poll(now)                          closes windows of deduplication, answers, sends what is due -> events
    next_us                            when poll has something to do
    sessions.take_changes(), groups.take_changes()
                                       what must be stored before the transmissions of the same poll leave

What comes up is handled here, what goes down in `dispatch` and, for groups, in `multicast`.

Transmissions come out of `poll` as events.  They may be put on the air only after the changes were stored: a downlink
counter or a nonce that was used and forgotten would be used again (law 5).
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from nyala.lorawan import mac_commands as mac
from nyala.lorawan.frame import FType, frame_type
from nyala.lorawan.network import commands
from nyala.lorawan.network.deduplication import Deduplicator, Group
from nyala.lorawan.network.dispatch import Dispatch
from nyala.lorawan.network.downlink import data_windows, join_windows
from nyala.lorawan.network.history import remember
from nyala.lorawan.network.join import join
from nyala.lorawan.network.multicast import Multicast, MulticastGroup
from nyala.lorawan.network.pending import Reply
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
    TxResult,
    Uplink,
    Way,
)
from nyala.lorawan.network.sessions import Session, Sessions
from nyala.lorawan.network.uplink import Identified, identify, payload_of, way_back
from nyala.vocab.errors import FrameError

WINDOWS_OVER_US: Final = 150_000
"""After RX2 opened, until a class C device is surely back in RXC."""


class NetworkServer:
    """One network: all its devices and gateways."""

    def __init__(self, plan: NetworkPlan, sessions: Sessions, groups: Iterable[MulticastGroup] = ()) -> None:
        self.plan, self.sessions = plan, sessions
        self.refusals: Counter[Refusal] = Counter()
        self._deduplicator = Deduplicator(plan.deduplication_us)
        self._dispatch = Dispatch(plan, sessions)
        self.groups = Multicast(plan, sessions, self._dispatch.schedule, groups)

    @property
    def duplicates(self) -> int:
        """Copies beyond the first, of all frames so far."""
        return self._deduplicator.duplicates

    @property
    def next_us(self) -> int | None:
        """When `poll` has something to do; None: never, until something comes in."""
        times = (self._deduplicator.next_us, self._dispatch.next_us, self.groups.next_us)
        return min((each for each in times if each is not None), default=None)

    def oldest_journal(self) -> int | None:
        """The smallest journal number that is not yet worked off; None: all are."""
        return self._deduplicator.oldest_journal()

    def receive(self, reception: Reception, now_us: int) -> None:
        """Takes a copy of a frame."""
        self._deduplicator.add(reception, now_us)

    def way(self, dev_eui: int, payload_bytes: int) -> Way | None:
        """How a payload would get to a device; None: it cannot."""
        session = self.sessions.of_device(dev_eui)
        return None if session is None else self._dispatch.way(session, payload_bytes)

    def enqueue(self, downlink: Downlink, now_us: int) -> None:
        """Takes a downlink of the application; ConflictError where too many wait already."""
        self._dispatch.enqueue(downlink, now_us)

    def cancel(self, dev_eui: int, token: object) -> bool:
        """Takes a downlink back that has not been sent; False where it is not waiting any more."""
        return self._dispatch.cancel(dev_eui, token)

    def transmitted(self, number: int, result: TxResult, now_us: int) -> None:
        """What a gateway said of a transmission; the consequences come out of the next `poll`."""
        self._dispatch.transmitted(number, result, now_us)
        self.groups.transmitted(number, result, now_us)

    def poll(self, now_us: int) -> list[Event]:
        """Does what is due."""
        events: list[Event] = []
        for group in self._deduplicator.take_closed(now_us):
            events += self._group(group, now_us)
        events += self._dispatch.poll(now_us)
        events += self.groups.poll(now_us)
        for event in events:
            if isinstance(event, Refused):
                self.refusals[event.reason] += 1
        return events

    def _group(self, group: Group, now_us: int) -> list[Event]:
        receptions = tuple(sorted(group.receptions, key=lambda r: (-r.snr_db, r.gateway)))
        self._dispatch.schedule.heard(receptions)
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
        if found.repeated:
            return self._repeated(found, receptions, now_us)
        return self._data(found, receptions, now_us)

    def _join(self, phy: bytes, receptions: tuple[Reception, ...], now_us: int) -> list[Event]:
        joined = join(phy, receptions, self.sessions, self.plan)
        if isinstance(joined, Refused):
            return [joined]
        session = joined.session
        first_us = min(reception.received_us for reception in receptions)
        windows = join_windows(self.plan, receptions[0].frequency_hz, receptions[0].data_rate)
        if joined.again:  # RX1 belongs to the answer that is on its way
            events, windows = list[Event](), windows[1:]
        else:
            events = [JoinedDevice(session.dev_eui, session.dev_addr, first_us)]
        reply = Reply(receptions, windows, over_us=now_us, accept=joined.accept)
        return events + self._dispatch.accept(session.dev_eui, reply, now_us)

    def _repeated(self, found: Identified, receptions: tuple[Reception, ...], now_us: int) -> list[Event]:
        """The last frame again: its payload was delivered, but its sender has new windows."""
        session = found.session
        self._heard(session, receptions)
        events: list[Event] = []
        if not found.frame.f_type.confirmed:
            detail = f"device {session.dev_eui:016x}: FCnt {found.f_cnt}"
            events.append(Refused(Refusal.REPEATED, detail, receptions))
        reply = self._reply(session, receptions)
        reply.acknowledge = found.frame.f_type.confirmed
        return events + self._dispatch.uplink(session, reply, now_us)

    def _data(self, found: Identified, receptions: tuple[Reception, ...], now_us: int) -> list[Event]:
        session, frame = found.session, found.frame
        self._heard(session, receptions)
        missed = found.f_cnt - session.f_cnt_up if session.heard else 0
        session.history = remember(session.history, receptions[0].snr_db, missed)
        session.f_cnt_up, session.adr = found.f_cnt + 1, frame.adr
        if session.heard:
            self.sessions.counted(session)
        else:
            session.heard = True
            self.sessions.changed(session)
        payload = payload_of(found)
        said, events = self._commands(session, payload if frame.f_port == 0 else frame.f_opts, receptions)
        acknowledges = self._acknowledged(session, events) if frame.ack else None
        events += self._dispatch.unacknowledged(session, now_us)
        events.append(
            Uplink(
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
        )
        reply = self._reply(session, receptions)
        reply.answers, sticky = said
        reply.acknowledge, reply.must = frame.f_type.confirmed, frame.adr_ack_req or sticky
        return events + self._dispatch.uplink(session, reply, now_us)

    @staticmethod
    def _heard(session: Session, receptions: tuple[Reception, ...]) -> None:
        session.settings.data_rate = receptions[0].data_rate
        session.heard_by = way_back(session.heard_by, receptions)

    def _reply(self, session: Session, receptions: tuple[Reception, ...]) -> Reply:
        """The windows of an uplink; its own answers may have moved them."""
        windows = data_windows(self.plan, session, receptions[0].frequency_hz, receptions[0].data_rate)
        return Reply(receptions, windows, receptions[0].received_us + windows[-1].delay_us + WINDOWS_OVER_US)

    def _commands(
        self, session: Session, data: bytes, receptions: tuple[Reception, ...]
    ) -> tuple[tuple[tuple[mac.Command, ...], bool], list[Event]]:
        """(answers to what the device asks, whether it repeats answers until a downlink comes), and what is to be shown."""
        if not data:
            return ((), False), []
        who = f"device {session.dev_eui:016x}"
        try:
            said = mac.decode(data, mac.UPLINK)
        except FrameError as error:
            return ((), False), [Refused(Refusal.BAD_MAC_COMMAND, f"{who}: {error}", receptions)]
        outcome = commands.take(said, session, receptions, self.plan)
        if outcome.changed:
            self.sessions.changed(session)
        sticky = any(isinstance(command, mac.STICKY) for command in said)  # at a byte or two in every uplink
        shown: list[Event] = [Refused(reason, f"{who}: {detail}", receptions) for reason, detail in outcome.wrong]
        return (tuple(outcome.answers), sticky), shown

    def _acknowledged(self, session: Session, events: list[Event]) -> object:
        waiting = self._dispatch.acknowledged(session)
        if waiting is None:
            return None
        events.append(DownlinkFate(session.dev_eui, waiting.downlink.token, Fate.ACKNOWLEDGED))
        return waiting.downlink.token
