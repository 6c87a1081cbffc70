"""Completeness of many meters by day, and the places of their sites."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from nyala.api import describe_places
from nyala.api.auth import State, require
from nyala.api.permissions import Permission
from nyala.api.shapes.completeness import CompletenessTableOut, PlaceIn, SiteOut, SitesOut
from nyala.headend.completeness import By
from nyala.store import completeness, places
from nyala.store.completeness import LINES_MAX
from nyala.store.engine import writing
from nyala.store.users import User
from nyala.vocab.errors import BadArgumentError, UnknownError
from nyala.vocab.places import parse_place
from nyala.vocab.time import day_from_text

router = APIRouter(tags=["fleet"])
Reader = Annotated[User, Depends(require(Permission.READ_FLEET))]
Keeper = Annotated[User, Depends(require(Permission.MANAGE_METERS))]


@router.get("/completeness")
def get_completeness(
    user: Reader,
    state: State,
    first: Annotated[str, Query(alias="from", description="first UTC day, YYYY-MM-DD")],
    to: Annotated[str, Query(description="last UTC day")],
    by: By = By.SITE,
    within: Annotated[By | None, Query(description="only the meters of one line of this kind")] = None,
    key: Annotated[str, Query(max_length=120, description="`key` of that line")] = "",
    limit: Annotated[int, Query(ge=1, le=LINES_MAX)] = LINES_MAX,
) -> CompletenessTableOut:
    """Expected, received and estimated intervals by day; the lines with most that is missing first."""
    days = day_from_text(first), day_from_text(to) + 1
    inner = None if within is None else (within, key)
    with state.engine.connect() as connection:
        found = completeness.table(connection, user.tenant_id, by, *days, state.now_us(), within=inner, limit=limit)
    return describe_places.table_out(by, found)


@router.get("/sites")
def get_sites(user: Reader, state: State) -> SitesOut:
    """The sites of meters, and where they are."""
    with state.engine.connect() as connection:
        found = places.sites_of(connection, user.tenant_id)
    return SitesOut(items=[describe_places.site_out(line) for line in found])


@router.put("/sites/place")
def put_place(said: PlaceIn, user: Keeper, state: State) -> SiteOut:
    """Says where a site is; an error for a site that no meter has."""
    place = parse_place(f"{said.lat:.6f}", f"{said.lon:.6f}")
    try:
        with writing(state.engine) as connection:
            places.put_known(connection, user.tenant_id, said.site, place)
            line = next(each for each in places.sites_of(connection, user.tenant_id) if each.site == said.site)
    except UnknownError as error:
        raise BadArgumentError(f"site: {error}") from None
    return describe_places.site_out(line)
