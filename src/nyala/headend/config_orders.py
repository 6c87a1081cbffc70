"""Orders of configuration: the same settings for many meters, one after another, stopped by refusals.  No I/O.

An order makes settings wanted (`headend/configuration.py` brings them) of its meters as the air has room: the next meter when
one of those before it has answered, or was silent once.  So a setting that meters refuse reaches few of them, and meters
that are away hold nobody up.  The shadow stays the truth; an order says who wanted it, when and why, and what became of each
meter: the history of a meter is the orders that it was in.  That a meter was told and its shadow are in one unit of work.

An order lives as campaigns of commands do (`headend/bulk_life.py`), without an expiry.  A limit on the power of many cuts
supplies as a disconnection does: it waits for a second person.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from nyala.headend.bulk import HISTORY_MAX, MEMBERS_MAX, Step
from nyala.headend.bulk_life import ENDED, ORDERS, TRANSITIONS, BulkEvent, BulkState, MemberState
from nyala.headend.configuration import Configuration
from nyala.headend.foreign.mapping import foreign_model
from nyala.headend.registry import ConfigShadow, MeterRecord, MeterState, Registry
from nyala.vocab.errors import BadArgumentError, CallerError, ConflictError, NotAllowedError, UnknownError
from nyala.vocab.reporting import decode_reporting, encode_reporting
from nyala.vocab.settings import Setting, SettingBlock

FRESH_MIN: Final = 16
"""Meters that are told for the first time at once: twice the exchanges that may be open below a gateway, so that none waits."""
FRESH_MAX: Final = 200
"""The same of an order that as many meters have taken already: bounds what is looked through."""
STOP_PCT: Final = 20
STOP_MIN: Final = 10
"""An order stops when more than so many per cent of those that ended, and of at least so many, have refused."""


@dataclass(slots=True)
class ConfigMember:
    """One meter of an order.  `versions`: what each kind of setting was called when it was told; empty before."""

    meter_id: int
    state: MemberState = MemberState.WAITING
    versions: dict[str, int] = field(default_factory=dict)
    text: str = ""


@dataclass(slots=True)
class ConfigOrder:
    """An order, as it is stored and followed.  A block without bytes: nothing is wanted of this kind any more."""

    id: int
    tenant_id: int
    name: str
    blocks: Mapping[Setting, bytes]
    created_us: int
    created_by: str
    reason: str
    state: BulkState = BulkState.AWAITING
    updated_us: int = 0
    stop_pct: int = STOP_PCT
    stop_min: int = STOP_MIN
    approved_by: str = ""
    forgiven_ended: int = 0
    """Members that had ended when a person let it go on after a stop: the rule counts from there."""
    forgiven_failed: int = 0
    key: str | None = None
    history: list[Step] = field(default_factory=list)
    members: dict[int, ConfigMember] = field(default_factory=dict)
    tally: Counter[MemberState] = field(default_factory=Counter, compare=False)
    """How many members stand where."""

    def __post_init__(self) -> None:
        for name, value, low, high in (("stop_pct", self.stop_pct, 0, 100), ("stop_min", self.stop_min, 1, MEMBERS_MAX)):
            if not low <= value <= high:
                raise BadArgumentError(f"{name} {value} is not {low}..{high}")


def needs_approval(kinds: Iterable[Setting], meters: int) -> bool:
    """Whether a second person has to agree."""
    return meters > 1 and Setting.LIMITER in kinds


HasSwitch = Callable[[MeterRecord], bool]
"""Whether a meter of ours has a supply switch."""


def any_switch(record: MeterRecord) -> bool:
    """A meter with a switch, whatever it is."""
    del record
    return True


class ConfigOrders:
    """The orders of one centre that have not ended, or have meters on the way."""

    def __init__(
        self,
        configuration: Configuration,
        registry: Registry,
        loaded: Iterable[ConfigOrder] = (),
        next_id: int = 1,
        has_switch: HasSwitch = any_switch,
    ) -> None:
        self.configuration = configuration
        self._registry, self._next_id, self._has_switch, self._now_us = registry, next_id, has_switch, 0
        self._orders = {order.id: order for order in loaded}
        self._waiting: dict[int, list[ConfigMember]] = {}
        """Of each order, the last one first."""
        self._told: dict[int, dict[int, ConfigMember]] = {}
        """meter -> order -> member that is on the way."""
        self._fresh: set[int] = set()
        self._changed: dict[int, ConfigOrder] = {}
        self._moved: dict[tuple[int, int], ConfigMember] = {}
        for order in self._orders.values():
            self._lay(order)

    def _lay(self, order: ConfigOrder) -> None:
        order.tally = Counter(member.state for member in order.members.values())
        self._waiting[order.id] = [m for m in order.members.values() if m.state is MemberState.WAITING][::-1]
        for member in order.members.values():
            if member.state is MemberState.ORDERED:
                self._told.setdefault(member.meter_id, {})[order.id] = member

    @property
    def next_us(self) -> int | None:
        """When `poll` has something to do: at once, or when something else has happened."""
        return 0 if any(map(self._goes_on, self._orders.values())) else None

    def _goes_on(self, order: ConfigOrder) -> bool:
        """Whether the next meter of an order is told now: as many are on the way as have taken it, so far as it goes well."""
        if order.state is not BulkState.RUNNING or not self._waiting[order.id]:
            return False
        most = min(max(order.tally[MemberState.VERIFIED], FRESH_MIN), FRESH_MAX)
        if len(self._fresh) >= most:
            self._fresh = {meter_id for meter_id in self._fresh if self.configuration.first_try(meter_id)}
        return len(self._fresh) < most

    def of_key(self, key: str) -> ConfigOrder | None:
        """The open order that was given with an idempotency key, or None."""
        return next((order for order in self._orders.values() if order.key == key), None)

    def check(self, record: MeterRecord, kinds: Iterable[Setting]) -> None:
        """NotAllowedError where a meter has nothing to be set."""
        if foreign_model(record.model) is not None:
            raise NotAllowedError(f"meter {record.serial}: a {record.model} takes no settings of ours")
        if Setting.LIMITER in kinds and not self._has_switch(record):
            raise NotAllowedError(f"meter {record.serial} ({record.model}) has no supply switch to limit with")

    # -- what people order

    def create(self, order: ConfigOrder, meter_ids: Sequence[int]) -> None:
        """Takes a new order over meters; BadArgumentError for none, or too many, and for a block that is too long.

        Its id and state are set here: one that needs a second person waits for him; one for a single meter is told at once.
        """
        if not 1 <= len(meter_ids) <= MEMBERS_MAX or not order.blocks:
            raise BadArgumentError(f"an order has settings, and 1 to {MEMBERS_MAX} meters, not {len(meter_ids)}")
        for body in order.blocks.values():
            SettingBlock(1, body)
        self._take(order, meter_ids)
        order.state = BulkState.AWAITING if needs_approval(order.blocks, len(meter_ids)) else BulkState.RUNNING
        kinds = ", ".join(kind.name.lower() for kind in order.blocks)
        self._note(order, order.created_us, order.created_by, f"{kinds} of {len(meter_ids)} meters: {order.reason}")
        if len(meter_ids) == 1 and order.state is BulkState.RUNNING:
            self._tell(order, self._waiting[order.id].pop(), order.created_us)

    def accept(self, order: ConfigOrder, meter_id: int, known: Iterable[bytes]) -> ConfigShadow:
        """Leaves one setting of a meter as the meter has it, and keeps who said so; as `Configuration.accept`."""
        [kind] = order.blocks
        shadow = self.configuration.accept(meter_id, kind, known, by=order.created_by, now_us=order.created_us)
        order.blocks = {kind: shadow.wanted}
        self._take(order, [meter_id])
        order.state = BulkState.DONE
        member = self._waiting.pop(order.id).pop()
        member.versions = {kind.name.lower(): shadow.version}
        self._put(order, member, MemberState.VERIFIED, "as the meter has it")
        self._note(order, order.created_us, order.created_by, order.reason)
        del self._orders[order.id]
        self._look_at(self._registry.state(meter_id), order.created_us)
        return shadow

    def _take(self, order: ConfigOrder, meter_ids: Sequence[int]) -> None:
        order.id, self._next_id = self._next_id, self._next_id + 1
        order.members = {meter_id: ConfigMember(meter_id) for meter_id in meter_ids}
        self._orders[order.id] = order
        self._lay(order)
        self._moved |= {(order.id, member.meter_id): member for member in order.members.values()}

    def say(self, order_id: int, event: BulkEvent, *, by: str, reason: str, now_us: int) -> ConfigOrder:
        """What a person says to an order.

        UnknownError for one that is over; NotAllowedError where who gave it approves it; ConflictError where it is too late.
        """
        assert event in ORDERS
        order = self._orders.get(order_id)
        if order is None:
            raise UnknownError("open order", order_id)
        if event is BulkEvent.APPROVE and by == order.created_by:
            raise NotAllowedError(f"order {order_id} was given by {by}: another person has to approve it")
        stopped = order.state is BulkState.STOPPED
        if not self._move(order, event, now_us, by, reason):
            raise ConflictError(f"order {order_id} is {order.state}: no {event}")
        if event is BulkEvent.APPROVE:
            order.approved_by = by
        if event is BulkEvent.RESUME and stopped:
            order.forgiven_ended, order.forgiven_failed = self._ended(order)
        if order.state in ENDED:
            for member in self._waiting[order.id]:
                self._put(order, member, MemberState.CANCELLED, f"order {order.state}")
            self._waiting[order.id] = []
            self._judge(order, now_us)
        return order

    # -- what time brings

    def poll(self, now_us: int) -> None:
        """Tells as many meters as there is room for, those of the oldest order first."""
        self._now_us = now_us
        for order in list(self._orders.values()):
            while self._goes_on(order):
                self._tell(order, self._waiting[order.id].pop(), now_us)

    def _tell(self, order: ConfigOrder, member: ConfigMember, now_us: int) -> None:
        meter_id, by = member.meter_id, order.created_by
        try:
            self.check(self._registry.meter(meter_id), order.blocks)
            config = self._registry.state(meter_id).config
            for kind, body in order.blocks.items():
                told = _with_slot(kind, config.get(kind, ConfigShadow()).wanted, body)
                shadow = self.configuration.want(meter_id, kind, told, by=by, now_us=now_us)
                member.versions[kind.name.lower()] = shadow.version
        except CallerError as error:
            self._put(order, member, MemberState.FAILED, str(error))
        else:
            self._fresh.add(meter_id)
            self._told.setdefault(meter_id, {})[order.id] = member
            self._put(order, member, MemberState.ORDERED, "")
            self._look_at(self._registry.state(meter_id), now_us)
        self._judge(order, now_us)

    def follow(self, states: Iterable[MeterState]) -> None:
        """Meters of which something has changed: those that have what was ordered, or refused it, end their members."""
        for state in states:
            if state.meter_id in self._told:
                self._look_at(state, self._now_us)

    def _look_at(self, state: MeterState, now_us: int) -> None:
        for order_id, member in list(self._told.get(state.meter_id, {}).items()):
            order = self._orders[order_id]
            end = _end_of(order.blocks, state.config)
            if end is None:
                continue
            del self._told[state.meter_id][order_id]
            if not self._told[state.meter_id]:
                del self._told[state.meter_id]
            self._put(order, member, *end)
            self._judge(order, now_us)

    def _judge(self, order: ConfigOrder, now_us: int) -> None:
        ended, failed = self._ended(order)
        ended, failed = ended - order.forgiven_ended, failed - order.forgiven_failed
        if not order.tally[MemberState.WAITING] and not order.tally[MemberState.ORDERED]:
            self._move(order, BulkEvent.ALL_ENDED, now_us, "", "")
            self._orders.pop(order.id, None)
            self._waiting.pop(order.id, None)
        elif ended >= order.stop_min and failed * 100 > ended * order.stop_pct:
            self._move(order, BulkEvent.TOO_MANY_FAILED, now_us, "", f"{failed} of {ended} failed")

    @staticmethod
    def _ended(order: ConfigOrder) -> tuple[int, int]:
        failed = order.tally[MemberState.FAILED]
        return order.tally[MemberState.VERIFIED] + failed, failed

    # -- changing

    def _put(self, order: ConfigOrder, member: ConfigMember, state: MemberState, text: str) -> None:
        order.tally[member.state] -= 1
        order.tally[state] += 1
        member.state, member.text = state, text
        self._moved[order.id, member.meter_id] = member

    def _move(self, order: ConfigOrder, event: BulkEvent, now_us: int, by: str, text: str) -> bool:
        state = TRANSITIONS.get((order.state, event))
        if state is None:
            return False
        order.state = state
        self._note(order, now_us, by, text)
        return True

    def _note(self, order: ConfigOrder, now_us: int, by: str, text: str) -> None:
        order.updated_us = now_us
        if len(order.history) < HISTORY_MAX:
            order.history.append(Step(now_us, order.state.value, by, text))
        self._changed[order.id] = order

    def take_changes(self) -> tuple[list[ConfigOrder], list[tuple[int, ConfigMember]]]:
        """What to store now: orders, and (order, member)."""
        orders, members = list(self._changed.values()), [(key[0], member) for key, member in self._moved.items()]
        self._changed, self._moved = {}, {}
        return orders, members


def is_wanted(kind: Setting, wanted: bytes, body: bytes) -> bool:
    """What was ordered is wanted still: a slot that a meter has (`slotting`) changes nothing of its reporting."""
    return wanted == _with_slot(kind, wanted, body)


def _with_slot(kind: Setting, wanted: bytes, body: bytes) -> bytes:
    """What is ordered, and the slot that a meter has of the same rhythm."""
    if kind is not Setting.REPORTING or not wanted or not body:
        return body
    old, new = decode_reporting(wanted), decode_reporting(body)
    return encode_reporting(replace(new, slot=old.slot)) if old.report_s == new.report_s else body


def _end_of(blocks: Mapping[Setting, bytes], config: Mapping[int, ConfigShadow]) -> tuple[MemberState, str] | None:
    """How a member ends whose meter stands so; None: it is on its way still."""
    shadows = {kind: config.get(kind, ConfigShadow()) for kind in blocks}
    for kind, body in blocks.items():
        if not is_wanted(kind, shadows[kind].wanted, body):
            return MemberState.CANCELLED, f"another {kind.name.lower()} was wanted before it had this one"
    for kind, shadow in shadows.items():
        if shadow.refused:
            return MemberState.FAILED, f"{kind.name.lower()}: {shadow.refused}"
    return (MemberState.VERIFIED, "") if all(shadow.in_step(kind) for kind, shadow in shadows.items()) else None
