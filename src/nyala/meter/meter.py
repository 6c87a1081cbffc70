"""One meter: a row of a bank and its operation, with the names that a device uses.  Values in catalogue integers."""

from dataclasses import dataclass

import numpy as np

from nyala.meter.bank import Bank, Status
from nyala.meter.crystal import Action, action_for
from nyala.meter.logs import event_id
from nyala.meter.model import MeterModel
from nyala.meter.operation import Operation
from nyala.meter.reading import DEMANDS, value
from nyala.meter.supply import SwitchEvent, SwitchState, forbidden
from nyala.vocab.quantities import RATES, Channel, register


@dataclass(frozen=True, slots=True)
class ProfileRun:
    """A run of intervals of the load profile.  Values in whole Wh; `ends_wh` the registers at the run's end."""

    first: int
    values: dict[Channel, tuple[int, ...]]
    ends_wh: dict[Channel, int]
    outages: frozenset[int]


class Meter:
    """The meter of one row."""

    def __init__(self, bank: Bank, row: int) -> None:
        self.bank, self.row = bank, row
        self.operation = Operation(bank, row)
        self._rows = np.array([row])

    @property
    def model(self) -> MeterModel:
        """Its model."""
        return self.bank.models[self.row]

    @property
    def period_s(self) -> int:
        """Length of an interval of the load profile in seconds."""
        return self.bank.period_s

    @property
    def clock_s(self) -> int:
        """What its clock shows, UTC seconds."""
        return self.bank.clock_s(self.row)

    @property
    def clock_error_us(self) -> int:
        """Its clock minus true time: what only a laboratory can know."""
        return int(self.bank.clock_error_ns[self.row]) // 1000

    def set_clock(self, error_us: int) -> None:
        """Sets its clock, so that this error remains."""
        self.bank.set_clock(self.row, error_us * 1000)

    def sync_clock(self, error_us: int) -> bool:
        """Sets its clock right, so that this error remains: a small step slowly, a large one at once; True for a large one."""
        operation, step_us = self.operation, error_us - self.clock_error_us
        match action_for(step_us * 1000):
            case Action.IGNORE:
                return False
            case Action.SLEW:
                self.bank.slew_clock(self.row, step_us * 1000)
                operation.log("clock_slewed", step_us // 1000)
                return False
        self.set_clock(error_us)
        operation.log("clock_set", step_us // 1_000_000)
        return True

    def set_powered(self, *, powered: bool) -> None:
        """Takes away or gives back its supply, now."""
        self.bank.set_powered(self.row, powered=powered)

    def advance(self, until_s: int) -> None:
        """Takes it to an instant of true time."""
        self.bank.advance(self._rows, until_s)

    # -- registers and live values

    def total_wh(self, channel: Channel) -> int:
        """A total register, whole Wh."""
        return int(self.bank.wh[self.row, channel, 0])

    def registers(self) -> dict[str, int]:
        """All totals, and the rates that ever counted."""
        found: dict[str, int] = {}
        for channel in Channel:
            found[register(channel).name] = self.total_wh(channel)
            for rate in range(1, RATES + 1):
                if value := int(self.bank.wh[self.row, channel, rate]):
                    found[register(channel, rate).name] = value
        return found

    def all_registers(self) -> dict[str, int]:
        """All totals and all rates."""
        wh = self.bank.wh[self.row]
        return {register(channel, rate).name: int(wh[channel, rate]) for channel in Channel for rate in range(1 + RATES)}

    def live(self) -> dict[str, int]:
        """Instantaneous values and states of this second: what a report of live values says."""
        phases = range(1, self.model.phases + 1)
        names = [f"{stem}{phase}_{unit}" for phase in phases for stem, unit in (("u", "v"), ("i", "a"))]
        names += [f"p{phase}_w" for phase in phases if self.model.phases > 1]
        names += ["p_w", "q_var", "s_va", "pf", "f_hz", "switch_state", "active_rate", "alarms"]
        return {name: said for name in names if (said := self.value(name)) is not None}

    def value(self, name: str) -> int | None:
        """Any quantity of the catalogue, as its integer; None for one that this meter does not have."""
        operation = self.operation
        match name:
            case "switch_state":
                return self.switch_state.value
            case "reset_count":
                return operation.reset_count
            case "power_fail_count":
                return operation.logs.count(event_id("power_fail"))
            case "credit_wh":
                return None if operation.account is None else operation.account.balance
            case "limit_w":
                return round(float(self.bank.state.limit_w[self.row]))
        stem, _, ending = name.partition("_")
        if stem in {"prev", "sum"} and ending in DEMANDS:
            kept = operation.previous if stem == "prev" else operation.cumulative
            return kept[DEMANDS.index(ending)]
        return value(self.bank, self.row, name)

    # -- load profile

    @property
    def last_edge(self) -> int:
        """End of its last whole interval, as an interval index."""
        return self.bank.last_edge(self.row)

    @property
    def oldest_edge(self) -> int:
        """Start of the oldest interval that it still holds."""
        return self.bank.oldest_edge(self.row)

    def profile(self, first: int, count: int) -> ProfileRun:
        """A run of intervals; it must lie within `oldest_edge` and `last_edge`."""
        edges, status = self.bank.edges(self.row, first, count)
        steps = np.diff(edges, axis=0)
        return ProfileRun(
            first=first,
            values={channel: tuple(steps[:, i].tolist()) for i, channel in enumerate(self.bank.profiled)},
            ends_wh={channel: int(edges[-1, i]) for i, channel in enumerate(self.bank.profiled)},
            outages=frozenset(np.flatnonzero(status & Status.OUTAGE).tolist()),
        )

    def edge_registers(self, edge: int) -> dict[Channel, int]:
        """The profiled registers at one edge, whole Wh."""
        edges, _ = self.bank.edges(self.row, edge, 0)
        return {channel: int(edges[0, i]) for i, channel in enumerate(self.bank.profiled)}

    # -- supply

    @property
    def switch_state(self) -> SwitchState:
        """State of the supply switch."""
        return self.operation.supply.output

    def forbids(self, event: SwitchEvent) -> bool:
        """Whether its control mode knows no way for a remote event from where the switch stands."""
        return forbidden(self.operation.supply, event)

    def switch(self, event: SwitchEvent) -> bool:
        """Moves the switch from afar; False where the event has no effect."""
        return self.operation.switch(event)
