"""The lives of meters and their exchanges, written with everything else of a unit of work, and read."""

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, or_, select, update

from nyala.headend.exchange import Exchange
from nyala.headend.lifecycle import Life, LifeEvent, LifeRow, LifeStep
from nyala.store import schema
from nyala.store.rows import Row
from nyala.store.schema_lives import meter_exchange, meter_life, meter_life_step

STEPS_MAX = 200
_json = msgspec.json.Encoder().encode
_TERMS = ("installed_s", "customer", "site", "zone", "tariff", "contracted_va", "feeder")
"""What an exchange moves to the new meter."""


def life_row(row: LifeRow) -> Row:
    """Where a meter stands."""
    return {"meter_id": row.meter_id, "state": row.state.value, "since_us": row.since_us, "ended_s": row.ended_s}


def step_row(step: LifeStep) -> Row:
    """One step."""
    return {
        "meter_id": step.meter_id,
        "event": step.event.value,
        "state": step.state.value,
        "at_s": step.at_s,
        "recorded_us": step.recorded_us,
        "said_by": step.by,
        "reason": step.reason,
    }


def installing() -> Any:
    """The UPDATE that gives a new meter the place of an old one."""
    return update(schema.meter).where(schema.meter.c.id == bindparam("new")).values({n: bindparam(f"new_{n}") for n in _TERMS})


def installed_row(said: Exchange) -> Row:
    """The parameters of `installing`."""
    return {"new": said.new.id} | {f"new_{name}": getattr(said.new, name) for name in _TERMS}


def exchange_row(said: Exchange) -> Row:
    """An exchange."""
    return {
        "old_meter_id": said.old.id,
        "new_meter_id": said.new.id,
        "at_s": said.at_s,
        "registers": _json({"final": dict(said.final), "start": dict(said.start)}).decode(),
        "recorded_us": said.recorded_us,
        "said_by": said.by,
        "reason": said.reason,
    }


def load_lives(connection: Connection) -> list[LifeRow]:
    """Where every meter stands that has a row."""
    return [_life_of(row) for row in connection.execute(select(meter_life))]


def _life_of(row: Any) -> LifeRow:
    return LifeRow(row.meter_id, Life(row.state), row.since_us, row.ended_s)


def life_of(connection: Connection, meter_id: int) -> LifeRow:
    """Where a meter stands."""
    row = connection.execute(select(meter_life).where(meter_life.c.meter_id == meter_id)).first()
    return LifeRow(meter_id, Life.ACTIVE, 0) if row is None else _life_of(row)


def steps_of(connection: Connection, meter_id: int) -> list[LifeStep]:
    """The last steps of a meter, oldest first."""
    query = select(meter_life_step).where(meter_life_step.c.meter_id == meter_id).order_by(meter_life_step.c.id.desc())
    return [
        LifeStep(r.meter_id, LifeEvent(r.event), Life(r.state), r.at_s, r.recorded_us, r.said_by, r.reason)
        for r in connection.execute(query.limit(STEPS_MAX))
    ][::-1]


@dataclass(frozen=True, slots=True)
class ExchangeLine:
    """An exchange as a screen shows it."""

    old_meter_id: int
    new_meter_id: int
    at_s: int
    final: dict[str, int]
    start: dict[str, int]
    by: str
    reason: str


def exchanges_of(connection: Connection, meter_id: int) -> list[ExchangeLine]:
    """The exchanges that a meter came by and went by, at most one each, oldest first."""
    mine = or_(meter_exchange.c.old_meter_id == meter_id, meter_exchange.c.new_meter_id == meter_id)
    found = []
    for row in connection.execute(select(meter_exchange).where(mine).order_by(meter_exchange.c.at_s)):
        said = msgspec.json.decode(row.registers)
        found.append(
            ExchangeLine(row.old_meter_id, row.new_meter_id, row.at_s, said["final"], said["start"], row.said_by, row.reason)
        )
    return found


def uncounted(connection: Connection) -> dict[int, int]:
    """Meter -> until when it counts (seconds); 0: never yet.  Meters that count are left out."""
    return {row.meter_id: row.ended_s or 0 for row in load_lives(connection) if row.state is not Life.ACTIVE}
