"""The centre is killed again and again while it disconnects a group, resets demands, reads on a schedule and exchanges a meter.

Each kill falls into a commit: what was in it is there or not, and nobody was told.  The operator gives each order again until
he hears that it is taken; his key makes it happen once.  At the end every order was carried out once, by law 3.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from nyala.app import Centre
from nyala.headend.bulk import BulkOrder, Plan
from nyala.headend.bulk_life import BulkEvent, BulkState, MemberState
from nyala.headend.command_life import FINAL, CommandState
from nyala.headend.commands import CommandRow, Kind
from nyala.headend.exchange import Exchange
from nyala.headend.lifecycle import Life
from nyala.headend.reads import ReadPlan
from nyala.sim.history import History
from nyala.sim.laws import law_once
from nyala.sim.settled import settle
from nyala.sim.setup import START_S, Scenario, Stage, build
from nyala.sim.virtual_time import VirtualTimeLoop
from nyala.store import bulk, lifecycle, meters, reads, rows, schema, schema_lives
from nyala.store.engine import open_engine
from nyala.vocab.errors import CallerError
from nyala.vocab.quantities import register
from nyala.vocab.time import US_PER_S
from tests.unit.store.filled import new_meter

METERS, KILLS = 12, 8
EXCHANGED_ROW = METERS - 1
HISTORY_S = 6 * 3_600
RUN_S = 2_400
SCENARIO = Scenario(METERS, 1, model="single-phase", loss=0.05, gateways=2, seed=3)


@dataclass
class Story:
    """What was left in the store, and what the meters did."""

    stage: Stage
    commands: list[CommandRow]
    orders: list[BulkOrder]
    plan: ReadPlan
    exchanges: int
    lives: dict[int, Life]
    law: Any
    new_meter: int


def order(kind: Kind, key: str, now_us: int) -> BulkOrder:
    plan = Plan(kind, pace=30, life_s=1_200)
    end_us = now_us + plan.expires_s * US_PER_S
    return BulkOrder(0, 1, key, plan, BulkState.RUNNING, now_us, "ani", "overdue", end_us, now_us, now_us, key=key)


async def live(stage: Stage, random: Random) -> int:
    """Orders amid kills; answers the id of the meter that came."""
    world, host, records = stage.world, stage.host, stage.records
    centre, members = host.start(), [record.id for record in stage.records[:-1]]
    [spare] = meters.onboard(centre.engine, records[0].tenant_id, [new_meter(METERS + 1, life=Life.IN_STOCK)])
    await host.stop()
    centre = host.start()
    await History(world, centre, 1).make(START_S + HISTORY_S, lambda _: None)
    settle(world, centre.network.sessions, records, stage.plan, [each.eui for each in world.forwarders])
    world.start()
    await asyncio.sleep(30)
    edge = (START_S + HISTORY_S) // 900
    registers = world.twins[EXCHANGED_ROW].meter.edge_registers(edge)
    final = {register(channel).name: registers[channel] for channel in list(registers)[:2]}

    def campaign(kind: Kind, key: str) -> Callable[[Centre], None]:
        def say(centre: Centre) -> None:
            if centre.headend.bulk.of_key(key) is not None or known(centre, key):
                return
            made = order(kind, key, world.now_us())
            centre.headend.bulk.create(made, members)
            if made.state is BulkState.AWAITING:
                centre.headend.bulk.say(made.id, BulkEvent.APPROVE, by="budi", reason="", now_us=world.now_us())

        return say

    def exchange(centre: Centre) -> None:
        old, new = centre.registry.meter(records[EXCHANGED_ROW].id), centre.registry.meter(spare.id)
        if centre.lives.of(old.id).state is not Life.REPLACED:
            centre.exchange(Exchange(old, new, edge * 900, final, dict.fromkeys(final, 0), world.now_us(), "ani", "broken"))

    def plan(centre: Centre) -> None:
        if centre.headend.reads.of_key("1:plan") is None:
            said = ReadPlan(0, 1, "p", ("p_w",), "every 10m", "UTC", 60, members[0], None, world.now_us(), "ani", key="1:plan")
            centre.headend.reads.add(said, world.now_us())

    async def insist(say: Callable[[Centre], None]) -> None:
        """An operator: orders until he is told that it is on disk."""
        while True:
            centre = host.centre
            if centre is not None:
                try:
                    say(centre)
                    await asyncio.wait_for(centre.ingest.stored(), 5)
                except (CallerError, TimeoutError):
                    pass
                else:
                    return
            await asyncio.sleep(3)

    async def kill() -> None:
        for number in range(1, KILLS + 1):
            await asyncio.sleep(random.uniform(1, 15))
            while host.kills < number:  # it dies in a commit, and is down for a while before it can die again
                host.kill(random.uniform(2, 20))
                await asyncio.sleep(1)

    killing = asyncio.create_task(kill())
    for say in (campaign(Kind.SWITCH_OPEN, "1:open"), exchange, plan):
        await insist(say)
    while not ended(host.centre, "1:open"):  # noqa: ASYNC110 - an operator who looks at the page
        await asyncio.sleep(10)
    await insist(campaign(Kind.DEMAND_RESET, "1:reset"))
    await killing
    await asyncio.sleep(RUN_S)
    world.stop()
    await host.stop()
    return spare.id


def known(centre: Centre, key: str) -> bool:
    with centre.engine.connect() as connection:
        return bulk.by_key(connection, key) is not None


def ended(centre: Centre | None, key: str) -> bool:
    """Whether a campaign is over; nobody knows while the centre is down."""
    if centre is None:
        return False
    with centre.engine.connect() as connection:
        found = bulk.by_key(connection, key)
    return found is not None and found.state is BulkState.DONE


@pytest.fixture(scope="module", params=[1, 2, 3])
def story(request, tmp_path_factory):
    engine = open_engine(str(tmp_path_factory.mktemp("orders")), durable=False)
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        stage = build(runner.get_loop(), SCENARIO, engine)
        spare = runner.run(live(stage, Random(request.param)))
    with engine.connect() as connection:
        found = connection.execute(select(schema.command).order_by(schema.command.c.id)).mappings()
        commands = [rows.command_of(row) for row in found]
        orders = [bulk.by_key(connection, key) for key in ("1:open", "1:reset")]
        [plan] = reads.running(connection)
        exchanges = len(connection.execute(select(schema_lives.meter_exchange)).all())
        lives = {record.id: lifecycle.life_of(connection, record.id).state for record in meters.load_records(connection)}
        twins = {record.id: twin for record, twin in zip(stage.records, stage.world.twins, strict=True)}
        law = law_once(
            [command for command in commands if command.kind not in (Kind.READ, Kind.SCHEDULED_READ)],
            stage.world.executed,
            {row: record.id for row, record in enumerate(stage.records)},
            {meter: twin.memory.event_number for meter, twin in twins.items()},
            connection,
        )
    engine.dispose()
    assert None not in orders
    return Story(stage, commands, [each for each in orders if each], plan, exchanges, lives, law, spare)


def test_the_centre_died_often_and_every_order_was_carried_out_once(story):
    assert story.stage.host.kills == KILLS
    assert story.law.broken == []
    assert story.law.checked > 2 * (METERS - 1)


def test_each_meter_of_a_campaign_has_one_command_and_its_end(story):
    assert [each.state for each in story.orders] == [BulkState.DONE, BulkState.DONE]
    assert [dict(+each.tally) for each in story.orders] == [{MemberState.VERIFIED: METERS - 1}] * 2
    keys = Counter(command.key for command in story.commands if command.key is not None)
    assert max(keys.values()) == 1
    assert Counter(command.kind for command in story.commands if command.key) == {
        Kind.SWITCH_OPEN: METERS - 1,
        Kind.DEMAND_RESET: METERS - 1,
    }
    assert all(command.state is CommandState.VERIFIED for command in story.commands if command.key)
    switches = [twin.meter.switch_state.value for twin in story.stage.world.twins]
    assert switches == [0] * (METERS - 1) + [1]


def test_the_meter_was_exchanged_once(story):
    assert story.exchanges == 1
    assert story.lives[story.stage.records[EXCHANGED_ROW].id] is Life.REPLACED
    assert story.lives[story.new_meter] is Life.ACTIVE


def test_each_run_of_a_plan_read_its_meter_once(story):
    planned = [command for command in story.commands if command.kind is Kind.SCHEDULED_READ]
    runs = [command.created_us // US_PER_S // 600 for command in planned]
    assert len(runs) == len(set(runs)) >= RUN_S // 600 - 1
    assert all(command.state in FINAL for command in planned[:-1])
    assert sum(command.state is CommandState.VERIFIED for command in planned) >= len(planned) - 1
    assert story.plan.run_s > 0
