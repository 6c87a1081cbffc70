"""One meter: a view on a row of a bank, with the names that a device uses.  Values in catalogue integers."""

from dataclasses import dataclass

import numpy as np

from nyala.meter.bank import PROFILE_CHANNELS, Bank, Status
from nyala.meter.model import MeterModel
from nyala.meter.supply import SwitchEvent, SwitchState, next_state
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
        """Instantaneous values and states of this second."""
        bank, row, phases = self.bank, self.row, self.model.phases
        supplied = bool(bank.closed[row] and bank.powered[row])
        found: dict[str, int] = {}
        p_total = q_total = 0.0
        for phase in range(phases):
            u_v = float(bank.u_v[row, phase])
            p_w = float(bank.p_w[row, phase]) if supplied else 0.0
            q_var = float(bank.q_var[row, phase]) if supplied else 0.0
            p_total, q_total = p_total + p_w, q_total + q_var
            found[f"u{phase + 1}_v"] = round(u_v * 10)
            found[f"i{phase + 1}_a"] = round(np.hypot(p_w, q_var) / u_v * 1000) if u_v else 0
            if phases > 1:
                found[f"p{phase + 1}_w"] = round(p_w)
        apparent = float(np.hypot(p_total, q_total))
        found |= {"p_w": round(p_total), "q_var": round(q_total), "s_va": round(apparent)}
        found["pf"] = round(p_total / apparent * 1000) if apparent else 1000
        found["f_hz"] = round(float(bank.f_hz[row]) * 100)
        found["switch_state"] = self.switch_state.value
        found["active_rate"] = int(bank.rate[row])
        return found

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
            values={channel: tuple(steps[:, i].tolist()) for i, channel in enumerate(PROFILE_CHANNELS)},
            ends_wh={channel: int(edges[-1, i]) for i, channel in enumerate(PROFILE_CHANNELS)},
            outages=frozenset(np.flatnonzero(status & Status.OUTAGE).tolist()),
        )

    def edge_registers(self, edge: int) -> dict[Channel, int]:
        """The profiled registers at one edge, whole Wh."""
        edges, _ = self.bank.edges(self.row, edge, 0)
        return {channel: int(edges[0, i]) for i, channel in enumerate(PROFILE_CHANNELS)}

    # -- supply

    @property
    def switch_state(self) -> SwitchState:
        """State of the supply switch."""
        if not self.model.supply_switch:
            return SwitchState.NONE
        return SwitchState.CLOSED if self.bank.closed[self.row] else SwitchState.OPEN

    def switch(self, event: SwitchEvent) -> bool:
        """Moves the switch; False where the event has no effect."""
        state = next_state(self.switch_state, event)
        if state is None:
            return False
        self.bank.closed[self.row] = state is SwitchState.CLOSED
        return True
