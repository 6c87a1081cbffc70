"""Campaigns of blocks: firmware and tables for many meters by multicast; ordering, approving, looking, taking back."""

from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query

from nyala.api.auth import State, require
from nyala.api.describe_configuration import block_of
from nyala.api.permissions import Permission
from nyala.api.routes.commands import KEY_MAX
from nyala.api.shapes.blocks import (
    BlockCampaignOut,
    BlockCampaignsOut,
    BlockMeterOut,
    BlockMetersIn,
    BlockMetersOut,
    FirmwareIn,
    TableIn,
)
from nyala.api.state import ApiState
from nyala.headend.campaign_life import CampaignEvent, CampaignRow, Order
from nyala.store import groups, meters
from nyala.store import groups_of_meters as meter_groups
from nyala.store.users import User
from nyala.telegram.blocks import BlockKind, decode_block, setting_of
from nyala.telegram.firmware import firmware_block
from nyala.vocab.errors import BadArgumentError, ConflictError, TelegramError, UnknownError
from nyala.vocab.settings import Setting
from nyala.vocab.time import US_PER_S

PAGE_MAX: Final = groups.LIST_MAX
router = APIRouter(prefix="/blocks", tags=["blocks"])
Reader = Annotated[User, Depends(require(Permission.READ_COMMANDS))]
Sender = Annotated[User, Depends(require(Permission.SEND_BLOCKS))]
Approver = Annotated[User, Depends(require(Permission.APPROVE))]
Key = Annotated[str, Header(alias="Idempotency-Key", min_length=8, max_length=KEY_MAX)]


def _fresh(state: ApiState, row: CampaignRow) -> CampaignRow:
    """With the report of now, where it runs in this process; what meters say of a table counts as it is now."""
    if state.centre is not None:
        with suppress(UnknownError):
            row = replace(row, report=state.centre.headend.campaigns.report(row.id))
    if row.kind is not BlockKind.CONFIGURATION or state.centre is None or "meters" not in row.report:
        return row
    kind, steps = setting_of(decode_block(row.plan.descriptor, row.plan.block))[0], dict(row.report["meters"])
    for dev_eui in row.dev_euis:
        if _in_step(state, dev_eui, kind, row.version):
            steps[f"{dev_eui:016x}"] = ["verified", 0, ""]
    counts: dict[str, int] = {}
    for step, *_ in steps.values():
        counts[step] = counts.get(step, 0) + 1
    return replace(row, report=row.report | {"meters": steps, "devices": counts})


def _in_step(state: ApiState, dev_eui: int, kind: Setting, version: int) -> bool:
    meter = state.running.registry.of_device(dev_eui)
    shadow = None if meter is None else state.running.registry.state(meter.id).config.get(kind)
    return shadow is not None and shadow.reported_version == version and shadow.in_step(kind)


@router.get("")
def get_blocks(
    user: Reader,
    state: State,
    after: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> BlockCampaignsOut:
    """Campaigns, newest first; `next` is the cursor of the page after this one."""
    with state.engine.connect() as connection:
        found = groups.newest_campaigns(connection, limit, tenant_id=user.tenant_id, before=after)
    items = [BlockCampaignOut.of(_fresh(state, row)) for row in found]
    return BlockCampaignsOut(items=items, next=found[-1].id if len(found) == limit else None)


@router.get("/{block_id}")
def get_block(block_id: int, user: Reader, state: State) -> BlockCampaignOut:
    """One campaign with its progress."""
    with state.engine.connect() as connection:
        return BlockCampaignOut.of(_fresh(state, groups.campaign_by_id(connection, user.tenant_id, block_id)))


@router.get("/{block_id}/meters")
def get_block_meters(
    block_id: int,
    user: Reader,
    state: State,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> BlockMetersOut:
    """Where each meter stands; `next` is the cursor of the page after this one."""
    with state.engine.connect() as connection:
        row = _fresh(state, groups.campaign_by_id(connection, user.tenant_id, block_id))
        found = groups.members_of(connection, row.dev_euis[after : after + limit])
    steps = row.report.get("meters", {})
    items = []
    for dev_eui in row.dev_euis[after : after + limit]:
        meter_id, serial, firmware = found[dev_eui]
        step, missing, why = steps.get(f"{dev_eui:016x}", ("new", None, ""))
        items.append(BlockMeterOut(meter_id=meter_id, serial=serial, state=step, missing=missing, why=why, firmware=firmware))
    return BlockMetersOut(items=items, next=after + limit if after + limit < len(row.dev_euis) else None)


def _chosen(state: ApiState, user: User, said: BlockMetersIn) -> tuple[str, list[int]]:
    """(what they are called, meters) of the meters for whom a block is."""
    with state.engine.connect() as connection:
        if said.group is not None:
            group = meter_groups.group_by_id(connection, user.tenant_id, said.group)
            return group.name, meter_groups.members_of(connection, group)
        records = [meters.meter_of_tenant(connection, user.tenant_id, each) for each in dict.fromkeys(said.meters)]
    more = f" + {len(records) - 1}" if len(records) > 1 else ""
    return f"{records[0].serial}{more}", [record.id for record in records]


def _known(state: ApiState, key: str, kind: BlockKind) -> CampaignRow | None:
    with state.engine.connect() as connection:
        known = state.running.headend.campaigns.of_key(key) or groups.campaign_by_key(connection, key)
    if known is not None and known.kind is not kind:
        raise ConflictError("this idempotency key was used for another order")
    return known


@router.post("/firmware", status_code=201)
async def post_firmware(said: FirmwareIn, user: Sender, state: State, idempotency_key: Key) -> BlockCampaignOut:
    """Orders an image for many meters; it waits until another person approves it.  The same key again answers with the first.

    Refused: an image that is not signed by the maker, and a meter of another model than it is for.
    """
    centre, key = state.running, f"{user.tenant_id}:{idempotency_key}"
    row = _known(state, key, BlockKind.FIRMWARE)
    if row is None:
        name, meter_ids = _chosen(state, user, said)
        try:
            block = firmware_block(said.image)
        except TelegramError as error:
            raise BadArgumentError(str(error)) from None
        activate_us = (said.activate_s or 0) * US_PER_S
        order = Order(user.tenant_id, name, said.reason, activate_us, needs_approval=True, key=key)
        row = centre.start_campaign(block, meter_ids, by=user.name, order=order)
    await centre.ingest.stored()
    return BlockCampaignOut.of(row)


@router.post("/table", status_code=201)
async def post_table(said: TableIn, user: Sender, state: State, idempotency_key: Key) -> BlockCampaignOut:
    """Orders a setting for many meters: it is wanted of each of them, and sent to all at once."""
    centre, key = state.running, f"{user.tenant_id}:{idempotency_key}"
    row = _known(state, key, BlockKind.CONFIGURATION)
    if row is None:
        name, meter_ids = _chosen(state, user, said)
        kind, body = block_of(said.setting, state.now_s)
        for meter_id in meter_ids:
            centre.headend.config_orders.check(centre.registry.meter(meter_id), [kind])
        order = Order(user.tenant_id, name, said.reason, key=key)
        row = centre.start_settings(kind, body, meter_ids, by=user.name, order=order)
    await centre.ingest.stored()
    return BlockCampaignOut.of(row)


async def _say(state: ApiState, user: User, block_id: int, event: CampaignEvent) -> BlockCampaignOut:
    with state.engine.connect() as connection:
        stored = groups.campaign_by_id(connection, user.tenant_id, block_id)
    centre = state.running
    try:
        row = centre.headend.campaigns.say(block_id, event, by=user.name, now_us=state.now_us())
    except UnknownError:
        raise ConflictError(f"campaign {block_id} has ended: {stored.state}") from None
    await centre.ingest.stored()
    return BlockCampaignOut.of(row)


@router.post("/{block_id}/approve")
async def post_block_approve(block_id: int, user: Approver, state: State) -> BlockCampaignOut:
    """Lets a campaign begin that another person ordered."""
    return await _say(state, user, block_id, CampaignEvent.APPROVE)


@router.post("/{block_id}/reject")
async def post_block_reject(block_id: int, user: Approver, state: State) -> BlockCampaignOut:
    """Ends a campaign that waits for approval."""
    return await _say(state, user, block_id, CampaignEvent.REJECT)


@router.post("/{block_id}/cancel")
async def post_block_cancel(block_id: int, user: Sender, state: State) -> BlockCampaignOut:
    """Ends a campaign; meters that were told to start an image are told not to."""
    return await _say(state, user, block_id, CampaignEvent.CANCEL)
