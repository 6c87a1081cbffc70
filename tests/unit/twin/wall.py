"""One twin on a wall, with a constant load, and a network that is nothing but a few direct calls.

The network answers join requests, acknowledges and tells the time while it is `listening`; it keeps every telegram.
"""

import heapq
from collections.abc import Callable, Sequence
from itertools import count
from random import Random
from typing import Final, TypeVar

import numpy as np

from nyala.headend.frames import PORTS as FRAME_PORTS
from nyala.headend.frames import coder_of
from nyala.lorawan import mac_commands as mac
from nyala.lorawan.airtime import airtime_us
from nyala.lorawan.crypto import AesKey, session_keys
from nyala.lorawan.device.effects import Joined, Transmit
from nyala.lorawan.device.state import Identity
from nyala.lorawan.frame import (
    DataFrame,
    DlSettings,
    FType,
    JoinAccept,
    JoinRequest,
    full_counter,
    mic_holds,
    open_payload,
    seal,
)
from nyala.lorawan.region import region
from nyala.meter.bank import CHANNELS, PROFILE_CHANNELS, Bank
from nyala.meter.meter import Meter
from nyala.meter.model import meter_model
from nyala.telegram import codec, frames, messages
from nyala.telegram.codec import Telegram
from nyala.telegram.frame_header import resolved
from nyala.telegram.frames import Frame
from nyala.telegram.intervals import ChannelBlock, Intervals
from nyala.telegram.kinds import Port
from nyala.telegram.messages import Command
from nyala.twin.device import Twin
from nyala.twin.state import Executed, Reporting
from nyala.vocab.quantities import Channel
from nyala.vocab.time import HOUR_S, US_PER_S, gps_from_utc_us

MIDNIGHT_S: Final = 1_760_054_400
"""2025-10-10T00:00:00Z."""
AS923_2: Final = region("AS923-2")
IDENTITY: Final = Identity(0x70B3D57ED0000001, 1, bytes(range(16)))
DEV_ADDR: Final = 0x26011BDA
SPIN_LIMIT: Final = 200
"""Times that a twin may have something to do at one instant."""
Kind = TypeVar("Kind")


class Wall:
    """The twin, its meter, its network, and what was heard."""

    def __init__(
        self,
        model: str = "single-phase",
        *,
        power_w: int = 1_000,
        start_s: int = MIDNIGHT_S,
        ring_days: int = 45,
        data_rate: int = 5,
        reporting: Reporting | None = None,
        identity: Identity = IDENTITY,
        seed: int = 1,
        profiled: Sequence[Channel] = PROFILE_CHANNELS,
    ) -> None:
        self.bank = Bank([meter_model(model)], start_s, ring_days=ring_days, profiled=profiled)
        self.power_w, self.data_rate = power_w, data_rate
        self.meter = Meter(self.bank, 0)
        self.twin = Twin(self.meter, identity, AS923_2, Random(seed), reporting=reporting)
        self.now_us = start_s * US_PER_S
        self.listening = True
        self.ahead_us = 0
        """How far the network's clock is ahead of true time."""
        self.heard: list[tuple[int, Telegram]] = []
        self.told_frames: list[Frame] = []
        self.frames: list[DataFrame] = []
        self.times_us: list[int] = []
        """When each of `frames` ended."""
        self.counters: list[int] = []
        self.joins = 0
        self.executed: list[Executed] = []
        self.f_cnt_down = 0
        self._keys = AesKey(bytes(16)), AesKey(bytes(16))
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._ids = count()
        self._spins = 0

    # -- what a test does

    @property
    def now_s(self) -> int:
        return self.now_us // US_PER_S

    def join(self) -> None:
        """Switches it on and lets it join; what it says then is heard."""
        self.twin.start(self.now_us, 1)
        self.run(60)
        assert self.twin.mac.joined
        self.set_data_rate(self.data_rate)

    def set_data_rate(self, data_rate: int) -> None:
        assert self.twin.mac.activation is not None
        self.twin.mac.activation.data_rate = data_rate

    def told(self, kind: type[Kind]) -> list[Kind]:
        """The telegrams of one kind that were heard."""
        return [telegram for _, telegram in self.heard if isinstance(telegram, kind)]

    def forget(self) -> None:
        """What was heard so far is of no interest."""
        self.heard.clear()
        self.told_frames.clear()
        self.executed.clear()

    def run(self, seconds: float) -> None:
        """Lets time pass."""
        until_us = self.now_us + int(seconds * US_PER_S)
        while True:
            times = [(at_us, who) for who, at_us in enumerate((self._first(), self.twin.next_us)) if at_us is not None]
            if not times or min(times)[0] > until_us:
                break
            at_us, who = min(times)
            self._spins = self._spins + 1 if at_us <= self.now_us else 0
            assert self._spins < SPIN_LIMIT, "the twin turns on the spot"
            self._go(max(at_us, self.now_us))
            if who == 0:
                heapq.heappop(self._queue)[2]()
            else:
                self._did(self.twin.wake(self.now_us))
        self._go(until_us)
        self.meter.advance(self.now_s)

    def power(self, *, on: bool) -> None:
        """The supply goes or comes."""
        self._go(self.now_us)
        self.twin.power(self.now_us, on=on)

    def order(self, command: Command) -> None:
        """Says a command by class C, now."""
        self.say(messages.encode_command(command))

    def say(self, payload: bytes, port: int = Port.COMMAND) -> None:
        """Says any payload by class C, now."""
        frame = DataFrame(FType.UNCONFIRMED_DOWN, DEV_ADDR, self.f_cnt_down, f_port=port, payload=payload)
        self._downlink(frame, self.now_us, 921_400_000, 2)

    # -- time and signal

    def _first(self) -> int | None:
        return self._queue[0][0] if self._queue else None

    def _go(self, now_us: int) -> None:
        """As the world does: signals come in time, and the meter is taken to each interval edge."""
        self.now_us = now_us
        while self.bank.segment_end_s[0] <= self.now_s:
            self.meter.advance(int(self.bank.segment_end_s[0]))
            energy = np.array([[self.power_w * 1000 * HOUR_S] + [0] * (CHANNELS - 1)], np.int64)
            self.bank.set_segment(np.array([0]), int(self.bank.now_s[0]) + HOUR_S, energy)
        self.meter.advance(self.now_s // self.meter.period_s * self.meter.period_s)

    def _at(self, at_us: int, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (at_us, next(self._ids), action))

    # -- the network

    def _did(self, effects: Sequence[object]) -> None:
        for effect in effects:
            if isinstance(effect, Transmit):
                row = AS923_2.data_rate(effect.data_rate)
                end_us = self.now_us + airtime_us(len(effect.phy), row.sf, row.bandwidth_khz)
                if effect.phy[0] == 0:
                    self._join(effect, end_us)
                else:
                    self._hear(effect, end_us)
            elif isinstance(effect, Executed):
                self.executed.append(effect)
            else:
                assert isinstance(effect, Joined)

    def _join(self, sent: Transmit, end_us: int) -> None:
        if not self.listening:
            return
        self.joins += 1
        self.f_cnt_down = 0
        key = AesKey(self.twin.identity.app_key)
        keys = session_keys(key, self.joins, 0, JoinRequest.decode(sent.phy).dev_nonce)
        self._keys = AesKey(keys[0]), AesKey(keys[1])
        accept = JoinAccept(self.joins, 0, DEV_ADDR, DlSettings(2, 0)).encode(key)
        self._on_air(accept, end_us + 5 * US_PER_S, sent.frequency_hz, sent.data_rate)

    def _hear(self, sent: Transmit, end_us: int) -> None:
        frame = DataFrame.decode(sent.phy)
        f_cnt = full_counter(frame.f_cnt, self.counters[-1] if self.counters else 0)
        self.frames.append(frame)
        self.times_us.append(end_us)
        self.counters.append(f_cnt)
        if not self.listening:
            return
        assert mic_holds(sent.phy, frame, frame.f_cnt, self._keys[0])
        if frame.f_port:
            payload = open_payload(frame, frame.f_cnt, *self._keys)
            at_s = end_us // US_PER_S
            self.heard.append((at_s, self._read(frame.f_port, payload, at_s)))
        asked = mac.decode(frame.f_opts, mac.UPLINK)
        answers: list[mac.Command] = []
        if mac.DeviceTimeReq() in asked:
            seconds, rest = divmod(gps_from_utc_us(end_us + self.ahead_us), US_PER_S)
            answers.append(mac.DeviceTimeAns(seconds, rest * 256 // US_PER_S))
        if frame.f_type.confirmed or answers:
            down = DataFrame(FType.UNCONFIRMED_DOWN, DEV_ADDR, self.f_cnt_down, mac.encode(answers), ack=frame.f_type.confirmed)
            self._downlink(down, end_us + US_PER_S, sent.frequency_hz, sent.data_rate)

    def _read(self, port: int, payload: bytes, at_s: int) -> Telegram:
        """A telegram; of a frame its intervals, its register as the anchor."""
        if port not in FRAME_PORTS:
            return codec.decode(port, payload, at_s)
        full = port == Port.FRAME_FULL
        frame = frames.decode(payload, full=full, has_sum=port == Port.FRAME_SUM)
        self.told_frames.append(frame)
        period_s = self.meter.period_s
        number = frame.header.number if full else resolved(frame.header, period_s, at_s)
        rows = frames.rows_of(frame.header.lead, frame.body, coder_of(frame.header.epoch))
        anchors = {Channel.IMPORT: frame.register}
        blocks = {channel: ChannelBlock(row, anchors.get(channel)) for channel, row in rows.items()}
        return Intervals(number * frame.header.intervals, period_s, blocks)

    def _downlink(self, frame: DataFrame, begin_us: int, frequency_hz: int, data_rate: int) -> None:
        self.f_cnt_down += 1
        self._on_air(seal(frame, *self._keys), begin_us, frequency_hz, data_rate)

    def _on_air(self, phy: bytes, begin_us: int, frequency_hz: int, data_rate: int) -> None:
        row = AS923_2.data_rate(data_rate)
        end_us = begin_us + airtime_us(len(phy), row.sf, row.bandwidth_khz, crc=False)

        def begins() -> None:
            if self.twin.detect(frequency_hz, data_rate, begin_us, end_us):
                self._at(end_us, lambda: self._did(self.twin.receive(phy, 5.0, self.now_us)))

        self._at(begin_us, begins)
