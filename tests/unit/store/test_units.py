"""Units of work: every kind of row comes back as it was written, and a unit is there as a whole or not at all."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError

from nyala.headend.command_life import CommandState
from nyala.headend.commands import CommandStep
from nyala.headend.ports import Changes, EventRow, GatewayRow, RegisterRow
from nyala.lorawan.network.port import AppUplink
from nyala.lorawan.network.sessions import SessionRow
from nyala.mdm.load_day import Key
from nyala.store import commands, frames, gateways, load_days, meters, schema
from nyala.store.ingest import InlineWriter, ThreadWriter
from nyala.store.load_days import LoadDays
from nyala.vocab.quantities import Channel
from tests.unit.store import filled
from tests.unit.store.filled import DAY, GATEWAY, NOW_US, START_S, TOP, counted, counts, everything, load_day, onboard, write

WRITERS: dict[str, Callable[[Engine], InlineWriter | ThreadWriter]] = {"inline": InlineWriter, "thread": ThreadWriter}


@pytest.fixture(params=WRITERS)
def commit(request, engine):
    """Writes a unit of work the way a server or a simulation does."""

    def run(*units):
        async def all_of_them():
            writer = WRITERS[request.param](engine)
            try:
                for unit in units:
                    await writer.commit(unit)
            finally:
                writer.close()

        asyncio.run(all_of_them())

    return run


@pytest.fixture
def connection(engine):
    onboard(engine)
    with engine.connect() as opened:
        yield opened


def test_every_kind_of_row_comes_back_as_it_was_written(connection, commit, engine):
    unit = everything()
    commit(unit)
    assert commands.not_worked_off(connection) == [unit.journal[1], unit.app_journal[0]]
    assert [(r.dev_nonce, r.join_nonce, r.dev_addr) for r in meters.load_roots(connection)] == [(77, 5, 1), (-1, 0, 2)]
    session = meters.load_sessions(connection).of_device(0xD0001)
    assert session is not None
    row = SessionRow.of(session)
    assert replace(row, settings={}) == replace(unit.sessions[0], settings={})
    assert filled.SETTINGS.items() <= row.settings.items()
    assert meters.load_states(connection) == unit.states
    assert meters.state_of_meter(connection, 1) == unit.states[0]
    [day] = LoadDays(engine).load_days([Key(1, DAY, Channel.IMPORT), Key(2, DAY, Channel.IMPORT)]).values()
    assert replace(unit.load_days[0], energy_wh=0, missing=0) == day
    assert frames.load_windows(connection) == dict(unit.windows)
    assert commands.open_commands(connection) == unit.commands[:1]
    assert [commands.command_by_id(connection, number) for number in (1, 2, 3)] == [*unit.commands, None]
    assert commands.steps_of(connection, [1, 2]) == {1: unit.steps, 2: []}
    assert commands.events_of(connection, [1]) == unit.events
    assert [(g.eui, g.last_seen_us, g.frames) for g in gateways.all_gateways(connection)] == [(f"{GATEWAY:016x}", NOW_US, 2)]
    registers = connection.execute(select(schema.register_reading).order_by(schema.register_reading.c.quantity)).all()
    assert [RegisterRow(*row) for row in registers] == unit.registers


def test_the_columns_that_lists_need_are_filled(connection, commit):
    commit(everything())
    state = connection.execute(select(schema.meter_state)).mappings().one()
    assert (state["p_w"], state["import_wh"], state["switch_state"], state["complete_to"]) == (-230, TOP, 1, DAY * 96 + 5)
    day = connection.execute(select(schema.load_day)).mappings().one()
    assert (day["energy_wh"], day["missing"], day["estimated"]) == (2**40 + 4, 93, 0)


def test_the_same_unit_twice_leaves_what_once_leaves(connection, commit, engine):
    unit = everything()
    unit.steps, unit.life_steps, unit.gateways = [], [], []
    commit(unit)
    before = counts(engine)
    commit(unit)
    assert counts(engine) == before
    assert commands.not_worked_off(connection) == [unit.journal[1], unit.app_journal[0]]


def test_what_is_the_newest_replaces_what_was(connection, commit):
    first = everything()
    state = filled.state()
    state.switch_state, state.live = 0, {}
    session = replace(filled.session(), f_cnt_up=9, heard_by=())
    moved = filled.command(state=CommandState.VERIFIED)
    later = Changes(sessions=[session], states=[state], commands=[moved], load_days=[load_day([7], version=3)])
    commit(first, later)
    assert meters.load_states(connection) == [state]
    found = meters.load_sessions(connection).of_device(0xD0001)
    assert found is not None
    assert (found.f_cnt_up, found.heard_by) == (9, ())
    assert commands.open_commands(connection) == []
    [day] = load_days.of_meter(connection, 1, [Channel.IMPORT], DAY, DAY + 1)
    assert (day.version, day.values) == (3, load_day([7]).values)


def test_of_a_session_that_only_counted_the_counter_and_the_gateways_change(connection, commit):
    commit(everything(), Changes(counted=[counted(41)]))
    found = meters.load_sessions(connection).of_device(0xD0001)
    assert found is not None
    assert (found.f_cnt_up, found.f_cnt_down, found.heard_by) == (41, 2**31, ((GATEWAY + 5, 1.0),))


def test_registers_events_and_journal_rows_are_never_overwritten(connection, commit):
    first = everything()
    again = Changes(
        journal=[replace(first.journal[0], phy=b"forged")],
        registers=[RegisterRow(1, 10, START_S, 5)],
        events=[EventRow(1, START_S, 2, 0, 255, NOW_US + 9)],
        superseded=[load_day([9, 9])],
    )
    commit(first, again)
    query = select(schema.uplink_journal.c.payload).where(schema.uplink_journal.c.seq == 1)
    assert connection.scalar(query) == first.journal[0].phy
    query = select(schema.register_reading.c.value).where(schema.register_reading.c.quantity == 10)
    assert connection.scalar(query) == TOP
    assert commands.events_of(connection, [1]) == first.events
    assert load_days.of_versions(connection, [(Key(1, DAY, Channel.IMPORT), 1)])[0].values == load_day([1, 2]).values


def test_frames_of_a_gateway_add_up(connection, commit):
    units = [Changes(gateways=[GatewayRow(GATEWAY, NOW_US + at, frames)]) for at, frames in ((0, 2), (5, 40))]
    commit(*units)
    assert [(g.last_seen_us, g.frames) for g in gateways.all_gateways(connection)] == [(NOW_US + 5, 42)]
    assert connection.scalar(select(schema.gateway.c.first_seen_us)) == NOW_US


def test_a_unit_is_taken_down_when_it_is_given_not_when_it_is_written(connection, engine):
    unit, writer = everything(), InlineWriter(engine)
    prepared = writer.prepare(unit)
    unit.states[0].live["p_w"] = 1
    unit.commands[0].reason = "changed"
    writer.execute(prepared)
    writer.close()
    assert meters.load_states(connection)[0].live["p_w"] == -230
    assert commands.open_commands(connection)[0].reason == "why; ünïcode"


# -- as a whole or not at all


def broken(**said):
    """Everything, and a step of a command that is not there: it is written near the end."""
    unit = everything()
    unit.steps.append(CommandStep(99, NOW_US, CommandState.QUEUED, "of nothing"))
    return replace(unit, **said)


def test_an_error_in_the_middle_leaves_nothing_of_the_unit(connection, commit, engine):
    before = counts(engine)
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        commit(broken())
    assert counts(engine) == before
    assert [(root.dev_nonce, root.join_nonce) for root in meters.load_roots(connection)] == [(-1, 0), (-1, 0)]


def test_after_an_error_the_writer_goes_on_with_the_next_unit(connection, engine):
    writer = InlineWriter(engine)
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        writer.execute(writer.prepare(broken()))
    writer.execute(writer.prepare(everything()))
    writer.close()
    assert commands.open_commands(connection) == [filled.command()]


def test_an_error_does_not_take_back_the_unit_before(connection, commit):
    first = Changes(states=[filled.state()])
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        commit(first, broken(states=[replace(filled.state(), uplinks=99)]))
    assert meters.load_states(connection) == [filled.state()]


def test_an_idempotency_key_is_given_once(connection, commit):
    commit(Changes(commands=[filled.command(1)]))
    with pytest.raises(Exception, match=r"(?i)unique") as error:
        commit(Changes(commands=[filled.command(2)]))
    assert not isinstance(error.value, DBAPIError), "the hot path talks to the driver itself"
    assert [c.id for c in commands.open_commands(connection)] == [1]


def test_nothing_to_write_is_empty():
    assert Changes().empty
    assert not Changes(worked_off=0).empty
    full = replace(everything(), counted=[counted(1)])
    for name, value in ((name, getattr(full, name)) for name in Changes.__slots__):
        assert not Changes(**{name: value}).empty, name


def test_units_of_a_thread_are_written_in_their_order(connection, engine):
    async def many():
        writer = ThreadWriter(engine)
        states = [replace(filled.state(), uplinks=number) for number in range(20)]
        await asyncio.gather(*(writer.commit(Changes(states=[state])) for state in states))
        assert await writer.run(lambda: 7) == 7
        writer.close()

    asyncio.run(many())
    assert meters.load_states(connection)[0].uplinks == 19


# -- the journal


def test_the_journal_gives_back_what_may_not_have_had_its_effect(engine):
    def left_over():
        with engine.connect() as connection:
            return commands.not_worked_off(connection), commands.next_journal(connection)

    unit = everything()
    onboard(engine)
    assert left_over() == ([], 1)
    write(engine, replace(unit, worked_off=None))
    assert left_over() == ([*unit.journal, *unit.app_journal], 4)
    write(engine, Changes(worked_off=2))
    assert left_over() == (unit.app_journal, 4)
    write(engine, Changes(worked_off=3))
    assert left_over() == ([], 4)


def test_frames_and_telegrams_stand_in_one_order_in_the_journal(connection, engine):
    told = [AppUplink(1, 0, b"", 0, 2), AppUplink(2**64 - 1, 223, b"\xff", NOW_US, 4)]
    heard = [filled.reception(3), filled.reception(1)]
    write(engine, Changes(journal=heard, app_journal=told))
    assert commands.not_worked_off(connection) == [heard[1], told[0], heard[0], told[1]]
