"""Whether the arrays agree with the whole stack: the same hours of the same fleet, decided once by each.

The whole stack lives (twins, MAC, network server, head-end) and every transmission is noted.  The array kernel then decides
each of these frames anew.  Beside it stands what a plan would have said: a fleet that sends as much at the data rates and
powers that the whole stack had come to, at instants that are only drawn (`traffic`).
"""

import asyncio
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from nyala.sim.radio import OnAir, RadioWorld
from nyala.sim.radio.arrays import Frames, Sends, critical_us, fates
from nyala.sim.radio.fate import Fate
from nyala.sim.radio.traffic import Fleet, Mix, draw_traffic
from nyala.sim.setup import Scenario, build
from nyala.sim.virtual_time import VirtualTimeLoop
from nyala.store.engine import open_engine
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.time import US_PER_S

WARM_UP_S: Final = 2 * 3_600
"""Joins, hellos and the first requests of data rates are over by then."""
HOURS: Final = (1, 24)
SILENCE_STEP_S: Final = 0.05
SILENCE_TRIES: Final = 20_000
"""The end is an instant at which nobody sends, so that every frame has its fate."""
SILENCE_FRAMES: Final = 64
"""Frames that are looked at for it: more are never on the air at once where there are silences."""
DRAWN_FRAMES: Final = 300_000
"""Of the drawn fleet: its ratio is then known better than that of the whole stack."""


@dataclass(frozen=True, slots=True)
class Lived:
    """What was on the air, in the order of its beginning, and how often each fate befell an uplink at a gateway."""

    frames: tuple[OnAir, ...]
    fates: Counter[str]
    radio: RadioWorld
    warm_us: int
    """From here on the fleet is warm."""


def agree(scenario: Scenario, hours: int) -> dict[str, Any]:
    """What each says, and in how many fates they differ.  BadArgumentError for a span out of bounds, and for a loss that is
    drawn: only the radio is asked.
    """
    if not HOURS[0] <= hours <= HOURS[1]:
        raise BadArgumentError(f"{hours} hours: {HOURS[0]} to {HOURS[1]}")
    if scenario.loss:
        raise BadArgumentError("losses are drawn here by the radio alone, not beside it")
    lived = live(scenario.checked(), hours)
    frames, sends = as_arrays(lived)
    found = fates(lived.radio.profile, frames, sends)
    warm = frames.start_us >= lived.warm_us
    said = {fate.name.lower(): (lived.fates[fate.name.lower()], int((found == fate).sum())) for fate in Fate}
    return {
        "meters": scenario.meters,
        "gateways": scenario.gateways,
        "hours": hours,
        "profile": scenario.profile,
        "seed": scenario.seed,
        "uplinks": len(warm),
        "downlinks": len(sends.gateway),
        "whole_stack": {name: both[0] for name, both in said.items()},
        "arrays": {name: both[1] for name, both in said.items()},
        "differ": sum(abs(one - other) for one, other in said.values()),
        "delivery_ratio": _delivered(found[:, warm]),
        "delivery_ratio_drawn": _drawn(lived, frames, sends, hours, scenario.seed),
    }


def live(scenario: Scenario, hours: int) -> Lived:
    """A fleet and its centre for so many hours after the warm-up."""
    with tempfile.TemporaryDirectory(prefix="nyala-") as folder:
        engine = open_engine(str(Path(folder)), durable=False)
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            lived = runner.run(_live(runner.get_loop(), scenario, engine, hours))
        engine.dispose()
    return lived


async def _live(loop: asyncio.AbstractEventLoop, scenario: Scenario, engine: Engine, hours: int) -> Lived:
    stage = build(loop, scenario, engine)
    world, noted = stage.world, list[OnAir]()
    world.watchers.append(noted.append)
    stage.host.start()
    world.start()
    await asyncio.sleep(WARM_UP_S + hours * 3_600)
    for _ in range(SILENCE_TRIES):
        if all(frame.end_us < world.now_us() for frame in noted[-SILENCE_FRAMES:]):
            break
        await asyncio.sleep(SILENCE_STEP_S)
    else:
        raise BadArgumentError(f"{scenario.meters} meters are never silent: too many for {scenario.gateways} gateway(s)")
    fates_by_name, frames = world.radio.counts.copy(), tuple(noted)
    world.stop()
    await stage.host.stop()
    return Lived(frames, fates_by_name, world.radio, (scenario.start_s + WARM_UP_S) * US_PER_S)


def as_arrays(lived: Lived) -> tuple[Frames, Sends]:
    """The frames of a life, for the kernel."""
    radio, uplinks = lived.radio, [frame for frame in lived.frames if frame.sender >= 0]
    downlinks = sorted((~frame.sender, frame.start_us, frame.end_us) for frame in lived.frames if frame.sender < 0)
    sender = np.array([frame.sender for frame in uplinks], np.int64)
    frames = Frames(
        start_us=np.array([frame.start_us for frame in uplinks], np.int64),
        end_us=np.array([frame.end_us for frame in uplinks], np.int64),
        channel=np.array([frame.frequency_hz for frame in uplinks], np.int64),
        sf=np.array([frame.sf for frame in uplinks], np.int64),
        rssi_dbm=np.array([frame.eirp_dbm for frame in uplinks]) - radio.links.loss_db[:, sender],
        burst_mw=np.zeros(len(uplinks)),
    )
    early_us = critical_us(radio.profile, frames).tolist()
    for index, (frame, from_us) in enumerate(zip(uplinks, early_us, strict=True)):
        frames.burst_mw[index] = radio.interference.power_mw(frame.frequency_hz, from_us, frame.end_us)
    gateway, start_us, end_us = np.array(downlinks, np.int64).reshape(-1, 3).T
    return frames, Sends(gateway, start_us, end_us)


def _delivered(found: NDArray[np.int8]) -> float:
    """The part of the frames that a gateway heard."""
    return round(float((found == Fate.HEARD).any(axis=0).mean()), 6)


def _drawn(lived: Lived, frames: Frames, sends: Sends, hours: int, seed: int) -> float:
    """The same part of a fleet with the frames of the warm hours, at instants that are drawn."""
    warm = np.flatnonzero(frames.start_us >= lived.warm_us)
    fleet = Fleet(
        sf=frames.sf[warm],
        frames=np.ones(len(warm), np.int64),
        airtime_us=(frames.end_us - frames.start_us)[warm],
        rssi_dbm=frames.rssi_dbm[:, warm],
    )
    answered = float((sends.start_us >= lived.warm_us).sum()) / len(warm)
    mix = Mix(hours * 3_600, min(answered, 1.0), len(np.unique(frames.channel[warm])))
    periods = -(-DRAWN_FRAMES // len(warm))
    return _delivered(fates(lived.radio.profile, *draw_traffic(lived.radio.profile, fleet, mix, periods, seed)))
