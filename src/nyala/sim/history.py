"""The demo's history: weeks of readings in seconds, by a faster path that says so.

The faster path leaves out frames, radio and gateways: every six hours each meter's telegrams - the same codec, the same
content - go straight to the head-end's port for telegrams of other network servers.  Meter, telegram, head-end, journal,
load days and store are the same code as ever, on virtual time.  A few telegrams are lost on the way and a few meters lose
their supply, so that gaps and outages can be seen; what is lost of the last days is filled over the air once live.
"""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Final

import numpy as np

from nyala.app import Centre
from nyala.lorawan.network.port import AppUplink
from nyala.sim.faults import Outage, draw_faults
from nyala.sim.world import World
from nyala.telegram import intervals, messages, values
from nyala.telegram.kinds import EventCode, Port
from nyala.telegram.messages import Event
from nyala.telegram.values import Values
from nyala.twin.device import Twin
from nyala.vocab.quantities import register
from nyala.vocab.time import DAY_S, US_PER_S

BATCH_S: Final = 6 * 3_600
ROOM: Final = 242
"""Payload at DR5: these meters are taken to be near."""
LOSS: Final = 0.004
CLOCK_ERROR_US: Final = 30_000
"""What a time answer over the air leaves: clocks are kept as the network would keep them."""
CUTS: Final = 8
"""Meters that lose their supply for some minutes to hours."""


class History:
    """Weeks of one world.  Runs on the world's loop, which must be virtual."""

    def __init__(self, world: World, centre: Centre, seed: int, loses: Callable[[int], bool] = lambda _row: False) -> None:
        """`loses`: of which meters nothing arrives, besides what is lost of all."""
        self._world, self._centre, self._loses = world, centre, loses
        self._random = Random(f"{seed} history")
        self._all = np.arange(len(world.bank))
        self._waiting: list[AppUplink] = []
        """Events since the last report."""

    async def make(self, until_s: int, progress: Callable[[float], None]) -> None:
        """From where the world stands to `until_s` (a multiple of the load's step)."""
        world = self._world
        start_s = int(world.bank.now_s[0])
        cuts = draw_faults(self._random, CUTS, start_s, until_s, len(world.bank), 1) if until_s - start_s > DAY_S else []
        cuts = [cut for cut in cuts if cut.outage is Outage.METER]
        step_s = world.loads.step_s
        for at_s in range(start_s, until_s, step_s):
            for cut in cuts:
                if at_s <= cut.at_s < at_s + step_s or at_s <= cut.until_s < at_s + step_s:
                    self._power(cut.which, on=cut.at_s < at_s)
            world.signal(at_s)
            world.bank.advance(self._all, at_s + step_s)
            self._alarms(at_s + step_s)
            if (at_s + step_s) % BATCH_S == 0 or at_s + step_s >= until_s:
                await asyncio.sleep(at_s + step_s - world.now_us() / US_PER_S)
                await self._report(at_s + step_s)
                progress((at_s + step_s - start_s) / (until_s - start_s))

    def _power(self, row: int, *, on: bool) -> None:
        self._world.bank.set_powered(row, powered=on)

    def _alarms(self, now_s: int) -> None:
        """Keeps what the meters have seen, for their next telegrams."""
        for change in self._world.bank.take_changes():
            twin = self._world.twins[change.row]
            twin.meter.operation.alarm(change)
            event = twin.telling.alarm(change)
            if event is not None:
                self._waiting.append(
                    AppUplink(twin.identity.dev_eui, Port.EVENT, messages.encode_event(event), now_s * US_PER_S)
                )

    async def _report(self, now_s: int) -> None:
        """What all meters have to say now, to the head-end, in one unit of work."""
        said = [
            AppUplink(twin.identity.dev_eui, port, payload, now_s * US_PER_S)
            for twin in self._world.twins
            if self._world.bank.powered[twin.meter.row]
            for port, payload in self._telegrams(twin, now_s)
            if self._random.random() >= LOSS and not self._loses(twin.meter.row)
        ]
        self._centre.ingest.submit_app([*self._waiting, *said], lambda: None)
        self._waiting.clear()
        await self._centre.ingest.close_group(silent=True)

    @staticmethod
    def _telegrams(twin: Twin, now_s: int) -> list[tuple[Port, bytes]]:
        meter, memory = twin.meter, twin.memory
        meter.set_clock(CLOCK_ERROR_US)
        said: list[tuple[Port, bytes]] = []
        outage = False
        for first in range(max(memory.reported_edge, meter.oldest_edge), meter.last_edge, intervals.INTERVALS_MAX):
            run = meter.profile(first, min(intervals.INTERVALS_MAX, meter.last_edge - first))
            outage = outage or bool(run.outages)
            said += [
                (Port.INTERVALS, payload)
                for payload in intervals.pack(first, meter.period_s, run.values, run.ends_wh, ROOM, outages=run.outages)
            ]
        memory.reported_edge = meter.last_edge
        if outage:
            memory.event_number += 1
            event = Event(memory.event_number, EventCode.POWER_RESTORED, now_s, 0)
            said.append((Port.EVENT, messages.encode_event(event)))
        day = meter.last_edge * meter.period_s // DAY_S
        if day > memory.reported_day:
            memory.reported_day = day
            opening = meter.edge_registers(day * DAY_S // meter.period_s)
            at_midnight = Values(day * DAY_S, {register(channel).name: wh for channel, wh in opening.items()})
            for each in (at_midnight, Values(now_s, meter.registers() | meter.live())):
                said += [(Port.VALUES, payload) for payload in values.pack(each, now_s, ROOM)]
        return said
