"""The machine that the simulated centre runs on: it can be killed at any moment and comes back from its store.

A kill drops the process's memory and the open transaction.  It happens inside a commit: before the transaction was
committed, or after it and before the acknowledgements left; which of the two is drawn.
"""

import asyncio
import contextlib
from random import Random

from sqlalchemy import Engine

from nyala.app import UDP_PORT, Centre
from nyala.headend.ports import Changes, Writer
from nyala.lorawan.network.plan import NetworkPlan
from nyala.sim.datagrams import DatagramNetwork
from nyala.sim.world import World
from nyala.store.ingest import InlineWriter

CENTRE_ADDRESS = ("centre", UDP_PORT)


class Killed(Exception):  # noqa: N818 - an event of the simulation, not an error of ours
    """The process of the centre has ended, now."""


class _MortalWriter:
    """A writer in which the process can die."""

    def __init__(self, writer: Writer, random: Random) -> None:
        self.doomed = False
        self._writer, self._random = writer, random

    async def commit(self, changes: Changes) -> None:
        """Writes, or dies before or after it."""
        if self.doomed and self._random.random() < 0.5:
            raise Killed
        await self._writer.commit(changes)
        if self.doomed:
            raise Killed


class Host:
    """Starts, kills and restarts the centre of a world, on the world's time and network."""

    def __init__(
        self,
        world: World,
        network: DatagramNetwork,
        engine: Engine,
        random: Random,
        plan: NetworkPlan | None = None,
        *,
        slots: bool = False,
    ) -> None:
        self.centre: Centre | None = None
        self.kills = 0
        self._down_s = 0.0
        self._world, self._network, self._engine, self._random, self._plan = world, network, engine, random, plan
        self._slots = slots
        self._writer: _MortalWriter | None = None
        self._inline: InlineWriter | None = None
        self._task: asyncio.Task[None] | None = None
        self.started: list[Centre] = []
        """Every centre there was: their counters end with their process, the sum is the run's."""

    @property
    def running(self) -> Centre:
        """The centre; it must be up."""
        assert self.centre is not None
        return self.centre

    def start(self) -> Centre:
        """Starts the centre from what its store holds."""
        assert self.centre is None
        self._inline = InlineWriter(self._engine)
        self._writer = _MortalWriter(self._inline, self._random)
        centre = self.centre = Centre(self._engine, self._writer, self._world.now_us, plan=self._plan, slots=self._slots)
        self.started.append(centre)
        self._network.open(CENTRE_ADDRESS, centre.udp)
        self._task = asyncio.get_running_loop().create_task(self._run(centre))
        return centre

    async def _run(self, centre: Centre) -> None:
        try:
            await centre.ingest.run()
        except Killed:
            self.kills += 1
            self._dead()
            self._world.loop.call_later(self._down_s, self.start)

    def kill(self, down_s: float) -> None:
        """Kills the process in its next commit; it comes back so many seconds after it died."""
        if self._writer is not None and not self._writer.doomed:
            self._writer.doomed, self._down_s = True, down_s

    def _dead(self) -> None:
        self._network.close(CENTRE_ADDRESS)
        if self._inline is not None:
            self._inline.close()
        self._engine.dispose()
        self.centre = self._writer = self._task = None

    async def stop(self) -> None:
        """Ends the process at once, wherever it is: everything that is acknowledged must be in the store already."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._dead()
