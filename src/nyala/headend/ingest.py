"""Group commit: many frames, one transaction, then the acknowledgements (law 2).

    submit(receptions, acknowledge)   from gateways; nothing is lost once `acknowledge` was called
    run()                             closes groups for ever

A group closes `GROUP_US` after its first frame, or when the one before it is on disk, whichever is later; under load
groups grow by themselves.  An order closes it at once: a class C command waits for a commit and for nothing else.

One group is one unit of work: the journal rows of what came in, and everything that frames of this and earlier groups led
to.  Only when it is on disk do acknowledgements and transmissions leave: a downlink counter that is on the air is in the
store (law 5).  `worked_off` says up to which journal row all effects are in the store: after a crash the rows behind it are
played again, and what had its effect already is recognised by its frame counter.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from nyala.headend.ports import Bridge, Changes, Radio, Writer
from nyala.headend.service import HeadEnd
from nyala.lorawan.network.port import AppUplink, Downlink, DownlinkFate, Reception, Refused, Transmission, Uplink
from nyala.lorawan.network.server import NetworkServer
from nyala.vocab.errors import ConflictError
from nyala.vocab.time import US_PER_S

GROUP_US: Final = 25_000
"""How long a group waits for more frames, as the copies of other gateways: adds to latency, saves commits."""
GROUP_FRAMES: Final = 2_048
"""Frames of one group at most: bounds the memory and the length of a transaction."""
PREFETCH_MIN: Final = 4
"""Uplinks of a group from which on their load days are fetched in one question, and their frames decoded in one go."""
WAITING_MAX: Final = 20_000
"""Frames that may wait for a group; beyond it gateways get no acknowledgement (and a good forwarder sends again)."""

Acknowledge = Callable[[], None]


class Ingest:
    """The one loop through which everything from outside gets into the store."""

    def __init__(
        self,
        network: NetworkServer,
        headend: HeadEnd,
        writer: Writer,
        now_us: Callable[[], int],
        *,
        next_journal: int = 1,
    ) -> None:
        self.radio: Radio | None = None
        self.bridges: dict[str, Bridge] = {}
        """Other network servers by name."""
        self.groups = self.frames = 0
        self.refused: list[Callable[[Refused], None]] = []
        self._network, self._headend, self._writer, self._now_us = network, headend, writer, now_us
        self._receptions: list[Reception] = []
        self._app: list[AppUplink] = []
        self._fates: list[DownlinkFate] = []
        self._acknowledgements: list[Acknowledge] = []
        self._next_journal = next_journal
        self._worked_off = next_journal - 1
        self._work, self._at_once = asyncio.Event(), asyncio.Event()

    # -- in

    def submit(self, receptions: Sequence[Reception], acknowledge: Acknowledge) -> bool:
        """Takes frames of a gateway; calls `acknowledge` when they are on disk.  False: too many wait."""
        if len(self._receptions) + len(receptions) > WAITING_MAX:
            return False
        for reception in receptions:
            self._receptions.append(replace(reception, journal=self._next_journal))
            self._next_journal += 1
        self._acknowledgements.append(acknowledge)
        self._work.set()
        return True

    def submit_app(self, uplinks: Sequence[AppUplink], acknowledge: Acknowledge) -> bool:
        """Takes telegrams that came without a radio frame of ours; as `submit`."""
        if len(self._app) + len(uplinks) > WAITING_MAX:
            return False
        for uplink in uplinks:
            self._app.append(replace(uplink, journal=self._next_journal))
            self._next_journal += 1
        self._acknowledgements.append(acknowledge)
        self._work.set()
        return True

    def submit_fates(self, fates: Sequence[DownlinkFate]) -> None:
        """Takes what another network server says of downlinks.  Not journaled: a command whose fate was lost is chased."""
        self._fates += fates
        self._work.set()

    def replay(self, receptions: Sequence[Reception], app: Sequence[AppUplink]) -> None:
        """Plays journal rows again that had not been worked off when the process ended."""
        self._worked_off = min([*(r.journal for r in receptions), *(a.journal for a in app), self._next_journal]) - 1
        for reception in receptions:
            self._network.receive(reception, self._now_us())
        for uplink in app:
            self._headend.handle(uplink, self._now_us())
        self._work.set()

    def nudge(self) -> None:
        """Something was ordered, or must go another way: wait neither for the next timer nor for other frames."""
        self._work.set()
        self._at_once.set()

    async def stored(self) -> None:
        """Returns when everything that was ordered before is on disk."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._acknowledgements.append(lambda: None if done.done() else done.set_result(None))
        self.nudge()
        await done

    # -- the loop

    async def run(self) -> None:
        """Closes groups until it is cancelled.  An error of the writer ends it: what is not on disk is not true."""
        while True:
            await self._wait()
            await self.close_group()

    async def _wait(self) -> None:
        """Until something came in or is due; then a little longer, for what comes with it."""
        if not self._work.is_set():
            due_us = self._headend.next_us
            if self._network.next_us is not None:
                due_us = min(due_us, self._network.next_us)
            delay_s = (due_us - self._now_us()) / US_PER_S
            if delay_s <= 0:
                return
            timer = asyncio.get_running_loop().call_later(delay_s, self._work.set)
            await self._work.wait()
            timer.cancel()
        if len(self._receptions) < GROUP_FRAMES:
            timer = asyncio.get_running_loop().call_later(GROUP_US / US_PER_S, self._at_once.set)
            await self._at_once.wait()
            timer.cancel()

    async def close_group(self, *, silent: bool = False) -> None:
        """Works off what is there, stores it, then acknowledges and sends.  `silent`: orders nothing by itself."""
        self._work.clear()
        self._at_once.clear()
        now_us = self._now_us()
        changes, acknowledgements = self._take(now_us)
        transmissions, bridged = self._work_off(changes, now_us, silent=silent)
        self._headend.collect(changes)
        changes.roots, changes.sessions, changes.counted = self._network.sessions.take_changes()
        changes.groups = self._network.groups.take_changes()
        self._mark(changes)
        if not changes.empty:
            await self._writer.commit(changes)
            self.groups += 1
        for acknowledge in acknowledgements:
            acknowledge()
        for transmission in transmissions:
            if self.radio is not None:
                self.radio.transmit(transmission)
        for bridge, downlink in bridged:
            if bridge is None or not bridge.send(downlink):
                self._headend.not_taken(downlink, now_us)
        self._headend.stored(changes)

    def _take(self, now_us: int) -> tuple[Changes, list[Acknowledge]]:
        changes = Changes(journal=self._receptions, app_journal=self._app)
        self._receptions, self._app = [], []
        acknowledgements, self._acknowledgements = self._acknowledgements, []
        self.frames += len(changes.journal)
        self._headend.heard(changes.journal)
        for reception in changes.journal:
            self._network.receive(reception, now_us)
        return changes, acknowledgements

    def _work_off(
        self, changes: Changes, now_us: int, *, silent: bool
    ) -> tuple[list[Transmission], list[tuple[Bridge | None, Downlink]]]:
        """The effects of what came; answers what may leave once they are stored: frames, and downlinks for bridges."""
        events = self._network.poll(now_us)
        uplinks: list[Uplink | AppUplink] = [event for event in events if isinstance(event, Uplink)]
        uplinks += changes.app_journal
        if len(uplinks) >= PREFETCH_MIN:
            self._headend.prefetch(uplinks)
        for uplink in changes.app_journal:
            self._headend.handle(uplink, now_us)
        fates, self._fates = self._fates, []
        for event in (*fates, *events):
            self._headend.handle(event, now_us)
            if isinstance(event, Refused):
                for listener in self.refused:
                    listener(event)
        downlinks, withdrawn = ([], []) if silent else self._headend.poll(now_us)
        for dev_eui, token in withdrawn:
            self._network.cancel(dev_eui, token)
        bridged: list[tuple[Bridge | None, Downlink]] = []
        for downlink in downlinks:
            via = self._headend.via(downlink.dev_eui)
            if via:
                bridged.append((self.bridges.get(via), downlink))
                continue
            try:
                self._network.enqueue(downlink, now_us)
            except ConflictError:
                self._headend.not_taken(downlink, now_us)
        messages = self._to_groups(now_us)
        if downlinks or messages:
            sent = self._network.poll(now_us)
            for event in sent:
                self._headend.handle(event, now_us)
            events += sent
        return [event for event in events if isinstance(event, Transmission)], bridged

    def _to_groups(self, now_us: int) -> int:
        """Hands messages for groups to the network; answers how many."""
        campaigns, groups = self._headend.campaigns, self._network.groups
        messages = campaigns.take_messages()
        for message in messages:
            try:
                groups.enqueue(message.mc_addr, message.port, message.payload, message.token, now_us)
            except ConflictError:
                campaigns.not_taken(message)
        for mc_addr in campaigns.take_ended():
            groups.drop(mc_addr)
        return len(messages)

    def _mark(self, changes: Changes) -> None:
        oldest = self._network.oldest_journal()
        worked_off = (self._next_journal if oldest is None else oldest) - 1
        if worked_off > self._worked_off:
            self._worked_off = changes.worked_off = worked_off
