"""Clock synchronisation, the device's side: it asks, is corrected, and asks again each period.  TS003 sections 3 and 4."""

from random import Random
from typing import Final

from nyala.lorawan.packages import layouts as c
from nyala.lorawan.packages.commands import encode
from nyala.lorawan.packages.layouts import Command
from nyala.lorawan.packages.state import GPS_U32, NOTHING, AskTime, ClockOff, Heard, Outcome, PackagesMemory
from nyala.vocab.time import GPS_EPOCH_S, GPS_LEAP_S, US_PER_S

PERIOD_UNIT_S: Final = 128
PERIOD_SPREAD_S: Final = 30
TOKENS: Final = 16


class ClockSync:
    """One device's clock package."""

    def __init__(self, memory: PackagesMemory, random: Random) -> None:
        self.ask_us: int | None = None
        """When the period asks next."""
        self._memory, self._random = memory, random
        self.handlers = {c.AppTimeAns: self._answer, c.PeriodicityReq: self._periodicity, c.ForceResyncReq: self._resync}

    def request(self, clock_s: int, *, answer_required: bool = False) -> bytes:
        """An AppTimeReq at an instant of the device's clock (UTC seconds)."""
        device_time = (clock_s - GPS_EPOCH_S + GPS_LEAP_S) % GPS_U32
        return encode([c.AppTimeReq(device_time, self._memory.token, int(answer_required))])

    def plan(self, now_us: int) -> None:
        """Plans the next request of the period, if there is one."""
        if self._memory.period is not None:
            spread_s = self._random.randint(-PERIOD_SPREAD_S, PERIOD_SPREAD_S)
            self.ask_us = now_us + ((PERIOD_UNIT_S << self._memory.period) + spread_s) * US_PER_S

    def _answer(self, command: Command, _: bytes, __: Heard) -> Outcome:
        """An answer to an older request would correct the clock twice: the token tells."""
        assert isinstance(command, c.AppTimeAns)
        if command.token != self._memory.token:
            return NOTHING
        self._memory.token = (command.token + 1) % TOKENS
        return None, [ClockOff(command.correction_s)]

    def _periodicity(self, command: Command, _: bytes, heard: Heard) -> Outcome:
        assert isinstance(command, c.PeriodicityReq)
        self._memory.period = command.period
        self.plan(heard.now_us)
        return c.PeriodicityAns(0, 0, 0, heard.gps_s % GPS_U32), []

    def _resync(self, command: Command, _: bytes, __: Heard) -> Outcome:
        """The number of transmissions is NbTrans's business here: one request, and the MAC repeats it."""
        assert isinstance(command, c.ForceResyncReq)
        return None, [AskTime()] if command.transmissions else []
