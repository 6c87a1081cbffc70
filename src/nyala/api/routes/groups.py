"""Groups of meters, and templates for onboarding."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends

from nyala.api.auth import State, require
from nyala.api.permissions import Permission
from nyala.api.shapes.campaigns import GroupIn, GroupLooked, GroupOut, GroupsOut, TemplateIO, TemplatesOut
from nyala.store import groups_of_meters as groups
from nyala.store.groups_of_meters import Group, Template
from nyala.store.users import User
from nyala.vocab.errors import UnknownError
from nyala.vocab.time import zone

router = APIRouter(tags=["groups"])
Reader = Annotated[User, Depends(require(Permission.READ_METERS))]
Keeper = Annotated[User, Depends(require(Permission.MANAGE_METERS))]


@router.get("/groups")
def get_groups(user: Reader, state: State) -> GroupsOut:
    """All groups by name, with how many meters they have now."""
    with state.engine.connect() as connection:
        found = groups.groups_of(connection, user.tenant_id)
        return GroupsOut(items=[GroupOut.of(each, len(groups.members_of(connection, each))) for each in found])


@router.post("/groups", status_code=201)
async def post_group(said: GroupIn, user: Keeper, state: State) -> GroupOut:
    """Makes a group; its name makes it happen once.  A serial number that no meter has: nothing is made."""
    wanted = _group(user, said)

    def make() -> GroupOut:
        with state.engine.connect() as connection:
            listed, unknown = groups.by_serials(connection, user.tenant_id, said.serials)
        if unknown:
            raise UnknownError("meter", unknown[0])
        ids = [*said.meters, *listed]
        made = groups.add_group(state.engine, wanted, ids, by=user.name, now_us=state.now_us())
        with state.engine.connect() as connection:
            return GroupOut.of(made, len(groups.members_of(connection, made)))

    return await asyncio.to_thread(make)


@router.post("/groups/look")
def post_group_look(said: GroupIn, user: Keeper, state: State) -> GroupLooked:
    """How many meters a group would have now, and what is wrong with its list; nothing is made."""
    with state.engine.connect() as connection:
        listed, unknown = groups.by_serials(connection, user.tenant_id, said.serials)
        wanted, ids = _group(user, said), [*said.meters, *listed]
        found = groups.placed_of(connection, user.tenant_id, ids) if wanted.fixed else groups.members_of(connection, wanted)
    return GroupLooked(meters=len(found), unknown=unknown)


def _group(user: User, said: GroupIn) -> Group:
    fixed = bool(said.meters or said.serials)
    return Group(0, user.tenant_id, said.name.strip(), fixed, said.site, said.model, said.tariff)


@router.get("/templates")
def get_templates(user: Reader, state: State) -> TemplatesOut:
    """All templates by name."""
    with state.engine.connect() as connection:
        found = groups.templates_of(connection, user.tenant_id)
    return TemplatesOut(items=[TemplateIO(**{name: getattr(each, name) for name in Template.__slots__}) for each in found])


@router.post("/templates", status_code=201)
async def post_template(said: TemplateIO, user: Keeper, state: State) -> TemplateIO:
    """Makes a template; its name makes it happen once."""
    zone(said.zone)
    await asyncio.to_thread(groups.add_template, state.engine, user.tenant_id, Template(**said.model_dump()))
    return said
