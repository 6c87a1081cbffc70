"""Gateways: the list."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from nyala.api import describe_gateways
from nyala.api.auth import State, require
from nyala.api.permissions import Permission
from nyala.api.shapes.gateways import GatewaysOut
from nyala.store import gateways
from nyala.store.meters import PAGE_MAX

router = APIRouter(prefix="/gateways", tags=["gateways"])


@router.get("", dependencies=[Depends(require(Permission.READ_FLEET))])
def get_gateways(
    state: State,
    after: Annotated[str, Query(max_length=16, description="EUI of the last gateway of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> GatewaysOut:
    """Gateways by EUI, those of the store and those heard since the start; they serve all tenants."""
    with state.engine.connect() as connection:
        stored = {line.eui: line for line in gateways.all_gateways(connection)}
    live = {} if state.centre is None else state.centre.gateways
    return describe_gateways.page_out(stored, live, after, limit, state.now_us())
