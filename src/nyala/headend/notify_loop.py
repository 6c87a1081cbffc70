"""The notifier of a running centre: alarm changes into incidents and messages, messages out, one step after the other.

    step()   works off what the store noted since, looks who is silent, stores what that led to; and sends what is due
    run()    steps for ever

Storms live in memory and are read from the store at the start; what one step leads to is one transaction, with the mark of
how far it got.  A step that fails is therefore tried again from the store, in a notifier that is begun anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from nyala.headend.notify import AlarmNoted, CentreAlarm, Message, Outbox, Target, moved
from nyala.headend.notify_sender import Ended, Sender
from nyala.headend.storms import Storms
from nyala.headend.storms_shapes import Entry, Origin
from nyala.headend.storms_silence import Change, Hearing, Silence, SilenceWatch
from nyala.vocab.centre_alarms import POWER_FAILED, SILENT
from nyala.vocab.time import US_PER_S

STEP_S: Final = 2.0
CHANGES_MAX: Final = 2_000
"""Changes of one step: bounds the transaction."""
SEND_AT_ONCE: Final = 8
"""Messages that are being sent at a time: one slow receiver holds an eighth."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What the notifier asks of the centre, on the centre's thread.  `gateways`: when each was last seen since the start."""

    meters: Callable[[], Iterable[int]]
    origin: Callable[[int], Origin]
    hearing: Callable[[int], Hearing]
    gateways: Callable[[], Mapping[str, int]]


class Notifier:
    """Storms and the outbox of one centre.  `write` runs work of the store in its turn; the loop goes on meanwhile."""

    def __init__(
        self,
        outbox: Outbox,
        fleet: Fleet,
        sender: Sender,
        now_us: Callable[[], int],
        write: Callable[[Callable[[], Any]], Awaitable[Any]],
    ) -> None:
        self._outbox, self._fleet, self._sender, self._now_us, self._write = outbox, fleet, sender, now_us, write
        self._began_us = now_us()
        self._storms: Storms | None = None
        self._silence: SilenceWatch
        self._gateways: dict[str, int] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self.listeners: list[Callable[[set[int]], None]] = []
        """Told which meters' alarms the centre raised or ended, after that was stored."""

    async def run(self) -> None:
        """Until it is cancelled."""
        await self._write(lambda: self._outbox.lost(self._now_us()))
        while True:
            await self.step()
            await self.send_due()
            await asyncio.sleep(STEP_S)

    async def close(self) -> None:
        """Waits for what is being sent: each attempt has its own limit of time.  Raises where its end was not stored."""
        if self._sending:
            await asyncio.wait(self._sending)
        self._sent()

    async def step(self) -> None:
        """Works off what is there."""
        storms = self._storms or await self._begin()
        self._storms = None  # until it is stored
        noted: list[AlarmNoted] = await self._write(lambda: self._outbox.noted(CHANGES_MAX))
        now_us = self._now_us()
        for change in noted:
            self._work_off(storms, change, now_us)
        centre = self._listen(storms, now_us)
        storms.poll(now_us)
        taken, upto = storms.take(), noted[-1].id if noted else 0
        if taken != type(taken)() or upto or centre:
            await self._write(lambda: self._outbox.keep(taken, upto, centre, now_us))
        self._storms = storms
        if centre:
            for listener in self.listeners:
                listener({alarm.meter_id for alarm in centre})

    async def send_due(self) -> None:
        """Begins to send what is due, as much as may be under way at a time."""
        self._sent()
        room = SEND_AT_ONCE - len(self._sending)
        if room:
            for message, target in await self._write(lambda: self._outbox.begin(self._now_us(), room)):
                self._sending.add(asyncio.get_running_loop().create_task(self._send(message, target)))

    def _sent(self) -> None:
        """Lets attempts go that have ended; an end that was not stored ends the notifier, and is not unknown for ever."""
        ended = {task for task in self._sending if task.done()}
        self._sending -= ended
        for task in ended:
            task.result()

    async def _send(self, message: Message, target: Target) -> None:
        ended: Ended = await asyncio.to_thread(self._sender.send, message, target, self._now_us() // US_PER_S)
        after = moved(message, ended.happened, self._now_us(), ended.problem)
        await self._write(lambda: self._outbox.end(after))

    async def _begin(self) -> Storms:
        known = await self._write(self._outbox.remembered)
        self._silence = SilenceWatch(self._began_us, known.silent, known.down)
        self._gateways = known.gateways
        return Storms(self._fleet.origin, known.incidents, known.entries, known.next_incident)

    @staticmethod
    def _work_off(storms: Storms, noted: AlarmNoted, now_us: int) -> None:
        """A change, at the instant at which it came."""
        if noted.before_s:
            storms.cleared(noted.meter_id, noted.alarm, noted.at_s, noted.before_s, now_us)
            return
        received_us = now_us if noted.received_us is None else min(noted.received_us, now_us)
        storms.poll(received_us)
        entry = Entry(noted.meter_id, noted.alarm, noted.at_s, received_us, noted.value, noted.cleared_s)
        storms.raised(entry)

    def _listen(self, storms: Storms, now_us: int) -> list[CentreAlarm]:
        """Who is silent, or heard again; answers the alarms to store."""
        gateways = self._gateways | dict(self._fleet.gateways())
        said = self._silence.step(now_us, self._fleet.meters(), self._fleet.hearing, gateways)
        return [alarm for each in said if (alarm := self._silent(storms, each, now_us)) is not None]

    def _silent(self, storms: Storms, said: Silence, now_us: int) -> CentreAlarm | None:
        match said.change:
            case Change.GATEWAY_SILENT:
                storms.gateway_down(self._tenants(said.gateway), said.gateway, said.at_s, now_us)
            case Change.GATEWAY_HEARD:
                storms.gateway_up(said.gateway, said.at_s, now_us)
            case Change.EXPLAINED:
                storms.explained(said.meter_id, said.gateway, said.at_s, now_us)
            case Change.METER_SILENT if storms.dark(said.meter_id, said.at_s, now_us):
                pass
            case Change.METER_SILENT:
                storms.raised(Entry(said.meter_id, SILENT, said.at_s, now_us))
                return CentreAlarm(self._fleet.origin(said.meter_id).tenant_id, said.meter_id, said.at_s, None)
            case Change.METER_HEARD:
                for alarm in (SILENT, POWER_FAILED):
                    storms.cleared(said.meter_id, alarm, said.at_s, said.at_s, now_us)
                return CentreAlarm(self._fleet.origin(said.meter_id).tenant_id, said.meter_id, 0, said.at_s)
        return None

    def _tenants(self, eui: str) -> list[int]:
        """Whose meters a gateway heard last."""
        meters = (meter_id for meter_id in self._fleet.meters() if eui in self._fleet.hearing(meter_id).gateways)
        return sorted({self._fleet.origin(meter_id).tenant_id for meter_id in meters})
