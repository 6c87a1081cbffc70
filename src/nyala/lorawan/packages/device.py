"""The device's side of the application packages: messages and instants in, answers and effects out.

    clock   TS003: the clock is asked and corrected
    blocks  TS004: a block is put together from its fragments
    groups  TS005: multicast groups and their listening times
    firmware  TS006: what runs, what waits, when to start anew

Answers to a group are spread over BlockAckDelay, so that a thousand meters do not speak at once.  What survives a power cut
is `PackagesMemory`; the fragments of a session are in it, as they are in a device's flash.  Not here: what a block is for
(its descriptor says so to the meter), class B, and the radio: the MAC gets groups and sessions from the effects.
"""

from collections.abc import Callable, Mapping
from heapq import heapify, heappop, heappush
from random import Random
from typing import Final

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.packages import layouts as c
from nyala.lorawan.packages.blocks import Blocks
from nyala.lorawan.packages.clock import ClockSync
from nyala.lorawan.packages.commands import ONLY_VERSION, PACKAGE_IDS, TO_DEVICE, Open, PackagePort, decode, encode
from nyala.lorawan.packages.firmware import Firmware
from nyala.lorawan.packages.groups import Groups
from nyala.lorawan.packages.keys import data_block_key, mc_ke_key
from nyala.lorawan.packages.layouts import Command
from nyala.lorawan.packages.state import AskTime, BlockTold, Heard, Outcome, PackageEffect, PackagesMemory, Say
from nyala.lorawan.region import Region
from nyala.vocab.errors import FrameError
from nyala.vocab.time import US_PER_S

ANSWERS_MAX: Final = 16
"""Answers that may wait for their time; one more is not given."""
BLOCK_TELLS: Final = 3
"""How often a device says by itself that its block is whole, until it is answered."""
FROM_GROUPS: Final[frozenset[type[Command]]] = frozenset({c.DataFragment, c.FragStatusReq, c.PackageVersionReq})
"""What a group may say; the rest is for one device alone."""


Handler = Callable[[Command, bytes, Heard], Outcome]


class DevicePackages:
    """The packages of one device, all of one version.  `memory` is kept by the caller and changed in place."""

    def __init__(
        self, gen_app_key: AesKey, region: Region, memory: PackagesMemory, random: Random, *, version: int = 1
    ) -> None:
        self.memory, self.version = memory, version
        self.clock = ClockSync(memory, random)
        self.blocks = Blocks(memory, data_block_key(gen_app_key), version)
        self.groups = Groups(memory, mc_ke_key(gen_app_key), region)
        self._handlers: Mapping[type[Command], Handler] = {
            **self.clock.handlers,
            **self.blocks.handlers,
            **self.groups.handlers,
            **Firmware(memory.firmware).handlers,
            c.BlockReceivedAns: self._block_heard,
        }
        self._random = random
        self._waiting: list[tuple[int, int, Say]] = []
        """Heap of (instant, order, what) of answers that wait for their time."""
        self._order = 0

    @property
    def next_us(self) -> int | None:
        """When `poll` has something to do."""
        times = [self._waiting[0][0]] if self._waiting else []
        if self.clock.ask_us is not None:
            times.append(self.clock.ask_us)
        return min(times, default=None)

    def start(self, now_us: int) -> list[PackageEffect]:
        """After the power came: the groups that the MAC is to have again."""
        self.clock.plan(now_us)
        return [self.groups.effect(number) for number in self.memory.groups]

    def receive(self, port: int, payload: bytes, group: int | None, now_us: int, clock_s: int) -> list[PackageEffect]:
        """A message on a package's port; FrameError for one that is not the package's, which the caller drops."""
        package, heard = PackagePort(port), Heard(group, now_us, clock_s)
        effects: list[PackageEffect] = []
        answers: list[Command | Open] = []
        for each in decode(payload, TO_DEVICE[package, self.version]):
            head, rest = (each.head, each.rest) if isinstance(each, Open) else (each, b"")
            if group is not None and type(head) not in FROM_GROUPS:
                raise FrameError(f"{type(head).__name__} from a group")
            if isinstance(head, c.PackageVersionReq):
                answers.append(c.PackageVersionAns(PACKAGE_IDS[package], ONLY_VERSION.get(package, self.version)))
                continue
            answer, more = self._handlers[type(head)](head, rest, heard)
            answers += [] if answer is None else [answer]
            effects += self._kept(more, now_us)
        if answers:
            said = Say(package, encode(answers))
            if group is None:
                return [*effects, said]
            self._later(said, now_us, self.blocks.spread(group))
        return effects

    def poll(self, now_us: int) -> list[PackageEffect]:
        """Says what is due."""
        effects: list[PackageEffect] = []
        while self._waiting and self._waiting[0][0] <= now_us:
            effects.append(heappop(self._waiting)[2])
        if self.clock.ask_us is not None and now_us >= self.clock.ask_us:
            self.clock.plan(now_us)
            effects.append(AskTime())
        return effects

    def _kept(self, effects: list[PackageEffect], now_us: int) -> list[PackageEffect]:
        """Keeps what is to be told later; the rest goes on."""
        for each in effects:
            if isinstance(each, BlockTold):
                said = Say(PackagePort.FRAGMENTATION, encode([c.BlockReceivedReq(each.index, int(not each.right))]))
                for _ in range(BLOCK_TELLS):
                    self._later(said, now_us, each.block_ack_delay)
        return [each for each in effects if not isinstance(each, BlockTold)]

    def _later(self, said: Say, now_us: int, block_ack_delay: int) -> None:
        """Within 2**(delay + 4) seconds, at random."""
        if len(self._waiting) < ANSWERS_MAX:
            self._order += 1
            due_us = now_us + self._random.randrange((1 << block_ack_delay + 4) * US_PER_S)
            heappush(self._waiting, (due_us, self._order, said))

    def _block_heard(self, command: Command, _: bytes, __: Heard) -> Outcome:
        """The server knows of the block: it is not told again."""
        assert isinstance(command, c.BlockReceivedAns)
        told = [encode([c.BlockReceivedReq(command.index, wrong)]) for wrong in (0, 1)]
        self._waiting = [each for each in self._waiting if each[2].payload not in told]
        heapify(self._waiting)
        return None, []
