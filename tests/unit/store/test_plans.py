"""A page of a large table is answered from an index: no question reads or sorts the whole table."""

import re
from collections.abc import Callable
from typing import Any, Final

import pytest
from sqlalchemy import Connection, Engine, Integer, String, Table, case, cast, event, literal, select, text

from nyala.mdm.load_day import Key
from nyala.store import alarms, commands, load_days, meters, schema
from nyala.store.alarms import Which
from nyala.store.engine import open_engine, writing
from nyala.store.load_days import LoadDays
from nyala.vocab.quantities import Channel
from tests.unit.store.filled import DAY, START_S, load_day

ROWS = 100_000
METERS = 2_000


NUMBERS: Final = select(literal(1, Integer).label("n")).cte("numbers", recursive=True)
MANY: Final = NUMBERS.union_all(select(NUMBERS.c.n + 1).where(NUMBERS.c.n < ROWS))
N: Final = MANY.c.n
TEXT: Final = cast(N + 1_000_000, String)
"""Seven digits: in the order of the numbers."""
OWNER: Final = N % METERS + 1
EMPTY_DAY: Final = load_day([])
FULL: Final[dict[Table, dict[str, Any]]] = {
    schema.meter: {
        "id": N,
        "serial": TEXT,
        "tenant_id": 1,
        "model": "single-phase",
        "customer": "c",
        "site": "s",
        "zone": "UTC",
        "period_s": 900,
        "report_s": 3_600,
        "installed_s": START_S,
        "tariff": "",
        "contracted_va": 0,
        "ct_primary": 1,
        "ct_secondary": 1,
    },
    schema.lorawan_device: {
        "meter_id": N,
        "dev_eui": TEXT,
        "join_eui": "0" * 16,
        "app_key": b"",
        "dev_addr": N,
        "class_c": True,
        "dev_nonce": -1,
        "join_nonce": 0,
    },
    schema.command: {
        "id": N,
        "meter_id": OWNER,
        "sequence": 1,
        "kind": "read",
        "created_us": 0,
        "created_by": "x",
        "reason": "",
        "state": case((N % 5_000 == 0, "sent"), else_="verified"),
        "expires_us": 0,
        "updated_us": 0,
        "attempts": 0,
        "idempotency_key": TEXT,
        "next_us": 0,
        "quantities": "",
    },
    schema.meter_event: {"meter_id": OWNER, "at_s": N, "code": 1, "detail": 0, "number": 0, "received_us": 0},
    schema.meter_alarm: {
        "tenant_id": 1,
        "meter_id": OWNER,
        "alarm": N % 19,
        "raised_s": N,
        "source": "event",
        "received_us": 0,
        "cleared_s": case((N % 500 == 0, None), else_=N + 1),
        "acknowledged_us": case((N % 300 == 0, None), else_=0),
    },
    schema.uplink_journal: {"seq": N, "received_us": 0, "source": "0" * 16, "port": 1, "payload": b"", "radio": b""},
    schema.load_day: {
        "meter_id": OWNER,
        "day": DAY + N / METERS,
        "channel": 0,
        "version": 1,
        "period_s": 900,
        "energy_wh": 0,
        "intervals": EMPTY_DAY.values,
        "qualities": EMPTY_DAY.qualities,
        "missing": 96,
        "estimated": 0,
    },
}


@pytest.fixture(scope="module")
def full(make_store, tmp_path_factory):
    """A store with 100,000 rows in each table that grows."""
    engine = open_engine(make_store(tmp_path_factory.mktemp("full") / "store"), durable=False)
    with writing(engine) as connection:
        connection.execute(schema.tenant.insert().values(id=1, name="t"))
        connection.execute(schema.journal_mark.insert().values(id=1, worked_off=ROWS - 3))
        for table, said in FULL.items():
            made = [cast(value, table.c[name].type).label(name) for name, value in said.items()]
            connection.execute(table.insert().from_select(list(said), select(*made).select_from(MANY)))
        connection.execute(text("ANALYZE"))
    yield engine
    engine.dispose()


def plans(engine: Engine, ask: Callable[[Connection], object]) -> list[str]:
    """How the database answers each question with a limit or a key, one line per step of its plan."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        with engine.connect() as connection:
            ask(connection)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    sqlite = engine.dialect.name == "sqlite"
    found: list[str] = []
    with engine.connect() as connection:
        for statement, parameters in asked:
            if not statement.lstrip().startswith("SELECT count("):  # a total reads an index of its own
                explained = connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' if sqlite else ''}{statement}", parameters)
                found += [str(row[-1]) for row in explained]
    assert found
    return found


def whole_tables(steps: list[str]) -> list[str]:
    """Steps that read one of the large tables from end to end, or sort what they found."""
    large = "|".join(table.name for table in FULL)
    return [step for step in steps if "B-TREE" in step or re.search(rf"Seq Scan on ({large})\b|^SCAN ({large})$", step)]


QUESTIONS: dict[str, Callable[[Connection], object]] = {
    "the first page of meters": lambda c: meters.list_meters(c, 1),
    "a page in the middle": lambda c: meters.list_meters(c, 1, after="1050000", limit=100),
    "one meter": lambda c: meters.meter_of_tenant(c, 1, 50_000),
    "the shadow of a meter": lambda c: meters.state_of_meter(c, 50_000),
    "commands of a meter": lambda c: commands.commands_of(c, 77),
    "a command by its key": lambda c: commands.command_by_key(c, "1000777"),
    "the next journal row": commands.next_journal,
    "what is not worked off": commands.not_worked_off,
    "alarms that are on": lambda c: alarms.list_alarms(c, 1),
    "alarms that nobody has seen": lambda c: alarms.list_alarms(c, 1, Which.OPEN, after="90000-90000"),
    "all alarms": lambda c: alarms.list_alarms(c, 1, Which.ALL, after="70000-70000"),
    "alarms of some kinds": lambda c: alarms.list_alarms(c, 1, bits=[1, 2]),
    "alarms of a meter": lambda c: alarms.list_alarms(c, 1, Which.ALL, meter_id=77),
    "one alarm": lambda c: alarms.alarm_by_id(c, 1, 77),
    "load days of a meter": lambda c: load_days.of_meter(c, 77, [Channel.IMPORT], DAY, DAY + 31),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_reads_no_whole_table(full, question):
    assert whole_tables(plans(full, QUESTIONS[question])) == []


def test_the_book_finds_its_days_by_key(full):
    reader = LoadDays(full)
    keys = [Key(number, DAY + 3, Channel.IMPORT) for number in range(1, 300)]
    assert whole_tables(plans(full, lambda _: reader.load_days(keys))) == []


def test_the_newest_events_of_all_are_read_from_the_end(full):
    steps = plans(full, lambda c: commands.events_of(c, None))
    assert [step for step in steps if "B-TREE" in step or "Sort" in step or "Seq Scan" in step] == []


def test_the_newest_events_of_a_meter_come_from_an_index(full):
    steps = plans(full, lambda c: commands.events_of(c, [77]))
    assert [step for step in whole_tables(steps) if "B-TREE" not in step] == []


def test_an_open_command_is_found_among_many_that_have_ended(full):
    with full.connect() as connection:
        assert [command.id for command in commands.open_commands(connection)] == list(range(5_000, ROWS + 1, 5_000))
        assert commands.count_open(connection, 1) == ROWS // 5_000
        assert commands.next_command_id(connection) == ROWS + 1


def test_the_alarms_that_are_on_are_counted_without_the_others(full):
    steps = plans(full, lambda c: alarms.counts(c, 1))
    assert any("ix_meter_alarm_on" in step for step in steps)


def test_the_end_of_an_alarm_is_written_by_key(full):
    cleared = {"meter": 77, "bit": 1, "at": 5, "before": 6}
    dated = {"meter": 77, "bit": 1, "shown": 5, "raised": 4, "said": 120}
    assert whole_tables(plans(full, lambda c: c.execute(alarms.clearing(), cleared))) == []
    assert whole_tables(plans(full, lambda c: c.execute(alarms.dating(), dated))) == []


def test_the_check_would_see_a_whole_table(full):
    steps = plans(full, lambda c: c.execute(text("SELECT reason FROM command WHERE reason = 'x' ORDER BY created_by")))
    assert whole_tables(steps)
