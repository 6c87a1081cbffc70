"""The fleet page, and live events."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from nyala.api import fleet
from nyala.api.auth import State, require
from nyala.api.live import LiveHub, Subscriber
from nyala.api.permissions import Permission
from nyala.api.shapes.fleet import FleetOut
from nyala.store.users import User
from nyala.vocab.errors import ConflictError

router = APIRouter(tags=["fleet"])
Reader = Annotated[User, Depends(require(Permission.READ_FLEET))]


@router.get("/fleet")
def get_fleet(user: Reader, state: State) -> FleetOut:
    """The fleet at a glance."""
    with state.engine.connect() as connection:
        return fleet.fleet(connection, user.tenant_id, state.now_us())


@router.get("/live")
async def get_live(
    user: Reader, state: State, meter: Annotated[int | None, Query(description="only this meter")] = None
) -> StreamingResponse:
    """Server-Sent Events `meter`, `command` and `fleet` as things change."""
    subscriber = state.hub.subscribe(user.tenant_id, meter)
    if subscriber is None:
        raise ConflictError("too many browsers listen")
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(state.hub, subscriber), media_type="text/event-stream", headers=headers)


async def _stream(hub: LiveHub, subscriber: Subscriber) -> AsyncIterator[bytes]:
    try:
        yield b"retry: 3000\n\n"
        async for event in subscriber.events():
            yield event
    finally:
        hub.leave(subscriber)
