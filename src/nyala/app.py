"""The one place that wires: a store becomes a centre - network server, head-end and ingest over it.

`Centre` opens no socket and starts no thread: whoever runs it (server, demo, simulation) brings the clock, the writer and
the transports.  A centre that is built again over the same store goes on where the last one was killed.
"""

import gc
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine

from nyala.gateway.known import Gateways, Link
from nyala.gateway.mqtt import bridge_of
from nyala.gateway.shell import CompositeRadio, Shell
from nyala.gateway.station_access import StationAccess
from nyala.gateway.station_server import StationServer
from nyala.gateway.udp_server import SemtechUdpServer
from nyala.headend.block_checks import check_block
from nyala.headend.block_settings import next_version, want_all
from nyala.headend.budget import Budget
from nyala.headend.bulk import Abilities, Bulk
from nyala.headend.campaign_life import CampaignRow, Order
from nyala.headend.campaigns import Campaigns
from nyala.headend.commands import CommandTracker
from nyala.headend.config_orders import ConfigOrders
from nyala.headend.configuration import Configuration
from nyala.headend.exchange import Exchange, exchange
from nyala.headend.foreign.mapping import foreign_model
from nyala.headend.ingest import Ingest
from nyala.headend.lifecycle import GONE, Life, LifeEvent, LifeRow, Lives
from nyala.headend.notify_loop import Fleet
from nyala.headend.onboarding import NewMeter
from nyala.headend.ports import Changes, Writer
from nyala.headend.profile import profile_of
from nyala.headend.reads import ReadPlan, Reads
from nyala.headend.registry import MeterRecord, Registry
from nyala.headend.service import HeadEnd
from nyala.headend.storms_shapes import Origin
from nyala.headend.storms_silence import Hearing
from nyala.lorawan.network.plan import NetworkPlan, indonesia
from nyala.lorawan.network.port import AppUplink, Reception, Transmission, TxResult
from nyala.lorawan.network.server import NetworkServer
from nyala.mdm.book import Book
from nyala.mdm.closing import estimate_gaps
from nyala.meter.model import meter_model, model_of_code
from nyala.store import bulk, commands, config_orders, frames, groups, lifecycle, meters, reads
from nyala.store.ingest import InlineWriter
from nyala.store.load_days import LoadDays
from nyala.telegram.blocks import Block, setting_block
from nyala.vocab.errors import NotAllowedError, UnknownError
from nyala.vocab.identifiers import eui_text
from nyala.vocab.settings import Setting, SettingBlock
from nyala.vocab.time import US_PER_S

GC_YOUNG: Final = 50_000
"""New objects after which the collector looks at them: some hundred uplinks' worth, which are gone by then."""
UDP_PORT: Final = 1700
"""Where gateways of the Semtech protocol send by default."""


def has_switch(record: MeterRecord) -> bool:
    """Whether a meter of ours has a supply switch."""
    return meter_model(record.model).supply_switch


class Centre:
    """The central system over one store."""

    def __init__(
        self,
        engine: Engine,
        writer: Writer,
        now_us: Callable[[], int],
        *,
        plan: NetworkPlan | None = None,
        stations: StationAccess | None = None,
        bridges: Sequence[str] = (),
        slots: bool = False,
    ) -> None:
        """`bridges`: other network servers, as `gateway.mqtt.bridge_of` reads them; whoever runs the centre starts them.
        `slots`: meters report in slots of their own.
        """
        self.engine, self.now_us = engine, now_us
        self.plan = plan or indonesia()
        with engine.connect() as connection:
            self.registry = Registry(meters.load_records(connection), meters.load_states(connection))
            sessions, multicast_groups = meters.load_sessions(connection), groups.load_groups(connection)
            self.network = NetworkServer(self.plan, sessions, multicast_groups)
            self.lives = Lives(lifecycle.load_lives(connection))
            for meter_id in self.lives.gone:
                self.registry.retire(meter_id)
            self.headend = self._head_end(connection, self.plan if slots else None)
            next_journal, left_over = commands.next_journal(connection), commands.not_worked_off(connection)
        self.ingest = Ingest(self.network, self.headend, writer, now_us, next_journal=next_journal)
        self.gateways = Gateways()
        self.udp = SemtechUdpServer(self.plan.region, self.ingest, now_us, self.gateways)
        self.stations = StationServer(self.plan, self.ingest, now_us, self.gateways, stations)
        shells: dict[Link, Shell] = {Link.SEMTECH_UDP: self.udp, Link.STATION: self.stations}
        self.radio = self.ingest.radio = CompositeRadio(self.gateways, shells, self._transmitted)
        self.bridges = [bridge_of(text, self.plan.region, self.ingest, now_us) for text in bridges]
        self.ingest.bridges = {bridge.name: bridge for bridge in self.bridges}
        self.ingest.replay(
            [each for each in left_over if isinstance(each, Reception)],
            [each for each in left_over if isinstance(each, AppUplink)],
        )

    def _head_end(self, connection: Connection, slots: NetworkPlan | None) -> HeadEnd:
        """The head-end, with everything that was under way."""
        budget = Budget(self.network)
        campaigns = Campaigns(groups.next_campaign_id(connection), budget)
        for campaign in groups.running_campaigns(connection):
            campaigns.resume(campaign, self.network)
        meter, ability = self.registry.meter, self._ability
        tracker = CommandTracker(self.registry, commands.open_commands(connection), commands.next_command_id(connection))
        orders = Bulk(tracker, meter, ability, bulk.running(connection), bulk.next_id(connection), budget)
        plans = Reads(tracker, meter, ability, self._members, reads.running(connection), reads.next_id(connection))
        settings = config_orders.running(connection), config_orders.next_id(connection), has_switch
        windows, book = frames.load_windows(connection), Book(LoadDays(self.engine))
        return HeadEnd(self.registry, book, tracker, campaigns, orders, self.lives, windows, plans, settings, budget, slots)

    def _transmitted(self, transmission: Transmission, result: TxResult) -> None:
        """What a gateway said of a transmission goes to the network, which may send it again."""
        if transmission.number:
            self.network.transmitted(transmission.number, result, self.now_us())
            if result is not TxResult.OK:
                self.ingest.nudge()

    def fleet(self) -> Fleet:
        """What the notifier asks of this centre."""

        def origin(meter_id: int) -> Origin:
            record = self.registry.meter(meter_id)
            gateway = next(iter(self._heard_by(record.dev_eui)), "")
            return Origin(record.tenant_id, record.serial, record.site, gateway, record.feeder)

        def hearing(meter_id: int) -> Hearing:
            record = self.registry.meter(meter_id)
            heard_us = self.registry.state(meter_id).last_heard_us
            return Hearing(heard_us, record.report_s, self._heard_by(record.dev_eui))

        return Fleet(lambda: [record.id for record in self.registry], origin, hearing, self._gateways_seen)

    def _heard_by(self, dev_eui: int) -> tuple[str, ...]:
        """The gateways of a device's last uplink, the best first; none where another network server has it."""
        session = self.network.sessions.of_device(dev_eui)
        via = self.headend.via(dev_eui)
        return () if session is None or via else tuple(eui_text(gateway) for gateway, _ in session.heard_by)

    def _gateways_seen(self) -> dict[str, int]:
        """When each gateway was last seen; a station that is connected is seen now."""
        now_us = self.now_us()
        return {
            eui_text(eui): now_us if each.link is Link.STATION and each.online(now_us) else each.last_seen_us
            for eui, each in self.gateways.items()
        }

    def onboard(self, tenant: int, new: Sequence[NewMeter]) -> list[MeterRecord]:
        """Adds meters to the store and to this running centre."""
        records = meters.onboard(self.engine, tenant, new)
        with self.engine.connect() as connection:
            roots = meters.load_roots(connection, records[0].id)
        for record, meter in zip(records, new, strict=True):
            self.registry.add(record)
            if meter.life is not Life.ACTIVE:
                self.lives.put(LifeRow(record.id, meter.life, self.now_us()))
        for root in roots:
            self.network.sessions.add_root(root)
        return records

    def _ability(self, record: MeterRecord) -> Abilities:
        """What may be ordered of a meter; NotAllowedError for another maker's, and for one that is on no wall."""
        life = self.lives.of(record.id).state
        if life in GONE or life is Life.IN_STOCK:
            raise NotAllowedError(f"meter {record.serial} is {life}")
        if foreign_model(record.model) is not None:
            raise NotAllowedError(f"meter {record.serial}: a {record.model} takes no commands of ours")
        model = meter_model(record.model)
        return Abilities(model.supply_switch, model.phases)

    def _members(self, plan: ReadPlan) -> list[int]:
        with self.engine.connect() as connection:
            return reads.members(connection, plan)

    def say_life(self, meter_id: int, event: LifeEvent, *, at_s: int, by: str, reason: str) -> None:
        """What a person says of the life of a meter; what a removed one never reported is estimated.  As `Lives.say`."""
        self.lives.say((meter_id, event, reason), at_s=at_s, by=by, now_us=self.now_us())
        if self.lives.of(meter_id).state in GONE:
            record, first = self.registry.meter(meter_id), self.registry.state(meter_id).complete_to
            until = at_s // record.period_s
            for channel in profile_of(record) if first < until else ():
                estimate_gaps(self.headend.book, meter_id, channel, record.period_s, first, until)
            self.registry.retire(meter_id)
        self.ingest.nudge()

    def exchange(self, said: Exchange) -> Exchange:
        """Puts a meter in the place of another one, in one unit of work; errors as `exchange`."""
        done = exchange(self.registry, self.headend.book, self.lives, said)
        self.headend.exchanges.append(done)
        self.ingest.nudge()
        return done

    def start_campaign(
        self,
        block: Block,
        meter_ids: Sequence[int],
        *,
        by: str,
        mc_key: bytes | None = None,
        order: Order | None = None,
    ) -> CampaignRow:
        """Begins to bring a block to meters of ours by multicast.  `mc_key`: where it must be known (a seeded simulation).

        UnknownError for no such meter; and as `check_block` and `Campaigns.start`.
        """
        records = [self.registry.meter(meter_id) for meter_id in meter_ids]
        check_block(block, records, lambda code: model_of_code(code).name)
        tenant_id = records[0].tenant_id if records else 0
        row = self.headend.campaigns.start(
            self.network,
            block,
            [record.dev_eui for record in records],
            by=by,
            mc_key=mc_key or secrets.token_bytes(16),
            now_us=self.now_us(),
            order=order or Order(tenant_id),
        )
        self.ingest.nudge()
        return row

    def start_settings(
        self, kind: Setting, body: bytes, meter_ids: Sequence[int], *, by: str, order: Order | None = None
    ) -> CampaignRow:
        """The same for a setting: wanted of each of the meters in one version; whoever is not reached gets it alone."""
        setting = SettingBlock(next_version(self.registry, meter_ids, kind), body)
        row = self.start_campaign(setting_block(kind, setting), meter_ids, by=by, order=order)
        want_all(self.registry, self.headend.configuration, meter_ids, (kind, setting, by), self.now_us())
        return row


def settle_memory(*, for_good: bool) -> None:
    """Tells the garbage collector to look less often, which saves a fifth of the ingest's time; and `for_good`, in a process
    that does nothing else, that what is loaded now stays.
    """
    if for_good:
        gc.collect()
        gc.freeze()
    gc.set_threshold(GC_YOUNG, 20, 50)


def close_gaps(engine: Engine, records: Iterable[MeterRecord], first_s: int, until_s: int) -> int:
    """Estimates what is missing in [first_s, until_s) and stores it; answers how many intervals.

    Only where no centre runs on the store: its book would not know of it.
    """
    book, count = Book(LoadDays(engine)), 0
    for record in records:
        first, until = -(-max(first_s, record.installed_s) // record.period_s), until_s // record.period_s
        for channel in profile_of(record) if until > first else ():
            count += estimate_gaps(book, record.id, channel, record.period_s, first, until)
    changed, superseded = book.take_changes()
    _write(engine, Changes(load_days=changed, superseded=superseded))
    return count


def offline_exchange(
    engine: Engine,
    old: str,
    new: str,
    at_s: int,
    final: Mapping[str, int],
    start: Mapping[str, int],
    *,
    now_us: int,
    by: str,
    reason: str,
) -> None:
    """As `Centre.exchange`, by serial numbers, where no centre runs on the store."""
    with engine.connect() as connection:
        registry = Registry(meters.load_records(connection), meters.load_states(connection))
        lives, book = Lives(lifecycle.load_lives(connection)), Book(LoadDays(engine))
    said = Exchange(_of_serial(registry, old), _of_serial(registry, new), at_s, final, start, now_us, by, reason)
    done = exchange(registry, book, lives, said)
    changes = Changes(states=registry.take_changes(), exchanges=[done])
    changes.load_days, changes.superseded = book.take_changes()
    changes.lives, changes.life_steps = lives.take_changes()
    _write(engine, changes)


def offline_activate(engine: Engine, serial: str, *, now_us: int, by: str, reason: str) -> None:
    """Activates a meter by its serial number, where no centre runs on the store."""
    with engine.connect() as connection:
        registry, lives = Registry(meters.load_records(connection)), Lives(lifecycle.load_lives(connection))
    meter = _of_serial(registry, serial)
    lives.say((meter.id, LifeEvent.ACTIVATE, reason), at_s=now_us // US_PER_S, by=by, now_us=now_us)
    rows, steps = lives.take_changes()
    _write(engine, Changes(lives=rows, life_steps=steps))


def offline_reads(engine: Engine, say: Callable[[Reads], Any]) -> None:
    """What a person says of scheduled reads, where no centre runs on the store: one that begins then takes them up."""
    with engine.connect() as connection:
        registry = Registry(meters.load_records(connection))
        tracker, loaded, next_id = CommandTracker(registry, [], 1), reads.running(connection), reads.next_id(connection)
        plans = Reads(tracker, registry.meter, loaded=loaded, next_id=next_id)
    say(plans)
    _write(engine, Changes(read_plans=plans.take_changes()))


def offline_configuration(engine: Engine, say: Callable[[ConfigOrders], Any]) -> None:
    """What a person says of the configuration of meters, where no centre runs on the store: one that begins then sends it."""
    with engine.connect() as connection:
        registry = Registry(meters.load_records(connection), meters.load_states(connection))
        loaded, next_id = config_orders.running(connection), config_orders.next_id(connection)
    orders = ConfigOrders(Configuration(registry), registry, loaded, next_id, has_switch)
    say(orders)
    changes = Changes(states=registry.take_changes())
    changes.config_orders, changes.config_members = orders.take_changes()
    _write(engine, changes)


def _of_serial(registry: Registry, serial: str) -> MeterRecord:
    found = next((record for record in registry if record.serial == serial), None)
    if found is None:
        raise UnknownError("meter", serial)
    return found


def _write(engine: Engine, changes: Changes) -> None:
    writer = InlineWriter(engine)
    writer.execute(writer.prepare(changes))
    writer.close()
