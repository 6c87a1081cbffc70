"""Multicast groups: one frame for many devices, through as few gateways as reach them all.  TS001-1.0.4 section 11.

    a group     address, keys, counter, channel, members.  An address is used once, so its counter begins once (law 5)
    a message   waits in the queue of its group; when its turn comes it is sealed, counted, and handed to each gateway
    a frame     is out when every gateway has sent it or failed; only then the next one is begun, so that no gateway puts
                counter n + 1 on the air while another still has n to send

Frames are unconfirmed, acknowledge nothing and carry no MAC commands; they go out at once (class C).  A gateway that says
it did not send is given the same bytes again, within `FRAME_US`; one that says nothing may have sent, and is not.

Which gateways: a greedy set cover over the members' last receptions, with a margin for the group's data rate.  Those that
a common device hears are staggered like all frames on a channel (`schedule`).  What waits in a queue is lost when the
process ends: whoever gave it knows by the missing `GroupSent`.  Not here: setting devices up (`packages`), GPS times.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.frame import COUNTER_LIMIT, DataFrame, FType, seal
from nyala.lorawan.network.adr import SNR_FLOOR_DB
from nyala.lorawan.network.dispatch import PORTS
from nyala.lorawan.network.downlink import payload_max
from nyala.lorawan.network.plan import NetworkPlan
from nyala.lorawan.network.port import GroupSent, Transmission, TxResult
from nyala.lorawan.network.schedule import UNSENT, Schedule
from nyala.lorawan.network.sessions import Sessions
from nyala.lorawan.network.timers import Timers
from nyala.vocab.errors import BadArgumentError, ConflictError, UnknownError
from nyala.vocab.time import US_PER_S

MC_ADDRS: Final = range(0x01FF_0000, 0x0200_0000)
"""Addresses of groups: the end of the 25 bits, which no device gets."""
GROUP_QUEUE_MAX: Final = 64
"""Messages that may wait in one group."""
MEMBERS_MAX: Final = 100_000
MARGIN_DB: Final = 5.0
"""Above the demodulation floor, from which on a gateway is taken to reach a device."""
FRAME_US: Final = 30 * US_PER_S
"""From the first gateway that took a frame, how long the others have for it."""
RETRY_US: Final = US_PER_S // 2
"""Until a gateway that refused a frame is given it again."""
ANSWER_US: Final = 5 * US_PER_S
"""After the end of a frame, how long a gateway may take to say what became of it."""


@dataclass(slots=True)
class MulticastGroup:
    """One group, as it is stored.  `f_cnt` is the next counter; `members` are DevEUIs; `ended`: only its address remains."""

    mc_addr: int
    nwk_s_key: AesKey
    app_s_key: AesKey
    frequency_hz: int
    data_rate: int
    members: tuple[int, ...]
    f_cnt: int = 0
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Cover:
    """Gateways that reach a group; members that only a weak way leads to, and those that were never heard."""

    gateways: tuple[int, ...]
    weak: tuple[int, ...]
    unheard: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Message:
    port: int
    payload: bytes
    token: object


@dataclass(slots=True)
class _Post:
    """A frame's way through one gateway."""

    rivals: tuple[int, ...]
    due_us: int
    transmission: Transmission | None = None
    length_us: int = 0
    end_us: int = 0
    told: bool = False
    failed: bool = False

    def over_us(self) -> int:
        """When there is nothing more to wait for."""
        return self.end_us if self.told else self.end_us + ANSWER_US


@dataclass(slots=True)
class _Frame:
    phy: bytes
    f_cnt: int
    token: object
    cover: Cover
    posts: dict[int, _Post]
    until_us: int | None = None


@dataclass(slots=True)
class _Lane:
    """A group and what is on its way to it."""

    group: MulticastGroup
    queue: deque[_Message] = field(default_factory=deque)
    frame: _Frame | None = None


class Multicast:
    """All groups of a network.  Frames may leave only after `take_changes` was stored."""

    def __init__(
        self, plan: NetworkPlan, sessions: Sessions, schedule: Schedule, groups: Iterable[MulticastGroup] = ()
    ) -> None:
        self._plan, self._sessions, self._schedule = plan, sessions, schedule
        self._lanes = {group.mc_addr: _Lane(group) for group in groups}
        self._changed: dict[int, MulticastGroup] = {}
        self._timers = Timers()
        self._waiting: dict[int, tuple[_Lane, _Post]] = {}
        """Who a gateway's word is for, by number of the transmission."""

    @property
    def next_us(self) -> int | None:
        """When `poll` has something to do."""
        return self._timers.next_us

    # -- groups

    def free_address(self) -> int:
        """An address that no group ever had; ConflictError where all are used up."""
        address = next((each for each in MC_ADDRS if each not in self._lanes), None)
        if address is None:
            raise ConflictError(f"all {len(MC_ADDRS)} multicast addresses are used up")
        return address

    def add(self, group: MulticastGroup) -> None:
        """Makes a new group; ConflictError for an address that was used before."""
        if group.mc_addr in self._lanes:
            raise ConflictError(f"multicast address {group.mc_addr:08x} was used before")
        if group.mc_addr not in MC_ADDRS or not 0 < len(group.members) <= MEMBERS_MAX:
            raise BadArgumentError(f"multicast group {group.mc_addr:08x} of {len(group.members)} members")
        sf = self._plan.region.data_rate(group.data_rate).sf
        if sf not in SNR_FLOOR_DB or payload_max(self._plan, group.data_rate) <= 0:
            raise BadArgumentError(f"data rate {group.data_rate} cannot be used for a multicast group")
        self._plan.regulation.sub_band(group.frequency_hz)
        self._lanes[group.mc_addr] = _Lane(group)
        self._changed[group.mc_addr] = group

    def drop(self, mc_addr: int) -> None:
        """Ends a group: what waits in it is not sent, and its address stays used."""
        lane = self._lane(mc_addr)
        lane.group.ended, lane.group.members, lane.frame = True, (), None
        lane.queue.clear()
        self._changed[mc_addr] = lane.group

    def group(self, mc_addr: int) -> MulticastGroup:
        """A group that has not ended; UnknownError."""
        return self._lane(mc_addr).group

    def take_changes(self) -> list[MulticastGroup]:
        """What to store now."""
        changed, self._changed = [replace(group) for group in self._changed.values()], {}
        return changed

    def _lane(self, mc_addr: int) -> _Lane:
        lane = self._lanes.get(mc_addr)
        if lane is None or lane.group.ended:
            raise UnknownError("multicast group", f"{mc_addr:08x}")
        return lane

    # -- gateways

    def airtime_us(self, phy_bytes: int, data_rate: int) -> int:
        """Time on air of a frame in microseconds."""
        return self._schedule.airtime_us(phy_bytes, data_rate)

    def cover(self, group: MulticastGroup, now_us: int) -> Cover:
        """The gateways that a frame for a group, of here or not yet, would go through now."""
        ways = self._ways(group)
        floor_db = SNR_FLOOR_DB[self._plan.region.data_rate(group.data_rate).sf] + MARGIN_DB
        reach: dict[int, tuple[int, ...]] = {}
        weak: list[int] = []
        for dev_eui, heard in ways.items():
            strong = tuple(gateway for gateway, snr_db in heard.items() if snr_db >= floor_db)
            if not strong:
                weak.append(dev_eui)
                strong = (max(heard, key=lambda gateway: (heard[gateway], -gateway)),)
            answering = tuple(gateway for gateway in strong if self._schedule.air(gateway).avoid_until_us <= now_us)
            reach[dev_eui] = answering or strong
        unheard = tuple(dev_eui for dev_eui in group.members if dev_eui not in ways)
        return Cover(self._greedy(reach), tuple(weak), unheard)

    def _ways(self, group: MulticastGroup) -> dict[int, dict[int, float]]:
        """SNR in dB by gateway, of the members that were heard."""
        sessions = ((dev_eui, self._sessions.of_device(dev_eui)) for dev_eui in group.members)
        return {eui: dict(session.heard_by) for eui, session in sessions if session is not None and session.heard_by}

    def _greedy(self, reach: Mapping[int, tuple[int, ...]]) -> tuple[int, ...]:
        """Gateway by gateway, the one that reaches most of those that are left; of equals the least loaded."""
        left, chosen = dict(reach), list[int]()
        while left:
            counts = Counter(gateway for gateways in left.values() for gateway in gateways)
            best = min(counts, key=lambda gateway: (-counts[gateway], self._schedule.air(gateway).load_us, gateway))
            chosen.append(best)
            left = {dev_eui: gateways for dev_eui, gateways in left.items() if best not in gateways}
        return tuple(chosen)

    # -- messages

    def enqueue(self, mc_addr: int, port: int, payload: bytes, token: object, now_us: int) -> None:
        """Takes a message for all members; ConflictError where too many wait already, or no counter is left."""
        lane = self._lane(mc_addr)
        limit = payload_max(self._plan, lane.group.data_rate)
        if port not in PORTS or len(payload) > limit:
            raise BadArgumentError(f"{len(payload)} bytes on FPort {port} for a group; at most {limit} on ports 1 to 223")
        if len(lane.queue) >= GROUP_QUEUE_MAX:
            raise ConflictError(f"multicast group {mc_addr:08x} has {GROUP_QUEUE_MAX} messages waiting")
        if lane.group.f_cnt + len(lane.queue) >= COUNTER_LIMIT - 1:
            raise ConflictError(f"multicast group {mc_addr:08x} has used all its counters")
        lane.queue.append(_Message(port, payload, token))
        self._timers.wake(mc_addr, now_us)

    def transmitted(self, number: int, result: TxResult, now_us: int) -> None:
        """What a gateway said of a frame; the first word counts, and none counts once the frame is over."""
        lane, post = self._waiting.pop(number, (None, None))
        if lane is None or post is None or post.transmission is None:
            return
        self._schedule.told(post.transmission, result, now_us)
        if result in UNSENT:
            post.transmission, post.due_us = None, now_us + RETRY_US
        else:  # a gateway speaks before it sends, or after it
            post.told, post.end_us = True, max(post.end_us, now_us + post.length_us)
        self._timers.wake(lane.group.mc_addr, now_us)

    def poll(self, now_us: int) -> list[GroupSent | Transmission]:
        """Hands over what is due, and tells which messages are through."""
        return [event for mc_addr in self._timers.take(now_us) for event in self._go_on(self._lanes[mc_addr], now_us)]

    def _go_on(self, lane: _Lane, now_us: int) -> list[GroupSent | Transmission]:
        events: list[GroupSent | Transmission] = []
        while lane.frame is not None or lane.queue:
            frame = lane.frame = lane.frame or self._begin(lane, now_us)
            for gateway, post in frame.posts.items():
                sent = self._move(lane, frame, gateway, post, now_us)
                events += [] if sent is None else [sent]
            open_posts = [post for post in frame.posts.values() if not self._over(post, now_us)]
            if open_posts:
                at_us = min(post.over_us() if post.transmission else post.due_us for post in open_posts)
                self._timers.wake(lane.group.mc_addr, max(at_us, now_us))
                break
            events.append(self._end(lane, frame))
        return events

    def _begin(self, lane: _Lane, now_us: int) -> _Frame:
        """Seals and counts the next message; one that no gateway can send takes no counter."""
        group, message = lane.group, lane.queue.popleft()
        cover = self.cover(group, now_us)
        together = [frozenset(heard) for heard in self._ways(group).values()]
        posts = {
            gateway: _Post(
                tuple(sorted({other for heard in together if gateway in heard for other in heard} - {gateway})), now_us
            )
            for gateway in cover.gateways
        }
        f_cnt, phy = group.f_cnt, b""
        if posts:
            frame = DataFrame(FType.UNCONFIRMED_DOWN, group.mc_addr, f_cnt, f_port=message.port, payload=message.payload)
            phy = seal(frame, group.nwk_s_key, group.app_s_key)
            group.f_cnt += 1
            self._changed[group.mc_addr] = group
        return _Frame(phy, f_cnt, message.token, cover, posts)

    def _move(self, lane: _Lane, frame: _Frame, gateway: int, post: _Post, now_us: int) -> Transmission | None:
        """Gives a gateway its frame when its turn has come."""
        if post.transmission is not None or post.failed or now_us < post.due_us:
            return None
        where, rivals = (lane.group.frequency_hz, lane.group.data_rate), tuple((other, 0.0) for other in post.rivals)
        slot = self._schedule.at_once(((gateway, 0.0), *rivals), where, len(frame.phy), now_us, post.rivals)
        if slot is None or (frame.until_us is not None and max(slot.start_us, now_us) > frame.until_us):
            post.failed = True
            return None
        if slot.start_us > now_us:
            post.due_us = slot.start_us
            return None
        frame.until_us = frame.until_us or now_us + FRAME_US
        post.transmission = self._schedule.place(slot, frame.phy, frame.token)
        post.length_us = self._schedule.airtime_us(len(frame.phy), lane.group.data_rate)
        post.end_us = now_us + post.length_us
        self._waiting[post.transmission.number] = lane, post
        return post.transmission

    @staticmethod
    def _over(post: _Post, now_us: int) -> bool:
        return post.failed or (post.transmission is not None and now_us >= post.over_us())

    def _end(self, lane: _Lane, frame: _Frame) -> GroupSent:
        """A message is through: forgets its frame."""
        lane.frame = None
        sent = {gateway: post.transmission for gateway, post in frame.posts.items() if post.transmission is not None}
        for transmission in sent.values():
            self._waiting.pop(transmission.number, None)
        missed = (*frame.cover.weak, *frame.cover.unheard)
        refused = tuple(gateway for gateway in frame.posts if gateway not in sent)
        return GroupSent(lane.group.mc_addr, frame.token, frame.f_cnt if frame.posts else None, tuple(sent), refused, missed)
