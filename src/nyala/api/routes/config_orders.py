"""The configuration of many meters: orders for a group, a site or a list, and where the fleet stands."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query

from nyala.api.auth import State, require
from nyala.api.describe_configuration import KIND_NAMES, block_of, blocks_of, choices_out, state_of, values_out, year_out
from nyala.api.permissions import Permission
from nyala.api.routes.commands import KEY_MAX
from nyala.api.shapes.campaigns import CampaignSaid
from nyala.api.shapes.config_orders import (
    ConfigMemberOut,
    ConfigMembersOut,
    ConfigOrderOut,
    ConfigOrdersOut,
    FleetSettingsOut,
    MeterSettingOut,
    MeterSettingsOut,
    OrderAsked,
    OrderIn,
    OrderLooked,
    SettingProblemOut,
    UnableOut,
)
from nyala.api.shapes.configuration import ChoicesOut, KindName, SettingState
from nyala.api.state import ApiState
from nyala.headend.bulk_life import BulkEvent, MemberState
from nyala.headend.config_orders import ConfigOrder, needs_approval
from nyala.meter.settings_codec import CalendarSetting, decode_setting
from nyala.store import config_orders, meters
from nyala.store import groups_of_meters as groups
from nyala.store.groups_of_meters import Group
from nyala.store.users import User
from nyala.vocab.errors import CallerError, ConflictError, UnknownError
from nyala.vocab.settings import Setting
from nyala.vocab.time import US_PER_S

NAME_MAX: Final = 64
UNABLE_SHOWN: Final = 20
"""Meters that cannot have what is asked for, which are named."""
router = APIRouter(tags=["configuration"])
Reader = Annotated[User, Depends(require(Permission.READ_METERS))]
Configurer = Annotated[User, Depends(require(Permission.CONFIGURE))]
Approver = Annotated[User, Depends(require(Permission.APPROVE))]


# -- where the fleet stands


def _managed(state: ApiState, user: User) -> list[MeterSettingOut]:
    """Every setting that is wanted of a meter of a tenant, by serial number and kind."""
    with state.engine.connect() as connection:
        records = {each.id: each for each in meters.load_records(connection) if each.tenant_id == user.tenant_id}
        states = [each for each in meters.load_states(connection) if each.config and each.meter_id in records]
    return [
        MeterSettingOut(
            meter_id=each.meter_id,
            serial=records[each.meter_id].serial,
            site=records[each.meter_id].site,
            kind=KIND_NAMES[Setting(kind)],
            state=state_of(Setting(kind), shadow),
            version=shadow.version,
            reported_version=shadow.reported_version if shadow.reported_us else None,
            wanted_s=shadow.wanted_us // US_PER_S,
            detail=shadow.refused,
        )
        for each in sorted(states, key=lambda each: records[each.meter_id].serial)
        for kind, shadow in sorted(each.config.items())
        if shadow.wanted
    ]


@router.get("/configuration")
def get_fleet_settings(user: Reader, state: State) -> FleetSettingsOut:
    """How many meters have what is wanted of them, kind by kind."""
    counts: dict[KindName, dict[SettingState, int]] = {}
    found = _managed(state, user)
    for each in found:
        counts.setdefault(each.kind, {}).setdefault(each.state, 0)
        counts[each.kind][each.state] += 1
    return FleetSettingsOut(counts=counts, meters=len({each.meter_id for each in found}))


@router.get("/configuration/choices", dependencies=[Depends(require(Permission.READ_METERS))])
def get_configuration_choices() -> ChoicesOut:
    """What settings are chosen from; the same for everybody."""
    return choices_out()


@router.get("/configuration/meters")
def get_fleet_meters(
    user: Reader,
    state: State,
    which: Annotated[SettingState | None, Query(alias="state", description="else all that are not in step")] = None,
    kind: KindName | None = None,
    after: Annotated[str, Query(max_length=80, description="cursor")] = "",
    limit: Annotated[int, Query(ge=1, le=config_orders.PAGE_MAX)] = 50,
) -> MeterSettingsOut:
    """Settings that are not as they are wanted: drifted, refused, or on their way."""
    found = [
        each
        for each in _managed(state, user)
        if (each.state == which if which else each.state != "in_step") and kind in {None, each.kind}
    ]
    rest = [each for each in found if _cursor(each) > after]
    return MeterSettingsOut(items=rest[:limit], next=_cursor(rest[limit - 1]) if len(rest) > limit else None)


def _cursor(each: MeterSettingOut) -> str:
    return f"{each.serial} {Setting[each.kind.upper()]}"


# -- orders


def _chosen(state: ApiState, user: User, said: OrderAsked) -> tuple[str, list[int], list[str]]:
    """(what they are called, meters, unknown serial numbers) of the meters that an order is said of and that are on a wall."""
    unknown: list[str] = []
    with state.engine.connect() as connection:
        if said.group is not None or said.site:
            group = Group(0, user.tenant_id, said.site, fixed=False, site=said.site)
            if said.group is not None:
                group = groups.group_by_id(connection, user.tenant_id, said.group)
            return group.name[:NAME_MAX], groups.members_of(connection, group), unknown
        listed = said.meters
        if said.serials:
            listed, unknown = groups.by_serials(connection, user.tenant_id, said.serials)
        ids = groups.placed_of(connection, user.tenant_id, listed)
    more = f" + {len(ids) - 1}" if len(ids) > 1 else ""
    return f"{state.running.registry.meter(ids[0]).serial}{more}" if ids else "", ids, unknown


@router.post("/configuration/look")
def post_configuration_look(said: OrderAsked, user: Configurer, state: State) -> OrderLooked:
    """What an order would do and what is wrong in it; nothing is ordered."""
    _, ids, unknown = _chosen(state, user, said)
    problems: list[SettingProblemOut] = []
    blocks: dict[Setting, bytes] = {}
    for each in said.settings:
        try:
            kind, body = block_of(each, state.now_s)
            blocks[kind] = body
        except CallerError as error:
            problems.append(SettingProblemOut(kind=each.kind, detail=str(error)))
    unable: list[UnableOut] = []
    for meter_id in ids:
        record = state.running.registry.meter(meter_id)
        try:
            state.running.headend.config_orders.check(record, blocks)
        except CallerError as error:
            unable.append(UnableOut(serial=record.serial, detail=str(error)))
    value = decode_setting(Setting.CALENDAR, blocks[Setting.CALENDAR]) if Setting.CALENDAR in blocks else None
    return OrderLooked(
        problems=problems,
        meters=len(ids),
        unknown=unknown,
        unable=len(unable),
        unable_first=unable[:UNABLE_SHOWN],
        needs_approval=needs_approval(blocks, len(ids)),
        bytes={kind.name.lower(): len(body) for kind, body in blocks.items()},
        year=year_out(value.calendar, state.now_s) if isinstance(value, CalendarSetting) else None,
    )


def _out(order: ConfigOrder) -> ConfigOrderOut:
    return ConfigOrderOut.of(order, values_out(order.blocks))


@router.get("/configurations")
def get_config_orders(
    user: Reader,
    state: State,
    after: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=config_orders.PAGE_MAX)] = 50,
) -> ConfigOrdersOut:
    """Orders over more than one meter, the newest first; `next` is the cursor of the page after this one."""
    with state.engine.connect() as connection:
        found, more = config_orders.newest(connection, user.tenant_id, after=after, limit=limit)
    return ConfigOrdersOut(items=[_out(each) for each in found], next=more)


@router.post("/configurations", status_code=201)
async def post_config_order(
    said: OrderIn,
    user: Configurer,
    state: State,
    idempotency_key: Annotated[str, Header(min_length=8, max_length=KEY_MAX)],
) -> ConfigOrderOut:
    """Orders settings of the meters that are said, as they are now.  The same key again answers with the first order.

    A limit on the power of several meters waits until another person approves it.
    """
    centre, key = state.running, f"{user.tenant_id}:{idempotency_key}"
    blocks = blocks_of(said.settings, state.now_s)
    with state.engine.connect() as connection:
        known = centre.headend.config_orders.of_key(key) or config_orders.by_key(connection, key)
    if known is not None:
        if dict(known.blocks) != blocks:
            raise ConflictError("this idempotency key was used for another order")
        await centre.ingest.stored()
        return _out(known)
    name, ids, unknown = _chosen(state, user, said)
    if unknown:
        raise UnknownError("meter", unknown[0])
    if said.expected not in {None, len(ids)}:
        raise ConflictError(f"{said.expected} meters were seen, {len(ids)} are there now: look again")
    figures: dict[str, Any] = said.model_dump(include={"stop_pct", "stop_min"})
    order = ConfigOrder(0, user.tenant_id, name, blocks, state.now_us(), user.name, said.reason, key=key, **figures)
    centre.headend.config_orders.create(order, ids)
    await centre.ingest.stored()
    return _out(order)


@router.get("/configurations/{configuration_id}")
def get_config_order(configuration_id: int, user: Reader, state: State) -> ConfigOrderOut:
    """One order with its progress."""
    with state.engine.connect() as connection:
        return _out(config_orders.by_id(connection, user.tenant_id, configuration_id))


@router.get("/configurations/{configuration_id}/meters")
def get_config_order_meters(
    configuration_id: int,
    user: Reader,
    state: State,
    which: Annotated[MemberState | None, Query(alias="state", description="only those in this state")] = None,
    after: Annotated[str, Query(max_length=40)] = "",
    limit: Annotated[int, Query(ge=1, le=config_orders.PAGE_MAX)] = 50,
) -> ConfigMembersOut:
    """What became of each meter, by serial number."""
    with state.engine.connect() as connection:
        config_orders.by_id(connection, user.tenant_id, configuration_id)
        found, more = config_orders.members_of(connection, configuration_id, which, after=after, limit=limit)
    return ConfigMembersOut(items=[ConfigMemberOut.of(*each) for each in found], next=more)


async def _say(state: ApiState, user: User, configuration_id: int, event: BulkEvent, reason: str) -> ConfigOrderOut:
    with state.engine.connect() as connection:
        stored = config_orders.by_id(connection, user.tenant_id, configuration_id)
    centre = state.running
    try:
        order = centre.headend.config_orders.say(configuration_id, event, by=user.name, reason=reason, now_us=state.now_us())
    except UnknownError:
        raise ConflictError(f"order {configuration_id} has ended: {stored.state}") from None
    await centre.ingest.stored()
    return _out(order)


@router.post("/configurations/{configuration_id}/approve")
async def post_config_approve(configuration_id: int, said: CampaignSaid, user: Approver, state: State) -> ConfigOrderOut:
    """Approves an order that another person gave."""
    return await _say(state, user, configuration_id, BulkEvent.APPROVE, said.reason)


@router.post("/configurations/{configuration_id}/reject")
async def post_config_reject(configuration_id: int, said: CampaignSaid, user: Approver, state: State) -> ConfigOrderOut:
    """Ends an order that waits for approval."""
    return await _say(state, user, configuration_id, BulkEvent.REJECT, said.reason)


@router.post("/configurations/{configuration_id}/pause")
async def post_config_pause(configuration_id: int, said: CampaignSaid, user: Configurer, state: State) -> ConfigOrderOut:
    """Tells no more meters for now; those that were told go on."""
    return await _say(state, user, configuration_id, BulkEvent.PAUSE, said.reason)


@router.post("/configurations/{configuration_id}/resume")
async def post_config_resume(configuration_id: int, said: CampaignSaid, user: Configurer, state: State) -> ConfigOrderOut:
    """Lets an order go on, also after a stop by refusals: they are counted anew from here."""
    return await _say(state, user, configuration_id, BulkEvent.RESUME, said.reason)


@router.post("/configurations/{configuration_id}/cancel")
async def post_config_cancel(configuration_id: int, said: CampaignSaid, user: Configurer, state: State) -> ConfigOrderOut:
    """Ends an order; meters that were told keep what is wanted of them."""
    return await _say(state, user, configuration_id, BulkEvent.CANCEL, said.reason)
