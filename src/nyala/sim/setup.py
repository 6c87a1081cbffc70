"""Building a simulated world and the centre's store for it: the same for simulations, the demo and tests."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from sqlalchemy import Engine

from nyala.billing import tariff_file
from nyala.headend.registry import MeterRecord
from nyala.lorawan.network.plan import NetworkPlan, network_plan
from nyala.meter.bank import Bank
from nyala.meter.model import MeterModel
from nyala.sim.datagrams import Backhaul, DatagramNetwork
from nyala.sim.faults import Fault
from nyala.sim.fleet import make_twins, models_of, new_meters
from nyala.sim.host import CENTRE_ADDRESS, Host
from nyala.sim.idle import IdleAfter
from nyala.sim.loads import LoadSource, load_source
from nyala.sim.radio import DEFAULT_PROFILE, RadioWorld, radio_profile
from nyala.sim.world import World
from nyala.store import meters, tariffs
from nyala.store.engine import upgrade
from nyala.twin.state import Reporting
from nyala.vocab.alarms import Alarm
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.time import DAY_S, US_PER_S

GATEWAY_EUI_FIRST: Final = 0x0016_C001_F000_0000
GATEWAYS_MAX: Final = 64
TENANT: Final = "demo"
START_S: Final = 1_788_220_800
"""2026-09-01T00:00:00Z: where a run begins where nothing else says so."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What to simulate.  `load` as `load_source`; `loss` per transmission, at all receivers."""

    meters: int
    days: int
    model: str = "mix"
    load: str = "synthetic"
    loss: float = 0.0
    gateways: int = 2
    outages: int = 0
    commands: int | None = None
    seed: int = 1
    start_s: int = START_S
    step_s: int = 900
    reporting: Reporting = field(default_factory=Reporting)
    period_s: int = 900
    backhaul: Backhaul = field(default_factory=Backhaul)
    profile: str = DEFAULT_PROFILE
    """Of the radio."""
    network: str = "indonesia"
    """One of `plan.PLANS`: region, law and channels."""
    slots: bool = False
    """Meters report in slots that the centre gives them."""
    faults: tuple[Fault, ...] = ()
    """What fails besides the drawn `outages`."""

    def checked(self) -> "Scenario":
        """The scenario; BadArgumentError for a value out of bounds."""
        if not 1 <= self.days <= 366:
            raise BadArgumentError(f"{self.days} days; 1 to 366 can be simulated")
        if not 0 <= self.loss < 1:
            raise BadArgumentError(f"loss {self.loss} is not a probability below 1")
        if not 1 <= self.gateways <= GATEWAYS_MAX:
            raise BadArgumentError(f"{self.gateways} gateways; 1 to {GATEWAYS_MAX}")
        if self.outages < 0 or (self.commands is not None and self.commands < 0) or self.seed < 0:
            raise BadArgumentError("outages, commands and seed are never negative")
        models_of(self.model, self.meters)
        radio_profile(self.profile)
        network_plan(self.network)
        return self

    @property
    def end_s(self) -> int:
        """The end of the run, before the drain."""
        return self.start_s + self.days * DAY_S


@dataclass(slots=True)
class Stage:
    """A built world with the store of its centre."""

    world: World
    network: DatagramNetwork
    host: Host
    records: list[MeterRecord]
    models: Sequence[MeterModel]
    plan: NetworkPlan


def fill_store(engine: Engine, scenario: Scenario, models: Sequence[MeterModel]) -> list[MeterRecord]:
    """Schema, tenant, tariffs and meters of a simulated fleet."""
    upgrade(engine)
    tenant = meters.tenant_id(engine, TENANT)
    for code in tariff_file.shipped():
        tariffs.add(engine, tenant, code, tariff_file.shipped_text(code), scenario.start_s)
    new = new_meters(models, scenario.seed, scenario.start_s, scenario.reporting, scenario.period_s)
    return meters.onboard(engine, tenant, new)


SITE_ALARMS: Final = {
    Alarm.CURRENT_UNBALANCE: (90.0, 80.0, 6 * 3_600),
    Alarm.CURRENT_REVERSE: (20.0, 10.0, 6 * 3_600),
    Alarm.LOW_POWER_FACTOR: (0.5, 0.6, 2 * 3_600),
}
"""What an operator of homes with solar roofs sets, so that daily life is no alarm: on, off, delay in seconds."""


def build_world(
    loop: asyncio.AbstractEventLoop, scenario: Scenario, models: Sequence[MeterModel], plan: NetworkPlan, loads: LoadSource
) -> World:
    """Bank, twins, radio and gateways of a scenario; the loop's time 0 is its start."""
    bank = Bank(models, scenario.start_s, period_s=scenario.period_s)
    for alarm, (on, off, delay_s) in SITE_ALARMS.items():
        bank.set_alarm(alarm, on, off, delay_s)
    twins = make_twins(bank, scenario.seed, plan.region, scenario.reporting, plan.regulation)
    random, profile = Random(f"{scenario.seed} radio"), radio_profile(scenario.profile)
    radio = RadioWorld(len(models), scenario.gateways, random, loss=scenario.loss, profile=profile)
    world = World(loop, scenario.start_s * US_PER_S, bank, twins, loads, radio, plan.region, plan.regulation.lbt)
    for index in range(scenario.gateways):
        world.add_gateway(GATEWAY_EUI_FIRST + index, loop)
    return world


def build(loop: asyncio.AbstractEventLoop, scenario: Scenario, engine: Engine) -> Stage:
    """Everything of a scenario, at its start, nothing running yet."""
    models, plan = models_of(scenario.model, scenario.meters), network_plan(scenario.network)
    loads = load_source(scenario.load, models, scenario.seed, scenario.step_s, scenario.start_s, scenario.end_s)
    records = fill_store(engine, scenario, models)
    world = build_world(loop, scenario, models, plan, IdleAfter(loads, scenario.end_s))
    network = DatagramNetwork(loop, Random(f"{scenario.seed} backhaul"), scenario.backhaul)
    host = Host(world, network, engine, Random(f"{scenario.seed} kills"), plan, slots=scenario.slots)
    for forwarder in world.forwarders:
        network.open(("gateway", forwarder.index), forwarder)
        forwarder.attach(CENTRE_ADDRESS)
    return Stage(world, network, host, records, models, plan)
