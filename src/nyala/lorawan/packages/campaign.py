"""A block for many devices: sessions are set up one device at a time, fragments go to all at once, gaps are asked for.

    a device    NEW, GROUPED, READY, LISTENING, WHOLE or FAILED: each step an order to it and its answer (`MOVES`)
    a campaign  SET_UP, then rounds of SCHEDULE, SEND and ASK, the first with the block, the others with parity; then OVER

An order that is not answered is given again; devices that fail do not hold up the others.  Each round has a listening time
of its own, announced before it, and goes to those that still lack something.  Sans-I/O: answers and instants in, downlinks
for devices and for the group out.  Not here: the group's counter and gateways (`network.multicast`), and what the block is
for.  Source: TS004 and TS005; the order of the steps as in the LoRa Alliance's FUOTA process summary TR002.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.packages import layouts as c
from nyala.lorawan.packages.commands import TO_SERVER, Open, PackagePort, decode, encode
from nyala.lorawan.packages.keys import data_block_key, mc_ke_key, wrap_mc_key
from nyala.lorawan.packages.layouts import Command
from nyala.lorawan.packages.parity import FRAGMENTS_MAX, Fragmenter, block_mic
from nyala.vocab.errors import BadArgumentError
from nyala.vocab.time import US_PER_S, gps_from_utc_us

TRIES: Final = 6
"""Orders of one step to one device before it is given up."""
ORDER_US: Final = 20 * US_PER_S
"""Until an order counts as not answered; doubled with each try."""
LEAD_S: Final = 180
"""From the first order of a schedule to the first fragment: time for some tries."""
ROUNDS: Final = 8
"""How often fragments are sent and gaps asked for."""
SPARE: Final = 3
"""Parity fragments of a round beyond what the worst device lacks."""
FIRST_PARITY: Final = 0.1
"""Parity of the first round, as a part of the block's own fragments."""
TAIL_S: Final = 30
"""How much longer than the fragments take devices listen."""
TIMEOUT_MAX: Final = 15
ORDERS_MAX: Final = 8
"""Orders that are open at once: they and their answers share the air with the readings.  With a second and a half for each,
all of them have gone out and been answered within `ORDER_US`."""


class Step(StrEnum):
    """Where a device stands."""

    NEW = "new"
    GROUPED = "grouped"
    READY = "ready"
    LISTENING = "listening"
    WHOLE = "whole"
    FAILED = "failed"


class Phase(StrEnum):
    """Where the campaign stands."""

    SET_UP = "set_up"
    SCHEDULE = "schedule"
    SEND = "send"
    ASK = "ask"
    OVER = "over"


MOVES: Final[dict[tuple[Step, type[Command]], Step]] = {
    (Step.NEW, c.McSetupAns): Step.GROUPED,
    (Step.GROUPED, c.FragSetupAns): Step.READY,
    (Step.READY, c.McClassCSessionAns): Step.LISTENING,
    (Step.LISTENING, c.FragStatusAns): Step.LISTENING,
    (Step.LISTENING, c.BlockReceivedReq): Step.WHOLE,
}
"""A good answer moves a device; any other answer at a step is an old one and changes nothing."""
_WAITS_IN: Final = {Phase.SET_UP: (Step.NEW, Step.GROUPED), Phase.SCHEDULE: (Step.READY,), Phase.ASK: (Step.LISTENING,)}
"""Steps whose devices get orders in a phase; the phase is over when there are none."""


@dataclass(frozen=True, slots=True)
class Target:
    """A device, and the key from which its multicast keys are made."""

    dev_eui: int
    gen_app_key: AesKey


@dataclass(frozen=True, slots=True)
class Plan:
    """What is sent, and how.  `interval_us` between two fragments; `group` and `index` are the numbers on the device."""

    block: bytes
    descriptor: int
    fragment_bytes: int
    mc_addr: int
    mc_key: bytes
    f_cnt_min: int
    frequency_hz: int
    data_rate: int
    interval_us: int
    session_count: int = 0
    group: int = 0
    index: int = 0
    block_ack_delay: int = 0
    version: int = 1


@dataclass(frozen=True, slots=True)
class ToDevice:
    """An order for one device."""

    dev_eui: int
    port: PackagePort
    payload: bytes


@dataclass(frozen=True, slots=True)
class ToGroup:
    """A message for all that listen."""

    port: PackagePort
    payload: bytes


@dataclass(slots=True)
class _Device:
    target: Target
    step: Step = Step.NEW
    tries: int = 0
    due_us: int = 0
    missing: int | None = None
    asked_round: int = -1
    """The round whose question it has answered."""
    why: str = ""


@dataclass(slots=True)
class Report:
    """How a campaign went: devices by step, why those that failed did, and of each its step, what it lacks, and why."""

    phase: Phase
    steps: Counter[Step] = field(default_factory=Counter)
    failed: dict[int, str] = field(default_factory=dict)
    devices: dict[int, tuple[Step, int | None, str]] = field(default_factory=dict)
    fragments: int = 0
    orders: int = 0


class Campaign:
    """One block on its way to many devices."""

    def __init__(self, plan: Plan, targets: Sequence[Target], *, begin_us: int = 0) -> None:
        self.plan, self.phase = plan, Phase.SET_UP
        self.orders = 0
        self._fragmenter = Fragmenter(plan.block, plan.fragment_bytes, plan.version)
        parity = round(len(self._fragmenter) * FIRST_PARITY) + SPARE
        if len(self._fragmenter) + parity > FRAGMENTS_MAX:
            raise BadArgumentError(f"{len(self._fragmenter)} fragments leave no numbers for parity")
        self._devices = {target.dev_eui: _Device(target, due_us=begin_us) for target in targets}
        self._next_fragment, self._until_fragment = 1, len(self._fragmenter) + parity
        self._fragment_us = 0
        """When the next fragment goes; in SCHEDULE, when the listening time begins."""
        self._round = 0
        self._polled_us = 0

    @property
    def next_us(self) -> int | None:
        """When `poll` has something to do; None: never, it is over.  0: at once."""
        if self.phase is Phase.OVER:
            return None
        if self.phase is Phase.SEND:
            return self._fragment_us
        due_us = [device.due_us for device in self._waiting()]
        open_us = [each for each in due_us if each > self._polled_us]
        times = due_us if len(open_us) < ORDERS_MAX else open_us
        return min([*times, self._fragment_us] if self.phase is Phase.SCHEDULE else times, default=0)

    def report(self) -> Report:
        """How it stands."""
        devices = self._devices.items()
        failed = {dev_eui: device.why for dev_eui, device in devices if device.step is Step.FAILED}
        steps = Counter(device.step for device in self._devices.values())
        each = {dev_eui: (device.step, device.missing, device.why) for dev_eui, device in devices}
        return Report(self.phase, steps, failed, each, self._next_fragment - 1, self.orders)

    @property
    def total(self) -> int:
        """Fragments that are to be said, with the parity that is known to be needed."""
        return self._until_fragment

    def step_of(self, dev_eui: int) -> Step:
        """Where a device stands."""
        return self._devices[dev_eui].step

    # -- in

    def answer(self, dev_eui: int, port: int, payload: bytes) -> None:
        """What a device said on a package's port; FrameError for what is not the package's."""
        device = self._devices.get(dev_eui)
        if device is None:
            return
        for each in decode(payload, TO_SERVER[PackagePort(port), self.plan.version]):
            self._take(device, each.head if isinstance(each, Open) else each)

    def _take(self, device: _Device, said: Command) -> None:
        step = MOVES.get((device.step, type(said)))
        if step is None or not self._concerns(said):
            return
        refusal = _refusal(said)
        if refusal:
            device.step, device.why = Step.FAILED, refusal
            return
        if isinstance(said, c.FragStatusAns):
            device.missing, device.asked_round = said.missing, self._round
            step = Step.LISTENING if said.missing else Step.WHOLE
        device.step, device.tries, device.due_us = step, 0, 0

    def _concerns(self, said: Command) -> bool:
        """Whether an answer is about our group and session."""
        group, index = getattr(said, "group", self.plan.group), getattr(said, "index", self.plan.index)
        return (group, index) == (self.plan.group, self.plan.index)

    # -- out

    def poll(self, now_us: int) -> list[ToDevice | ToGroup]:
        """What is to be sent now."""
        self._polled_us = now_us
        if self.phase is Phase.SEND:
            return self._send(now_us)
        waiting = self._waiting()
        if self.phase is Phase.SCHEDULE:
            if now_us >= self._fragment_us:
                return self._next_phase(now_us)
        elif not waiting:
            return self._next_phase(now_us)
        orders: list[ToDevice | ToGroup] = []
        opened = sum(device.due_us > now_us for device in waiting)
        for device in waiting:
            if device.due_us > now_us or opened >= ORDERS_MAX:
                continue
            if device.tries >= TRIES:
                self._give_up(device)
                continue
            opened += 1
            device.due_us = now_us + (ORDER_US << device.tries)
            device.tries += 1
            self.orders += 1
            orders.append(self._order(device))
        return orders

    def _waiting(self) -> list[_Device]:
        steps = _WAITS_IN.get(self.phase, ())
        answered = self._round if self.phase is Phase.ASK else None
        return [d for d in self._devices.values() if d.step in steps and (answered is None or d.asked_round < answered)]

    def _give_up(self, device: _Device) -> None:
        """No answer: before it is set up it cannot take part; later the next round tries again."""
        if self.phase is Phase.SET_UP:
            device.step, device.why = Step.FAILED, f"no answer at step {device.step}"
        elif self.phase is Phase.SCHEDULE:
            device.due_us = self._fragment_us
        else:
            device.asked_round = self._round

    def _order(self, device: _Device) -> ToDevice:
        plan, key = self.plan, device.target.gen_app_key
        port, order = PackagePort.FRAGMENTATION, c.FragStatusReq(1, plan.index)
        said: Command = order
        match device.step:
            case Step.NEW:
                wrapped = wrap_mc_key(mc_ke_key(key), plan.mc_key)
                port = PackagePort.MULTICAST
                said = c.McSetupReq.of(plan.group, plan.mc_addr, wrapped, (plan.f_cnt_min, 0xFFFFFFFF))
            case Step.GROUPED:
                said = self._frag_setup(key)
            case Step.READY:
                port = PackagePort.MULTICAST
                said = self._session()
            case _:
                pass
        return ToDevice(device.target.dev_eui, port, encode([said]))

    def _frag_setup(self, key: AesKey) -> Command:
        plan, fragmenter = self.plan, self._fragmenter
        first = (1 << plan.group, plan.index, 0, len(fragmenter), plan.fragment_bytes, plan.block_ack_delay, 0)
        if plan.version == 1:
            return c.FragSetupReq(*first, 0, fragmenter.padding, plan.descriptor)
        mic = block_mic(data_block_key(key), plan.session_count, plan.index, plan.descriptor, plan.block)
        return c.FragSetupReqV2(*first, 1, 0, fragmenter.padding, plan.descriptor, plan.session_count, mic)

    def _session(self) -> Command:
        plan = self.plan
        timeout = timeout_of(plan, self._until_fragment - self._next_fragment + 1)
        start_s = gps_from_utc_us(self._fragment_us) // US_PER_S
        return c.McClassCSessionReq(plan.group, 0, 0, start_s % (1 << 32), timeout, 0, plan.frequency_hz // 100, plan.data_rate)

    def _next_phase(self, now_us: int) -> list[ToDevice | ToGroup]:
        match self.phase:
            case Phase.SET_UP:
                self._schedule(now_us)
            case Phase.SCHEDULE if self._at(Step.LISTENING):
                self.phase, self._fragment_us = Phase.SEND, now_us
            case _:
                self._next_round(now_us)
        return [] if self.phase is Phase.OVER else self.poll(now_us)

    def _at(self, *steps: Step) -> list[_Device]:
        return [device for device in self._devices.values() if device.step in steps]

    def _schedule(self, now_us: int) -> None:
        """One listening time for all that lack something, late enough that each order can be given some tries."""
        lacking = self._at(Step.READY, Step.LISTENING)
        if not lacking:
            self.phase = Phase.OVER
            return
        for device in lacking:
            device.step, device.tries, device.due_us = Step.READY, 0, now_us
        self.phase = Phase.SCHEDULE
        self._round += 1
        self._fragment_us = now_us + (LEAD_S * US_PER_S + len(lacking) // ORDERS_MAX * ORDER_US)

    def _next_round(self, now_us: int) -> None:
        """Parity for what the worst device lacks, or the end."""
        lacking = [SPARE if device.missing is None else device.missing for device in self._at(Step.READY, Step.LISTENING)]
        unsent = self._until_fragment - self._next_fragment + 1
        more = max(max(lacking, default=0) + SPARE - unsent, 0)
        if self._round >= ROUNDS or self._until_fragment + more > FRAGMENTS_MAX:
            for device in self._at(Step.READY, Step.LISTENING):
                device.step, device.why = Step.FAILED, "its block was never whole"
        else:
            self._until_fragment += more
        self._schedule(now_us)

    def _send(self, now_us: int) -> list[ToDevice | ToGroup]:
        if now_us < self._fragment_us:
            return []
        number = self._next_fragment
        said = Open(c.DataFragment(number, self.plan.index), self._fragmenter.fragment(number))
        self._next_fragment += 1
        self._fragment_us = now_us + self.plan.interval_us
        if self._next_fragment > self._until_fragment:
            self.phase = Phase.ASK
            for device in self._at(Step.LISTENING):
                device.tries, device.due_us = 0, self._fragment_us
        return [ToGroup(PackagePort.FRAGMENTATION, encode([said]))]


def timeout_of(plan: Plan, fragments: int) -> int:
    """The listening time for so many fragments: 2**this in seconds."""
    return min((fragments * plan.interval_us // US_PER_S + TAIL_S).bit_length(), TIMEOUT_MAX)


def _refusal(said: Command) -> str:
    """Why a device did not do what it was told; empty where it did."""
    match said:
        case c.McSetupAns(id_error=1):
            return "it has no such group number"
        case c.FragSetupAns():
            return _named(said, ("algorithm_unknown", "memory", "index_unknown", "descriptor_wrong", "replayed"))
        case c.McClassCSessionAns():
            return _named(said, ("data_rate_error", "frequency_error", "undefined", "start_missed"))
        case c.BlockReceivedReq(mic_error=1):
            return "the MIC of its block is wrong"
        case _:
            return ""


def _named(said: Command, bits: Sequence[str]) -> str:
    """The bits that are set, as text."""
    return ", ".join(bit.replace("_", " ") for bit in bits if getattr(said, bit))


def clock_answer(payload: bytes, received_us: int) -> bytes | None:
    """The answer of a server to TS003 on port 202, where one is due; FrameError for what is no message of it.

    `received_us`: when the uplink ended (UTC).  A device whose clock is right gets an answer only where it asks for one.
    """
    answers: list[Command] = []
    for each in decode(payload, TO_SERVER[PackagePort.CLOCK_SYNC, 1]):
        if isinstance(each, c.AppTimeReq):
            ours = gps_from_utc_us(received_us) // US_PER_S % (1 << 32)
            correction_s = (ours - each.device_time + (1 << 31)) % (1 << 32) - (1 << 31)
            if correction_s or each.answer_required:
                answers.append(c.AppTimeAns(correction_s, each.token))
    return encode(answers) if answers else None
