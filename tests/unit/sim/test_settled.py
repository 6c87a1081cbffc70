"""A fleet that joined long ago: both ends agree, and a command reaches its meter without a single join."""

import asyncio

from nyala.headend.command_life import CommandState
from nyala.headend.commands import Kind
from nyala.sim.history import History
from nyala.sim.settled import settle
from nyala.sim.setup import START_S, Scenario, build
from nyala.sim.virtual_time import VirtualTimeLoop
from nyala.store.engine import open_engine


async def _live(stage):
    world, centre = stage.world, stage.host.start()
    await History(world, centre, 1, loses=lambda row: row == 1).make(START_S + 6 * 3_600, lambda _: None)
    settle(world, centre.network.sessions, stage.records, stage.plan, [each.eui for each in world.forwarders])
    world.start()
    await asyncio.sleep(30)
    command = centre.headend.tracker.issue(
        stage.records[0], Kind.SWITCH_OPEN, has_switch=True, by="x", reason="", now_us=world.now_us()
    )
    centre.ingest.nudge()
    await asyncio.sleep(60)
    world.stop()
    complete = [centre.registry.state(record.id).complete_to for record in stage.records]
    sessions = [centre.network.sessions.of_device(record.dev_eui) for record in stage.records]
    await stage.host.stop()
    return command, complete, sessions


def test_a_settled_fleet_is_reached_at_once_and_only_what_was_to_be_lost_is(tmp_path):
    engine = open_engine(str(tmp_path), durable=False)
    joined: list[int] = []
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        stage = build(runner.get_loop(), Scenario(3, 1, model="single-phase", gateways=1), engine)
        stage.world.on_join.append(joined.append)
        command, complete, sessions = runner.run(_live(stage))
    engine.dispose()
    assert command.state is CommandState.VERIFIED
    assert joined == []
    edge = (START_S + 6 * 3_600) // 900
    assert complete[0] == complete[2] == edge > complete[1]
    for session, twin in zip(sessions, stage.world.twins, strict=True):
        there = twin.mac.activation
        assert there is not None
        assert (there.dev_addr, there.data_rate) == (session.dev_addr, session.settings.data_rate)
        assert there.f_cnt_up == session.f_cnt_up
