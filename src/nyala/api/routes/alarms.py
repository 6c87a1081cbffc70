"""Alarms: the list, and noting that somebody has seen one.  An acknowledgement is answered when it is on disk."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query

from nyala.api import describe_alarms
from nyala.api.auth import State, require
from nyala.api.permissions import Permission
from nyala.api.routes.commands import KEY_MAX
from nyala.api.shapes.alarms import Acknowledgement, AlarmOut, AlarmsOut
from nyala.store import alarms, meters
from nyala.store.alarms import Which
from nyala.store.meters import PAGE_MAX
from nyala.store.users import User
from nyala.vocab.centre_alarms import alarm_kinds, kind_named

router = APIRouter(prefix="/alarms", tags=["alarms"])
Reader = Annotated[User, Depends(require(Permission.READ_ALARMS))]
SeverityName = Literal["high", "medium", "low"]


def _bits(severity: str | None, alarm: str | None) -> set[int] | None:
    """The bits that a filter asks for, None where it asks for all; UnknownError."""
    if alarm is not None:
        kind_named(alarm)
    if severity is None and alarm is None:
        return None
    return {
        code for code, kind in alarm_kinds().items() if severity in {None, kind.severity.value} and alarm in {None, kind.name}
    }


@router.get("")
def get_alarms(
    user: Reader,
    state: State,
    which: Annotated[Which, Query(alias="state", description="on now; acknowledged by nobody; all")] = Which.ACTIVE,
    severity: Annotated[SeverityName | None, Query()] = None,
    alarm: Annotated[str | None, Query(max_length=40, description="name of the alarm table")] = None,
    meter: Annotated[int | None, Query(description="only this meter")] = None,
    after: Annotated[str, Query(max_length=40)] = "",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> AlarmsOut:
    """Alarms, newest first; `next` is the cursor of the page after this one."""
    bits = _bits(severity, alarm)
    with state.engine.connect() as connection:
        if meter is not None:
            meters.meter_of_tenant(connection, user.tenant_id, meter)
        page = alarms.list_alarms(connection, user.tenant_id, which, bits=bits, meter_id=meter, after=after, limit=limit)
        counts = alarms.counts(connection, user.tenant_id)
    items = [describe_alarms.alarm_out(line) for line in page.items]
    return AlarmsOut(items=items, next=page.next, total=page.total, counts=describe_alarms.counts_out(counts))


@router.post("/{alarm_id}/acknowledge")
async def post_acknowledge(
    alarm_id: int,
    said: Acknowledgement,
    user: Annotated[User, Depends(require(Permission.ACKNOWLEDGE))],
    state: State,
    idempotency_key: Annotated[str, Header(min_length=8, max_length=KEY_MAX)],
) -> AlarmOut:
    """Notes who has seen an alarm, when, and what he said.  The same key again answers with the first one."""
    line = await asyncio.to_thread(
        alarms.acknowledge,
        state.engine,
        user.tenant_id,
        alarm_id,
        by=user.name,
        note=said.note.strip(),
        key=f"{user.tenant_id}:{idempotency_key}",
        now_us=state.now_us(),
    )
    state.hub.publish(user.tenant_id, line.meter_id, "alarm", {"meter_id": line.meter_id})
    return describe_alarms.alarm_out(line)
