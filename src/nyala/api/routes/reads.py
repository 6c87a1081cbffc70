"""Scheduled reads: planning, looking at what they bring, running one now, ending."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query

from nyala.api.auth import State, require
from nyala.api.permissions import Permission
from nyala.api.routes.commands import KEY_MAX
from nyala.api.shapes.reads import ReadIn, ReadMeterOut, ReadOut, ReadsOut, ReadValueOut, ReadValuesOut
from nyala.api.state import ApiState
from nyala.headend.reads import ReadPlan
from nyala.store import groups_of_meters, meters, reads
from nyala.store.users import User
from nyala.vocab.errors import ConflictError

router = APIRouter(prefix="/reads", tags=["reads"])
Reader = Annotated[User, Depends(require(Permission.READ_COMMANDS))]
Planner = Annotated[User, Depends(require(Permission.ORDER_MANY))]


def _stored(state: ApiState, user: User, read_id: int) -> ReadPlan:
    with state.engine.connect() as connection:
        return reads.by_id(connection, user.tenant_id, read_id)


def _going_on(state: ApiState, user: User, read_id: int) -> ReadPlan:
    plan = _stored(state, user, read_id)
    if plan.ended_us is not None:
        raise ConflictError(f"read {read_id} has ended")
    return plan


@router.get("")
def get_reads(user: Reader, state: State) -> ReadsOut:
    """The plans that have not ended."""
    with state.engine.connect() as connection:
        return ReadsOut(items=[ReadOut.of(plan) for plan in reads.plans_of(connection, user.tenant_id)])


@router.get("/{read_id}")
def get_read(read_id: int, user: Reader, state: State) -> ReadOut:
    """One plan, ended or not."""
    return ReadOut.of(_stored(state, user, read_id))


@router.get("/{read_id}/values")
def get_read_values(
    read_id: int,
    user: Reader,
    state: State,
    after: Annotated[str, Query(max_length=40)] = "",
    limit: Annotated[int, Query(ge=1, le=reads.PAGE_MAX)] = 50,
) -> ReadValuesOut:
    """What the last run has brought, by serial number."""
    plan = _stored(state, user, read_id)
    with state.engine.connect() as connection:
        found, more = reads.brought(connection, plan, after=after, limit=limit)
    items = [
        ReadMeterOut(
            meter_id=meter, serial=serial, values={k: ReadValueOut(value=v, at_s=at_s) for k, (v, at_s) in said.items()}
        )
        for meter, serial, said in found
    ]
    return ReadValuesOut(items=items, next=more)


@router.post("", status_code=201)
async def post_read(
    said: ReadIn,
    user: Planner,
    state: State,
    idempotency_key: Annotated[str, Header(min_length=8, max_length=KEY_MAX)],
) -> ReadOut:
    """Plans reads of a meter or of a group.  The same key again answers with the first plan."""
    centre, key = state.running, f"{user.tenant_id}:{idempotency_key}"
    with state.engine.connect() as connection:
        known = centre.headend.reads.of_key(key) or reads.by_key(connection, key)
        if known is None and said.meter is not None:
            meters.meter_of_tenant(connection, user.tenant_id, said.meter)
        if known is None and said.group is not None:
            groups_of_meters.group_by_id(connection, user.tenant_id, said.group)
    if known is None:
        known = centre.headend.reads.add(
            ReadPlan(
                id=0,
                tenant_id=user.tenant_id,
                name=said.name.strip(),
                quantities=tuple(said.quantities),
                rhythm=said.rhythm,
                zone=said.zone,
                spread_s=said.spread_s,
                meter_id=said.meter,
                group_id=said.group,
                created_us=state.now_us(),
                created_by=user.name,
                key=key,
            ),
            state.now_us(),
        )
    await centre.ingest.stored()
    return ReadOut.of(known)


@router.post("/{read_id}/run")
async def post_read_run(read_id: int, user: Planner, state: State) -> ReadOut:
    """Begins a run now, besides the rhythm."""
    _going_on(state, user, read_id)
    plan = state.running.headend.reads.run(read_id, state.now_us())
    await state.running.ingest.stored()
    return ReadOut.of(plan)


@router.delete("/{read_id}")
async def delete_read(read_id: int, user: Planner, state: State) -> ReadOut:
    """Ends a plan; what it has brought stays."""
    _going_on(state, user, read_id)
    plan = state.running.headend.reads.end(read_id, state.now_us())
    await state.running.ingest.stored()
    return ReadOut.of(plan)
