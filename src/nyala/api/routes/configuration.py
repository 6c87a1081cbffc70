"""Configuration: what is wanted of meters, and what they report.  An order is answered when it is on disk; the same again is
no new version.
"""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends

from nyala.api.auth import State, require
from nyala.api.describe_configuration import block_of, check_model, configuration_out
from nyala.api.permissions import Permission
from nyala.api.shapes.configuration import ConfigurationOut, NewConfiguration, NewConfigurations, OrderedOut
from nyala.api.state import ApiState
from nyala.headend.foreign.mapping import foreign_model
from nyala.headend.registry import MeterState
from nyala.store import meters
from nyala.store.users import User
from nyala.vocab.errors import BadArgumentError, NotAllowedError

router = APIRouter(tags=["configuration"])
Configurer = Annotated[User, Depends(require(Permission.CONFIGURE))]


def _shown(state: ApiState, meter_id: int) -> ConfigurationOut:
    with state.engine.connect() as connection:
        return configuration_out(meters.state_of_meter(connection, meter_id) or MeterState(meter_id))


async def _want(state: ApiState, user: User, meter_ids: Sequence[int], order: NewConfiguration) -> OrderedOut:
    """Wants settings of meters: of all of them, or after an error of none."""
    centre = state.running
    blocks = [block_of(said, state.now_s) for said in order.settings]
    kinds = [kind for kind, _ in blocks]
    if len(kinds) != len(set(kinds)):
        raise BadArgumentError("a setting is ordered twice")
    with state.engine.connect() as connection:
        records = [meters.meter_of_tenant(connection, user.tenant_id, meter_id) for meter_id in dict.fromkeys(meter_ids)]
    for record in records:
        if foreign_model(record.model) is not None:
            raise NotAllowedError(f"meter {record.serial}: a {record.model} takes no settings of ours")
        for kind in kinds:
            check_model(record, kind)
    versions: dict[int, dict[str, int]] = {}
    for record in records:
        for kind, body in blocks:
            shadow = centre.headend.configuration.want(record.id, kind, body, by=user.name, now_us=state.now_us())
            versions.setdefault(record.id, {})[kind.name.lower()] = shadow.version
    await centre.ingest.stored()
    return OrderedOut(versions=versions)


@router.get("/meters/{meter_id}/configuration")
def get_configuration(
    meter_id: int, user: Annotated[User, Depends(require(Permission.READ_METERS))], state: State
) -> ConfigurationOut:
    """What is wanted of a meter, what it reported last, and where the two differ."""
    with state.engine.connect() as connection:
        meters.meter_of_tenant(connection, user.tenant_id, meter_id)
    return _shown(state, meter_id)


@router.put("/meters/{meter_id}/configuration")
async def put_configuration(meter_id: int, order: NewConfiguration, user: Configurer, state: State) -> ConfigurationOut:
    """Wants settings of a meter; they are sent at once, and again until the meter reports them."""
    await _want(state, user, [meter_id], order)
    return _shown(state, meter_id)


@router.put("/configuration")
async def put_configurations(order: NewConfigurations, user: Configurer, state: State) -> OrderedOut:
    """Wants settings of several meters: of all, or of none where one of them cannot have them."""
    return await _want(state, user, order.meters, order)
