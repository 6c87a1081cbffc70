"""Firmware management, the device's side: what runs, what would run next, and when to start it.  TS006-1.0.0 section 3.

One start is programmed at a time; it stands in the memory that a power cut leaves.  Not here: the start itself, and what
makes an image valid: both are the device's.
"""

from typing import Final

from nyala.lorawan.packages import firmware_layouts as c
from nyala.lorawan.packages.commands import Open
from nyala.lorawan.packages.layouts import Command
from nyala.lorawan.packages.state import GPS_U32, NOTHING, FirmwareFacts, Heard, ImageDropped, Outcome

REBOOT_MAX_S: Final = 400 * 86_400
"""Farther ahead is no plan but a wrong clock."""


class Firmware:
    """One device's firmware package."""

    def __init__(self, facts: FirmwareFacts) -> None:
        self._facts = facts
        self.handlers = {
            c.DevVersionReq: self._version,
            c.DevRebootTimeReq: self._time,
            c.DevRebootCountdownReq: self._countdown,
            c.DevUpgradeImageReq: self._image,
            c.DevDeleteImageReq: self._delete,
        }

    def _version(self, _: Command, __: bytes, ___: Heard) -> Outcome:
        return c.DevVersionAns(self._facts.running, self._facts.hardware), []

    def _time(self, command: Command, _: bytes, heard: Heard) -> Outcome:
        assert isinstance(command, c.DevRebootTimeReq)
        if command.reboot_time == c.CANCEL_TIME:
            self._facts.reboot_s = None
            return c.DevRebootTimeAns(c.CANCEL_TIME), []
        if command.reboot_time == c.NOW:
            self._facts.reboot_s = heard.clock_s
            return NOTHING  # it has gone before it could answer
        ahead_s = heard.ahead_s(command.reboot_time)
        if not 0 < ahead_s <= REBOOT_MAX_S:
            return c.DevRebootTimeAns(c.NOW), []
        self._facts.reboot_s = heard.clock_s + ahead_s
        return c.DevRebootTimeAns(ahead_s % GPS_U32), []

    def _countdown(self, command: Command, _: bytes, heard: Heard) -> Outcome:
        assert isinstance(command, c.DevRebootCountdownReq)
        if command.countdown_s == c.CANCEL_COUNTDOWN:
            self._facts.reboot_s = None
            return c.DevRebootCountdownAns(c.CANCEL_COUNTDOWN), []
        self._facts.reboot_s = heard.clock_s + command.countdown_s
        return (c.DevRebootCountdownAns(command.countdown_s), []) if command.countdown_s else NOTHING

    def _image(self, _: Command, __: bytes, ___: Heard) -> Outcome:
        facts = self._facts
        answer = c.DevUpgradeImageAns(facts.image)
        return Open(answer, facts.next_version.to_bytes(4, "little")) if answer.tail else answer, []

    def _delete(self, command: Command, _: bytes, __: Heard) -> Outcome:
        assert isinstance(command, c.DevDeleteImageReq)
        there = self._facts.image is c.ImageStatus.VALID
        other = there and command.version != self._facts.next_version
        return c.DevDeleteImageAns(int(not there), int(other)), [] if other or not there else [ImageDropped()]
