"""What the head-end asks of the layers around it, as small protocols, and the unit of work it hands to the store.

`Changes` is everything that one group of uplinks led to.  The store writes it in one transaction: either all of it is
there after a crash, or none.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from nyala.headend.bulk import BulkOrder, Member
from nyala.headend.campaign_life import CampaignRow
from nyala.headend.commands import CommandRow, CommandStep
from nyala.headend.config_orders import ConfigMember, ConfigOrder
from nyala.headend.exchange import Exchange
from nyala.headend.lifecycle import LifeRow, LifeStep
from nyala.headend.reads import ReadPlan
from nyala.headend.registry import MeterState
from nyala.lorawan.network.multicast import MulticastGroup
from nyala.lorawan.network.port import AppUplink, Downlink, Reception, Transmission
from nyala.lorawan.network.sessions import Counted, Root, SessionRow
from nyala.mdm.load_day import LoadDayRow


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One reading of one register."""

    meter_id: int
    quantity: int
    """Telegram code of the register."""
    at_s: int
    value: int


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event of one meter."""

    meter_id: int
    at_s: int
    code: int
    detail: int
    number: int
    received_us: int


@dataclass(frozen=True, slots=True)
class AlarmRaised:
    """An alarm went on: a new occurrence, unless this meter, alarm and instant are there already.

    `value` is what the event said, None where it says none, or where only the state `alarms` showed it; `cleared_s` is set
    where it is known to be over already, at that instant at the latest.
    """

    tenant_id: int
    meter_id: int
    alarm: int
    raised_s: int
    value: int | None
    source: str
    """`event` or `state`."""
    received_us: int
    cleared_s: int | None = None


@dataclass(frozen=True, slots=True)
class AlarmCleared:
    """An alarm was off at `at_s`: ends the newest occurrence that was raised before `before_s`, where it had no earlier end."""

    meter_id: int
    alarm: int
    at_s: int
    before_s: int


@dataclass(frozen=True, slots=True)
class AlarmDated:
    """The event of an occurrence came after a state had shown it at `shown_s`: says its true instant and value."""

    meter_id: int
    alarm: int
    shown_s: int
    raised_s: int
    value: int | None


AlarmChange = AlarmRaised | AlarmCleared | AlarmDated


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """A gateway as it was heard: frames since it was first seen."""

    eui: int
    last_seen_us: int
    frames: int


@dataclass(slots=True)
class Changes:
    """One unit of work.  `worked_off`: every journal row up to this number has had its effect."""

    journal: list[Reception] = field(default_factory=list)
    app_journal: list[AppUplink] = field(default_factory=list)
    worked_off: int | None = None
    roots: list[Root] = field(default_factory=list)
    sessions: list[SessionRow] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)
    states: list[MeterState] = field(default_factory=list)
    load_days: list[LoadDayRow] = field(default_factory=list)
    superseded: list[LoadDayRow] = field(default_factory=list)
    windows: list[tuple[int, bytes]] = field(default_factory=list)
    """(meter, bodies that parity may still be solved with), as `telegram.kept` writes them."""
    registers: list[RegisterRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    alarms: list[AlarmChange] = field(default_factory=list)
    commands: list[CommandRow] = field(default_factory=list)
    steps: list[CommandStep] = field(default_factory=list)
    gateways: list[GatewayRow] = field(default_factory=list)
    groups: list[MulticastGroup] = field(default_factory=list)
    campaigns: list[CampaignRow] = field(default_factory=list)
    bulk_orders: list[BulkOrder] = field(default_factory=list)
    bulk_members: list[tuple[int, Member]] = field(default_factory=list)
    lives: list[LifeRow] = field(default_factory=list)
    life_steps: list[LifeStep] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    read_plans: list[ReadPlan] = field(default_factory=list)
    config_orders: list[ConfigOrder] = field(default_factory=list)
    config_members: list[tuple[int, ConfigMember]] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Nothing to write."""
        lists: Iterable[list[object]] = (value for name in self.__slots__ if isinstance(value := getattr(self, name), list))
        return not any(lists) and self.worked_off is None


class Writer(Protocol):
    """Writes units of work: on one writer thread in a server, inline in a simulation."""

    async def commit(self, changes: Changes) -> None:
        """Returns when the unit of work is on disk; raises where it cannot be."""


class Radio(Protocol):
    """Sends transmissions."""

    def transmit(self, transmission: Transmission) -> bool:
        """Hands a frame to a gateway; False where there is no way to it."""


class Bridge(Protocol):
    """Another network server that has devices of ours."""

    def send(self, downlink: Downlink) -> bool:
        """Hands a downlink over; False where there is no way to it now."""
