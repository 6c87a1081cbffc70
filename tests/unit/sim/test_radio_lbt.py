"""Listening before talking in the whole world: meters wait for what they hear, and cannot wait for what is hidden."""

import asyncio
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from nyala.lorawan.network.plan import NetworkPlan
from nyala.sim import setup
from nyala.sim.setup import Scenario, Stage
from nyala.sim.virtual_time import VirtualTimeLoop
from nyala.store.engine import open_engine

METERS = 40
MINUTES = 10


def lived(folder, plan, between_db) -> tuple[Stage, Counter[str]]:
    """40 meters join within two minutes on two channels; all hear the gateway, and each other over a link of `between_db`."""
    scenario = Scenario(meters=METERS, days=1, gateways=1)

    async def live(stage: Stage) -> None:
        radio = stage.world.radio
        radio.links.loss_db = np.full((1, METERS), 100.0)
        radio.links.between_meters_db = lambda one, other: between_db  # type: ignore[method-assign]
        stage.host.start()
        stage.world.start()
        await asyncio.sleep(MINUTES * 60)
        stage.world.stop()
        await stage.host.stop()

    with pytest.MonkeyPatch.context() as patch, asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        patch.setattr(setup, "network_plan", lambda _: plan)
        stage = setup.build(runner.get_loop(), scenario, open_engine(str(folder), durable=False))
        runner.run(live(stage))
    return stage, stage.world.radio.counts


LBT = NetworkPlan.of("AS923-2", "indonesia-lbt")


def test_meters_that_hear_each_other_listen_first_and_collide_less_than_hidden_ones(tmp_path):
    near, heard = lived(tmp_path / "near", LBT, 80.0)
    _, hidden = lived(tmp_path / "far", LBT, 140.0)
    assert heard["channel_free"] >= METERS
    assert heard["channel_busy"] > 0
    assert hidden["channel_busy"] <= heard["channel_busy"] / 2
    assert heard["collided"] < hidden["collided"]
    assert sum(twin.mac.joined for twin in near.world.twins) == METERS


def test_without_the_rule_nobody_listens(tmp_path):
    _, counts = lived(tmp_path, replace(LBT, regulation=replace(LBT.regulation, lbt=None)), 80.0)
    assert counts["channel_free"] == counts["channel_busy"] == counts["gateway_blocked"] == 0
    assert counts["delivered"] > METERS
