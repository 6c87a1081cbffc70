"""Commands: ordering, looking, taking back.  An order is answered when it is on disk; its key makes it happen once."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query

from nyala.api.auth import State, require
from nyala.api.permissions import Permission, permissions_of
from nyala.api.problems import MayNotError
from nyala.api.shapes.commands import CommandOut, CommandsOut, NewCommand
from nyala.api.state import ApiState
from nyala.headend.commands import CommandRow, Kind
from nyala.headend.foreign.mapping import foreign_model
from nyala.meter.model import meter_model
from nyala.store import commands, meters
from nyala.store.users import User
from nyala.vocab.errors import BadArgumentError, ConflictError, NotAllowedError, UnknownError

KEY_MAX: Final = 64
_NEEDS: Final = {
    Kind.SWITCH_OPEN: Permission.SWITCH,
    Kind.SWITCH_CLOSE: Permission.SWITCH,
    Kind.READ: Permission.READ_NOW,
    Kind.DEMAND_RESET: Permission.RESET_DEMAND,
}

router = APIRouter(tags=["commands"])
Reader = Annotated[User, Depends(require(Permission.READ_COMMANDS))]


def _with_steps(state: ApiState, found: list[CommandRow]) -> list[CommandOut]:
    with state.engine.connect() as connection:
        steps = commands.steps_of(connection, [command.id for command in found])
    return [CommandOut.of(command, steps[command.id]) for command in found]


def _of_tenant(state: ApiState, user: User, command_id: int) -> CommandRow:
    with state.engine.connect() as connection:
        command = commands.command_by_id(connection, command_id)
        if command is None:
            raise UnknownError("command", command_id)
        try:
            meters.meter_of_tenant(connection, user.tenant_id, command.meter_id)
        except UnknownError:
            raise UnknownError("command", command_id) from None
    return command


@router.get("/meters/{meter_id}/commands")
def get_commands(meter_id: int, user: Reader, state: State, limit: Annotated[int, Query(ge=1, le=200)] = 20) -> CommandsOut:
    """Commands of a meter, newest first."""
    with state.engine.connect() as connection:
        meters.meter_of_tenant(connection, user.tenant_id, meter_id)
        found = commands.commands_of(connection, meter_id, limit)
    return CommandsOut(items=_with_steps(state, found))


@router.get("/commands/{command_id}")
def get_command(command_id: int, user: Reader, state: State) -> CommandOut:
    """One command."""
    return _with_steps(state, [_of_tenant(state, user, command_id)])[0]


@router.post("/meters/{meter_id}/commands", status_code=201)
async def post_command(
    meter_id: int,
    order: NewCommand,
    user: Annotated[User, Depends(require(Permission.READ_NOW))],
    state: State,
    idempotency_key: Annotated[str, Header(min_length=8, max_length=KEY_MAX)],
) -> CommandOut:
    """Orders a command.  The same key again answers with the first one, and orders nothing."""
    kind = Kind(order.kind)
    if order.quantities and kind is not Kind.READ:
        raise BadArgumentError(f"{kind} asks for no quantities")
    if _NEEDS[kind] not in permissions_of(user.role):
        raise MayNotError(f"role {user.role} lacks the permission {_NEEDS[kind]}")
    centre = state.running
    key = f"{user.tenant_id}:{idempotency_key}"
    with state.engine.connect() as connection:
        record = meters.meter_of_tenant(connection, user.tenant_id, meter_id)
        known = centre.headend.tracker.of_key(key) or commands.command_by_key(connection, key)
    if known is not None:
        if (known.meter_id, known.kind) != (meter_id, kind):
            raise ConflictError("this idempotency key was used for another order")
        await centre.ingest.stored()
        return _with_steps(state, [known])[0]
    if foreign_model(record.model) is not None:
        raise NotAllowedError(f"meter {record.serial}: a {record.model} takes no commands of ours")
    model = meter_model(record.model)
    command = centre.headend.tracker.issue(
        record,
        kind,
        has_switch=model.supply_switch,
        by=user.name,
        reason=order.reason,
        now_us=state.now_us(),
        phases=model.phases,
        key=key,
        quantities=order.quantities,
    )
    await centre.ingest.stored()
    return _with_steps(state, [command])[0]


@router.post("/commands/{command_id}/cancel")
async def post_cancel(command_id: int, user: Annotated[User, Depends(require(Permission.SWITCH))], state: State) -> CommandOut:
    """Takes a command back that has not been sent; a conflict where it is too late."""
    command = _of_tenant(state, user, command_id)
    centre = state.running
    try:
        command, token = centre.headend.tracker.cancel(command_id, state.now_us(), user.name)
    except UnknownError:
        raise ConflictError(f"command {command_id} has ended: {command.state}") from None
    centre.network.cancel(centre.registry.meter(command.meter_id).dev_eui, token)
    await centre.ingest.stored()
    return _with_steps(state, [command])[0]
