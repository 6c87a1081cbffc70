"""The world: consumers, twins, radio and gateways on the time of one loop.  The centre is not in it: only its address is.

The world advances all meters to each edge of the load signal, and one meter when its device acts.  Timers of the loop wake
the twins, so that the same code runs on virtual and on real time.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.device.effects import Joined, Sense, Transmit
from nyala.lorawan.region import Region
from nyala.lorawan.regulation import Lbt
from nyala.meter.bank import Bank
from nyala.meter.keeping import HOLD_UP_BYTES
from nyala.sim.forwarder import PacketForwarder
from nyala.sim.loads.source import LoadSource
from nyala.sim.radio import Heard, OnAir, RadioWorld
from nyala.twin.device import Twin, TwinEffect
from nyala.twin.state import Executed
from nyala.vocab.time import US_PER_S

JOIN_SPREAD_S: Final = 120
"""Meters that are switched on together join within this."""

Watcher = Callable[[OnAir], None]


class World:
    """All meters and gateways.  `epoch_us` is the instant (UTC) at which the loop's time is 0."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        epoch_us: int,
        bank: Bank,
        twins: Sequence[Twin],
        loads: LoadSource,
        radio: RadioWorld,
        region: Region,
        lbt: Lbt | None = None,
    ) -> None:
        self.loop, self.epoch_us = loop, epoch_us
        self.bank, self.twins, self.loads, self.radio = bank, list(twins), loads, radio
        self.forwarders: list[PacketForwarder] = []
        self.watchers: list[Watcher] = []
        self.executed: list[tuple[int, Executed]] = []
        """(row, what) of every command that a meter carried out."""
        self.on_join: list[Callable[[int], None]] = []
        """Called with the DevAddr whenever a device has taken a join accept."""
        self._region, self._lbt = region, lbt
        self.everyone = np.arange(len(bank))
        self._timers: dict[int, tuple[int, asyncio.TimerHandle]] = {}
        """When each twin is woken next, and its timer."""
        self._edge_timer: asyncio.TimerHandle | None = None

    # -- time

    def now_us(self) -> int:
        """The instant now, microseconds UTC."""
        return self.epoch_us + round(self.loop.time() * US_PER_S)

    def _at(self, instant_us: int, call: Callable[..., None], *arguments: object) -> asyncio.TimerHandle:
        return self.loop.call_at((instant_us - self.epoch_us) / US_PER_S, call, *arguments)

    # -- life

    def start(self, *, join: bool = True, join_spread_s: float = JOIN_SPREAD_S) -> None:
        """Begins to live: signals, twins and gateways."""
        now_us = self.now_us()
        signal_end_us = int(self.bank.segment_end_s.max()) * US_PER_S
        if signal_end_us > now_us:
            self._edge_timer = self._at(signal_end_us, self._edge)
        else:
            self._edge()
        for row, twin in enumerate(self.twins):
            if join and not twin.mac.joined:
                twin.start(now_us, round(join_spread_s * US_PER_S))
            self._reschedule(row)

    def stop(self) -> None:
        """Stops all timers; registers stand at the last whole second."""
        for _, timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if self._edge_timer is not None:
            self._edge_timer.cancel()
        for forwarder in self.forwarders:
            forwarder.close()

    def add_gateway(self, eui: int, loop: asyncio.AbstractEventLoop) -> PacketForwarder:
        """A gateway; whoever calls gives it a transport and attaches it to a server."""
        index = len(self.forwarders)
        forwarder = PacketForwarder(index, eui, self._region, loop, self.now_us, self._downlink)
        self.forwarders.append(forwarder)
        return forwarder

    def _edge(self) -> None:
        """The signal changes: takes all meters here, and gives them the signal of the next step."""
        step_s = self.loads.step_s
        now_s = self.now_us() // US_PER_S // step_s * step_s
        self.bank.advance(self.everyone, now_s)
        self._alarms()
        for twin in self.twins:
            if twin.keeper.begun:
                twin.keep()
        self.signal(now_s)
        self._edge_timer = self._at((now_s + step_s) * US_PER_S, self._edge)

    def _alarms(self) -> None:
        """Tells the twins what their meters have seen, and lets limiters and accounts act."""
        now_us = self.now_us()
        changes = self.bank.take_changes()
        for change in changes:
            self.twins[change.row].alarm(change)
        acting = {row for row, twin in enumerate(self.twins) if twin.meter.operation.acts}
        for row in sorted(acting):
            self.twins[row].operate(now_us)
        for row in sorted(acting | {change.row for change in changes}):
            self._reschedule(row)

    def signal(self, start_s: int) -> None:
        """Gives all meters, which must stand at `start_s`, the signal of the step that begins there."""
        bank, segments = self.bank, self.loads.segments(start_s)
        bank.set_segment(self.everyone, segments.end_s, segments.energy_mws)
        bank.set_terminals(self.everyone, segments.u_v, segments.p_w, segments.q_var, segments.f_hz)

    # -- twins

    def wake(self, row: int) -> None:
        """Lets a twin do what is due."""
        self._timers.pop(row, None)
        twin, now_us = self.twins[row], self.now_us()
        self._carry_out(row, twin.wake(now_us), now_us)

    def power(self, row: int, *, on: bool, hold_up_bytes: int = HOLD_UP_BYTES) -> None:
        """Takes the supply of a meter away, so that it saves at most `hold_up_bytes`, or gives it back."""
        self.twins[row].power(self.now_us(), on=on, hold_up_bytes=hold_up_bytes)
        self._reschedule(row)

    def _carry_out(self, row: int, effects: Sequence[TwinEffect], now_us: int) -> None:
        for effect in effects:
            match effect:
                case Transmit():
                    self._uplink(row, effect, now_us)
                case Sense():
                    self._at(effect.until_us, self._sensed, row, effect, now_us)
                case Executed():
                    self.executed.append((row, effect))
                case Joined():
                    for listener in self.on_join:
                        listener(effect.dev_addr)
        self._reschedule(row)

    def _reschedule(self, row: int) -> None:
        next_us = self.twins[row].next_us
        planned = self._timers.get(row)
        if planned is not None:
            if planned[0] == next_us:
                return
            planned[1].cancel()
            del self._timers[row]
        if next_us is not None:
            self._timers[row] = next_us, self._at(max(next_us, self.now_us()), self.wake, row)

    # -- the air

    def _uplink(self, row: int, order: Transmit, now_us: int) -> None:
        rate = self._region.data_rate(order.data_rate)
        end_us = now_us + airtime_us(len(order.phy), rate.sf, rate.bandwidth_khz)
        frame = self.radio.begin(row, order.phy, order.frequency_hz, rate, order.eirp_dbm, (now_us, end_us))
        for watcher in self.watchers:
            watcher(frame)
        self._at(end_us, self._uplink_over, frame)

    def _sensed(self, row: int, order: Sense, since_us: int) -> None:
        """A meter has listened before it talks: what it could hear by its own links."""
        power_dbm = self.radio.power_dbm_at_meter(row, order.frequency_hz, since_us, order.until_us)
        free = power_dbm <= order.threshold_dbm
        self.radio.counts["channel_free" if free else "channel_busy"] += 1
        now_us = self.now_us()
        self._carry_out(row, self.twins[row].sensed(now_us, free=free), now_us)

    def _uplink_over(self, frame: OnAir) -> None:
        receptions = [(f, self.radio.at_gateway(frame, f.index)) for f in self.forwarders if f.up]
        for forwarder, heard in receptions:
            if heard is not None:
                forwarder.heard(frame, heard)
        self.radio.counts["delivered"] += any(heard is not None for _, heard in receptions)

    def _downlink(
        self, gateway: int, phy: bytes, frequency_hz: int, data_rate: int, eirp_dbm: float, start_us: int, end_us: int
    ) -> None:
        if self._gateway_must_wait(gateway, frequency_hz, start_us):
            return
        rate = self._region.data_rate(data_rate)
        frame = self.radio.begin(~gateway, phy, frequency_hz, rate, eirp_dbm, (start_us, end_us))
        for watcher in self.watchers:
            watcher(frame)
        tuned = [
            int(row) for row in self.radio.reachable(frame) if self.twins[row].detect(frequency_hz, data_rate, start_us, end_us)
        ]
        for row in tuned:
            if not self.twins[row].mac.idle:
                self._reschedule(row)
        self._at(end_us, self._downlink_over, frame, tuned)

    def _gateway_must_wait(self, gateway: int, frequency_hz: int, start_us: int) -> bool:
        """Listen before talk: a frame on a busy channel is never sent, and nobody is told (lora_gateway issue 87)."""
        if self._lbt is None:
            return False
        power_dbm = self.radio.power_dbm_at_gateway(gateway, frequency_hz, start_us - self._lbt.sense_us, start_us)
        if power_dbm <= self._lbt.threshold_dbm:
            return False
        self.radio.counts["gateway_blocked"] += 1
        return True

    def _downlink_over(self, frame: OnAir, tuned: Sequence[int]) -> None:
        now_us = self.now_us()
        for row in tuned:
            twin = self.twins[row]
            heard: Heard | None = self.radio.at_meter(frame, row) if twin.mac.concerns(frame.phy) else None
            if heard is not None:
                self._carry_out(row, twin.receive(frame.phy, heard.snr_db, now_us), now_us)
            elif not twin.mac.idle:
                self._reschedule(row)
