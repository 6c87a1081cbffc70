"""Incidents: the list, and one with the alarms that it is made of."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from nyala.api import describe_alarms, describe_places
from nyala.api.auth import State, require
from nyala.api.permissions import Permission
from nyala.api.shapes.incidents import IncidentDetailOut, IncidentsOut
from nyala.store import incidents, places
from nyala.store.meters import PAGE_MAX
from nyala.store.users import User

router = APIRouter(prefix="/incidents", tags=["alarms"])
Reader = Annotated[User, Depends(require(Permission.READ_ALARMS))]


@router.get("")
def get_incidents(
    user: Reader,
    state: State,
    ended: Annotated[bool, Query(description="also those that are over")] = False,  # noqa: FBT002 - a query has defaults
    after: Annotated[str, Query(max_length=40)] = "",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> IncidentsOut:
    """Incidents, newest first; `next` is the cursor of the page after this one."""
    with state.engine.connect() as connection:
        found, more = incidents.list_incidents(connection, user.tenant_id, only_open=not ended, after=after, limit=limit)
    return IncidentsOut(items=[describe_alarms.incident_out(each) for each in found], next=more)


@router.get("/{incident_id}")
def get_incident(incident_id: int, user: Reader, state: State) -> IncidentDetailOut:
    """One incident with its first alarms."""
    with state.engine.connect() as connection:
        incident = incidents.incident_by_id(connection, user.tenant_id, incident_id)
        members, sites = incidents.members_of(connection, incident), places.sites_of_incident(connection, incident)
    told = describe_alarms.incident_out(incident).model_dump()
    return IncidentDetailOut(
        **told,
        members=[describe_alarms.member_out(*each) for each in members],
        sites=[describe_places.site_out(line) for line in sites],
    )
