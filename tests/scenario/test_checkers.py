"""The checkers of the laws see a breach: a check that cannot fail proves nothing."""

import pytest
from sqlalchemy import delete, update

from nyala.headend.command_life import CommandState
from nyala.headend.commands import CommandRow, Kind
from nyala.lorawan.frame import DataFrame, FType, JoinRequest
from nyala.sim.laws import CounterWatch, law_energy, law_kept, law_once, law_versions
from nyala.sim.radio import OnAir
from nyala.sim.setup import Scenario
from nyala.sim.simulation import simulate
from nyala.store import schema
from nyala.store.engine import open_engine, upgrade, writing
from nyala.telegram.kinds import Opcode
from nyala.twin.state import Executed
from nyala.vocab.quantities import Channel

KEY = (1, Channel.IMPORT)


@pytest.fixture
def engine(tmp_path):
    engine = open_engine(str(tmp_path))
    upgrade(engine)
    yield engine
    engine.dispose()


def broken(verdict):
    return not verdict.report()["holds"] and bool(verdict.broken)


@pytest.mark.parametrize(
    ("stored", "estimated", "billed", "holds"),
    [(100, 0, 100, True), (90, 10, 100, True), (99, 0, 99, False), (101, 0, 101, False), (100, 0, 99, False)],
)
def test_a_missing_or_invented_watt_hour_breaks_law_1(stored, estimated, billed, holds):
    verdict = law_energy({KEY: 100}, {KEY: stored}, {KEY: estimated}, {KEY: billed})
    assert broken(verdict) is not holds


def test_nothing_checked_is_not_a_law_that_holds():
    assert law_energy({}, {}, {}, {}).report()["holds"] is False


def journal_row(seq, payload):
    return {"seq": seq, "received_us": 0, "source": f"{7:016x}", "port": None, "payload": payload, "radio": b""}


def test_an_acknowledged_frame_that_is_not_in_the_journal_breaks_law_2(engine):
    with writing(engine) as connection:
        connection.execute(schema.uplink_journal.insert(), [journal_row(1, b"kept")])
    with engine.connect() as connection:
        assert not broken(law_kept([(7, b"kept")], connection))
        assert broken(law_kept([(7, b"kept"), (7, b"lost")], connection))
        assert broken(law_kept([(8, b"kept")], connection))
        assert broken(law_kept([(7, b"kept"), (7, b"kept")], connection))


def command(state):
    return CommandRow(1, 1, 5, Kind.SWITCH_OPEN, state, 0, "x", "", 0, 0)


@pytest.mark.parametrize(
    ("state", "executions", "holds"),
    [
        (CommandState.VERIFIED, 1, True),
        (CommandState.EXPIRED, 0, True),
        (CommandState.UNKNOWN, 1, True),
        (CommandState.VERIFIED, 0, False),
        (CommandState.VERIFIED, 2, False),
        (CommandState.EXPIRED, 1, False),
        (CommandState.CANCELLED, 1, False),
        (CommandState.UNKNOWN, 2, False),
    ],
)
def test_a_command_that_was_not_done_as_said_breaks_law_3(engine, state, executions, holds):
    executed = [(0, Executed(5, Opcode.SWITCH_OPEN))] * executions
    with engine.connect() as connection:
        assert broken(law_once([command(state)], executed, {0: 1}, {}, connection)) is not holds


def test_something_carried_out_that_nobody_ordered_breaks_law_3(engine):
    with engine.connect() as connection:
        assert broken(law_once([], [(0, Executed(5, Opcode.SWITCH_OPEN))], {0: 1}, {}, connection))


def test_an_overwritten_load_day_breaks_law_4(tmp_path):
    simulate(Scenario(meters=2, days=1, commands=0), str(tmp_path / "store"))
    engine = open_engine(str(tmp_path / "store"))
    with engine.connect() as connection:
        assert not broken(law_versions(connection, [(1, True)]))
        assert broken(law_versions(connection, [(1, False)]))
    with writing(engine) as connection:
        connection.execute(update(schema.load_day).values(version=2))
        connection.execute(delete(schema.load_day_history))
    with engine.connect() as connection:
        assert broken(law_versions(connection, [(1, True)]))
    engine.dispose()


def on_air(phy):
    return OnAir(0, phy, 921_400_000, 7, 5, 14, 0, 1, lost=False)


def uplink(f_cnt, payload=b"x"):
    return DataFrame(FType.UNCONFIRMED_UP, 1, f_cnt, f_port=1, payload=payload, mic=b"mic!").encode()


@pytest.mark.parametrize(
    ("frames", "holds"),
    [
        ([uplink(0), uplink(1), uplink(5)], True),
        ([uplink(3), uplink(3)], True),
        ([uplink(0xFFFF), uplink(0)], True),
        ([uplink(3), uplink(3, b"y")], False),
        ([uplink(3), uplink(2)], False),
        ([JoinRequest(1, 2, 4).encode(), JoinRequest(1, 2, 5).encode()], True),
        ([JoinRequest(1, 2, 4).encode(), JoinRequest(1, 2, 4, b"abcd").encode()], False),
        ([JoinRequest(1, 2, 4).encode(), JoinRequest(1, 2, 3).encode()], False),
    ],
)
def test_a_counter_that_does_not_rise_breaks_law_5(frames, holds):
    watch = CounterWatch()
    for frame in frames:
        watch.watch(on_air(frame))
    assert broken(watch.verdict) is not holds


def test_counters_begin_anew_with_a_join():
    watch = CounterWatch()
    watch.watch(on_air(uplink(9)))
    watch.joined(1)
    watch.watch(on_air(uplink(0)))
    assert not broken(watch.verdict)
