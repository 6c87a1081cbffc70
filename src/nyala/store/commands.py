"""Commands, events and the journal, read from the store."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, func, select

from nyala.headend.command_life import FINAL, CommandState
from nyala.headend.commands import CommandRow, CommandStep
from nyala.headend.ports import EventRow
from nyala.lorawan.network.port import AppUplink, Reception
from nyala.store import rows, schema

LIST_MAX: Final = 200
_command, _step, _event, _journal = schema.command, schema.command_step, schema.meter_event, schema.uplink_journal


def open_commands(connection: Connection) -> list[CommandRow]:
    """The commands that have not ended."""
    query = select(_command).where(_command.c.state.not_in([state.value for state in FINAL])).order_by(_command.c.id)
    return [rows.command_of(row) for row in connection.execute(query).mappings()]


def count_open(connection: Connection, tenant: int) -> int:
    """How many commands of a tenant have not ended."""
    ended = [state.value for state in FINAL]
    query = select(func.count()).select_from(_command).join(schema.meter, schema.meter.c.id == _command.c.meter_id)
    return connection.scalar(query.where(_command.c.state.not_in(ended), schema.meter.c.tenant_id == tenant)) or 0


def next_command_id(connection: Connection) -> int:
    """The id of the next command."""
    return (connection.scalar(select(func.max(_command.c.id))) or 0) + 1


def commands_of(connection: Connection, meter_id: int, limit: int = 50) -> list[CommandRow]:
    """The newest commands of a meter."""
    query = select(_command).where(_command.c.meter_id == meter_id).order_by(_command.c.id.desc())
    return [rows.command_of(row) for row in connection.execute(query.limit(min(limit, LIST_MAX))).mappings()]


def command_by_id(connection: Connection, command_id: int) -> CommandRow | None:
    """A command by its id, or None."""
    row = connection.execute(select(_command).where(_command.c.id == command_id)).mappings().first()
    return None if row is None else rows.command_of(row)


def command_by_key(connection: Connection, key: str) -> CommandRow | None:
    """The command that was ordered with an idempotency key, or None."""
    row = connection.execute(select(_command).where(_command.c.idempotency_key == key)).mappings().first()
    return None if row is None else rows.command_of(row)


def steps_of(connection: Connection, command_ids: Iterable[int]) -> dict[int, list[CommandStep]]:
    """The histories of commands."""
    found: dict[int, list[CommandStep]] = {command_id: [] for command_id in command_ids}
    query = select(_step).where(_step.c.command_id.in_(list(found))).order_by(_step.c.id)
    for row in connection.execute(query).mappings():
        step = CommandStep(row["command_id"], row["at_us"], CommandState(row["state"]), row["text"])
        found[step.command_id].append(step)
    return found


def events_of(connection: Connection, meter_ids: Iterable[int] | None, limit: int = 50) -> list[EventRow]:
    """The newest events of some meters, or of all."""
    query = select(_event).order_by(_event.c.id.desc()).limit(min(limit, LIST_MAX))
    if meter_ids is not None:
        query = query.where(_event.c.meter_id.in_(list(meter_ids)))
    return [
        EventRow(r["meter_id"], r["at_s"], r["code"], r["detail"], r["number"], r["received_us"])
        for r in connection.execute(query).mappings()
    ]


def next_journal(connection: Connection) -> int:
    """The number of the next journal row."""
    return (connection.scalar(select(func.max(_journal.c.seq))) or 0) + 1


def not_worked_off(connection: Connection) -> list[Reception | AppUplink]:
    """Journal rows whose effects may not all be in the store, oldest first."""
    mark = connection.scalar(select(schema.journal_mark.c.worked_off)) or 0
    query = select(_journal).where(_journal.c.seq > mark).order_by(_journal.c.seq)
    return [rows.journal_entry(row) for row in connection.execute(query).mappings()]
