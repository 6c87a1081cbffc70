"""The application packages in a meter: messages on ports 200-203 reach them, and what they want done is done here.

    groups   go to the MAC; a group that is set up again as it was keeps its counter, or old frames could be said again
    answers  are jobs of the telling queue, not confirmed: whoever asked asks again
    time     a request is made when it goes out, and goes out once: a repeat would carry an old time
    blocks   a block that is whole is looked at (`telegram.blocks`): a right one is staged in the module's flash and told
             by an event, a wrong one is refused, logged and told; a setting is put into force, at its own instant where it
             has one, and an image waits for the order to start it (`firmware`)

Sessions, fragments and staged
blocks are in the module's own flash, as the groups are with their counters: it is written record by record, and a power cut
takes none of what had come.
"""

from collections.abc import Sequence
from random import Random
from typing import Final

from nyala.lorawan.crypto import AesKey
from nyala.lorawan.device import multicast
from nyala.lorawan.device.effects import Received
from nyala.lorawan.device.mac import DeviceMac
from nyala.lorawan.packages.commands import PackagePort
from nyala.lorawan.packages.device import DevicePackages
from nyala.lorawan.packages.keys import gen_app_key
from nyala.lorawan.packages.state import (
    AskTime,
    BlockReady,
    ClockOff,
    GroupDropped,
    GroupSet,
    ImageDropped,
    Listen,
    PackageEffect,
    Say,
)
from nyala.meter import settings
from nyala.telegram.blocks import Block, BlockKind, decode_block, setting_of
from nyala.telegram.kinds import EventCode
from nyala.twin.firmware import TwinFirmware
from nyala.twin.jobs import Job, Urgency
from nyala.twin.telling import Telling
from nyala.vocab.errors import BadArgumentError, CallerError, FrameError, TelegramError
from nyala.vocab.time import US_PER_S

PORTS: Final = frozenset(PackagePort)
_DESCRIPTOR_SIGN: Final = 1 << 31


class TwinPackages:
    """The packages of one twin.  Built anew when the power comes, over the memory that is left."""

    def __init__(self, telling: Telling, mac: DeviceMac, firmware: TwinFirmware, random: Random) -> None:
        self._telling, self._mac, self._firmware = telling, mac, firmware
        self._flash = telling.memory.flash
        key = gen_app_key(AesKey(mac.identity.app_key))
        self._packages = DevicePackages(key, mac.region, self._flash.packages, random)

    @property
    def next_us(self) -> int | None:
        """When `poll` has something to do."""
        return self._packages.next_us

    def start(self, now_us: int) -> None:
        """The power came."""
        self._do(self._packages.start(now_us))

    def receive(self, message: Received, now_us: int) -> list[ClockOff]:
        """A message on a package's port, the meter standing at this instant.  What is left to do: correct the clock."""
        groups = self._mac.memory.multicast.items()
        number = next((number for number, group in groups if group.address == message.group), None)
        try:
            effects = self._packages.receive(message.port, message.payload, number, now_us, self._telling.meter.clock_s)
        except FrameError:
            return []
        return self._do(effects)

    def poll(self, now_us: int) -> None:
        """Says what is due."""
        self._do(self._packages.poll(now_us))

    def _do(self, effects: Sequence[PackageEffect]) -> list[ClockOff]:
        off: list[ClockOff] = []
        for effect in effects:
            match effect:
                case Say():
                    self._say(effect)
                case AskTime():
                    self._telling.jobs.put(Job(Urgency.EVENT, self._time_request, once=True))
                case ClockOff():
                    off.append(effect)
                case GroupSet():
                    self._set_group(effect)
                case GroupDropped():
                    self._mac.drop_multicast(effect.group)
                case Listen():
                    self._listen(effect)
                case BlockReady():
                    self._take_block(effect)
                case ImageDropped():
                    self._firmware.drop()
                case _:
                    raise AssertionError(effect)
        return off

    # -- saying

    def _say(self, said: Say) -> None:
        def pack(_room: int) -> list[tuple[int, bytes]]:
            activation = self._mac.activation
            fits = activation is not None and len(said.payload) <= activation.room(self._mac.region, 0)
            return [(said.port, said.payload)] if fits else []

        self._telling.jobs.put(Job(Urgency.ANSWER, pack))

    def _time_request(self, room: int) -> list[tuple[int, bytes]]:
        request = self._packages.clock.request(self._telling.meter.clock_s)
        if len(request) > room:
            raise BadArgumentError(f"a time request does not fit {room} bytes beside the MAC's answers")
        return [(PackagePort.CLOCK_SYNC, request)]

    # -- groups

    def _set_group(self, said: GroupSet) -> None:
        memory = self._mac.memory.multicast
        try:
            session = multicast.group(said.mc_addr, (said.nwk_s_key, said.app_s_key), said.f_cnt_min, said.f_cnt_max)
            known = memory.get(said.group)
            if known is not None and _key(known) == _key(session):
                session.f_cnt, session.class_c = max(known.f_cnt, session.f_cnt), known.class_c
            self._mac.set_multicast(said.group, session)
        except CallerError:  # no counters, or the address of another group: it hears nothing there
            self._mac.drop_multicast(said.group)

    def _listen(self, said: Listen) -> None:
        if said.group not in self._mac.memory.multicast:
            return
        error_us = self._telling.meter.clock_error_us
        start_us, end_us = said.start_s * US_PER_S - error_us, said.end_s * US_PER_S - error_us
        self._mac.start_class_c(said.group, multicast.ClassCWindow(said.frequency_hz, said.data_rate, start_us, end_us))

    # -- blocks

    def _take_block(self, ready: BlockReady) -> None:
        descriptor, meter = ready.descriptor, self._telling.meter
        try:
            block = decode_block(descriptor, ready.block)
            self._use(block)
        except (TelegramError, CallerError):
            detail = (descriptor ^ _DESCRIPTOR_SIGN) - _DESCRIPTOR_SIGN  # the log's details have a sign
            meter.operation.log("block_refused", detail)
            self._telling.event(EventCode.BLOCK_REFUSED, descriptor)
            return
        self._flash.staged[block.kind] = ready.block
        meter.operation.log("block_staged", block.version)
        self._telling.event(EventCode.BLOCK_STAGED, descriptor)

    def _use(self, block: Block) -> None:
        """What a right block does; TelegramError or CallerError where it is not for this meter."""
        if block.kind is BlockKind.CONFIGURATION:
            settings.take(self._telling.meter.operation, *setting_of(block))
        elif not self._firmware.stage(block):
            raise TelegramError(f"firmware {block.version:#x} is not signed, or not for this meter")


def _key(session: multicast.MulticastSession) -> tuple[int, bytes, bytes]:
    """What makes it the same group."""
    return session.address, session.nwk_s_key.value, session.app_s_key.value
