"""Notifications in the store: who is to be told, the outbox, and what storms remember.

`Notifications` is the `Outbox` of `headend/notify`; the functions are those of the API.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, func, select, update

from nyala.headend.notify import (
    AlarmNoted,
    CentreAlarm,
    Happened,
    Message,
    MessageState,
    Remembered,
    Target,
    TargetKind,
    bodies,
    moved,
    trial_body,
)
from nyala.headend.ports import AlarmCleared, AlarmRaised
from nyala.headend.storms_shapes import Taken
from nyala.store import alarms, incidents, schema, schema_notices
from nyala.store.engine import writing
from nyala.store.gateways import all_gateways
from nyala.store.ingest import insert_new
from nyala.store.keys import KeyRing, ring_of
from nyala.store.meters import PAGE_MAX
from nyala.vocab.centre_alarms import GATEWAY_SILENT, SILENT
from nyala.vocab.errors import BadArgumentError, ConflictError, UnknownError
from nyala.vocab.time import DAY_S, US_PER_S

TARGETS_MAX: Final = 50
"""Targets of one tenant."""
WAITING_MAX: Final = 10_000
"""Messages that may wait for one target; further ones are dead at once, which is shown."""
KEPT_DAYS: Final = 90
"""How long a delivered message stays in the list."""
LOST: Final = "the centre ended while it was being sent"
REMOVED: Final = "its target was removed"
FULL: Final = f"{WAITING_MAX} messages wait for this target already"
_change, _target, _outbox, _alarm = (
    schema_notices.alarm_change,
    schema_notices.notify_target,
    schema_notices.notify_outbox,
    schema.meter_alarm,
)


class Notifications:
    """The outbox of a running centre."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def remembered(self) -> Remembered:
        """Everything at the start."""
        with self._engine.connect() as connection:
            found = incidents.open_incidents(connection)
            silent = select(_alarm.c.meter_id, _alarm.c.raised_s).where(_alarm.c.alarm == SILENT, _alarm.c.cleared_s.is_(None))
            return Remembered(
                incidents=found,
                entries=incidents.open_entries(connection),
                next_incident=incidents.next_incident(connection),
                silent={meter_id: raised_s for meter_id, raised_s in connection.execute(silent)},  # noqa: C416 - rows are no tuples to mypy
                down=sorted({each.place for each in found if each.alarm == GATEWAY_SILENT}),
                gateways={line.eui: line.last_seen_us for line in all_gateways(connection)},
            )

    def noted(self, limit: int) -> list[AlarmNoted]:
        """The oldest changes that are not worked off."""
        with self._engine.connect() as connection:
            return [AlarmNoted(*row) for row in connection.execute(select(_change).order_by(_change.c.id).limit(limit))]

    def keep(self, taken: Taken, upto: int, centre: list[CentreAlarm], now_us: int) -> None:
        """Stores what changes up to this number led to, and the messages for whoever is to be told."""
        with writing(self._engine) as connection:
            incidents.write(connection, taken)
            connection.execute(delete(_change).where(_change.c.id <= upto))
            _write_alarms(connection, centre, now_us)
            if taken.notices:
                told = bodies(taken.notices, targets_of(connection, None))
                _queue(connection, told, now_us)
                _prune(connection, now_us)

    def lost(self, now_us: int) -> None:
        """Queues again what was being sent when the process ended."""
        with writing(self._engine) as connection:
            for message in _messages(connection, _outbox.c.state == MessageState.SENDING.value):
                _store(connection, moved(message, Happened.LOST, now_us, LOST))

    def begin(self, now_us: int, limit: int) -> list[tuple[Message, Target]]:
        """Messages that are due, now being sent; those of a target that is no more are dead."""
        due = (_outbox.c.state == MessageState.QUEUED.value) & (_outbox.c.next_us <= now_us)
        with self._engine.connect() as connection:
            if connection.execute(select(_outbox.c.id).where(due).limit(1)).first() is None:
                return []
        with writing(self._engine) as connection:
            targets = {target.id: target for target in targets_of(connection, None)}
            begun: list[tuple[Message, Target]] = []
            for message in _messages(connection, due, limit):
                target = targets.get(message.target_id)
                if target is None:
                    _store(connection, moved(message, Happened.REMOVED, now_us, REMOVED))
                    continue
                begun.append((moved(message, Happened.BEGUN, now_us), target))
                _store(connection, begun[-1][0])
            return begun

    def end(self, message: Message) -> None:
        """Stores how an attempt ended."""
        with writing(self._engine) as connection:
            _store(connection, message)


def _write_alarms(connection: Connection, centre: list[CentreAlarm], now_us: int) -> None:
    """The centre's own alarms, in the history of all."""
    on = [AlarmRaised(a.tenant_id, a.meter_id, SILENT, a.raised_s, None, "centre", now_us) for a in centre if not a.cleared_s]
    off = [AlarmCleared(a.meter_id, SILENT, a.cleared_s, a.cleared_s) for a in centre if a.cleared_s]
    if on:
        new = insert_new(connection.dialect, _alarm, ["meter_id", "alarm", "raised_s"])
        connection.execute(new, [alarms.raised_row(each) for each in on])
    for each in off:
        connection.execute(alarms.clearing(), alarms.cleared_row(each))


def _queue(connection: Connection, told: Iterable[tuple[Target, str, str]], now_us: int) -> None:
    """Puts messages into the outbox; one that is there already stays as it is."""
    query = select(_outbox.c.target_id, func.count()).where(_outbox.c.state == MessageState.QUEUED.value)
    waiting = {target: count for target, count in connection.execute(query.group_by(_outbox.c.target_id))}  # noqa: C416 - as above
    made: list[dict[str, Any]] = []
    for target, subject, body in told:
        waiting[target.id] = waiting.get(target.id, 0) + 1
        full = waiting[target.id] > WAITING_MAX
        state, problem = (MessageState.DEAD, FULL) if full else (MessageState.QUEUED, "")
        plain = {"attempts": 0, "created_us": now_us, "updated_us": now_us, "next_us": now_us, "order_key": None}
        whose = {"tenant_id": target.tenant_id, "target_id": target.id, "subject": subject, "body": body}
        made.append(whose | plain | {"state": state.value, "problem": problem})
    if made:
        connection.execute(insert_new(connection.dialect, _outbox, ["target_id", "subject"]), made)


def _prune(connection: Connection, now_us: int) -> None:
    before_us = now_us - KEPT_DAYS * DAY_S * US_PER_S
    old = (_outbox.c.state == MessageState.DELIVERED.value) & (_outbox.c.updated_us < before_us)
    connection.execute(delete(_outbox).where(old))


_MESSAGE: Final = (
    _outbox.c.id,
    _outbox.c.target_id,
    _outbox.c.subject,
    _outbox.c.body,
    _outbox.c.state,
    _outbox.c.attempts,
    _outbox.c.updated_us,
    _outbox.c.next_us,
    _outbox.c.problem,
)


def _message(row: Any) -> Message:
    number, target, subject, body, state, *rest = row
    return Message(number, target, subject, body, MessageState(state), *rest)


def _messages(connection: Connection, where: Any, limit: int = WAITING_MAX) -> list[Message]:
    query = select(*_MESSAGE).where(where).order_by(_outbox.c.next_us, _outbox.c.id).limit(limit)
    return [_message(row) for row in connection.execute(query)]


def _store(connection: Connection, message: Message) -> None:
    connection.execute(
        update(_outbox)
        .where(_outbox.c.id == message.id)
        .values(
            state=message.state.value,
            attempts=message.attempts,
            updated_us=message.updated_us,
            next_us=message.next_us,
            problem=message.problem,
        )
    )


# -- targets


def targets_of(connection: Connection, tenant: int | None) -> list[Target]:
    """The targets of a tenant, or (None) of all, oldest first."""
    query = select(_target).where(_target.c.removed_us.is_(None)).order_by(_target.c.id)
    if tenant is not None:
        query = query.where(_target.c.tenant_id == tenant)
    ring = ring_of(connection)
    return [_target_of(row, ring) for row in connection.execute(query).mappings()]


def _target_of(row: Any, ring: KeyRing) -> Target:
    return Target(
        id=row["id"],
        tenant_id=row["tenant_id"],
        name=row["name"],
        kind=TargetKind(row["kind"]),
        address=row["address"],
        secret=ring.unwrap(row["secret"], "secret", row["order_key"]),
        severities=tuple(row["severities"].split()),
        kinds=tuple(row["kinds"].split()),
        place=row["place"],
    )


def add_target(engine: Engine, target: Target, *, by: str, key: str, now_us: int) -> Target:
    """Adds a target (its id is made here); the same key again answers the first one.  ConflictError for too many."""
    with writing(engine) as connection:
        ring = ring_of(connection)
        known = connection.execute(select(_target).where(_target.c.order_key == key)).mappings().first()
        if known is not None:
            return _target_of(known, ring)
        if len(targets_of(connection, target.tenant_id)) >= TARGETS_MAX:
            raise ConflictError(f"there are {TARGETS_MAX} targets already: remove one first")
        values = {
            "tenant_id": target.tenant_id,
            "name": target.name,
            "kind": target.kind.value,
            "address": target.address,
            "secret": ring.wrap(target.secret, "secret", key),
            "severities": " ".join(target.severities),
            "kinds": " ".join(target.kinds),
            "place": target.place,
            "created_us": now_us,
            "created_by": by,
            "order_key": key,
        }
        connection.execute(_target.insert().values(values))
        row = connection.execute(select(_target).where(_target.c.order_key == key)).mappings().one()
        return _target_of(row, ring)


def remove_target(engine: Engine, tenant: int, target_id: int, now_us: int) -> None:
    """Removes a target; what waits for it is dead.  UnknownError."""
    with writing(engine) as connection:
        if _own_target(connection, tenant, target_id)["removed_us"] is not None:
            return
        connection.execute(update(_target).where(_target.c.id == target_id).values(removed_us=now_us))
        waiting = (_outbox.c.target_id == target_id) & (_outbox.c.state == MessageState.QUEUED.value)
        dead = {"state": MessageState.DEAD.value, "problem": REMOVED, "updated_us": now_us}
        connection.execute(update(_outbox).where(waiting).values(dead))


def try_target(engine: Engine, tenant: int, target_id: int, *, key: str, now_us: int) -> None:
    """Queues a test message; the same key again does nothing more.  UnknownError; ConflictError for one that was removed."""
    with writing(engine) as connection:
        row = _own_target(connection, tenant, target_id)
        if row["removed_us"] is not None:
            raise ConflictError(f"target {target_id} was removed")
        target = _target_of(row, ring_of(connection))
        subject = f"test-{key.partition(':')[2]}"
        _queue(connection, [(target, subject, trial_body(subject, now_us // US_PER_S))], now_us)


def _own_target(connection: Connection, tenant: int, target_id: int) -> Any:
    """The row of a target of a tenant, also of one that was removed."""
    query = select(_target).where(_target.c.id == target_id, _target.c.tenant_id == tenant)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise UnknownError("target", target_id)
    return row


# -- the outbox, as lists show it


@dataclass(frozen=True, slots=True)
class OutboxLine:
    """A message with its target."""

    message: Message
    target: str
    address: str
    removed: bool
    created_us: int


_LINE: Final = (*_MESSAGE, _target.c.name, _target.c.address, _target.c.removed_us, _outbox.c.created_us)


def _line(row: Any) -> OutboxLine:
    *message, name, address, removed_us, created_us = row
    return OutboxLine(_message(message), name, address, removed_us is not None, created_us)


def list_outbox(
    connection: Connection, tenant: int, state: MessageState | None = None, *, after: str = "", limit: int = 50
) -> tuple[list[OutboxLine], str | None]:
    """Messages of a tenant, newest first, and the cursor of the page behind.  BadArgumentError for a cursor that is none."""
    limit = min(max(limit, 1), PAGE_MAX)
    query = select(*_LINE).join(_target, _target.c.id == _outbox.c.target_id).where(_outbox.c.tenant_id == tenant)
    if state is not None:
        query = query.where(_outbox.c.state == state.value)
    if after:
        if not after.isdecimal():
            raise BadArgumentError(f"not a cursor of the outbox: {after!r}")
        query = query.where(_outbox.c.id < int(after))
    found = [_line(row) for row in connection.execute(query.order_by(_outbox.c.id.desc()).limit(limit + 1))]
    return found[:limit], str(found[limit - 1].message.id) if len(found) > limit else None


def outbox_counts(connection: Connection, tenant: int) -> dict[str, int]:
    """How many messages of a tenant are in each state."""
    query = select(_outbox.c.state, func.count()).where(_outbox.c.tenant_id == tenant).group_by(_outbox.c.state)
    found = {state: count for state, count in connection.execute(query)}  # noqa: C416 - rows are no tuples to mypy
    return {state.value: 0 for state in MessageState} | found


def resend(engine: Engine, tenant: int, message_id: int, *, key: str, now_us: int) -> OutboxLine:
    """Queues a dead message again; the same key again changes nothing.  UnknownError; ConflictError where it is not dead."""
    own = (_outbox.c.id == message_id) & (_outbox.c.tenant_id == tenant)
    query = select(*_LINE).join(_target, _target.c.id == _outbox.c.target_id).where(own)
    with writing(engine) as connection:
        row = connection.execute(query).first()
        if row is None:
            raise UnknownError("message", message_id)
        line = _line(row)
        used = connection.scalar(select(_outbox.c.id).where(_outbox.c.order_key == key))
        if used == message_id:
            return line
        if used is not None:
            raise ConflictError("this idempotency key was used for another message")
        if line.removed:
            raise ConflictError(f"message {message_id}: {REMOVED}")
        _store(connection, moved(line.message, Happened.RESENT, now_us))
        connection.execute(update(_outbox).where(own).values(order_key=key))
        return _line(connection.execute(query).one())
