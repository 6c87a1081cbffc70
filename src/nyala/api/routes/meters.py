"""Meters: the list, one meter, its load profile and its events."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query

from nyala.api import describe
from nyala.api.auth import State, require
from nyala.api.permissions import Permission
from nyala.api.replica import faces_of
from nyala.api.shapes.lcd import FacesOut
from nyala.api.shapes.meters import EventsOut, MeterOut, MetersOut, ProfileOut
from nyala.headend.lifecycle import Life
from nyala.headend.registry import MeterState
from nyala.lorawan.region import region
from nyala.mdm.load_day import from_row
from nyala.store import commands, devices, load_days, meters
from nyala.store.groups_of_meters import group_by_id
from nyala.store.meters import PAGE_MAX
from nyala.store.users import User
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.quality import Quality
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S, instant_from_text

PROFILE_SPAN_S: Final = 40 * DAY_S
"""Longest load profile of one request: a month and what is around it."""
REGION: Final = "AS923-2"

router = APIRouter(prefix="/meters", tags=["meters"])
Reader = Annotated[User, Depends(require(Permission.READ_METERS))]


@router.get("")
def get_meters(
    user: Reader,
    state: State,
    search: Annotated[str, Query(max_length=80)] = "",
    needs_readmission: Annotated[bool, Query(description="only meters that lost their memory and cannot join")] = False,  # noqa: FBT002 - a query
    life: Annotated[Life | None, Query(description="only meters that stand there in their life")] = None,
    group: Annotated[int | None, Query(description="only meters of this group that are on a wall")] = None,
    after: Annotated[str, Query(max_length=40)] = "",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> MetersOut:
    """Meters by serial number; `next` is the cursor of the page after this one."""
    with state.engine.connect() as connection:
        page = meters.list_meters(
            connection,
            user.tenant_id,
            search=search,
            lost=needs_readmission,
            life=life,
            group=None if group is None else group_by_id(connection, user.tenant_id, group),
            after=after,
            limit=limit,
        )
        missing = meters.missing_of(connection, [line.id for line in page.items], state.now_us())
    items = [describe.meter_line(line, missing.get(line.id, 0)) for line in page.items]
    return MetersOut(items=items, next=page.next, total=page.total)


@router.get("/{meter_id}")
def get_meter(meter_id: int, user: Reader, state: State) -> MeterOut:
    """One meter with what it last reported."""
    with state.engine.connect() as connection:
        record = meters.meter_of_tenant(connection, user.tenant_id, meter_id)
        shadow = meters.state_of_meter(connection, meter_id) or MeterState(
            meter_id, complete_to=-(-record.installed_s // record.period_s)
        )
        missing = meters.missing_of(connection, [meter_id], state.now_us())
        lost = devices.device_of(connection, meter_id).refused_us is not None
    return describe.meter_out(record, shadow, missing.get(meter_id, 0), region(REGION), lost=lost)


@router.get("/{meter_id}/face")
def get_face(meter_id: int, user: Reader, state: State) -> FacesOut:
    """What the meter's display shows, item by item, and its LEDs, by what it last reported."""
    with state.engine.connect() as connection:
        record = meters.meter_of_tenant(connection, user.tenant_id, meter_id)
        shadow = meters.state_of_meter(connection, meter_id) or MeterState(meter_id)
    return faces_of(record, shadow)


@router.get("/{meter_id}/profile")
def get_profile(
    meter_id: int,
    user: Reader,
    state: State,
    from_: Annotated[str, Query(alias="from", max_length=40)],
    to: Annotated[str, Query(max_length=40)],
) -> ProfileOut:
    """Intervals that begin in [from, to), in columns; null where nothing is known."""
    first_s, until_s = instant_from_text(from_), instant_from_text(to)
    if not 0 < until_s - first_s <= PROFILE_SPAN_S:
        raise BadArgumentError(f"a profile spans 1 s to {PROFILE_SPAN_S // DAY_S} days, not {until_s - first_s} s")
    channels = (Channel.IMPORT, Channel.EXPORT)
    with state.engine.connect() as connection:
        record = meters.meter_of_tenant(connection, user.tenant_id, meter_id)
        rows = load_days.of_meter(connection, meter_id, channels, first_s // DAY_S, -(-until_s // DAY_S))
    period_s = record.period_s
    first, until = -(-first_s // period_s), -(-until_s // period_s)
    values: dict[Channel, list[int | None]] = {channel: [None] * (until - first) for channel in channels}
    quality = [int(Quality.MISSING)] * (until - first)
    for row in rows:
        if row.period_s != period_s:
            continue
        day = from_row(row)
        start = row.key.day * DAY_S // period_s
        for at in range(max(first, start), min(until, start + len(day.values))):
            code = int(day.qualities[at - start])
            if code != Quality.MISSING:
                values[row.key.channel][at - first] = int(day.values[at - start])
                if row.key.channel is Channel.IMPORT:
                    quality[at - first] = code
    return ProfileOut(
        period_s=period_s,
        start_s=first * period_s,
        import_wh=values[Channel.IMPORT],
        export_wh=values[Channel.EXPORT],
        quality=quality,
    )


@router.get("/{meter_id}/events")
def get_events(meter_id: int, user: Reader, state: State, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> EventsOut:
    """Events of a meter, newest first."""
    with state.engine.connect() as connection:
        meters.meter_of_tenant(connection, user.tenant_id, meter_id)
        found = commands.events_of(connection, [meter_id], limit)
    return EventsOut(items=[describe.event_out(event) for event in found])
