"""How meters themselves are: the diagnostics of one, the clocks of all."""

import heapq
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from nyala.api.auth import State, require
from nyala.api.permissions import Permission
from nyala.api.shapes.health import ClockLineOut, ClockOut, ClocksOut, HealthOut, ToldOut
from nyala.headend.health import error_ms, is_off
from nyala.headend.registry import HealthShadow
from nyala.store import meters
from nyala.store.meters import PAGE_MAX
from nyala.store.users import User
from nyala.vocab.time import US_PER_S

router = APIRouter(tags=["meters"])
Reader = Annotated[User, Depends(require(Permission.READ_METERS))]


def _clock(health: HealthShadow) -> ClockOut:
    error = error_ms(health)
    step, drift = (health.told.get(name, (None, 0))[0] for name in ("clock_error_ms", "clock_drift_ppb"))
    resync_s = health.resync_us // US_PER_S or None
    return ClockOut(error_ms=error, off=is_off(error), step_ms=step, drift_ppb=drift, resync_s=resync_s)


@router.get("/meters/{meter_id}/health")
def get_health(meter_id: int, user: Reader, state: State) -> HealthOut:
    """The clock of a meter, the numbers of events that never came, and what its module tells of itself."""
    with state.engine.connect() as connection:
        record = meters.meter_of_tenant(connection, user.tenant_id, meter_id)
        shadow = meters.state_of_meter(connection, record.id)
    health = HealthShadow() if shadow is None else shadow.health
    told = [ToldOut(name=name, value=value, at_s=at_s) for name, (value, at_s) in sorted(health.told.items())]
    return HealthOut(clock=_clock(health), lost_events=list(health.lost), told=told)


@router.get("/clocks")
def get_clocks(user: Reader, state: State, limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50) -> ClocksOut:
    """The clocks of the running centre's meters that are furthest off."""
    registry = state.running.registry
    own = [(record, registry.state(record.id).health) for record in registry if record.tenant_id == user.tenant_id]
    known = [(abs(error), record, health) for record, health in own if (error := error_ms(health)) is not None]
    worst = heapq.nlargest(limit, known, key=lambda each: (each[0], -each[1].id))
    return ClocksOut(
        items=[
            ClockLineOut(meter_id=record.id, serial=record.serial, site=record.site, **_clock(health).model_dump())
            for _, record, health in worst
        ],
        off=sum(is_off(error_ms(health)) for _, _, health in known),
        known=len(known),
    )
