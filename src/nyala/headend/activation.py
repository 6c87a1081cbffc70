"""Firmware that meters hold is started at an instant, and proven to run: what each is asked, and what its words mean.

    staged     is asked which image it holds             checked     is told when to start it
    scheduled  after its instant: is asked what runs     late        runs the old one: is asked whether it still holds the image
    behind     held no image: is asked what runs         withdrawn   is told not to start after all

`MOVES` says the rest: a meter is *verified* when it says by itself, by a hello or an answer, that the new version runs;
*rolled back* when the old one runs and no image waits.  A question that is not answered is put again, later and later, `TRIES`
times; whoever is asked after its instant has its time to be heard in vain, start again and go back.  Sans-I/O.

Not here: how the image got there (`campaigns`), what a meter does (`twin.firmware`).  Source: TS006-1.0.0.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from nyala.lorawan.packages import firmware_layouts as c
from nyala.lorawan.packages.campaign import ORDER_US, ORDERS_MAX, TRIES, ToDevice
from nyala.lorawan.packages.commands import TO_SERVER, Open, PackagePort, decode, encode
from nyala.lorawan.packages.firmware_layouts import ImageStatus
from nyala.lorawan.packages.layouts import Command
from nyala.vocab.time import US_PER_S, gps_from_utc_us

LEAD_US: Final = 600 * US_PER_S
"""From the order to the start at least: time for some tries."""
VERIFY_US: Final = 600 * US_PER_S
"""After the instant: a meter may finish what it says, copies, starts at random, and says hello.  Doubled with each try: the
last question comes ten hours after the instant, when a meter that was not heard has gone back."""


class Stand(StrEnum):
    """Where a meter stands."""

    STAGED = "staged"
    CHECKED = "checked"
    SCHEDULED = "scheduled"
    LATE = "late"
    BEHIND = "behind"
    WITHDRAWN = "withdrawn"
    VERIFIED = "verified"
    ROLLED_BACK = "rolled_back"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Word(StrEnum):
    """What a meter said, as it matters here."""

    HOLDS = "it holds the image"
    HOLDS_NONE = "it holds no image"
    HOLDS_OTHER = "it holds another image"
    WRONG = "its image is damaged or not signed by the maker"
    WRONG_MODEL = "its image is for another model"
    TAKEN = "it takes the instant"
    PASSED = "the instant has passed"
    STOPPED = "it does not start"
    NEW = "it runs the new version"
    OLD = "it runs another version"


ENDS: Final = frozenset({Stand.VERIFIED, Stand.ROLLED_BACK, Stand.CANCELLED, Stand.FAILED})
_IMAGES: Final = (Word.HOLDS_OTHER, Word.WRONG, Word.WRONG_MODEL)
MOVES: Final[dict[tuple[Stand, Word], Stand]] = {
    (Stand.STAGED, Word.HOLDS): Stand.CHECKED,
    (Stand.STAGED, Word.HOLDS_NONE): Stand.BEHIND,
    **{(Stand.STAGED, word): Stand.FAILED for word in _IMAGES},
    (Stand.BEHIND, Word.OLD): Stand.FAILED,
    (Stand.CHECKED, Word.TAKEN): Stand.SCHEDULED,
    (Stand.CHECKED, Word.PASSED): Stand.CHECKED,
    (Stand.SCHEDULED, Word.OLD): Stand.LATE,
    (Stand.LATE, Word.HOLDS): Stand.SCHEDULED,
    (Stand.LATE, Word.HOLDS_NONE): Stand.ROLLED_BACK,
    **{(Stand.LATE, word): Stand.ROLLED_BACK for word in _IMAGES},
    (Stand.WITHDRAWN, Word.STOPPED): Stand.CANCELLED,
    **{(stand, Word.NEW): Stand.VERIFIED for stand in Stand if stand not in ENDS},
}
"""A word at a stand that does not know it is an old one, and changes nothing."""
_IMAGE_WORDS: Final[Mapping[int, Word]] = {
    ImageStatus.NONE: Word.HOLDS_NONE,
    ImageStatus.WRONG: Word.WRONG,
    ImageStatus.WRONG_HARDWARE: Word.WRONG_MODEL,
}


@dataclass(slots=True)
class Meter:
    """One meter.  `tries` since it was last heard at this stand; `due_us`: when it is asked."""

    stand: Stand = Stand.STAGED
    why: str = ""
    tries: int = 0
    due_us: int = 0
    start_us: int = 0


class Activation:
    """Meters that hold an image of one version, and the instant from which it is to run.  `known`: how they stood before."""

    def __init__(
        self, version: int, at_us: int, dev_euis: Iterable[int], known: Mapping[int, tuple[Stand, str]] | None = None
    ) -> None:
        self.version, self.at_us, self.orders = version, at_us, 0
        self.changed = True
        """Somebody stands elsewhere than when this was last cleared."""
        self.meters = {dev_eui: Meter(*(known or {}).get(dev_eui, ())) for dev_eui in dev_euis}
        for meter in self.meters.values():
            if meter.stand is Stand.SCHEDULED:
                meter.start_us, meter.due_us = at_us, at_us + VERIFY_US
        self._polled_us = 0

    @property
    def over(self) -> bool:
        """Every meter has come to an end."""
        return not self._open()

    @property
    def next_us(self) -> int:
        """When `poll` has something to do."""
        due_us = [meter.due_us for meter in self._open().values()]
        busy = [each for each in due_us if each > self._polled_us]
        return min(busy if len(self._asked(self._polled_us)) >= ORDERS_MAX and busy else due_us, default=self._polled_us)

    def withdraw(self, now_us: int) -> None:
        """Nobody is to start any more; whoever was told to is told not to."""
        for meter in self._open().values():
            told = meter.stand in {Stand.SCHEDULED, Stand.CHECKED} and now_us < (meter.start_us or now_us + 1)
            self._goes(meter, Stand.WITHDRAWN if told else Stand.CANCELLED)

    # -- in

    def answer(self, dev_eui: int, payload: bytes) -> None:
        """What a meter said on the port of firmware management; FrameError for what is no message of it."""
        for each in decode(payload, TO_SERVER[PackagePort.FIRMWARE, 1]):
            self._hears(dev_eui, self._word(each))

    def hello(self, dev_eui: int, version: int) -> None:
        """A meter said by itself which version it runs."""
        if version == self.version:
            self._hears(dev_eui, Word.NEW)

    def _word(self, said: Command | Open) -> Word | None:
        match said:
            case c.DevVersionAns(firmware=running):
                return Word.NEW if running == self.version else Word.OLD
            case c.DevUpgradeImageAns(status=status):
                return _IMAGE_WORDS[status]
            case Open(head=c.DevUpgradeImageAns(), rest=rest):
                return Word.HOLDS if int.from_bytes(rest, "little") == self.version else Word.HOLDS_OTHER
            case c.DevRebootTimeAns(reboot_time=c.CANCEL_TIME):
                return Word.STOPPED
            case c.DevRebootTimeAns(reboot_time=time_s):
                return Word.TAKEN if time_s else Word.PASSED
            case _:
                return None

    def _hears(self, dev_eui: int, word: Word | None) -> None:
        meter = self.meters.get(dev_eui)
        stand = None if meter is None or word is None else MOVES.get((meter.stand, word))
        if meter is None or word is None or stand is None:
            return
        before = meter.stand
        self._goes(meter, stand, word.value if stand in {Stand.FAILED, Stand.ROLLED_BACK} else "")
        if before is Stand.LATE and stand is Stand.SCHEDULED:  # not started yet: asked again, no sooner than before
            meter.due_us = self._polled_us + (VERIFY_US << meter.tries)
        elif stand is not Stand.LATE:
            meter.tries = 0
            meter.due_us = meter.start_us + VERIFY_US if stand is Stand.SCHEDULED else 0

    def _goes(self, meter: Meter, stand: Stand, why: str = "") -> None:
        meter.stand, meter.why, self.changed = stand, why, True
        meter.due_us = 0

    # -- out

    def poll(self, now_us: int) -> list[ToDevice]:
        """What is to be asked now."""
        self._polled_us = now_us
        room = ORDERS_MAX - len(self._asked(now_us))
        orders: list[ToDevice] = []
        for dev_eui, meter in self._open().items():
            if meter.due_us > now_us or len(orders) >= room:
                continue
            if meter.tries >= TRIES:
                self._goes(meter, Stand.FAILED, f"no answer while {meter.stand}")
                continue
            orders.append(ToDevice(dev_eui, PackagePort.FIRMWARE, encode([self._order(meter, now_us)])))
            waits_us = VERIFY_US if meter.stand is Stand.SCHEDULED else ORDER_US
            meter.due_us = now_us + (waits_us << meter.tries)
            meter.tries += 1
        self.orders += len(orders)
        return orders

    def _open(self) -> dict[int, Meter]:
        return {dev_eui: meter for dev_eui, meter in self.meters.items() if meter.stand not in ENDS}

    def _asked(self, now_us: int) -> list[Meter]:
        """Those whose answers are awaited."""
        return [meter for meter in self._open().values() if meter.tries and now_us < meter.due_us <= now_us + ORDER_US]

    def _order(self, meter: Meter, now_us: int) -> Command:
        match meter.stand:
            case Stand.CHECKED:
                meter.start_us = max(self.at_us, now_us + LEAD_US)
                return c.DevRebootTimeReq(gps_from_utc_us(meter.start_us) // US_PER_S % (1 << 32))
            case Stand.WITHDRAWN:
                return c.DevRebootTimeReq(c.CANCEL_TIME)
            case Stand.SCHEDULED | Stand.BEHIND:
                return c.DevVersionReq()
            case _:
                return c.DevUpgradeImageReq()
