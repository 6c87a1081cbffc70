"""Writing units of work: everything that a group of uplinks led to, in one transaction.

`unit_rows` turns a unit of work into rows at once, on the caller's thread, so that what changes afterwards cannot leak in;
`InlineWriter` and `ThreadWriter` execute them.  The statements are built by SQLAlchemy for the dialect, once, and executed
by the driver itself: this is the hot path of the whole centre.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from sqlalchemy import Dialect, Engine, Table, bindparam, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from nyala.headend.ports import AlarmCleared, AlarmDated, AlarmRaised, Changes
from nyala.store import (
    alarms,
    bulk,
    config_orders,
    frames,
    groups,
    lifecycle,
    reads,
    rows,
    schema,
    schema_configuration,
    schema_frames,
    schema_lives,
    schema_notices,
    schema_reads,
)
from nyala.store.keys import KeyRing, ring_of
from nyala.store.rows import Row
from nyala.vocab.identifiers import eui_text

MARK_ID: Final = 1


def insert(dialect: Dialect, table: Table) -> Any:
    """The INSERT of a dialect that knows ON CONFLICT."""
    return (postgresql if dialect.name == "postgresql" else sqlite).insert(table)


def upsert(dialect: Dialect, table: Table, keys: Iterable[str], values: Iterable[str]) -> Insert:
    """INSERT that replaces `values` of a row with the same `keys`."""
    statement = insert(dialect, table)
    changed = {name: statement.excluded[name] for name in values}
    made: Insert = statement.on_conflict_do_update(index_elements=list(keys), set_=changed)
    return made


def insert_new(dialect: Dialect, table: Table, keys: Iterable[str]) -> Insert:
    """INSERT that leaves a row with the same `keys` alone."""
    made: Insert = insert(dialect, table).on_conflict_do_nothing(index_elements=list(keys))
    return made


class Prepared:
    """One statement in the driver's own words."""

    def __init__(self, dialect: Dialect, statement: Any) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self._order: Sequence[str] | None = compiled.positiontup

    def parameters(self, said: list[Row]) -> list[Any]:
        """Rows as the driver takes them."""
        order = self._order
        return said if order is None else [tuple([row[name] for name in order]) for row in said]


Unit = tuple[Prepared, list[Row]]


class Statements:
    """The statements of one dialect, built once."""

    def __init__(self, dialect: Dialect) -> None:
        def prepare(statement: Any) -> Prepared:
            return Prepared(dialect, statement)

        day_key = ("meter_id", "day", "channel")
        self.journal = prepare(insert_new(dialect, schema.uplink_journal, ["seq"]))
        self.mark = prepare(upsert(dialect, schema.journal_mark, ["id"], ["worked_off"]))
        self.root = prepare(
            update(schema.lorawan_device)
            .where(schema.lorawan_device.c.dev_eui == bindparam("eui"))
            .values(
                dev_nonce=bindparam("nonce"),
                join_nonce=bindparam("given"),
                joined_us=bindparam("joined"),
                refused_us=bindparam("refused"),
                refused_nonce=bindparam("refused_with"),
                used_nonces=bindparam("used"),
            )
        )
        self.readmission = prepare(insert_new(dialect, schema.readmission, ["dev_eui", "at_us"]))
        self.session = prepare(_replace(dialect, schema.lorawan_session))
        self.counted = prepare(
            update(schema.lorawan_session)
            .where(schema.lorawan_session.c.dev_eui == bindparam("eui"))
            .values(f_cnt_up=bindparam("counter"), heard_by=bindparam("gateways"))
        )
        self.state = prepare(_replace(dialect, schema.meter_state))
        self.load_day = prepare(_replace(dialect, schema.load_day))
        self.window = prepare(_replace(dialect, schema_frames.frame_window))
        self.history = prepare(insert_new(dialect, schema.load_day_history, [*day_key, "version"]))
        self.register = prepare(insert_new(dialect, schema.register_reading, ["meter_id", "quantity", "at_s"]))
        self.event = prepare(
            _without_id(insert_new(dialect, schema.meter_event, ["meter_id", "at_s", "code", "number"]), schema.meter_event)
        )
        self.alarm_raised = prepare(
            _without_id(insert_new(dialect, schema.meter_alarm, ["meter_id", "alarm", "raised_s"]), schema.meter_alarm)
        )
        self.alarm_change = prepare(
            _without_id(
                insert_new(dialect, schema_notices.alarm_change, ["meter_id", "alarm", "at_s", "before_s"]),
                schema_notices.alarm_change,
            )
        )
        self.alarm_dated, self.alarm_cleared = prepare(alarms.dating()), prepare(alarms.clearing())
        self.command = prepare(_replace(dialect, schema.command))
        self.step = prepare(_without_id(insert(dialect, schema.command_step), schema.command_step))
        self.group, self.campaign = (prepare(_replace(dialect, each)) for each in (schema.multicast_group, schema.campaign))
        self.bulk_order, self.bulk_member, self.life, self.life_step, self.exchange, self.installed = _lives(dialect)
        self.read_plan = prepare(_replace(dialect, schema_reads.read_plan))
        self.config_order = prepare(_replace(dialect, schema_configuration.config_order))
        self.config_member = prepare(_replace(dialect, schema_configuration.config_member))
        self.gateway = prepare(_gateway(dialect))


def _gateway(dialect: Dialect) -> Insert:
    """Frames are added to what a gateway had."""
    statement = insert(dialect, schema.gateway)
    changed = {
        "last_seen_us": statement.excluded.last_seen_us,
        "frames": schema.gateway.c.frames + statement.excluded.frames,
    }
    made: Insert = statement.on_conflict_do_update(index_elements=["eui"], set_=changed)
    return made


def _lives(dialect: Dialect) -> list[Prepared]:
    """The statements of campaigns, members, lives, steps, exchanges and new meters in their places."""
    step, exchange = schema_lives.meter_life_step, schema_lives.meter_exchange
    replaced = (schema_lives.bulk_order, schema_lives.bulk_member, schema_lives.meter_life)
    statements: list[Any] = [_replace(dialect, each) for each in replaced]
    statements.append(_without_id(insert(dialect, step), step))
    statements.append(_without_id(insert_new(dialect, exchange, ["old_meter_id"]), exchange))
    return [Prepared(dialect, each) for each in (*statements, lifecycle.installing())]


def _without_id(statement: Any, table: Table) -> Any:
    """An INSERT that leaves the id to the database."""
    return statement.values({column.name: bindparam(column.name) for column in table.columns if column.name != "id"})


def _replace(dialect: Dialect, table: Table) -> Insert:
    keys = [column.name for column in table.primary_key]
    return upsert(dialect, table, keys, [column.name for column in table.columns if column.name not in keys])


def unit_rows(statements: Statements, changes: Changes, ring: KeyRing) -> list[Unit]:
    """The statements of a unit of work with their rows; those without rows are left out."""
    journal = [*map(rows.reception_row, changes.journal), *map(rows.app_uplink_row, changes.app_journal)]
    mark = [] if changes.worked_off is None else [{"id": MARK_ID, "worked_off": changes.worked_off}]
    readmissions = [rows.readmission_row(r.dev_eui, r.readmission) for r in changes.roots if r.readmission is not None]
    counted = [
        {"eui": eui_text(c.dev_eui), "counter": c.f_cnt_up, "gateways": rows.heard_by_text(c.heard_by)} for c in changes.counted
    ]
    gateways = [
        {"eui": eui_text(g.eui), "first_seen_us": g.last_seen_us, "last_seen_us": g.last_seen_us, "frames": g.frames}
        for g in changes.gateways
    ]
    registers = [{"meter_id": r.meter_id, "quantity": r.quantity, "at_s": r.at_s, "value": r.value} for r in changes.registers]
    events = [
        {
            "meter_id": e.meter_id,
            "at_s": e.at_s,
            "code": e.code,
            "detail": e.detail,
            "number": e.number,
            "received_us": e.received_us,
        }
        for e in changes.events
    ]
    steps = [{"command_id": s.command_id, "at_us": s.at_us, "state": s.state.value, "text": s.text} for s in changes.steps]
    units: list[Unit] = [
        (statements.journal, journal),
        (statements.root, list(map(rows.root_row, changes.roots))),
        (statements.readmission, readmissions),
        (statements.session, [rows.session_row(session, ring) for session in changes.sessions]),
        (statements.counted, counted),
        (statements.state, list(map(rows.state_row, changes.states))),
        (statements.history, list(map(rows.history_row, changes.superseded))),
        (statements.load_day, list(map(rows.load_day_row, changes.load_days))),
        (statements.window, [frames.window_row(*each) for each in changes.windows]),
        (statements.register, registers),
        (statements.event, events),
        (statements.alarm_raised, [alarms.raised_row(a) for a in changes.alarms if isinstance(a, AlarmRaised)]),
        (statements.alarm_change, [alarms.noted_row(a) for a in changes.alarms if not isinstance(a, AlarmDated)]),
        (statements.alarm_dated, [alarms.dated_row(a) for a in changes.alarms if isinstance(a, AlarmDated)]),
        (statements.alarm_cleared, [alarms.cleared_row(a) for a in changes.alarms if isinstance(a, AlarmCleared)]),
        (statements.command, list(map(rows.command_row, changes.commands))),
        (statements.step, steps),
        (statements.gateway, gateways),
        (statements.group, [groups.group_row(group, ring) for group in changes.groups]),
        (statements.campaign, [groups.campaign_row(campaign, ring) for campaign in changes.campaigns]),
        (statements.bulk_order, list(map(bulk.order_row, changes.bulk_orders))),
        (statements.bulk_member, [bulk.member_row(*each) for each in changes.bulk_members]),
        (statements.life, list(map(lifecycle.life_row, changes.lives))),
        (statements.life_step, list(map(lifecycle.step_row, changes.life_steps))),
        (statements.installed, list(map(lifecycle.installed_row, changes.exchanges))),
        (statements.exchange, list(map(lifecycle.exchange_row, changes.exchanges))),
        (statements.read_plan, list(map(reads.plan_row, changes.read_plans))),
        (statements.config_order, list(map(config_orders.order_row, changes.config_orders))),
        (statements.config_member, [config_orders.member_row(*each) for each in changes.config_members]),
        (statements.mark, mark),
    ]
    return [(statement, said) for statement, said in units if said]


class InlineWriter:
    """Commits on the caller's thread, over a connection of its own: simulations, tests, tools."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._statements = engine, Statements(engine.dialect)
        self._connection: Any = None

    async def commit(self, changes: Changes) -> None:
        """Writes one unit of work."""
        self.execute(self.prepare(changes))

    def prepare(self, changes: Changes) -> list[Unit]:
        """The rows of a unit of work, now."""
        return unit_rows(self._statements, changes, ring_of(self._engine))

    def execute(self, units: list[Unit]) -> None:
        """Writes rows in one transaction: all are there afterwards, or an error is raised and none are."""
        if self._connection is None:
            self._connection = self._engine.raw_connection()
        connection = self._connection
        cursor = connection.cursor()
        try:
            if self._engine.dialect.name == "sqlite":
                cursor.execute("BEGIN IMMEDIATE")
            for statement, said in units:
                cursor.executemany(statement.sql, statement.parameters(said))
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            cursor.close()

    def close(self) -> None:
        """Gives the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class ThreadWriter:
    """Commits on one writer thread, so that the loop goes on while the disk works: the server."""

    def __init__(self, engine: Engine) -> None:
        self._inline = InlineWriter(engine)
        self._thread = ThreadPoolExecutor(1, "nyala-writer")

    async def commit(self, changes: Changes) -> None:
        """Writes one unit of work."""
        units = self._inline.prepare(changes)
        await self.run(lambda: self._inline.execute(units))

    async def run(self, work: Callable[[], Any]) -> Any:
        """Any other writing, in its turn."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Waits for the last unit of work."""
        self._thread.submit(self._inline.close)
        self._thread.shutdown()
