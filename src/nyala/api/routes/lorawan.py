"""The LoRaWAN side of a meter, and letting one that lost its memory join again (`lorawan/network/nonces`)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header

from nyala.api.auth import State, require
from nyala.api.describe_lorawan import lorawan_out
from nyala.api.permissions import Permission
from nyala.api.routes.commands import KEY_MAX
from nyala.api.routes.meters import REGION
from nyala.api.shapes.lorawan import LorawanOut
from nyala.api.state import ApiState
from nyala.lorawan.network import nonces
from nyala.lorawan.region import region
from nyala.store import devices, meters
from nyala.store.users import User

router = APIRouter(prefix="/meters/{meter_id}/lorawan", tags=["meters"])


def _shown(state: ApiState, meter_id: int) -> LorawanOut:
    with state.engine.connect() as connection:
        device, shadow = devices.device_of(connection, meter_id), meters.state_of_meter(connection, meter_id)
    rssi_dbm = shadow.rssi_dbm if shadow is not None and shadow.gateways else None
    return lorawan_out(device, rssi_dbm, region(REGION))


@router.get("")
def get_lorawan(meter_id: int, user: Annotated[User, Depends(require(Permission.READ_METERS))], state: State) -> LorawanOut:
    """The device of a meter: its session, the gateways that heard it, whether it needs re-admission."""
    with state.engine.connect() as connection:
        meters.meter_of_tenant(connection, user.tenant_id, meter_id)
    return _shown(state, meter_id)


@router.post("/readmit")
async def post_readmit(
    meter_id: int,
    user: Annotated[User, Depends(require(Permission.READMIT))],
    state: State,
    idempotency_key: Annotated[str, Header(min_length=8, max_length=KEY_MAX)],
) -> LorawanOut:
    """Lets a meter that lost its memory join again: the DevNonces that it used so far are forgotten.

    The same key again changes nothing; a conflict where the meter does not need it.
    """
    centre = state.running
    with state.engine.connect() as connection:
        record = meters.meter_of_tenant(connection, user.tenant_id, meter_id)
        known = devices.readmission_by_key(connection, record.dev_eui, idempotency_key)
    root = centre.network.sessions.root(record.dev_eui)
    if known is None and (root.readmission is None or root.readmission.key != idempotency_key):
        nonces.readmit(root, user.name, state.now_us(), idempotency_key)
        centre.network.sessions.changed_root(root)
    await centre.ingest.stored()
    return _shown(state, meter_id)
