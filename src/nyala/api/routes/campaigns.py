"""Command campaigns: ordering one of a group, approving it as a second person, looking, pausing, taking back."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query

from nyala.api.auth import State, require
from nyala.api.permissions import Permission, permissions_of
from nyala.api.problems import MayNotError
from nyala.api.routes.commands import KEY_MAX
from nyala.api.shapes.campaigns import (
    CampaignAsked,
    CampaignIn,
    CampaignLooked,
    CampaignMeterOut,
    CampaignMetersOut,
    CampaignOut,
    CampaignSaid,
    CampaignsOut,
)
from nyala.api.state import ApiState
from nyala.headend.bulk import BulkOrder, Plan
from nyala.headend.bulk_life import NEEDS_APPROVAL, BulkEvent, BulkState, MemberState
from nyala.headend.commands import Kind
from nyala.headend.foreign.mapping import foreign_model
from nyala.meter.model import meter_model
from nyala.store import bulk, commands
from nyala.store import groups_of_meters as groups
from nyala.store.groups_of_meters import Group
from nyala.store.users import User
from nyala.vocab.errors import ConflictError, UnknownError
from nyala.vocab.time import US_PER_S

NEEDS: Final = {
    Kind.SWITCH_OPEN: Permission.SWITCH,
    Kind.SWITCH_CLOSE: Permission.SWITCH,
    Kind.READ: Permission.READ_NOW,
    Kind.DEMAND_RESET: Permission.RESET_DEMAND,
}
NAME_MAX: Final = 64
"""As wide as the column is; the site of a campaign is told by what fits."""
router = APIRouter(prefix="/campaigns", tags=["campaigns"])
Reader = Annotated[User, Depends(require(Permission.READ_COMMANDS))]
Orderer = Annotated[User, Depends(require(Permission.ORDER_MANY))]
Approver = Annotated[User, Depends(require(Permission.APPROVE))]


def _may(user: User, kind: Kind) -> None:
    if NEEDS[kind] not in permissions_of(user.role):
        raise MayNotError(f"role {user.role} lacks the permission {NEEDS[kind]}")


@router.get("")
def get_campaigns(
    user: Reader,
    state: State,
    after: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=bulk.PAGE_MAX)] = 50,
) -> CampaignsOut:
    """Campaigns, newest first; `next` is the cursor of the page after this one."""
    with state.engine.connect() as connection:
        found, more = bulk.newest(connection, user.tenant_id, after=after, limit=limit)
    return CampaignsOut(items=[CampaignOut.of(each) for each in found], next=more)


@router.get("/{campaign_id}")
def get_campaign(campaign_id: int, user: Reader, state: State) -> CampaignOut:
    """One campaign with its progress."""
    with state.engine.connect() as connection:
        return CampaignOut.of(bulk.by_id(connection, user.tenant_id, campaign_id))


@router.get("/{campaign_id}/meters")
def get_campaign_meters(
    campaign_id: int,
    user: Reader,
    state: State,
    which: Annotated[MemberState | None, Query(alias="state", description="only those in this state")] = None,
    after: Annotated[str, Query(max_length=40)] = "",
    limit: Annotated[int, Query(ge=1, le=bulk.PAGE_MAX)] = 50,
) -> CampaignMetersOut:
    """What became of each meter, by serial number."""
    with state.engine.connect() as connection:
        bulk.by_id(connection, user.tenant_id, campaign_id)
        found, more = bulk.members_of(connection, campaign_id, which, after=after, limit=limit)
        steps = commands.steps_of(connection, [each.command_id for _, each in found if each.command_id is not None])
    said = {command_id: known[-1].text for command_id, known in steps.items() if known}
    items = [CampaignMeterOut.of(serial, each, said.get(each.command_id or 0, "")) for serial, each in found]
    return CampaignMetersOut(items=items, next=more)


def _chosen(state: ApiState, user: User, said: CampaignAsked) -> tuple[str, list[int]]:
    """(what it is called, meters) of the meters that a campaign is said of and that are on a wall."""
    with state.engine.connect() as connection:
        if said.meters:
            ids = groups.placed_of(connection, user.tenant_id, said.meters)
            return _called(state, ids), ids
        if said.group is not None:
            group = groups.group_by_id(connection, user.tenant_id, said.group)
        else:
            group = Group(0, user.tenant_id, said.site, fixed=False, site=said.site)
        return group.name[:NAME_MAX], groups.members_of(connection, group)


def _called(state: ApiState, ids: list[int]) -> str:
    """What a list of meters is called: the first one, and how many more."""
    more = f" + {len(ids) - 1}" if len(ids) > 1 else ""
    return f"{state.running.registry.meter(ids[0]).serial}{more}" if ids else ""


def _unable(state: ApiState, kind: Kind, meter_id: int) -> bool:
    model = state.running.registry.meter(meter_id).model
    return foreign_model(model) is not None or (NEEDS[kind] is Permission.SWITCH and not meter_model(model).supply_switch)


@router.post("/look")
def post_look(said: CampaignAsked, user: Orderer, state: State) -> CampaignLooked:
    """Over how many meters a campaign would go now; nothing is ordered."""
    kind, (_, ids) = Kind(said.kind), _chosen(state, user, said)
    unable = sum(_unable(state, kind, each) for each in ids)
    return CampaignLooked(meters=len(ids), unable=unable, needs_approval=kind in NEEDS_APPROVAL)


@router.post("", status_code=201)
async def post_campaign(
    said: CampaignIn,
    user: Orderer,
    state: State,
    idempotency_key: Annotated[str, Header(min_length=8, max_length=KEY_MAX)],
) -> CampaignOut:
    """Orders a campaign over the meters that are said, as they are now.  The same key again answers with the first one.

    A disconnection waits until another person approves it.
    """
    kind = Kind(said.kind)
    _may(user, kind)
    centre, key = state.running, f"{user.tenant_id}:{idempotency_key}"
    with state.engine.connect() as connection:
        known = centre.headend.bulk.of_key(key) or bulk.by_key(connection, key)
    if known is not None:
        if known.plan.kind is not kind:
            raise ConflictError("this idempotency key was used for another order")
        await centre.ingest.stored()
        return CampaignOut.of(known)
    name, meter_ids = _chosen(state, user, said)
    if said.expected not in {None, len(meter_ids)}:
        raise ConflictError(f"{said.expected} meters were seen, {len(meter_ids)} are there now: look again")
    figures = said.model_dump(include={"pace", "stop_pct", "stop_min", "life_s", "expires_s"})
    now_us = state.now_us()
    order = BulkOrder(
        id=0,
        tenant_id=user.tenant_id,
        name=name,
        plan=Plan(kind, **figures),
        state=BulkState.AWAITING,
        created_us=now_us,
        created_by=user.name,
        reason=said.reason,
        expires_us=now_us + said.expires_s * US_PER_S,
        next_us=now_us,
        updated_us=now_us,
        key=key,
    )
    centre.headend.bulk.create(order, meter_ids)
    await centre.ingest.stored()
    return CampaignOut.of(order)


async def _say(state: ApiState, user: User, campaign_id: int, event: BulkEvent, reason: str) -> CampaignOut:
    with state.engine.connect() as connection:
        stored = bulk.by_id(connection, user.tenant_id, campaign_id)
    _may(user, stored.plan.kind)
    centre = state.running
    try:
        order = centre.headend.bulk.say(campaign_id, event, by=user.name, reason=reason, now_us=state.now_us())
    except UnknownError:
        raise ConflictError(f"campaign {campaign_id} has ended: {stored.state}") from None
    await centre.ingest.stored()
    return CampaignOut.of(order)


@router.post("/{campaign_id}/approve")
async def post_approve(campaign_id: int, said: CampaignSaid, user: Approver, state: State) -> CampaignOut:
    """Approves a campaign that another person ordered."""
    return await _say(state, user, campaign_id, BulkEvent.APPROVE, said.reason)


@router.post("/{campaign_id}/reject")
async def post_reject(campaign_id: int, said: CampaignSaid, user: Approver, state: State) -> CampaignOut:
    """Ends a campaign that waits for approval."""
    return await _say(state, user, campaign_id, BulkEvent.REJECT, said.reason)


@router.post("/{campaign_id}/pause")
async def post_pause(campaign_id: int, said: CampaignSaid, user: Orderer, state: State) -> CampaignOut:
    """Orders nothing more for now; commands that left go on."""
    return await _say(state, user, campaign_id, BulkEvent.PAUSE, said.reason)


@router.post("/{campaign_id}/resume")
async def post_resume(campaign_id: int, said: CampaignSaid, user: Orderer, state: State) -> CampaignOut:
    """Lets a campaign go on, also after a stop by its failures: they are counted anew from here."""
    return await _say(state, user, campaign_id, BulkEvent.RESUME, said.reason)


@router.post("/{campaign_id}/cancel")
async def post_campaign_cancel(campaign_id: int, said: CampaignSaid, user: Orderer, state: State) -> CampaignOut:
    """Ends a campaign; commands that left go on to their ends."""
    return await _say(state, user, campaign_id, BulkEvent.CANCEL, said.reason)
