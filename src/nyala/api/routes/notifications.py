"""Notifications: whom to tell, what was told, and telling it again where it did not arrive."""

import asyncio
import secrets
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Header, Query

from nyala.api.auth import State, require
from nyala.api.permissions import Permission
from nyala.api.routes.commands import KEY_MAX
from nyala.api.shapes.notifications import (
    MessageCountsOut,
    MessageOut,
    MessagesOut,
    NewTargetOut,
    TargetIn,
    TargetOut,
    TargetsOut,
)
from nyala.headend.notify import SECRET_BYTES, MessageState, Target, TargetKind
from nyala.headend.notify_sender import check_mail, check_url
from nyala.store import notifications
from nyala.store.meters import PAGE_MAX
from nyala.store.notifications import OutboxLine
from nyala.store.users import User
from nyala.vocab.centre_alarms import kind_named
from nyala.vocab.time import US_PER_S

router = APIRouter(tags=["notifications"])
Reader = Annotated[User, Depends(require(Permission.READ_NOTIFICATIONS))]
Keeper = Annotated[User, Depends(require(Permission.MANAGE_NOTIFICATIONS))]
Key = Annotated[str, Header(alias="Idempotency-Key", min_length=8, max_length=KEY_MAX)]


def _target_out(target: Target) -> TargetOut:
    return TargetOut(
        id=target.id,
        name=target.name,
        kind=target.kind.value,
        address=target.address,
        severities=list(target.severities),
        kinds=list(target.kinds),
        place=target.place,
    )


def _message_out(line: OutboxLine) -> MessageOut:
    message, said = line.message, msgspec.json.decode(line.message.body)
    return MessageOut(
        id=message.id,
        target=line.target,
        address=line.address,
        removed=line.removed,
        subject=message.subject,
        event=said["event"],
        alarm=said["alarm"],
        scope=said["scope"],
        place=said["place"],
        meters=said["meters"],
        state=message.state.value,
        attempts=message.attempts,
        problem=message.problem,
        created_s=line.created_us // US_PER_S,
        updated_s=message.updated_us // US_PER_S,
        next_s=message.next_us // US_PER_S if message.state is MessageState.QUEUED else None,
    )


@router.get("/targets")
def get_targets(user: Reader, state: State) -> TargetsOut:
    """All targets, oldest first."""
    with state.engine.connect() as connection:
        return TargetsOut(items=[_target_out(each) for each in notifications.targets_of(connection, user.tenant_id)])


@router.post("/targets")
async def post_target(said: TargetIn, user: Keeper, state: State, idempotency_key: Key) -> NewTargetOut:
    """Adds a target and answers its secret.  The same key again answers the first one."""
    address = said.address.strip()
    (check_url if said.kind is TargetKind.WEBHOOK else check_mail)(address)
    kinds = tuple(kind_named(name).name for name in said.kinds)
    target = Target(
        id=0,
        tenant_id=user.tenant_id,
        name=said.name.strip(),
        kind=said.kind,
        address=address,
        secret=secrets.token_bytes(SECRET_BYTES),
        severities=tuple(dict.fromkeys(said.severities)),
        kinds=tuple(dict.fromkeys(kinds)),
        place=said.place.strip(),
    )
    key = f"{user.tenant_id}:{idempotency_key}"
    made = await asyncio.to_thread(notifications.add_target, state.engine, target, by=user.name, key=key, now_us=state.now_us())
    return NewTargetOut(**_target_out(made).model_dump(), secret=made.secret.hex())


@router.delete("/targets/{target_id}", status_code=204)
async def delete_target(target_id: int, user: Keeper, state: State) -> None:
    """Removes a target; what waits for it is not delivered, and shown so."""
    await asyncio.to_thread(notifications.remove_target, state.engine, user.tenant_id, target_id, state.now_us())


@router.post("/targets/{target_id}/test", status_code=202)
async def post_test(target_id: int, user: Keeper, state: State, idempotency_key: Key) -> None:
    """Sends a test message.  The same key again does nothing more."""
    await asyncio.to_thread(
        notifications.try_target,
        state.engine,
        user.tenant_id,
        target_id,
        key=f"{user.tenant_id}:{idempotency_key}",
        now_us=state.now_us(),
    )


@router.get("/messages")
def get_messages(
    user: Reader,
    state: State,
    which: Annotated[MessageState | None, Query(alias="state", description="only those in this state")] = None,
    after: Annotated[str, Query(max_length=40)] = "",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> MessagesOut:
    """Messages, newest first; `next` is the cursor of the page after this one."""
    with state.engine.connect() as connection:
        found, more = notifications.list_outbox(connection, user.tenant_id, which, after=after, limit=limit)
        counts = notifications.outbox_counts(connection, user.tenant_id)
    return MessagesOut(items=[_message_out(line) for line in found], next=more, counts=MessageCountsOut(**counts))


@router.post("/messages/{message_id}/resend")
async def post_resend(
    message_id: int,
    user: Annotated[User, Depends(require(Permission.RESEND))],
    state: State,
    idempotency_key: Key,
) -> MessageOut:
    """Queues a message again that was not delivered.  The same key again changes nothing."""
    line = await asyncio.to_thread(
        notifications.resend,
        state.engine,
        user.tenant_id,
        message_id,
        key=f"{user.tenant_id}:{idempotency_key}",
        now_us=state.now_us(),
    )
    return _message_out(line)
