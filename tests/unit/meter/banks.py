"""Banks for tests: a few meters, a signal, and the plainest model of what a meter must count."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from nyala.meter.bank import CHANNELS, PROFILE_CHANNELS, Bank
from nyala.meter.model import meter_model
from nyala.meter.tariff import FLAT, DayProgram
from nyala.vocab.quantities import MWS_PER_WH, RATES, Channel

START_S: Final = 1_760_000_400
"""A multiple of 3,600 s."""
NS: Final = 1_000_000_000


def bank(
    rows: int = 1, *, start_s: int = START_S, period_s: int = 900, ring_days: int = 3, model: str = "single-phase"
) -> Bank:
    return Bank([meter_model(model)] * rows, start_s, period_s=period_s, ring_days=ring_days)


def rows_of(meters: Bank, *rows: int) -> np.ndarray:
    return np.array(rows or range(len(meters)), np.intp)


def feed(meters: Bank, end_s: int, energy_mws: Sequence[Sequence[int]] | Sequence[int]) -> None:
    """Gives every row a signal until `end_s`."""
    meters.set_segment(rows_of(meters), end_s, np.array(energy_mws, np.int64).reshape(len(meters), CHANNELS))


def total_mws(meters: Bank, row: int, channel: Channel, column: int = 0) -> int:
    """A register to the last milliwatt-second."""
    return int(meters.wh[row, channel, column]) * MWS_PER_WH + int(meters.rest_mws[row, channel, column])


@dataclass
class Plain:
    """One meter second by second, in Python integers: the sums, each edge, what was withheld.  No drift."""

    now_s: int = START_S
    period_s: int = 900
    start_s: int = START_S
    end_s: int = START_S
    energy: tuple[int, ...] = (0,) * CHANNELS
    program: DayProgram = FLAT
    error_ns: int = 0
    powered: bool = True
    closed: bool = True
    outage: bool = False
    registers: list[list[int]] = field(default_factory=lambda: [[0] * (1 + RATES) for _ in range(CHANNELS)])
    withheld: list[int] = field(default_factory=lambda: [0] * CHANNELS)
    edges: dict[int, tuple[int, ...]] = field(default_factory=dict)
    outages: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.next_edge = self.now_s // self.period_s
        self._capture()

    @property
    def clock_s(self) -> int:
        return self.now_s + round(self.error_ns / NS)

    def feed(self, end_s: int, energy: Sequence[int]) -> None:
        self.start_s, self.end_s, self.energy = self.now_s, end_s, tuple(energy)

    def advance(self, until_s: int) -> None:
        while self.now_s < until_s:
            self._edges()
            rate = self.program.rate_at(self.clock_s)
            length, at = self.end_s - self.start_s, self.now_s - self.start_s
            for channel, energy in enumerate(self.energy):
                share = energy * (at + 1) // length - energy * at // length
                if self.powered and self.closed:
                    self.registers[channel][0] += share
                    self.registers[channel][rate] += share
                else:
                    self.withheld[channel] += share
            self.now_s += 1
            self._edges()

    def power(self, *, on: bool) -> None:
        if on != self.powered:
            self.powered, self.outage = on, True
            while on and self.next_edge * self.period_s <= self.clock_s:
                self.outage = True
                self._capture()
            self.outage = True

    def _edges(self) -> None:
        while self.powered and self.next_edge * self.period_s <= self.clock_s:
            self._capture()

    def _capture(self) -> None:
        self.edges[self.next_edge] = tuple(self.registers[channel][0] // MWS_PER_WH for channel in PROFILE_CHANNELS)
        if self.outage:
            self.outages.add(self.next_edge)
        self.outage = False
        self.next_edge += 1
