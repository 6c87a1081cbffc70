"""The configuration of a meter: what is wanted, what it reports, what was ordered before.  An order is answered when it is on
disk; the same again is no new version.  Orders for many meters: `config_orders`.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Header

from nyala.api.auth import State, require
from nyala.api.describe_configuration import blocks_of, configuration_out, history_out
from nyala.api.permissions import Permission
from nyala.api.routes.commands import KEY_MAX
from nyala.api.shapes.configuration import Accepted, ConfigurationOut, HistoryOut, NewConfiguration
from nyala.api.state import ApiState
from nyala.headend.config_orders import ConfigOrder, is_wanted
from nyala.headend.registry import MeterRecord, MeterState
from nyala.store import config_orders, meters
from nyala.store.users import User
from nyala.vocab.errors import UnknownError
from nyala.vocab.settings import Setting

router = APIRouter(prefix="/meters/{meter_id}/configuration", tags=["configuration"])
Reader = Annotated[User, Depends(require(Permission.READ_METERS))]
Configurer = Annotated[User, Depends(require(Permission.CONFIGURE))]


def _record(state: ApiState, user: User, meter_id: int) -> MeterRecord:
    with state.engine.connect() as connection:
        return meters.meter_of_tenant(connection, user.tenant_id, meter_id)


def _shown(state: ApiState, meter_id: int) -> ConfigurationOut:
    under_way = None if state.centre is None else state.centre.headend.configuration.under_way(meter_id)
    with state.engine.connect() as connection:
        return configuration_out(meters.state_of_meter(connection, meter_id) or MeterState(meter_id), under_way)


@router.get("")
def get_configuration(meter_id: int, user: Reader, state: State) -> ConfigurationOut:
    """What is wanted of a meter, what it reported last, and where the two differ."""
    _record(state, user, meter_id)
    return _shown(state, meter_id)


@router.get("/history")
def get_configuration_history(meter_id: int, user: Reader, state: State) -> HistoryOut:
    """What was ordered of a meter: which version, by whom, when and why, and what became of it."""
    _record(state, user, meter_id)
    with state.engine.connect() as connection:
        return HistoryOut(items=history_out(config_orders.of_meter(connection, meter_id)))


@router.put("")
async def put_configuration(meter_id: int, said: NewConfiguration, user: Configurer, state: State) -> ConfigurationOut:
    """Wants settings of a meter; they are sent at once, and again until the meter reports them."""
    record, blocks, centre = _record(state, user, meter_id), blocks_of(said.settings, state.now_s), state.running
    centre.headend.config_orders.check(record, blocks)
    shadows = centre.registry.state(meter_id).config
    if any(kind not in shadows or not is_wanted(kind, shadows[kind].wanted, body) for kind, body in blocks.items()):
        order = ConfigOrder(0, user.tenant_id, record.serial, blocks, state.now_us(), user.name, said.reason)
        centre.headend.config_orders.create(order, [meter_id])
    await centre.ingest.stored()
    return _shown(state, meter_id)


@router.post("/{kind}/accept")
async def post_configuration_accept(
    meter_id: int,
    kind: str,
    said: Accepted,
    user: Configurer,
    state: State,
    idempotency_key: Annotated[str, Header(min_length=8, max_length=KEY_MAX)],
) -> ConfigurationOut:
    """Leaves a setting as the meter has it: what it reported is wanted, where that is known; else nothing is any more."""
    record, centre, key = _record(state, user, meter_id), state.running, f"{user.tenant_id}:{idempotency_key}"
    if kind.upper() not in Setting.__members__:
        raise UnknownError("setting", kind)
    setting = Setting[kind.upper()]
    with state.engine.connect() as connection:
        done = config_orders.by_key(connection, key)
        told = config_orders.of_meter(connection, meter_id)
    if done is None:
        order = ConfigOrder(0, user.tenant_id, record.serial, {setting: b""}, state.now_us(), user.name, said.reason, key=key)
        known = [before.blocks[setting] for before, _ in told if setting in before.blocks]
        centre.headend.config_orders.accept(order, meter_id, known)
    await centre.ingest.stored()
    return _shown(state, meter_id)
