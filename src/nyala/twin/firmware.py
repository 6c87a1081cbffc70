"""The firmware of a twin: an image is judged, at its instant copied beside the one that runs, tried, and kept or left.

    staged   a block of firmware is whole: signed by the maker, and for this model, or it is never started
    begun    at the programmed instant the module stops and copies the image into the other slot, page by page
    trial    the copy is proven again and runs.  An acknowledged uplink makes it stay; without one the module starts it again
             after `TRIAL_US`, at most `STARTS_MAX` times, and then goes back to the slot that ran before

The meter's own board goes on measuring meanwhile.  A power cut in any step finds a whole image to run: the word in flash that
says which slot runs is written only when the other one is complete (`MOVES`).  The code of a virtual meter is not executed;
one whose first word is zero, as of an erased vector table, falls over whenever it starts.

Not here: how the image came (`packages`), the orders of TS006 (`lorawan.packages.firmware`).
"""

from enum import StrEnum
from typing import Final

from nyala.lorawan.packages.firmware_layouts import ImageStatus
from nyala.telegram.blocks import HEADER_BYTES, Block, BlockKind
from nyala.telegram.firmware import VIRTUAL_MAKER, decode_image, signed_by
from nyala.twin.state import Boot
from nyala.twin.telling import Telling
from nyala.vocab.errors import TelegramError
from nyala.vocab.time import US_PER_S

PAGE_BYTES: Final = 2_048
PAGE_US: Final = 50_000
"""Erasing and writing a page of the module's flash."""
GRACE_US: Final = 300 * US_PER_S
"""How long a start waits for what is still to be said."""
TRIAL_US: Final = 2 * 3_600 * US_PER_S
"""A new image has so long to be heard: a hello is tried for three quarters of an hour."""
STARTS_MAX: Final = 3
"""Starts of an image on trial: with `TRIAL_US` it outlives a gateway that is away for six hours."""
_FAULT: Final = bytes(4)


class Turn(StrEnum):
    """What happens to a change of firmware."""

    BEGIN = "begin"
    COPIED = "copied"
    DAMAGED = "damaged"
    HEARD = "heard"
    GIVEN_UP = "given_up"


MOVES: Final[dict[tuple[Boot, Turn], Boot]] = {
    (Boot.STEADY, Turn.BEGIN): Boot.COPYING,
    (Boot.COPYING, Turn.COPIED): Boot.TRIAL,
    (Boot.COPYING, Turn.DAMAGED): Boot.STEADY,
    (Boot.TRIAL, Turn.BEGIN): Boot.COPYING,
    (Boot.TRIAL, Turn.HEARD): Boot.STEADY,
    (Boot.TRIAL, Turn.GIVEN_UP): Boot.STEADY,
}
"""A turn that a stand does not know changes nothing."""


class TwinFirmware:
    """The firmware of one twin.  Built anew when the module starts, over the flash that is left."""

    def __init__(self, telling: Telling, maker: bytes = VIRTUAL_MAKER) -> None:
        """`maker`: the public key of whoever may sign."""
        self._meter, self._maker = telling.meter, maker
        self._flash = telling.memory.flash
        self._slots, self._facts = self._flash.slots, self._flash.packages.firmware
        self._page_us: int | None = None
        self._trial_us: int | None = None
        self._facts.running, self._facts.hardware = self._slots.running, self._meter.model.code

    @property
    def copying(self) -> bool:
        """The module does nothing else."""
        return self._slots.boot is Boot.COPYING

    def next_us(self, *, busy: bool) -> int | None:
        """When `poll` has something to do; `busy`: there is something to be said before."""
        if self.copying:
            return self._page_us
        starts = [] if self._trial_us is None else [self._trial_us]
        if self._facts.reboot_s is not None:
            starts.append(self._facts.reboot_s * US_PER_S - self._meter.clock_error_us)
        return min(starts) + GRACE_US * busy if starts else None

    # -- the image that waits

    def stage(self, block: Block) -> bool:
        """Judges an image that came; False for one that is never started."""
        self._facts.image, self._facts.next_version = self._judge(block), block.version
        return self._facts.image is ImageStatus.VALID

    def drop(self) -> None:
        """Forgets the image that waits."""
        self._flash.staged.pop(BlockKind.FIRMWARE, None)
        self._facts.image, self._facts.next_version = ImageStatus.NONE, 0

    def _judge(self, block: Block) -> ImageStatus:
        try:
            image = decode_image(block.body)
        except TelegramError:
            return ImageStatus.WRONG
        if image.version != block.version or not signed_by(block.body, self._maker):
            return ImageStatus.WRONG
        return ImageStatus.VALID if image.model == self._meter.model.code else ImageStatus.WRONG_HARDWARE

    # -- time

    def poll(self, now_us: int, *, busy: bool) -> bool:
        """Does what is due.  True: the module is to start anew, now."""
        due_us = self.next_us(busy=busy)
        if due_us is None or now_us < due_us:
            return False
        if self.copying:
            return self._copy(now_us)
        if self._facts.reboot_s is not None:
            self._facts.reboot_s = None
            if self._facts.image is ImageStatus.VALID:
                self._turn(Turn.BEGIN)
        return True

    def start(self, now_us: int) -> bool:
        """The module starts, whyever.  True: what runs is news, to be told."""
        slots = self._slots
        if self.copying:
            slots.codes[1 - slots.active], slots.versions[1 - slots.active] = b"", 0
            self._page_us = now_us + PAGE_US
            return False
        if slots.boot is not Boot.TRIAL:
            return False
        slots.starts += 1
        if slots.starts > STARTS_MAX or self._faulty():
            slots.active = 1 - slots.active
            self._turn(Turn.GIVEN_UP)
        else:
            self._trial_us = now_us + TRIAL_US
        self._facts.running = slots.running
        self._meter.operation.log("firmware_changed", slots.running)
        return True

    def heard(self) -> None:
        """The network acknowledged an uplink: what runs can be reached, and stays."""
        self._trial_us = None
        self._turn(Turn.HEARD)

    def _copy(self, now_us: int) -> bool:
        """The next page; behind the last one the slot is proven, and is the one that starts."""
        slots, other = self._slots, 1 - self._slots.active
        body = self._flash.staged[BlockKind.FIRMWARE][HEADER_BYTES:]
        slots.codes[other] += body[len(slots.codes[other]) :][:PAGE_BYTES]
        if len(slots.codes[other]) < len(body):
            self._page_us = now_us + PAGE_US
            return False
        if signed_by(slots.codes[other], self._maker):
            slots.versions[other], slots.active, slots.starts = self._facts.next_version, other, 0
            self._turn(Turn.COPIED)
        else:
            self._turn(Turn.DAMAGED)
        self.drop()
        return True

    def _faulty(self) -> bool:
        return decode_image(self._slots.codes[self._slots.active]).code.startswith(_FAULT)

    def _turn(self, turn: Turn) -> None:
        self._slots.boot = MOVES.get((self._slots.boot, turn), self._slots.boot)
