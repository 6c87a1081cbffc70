"""Blocks for many meters, and the clocks that ask: what meters say on the ports of the application packages, 200 to 203.

    start      a block goes to meters: a multicast group of its own, then a `Campaign` over it, and for firmware an `Activation`
    say        a second person approves or rejects it, somebody takes it back (`TRANSITIONS`)
    uplink     an answer for the campaign of its meter, or a clock that asks for the time (TS003)
    poll       orders for single meters, as downlinks that are not confirmed: a campaign itself asks again
    messages   what goes to groups since the last call

A centre that starts again resumes: a campaign begins anew with its stored plan - same group, same keys, same sessions - and
what meters had of the block they still have.  Nothing is lost but air: the block's fragments are said once more before the
meters are asked what they lack.  The group's counter goes on where it was.  An activation goes on with each meter where its
last report has it.

Not here: bytes on the air (`network.multicast`), the steps of a meter (`packages.campaign`), what a meter does with a block.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from nyala.headend.activation import LEAD_US, Activation, Stand
from nyala.headend.budget import Budget, Share, Turns
from nyala.headend.campaign_life import OPEN, TRANSITIONS, CampaignEvent, CampaignRow, CampaignState, Order
from nyala.lorawan.crypto import AesKey
from nyala.lorawan.network.downlink import DATA_OVERHEAD, payload_max
from nyala.lorawan.network.multicast import MulticastGroup
from nyala.lorawan.network.port import Downlink, GroupSent
from nyala.lorawan.network.server import NetworkServer
from nyala.lorawan.packages.campaign import LEAD_S, Campaign, Phase, Plan, Step, Target, ToDevice, clock_answer, timeout_of
from nyala.lorawan.packages.commands import PackagePort
from nyala.lorawan.packages.keys import gen_app_key, mc_session_keys
from nyala.lorawan.regulation import PER_MILLE
from nyala.telegram.blocks import Block, BlockKind, descriptor_of, encode_block
from nyala.vocab.errors import BadArgumentError, ConflictError, UnknownError
from nyala.vocab.time import US_PER_S

PORTS: Final = frozenset(PackagePort)
RUNNING_MAX: Final = 16
"""Campaigns at a time: each has the air of its gateways for a good part of the time."""
POLL_US: Final = US_PER_S
"""A campaign is not looked at more often, unless an answer came."""
CLOCK_ANSWERS_MAX: Final = 1_024
"""Answers to clocks that may wait to be sent; beyond it the oldest is not given, and its meter asks again."""
FRAGMENT_HEADER: Final = 3
FRAGMENT_BYTES_MAX: Final = 100
"""A gateway that sends hears nothing: frames are kept short."""
INTERVAL_MIN_US: Final = 2 * US_PER_S
EARS: Final = 4
"""Fragments leave the gateways three quarters of the time to listen."""
DATA_RATES: Final = (5, 4, 3)
"""Tried in this order, before RX2's."""
NOTE_US: Final = 10 * US_PER_S
"""A report of each meter is stored no more often than this: of a thousand meters it is a hundred kilobytes."""
ACTIVATE: Final = "activate"
"""The phase behind those of `packages.campaign`: meters are told when to start what they hold."""


@dataclass(frozen=True, slots=True)
class GroupMessage:
    """Something for a group; `token` names campaign and fragment."""

    mc_addr: int
    port: int
    payload: bytes
    token: object


@dataclass(slots=True)
class _Run:
    row: CampaignRow
    campaign: Campaign
    frames: Counter[str] = field(default_factory=Counter)
    """Frames of its group by what became of them."""
    uncovered: tuple[int, ...] = ()
    activation: Activation | None = None

    @property
    def phase(self) -> str:
        return self.campaign.phase.value if self.activation is None or self.activation.over else ACTIVATE

    @property
    def over(self) -> bool:
        """Nothing is left to be done for it."""
        return self.phase == Phase.OVER or (self.row.state is CampaignState.CANCELLING and self.activation is None)

    @property
    def next_us(self) -> int | None:
        if self.row.state is CampaignState.AWAITING:
            return None
        if self.activation is None:
            return self.campaign.next_us
        note_us = [self.row.updated_us + NOTE_US] if self.activation.changed else []
        return min([self.activation.next_us, *note_us])


class Campaigns:
    """All that are running, and the reports of those that were."""

    def __init__(self, next_id: int = 1, budget: Budget | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self._next_id = next_id
        self._runs: dict[int, _Run] = {}
        self._of_device: dict[int, _Run] = {}
        self._changed: dict[int, CampaignRow] = {}
        self._clocks: deque[Downlink] = deque(maxlen=CLOCK_ANSWERS_MAX)
        self._orders: dict[int, Downlink] = {}
        """Those that wait for their turn, one for each meter."""
        self._budget = budget or Budget()
        self._turns = Turns(self._budget, Share.ORDERS)
        self._messages: list[GroupMessage] = []
        self._ended: list[int] = []
        self._polled_us = 0

    @property
    def next_us(self) -> int | None:
        """When `poll` has something to do."""
        if self._clocks:
            return 0
        times = [due_us for run in self._runs.values() if (due_us := run.next_us) is not None]
        due = [max(min(times), self._polled_us + POLL_US)] if times else []
        if self._turns.next_us is not None:
            due.append(self._turns.next_us)
        return min(due, default=None)

    # -- the operator

    def start(
        self,
        network: NetworkServer,
        block: Block,
        dev_euis: Sequence[int],
        *,
        by: str,
        mc_key: bytes,
        now_us: int,
        order: Order = Order(),  # noqa: B008 - frozen
    ) -> CampaignRow:
        """Begins to bring a block to meters, or waits for a second person.  `mc_key` is new, random and secret.

        ConflictError where a meter is in another running campaign or too many run; BadArgumentError for no meter or too
        large a block; UnknownError for a device that is not known.
        """
        targets = targets_of(network, dict.fromkeys(dev_euis))
        if len(self._runs) >= RUNNING_MAX:
            raise ConflictError(f"{RUNNING_MAX} campaigns are running")
        busy = [target.dev_eui for target in targets if target.dev_eui in self._of_device]
        if busy:
            raise ConflictError(f"device {busy[0]:016x} and {len(busy) - 1} more are in another running campaign")
        group = _group(network, [target.dev_eui for target in targets], mc_key, now_us)
        plan = _plan(network, group, block, mc_key, now_us)
        state = CampaignState.AWAITING if order.needs_approval else CampaignState.RUNNING
        row = CampaignRow(self._next_id, plan, group.members, now_us, by, now_us, state, order=order)
        run = _Run(row, Campaign(plan, targets))
        network.groups.add(group)
        self._next_id += 1
        self._enter(run)
        return row

    def resume(self, row: CampaignRow, network: NetworkServer) -> None:
        """Goes on with a stored campaign that had not ended."""
        run = _Run(row, Campaign(row.plan, targets_of(network, row.dev_euis), begin_us=_heard_again_us(row)))
        if row.report.get("phase") == ACTIVATE:
            known = {int(dev_eui, 16): (step, why) for dev_eui, (step, _, why) in row.report["meters"].items()}
            stands = {dev_eui: (Stand(step), why) for dev_eui, (step, why) in known.items() if step in set(Stand)}
            run.activation = Activation(row.version, row.report["start_us"], stands, stands)
            if row.state is CampaignState.CANCELLING:
                run.activation.withdraw(row.updated_us)
        self._enter(run)

    def say(self, campaign_id: int, event: CampaignEvent, *, by: str, now_us: int) -> CampaignRow:
        """What a person says to a campaign.  UnknownError for one that has ended; ConflictError where its state does not
        know this, and for an approval by whoever ordered it.
        """
        run = self._runs.get(campaign_id)
        if run is None:
            raise UnknownError("running campaign", campaign_id)
        row, state = run.row, TRANSITIONS.get((run.row.state, event))
        if state is None:
            raise ConflictError(f"campaign {campaign_id} is {row.state}: it cannot {event}")
        if event is CampaignEvent.APPROVE:
            if by == row.created_by:
                raise ConflictError(f"campaign {campaign_id} is to be approved by another person than {by}")
            row.approved_by = by
        row.state = state
        if state is CampaignState.CANCELLING and run.activation is not None:
            run.activation.withdraw(now_us)
        self._note(run, now_us)
        return row

    def brings(self, dev_eui: int) -> BlockKind | None:
        """What an open campaign brings to a meter."""
        run = self._of_device.get(dev_eui)
        return None if run is None else run.row.kind

    def of_key(self, key: str) -> CampaignRow | None:
        """The open campaign of an idempotency key."""
        return next((run.row for run in self._runs.values() if run.row.order.key == key), None)

    def _enter(self, run: _Run) -> None:
        self._runs[run.row.id] = run
        self._of_device |= dict.fromkeys(run.row.dev_euis, run)
        self._note(run, run.row.updated_us)

    def report(self, campaign_id: int) -> dict[str, Any]:
        """How a running campaign stands; UnknownError for one that is not running (its last report is stored)."""
        run = self._runs.get(campaign_id)
        if run is None:
            raise UnknownError("running campaign", campaign_id)
        return _report(run)

    # -- in

    def uplink(self, dev_eui: int, port: int, payload: bytes, received_us: int) -> None:
        """What a meter said on a package's port; FrameError for what is not the package's."""
        if port == PackagePort.CLOCK_SYNC:
            answer = clock_answer(payload, received_us)
            if answer is not None:
                self.counts["clocks_answered"] += 1
                self._clocks.append(Downlink(dev_eui, port, answer, token=("clock",)))
            return
        run = self._of_device.get(dev_eui)
        if run is None:
            self.counts["answers_of_no_campaign"] += 1
            return
        if run.activation is not None and port == PackagePort.FIRMWARE:
            run.activation.answer(dev_eui, payload)
        else:
            run.campaign.answer(dev_eui, port, payload)

    def hello(self, dev_eui: int, firmware: int) -> None:
        """A meter said which version it runs."""
        run = self._of_device.get(dev_eui)
        if run is not None and run.activation is not None:
            run.activation.hello(dev_eui, firmware)

    def group_sent(self, event: GroupSent) -> None:
        """What became of a message to a group."""
        match event.token:
            case ("campaign", int(campaign_id)) if campaign_id in self._runs:
                run = self._runs[campaign_id]
                run.frames["sent" if event.gateways else "not_sent"] += 1
                run.frames["emissions"] += len(event.gateways)
                run.uncovered = event.uncovered
            case _:
                pass

    # -- out

    def poll(self, now_us: int) -> list[Downlink]:
        """Answers to clocks, and orders whose turn it is; messages to groups are kept for `take_messages`."""
        self._polled_us = now_us
        for run in list(self._runs.values()):
            if run.row.state is CampaignState.AWAITING:
                continue
            phase, token = run.phase, ("campaign", run.row.id)
            for each in run.campaign.poll(now_us) if run.activation is None else run.activation.poll(now_us):
                if isinstance(each, ToDevice):
                    if each.dev_eui not in self._orders:
                        self._turns.put(each.dev_eui, now_us)
                    self._orders[each.dev_eui] = Downlink(each.dev_eui, each.port, each.payload, token=token)
                else:
                    self._messages.append(GroupMessage(run.row.plan.mc_addr, each.port, each.payload, token))
            if run.campaign.phase is Phase.OVER and run.activation is None and run.row.kind is BlockKind.FIRMWARE:
                whole = [dev_eui for dev_eui in run.row.dev_euis if run.campaign.step_of(dev_eui) is Step.WHOLE]
                run.activation = Activation(run.row.version, max(run.row.order.activate_us, now_us + LEAD_US), whole)
            moved = run.activation is not None and run.activation.changed and now_us >= run.row.updated_us + NOTE_US
            if run.phase != phase or moved:
                self._note(run, now_us)
        downlinks = list(self._clocks)
        self._clocks.clear()
        for dev_eui in self._turns.take(now_us):
            order = self._orders.pop(dev_eui)
            self._budget.spend_at_once(Share.ORDERS, dev_eui, len(order.payload), now_us)
            downlinks.append(order)
        return downlinks

    def take_messages(self) -> list[GroupMessage]:
        """What is to go to groups."""
        messages, self._messages = self._messages, []
        return messages

    def not_taken(self, message: GroupMessage) -> None:
        """The network could not take a message: to the meters a lost fragment, made good by parity."""
        match message.token:
            case ("campaign", int(campaign_id)) if campaign_id in self._runs:
                self._runs[campaign_id].frames["not_taken"] += 1
            case _:
                pass

    def take_ended(self) -> list[int]:
        """Addresses of groups that are not needed any more."""
        ended, self._ended = self._ended, []
        return ended

    def take_changes(self) -> list[CampaignRow]:
        """What to store now."""
        changed, self._changed = [replace(row) for row in self._changed.values()], {}
        return changed

    def _note(self, run: _Run, now_us: int) -> None:
        """It entered a phase; after the last one it is over."""
        row = run.row
        row.updated_us, row.report = now_us, _report(run)
        if run.activation is not None:
            run.activation.changed = False
        if run.over:
            row.state = TRANSITIONS.get((row.state, CampaignEvent.END), row.state)
        if row.state not in OPEN:
            del self._runs[row.id]
            self._of_device = {dev_eui: other for dev_eui, other in self._of_device.items() if other is not run}
            self._ended.append(row.plan.mc_addr)
        self._changed[row.id] = row


def targets_of(network: NetworkServer, dev_euis: Iterable[int]) -> list[Target]:
    """Devices with the key from which their multicast keys are made; UnknownError."""
    return [Target(dev_eui, gen_app_key(network.sessions.root(dev_eui).app_key)) for dev_eui in dev_euis]


def _heard_again_us(row: CampaignRow) -> int:
    """When the meters of a stored campaign hear orders again: while they listen for the group, orders do not reach them."""
    if row.report.get("phase") not in (Phase.SCHEDULE, Phase.SEND, Phase.ASK):
        return 0
    return row.updated_us + (LEAD_S + (1 << timeout_of(row.plan, row.report["total"]))) * US_PER_S


def _report(run: _Run) -> dict[str, Any]:
    """The report as it is stored: `meters` has for each what it does, what it lacks, and why it came to nothing."""
    said, activation = run.campaign.report(), run.activation
    meters = {dev_eui: (step.value, missing, why) for dev_eui, (step, missing, why) in said.devices.items()}
    if activation is not None:
        for dev_eui, meter in activation.meters.items():
            meters[dev_eui] = meter.stand.value, 0, meter.why
    return {
        "phase": run.phase,
        "devices": dict(sorted(Counter(step for step, *_ in meters.values()).items())),
        "failed": {f"{dev_eui:016x}": why for dev_eui, (*_, why) in sorted(meters.items()) if why},
        "meters": {f"{dev_eui:016x}": list(meter) for dev_eui, meter in sorted(meters.items())},
        "start_us": 0 if activation is None else activation.at_us,
        "total": run.campaign.total,
        "fragments": max(said.fragments, run.row.report.get("fragments", 0)),
        "orders": said.orders + (0 if activation is None else activation.orders),
        "frames": dict(run.frames),
        "uncovered": [f"{dev_eui:016x}" for dev_eui in run.uncovered],
    }


def _group(network: NetworkServer, members: Sequence[int], mc_key: bytes, now_us: int) -> MulticastGroup:
    """A new group on RX2's channel, at the fastest data rate that reaches all whom RX2's would."""
    plan, groups = network.plan, network.groups
    address = groups.free_address()
    keys = mc_session_keys(AesKey(mc_key), address)
    group = MulticastGroup(address, AesKey(keys[0]), AesKey(keys[1]), plan.rx2_hz, plan.rx2_data_rate, tuple(members))
    weak = groups.cover(group, now_us).weak
    faster = (replace(group, data_rate=data_rate) for data_rate in DATA_RATES)
    return next((each for each in faster if groups.cover(each, now_us).weak == weak), group)


def _plan(network: NetworkServer, group: MulticastGroup, block: Block, mc_key: bytes, now_us: int) -> Plan:
    """How a block goes over a group: fragments as large as is good, as fast as duty cycle and ears of the gateways allow."""
    plan, groups = network.plan, network.groups
    fragment_bytes = min(payload_max(plan, group.data_rate) - FRAGMENT_HEADER, FRAGMENT_BYTES_MAX)
    if fragment_bytes < 1:
        raise BadArgumentError(f"data rate {group.data_rate} carries no fragments")
    length_us = groups.airtime_us(DATA_OVERHEAD + FRAGMENT_HEADER + fragment_bytes, group.data_rate)
    gateways = len(groups.cover(group, now_us).gateways)
    duty_us = length_us * PER_MILLE // plan.regulation.sub_band(group.frequency_hz).per_mille
    return Plan(
        block=encode_block(block),
        descriptor=descriptor_of(block.kind, block.version),
        fragment_bytes=fragment_bytes,
        mc_addr=group.mc_addr,
        mc_key=mc_key,
        f_cnt_min=group.f_cnt,
        frequency_hz=group.frequency_hz,
        data_rate=group.data_rate,
        interval_us=max(INTERVAL_MIN_US, EARS * gateways * length_us, duty_us),
    )
