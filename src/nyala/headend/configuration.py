"""Configuration: what is wanted of each meter against what it reports, and the way from one to the other.

The wanted block of each kind stands in the shadow with the version that the meter last reported.  Where they differ, one
exchange after another brings them together, each from its first downlink to the answer of its commit:

    idle -> asking    the check of a meter that has wanted blocks is due: it is asked what it has
    idle -> sending   the parts of a block that are not there, one after another
    sending -> committing   the last part left
    committing -> idle      DONE: next kind; INCOMPLETE: the parts it names; WRONG_CHECKSUM: all of them; else refused

An exchange that ends without an answer is begun again later and later; after `ATTEMPTS_MAX` the meter rests until its next
check.  A meter that says hello or that had no supply is asked at once: one that was replaced or lost its memory is repaired.
A refused block is not sent again before another is wanted.  What is under way is not stored: after a crash the shadow says
what is left, and sending twice does no harm.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from heapq import heappop, heappush
from typing import Final

from nyala.headend.budget import Budget, Seats, Share
from nyala.headend.foreign.mapping import foreign_model
from nyala.headend.registry import ConfigShadow, MeterState, Registry
from nyala.lorawan.network.port import Downlink, DownlinkFate, Fate
from nyala.telegram import config, messages
from nyala.telegram.config import PART_HEADER, PART_ROOM, ConfigPart, ConfigReport
from nyala.telegram.kinds import Opcode, Port, Result
from nyala.telegram.messages import SEQUENCES, Answer, Command
from nyala.vocab.errors import ConflictError, NotAllowedError
from nyala.vocab.settings import VERSION_MAX, Setting, SettingBlock, checksum, short_check
from nyala.vocab.time import US_PER_S

OPEN_MAX: Final = 8
"""Exchanges that may be open at once below one gateway."""
ANSWER_US: Final = 30 * US_PER_S
"""From a downlink that left until the answer to the exchange is given up; a commit is answered at once."""
LEAVE_US: Final = 300 * US_PER_S
"""Until a downlink that does not leave ends the exchange: the meter has no session, or is of class A and silent."""
BACK_OFF_US: Final = 30 * US_PER_S
BACK_OFF_MAX_US: Final = 6 * 3_600 * US_PER_S
ATTEMPTS_MAX: Final = 12
"""Exchanges in a row without any progress, before a meter rests until its next check: a day and a half of trying."""
CHECK_US: Final = 24 * 3_600 * US_PER_S
"""How often a meter that has wanted blocks is asked what it has: drift that nobody told shows within a day."""
BUSY_US: Final = 600 * US_PER_S
"""A meter that gets its settings another way is looked at again after this long."""
HELLO_US: Final = 20 * US_PER_S
"""After a hello or a power failure: what the meter says by itself goes first."""
ROOMS: Final = (11, 11, 11, 53, 125, 242)
"""Bytes of a frame by the data rate that a meter was last heard at; tried first, and `PART_ROOM` where it was too long."""


class Stand(Enum):
    """Where the exchange with a meter stands."""

    IDLE = "idle"
    ASKING = "asking"
    SENDING = "sending"
    COMMITTING = "committing"


@dataclass(slots=True)
class _Work:
    """A meter with wanted blocks.  `next_us`: when something is due; entries of the heap for other instants are old."""

    next_us: int
    stand: Stand = Stand.IDLE
    kind: Setting = Setting.CALENDAR
    exchange: int = 0
    """Number of the newest exchange: fates of downlinks of earlier ones mean nothing."""
    sequence: int = 0
    left: list[tuple[int, int]] = field(default_factory=list)
    """Runs (offset, length) of the block that are to be sent."""
    waiting: int = 0
    """Downlinks that have not left yet."""
    attempts: int = 0
    hole: int = -1
    """The offset that the last answer named: it rises where parts arrive."""
    sent: tuple[Setting, int] | None = None
    """Kind and version of which every part was sent: a commit alone finds out what is missing."""
    must_ask: bool = False
    asked_us: int = 0
    small: bool = False
    """The larger frames did not fit."""


class Configuration:
    """The wanted blocks of all meters."""

    def __init__(self, registry: Registry, busy: Callable[[int], bool] = lambda _: False, budget: Budget | None = None) -> None:
        """`busy`: a meter gets its settings another way now."""
        self.exchanges = self.repaired = self.rested = 0
        self._registry, self._busy, self._budget = registry, busy, budget or Budget()
        self._work: dict[int, _Work] = {}
        self._heap: list[tuple[int, int]] = []
        self._seats = Seats(OPEN_MAX)
        for meter in registry:
            if self._wanted(meter.id):
                self._due(meter.id, 0)

    # -- the operator

    def want(self, meter_id: int, kind: Setting, body: bytes, *, by: str, now_us: int) -> ConfigShadow:
        """Wants a block of a meter; the same bytes as before are no new version.

        UnknownError for no such meter, NotAllowedError for another maker's, BadArgumentError for a block that is too long.
        """
        meter = self._registry.meter(meter_id)
        if foreign_model(meter.model) is not None:
            raise NotAllowedError(f"meter {meter.serial}: a {meter.model} takes no settings of ours")
        shadow = self._registry.state(meter_id).config.get(kind, ConfigShadow())
        block = SettingBlock(max(shadow.newest, shadow.version, shadow.reported_version) % VERSION_MAX + 1, body)
        if shadow.wanted == body:
            return shadow
        shadow = replace(shadow, version=block.version, newest=block.version, wanted=body, wanted_us=now_us, by=by)
        return self._changed(meter_id, kind, replace(shadow, refused="", was_in_step=False), now_us)

    def accept(self, meter_id: int, kind: Setting, known: Iterable[bytes], *, by: str, now_us: int) -> ConfigShadow:
        """Leaves a setting as the meter has it: the block of those `known` that it reported is wanted; else none any more.

        UnknownError for no such meter, ConflictError where the meter has what is wanted.
        """
        meter = self._registry.meter(meter_id)
        shadow = self._registry.state(meter_id).config.get(kind, ConfigShadow())
        if shadow.in_step(kind):
            raise ConflictError(f"meter {meter.serial} has the {kind.name.lower()} that is wanted")
        has, newest = shadow.reported_version, max(shadow.newest, shadow.version)
        told = (body for body in known if body and has)
        same = (body for body in told if short_check(kind, SettingBlock(has, body)) == shadow.reported_check)
        body = next(same, b"")
        shadow = replace(shadow, version=has if body else newest, newest=newest, wanted=body, wanted_us=now_us, by=by)
        return self._changed(meter_id, kind, replace(shadow, refused="", was_in_step=bool(body)), now_us)

    def _changed(self, meter_id: int, kind: Setting, shadow: ConfigShadow, now_us: int) -> ConfigShadow:
        """Something else is wanted: an exchange for this kind is over."""
        self._registry.touch(meter_id).config[kind] = shadow
        work = self._work.get(meter_id)
        if work is not None:
            work.attempts = 0
        if work is None or work.stand is Stand.IDLE or work.kind is kind:
            self._close(meter_id, now_us)
        return shadow

    def first_try(self, meter_id: int) -> bool:
        """Something is to be sent to a meter, or on its way, and it has not been silent yet."""
        work = self._work.get(meter_id)
        return work is not None and not work.attempts and next(self._drifted(meter_id), None) is not None

    def under_way(self, meter_id: int) -> tuple[Setting, int, int] | None:
        """(kind, bytes that were sent, all bytes) of the exchange that is open with a meter."""
        work = self._work.get(meter_id)
        if work is None or work.stand not in {Stand.SENDING, Stand.COMMITTING}:
            return None
        size = len(self._shadow(meter_id, work.kind).wanted)
        return work.kind, size - sum(length for _, length in work.left), size

    def ask(self, meter_id: int, now_us: int) -> None:
        """Asks a meter what it has, before anything is sent to it."""
        self._close(meter_id, now_us)
        self._work[meter_id].must_ask = True

    # -- time

    @property
    def next_us(self) -> int | None:
        """When `poll` has something to do."""
        while self._heap and not self._is_due(*self._heap[0]):
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _is_due(self, at_us: int, meter_id: int) -> bool:
        return self._work[meter_id].next_us == at_us

    def _due(self, meter_id: int, at_us: int) -> _Work:
        work = self._work.setdefault(meter_id, _Work(at_us))
        work.next_us = at_us
        heappush(self._heap, (at_us, meter_id))
        return work

    def _close(self, meter_id: int, next_us: int) -> None:
        """No exchange is open; the next one not before an instant."""
        work = self._due(meter_id, next_us)
        work.stand, work.left, work.waiting = Stand.IDLE, [], 0
        other = self._seats.leave(meter_id)
        if other is not None:
            self._due(other, 0)

    def poll(self, now_us: int) -> list[Downlink]:
        """Begins exchanges that are due and goes on with those under way."""
        downlinks: list[Downlink] = []
        while (due_us := self.next_us) is not None and due_us <= now_us:
            meter_id = heappop(self._heap)[1]
            downlinks += self._turn(meter_id, self._work[meter_id], now_us)
        return downlinks

    def _turn(self, meter_id: int, work: _Work, now_us: int) -> list[Downlink]:
        if work.stand is Stand.SENDING and not work.waiting:
            if now_us < self._free_us(meter_id):
                self._due(meter_id, self._free_us(meter_id))
                return []
            return [self._send(meter_id, work, now_us)]
        if work.stand is not Stand.IDLE:
            self._failed(meter_id, work, now_us)
            return []
        return self._begin(meter_id, work, now_us)

    def _begin(self, meter_id: int, work: _Work, now_us: int) -> list[Downlink]:
        if self._busy(meter_id):
            self._close(meter_id, now_us + BUSY_US)
            return []
        kind = next(self._drifted(meter_id), None)
        told_us = min((shadow.reported_us for shadow in self._wanted(meter_id).values()), default=now_us)
        if kind is None and not work.must_ask and now_us < told_us + CHECK_US:
            self._close(meter_id, told_us + CHECK_US)
            return []
        if not self._seats.take(meter_id, self._gateway(meter_id)):
            return []
        if now_us < self._free_us(meter_id):
            self._due(meter_id, self._free_us(meter_id))
            return []
        self.exchanges += 1
        work.exchange = self.exchanges
        if kind is None or work.must_ask:
            work.stand, work.asked_us = Stand.ASKING, now_us
            return [self._order(meter_id, work, now_us, Command(0, Opcode.CONFIG_ASK))]
        shadow = self._shadow(meter_id, kind)
        work.kind, work.stand = kind, Stand.SENDING
        if work.sent != (kind, shadow.version):
            work.left, work.hole = [(0, len(shadow.wanted))], -1
        return [self._send(meter_id, work, now_us)]

    def _failed(self, meter_id: int, work: _Work, now_us: int) -> None:
        """No answer in time."""
        work.attempts += 1
        if work.attempts >= ATTEMPTS_MAX:
            self.rested += 1
            work.attempts, work.must_ask = 0, True
            self._close(meter_id, now_us + CHECK_US)
        else:
            self._close(meter_id, now_us + min(BACK_OFF_US << work.attempts, BACK_OFF_MAX_US))

    # -- downlinks

    def _send(self, meter_id: int, work: _Work, now_us: int) -> Downlink:
        """The next part, or the commit behind the last."""
        shadow = self._shadow(meter_id, work.kind)
        if not work.left:
            work.stand, work.sent = Stand.COMMITTING, (work.kind, shadow.version)
            block = SettingBlock(shadow.version, shadow.wanted)
            check, length = checksum(work.kind, block), len(block.body)
            commit = Command(0, Opcode.CONFIG_COMMIT, setting=work.kind, length=length, version=block.version, check=check)
            return self._order(meter_id, work, now_us, commit)
        rate = min(self._registry.state(meter_id).data_rate, len(ROOMS) - 1)
        room = PART_ROOM if work.small else ROOMS[rate] - PART_HEADER
        offset, length = work.left.pop(0)
        size = min(length, room)
        if size < length:
            work.left.insert(0, (offset + size, length - size))
        part = ConfigPart(work.kind, shadow.version, offset, shadow.wanted[offset : offset + size])
        return self._downlink(meter_id, work, now_us, Port.CONFIG, config.encode_part(part))

    def _order(self, meter_id: int, work: _Work, now_us: int, command: Command) -> Downlink:
        state = self._registry.touch(meter_id)
        work.sequence = state.sequence = state.sequence % (SEQUENCES - 1) + 1
        payload = messages.encode_command(replace(command, sequence=work.sequence))
        return self._downlink(meter_id, work, now_us, Port.COMMAND, payload)

    def _downlink(self, meter_id: int, work: _Work, now_us: int, port: Port, payload: bytes) -> Downlink:
        dev_eui = self._registry.meter(meter_id).dev_eui
        work.waiting += 1
        self._budget.spend_at_once(Share.ORDERS, dev_eui, len(payload), now_us)
        self._due(meter_id, now_us + LEAVE_US)
        return Downlink(dev_eui, port, payload, token=("config", meter_id, work.exchange))

    def _gateway(self, meter_id: int) -> int:
        return self._budget.gateway(self._registry.meter(meter_id).dev_eui)

    def _free_us(self, meter_id: int) -> int:
        return self._budget.free_us(Share.ORDERS, self._gateway(meter_id))

    def not_taken(self, downlink: Downlink, now_us: int) -> None:
        """The network server could not take a downlink: the exchange is over."""
        found = self._of_token(downlink.token)
        if found is not None and found[1].stand is not Stand.IDLE:
            self._failed(*found, now_us)

    def fate(self, fate: DownlinkFate, now_us: int) -> None:
        """What the network says of a downlink of ours."""
        found = self._of_token(fate.token)
        if found is None or found[1].stand is Stand.IDLE:
            return
        meter_id, work = found
        match fate.fate:
            case Fate.SENT:
                work.waiting = max(work.waiting - 1, 0)
                more = work.stand is Stand.SENDING and not work.waiting
                self._due(meter_id, now_us if more else now_us + (LEAVE_US if work.waiting else ANSWER_US))
            case Fate.TOO_LONG:
                work.small = True
                self._close(meter_id, now_us)
            case Fate.NO_SESSION:
                self._failed(meter_id, work, now_us)
            case _:
                pass  # a part that was not sent is named by the answer to the commit

    def _of_token(self, token: object) -> tuple[int, _Work] | None:
        match token:
            case ("config", int(meter_id), int(exchange)):
                work = self._work.get(meter_id)
                return (meter_id, work) if work is not None and work.exchange == exchange else None
            case _:
                return None

    # -- what comes back

    def answer(self, meter_id: int, answer: Answer, now_us: int) -> None:
        """The answer to a commit."""
        work = self._work.get(meter_id)
        if work is None or work.stand is Stand.IDLE or answer.sequence != work.sequence:
            return
        state, shadow = self._registry.touch(meter_id), self._shadow(meter_id, work.kind)
        match answer.result:
            case Result.DONE:
                block = SettingBlock(shadow.version, shadow.wanted)
                self._told(state, work.kind, block.version, short_check(work.kind, block), now_us)
            case Result.INCOMPLETE:
                first, length = answer.detail >> 16, answer.detail & 0xFFFF
                self._again(meter_id, work, first, min(length, len(shadow.wanted) - first), now_us)
                return
            case Result.WRONG_CHECKSUM:
                work.sent = None
                self._failed(meter_id, work, now_us)
                return
            case _:
                text = answer.result.name.lower().replace("_", " ")
                state.config[work.kind] = replace(shadow, refused=text)
        work.attempts = 0
        self._close(meter_id, now_us)

    def _again(self, meter_id: int, work: _Work, first: int, length: int, now_us: int) -> None:
        """Sends what is missing, within the exchange, as long as the hole moves on."""
        if length <= 0 or first < work.hole or (first == work.hole and work.attempts + 1 >= ATTEMPTS_MAX):
            work.sent = None
            self._failed(meter_id, work, now_us)
            return
        work.attempts = work.attempts + 1 if first == work.hole else 0
        work.hole, work.stand, work.left, work.waiting = first, Stand.SENDING, [(first, length)], 0
        self._due(meter_id, now_us)

    def report(self, meter_id: int, report: ConfigReport, now_us: int) -> None:
        """What a meter has; kinds that are not ours are shown nowhere."""
        state = self._registry.touch(meter_id)
        for entry in report.entries:
            if entry.kind in set(Setting):
                self._told(state, Setting(entry.kind), entry.version, entry.check, now_us)
        work = self._work.get(meter_id)
        if work is None or work.stand in {Stand.SENDING, Stand.COMMITTING}:
            return
        if work.stand is Stand.ASKING:
            if any(shadow.reported_us < work.asked_us for shadow in self._wanted(meter_id).values()):
                return
            work.attempts, work.must_ask = 0, False
        self._close(meter_id, now_us)

    def _told(self, state: MeterState, kind: Setting, version: int, check: int, now_us: int) -> None:
        shadow = state.config.get(kind, ConfigShadow())
        was = shadow.in_step(kind)
        shadow = replace(shadow, reported_version=version, reported_check=check, reported_us=now_us)
        now = shadow.in_step(kind)
        state.config[kind] = replace(shadow, was_in_step=shadow.was_in_step or (now and bool(shadow.wanted)))
        self.repaired += now and not was

    def heard_anew(self, meter_id: int, now_us: int) -> None:
        """A meter said hello, or that its supply is back: what it has is asked for, and what was refused is tried again."""
        work = self._work.get(meter_id)
        if work is None:
            return
        work.must_ask, work.attempts, work.sent = True, 0, None
        state = self._registry.touch(meter_id)
        state.config = {kind: replace(shadow, refused="") for kind, shadow in state.config.items()}
        self._close(meter_id, now_us + HELLO_US)

    # -- the shadow

    def _shadow(self, meter_id: int, kind: Setting) -> ConfigShadow:
        return self._registry.state(meter_id).config[kind]

    def _wanted(self, meter_id: int) -> dict[Setting, ConfigShadow]:
        found = self._registry.state(meter_id).config
        return {Setting(kind): shadow for kind, shadow in sorted(found.items()) if shadow.wanted}

    def _drifted(self, meter_id: int) -> Iterator[Setting]:
        """Kinds that are to be sent."""
        wanted = self._wanted(meter_id).items()
        return (kind for kind, shadow in wanted if not shadow.in_step(kind) and not shadow.refused)
